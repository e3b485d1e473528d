//! The two files of a record: written whole or not at all, read within bounds, and checked against damage.
//!
//! The first two lines of the manifest are the format version and the SHA-256 of everything below them. The manifest also
//! holds the SHA-256 of the weights.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::RecordError;
use crate::state::StateError;

pub(super) const MANIFEST: &str = "manifest.toml";
pub(super) const WEIGHTS: &str = "weights.bpk";

/// The largest manifest; more than any can need.
pub(super) const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// The most bytes for names, shapes and alignment in the file of weights, in addition to the bytes of the parameters.
const MAX_OVERHEAD_BYTES: usize = 1 << 20;

/// Length and checksum of the file of weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    bytes: u64,
    sha256: String,
}

/// The parts of a manifest that all kinds of networks share.
#[derive(Clone, Copy)]
pub struct RecordText<'r> {
    pub(crate) provenance: &'r BTreeMap<String, String>,
    pub(crate) measures: &'r BTreeMap<String, f64>,
    pub(super) weights: &'r [u8],
}

impl RecordText<'_> {
    pub(crate) const FORMAT_VERSION: i64 = 4;

    /// Length and checksum of the weights.
    pub(crate) fn weights(&self) -> Weights {
        Weights { bytes: self.weights.len() as u64, sha256: checksum(self.weights) }
    }

    /// The text of a manifest, whose first two keys must be `format_version` and `sha256`, with its checksum.
    pub(crate) fn sealed(manifest: &impl Serialize) -> String {
        let text = toml::to_string(manifest).expect("numbers, texts and tables can be written");
        let (_, body) = split_seal(&text);
        format!("format_version = {}\nsha256 = \"{}\"\n{body}", Self::FORMAT_VERSION, checksum(body.as_bytes()))
    }
}

/// The sections of a manifest that all kinds of networks share.
#[derive(Deserialize)]
pub(super) struct Common {
    pub(super) provenance: BTreeMap<String, String>,
    pub(super) measures: BTreeMap<String, f64>,
}

/// A manifest that is being read, and its file of weights.
pub(crate) struct ManifestFile<'r> {
    directory: &'r Path,
    text: String,
    table: toml::Table,
    format_version: i64,
    read_weights: &'r dyn Fn(u64) -> Result<Vec<u8>, RecordError>,
}

impl<'r> ManifestFile<'r> {
    /// Checks the version of the format first, since a later version may have other contents.
    pub(super) fn new(
        directory: &'r Path,
        bytes: Vec<u8>,
        read_weights: &'r dyn Fn(u64) -> Result<Vec<u8>, RecordError>,
    ) -> Result<Self, RecordError> {
        let path = directory.join(MANIFEST);
        let wrong = |reason: &str| RecordError::Manifest { path: path.clone(), reason: reason.to_owned() };
        let text = String::from_utf8(bytes).map_err(|_| wrong("the file is not UTF-8 text"))?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| misread(&path, &text, &error))?;
        let version = table.get("format_version").and_then(toml::Value::as_integer);
        let format_version =
            version.ok_or_else(|| wrong("the file has no format_version, so it is not the manifest of a record"))?;
        let known = RecordText::FORMAT_VERSION;
        if !(1..=known).contains(&format_version) {
            return Err(RecordError::Version { path, found: format_version, known });
        }
        Ok(Self { directory, text, table, format_version, read_weights })
    }

    pub(crate) fn format_version(&self) -> i64 {
        self.format_version
    }

    /// The kind of networks that the manifest names.
    pub(crate) fn kind_name(&self) -> Option<&str> {
        self.table.get("kind").and_then(toml::Value::as_str)
    }

    /// The whole manifest; unknown keys are an error.
    pub(crate) fn parse<M: DeserializeOwned>(&self) -> Result<M, RecordError> {
        toml::from_str(&self.text).map_err(|error| misread(&self.directory.join(MANIFEST), &self.text, &error))
    }

    /// The sections that all kinds of networks share.
    pub(super) fn common(&self) -> Result<Common, RecordError> {
        self.parse()
    }

    /// The file of weights with `parameters` parameters, if its length and checksum match the manifest.
    pub(crate) fn weights(&self, weights: &Weights, parameters: usize) -> Result<Vec<u8>, RecordError> {
        let limit = parameters * size_of::<f32>() + MAX_OVERHEAD_BYTES;
        if weights.bytes > limit as u64 {
            return Err(self.wrong_weights(format!(
                "the manifest gives it {} bytes, more than its networks can need",
                weights.bytes
            )));
        }
        let bytes = (self.read_weights)(limit as u64)?;
        if bytes.len() as u64 != weights.bytes {
            let (found, wanted) = (bytes.len(), weights.bytes);
            return Err(self.wrong_weights(format!(
                "the file has {found} bytes instead of {wanted}: it is truncated or was replaced"
            )));
        }
        if checksum(&bytes) != weights.sha256 {
            let reason =
                "the file does not match its checksum in the manifest: it is damaged or was changed".to_owned();
            return Err(self.wrong_weights(reason));
        }
        Ok(bytes)
    }

    pub(super) fn check_seal(&self) -> Result<(), RecordError> {
        let found = self.table.get("sha256").and_then(toml::Value::as_str);
        if found == Some(&checksum(split_seal(&self.text).1.as_bytes())) {
            return Ok(());
        }
        Err(self.wrong("the file does not match its own checksum: it is damaged or was changed".to_owned()))
    }

    /// The error of a manifest with a mistake.
    pub(crate) fn wrong(&self, reason: String) -> RecordError {
        RecordError::Manifest { path: self.directory.join(MANIFEST), reason }
    }

    /// The error of weights that do not belong to the manifest.
    pub(crate) fn wrong_weights(&self, reason: String) -> RecordError {
        RecordError::Weights { path: self.directory.join(WEIGHTS), reason }
    }

    /// The error of weights that cannot be loaded into networks of the shape that the manifest describes.
    pub(crate) fn other_weights(&self, error: &StateError) -> RecordError {
        self.wrong_weights(format!("the file does not hold the networks that the manifest describes: {}", error.reason))
    }
}

/// Writes a record to a directory next to its final place and renames this directory, so that the record appears whole
/// or not at all.
pub(super) fn write(
    directory: &Path,
    weights: impl FnOnce() -> Result<Vec<u8>, StateError>,
    manifest: impl FnOnce(&[u8]) -> String,
) -> Result<(), RecordError> {
    let unwritable = |source| RecordError::Unwritable { path: directory.to_owned(), source };
    let parent = match directory.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(unwritable)?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unfinished = parent.join(format!(".{name}.{}.unfinished", std::process::id()));
    let write = || {
        // The parameters are read first: if the device is lost, no directory is made.
        let weights = weights().map_err(io::Error::other)?;
        fs::create_dir_all(&unfinished)?;
        write_synced(&unfinished.join(WEIGHTS), &weights)?;
        write_synced(&unfinished.join(MANIFEST), manifest(&weights).as_bytes())?;
        fs::rename(&unfinished, directory)
    };
    let written = write();
    if written.is_err() {
        // The error of writing is the one to report.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written.map_err(unwritable)
}

/// Splits a manifest into the two lines with version and checksum, and the rest.
fn split_seal(text: &str) -> (&str, &str) {
    let end = text.match_indices('\n').nth(1).map_or(text.len(), |(newline, _)| newline + 1);
    text.split_at(end)
}

/// The error of a manifest that does not parse, with the line that it is in.
fn misread(path: &Path, text: &str, error: &toml::de::Error) -> RecordError {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
    let line = before.matches('\n').count();
    let content: String = text.lines().nth(line).unwrap_or_default().chars().take(60).collect();
    let reason = format!("line {}, `{content}`: {}", line + 1, error.message());
    RecordError::Manifest { path: path.to_owned(), reason }
}

/// Reads a file of at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, RecordError> {
    let read = || {
        let mut bytes = Vec::new();
        // Reading a pipe or a device might never end.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| RecordError::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(RecordError::TooLong { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The SHA-256 of some bytes in hexadecimal, as in manifests.
pub fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
