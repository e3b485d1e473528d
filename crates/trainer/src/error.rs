//! The errors of the program: a message, its causes, and a help line with something to type.

use std::fmt::{Display, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::interrupt::Signal;

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did its work.
    Success = 0,
    /// The command failed.
    Failure = 1,
    /// The command line has a mistake; clap uses this code, too.
    Usage = 2,
    /// Ctrl-C stopped the run after a checkpoint. As in shells, the code is 128 plus the number of the signal.
    Interrupted = 130,
    /// SIGTERM stopped the run after a checkpoint.
    Terminated = 143,
}

/// The error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Library(#[from] mrdro::Error),
    #[error(transparent)]
    Study(study::Error),
    #[error(transparent)]
    Service(#[from] serve::ServeError),
    #[error("{signal} stopped the run after {phase} step {step}; everything up to this step is kept")]
    Interrupted { signal: Signal, run: PathBuf, phase: &'static str, step: usize },
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Listen(#[from] serve::ListenError),
    #[cfg(feature = "remote")]
    #[error("without a token, every machine that reaches {address} could compute on this machine")]
    Unprotected { address: std::net::SocketAddr },
    #[cfg(feature = "remote")]
    #[error("the devices cannot be served: {reason}")]
    Serve { reason: String },
    #[cfg(feature = "remote")]
    #[error("one worker cannot serve devices of several backends")]
    MixedDevices,
    #[error("the service at {url} {reason}")]
    Against { url: String, reason: String, help: &'static str },
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

/// Lets `?` convert the errors of the lower libraries into the error of the program.
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
    /// The help line of an error: something to type.
    fn help(&self) -> Option<String> {
        let text = match self {
            Self::Library(error) => return library(error),
            Self::Study(error) => return study(error),
            Self::Service(error) => return service(error),
            Self::Interrupted { run, phase, .. } => {
                let command = if *phase == "fleet" { "fleet" } else { "train" };
                return Some(format!(
                    "`cargo run -p trainer -- {command} --resume {}` continues the run",
                    run.display()
                ));
            }
            #[cfg(feature = "remote")]
            Self::Listen(error) => return Some(listen(error, 3001)),
            #[cfg(feature = "remote")]
            Self::Unprotected { .. } => {
                "give the worker a token (--token-file FILE, or the environment variable TRAINER_TOKEN), or allow every \
                 machine with --open"
            }
            #[cfg(feature = "remote")]
            Self::MixedDevices => "start one worker for each backend, each with its own port",
            #[cfg(feature = "remote")]
            Self::Serve { .. } => return None,
            Self::Against { help, .. } => help,
            Self::Token { .. } => "`openssl rand -hex 16 > FILE` makes a good token",
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

    /// The exit code of the program after this error.
    pub(crate) fn exit(&self) -> Exit {
        use mrdro::Error;
        use mrdro::training::TrainingError::{BadSetting, UnknownPreset};
        match self {
            Self::Interrupted { signal, .. } => signal.exit(),
            Self::Library(
                Error::Training(BadSetting { .. } | UnknownPreset { .. })
                | Error::BadOption { .. }
                | Error::WrongKind { .. }
                | Error::Backend(model::BackendError::UnknownDevice { .. }),
            ) => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

/// The help line of an error of the library.
fn library(error: &mrdro::Error) -> Option<String> {
    use mrdro::Error;
    match error {
        Error::Scenario(_) | Error::Sizes(_) | Error::Data(_) | Error::NoScenario { .. } => scenario(error),
        Error::Training(error) => training(error),
        Error::Backend(error) => Some(backend(error)),
        Error::DeviceFailed { kept, .. } => Some(device_failed(kept.as_deref())),
        Error::Record(error) => record(error),
        Error::Diverged { run, found, .. } => Some(diverged(run, found.as_deref())),
        Error::Exchange(error) => workloads(error),
        Error::Unreadable { path, source } => unreadable(&path.display(), source),
        error => advice(error).map(str::to_owned),
    }
}

/// The help lines that do not depend on the values in the error.
fn advice(error: &mrdro::Error) -> Option<&'static str> {
    use data::graphs::LayerTableError;
    use data::trace::TraceError;
    use mrdro::Error;
    use sim::{AllocationError, SchemeError};
    let text = match error {
        Error::Scheme(SchemeError::TooLarge { .. } | SchemeError::NotProved { .. }) => {
            "`--scheme local-search` comes close at any size, as do labels by `--set meta.labels=local-search`"
        }
        Error::Trace(TraceError::UnknownFormat { .. }) => {
            "`--as FORMAT` reads it in a format that you name, and `--columns \"time=NAME:s,rate=NAME:mbps\"` reads any table"
        }
        Error::Trace(TraceError::Header { .. }) => {
            "name columns as the header does, as in `--columns \"time=Timestamp:iso,rate=UL_bitrate:kbps,device=phone\"`"
        }
        Error::LayerTable(LayerTableError::Unreadable { .. }) => "layer_times of the scenario must name a CSV file",
        Error::LayerTable(
            LayerTableError::Empty { .. } | LayerTableError::Columns { .. } | LayerTableError::Line { .. },
        ) => {
            "a line looks like `conv1,convolution,211,0.14,155,1162,0.031`, below the header \
             `layer,kind,mflop,weights_mb,input_kb,output_kb,seconds`"
        }
        Error::RunExists { .. } => "name another directory with --out",
        Error::TooLarge { .. } => "make it smaller with --set, as in `--set network.hidden=[120,80]`",
        Error::Environment(_) => {
            "an environment looks like {\"uplink_mbps\": [5, 10, 3], \"capacity\": [1, 1], \"alpha\": 0.5}"
        }
        Error::NoWindow { .. } => {
            "`trainer trace inspect PATH` shows the drives of a recording and their windows; a longer --window finds more"
        }
        Error::NoOptimum { .. } => "choose a scenario with fewer tasks per device",
        Error::Option(_) => "leave the option out, or name another record",
        Error::OwnScenario { .. } => "leave --scenario out, or name a record for any fleet",
        Error::NotResumable { .. } => {
            "name the directory of a run that did not finish, such as runs/paper-recommended-seed1"
        }
        Error::Locked { .. } => "wait until that process is done, or end it",
        Error::State(_) => "train again",
        Error::SameName { .. } => "give each file of settings or scenarios a name of its own (`name = ...`)",
        Error::OtherSweep { .. } => "name another directory with --out, or merge only shards of one sweep",
        Error::NoSweep { .. } => "name directories that `trainer sweep` wrote",
        Error::NoRun { .. } => "name directories that `trainer train` wrote",
        Error::ShareOut { source: AllocationError::TooLittle { .. }, .. } => "share out more, as in `--share-out 300`",
        Error::ShareOut { .. } => "name a total instead of `sum`, as in `--share-out 300`",
        _ => return None,
    };
    Some(text)
}

fn scenario(error: &mrdro::Error) -> Option<String> {
    use data::{DataError, Reason, SizesError};
    use mrdro::Error;
    use sim::ScenarioError;
    let text = match error {
        Error::Scenario(ScenarioError::Unreadable { path, source }) if is_text_refused(source) => {
            return unreadable(&path.display(), source);
        }
        Error::Sizes(SizesError::Unreadable { path, source })
        | Error::Data(DataError::Sizes(SizesError::Unreadable { path, source }))
            if is_text_refused(source) =>
        {
            return unreadable(&path.display(), source);
        }
        Error::Sizes(SizesError::BadLine { path, reason: Reason::NotUtf8, .. })
        | Error::Data(DataError::Sizes(SizesError::BadLine { path, reason: Reason::NotUtf8, .. })) => {
            return Some(as_utf8(&path.display()));
        }
        Error::Scenario(ScenarioError::Unknown { .. }) => "`trainer scenario list` shows the shipped scenarios",
        Error::Scenario(ScenarioError::Unreadable { .. }) => "check the path given to --scenario",
        Error::Scenario(ScenarioError::Invalid(mistakes))
            if mistakes.list.iter().any(|mistake| mistake.key == "kind") =>
        {
            "`trainer scenario list` shows the kind of each scenario; `compare` and `solve` decide those of task graphs, too"
        }
        Error::Scenario(ScenarioError::Invalid(_)) => {
            "`trainer scenario show NAME` prints a complete scenario, such as paper, graph, dispatch or commute"
        }
        Error::Sizes(SizesError::Unreadable { .. }) | Error::Data(DataError::Sizes(SizesError::Unreadable { .. })) => {
            "tasks.size_mb.path of the scenario must name a file of sizes; `evaluate --workloads` needs no such file"
        }
        Error::NoScenario { .. } => {
            "name the scenario to decide for, such as `--scenario shared-edges`; networks for any site need one whose tasks arrive over time, such as `dispatch`"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// `kept` is the last record of the run, in RUN_DIR/checkpoints.
fn device_failed(kept: Option<&Path>) -> String {
    match kept {
        Some(path) => format!(
            "`train --resume {}` continues the run once the device is back; `--start {}` starts from the last networks that \
             were kept, and with `--device flex` on the CPU",
            path.ancestors().nth(2).unwrap_or(path).display(),
            path.display()
        ),
        None => "`trainer devices` lists the devices; a smaller drl.batch or network.dnns needs less memory; `--device flex` \
                 computes on the CPU"
            .to_owned(),
    }
}

fn workloads(error: &data::exchange::ExchangeError) -> Option<String> {
    use data::exchange::ExchangeError;
    match error {
        ExchangeError::Workload { .. } | ExchangeError::Empty { .. } => Some(
            "a line of JSON looks like {\"tasks_mb\": [[12.0, 25.5, 18.0], ...]}, with one row for each device; it may also \
             hold \"id\", \"deadline_s\": 60 and \"environment\": {\"uplink_mbps\": 5, \"capacity\": [1, 1], \"alpha\": 0.5}; CSV has \
             the header workload,device,task,mb"
                .to_owned(),
        ),
        ExchangeError::Unreadable { origin, source } => unreadable(origin, source),
    }
}

/// The help line of a file that cannot be read. Only of a file that was not found is the path in doubt.
fn unreadable(path: &dyn Display, source: &io::Error) -> Option<String> {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    match source.kind() {
        _ if is_text_refused(source) => Some(as_utf8(path)),
        NotFound | IsADirectory | NotADirectory => Some(format!("is {path} the right path?")),
        _ => None,
    }
}

/// Whether a file was read, but is neither UTF-8 nor UTF-16.
fn is_text_refused(source: &io::Error) -> bool {
    sim::text::not_text(source).is_some()
}

fn as_utf8(path: &dyn Display) -> String {
    format!("save {path} as UTF-8, as every editor can; UTF-16 is read, too")
}

fn training(error: &mrdro::training::TrainingError) -> Option<String> {
    use mrdro::training::TrainingError;
    let text = match error {
        TrainingError::UnknownPreset { .. } => "`--training recommended`".into(),
        TrainingError::BadSetting { .. } => "write KEY=VALUE, such as `--set drl.steps=5000`".into(),
        TrainingError::Unreadable { path, source } => return unreadable(&path.display(), source),
        TrainingError::Invalid(_) => {
            "the config.toml of any run directory holds every setting; crates/mrdro/training/recommended.toml (fleet.toml for \
             any fleet) explains the most important ones"
                .into()
        }
    };
    Some(text)
}

fn backend(error: &model::BackendError) -> String {
    use model::BackendError;
    match error {
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
    }
}

fn study(error: &study::Error) -> Option<String> {
    match error {
        study::Error::BadSplit { .. } => {
            Some("a split is a CSV file with the columns file (relative to it) and role (train or validation)".into())
        }
        _ => None,
    }
}

fn diverged(run: &Path, found: Option<&Path>) -> String {
    let mut help = "take a smaller learning_rate; ".to_owned();
    if let Some(found) = found {
        let _ = write!(help, "{} holds the networks before the step and their workloads, ", found.display());
    }
    help + &format!("{} the last state before", run.join("checkpoints").display())
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
        RecordError::Version { .. } => "use the version of trainer that wrote the record, or train again".into(),
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

/// The help line for an address that cannot be listened on; `port` is one that is likely free.
fn listen(error: &serve::ListenError, port: u16) -> String {
    match error {
        serve::ListenError::Unresolved { .. } => format!(
            "name this machine by an address or a name of its own, as in `--listen 127.0.0.1:{port}`; `--listen :{port}` listens on \
             every address"
        ),
        serve::ListenError::Refused { .. } => {
            format!("name a free port of this machine, as in `--listen 127.0.0.1:{port}`")
        }
    }
}

fn service(error: &serve::ServeError) -> Option<String> {
    use serve::ServeError;
    let text = match error {
        ServeError::Record(error) => return record(error),
        ServeError::NoScenario { .. } => {
            "name the scenario to decide for, such as `--scenario shared-edges`; networks for any site need one whose tasks arrive over time, such as `dispatch`"
        }
        ServeError::Option { .. } => "leave the option out, or name another record",
        ServeError::OwnScenario { .. } => "leave --scenario out, or name a record for any fleet",
        ServeError::Scenario(_) => "`trainer scenario show paper` prints a complete scenario",
        ServeError::Sizes(_) => "tasks.size_mb.path of the scenario must name a file of sizes",
        ServeError::Unprotected { .. } => {
            "give the service a token (--token-file FILE, or the environment variable TRAINER_TOKEN), or allow every machine \
             with --open"
        }
        ServeError::Listen(error) => return Some(listen(error, 8081)),
        ServeError::Tls { .. } => {
            "--tls-cert takes a certificate chain and --tls-key the private key of its first certificate, both as PEM"
        }
        ServeError::Origin { .. } => {
            "an origin has a scheme and a name, and no path: `--cors https://platform.example`"
        }
        ServeError::Site(_) => "`trainer scenario check FILE` shows all queues of a scenario, and its load",
        ServeError::DispatchScheme(_) => "`trainer compare --scenario dispatch` shows what each scheme reaches",
        ServeError::NotLive { .. } => "`--scheme one-step-fitted` decides in a microsecond",
        ServeError::NoDispatcher { .. } => "name another record with --record, or a scheme with --scheme",
        ServeError::NoDevice { .. } => "`--devices 0-4` serves the first five devices",
        ServeError::Part { .. } => {
            "name other devices, or let requests tell the backlogs of shared machines: `--machines whole`"
        }
        ServeError::State { .. } => {
            "nothing was changed: name another file, or move this one away to begin with empty queues"
        }
        ServeError::StateInUse { .. } => "end that service, or name another file: `--state FILE`",
        ServeError::StateNotWritten { .. } => "name a file that can be written: `--state FILE`",
        ServeError::Start { .. } => return None,
    };
    Some(text.into())
}
