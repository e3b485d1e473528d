//! What happens in a run, row by row.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};
use sim::stream::dispatch::DoneTask;
use sim::stream::slots::SlotRecord;
use sim::units::BYTES_PER_MB;

/// The formats of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// A table with a header.
    Csv,
    /// A JSON object on each line.
    JsonLines,
}

impl TraceFormat {
    /// The format by the name of a file: `.json` and `.jsonl` are JSON lines, everything else is CSV.
    pub fn of(path: &Path) -> Self {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("json" | "jsonl") => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// A task in a trace.
#[derive(Debug, Serialize)]
pub(super) struct TaskRow<'p> {
    task: usize,
    time_s: f64,
    device: u32,
    size_mb: f64,
    place: &'p str,
    done_s: f64,
    response_s: f64,
    energy_j: f64,
    cost: f64,
    missed: bool,
}

impl<'p> TaskRow<'p> {
    pub(super) fn of(task: &DoneTask, places: &'p [String]) -> Self {
        Self {
            task: task.index,
            time_s: task.arrived_s,
            device: task.device,
            size_mb: task.bytes / BYTES_PER_MB,
            place: &places[usize::from(task.place)],
            done_s: task.done_s,
            response_s: task.done_s - task.arrived_s,
            energy_j: task.energy_j,
            cost: task.cost,
            missed: task.is_late,
        }
    }
}

/// A slot of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRow {
    /// Its number.
    pub slot: usize,
    /// The rate of each link, in bytes per second.
    pub bytes_per_s: Vec<f64>,
    /// The bytes of the files that arrive and fit into the queue.
    pub arrived_bytes: f64,
    /// The bytes that wait before anything is sent.
    pub backlog_bytes: f64,
    /// The bytes that are sent over each link.
    pub sent_bytes: Vec<f64>,
    /// The bytes that go over the fallback.
    pub fallback_bytes: f64,
    /// The energy, in J.
    pub energy_j: f64,
}

impl SlotRow {
    pub(super) fn of(record: &SlotRecord<'_>) -> Self {
        Self {
            slot: record.slot,
            bytes_per_s: record.bytes_per_s.to_vec(),
            arrived_bytes: record.arrived_bytes,
            backlog_bytes: record.backlog_bytes,
            sent_bytes: record.sent_bytes.to_vec(),
            fallback_bytes: record.fallback_bytes,
            energy_j: record.energy_j,
        }
    }
}

pub(super) fn write(
    output: &mut Vec<u8>,
    format: TraceFormat,
    rows: impl Iterator<Item = impl Serialize>,
) -> io::Result<()> {
    match format {
        TraceFormat::Csv => {
            let mut writer = csv::Writer::from_writer(&mut *output);
            for row in rows {
                writer.serialize(row).map_err(io::Error::other)?;
            }
            writer.flush()
        }
        TraceFormat::JsonLines => {
            for row in rows {
                serde_json::to_writer(&mut *output, &row)?;
                output.write_all(b"\n")?;
            }
            Ok(())
        }
    }
}

/// Slots have columns for each link, named after it.
pub(super) fn write_slots(
    output: &mut Vec<u8>,
    format: TraceFormat,
    slots: &[SlotRow],
    links: &[String],
    slot_s: f64,
) -> io::Result<()> {
    let of_links = |what: &'static str| links.iter().map(move |link| format!("{link}_{what}"));
    let names: Vec<String> = ["slot", "time_s", "backlog_mb"]
        .map(str::to_owned)
        .into_iter()
        .chain(of_links("mbps"))
        .chain(of_links("sent_mb"))
        .chain(["fallback_mb", "energy_j"].map(str::to_owned))
        .collect();
    let values = |row: &SlotRow| -> Vec<f64> {
        let mbps = row.bytes_per_s.iter().map(|rate| rate * 8e-6);
        let sent = row.sent_bytes.iter().map(|bytes| bytes / BYTES_PER_MB);
        let first = [row.slot as f64 * slot_s, row.backlog_bytes / BYTES_PER_MB];
        first.into_iter().chain(mbps).chain(sent).chain([row.fallback_bytes / BYTES_PER_MB, row.energy_j]).collect()
    };
    match format {
        TraceFormat::Csv => {
            let mut writer = csv::Writer::from_writer(&mut *output);
            writer.write_record(&names).map_err(io::Error::other)?;
            for row in slots {
                let cells =
                    std::iter::once(row.slot.to_string()).chain(values(row).into_iter().map(|value| value.to_string()));
                writer.write_record(cells.collect::<Vec<_>>()).map_err(io::Error::other)?;
            }
            writer.flush()
        }
        TraceFormat::JsonLines => {
            for row in slots {
                let mut object = Map::new();
                object.insert(names[0].clone(), Value::from(row.slot));
                for (name, value) in names[1..].iter().zip(values(row)) {
                    object.insert(name.clone(), Value::from(value));
                }
                serde_json::to_writer(&mut *output, &object)?;
                output.write_all(b"\n")?;
            }
            Ok(())
        }
    }
}
