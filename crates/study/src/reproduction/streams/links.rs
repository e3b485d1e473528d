//! One link whose rate changes, and data that can wait for it: the rule of eTime beside other rules and hindsight.

use std::sync::Arc;

use mrdro::chart::{Axis, Panel, Point, Series, Style};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::stream::slots::scheme::{SlotSchemeKind, ValueIterationModel};
use sim::stream::slots::{
    Application, EnergyUnit, Link, Load, SlotPath, SlotProblem, SlotSettings, mean_cost, simulate, tune,
};
use sim::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};

use super::Extent;
use super::findings::{Estimate, Finding, OWN, changes, failed, rounded};
use crate::error::Error;
use crate::page::cells;

/// What a second of delay costs in units of the energy of a second's load at the mean rate.
const PRICES: [f64; 9] = [3e-4, 7e-4, 1.5e-3, 3e-3, 6e-3, 1.2e-2, 2.5e-2, 5e-2, 1e-1];
const QUICK_PRICES: [f64; 3] = [1e-3, 1e-2, 1e-1];
/// The load of the link as a share of its mean rate.
const LOAD: f64 = 0.3;
/// The mean delays at which the saved energy is read, in seconds.
const DELAYS_S: [f64; 2] = [20.0, 45.0];
/// The rule of eTime over one link: drift plus penalty.
const RULE: &str = "lyapunov";
/// The same rule in units of the load; shares of the gap to hindsight are counted from it.
const BASE: &str = "lyapunov-scaled";
/// What is compared, sending at once first.
const SCHEMES: [&str; 8] =
    ["at-once", RULE, BASE, "threshold", "power-rule", "value-iteration", "forecast@15", "hindsight"];
/// Seeds of the paths on which rules are tuned, away from those of tests.
const TUNING_SEED: u64 = 1 << 40;
const FAILED: &str = "a link whose rate changes";

/// How the rate of a link changes.
struct LinkKind {
    name: &'static str,
    /// MB per second in each state.
    mb_per_s: &'static [f64],
    mean_stay_s: &'static [f64],
    /// Whether a rate is followed by the next lower or higher one, rather than by any other.
    is_gradual: bool,
}

const KINDS: [LinkKind; 4] = [
    LinkKind { name: "slow link", mb_per_s: &[0.25, 1.0, 3.75], mean_stay_s: &[40.0, 30.0, 20.0], is_gradual: false },
    LinkKind { name: "fast link", mb_per_s: &[0.25, 1.0, 3.75], mean_stay_s: &[10.0, 7.5, 5.0], is_gradual: false },
    LinkKind {
        name: "gradual link",
        mb_per_s: &[0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0],
        mean_stay_s: &[6.0; 9],
        is_gradual: true,
    },
    LinkKind { name: "link on and off", mb_per_s: &[0.0, 2.5], mean_stay_s: &[120.0, 60.0], is_gradual: false },
];

/// The probabilities of going from each state to its neighbours, `[from, to]`.
fn to_neighbours(states: usize) -> Vec<f64> {
    let jump = |index: usize| {
        let (from, to) = (index / states, index % states);
        let neighbours = if from == 0 || from + 1 == states { 1.0 } else { 2.0 };
        if from.abs_diff(to) == 1 { 1.0 / neighbours } else { 0.0 }
    };
    (0..states * states).map(jump).collect()
}

impl LinkKind {
    fn problem(&self, faster: f64) -> Result<SlotProblem, Error> {
        let bytes_per_s: Vec<f64> = self.mb_per_s.iter().map(|rate| 1e6 * faster * rate).collect();
        let jumps = self.is_gradual.then(|| to_neighbours(bytes_per_s.len()));
        let rates = MarkovRates::new(&bytes_per_s, self.mean_stay_s, jumps.as_deref()).map_err(failed(FAILED))?;
        let files = Application {
            name: "files".to_owned(),
            load: Load::Share(LOAD),
            arrivals: ArrivalProcess::Poisson,
            sizes: Sizes::OneOf([5e6].into()),
            deadline_s: None,
        };
        let link = Link { name: "cellular".to_owned(), rates: RateProcess::Markov(rates), power_w: 1.0, tail: None };
        let settings = SlotSettings::new(3600, vec![files], vec![link]);
        let settings = SlotSettings { energy_unit: EnergyUnit::FileAtMeanRate, ..settings };
        SlotProblem::new(settings).map_err(failed(FAILED))
    }
}

/// One scheme at one price of delay on all paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PricedRuns {
    price: f64,
    scheme: String,
    energy_j: Vec<f64>,
    delay_s: Vec<f64>,
    cost: Vec<f64>,
}

/// All schemes on one kind of link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LinkRuns {
    link: String,
    runs: Vec<PricedRuns>,
    /// The mean costs on a link that is four times as fast with four times the load, tuned there and tuned on the link
    /// itself: of [`RULE`], then of [`BASE`], one pair for each path.
    carried_over: [Vec<(f64, f64)>; 2],
}

fn paths(problem: &SlotProblem, seeds: &[u64], each: usize) -> Vec<SlotPath> {
    let all: Vec<(u64, usize)> = seeds.iter().flat_map(|seed| (0..each).map(move |index| (*seed, index))).collect();
    all.into_par_iter().map(|(seed, index)| problem.path(seed, index)).collect()
}

/// Runs all schemes at all prices on all kinds of links. Rules are tuned at each price, on paths of other seeds.
pub(super) fn measure(extent: &Extent) -> Result<Vec<LinkRuns>, Error> {
    KINDS.iter().map(|kind| of_kind(kind, extent)).collect()
}

fn of_kind(kind: &LinkKind, extent: &Extent) -> Result<LinkRuns, Error> {
    let problem = kind.problem(1.0)?;
    let (each, tuning_paths) = if extent.quick { (2, 4) } else { (6, 10) };
    let prices: &[f64] = if extent.quick { &QUICK_PRICES } else { &PRICES };
    let model = Arc::new(ValueIterationModel::of_problem(&problem).map_err(failed(FAILED))?);
    let mut runs = Vec::new();
    for &price in prices {
        let priced = problem.with_alpha(LOAD / (LOAD + price)).map_err(failed(FAILED))?;
        let (training, tests) = (paths(&priced, &[TUNING_SEED], tuning_paths), paths(&priced, &extent.seeds, each));
        for name in SCHEMES {
            let kind: SlotSchemeKind = name.parse().map_err(failed(FAILED))?;
            let tuned = tune(&kind, &training, Some(&model)).map_err(failed(FAILED))?.kind;
            let outcome = |path: &SlotPath| simulate(path, tuned.build(Some(&model))?.as_mut(), None);
            let outcomes = tests.par_iter().map(outcome).collect::<Result<Vec<_>, _>>().map_err(failed(FAILED))?;
            runs.push(PricedRuns {
                price,
                scheme: name.to_owned(),
                energy_j: outcomes.iter().map(|outcome| outcome.energy_j).collect(),
                delay_s: outcomes.iter().map(|outcome| outcome.mean_delay_s).collect(),
                cost: outcomes.iter().map(|outcome| outcome.cost).collect(),
            });
        }
    }
    let carried_over = [carried_over(kind, RULE, extent)?, carried_over(kind, BASE, extent)?];
    Ok(LinkRuns { link: kind.name.to_owned(), runs, carried_over })
}

/// What a rule costs on a link that is four times as fast, tuned there and tuned on the link itself.
fn carried_over(kind: &LinkKind, rule: &str, extent: &Extent) -> Result<Vec<(f64, f64)>, Error> {
    let alpha = LOAD / (LOAD + QUICK_PRICES[1]);
    let tuned = |faster: f64| {
        let problem = kind.problem(faster)?.with_alpha(alpha).map_err(failed(FAILED))?;
        let rule: SlotSchemeKind = rule.parse().map_err(failed(FAILED))?;
        let tuned = tune(&rule, &paths(&problem, &[TUNING_SEED], 4), None).map_err(failed(FAILED))?;
        Ok::<_, Error>((problem, tuned.kind))
    };
    let ((fast, there), (_, here)) = (tuned(4.0)?, tuned(1.0)?);
    let tests = paths(&fast, &extent.seeds, 2);
    let costs = |path: &SlotPath| {
        let path = std::slice::from_ref(path);
        Ok((mean_cost(&there, path, None)?, mean_cost(&here, path, None)?))
    };
    let costs: Result<Vec<_>, sim::stream::slots::SlotSchemeError> = tests.par_iter().map(costs).collect();
    costs.map_err(failed(FAILED))
}

impl LinkRuns {
    fn of<'r>(&'r self, scheme: &'r str) -> impl Iterator<Item = &'r PricedRuns> {
        self.runs.iter().filter(move |runs| runs.scheme == scheme)
    }

    fn paths(&self) -> usize {
        self.runs.first().map_or(0, |runs| runs.cost.len())
    }

    /// The share of the energy of sending at once that a scheme saves at a mean delay, on each path: between the prices of
    /// delay by a straight line.
    fn saved_at(&self, scheme: &str, delay_s: f64) -> Vec<f64> {
        let Some(at_once) = self.of(SCHEMES[0]).next() else { return Vec::new() };
        let on_path = |path: usize| {
            let all_j = at_once.energy_j[path];
            let first = (at_once.delay_s[path], 1.0);
            let points = self.of(scheme).map(|runs| (runs.delay_s[path], runs.energy_j[path] / all_j));
            1.0 - interpolated(points.chain([first]).collect(), delay_s)
        };
        (0..self.paths()).map(on_path).collect()
    }

    /// The cost over all prices on each path.
    fn costs(&self, scheme: &str) -> Vec<f64> {
        (0..self.paths()).map(|path| self.of(scheme).map(|runs| runs.cost[path]).sum()).collect()
    }

    /// The share of the gap between [`BASE`] and hindsight that a scheme closes on each path; `None` where knowing the future
    /// saves less than 1 % of the cost.
    fn share_of_gap(&self, scheme: &str) -> Option<Vec<f64>> {
        let (base, best, costs) = (self.costs(BASE), self.costs("hindsight"), self.costs(scheme));
        let gap: f64 = base.iter().sum::<f64>() - best.iter().sum::<f64>();
        let shares = (0..base.len()).map(|path| (base[path] - costs[path]) / (base[path] - best[path]));
        (gap > 0.01 * best.iter().sum::<f64>()).then(|| shares.collect())
    }
}

/// The value at a place between points; that of the nearest point outside of them.
fn interpolated(mut points: Vec<(f64, f64)>, at: f64) -> f64 {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let after = points.partition_point(|point| point.0 < at);
    let before = after.checked_sub(1).and_then(|before| points.get(before));
    match (before, points.get(after)) {
        (Some((x, y)), Some((right, top))) => y + (top - y) * (at - x) / (right - x),
        (Some((_, y)), None) | (None, Some((_, y))) => *y,
        (None, None) => 0.0,
    }
}

/// The findings about eTime.
pub(super) fn findings(all: &[LinkRuns]) -> Vec<Finding> {
    all.iter().flat_map(of_link).collect()
}

fn of_link(link: &LinkRuns) -> Vec<Finding> {
    let finding = |read: &str, claim: &str, holds, number, measured| Finding {
        system: "eTime [11]".to_owned(),
        read: read.to_owned(),
        claim: claim.to_owned(),
        measured_on: format!("{}, {} drawn paths of an hour", link.link, link.paths()),
        holds,
        number,
        measured,
    };
    let [short_s, long_s] = DELAYS_S;
    let saved = |scheme: &str, delay_s: f64| Estimate::percent(&link.saved_at(scheme, delay_s));
    let others = ["threshold", "hindsight"].map(|scheme| format!("{scheme} {}", saved(scheme, long_s).shown()));
    let saves = saved(RULE, long_s);
    let delay_s = link.of(SCHEMES[0]).next().map_or(0.0, |runs| mrdro::mean(&runs.delay_s));
    let mut findings = vec![finding(
        "abstract; its recorded links are not shipped, these are drawn",
        "20 to 35 % of the energy for sending is saved",
        Some(saves.mean >= 20.0),
        saves,
        format!(
            "saved by drift plus penalty at a mean delay of {long_s} s; at {short_s} s {}; at {long_s} s {}; sending at once has a delay of {} s",
            saved(RULE, short_s).shown(),
            others.join(", "),
            rounded(delay_s)
        ),
    )];
    findings.push(match link.share_of_gap("threshold") {
        Some(shares) => {
            let closed = Estimate::percent(&shares);
            let others = ["power-rule", "value-iteration", "forecast@15"].iter().filter_map(|scheme| {
                Some(format!("{scheme} {}", Estimate::percent(&link.share_of_gap(scheme)?).shown()))
            });
            finding(
                OWN,
                "a threshold on the rate closes at least 45 % of the gap between drift plus penalty and hindsight",
                Some(closed.mean >= 45.0),
                closed,
                format!("of the gap in cost over all prices of delay; {}", others.collect::<Vec<_>>().join(", ")),
            )
        }
        None => finding(
            OWN,
            "a threshold on the rate closes at least 45 % of the gap between drift plus penalty and hindsight",
            None,
            Estimate::percent(&changes(&link.costs(BASE), &link.costs("hindsight"))),
            "cost of drift plus penalty above hindsight: there is hardly a gap, since all bytes take the same energy"
                .to_owned(),
        ),
    });
    let above = |pairs: &[(f64, f64)]| -> Vec<f64> { pairs.iter().map(|(there, here)| here / there - 1.0).collect() };
    let [raw, scaled] = &link.carried_over;
    findings.push(finding(
        OWN,
        "what V of drift plus penalty costs on another link: one that is four times as fast with four times the load",
        None,
        Estimate::percent(&above(raw)),
        format!("above V tuned there; in units of the load {}", Estimate::percent(&above(scaled)).shown()),
    ));
    findings
}

/// Energy against delay of all schemes on all kinds of links.
pub(super) fn panels(all: &[LinkRuns]) -> Vec<Panel> {
    let panel = |link: &LinkRuns| {
        let of_scheme = |scheme: &str| -> Series {
            let points = link.of(scheme).map(|runs| {
                let energy = Estimate::of(&relative_energy(link, runs), "");
                Point { x: mrdro::mean(&runs.delay_s), low: energy.low(), mean: energy.mean, high: energy.high() }
            });
            let style = if scheme == "hindsight" { Style::Reference } else { Style::Markers };
            let points: Vec<Point> = if scheme == SCHEMES[0] { points.take(1).collect() } else { points.collect() };
            Series { label: scheme.to_owned(), style, points }
        };
        // Over one link, drift plus penalty is the same in units of the load.
        let shown = SCHEMES.iter().filter(|scheme| **scheme != RULE);
        Panel {
            title: link.link.clone(),
            x: Axis::Linear { label: "mean delay in s" },
            y: Axis::Linear { label: "energy over that of sending at once" },
            series: shown.map(|scheme| of_scheme(scheme)).collect(),
        }
    };
    all.iter().map(panel).collect()
}

fn relative_energy(link: &LinkRuns, runs: &PricedRuns) -> Vec<f64> {
    let at_once = link.of(SCHEMES[0]).next().map_or(&[][..], |at_once| &at_once.energy_j);
    runs.energy_j.iter().zip(at_once).map(|(energy_j, all_j)| energy_j / all_j).collect()
}

/// The data of [`panels`].
pub(super) fn rows(all: &[LinkRuns]) -> Vec<Vec<String>> {
    let header = ["link", "scheme", "price_of_delay", "mean_delay_s", "energy", "energy_low", "energy_high", "cost"];
    let mut rows = vec![cells(header)];
    for link in all {
        for runs in &link.runs {
            let energy = Estimate::of(&relative_energy(link, runs), "");
            let mut row = cells([&link.link, &runs.scheme]);
            let numbers = [runs.price, mrdro::mean(&runs.delay_s), energy.mean, energy.low(), energy.high()];
            row.extend(cells(numbers.iter().chain([&mrdro::mean(&runs.cost)])));
            rows.push(row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_between_points_lie_on_a_line() {
        let points = || vec![(2.0, 20.0), (1.0, 10.0), (4.0, 0.0)];
        let at = [0.0, 1.0, 1.5, 3.0, 9.0].map(|place| interpolated(points(), place));
        assert_eq!(at, [10.0, 10.0, 15.0, 10.0, 0.0]);
    }

    fn runs(price: f64, scheme: &str, energy_j: f64, delay_s: f64, cost: f64) -> PricedRuns {
        PricedRuns {
            price,
            scheme: scheme.to_owned(),
            energy_j: vec![energy_j; 2],
            delay_s: vec![delay_s; 2],
            cost: vec![cost; 2],
        }
    }

    #[test]
    fn saved_energy_and_shares_of_the_gap_are_those_of_the_runs() {
        let mut link = LinkRuns {
            link: "a link".to_owned(),
            runs: vec![
                runs(1.0, "at-once", 10.0, 5.0, 1.0),
                runs(1.0, RULE, 7.0, 45.0, 0.9),
                runs(1.0, BASE, 7.0, 45.0, 0.9),
                runs(1.0, "threshold", 6.0, 45.0, 0.8),
                runs(1.0, "hindsight", 5.0, 45.0, 0.7),
            ],
            carried_over: [vec![(1.0, 1.5); 2], vec![(1.0, 1.0); 2]],
        };
        assert_eq!(link.saved_at(RULE, 45.0), [1.0 - 0.7; 2]);
        assert!((link.saved_at(RULE, 25.0)[0] - 0.15).abs() < 1e-12);
        assert!((link.share_of_gap("threshold").expect("a gap")[1] - 0.5).abs() < 1e-9);
        let holds: Vec<_> = findings(std::slice::from_ref(&link)).iter().map(|finding| finding.holds).collect();
        assert_eq!(holds, [Some(true), Some(true), None]);
        // Without a gap there is nothing to close.
        link.runs.iter_mut().for_each(|runs| runs.cost.fill(1.0));
        assert_eq!(findings(&[link])[1].holds, None);
    }

    #[test]
    fn gradual_links_go_to_their_neighbours() {
        assert_eq!(to_neighbours(3), [0.0, 1.0, 0.0, 0.5, 0.0, 0.5, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn every_kind_of_link_is_a_problem() {
        for kind in &KINDS {
            let problem = kind.problem(1.0).expect("it makes sense");
            assert!(problem.path(1, 0).slots() == 3600, "{}", kind.name);
        }
    }
}
