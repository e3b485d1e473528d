//! Trying every place under drawn futures.

use super::{DispatchScheme, OneStep, View, cheapest};
use crate::random;
use crate::stream::dispatch::path::{Arrival, Path, draw_arrivals};
use crate::stream::dispatch::site::Site;
use crate::stream::dispatch::state::{Placed, SiteState};

/// The length of a future, in units of [`Site::time_unit_s`].
const HORIZON_UNITS: f64 = 4.0;
/// The most tasks of a future.
const MOST_TASKS: usize = 100_000;

/// Rollouts: every place is tried under the same drawn futures, in which [`OneStep`] places the tasks that follow, and the place
/// with the least mean cost is taken.
///
/// A future lasts for four times [`Site::time_unit_s`]. Its arrivals begin at the present level of the arrival process, the rates
/// of its links in their present states. The cost is that of all tasks in it, and at its end (1 − α) Σ λ W² / (2 (1 − ρ)): what
/// the work W that is left in the queues will make later tasks wait by the closed form of [`OneStep`]. Tasks that were on their
/// way to a machine before come there when they do in fact. A decision takes milliseconds.
#[derive(Debug, Clone)]
pub struct Rollout {
    name: String,
    futures: u32,
    seed: u64,
    base: OneStep,
    /// Of each queue: (1 − α) λ / (2 (1 − ρ)).
    end_prices: Vec<f64>,
    state: Option<SiteState>,
    sums: Vec<f64>,
    evaluations: u64,
}

impl Rollout {
    /// The futures of `rollout` where their number is not given.
    pub const DEFAULT_FUTURES: u32 = 64;

    /// Rollouts with this number of futures.
    pub fn new(futures: u32) -> Self {
        Self::named(format!("rollout@{futures}"), futures)
    }

    /// Rollouts with [`Rollout::DEFAULT_FUTURES`].
    pub fn by_default() -> Self {
        Self::named("rollout".to_owned(), Self::DEFAULT_FUTURES)
    }

    fn named(name: String, futures: u32) -> Self {
        Self {
            name,
            futures,
            seed: 0,
            base: OneStep::new(),
            end_prices: Vec::new(),
            state: None,
            sums: Vec::new(),
            evaluations: 0,
        }
    }
}

/// What the tasks of one future cost.
struct FutureCost<'a> {
    site: &'a Site,
    /// The arrivals up to now, and those after.
    arrivals: [&'a [Arrival]; 2],
    sum: f64,
}

impl FutureCost<'_> {
    /// Counts the time from the arrival of a task until it is done.
    fn count_done(&mut self, index: usize, done_s: f64) {
        let [before, after] = self.arrivals;
        let arrival = before.get(index).unwrap_or_else(|| &after[index - before.len()]);
        let parts = self.site.parts();
        let response_s = done_s - arrival.time_s;
        let late = if response_s > parts.deadline_s { parts.late_cost } else { 0.0 };
        self.sum += (1.0 - parts.alpha) * response_s + late;
    }

    fn count_placed(&mut self, index: usize, placed: &Placed) {
        self.sum += self.site.parts().alpha * (placed.energy_j + placed.tail_j);
        if let Some(done_s) = placed.done_s {
            self.count_done(index, done_s);
        }
    }
}

impl DispatchScheme for Rollout {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, seed: u64) {
        self.seed = seed;
        self.evaluations = 0;
        self.base.start(site, seed);
        let weight = 1.0 - site.parts().alpha;
        self.end_prices =
            site.static_split().queues().iter().map(|queue| weight * queue.workload_value_per_s()).collect();
        self.state = Some(SiteState::empty(site, 0));
        self.sums = vec![0.0; site.places()];
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        let View { site, path, state: now, arrival, index } = view;
        let device = arrival.device as usize;
        for place in 0..site.places() {
            self.sums[place] = if site.is_usable(device, place) { 0.0 } else { f64::INFINITY };
        }
        let scratch = self.state.get_or_insert_with(|| SiteState::empty(site, 0));
        let horizon_s = HORIZON_UNITS * site.time_unit_s();
        let end_s = arrival.time_s + horizon_s;
        let before = &path.arrivals()[..=index];
        for future in 0..self.futures {
            let values = [index as f64, f64::from(future)];
            let mut random = random::stream_of(self.seed, "dispatch/rollout", &values);
            let from = (arrival.time_s, path.level(index));
            let (arrivals, _) = draw_arrivals(site, from, end_s, MOST_TASKS, &mut random);
            let (start, rates) = now.imagined(site, path, horizon_s, &mut random);
            let imagined = Path::of(arrivals, rates);
            for place in (0..site.places()).filter(|place| site.is_usable(device, *place)) {
                scratch.copy_from(&start);
                let mut cost = FutureCost { site, arrivals: [before, imagined.arrivals()], sum: 0.0 };
                let placed = scratch.place(site, &imagined, arrival, place, index);
                cost.count_placed(index, &placed);
                for (next, arrival) in imagined.arrivals().iter().enumerate() {
                    scratch.advance(arrival.time_s, |joined, done_s| cost.count_done(joined, done_s));
                    let place = self.base.choose(View { site, path: &imagined, state: scratch, arrival, index: next });
                    let number = before.len() + next;
                    let placed = scratch.place(site, &imagined, arrival, place, number);
                    cost.count_placed(number, &placed);
                }
                scratch.advance(end_s, |joined, done_s| cost.count_done(joined, done_s));
                for (queue, price) in self.end_prices.iter().enumerate() {
                    cost.sum += price * scratch.backlog_s(queue, site, &imagined).powi(2);
                }
                scratch.advance(f64::INFINITY, |joined, done_s| cost.count_done(joined, done_s));
                self.sums[place] += cost.sum;
                self.evaluations += imagined.arrivals().len() as u64 + 1;
            }
        }
        cheapest(self.sums.iter().copied())
    }

    fn evaluations(&self) -> Option<u64> {
        Some(self.evaluations)
    }
}
