//! What can go wrong in `model`.

use std::path::PathBuf;

/// Why there is no device to compute on.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Not a device's name.
    #[error("`{name}` is no device; there are auto, flex, ndarray, wgpu[:INDEX] and remote:HOST[:PORT][/INDEX]")]
    UnknownDevice {
        /// What was asked for.
        name: String,
    },
    /// The program was built without it.
    #[error("this build has no {feature} backend")]
    NotBuiltIn {
        /// The feature that was not built in.
        feature: &'static str,
    },
    /// The machine has no such graphics adapter.
    #[error("there is no graphics adapter{} on this machine; it has {count}", index.map_or(String::new(), |index| format!(" {index}")))]
    NoAdapter {
        /// What was asked for.
        index: Option<usize>,
        /// What there is.
        count: usize,
    },
    /// No worker answers at a remote device's address, or it speaks another version.
    #[error("no worker can be used at {address}: {reason}")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// Why.
        reason: String,
    },
    /// The worker wants another token.
    #[error("the worker at {address} refuses the token")]
    Refused {
        /// Where it is.
        address: String,
    },
    /// The worker has fewer devices.
    #[error("the worker at {address} has no device {index}; it has {count}")]
    NoRemoteDevice {
        /// Where it is.
        address: String,
        /// What was asked for.
        index: usize,
        /// What there is.
        count: usize,
    },
}

/// Why a record cannot be saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file of the record cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the record cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is something at the place where the record was to be saved.
    #[error("{} is already there", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The networks hold parameters that are not finite numbers.
    #[error("nothing was saved to {}: the networks hold parameters that are not finite numbers, so training has diverged", path.display())]
    Diverged {
        /// The directory that was not written.
        path: PathBuf,
    },
    /// Written by a program that is newer than this one, or by none.
    #[error("{} has record format {found}; this program reads formats 1 to {known}", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// The version in it.
        found: i64,
        /// The last version that this program reads.
        known: i64,
    },
    /// The manifest is damaged or is not one of a record.
    #[error("{}: {reason}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The record holds networks of another kind than is wanted.
    #[error("{} is a record of {found}, and one of {wanted} is needed", path.display())]
    OtherKind {
        /// The manifest.
        path: PathBuf,
        /// The kind that it holds, in words.
        found: &'static str,
        /// The kind that is wanted, in words.
        wanted: &'static str,
    },
    /// The weights are not those that the manifest describes.
    #[error("{}: {reason}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the record is longer than it can need to be.
    #[error("{} has more than the {limit} bytes that it can need", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it can need.
        limit: u64,
    },
    /// The record is for another problem.
    #[error("the record {} is for another scenario: {reason}", path.display())]
    OtherScenario {
        /// The record.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

/// Why a code cannot be used for a scenario.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("two indicators tell three places apart, this scenario has {places}")]
pub struct CodeError {
    /// Places of the scenario.
    pub places: usize,
}
