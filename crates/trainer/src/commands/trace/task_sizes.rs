//! Files of task sizes in `trace inspect`.

use std::path::Path;

use data::trace::TraceError;
use data::{TaskFileError, TaskFormat, TaskSizes, task_sizes};
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
    /// Reads the task sizes of a file or folder that holds no network trace; `None` if it holds no task sizes either.
    pub(super) fn read(path: &Path, no_trace: &TraceError) -> Result<Option<Self>, CliError> {
        match no_trace {
            TraceError::UnknownFormat { .. } | TraceError::NoSamples { .. } => match task_sizes(path) {
                Ok(sizes) => Ok(Some(Self { files: vec![RecordedSizesRow::new(&sizes)], skipped: Vec::new() })),
                Err(TaskFileError::NoSizes { found }) if found.format == TaskFormat::List => Ok(None),
                Err(error) => Err(error.into()),
            },
            TraceError::NoTraces { .. } => Self::read_folder(path),
            _ => Ok(None),
        }
    }

    fn read_folder(path: &Path) -> Result<Option<Self>, CliError> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut files: Vec<_> = entries.map_err(unreadable)?.into_iter().map(|entry| entry.path()).collect();
        files.retain(|file| file.is_file());
        files.sort();
        let mut found = Self { files: Vec::new(), skipped: Vec::new() };
        for file in files {
            match task_sizes(&file) {
                Ok(sizes) => found.files.push(RecordedSizesRow::new(&sizes)),
                Err(error) => {
                    let reason = match error {
                        TaskFileError::NoSizes { found } if found.format == TaskFormat::List => {
                            "neither rates nor sizes".to_owned()
                        }
                        error => error.to_string(),
                    };
                    found.skipped.push(SkippedRow { path: file.display().to_string(), reason });
                }
            }
        }
        Ok(if found.files.is_empty() { None } else { Some(found) })
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
