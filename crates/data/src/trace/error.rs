//! Why a recording cannot be read.

use std::path::{Path, PathBuf};

use super::source::Source;
use crate::limits::{MAX_FILES, MAX_SAMPLES};

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing at the beginning of the file.
    #[error("{} is empty, or blank for its first 64 KiB", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No line looks like a line of any format.
    #[error(
        "{} is no trace in a known format (dds-uplink, throughput-log, mahimahi, csv with a header of t_s,device,mbps); it begins with `{text}`",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// How its first line that is not blank begins.
        text: String,
    },
    /// The format is known, but not one sample can be used.
    #[error("{} has no usable sample: {found}", found.path.display())]
    NoSamples {
        /// What was found instead.
        found: Box<Source>,
    },
    /// No file below the folder is a trace, or no file was given.
    #[error("there is no trace in {}; {skipped} files in it are something else", path.display())]
    NoTraces {
        /// The folder.
        path: PathBuf,
        /// Number of files that were skipped.
        skipped: usize,
    },
    /// The list of files is empty.
    #[error("no trace was given")]
    NoFiles,
    /// More samples than one recording may have.
    #[error("{} brings the recording to more than {MAX_SAMPLES} samples; read fewer or shorter files", path.display())]
    TooManySamples {
        /// The file in which the limit was passed.
        path: PathBuf,
    },
    /// More files than one recording may have.
    #[error("{} holds more than {MAX_FILES} files; read its folders one by one", path.display())]
    TooManyFiles {
        /// The folder, or the first file above the limit.
        path: PathBuf,
    },
}

impl TraceError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }
}
