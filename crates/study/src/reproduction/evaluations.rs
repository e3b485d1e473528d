//! Evaluations that a report needs in addition to the evaluations of its runs. They are measured once and kept, so that
//! their times do not change.

use std::fs;
use std::path::PathBuf;

use data::Evaluation;
use mrdro::Comparison;
use mrdro::files::{create_folder, write_file};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sim::SchemeError;

use crate::error::Error;

/// The folder of kept evaluations.
const FOLDER: &str = "evaluations";

/// The evaluations that are kept with a report.
pub(super) struct KeptEvaluations {
    folder: PathBuf,
    /// The schemes that refused the size of a scenario in this call, each with its reason.
    pub(super) left_out: Vec<(String, SchemeError)>,
}

impl KeptEvaluations {
    /// The evaluations in the directory of a report.
    pub(super) fn of(report: &std::path::Path) -> Self {
        Self { folder: report.join(FOLDER), left_out: Vec::new() }
    }

    /// Reads the evaluations called `name`, or measures and keeps them.
    pub(super) fn read_or_measure(
        &mut self,
        name: &str,
        measure: impl FnOnce() -> Result<Comparison, Error>,
    ) -> Result<Vec<Evaluation>, Error> {
        let mut refused = Vec::new();
        let evaluations = self.read_or_measure_values(name, || {
            let Comparison { evaluations, left_out } = measure()?;
            refused = left_out;
            Ok(evaluations)
        });
        self.left_out.extend(refused);
        evaluations
    }

    /// Reads the values called `name`, or measures and keeps them.
    pub(super) fn read_or_measure_values<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        measure: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let path = self.folder.join(format!("{name}.json"));
        let damaged = |error: serde_json::Error| Error::Kept { path: path.clone(), reason: error.to_string() };
        if let Ok(text) = fs::read_to_string(&path) {
            return serde_json::from_str(&text).map_err(damaged);
        }
        let values = measure()?;
        create_folder(&self.folder)?;
        let text = serde_json::to_string_pretty(&values).expect("numbers and texts can be written");
        write_file(&path, text.as_bytes())?;
        // A number that is read may differ in its last bit from the one that was written; so all reports show what was read.
        serde_json::from_str(&text).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_before_a_kill_is_read_to_the_same_bits() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = KeptEvaluations::of(folder.path());
        let values = vec![0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE];
        let first: Vec<f64> = kept.read_or_measure_values("first", || Ok(values.clone())).expect("measured");
        // A kill while the second is written leaves a part of it under another name.
        fs::write(folder.path().join(FOLDER).join(".tmpA1b2C3"), "[0.30").expect("the folder is there");
        let kept = KeptEvaluations::of(folder.path());
        let again: Vec<f64> = kept.read_or_measure_values("first", || panic!("it is kept")).expect("read");
        assert_eq!(again, first);
        let mut measured = 0;
        let mut second = || {
            let count = &mut measured;
            let measure = || {
                *count += 1;
                Ok(vec![2.5])
            };
            kept.read_or_measure_values::<Vec<f64>>("second", measure).expect("measured or read")
        };
        assert_eq!((second(), second()), (vec![2.5], vec![2.5]));
        assert_eq!(measured, 1);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(FOLDER)).expect("a folder");
        fs::write(folder.path().join(FOLDER).join("first.json"), "[0.30").expect("the folder is there");
        let kept = KeptEvaluations::of(folder.path());
        let error = kept.read_or_measure_values::<Vec<f64>>("first", || Ok(Vec::new())).expect_err("damaged");
        assert!(error.to_string().contains("first.json"), "{error}");
    }
}
