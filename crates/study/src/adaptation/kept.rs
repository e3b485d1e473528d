//! The files of a study that later calls go on from.

use std::fs;
use std::path::Path;

use mrdro::Training;
use mrdro::files::write_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::choice::is_complete;
use super::method::SettingsOfMethods;
use super::recordings::{EnvironmentSequence, Recordings};
use super::request::AdaptationRequest;
use super::setup::Setup;
use crate::error::Error;

/// The file that identifies a study.
const DEFINITION: &str = "study.toml";

/// The content of `study.toml`. Two studies with the same content are the same study, even with different seeds.
#[derive(Serialize)]
struct Definition<'d> {
    program: &'static str,
    measured_workloads: usize,
    training_drives: Vec<&'d str>,
    validation_drives: Vec<&'d str>,
    test_drives: Vec<&'d str>,
    window_s: f64,
    recordings: String,
    adaptable: &'d Training,
    environments: &'d Training,
    scenario: &'d sim::Scenario,
}

/// Writes `study.toml` into a directory that is new or empty, or checks that the directory is of the same study.
pub(super) fn define(request: &AdaptationRequest, setup: &Setup, recordings: &Recordings) -> Result<(), Error> {
    let definition = Definition {
        program: concat!("trainer ", env!("CARGO_PKG_VERSION")),
        measured_workloads: setup.measured,
        training_drives: names(&recordings.training),
        validation_drives: names(&recordings.validation),
        test_drives: names(&recordings.test),
        window_s: request.window_s,
        recordings: recordings.fingerprint(),
        adaptable: &setup.adaptable,
        environments: &setup.environment_training,
        scenario: &setup.problem.scenario,
    };
    let text = toml::to_string(&definition).expect("numbers, texts and tables can be written");
    let out = &request.out;
    let path = out.join(DEFINITION);
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(mrdro::Error::OtherSweep {
            path: out.clone(),
            reason: "its study.toml says other recordings, settings or version".to_owned(),
        }
        .into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let unwritable = |source| mrdro::Error::Unwritable { path: out.clone(), source };
            fs::create_dir_all(out).map_err(unwritable)?;
            if fs::read_dir(out).map_err(unwritable)?.next().is_some() {
                return Err(mrdro::Error::RunExists { path: out.clone() }.into());
            }
            Ok(write_file(&path, text.as_bytes())?)
        }
        Err(source) => Err(mrdro::Error::Unreadable { path, source }.into()),
    }
}

fn names(sequences: &[EnvironmentSequence]) -> Vec<&str> {
    sequences.iter().map(|sequence| sequence.name.as_str()).collect()
}

/// Reads the settings that an earlier call chose; `None` if there are none.
pub(super) fn read_settings(path: &Path, setup: &Setup) -> Result<Option<SettingsOfMethods>, Error> {
    let settings = read_kept::<SettingsOfMethods>(path)?;
    if settings.as_ref().is_some_and(|settings| !is_complete(settings, setup)) {
        let reason = "it does not hold the settings of every method".to_owned();
        return Err(Error::Kept { path: path.to_owned(), reason });
    }
    Ok(settings)
}

/// Reads a file of JSON; `None` if it is not there.
pub(super) fn read_kept<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(mrdro::Error::Unreadable { path: path.to_owned(), source }.into()),
    };
    let damaged = |error: serde_json::Error| Error::Kept { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}
