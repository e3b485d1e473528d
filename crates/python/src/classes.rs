//! Classes of the package that are written in Python and made from here.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// An exception class of `mrdro._errors`.
pub(crate) fn error<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("mrdro._errors")?.getattr(name)
}

/// Classes by module and name, each looked up once.
macro_rules! classes {
    ($($function:ident => $module:literal $name:literal),+ $(,)?) => {$(
        pub(crate) fn $function(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CLASS.import(py, $module, $name)
        }
    )+};
}

classes! {
    outcome => "mrdro._results" "Outcome",
    decisions => "mrdro._results" "Decisions",
    workloads => "mrdro._results" "Workloads",
    bounds => "mrdro._results" "Bounds",
    shared_out => "mrdro._results" "SharedOut",
    graph_outcome => "mrdro._graphs" "GraphOutcome",
    graph_decision => "mrdro._graphs" "GraphDecision",
    graph_decisions => "mrdro._graphs" "GraphDecisions",
    stream_run => "mrdro._streams" "StreamRun",
    task_columns => "mrdro._streams" "TaskColumns",
    slot_columns => "mrdro._streams" "SlotColumns",
    table => "mrdro._table" "Table",
}
