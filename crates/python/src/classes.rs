//! Classes of the package that are written in Python and made from here.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// An exception class of `mrdro._errors`.
pub(crate) fn error<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("mrdro._errors")?.getattr(name)
}

/// A class of `mrdro._results`, looked up once.
macro_rules! results {
    ($($function:ident => $name:literal),+ $(,)?) => {$(
        pub(crate) fn $function(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, "mrdro._results", $name)
        }
    )+};
}

results! {
    outcome => "Outcome",
    decisions => "Decisions",
    workloads => "Workloads",
    bounds => "Bounds",
    shared_out => "SharedOut",
}
