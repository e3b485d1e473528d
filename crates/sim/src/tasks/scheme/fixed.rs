//! Schemes that fix where tasks may run: everything in one place, or the best mix of some places.

use super::{Exact, Scheme, SchemeError, Solution};
use crate::tasks::cost::CostModel;
use crate::tasks::decision::{Decision, Placement};
use crate::tasks::workload::Workload;

/// Every task at the same place: the paper's Local-only, ES-only and CS-only. A device that cannot
/// use the place keeps its tasks.
#[derive(Debug, Clone)]
pub struct Fixed {
    name: String,
    placement: Placement,
}

impl Fixed {
    /// The scheme of one place, named after it: `local-only`, `edge-only`, ...
    pub fn new(model: &CostModel, placement: Placement) -> Self {
        Self { name: format!("{}-only", place_name(model, placement)), placement }
    }
}

impl Scheme for Fixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, _workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = vec![self.placement.index(); model.task_count()];
        model.keep_reachable(&mut places);
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: 0 })
    }
}

/// The cheapest decision that uses only some of the places: the paper's Local & ES and Local & CS. A device that can use none
/// of them keeps its tasks.
#[derive(Debug, Clone)]
pub struct BestMix {
    name: String,
    search: Exact,
}

impl BestMix {
    /// The scheme of some places, named after them: `local+edge`, `local+cloud`, ...
    pub fn new(model: &CostModel, places: &[Placement]) -> Self {
        let names: Vec<_> = places.iter().map(|place| place_name(model, *place)).collect();
        Self { name: names.join("+"), search: Exact::among(places) }
    }
}

impl Scheme for BestMix {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        self.search.decide(model, workload)
    }

    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        self.search.decide_all(model, workloads)
    }
}

fn place_name(model: &CostModel, placement: Placement) -> &str {
    &model.place_names()[usize::from(placement.index())]
}
