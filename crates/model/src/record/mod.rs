//! Records: a trained ensemble in a directory, with everything that is needed to decide with it.
//!
//! ```text
//! record/
//!   manifest.toml   format version, network, codec, training, measures, checksum, scenario
//!   weights.bpk     parameters, as Burn writes them
//! ```

mod fleet;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sim::{CostModel, Scenario};

use crate::candidates::{Choice, Exploration, Selection};
use crate::codec::{Code, Codec, EnvironmentInputs, Scaling};
use crate::dnn::{MAX_PARAMETERS, NetworkShape};
use crate::ensemble::Ensemble;
use crate::error::RecordError;
use crate::state::StateError;

pub use self::fleet::FleetRecord;

/// The format of records of DNNs that this program writes. It reads this and the one before it, which knew no networks
/// that read the environment.
pub const FORMAT_VERSION: i64 = 2;
/// The format of records of networks for any fleet.
pub const FLEET_FORMAT_VERSION: i64 = 3;

const MANIFEST: &str = "manifest.toml";
const WEIGHTS: &str = "weights.bpk";

/// More than any manifest needs; a larger file is none.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// Names, shapes and alignment in the file of weights beside the parameters themselves.
const MAX_OVERHEAD_BYTES: usize = 1 << 20;

/// A trained ensemble with what it was trained for and how.
#[derive(Debug, Clone)]
pub struct Record {
    /// The networks.
    pub ensemble: Ensemble,
    /// What they decide about.
    pub scenario: Scenario,
    /// How to read them.
    pub code: Code,
    /// How inputs are scaled.
    pub scaling: Scaling,
    /// What the networks read beside the sizes.
    pub reads: EnvironmentInputs,
    /// How candidates are made and chosen when deciding.
    pub selection: Selection,
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
    codec: CodecTable,
    selection: SelectionTable,
    provenance: BTreeMap<String, String>,
    measures: BTreeMap<String, f64>,
    weights: Weights,
    scenario: toml::Table,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    dnns: usize,
    inputs: usize,
    hidden: Vec<usize>,
    outputs: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodecTable {
    code: Code,
    mean_bytes: f64,
    deviation_bytes: f64,
    #[serde(default, skip_serializing_if = "EnvironmentInputs::is_empty")]
    environment: EnvironmentInputs,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionTable {
    /// Indicators flipped for each network; 0 is the paper's threshold alone.
    flips: usize,
    choice: Choice,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    bytes: u64,
    sha256: String,
}

impl Weights {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: checksum(bytes) }
    }
}

impl Record {
    /// Writes the record into a new directory; it appears there whole or not at all.
    ///
    /// # Errors
    /// If there is something at `directory` already, a parameter is no number, or it cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), RecordError> {
        save(
            directory,
            self.ensemble.first_not_finite().is_none(),
            || self.ensemble.to_bytes(),
            |weights| self.manifest(weights),
        )
    }

    fn manifest(&self, weights: &[u8]) -> String {
        let NetworkShape { inputs, hidden, outputs } = self.ensemble.shape();
        let flips = match self.selection.exploration {
            Exploration::Threshold => 0,
            Exploration::OrderPreserving { flips } => flips,
        };
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            sha256: String::new(),
            network: Network { dnns: self.ensemble.dnns(), inputs, hidden, outputs },
            codec: CodecTable {
                code: self.code,
                mean_bytes: self.scaling.mean_bytes,
                deviation_bytes: self.scaling.deviation_bytes,
                environment: self.reads,
            },
            selection: SelectionTable { flips, choice: self.selection.choice },
            provenance: self.provenance.clone(),
            measures: self.measures.clone(),
            weights: Weights::of(weights),
            scenario: toml::from_str(&self.scenario.to_toml()).expect("a scenario's TOML is a table"),
        };
        sealed(&manifest, FORMAT_VERSION)
    }

    /// Loads a record onto a device.
    ///
    /// # Errors
    /// If the directory holds no record, or one of another format, or a damaged one.
    pub fn load(directory: &Path, device: &Device) -> Result<Self, RecordError> {
        let text = read_bounded(&directory.join(MANIFEST), MAX_MANIFEST_BYTES)?;
        Self::read(directory, text, |limit| read_bounded(&directory.join(WEIGHTS), limit), device)
    }

    /// A record from the contents of its two files, such as those that a program carries with it by `include_bytes!`.
    ///
    /// # Errors
    /// If they are no record, or one of another format, or a damaged one.
    pub fn from_bytes(manifest: &[u8], weights: &[u8], device: &Device) -> Result<Self, RecordError> {
        Self::read(Path::new(""), manifest.to_owned(), |_| Ok(weights.to_owned()), device)
    }

    /// From the text of a manifest, and weights that are read once it is known how many there may be.
    fn read(
        directory: &Path,
        text: Vec<u8>,
        weights: impl FnOnce(u64) -> Result<Vec<u8>, RecordError>,
        device: &Device,
    ) -> Result<Self, RecordError> {
        let path = directory.join(MANIFEST);
        let wrong = |reason: String| RecordError::Manifest { path: path.clone(), reason };
        let text = as_text(&path, text)?;
        let manifest: Manifest = parse_manifest(&path, &text, 1..=FORMAT_VERSION)?;
        let scenario_text = toml::to_string(&manifest.scenario).map_err(|error| wrong(error.to_string()))?;
        let scenario = Scenario::from_toml("its scenario", &scenario_text).map_err(|error| wrong(error.to_string()))?;
        let model = scenario.check().map_err(|error| wrong(error.to_string()))?;
        let CodecTable { code, mean_bytes, deviation_bytes, environment: reads } = manifest.codec;
        let scaling = Scaling { mean_bytes, deviation_bytes };
        if !(mean_bytes > 0.0 && deviation_bytes > 0.0 && mean_bytes.is_finite() && deviation_bytes.is_finite()) {
            return Err(wrong(format!("codec scales by {mean_bytes} and {deviation_bytes} bytes, which is no scale")));
        }
        if !reads.is_valid() {
            return Err(wrong("codec.environment holds what is no scale".to_owned()));
        }
        let codec = Codec::new(code, &model, scaling).map_err(|error| wrong(error.to_string()))?.reading(reads);
        let Network { dnns, inputs, hidden, outputs } = manifest.network;
        if (inputs, outputs) != (codec.inputs(), codec.outputs()) {
            let (wanted_in, wanted_out) = (codec.inputs(), codec.outputs());
            return Err(wrong(format!(
                "networks of {inputs} inputs and {outputs} outputs do not fit the scenario, which needs {wanted_in} and {wanted_out}"
            )));
        }
        let shape = NetworkShape { inputs, hidden, outputs };
        let parameters = shape.parameters().saturating_mul(dnns);
        if dnns == 0 || shape.hidden.contains(&0) || parameters > MAX_PARAMETERS {
            return Err(wrong(format!("{dnns} networks with hidden layers {:?} are not possible", shape.hidden)));
        }
        let path_of_weights = directory.join(WEIGHTS);
        let bytes = read_weights(&path_of_weights, &manifest.weights, weights, parameters)?;
        let ensemble = Ensemble::from_bytes(bytes, &shape, dnns, device)
            .map_err(|reason| RecordError::Weights { path: path_of_weights.clone(), reason })?;
        if ensemble.first_not_finite().is_some() {
            return Err(no_numbers(&path_of_weights));
        }
        // Last, so that whoever edits a manifest learns first what is wrong with what was written.
        check_seal(&path, &text, &manifest.sha256)?;
        let exploration = match manifest.selection.flips {
            0 => Exploration::Threshold,
            flips => Exploration::OrderPreserving { flips },
        };
        let selection = Selection { exploration, choice: manifest.selection.choice };
        let Manifest { provenance, measures, .. } = manifest;
        Ok(Self { ensemble, scenario, code, scaling, reads, selection, provenance, measures })
    }

    /// The codec of the record's networks.
    ///
    /// # Panics
    /// If the code does not fit `model`, which must be that of a scenario that [`Record::check_scenario`] accepts.
    pub fn codec(&self, model: &CostModel) -> Codec {
        let codec = Codec::new(self.code, model, self.scaling).expect("the record was checked against its scenario");
        codec.reading(self.reads)
    }

    /// Whether these networks can decide for a scenario: the same devices, tasks and servers, and unless `any_rates`,
    /// the same rates.
    ///
    /// # Errors
    /// If they cannot; `path` is what the message calls the record.
    pub fn check_scenario(&self, scenario: &Scenario, any_rates: bool, path: &Path) -> Result<(), RecordError> {
        let shape = |scenario: &Scenario| {
            let servers: Vec<_> = scenario.servers.iter().map(|server| server.name.as_str()).collect();
            let (devices, tasks) = (scenario.devices.count, scenario.tasks.per_device);
            format!("{devices} devices with {tasks} tasks each and the servers {}", servers.join(", "))
        };
        let (own, other) = (shape(&self.scenario), shape(scenario));
        let reason = if own != other {
            format!("it was trained for {own}, `{}` has {other}", scenario.name)
        } else if !any_rates && self.scenario.check() != scenario.check() {
            format!(
                "`{}`, which it was trained for, has the devices and servers of `{}`, but other rates or another α",
                self.scenario.name, scenario.name
            )
        } else {
            return Ok(());
        };
        Err(RecordError::OtherScenario { path: path.to_owned(), reason })
    }
}

/// A record of whatever networks.
#[derive(Debug, Clone)]
pub enum AnyRecord {
    /// DNNs for one scenario.
    Dnns(Box<Record>),
    /// Networks for any fleet.
    Fleet(FleetRecord),
}

impl AnyRecord {
    /// Loads a record onto a device.
    ///
    /// # Errors
    /// As [`Record::load`].
    pub fn load(directory: &Path, device: &Device) -> Result<Self, RecordError> {
        let path = directory.join(MANIFEST);
        let text = as_text(&path, read_bounded(&path, MAX_MANIFEST_BYTES)?)?;
        match version(&path, &text)? {
            FLEET_FORMAT_VERSION => FleetRecord::load(directory, device).map(Self::Fleet),
            _ => Record::load(directory, device).map(|record| Self::Dnns(Box::new(record))),
        }
    }
}

/// Writes a record into a new directory; it appears there whole or not at all.
fn save(
    directory: &Path,
    is_finite: bool,
    weights: impl FnOnce() -> Result<Vec<u8>, StateError>,
    manifest: impl FnOnce(&[u8]) -> String,
) -> Result<(), RecordError> {
    if directory.exists() {
        return Err(RecordError::Exists { path: directory.to_owned() });
    }
    if !is_finite {
        return Err(RecordError::Diverged { path: directory.to_owned() });
    }
    let unwritable = |source| RecordError::Unwritable { path: directory.to_owned(), source };
    let parent = match directory.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(unwritable)?;
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unfinished = parent.join(format!(".{name}.{}.unfinished", std::process::id()));
    let write = || {
        // First what can fail: a device that is lost leaves no half-written directory.
        let weights = weights().map_err(io::Error::other)?;
        fs::create_dir_all(&unfinished)?;
        write_synced(&unfinished.join(WEIGHTS), &weights)?;
        write_synced(&unfinished.join(MANIFEST), manifest(&weights).as_bytes())?;
        fs::rename(&unfinished, directory)
    };
    let written = write();
    if written.is_err() {
        // What was written is of no use; that it cannot be removed either is not what went wrong.
        let _ = fs::remove_dir_all(&unfinished);
    }
    written.map_err(unwritable)
}

/// The text of a manifest, whose first two keys are version and checksum, with both as they should be.
fn sealed(manifest: &impl Serialize, version: i64) -> String {
    let text = toml::to_string(manifest).expect("numbers, texts and tables can be written");
    let (_, body) = split_seal(&text);
    format!("format_version = {version}\nsha256 = \"{}\"\n{body}", checksum(body.as_bytes()))
}

/// The two lines that say version and checksum, and everything below them.
fn split_seal(text: &str) -> (&str, &str) {
    let end = text.match_indices('\n').nth(1).map_or(text.len(), |(newline, _)| newline + 1);
    text.split_at(end)
}

fn check_seal(path: &Path, text: &str, sha256: &str) -> Result<(), RecordError> {
    if checksum(split_seal(text).1.as_bytes()) == sha256 {
        return Ok(());
    }
    let reason = "does not match its own checksum: it is damaged or was changed".to_owned();
    Err(RecordError::Manifest { path: path.to_owned(), reason })
}

fn as_text(path: &Path, bytes: Vec<u8>) -> Result<String, RecordError> {
    let wrong = |_| RecordError::Manifest { path: path.to_owned(), reason: "is no text".to_owned() };
    String::from_utf8(bytes).map_err(wrong)
}

/// The version, which is read before everything else: what else stands in a manifest of another version is unknown.
fn version(path: &Path, text: &str) -> Result<i64, RecordError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| misread(path, text, &error))?;
    let version = table.get("format_version").and_then(toml::Value::as_integer);
    let reason = || "has no format_version, so it is no manifest of a record".to_owned();
    version.ok_or_else(|| RecordError::Manifest { path: path.to_owned(), reason: reason() })
}

fn misread(path: &Path, text: &str, error: &toml::de::Error) -> RecordError {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
    let line = before.matches('\n').count();
    let content: String = text.lines().nth(line).unwrap_or_default().chars().take(60).collect();
    let reason = format!("line {}, `{content}`: {}", line + 1, error.message());
    RecordError::Manifest { path: path.to_owned(), reason }
}

fn parse_manifest<M: DeserializeOwned>(
    path: &Path,
    text: &str,
    versions: RangeInclusive<i64>,
) -> Result<M, RecordError> {
    let found = version(path, text)?;
    let (of_dnns, of_fleets) = ("DNNs for one scenario", "networks for any fleet");
    let (found, wanted) = match found {
        _ if versions.contains(&found) => return toml::from_str(text).map_err(|error| misread(path, text, &error)),
        FLEET_FORMAT_VERSION => (of_fleets, of_dnns),
        1..=FORMAT_VERSION => (of_dnns, of_fleets),
        _ => return Err(RecordError::Version { path: path.to_owned(), found, known: FLEET_FORMAT_VERSION }),
    };
    Err(RecordError::OtherKind { path: path.to_owned(), found, wanted })
}

/// The bytes of as many parameters, if they are those that the manifest speaks of.
fn read_weights(
    path: &Path,
    weights: &Weights,
    read: impl FnOnce(u64) -> Result<Vec<u8>, RecordError>,
    parameters: usize,
) -> Result<Vec<u8>, RecordError> {
    let wrong = |reason: String| RecordError::Weights { path: path.to_owned(), reason };
    let expected = parameters * size_of::<f32>() + MAX_OVERHEAD_BYTES;
    if weights.bytes > expected as u64 {
        return Err(wrong(format!("should have {} bytes, more than its networks can need", weights.bytes)));
    }
    let bytes = read(expected as u64)?;
    if bytes.len() as u64 != weights.bytes {
        return Err(wrong(format!(
            "has {} bytes instead of {}: it is truncated or was replaced",
            bytes.len(),
            weights.bytes
        )));
    }
    if checksum(&bytes) != weights.sha256 {
        return Err(wrong("does not match the manifest's checksum: it is damaged or was changed".to_owned()));
    }
    Ok(bytes)
}

fn no_numbers(path: &Path) -> RecordError {
    RecordError::Weights { path: path.to_owned(), reason: "holds parameters that are no numbers".to_owned() }
}

fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, RecordError> {
    let read = || {
        let mut bytes = Vec::new();
        // Others may never end, or never begin.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
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

/// The SHA-256 of these bytes, as manifests write it.
pub fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
