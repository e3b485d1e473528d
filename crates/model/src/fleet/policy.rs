//! Networks for any fleet as a scheme.

use rayon::prelude::*;
use sim::scheme::{Greedy, Order, Scheme, Solution, settle_ties};
use sim::{CostModel, Decision, IncrementalCost, SchemeError, Workload, keep_absent, present_tasks};

use super::ensemble::Ensemble;
use super::forward::{Forward, Scratch};
use super::instance::Instance;
use super::search::search;
use crate::networks::TIE_EVALUATIONS_PER_TASK;

/// Forward passes of each network after the greedy decision.
pub const PASSES: usize = 2;
/// Forward passes of each network that start from no decision.
pub const FREE_PASSES: usize = 4;

/// How networks for any fleet decide, from the quickest way to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inference {
    /// Four passes of each network that start from no decision; the cheapest of their proposals is the answer.
    SearchFree,
    /// The greedy decision (largest first) and two passes of each network from it; the cheapest of all these is the answer,
    /// so that it is never worse than greedy.
    Passes,
    /// The passes of both ways above, then a local search from the cheapest proposal, guided by the network that made it.
    Search {
        /// The most cost evaluations for each task, including the evaluations of the passes and of greedy.
        evaluations_per_task: u64,
    },
}

impl Inference {
    /// What tables call networks that decide in this way.
    pub fn name(self) -> String {
        match self {
            Self::SearchFree => "mr-dro-fleet-free".to_owned(),
            Self::Passes => "mr-dro-fleet".to_owned(),
            Self::Search { evaluations_per_task } => format!("mr-dro-fleet@{evaluations_per_task}"),
        }
    }

    /// The command line's option for this way of deciding.
    pub fn option(self) -> &'static str {
        match self {
            Self::SearchFree => "--search-free",
            Self::Passes => "passes after greedy",
            Self::Search { .. } => "--budget",
        }
    }
}

/// A trained [`Ensemble`] as a scheme, for every scenario.
///
/// Where only energy counts, the networks read and decide the problem of [`CostModel::search_model`]. There, and where only
/// time counts, moves and swaps that cost nothing then improve the answer, see [`settle_ties`].
///
/// Proposals are compared by their costs, which know latencies, deadlines and instructions per byte of single tasks. The
/// networks read them as [`Instance`] says. Absent tasks are at their devices in every answer.
#[derive(Debug, Clone)]
pub struct Policy {
    name: String,
    forwards: Vec<Forward>,
    inference: Inference,
    instance: Instance,
    scratch: Scratch,
}

impl Policy {
    /// A policy that decides on the CPU, wherever the networks are.
    pub fn new(name: &str, ensemble: &Ensemble, inference: Inference) -> Self {
        Self {
            name: name.to_owned(),
            forwards: ensemble.nets.iter().map(Forward::new).collect(),
            inference,
            instance: Instance::default(),
            scratch: Scratch::default(),
        }
    }

    /// The cost evaluations that ties may take after a number of evaluations.
    fn tie_budget(&self, sizes_bytes: &[f64], evaluations: u64) -> u64 {
        let tasks = present_tasks(sizes_bytes);
        match self.inference {
            Inference::Search { evaluations_per_task } => {
                evaluations_per_task.saturating_mul(tasks).saturating_sub(evaluations)
            }
            Inference::SearchFree | Inference::Passes => TIE_EVALUATIONS_PER_TASK * tasks,
        }
    }

    /// Takes passes with each network, the first from the decision `first` or from none, and offers every proposal to `best`.
    fn passes(&mut self, model: &CostModel, sizes_bytes: &[f64], first: Option<&[u8]>, best: &mut Best) {
        let mut decision = vec![0; sizes_bytes.len()];
        let passes = if first.is_some() { PASSES } else { FREE_PASSES };
        for (index, forward) in self.forwards.iter().enumerate() {
            let mut start = first.map(<[u8]>::to_vec);
            for _ in 0..passes {
                forward.pass(&self.instance, &mut self.scratch, start.as_deref(), &mut decision);
                start = Some(decision.clone());
                best.offer(model, sizes_bytes, &decision, index);
            }
        }
    }
}

/// The cheapest decision so far. Where the cost is a sum over devices, the cheapest part for each device by itself.
#[derive(Debug, Clone, Default)]
struct Best {
    places: Vec<u8>,
    /// Cost of the whole decision, or of each device's part.
    costs: Vec<f64>,
    /// The network that the last improvement came from.
    network: usize,
    /// Decisions offered.
    evaluations: u64,
}

impl Best {
    /// Takes over a proposal of a network, or the parts of it, where it is cheaper.
    fn offer(&mut self, model: &CostModel, sizes_bytes: &[f64], places: &[u8], network: usize) {
        let tasks = model.tasks();
        self.evaluations += 1;
        if self.places.is_empty() {
            self.places = places.to_vec();
            let parts = if model.is_separable() { model.devices() } else { 1 };
            self.costs = vec![f64::INFINITY; parts];
        }
        if !model.is_separable() {
            let cost = model.cost(sizes_bytes, places);
            if cost < self.costs[0] {
                (self.costs[0], self.network) = (cost, network);
                self.places.copy_from_slice(places);
            }
            return;
        }
        for (device, least) in self.costs.iter_mut().enumerate() {
            let part = device * tasks..(device + 1) * tasks;
            let cost = model.device_cost(device, &sizes_bytes[part.clone()], &places[part.clone()]);
            if cost < *least {
                (*least, self.network) = (cost, network);
                self.places[part.clone()].copy_from_slice(&places[part]);
            }
        }
    }
}

impl Scheme for Policy {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let sizes_bytes = workload.sizes_bytes();
        let (own, model) = (model, &*model.search_model());
        self.instance.set(model, sizes_bytes);
        let mut best = Best::default();
        if self.inference != Inference::SearchFree {
            let greedy = Greedy::new(Order::LargestFirst).decide(model, workload)?;
            best.offer(model, sizes_bytes, greedy.decision.places(), 0);
            // The last evaluation of greedy was the cost of its whole decision.
            best.evaluations = greedy.evaluations;
            self.passes(model, sizes_bytes, Some(greedy.decision.places()), &mut best);
        }
        if self.inference != Inference::Passes {
            self.passes(model, sizes_bytes, None, &mut best);
        }
        if let Inference::Search { evaluations_per_task } = self.inference {
            let budget =
                evaluations_per_task.saturating_mul(present_tasks(sizes_bytes)).saturating_sub(best.evaluations);
            let mut current = IncrementalCost::for_search(model);
            current.set(sizes_bytes, &best.places);
            best.evaluations +=
                search(&self.forwards[best.network], &self.instance, &mut self.scratch, &mut current, budget);
            best.places.copy_from_slice(current.places());
        }
        best.evaluations +=
            settle_ties(own, sizes_bytes, &mut best.places, self.tie_budget(sizes_bytes, best.evaluations));
        keep_absent(sizes_bytes, &mut best.places);
        Ok(Solution { decision: Decision::from_places(model.tasks(), best.places), evaluations: best.evaluations })
    }

    /// Shares the workloads among all threads.
    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        let each = workloads.len().div_ceil(rayon::current_num_threads()).max(1);
        let decide = |part: &[Workload]| -> Result<Vec<Solution>, SchemeError> {
            let mut policy = self.clone();
            part.iter().map(|workload| policy.decide(model, workload)).collect()
        };
        if workloads.len() < 2 {
            return decide(workloads);
        }
        Ok(workloads.par_chunks(each).map(decide).collect::<Result<Vec<_>, _>>()?.concat())
    }
}
