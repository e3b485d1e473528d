//! Which recordings are for training, which to choose settings with, which to test on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data::trace::{Drive, Recording, Window};
use data::uplink_windows;
use serde::Deserialize;
use sim::random;

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
        let Parts { training, validation, files } = match &args.split {
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
            let all = || data.training.iter().chain(&data.validation);
            data.test = all().filter(|ride| ride.environment == *folder).cloned().collect();
            if data.test.is_empty() {
                let folders: BTreeSet<&str> = all().map(|ride| ride.environment.as_str()).collect();
                let folders = folders.into_iter().collect::<Vec<_>>().join(", ");
                let reason = format!("no drive with a window of {window_s} s in a folder {folder}, but in {folders}");
                return Err(AppError::NoWindow { path: args.traces.clone(), reason });
            }
            data.training.retain(|ride| ride.environment != *folder);
            data.validation.retain(|ride| ride.environment != *folder);
            data.test_is = format!("all drives of {folder}, of which training and the choice of settings saw none");
        } else if let Some(path) = &args.test {
            let recording = Recording::open(path)?;
            if let Some(seen) = sources(&recording).into_iter().find(|source| files.contains(source)) {
                let reason = format!("is for training or for choosing settings, and cannot test: {}", seen.display());
                return Err(AppError::BadSplit { path: path.clone(), reason });
            }
            data.test = rides(&recording.drives);
            data.test_is = format!("the recordings of {}", path.display());
        } else {
            data.test.clone_from(&data.validation);
        }
        for (what, rides) in [("training", &data.training), ("validation", &data.validation), ("test", &data.test)] {
            if rides.is_empty() {
                let reason =
                    format!("no {what} drive with a window of {window_s} s in which all its devices have data");
                return Err(AppError::NoWindow { path: args.traces.clone(), reason });
            }
        }
        Ok(data)
    }

    /// What stands for all windows of all parts.
    pub(super) fn fingerprint(&self) -> String {
        let windows =
            [&self.training, &self.validation, &self.test].into_iter().flatten().flat_map(|ride| &ride.windows);
        let values: Vec<f64> =
            windows.flat_map(|window| std::iter::once(window.start_s).chain(window.mbps.clone())).collect();
        format!("{:016x}", random::below(&mut random::stream_of(0, "recordings", &values), usize::MAX))
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

/// Recordings for training and for validation, and the files that they are in.
struct Parts {
    training: Vec<Drive>,
    validation: Vec<Drive>,
    files: BTreeSet<PathBuf>,
}

/// The files of a recording, each by its one true name.
fn sources(recording: &Recording) -> BTreeSet<PathBuf> {
    let name = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    recording.sources.iter().map(|source| name(&source.path)).collect()
}

/// The last drive of each folder is for validation.
fn by_folder(recording: Recording) -> Parts {
    let files = sources(&recording);
    let drives = recording.drives;
    let last: BTreeSet<usize> = (0..drives.len())
        .filter(|&index| drives[index + 1..].iter().all(|later| later.environment != drives[index].environment))
        .collect();
    let (validation, training): (Vec<_>, Vec<_>) =
        drives.into_iter().enumerate().partition(|(index, _)| last.contains(index));
    let strip = |drives: Vec<(usize, Drive)>| drives.into_iter().map(|(_, drive)| drive).collect();
    Parts { training: strip(training), validation: strip(validation), files }
}

/// As a file says for each recording in the folder.
fn by_file(traces: &Path, split: &Path) -> Result<Parts, AppError> {
    let wrong = |reason: String| AppError::BadSplit { path: split.to_owned(), reason };
    let mut reader = csv::Reader::from_path(split).map_err(|error| wrong(error.to_string()))?;
    let whole = |path: &Path| {
        std::fs::canonicalize(path).map_err(|source| AppError::Unreadable { path: path.to_owned(), source })
    };
    let folder = whole(split)?.parent().map_or_else(PathBuf::new, Path::to_owned);
    let traces = whole(traces)?;
    let mut files = BTreeSet::new();
    let (mut training, mut validation): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for row in reader.deserialize() {
        let SplitRow { file, role } = row.map_err(|error| wrong(error.to_string()))?;
        let path = folder.join(&file);
        let path = match std::fs::canonicalize(&path) {
            Ok(path) => path,
            Err(error) if path.starts_with(&traces) => return Err(wrong(format!("{file}: {error}"))),
            Err(_) => continue,
        };
        // What the file says of other recordings is for others.
        if !path.starts_with(&traces) {
            continue;
        }
        if !files.insert(path.clone()) {
            return Err(wrong(format!("{file} stands there twice")));
        }
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
    let [training, validation] = [training, validation].map(|files| Recording::of_files(&files));
    Ok(Parts { training: training?.drives, validation: validation?.drives, files })
}
