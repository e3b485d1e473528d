//! Systems with a chain that is solved, or a closed form: MDP-based, EMOP, Wu et al.

use serde::{Deserialize, Serialize};
use sim::stream::Sizes;
use sim::stream::delayed::{self, DelayedComparison, DelayedLink, DelayedMeans, DelayedModel, DelayedPolicy};
use sim::stream::emop::{self, ChainFigures, ChainGenerator};
use sim::stream::formulas::OnOff;
use sim::stream::mdp::{self, OffloadingFigures, OffloadingGenerator};

use super::Extent;
use super::findings::{ABSTRACT, Estimate, Finding, failed};
use crate::error::Error;

/// The share that MR-DRO says an MDP saves.
pub(super) const CLAIMED_SAVING: f64 = 0.1747;
/// What was read about it.
pub(super) const SECOND_HAND: &str = "the number stands in MR-DRO alone";
/// The limits on the delay of a chain, in units of the fastest site's delay.
const DELAY_FACTORS: [f64; 3] = [1.0, 1.2, 2.0];
/// The intervals of the grid of the hard limit.
const INTERVALS: usize = 300;
/// The files that arrive in a minute.
const FILES_PER_MINUTE: [f64; 3] = [1.0, 1.5, 2.0];
const DEADLINES_S: [f64; 10] = [0.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 240.0, 480.0, f64::INFINITY];
/// The seeds for each seed of the report with which a deadline is simulated.
const SIMULATIONS: u64 = 4;

/// The findings about the MDP-based system.
pub(super) fn mdp(extent: &Extent) -> Result<Vec<Finding>, Error> {
    let problems = if extent.quick { 8 } else { 40 };
    let generator =
        OffloadingGenerator { longest: if extent.quick { 9 } else { 15 }, ..OffloadingGenerator::default() };
    let all = mdp::compare(&generator, extent.first_seed(), problems).map_err(failed("value iteration over places"))?;
    Ok(vec![of_mdp(&all)])
}

fn of_mdp(all: &[OffloadingFigures]) -> Finding {
    let saved: Vec<Vec<Option<f64>>> = all.iter().map(OffloadingFigures::saved).collect();
    let over = |other: usize| Estimate::percent(&saved.iter().filter_map(|saved| saved[other]).collect::<Vec<_>>());
    let names = ["local", "edge", "cloud", "random"];
    let each: Vec<Estimate> = (0..names.len()).map(over).collect();
    let best: Vec<f64> = saved.iter().map(|saved| saved.iter().flatten().copied().fold(1.0, f64::min)).collect();
    let greedy: Vec<f64> = all.iter().map(|figures| 1.0 - figures.optimum.cost / figures.greedy.cost).collect();
    let shown = names.iter().zip(&each).map(|(name, saved)| format!("{name} {}", saved.shown()));
    Finding {
        system: "MDP-based [20]".to_owned(),
        read: SECOND_HAND.to_owned(),
        claim: "value iteration costs at least 17.47 % less than local, edge, cloud and random".to_owned(),
        measured_on: format!("{} drawn problems", all.len()),
        holds: Some(each.iter().all(|saved| saved.mean >= 100.0 * CLAIMED_SAVING)),
        number: each
            .iter()
            .fold(each[0].clone(), |least, saved| if saved.mean < least.mean { saved.clone() } else { least }),
        measured: format!(
            "the least of the four savings; less than {}; than the best of the four for each problem {}; than greedy {}",
            shown.collect::<Vec<_>>().join(", "),
            Estimate::percent(&best).shown(),
            Estimate::percent(&greedy).shown()
        ),
    }
}

/// The findings about EMOP.
pub(super) fn emop(extent: &Extent) -> Result<Vec<Finding>, Error> {
    let problems = if extent.quick { 40 } else { 300 };
    let of_factor = |factor: f64| {
        let all = emop::compare(&ChainGenerator::default(), factor, INTERVALS, extent.first_seed(), problems);
        Ok(of_emop(factor, &all.map_err(failed("chains of components"))?))
    };
    DELAY_FACTORS.into_iter().map(of_factor).collect()
}

fn of_emop(factor: f64, all: &[ChainFigures]) -> Finding {
    let saved: Vec<f64> = all.iter().filter_map(ChainFigures::saved_to_single_site).collect();
    let against = |of: fn(&ChainFigures) -> Option<f64>| {
        let saved: Vec<f64> = all.iter().filter_map(|figures| Some(1.0 - figures.optimum_j / of(figures)?)).collect();
        Estimate::percent(&saved).shown()
    };
    // A policy that holds the limit on every course of the channel has less to choose from than one that holds it on average.
    let hard = all.iter().filter_map(|figures| Some(figures.hard_limit_j?.0 / figures.optimum_j - 1.0));
    let hard: Vec<f64> = hard.collect();
    let number = Estimate::percent(&saved);
    Finding {
        system: "EMOP [21]".to_owned(),
        read: ABSTRACT.to_owned(),
        claim: "several sites take less energy than the best single site within the delay".to_owned(),
        measured_on: format!("{} drawn chains, mean delay within {factor} times the fastest site's", all.len()),
        holds: Some(number.low() > 0.0),
        number,
        measured: format!(
            "less energy than the best single site; than greedy {}, than greedy with a look ahead {}, than the best places without a look at the channel {}; {} of {} can hold the same limit for every course of the channel, with {} more energy than the optimum",
            against(|figures| figures.greedy_j),
            against(|figures| figures.look_ahead_j),
            against(|figures| figures.fixed_j),
            hard.len(),
            all.len(),
            Estimate::percent(&hard).shown()
        ),
    }
}

/// How formula and simulation of delayed offloading compare at one rate of files.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct DelayedRates {
    per_minute: f64,
    /// By which share the simulated mean lies above the formula, the mean over all deadlines, for each seed: of the response
    /// time and of the energy.
    above_formula: [Vec<f64>; 2],
    best_by_formula: String,
    best_by_simulation: String,
    loss_per_seed: Vec<f64>,
}

/// The findings about Wu et al.
pub(super) fn wu(extent: &Extent) -> Result<Vec<Finding>, Error> {
    let files = if extent.quick { 2_000 } else { 20_000 };
    let seeds: Vec<u64> = extent
        .seeds
        .iter()
        .flat_map(|seed| (0..SIMULATIONS).map(move |index| seed.wrapping_mul(SIMULATIONS).wrapping_add(index)))
        .collect();
    let policies = DEADLINES_S.map(|deadline_s| DelayedPolicy::Deadline { deadline_s });
    let compare = |per_minute: f64| {
        let model = DelayedModel {
            files_per_s: per_minute / 60.0,
            sizes: Sizes::Exponential { mean: 10e6 },
            wifi: OnOff { mean_on_s: 60.0, mean_off_s: 120.0 },
            wifi_link: DelayedLink { bytes_per_s: 1e6, power_w: 0.7 },
            cellular_link: DelayedLink { bytes_per_s: 0.4e6, power_w: 1.2 },
        };
        let compared = delayed::compare(&model, &policies, &seeds, files).map_err(failed("delayed offloading"))?;
        Ok(rates_of(per_minute, &compared, seeds.len()))
    };
    let all = FILES_PER_MINUTE.into_iter().map(compare).collect::<Result<Vec<_>, Error>>()?;
    Ok(of_wu(&all, files))
}

fn rates_of(per_minute: f64, compared: &DelayedComparison, seeds: usize) -> DelayedRates {
    let known = || compared.policies.iter().filter(|policy| !policy.per_seed.is_empty());
    let above = |of: fn(&DelayedMeans) -> f64| -> Vec<f64> {
        let on_seed = |seed: usize| {
            let shares =
                known().filter_map(|policy| Some(of(&policy.per_seed[seed]) / of(policy.formula.as_ref()?) - 1.0));
            mrdro::mean(&shares.collect::<Vec<_>>())
        };
        (0..seeds).map(on_seed).collect()
    };
    let name = |index: usize| match compared.policies[index].policy {
        DelayedPolicy::Deadline { deadline_s } => format!("{deadline_s} s"),
        DelayedPolicy::Split { wifi_share } => format!("share {wifi_share}"),
    };
    DelayedRates {
        per_minute,
        above_formula: [above(|means| means.response_s), above(|means| means.energy_j)],
        best_by_formula: name(compared.best_by_formula),
        best_by_simulation: name(compared.best_by_simulation),
        loss_per_seed: compared.loss_per_seed.clone(),
    }
}

fn of_wu(all: &[DelayedRates], files: usize) -> Vec<Finding> {
    let finding = |claim: &str, measured_on, holds, number, measured| Finding {
        system: "Wu et al. [22]".to_owned(),
        read: "what MR-DRO says of it".to_owned(),
        claim: claim.to_owned(),
        measured_on,
        holds: Some(holds),
        number,
        measured,
    };
    let includes_0 = |estimate: &Estimate| estimate.low() <= 0.0 && estimate.high() >= 0.0;
    let mut findings: Vec<Finding> = all
        .iter()
        .map(|rates| {
            let [response, energy] = rates.above_formula.each_ref().map(|shares| Estimate::percent(shares));
            let holds = includes_0(&response) && includes_0(&energy);
            let measured =
                format!("simulated response time above the formula, mean over deadlines; energy {}", energy.shown());
            let seeds = rates.loss_per_seed.len();
            let on = format!(
                "{} files a minute, up to {} deadlines, {seeds} simulations of {files} files",
                rates.per_minute,
                DEADLINES_S.len()
            );
            finding("the formula agrees with simulation", on, holds, response, measured)
        })
        .collect();
    let losses: Vec<f64> = all.iter().flat_map(|rates| rates.loss_per_seed.iter().copied()).collect();
    let agrees = all.iter().all(|rates| rates.best_by_formula == rates.best_by_simulation);
    let each = all.iter().map(|rates| {
        format!("{} files a minute: {} and {}", rates.per_minute, rates.best_by_formula, rates.best_by_simulation)
    });
    findings.push(finding(
        "the best deadline by formula is the best one simulated",
        format!("{} rates of files", all.len()),
        agrees,
        Estimate::percent(&losses),
        format!(
            "loss in energy times response time by the formula's deadline; best by formula and by simulation at {}",
            each.collect::<Vec<_>>().join("; ")
        ),
    ));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_systems_are_measured_in_short() {
        let extent = Extent { quick: true, seeds: vec![1, 2] };
        let chains = emop(&extent).expect("chains");
        assert_eq!(chains.len(), DELAY_FACTORS.len());
        // With room for delay there is energy to save, and no optimum takes more than a single site.
        assert!(chains.iter().all(|finding| finding.number.mean >= 0.0 && finding.holds == Some(true)), "{chains:?}");
        let wu = wu(&extent).expect("deadlines");
        assert_eq!(wu.len(), FILES_PER_MINUTE.len() + 1);
        // Fixed seeds: an interval of 95 % misses 0 for one seed in twenty.
        assert!(wu.iter().all(|finding| finding.holds == Some(true) && finding.number.mean.abs() < 10.0), "{wu:?}");
    }

    #[test]
    fn a_formula_that_is_off_does_not_hold() {
        let rates = |shift: f64, best: &str| DelayedRates {
            per_minute: 1.0,
            above_formula: [vec![shift - 0.01, shift, shift + 0.01], vec![-0.01, 0.0, 0.01]],
            best_by_formula: "20 s".to_owned(),
            best_by_simulation: best.to_owned(),
            loss_per_seed: vec![0.0; 3],
        };
        let holds = |shift, best| -> Vec<Option<bool>> {
            of_wu(&[rates(shift, best)], 10).iter().map(|finding| finding.holds).collect()
        };
        assert_eq!(holds(0.0, "20 s"), [Some(true), Some(true)]);
        assert_eq!(holds(0.1, "40 s"), [Some(false), Some(false)]);
    }
}
