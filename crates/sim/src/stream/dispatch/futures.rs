//! What each place would cost in all, under drawn futures.

use super::path::{Arrival, Path, draw_arrivals};
use super::scheme::{DispatchScheme, View};
use super::site::Site;
use super::state::{Placed, SiteState};
use crate::random;

/// The most tasks of a future.
const MOST_TASKS: usize = 100_000;
/// The number of tasks after which the queues of futures are compared.
const TASKS_BETWEEN_COMPARISONS: usize = 4;

/// A scheme that places the tasks of futures.
pub trait FutureBase: DispatchScheme + Clone {
    /// The task that arrives goes to a place, whatever the scheme would have chosen: a scheme that remembers what happened takes
    /// note of it.
    fn note(&mut self, _view: View<'_>, _place: usize) {}
}

/// Prices places by futures: each place is tried under the same drawn futures, in which a base scheme places the tasks that
/// follow.
///
/// A future begins at the present level of the arrival process and in the present states of the links. Its cost is that of all
/// tasks in it, and at its end (1 − α) Σ λ W² / (2 (1 − ρ)): what the work W that is left in the queues will make later tasks
/// wait by the closed form of [`OneStep`](super::scheme::OneStep). Tasks that were on their way to a machine before come there
/// when they do in fact.
///
/// As soon as the queues are the same whichever place was taken, the rest of the future costs the same, and is left out.
#[derive(Debug, Clone)]
pub struct Futures<S> {
    count: u32,
    horizon_s: f64,
    /// Of each queue: (1 − α) λ / (2 (1 − ρ)).
    end_prices: Vec<f64>,
    /// One for each place.
    courses: Vec<Course<S>>,
    sums: Vec<f64>,
    evaluations: u64,
}

/// A future after one place was taken.
#[derive(Debug, Clone)]
struct Course<S> {
    state: SiteState,
    base: S,
    cost: f64,
    /// Whether its queues differ from those of the first course.
    differs: bool,
}

/// The cost of the tasks of one future.
struct FutureCost<'a> {
    site: &'a Site,
    /// The arrivals up to now, and those after.
    arrivals: [&'a [Arrival]; 2],
}

impl FutureCost<'_> {
    /// What the time costs from the arrival of a task until it is done.
    fn done(&self, index: usize, done_s: f64) -> f64 {
        let [before, after] = self.arrivals;
        let arrival = before.get(index).unwrap_or_else(|| &after[index - before.len()]);
        let parts = self.site.parts();
        let response_s = done_s - arrival.time_s;
        let late = if response_s > parts.deadline_s { parts.late_cost } else { 0.0 };
        (1.0 - parts.alpha) * response_s + late
    }

    fn placed(&self, index: usize, placed: &Placed) -> f64 {
        let energy = self.site.parts().alpha * (placed.energy_j + placed.tail_j);
        energy + placed.done_s.map_or(0.0, |done_s| self.done(index, done_s))
    }
}

impl<S: FutureBase> Futures<S> {
    /// Futures of a site: `futures` for each task, each `horizon_s` seconds long.
    pub fn new(site: &Site, futures: u32, horizon_s: f64, base: &S) -> Self {
        let weight = 1.0 - site.parts().alpha;
        let course = Course { state: SiteState::empty(site, 0), base: base.clone(), cost: 0.0, differs: false };
        Self {
            count: futures,
            horizon_s,
            end_prices: site
                .static_split()
                .queues()
                .iter()
                .map(|queue| weight * queue.workload_value_per_s())
                .collect(),
            courses: vec![course; site.places()],
            sums: vec![0.0; site.places()],
            evaluations: 0,
        }
    }

    /// How many tasks of futures were placed since the beginning.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// The mean cost of each place, but for a number that is the same for all places; infinite where the task cannot run. The
    /// base is as it is before the task of the view is placed.
    ///
    /// # Panics
    /// If the task can run nowhere; a site has a place for every task.
    pub fn price(&mut self, view: View<'_>, base: &S, seed: u64) -> &[f64] {
        let View { site, path, state: now, arrival, index } = view;
        let device = arrival.device as usize;
        for (place, sum) in self.sums.iter_mut().enumerate() {
            *sum = if site.is_usable(device, place) { 0.0 } else { f64::INFINITY };
        }
        let end_s = arrival.time_s + self.horizon_s;
        let before = &path.arrivals()[..=index];
        for future in 0..self.count {
            let mut random = random::stream_of(seed, "dispatch/future", &[index as f64, f64::from(future)]);
            let from = (arrival.time_s, path.level(index));
            let (arrivals, _) = draw_arrivals(site, from, end_s, MOST_TASKS, &mut random);
            let (start, rates) = now.imagined(site, path, self.horizon_s, &mut random);
            let imagined = Path::of(arrivals, rates);
            let cost = FutureCost { site, arrivals: [before, imagined.arrivals()] };
            let usable = (0..site.places()).filter(|place| site.is_usable(device, *place));
            for place in usable.clone() {
                let course = &mut self.courses[place];
                course.state.copy_from(&start);
                course.base.clone_from(base);
                let view = View { site, path: &imagined, state: &mut course.state, arrival, index };
                course.base.note(view, place);
                course.cost = cost.placed(index, &course.state.place(site, &imagined, arrival, place, index));
                course.differs = true;
            }
            let first = usable.clone().next().expect("a task can run somewhere");
            let mut differing = usable.clone().count() - 1;
            for (next, arrival) in imagined.arrivals().iter().enumerate() {
                if differing == 0 {
                    break;
                }
                let number = before.len() + next;
                for course in usable.clone() {
                    let course = &mut self.courses[course];
                    if course.differs {
                        course.step(site, &imagined, arrival, next, number, &cost);
                        self.evaluations += 1;
                    }
                }
                if next % TASKS_BETWEEN_COMPARISONS == TASKS_BETWEEN_COMPARISONS - 1 {
                    let (head, tail) = self.courses.split_at_mut(first + 1);
                    let reference = &head[first];
                    for course in tail.iter_mut().filter(|course| course.differs) {
                        if course.state.is_like(&reference.state) {
                            // From here on both cost the same: this one is given what the first one has cost since.
                            course.cost -= reference.cost;
                            course.differs = false;
                            differing -= 1;
                        }
                    }
                }
            }
            let merged = differing == 0;
            if !merged {
                for place in usable.clone() {
                    if self.courses[place].differs {
                        let end = self.courses[place].end(site, &imagined, end_s, &self.end_prices, &cost);
                        self.courses[place].cost += end;
                    }
                }
            }
            let reference = self.courses[first].cost;
            for place in usable {
                let course = &self.courses[place];
                self.sums[place] += if course.differs { course.cost } else { course.cost + reference };
            }
        }
        let futures = f64::from(self.count);
        self.sums.iter_mut().for_each(|sum| *sum /= futures);
        &self.sums
    }
}

impl<S: FutureBase> Course<S> {
    fn step(
        &mut self,
        site: &Site,
        path: &Path,
        arrival: &Arrival,
        index: usize,
        number: usize,
        cost: &FutureCost<'_>,
    ) {
        let mut sum = 0.0;
        self.state.advance(arrival.time_s, |joined, done_s| sum += cost.done(joined, done_s));
        let place = self.base.choose(View { site, path, state: &mut self.state, arrival, index });
        let placed = self.state.place(site, path, arrival, place, number);
        self.cost += sum + cost.placed(number, &placed);
    }

    /// The cost of tasks and work that remain at the end.
    fn end(&mut self, site: &Site, path: &Path, end_s: f64, prices: &[f64], cost: &FutureCost<'_>) -> f64 {
        let mut sum = 0.0;
        self.state.advance(end_s, |joined, done_s| sum += cost.done(joined, done_s));
        for (queue, price) in prices.iter().enumerate() {
            sum += price * self.state.backlog_s(queue, site, path).powi(2);
        }
        self.state.advance(f64::INFINITY, |joined, done_s| sum += cost.done(joined, done_s));
        sum
    }
}

/// A path walked task by task, to look at what schemes see on the way.
#[derive(Debug)]
pub struct Walk<'a> {
    site: &'a Site,
    path: &'a Path,
    state: SiteState,
    index: usize,
}

impl<'a> Walk<'a> {
    /// Before the first task of a path.
    pub fn new(site: &'a Site, path: &'a Path) -> Self {
        Self { site, path, state: SiteState::empty(site, path.arrivals().len()), index: 0 }
    }

    /// What a scheme sees as the next task arrives; `None` after the last one.
    pub fn view(&mut self) -> Option<View<'_>> {
        let arrival = self.path.arrivals.get(self.index)?;
        self.state.advance(arrival.time_s, |_, _| {});
        Some(View { site: self.site, path: self.path, state: &mut self.state, arrival, index: self.index })
    }

    /// Puts the task that [`Walk::view`] has shown at a place that its device can use.
    pub fn place(&mut self, place: usize) {
        let arrival = self.path.arrivals[self.index];
        self.state.place(self.site, self.path, &arrival, place, self.index);
        self.index += 1;
    }
}
