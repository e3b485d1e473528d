//! Sizes to network inputs, logits to decisions: the only place that knows how decisions are coded.

use data::{EnvironmentMoments, Moments, SizeMoments};
use serde::{Deserialize, Serialize};
use sim::CostModel;
use sim::config::Keyword;
use sim::limits::SLOWEST_TOLD_APART_MBPS;

use crate::error::CodeError;
use crate::fused::{Head, PANEL_ROWS};

/// A target that is not to be learned: the indicator does not matter for this decision.
pub const DONT_CARE: f32 = -1.0;

/// How logits stand for placements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The paper's indicators, eqs. (1) and (2), one logit each, 1 where it is above 0: x1 says local, and if it does
    /// not, x2 says server 0 (edge) and its absence server 1 (cloud). With a single server x1 is enough. Where x1 says
    /// local, x2 does not matter.
    Indicators,
    /// One logit for each task and place; the highest wins.
    Categorical,
}

impl Keyword for Code {
    const KEYWORDS: &'static [(&'static str, Self)] =
        &[("indicators", Self::Indicators), ("categorical", Self::Categorical)];
}

/// Mean and spread of sizes that inputs are scaled with: `(size − mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Mean size in bytes.
    pub mean_bytes: f64,
    /// What one unit of input stands for, in bytes.
    pub deviation_bytes: f64,
}

impl From<SizeMoments> for Scaling {
    fn from(moments: SizeMoments) -> Self {
        // Sizes that never differ say nothing, whatever their scale.
        let deviation_bytes = if moments.std_dev_bytes > 0.0 { moments.std_dev_bytes } else { moments.mean_bytes };
        Self { mean_bytes: moments.mean_bytes, deviation_bytes }
    }
}

/// Mean and spread that one quantity of the environment is scaled with: `(value − mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Mean.
    pub mean: f64,
    /// What one unit of input stands for.
    pub deviation: f64,
}

impl Standard {
    /// Networks have never seen what lies this many deviations from the mean, and are told no more than that.
    const FARTHEST: f64 = 4.0;

    fn apply(self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation).clamp(-Self::FARTHEST, Self::FARTHEST) as f32
    }
}

/// A deviation smaller than this share of the mean comes from rounding.
const NO_SPREAD: f64 = 1e-9;

impl From<Moments> for Standard {
    fn from(Moments { mean, std_dev }: Moments) -> Self {
        Self { mean, deviation: if std_dev > NO_SPREAD * mean.abs().max(1.0) { std_dev } else { 1.0 } }
    }
}

/// Which parts of the environment the networks read beside the sizes, and how these are scaled.
///
/// Of each uplink they read two numbers: its logarithm, and the time to send a byte as a share of sending it and
/// computing it on the device, from −1 (nothing) to 1 (all); of each capacity its logarithm; of α itself.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentInputs {
    /// Uplinks: of ln(Mbit/s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_uplink: Option<Standard>,
    /// Capacities: of their logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_capacity: Option<Standard>,
    /// α.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Standard>,
}

impl From<EnvironmentMoments> for EnvironmentInputs {
    fn from(moments: EnvironmentMoments) -> Self {
        Self {
            log_uplink: moments.log_uplink.map(Into::into),
            log_capacity: moments.log_capacity.map(Into::into),
            alpha: moments.alpha.map(Into::into),
        }
    }
}

impl EnvironmentInputs {
    /// Whether the networks read nothing but sizes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every scale is one.
    pub(crate) fn is_valid(&self) -> bool {
        let all = [self.log_uplink, self.log_capacity, self.alpha];
        all.iter().flatten().all(|scale| scale.mean.is_finite() && scale.deviation.is_finite() && scale.deviation > 0.0)
    }

    fn width(&self, devices: usize, servers: usize) -> usize {
        2 * devices * usize::from(self.log_uplink.is_some())
            + servers * usize::from(self.log_capacity.is_some())
            + usize::from(self.alpha.is_some())
    }

    fn encode(&self, model: &CostModel, inputs: &mut [f32]) {
        let environment = model.environment();
        let mut inputs = inputs.iter_mut();
        let mut put = |value: f32| {
            if let Some(input) = inputs.next() {
                *input = value;
            }
        };
        if let Some(scale) = self.log_uplink {
            for (device, &mbps) in environment.uplinks_mbps.iter().enumerate() {
                put(scale.apply(mbps.max(SLOWEST_TOLD_APART_MBPS).ln()));
                let send_s = sim::units::bytes_per_second_from_mbps(mbps).recip();
                let local_s = model.rates(device)[0].time_s_per_byte;
                let share = if send_s.is_finite() { send_s / (send_s + local_s) } else { 1.0 };
                put((2.0 * share - 1.0) as f32);
            }
        }
        if let Some(scale) = self.log_capacity {
            environment.capacities.iter().for_each(|share| put(scale.apply(share.ln())));
        }
        if let Some(scale) = self.alpha {
            put(scale.apply(environment.alpha));
        }
    }
}

/// A placement next to the one that the logits say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alternative {
    /// How sure the network is that it is wrong: the distance of logits from a tie, from 0.
    pub certainty: f32,
    /// Which task, `n * M + m`.
    pub task: usize,
    /// Where it would run instead.
    pub place: u8,
}

/// Translates between a scenario's sizes and decisions and a network's inputs and logits.
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
    /// If the code cannot tell that many places apart.
    pub fn new(code: Code, model: &CostModel, scaling: Scaling) -> Result<Self, CodeError> {
        let places = model.places();
        if code == Code::Indicators && places > 3 {
            return Err(CodeError { places });
        }
        let (devices, task_count) = (model.devices(), model.task_count());
        Ok(Self { code, devices, task_count, places, scaling, reads: EnvironmentInputs::default() })
    }

    /// The same codec for networks that read the environment, too.
    pub fn reading(self, reads: EnvironmentInputs) -> Self {
        Self { reads, ..self }
    }

    /// The code that the paper uses if it fits the scenario, else the categorical one.
    pub fn default_code(model: &CostModel) -> Code {
        if model.places() <= 3 { Code::Indicators } else { Code::Categorical }
    }

    /// How logits stand for placements.
    pub fn code(&self) -> Code {
        self.code
    }

    /// How inputs are scaled.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// What the networks read beside the sizes.
    pub fn reads(&self) -> EnvironmentInputs {
        self.reads
    }

    /// Tasks of a workload.
    pub fn task_count(&self) -> usize {
        self.task_count
    }

    /// Places of a task.
    pub fn places(&self) -> usize {
        self.places
    }

    /// The network's inputs: one for each task, and those of the environment.
    pub fn inputs(&self) -> usize {
        self.task_count + self.reads.width(self.devices, self.places - 1)
    }

    /// Whether workloads of `model` can be coded.
    pub(crate) fn fits(&self, model: &CostModel) -> bool {
        let same_places = (model.devices(), model.places()) == (self.devices, self.places);
        model.task_count() == self.task_count && (same_places || self.reads.is_empty())
    }

    /// Logits of a decision: the network's outputs.
    pub fn outputs(&self) -> usize {
        self.task_count * self.width()
    }

    /// Which cross-entropy the logits are trained with.
    pub fn head(&self) -> Head {
        match self.code {
            Code::Indicators => Head::Sigmoid,
            Code::Categorical => Head::Softmax { places: self.places },
        }
    }

    /// Logits of one task.
    fn width(&self) -> usize {
        match self.code {
            Code::Indicators => self.places - 1,
            Code::Categorical => self.places,
        }
    }

    /// Scales the sizes of one workload, and what is read of the model's environment, to network inputs.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`, `inputs` is `[inputs]`.
    pub fn encode(&self, model: &CostModel, sizes_bytes: &[f64], inputs: &mut [f32]) {
        for (size, input) in sizes_bytes.iter().zip(&mut *inputs) {
            *input = ((size - self.scaling.mean_bytes) / self.scaling.deviation_bytes) as f32;
        }
        if !self.reads.is_empty() {
            self.reads.encode(model, &mut inputs[self.task_count..]);
        }
    }

    /// What the network should have answered to give this decision: 0 or 1 for each logit, or [`DONT_CARE`].
    ///
    /// # Shapes
    /// `places` is `[N * M]`, `targets` is `[outputs]`.
    pub fn targets(&self, places: &[u8], targets: &mut [f32]) {
        for (&place, targets) in places.iter().zip(targets.chunks_exact_mut(self.width())) {
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

    /// The decision that logits say.
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

    /// The decisions that logits of a panel of rows say.
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

    /// Every decision that differs from what the logits say by one indicator that matters (or, in the categorical code,
    /// by one task), with the certainty that would have to be overcome.
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
mod tests {
    use proptest::prelude::*;
    use sim::Scenario;

    use super::*;

    const SCALING: Scaling = Scaling { mean_bytes: 20e6, deviation_bytes: 5e6 };

    fn codec(code: Code, servers: usize) -> Codec {
        let mut scenario = Scenario::load("paper").expect("a preset");
        let template = scenario.servers[0].clone();
        scenario.servers =
            (0..servers).map(|index| sim::scenario::Server { name: format!("s{index}"), ..template.clone() }).collect();
        Codec::new(code, &scenario.check().expect("valid"), SCALING).expect("fits")
    }

    proptest! {
        #[test]
        fn logits_that_match_the_targets_decode_to_the_decision(
            indicators in any::<bool>(), servers in 1..6_usize, seed in prop::collection::vec(any::<u8>(), 9),
        ) {
            let code = if indicators && servers <= 2 { Code::Indicators } else { Code::Categorical };
            let codec = codec(code, servers);
            let places: Vec<u8> = seed.iter().map(|byte| byte % (servers as u8 + 1)).collect();
            let mut targets = vec![0.5; codec.outputs()];
            codec.targets(&places, &mut targets);
            let logits: Vec<f32> = targets.iter().map(|target| if *target == DONT_CARE { 0.3 } else { target - 0.5 }).collect();
            let mut decoded = vec![9; 9];
            codec.decode(&logits, &mut decoded);
            prop_assert_eq!(decoded, places);
        }

        #[test]
        fn alternatives_are_what_flipped_logits_decode_to(logits in prop::collection::vec(-2.0..2.0_f32, 18)) {
            let codec = codec(Code::Indicators, 2);
            let mut places = vec![0; 9];
            codec.decode(&logits, &mut places);
            let mut alternatives = Vec::new();
            codec.alternatives(&logits, &mut alternatives);
            for (position, logit) in logits.iter().enumerate() {
                let mut flipped = logits.clone();
                flipped[position] = -logit;
                let mut decoded = vec![0; 9];
                codec.decode(&flipped, &mut decoded);
                let task = position / 2;
                let found = alternatives.iter().any(|other| {
                    other.task == task && other.place == decoded[task] && other.certainty == logit.abs()
                });
                prop_assert_eq!(found, decoded != places, "logit {}", position);
            }
        }
    }

    #[test]
    fn two_indicators_do_not_tell_four_places_apart() {
        let mut scenario = Scenario::load("paper").expect("a preset");
        let mut third = scenario.servers[0].clone();
        third.name = "third".to_owned();
        scenario.servers.push(third);
        let model = scenario.check().expect("valid");
        assert_eq!(Codec::new(Code::Indicators, &model, SCALING), Err(CodeError { places: 4 }));
        assert_eq!(Codec::default_code(&model), Code::Categorical);
    }

    #[test]
    fn sizes_are_scaled_to_mean_zero() {
        let model = Scenario::load("paper").expect("a preset").check().expect("valid");
        let mut inputs = [9.0; 2];
        codec(Code::Indicators, 2).encode(&model, &[20e6, 30e6], &mut inputs);
        assert_eq!(inputs, [0.0, 2.0]);
    }

    #[test]
    fn networks_read_what_changes() {
        let scenario = Scenario::load("paper").expect("a preset");
        let mut environment = scenario.own_environment();
        environment.uplinks_mbps = vec![0.8, 0.0, 1e9];
        environment.capacities = vec![1.0, 0.5];
        environment.alpha = 0.75;
        let model = scenario.check().expect("valid").at(&environment).expect("fits");
        let scale = |mean, deviation| Some(Standard { mean, deviation });
        let reads = EnvironmentInputs {
            log_uplink: scale(0.8_f64.ln(), 2.0),
            log_capacity: scale(0.0, 0.5_f64.ln().abs()),
            alpha: scale(0.5, 0.25),
        };
        let codec = codec(Code::Indicators, 2).reading(reads);
        assert_eq!(codec.inputs(), 9 + 6 + 2 + 1);
        let mut inputs = vec![9.0; codec.inputs()];
        codec.encode(&model, &[20e6; 9], &mut inputs);
        assert_eq!(inputs[..9], [0.0; 9]);
        // 10 s/MB to send at 0.8 Mbit/s, as long as to compute: a half.
        let slowest = ((SLOWEST_TOLD_APART_MBPS / 0.8).ln() / 2.0) as f32;
        assert!((inputs[9], inputs[11]) == (0.0, slowest) && inputs[10].abs() < 1e-6, "{inputs:?}");
        assert!(inputs[12] == 1.0 && inputs[13] == 4.0 && inputs[14] < -0.999, "{inputs:?}");
        assert_eq!(inputs[15..], [0.0, -1.0, 1.0]);
    }
}
