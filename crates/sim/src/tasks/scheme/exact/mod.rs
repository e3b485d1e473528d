//! The exact optimum.
//!
//! Where nothing is shared the cost is a sum over devices, so that each device is searched by itself, by depth-first
//! branch and bound ([`device_search`]). Where something is shared, all devices are searched together, over the loads
//! of shared places ([`branch_and_bound`]).

mod branch_and_bound;
mod device_search;
mod divisible;

use rayon::prelude::*;

use self::device_search::DeviceSearch;
use super::{Annealing, Scheme, SchemeError, Solution, local_search};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::{Decision, Placement};
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
        if !self.separates(model) {
            let found = self.search_together(model, sizes_bytes);
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

    /// A decision and a lower bound of all costs: the optimum itself if the search ends within its limits, else the best
    /// decision known and the best bound.
    ///
    /// # Errors
    /// If nothing is shared and the search would take too long.
    pub fn bounds(&mut self, model: &CostModel, workload: &Workload) -> Result<Bounds, SchemeError> {
        if self.separates(model) {
            let Solution { decision, evaluations } = self.decide(model, workload)?;
            let cost = model.cost(workload.sizes_bytes(), decision.places());
            return Ok(Bounds { lower: cost, cost, decision, is_optimal: true, evaluations });
        }
        let branch_and_bound::Found { lower, cost, places, is_optimal, evaluations } =
            self.search_together(model, workload.sizes_bytes());
        Ok(Bounds { lower, cost, decision: Decision::from_places(model.tasks(), places), is_optimal, evaluations })
    }

    /// Whether each device can be decided by itself: none of the places that may be used is shared.
    fn separates(&self, model: &CostModel) -> bool {
        let Some(contention) = model.contention() else { return true };
        let is_shared = |place: u8| {
            let may_be_used = self.among.is_empty() || self.among.contains(&place);
            may_be_used && contention.is_shared(usize::from(place))
        };
        !(0..model.places() as u8).any(is_shared)
    }

    fn search_together(&self, model: &CostModel, sizes_bytes: &[f64]) -> branch_and_bound::Found {
        let tasks = model.task_count();
        let mut evaluations = self.among.len() as u64;
        let everything = self.among.iter().map(|place| vec![*place; tasks]);
        let cost = |places: &Vec<u8>| model.cost(sizes_bytes, places);
        let mut places = everything.min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or_else(|| vec![0; tasks]);
        if self.among.is_empty() {
            let mut incremental = IncrementalCost::new(model);
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
