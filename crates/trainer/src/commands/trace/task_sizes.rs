//! Files of task sizes in `trace inspect`.

use std::path::Path;

use data::trace::TraceError;
use data::{TaskFileError, TaskFormat, TaskSizes, natural_path_order, task_sizes, task_sizes_as};
use mrdro::Error;
use mrdro::files::json;
use serde::Serialize;

use super::SkippedRow;
use crate::cli::Format;
use crate::error::CliError;
use crate::output::{figure, print, table, write_out};

/// The files of task sizes at a path.
#[derive(Serialize)]
pub(super) struct RecordedSizes {
    files: Vec<RecordedSizesRow>,
    skipped: Vec<SkippedRow>,
}

#[derive(Serialize)]
struct RecordedSizesRow {
    path: String,
    format: String,
    sizes: usize,
    unknown_sizes: u64,
    bad_lines: u64,
    mean_mb: f64,
    median_mb: f64,
    least_mb: f64,
    greatest_mb: f64,
}

impl RecordedSizes {
    /// Reads the task sizes of a file or folder that holds no network trace.
    pub(super) fn read(path: &Path, no_trace: TraceError) -> Result<Self, CliError> {
        match no_trace {
            TraceError::UnknownFormat { path, text, nature, .. } => match task_sizes(&path) {
                Ok(sizes) => Ok(Self::of(&sizes)),
                Err(TaskFileError::UnknownFormat { .. }) => {
                    Err(TraceError::UnknownFormat { path, text, nature, tried_sizes: true }.into())
                }
                Err(error) => Err(error.into()),
            },
            TraceError::NoTraces { .. } => {
                let found = Self::read_folder(path, None)?;
                if found.files.is_empty() { Err(no_trace.into()) } else { Ok(found) }
            }
            error => Err(error.into()),
        }
    }

    /// Reads the task sizes of a file or folder in a format that the user names.
    pub(super) fn read_as(path: &Path, format: TaskFormat) -> Result<Self, CliError> {
        if path.is_dir() {
            Self::read_folder(path, Some(format))
        } else {
            Ok(Self::of(&task_sizes_as(path, Some(format))?))
        }
    }

    fn of(sizes: &TaskSizes) -> Self {
        Self { files: vec![RecordedSizesRow::new(sizes)], skipped: Vec::new() }
    }

    fn read_folder(path: &Path, format: Option<TaskFormat>) -> Result<Self, CliError> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<_> = entries.map_err(unreadable)?.into_iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.is_file());
        files.sort_by(|a, b| natural_path_order(a, b));
        let mut found = Self { files: Vec::new(), skipped: Vec::new() };
        for file in files {
            match task_sizes_as(&file, format) {
                Ok(sizes) => found.files.push(RecordedSizesRow::new(&sizes)),
                Err(error) => {
                    let reason = match error {
                        TaskFileError::UnknownFormat { .. } => "neither rates nor sizes".to_owned(),
                        error => error.to_string(),
                    };
                    found.skipped.push(SkippedRow { path: file.display().to_string(), reason });
                }
            }
        }
        Ok(found)
    }

    pub(super) fn show(&self, format: Format) -> Result<(), CliError> {
        if format == Format::Json {
            return write_out(&json(self));
        }
        print(format, &self.files, || {
            let header =
                ["file", "format", "sizes", "unknown", "bad lines", "mean MB", "median MB", "least MB", "most MB"];
            let row = |row: &RecordedSizesRow| {
                let sizes = [row.mean_mb, row.median_mb, row.least_mb, row.greatest_mb];
                let mut cells = vec![row.path.clone(), row.format.clone(), row.sizes.to_string()];
                cells.extend([row.unknown_sizes.to_string(), row.bad_lines.to_string()]);
                cells.extend(sizes.map(|mb| figure(mb, 4)));
                cells
            };
            let mut text = table(&header, self.files.iter().map(row).collect());
            let skipped = self.skipped.iter();
            text.extend(skipped.map(|skipped| format!("\n  {} was skipped: {}", skipped.path, skipped.reason)));
            text
        })
    }
}

impl RecordedSizesRow {
    fn new(found: &TaskSizes) -> Self {
        let mut sizes = found.sizes_mb.clone();
        sizes.sort_unstable_by(f64::total_cmp);
        let count = sizes.len();
        Self {
            path: found.path.display().to_string(),
            format: found.format.to_string(),
            sizes: count,
            unknown_sizes: found.skipped,
            bad_lines: found.bad.count,
            mean_mb: sizes.iter().sum::<f64>() / count as f64,
            median_mb: f64::midpoint(sizes[(count - 1) / 2], sizes[count / 2]),
            least_mb: sizes[0],
            greatest_mb: sizes[count - 1],
        }
    }
}
