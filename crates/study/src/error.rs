//! Everything that can go wrong in an experiment.

use std::path::PathBuf;

/// Why an experiment ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The library failed.
    #[error(transparent)]
    Library(#[from] mrdro::Error),
    /// A file that should say what each recording is for does not.
    #[error("{} does not assign every recording to a split: {reason}", path.display())]
    BadSplit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A recording to test on is used before the test.
    #[error("{} cannot be tested on: {} is for training or for choosing settings", path.display(), recording.display())]
    TestedOnTraining {
        /// The recordings to test on.
        path: PathBuf,
        /// The file among them that is used before.
        recording: PathBuf,
    },
    /// Tasks for an edge node cannot be drawn.
    #[error("tasks for an edge node cannot be drawn: {reason}")]
    Serving {
        /// Why.
        reason: String,
    },
    /// A problem over time cannot be measured.
    #[error("{what} cannot be measured: {reason}")]
    OverTime {
        /// The problem.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file with results of an earlier call is damaged, or belongs to something else.
    #[error("{} cannot be used: {reason}; if the file is removed, its content is computed again", path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Lets `?` turn errors of other crates into errors of the library `mrdro`, and these into errors of this crate.
macro_rules! through_library {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                mrdro::Error::from(error).into()
            }
        })*
    };
}

through_library!(
    data::DataError,
    data::trace::TraceError,
    model::BackendError,
    model::CodeError,
    model::RecordError,
    mrdro::TrainingError,
    sim::EnvironmentError,
    sim::ScenarioError,
    sim::SchemeError,
);
