//! Errors of saving and loading records.

use std::path::PathBuf;

/// Why a record cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file of the record cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason that the system gives.
        source: std::io::Error,
    },
    /// A file of the record cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The directory of the record.
        path: PathBuf,
        /// The reason that the system gives.
        source: std::io::Error,
    },
    /// The directory that the record was to be saved to exists already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// Training has diverged: the networks hold parameters that are not finite numbers.
    #[error("nothing was saved to {}: training has diverged, the networks hold parameters that are not finite numbers", path.display())]
    Diverged {
        /// The directory that was not written.
        path: PathBuf,
    },
    /// The record has a version of the format that this program does not read.
    #[error("{} has record format {found}; this program reads formats 1 to {known}", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// The version in the manifest.
        found: i64,
        /// The last version that this program reads.
        known: i64,
    },
    /// The manifest is damaged, or the file is not the manifest of a record.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with the manifest.
        reason: String,
    },
    /// The record holds networks of another kind than the program needs here.
    #[error("{} is a record of {found}; a record of {wanted} is needed", path.display())]
    OtherKind {
        /// The record.
        path: PathBuf,
        /// The kind of networks in the record, in words.
        found: &'static str,
        /// The kind that is needed, in words.
        wanted: &'static str,
    },
    /// The file of weights is damaged, or does not belong to the manifest.
    #[error("{}: {reason}", path.display())]
    Weights {
        /// The file of weights.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// A file of the record is longer than its contents can need.
    #[error("{} is longer than {limit} bytes, the most that its contents can need", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes that the file can need.
        limit: u64,
    },
    /// The networks cannot decide for this scenario.
    #[error("the record {} is for another scenario: {reason}", path.display())]
    OtherScenario {
        /// The record.
        path: PathBuf,
        /// The difference between the two scenarios.
        reason: String,
    },
}
