//! The error of the library. Advice on what to type instead is left to programs.

use std::path::{Path, PathBuf};

use crate::training::TrainingError;

/// The error of every call of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A scenario cannot be read, or has mistakes.
    #[error(transparent)]
    Scenario(#[from] sim::ScenarioError),
    /// The file of task sizes that a scenario names cannot be used.
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
    /// A scheme cannot decide.
    #[error(transparent)]
    Scheme(#[from] sim::SchemeError),
    /// A file of task graphs cannot be read.
    #[error(transparent)]
    GraphFile(#[from] data::graphs::GraphFileError),
    /// A table of measured layers cannot be used.
    #[error(transparent)]
    LayerTable(#[from] data::graphs::LayerTableError),
    /// An application does not fit the scenario.
    #[error(transparent)]
    GraphModel(#[from] sim::graph::GraphModelError),
    /// A scheme cannot decide a task graph.
    #[error(transparent)]
    GraphScheme(#[from] sim::graph::scheme::GraphSchemeError),
    /// A scenario over time makes no problem.
    #[error(transparent)]
    StreamScenario(Box<sim::stream::scenario::StreamScenarioError>),
    /// The recordings that a scenario over time names cannot be used.
    #[error(transparent)]
    StreamData(Box<data::streams::StreamDataError>),
    /// A scheme for dispatching has no such name, or no such numbers.
    #[error(transparent)]
    DispatchScheme(Box<sim::stream::dispatch::scheme::DispatchSchemeError>),
    /// A scheme for slots has no such name, or cannot decide.
    #[error(transparent)]
    SlotScheme(Box<sim::stream::slots::SlotSchemeError>),
    /// Schemes cannot be tuned on these courses.
    #[error(transparent)]
    Tuning(Box<sim::stream::dispatch::tuning::TuningError>),
    /// A scheme has no numbers to tune.
    #[error("{scheme} has no numbers to tune; these have some: {tunable}")]
    NotTunable {
        /// The scheme.
        scheme: String,
        /// The schemes that can be tuned.
        tunable: String,
    },
    /// An application of a file does not fit the scenario.
    #[error("{origin}, line {line}: {reason}")]
    Application {
        /// The file.
        origin: String,
        /// The name of the application, if it has one.
        id: Option<data::exchange::Id>,
        /// The line in which the application begins, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An option for another kind of scenario.
    #[error("{option} is for scenarios {of}, and this scenario is one {is}; leave it out")]
    WrongKind {
        /// The option, as the command line calls it.
        option: &'static str,
        /// The kind of scenario that the option is for, such as `of independent tasks`.
        of: &'static str,
        /// The kind of the scenario.
        is: &'static str,
    },
    /// There is no application to decide.
    #[error("there is no application to decide")]
    NoApplication,
    /// Networks cannot dispatch tasks that arrive over time.
    #[error(
        "`{name}` holds {kind}; tasks that arrive over time need a record of networks for them, such as models/any-site"
    )]
    NoDispatcher {
        /// What the networks are called.
        name: String,
        /// Their kind in words.
        kind: &'static str,
    },
    /// A scenario in slots has no places among which networks could choose.
    #[error(
        "this scenario is in slots, where data waits for a good link; records are for scenarios with devices and servers, such as dispatch"
    )]
    NothingToDispatch,
    /// A workload cannot be read.
    #[error(transparent)]
    Exchange(#[from] data::exchange::ExchangeError),
    /// Workloads were refused, and the others were answered all the same.
    #[error(
        "{refused} of {workloads} workloads were refused; each has its line and what is wrong in place of an answer"
    )]
    Refused {
        /// The number of workloads that were refused.
        refused: u64,
        /// The number of all workloads.
        workloads: u64,
    },
    /// A training does not exist, cannot be read, or has mistakes.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A device does not exist, or cannot be opened.
    #[error(transparent)]
    Backend(#[from] model::BackendError),
    /// A record cannot be saved or loaded.
    #[error(transparent)]
    Record(#[from] model::RecordError),
    /// An option for another kind of networks than the record holds.
    #[error("{0}, and this record is of another kind")]
    Option(#[from] model::OptionError),
    /// A code cannot tell the places of a scenario apart.
    #[error(transparent)]
    Code(#[from] model::CodeError),
    /// A record for any fleet, without a scenario to decide for.
    #[error("{} has no scenario of its own", path.display())]
    NoScenario {
        /// The record.
        path: PathBuf,
    },
    /// A record for one scenario, together with another scenario.
    #[error("{} is a record for one scenario; only networks for any fleet can decide for another", path.display())]
    OwnScenario {
        /// The record.
        path: PathBuf,
    },
    /// A recording does not hold the drive or the window that was named.
    #[error("{} has {reason}", path.display())]
    NoWindow {
        /// The recording.
        path: PathBuf,
        /// The thing that is missing.
        reason: String,
    },
    /// Adaptation to a scenario whose optimum cannot be computed.
    #[error("adaptation is measured against the optimum, which cannot be computed for scenario `{scenario}`")]
    NoOptimum {
        /// The scenario's name.
        scenario: String,
    },
    /// A size beyond the limit of memory or of a sweep.
    #[error("{what}: {count} is more than the limit of {limit}")]
    TooLarge {
        /// The things that are counted.
        what: &'static str,
        /// Their number.
        count: usize,
        /// The largest number that is possible.
        limit: usize,
    },
    /// The value of an option is of another form than it takes.
    #[error("`{option} {text}` is not {wanted}")]
    BadOption {
        /// The option, as the command line calls it.
        option: &'static str,
        /// The value that was given.
        text: String,
        /// The form of values that it takes.
        wanted: &'static str,
    },
    /// A directory does not hold a run that can be resumed.
    #[error("{} cannot be resumed: {reason}", run.display())]
    NotResumable {
        /// The run directory.
        run: PathBuf,
        /// The reason.
        reason: String,
    },
    /// Another process trains the run.
    #[error("process {holder} is already training {}", run.display())]
    Locked {
        /// The run directory.
        run: PathBuf,
        /// The number of the process.
        holder: String,
    },
    /// The observer of a run stopped it.
    #[error("the run was stopped after {phase} step {step}; everything up to this step is kept")]
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
    /// A loss, a parameter or a cost became infinite or not a number.
    #[error("training diverged in {phase} step {step}: {what} is not a finite number")]
    Diverged {
        /// The run directory.
        run: PathBuf,
        /// The phase of training.
        phase: &'static str,
        /// The step after which it was noticed.
        step: usize,
        /// The number that is not finite.
        what: String,
        /// The directory with the networks before the step and the workloads that they learned from, if it was written.
        found: Option<Box<Path>>,
    },
    /// The checkpoint of a run is damaged, or of another run.
    #[error("the checkpoint of the run cannot be used")]
    State(#[from] model::StateError),
    /// Two different runs of a sweep would have one directory.
    #[error("two runs of the sweep would be called {name}; one of them is {others}")]
    SameName {
        /// The name of the directory.
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
        /// The thing that is missing.
        reason: String,
    },
    /// A directory was not written by a training run, or the run did not finish.
    #[error("{} is not a finished training run: {reason}", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// The thing that is missing.
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
        /// The reason.
        source: std::io::Error,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The output of a command cannot be written.
    #[error("cannot write the output")]
    Output {
        /// The reason.
        source: std::io::Error,
    },
    /// A bandwidth cannot be shared out for one workload.
    #[error("{place}: the bandwidth cannot be shared out")]
    ShareOut {
        /// The place of the workload in its input.
        place: String,
        /// The reason.
        source: sim::AllocationError,
    },
    /// A picture cannot be drawn.
    #[error("the picture {} cannot be drawn: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The device was lost or ran out of memory while it computed.
    #[error("computing on {device} failed: {reason}")]
    DeviceFailed {
        /// The device.
        device: String,
        /// The first message of the failure.
        reason: String,
        /// The last record that the run kept, if any.
        kept: Option<Box<Path>>,
    },
    /// Threads cannot be started.
    #[error("the pool of {threads} threads cannot be started")]
    Threads {
        /// The number of threads.
        threads: usize,
        /// The reason.
        source: rayon::ThreadPoolBuildError,
    },
}

impl Error {
    /// Whether work was stopped by the `goes_on` of its caller.
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Scheme(sim::SchemeError::Interrupted))
    }

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

// Boxed, so that results without an error stay small.
macro_rules! boxed {
    ($($variant:ident: $error:ty;)*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        })*
    };
}

boxed! {
    StreamScenario: sim::stream::scenario::StreamScenarioError;
    StreamData: data::streams::StreamDataError;
    DispatchScheme: sim::stream::dispatch::scheme::DispatchSchemeError;
    SlotScheme: sim::stream::slots::SlotSchemeError;
    Tuning: sim::stream::dispatch::tuning::TuningError;
}
