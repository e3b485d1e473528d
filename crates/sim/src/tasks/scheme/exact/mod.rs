//! The exact optimum.
//!
//! Where nothing is shared the cost is a sum over devices, so that each device is searched by itself, by depth-first
//! branch and bound. Where something is, the optimum does not separate: all devices are searched together, over the loads
//! of what they share, see [`boxes`].
//!
//! # The bound of one device
//! Energy and time of a task are proportional to its size at every place. Let the bytes that are still to be placed be
//! divisible at will, and the rest of the problem becomes: find a deadline τ no earlier than any place is busy already,
//! give each place p as many bytes x_p as it can finish by then, the cheapest in energy first, and pay
//! α Σ e_p x_p + (1 − α) τ. That is convex and piecewise linear in τ with one breakpoint for each place (the deadline at
//! which the k cheapest places can just take all), so that looking at the breakpoints gives its exact minimum, which
//! no completion of the partial decision can undercut.

mod boxes;
mod divisible;

use rayon::prelude::*;

use super::{Annealing, Scheme, SchemeError, Solution, local_search};
use crate::tasks::cost::{CostModel, IncrementalCost, Rate};
use crate::tasks::decision::{Decision, Placement};
use crate::tasks::workload::Workload;

/// Search nodes for one device after which the search gives up: a fraction of a second.
const MAX_NODES: u64 = 3_000_000;

/// Work of the searches for a first decision to beat, a fraction of a second each.
const MAX_WORK: u64 = 200_000_000;

/// Steps of annealing for each task, as long as they do not take more than that.
const ANNEALING_STEPS: u64 = 300;

/// Branch and bound. Where nothing is shared it always answers up to 13 tasks a device on three places; beyond that it
/// depends on the sizes. Where something is shared it depends on the number of shared places and of ways to place one
/// device's tasks. What would take too long is refused; [`Exact::bounds`] then says how far the optimum can be.
#[derive(Debug, Clone, Default)]
pub struct Exact {
    /// The places that may be used; all if empty.
    among: Vec<u8>,
    search: Search,
}

impl Exact {
    /// The optimum over all places.
    pub fn new() -> Self {
        Self::default()
    }

    /// The optimum over decisions that use only these places.
    pub fn among(places: &[Placement]) -> Self {
        Self { among: places.iter().map(|place| place.index()).collect(), search: Search::default() }
    }

    /// Writes the optimum of one workload into `places`, `[N * M]`, and returns its cost and the prices asked.
    /// Allocates nothing once it has decided a workload of that shape.
    ///
    /// # Errors
    /// If the search would take too long.
    ///
    /// # Panics
    /// If sizes or places are not `[N * M]`.
    pub fn decide_into(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
    ) -> Result<(f64, u64), SchemeError> {
        assert_eq!((sizes_bytes.len(), places.len()), (model.task_count(), model.task_count()), "shapes differ");
        if !self.separates(model) {
            let found = self.search_boxes(model, sizes_bytes);
            if !found.is_optimal {
                let gap = 1.0 - found.lower / found.cost;
                return Err(SchemeError::NotProved { tasks: model.task_count(), places: model.places(), gap });
            }
            places.copy_from_slice(&found.places);
            return Ok((found.cost, found.evaluations));
        }
        let mut evaluations = 0;
        let rows = sizes_bytes.chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            self.search.prepare(model.rates(device), &self.among, model.alpha(), sizes);
            self.search.run(places)?;
            evaluations += self.search.nodes;
        }
        Ok((model.cost(sizes_bytes, places), evaluations))
    }

    /// A decision, and a cost that none undercuts: the optimum itself if the search ends within its limits, else the best
    /// known and the best bound.
    ///
    /// # Errors
    /// If nothing is shared and the search would take too long.
    pub fn bounds(&mut self, model: &CostModel, workload: &Workload) -> Result<Bounds, SchemeError> {
        if self.separates(model) {
            let Solution { decision, evaluations } = self.decide(model, workload)?;
            let cost = model.cost(workload.sizes_bytes(), decision.places());
            return Ok(Bounds { lower: cost, cost, decision, is_optimal: true, evaluations });
        }
        let boxes::Found { lower, cost, places, is_optimal, evaluations } =
            self.search_boxes(model, workload.sizes_bytes());
        Ok(Bounds { lower, cost, decision: Decision::from_places(model.tasks(), places), is_optimal, evaluations })
    }

    /// Whether each device can be decided by itself.
    fn separates(&self, model: &CostModel) -> bool {
        let is_shared = |place: u8| {
            let may_be_used = self.among.is_empty() || self.among.contains(&place);
            may_be_used && model.contention().is_some_and(|contention| contention.is_shared(usize::from(place)))
        };
        !(0..model.places() as u8).any(is_shared)
    }

    fn search_boxes(&self, model: &CostModel, sizes_bytes: &[f64]) -> boxes::Found {
        let tasks = model.task_count();
        let mut evaluations = self.among.len() as u64;
        let everything = self.among.iter().map(|place| vec![*place; tasks]);
        let cost = |places: &Vec<u8>| model.cost(sizes_bytes, places);
        let mut places = everything.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or_else(|| vec![0; tasks]);
        if self.among.is_empty() {
            let mut priced = IncrementalCost::new(model);
            let most = local_search::most_prices(model, MAX_WORK);
            evaluations += local_search::decide_all(&mut priced, sizes_bytes, &mut places, most);
            let steps = most.min(ANNEALING_STEPS * tasks as u64);
            Annealing::new(0, ANNEALING_STEPS).improve(&mut priced, sizes_bytes, &mut places, steps);
            evaluations += steps;
        }
        let mut found = boxes::search(model, sizes_bytes, &self.among, places);
        found.evaluations += evaluations;
        found
    }
}

/// What [`Exact::bounds`] knows of the optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// No decision costs less.
    pub lower: f64,
    /// Cost of the decision.
    pub cost: f64,
    /// The best known.
    pub decision: Decision,
    /// Whether it is proved to be the best.
    pub is_optimal: bool,
    /// Prices asked, of a whole decision or of one device's part.
    pub evaluations: u64,
}

impl Scheme for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = vec![0; model.task_count()];
        let (_, evaluations) = self.decide_into(model, workload.sizes_bytes(), &mut places)?;
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }

    /// Workloads in parallel.
    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        let exact = &*self;
        workloads.par_iter().map_init(|| exact.clone(), |exact, workload| exact.decide(model, workload)).collect()
    }
}

/// One place of one device, as the search sees it.
#[derive(Debug, Clone, Copy)]
struct Place {
    index: u8,
    rate: Rate,
    /// Bytes that it gets done in a second.
    speed: f64,
    /// Seconds a byte if this place and all that are cheaper in energy share the work.
    shared_s_per_byte: f64,
    /// When it is done with what it has been given.
    busy_until: f64,
}

/// The search for one device; keeps its memory between devices. Depth d decides the d-th largest task.
#[derive(Debug, Clone, Default)]
struct Search {
    alpha: f64,
    /// Cheapest in energy first, as the bound needs them.
    places: Vec<Place>,
    /// Tasks from the largest to the smallest.
    tasks: Vec<Task>,
    /// Positions in `places`, chosen at each depth.
    chosen: Vec<u8>,
    best: Vec<u8>,
    best_cost: f64,
    /// Prices asked so far.
    nodes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    /// Position in the workload.
    index: usize,
    bytes: f64,
    /// Bytes of all tasks that are decided after this one.
    remaining: f64,
}

impl Search {
    fn prepare(&mut self, rates: &[Rate], among: &[u8], alpha: f64, sizes_bytes: &[f64]) {
        self.alpha = alpha;
        self.places.clear();
        for (index, rate) in (0_u8..).zip(rates).filter(|(index, _)| among.is_empty() || among.contains(index)) {
            let speed = 1.0 / rate.time_s_per_byte;
            self.places.push(Place { index, rate: *rate, speed, shared_s_per_byte: 0.0, busy_until: 0.0 });
        }
        self.places.sort_by(|a, b| a.rate.energy_j_per_byte.total_cmp(&b.rate.energy_j_per_byte));
        let mut speed = 0.0;
        for place in &mut self.places {
            speed += place.speed;
            place.shared_s_per_byte = 1.0 / speed;
        }
        self.tasks.clear();
        let tasks = sizes_bytes.iter().enumerate();
        self.tasks.extend(tasks.map(|(index, &bytes)| Task { index, bytes, remaining: 0.0 }));
        self.tasks.sort_by(|a, b| b.bytes.total_cmp(&a.bytes));
        let mut remaining = 0.0;
        for task in self.tasks.iter_mut().rev() {
            task.remaining = remaining;
            remaining += task.bytes;
        }
        self.chosen.clear();
        self.chosen.resize(self.tasks.len(), 0);
        self.best.clear();
        self.start_greedily();
    }

    /// Greedy gives the first decision to beat.
    fn start_greedily(&mut self) {
        let (mut energy_j, mut busy) = (0.0, 0.0_f64);
        for task in &self.tasks {
            let mut best = (f64::INFINITY, 0, 0.0, 0.0);
            for (position, place) in self.places.iter().enumerate() {
                let energy_j = energy_j + task.bytes * place.rate.energy_j_per_byte;
                let done_at = place.busy_until + task.bytes * place.rate.time_s_per_byte;
                let cost = self.alpha * energy_j + (1.0 - self.alpha) * busy.max(done_at);
                if cost < best.0 {
                    best = (cost, position, energy_j, done_at);
                }
            }
            let (cost, position, energy, done_at) = best;
            (self.best_cost, energy_j, busy) = (cost, energy, busy.max(done_at));
            self.places[position].busy_until = done_at;
            self.best.push(position as u8);
        }
        self.places.iter_mut().for_each(|place| place.busy_until = 0.0);
        self.nodes = (self.tasks.len() * self.places.len()) as u64;
    }

    /// Searches and writes the best placements into `places`, in the workload's order.
    fn run(&mut self, places: &mut [u8]) -> Result<(), SchemeError> {
        self.descend(0, 0.0, 0.0)?;
        for (task, &chosen) in self.tasks.iter().zip(&self.best) {
            places[task.index] = self.places[usize::from(chosen)].index;
        }
        Ok(())
    }

    /// Decides the task at `depth` and all after it; `busy` is when the last place is done so far.
    fn descend(&mut self, depth: usize, energy_j: f64, busy: f64) -> Result<(), SchemeError> {
        let Task { bytes, remaining, .. } = self.tasks[depth];
        let last = depth + 1 == self.tasks.len();
        for position in 0..self.places.len() {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                let (tasks, places) = (self.tasks.len(), self.places.len());
                return Err(SchemeError::TooLarge { tasks, places, nodes: MAX_NODES });
            }
            let Place { rate, busy_until, .. } = self.places[position];
            let done_at = busy_until + bytes * rate.time_s_per_byte;
            let busy = busy.max(done_at);
            let energy_j = energy_j + bytes * rate.energy_j_per_byte;
            // Everything else at the cheapest place, at no time at all: most branches end here.
            let least = self.alpha * (energy_j + remaining * self.places[0].rate.energy_j_per_byte);
            let cost = least + (1.0 - self.alpha) * busy;
            if cost >= self.best_cost {
                continue;
            }
            self.chosen[depth] = position as u8;
            if last {
                self.best_cost = cost;
                self.best.copy_from_slice(&self.chosen);
                continue;
            }
            self.places[position].busy_until = done_at;
            if self.bound(energy_j, busy, remaining) < self.best_cost {
                self.descend(depth + 1, energy_j, busy)?;
            }
            self.places[position].busy_until = busy_until;
        }
        Ok(())
    }

    /// What no completion of the partial decision can undercut, see the module's page.
    fn bound(&self, energy_j: f64, busy: f64, bytes: f64) -> f64 {
        // Deadlines at which the k cheapest places can just finish everything: later ones need fewer places.
        let mut work = bytes;
        let mut lowest = f64::INFINITY;
        for (position, place) in self.places.iter().enumerate() {
            work += place.busy_until * place.speed;
            let deadline = work * place.shared_s_per_byte;
            let enough = deadline < busy;
            lowest = lowest.min(self.divisible_cost(deadline.max(busy), bytes, position + 1));
            if enough {
                // Places beyond are not needed at the earliest deadline there is.
                break;
            }
        }
        self.alpha * energy_j + lowest
    }

    /// Cost of placing divisible bytes by a deadline that the first `count` places together can keep, cheapest first.
    fn divisible_cost(&self, deadline: f64, mut bytes: f64, count: usize) -> f64 {
        let mut energy_j = 0.0;
        for place in &self.places[..count] {
            let taken = ((deadline - place.busy_until) * place.speed).min(bytes);
            energy_j += taken * place.rate.energy_j_per_byte;
            bytes -= taken;
        }
        self.alpha * energy_j + (1.0 - self.alpha) * deadline
    }
}
