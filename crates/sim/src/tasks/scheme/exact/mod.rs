//! The exact optimum.
//!
//! Where nothing is shared the cost is a sum over devices, so that each device is searched by itself, by depth-first
//! branch and bound ([`device_search`], or [`task_search`] in a detailed model). Where something is shared, all devices are searched together, over the loads
//! of shared places ([`branch_and_bound`]).

mod branch_and_bound;
mod device_search;
mod divisible;
mod task_search;

use rayon::prelude::*;

use self::device_search::{DeviceSearch, WhereTooLarge};
use self::task_search::TaskSearch;
use super::{Annealing, Scheme, SchemeError, Solution, local_search, settle_all_ties};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::{Decision, Placement};
use crate::tasks::scenario::DeadlineRule;
use crate::tasks::workload::Workload;

/// The work of each of the two searches for a first incumbent, a fraction of a second.
const MAX_WORK: u64 = 200_000_000;

/// Steps of annealing per task, as long as they take no more than [`MAX_WORK`].
const ANNEALING_STEPS: u64 = 300;

/// The exact optimum by branch and bound. A search that takes too long is refused; [`Exact::bounds`] then says how far the
/// optimum can be.
///
/// Where nothing is shared, it always answers up to 13 tasks per device on three places; beyond that it depends on the
/// sizes. Where something is shared, it depends on the number of shared places and of ways to place one device's tasks.
///
/// Where α is 1, the answer is the optimum of [`CostModel::search_model`], the shortest time of all decisions with the least
/// energy. If that search takes too long, the answer still has the least energy, and no single move or swap shortens its time.
/// Where α is 0, the answer has the least energy of all decisions with the shortest time if nothing is shared and a second,
/// shorter search ends; else no single move or swap lowers its energy.
///
/// In a [detailed](CostModel::is_detailed) model, the answer is the optimum of [`CostModel::cost`]: where deadlines are hard, no
/// decision misses fewer of them. Where devices share something and many deadlines cannot be kept, the search may be refused that
/// would end without deadlines.
#[derive(Debug, Clone, Default)]
pub struct Exact {
    /// The places that may be used; all if empty.
    among: Vec<u8>,
    search: DeviceSearch,
}

impl Exact {
    /// The optimum over all places.
    pub fn new() -> Self {
        Self::default()
    }

    /// The optimum over decisions that use only these places.
    pub fn among(places: &[Placement]) -> Self {
        Self { among: places.iter().map(|place| place.index()).collect(), search: DeviceSearch::default() }
    }

    /// Writes the optimum of one workload into `places`, `[N * M]`. Returns its cost and the number of cost evaluations.
    /// Where nothing is shared, allocates nothing once it has decided a workload of that shape.
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
        if model.counts_one_quantity() {
            return self.decide_one_quantity(model, sizes_bytes, places);
        }
        if !self.separates(model) {
            let found = self.search_together(model, sizes_bytes);
            if !found.is_optimal {
                return Err(not_proved(model, &found));
            }
            places.copy_from_slice(&found.places);
            return Ok((found.cost, found.evaluations));
        }
        let evaluations = if model.is_detailed() {
            self.search_tasks(model, sizes_bytes, places)?
        } else {
            self.search_devices(model, sizes_bytes, places, WhereTooLarge::Refuse)?.1
        };
        Ok((model.cost(sizes_bytes, places), evaluations))
    }

    /// [`Exact::decide_into`] where only energy or only time counts, and the other quantity decides between equal costs.
    fn decide_one_quantity(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
    ) -> Result<(f64, u64), SchemeError> {
        let searched = &*model.search_model_among(&self.among);
        // All decisions in it have the least energy.
        let are_all_optimal = model.alpha() == 1.0;
        let (is_settled, mut evaluations) = if self.separates(searched) {
            let too_large = if are_all_optimal { WhereTooLarge::TakeBest } else { WhereTooLarge::Refuse };
            self.search_devices(searched, sizes_bytes, places, too_large)?
        } else {
            let found = self.search_together(searched, sizes_bytes);
            if !found.is_optimal && !are_all_optimal {
                return Err(not_proved(model, &found));
            }
            places.copy_from_slice(&found.places);
            (found.is_optimal && are_all_optimal, found.evaluations)
        };
        if !is_settled {
            evaluations += settle_all_ties(&model.narrowed_to(&self.among), sizes_bytes, places);
        }
        Ok((model.cost(sizes_bytes, places), evaluations))
    }

    /// Searches each device by itself. Returns whether all ties are settled, and the number of cost evaluations.
    fn search_devices(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
        too_large: WhereTooLarge,
    ) -> Result<(bool, u64), SchemeError> {
        let (mut is_settled, mut evaluations) = (true, 0);
        let rows = sizes_bytes.chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            if model.is_all_reachable() {
                self.search.prepare(model.rates(device), &self.among, model.alpha(), sizes);
            } else {
                let allowed = model.allowed_places(device, &self.among);
                self.search.prepare(model.rates(device), &allowed, model.alpha(), sizes);
            }
            is_settled &= self.search.run(places, too_large)?;
            evaluations += self.search.nodes;
        }
        Ok((is_settled, evaluations))
    }

    /// Searches each device of a detailed model by itself, from a decision of local search. Returns the number of cost
    /// evaluations.
    fn search_tasks(&self, model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> Result<u64, SchemeError> {
        let narrowed = model.narrowed_to(&self.among);
        let most = local_search::affordable_evaluations(model, MAX_WORK);
        let mut incremental = IncrementalCost::for_search(&narrowed);
        let mut evaluations = local_search::decide_all(&mut incremental, sizes_bytes, places, most);
        let rows = sizes_bytes.chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            let allowed = model.allowed_places(device, &self.among);
            let mut search = TaskSearch::new(model, device, allowed, sizes, places);
            search.run(places)?;
            evaluations += search.nodes;
        }
        Ok(evaluations)
    }

    /// A decision and a lower bound of all costs: the optimum itself if the search ends within its limits, else the best
    /// decision known and the best bound.
    ///
    /// # Errors
    /// If nothing is shared and the search would take too long.
    pub fn bounds(&mut self, model: &CostModel, workload: &Workload) -> Result<Bounds, SchemeError> {
        // Where only energy counts, every decision that is found has the least.
        let is_energy_alone = model.alpha() == 1.0 && model.counts_one_quantity();
        if is_energy_alone || self.separates(model) {
            let Solution { decision, evaluations } = self.decide(model, workload)?;
            let cost = model.reported_cost(workload.sizes_bytes(), decision.places());
            return Ok(Bounds { lower: cost, cost, decision, is_optimal: true, evaluations });
        }
        let branch_and_bound::Found { lower, cost, mut places, is_optimal, mut evaluations } =
            self.search_together(model, workload.sizes_bytes());
        if model.counts_one_quantity() {
            let model = &model.narrowed_to(&self.among);
            evaluations += settle_all_ties(model, workload.sizes_bytes(), &mut places);
        }
        let (lower, cost) = if model.is_detailed() {
            reported_bounds(model, workload, &places, lower, is_optimal)
        } else {
            (lower, cost)
        };
        Ok(Bounds { lower, cost, decision: Decision::from_places(model.tasks(), places), is_optimal, evaluations })
    }

    /// Whether each device can be decided by itself: none of the places that may be used is shared.
    fn separates(&self, model: &CostModel) -> bool {
        let Some(contention) = model.contention() else { return true };
        let is_used = |place: u8| (0..model.devices()).any(|device| model.is_reachable(device, place));
        let is_shared = |place: u8| {
            let may_be_used = self.among.is_empty() || self.among.contains(&place);
            may_be_used && contention.is_shared(usize::from(place)) && is_used(place)
        };
        !(0..model.places() as u8).any(is_shared)
    }

    fn search_together(&self, model: &CostModel, sizes_bytes: &[f64]) -> branch_and_bound::Found {
        let tasks = model.task_count();
        let mut evaluations = self.among.len() as u64;
        let everything = self.among.iter().map(|place| {
            let place_of = |task: usize| {
                let allowed = model.allowed_places(task / model.tasks(), &self.among);
                if allowed.contains(place) { *place } else { allowed[0] }
            };
            (0..tasks).map(place_of).collect::<Vec<u8>>()
        });
        let cost = |places: &Vec<u8>| model.cost(sizes_bytes, places);
        let mut places = everything.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or_else(|| vec![0; tasks]);
        if self.among.is_empty() {
            let mut incremental = IncrementalCost::for_search(model);
            let most = local_search::affordable_evaluations(model, MAX_WORK);
            evaluations += local_search::decide_all(&mut incremental, sizes_bytes, &mut places, most);
            let steps = most.min(ANNEALING_STEPS * tasks as u64);
            Annealing::new(0, ANNEALING_STEPS).improve(&mut incremental, sizes_bytes, &mut places, steps);
            evaluations += steps;
        }
        let mut found = branch_and_bound::search(model, sizes_bytes, &self.among, places);
        found.evaluations += evaluations;
        found
    }
}

/// Bound and cost as reports give them, without the weight of hard deadlines. If a decision could miss fewer deadlines, nothing
/// is known of its cost.
fn reported_bounds(model: &CostModel, workload: &Workload, places: &[u8], lower: f64, is_optimal: bool) -> (f64, f64) {
    let outcome = model.outcome(workload.sizes_bytes(), places);
    if is_optimal {
        return (outcome.cost, outcome.cost);
    }
    if model.deadline_rule() != DeadlineRule::Hard {
        return (lower.min(outcome.cost), outcome.cost);
    }
    let weight = model.lateness_price(0, workload.sizes_bytes()) * outcome.missed_deadlines as f64;
    ((lower - weight).max(0.0), outcome.cost)
}

fn not_proved(model: &CostModel, found: &branch_and_bound::Found) -> SchemeError {
    let gap = 1.0 - found.lower / found.cost;
    SchemeError::NotProved { tasks: model.task_count(), places: model.places(), gap }
}

/// What [`Exact::bounds`] found out about the optimum.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// No decision costs less.
    pub lower: f64,
    /// The cost of the decision.
    pub cost: f64,
    /// The best decision known.
    pub decision: Decision,
    /// Whether it is proved to be the optimum.
    pub is_optimal: bool,
    /// The number of cost evaluations, of whole decisions or of one device's part.
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
