//! Event files for TensorBoard.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mrdro::Phase;
use mrdro::tensorboard;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{raise, value};
use crate::guard::guarded;

/// An event file, from which TensorBoard draws curves while it is being written.
///
/// Args:
///     directory: The directory of the file; it is made if it does not exist. TensorBoard shows each directory as one run.
///
/// The name of the file is `events.out.tfevents.SECONDS.mrdro`, with the seconds since 1970 at which it was made.
///
/// >>> import tempfile
/// >>> file = EventFile(tempfile.mkdtemp())
/// >>> file.add(10, {"drl/loss": 0.31, "drl/q2": 0.998})
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct EventFile(Mutex<tensorboard::EventFile>);

#[pymethods]
impl EventFile {
    #[new]
    fn new(py: Python<'_>, directory: PathBuf) -> PyResult<Self> {
        let file = guarded(py, || {
            mrdro::files::create_folder(&directory).map_err(raise)?;
            tensorboard::EventFile::create(&directory).map_err(raise)
        })?;
        Ok(Self(Mutex::new(file)))
    }

    /// Write numbers of a step, with the present time. They are in the file when this returns.
    ///
    /// Args:
    ///     step: The step, a whole number.
    ///     scalars: Numbers by tag; TensorBoard groups tags by what stands before the first `/`.
    fn add(&self, py: Python<'_>, step: i64, scalars: &Bound<'_, PyDict>) -> PyResult<()> {
        let scalars = scalars.iter().map(|(tag, number)| scalar(&tag, &number)).collect::<PyResult<Vec<_>>>()?;
        guarded(py, || self.0.lock().unwrap_or_else(PoisonError::into_inner).add(step, &scalars).map_err(raise))
    }

    /// Make sure that everything is on the disk.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        guarded(py, || self.0.lock().unwrap_or_else(PoisonError::into_inner).sync().map_err(raise))
    }

    /// The path of the file.
    #[getter]
    fn path(&self) -> PathBuf {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).path().to_owned()
    }

    /// Remove the reports of a training from one step on, so that they can be written again.
    ///
    /// Args:
    ///     directory: The directory of the event files. Only files that mrdro wrote are changed.
    ///     phase: `"meta"`, `"drl"` or `"fleet"`.
    ///     step: The first step that is removed; later phases are removed, too.
    #[staticmethod]
    fn remove_from(py: Python<'_>, directory: PathBuf, phase: &str, step: usize) -> PyResult<()> {
        let known = Phase::ALL.into_iter().find(|known| known.name() == phase);
        let phase = known
            .ok_or_else(|| value(format!("phase must be \"meta\", \"drl\", \"fleet\" or \"site\", is {phase:?}")))?;
        guarded(py, || tensorboard::remove_from(&directory, phase, step).map_err(raise))
    }

    fn __repr__(&self) -> String {
        format!("<EventFile {}>", self.path().display())
    }
}

fn scalar(tag: &Bound<'_, PyAny>, number: &Bound<'_, PyAny>) -> PyResult<(String, f64)> {
    let tag: String = tag.extract().map_err(|_| value(format!("scalars: tags must be texts, {tag} is none")))?;
    let number =
        number.extract().map_err(|_| value(format!("scalars[{tag:?}] must be a number, is {}", repr(number))))?;
    Ok((tag, number))
}

fn repr(object: &Bound<'_, PyAny>) -> String {
    object.repr().map_or_else(|_| String::from("something else"), |text| text.to_string())
}
