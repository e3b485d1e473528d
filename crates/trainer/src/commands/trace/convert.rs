//! `trace convert`: a drive of a recording as CSV.

use data::trace::{Drive, Recording, Sample, Trace};
use mrdro::Error;
use mrdro::files::{csv, write_file};
use serde::Serialize;

use crate::cli::ConvertArgs;
use crate::error::CliError;
use crate::output::note;

/// A row of the file.
#[derive(Serialize)]
struct Row<'a> {
    time_s: f64,
    device: &'a str,
    mbps: f64,
}

pub(super) fn run(args: &ConvertArgs) -> Result<(), CliError> {
    let recording = Recording::read(&args.path, &args.read.options())?;
    let drive = drive(&recording, args)?;
    let rows = |trace| {
        let Trace { device, samples, .. }: &Trace = trace;
        samples.iter().map(move |Sample { t_s, mbps }| Row { time_s: *t_s, device, mbps: *mbps })
    };
    let mut rows: Vec<Row<'_>> = drive.devices.iter().flat_map(rows).collect();
    rows.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    write_file(&args.out, csv(&rows).as_bytes())?;
    let count = |count: usize, thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
    let (samples, devices) = (count(rows.len(), "sample"), count(drive.devices.len(), "device"));
    note(&format!("written: {}, {samples} of {devices} of drive {}", args.out.display(), drive.name));
    Ok(())
}

/// The drive that is named, or the only one.
fn drive<'r>(recording: &'r Recording, args: &ConvertArgs) -> Result<&'r Drive, CliError> {
    let no_drive = |reason: String| Error::NoWindow { path: args.path.clone(), reason };
    match (&args.drive, &recording.drives[..]) {
        (Some(asked), _) => Ok(recording.drive(asked).map_err(|error| no_drive(error.to_string()))?),
        (None, [only]) => Ok(only),
        (None, drives) => {
            let names: Vec<_> = drives.iter().map(|drive| drive.name.as_str()).collect();
            Err(no_drive(format!("several drives, of which --drive must name one: {}", names.join(", "))).into())
        }
    }
}
