//! Forward passes on the CPU through the kernels.

use super::features::{Features, PAIR_COUNT};
use super::instance::Instance;
use super::lanes::{from_lanes, to_lanes};
use super::layers::{Hidden, RoundWeights};
use super::net::{Network, Shape};
use super::shares::{begin, propose, soften_lanes};
use crate::kernels::Kernel;
use crate::kernels::kernel::{Simd, Task};
use crate::kernels::panel::Lanes;

/// Takes forward passes of a [`Network`] on the CPU.
#[derive(Debug, Clone)]
pub struct Forward {
    shape: Shape,
    kernel: Kernel,
    rounds: Vec<RoundWeights>,
}

/// Memory of a pass; grows to the largest instance.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    features: Features,
    /// `[places][N * M]`.
    shares: Vec<f32>,
    /// `[places][N * M]`.
    scores: Vec<f32>,
    /// `[places][panels]`: scores, then the shares that follow from them.
    lanes: Vec<Lanes>,
    /// `[places][panels][PAIR_COUNT + width]`: inputs and hidden units of sixteen tasks.
    rows: Vec<Lanes>,
    hidden: Hidden,
}

impl Scratch {
    /// Scores of the last round, `[places][N * M]`.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }
}

impl Forward {
    /// Copies the parameters from their device.
    pub fn new(network: &Network) -> Self {
        let shape = network.shape();
        let rounds = network.to_host().iter().map(|round| RoundWeights::new(round, shape.width)).collect();
        Self { shape, kernel: Kernel::detect(), rounds }
    }

    /// Numbers of hidden units and rounds.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Takes one forward pass from the decision `start`, or from none, and writes the proposal of the last round into
    /// `decision`.
    ///
    /// # Shapes
    /// Both decisions are `[N * M]`.
    ///
    /// # Panics
    /// If a decision does not fit the instance.
    pub fn pass(&self, instance: &Instance, scratch: &mut Scratch, start: Option<&[u8]>, decision: &mut [u8]) {
        begin(instance, start, &mut scratch.shares);
        let count = instance.task_count();
        assert_eq!(decision.len(), count, "the decision is not [N * M]");
        assert_eq!(scratch.shares.len(), instance.places * count, "the shares are not [places][N * M]");
        to_lanes(&scratch.shares, count, &mut scratch.lanes);
        self.kernel.run(Pass { forward: self, instance, scratch });
        scratch.scores.resize(instance.places * count, 0.0);
        from_lanes(&scratch.lanes, count, &mut scratch.scores);
        propose(instance, &scratch.scores, decision);
    }
}

/// All rounds, from shares to scores.
struct Pass<'a> {
    forward: &'a Forward,
    instance: &'a Instance,
    scratch: &'a mut Scratch,
}

impl Task for Pass<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]
    fn run<S: Simd>(self, simd: S) {
        let Scratch { features, lanes, rows, hidden, .. } = self.scratch;
        let block = PAIR_COUNT + self.forward.shape.width;
        // The old values may stay: all that is read is written before.
        rows.resize(lanes.len() * block, Lanes::ZERO);
        hidden.begin(self.instance, self.forward.shape.width);
        let rounds = &self.forward.rounds;
        for (index, round) in rounds.iter().enumerate() {
            if index > 0 {
                soften_lanes(simd, self.instance, lanes);
            }
            features.compute(simd, self.instance, lanes, rows, block);
            hidden.advance(simd, self.instance, round, features.place_inputs(), rows, lanes, index + 1 == rounds.len());
        }
    }
}
