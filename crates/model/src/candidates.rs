//! Candidates: the decisions proposed for one workload, and the choice of the cheapest.

use serde::{Deserialize, Serialize};
use sim::CostModel;
use sim::config::{Checks, Keyword, Keywords, Rule, Section, Table};

use crate::codec::{Alternative, Codec};
use crate::fused::PANEL_ROWS;

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

impl Keyword for Choice {
    const KEYWORDS: &'static [(&'static str, Self)] = &[("workload", Self::Workload), ("per-device", Self::PerDevice)];
}

/// Indicators flipped for each network where candidates are explored and the settings do not say how many.
pub const DEFAULT_FLIPS: usize = 6;

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

impl Table for Selection {
    /// Reads `exploration`, `flips` and `choice`; `flips` alone keeps the exploration and is a mistake without one.
    fn read_keys(&mut self, section: &Section<'_>) {
        let explorations = [("threshold", false), ("order-preserving", true)];
        let explores = section.optional_choice("exploration", &explorations);
        let flips = section.optional_count("flips");
        let explores = explores.unwrap_or(self.exploration != Exploration::Threshold);
        self.exploration = match (explores, flips, self.exploration) {
            (true, Some(flips), _) | (true, None, Exploration::OrderPreserving { flips }) => {
                Exploration::OrderPreserving { flips }
            }
            (true, None, Exploration::Threshold) => Exploration::OrderPreserving { flips: DEFAULT_FLIPS },
            (false, None, _) => Exploration::Threshold,
            (false, Some(_), _) => {
                section.mistake("flips", "needs exploration = \"order-preserving\"");
                Exploration::Threshold
            }
        };
        Keywords.read(&mut self.choice, section, "choice");
    }

    fn check_keys(&self, _: &mut Checks) {}
}

/// The cheapest candidate's price, and how many were priced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selected {
    /// Cost of the chosen decision.
    pub cost: f64,
    /// Candidates priced.
    pub evaluations: u64,
}

/// Makes and prices candidates; keeps its memory between workloads.
#[derive(Debug, Clone)]
pub struct CandidateSelector {
    selection: Selection,
    alternatives: Vec<Alternative>,
    proposal: Vec<u8>,
    device_costs: Vec<f64>,
    best_device_costs: Vec<f64>,
}

impl CandidateSelector {
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

    /// How candidates are made and chosen.
    pub fn selection(&self) -> Selection {
        self.selection
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
    ) -> Selected {
        let tasks = model.tasks();
        let separable = model.is_separable();
        let per_device = self.selection.choice == Choice::PerDevice && separable;
        self.proposal.resize(best.len(), 0);
        self.device_costs.resize(model.devices(), 0.0);
        self.best_device_costs.clear();
        self.best_device_costs.resize(model.devices(), f64::INFINITY);
        let mut best_cost = f64::INFINITY;
        let mut evaluations = 0;
        for logits in logits {
            codec.decode(logits, &mut self.proposal);
            keep_reachable(model, 0, 1, &mut self.proposal);
            let mut cost = 0.0;
            if separable {
                for (device, device_cost) in self.device_costs.iter_mut().enumerate() {
                    let row = device * tasks..(device + 1) * tasks;
                    *device_cost = model.device_cost(device, &sizes_bytes[row.clone()], &self.proposal[row.clone()]);
                    cost += *device_cost;
                    if per_device && *device_cost < self.best_device_costs[device] {
                        self.best_device_costs[device] = *device_cost;
                        best[row.clone()].copy_from_slice(&self.proposal[row]);
                    }
                }
            } else {
                cost = model.cost(sizes_bytes, &self.proposal);
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
                let device = task / tasks;
                if !model.is_reachable(device, place) {
                    continue;
                }
                let row = device * tasks..(device + 1) * tasks;
                let original = std::mem::replace(&mut self.proposal[task], place);
                evaluations += 1;
                // One task has moved: only its device has another price, unless others wait for it.
                let device_cost = separable
                    .then(|| model.device_cost(device, &sizes_bytes[row.clone()], &self.proposal[row.clone()]));
                let flipped = match device_cost {
                    Some(device_cost) => cost - self.device_costs[device] + device_cost,
                    None => model.cost(sizes_bytes, &self.proposal),
                };
                if let Some(device_cost) = device_cost.filter(|_| per_device) {
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
        Selected { cost: model.cost(sizes_bytes, best), evaluations }
    }
}

/// Makes and prices candidates for a panel of workloads side by side: gives what a [`CandidateSelector`] would give each of them.
/// Keeps its memory between panels.
#[derive(Debug, Clone)]
pub(crate) struct PanelSelector {
    chooser: CandidateSelector,
    /// `[N * M, PANEL_ROWS]`, as are all of these.
    sizes_bytes: Vec<f64>,
    proposal: Vec<u8>,
    best: Vec<u8>,
    /// Logits of one row, `[K, outputs]`.
    logits: Vec<f32>,
}

impl PanelSelector {
    pub(crate) fn new(selection: Selection) -> Self {
        Self {
            chooser: CandidateSelector::new(selection),
            sizes_bytes: Vec::new(),
            proposal: Vec::new(),
            best: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// Writes the cheapest candidate for every row into `best`, and how many were priced for it into `evaluations`.
    ///
    /// # Shapes
    /// `sizes_bytes` yields one `[N * M]` for each row, of which there are `evaluations.len()`; `logits` is
    /// `[K, outputs, PANEL_ROWS]`, `best` is `[rows, N * M]`.
    pub(crate) fn choose<'s>(
        &mut self,
        codec: &Codec,
        model: &CostModel,
        sizes_bytes: impl Iterator<Item = &'s [f64]>,
        logits: &[f32],
        best: &mut [u8],
        evaluations: &mut [u64],
    ) {
        let selection = self.chooser.selection;
        if selection.exploration == Exploration::Threshold {
            self.lay_out(codec, sizes_bytes);
            evaluations.fill((logits.len() / (codec.outputs() * PANEL_ROWS)) as u64);
            if selection.choice == Choice::PerDevice && model.is_separable() {
                self.choose_by_device(codec, model, logits);
            } else {
                self.choose_by_workload(codec, model, logits);
            }
            for (row, best) in best.chunks_exact_mut(codec.task_count()).enumerate() {
                for (place, lanes) in best.iter_mut().zip(self.best.chunks_exact(PANEL_ROWS)) {
                    *place = lanes[row];
                }
            }
            return;
        }
        // Which candidates there are differs from row to row.
        let rows = best.chunks_exact_mut(codec.task_count()).zip(evaluations);
        for (row, (sizes_bytes, (best, evaluations))) in sizes_bytes.zip(rows).enumerate() {
            self.logits.clear();
            self.logits.extend(logits.chunks_exact(PANEL_ROWS).map(|lanes| lanes[row]));
            let proposals = self.logits.chunks_exact(codec.outputs());
            *evaluations = self.chooser.choose(codec, model, sizes_bytes, proposals, best).evaluations;
        }
    }

    /// Lays rows of sizes side by side; lanes without a row keep what they had.
    fn lay_out<'s>(&mut self, codec: &Codec, sizes_bytes: impl Iterator<Item = &'s [f64]>) {
        let length = codec.task_count() * PANEL_ROWS;
        self.sizes_bytes.resize(length, 0.0);
        self.proposal.resize(length, 0);
        self.best.resize(length, 0);
        for (row, sizes_bytes) in sizes_bytes.enumerate() {
            for (lanes, size) in self.sizes_bytes.chunks_exact_mut(PANEL_ROWS).zip(sizes_bytes) {
                lanes[row] = *size;
            }
        }
    }

    fn choose_by_workload(&mut self, codec: &Codec, model: &CostModel, logits: &[f32]) {
        let mut best_costs = [f64::INFINITY; PANEL_ROWS];
        for logits in logits.chunks_exact(codec.outputs() * PANEL_ROWS) {
            codec.decode_panel(logits, &mut self.proposal);
            keep_reachable(model, 0, PANEL_ROWS, &mut self.proposal);
            let mut costs = [0.0; PANEL_ROWS];
            model.batch_costs(&self.sizes_bytes, &self.proposal, &mut costs);
            keep_cheaper(&costs, &mut best_costs, &self.proposal, &mut self.best);
        }
    }

    fn choose_by_device(&mut self, codec: &Codec, model: &CostModel, logits: &[f32]) {
        for device in 0..model.devices() {
            let mut best_costs = [f64::INFINITY; PANEL_ROWS];
            let rows = device * model.tasks() * PANEL_ROWS..(device + 1) * model.tasks() * PANEL_ROWS;
            for logits in logits.chunks_exact(codec.outputs() * PANEL_ROWS) {
                let part = logits.len() / model.devices();
                codec.decode_panel(&logits[device * part..][..part], &mut self.proposal[rows.clone()]);
                keep_reachable(model, device, PANEL_ROWS, &mut self.proposal[rows.clone()]);
                let mut costs = [0.0; PANEL_ROWS];
                let proposal = &self.proposal[rows.clone()];
                model.device_batch_costs(device, &self.sizes_bytes[rows.clone()], proposal, &mut costs);
                keep_cheaper(&costs, &mut best_costs, proposal, &mut self.best[rows.clone()]);
            }
        }
    }
}

/// Leaves tasks on their devices that were to run where these reach nothing; `places` are `[.., M, columns]` of the
/// devices from `first` on.
fn keep_reachable(model: &CostModel, first: usize, columns: usize, places: &mut [u8]) {
    if model.is_all_reachable() {
        return;
    }
    for (device, places) in (first..).zip(places.chunks_exact_mut(model.tasks() * columns)) {
        for place in places.iter_mut().filter(|place| !model.is_reachable(device, **place)) {
            *place = 0;
        }
    }
}

/// Takes over the lanes of a proposal that cost less than the best before.
fn keep_cheaper(costs: &[f64; PANEL_ROWS], best_costs: &mut [f64; PANEL_ROWS], proposal: &[u8], best: &mut [u8]) {
    let mut cheaper = [0_u8; PANEL_ROWS];
    for ((cheaper, cost), best_cost) in cheaper.iter_mut().zip(costs).zip(best_costs) {
        let is_cheaper = *cost < *best_cost;
        *cheaper = if is_cheaper { u8::MAX } else { 0 };
        *best_cost = if is_cheaper { *cost } else { *best_cost };
    }
    for (proposal, best) in proposal.as_chunks::<PANEL_ROWS>().0.iter().zip(best.as_chunks_mut::<PANEL_ROWS>().0) {
        for ((best, place), cheaper) in best.iter_mut().zip(proposal).zip(&cheaper) {
            *best = (*best & !cheaper) | (place & cheaper);
        }
    }
}
