//! Evaluations that a report needs in addition to the evaluations of its runs. They are measured once and kept, so that
//! their times do not change.

use std::fs;
use std::path::PathBuf;

use data::Evaluation;
use mrdro::Comparison;
use mrdro::files::write_file;
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
        let path = self.folder.join(format!("{name}.json"));
        if let Ok(text) = fs::read_to_string(&path) {
            let damaged = |error: serde_json::Error| Error::Kept { path: path.clone(), reason: error.to_string() };
            return serde_json::from_str(&text).map_err(damaged);
        }
        let Comparison { evaluations, left_out } = measure()?;
        self.left_out.extend(left_out);
        let unwritable = |source| mrdro::Error::Unwritable { path: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        let text = serde_json::to_vec_pretty(&evaluations).expect("numbers and texts can be written");
        write_file(&path, &text)?;
        Ok(evaluations)
    }
}
