//! How fast recorded data is read: makes 100 MB of each format in a temporary folder and reads it.
//!
//! `cargo run -p data --example trace_speed`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use data::task_sizes;
use data::trace::Recording;

const BYTES: usize = 100_000_000;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, header: &str, line: &dyn Fn(&mut String, u64) -> std::fmt::Result, footer: &str| {
        let path = folder.path().join(name);
        filled(&path, header, line, footer).map(|()| path)
    };
    let traces: [(&str, PathBuf); 5] = [
        ("dds-uplink", write("1000_o2_ul.txt", "", &transfer, "")?),
        ("throughput-log", write("log.csv", "", &|text, k| writeln!(text, "{}.{},Mbits/sec", k % 40, k % 97), "")?),
        ("mahimahi", write("packets.up", "", &|text, k| writeln!(text, "{}", k / 3), "")?),
        ("csv", write("plain.csv", "t_s,device,mbps\n", &|text, k| plain(text, k, ""), "")?),
        ("csv in quotes", write("quoted.csv", "\"t_s\",\"device\",\"mbps\"\n", &|text, k| plain(text, k, "\""), "")?),
    ];
    println!("{:16} {:>8} {:>8} {:>10}", "format", "seconds", "MB/s", "samples");
    for (name, path) in traces {
        report(name, || Ok(Recording::open(&path)?.sources[0].samples))?;
    }
    let json =
        "{\"workflow\": {\"specification\": {\"files\": [{\"id\": \"f\", \"sizeInBytes\": 171256}], \"tasks\": [";
    let tasks: [(&str, PathBuf); 3] = [
        ("tasks, WfFormat", write("tasks.json", json, &task, "{}]}}}")?),
        ("tasks, CSV", write("tasks.csv", "workload,device,task,mb\n", &|text, k| writeln!(text, "{k},1,2,3.5"), "")?),
        ("tasks, list", write("tasks.txt", "", &|text, k| writeln!(text, "{}.25", k % 1_000_000), "")?),
    ];
    for (name, path) in tasks {
        report(name, || Ok(task_sizes(&path)?.sizes_mb.len()))?;
    }
    Ok(())
}

/// Writes some 100 MB.
fn filled(
    path: &Path,
    header: &str,
    line: &dyn Fn(&mut String, u64) -> std::fmt::Result,
    footer: &str,
) -> Result<(), Error> {
    let mut text = String::with_capacity(BYTES + 1024);
    text.push_str(header);
    for k in 0.. {
        if text.len() >= BYTES {
            break;
        }
        line(&mut text, k)?;
    }
    text.push_str(footer);
    Ok(std::fs::write(path, text)?)
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
