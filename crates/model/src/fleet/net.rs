//! A network for any fleet, as a Burn module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};
use sim::random;

use super::INPUTS;
use crate::parameters::{self, Ids, to_vec};
use crate::state::StateError;

/// How large a [`Network`] is.
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

/// K networks for any fleet, all of one shape.
#[derive(Module, Debug)]
pub struct Ensemble {
    /// Each by itself.
    pub nets: Vec<Network>,
}

impl Ensemble {
    /// `nets` networks with random parameters, each from a stream of its own, so that they do not depend on how many
    /// others there are.
    ///
    /// # Panics
    /// If there is none, or they have no rounds or no units.
    pub fn random(shape: Shape, nets: usize, seed: u64, device: &Device) -> Self {
        assert!(nets > 0 && shape.width > 0 && shape.rounds > 0, "an ensemble has networks, and these have units");
        Self { nets: (0..nets).map(|net| Network::random(shape, net, seed, device)).collect() }
    }

    /// How large each network is.
    pub fn shape(&self) -> Shape {
        self.nets[0].shape()
    }

    /// The device that the parameters are on.
    ///
    /// # Panics
    /// If there are no networks.
    pub fn device(&self) -> Device {
        self.devices().swap_remove(0)
    }

    /// The first network with a parameter that is no number, if there is one.
    pub fn first_not_finite(&self) -> Option<usize> {
        let is_finite = |net: &Network| parameters::values(net).iter().all(|values| parameters::are_finite(values));
        self.nets.iter().position(|net| !is_finite(net))
    }

    /// The parameters as Burn writes them.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        parameters::to_bytes(self)
    }

    /// Parameters that [`Ensemble::to_bytes`] wrote.
    ///
    /// # Errors
    /// If they are damaged, or of networks of another shape or number.
    pub fn from_bytes(bytes: Vec<u8>, shape: Shape, nets: usize, device: &Device) -> Result<Self, StateError> {
        let mut ids = Ids::default();
        let zeros = Self { nets: (0..nets).map(|_| Network::with(shape, device, &mut ids, |_| 0.0)).collect() };
        parameters::from_bytes(zeros, bytes)
    }
}

/// Scores every place of every task of a fleet, whatever number of devices, tasks and servers it has: the order of none of
/// them matters.
///
/// In each round it reads the decision that the round before proposed ([`Features`](super::Features)), and what it knew of
/// each task at each place, on average of the device, the place and the task.
#[derive(Module, Debug)]
pub struct Network {
    /// In order.
    pub rounds: Vec<Round>,
}

/// One round: h' = ReLU(x·input + bias + h·own + mean over the device's tasks·device + mean over the place's tasks·place +
/// mean over the task's places·task), score = h'·score + x·direct + offset. There is no h in the first round.
#[derive(Module, Debug)]
pub struct Round {
    /// `[INPUTS, width]`.
    pub input: Param<Tensor<2>>,
    /// `[1, width]`.
    pub bias: Param<Tensor<2>>,
    /// What was known, `None` in the first round.
    pub known: Option<Context>,
    /// `[width, 1]`.
    pub score: Param<Tensor<2>>,
    /// `[INPUTS, 1]`.
    pub direct: Param<Tensor<2>>,
}

/// How a round reads what the one before knew; each `[width, width]`.
#[derive(Module, Debug)]
pub struct Context {
    /// Of the task at the place.
    pub own: Param<Tensor<2>>,
    /// Of the device's tasks at the place.
    pub by_device: Param<Tensor<2>>,
    /// Of all tasks at the place.
    pub by_place: Param<Tensor<2>>,
    /// Of the task at all places.
    pub by_task: Param<Tensor<2>>,
}

/// Numbers of cases, devices, tasks and places of a batch; all cases have the same.
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

    fn with(shape: Shape, device: &Device, ids: &mut Ids, mut draw: impl FnMut(usize) -> f32) -> Self {
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

    /// How large it is.
    pub fn shape(&self) -> Shape {
        Shape { width: self.rounds[0].input.dims()[1], rounds: self.rounds.len() }
    }

    /// Hidden units and scores of one round.
    ///
    /// # Shapes
    /// `inputs` `[cases * places * N * M, INPUTS]` and `known`, what the round before returned, `[.., width]`; scores
    /// `[cases * places * N * M, 1]`.
    pub(crate) fn round(
        &self,
        index: usize,
        inputs: Tensor<2>,
        known: Option<Tensor<2>>,
        batch: BatchShape,
    ) -> (Tensor<2>, Tensor<2>) {
        let BatchShape { cases, devices, tasks, places } = batch;
        let round = &self.rounds[index];
        let width = round.input.dims()[1];
        let mut hidden = inputs.clone().matmul(round.input.val()) + round.bias.val();
        if let (Some(weights), Some(known)) = (&round.known, known) {
            let grid = known.clone().reshape([cases * places * devices, tasks, width]);
            let of_device = grid.mean_dim(1).reshape([cases * places * devices, width]);
            let of_place = of_device.clone().reshape([cases * places, devices, width]).mean_dim(1);
            let of_place = of_place.reshape([cases * places, width]);
            let of_task = known.clone().reshape([cases, places, devices * tasks * width]).mean_dim(1);
            let of_task = of_task.reshape([cases * devices * tasks, width]);
            let device = of_device.matmul(weights.by_device.val()).reshape([cases * places * devices, 1, width]);
            let place = of_place.matmul(weights.by_place.val()).reshape([cases * places, 1, width]);
            let task = of_task.matmul(weights.by_task.val()).reshape([cases, 1, devices * tasks * width]);
            let own = known.matmul(weights.own.val());
            let rows = cases * places * devices * tasks;
            hidden = hidden + own;
            hidden = (hidden.reshape([cases * places * devices, tasks, width]) + device).reshape([rows, width]);
            hidden = (hidden.reshape([cases * places, devices * tasks, width]) + place).reshape([rows, width]);
            hidden = (hidden.reshape([cases, places, devices * tasks * width]) + task).reshape([rows, width]);
        }
        let hidden = activation::relu(hidden);
        let scores = hidden.clone().matmul(round.score.val()) + inputs.matmul(round.direct.val());
        (hidden, scores)
    }

    /// The parameters of each round on the host.
    pub(crate) fn to_host(&self) -> Vec<RoundData> {
        let known = |known: &Context| KnownData {
            own: to_vec(known.own.val()),
            by_device: to_vec(known.by_device.val()),
            by_place: to_vec(known.by_place.val()),
            by_task: to_vec(known.by_task.val()),
        };
        let round = |round: &Round| RoundData {
            input: to_vec(round.input.val()),
            bias: to_vec(round.bias.val()),
            known: round.known.as_ref().map(known),
            score: to_vec(round.score.val()),
            direct: to_vec(round.direct.val()),
        };
        self.rounds.iter().map(round).collect()
    }
}

/// [`Round`] on the host.
#[derive(Debug, Clone)]
pub(crate) struct RoundData {
    pub(crate) input: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) known: Option<KnownData>,
    pub(crate) score: Vec<f32>,
    pub(crate) direct: Vec<f32>,
}

/// [`Context`] on the host.
#[derive(Debug, Clone)]
pub(crate) struct KnownData {
    pub(crate) own: Vec<f32>,
    pub(crate) by_device: Vec<f32>,
    pub(crate) by_place: Vec<f32>,
    pub(crate) by_task: Vec<f32>,
}
