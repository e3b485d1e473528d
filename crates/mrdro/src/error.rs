//! Everything that can go wrong in the library. What to type instead is for programs to say.

use std::path::{Path, PathBuf};

use crate::training::TrainingError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A scenario cannot be loaded.
    #[error(transparent)]
    Scenario(#[from] sim::ScenarioError),
    /// Task sizes cannot be drawn from a file.
    #[error(transparent)]
    Sizes(#[from] data::SizesError),
    /// The recorded data that a scenario names cannot be used.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// A recording cannot be read.
    #[error(transparent)]
    Trace(#[from] data::trace::TraceError),
    /// A file of tasks cannot be read.
    #[error(transparent)]
    TaskFile(#[from] data::TaskFileError),
    /// An environment is for another fleet, or holds a value out of its range.
    #[error(transparent)]
    Environment(#[from] sim::EnvironmentError),
    /// A scheme gives no decision.
    #[error(transparent)]
    Scheme(#[from] sim::SchemeError),
    /// Workloads cannot be read.
    #[error(transparent)]
    Exchange(#[from] data::exchange::ExchangeError),
    /// Settings of training cannot be used.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// There is no such device to compute on.
    #[error(transparent)]
    Backend(#[from] model::BackendError),
    /// A record cannot be saved or loaded.
    #[error(transparent)]
    Record(#[from] model::RecordError),
    /// An option is for networks of another kind.
    #[error("{0}, and this record is of another kind")]
    Option(#[from] model::OptionError),
    /// A code cannot tell the places of a scenario apart.
    #[error(transparent)]
    Code(#[from] model::CodeError),
    /// The networks of a record decide for any fleet, and no scenario was named.
    #[error("{} decides for any fleet and has no scenario of its own", path.display())]
    NoScenario {
        /// The record.
        path: PathBuf,
    },
    /// The networks of a record bring their own scenario, and another one was named.
    #[error("{} has a scenario of its own, and another one cannot be named", path.display())]
    OwnScenario {
        /// The record.
        path: PathBuf,
    },
    /// A recording has no such drive, or no such window.
    #[error("{} has {reason}", path.display())]
    NoWindow {
        /// The recording.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// The exact search refuses the scenario.
    #[error("the optimum of `{scenario}` cannot be computed, and adaptation is measured against it")]
    NoOptimum {
        /// The scenario's name.
        scenario: String,
    },
    /// Something would not fit into memory.
    #[error("{what}: {count} are more than the {limit} that are possible")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        count: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The text of an option is not what it takes.
    #[error("`{option} {text}` is not {wanted}")]
    BadOption {
        /// The option, as the command line calls it.
        option: &'static str,
        /// What was given.
        text: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// A run cannot be resumed.
    #[error("{} cannot be resumed: {reason}", run.display())]
    NotResumable {
        /// The run directory.
        run: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another process works on the run.
    #[error("process {holder} is at work on {}", run.display())]
    Locked {
        /// The run directory.
        run: PathBuf,
        /// The number of the process.
        holder: String,
    },
    /// The observer of a run stopped it.
    #[error("the run was stopped after {phase} step {step}; everything up to there is kept")]
    Stopped {
        /// The run directory.
        run: PathBuf,
        /// The phase of training.
        phase: &'static str,
        /// The last step that was done.
        step: usize,
    },
    /// The observer of a run failed.
    #[error("the observer of the run failed")]
    Observer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A loss, a parameter or a cost is not a finite number.
    #[error("training diverged in {phase} step {step}: {what} is not a finite number")]
    Diverged {
        /// The run directory.
        run: PathBuf,
        /// The phase of training.
        phase: &'static str,
        /// The step after which it was seen.
        step: usize,
        /// What is not a finite number.
        what: String,
        /// A directory with the networks before the step and what they learned from.
        found: Option<Box<Path>>,
    },
    /// The state of a run is damaged, or of another run.
    #[error("the state of the run cannot be used")]
    State(#[from] model::StateError),
    /// Two runs of a sweep would have one directory.
    #[error("two runs of the sweep would be called {name}; the other is {others}")]
    SameName {
        /// The name.
        name: String,
        /// The scenario and the settings of the other run.
        others: String,
    },
    /// A directory belongs to another sweep or study.
    #[error("{} belongs to another sweep: {reason}", path.display())]
    OtherSweep {
        /// The directory.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// A directory was not written by a sweep.
    #[error("{} is not the directory of a sweep: {reason}", path.display())]
    NoSweep {
        /// The directory.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// A directory was not written by a run of training, or the run did not end.
    #[error("{} is not a finished run of training: {reason}", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// A directory that must be new or empty holds something.
    #[error("{} exists and is not empty", path.display())]
    RunExists {
        /// The directory.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Answers cannot be written to where they should go.
    #[error("cannot write the answers")]
    Output {
        /// Why.
        source: std::io::Error,
    },
    /// A bandwidth cannot be shared out for one workload.
    #[error("{place}: the bandwidth cannot be shared out")]
    ShareOut {
        /// Where the workload stands in its input.
        place: String,
        /// Why.
        source: sim::AllocationError,
    },
    /// A picture cannot be drawn.
    #[error("the picture {} cannot be drawn: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The device was lost, or ran out of memory.
    #[error("computing on {device} failed: {reason}")]
    DeviceFailed {
        /// The device.
        device: String,
        /// The first message of the failure.
        reason: String,
        /// The last record that the run kept.
        kept: Option<Box<Path>>,
    },
    /// The system gives no threads.
    #[error("the pool of {threads} threads cannot be started")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },
}

impl Error {
    /// Makes the error of a file that cannot be read, for `map_err`.
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }

    /// Makes the error of a file that cannot be written, for `map_err`.
    pub(crate) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }

    /// Makes the error of a run that cannot be resumed.
    pub(crate) fn not_resumable(run: &Path, reason: impl Into<String>) -> Self {
        Self::NotResumable { run: run.to_owned(), reason: reason.into() }
    }

    /// Makes the error of a directory that is not a finished run.
    pub(crate) fn no_run(path: &Path, reason: impl Into<String>) -> Self {
        Self::NoRun { path: path.to_owned(), reason: reason.into() }
    }
}
