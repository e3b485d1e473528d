//! Event files for TensorBoard: `train`, `meta`, `fleet` and `--resume` write what metrics.csv holds, each step once.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use acceptance::Workshop;

/// Steps and values by tag.
type Curves = BTreeMap<String, Vec<(i64, f32)>>;

/// The next `count` bytes.
fn take<'b>(bytes: &mut &'b [u8], count: usize) -> &'b [u8] {
    let (first, rest) = bytes.split_at(count);
    *bytes = rest;
    first
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// Number and bytes of each field of a protobuf message.
fn fields(mut message: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = number(&mut message);
        let value = match key & 7 {
            0 => number(&mut message).to_le_bytes().to_vec(),
            1 => take(&mut message, 8).to_vec(),
            2 => {
                let length = number(&mut message) as usize;
                take(&mut message, length).to_vec()
            }
            5 => take(&mut message, 4).to_vec(),
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn event_files(workshop: &Workshop, run: &str) -> Vec<String> {
    let beginning = format!("{run}/events.out.tfevents.");
    let is_second = |name: &str| name.parse::<u64>().is_ok();
    let ours =
        |name: &String| name.strip_prefix(&beginning).and_then(|end| end.strip_suffix(".mrdro")).is_some_and(is_second);
    workshop.files().into_keys().filter(ours).collect()
}

/// The events of all files of a run, in the order in which TensorBoard reads them.
fn curves(workshop: &Workshop, run: &str) -> Curves {
    let mut curves = Curves::new();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    for name in event_files(workshop, run) {
        let file = workshop.read(&name);
        let mut rest = &file[..];
        let mut version = None;
        while !rest.is_empty() {
            let length = u64::from_le_bytes(take(&mut rest, 8).try_into().expect("8 bytes")) as usize;
            take(&mut rest, 4);
            let event: BTreeMap<u64, Vec<u8>> = fields(take(&mut rest, length)).into_iter().collect();
            take(&mut rest, 4);
            let wall_time = f64::from_le_bytes(event[&1][..].try_into().expect("8 bytes"));
            assert!((now - wall_time).abs() < 300.0, "{wall_time} at {now}");
            let step = i64::from_le_bytes(event[&2][..].try_into().expect("8 bytes"));
            version = version.or_else(|| event.get(&3).cloned());
            assert_eq!(version.as_deref(), Some(&b"brain.Event:2"[..]), "the first event of {name}");
            for (_, value) in event.get(&5).map(|summary| fields(summary)).unwrap_or_default() {
                let value: BTreeMap<u64, Vec<u8>> = fields(&value).into_iter().collect();
                let tag = String::from_utf8(value[&1].clone()).expect("a text");
                let scalar = f32::from_le_bytes(value[&2][..].try_into().expect("4 bytes"));
                curves.entry(tag).or_default().push((step, scalar));
            }
        }
    }
    curves
}

/// The columns of metrics.csv that have values.
fn metrics(workshop: &Workshop, run: &str) -> Curves {
    let text = workshop.text(&format!("{run}/metrics.csv"));
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let mut curves = Curves::new();
    for row in lines {
        for (column, value) in header.iter().zip(&row).skip(2).filter(|(_, value)| !value.is_empty()) {
            let value: f64 = value.parse().expect("a number");
            let point = (row[1].parse().expect("a step"), value as f32);
            curves.entry(format!("{}/{column}", row[0])).or_default().push(point);
        }
    }
    curves
}

#[test]
fn every_command_that_trains_writes_what_metrics_hold() {
    let workshop = Workshop::new();
    let said = workshop.train("run", &["--tensorboard"]).succeeded();
    said.naming(&["curves.svg events.out.tfevents.* record/"]);
    workshop.train("plain", &[]).succeeded();
    assert!(event_files(&workshop, "plain").is_empty(), "only where it is asked for");
    assert_eq!(workshop.read("run/metrics.csv"), workshop.read("plain/metrics.csv"));
    let found = curves(&workshop, "run");
    assert_eq!(found, metrics(&workshop, "run"));
    let tags: Vec<_> = found.keys().map(String::as_str).collect();
    assert_eq!(tags, ["drl/buffer_mean_cost", "drl/loss", "drl/q1", "drl/q2", "meta/loss", "meta/q2"]);

    let meta = ["meta", "--set", "meta.outer_steps=4", "--set", "meta.report_every=1", "--set", "meta.metadata=50"];
    workshop.trainer(&[&meta[..], &["--tensorboard", "--out", "meta"]].concat()).succeeded();
    let found = curves(&workshop, "meta");
    assert_eq!(found, metrics(&workshop, "meta"));
    assert_eq!(found["meta/loss"].len(), 4);

    let fleet = ["fleet", "--set", "drl.steps=4", "--set", "drl.report_every=2", "--fleets", "2"];
    workshop.trainer(&[&fleet[..], &["--tensorboard", "--out", "fleet"]].concat()).succeeded();
    let found = curves(&workshop, "fleet");
    assert_eq!(found, metrics(&workshop, "fleet"));
    assert_eq!(found["fleet/loss"].len(), 2);
}

#[test]
fn shares_of_missed_deadlines_are_written_where_there_are_deadlines() {
    let workshop = Workshop::new();
    workshop.train("run", &["--scenario", "deadlines", "--tensorboard"]).succeeded();
    let found = curves(&workshop, "run");
    assert_eq!(found, metrics(&workshop, "run"));
    assert!(found.contains_key("drl/share_of_missed_deadlines"), "{:?}", found.keys());
}

/// Trains until the file of metrics has some rows, and kills the process.
fn killed(workshop: &Workshop, arguments: &[&str]) {
    let mut command = workshop.command();
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("built before");
    let begin = Instant::now();
    let rows = || std::fs::read_to_string(workshop.path("run/metrics.csv")).map_or(0, |text| text.lines().count());
    let before = rows();
    while rows() < before.max(20) + 10 {
        assert!(begin.elapsed() < Duration::from_mins(1), "no rows");
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it was started");
    child.wait().expect("it was started");
}

#[test]
fn a_resumed_run_has_each_step_once_in_a_file_more() {
    let workshop = Workshop::new();
    let start = ["train", "--set", "drl.steps=3000", "--set", "drl.buffer=200", "--set", "drl.report_every=5"];
    let more = ["--set", "meta.outer_steps=10", "--set", "meta.report_every=1", "--set", "meta.metadata=100"];
    // Checkpoints come seldom, so that each run was further than the one from which it goes on.
    let rest = ["--set", "network.hidden=[8]", "--checkpoint-steps", "60", "--out", "run"];
    killed(&workshop, &[&start[..], &more, &rest, &["--tensorboard"]].concat());
    let first = event_files(&workshop, "run");
    killed(&workshop, &["train", "--resume", "run"]);
    workshop.trainer(&["train", "--resume", "run"]).succeeded();
    let files = event_files(&workshop, "run");
    assert_eq!((files.len(), &files[0]), (3, &first[0]));
    assert_eq!(curves(&workshop, "run"), metrics(&workshop, "run"));
    assert_eq!(curves(&workshop, "run")["drl/q2"].len(), 600);
}

#[test]
fn a_run_that_is_resumed_with_the_option_gets_the_steps_before_as_well() {
    let workshop = Workshop::new();
    let start = ["train", "--set", "drl.steps=3000", "--set", "drl.buffer=200", "--set", "drl.report_every=5"];
    let rest = ["--set", "meta.outer_steps=0", "--set", "network.hidden=[8]", "--checkpoint-steps", "20"];
    killed(&workshop, &[&start[..], &rest, &["--out", "run"]].concat());
    assert!(event_files(&workshop, "run").is_empty());
    workshop.trainer(&["train", "--resume", "run", "--tensorboard"]).succeeded();
    assert_eq!(event_files(&workshop, "run").len(), 1);
    assert_eq!(curves(&workshop, "run"), metrics(&workshop, "run"));
}
