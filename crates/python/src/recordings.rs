//! Recorded networks and task sizes.

use std::path::PathBuf;

use data::trace::{self, ReadOptions};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays::full_array;
use crate::errors::{raise, value};
use crate::guard::guarded;

/// The measured rates of a file or folder.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Recording {
    pub(crate) content: trace::Recording,
    pub(crate) path: PathBuf,
    /// The arguments `columns` and `format`.
    options: (Option<String>, Option<String>),
}

/// Devices that were recorded at the same time.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Drive(pub(crate) trace::Drive);

impl Recording {
    /// How the recording was read.
    pub(crate) fn read_options(&self) -> PyResult<ReadOptions> {
        let (columns, format) = &self.options;
        read_options(columns.as_deref(), format.as_deref())
    }
}

fn read_options(columns: Option<&str>, format: Option<&str>) -> PyResult<ReadOptions> {
    let parsed = |argument: &str, error: &dyn std::fmt::Display| value(format!("{argument}: {error}"));
    Ok(ReadOptions {
        columns: columns.map(str::parse).transpose().map_err(|error| parsed("columns", &error))?,
        format: format.map(str::parse).transpose().map_err(|error| parsed("format", &error))?,
    })
}

#[pymethods]
impl Recording {
    /// Read a recording: a file, or all traces below a folder. The content tells the format.
    ///
    /// Args:
    ///     path: A file or folder.
    ///     columns: The columns of tables, where their names are not known, as in
    ///         `"time=Timestamp:iso,rate=UL_bitrate:kbps,device=phone"`.
    ///     format: The name of the format, if the content should not tell it.
    #[staticmethod]
    #[pyo3(signature = (path, *, columns=None, format=None))]
    fn open(py: Python<'_>, path: PathBuf, columns: Option<String>, format: Option<String>) -> PyResult<Self> {
        let options = read_options(columns.as_deref(), format.as_deref())?;
        let recording = guarded(py, || trace::Recording::read(&path, &options).map_err(raise))?;
        Ok(Self { content: recording, path, options: (columns, format) })
    }

    /// The drives, in the natural order of their names.
    #[getter]
    fn drives(&self) -> Vec<Drive> {
        self.content.drives.iter().cloned().map(Drive).collect()
    }

    /// What was read: one line for each file, with its format and the reason for it.
    #[getter]
    fn sources(&self) -> Vec<String> {
        self.content.sources.iter().map(ToString::to_string).collect()
    }

    /// The drive of this name; the end or a part of its name is enough if only one drive has it.
    fn drive(&self, name: &str) -> PyResult<Drive> {
        let drive = self.content.drive(name).map_err(|error| value(format!("there is {error}")))?;
        Ok(Drive(drive.clone()))
    }

    fn __repr__(&self) -> String {
        format!("<Recording {}: {}>", self.path.display(), data::counted(self.content.drives.len(), "drive"))
    }

    /// Pickles as a call of `open`: the file is read again.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let open = py.import("mrdro._results")?.getattr("recording")?;
        let (columns, format) = self.options.clone();
        (open, (std::path::absolute(&self.path)?, columns, format)).into_pyobject(py)
    }
}

#[pymethods]
impl Drive {
    /// The name: folder and file.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The names of the devices.
    #[getter]
    fn devices(&self) -> Vec<&str> {
        self.0.devices.iter().map(|device| device.device.as_str()).collect()
    }

    /// Seconds from the first to the end of the last sample of any device.
    #[getter]
    fn duration_s(&self) -> f64 {
        self.0.duration_s()
    }

    /// The samples of each device by its name: an array (samples, 2) of times in s and rates in Mbit/s.
    #[getter]
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let samples = PyDict::new(py);
        for device in &self.0.devices {
            let rows = device.samples.iter().flat_map(|sample| [sample.t_s, sample.mbps]).collect();
            samples.set_item(&device.device, full_array::<f64>(py, rows, &[device.samples.len(), 2])?)?;
        }
        Ok(samples)
    }

    /// Mean rates over windows of some seconds, weighted by time, where all devices have data.
    ///
    /// Returns (starts, mbps): the beginnings in s, (windows,), and the mean rates in Mbit/s, (windows, devices).
    #[pyo3(signature = (length_s=60.0))]
    fn windows<'py>(&self, py: Python<'py>, length_s: f64) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        if !(length_s > 0.0 && length_s.is_finite()) {
            return Err(value(format!("length_s must be a number of seconds above 0, is {length_s}")));
        }
        let windows = guarded(py, || Ok(self.0.windows(length_s)))?;
        let starts = windows.iter().map(|window| window.start_s).collect();
        let mbps = windows.iter().flat_map(|window| &window.mbps).copied().collect();
        let shape = [windows.len(), self.0.devices.len()];
        Ok((full_array::<f64>(py, starts, &shape[..1])?, full_array::<f64>(py, mbps, &shape)?))
    }

    fn __repr__(&self) -> String {
        let devices = data::counted(self.0.devices.len(), "device");
        format!("<Drive {}: {devices}, {:.1} s>", self.0.name, self.0.duration_s())
    }
}

/// The sizes in MB of the tasks in a file.
#[pyfunction]
pub(crate) fn task_sizes(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let sizes = guarded(py, || data::task_sizes(&path).map_err(raise))?;
    let count = sizes.sizes_mb.len();
    full_array(py, sizes.sizes_mb, &[count])
}
