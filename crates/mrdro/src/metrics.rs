//! The file `metrics.csv`: the progress of training, one row for each report. It holds no times, so that equal runs write
//! equal files.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{csv, write_file};
use crate::run_dir::RunDir;

/// Name of the file in a run directory.
const FILE: &str = "metrics.csv";

/// A phase of training. Phases are ordered as they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Algorithm 1, Reptile.
    Meta,
    /// Algorithm 2 for one scenario.
    Drl,
    /// Algorithm 2 for any fleet.
    Fleet,
    /// Algorithm 2 for any site.
    Site,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 4] = [Self::Meta, Self::Drl, Self::Fleet, Self::Site];

    /// The name of the phase in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Drl => "drl",
            Self::Fleet => "fleet",
            Self::Site => "site",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The state of training after a step, as one row of `metrics.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The phase.
    pub phase: Phase,
    /// The number of steps that are done: outer steps of Algorithm 1, or steps of Algorithm 2.
    pub step: usize,
    /// Mean cross-entropy of the networks, eq. (23).
    pub loss: Option<f64>,
    /// Q1, eq. (24); none in Algorithm 1.
    pub q1: Option<f64>,
    /// Q2, eq. (25), of the K proposals on workloads that training never draws; none if the optimum is not known.
    pub q2: Option<f64>,
    /// Mean cost of the samples in the replay buffer; none in Algorithm 1.
    pub buffer_mean_cost: Option<f64>,
    /// The share of the tasks with a deadline that miss it, for the K proposals that Q2 is of; none if no task has a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines: Option<f64>,
}

/// The file `metrics.csv` of a run that is being trained.
pub(crate) struct MetricsFile {
    path: PathBuf,
    writer: ::csv::Writer<File>,
    rows: Vec<Row>,
}

impl MetricsFile {
    pub(crate) fn create(directory: &RunDir) -> Result<Self, Error> {
        let path = directory.path().join(FILE);
        let file = File::create_new(&path).map_err(Error::unwritable(&path))?;
        Ok(Self { path, writer: ::csv::Writer::from_writer(file), rows: Vec::new() })
    }

    /// The file of a run that is resumed: the rows up to the checkpoint replace its content.
    pub(crate) fn resume(directory: &RunDir, rows: Vec<Row>) -> Result<Self, Error> {
        let path = directory.path().join(FILE);
        // If this fails, the file keeps its content.
        write_file(&path, csv(&rows).as_bytes())?;
        let file = File::options().append(true).open(&path).map_err(Error::unwritable(&path))?;
        // A file with rows has its header already.
        let writer = ::csv::WriterBuilder::new().has_headers(rows.is_empty()).from_writer(file);
        Ok(Self { path, writer, rows })
    }

    /// Appends a row to the file.
    pub(crate) fn add(&mut self, row: Row) -> Result<(), Error> {
        let written = self.writer.serialize(&row).map_err(std::io::Error::from).and_then(|()| self.writer.flush());
        written.map_err(Error::unwritable(&self.path))?;
        self.rows.push(row);
        Ok(())
    }

    /// Makes sure that all rows are on the disk.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        let synced = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        synced.map_err(Error::unwritable(&self.path))
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// The path of `metrics.csv` in a run directory.
pub fn path(run: &Path) -> PathBuf {
    run.join(FILE)
}

/// Reads the rows of `metrics.csv` in a run directory.
///
/// # Errors
/// If the file is missing or damaged.
pub fn read(run: &Path) -> Result<Vec<Row>, Error> {
    let failed = |error: ::csv::Error| Error::no_run(run, format!("{FILE}: {error}"));
    let mut reader = ::csv::Reader::from_path(run.join(FILE)).map_err(failed)?;
    reader.deserialize().collect::<Result<_, _>>().map_err(failed)
}
