//! Recorded rates of links.

use std::path::{Path, PathBuf};

use sim::stream::scenario::RateRecording;
use sim::stream::{RatesError, RecordedRates};
use sim::units::bytes_per_second_from_mbps;

use crate::trace::{ColumnsError, Drive, ReadOptions, Recording, TraceError, UnknownFormatName};

/// The shortest recording of a device, as a part of a window: the length of the last sample is often not known.
const SHORTEST_IN_WINDOWS: f64 = 0.5;

/// The rates of a recording: the course of each device of each drive by itself, in windows of the length that the scenario asks
/// for. Windows in which a device has no data are left out.
///
/// # Errors
/// If the recording cannot be read, no device has a whole window, or nothing could ever be sent.
pub fn recorded_rates(recording: &RateRecording) -> Result<RecordedRates, RecordedRatesError> {
    let options = ReadOptions {
        columns: recording.columns.as_deref().map(str::parse).transpose()?,
        format: recording.format.as_deref().map(str::parse).transpose()?,
    };
    let path = PathBuf::from(&recording.path);
    let window_s = recording.window_s;
    let read = Recording::read(Path::new(&recording.path), &options)?;
    let mut courses = Vec::new();
    for drive in read.drives {
        let (name, environment) = (drive.name, drive.environment);
        for device in drive.devices {
            let alone = Drive { name: name.clone(), environment: environment.clone(), devices: vec![device] };
            if alone.duration_s() >= SHORTEST_IN_WINDOWS * window_s {
                let windows = alone.windows(window_s);
                courses.push(
                    windows.iter().map(|window| bytes_per_second_from_mbps(window.mbps[0])).collect::<Vec<f64>>(),
                );
            }
        }
    }
    courses.retain(|rates| !rates.is_empty());
    if courses.is_empty() {
        return Err(RecordedRatesError::TooShort { path, window_s });
    }
    RecordedRates::new(window_s, courses).map_err(|reason| RecordedRatesError::Rates { path, reason })
}

/// Why recorded rates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordedRatesError {
    /// The columns make no sense.
    #[error("columns: {0}")]
    Columns(#[from] ColumnsError),
    /// There is no such format.
    #[error("as: {0}")]
    Format(#[from] UnknownFormatName),
    /// The files cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The recordings are shorter than one window.
    #[error("no recording in {} is as long as one window of {window_s} s", path.display())]
    TooShort {
        /// The recordings.
        path: PathBuf,
        /// The length of a window.
        window_s: f64,
    },
    /// The rates make no sense.
    #[error("{}: {reason}", path.display())]
    Rates {
        /// The recordings.
        path: PathBuf,
        /// Why.
        reason: RatesError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(name: &str, content: &str, window_s: f64) -> (tempfile::TempDir, RateRecording) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("written");
        (folder, RateRecording::new(file.to_string_lossy(), window_s))
    }

    #[test]
    fn each_device_is_a_course_of_its_own() {
        let text = "t_s,device,mbps\n0,a,8\n1,a,16\n2,a,0\n0,b,4\n1,b,4\n";
        let (_folder, recording) = recording("two.csv", text, 1.0);
        let rates = recorded_rates(&recording).expect("valid");
        assert_eq!(rates.drives(), [vec![1e6, 2e6, 0.0], vec![5e5, 5e5]]);
    }

    #[test]
    fn what_is_shorter_than_a_window_or_never_sends_is_refused() {
        let (_folder, long) = recording("one.csv", "t_s,mbps\n0,8\n1,16\n", 60.0);
        let error = recorded_rates(&long).expect_err("too short").to_string();
        assert!(error.contains("as long as one window of 60 s"), "{error}");
        let (_folder, still) = recording("one.csv", "t_s,mbps\n0,0\n1,0\n", 1.0);
        let error = recorded_rates(&still).expect_err("nothing is sent").to_string();
        assert!(error.contains("nothing could ever be sent"), "{error}");
        let (_folder, mut odd) = recording("one.csv", "t_s,mbps\n0,1\n", 1.0);
        odd.format = Some("csvv".to_owned());
        let error = recorded_rates(&odd).expect_err("no format").to_string();
        assert!(error.starts_with("as: ") && error.contains("mahimahi"), "{error}");
    }
}
