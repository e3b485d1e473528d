//! What the program says when something goes wrong: one error, its causes, and what to type instead.

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
pub(crate) enum CliError {
    #[error(transparent)]
    Library(#[from] mrdro::Error),
    #[error(transparent)]
    Study(study::Error),
    #[error(transparent)]
    Service(#[from] serve::ServeError),
    #[error("{signal} ended the run after {phase} step {step}; everything up to there is kept")]
    Interrupted { signal: Signal, run: PathBuf, phase: &'static str, step: usize },
    #[cfg(feature = "remote")]
    #[error("cannot listen on {address}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[cfg(feature = "remote")]
    #[error("everybody who reaches {address} could compute on this machine")]
    Unprotected { address: std::net::SocketAddr },
    #[cfg(feature = "remote")]
    #[error("the devices cannot be served: {reason}")]
    Serve { reason: String },
    #[cfg(feature = "remote")]
    #[error("one worker cannot serve devices of several backends")]
    MixedDevices,
    #[error("the token in {origin} must be 8 to 1024 printable characters")]
    Token { origin: String },
}

impl From<study::Error> for CliError {
    fn from(error: study::Error) -> Self {
        match error {
            study::Error::Library(error) => error.into(),
            error => Self::Study(error),
        }
    }
}

/// Lets `?` turn what the libraries below fail with into the error of the program.
macro_rules! through_library {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                mrdro::Error::from(error).into()
            }
        })*
    };
}

through_library!(
    sim::ScenarioError,
    data::DataError,
    data::SizesError,
    data::TaskFileError,
    model::CodeError,
    data::trace::TraceError,
    sim::SchemeError,
    model::BackendError,
    model::RecordError,
    model::OptionError,
    mrdro::training::TrainingError,
);

impl CliError {
    /// What to type instead.
    fn help(&self) -> Option<String> {
        let text = match self {
            Self::Library(error) => return library(error),
            Self::Study(error) => return study(error),
            Self::Service(error) => return service(error),
            Self::Interrupted { run, phase, .. } => {
                let command = if *phase == "fleet" { "fleet" } else { "train" };
                return Some(format!("`cargo run -p trainer -- {command} --resume {}` goes on", run.display()));
            }
            #[cfg(feature = "remote")]
            Self::Listen { .. } => "name a free port of this machine, as in `--listen 127.0.0.1:3001`",
            #[cfg(feature = "remote")]
            Self::Unprotected { .. } => {
                "give the worker a token (--token-file FILE, or the environment variable TRAINER_TOKEN), or say --open"
            }
            #[cfg(feature = "remote")]
            Self::MixedDevices => "start one worker for each backend, with a port of its own",
            #[cfg(feature = "remote")]
            Self::Serve { .. } => return None,
            Self::Token { .. } => "`openssl rand -hex 16 > FILE` makes a good one",
        };
        Some(text.into())
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
        use mrdro::Error;
        use mrdro::training::TrainingError::{BadSetting, UnknownPreset};
        match self {
            Self::Interrupted { signal, .. } => signal.exit(),
            Self::Library(
                Error::Training(BadSetting { .. } | UnknownPreset { .. })
                | Error::BadOption { .. }
                | Error::Backend(model::BackendError::UnknownDevice { .. }),
            ) => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

/// What to type instead, for errors of the library.
fn library(error: &mrdro::Error) -> Option<String> {
    use data::exchange::ExchangeError;
    use data::{DataError, SizesError};
    use mrdro::Error;
    use sim::{ScenarioError, SchemeError};
    let text = match error {
        Error::Scenario(ScenarioError::Unknown { .. }) => "`trainer scenario list` shows the shipped scenarios".into(),
        Error::Scenario(ScenarioError::Unreadable { .. }) => "check the path given to --scenario".into(),
        Error::Scenario(ScenarioError::Invalid(_)) => "`trainer scenario show paper` prints a complete scenario".into(),
        Error::Training(error) => training(error),
        Error::Sizes(SizesError::Unreadable { .. }) | Error::Data(DataError::Sizes(SizesError::Unreadable { .. })) => {
            "tasks.size_mb.path of the scenario must name a file of sizes; `evaluate --workloads` does without it"
                .into()
        }
        Error::Scheme(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. }) => {
            "`--scheme local-search` comes close at any size, as do labels by `--set meta.labels=local-search`".into()
        }
        Error::Backend(error) => return backend(error),
        Error::DeviceFailed { kept: Some(path), .. } => format!(
            "the networks as they were last kept are a record: `--start {}` goes on from them, `--device flex` on the CPU; \
             `train --resume {}` goes on with all of it once the device is back",
            path.display(),
            path.ancestors().nth(2).unwrap_or(path).display()
        ),
        Error::DeviceFailed { .. } => {
            "`trainer devices` lists the devices; a smaller drl.batch or network.dnns needs less \
                                       memory; `--device flex` computes on the CPU"
                .into()
        }
        Error::Record(error) => return record(error),
        Error::RunExists { .. } => "name another directory with --out".into(),
        Error::TooLarge { .. } => "make it smaller with --set, as in `--set network.hidden=[120,80]`".into(),
        Error::Environment(_) => {
            "an environment looks like {\"uplink_mbps\": [5, 10, 3], \"capacity\": [1, 1], \"alpha\": 0.5}".into()
        }
        Error::NoWindow { .. } => {
            "`trainer trace inspect PATH` shows the drives of a recording and their windows; a longer \
                                   --window finds more"
                .into()
        }
        Error::NoOptimum { .. } => "take a scenario with fewer tasks for each device".into(),
        Error::Option(_) | Error::OwnScenario { .. } => "leave the option out, or name another record".into(),
        Error::NoScenario { .. } => "say which one with --scenario, such as `--scenario shared-edges`".into(),
        Error::NotResumable { .. } => {
            "name the directory of a run that did not end, such as runs/paper-recommended-seed1".into()
        }
        Error::Locked { .. } => "wait until it is done, or end it".into(),
        Error::Diverged { run, found, .. } => diverged(run, found.as_deref()),
        Error::State(_) => "train again".into(),
        Error::SameName { .. } => "give the files of settings and scenarios names of their own (`name = ...`)".into(),
        Error::OtherSweep { .. } => "name another directory with --out, or merge the shards of one sweep only".into(),
        Error::NoSweep { .. } => "give directories that `trainer sweep` wrote".into(),
        Error::Exchange(ExchangeError::Workload { .. } | ExchangeError::Empty { .. }) => {
            "a line looks like {\"tasks_mb\": [[12.0, 25.5, 18.0], ...]}, one row for each device, with \"id\" and \
             \"environment\": {\"uplink_mbps\": 5, \"capacity\": [1, 1], \"alpha\": 0.5} if wanted; CSV is headed by \
             workload,device,task,mb"
                .into()
        }
        Error::ShareOut { source: sim::AllocationError::TooLittle { .. }, .. } => {
            "share out more, as in `--share-out 300`".into()
        }
        Error::ShareOut { .. } => "name a total instead of `sum`, as in `--share-out 300`".into(),
        Error::Exchange(ExchangeError::Unreadable { origin, .. }) => format!("is {origin} the right path?"),
        Error::Unreadable { path, .. } => format!("is {} the right path?", path.display()),
        Error::NoRun { .. } => "give directories that `trainer train` wrote".into(),
        _ => return None,
    };
    Some(text)
}

fn training(error: &mrdro::training::TrainingError) -> String {
    use mrdro::training::TrainingError;
    match error {
        TrainingError::UnknownPreset { .. } => "`--training recommended`".into(),
        TrainingError::BadSetting { .. } => "write KEY=VALUE, such as `--set drl.steps=5000`".into(),
        TrainingError::Unreadable { path, .. } => format!("is {} the right path?", path.display()),
        TrainingError::Invalid(_) => {
            "the config.toml of any run holds every setting, as do crates/mrdro/training/recommended.toml and (for any \
             fleet) fleet.toml those that are changed most"
                .into()
        }
    }
}

fn backend(error: &model::BackendError) -> Option<String> {
    use model::BackendError;
    let text = match error {
        BackendError::NotBuiltIn { feature } => {
            format!("`cargo run -p trainer --features {feature} -- ...` builds it in; `--device flex` uses the CPU")
        }
        BackendError::NoAdapter { .. } | BackendError::UnknownDevice { .. } => {
            "`--device flex` computes on the CPU; `trainer devices` lists the devices".into()
        }
        BackendError::Unreachable { .. } | BackendError::NoRemoteDevice { .. } => {
            "`cargo run -p trainer --features wgpu,remote -- worker --listen ADDRESS:PORT` serves a machine's devices and \
             says how to reach them"
                .into()
        }
        BackendError::Refused { .. } => "set the environment variable TRAINER_TOKEN to the worker's token".into(),
    };
    Some(text)
}

fn study(error: &study::Error) -> Option<String> {
    match error {
        study::Error::BadSplit { .. } => {
            Some("it is a CSV with the columns file (relative to it) and role (train or validation)".into())
        }
        _ => None,
    }
}

fn diverged(run: &Path, found: Option<&Path>) -> String {
    let mut help = "take a smaller learning_rate; ".to_owned();
    if let Some(found) = found {
        let _ = write!(help, "{} holds the networks before the step and what they learned from, ", found.display());
    }
    help + &format!("{} the last state that was good", run.join("checkpoints").display())
}

fn record(error: &model::RecordError) -> Option<String> {
    use model::RecordError;
    let text = match error {
        RecordError::OtherScenario { .. } => "name a scenario with the fleet of the record; `decide`, `evaluate` and \
                                              `compare` accept other rates with --any-rates"
            .into(),
        RecordError::Unreadable { .. } => {
            "a record is a directory with manifest.toml in it, such as models/paper or RUN_DIR/record".into()
        }
        RecordError::Version { .. } => "use the version of trainer that wrote it, or train again".into(),
        RecordError::Weights { .. } | RecordError::Manifest { .. } | RecordError::TooLong { .. } => {
            "copy the record again from where it was made, or train again".into()
        }
        RecordError::OtherKind { wanted, .. } => {
            let kind = model::KINDS.iter().find(|kind| kind.description == *wanted)?;
            format!("name a record that `{}` wrote", kind.command)
        }
        RecordError::Exists { .. } => "name another directory with --out".into(),
        _ => return None,
    };
    Some(text)
}

fn service(error: &serve::ServeError) -> Option<String> {
    use serve::ServeError;
    let text = match error {
        ServeError::Record(error) => return record(error),
        ServeError::NoScenario { .. } => "say which one with --scenario, such as `--scenario shared-edges`",
        ServeError::Option { .. } | ServeError::OwnScenario { .. } => {
            "leave out the option that does not fit, or name another record"
        }
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
