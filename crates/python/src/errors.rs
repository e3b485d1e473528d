//! Errors of the library as Python exceptions.

use std::error::Error as _;
use std::io::ErrorKind;

use mrdro::TrainingError;
use pyo3::exceptions::{
    PyFileExistsError, PyFileNotFoundError, PyIsADirectoryError, PyOSError, PyPermissionError, PyValueError,
};
use pyo3::prelude::*;
use sim::config::{Mistake, Mistakes};

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

/// A `ValueError`.
pub(crate) fn value(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

fn exception(py: Python<'_>, error: &mrdro::Error) -> PyErr {
    use mrdro::Error as E;
    let text = with_causes(error);
    let class = match error {
        E::Scenario(sim::ScenarioError::Invalid(mistakes)) => return mistaken(py, "ScenarioError", &text, mistakes),
        E::Training(TrainingError::Invalid(mistakes)) => return mistaken(py, "TrainingError", &text, mistakes),
        E::Unreadable { .. } | E::Unwritable { .. } | E::Output { .. } => return of_file(error, text),
        _ if is_of_file(error) => return of_file(error, text),
        E::Scenario(_) => return mistaken(py, "ScenarioError", &text, &none()),
        E::Training(_) => return mistaken(py, "TrainingError", &text, &none()),
        E::BadOption { option, text, wanted } => {
            // Options of the program are arguments of the same name here.
            let argument = option.trim_start_matches('-').replace('-', "_");
            return value(format!("{argument} must be {wanted}, is {text:?}"));
        }
        E::RunExists { .. } => return PyFileExistsError::new_err(text),
        E::Environment(_) | E::Option(_) | E::TooLarge { .. } => return value(text),
        E::Scheme(_) | E::NoOptimum { .. } | E::ShareOut { .. } => "SchemeError",
        E::Record(_) | E::NoScenario { .. } | E::OwnScenario { .. } => "RecordError",
        E::Sizes(_) | E::Data(_) | E::Trace(_) | E::TaskFile(_) | E::NoWindow { .. } => "RecordingError",
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
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
