//! The cheapest candidate for one workload.

use std::ops::Range;

use sim::CostModel;

use super::selection::{Exploration, Selection, SelectionScope};
use super::{Absent, keep_reachable};
use crate::dnn::features::{Alternative, Codec};

/// The cost of the selected candidate, and how many candidates were compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// Cost of the selected decision, as it is reported ([`CostModel::reported_cost`]).
    pub cost: f64,
    /// Candidates whose cost was evaluated.
    pub evaluations: u64,
}

/// Makes candidates and selects the cheapest; keeps its memory between workloads.
#[derive(Debug, Clone)]
pub struct CandidateSelector {
    selection: Selection,
    pub(super) alternatives: Vec<Alternative>,
    /// `[N * M]`.
    pub(super) proposal: Vec<u8>,
    /// Cost of the proposal for each device, `[N]`.
    device_costs: Vec<f64>,
    /// Least cost so far for each device, `[N]`.
    best_device_costs: Vec<f64>,
}

/// One workload in its environment, and the best decision for it so far.
struct Search<'s> {
    model: &'s CostModel,
    sizes_bytes: &'s [f64],
    /// The number of tasks of each device.
    tasks: usize,
    /// Whether the cost is a sum over devices that are evaluated one by one.
    is_by_device: bool,
    /// Whether the cheapest candidate is selected for each device by itself.
    is_per_device: bool,
    best: &'s mut [u8],
    best_cost: f64,
    evaluations: u64,
}

impl Search<'_> {
    /// The tasks of one device in `[N * M]`.
    fn row(&self, device: usize) -> Range<usize> {
        device * self.tasks..(device + 1) * self.tasks
    }

    /// The cost of one device's part of a decision.
    fn device_cost(&self, device: usize, places: &[u8]) -> f64 {
        let row = self.row(device);
        self.model.device_cost(device, &self.sizes_bytes[row.clone()], &places[row])
    }

    /// Takes over a candidate that is cheaper for the whole workload.
    fn offer(&mut self, cost: f64, places: &[u8]) {
        if cost < self.best_cost {
            self.best_cost = cost;
            self.best.copy_from_slice(places);
        }
    }

    /// Takes over one device's part of a candidate if it is cheaper than `best_cost`, the least for this device.
    fn offer_device(&mut self, device: usize, cost: f64, best_cost: &mut f64, places: &[u8]) {
        if cost < *best_cost {
            *best_cost = cost;
            let row = self.row(device);
            self.best[row.clone()].copy_from_slice(&places[row]);
        }
    }
}

impl CandidateSelector {
    /// A selector that makes and selects candidates in this way.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            alternatives: Vec::new(),
            proposal: Vec::new(),
            device_costs: Vec::new(),
            best_device_costs: Vec::new(),
        }
    }

    /// How candidates are made and selected.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// Writes the cheapest candidate of all networks into `best`. Of equally cheap candidates the first wins.
    ///
    /// Where only energy or only time counts, the better of equally cheap candidates wins ([`CostModel::is_better`]), and moves
    /// and swaps of tasks that leave the cost as it is improve it further.
    ///
    /// # Shapes
    /// `sizes_bytes` and `best` are `[N * M]`; `logits` gives the logits of each network, `[outputs]`.
    pub fn select<'l>(
        &mut self,
        codec: &Codec,
        model: &CostModel,
        sizes_bytes: &[f64],
        logits: impl Iterator<Item = &'l [f32]>,
        best: &mut [u8],
    ) -> Selected {
        if model.counts_one_quantity() {
            return self.select_with_ties(codec, model, sizes_bytes, logits, best);
        }
        let is_separable = model.is_separable();
        let is_per_device = self.selection.scope == SelectionScope::PerDevice && is_separable;
        // A proposal alone for the whole workload needs no costs of single devices; and where deadlines are hard, a missed one
        // weighs less in the cost of a device than in that of all.
        let is_of_parts = self.selection.exploration != Exploration::Threshold && !model.is_detailed();
        let is_by_device = is_separable && (is_per_device || is_of_parts);
        self.proposal.resize(best.len(), 0);
        self.device_costs.resize(model.devices(), 0.0);
        self.best_device_costs.clear();
        self.best_device_costs.resize(model.devices(), f64::INFINITY);
        let best_cost = f64::INFINITY;
        let (tasks, absent) = (model.tasks(), Absent::of(sizes_bytes));
        let mut search =
            Search { model, tasks, sizes_bytes, is_by_device, is_per_device, best, best_cost, evaluations: 0 };
        for logits in logits {
            codec.decode(logits, &mut self.proposal);
            keep_reachable(codec, model, 0, 1, logits, &mut self.proposal);
            absent.keep(&mut self.proposal);
            let cost = self.evaluate(&mut search);
            if let Exploration::OrderPreserving { flips } = self.selection.exploration {
                codec.alternatives(logits, &mut self.alternatives);
                absent.drop_from(&mut self.alternatives);
                self.keep_least_certain(flips);
                self.evaluate_alternatives(&mut search, cost);
            }
        }
        let evaluations = search.evaluations;
        Selected { cost: model.reported_cost(sizes_bytes, best), evaluations }
    }

    /// Compares the proposal with the best so far, and returns its cost.
    fn evaluate(&mut self, search: &mut Search<'_>) -> f64 {
        let Self { proposal, device_costs, best_device_costs, .. } = self;
        search.evaluations += 1;
        let cost = if search.is_by_device {
            let mut cost = 0.0;
            for (device, (device_cost, best_cost)) in device_costs.iter_mut().zip(best_device_costs).enumerate() {
                *device_cost = search.device_cost(device, proposal);
                cost += *device_cost;
                if search.is_per_device {
                    search.offer_device(device, *device_cost, best_cost, proposal);
                }
            }
            cost
        } else {
            search.model.cost(search.sizes_bytes, proposal)
        };
        if !search.is_per_device {
            search.offer(cost, proposal);
        }
        cost
    }

    /// Reduces the alternatives to the least certain ones, in order of their certainty.
    pub(super) fn keep_least_certain(&mut self, count: usize) {
        let by_certainty = |a: &Alternative, b: &Alternative| {
            a.certainty.total_cmp(&b.certainty).then(a.task.cmp(&b.task)).then(a.place.cmp(&b.place))
        };
        if count < self.alternatives.len() {
            if count > 0 {
                self.alternatives.select_nth_unstable_by(count, by_certainty);
            }
            self.alternatives.truncate(count);
        }
        self.alternatives.sort_unstable_by(by_certainty);
    }

    /// Compares the proposal, whose cost is `cost`, with one task at another place for each of the alternatives.
    fn evaluate_alternatives(&mut self, search: &mut Search<'_>, cost: f64) {
        let Self { alternatives, proposal, device_costs, best_device_costs, .. } = self;
        let is_all_reachable = search.model.is_all_reachable();
        for &Alternative { task, place, .. } in &*alternatives {
            let device = task / search.tasks;
            if !is_all_reachable && !search.model.is_reachable(device, place) {
                continue;
            }
            let original = std::mem::replace(&mut proposal[task], place);
            search.evaluations += 1;
            // One task has moved: only its device has another cost, unless others wait for it.
            if search.is_by_device {
                let device_cost = search.device_cost(device, proposal);
                if search.is_per_device {
                    search.offer_device(device, device_cost, &mut best_device_costs[device], proposal);
                } else {
                    search.offer(cost - device_costs[device] + device_cost, proposal);
                }
            } else {
                search.offer(search.model.cost(search.sizes_bytes, proposal), proposal);
            }
            proposal[task] = original;
        }
    }
}
