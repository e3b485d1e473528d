//! Python functions that dispatch tasks.

use mrdro::streams::StreamRun;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use sim::stream::dispatch::scheme::{DispatchScheme, View};
use sim::stream::dispatch::{DispatchOutcome, DoneTask, Path, Site, simulate_traced};

use super::offer::Offer;
use super::scenario::StreamScenario;
use crate::errors::{raise, value};
use crate::guard::guarded_here;

/// A Python function as a scheme.
pub(super) struct ByFunction<'py> {
    name: String,
    function: Bound<'py, PyAny>,
}

impl<'py> ByFunction<'py> {
    pub(super) fn new(name: String, function: Bound<'py, PyAny>) -> Self {
        Self { name, function }
    }

    /// The name in results.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs the function along a path. It is called on this thread: it may compute with mrdro itself, and Python interrupts it.
    ///
    /// # Errors
    /// What the function raises, or if it returns no place that the task can use.
    pub(super) fn simulate(
        &self,
        (site, path): (&Site, &Path),
        seed: u64,
        trace: impl FnMut(&DoneTask),
    ) -> PyResult<DispatchOutcome> {
        let function = self.function.clone().unbind();
        let mut scheme = Calling { name: &self.name, function, failure: None };
        let outcome = guarded_here(|| Ok(simulate_traced(site, path, &mut scheme, seed, trace)))?;
        scheme.failure.map_or(Ok(outcome), Err)
    }
}

struct Calling<'a> {
    name: &'a str,
    function: Py<PyAny>,
    /// What the function raised. The tasks after it stay on their devices, and the run is not used.
    failure: Option<PyErr>,
}

impl DispatchScheme for Calling<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, mut view: View<'_>) -> usize {
        if self.failure.is_some() {
            return 0;
        }
        let (site, index, device) = (view.site, view.index, view.arrival.device);
        let offer = Offer::new(view.offer(), index);
        let chosen = Python::attach(|py| {
            let answer = self.function.bind(py).call1((offer,))?;
            place_of(self.name, &answer, site, device)
        });
        chosen.unwrap_or_else(|error| {
            self.failure = Some(error);
            0
        })
    }
}

/// The place that a function returned, as a number or a name.
fn place_of(name: &str, answer: &Bound<'_, PyAny>, site: &Site, device: u32) -> PyResult<usize> {
    let names = || (0..site.places()).map(|place| site.place_name(place)).collect::<Vec<_>>().join(", ");
    let wanted = || {
        let found = answer.repr()?;
        let last = site.places() - 1;
        Ok::<_, PyErr>(format!("{name} must return a place, 0 to {last} or one of {}; it returned {found}", names()))
    };
    let place = if let Ok(text) = answer.cast::<PyString>() {
        site.place(text.to_str()?)
    } else {
        let Ok(number) = answer.extract::<i64>() else { return Err(PyTypeError::new_err(wanted()?)) };
        usize::try_from(number).ok().filter(|place| *place < site.places())
    };
    let Some(place) = place else { return Err(value(wanted()?)) };
    if !site.is_usable(device as usize, place) {
        let at = site.place_name(place);
        return Err(value(format!(
            "{name} returned place {place} ({at}), which device {device} cannot use: see is_usable of the offer"
        )));
    }
    Ok(place)
}

/// Runs a function along the course that is drawn from a seed.
///
/// # Errors
/// What the function raises, if it returns no place, or in slots.
pub(super) fn run(scenario: &StreamScenario, function: &Bound<'_, PyAny>, seed: u64) -> PyResult<StreamRun> {
    let settings = scenario.dispatch().ok_or_else(in_slots)?;
    let name = function.getattr("__name__").and_then(|name| name.extract::<String>());
    let name = name.unwrap_or_else(|_| "the function".to_owned());
    let (site, path) = guarded_here(|| {
        let site = settings.site(seed).map_err(raise)?;
        let path = settings.path(&site, seed).map_err(raise)?;
        Ok((site, path))
    })?;
    let mut tasks = Vec::with_capacity(path.arrivals().len());
    let by_function = ByFunction::new(name.clone(), function.clone());
    let outcome = by_function.simulate((&site, &path), seed, |task| tasks.push(*task))?;
    Ok(StreamRun::of_tasks(&settings.name, name, seed, (site, path), outcome, tasks))
}

/// The exception for a function in a scenario in slots.
pub(super) fn in_slots() -> PyErr {
    value("functions decide where tasks run, and this scenario sends data in slots: give the names of schemes")
}
