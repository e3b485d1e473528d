//! Records of networks for any fleet.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sim::Fleets;

use super::{
    FLEET_FORMAT_VERSION, MANIFEST, MAX_MANIFEST_BYTES, WEIGHTS, Weights, as_text, check_seal, no_numbers,
    parse_manifest, read_bounded, read_weights, save, sealed,
};
use crate::dnn::MAX_PARAMETERS;
use crate::error::RecordError;
use crate::fleet::{FleetEnsemble, FleetShape, INPUTS};

/// Trained networks for any fleet, with what they were trained on and how.
#[derive(Debug, Clone)]
pub struct FleetRecord {
    /// The networks.
    pub ensemble: FleetEnsemble,
    /// The fleets that they saw.
    pub fleets: Fleets,
    /// How they were made: settings by name, for people to read.
    pub provenance: BTreeMap<String, String>,
    /// How good they are: measures by name.
    pub measures: BTreeMap<String, f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: i64,
    /// Of everything below these two lines.
    sha256: String,
    network: Network,
    fleets: Fleets,
    provenance: BTreeMap<String, String>,
    measures: BTreeMap<String, f64>,
    weights: Weights,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    nets: usize,
    inputs: usize,
    width: usize,
    rounds: usize,
}

impl FleetRecord {
    /// Writes the record into a new directory; it appears there whole or not at all.
    ///
    /// # Errors
    /// If there is something at `directory` already, a parameter is no number, or it cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), RecordError> {
        let is_finite = self.ensemble.first_not_finite().is_none();
        save(directory, is_finite, || self.ensemble.to_bytes(), |weights| self.manifest(weights))
    }

    fn manifest(&self, weights: &[u8]) -> String {
        let FleetShape { width, rounds } = self.ensemble.shape();
        let manifest = Manifest {
            format_version: FLEET_FORMAT_VERSION,
            sha256: String::new(),
            network: Network { nets: self.ensemble.nets.len(), inputs: INPUTS, width, rounds },
            fleets: self.fleets.clone(),
            provenance: self.provenance.clone(),
            measures: self.measures.clone(),
            weights: Weights::of(weights),
        };
        sealed(&manifest, FLEET_FORMAT_VERSION)
    }

    /// Loads a record onto a device.
    ///
    /// # Errors
    /// If the directory holds no such record, or one of another format, or a damaged one.
    pub fn load(directory: &Path, device: &Device) -> Result<Self, RecordError> {
        let text = read_bounded(&directory.join(MANIFEST), MAX_MANIFEST_BYTES)?;
        Self::read(directory, text, |limit| read_bounded(&directory.join(WEIGHTS), limit), device)
    }

    /// A record from the contents of its two files, such as those that a program carries with it by `include_bytes!`.
    ///
    /// # Errors
    /// As [`FleetRecord::load`].
    pub fn from_bytes(manifest: &[u8], weights: &[u8], device: &Device) -> Result<Self, RecordError> {
        Self::read(Path::new(""), manifest.to_owned(), |_| Ok(weights.to_owned()), device)
    }

    fn read(
        directory: &Path,
        text: Vec<u8>,
        weights: impl FnOnce(u64) -> Result<Vec<u8>, RecordError>,
        device: &Device,
    ) -> Result<Self, RecordError> {
        let path = directory.join(MANIFEST);
        let wrong = |reason: String| RecordError::Manifest { path: path.clone(), reason };
        let text = as_text(&path, text)?;
        let manifest: Manifest = parse_manifest(&path, &text, FLEET_FORMAT_VERSION..=FLEET_FORMAT_VERSION)?;
        let Network { nets, inputs, width, rounds } = manifest.network;
        if inputs != INPUTS {
            return Err(wrong(format!(
                "networks that read {inputs} inputs are of another version, which read {INPUTS}"
            )));
        }
        let shape = FleetShape { width, rounds };
        let parameters = shape.parameters().saturating_mul(nets);
        if nets == 0 || width == 0 || rounds == 0 || parameters > MAX_PARAMETERS {
            return Err(wrong(format!("{nets} networks of {rounds} rounds with {width} units are not possible")));
        }
        if !manifest.fleets.is_valid() {
            return Err(wrong("fleets: a range begins at 0 or ends before it begins".to_owned()));
        }
        let path_of_weights = directory.join(WEIGHTS);
        let bytes = read_weights(&path_of_weights, &manifest.weights, weights, parameters)?;
        let ensemble = FleetEnsemble::from_bytes(bytes, shape, nets, device)
            .map_err(|error| RecordError::Weights { path: path_of_weights.clone(), reason: error.reason })?;
        if ensemble.first_not_finite().is_some() {
            return Err(no_numbers(&path_of_weights));
        }
        // Last, so that whoever edits a manifest learns first what is wrong with what was written.
        check_seal(&path, &text, &manifest.sha256)?;
        let Manifest { fleets, provenance, measures, .. } = manifest;
        Ok(Self { ensemble, fleets, provenance, measures })
    }
}
