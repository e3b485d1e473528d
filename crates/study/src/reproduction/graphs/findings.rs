//! A claim with its verdict, and how applications are drawn and decided for it.

use data::graphs::GraphSampler;
use mrdro::statistics::Spread;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::graph::scheme::{GraphSolution, by_name};
use sim::graph::{GraphModel, GraphScenario, Limits, Weights};
use sim::{ScenarioError, random};

use super::Sample;
use crate::error::Error;
use crate::page::cells;

/// A claim of a system of Table I, or a question that it leaves open, with what was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Finding {
    /// The system, as Table I calls it, or the authors.
    pub(super) system: String,
    pub(super) claim: String,
    /// The scenario, and how many applications of it.
    pub(super) measured_on: String,
    /// `None`: a question without a claim.
    pub(super) holds: Option<bool>,
    pub(super) measured: String,
}

impl Finding {
    pub(super) fn header() -> Vec<String> {
        cells(["system", "claim or question", "measured on", "verdict", "measured"])
    }

    pub(super) fn row(&self) -> Vec<String> {
        let verdict = match self.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "",
        };
        cells([&self.system, &self.claim, &self.measured_on, verdict, &self.measured])
    }
}

/// The models of applications that the generator of a scenario draws, not those of the standard set.
pub(super) fn draw(scenario: &GraphScenario, count: usize, sample: Sample) -> Result<Vec<GraphModel>, Error> {
    let sampler = GraphSampler::new(scenario).map_err(mrdro::Error::from)?;
    let mut random = random::stream(sample.seed, "reproduction of task graphs");
    let models = (0..count).map(|_| scenario.model(sampler.draw(&mut random)));
    Ok(models.collect::<Result<_, _>>().map_err(mrdro::Error::from)?)
}

/// A scenario that this crate holds as text.
pub(super) fn scenario(text: &str) -> Result<GraphScenario, Error> {
    Ok(GraphScenario::from_toml("a scenario of the reproduction", text).map_err(ScenarioError::from)?)
}

/// What one scheme decides about each application.
pub(super) fn decide(name: &str, models: &[GraphModel], sample: Sample) -> Result<Vec<GraphSolution>, Error> {
    let decided = models.par_iter().map(|model| by_name(name, model.system(), sample.seed)?.decide(model));
    Ok(decided.collect::<Result<_, _>>().map_err(mrdro::Error::from)?)
}

/// The costs of what one scheme decides about each application.
pub(super) fn costs(name: &str, models: &[GraphModel], sample: Sample) -> Result<Vec<f64>, Error> {
    let solutions = decide(name, models, sample)?;
    Ok(models.iter().zip(&solutions).map(|(model, solution)| solution.outcome(model).cost).collect())
}

/// The model with other weights and limits.
pub(super) fn with(model: &GraphModel, weights: Weights, limits: Limits) -> Result<GraphModel, Error> {
    let changed = model.with_weights(weights).and_then(|model| model.with_limits(limits));
    Ok(changed.map_err(mrdro::Error::from)?)
}

/// The models with a speed-up of its own for each task on servers, drawn log-uniformly between 1 and 16 times as fast as on
/// the device: tasks of real applications do not all gain alike.
pub(super) fn with_speed_ups(models: &[GraphModel], sample: Sample) -> Result<Vec<GraphModel>, Error> {
    let mut random = random::stream(sample.seed, "speed-ups of task graphs");
    let sped_up = models.iter().map(|model| {
        let factors: Vec<f64> = (0..model.tasks()).map(|_| 16_f64.powf(random::unit(&mut random))).collect();
        model.with_run_times(|task, place| (place > 0).then(|| model.run_s(task, 0) / factors[task]))
    });
    Ok(sped_up.collect::<Result<_, _>>().map_err(mrdro::Error::from)?)
}

/// Models with a limit of time, and one of energy if asked for. Each limit is half-way between the least possible amount and
/// that of the cheapest decision. Models that the limits do not affect, or whose limits cannot be kept, are left out.
pub(super) fn with_limits(
    models: &[GraphModel],
    limits_energy: bool,
    sample: Sample,
) -> Result<Vec<GraphModel>, Error> {
    let limited = models.par_iter().map(|model| {
        let least = |weights: Weights| -> Result<_, Error> {
            let weighted = with(model, weights, Limits::default())?;
            Ok(weighted.evaluate(&decide("exact", std::slice::from_ref(&weighted), sample)?[0].places))
        };
        let cheapest = least(model.rules().weights)?;
        let fastest = least(Weights { energy: 0.0, time: 1.0, price: 0.0 })?;
        let frugal = least(Weights { energy: 1.0, time: 0.0, price: 0.0 })?;
        let half_way = |least: f64, of_cheapest: f64| 0.5 * (least + of_cheapest);
        let time_s = half_way(fastest.time_s, cheapest.time_s);
        let energy_j = if limits_energy { half_way(frugal.energy_j, cheapest.energy_j) } else { f64::INFINITY };
        let is_limited = cheapest.time_s > time_s * (1.0 + 1e-9) || cheapest.energy_j > energy_j * (1.0 + 1e-9);
        let limits = Limits { time_s, energy_j, ..Limits::default() };
        let model = with(model, model.rules().weights, limits)?;
        // Limits of time and energy together may leave nothing.
        let is_possible = || -> Result<_, Error> {
            Ok(!model.evaluate(&decide("exact", std::slice::from_ref(&model), sample)?[0].places).exceeds_limits)
        };
        let is_kept = is_limited && is_possible()?;
        Ok(is_kept.then_some(model))
    });
    let limited: Vec<Option<GraphModel>> = limited.collect::<Result<_, Error>>()?;
    Ok(limited.into_iter().flatten().collect())
}

/// Where the claim was measured.
pub(super) fn on(scenario: &str, models: &[GraphModel]) -> String {
    format!("{scenario}, {}", data::counted(models.len(), "application"))
}

/// A mean with its interval, in percent.
pub(super) fn percent(values: &[f64]) -> String {
    if values.is_empty() {
        return "nothing".to_owned();
    }
    let spread = Spread::of(values);
    format!("{} ({}–{})", rounded(spread.mean), rounded(spread.low), rounded(spread.high)) + " %"
}

/// A share as percent with at most three decimals, without zeros at the end.
pub(super) fn rounded(share: f64) -> String {
    let text = format!("{:.3}", 100.0 * share);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// How much more each cost is than the optimum's, as a share.
pub(super) fn excess(costs: &[f64], optima: &[f64]) -> Vec<f64> {
    let excess = |(cost, optimum): (&f64, &f64)| if *optimum > 0.0 { cost / optimum - 1.0 } else { 0.0 };
    // Sums in another order round differently.
    costs.iter().zip(optima).map(excess).map(|excess| if excess.abs() < 1e-9 { 0.0 } else { excess }).collect()
}

/// 1 for each excess of 0.
pub(super) fn are_optimal(excess: &[f64]) -> Vec<f64> {
    excess.iter().map(|excess| f64::from(u8::from(*excess == 0.0))).collect()
}

pub(super) fn worst(excess: &[f64]) -> f64 {
    excess.iter().copied().fold(0.0, f64::max)
}
