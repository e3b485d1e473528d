//! Why a recording cannot be read.

use std::path::{Path, PathBuf};

use super::format::Format;
use super::source::Source;
use crate::columns::HeaderError;
use crate::limits::{MAX_FILES, MAX_JSON_BYTES, MAX_SAMPLES};

/// The formats of task sizes, in the message about a file that has none.
const SIZES_TRIED: &str =
    " and no file of task sizes (wfformat, sizes-csv with the header workload,device,task,mb, sizes: one on each line)";

/// The end of the message about a file without a known format.
fn beginning(nature: Option<&str>, text: &str) -> String {
    nature.map_or_else(|| format!("; it begins with `{text}`"), |nature| format!(": it is {nature}"))
}

/// The names of the formats but `csv`.
fn tried() -> String {
    Format::ALL.map(Format::name).into_iter().filter(|name| *name != Format::Csv.name()).collect::<Vec<_>>().join(", ")
}

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
    /// Fewer than half of its first lines have the same known format.
    #[error(
        "{} is no trace in a known format ({}, csv with a header such as time_s,device,mbps){}{}",
        path.display(),
        tried(),
        if *tried_sizes { SIZES_TRIED } else { "" },
        beginning(*nature, text)
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// How its first line that is not blank begins.
        text: String,
        /// What the file is instead, where its first bytes tell it: a zip archive, or no text.
        nature: Option<&'static str>,
        /// Whether it is no file of task sizes either.
        tried_sizes: bool,
    },
    /// The header of a table lacks columns.
    #[error("{}: {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with its header.
        reason: HeaderError,
    },
    /// A file of JSON is not what iperf3 writes.
    #[error("{} is no complete output of `iperf3 --json`", path.display())]
    NotIperf3 {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A file of JSON is larger than may be read.
    #[error("{} is larger than {} MiB, the most that is read of JSON", path.display(), MAX_JSON_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
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
