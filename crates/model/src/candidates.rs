//! Candidates: the decisions proposed for one workload, and the choice of the cheapest.

use serde::{Deserialize, Serialize};
use sim::CostModel;

use crate::codec::{Alternative, Codec};

/// Which decisions each network proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "exploration", rename_all = "kebab-case")]
pub enum Exploration {
    /// The one that its logits say, as in the paper: K candidates.
    Threshold,
    /// That, and one for each of its `flips` least certain indicators, flipped: K (1 + flips) candidates.
    OrderPreserving {
        /// Indicators flipped, one at a time.
        flips: usize,
    },
}

/// What the cheapest is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The whole workload, as in the paper.
    Workload,
    /// Each device by itself; only where the cost is a sum over devices, else as for the whole workload.
    PerDevice,
}

/// How candidates are made and chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Which decisions each network proposes.
    #[serde(flatten)]
    pub exploration: Exploration,
    /// What the cheapest is chosen for.
    pub choice: Choice,
}

impl Default for Selection {
    fn default() -> Self {
        Self::PAPER
    }
}

impl Selection {
    /// The paper's: every network proposes one decision, the cheapest wins.
    pub const PAPER: Self = Self { exploration: Exploration::Threshold, choice: Choice::Workload };

    /// Order-preserving candidates with `flips` flips, chosen device by device.
    pub fn explored(flips: usize) -> Self {
        Self { exploration: Exploration::OrderPreserving { flips }, choice: Choice::PerDevice }
    }
}

/// The cheapest candidate's price, and how many were priced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chosen {
    /// Cost of the chosen decision.
    pub cost: f64,
    /// Candidates priced.
    pub evaluations: u64,
}

/// Makes and prices candidates; keeps its memory between workloads.
#[derive(Debug, Clone)]
pub struct Chooser {
    selection: Selection,
    alternatives: Vec<Alternative>,
    proposal: Vec<u8>,
    device_costs: Vec<f64>,
    best_device_costs: Vec<f64>,
}

impl Chooser {
    /// A chooser for one way of selection.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            alternatives: Vec::new(),
            proposal: Vec::new(),
            device_costs: Vec::new(),
            best_device_costs: Vec::new(),
        }
    }

    /// Lets every network propose and writes the cheapest into `best`. Of equally cheap candidates the first wins.
    ///
    /// # Shapes
    /// `sizes_bytes` and `best` are `[N * M]`, each of `logits` is `[outputs]`.
    pub fn choose<'l>(
        &mut self,
        codec: &Codec,
        model: &CostModel,
        sizes_bytes: &[f64],
        logits: impl Iterator<Item = &'l [f32]>,
        best: &mut [u8],
    ) -> Chosen {
        let tasks = model.tasks();
        let per_device = self.selection.choice == Choice::PerDevice && model.is_separable();
        self.proposal.resize(best.len(), 0);
        self.device_costs.resize(model.devices(), 0.0);
        self.best_device_costs.clear();
        self.best_device_costs.resize(model.devices(), f64::INFINITY);
        let mut best_cost = f64::INFINITY;
        let mut evaluations = 0;
        for logits in logits {
            codec.decode(logits, &mut self.proposal);
            let mut cost = 0.0;
            for (device, device_cost) in self.device_costs.iter_mut().enumerate() {
                let row = device * tasks..(device + 1) * tasks;
                *device_cost = model.device_cost(device, &sizes_bytes[row.clone()], &self.proposal[row.clone()]);
                cost += *device_cost;
                if per_device && *device_cost < self.best_device_costs[device] {
                    self.best_device_costs[device] = *device_cost;
                    best[row.clone()].copy_from_slice(&self.proposal[row]);
                }
            }
            evaluations += 1;
            if !per_device && cost < best_cost {
                best_cost = cost;
                best.copy_from_slice(&self.proposal);
            }
            let Exploration::OrderPreserving { flips } = self.selection.exploration else { continue };
            codec.alternatives(logits, &mut self.alternatives);
            let flips = flips.min(self.alternatives.len());
            if flips == 0 {
                continue;
            }
            let by_certainty = |a: &Alternative, b: &Alternative| {
                a.certainty.total_cmp(&b.certainty).then(a.task.cmp(&b.task)).then(a.place.cmp(&b.place))
            };
            if flips < self.alternatives.len() {
                self.alternatives.select_nth_unstable_by(flips, by_certainty);
            }
            self.alternatives[..flips].sort_unstable_by(by_certainty);
            for &Alternative { task, place, .. } in &self.alternatives[..flips] {
                // One task has moved: only its device has another price.
                let device = task / tasks;
                let row = device * tasks..(device + 1) * tasks;
                let original = std::mem::replace(&mut self.proposal[task], place);
                let device_cost = model.device_cost(device, &sizes_bytes[row.clone()], &self.proposal[row.clone()]);
                let flipped = cost - self.device_costs[device] + device_cost;
                evaluations += 1;
                if per_device {
                    if device_cost < self.best_device_costs[device] {
                        self.best_device_costs[device] = device_cost;
                        best[row.clone()].copy_from_slice(&self.proposal[row]);
                    }
                } else if flipped < best_cost {
                    best_cost = flipped;
                    best.copy_from_slice(&self.proposal);
                }
                self.proposal[task] = original;
            }
        }
        Chosen { cost: model.cost(sizes_bytes, best), evaluations }
    }
}
