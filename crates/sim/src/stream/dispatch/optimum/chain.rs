//! The chain of a site.

use super::limits::needed_limits_s;
use super::{MAX_STATES, OptimumError, OptimumSettings};
use crate::stream::dispatch::site::{NO_QUEUE, Route, Site};
use crate::stream::{ArrivalProcess, Sizes};

/// A stage this many times as fast as the other one only delays tasks.
const QUICK: f64 = 10.0;
/// A common divisor is looked for down to this share of the shortest service time.
const SHORTEST_UNIT: f64 = 0.01;

/// The chain of a site, as the module describes it.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) unit_s: f64,
    pub(super) rounding_error: f64,
    /// The queues of the site whose work is the state, one for each dimension.
    pub(super) queues: Vec<usize>,
    /// The number of values in each dimension: work 0, 1, … units.
    pub(super) lengths: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) classes: Vec<Class>,
    /// The mean time between two arrivals, in units.
    pub(super) mean_interval: f64,
    /// What the square of the work of each queue costs those who come after it, twice, in 1/s²: the derivative of the values is this
    /// times the work.
    pub(super) steepness: Vec<f64>,
}

/// A device and a size.
#[derive(Debug, Clone)]
pub(super) struct Class {
    pub(super) probability: f64,
    pub(super) options: Vec<Placement>,
}

/// A place for a class of tasks.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    pub(super) dimension: usize,
    /// The work that a task adds, in units.
    pub(super) steps: usize,
    /// The cost of the task by the work that it finds, in units.
    pub(super) costs: Vec<f64>,
    /// What a unit of work beyond the limit costs.
    pub(super) excess_cost: f64,
}

/// A usable place of a device: the queue where tasks wait there, and the time per byte before, in and behind it.
#[derive(Debug, Clone, Copy)]
struct Stages {
    place: usize,
    route: Route,
    queue: usize,
    before_s_per_byte: f64,
    s_per_byte: f64,
    behind_s_per_byte: f64,
}

impl Chain {
    pub(super) fn new(site: &Site, settings: &OptimumSettings) -> Result<Self, OptimumError> {
        let parts = site.parts();
        if parts.process != ArrivalProcess::Poisson {
            return Err(OptimumError::Bursts);
        }
        let Sizes::OneOf(sizes) = &parts.sizes else { return Err(OptimumError::Sizes) };
        let stages = stages(site, settings.places.as_deref())?;
        let mut queues: Vec<usize> = stages.iter().flatten().map(|stages| stages.queue).collect();
        queues.sort_unstable();
        queues.dedup();
        check_stages(site, &stages, &queues)?;

        let of_sizes = |stages: &Stages| sizes.iter().map(|bytes| bytes * stages.s_per_byte).collect::<Vec<f64>>();
        let services_s: Vec<f64> = stages.iter().flatten().flat_map(of_sizes).collect();
        let unit_s = settings.unit_s.map_or_else(|| common_divisor(&services_s), Ok)?;
        let most_s = 2.0 / site.arrivals_per_s();
        if !(unit_s > 0.0 && unit_s <= most_s) {
            return Err(OptimumError::Unit { unit_s, most_s });
        }
        let steps_of = |service_s: f64| (service_s / unit_s).round().max(1.0);
        let errors = services_s.iter().map(|service_s| (steps_of(*service_s) * unit_s / service_s - 1.0).abs());
        let rounding_error = errors.fold(0.0, f64::max);

        let mut least = vec![0; queues.len()];
        let dimension_of = |queue: usize| queues.partition_point(|other| *other < queue);
        for stages in stages.iter().flatten() {
            let longest = sizes.iter().map(|bytes| steps_of(bytes * stages.s_per_byte) as usize).max().unwrap_or(1);
            let least = &mut least[dimension_of(stages.queue)];
            *least = longest.max(*least);
        }
        let limits_s = match &settings.limits_s {
            Some(limits_s) => limits_s.clone(),
            None => needed_limits_s(site, &queues, settings.places.as_deref()),
        };
        let lengths = lengths(site, &queues, &limits_s, &least, unit_s)?;
        let mut strides = vec![1; lengths.len()];
        for dimension in (1..lengths.len()).rev() {
            strides[dimension - 1] = strides[dimension] * lengths[dimension];
        }

        // In a queue with Poisson arrivals of the site's load the values are (1 − α) ρ / (2 (1 − ρ) E[x]) times the square of the work.
        let crowding = (1.0 - parts.alpha) * site.load() / (1.0 - site.load());
        let service_s = |queue: &usize| site.queues[*queue].s_per_byte * parts.sizes.mean();
        let steepness: Vec<f64> = queues.iter().map(|queue| crowding / service_s(queue)).collect();
        let mut classes = Vec::with_capacity(site.devices() * sizes.len());
        for (device, stages) in parts.devices.iter().zip(&stages) {
            for bytes in &**sizes {
                let placement = |stages: &Stages| {
                    let dimension = dimension_of(stages.queue);
                    Placement {
                        dimension,
                        steps: steps_of(bytes * stages.s_per_byte) as usize,
                        excess_cost: steepness[dimension] * unit_s * unit_s * (lengths[dimension] - 1) as f64,
                        costs: (0..lengths[dimension])
                            .map(|work| cost(site, stages, *bytes, work as f64 * unit_s))
                            .collect(),
                    }
                };
                classes.push(Class {
                    probability: device.arrivals_per_s / site.arrivals_per_s() / sizes.len() as f64,
                    options: stages.iter().map(placement).collect(),
                });
            }
        }
        Ok(Self {
            unit_s,
            rounding_error,
            queues,
            lengths,
            strides,
            classes,
            mean_interval: 0.5 * most_s / unit_s,
            steepness,
        })
    }

    pub(super) fn states(&self) -> usize {
        self.lengths.iter().product()
    }
}

/// The usable places of each device.
fn stages(site: &Site, places: Option<&[usize]>) -> Result<Vec<Vec<Stages>>, OptimumError> {
    if let Some(place) = places.into_iter().flatten().find(|place| **place >= site.places()) {
        return Err(OptimumError::Place { place: *place, places: site.places() });
    }
    let mut all = Vec::with_capacity(site.devices());
    for device in 0..site.devices() {
        let is_chosen = |place: &usize| places.is_none_or(|places| places.contains(place));
        let usable = (0..site.places()).filter(is_chosen).filter(|place| site.is_usable(device, *place));
        let of_device: Vec<Stages> = usable.map(|place| Stages::of(site, device, place)).collect();
        if of_device.is_empty() {
            return Err(OptimumError::NoPlace { device });
        }
        all.push(of_device);
    }
    Ok(all)
}

impl Stages {
    fn of(site: &Site, device: usize, place: usize) -> Self {
        let route = *site.route(device, place);
        let (link, machine) = (route.link_s_per_byte, route.machine_s_per_byte);
        let has_machine_queue = route.machine != NO_QUEUE;
        if has_machine_queue && machine >= link {
            let queue = route.machine as usize;
            Self { place, route, queue, before_s_per_byte: link, s_per_byte: machine, behind_s_per_byte: 0.0 }
        } else {
            let queue = route.link as usize;
            Self { place, route, queue, before_s_per_byte: 0.0, s_per_byte: link, behind_s_per_byte: machine }
        }
    }

    /// The queue that is passed over because it is fast.
    fn other_queue(&self) -> Option<usize> {
        let queues = [self.route.link, self.route.machine].into_iter().filter(|queue| *queue != NO_QUEUE);
        queues.map(|queue| queue as usize).find(|queue| *queue != self.queue)
    }
}

/// Checks that links keep their rates and that tasks wait at one stage only.
fn check_stages(site: &Site, stages: &[Vec<Stages>], queues: &[usize]) -> Result<(), OptimumError> {
    for (device, stages) in stages.iter().enumerate().flat_map(|(device, all)| all.iter().map(move |one| (device, one)))
    {
        if let Some(link) = site.queues.get(stages.route.link as usize).and_then(|queue| queue.link.as_ref()) {
            let queue = site.queues[stages.route.link as usize].name.clone();
            if link.times.is_some() {
                return Err(OptimumError::ChangingLink { queue });
            }
            if link.link.tail_w * link.link.tail_s > 0.0 {
                return Err(OptimumError::Tail { queue });
            }
        }
        let Some(other) = stages.other_queue() else { continue };
        if queues.contains(&other) || QUICK * site.queues[other].s_per_byte > stages.s_per_byte {
            return Err(OptimumError::TwoQueues { device, place: site.place_name(stages.place).to_owned() });
        }
    }
    Ok(())
}

/// The cost of a task that finds some work.
fn cost(site: &Site, stages: &Stages, bytes: f64, work_s: f64) -> f64 {
    let (parts, route) = (site.parts(), &stages.route);
    let starts_s = work_s.max(bytes * stages.before_s_per_byte);
    let response_s = starts_s + bytes * (stages.s_per_byte + stages.behind_s_per_byte) + route.latency_s;
    let energy_j = bytes * (route.j_per_byte + route.send_w * route.link_s_per_byte);
    let late = if response_s > parts.deadline_s { parts.late_cost } else { 0.0 };
    parts.alpha * energy_j + (1.0 - parts.alpha) * response_s + late
}

/// The greatest common divisor of times, by Euclid's algorithm with an allowance for rounding.
fn common_divisor(times_s: &[f64]) -> Result<f64, OptimumError> {
    let shortest_s = times_s.iter().copied().fold(f64::INFINITY, f64::min);
    let longest_s = times_s.iter().copied().fold(0.0, f64::max);
    let allowance = 1e-9 * longest_s;
    let mut divisor = shortest_s;
    for time_s in times_s {
        let (mut larger, mut smaller) = (*time_s, divisor);
        while smaller > allowance {
            let rest = (larger - smaller * (larger / smaller).round()).abs();
            larger = smaller;
            smaller = rest;
        }
        divisor = larger;
    }
    if divisor < SHORTEST_UNIT * shortest_s { Err(OptimumError::NoUnit { shortest_s, longest_s }) } else { Ok(divisor) }
}

/// The number of values of each dimension.
fn lengths(
    site: &Site,
    queues: &[usize],
    limits_s: &[f64],
    least: &[usize],
    unit_s: f64,
) -> Result<Vec<usize>, OptimumError> {
    let name = |queue: &usize| site.queues[*queue].name.clone();
    if limits_s.len() != queues.len() {
        let names = queues.iter().map(name).collect();
        return Err(OptimumError::Limits { queues: queues.len(), names, limits: limits_s.len() });
    }
    let mut lengths = Vec::with_capacity(queues.len());
    for ((limit_s, queue), least) in limits_s.iter().zip(queues).zip(least) {
        let steps = (limit_s / unit_s).round();
        if !(steps >= *least as f64 && steps.is_finite()) {
            let least_s = *least as f64 * unit_s;
            return Err(OptimumError::Limit { queue: name(queue), least_s, limit_s: *limit_s });
        }
        lengths.push(steps as usize + 1);
    }
    let states = lengths.iter().try_fold(1_usize, |product, length| product.checked_mul(*length)).unwrap_or(usize::MAX);
    if states > MAX_STATES { Err(OptimumError::States { states }) } else { Ok(lengths) }
}
