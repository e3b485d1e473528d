//! How fast recorded data is read: makes 100 MB of each format in a temporary folder and reads it.
//!
//! `cargo run -p data --example trace_speed`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use data::task_sizes;
use data::trace::Recording;
use flate2::Compression;
use flate2::write::GzEncoder;

const BYTES: usize = 100_000_000;

type Error = Box<dyn std::error::Error>;

/// Writes the k-th line.
type Line = fn(&mut String, u64) -> std::fmt::Result;

/// The formats of recordings: name, file, what stands above the lines, a line, what stands below.
const TRACES: [(&str, &str, &str, Line, &str); 13] = [
    ("dds-uplink", "1000_o2_ul.txt", "", transfer, ""),
    ("throughput-log", "log.csv", "", |text, k| writeln!(text, "{}.{},Mbits/sec", k % 40, k % 97), ""),
    ("mahimahi", "packets.up", "", |text, k| writeln!(text, "{}", k / 3), ""),
    ("csv", "plain.csv", "t_s,device,mbps\n", |text, k| plain(text, k, ""), ""),
    ("csv in quotes", "quoted.csv", "\"t_s\",\"device\",\"mbps\"\n", |text, k| plain(text, k, "\""), ""),
    ("csv, ; and 1,5", "semicolons.csv", "t_s;mbps\n", |text, k| writeln!(text, "{k},5;{},125", k % 40), ""),
    (
        "csv, ISO times",
        "dates.csv",
        "time,device,mbps\n",
        |text, k| writeln!(text, "{},{},{}.5", date(k, ['-', 'T', ':']), k % 3, k % 40),
        "",
    ),
    ("gnettrack", "phone.csv", GNETTRACK, gnettrack, ""),
    ("pensieve", "pensieve", "", |text, k| writeln!(text, "{}.5\t{}.125", k / 2, k % 40), ""),
    (
        "hsdpa",
        "report.log",
        "",
        |text, k| writeln!(text, "{} {} 59.851754 10.781778 {} 990", 1_289_406_399 + k, 1000 * k, 248_456 + k % 1000),
        "",
    ),
    (
        "iperf3",
        "iperf3.txt",
        "",
        |text, k| writeln!(text, "[  5] {k}.00-{}.00   sec  1.25 MBytes  {}.5 Mbits/sec", k + 1, k % 40),
        "",
    ),
    (
        "iperf3-json",
        "iperf3.json",
        "{\"intervals\": [\n",
        interval,
        "{\"sum\": {\"start\": 0, \"end\": 1, \"bits_per_second\": 1}}]}",
    ),
    ("csv, with gzip", "plain.csv.gz", "t_s,device,mbps\n", |text, k| plain(text, k, ""), ""),
];

const WORKFLOW: &str =
    "{\"workflow\": {\"specification\": {\"files\": [{\"id\": \"f\", \"sizeInBytes\": 171256}], \"tasks\": [";

/// The formats of task sizes, likewise.
const TASKS: [(&str, &str, &str, Line, &str); 3] = [
    ("tasks, WfFormat", "tasks.json", WORKFLOW, task, "{}]}}}"),
    ("tasks, CSV", "tasks.csv", "workload,device,task,mb\n", |text, k| writeln!(text, "{k},1,2,3.5"), ""),
    ("tasks, list", "tasks.txt", "", |text, k| writeln!(text, "{}.25", k % 1_000_000), ""),
];

const GNETTRACK: &str =
    "Timestamp,Longitude,Latitude,Speed,Operatorname,CellID,NetworkMode,RSRP,DL_bitrate,UL_bitrate,State\n";

fn main() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    println!("{:16} {:>8} {:>8} {:>10}", "format", "seconds", "MB/s", "samples");
    for (name, file, header, line, footer) in TRACES {
        let path = folder.path().join(file);
        filled(&path, header, line, footer)?;
        report(name, || Ok(Recording::open(&path)?.sources[0].samples))?;
        std::fs::remove_file(path)?;
    }
    for (name, file, header, line, footer) in TASKS {
        let path = folder.path().join(file);
        filled(&path, header, line, footer)?;
        report(name, || Ok(task_sizes(&path)?.sizes_mb.len()))?;
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Writes some 100 MB, compressed if the name says so.
fn filled(path: &Path, header: &str, line: Line, footer: &str) -> Result<(), Error> {
    let mut text = String::with_capacity(BYTES + 1024);
    text.push_str(header);
    for k in 0.. {
        if text.len() >= BYTES {
            break;
        }
        line(&mut text, k)?;
    }
    text.push_str(footer);
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut encoder = GzEncoder::new(std::fs::File::create(path)?, Compression::fast());
        encoder.write_all(text.as_bytes())?;
        return encoder.finish().map(drop).map_err(Into::into);
    }
    Ok(std::fs::write(path, text)?)
}

/// A date in some separators: between days, before the time of day, and between hours.
fn date(k: u64, [day, time, hour]: [char; 3]) -> String {
    let (minutes, days) = (k / 60, k / 86_400);
    format!(
        "{}{day}{:02}{day}{:02}{time}{:02}{hour}{:02}{hour}{:02}",
        2000 + days / 336,
        days / 28 % 12 + 1,
        days % 28 + 1,
        minutes / 60 % 24,
        minutes % 60,
        k % 60
    )
}

fn gnettrack(text: &mut String, k: u64) -> std::fmt::Result {
    let time = date(k, ['.', '_', '.']);
    writeln!(text, "{time},-8.394207,51.886,{},B,11,5G,-95,{},{},D", k % 100, 20_000 + k % 999, k % 5000)
}

fn interval(text: &mut String, k: u64) -> std::fmt::Result {
    let (start, end, rate) = (k, k + 1, 1000 * (k % 9000));
    let sum = format!(
        "\"start\": {start}.0001, \"end\": {end}.0001, \"seconds\": 1.0, \"bytes\": 157696, \"bits_per_second\": {rate}.25"
    );
    writeln!(
        text,
        "{{\"streams\": [{{\"socket\": 5, {sum}, \"omitted\": false}}], \"sum\": {{{sum}, \"omitted\": false}}}},"
    )
}

fn transfer(text: &mut String, k: u64) -> std::fmt::Result {
    let (unix, payload, rate) = (1000 + k, k % 10 + 1, k % 30);
    writeln!(
        text,
        "{k}.25,{unix},126.84,51.49055744,7.41414789,160.73,12.02,0.00,78.10,1,-99.00,-9.00,-1.00,8.00,36.00,9.00,13828122,452,{k},{payload},{rate}.65929,47,20.5625"
    )
}

fn plain(text: &mut String, k: u64, quote: &str) -> std::fmt::Result {
    writeln!(text, "{}.5,{quote}phone {}{quote},{}.125", k / 3, k % 3, k % 40)
}

fn task(text: &mut String, k: u64) -> std::fmt::Result {
    writeln!(
        text,
        "{{\"name\": \"task {k}\", \"id\": \"t{k}\", \"inputFiles\": [\"f\", \"f\"], \"parents\": [\"t\"]}},"
    )
}

fn report(name: &str, read: impl FnOnce() -> Result<usize, Error>) -> Result<(), Error> {
    let start = Instant::now();
    let samples = read()?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{name:16} {seconds:8.2} {:8.0} {samples:10}", BYTES as f64 / 1e6 / seconds);
    Ok(())
}
