//! Which recordings are for training, which to choose settings with, which to test on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sim::trace::{Drive, Recording, Window};
use sim::uplink_windows;

use crate::cli::AdaptationStudyArgs;
use crate::error::AppError;

/// A drive as a sequence of environments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ride {
    pub(super) name: String,
    /// The folder it lay in.
    pub(super) environment: String,
    /// Uplinks of the scenario's devices over time; at least one window.
    pub(super) windows: Vec<Window>,
}

/// All recordings of a study.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) training: Vec<Ride>,
    pub(super) validation: Vec<Ride>,
    pub(super) test: Vec<Ride>,
    /// What the test is, in words.
    pub(super) test_is: String,
}

/// One line of a file that says what each recording is for.
#[derive(Deserialize)]
struct SplitRow {
    file: String,
    role: String,
}

impl Data {
    pub(super) fn load(args: &AdaptationStudyArgs, devices: usize) -> Result<Self, AppError> {
        let (training, validation) = match &args.split {
            Some(split) => by_file(&args.traces, split)?,
            None => by_folder(Recording::open(&args.traces)?),
        };
        let window_s = args.window.seconds;
        let rides = |drives: &[Drive]| rides(drives, devices, window_s);
        let mut data = Self {
            training: rides(&training),
            validation: rides(&validation),
            test: Vec::new(),
            test_is: "the validation drives, with which settings were chosen".to_owned(),
        };
        if let Some(folder) = &args.leave_out {
            let all = data.training.iter().chain(&data.validation);
            data.test = all.filter(|ride| ride.environment == *folder).cloned().collect();
            data.training.retain(|ride| ride.environment != *folder);
            data.validation.retain(|ride| ride.environment != *folder);
            data.test_is = format!("all drives of {folder}, of which training and the choice of settings saw none");
        } else if let Some(path) = &args.test {
            data.test = rides(&Recording::open(path)?.drives);
            data.test_is = format!("the recordings of {}", path.display());
        } else {
            data.test.clone_from(&data.validation);
        }
        for (what, rides) in [("training", &data.training), ("validation", &data.validation), ("test", &data.test)] {
            if rides.is_empty() {
                let reason = format!("no {what} drive with a window of {window_s} s in which all its devices have data");
                return Err(AppError::NoWindow { path: args.traces.clone(), reason });
            }
        }
        Ok(data)
    }

    /// Uplinks of all training windows, `[windows][N]`.
    pub(super) fn training_uplinks(&self) -> Vec<Vec<f64>> {
        self.training.iter().flat_map(|ride| &ride.windows).map(|window| window.mbps.clone()).collect()
    }
}

fn rides(drives: &[Drive], devices: usize, window_s: f64) -> Vec<Ride> {
    let ride = |drive: &Drive| {
        let windows = uplink_windows(drive, devices, window_s);
        let ride = Ride { name: drive.name.clone(), environment: drive.environment.clone(), windows };
        (!ride.windows.is_empty()).then_some(ride)
    };
    drives.iter().filter_map(ride).collect()
}

/// The last drive of each folder is for validation.
fn by_folder(recording: Recording) -> (Vec<Drive>, Vec<Drive>) {
    let drives = recording.drives;
    let last: BTreeSet<usize> = (0..drives.len())
        .filter(|&index| drives[index + 1..].iter().all(|later| later.environment != drives[index].environment))
        .collect();
    let (validation, training): (Vec<_>, Vec<_>) =
        drives.into_iter().enumerate().partition(|(index, _)| last.contains(index));
    let strip = |drives: Vec<(usize, Drive)>| drives.into_iter().map(|(_, drive)| drive).collect();
    (strip(training), strip(validation))
}

/// As a file says for each recording in the folder.
fn by_file(traces: &Path, split: &Path) -> Result<(Vec<Drive>, Vec<Drive>), AppError> {
    let wrong = |reason: String| AppError::BadSplit { path: split.to_owned(), reason };
    let mut reader = csv::Reader::from_path(split).map_err(|error| wrong(error.to_string()))?;
    let folder = split.parent().unwrap_or(Path::new(""));
    let traces = std::fs::canonicalize(traces)
        .map_err(|source| AppError::Unreadable { path: traces.to_owned(), source })?;
    let (mut training, mut validation): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for row in reader.deserialize() {
        let SplitRow { file, role } = row.map_err(|error| wrong(error.to_string()))?;
        let path = folder.join(&file);
        // What the file says of other recordings is for others.
        let Some(path) = std::fs::canonicalize(&path).ok().filter(|path| path.starts_with(&traces)) else { continue };
        match role.as_str() {
            "train" => training.push(path),
            "validation" => validation.push(path),
            _ => return Err(wrong(format!("the role of {file} must be train or validation, is `{role}`"))),
        }
    }
    if training.is_empty() || validation.is_empty() {
        let (train, validate, traces) = (training.len(), validation.len(), traces.display());
        return Err(wrong(format!("{train} files below {traces} are for training, {validate} for validation")));
    }
    Ok((Recording::of_files(&training)?.drives, Recording::of_files(&validation)?.drives))
}
