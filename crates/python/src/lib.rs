//! The extension module `mrdro._mrdro` of the Python package `mrdro`.
//!
//! This crate is thin: it checks what Python gives, calls the library [`mrdro`], and makes Python objects of the answers.
//! The package's Python files are in `python/mrdro`; they are what users import.
//!
//! # Rules
//! - Work that takes more than some microseconds runs in `guard::guarded`: without the interpreter's lock, on this process's own
//!   pool of threads, and with panics turned into exceptions.
//! - Arrays are read by `arrays`, decisions by `places`, which take whatever NumPy takes and name the argument that does not
//!   fit. What Rust computes with is a copy, so that other Python threads cannot change it meanwhile.
//! - Errors become exceptions in `errors`; the classes are in `python/mrdro/_errors.py`, so that they can be pickled.

#![expect(clippy::doc_link_with_quotes, reason = "the documentation of Python classes holds Python")]
#![expect(clippy::needless_pass_by_value, reason = "PyO3 passes owned values")]

mod answers;
mod arrays;
mod classes;
mod columns;
mod cost_model;
mod described;
mod environment;
mod environments;
mod errors;
mod evaluation;
mod graphs;
mod guard;
mod numbers;
mod places;
mod record;
mod recordings;
mod scenario;
mod schemes;
mod streams;
mod tables;
mod tensorboard;
mod training;

use pyo3::prelude::*;

#[pymodule]
fn _mrdro(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(guard::set_threads, module)?)?;
    module.add_function(wrap_pyfunction!(guard::threads, module)?)?;
    module.add_function(wrap_pyfunction!(scenario::presets, module)?)?;
    module.add_function(wrap_pyfunction!(recordings::task_sizes, module)?)?;
    module.add_class::<environment::Environment>()?;
    module.add_class::<scenario::Scenario>()?;
    module.add_class::<cost_model::CostModel>()?;
    module.add_class::<evaluation::EvaluationSet>()?;
    module.add_class::<record::Record>()?;
    module.add_class::<recordings::Recording>()?;
    module.add_class::<recordings::Drive>()?;
    module.add_class::<tensorboard::EventFile>()?;
    graphs::add_to(module)?;
    streams::add_to(module)?;
    training::add_to(module)?;
    environments::add_to(module)
}
