//! What all episodes have in common.

use std::sync::Arc;

use pyo3::prelude::*;
use sim::stream::dispatch::{DispatchEpisode, Offer, Site, SiteDevice};
use sim::stream::scenario::{ArrivalsOver, DispatchScenario};

use super::parallel::ParallelDispatch;
use super::single::SingleDispatch;
use crate::environments::observation::ObservedPart;
use crate::errors::{raise, value};
use crate::guard::guarded_detached;
use crate::numbers;
use crate::streams::StreamScenario;

/// The largest value that is told apart, in units of an entry's scale.
const LARGEST: f32 = 100.0;
/// The number of entries for each place.
const OF_PLACE: usize = 6;
/// The number of entries of the task and of its device.
const OF_TASK: usize = 2;
/// Seeds whose sites are compared to see whether a scenario draws anything of its site.
const COMPARED_SITES: [u64; 3] = [0, 1, 2];

/// What all episodes have in common.
#[derive(Debug)]
pub(super) struct Rules {
    scenario: DispatchScenario,
    /// The site of all episodes; `None`: each episode draws its own.
    site: Option<Arc<Site>>,
    pub(super) places: usize,
    tasks: usize,
    /// The cost, the time and the size that are observed as 1.
    cost_scale: f64,
    time_scale_s: f64,
    mean_bytes: f64,
}

impl Rules {
    fn new(mut scenario: DispatchScenario, tasks: Option<usize>, site_seed: Option<u64>) -> PyResult<Self> {
        if let Some(tasks) = tasks {
            scenario.tasks_per_run = tasks;
        }
        let of_seed = |seed: u64| scenario.site(seed).map_err(raise);
        let reference = of_seed(site_seed.unwrap_or(COMPARED_SITES[0]))?;
        let is_fixed = site_seed.is_some()
            || COMPARED_SITES[1..]
                .iter()
                .all(|seed| of_seed(*seed).is_ok_and(|site| site.parts() == reference.parts()));
        let (time_scale_s, mean_bytes) = (reference.time_unit_s(), reference.parts().sizes.mean());
        let devices = &reference.parts().devices;
        let j_per_byte = devices.iter().map(|device| device.j_per_byte).sum::<f64>() / devices.len() as f64;
        let alpha = reference.parts().alpha;
        let cost_scale = alpha * j_per_byte * mean_bytes + (1.0 - alpha) * time_scale_s;
        let tasks = match &scenario.devices.arrivals.over {
            ArrivalsOver::Recorded(recorded) => {
                scenario.tasks_per_run.min(recorded.arrivals().map_or(usize::MAX, <[_]>::len))
            }
            _ => scenario.tasks_per_run,
        };
        Ok(Self {
            places: reference.places(),
            site: is_fixed.then(|| Arc::new(reference)),
            scenario,
            tasks,
            cost_scale: if cost_scale > 0.0 { cost_scale } else { 1.0 },
            time_scale_s,
            mean_bytes,
        })
    }

    /// The episode that is drawn from a seed.
    ///
    /// # Errors
    /// If the site that is drawn cannot carry its tasks.
    pub(super) fn episode(&self, seed: u64) -> PyResult<DispatchEpisode> {
        let site = match &self.site {
            Some(site) => Arc::clone(site),
            None => Arc::new(self.scenario.site(seed).map_err(raise)?),
        };
        let path = self.scenario.path(&site, seed).map_err(raise)?;
        Ok(DispatchEpisode::new(site, path))
    }

    pub(super) fn mean_bytes(&self) -> f64 {
        self.mean_bytes
    }

    /// The number of entries of an observation.
    pub(super) fn length(&self) -> usize {
        OF_PLACE * self.places + OF_TASK
    }

    /// Writes an observation and the mask of its places. `loads` are those of the devices.
    pub(super) fn observe(&self, loads: &[f32], offer: &Offer<'_>, observation: &mut [f32], mask: &mut [i8]) {
        let scaled = |value: f64, scale: f64| ((value / scale) as f32).min(LARGEST);
        let time = |time_s: f64| scaled(time_s, self.time_scale_s);
        let places = self.places;
        for (place, choice) in offer.choices.iter().enumerate() {
            let values = if choice.is_usable {
                [
                    scaled(choice.own_cost, self.cost_scale),
                    time(choice.link.wait_s),
                    time(choice.link.service_s),
                    time(choice.machine.wait_s),
                    time(choice.machine.service_s + choice.alone_s),
                    1.0,
                ]
            } else {
                [LARGEST, 0.0, 0.0, 0.0, 0.0, 0.0]
            };
            for (entry, value) in values.into_iter().enumerate() {
                observation[entry * places + place] = value;
            }
            mask[place] = i8::from(choice.is_usable);
        }
        observation[OF_PLACE * places] = scaled(offer.arrival.bytes, self.mean_bytes);
        observation[OF_PLACE * places + 1] = loads[offer.arrival.device as usize];
    }
}

/// The share of time for which each device would be busy if all its tasks ran there, as it is observed.
pub(super) fn loads(site: &Site) -> impl Iterator<Item = f32> {
    let parts = site.parts();
    let mean_bytes = parts.sizes.mean();
    let load = move |device: &SiteDevice| (device.arrivals_per_s * mean_bytes * device.s_per_byte) as f32;
    parts.devices.iter().map(move |device| load(device).min(LARGEST))
}

/// What all episodes of dispatching in a scenario have in common.
#[pyclass(frozen, module = "mrdro._mrdro")]
pub(crate) struct DispatchRules(Arc<Rules>);

#[pymethods]
impl DispatchRules {
    #[new]
    #[pyo3(signature = (scenario, tasks, site_seed))]
    fn new(py: Python<'_>, scenario: &StreamScenario, tasks: Option<usize>, site_seed: Option<u64>) -> PyResult<Self> {
        let Some(settings) = scenario.dispatch() else {
            let name = scenario.problem.scenario.name();
            return Err(value(format!("scenario must be of kind \"dispatch\", {name} is of kind \"slots\"")));
        };
        guarded_detached(py, || Ok(Self(Arc::new(Rules::new(settings.clone(), tasks, site_seed)?))))
    }

    /// Name, number of entries, lowest and highest value of each part of an observation.
    #[getter]
    fn entries(&self) -> Vec<ObservedPart> {
        let places = self.0.places;
        let of_places = ["costs", "link_waits", "link_services", "machine_waits", "machine_services"];
        let mut parts: Vec<ObservedPart> = of_places.into_iter().map(|name| (name, places, 0.0, LARGEST)).collect();
        parts.extend([("usable", places, 0.0, 1.0), ("size", 1, 0.0, LARGEST), ("load", 1, 0.0, LARGEST)]);
        parts
    }

    #[getter]
    fn tasks(&self) -> usize {
        self.0.tasks
    }

    #[getter]
    fn cost_scale(&self) -> f64 {
        self.0.cost_scale
    }

    #[getter]
    fn time_scale_s(&self) -> f64 {
        self.0.time_scale_s
    }

    /// Whether all episodes have the same devices, servers and links.
    #[getter]
    fn has_one_site(&self) -> bool {
        self.0.site.is_some()
    }

    fn single(&self) -> SingleDispatch {
        SingleDispatch::new(Arc::clone(&self.0))
    }

    fn parallel(&self, #[pyo3(from_py_with = numbers::environments)] count: usize) -> ParallelDispatch {
        ParallelDispatch::new(Arc::clone(&self.0), count)
    }
}
