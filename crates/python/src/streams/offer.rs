//! What each place would do with a task.

use numpy::PyArray1;
use pyo3::prelude::*;
use sim::stream::dispatch::{self, Arrival, Choice};
use sim::units::BYTES_PER_MB;

/// A task that arrives, and what each place is expected to do with it.
///
/// Arrays have an entry for each place: the task's device first, then the servers. The time of a task at a place is the time
/// that it waits for the link, is sent, waits for the machine, and is served there, one after the other. Places that the device
/// cannot use have an infinite `cost` and zeros. The arrays are made when they are asked for.
#[pyclass(frozen, module = "mrdro")]
pub(crate) struct Offer {
    arrival: Arrival,
    index: usize,
    choices: Vec<Choice>,
}

impl Offer {
    pub(crate) fn new(offer: dispatch::Offer<'_>, index: usize) -> Self {
        Self { arrival: offer.arrival, index, choices: offer.choices.to_vec() }
    }

    /// A number of each place; 0 where the place cannot be used.
    fn usable<'py>(&self, py: Python<'py>, of: fn(&Choice) -> f64) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_iter(py, self.choices.iter().map(|choice| if choice.is_usable { of(choice) } else { 0.0 }))
    }
}

#[pymethods]
impl Offer {
    /// The number of the task, from 0.
    #[getter]
    fn index(&self) -> usize {
        self.index
    }

    /// The time of its arrival, in s.
    #[getter]
    fn time_s(&self) -> f64 {
        self.arrival.time_s
    }

    /// Its device, from 0.
    #[getter]
    fn device(&self) -> u32 {
        self.arrival.device
    }

    /// Its size in MB.
    #[getter]
    fn size_mb(&self) -> f64 {
        self.arrival.bytes / BYTES_PER_MB
    }

    /// Whether its device can use each place.
    #[getter]
    fn is_usable<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<bool>> {
        PyArray1::from_iter(py, self.choices.iter().map(|choice| choice.is_usable))
    }

    /// What the task itself is expected to cost: alpha * energy in J + (1 - alpha) * time in s, and what missing its deadline
    /// costs. What it makes other tasks wait does not count.
    #[getter]
    fn cost<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_iter(py, self.choices.iter().map(|choice| choice.own_cost))
    }

    /// The energy that it is expected to take, in J.
    #[getter]
    fn energy_j<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.energy_j)
    }

    /// The time until it is expected to be done, in s: `wait_s + service_s`.
    #[getter]
    fn response_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, Choice::response_s)
    }

    /// The time that it is expected to wait for the link and for the machine together, in s.
    #[getter]
    fn wait_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.link.wait_s + choice.machine.wait_s)
    }

    /// The time that it is expected to be sent and served, in s, with the latency of the server.
    #[getter]
    fn service_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.link.service_s + choice.machine.service_s + choice.alone_s)
    }

    /// The time that it is expected to wait for the link, in s.
    #[getter]
    fn link_wait_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.link.wait_s)
    }

    /// The time that sending it is expected to take, in s.
    #[getter]
    fn link_service_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.link.service_s)
    }

    /// The time that it is expected to wait for the machine, in s.
    #[getter]
    fn machine_wait_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.machine.wait_s)
    }

    /// The time that the machine takes for it, in s, with the latency of the server.
    #[getter]
    fn machine_service_s<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.usable(py, |choice| choice.machine.service_s + choice.alone_s)
    }

    fn __repr__(&self) -> String {
        let (index, size_mb, device) = (self.index, self.size_mb(), self.device());
        format!("<Offer of {} places for task {index}: {size_mb:.3} MB of device {device}>", self.choices.len())
    }
}
