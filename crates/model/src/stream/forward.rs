//! Prices of all networks at once, through the kernels.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::features::{CONTEXT_INPUTS, INPUTS, Inputs, PLACE_INPUTS};
use super::net::{LARGEST_LN_PRICE, PRICES, Parameters, Parts};
use crate::kernels::Kernel;
use crate::kernels::kernel::{Simd, Task, VECTOR};
use crate::kernels::wide::Wide;

/// Vectors that are computed side by side: they fit into the registers, and hide the time that a multiply-add takes.
const TILE: usize = 8;
const TILE_UNITS: usize = TILE * VECTOR;
/// Inputs of the direct weights, up to whole vectors.
const DIRECT: usize = INPUTS.next_multiple_of(VECTOR);

/// The mean of the logarithms of the prices that K networks set, on the CPU.
///
/// The mean is a sum over all hidden units of all networks, so that the networks are computed as one.
#[derive(Debug, Clone)]
pub struct Forward {
    kernel: Kernel,
    tiles: Vec<Tile>,
    /// Of each price.
    direct: [[f32; DIRECT]; PRICES],
    biases: [f32; PRICES],
}

/// Hidden units of some networks; units that are left over are 0. Vectors must not lie across cache lines.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Tile {
    bias: [f32; TILE_UNITS],
    /// Of each input.
    input: [[f32; TILE_UNITS]; INPUTS],
    /// Of each price.
    price: [[f32; TILE_UNITS]; PRICES],
}

impl Forward {
    /// The networks as one.
    ///
    /// # Panics
    /// If there is none.
    pub fn new(networks: &[Parameters]) -> Self {
        assert!(!networks.is_empty(), "there are networks");
        let share = 1.0 / networks.len() as f32;
        let units: usize = networks.iter().map(|network| network.width).sum();
        let empty =
            Tile { bias: [0.0; TILE_UNITS], input: [[0.0; TILE_UNITS]; INPUTS], price: [[0.0; TILE_UNITS]; PRICES] };
        let mut tiles = vec![empty; units.div_ceil(TILE_UNITS)];
        let (mut direct, mut biases) = ([[0.0; DIRECT]; PRICES], [0.0; PRICES]);
        let mut unit = 0;
        for Parameters { width, values } in networks {
            let parts = Parts::of(*width);
            for of_network in 0..*width {
                let (tile, place) = (&mut tiles[unit / TILE_UNITS], unit % TILE_UNITS);
                tile.bias[place] = values[parts.bias + of_network];
                for (input, weights) in tile.input.iter_mut().enumerate() {
                    weights[place] = values[input * width + of_network];
                }
                for (price, weights) in tile.price.iter_mut().enumerate() {
                    weights[place] = share * values[parts.price + of_network * PRICES + price];
                }
                unit += 1;
            }
            for price in 0..PRICES {
                for (input, weight) in direct[price][..INPUTS].iter_mut().enumerate() {
                    *weight += share * values[parts.direct + input * PRICES + price];
                }
                biases[price] += share * values[parts.price_bias + price];
            }
        }
        Self { kernel: Kernel::detect(), tiles, direct, biases }
    }

    /// What each place costs with its prices, in units of cost; infinite where the task cannot run.
    pub fn costs<'a>(&self, inputs: &Inputs, scratch: &'a mut Scratch) -> &'a [f32] {
        let Scratch { contexts, costs } = scratch;
        contexts.resize(self.tiles.len(), [0.0; TILE_UNITS]);
        costs.resize(inputs.places.len(), 0.0);
        self.kernel.run(Pass { forward: self, inputs, contexts, costs });
        costs
    }
}

/// Memory of [`Forward::costs`]; it grows to what is needed.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// What the context adds to the hidden units.
    contexts: Vec<[f32; TILE_UNITS]>,
    costs: Vec<f32>,
}

struct Pass<'a> {
    forward: &'a Forward,
    inputs: &'a Inputs,
    contexts: &'a mut [[f32; TILE_UNITS]],
    costs: &'a mut [f32],
}

impl Task for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Forward { tiles, direct, biases, .. } = self.forward;
        let zero = Wide::splat(simd, 0.0);
        let one = Wide::splat(simd, 1.0);
        for (tile, context) in tiles.iter().zip(&mut *self.contexts) {
            let mut units = load_tile(simd, &tile.bias);
            for (input, weights) in self.inputs.context.iter().zip(&tile.input[..CONTEXT_INPUTS]) {
                add(simd, &mut units, *input, weights);
            }
            for (unit, values) in units.into_iter().zip(context.as_chunks_mut().0) {
                unit.store(values);
            }
        }
        for (place, cost) in self.inputs.places.iter().zip(self.costs) {
            if place.own_cost == f32::INFINITY {
                *cost = f32::INFINITY;
                continue;
            }
            let mut sums = [zero; PRICES];
            for (tile, context) in tiles.iter().zip(&*self.contexts) {
                let mut units = load_tile(simd, context);
                for (input, weights) in place.inputs.iter().zip(&tile.input[CONTEXT_INPUTS..]) {
                    add(simd, &mut units, *input, weights);
                }
                for unit in &mut units {
                    *unit = *unit / (one + unit.abs());
                }
                for (sum, weights) in sums.iter_mut().zip(&tile.price) {
                    let weights = load_tile(simd, weights);
                    for index in 0..TILE {
                        *sum = units[index].mul_add(weights[index], *sum);
                    }
                }
            }
            let mut row = [0.0; DIRECT];
            row[..CONTEXT_INPUTS].copy_from_slice(&self.inputs.context);
            row[CONTEXT_INPUTS..INPUTS].copy_from_slice(&place.inputs);
            for (sum, weights) in sums.iter_mut().zip(direct) {
                for (inputs, weights) in row.as_chunks().0.iter().zip(weights.as_chunks().0) {
                    *sum = Wide::load(simd, inputs).mul_add(Wide::load(simd, weights), *sum);
                }
            }
            *cost = place.own_cost;
            for index in 0..PRICES {
                let ln_price = (sums[index].sum() + biases[index]).min(LARGEST_LN_PRICE);
                *cost += ln_price.exp() * place.added[index];
            }
        }
    }
}

#[inline(always)]
fn load_tile<S: Simd>(simd: S, values: &[f32; TILE_UNITS]) -> [Wide<S>; TILE] {
    let mut vectors = [Wide::splat(simd, 0.0); TILE];
    for (vector, values) in vectors.iter_mut().zip(values.as_chunks().0) {
        *vector = Wide::load(simd, values);
    }
    vectors
}

#[inline(always)]
fn add<S: Simd>(simd: S, units: &mut [Wide<S>; TILE], input: f32, weights: &[f32; TILE_UNITS]) {
    let input = Wide::splat(simd, input);
    for (unit, weights) in units.iter_mut().zip(weights.as_chunks().0) {
        *unit = input.mul_add(Wide::load(simd, weights), *unit);
    }
}

const _: () = assert!(CONTEXT_INPUTS + PLACE_INPUTS == INPUTS);
