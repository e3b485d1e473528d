//! What the program says when something goes wrong: one error, why, and what to type instead.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::interrupt::Signal;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Success = 0,
    /// It was not.
    Failure = 1,
    /// The command line was wrong (also clap's own code).
    Usage = 2,
    /// Ctrl-C ended a run in order: 128 and the number of the signal, as shells have it.
    Interrupted = 130,
    /// SIGTERM did.
    Terminated = 143,
}

/// Everything that can end a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Scenario(#[from] sim::ScenarioError),
    #[error(transparent)]
    Sizes(#[from] data::SizesError),
    #[error(transparent)]
    Data(#[from] data::DataError),
    #[error(transparent)]
    Trace(#[from] data::trace::TraceError),
    #[error(transparent)]
    TaskFile(#[from] data::TaskFileError),
    #[error(transparent)]
    Environment(#[from] sim::EnvironmentError),
    #[error(transparent)]
    Scheme(#[from] sim::SchemeError),
    #[error(transparent)]
    Settings(#[from] sim::config::Problems),
    #[error(transparent)]
    Backend(#[from] model::BackendError),
    #[error(transparent)]
    Record(#[from] model::RecordError),
    #[error(transparent)]
    Code(#[from] model::CodeError),
    #[error(
        "there is no training preset called `{name}`; there are recommended, paper, environments and adaptable, anything else must be a TOML file"
    )]
    UnknownTraining { name: String },
    #[error("`--set {text}` is no setting")]
    BadSetting { text: String },
    #[error("{} says not what each recording is for: {reason}", path.display())]
    BadSplit { path: PathBuf, reason: String },
    #[error("{} has {reason}", path.display())]
    NoWindow { path: PathBuf, reason: String },
    #[error("the optimum of `{scenario}` cannot be computed, and without it nobody could tell how good adaptation is")]
    NoOptimum { scenario: String },
    #[error("`{option} {text}` is not {wanted}")]
    BadOption { option: &'static str, text: String, wanted: &'static str },
    #[error("{option} needs a record of {wanted}, and this is one of others")]
    OtherRecord { option: &'static str, wanted: &'static str },
    #[error("{} decides for any fleet and has no scenario of its own", path.display())]
    NoScenario { path: PathBuf },
    #[error("{} cannot go on: {reason}", run.display())]
    NotResumable { run: PathBuf, reason: String },
    #[error("process {holder} is at work on {}", run.display())]
    Locked { run: PathBuf, holder: String },
    #[error("{signal} ended the run after {phase} step {step}; everything up to there is kept")]
    Interrupted { signal: Signal, run: PathBuf, phase: &'static str, step: usize },
    #[error("training went astray in {phase} step {step}: no number is {what}")]
    Astray { run: PathBuf, phase: &'static str, step: usize, what: String, found: Option<Box<Path>> },
    #[error("the state of the run is of no use")]
    State(#[from] model::StateError),
    #[error("two runs of the sweep would be called {name}; the other is {others}")]
    SameName { name: String, others: String },
    #[error("{} belongs to another sweep: {reason}", path.display())]
    OtherSweep { path: PathBuf, reason: String },
    #[error("{} is no directory of a sweep: {reason}", path.display())]
    NoSweep { path: PathBuf, reason: String },
    #[error("{what}: {count} are more than the {limit} that are possible")]
    TooLarge { what: &'static str, count: usize, limit: usize },
    #[error("the networks cannot be written: {reason}")]
    Export { reason: String },
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("cannot write {}", path.display())]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("cannot write the answers")]
    Output { source: std::io::Error },
    #[error("{} is there and not empty", path.display())]
    RunExists { path: PathBuf },
    #[error(transparent)]
    Exchange(#[from] data::exchange::ExchangeError),
    #[error("{place}: the bandwidth cannot be shared out")]
    ShareOut { place: String, source: sim::AllocationError },
    #[error("{} is no run of training: {reason}", path.display())]
    NoRun { path: PathBuf, reason: String },
    #[error("the picture {} cannot be drawn: {reason}", path.display())]
    Picture { path: PathBuf, reason: String },
    #[error("computing on {device} failed: {reason}")]
    DeviceFailed { device: String, reason: String, kept: Option<Box<Path>> },
    #[cfg(feature = "remote")]
    #[error("cannot listen on {address}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[cfg(feature = "remote")]
    #[error("whoever reaches {address} could compute on this machine")]
    Unprotected { address: std::net::SocketAddr },
    #[cfg(feature = "remote")]
    #[error("the devices cannot be served: {reason}")]
    Serve { reason: String },
    #[cfg(feature = "remote")]
    #[error("one worker cannot serve devices of several backends")]
    MixedDevices,
    #[error("the token in {origin} must be 8 to 1024 printable characters")]
    Token { origin: String },
    #[error(transparent)]
    Service(#[from] serve::ServeError),
    #[error("the pool of {threads} threads cannot be started")]
    Threads { threads: usize, source: rayon::ThreadPoolBuildError },
}

impl AppError {
    /// What to type instead.
    fn help(&self) -> Option<String> {
        use data::exchange::ExchangeError;
        use data::{DataError, SizesError};
        use model::BackendError;
        use sim::{ScenarioError, SchemeError};
        let text = match self {
            Self::Scenario(ScenarioError::Unknown { .. }) => {
                "`trainer scenario list` shows the shipped scenarios".into()
            }
            Self::Scenario(ScenarioError::Unreadable { .. }) => "check the path given to --scenario".into(),
            Self::Scenario(ScenarioError::Invalid(_)) => {
                "`trainer scenario show paper` prints a complete scenario".into()
            }
            Self::Settings(_) => {
                "crates/trainer/training/recommended.toml is a complete file of settings (for any fleet: fleet.toml)".into()
            }
            Self::Sizes(SizesError::Unreadable { .. }) | Self::Data(DataError::Sizes(SizesError::Unreadable { .. })) => {
                "tasks.size_mb.path of the scenario must name a file of sizes; `evaluate --workloads` does without it".into()
            }
            Self::Scheme(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. }) => {
                "`--scheme local-search` comes close at any size, as do labels by `--set meta.labels=local-search`".into()
            }
            Self::Backend(BackendError::NotBuiltIn { feature }) => {
                format!("`cargo run -p trainer --features {feature} -- ...` builds it in; `--device flex` uses the CPU")
            }
            Self::Backend(BackendError::NoAdapter { .. } | BackendError::UnknownDevice { .. }) => {
                "`--device flex` computes on the CPU; `trainer devices` lists what is there".into()
            }
            Self::Backend(BackendError::Unreachable { .. } | BackendError::NoRemoteDevice { .. }) => {
                "`cargo run -p trainer --features wgpu,remote -- worker --listen ADDRESS:PORT` serves a machine's devices and says \
                 how to reach them"
                    .into()
            }
            Self::Backend(BackendError::Refused { .. }) => {
                "set the environment variable TRAINER_TOKEN to the worker's token".into()
            }
            Self::DeviceFailed { kept: Some(path), .. } => format!(
                "the networks as they were last kept are a record: `--start {}` goes on from them, `--device flex` on the CPU; `train \
                 --resume {}` goes on with all of it once the device is back",
                path.display(),
                path.ancestors().nth(2).unwrap_or(path).display()
            ),
            Self::DeviceFailed { .. } => {
                "`trainer devices` lists what is there; a smaller drl.batch or network.dnns needs less memory; `--device flex` \
                 computes on the CPU"
                    .into()
            }
            #[cfg(feature = "remote")]
            Self::Listen { .. } => "name a free port of this machine, as in `--listen 127.0.0.1:3001`".into(),
            #[cfg(feature = "remote")]
            Self::Unprotected { .. } => {
                "give the worker a token (--token-file FILE, or the environment variable TRAINER_TOKEN), or say --open".into()
            }
            #[cfg(feature = "remote")]
            Self::MixedDevices => "start one worker for each backend, with a port of its own".into(),
            Self::Token { .. } => "`openssl rand -hex 16 > FILE` makes a good one".into(),
            Self::Record(error) => return record(error),
            Self::RunExists { .. } => "name another directory with --out".into(),
            Self::TooLarge { .. } => "make it smaller with --set, as in `--set network.hidden=[120,80]`".into(),
            Self::Service(error) => return service(error),
            Self::UnknownTraining { .. } => "`--training recommended`".into(),
            Self::Environment(_) => "an environment looks like {\"uplink_mbps\": [5, 10, 3], \"capacity\": [1, 1], \"alpha\": 0.5}".into(),
            Self::BadSplit { .. } => {
                "it is a CSV with the columns file (relative to it) and role (train or validation)".into()
            }
            Self::NoWindow { .. } => "`trainer trace inspect PATH` shows the drives of a recording and their windows; a longer --window finds more".into(),
            Self::NoOptimum { .. } => "take a scenario with fewer tasks for each device".into(),
            Self::OtherRecord { .. } => "leave it out, or name another record".into(),
            Self::NoScenario { .. } => "say which one with --scenario, such as `--scenario shared-edges`".into(),
            Self::NotResumable { .. } => "name the directory of a run that did not end, such as runs/paper-recommended-seed1".into(),
            Self::Locked { .. } => "wait until it is done, or end it".into(),
            Self::Interrupted { run, phase, .. } => {
                let command = if *phase == "fleet" { "fleet" } else { "train" };
                format!("`cargo run -p trainer -- {command} --resume {}` goes on", run.display())
            }
            Self::Astray { run, found, .. } => astray(run, found.as_deref()),
            Self::State(_) => "train again".into(),
            Self::SameName { .. } => "give the files of settings and scenarios names of their own (`name = ...`)".into(),
            Self::OtherSweep { .. } => "name another directory with --out, or merge the shards of one sweep only".into(),
            Self::NoSweep { .. } => "give directories that `trainer sweep` wrote".into(),
            Self::BadSetting { .. } => "write KEY=VALUE, such as `--set drl.steps=5000`".into(),
            Self::Exchange(ExchangeError::Workload { .. } | ExchangeError::Empty { .. }) => {
                "a line looks like {\"tasks_mb\": [[12.0, 25.5, 18.0], ...]}, one row for each device, with \"id\" and \"environment\": \
                 {\"uplink_mbps\": 5, \"capacity\": [1, 1], \"alpha\": 0.5} if wanted; CSV is headed by workload,device,task,mb"
                    .into()
            }
            Self::ShareOut { source: sim::AllocationError::TooLittle { .. }, .. } => {
                "share out more, as in `--share-out 300`".into()
            }
            Self::ShareOut { .. } => "name a total instead of `sum`, as in `--share-out 300`".into(),
            Self::Exchange(ExchangeError::Unreadable { origin, .. }) => format!("is {origin} the right path?"),
            Self::Unreadable { path, .. } => format!("is {} the right path?", path.display()),
            Self::NoRun { .. } => "give directories that `trainer train` wrote".into(),
            _ => return None,
        };
        Some(text)
    }

    /// The whole message: error, causes and help.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("error: {self}");
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let _ = write!(text, "\n  because: {error}");
            cause = error.source();
        }
        if let Some(help) = self.help() {
            let _ = write!(text, "\nhelp: {help}");
        }
        text
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Interrupted { signal, .. } => signal.exit(),
            Self::BadSetting { .. }
            | Self::BadOption { .. }
            | Self::UnknownTraining { .. }
            | Self::Backend(model::BackendError::UnknownDevice { .. }) => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

fn astray(run: &Path, found: Option<&Path>) -> String {
    let mut help = "take a smaller learning_rate; ".to_owned();
    if let Some(found) = found {
        let _ = write!(help, "{} holds the networks before the step and what they learned from, ", found.display());
    }
    help + &format!("{} the last state that was good", run.join("checkpoints").display())
}

fn record(error: &model::RecordError) -> Option<String> {
    use model::RecordError;
    let text = match error {
        RecordError::OtherScenario { .. } => {
            "name a scenario with the fleet of the record; `decide`, `evaluate` and `compare` accept other rates with --any-rates"
        }
        RecordError::Unreadable { .. } => {
            "a record is a directory with manifest.toml in it, such as models/paper or RUN_DIR/record"
        }
        RecordError::Version { .. } => "use the version of trainer that wrote it, or train again",
        RecordError::Weights { .. } | RecordError::Manifest { .. } | RecordError::TooLong { .. } => {
            "copy the record again from where it was made, or train again"
        }
        RecordError::OtherKind { wanted, .. } if wanted.contains("scenario") => {
            "name a record that `trainer train` wrote"
        }
        RecordError::OtherKind { .. } => "name a record that `trainer fleet` wrote",
        RecordError::Exists { .. } => "name another directory with --out",
        _ => return None,
    };
    Some(text.into())
}

fn service(error: &serve::ServeError) -> Option<String> {
    use serve::ServeError;
    let text = match error {
        ServeError::Record(error) => return record(error),
        ServeError::NoScenario { .. } => "say which one with --scenario, such as `--scenario shared-edges`",
        ServeError::Unfit { .. } => "leave out the option that does not fit, or name another record",
        ServeError::Scenario(_) => "`trainer scenario show paper` prints a complete scenario",
        ServeError::Sizes(_) => "tasks.size_mb.path of the scenario must name a file of sizes",
        ServeError::Unprotected { .. } => {
            "give the service a token (--token-file FILE, or the environment variable TRAINER_TOKEN), or say --open"
        }
        ServeError::Listen { .. } => "name a free port of this machine, as in `--listen 127.0.0.1:8081`",
        ServeError::Tls { .. } => "--tls-cert takes a chain of certificates, --tls-key its private key, both as PEM",
        ServeError::Origin { .. } => {
            "an origin has a scheme and a name, and no path: `--cors https://platform.example`"
        }
        ServeError::Start { .. } => return None,
    };
    Some(text.into())
}
