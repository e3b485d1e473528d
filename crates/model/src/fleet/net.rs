//! A network for any fleet, as a Burn module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};
use sim::random;

use super::INPUTS;
use crate::parameters::{Ids, to_vec};

/// Numbers of hidden units and rounds of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Hidden units of each task at each place.
    pub width: usize,
    /// Rounds of one forward pass.
    pub rounds: usize,
}

impl Shape {
    /// Number of weights and biases of one network.
    pub fn parameters(&self) -> usize {
        let Self { width, rounds } = *self;
        let round = width.saturating_mul(INPUTS + 2).saturating_add(INPUTS);
        let known = width.saturating_mul(width).saturating_mul(4);
        rounds.saturating_mul(round).saturating_add(rounds.saturating_sub(1).saturating_mul(known))
    }
}

/// Scores every place of every task of a fleet with any number of devices, tasks and servers, in any order.
///
/// In each round it reads the features of the decision that the round before proposed ([`Features`](super::Features)) and
/// the hidden units of the round before: the units of the task at the place, and their means over the device, the place
/// and the task.
#[derive(Module, Debug)]
pub struct Network {
    /// The rounds, in order.
    pub rounds: Vec<Round>,
}

/// The parameters of one round.
///
/// With the inputs x and the hidden units h of the round before, the hidden units are h' = ReLU(x·input + bias + h·own +
/// mean of h over the device's tasks·by_device + mean over all tasks at the place·by_place + mean over the places of the
/// task·by_task), and the score is h'·score + x·direct. The first round has no h.
#[derive(Module, Debug)]
pub struct Round {
    /// `[INPUTS, width]`.
    pub input: Param<Tensor<2>>,
    /// `[1, width]`.
    pub bias: Param<Tensor<2>>,
    /// Weights of the hidden units of the round before; `None` in the first round. Records contain the name of this field.
    pub known: Option<Context>,
    /// `[width, 1]`.
    pub score: Param<Tensor<2>>,
    /// `[INPUTS, 1]`.
    pub direct: Param<Tensor<2>>,
}

/// The weights of the hidden units of the round before, each `[width, width]`.
#[derive(Module, Debug)]
pub struct Context {
    /// Weights of the hidden units of the task at the place.
    pub own: Param<Tensor<2>>,
    /// Weights of the units' mean over the device's tasks at the place.
    pub by_device: Param<Tensor<2>>,
    /// Weights of the units' mean over all tasks at the place.
    pub by_place: Param<Tensor<2>>,
    /// Weights of the units' mean over all places of the task.
    pub by_task: Param<Tensor<2>>,
}

/// Numbers of cases, devices, tasks and places of a batch. All cases have the same numbers of devices, tasks and
/// places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchShape {
    pub(crate) cases: usize,
    pub(crate) devices: usize,
    pub(crate) tasks: usize,
    pub(crate) places: usize,
}

impl Network {
    /// A network with random parameters: uniform within ±1/√in, from the stream `weights/{index}`.
    pub fn random(shape: Shape, index: usize, seed: u64, device: &Device) -> Self {
        let mut random = random::stream(seed, &format!("fleet weights/{index}"));
        Self::with(shape, device, &mut Ids::default(), |inputs| {
            let bound = 1.0 / (inputs as f64).sqrt();
            ((2.0 * random::unit(&mut random) - 1.0) * bound) as f32
        })
    }

    /// A network with parameters from `draw`, which is given the number of inputs of each parameter's layer.
    pub(super) fn with(shape: Shape, device: &Device, ids: &mut Ids, mut draw: impl FnMut(usize) -> f32) -> Self {
        let Shape { width, rounds } = shape;
        let mut param = |rows: usize, columns: usize, inputs: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|_| draw(inputs)).collect();
            ids.param(Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), device))
        };
        let round = |index: usize| {
            let inputs = if index == 0 { INPUTS } else { INPUTS + 4 * width };
            Round {
                input: param(INPUTS, width, inputs),
                bias: param(1, width, inputs),
                known: (index > 0).then(|| Context {
                    own: param(width, width, inputs),
                    by_device: param(width, width, inputs),
                    by_place: param(width, width, inputs),
                    by_task: param(width, width, inputs),
                }),
                score: param(width, 1, width + INPUTS),
                direct: param(INPUTS, 1, width + INPUTS),
            }
        };
        Self { rounds: (0..rounds).map(round).collect() }
    }

    /// Numbers of hidden units and rounds.
    pub fn shape(&self) -> Shape {
        Shape { width: self.rounds[0].input.dims()[1], rounds: self.rounds.len() }
    }

    /// Hidden units and scores of one round; `context` are the hidden units of the round before.
    ///
    /// # Shapes
    /// `inputs` is `[cases * places * N * M, INPUTS]`, `context` and the hidden units are `[cases * places * N * M, width]`,
    /// the scores are `[cases * places * N * M, 1]`.
    pub(crate) fn round(
        &self,
        index: usize,
        inputs: Tensor<2>,
        context: Option<Tensor<2>>,
        batch: BatchShape,
    ) -> (Tensor<2>, Tensor<2>) {
        let round = &self.rounds[index];
        let mut hidden = inputs.clone().matmul(round.input.val()) + round.bias.val();
        if let (Some(weights), Some(context)) = (&round.known, context) {
            hidden = weights.add_to(hidden, context, batch);
        }
        let hidden = activation::relu(hidden);
        let scores = hidden.clone().matmul(round.score.val()) + inputs.matmul(round.direct.val());
        (hidden, scores)
    }

    /// The parameters of each round on the host.
    pub(crate) fn to_host(&self) -> Vec<RoundData> {
        let context = |context: &Context| ContextData {
            own: to_vec(context.own.val()),
            by_device: to_vec(context.by_device.val()),
            by_place: to_vec(context.by_place.val()),
            by_task: to_vec(context.by_task.val()),
        };
        let round = |round: &Round| RoundData {
            input: to_vec(round.input.val()),
            bias: to_vec(round.bias.val()),
            context: round.known.as_ref().map(context),
            score: to_vec(round.score.val()),
            direct: to_vec(round.direct.val()),
        };
        self.rounds.iter().map(round).collect()
    }
}

impl Context {
    /// Adds the hidden units of the round before, and their means, to the sums of this round.
    fn add_to(&self, sums: Tensor<2>, context: Tensor<2>, batch: BatchShape) -> Tensor<2> {
        let BatchShape { cases, devices, tasks, places } = batch;
        let [rows, width] = context.dims();
        let grid = context.clone().reshape([cases * places * devices, tasks, width]);
        let device = grid.mean_dim(1).reshape([cases * places * devices, width]);
        let place = device.clone().reshape([cases * places, devices, width]).mean_dim(1);
        let place = place.reshape([cases * places, width]);
        let task = context.clone().reshape([cases, places, devices * tasks * width]).mean_dim(1);
        let task = task.reshape([cases * devices * tasks, width]);
        let device = device.matmul(self.by_device.val()).reshape([cases * places * devices, 1, width]);
        let place = place.matmul(self.by_place.val()).reshape([cases * places, 1, width]);
        let task = task.matmul(self.by_task.val()).reshape([cases, 1, devices * tasks * width]);
        let sums = sums + context.matmul(self.own.val());
        let sums = (sums.reshape([cases * places * devices, tasks, width]) + device).reshape([rows, width]);
        let sums = (sums.reshape([cases * places, devices * tasks, width]) + place).reshape([rows, width]);
        (sums.reshape([cases, places, devices * tasks * width]) + task).reshape([rows, width])
    }
}

/// The parameters of a [`Round`] on the host.
#[derive(Debug, Clone)]
pub(crate) struct RoundData {
    pub(crate) input: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) context: Option<ContextData>,
    pub(crate) score: Vec<f32>,
    pub(crate) direct: Vec<f32>,
}

/// The parameters of a [`Context`] on the host.
#[derive(Debug, Clone)]
pub(crate) struct ContextData {
    pub(crate) own: Vec<f32>,
    pub(crate) by_device: Vec<f32>,
    pub(crate) by_place: Vec<f32>,
    pub(crate) by_task: Vec<f32>,
}
