//! A network that sets the prices of queues, as a Burn module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation};
use sim::random;

use super::features::{CONTEXT_INPUTS, INPUTS, PLACE_INPUTS};
use crate::parameters::{Ids, to_vec};

/// The prices that a network sets of each place: that of the link's queue, and that of the machine's.
pub const PRICES: usize = 2;
/// Logarithms of prices begin here.
pub(super) const FIRST_LN_PRICE: f32 = -0.5;
/// The largest logarithm of a price.
pub const LARGEST_LN_PRICE: f32 = 4.0;

/// Sets the logarithms of the prices of the queues on the way to a place, from what [`Inputs`](super::Inputs) holds.
///
/// With the inputs x of the context and of the place it is softsign(x·input + bias)·price + x·direct + price_bias, where
/// softsign(a) = a / (1 + |a|). The same parameters are for all places, so that there may be any number of them.
#[derive(Module, Debug)]
pub struct Network {
    /// `[INPUTS, width]`.
    pub input: Param<Tensor<2>>,
    /// `[1, width]`.
    pub bias: Param<Tensor<2>>,
    /// `[width, PRICES]`.
    pub price: Param<Tensor<2>>,
    /// `[INPUTS, PRICES]`.
    pub direct: Param<Tensor<2>>,
    /// `[1, PRICES]`.
    pub price_bias: Param<Tensor<2>>,
}

/// The number of parameters of a network with `width` hidden units.
pub fn parameters(width: usize) -> usize {
    width.saturating_mul(INPUTS + 1 + PRICES).saturating_add((INPUTS + 1) * PRICES)
}

/// The parameters of a [`Network`] on the host, one after the other: `input`, `bias`, `price`, `direct`, `price_bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Hidden units.
    pub width: usize,
    /// See [`parameters`].
    pub values: Vec<f32>,
}

/// Where the parts of [`Parameters`] begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) bias: usize,
    pub(super) price: usize,
    pub(super) direct: usize,
    pub(super) price_bias: usize,
}

impl Parts {
    pub(super) fn of(width: usize) -> Self {
        let bias = INPUTS * width;
        let price = bias + width;
        let direct = price + width * PRICES;
        Self { bias, price, direct, price_bias: direct + INPUTS * PRICES }
    }
}

impl Parameters {
    /// Normally distributed first parameters of network number `index`, from a stream of its own. Prices are nearly equal at
    /// first.
    pub fn random(width: usize, index: usize, seed: u64) -> Self {
        /// How far first prices are from equal ones.
        const FIRST_SPREAD: f64 = 0.3;
        let mut random = random::stream(seed, &format!("site weights/{index}"));
        let parts = Parts::of(width);
        let deviation = |place: usize| {
            if place < parts.bias {
                1.0 / (INPUTS as f64).sqrt()
            } else if place < parts.price || place >= parts.price_bias {
                0.0
            } else if place < parts.direct {
                FIRST_SPREAD / (width as f64).sqrt()
            } else {
                FIRST_SPREAD / (INPUTS as f64).sqrt()
            }
        };
        let values = (0..parameters(width)).map(|place| (deviation(place) * random::normal(&mut random)) as f32);
        let mut values: Vec<f32> = values.collect();
        values[parts.price_bias..].fill(FIRST_LN_PRICE);
        Self { width, values }
    }
}

impl Network {
    /// A network with these parameters.
    pub fn with(parameters: &Parameters, device: &Device) -> Self {
        Self::numbered(parameters, device, &mut Ids::default())
    }

    pub(super) fn numbered(parameters: &Parameters, device: &Device, ids: &mut Ids) -> Self {
        let mut rest = &parameters.values[..];
        let mut param = |rows: usize, columns: usize| {
            let (values, after) = rest.split_at(rows * columns);
            rest = after;
            ids.param(Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, columns]), device))
        };
        let width = parameters.width;
        Self {
            input: param(INPUTS, width),
            bias: param(1, width),
            price: param(width, PRICES),
            direct: param(INPUTS, PRICES),
            price_bias: param(1, PRICES),
        }
    }

    /// The parameters, copied from their device.
    pub fn parameters(&self) -> Parameters {
        let parts = [&self.input, &self.bias, &self.price, &self.direct, &self.price_bias];
        let values = parts.into_iter().flat_map(|part| to_vec(part.val())).collect();
        Parameters { width: self.input.dims()[1], values }
    }

    /// Logarithms of prices, at most [`LARGEST_LN_PRICE`].
    ///
    /// # Shapes
    /// `context` is `[places, CONTEXT_INPUTS]` and `places` is `[places, PLACE_INPUTS]`, for places of any tasks; the
    /// result is `[places, PRICES]`.
    pub fn ln_prices(&self, context: Tensor<2>, places: Tensor<2>) -> Tensor<2> {
        debug_assert_eq!((context.dims()[1], places.dims()[1]), (CONTEXT_INPUTS, PLACE_INPUTS));
        let inputs = Tensor::cat(vec![context, places], 1);
        let hidden = activation::softsign(inputs.clone().matmul(self.input.val()) + self.bias.val());
        let prices = hidden.matmul(self.price.val()) + inputs.matmul(self.direct.val()) + self.price_bias.val();
        prices.clamp_max(LARGEST_LN_PRICE)
    }
}
