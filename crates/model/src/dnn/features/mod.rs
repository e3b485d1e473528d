//! Features of DNNs: workloads and environments as network inputs, logits as decisions. No other file knows how decisions
//! are coded.

mod scales;

use serde::{Deserialize, Serialize};
use sim::CostModel;
use sim::config::Keyword;

pub use self::scales::{EnvironmentInputs, Scaling, Standard};
use crate::kernels::{Head, PANEL_ROWS};

/// Target of an indicator, or of all places of a task, that does not matter for a decision and is not learned.
pub const DONT_CARE: f32 = -1.0;

/// How logits stand for placements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The paper's indicators, eqs. (1) and (2): one logit each, and an indicator is 1 where its logit is above 0. The task runs
    /// on the device where x1 is 1, else on server 0 (edge) where x2 is 1, else on server 1 (cloud). With a single server
    /// there is only x1.
    Indicators,
    /// One logit for each task and place; the task runs at the place with the highest.
    Categorical,
}

/// Why a code cannot be used for a scenario.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the code `indicators` distinguishes at most 3 places, but the scenario has {places}: the device and {} servers", places - 1)]
pub struct CodeError {
    /// Places of the scenario.
    pub places: usize,
}

impl Keyword for Code {
    const KEYWORDS: &'static [(&'static str, Self)] =
        &[("indicators", Self::Indicators), ("categorical", Self::Categorical)];
}

/// Another place for one task than the place that its logits stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alternative {
    /// Certainty of the network against it: the distance of the logits from a tie, at least 0.
    pub certainty: f32,
    /// Index of the task, `n * M + m`.
    pub task: usize,
    /// The other place.
    pub place: u8,
}

/// Turns sizes and environments of a scenario into inputs of DNNs, and their logits into decisions.
///
/// DNNs read sizes and environments, but no deadlines, latencies or instructions per byte, not even where a workload brings its
/// own ([`Demands`](sim::Demands)). Which of their proposals is chosen depends on all of them ([`CostModel::cost`]). A task that
/// its device does not have is read as a task of 0 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Codec {
    code: Code,
    devices: usize,
    task_count: usize,
    places: usize,
    scaling: Scaling,
    reads: EnvironmentInputs,
}

impl Codec {
    /// A codec for workloads of `model`.
    ///
    /// # Errors
    /// If the code cannot distinguish all places of `model`.
    pub fn new(code: Code, model: &CostModel, scaling: Scaling) -> Result<Self, CodeError> {
        let places = model.places();
        if code == Code::Indicators && places > 3 {
            return Err(CodeError { places });
        }
        let (devices, task_count) = (model.devices(), model.task_count());
        Ok(Self { code, devices, task_count, places, scaling, reads: EnvironmentInputs::default() })
    }

    /// The same codec for networks that also read these parts of the environment.
    pub fn with_environment(self, reads: EnvironmentInputs) -> Self {
        Self { reads, ..self }
    }

    /// The paper's code if it fits the scenario, else the categorical one.
    pub fn default_code(model: &CostModel) -> Code {
        if model.places() <= 3 { Code::Indicators } else { Code::Categorical }
    }

    /// How logits stand for placements.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Scale of the sizes.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Parts of the environment that the networks read, with their scales.
    pub fn reads(&self) -> EnvironmentInputs {
        self.reads
    }

    /// Number of tasks of a workload.
    pub fn task_count(&self) -> usize {
        self.task_count
    }

    /// Number of places of a task.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Number of inputs of a network: one for each task, and the inputs of the environment.
    pub fn inputs(&self) -> usize {
        self.task_count + self.reads.width(self.devices, self.places - 1)
    }

    /// Whether the codec can be used for workloads of `model`.
    pub(crate) fn fits(&self, model: &CostModel) -> bool {
        let same_places = (model.devices(), model.places()) == (self.devices, self.places);
        model.task_count() == self.task_count && (same_places || self.reads.is_empty())
    }

    /// Number of logits of a network.
    pub fn outputs(&self) -> usize {
        self.task_count * self.width()
    }

    /// The loss that the logits are trained with.
    pub fn head(&self) -> Head {
        match self.code {
            Code::Indicators => Head::Sigmoid,
            Code::Categorical => Head::Softmax { classes: self.places },
        }
    }

    /// Number of logits of one task.
    fn width(&self) -> usize {
        match self.code {
            Code::Indicators => self.places - 1,
            Code::Categorical => self.places,
        }
    }

    /// Writes the inputs for one workload in the environment of `model`.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`, `inputs` is `[inputs]`.
    pub fn encode(&self, model: &CostModel, sizes_bytes: &[f64], inputs: &mut [f32]) {
        for (size, input) in sizes_bytes.iter().zip(&mut *inputs) {
            *input = ((size - self.scaling.mean_bytes) / self.scaling.std_dev_bytes) as f32;
        }
        if !self.reads.is_empty() {
            self.reads.encode(model, &mut inputs[self.task_count..]);
        }
    }

    /// Writes the targets that stand for a decision: 0 or 1 for each logit, or [`DONT_CARE`]. Tasks without bytes are absent:
    /// nothing is learned of them.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`, `targets` is `[outputs]`.
    pub fn targets(&self, sizes_bytes: &[f64], places: &[u8], targets: &mut [f32]) {
        let tasks = sizes_bytes.iter().zip(places).zip(targets.chunks_exact_mut(self.width()));
        for ((&bytes, &place), targets) in tasks {
            if bytes == 0.0 {
                targets.fill(DONT_CARE);
                continue;
            }
            match self.code {
                Code::Indicators => {
                    targets[0] = f32::from(place == 0);
                    if let Some(second) = targets.get_mut(1) {
                        *second = if place == 0 { DONT_CARE } else { f32::from(place == 1) };
                    }
                }
                Code::Categorical => {
                    targets.fill(0.0);
                    targets[usize::from(place)] = 1.0;
                }
            }
        }
    }

    /// Writes the decision that logits stand for.
    ///
    /// # Shapes
    /// `logits` is `[outputs]`, `places` is `[N * M]`.
    pub fn decode(&self, logits: &[f32], places: &mut [u8]) {
        for (logits, place) in logits.chunks_exact(self.width()).zip(places) {
            *place = match self.code {
                Code::Indicators => match logits {
                    [first, ..] if *first > 0.0 => 0,
                    [_, second] if *second <= 0.0 => 2,
                    _ => 1,
                },
                Code::Categorical => highest(logits) as u8,
            };
        }
    }

    /// Writes the decisions that the logits of a panel of rows stand for.
    ///
    /// # Shapes
    /// `logits` is `[outputs, PANEL_ROWS]`, `places` is `[N * M, PANEL_ROWS]`.
    pub(crate) fn decode_panel(&self, logits: &[f32], places: &mut [u8]) {
        let logits = logits.as_chunks::<PANEL_ROWS>().0.chunks_exact(self.width());
        for (logits, places) in logits.zip(places.as_chunks_mut::<PANEL_ROWS>().0) {
            match (self.code, logits) {
                (Code::Indicators, [first]) => *places = first.map(|first| 1 - u8::from(first > 0.0)),
                (Code::Indicators, [first, second, ..]) => {
                    for ((place, first), second) in places.iter_mut().zip(first).zip(second) {
                        *place = if *first > 0.0 { 0 } else { 1 + u8::from(*second <= 0.0) };
                    }
                }
                (_, logits) => {
                    places.fill(0);
                    let mut highest = logits[0];
                    for (number, logits) in (0_u8..).zip(logits) {
                        for ((place, highest), logit) in places.iter_mut().zip(&mut highest).zip(logits) {
                            let higher = logit > highest;
                            *place = if higher { number } else { *place };
                            *highest = if higher { *logit } else { *highest };
                        }
                    }
                }
            }
        }
    }

    /// The place for a task that cannot run where its logits say: the best place that it can use.
    /// With indicators, that is the other server, else the device.
    pub(crate) fn next_best(&self, place: u8, logit: impl Fn(usize) -> f32, can_use: impl Fn(u8) -> bool) -> u8 {
        match self.code {
            Code::Indicators => {
                let other = 3 - place;
                if usize::from(other) < self.places && can_use(other) { other } else { 0 }
            }
            Code::Categorical => {
                let usable = (1..self.places as u8).filter(|place| can_use(*place));
                let higher = |best: u8, place: u8| {
                    if logit(usize::from(place)) > logit(usize::from(best)) { place } else { best }
                };
                usable.fold(0, higher)
            }
        }
    }

    /// Lists every decision that differs from the decoded one by one indicator that matters (or, in the categorical code, by
    /// the place of one task).
    ///
    /// # Shapes
    /// `logits` is `[outputs]`; `alternatives` is cleared first.
    pub fn alternatives(&self, logits: &[f32], alternatives: &mut Vec<Alternative>) {
        alternatives.clear();
        for (task, logits) in logits.chunks_exact(self.width()).enumerate() {
            match self.code {
                Code::Indicators => {
                    let server = if logits.get(1).is_some_and(|second| *second <= 0.0) { 2 } else { 1 };
                    let local = logits[0] > 0.0;
                    let place = if local { server } else { 0 };
                    alternatives.push(Alternative { certainty: logits[0].abs(), task, place });
                    if let (false, Some(second)) = (local, logits.get(1)) {
                        alternatives.push(Alternative { certainty: second.abs(), task, place: 3 - server });
                    }
                }
                Code::Categorical => {
                    let winner = highest(logits);
                    for (place, logit) in logits.iter().enumerate().filter(|(place, _)| *place != winner) {
                        let certainty = logits[winner] - logit;
                        alternatives.push(Alternative { certainty, task, place: place as u8 });
                    }
                }
            }
        }
    }
}

/// Position of the first highest value.
fn highest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (position, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = position;
        }
    }
    best
}

#[cfg(test)]
mod tests;
