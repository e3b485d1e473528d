//! `metrics.csv`: how training went, row by row as it goes. No times stand in it, so that equal runs write equal files.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::run_dir::{RunDir, write_file};

/// Name of the file in a run directory.
pub(crate) const FILE: &str = "metrics.csv";

/// How training stood after a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row<S = &'static str> {
    /// `meta` or `drl`.
    pub(crate) phase: S,
    /// Outer steps of Algorithm 1 or steps of Algorithm 2.
    pub(crate) step: usize,
    /// Mean cross-entropy (23).
    pub(crate) loss: Option<f64>,
    /// Q1 (24).
    pub(crate) q1: Option<f64>,
    /// Q2 (25) on the standard set, K proposals.
    pub(crate) q2: Option<f64>,
    /// Mean cost in the replay buffer.
    pub(crate) buffer_mean_cost: Option<f64>,
}

/// The file while a run writes it.
pub(crate) struct MetricsFile {
    path: PathBuf,
    writer: csv::Writer<File>,
    rows: Vec<Row>,
}

impl MetricsFile {
    pub(crate) fn create(directory: &RunDir) -> Result<Self, AppError> {
        let path = directory.path().join(FILE);
        let file = File::create_new(&path).map_err(|source| AppError::Unwritable { path: path.clone(), source })?;
        Ok(Self { path, writer: csv::Writer::from_writer(file), rows: Vec::new() })
    }

    /// The file of a run that goes on: with these rows, whatever it holds.
    pub(crate) fn resume(directory: &RunDir, rows: Vec<Row>) -> Result<Self, AppError> {
        let path = directory.path().join(FILE);
        // It appears whole, and stays what it was if that fails.
        let text = csv_text(&rows).map_err(|source| AppError::Unwritable { path: path.clone(), source })?;
        write_file(&path, text.as_bytes())?;
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|source| AppError::Unwritable { path: path.clone(), source })?;
        // The header is there if any row is.
        let writer = csv::WriterBuilder::new().has_headers(rows.is_empty()).from_writer(file);
        Ok(Self { path, writer, rows })
    }

    /// Adds a row, and sees it to the file.
    pub(crate) fn add(&mut self, row: Row) -> Result<(), AppError> {
        let written = self.writer.serialize(&row).map_err(std::io::Error::from).and_then(|()| self.writer.flush());
        written.map_err(|source| AppError::Unwritable { path: self.path.clone(), source })?;
        self.rows.push(row);
        Ok(())
    }

    /// Ends writing.
    pub(crate) fn close(&mut self) -> Result<(), AppError> {
        let synced = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        synced.map_err(|source| AppError::Unwritable { path: self.path.clone(), source })
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl Row<String> {
    /// The row with the name of a phase that this program knows.
    pub(crate) fn known(self) -> Option<Row> {
        let phase = ["meta", "drl"].into_iter().find(|phase| *phase == self.phase)?;
        let Self { step, loss, q1, q2, buffer_mean_cost, .. } = self;
        Some(Row { phase, step, loss, q1, q2, buffer_mean_cost })
    }
}

impl Row {
    /// The row as it is kept.
    pub(crate) fn kept(&self) -> Row<String> {
        let Self { phase, step, loss, q1, q2, buffer_mean_cost } = self.clone();
        Row { phase: phase.to_owned(), step, loss, q1, q2, buffer_mean_cost }
    }
}

fn csv_text(rows: &[Row]) -> std::io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(std::io::Error::from)?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the file of a finished run.
pub(crate) fn read(run: &Path) -> Result<Vec<Row<String>>, AppError> {
    let path = run.join(FILE);
    let no_run = |reason: String| AppError::NoRun { path: run.to_owned(), reason };
    let mut reader = csv::Reader::from_path(&path).map_err(|error| no_run(format!("{FILE}: {error}")))?;
    reader.deserialize().collect::<Result<_, _>>().map_err(|error| no_run(format!("{FILE}: {error}")))
}
