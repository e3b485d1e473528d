//! Networks for any fleet as a scheme.

use sim::scheme::{Greedy, Order, Scheme, Solution};
use sim::{CostModel, Decision, IncrementalCost, SchemeError, Workload};

use super::forward::{FleetForward, FleetScratch};
use super::instance::Instance;
use super::net::FleetEnsemble;
use super::search::search;

/// Forward passes after the greedy decision.
pub const PASSES: usize = 2;
/// Forward passes where nothing is searched at all.
pub const FREE_PASSES: usize = 4;

/// How much deciding may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Four passes of each network from nothing; the cheapest of what they propose.
    SearchFree,
    /// The greedy decision (largest first) and two passes of each network from it; the cheapest of all these, so that it is
    /// never worse than greedy.
    Passes,
    /// Both of these, and then moves and swaps of the cheapest, those first that its network minds least, until so many
    /// prices were asked for each task in all.
    Within(u64),
}

impl Effort {
    /// What tables call a record that decides with it.
    pub fn name(self) -> String {
        match self {
            Self::SearchFree => "mr-dro-fleet-free".to_owned(),
            Self::Passes => "mr-dro-fleet".to_owned(),
            Self::Within(per_task) => format!("mr-dro-fleet@{per_task}"),
        }
    }
}

/// A trained [`FleetEnsemble`] as a scheme, for every scenario.
#[derive(Debug, Clone)]
pub struct FleetPolicy {
    name: String,
    nets: Vec<FleetForward>,
    effort: Effort,
    instance: Instance,
    scratch: FleetScratch,
}

impl FleetPolicy {
    /// A policy that decides on the CPU, wherever the networks are.
    pub fn new(name: &str, ensemble: &FleetEnsemble, effort: Effort) -> Self {
        Self {
            name: name.to_owned(),
            nets: ensemble.nets.iter().map(FleetForward::new).collect(),
            effort,
            instance: Instance::default(),
            scratch: FleetScratch::default(),
        }
    }

    /// Starts passes from `first`, or from nothing; the cheapest decision goes into `best`, with the network that made it.
    fn passes(&mut self, model: &CostModel, sizes_bytes: &[f64], first: Option<&[u8]>, best: &mut Best) {
        let mut decision = vec![0; sizes_bytes.len()];
        let passes = if first.is_some() { PASSES } else { FREE_PASSES };
        for (index, net) in self.nets.iter().enumerate() {
            let mut start = first.map(<[u8]>::to_vec);
            for _ in 0..passes {
                net.pass(&self.instance, &mut self.scratch, start.as_deref(), &mut decision);
                start = Some(decision.clone());
                best.offer(model, sizes_bytes, &decision, index);
            }
        }
    }
}

/// The cheapest decision so far; where the cost is a sum over devices, of each device by itself.
#[derive(Debug, Clone, Default)]
struct Best {
    places: Vec<u8>,
    /// Of the whole, or of each device.
    costs: Vec<f64>,
    net: usize,
    evaluations: u64,
}

impl Best {
    fn offer(&mut self, model: &CostModel, sizes_bytes: &[f64], places: &[u8], net: usize) {
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
                (self.costs[0], self.net) = (cost, net);
                self.places.copy_from_slice(places);
            }
            return;
        }
        for (device, least) in self.costs.iter_mut().enumerate() {
            let part = device * tasks..(device + 1) * tasks;
            let cost = model.device_cost(device, &sizes_bytes[part.clone()], &places[part.clone()]);
            if cost < *least {
                (*least, self.net) = (cost, net);
                self.places[part.clone()].copy_from_slice(&places[part]);
            }
        }
    }
}

impl Scheme for FleetPolicy {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let sizes_bytes = workload.sizes_bytes();
        self.instance.set(model, sizes_bytes);
        let mut best = Best::default();
        if self.effort != Effort::SearchFree {
            let greedy = Greedy::new(Order::LargestFirst).decide(model, workload)?;
            best.offer(model, sizes_bytes, greedy.decision.places(), 0);
            // Its price is that of the last task that it placed.
            best.evaluations = greedy.evaluations;
            self.passes(model, sizes_bytes, Some(greedy.decision.places()), &mut best);
        }
        if self.effort != Effort::Passes {
            self.passes(model, sizes_bytes, None, &mut best);
        }
        if let Effort::Within(per_task) = self.effort {
            let budget = per_task.saturating_mul(model.task_count() as u64).saturating_sub(best.evaluations);
            let mut priced = IncrementalCost::new(model);
            priced.set(sizes_bytes, &best.places);
            best.evaluations += search(&self.nets[best.net], &self.instance, &mut self.scratch, &mut priced, budget);
            best.places.copy_from_slice(priced.places());
        }
        Ok(Solution { decision: Decision::from_places(model.tasks(), best.places), evaluations: best.evaluations })
    }
}
