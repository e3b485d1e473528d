//! Inputs of every kind that the program reads, made from arbitrary bytes.
//!
//! Each function of [`KINDS`] reads one kind. It must never panic, never take memory out of proportion to its input,
//! and never accept input that makes no sense. `cargo test` calls the functions with the corpus and with bytes drawn at
//! random; the targets in `fuzz/` call them with bytes that a fuzzer makes.

pub mod workloads;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use burn::tensor::Device;
use data::trace::{MAX_RATE_MBPS, Recording};
use data::{Part, SizeSampler, Workloads, task_sizes};
use drl::{Agent, AgentState, TrainingData, TrainingLoop};
use meta::{Metadata, Reptile, ReptileState};
use model::{
    Codec, DnnNetworks, Ensemble, EnvironmentInputs, Exploration, NetworkShape, Record, Scaling, Selection,
    SelectionScope, checksum,
};
use sim::config::Mistakes;
use sim::limits::MAX_SIZE_MB;
use sim::stream::StreamScenario;
use sim::{CostModel, Scenario, random, text};
use tempfile::TempDir;

/// What gzip makes of a recording.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2b\x89\x2f\xd6\x49\x49\x2d\xcb\x4c\x4e\xd5\xc9\x4d\x2a\x28\xe6\x32\xd0\x49\xd4\x31\xd4\x33\xe5\x32\x06\x31\x8c\xb8\x00\x4a\x8a\x2c\x7f\x1f\x00\x00\x00";

/// Reads one kind of input, and says whether any of it was accepted.
pub type Reading = fn(&[u8]) -> bool;

/// The kinds, named as their folders in `fuzz/corpus`.
pub const KINDS: [(&str, Reading); 7] = [
    ("text", text),
    ("scenario", scenario),
    ("recording", recording),
    ("workloads", workloads::read),
    ("manifest", manifest),
    ("weights", weights),
    ("state", state),
];

/// A text in UTF-8 or UTF-16. Decoded as a whole and piece by piece it must be the same.
///
/// # Panics
/// If it is not, or if an error lies outside the text.
pub fn text(bytes: &[u8]) -> bool {
    let whole = text::decode(bytes.to_vec());
    let mut streamed = Vec::new();
    let ended = text::Decoder::new(bytes).read_to_end(&mut streamed);
    match (&whole, &ended) {
        (Ok(text), Ok(_)) => assert_eq!(text.as_bytes(), streamed),
        // UTF-8 is checked by whoever takes lines from it.
        (Err(wrong), Ok(_)) => assert!(std::str::from_utf8(&streamed).is_err(), "{wrong}"),
        (Err(wrong), Err(error)) => assert_eq!(text::not_text(error), Some(wrong)),
        (Ok(text), Err(error)) => panic!("{error} in {text:?}"),
    }
    if let Err(wrong) = &whole {
        assert!(wrong.line >= 1 && wrong.column >= 1 && wrong.byte <= bytes.len() as u64 + 1, "{wrong}");
    }
    whole.is_ok()
}

/// A scenario in TOML. An accepted text must give a valid scenario that can be written and read back; a refusal must
/// give reasons, and the places that it names must lie within the text.
///
/// # Panics
/// If this does not hold.
pub fn scenario(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("\"stream\"") {
        return scenario_over_time(&text);
    }
    match Scenario::from_toml("anything", &text) {
        Ok(scenario) => {
            let model = scenario.check().expect("it was accepted");
            assert!((0..model.devices()).flat_map(|device| model.rates(device)).all(|rate| rate.time_s_per_byte > 0.0));
            let again = Scenario::from_toml("again", &scenario.to_toml());
            assert_eq!(again.as_ref(), Ok(&scenario));
            true
        }
        Err(problems) => {
            check_places(&problems, &text);
            false
        }
    }
}

/// A scenario over time that is accepted can be written and read back, and makes a problem or says why not.
fn scenario_over_time(text: &str) -> bool {
    match StreamScenario::from_toml("anything", text) {
        Ok(scenario) => {
            let again = StreamScenario::from_toml("again", &scenario.to_toml());
            assert_eq!(again.as_ref(), Ok(&scenario));
            match &scenario {
                StreamScenario::Dispatch(scenario) if scenario.devices.count <= 50 => drop(scenario.site(1)),
                StreamScenario::Slots(scenario) => drop(scenario.problem()),
                StreamScenario::Dispatch(_) => {}
            }
            true
        }
        Err(problems) => {
            check_places(&problems, text);
            false
        }
    }
}

/// Each mistake says something, and the place that it names lies within the text.
fn check_places(problems: &Mistakes, text: &str) {
    assert!(!problems.list.is_empty());
    let lines = text.split('\n').count();
    for problem in &problems.list {
        assert!(!problem.message.is_empty(), "{problems}");
        let inside = problem.place.is_none_or(|(line, column)| (1..=lines).contains(&line) && column >= 1);
        assert!(inside, "{problems} of {lines} lines");
    }
}

/// Recordings of networks and of task sizes, in every format: one file, or a folder of several that lines of `----`
/// divide.
///
/// # Panics
/// If a sample makes no sense.
pub fn recording(bytes: &[u8]) -> bool {
    let folder = folder();
    let mut rest = Some(bytes);
    let mut names = Vec::new();
    while let Some(content) = rest.filter(|_| names.len() < 4) {
        let divided = content.windows(6).position(|window| window == b"\n----\n");
        let (own, others) = divided.map_or((content, None), |at| (&content[..=at], Some(&content[at + 6..])));
        let path = folder.path().join(format!("{}_o{}_ul.txt", names.len(), names.len() % 2));
        fs::write(&path, own).expect("the folder is its own");
        names.push(path);
        rest = others;
    }
    let mut accepted = false;
    for path in &names {
        if let Ok(recording) = Recording::open(path) {
            check_recording(&recording);
            accepted = true;
        }
        if let Ok(sizes) = task_sizes(path) {
            accepted = true;
            assert!(sizes.sizes_mb.iter().all(|size| *size > 0.0 && *size <= MAX_SIZE_MB));
        }
    }
    if names.len() > 1
        && let Ok(recording) = Recording::open(folder.path())
    {
        check_recording(&recording);
    }
    for path in &names {
        fs::remove_file(path).expect("written above");
    }
    accepted
}

fn check_recording(recording: &Recording) {
    let used: usize = recording.drives.iter().flat_map(|drive| &drive.devices).map(|device| device.samples.len()).sum();
    assert_eq!(used, recording.sources.iter().map(|source| source.samples).sum::<usize>());
    for drive in &recording.drives {
        let firsts = drive.devices.iter().map(|device| device.samples[0].t_s);
        assert_eq!(firsts.reduce(f64::min), Some(0.0));
        for device in &drive.devices {
            assert!(device.samples.iter().all(|sample| (0.0..=MAX_RATE_MBPS).contains(&sample.mbps)));
            assert!(device.samples.iter().all(|sample| sample.t_s.is_finite() && sample.t_s >= 0.0));
            assert!(device.samples.is_sorted_by(|a, b| a.t_s <= b.t_s));
            assert!(device.summary().mean_mbps.is_finite());
        }
        for length_s in [0.7, 60.0, 1e9] {
            let windows = drive.windows(length_s);
            assert!(windows.is_sorted_by(|a, b| a.start_s < b.start_s));
            assert!(windows.iter().flat_map(|window| &window.mbps).all(|rate| (0.0..=MAX_RATE_MBPS).contains(rate)));
        }
    }
}

/// The manifest of a record, with a checksum that fits: an attacker can compute one, too.
///
/// # Panics
/// If an accepted record cannot be saved and read back unchanged.
pub fn manifest(bytes: &[u8]) -> bool {
    let sealed = sealed(&String::from_utf8_lossy(bytes));
    read_record(sealed.as_bytes(), &tiny_record().1)
}

/// The weights of a record, with checksums that fit.
///
/// # Panics
/// If an accepted record cannot be saved and read back unchanged.
pub fn weights(bytes: &[u8]) -> bool {
    let mut manifest: toml::Table = toml::from_str(&tiny_record().0).expect("it was written as TOML");
    let entry = manifest["weights"].as_table_mut().expect("a table");
    entry.insert("bytes".to_owned(), i64::try_from(bytes.len()).expect("it lies in memory").into());
    entry.insert("sha256".to_owned(), checksum(bytes).into());
    let (version, seal) = (manifest.remove("format_version"), manifest.remove("sha256"));
    let (version, _) = version.zip(seal).expect("both are there");
    let text = format!("format_version = {version}\nsha256 = \"\"\n{manifest}");
    read_record(sealed(&text).as_bytes(), bytes)
}

fn read_record(manifest: &[u8], weights: &[u8]) -> bool {
    match Record::from_bytes(manifest, weights, &device()) {
        Ok(record) => {
            let folder = folder();
            let path = folder.path().join("record");
            record.save(&path).expect("it was read");
            let again = Record::load(&path, &device()).expect("it was just saved");
            let parameters = |record: &Record| record.networks.to_bytes().expect("on the processor");
            assert_eq!(parameters(&again), parameters(&record));
            fs::remove_dir_all(&path).expect("it was just saved");
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// A manifest's text with the checksum of what stands below its first two lines.
pub fn sealed(text: &str) -> String {
    let mut lines = text.splitn(3, '\n');
    let (version, _, body) = (lines.next(), lines.next(), lines.next());
    let body = body.unwrap_or_default();
    format!("{}\nsha256 = \"{}\"\n{body}", version.unwrap_or_default(), checksum(body.as_bytes()))
}

/// The state of a training, as in checkpoints: of Algorithm 1 if the first byte is even, else of Algorithm 2. Training
/// must continue from an accepted state.
///
/// # Panics
/// If it does not continue.
pub fn state(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else { return false };
    if first.is_multiple_of(2) {
        let Ok(state) = postcard::from_bytes::<ReptileState>(rest) else { return false };
        let training = metadata();
        let mut reptile = small_reptile(&training);
        let accepted = reptile.restore(&state).is_ok();
        if accepted {
            reptile.advance();
        }
        accepted
    } else {
        let Ok(state) = postcard::from_bytes::<AgentState>(rest) else { return false };
        let mut agent = small_agent();
        let accepted = agent.restore(state).is_ok();
        if accepted && !agent.is_done() {
            agent.advance(2);
        }
        accepted
    }
}

/// Well-formed inputs of every kind, to begin with: kind, name, content.
///
/// # Panics
/// If a state cannot be taken.
pub fn seeds() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for name in Scenario::presets() {
        let text = Scenario::preset_text(name).expect("a preset");
        seeds.push(("scenario", name.to_owned(), text.as_bytes().to_vec()));
    }
    for name in StreamScenario::presets() {
        let text = StreamScenario::preset_text(name).expect("a preset");
        seeds.push(("scenario", name.to_owned(), text.as_bytes().to_vec()));
    }
    let dds = "0.00,1547727609,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,2.5,10.25,21,22\n\
               1.50,1547727610,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,3.0,8.75,21,22\n";
    for (name, text) in [
        ("dds", dds.to_owned()),
        ("dds-drive", format!("{dds}----\n{dds}")),
        ("throughput", "4.5,Mbits/sec\n500,Kbits/sec\n0.00,bits/sec\n".to_owned()),
        ("mahimahi", "0\n0\n12\n250\n1001\n2500\n".to_owned()),
        ("csv-of-one-device", "time;mbps\n2024-01-31T12:00:00Z;1,5\n2024-01-31T12:01:00Z;2\n".to_owned()),
        ("gnettrack", "Timestamp,DL_bitrate,UL_bitrate\n2024.01.31_12.00.00,20000,900\n2024.01.31_12.01.00,9,-\n".to_owned()),
        ("pensieve", "0\t3\n30.5\t4\n60 0.5\n".to_owned()),
        (
            "hsdpa",
            "1289406399 549893 59.85 10.78 248456 990\n1289406400 550893 59.85 10.78 125000 1000\n".to_owned(),
        ),
        (
            "iperf3",
            "[ ID] Interval           Transfer     Bitrate\n\
             [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    0    102 KBytes\n\
             [  5]   1.00-2.00   sec   128 KBytes  1050 Kbits/sec    0    102 KBytes       (omitted)\n\
             [  5]   0.00-2.00   sec  1.38 MBytes  5.78 Mbits/sec    0             sender\n"
                .to_owned(),
        ),
        (
            "iperf3-json",
            r#"{"start": {"version": "iperf 3.9"}, "intervals": [{"sum": {"start": 0, "end": 1.5, "bits_per_second": 1e6, "omitted": false}}]}"#
                .to_owned(),
        ),
        ("csv", "t_s,device,mbps\n0,a,1.5\n0,b,2\n1,a,3\n1.5,b,0\n".to_owned()),
        ("sizes", "12.5\n30\n0.1\n".to_owned()),
        ("sizes-csv", "workload,device,task,mb\n1,0,0,12.5\n1,0,1,30\n".to_owned()),
        ("sizes-header", "# from the camera\nsize_kb\n12500\n30000\n".to_owned()),
        ("csv-semicolon", "note;Device;T_S;Mbps\n;a;0;8,5\n;\"a\";30;9,5\n".to_owned()),
        (
            "workflow",
            r#"{"schemaVersion": "1.5", "workflow": {"specification": {"tasks": [{"id": "t", "inputFiles": ["f"]}], "files": [{"id": "f", "sizeInBytes": 12000000}]}}}"#
                .to_owned(),
        ),
    ] {
        seeds.push(("recording", name.to_owned(), text.into_bytes()));
    }
    seeds.push(("recording", "gzip".to_owned(), GZIP.to_vec()));
    seeds.extend(workloads::seeds().into_iter().map(|(name, content)| ("workloads", name.to_owned(), content)));
    for (name, text) in [("utf8", "größe = 1 # 边缘 😀\r\n"), ("mark", "\u{feff}n = 1\n")] {
        seeds.push(("text", name.to_owned(), text.as_bytes().to_vec()));
        seeds.push(("text", format!("{name}-utf16-le"), text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        seeds.push(("text", format!("{name}-utf16-be"), text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
    }
    let (manifest, weights) = tiny_record();
    seeds.push(("manifest", "tiny".to_owned(), manifest.clone().into_bytes()));
    seeds.push(("weights", "tiny".to_owned(), weights.clone()));
    let training = metadata();
    let mut reptile = small_reptile(&training);
    reptile.advance();
    let state = postcard::to_stdvec(&reptile.state().expect("memory can be read")).expect("it can be written");
    seeds.push(("state", "meta".to_owned(), [vec![0], state].concat()));
    let mut agent = small_agent();
    for (name, steps) in [("drl-begun", 2), ("drl", 6)] {
        agent.advance(steps);
        let state = postcard::to_stdvec(&agent.state().expect("memory can be read")).expect("it can be written");
        seeds.push(("state", name.to_owned(), [vec![1], state].concat()));
    }
    seeds
}

/// In memory where there is such a place: a fuzzer writes a great many files.
fn folder() -> TempDir {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() { TempDir::new_in(shared_memory) } else { TempDir::new() }.expect("a folder")
}

fn device() -> Device {
    Device::flex()
}

/// A preset with its cost model.
fn problem(name: &'static str) -> &'static (Scenario, CostModel) {
    static PAPER: OnceLock<(Scenario, CostModel)> = OnceLock::new();
    static DDLO: OnceLock<(Scenario, CostModel)> = OnceLock::new();
    let load = || {
        let scenario = Scenario::load(name).expect("a preset");
        let model = scenario.check().expect("valid");
        (scenario, model)
    };
    if name == "paper" { PAPER.get_or_init(load) } else { DDLO.get_or_init(load) }
}

/// The networks of `ddlo` that are as small as they can be, with their codec.
fn tiny_networks() -> (Ensemble, Codec, Scaling) {
    let (scenario, model) = problem("ddlo");
    let scaling = SizeSampler::new(scenario).expect("no file").moments().into();
    let codec = Codec::new(Codec::default_code(model), model, scaling).expect("fits");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![1], outputs: codec.outputs() };
    (Ensemble::random(&shape, 2, 1, &device()), codec, scaling)
}

/// Manifest and weights of a record of networks that are as small as they can be.
///
/// # Panics
/// If there is no room for temporary files.
pub fn tiny_record() -> &'static (String, Vec<u8>) {
    static RECORD: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    RECORD.get_or_init(|| {
        let (ensemble, codec, scaling) = tiny_networks();
        let mut record = Record::new(DnnNetworks {
            ensemble,
            scenario: problem("ddlo").0.clone(),
            code: codec.code(),
            scaling,
            reads: EnvironmentInputs::default(),
            selection: Selection::explored(2),
        });
        record.provenance.insert("seed".to_owned(), "1".to_owned());
        record.measures.insert("q2".to_owned(), 0.5);
        let folder = folder();
        let path = folder.path().join("record");
        record.save(&path).expect("a new folder");
        let manifest = fs::read_to_string(path.join("manifest.toml")).expect("just written");
        (manifest, fs::read(path.join("weights.bpk")).expect("just written"))
    })
}

const AGENT: drl::Settings = drl::Settings {
    steps: 12,
    workloads_per_step: 2,
    buffer: 6,
    learn_from: None,
    batch: 3,
    learning_rate: 0.01,
    final_learning_rate: 0.01,
    epsilon: 1e-8,
    selection: Selection { exploration: Exploration::OrderPreserving { flips: 2 }, scope: SelectionScope::Workload },
    refine: true,
    report_every: 2,
};

fn draws() -> Workloads {
    let (scenario, model) = problem("ddlo");
    Workloads::new(model, SizeSampler::new(scenario).expect("no file"), Part::Training, random::stream(1, "workloads"))
}

fn small_agent() -> Agent {
    let (ensemble, codec, _) = tiny_networks();
    Agent::new(TrainingData { workloads: draws(), codec }, &ensemble, AGENT, 1).expect("the settings are valid")
}

const REPTILE: meta::Settings = meta::Settings {
    labels: meta::Labels::Greedy,
    metadata: 12,
    workloads_per_environment: 1,
    metadata_share: 0.5,
    tasks: meta::Tasks::Workloads,
    meta_batch: 1,
    batch: 3,
    outer_steps: 4,
    inner_steps: 2,
    inner_learning_rate: 0.01,
    inner_momentum: 0.9,
    inner_epsilon: 1e-8,
    step_size: 0.5,
    final_step_size: 0.5,
    inner_restart: false,
    report_every: 1,
};

fn metadata() -> Metadata {
    let (_, codec, _) = tiny_networks();
    meta::label(&REPTILE, &mut draws(), &codec).expect("greedy decides everything")
}

fn small_reptile(metadata: &Metadata) -> Reptile<'_> {
    Reptile::new(&tiny_networks().0, metadata, REPTILE, 1).expect("valid settings")
}
