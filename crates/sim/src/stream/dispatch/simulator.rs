//! Running a scheme along a path.

use super::outcome::{BATCHES, DispatchOutcome, DoneTask};
use super::path::{Arrival, Path};
use super::scheme::{DispatchScheme, View};
use super::site::{NO_QUEUE, Site};
use super::state::SiteState;

/// The share of the tasks of a path that are the warm-up: the site starts empty, and they do not count.
pub const WARM_UP: f64 = 0.1;

/// What is known of a task that is on its way to a machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OnItsWay {
    pub(super) place: u8,
    pub(super) energy_j: f64,
    pub(super) sent_s: f64,
}

/// The sums of a run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    first: usize,
    tasks: usize,
    alpha: f64,
    deadline_s: f64,
    late_cost: f64,
    pub(super) cost: f64,
    pub(super) energy_j: f64,
    pub(super) response_s: f64,
    pub(super) late: usize,
    pub(super) at_place: Vec<usize>,
    /// Sums of costs, and numbers of tasks.
    pub(super) batches: [(f64, u32); BATCHES],
    pub(super) busy_s: Vec<f64>,
    pub(super) last_arrival_s: f64,
}

impl Run {
    pub(super) fn new(site: &Site, path: &Path, first: usize) -> Self {
        let parts = site.parts();
        Self {
            first,
            tasks: path.arrivals.len(),
            alpha: parts.alpha,
            deadline_s: parts.deadline_s,
            late_cost: parts.late_cost,
            cost: 0.0,
            energy_j: 0.0,
            response_s: 0.0,
            late: 0,
            at_place: vec![0; site.places()],
            batches: [(0.0, 0); BATCHES],
            busy_s: vec![0.0; site.queues.len()],
            last_arrival_s: path.arrivals.last().map_or(0.0, |last| last.time_s),
        }
    }

    pub(super) fn counted(&self) -> usize {
        self.tasks - self.first
    }

    /// Counts a task that is done. All sums are made in the order in which tasks join their last queue.
    #[inline]
    fn count(&mut self, index: usize, place: u8, energy_j: f64, response_s: f64) -> (f64, bool) {
        let is_late = response_s > self.deadline_s;
        let late_cost = if is_late { self.late_cost } else { 0.0 };
        let cost = self.alpha * energy_j + (1.0 - self.alpha) * response_s + late_cost;
        if index >= self.first {
            self.cost += cost;
            self.energy_j += energy_j;
            self.response_s += response_s;
            self.late += usize::from(is_late);
            self.at_place[usize::from(place)] += 1;
            let batch = &mut self.batches[(index - self.first) * BATCHES / self.counted()];
            batch.0 += cost;
            batch.1 += 1;
        }
        (cost, is_late)
    }

    /// Counts a task that is done, and says everything about it.
    #[inline]
    pub(super) fn done(&mut self, index: usize, arrival: &Arrival, way: OnItsWay, done_s: f64) -> DoneTask {
        let OnItsWay { place, energy_j, sent_s } = way;
        let Arrival { time_s: arrived_s, bytes, device } = *arrival;
        let (cost, is_late) = self.count(index, place, energy_j, done_s - arrived_s);
        DoneTask { index, arrived_s, device, bytes, place, sent_s, done_s, energy_j, is_late, cost }
    }

    /// Adds the energy of a radio that stayed on before the task `index`.
    #[inline]
    pub(super) fn add_tail(&mut self, index: usize, tail_j: f64) {
        if tail_j > 0.0 && index >= self.first {
            self.energy_j += tail_j;
            self.cost += self.alpha * tail_j;
            self.batches[(index - self.first) * BATCHES / self.counted()].0 += self.alpha * tail_j;
        }
    }
}

/// Runs a scheme along a path; [`WARM_UP`] of the tasks do not count. `seed` is for schemes that draw random numbers.
pub fn simulate(site: &Site, path: &Path, scheme: &mut dyn DispatchScheme, seed: u64) -> DispatchOutcome {
    simulate_traced(site, path, scheme, seed, |_| {})
}

/// As [`simulate`]; `trace` is told each task, in the order in which it is known when they are done.
pub fn simulate_traced(
    site: &Site,
    path: &Path,
    scheme: &mut dyn DispatchScheme,
    seed: u64,
    mut trace: impl FnMut(&DoneTask),
) -> DispatchOutcome {
    let tasks = path.arrivals.len();
    let mut run = Run::new(site, path, (tasks as f64 * WARM_UP) as usize);
    let mut state = SiteState::empty(site, tasks);
    // What is known of each task that is on its way to a machine.
    let mut pending: Vec<OnItsWay> = vec![OnItsWay::default(); tasks];
    scheme.start(site, seed);
    let mut finish = |run: &mut Run, index: usize, way: OnItsWay, done_s: f64| {
        trace(&run.done(index, &path.arrivals[index], way, done_s));
    };
    for (index, arrival) in path.arrivals.iter().enumerate() {
        state.advance(arrival.time_s, |joined, done_s| {
            finish(&mut run, joined, pending[joined], done_s);
        });
        let place = scheme.choose(View { site, path, state: &mut state, arrival, index });
        debug_assert!(site.is_usable(arrival.device as usize, place), "a scheme chooses a place that can be used");
        let placed = state.place(site, path, arrival, place, index);
        let route = site.route(arrival.device as usize, place);
        for (queue, service_s) in [route.link, route.machine].into_iter().zip(placed.services_s) {
            if queue != NO_QUEUE {
                run.busy_s[queue as usize] += service_s;
            }
        }
        run.add_tail(index, placed.tail_j);
        let way = OnItsWay { place: place as u8, energy_j: placed.energy_j, sent_s: placed.sent_s };
        match placed.done_s {
            Some(done_s) => finish(&mut run, index, way, done_s),
            None => pending[index] = way,
        }
    }
    state.advance(f64::INFINITY, |joined, done_s| {
        finish(&mut run, joined, pending[joined], done_s);
    });
    DispatchOutcome::of(&run, scheme.evaluations().unwrap_or(tasks as u64))
}
