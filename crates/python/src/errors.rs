//! Errors of the library as Python exceptions.

use std::error::Error as _;
use std::io::ErrorKind;

use mrdro::TrainingError;
use mrdro::sweep::VariedSetting;
use pyo3::exceptions::{
    PyFileExistsError, PyFileNotFoundError, PyIsADirectoryError, PyOSError, PyPermissionError, PyValueError,
};
use pyo3::prelude::*;
use sim::config::{Mistake, Mistakes};
use sim::stream::scenario::StreamScenarioError;
use sim::{DemandsError, EnvironmentError};

use crate::classes;

/// The exception of a library error. Can be called without the interpreter's lock.
pub(crate) fn raise(error: impl Into<mrdro::Error>) -> PyErr {
    Python::attach(|py| exception(py, &error.into()))
}

/// The exception of a fault of the package itself.
pub(crate) fn internal(message: &str) -> PyErr {
    let text = format!("a fault of mrdro itself, please report it: {message}");
    Python::attach(|py| made(py, "InternalError", (text,)))
}

/// A `RecordError`.
pub(crate) fn record(message: &str) -> PyErr {
    Python::attach(|py| made(py, "RecordError", (message,)))
}

/// A `SchemeError`.
pub(crate) fn scheme(message: &str) -> PyErr {
    Python::attach(|py| made(py, "SchemeError", (message,)))
}

/// A `GraphError`.
pub(crate) fn graph(message: &str) -> PyErr {
    Python::attach(|py| made(py, "GraphError", (message,)))
}

/// A `TrainingError` that is no list of mistakes.
pub(crate) fn training(message: &str) -> PyErr {
    Python::attach(|py| made(py, "TrainingError", (message,)))
}

/// A `ValueError`.
pub(crate) fn value(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

fn exception(py: Python<'_>, error: &mrdro::Error) -> PyErr {
    use mrdro::Error as E;
    let text = with_causes(error);
    let class = match error {
        E::Scenario(sim::ScenarioError::Invalid(mistakes)) => return mistaken(py, "ScenarioError", &text, mistakes),
        E::StreamScenario(error) => {
            let own = none();
            let mistakes = if let StreamScenarioError::Invalid(mistakes) = &**error { mistakes } else { &own };
            return mistaken(py, "ScenarioError", &text, mistakes);
        }
        E::Training(TrainingError::Invalid(mistakes)) => return mistaken(py, "TrainingError", &text, mistakes),
        E::Unreadable { .. } | E::Unwritable { .. } | E::Output { .. } => return of_file(error, text),
        _ if is_of_file(error) => return of_file(error, text),
        E::Scenario(_) => return mistaken(py, "ScenarioError", &text, &none()),
        E::Training(_) => return mistaken(py, "TrainingError", &text, &none()),
        E::BadOption { option, text, wanted } => {
            return value(format!("{} must be {wanted}, is {text:?}", argument_of(option)));
        }
        E::RunExists { .. } => return PyFileExistsError::new_err(text),
        E::Environment(error) => return value(of_environment(error)),
        E::Option(_) | E::TooLarge { .. } => return value(text),
        E::GraphFile(_) | E::GraphModel(_) | E::LayerTable(_) => "GraphError",
        E::Scheme(_)
        | E::GraphScheme(_)
        | E::DispatchScheme(_)
        | E::SlotScheme(_)
        | E::NotTunable { .. }
        | E::Tuning(_)
        | E::NoOptimum { .. }
        | E::ShareOut { .. } => "SchemeError",
        E::Record(_) | E::NoScenario { .. } | E::OwnScenario { .. } => "RecordError",
        E::Sizes(_) | E::Data(_) | E::Trace(_) | E::TaskFile(_) | E::NoWindow { .. } | E::StreamData(_) => {
            "RecordingError"
        }
        E::Diverged { .. } => "DivergedError",
        E::Stopped { .. } => "StoppedError",
        _ => "Error",
    };
    made(py, class, (text,))
}

fn none() -> Mistakes {
    Mistakes { origin: String::new(), list: Vec::new() }
}

/// The failure of a file among the causes of an error.
fn io_error(error: &mrdro::Error) -> Option<&std::io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

/// Whether a file is missing or may not be read, rather than that its content is wrong.
fn is_of_file(error: &mrdro::Error) -> bool {
    io_error(error).is_some_and(|error| error.raw_os_error().is_some())
}

/// An `OSError`, of the class that fits the cause.
fn of_file(error: &mrdro::Error, text: String) -> PyErr {
    match io_error(error).map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => PyFileNotFoundError::new_err(text),
        Some(ErrorKind::PermissionDenied) => PyPermissionError::new_err(text),
        Some(ErrorKind::IsADirectory) => PyIsADirectoryError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// An exception with a list of mistakes.
fn mistaken(py: Python<'_>, class: &str, text: &str, mistakes: &Mistakes) -> PyErr {
    made(py, class, (named_as_argument(text, mistakes), problems(mistakes)))
}

/// An option of the program as the argument of the same name.
pub(crate) fn argument_of(option: &str) -> String {
    option.trim_start_matches('-').replace('-', "_")
}

/// What is wrong with an environment, in the words of its arguments.
pub(crate) fn of_environment(error: &EnvironmentError) -> String {
    match error {
        EnvironmentError::Count { what, wanted, found } => {
            let argument = if *what == "uplinks" { "uplinks_mbps" } else { what };
            format!("{argument} of the environment must hold {wanted} {what} in this scenario, holds {found}")
        }
        EnvironmentError::Value { what, wanted, found } => {
            let (argument, of) = match *what {
                "an uplink" => ("uplinks_mbps", ": an uplink"),
                "a capacity" => ("capacities", ": a capacity"),
                "α" => ("alpha", ""),
                what => (what, ""),
            };
            format!("{argument}{of} must {wanted}, is {found}")
        }
    }
}

/// What is wrong with the arguments of `CostModel.with_tasks`. `tasks` is M, the number of tasks of each device.
pub(crate) fn of_demands(error: &DemandsError, tasks: usize) -> PyErr {
    value(match error {
        DemandsError::Value { what, task, wanted, found } => {
            let argument = if *what == "deadline" { "deadline_s" } else { "instructions_per_byte" };
            format!("{argument}[{}, {}] must {wanted}, is {found}", task / tasks, task % tasks)
        }
        DemandsError::Penalty { found } => {
            format!("deadline_penalty must lie between 0 and 1e12, is {found}")
        }
        error @ DemandsError::Count { .. } => error.to_string(),
    })
}

/// The exception of mistakes in the settings of a sweep: those of varied settings are mistakes of `vary`, the others of `set`.
pub(crate) fn mistaken_sweep(mistakes: Mistakes, varied: &[VariedSetting]) -> PyErr {
    let is_varied = |mistake: &Mistake| {
        let rest = |varied: &VariedSetting| mistake.key.strip_prefix(&varied.key).map(str::to_owned);
        varied.iter().filter_map(rest).any(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let (of_vary, of_set): (Vec<_>, Vec<_>) = mistakes.list.into_iter().partition(is_varied);
    let parts = [("set", of_set), ("vary", of_vary)].into_iter().filter(|(_, list)| !list.is_empty());
    let parts: Vec<_> = parts.map(|(origin, list)| Mistakes { origin: origin.to_owned(), list }).collect();
    let texts: Vec<_> = parts.iter().map(ToString::to_string).collect();
    let list = parts.iter().flat_map(problems).collect::<Vec<_>>();
    Python::attach(|py| made(py, "TrainingError", (texts.join("\n"), list)))
}

/// The exception of the mistakes of settings, and of the changes of these settings.
pub(crate) fn mistaken_settings(settings: &Mistakes, changes: &Mistakes) -> PyErr {
    let texts = [settings, changes].map(|mistakes| named_as_argument(&mistakes.to_string(), mistakes));
    let list = [problems(settings), problems(changes)].concat();
    Python::attach(|py| made(py, "TrainingError", (texts.join("\n"), list)))
}

/// A text about mistakes in which changed settings, the program's option `--set`, are the argument `set`.
fn named_as_argument(text: &str, mistakes: &Mistakes) -> String {
    if mistakes.origin.starts_with("--set") { text.replacen(&mistakes.origin, "set", 1) } else { text.to_owned() }
}

/// Mistakes as the arguments of `Problem` in `mrdro._errors`.
fn problems(mistakes: &Mistakes) -> Vec<(String, String, Option<usize>, Option<usize>)> {
    let of = |Mistake { key, message, place }: &Mistake| {
        let (line, column) = place.unzip();
        (key.clone(), message.clone(), line, column)
    };
    mistakes.list.iter().map(of).collect()
}

/// An exception of a class of `mrdro._errors`.
fn made<'py>(py: Python<'py>, class: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> PyErr {
    match classes::error(py, class).and_then(|class| class.call1(arguments)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// An error with its causes, as one text.
fn with_causes(error: &mrdro::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        // Some errors end with their cause themselves.
        if !text.ends_with(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        cause = error.source();
    }
    text
}
