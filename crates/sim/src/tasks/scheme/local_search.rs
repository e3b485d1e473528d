//! Local search: single moves and swaps until none lowers the cost.

use super::detailed_search::decide_in_detail;
use super::greedy::{place_all_greedily, place_greedily};
use super::load::{Load, UsablePlaces};
use super::settle::{settle_all_ties, settle_ties};
use super::{Order, Scheme, SchemeError, Solution};
use crate::search::{self, gains};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// Local search. It moves one task of a device to another place, or swaps the places of two, whichever first lowers the
/// cost, until nothing does.
///
/// Where nothing is shared and there is no budget, each device is searched by itself: from its greedy decision (largest
/// first) and from all tasks at each place, and the best result is taken. Otherwise all devices are searched together,
/// largest tasks first, from the greedy decision alone; where more than bytes tells the cost ([`CostModel::is_detailed`]), from
/// both greedy decisions. Without a budget, the search of a large fleet ends after one or
/// two seconds.
///
/// Of decisions that cost the same, it takes the better one as [`CostModel::is_better`] says, where a move or a swap leads to
/// it.
#[derive(Debug, Clone)]
pub struct LocalSearch {
    name: String,
    /// The most cost evaluations per task.
    budget: Option<u64>,
}

impl Default for LocalSearch {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalSearch {
    /// A search that ends when nothing lowers the cost.
    pub fn new() -> Self {
        Self { name: "local-search".to_owned(), budget: None }
    }

    /// A search with a budget of `per_task` cost evaluations per task, which includes the evaluations of the greedy
    /// start. The greedy start alone may take more.
    pub fn within(per_task: u64) -> Self {
        Self { name: format!("local-search@{per_task}"), budget: Some(per_task) }
    }

    /// Improves a decision by moves and swaps until none lowers the cost. Returns the number of cost evaluations.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Panics
    /// If the shapes differ, or the decision names a place that is not there.
    pub fn improve(&self, model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> u64 {
        assert_eq!((sizes_bytes.len(), places.len()), (model.task_count(), model.task_count()), "shapes differ");
        let model = &*model.search_model();
        model.keep_reachable(places);
        if !model.is_separable() || model.is_detailed() {
            let mut incremental = IncrementalCost::for_search(model);
            incremental.set(sizes_bytes, places);
            let evaluations = improve_all(&mut incremental, sizes_bytes, affordable(model));
            places.copy_from_slice(incremental.places());
            return evaluations + settle_all_ties(model, sizes_bytes, places);
        }
        let rows = sizes_bytes.chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        let mut evaluations = 0;
        for (device, (sizes, places)) in rows.enumerate() {
            let usable = UsablePlaces::of(model, device);
            usable.number(places);
            let mut load = Load::new(usable.rates(), model.alpha());
            for (&bytes, &place) in sizes.iter().zip(&*places) {
                load.add(bytes, place);
            }
            evaluations += improve(&mut load, sizes, places);
            usable.name(places);
        }
        evaluations + settle_all_ties(model, sizes_bytes, places)
    }
}

/// Improves the decision of a whole fleet by moves and swaps, largest tasks first, until none lowers the cost or `budget`
/// cost evaluations are spent. Returns their number.
///
/// # Shapes
/// `sizes_bytes` and `places` are `[N * M]`.
///
/// # Panics
/// If the shapes differ, or the decision names a place that is not there.
pub fn improve_within(model: &CostModel, sizes_bytes: &[f64], places: &mut [u8], budget: u64) -> u64 {
    let model = &*model.search_model();
    model.keep_reachable(places);
    let mut incremental = IncrementalCost::for_search(model);
    incremental.set(sizes_bytes, places);
    let evaluations = improve_all(&mut incremental, sizes_bytes, budget);
    places.copy_from_slice(incremental.places());
    evaluations + settle_ties(model, sizes_bytes, places, budget.saturating_sub(evaluations))
}

/// Work of a search without a budget, one or two seconds.
const MAX_WORK: u64 = 2_000_000_000;

/// The number of cost evaluations that an amount of work affords. One evaluation takes one unit for each device, and as
/// much as 60 devices for the rest.
pub(super) fn affordable_evaluations(model: &CostModel, work: u64) -> u64 {
    work / (model.devices() as u64 + 60)
}

/// The number of cost evaluations of a search without a budget.
pub(super) fn affordable(model: &CostModel) -> u64 {
    affordable_evaluations(model, MAX_WORK)
}

/// Decides for a whole fleet: greedily, then by moves and swaps until none lowers the cost or the budget is spent. Returns
/// the number of cost evaluations.
pub(super) fn decide_all(
    incremental: &mut IncrementalCost<'_>,
    sizes_bytes: &[f64],
    places: &mut [u8],
    budget: u64,
) -> u64 {
    place_all_greedily(incremental, sizes_bytes, Order::LargestFirst);
    let greedy = present_tasks(sizes_bytes) * incremental.loads_bytes().len() as u64;
    let evaluations = greedy + improve_all(incremental, sizes_bytes, budget.saturating_sub(greedy));
    places.copy_from_slice(incremental.places());
    evaluations
}

impl Scheme for LocalSearch {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = vec![0; model.task_count()];
        let model = &*model.search_model();
        if self.budget.is_none() && model.is_detailed() {
            let evaluations = decide_in_detail(model, workload.sizes_bytes(), &mut places);
            return Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations });
        }
        if self.budget.is_some() || !model.is_separable() {
            let of_tasks = |per_task: u64| per_task.saturating_mul(present_tasks(workload.sizes_bytes()));
            let budget = self.budget.map_or_else(|| affordable(model), of_tasks);
            let mut incremental = IncrementalCost::for_search(model);
            let mut evaluations = decide_all(&mut incremental, workload.sizes_bytes(), &mut places, budget);
            let rest = budget.saturating_sub(evaluations);
            evaluations += settle_ties(model, workload.sizes_bytes(), &mut places, rest);
            return Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations });
        }
        let mut trial = vec![0; model.tasks()];
        let mut evaluations = present_tasks(workload.sizes_bytes()) * model.places() as u64;
        let rows = workload.sizes_bytes().chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            let usable = UsablePlaces::of(model, device);
            let mut load = Load::new(usable.rates(), model.alpha());
            place_greedily(&mut load, sizes, Order::LargestFirst, places);
            evaluations += improve(&mut load, sizes, places);
            let mut best = load.cost();
            for start in 0..load.places() {
                load.clear();
                for &bytes in sizes {
                    load.add(bytes, start);
                }
                trial.fill(start);
                evaluations += improve(&mut load, sizes, &mut trial);
                if gains(load.cost(), best) {
                    best = load.cost();
                    places.copy_from_slice(&trial);
                }
            }
            usable.name(places);
        }
        evaluations += settle_all_ties(model, workload.sizes_bytes(), &mut places);
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}

/// Improves one device's placements until no move and no swap lowers the cost. Returns the number of cost evaluations.
///
/// It is no [`search::improve`]: it takes the first move that helps, with the swaps of each task right after its moves, and adds
/// up the load of one device instead of following a fleet, which the many starts of a search without a budget need.
fn improve(load: &mut Load<'_>, sizes_bytes: &[f64], places: &mut [u8]) -> u64 {
    let mut evaluations = 1;
    let mut cost = load.cost();
    loop {
        let before = cost;
        for task in 0..sizes_bytes.len() {
            let bytes = sizes_bytes[task];
            load.remove(bytes, places[task]);
            for place in 0..load.places() {
                if place != places[task] {
                    let moved = load.cost_with(bytes, place);
                    evaluations += 1;
                    if gains(moved, cost) {
                        (cost, places[task]) = (moved, place);
                    }
                }
            }
            load.add(bytes, places[task]);
            for other in task + 1..sizes_bytes.len() {
                if places[task] != places[other] {
                    swap(load, sizes_bytes, places, task, other);
                    evaluations += 1;
                    let swapped = load.cost();
                    if gains(swapped, cost) {
                        cost = swapped;
                    } else {
                        swap(load, sizes_bytes, places, task, other);
                    }
                }
            }
        }
        if !gains(cost, before) {
            return evaluations;
        }
    }
}

/// Improves the decision of a whole fleet, largest tasks first, until no move and no swap lowers the cost or the budget is
/// spent. Returns the number of cost evaluations.
pub(super) fn improve_all(incremental: &mut IncrementalCost<'_>, sizes_bytes: &[f64], budget: u64) -> u64 {
    search::improve(incremental, &Order::LargestFirst.of(sizes_bytes), budget)
}

fn swap(load: &mut Load<'_>, sizes_bytes: &[f64], places: &mut [u8], task: usize, other: usize) {
    load.remove(sizes_bytes[task], places[task]);
    load.remove(sizes_bytes[other], places[other]);
    places.swap(task, other);
    load.add(sizes_bytes[task], places[task]);
    load.add(sizes_bytes[other], places[other]);
}
