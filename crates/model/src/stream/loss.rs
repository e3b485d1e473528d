//! What the networks learn from, and the loss.

use serde::{Deserialize, Serialize};

use super::features::{Inputs, PlaceInputs};
use super::net::{LARGEST_LN_PRICE, PRICES};

/// A task that arrived, and what each place would have cost more than the cheapest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What the networks read.
    pub inputs: Inputs,
    /// Of each place the regret: its cost in all less that of the cheapest place, over the mean cost of a task under greedy.
    pub regrets: Vec<f32>,
}

impl Sample {
    /// Whether there is a regret for each place, and some place where the task can run.
    pub fn is_complete(&self) -> bool {
        let places = &self.inputs.places;
        self.regrets.len() == places.len() && places.iter().any(|place| place.own_cost.is_finite())
    }
}

/// What learners make of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The expected regret Σ π_j R_j of a place that is drawn with the probabilities π = softmax(−costs / T). It is linear in the
    /// regrets, so that what chance adds to them does not bias it.
    #[default]
    ExpectedRegret,
    /// The cross-entropy −ln π of the cheapest place, MR-DRO's own rule.
    CrossEntropy,
}

/// The costs of places differ by about this much, in units of cost, where either may be taken: the temperature T.
pub const TEMPERATURE: f32 = 0.1;
/// The largest slope of a cost by the logarithm of a price, over the temperature.
const LARGEST_SLOPE: f32 = 20.0;

impl Loss {
    /// The loss of a sample with these logarithms of prices, and its gradient by them.
    pub(super) fn gradient(self, sample: &Sample, ln_prices: &[[f32; PRICES]], gradient: &mut [[f32; PRICES]]) -> f32 {
        let places = &sample.inputs.places;
        let cost = |place: &PlaceInputs, ln_prices: &[f32; PRICES]| {
            place.own_cost + (0..PRICES).map(|index| ln_prices[index].exp() * place.added[index]).sum::<f32>()
        };
        let least =
            places.iter().zip(ln_prices).map(|(place, prices)| cost(place, prices)).fold(f32::INFINITY, f32::min);
        let weight = |place: &PlaceInputs, prices: &[f32; PRICES]| (-(cost(place, prices) - least) / TEMPERATURE).exp();
        let sum: f32 = places.iter().zip(ln_prices).map(|(place, prices)| weight(place, prices)).sum();
        let share = |place: &PlaceInputs, prices: &[f32; PRICES]| weight(place, prices) / sum;
        let cheapest = sample.regrets.iter().position(|regret| *regret <= 0.0).unwrap_or(0);
        // Places that cannot be taken have no share, and regrets that are not finite.
        let expected: f32 = places
            .iter()
            .zip(ln_prices)
            .zip(&sample.regrets)
            .filter(|((place, _), _)| place.own_cost < f32::INFINITY)
            .map(|((place, prices), regret)| share(place, prices) * regret)
            .sum();
        for (index, (place, prices)) in places.iter().zip(ln_prices).enumerate() {
            gradient[index] = [0.0; PRICES];
            if place.own_cost == f32::INFINITY {
                continue;
            }
            let share = share(place, prices);
            let by_cost = match self {
                Self::ExpectedRegret => -share * (sample.regrets[index] - expected) / TEMPERATURE,
                Self::CrossEntropy => (f32::from(u8::from(index == cheapest)) - share) / TEMPERATURE,
            };
            for price in 0..PRICES {
                if prices[price] < LARGEST_LN_PRICE {
                    let slope = (prices[price].exp() * place.added[price]).min(LARGEST_SLOPE * TEMPERATURE);
                    gradient[index][price] = by_cost * slope;
                }
            }
        }
        match self {
            Self::ExpectedRegret => expected,
            Self::CrossEntropy => -(share(&places[cheapest], &ln_prices[cheapest]).max(f32::MIN_POSITIVE)).ln(),
        }
    }
}
