//! The recordings of a study: which are for training, which for choosing settings, which for the test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use data::trace::{Drive, Recording, Window};
use data::{TableError, TableRow, uplink_windows};
use sim::random;

use super::request::AdaptationRequest;
use crate::error::Error;

/// A drive as a sequence of environments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EnvironmentSequence {
    /// The name of the drive.
    pub(super) name: String,
    /// The folder of the recording.
    folder: String,
    /// Uplinks of the scenario's devices over time; at least one window.
    pub(super) windows: Vec<Window>,
}

/// All recordings of a study.
#[derive(Debug)]
pub(super) struct Recordings {
    /// The sequences that pre-training draws environments from.
    pub(super) training: Vec<EnvironmentSequence>,
    /// The sequences that settings are chosen with.
    pub(super) validation: Vec<EnvironmentSequence>,
    /// The sequences that results come from.
    pub(super) test: Vec<EnvironmentSequence>,
    /// A description of the test, as a part of a sentence.
    pub(super) test_description: String,
}

/// Drives with the files that they come from, before the test is chosen.
struct Split {
    training: Vec<Drive>,
    validation: Vec<Drive>,
    files: BTreeSet<PathBuf>,
}

impl Recordings {
    /// Reads what the request names, for a scenario with this number of devices.
    pub(super) fn load(request: &AdaptationRequest, devices: usize) -> Result<Self, Error> {
        let Split { training, validation, files } = match &request.split {
            Some(split) => Split::of_file(&request.traces, split)?,
            None => Split::of_folders(Recording::open(&request.traces)?),
        };
        let sequences = |drives: &[Drive]| sequences(drives, devices, request.window_s);
        let (training, validation) = (sequences(&training), sequences(&validation));
        let mut recordings = Self { training, validation, test: Vec::new(), test_description: String::new() };
        if let Some(folder) = &request.leave_out {
            recordings.leave_out(folder, request)?;
        } else if let Some(path) = &request.test {
            recordings.test = sequences(&test_drives(path, &files)?);
            recordings.test_description = format!("the recordings of {}", path.display());
        } else {
            recordings.test.clone_from(&recordings.validation);
            "the validation drives, with which settings were chosen".clone_into(&mut recordings.test_description);
        }
        recordings.check(request)?;
        Ok(recordings)
    }

    /// Moves the sequences of a folder from training and validation to the test.
    fn leave_out(&mut self, folder: &str, request: &AdaptationRequest) -> Result<(), Error> {
        let all = || self.training.iter().chain(&self.validation);
        self.test = all().filter(|sequence| sequence.folder == *folder).cloned().collect();
        if self.test.is_empty() {
            let folders: BTreeSet<&str> = all().map(|sequence| sequence.folder.as_str()).collect();
            let folders = folders.into_iter().collect::<Vec<_>>().join(", ");
            let window_s = request.window_s;
            let reason = format!("no drive with a window of {window_s} s in a folder {folder}, but in {folders}");
            return Err(mrdro::Error::NoWindow { path: request.traces.clone(), reason }.into());
        }
        self.training.retain(|sequence| sequence.folder != *folder);
        self.validation.retain(|sequence| sequence.folder != *folder);
        self.test_description =
            format!("all drives of {folder}, of which training and the choice of settings saw none");
        Ok(())
    }

    /// Refuses recordings without any drive for training, validation or test.
    fn check(&self, request: &AdaptationRequest) -> Result<(), Error> {
        for (part, sequences) in [("training", &self.training), ("validation", &self.validation), ("test", &self.test)]
        {
            if sequences.is_empty() {
                let window_s = request.window_s;
                let reason =
                    format!("no {part} drive with a window of {window_s} s in which all its devices have data");
                return Err(mrdro::Error::NoWindow { path: request.traces.clone(), reason }.into());
            }
        }
        Ok(())
    }

    /// Takes a few drives and windows of validation and test.
    pub(super) fn shorten(&mut self) {
        for sequences in [&mut self.validation, &mut self.test] {
            sequences.truncate(3);
            for sequence in sequences.iter_mut() {
                sequence.windows.truncate(6);
            }
        }
    }

    /// A checksum of the rates in all windows: other recordings under the same names have another.
    pub(super) fn fingerprint(&self) -> String {
        let sequences = [&self.training, &self.validation, &self.test].into_iter().flatten();
        let windows = sequences.flat_map(|sequence| &sequence.windows);
        let values: Vec<f64> =
            windows.flat_map(|window| std::iter::once(window.start_s).chain(window.mbps.clone())).collect();
        format!("{:016x}", random::below(&mut random::stream_of(0, "recordings", &values), usize::MAX))
    }

    /// Uplinks of all training windows, `[windows][N]`.
    pub(super) fn training_uplinks(&self) -> Vec<Vec<f64>> {
        self.training.iter().flat_map(|sequence| &sequence.windows).map(|window| window.mbps.clone()).collect()
    }
}

/// The drives that have a window.
fn sequences(drives: &[Drive], devices: usize, window_s: f64) -> Vec<EnvironmentSequence> {
    let sequence = |drive: &Drive| {
        let windows = uplink_windows(drive, devices, window_s);
        let (name, folder) = (drive.name.clone(), drive.environment.clone());
        (!windows.is_empty()).then_some(EnvironmentSequence { name, folder, windows })
    };
    drives.iter().filter_map(sequence).collect()
}

/// The drives to test on. No drive may come from one of `files`.
fn test_drives(path: &Path, files: &BTreeSet<PathBuf>) -> Result<Vec<Drive>, Error> {
    let recording = Recording::open(path)?;
    match canonical_files(&recording).into_iter().find(|file| files.contains(file)) {
        Some(recording) => Err(Error::TestedOnTraining { path: path.to_owned(), recording }),
        None => Ok(recording.drives),
    }
}

/// The files of a recording, each by its canonical path.
fn canonical_files(recording: &Recording) -> BTreeSet<PathBuf> {
    let canonical = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    recording.sources.iter().map(|source| canonical(&source.path)).collect()
}

impl Split {
    /// The last drive of each folder is for validation, the others are for training.
    fn of_folders(recording: Recording) -> Self {
        let files = canonical_files(&recording);
        let drives = recording.drives;
        let last: BTreeSet<usize> = (0..drives.len())
            .filter(|&index| drives[index + 1..].iter().all(|later| later.environment != drives[index].environment))
            .collect();
        let (validation, training): (Vec<_>, Vec<_>) =
            drives.into_iter().enumerate().partition(|(index, _)| last.contains(index));
        let without_index = |drives: Vec<(usize, Drive)>| drives.into_iter().map(|(_, drive)| drive).collect();
        Self { training: without_index(training), validation: without_index(validation), files }
    }

    /// A CSV file says what each recording below `traces` is for.
    fn of_file(traces: &Path, split: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::BadSplit { path: split.to_owned(), reason };
        let rows = data::read_table(split, ["file", "role"]).map_err(|error| match error {
            TableError::Unreadable { path, source } => mrdro::Error::Unreadable { path, source }.into(),
            TableError::Header { reason, .. } => wrong(reason.to_string()),
            TableError::Row { line, reason, .. } => wrong(format!("line {line}: {reason}")),
            error @ TableError::TooLong { .. } => wrong(error.to_string()),
        })?;
        let canonical = |path: &Path| {
            std::fs::canonicalize(path).map_err(|source| mrdro::Error::Unreadable { path: path.to_owned(), source })
        };
        let folder = canonical(split)?.parent().map_or_else(PathBuf::new, Path::to_owned);
        let traces = canonical(traces)?;
        let mut files = BTreeSet::new();
        let (mut training, mut validation): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
        for TableRow { line, fields: [file, role] } in rows {
            let path = folder.join(&file);
            let path = match std::fs::canonicalize(&path) {
                Ok(path) => path,
                Err(error) if path.starts_with(&traces) => return Err(wrong(format!("{file}: {error}"))),
                Err(_) => continue,
            };
            // The file may also list recordings of other folders.
            if !path.starts_with(&traces) {
                continue;
            }
            if !files.insert(path.clone()) {
                return Err(wrong(format!("{file} is listed twice")));
            }
            match role.as_str() {
                "train" => training.push(path),
                "validation" => validation.push(path),
                _ => {
                    return Err(wrong(format!(
                        "line {line}: the role of {file} must be train or validation, is `{role}`"
                    )));
                }
            }
        }
        if training.is_empty() || validation.is_empty() {
            let (train, validate, traces) = (training.len(), validation.len(), traces.display());
            return Err(wrong(format!("{train} files below {traces} are for training, {validate} for validation")));
        }
        let [training, validation] = [training, validation].map(|files| Recording::of_files(&files));
        Ok(Self { training: training?.drives, validation: validation?.drives, files })
    }
}
