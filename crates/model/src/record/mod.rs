//! Records: directories with trained networks of any kind and everything that deciding with them needs.
//!
//! ```text
//! record/
//!   manifest.toml   format version, checksum, kind, networks, training, measures
//!   weights.bpk     parameters, as Burn writes them
//! ```
//!
//! Older versions of the format had no kind and are still read: versions 1 and 2 held DNNs, version 3 networks for any
//! fleet.

mod error;
mod format;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use sim::Scenario;

use crate::kinds::kind_of;
use crate::networks::Networks;

pub use self::error::RecordError;
pub use self::format::RecordText;
pub use self::format::checksum;
use self::format::{Common, MANIFEST, MAX_MANIFEST_BYTES, WEIGHTS, read_bounded, write};
pub(crate) use self::format::{ManifestFile, Weights};

/// The version of the record format that this program writes. It reads this one and every earlier one.
pub const FORMAT_VERSION: i64 = RecordText::FORMAT_VERSION;

/// Trained networks with their provenance and their measures.
#[derive(Debug, Clone)]
pub struct Record {
    /// The networks.
    pub networks: Arc<dyn Networks>,
    /// Provenance: settings and circumstances of training by name, for people to read.
    pub provenance: BTreeMap<String, String>,
    /// Measures of quality by name.
    pub measures: BTreeMap<String, f64>,
    format_version: i64,
}

impl Record {
    /// A record of these networks, without provenance and measures.
    pub fn new(networks: impl Networks) -> Self {
        Self::of(Arc::new(networks))
    }

    /// A record of these networks, which may be shared, without provenance and measures.
    pub fn of(networks: Arc<dyn Networks>) -> Self {
        Self { networks, provenance: BTreeMap::new(), measures: BTreeMap::new(), format_version: FORMAT_VERSION }
    }

    /// The version of the format that the record was read from, or will be written in.
    pub fn format_version(&self) -> i64 {
        self.format_version
    }

    /// The networks, if they are of the kind `N`.
    ///
    /// # Errors
    /// If they are of another kind. The message calls the record `path` and the needed kind `wanted`.
    pub fn networks_of<N: Networks>(&self, wanted: &'static str, path: &Path) -> Result<&N, RecordError> {
        self.networks.downcast_ref().ok_or_else(|| {
            let found = self.networks.kind().description;
            RecordError::OtherKind { path: path.to_owned(), found, wanted }
        })
    }

    /// Whether the networks can decide for a scenario, which may have other rates than the one that they were trained for
    /// only if `any_rates`.
    ///
    /// # Errors
    /// If they cannot. The message calls the record `path`.
    pub fn check_scenario(&self, scenario: &Scenario, any_rates: bool, path: &Path) -> Result<(), RecordError> {
        let other = |reason| RecordError::OtherScenario { path: path.to_owned(), reason };
        self.networks.check_scenario(scenario, any_rates).map_err(other)
    }

    /// Writes the record into a new directory, which appears whole or not at all.
    ///
    /// # Errors
    /// If `directory` exists already, a parameter is not a finite number, or the files cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), RecordError> {
        if directory.exists() {
            return Err(RecordError::Exists { path: directory.to_owned() });
        }
        if self.networks.first_not_finite().is_some() {
            return Err(RecordError::Diverged { path: directory.to_owned() });
        }
        let Self { networks, provenance, measures, .. } = self;
        write(
            directory,
            || networks.to_bytes(),
            |weights| networks.manifest(RecordText { provenance, measures, weights }),
        )
    }

    /// Loads a record onto a device.
    ///
    /// # Errors
    /// If the directory holds no record, a record of a later format, or a damaged one.
    pub fn load(directory: &Path, device: &Device) -> Result<Self, RecordError> {
        let text = read_bounded(&directory.join(MANIFEST), MAX_MANIFEST_BYTES)?;
        Self::read(directory, text, &|limit| read_bounded(&directory.join(WEIGHTS), limit), device)
    }

    /// A record from the contents of its two files, for programs that contain them by `include_bytes!`.
    ///
    /// # Errors
    /// As [`Record::load`].
    pub fn from_bytes(manifest: &[u8], weights: &[u8], device: &Device) -> Result<Self, RecordError> {
        Self::read(Path::new(""), manifest.to_owned(), &|_| Ok(weights.to_owned()), device)
    }

    /// Reads a record from the bytes of its manifest, and from its weights, whose length the manifest limits.
    fn read(
        directory: &Path,
        manifest: Vec<u8>,
        weights: &dyn Fn(u64) -> Result<Vec<u8>, RecordError>,
        device: &Device,
    ) -> Result<Self, RecordError> {
        let file = ManifestFile::new(directory, manifest, weights)?;
        let networks = (kind_of(&file)?.read)(&file, device)?;
        if networks.first_not_finite().is_some() {
            return Err(file.wrong_weights("the file holds parameters that are not finite numbers".to_owned()));
        }
        // Last, so that a person who edits a manifest first learns of mistakes in it.
        file.check_seal()?;
        let Common { provenance, measures } = file.common()?;
        Ok(Self { networks: networks.into(), provenance, measures, format_version: file.format_version() })
    }
}
