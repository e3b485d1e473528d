//! Drift plus penalty for large V, over one link and over WiFi and cellular (OOD).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::stream::slots::scheme::SlotSchemeKind;
use sim::stream::slots::{
    Application, EnergyUnit, Link, Load, SlotPath, SlotProblem, SlotSettings, hindsight, mean_cost, simulate, tune,
};
use sim::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};

use super::Extent;
use super::findings::{ABSTRACT, Estimate, Finding, OWN, changes, failed};
use crate::error::Error;

const FAILED: &str = "offloading over WiFi and cellular";
/// The first and the last V in seconds: each is twice the one before.
const FIRST_V_S: f64 = 4.0;
const LAST_V_S: f64 = 4096.0;
/// The bounds are about large V: slopes are fitted from this V on, in seconds.
const FITTED_FROM_S: f64 = 128.0;
/// What a second of delay costs in units of the energy of a second's load at the mean rate, for the comparison with hindsight.
const PRICE: f64 = 1.2e-3;
const LOAD: f64 = 0.3;
/// Seeds of the paths on which rules are tuned, away from those of tests.
const TUNING_SEED: u64 = 1 << 41;

/// Energy and backlog over V on one path.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Course {
    /// The energy above that of the best rate, as a share of it.
    excess: Vec<f64>,
    delay_s: Vec<f64>,
}

/// Drift plus penalty over V, and what rules at their best V cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OffloadingRuns {
    name: String,
    courses: Vec<Course>,
    slots: usize,
    short_slots: usize,
    /// Each rule with its costs on the paths; hindsight, a lower bound, last.
    costs: Vec<(String, Vec<f64>)>,
}

fn problem(links: Vec<Link>, load_share: f64, slots: usize) -> Result<SlotProblem, Error> {
    let files = Application {
        name: "files".to_owned(),
        load: Load::Share(load_share),
        arrivals: ArrivalProcess::Poisson,
        sizes: Sizes::OneOf([1e6].into()),
        deadline_s: None,
    };
    let settings = SlotSettings {
        energy_unit: EnergyUnit::FileAtMeanRate,
        alpha: LOAD / (LOAD + PRICE),
        ..SlotSettings::new(slots, vec![files], links)
    };
    SlotProblem::new(settings).map_err(failed(FAILED))
}

fn link(name: &str, rates: RateProcess, power_w: f64) -> Link {
    Link { name: name.to_owned(), rates, power_w, tail: None }
}

fn markov(bytes_per_s: &[f64], mean_stay_s: &[f64]) -> Result<RateProcess, Error> {
    Ok(RateProcess::Markov(MarkovRates::new(bytes_per_s, mean_stay_s, None).map_err(failed(FAILED))?))
}

/// One link that changes, and WiFi that is on and off beside a constant cellular link.
fn both(slots: usize) -> Result<[SlotProblem; 2], Error> {
    let cellular = link("cellular", markov(&[0.25e6, 1e6, 3.75e6], &[40.0, 30.0, 20.0])?, 1.0);
    let wifi = link("wifi", markov(&[0.0, 2.5e6], &[120.0, 60.0])?, 0.7);
    let constant = link("cellular", RateProcess::Constant(1e6), 1.2);
    Ok([problem(vec![cellular], LOAD, slots)?, problem(vec![wifi, constant], LOAD, slots)?])
}

/// Runs drift plus penalty over V, on long paths: what is sent by force at their end should not count.
pub(super) fn measure(extent: &Extent) -> Result<Vec<OffloadingRuns>, Error> {
    let (long, short) = if extent.quick { (50_000, 10_000) } else { (400_000, 50_000) };
    let ([one, two], [short_one, short_two]) = (both(long)?, both(short)?);
    Ok(vec![
        over_v("one link", [&one, &short_one], &["lyapunov-scaled", "threshold"], extent)?,
        over_v("WiFi and cellular", [&two, &short_two], &["ood", "ood-known", "delayed", "at-once"], extent)?,
    ])
}

fn values_s() -> impl Iterator<Item = f64> {
    std::iter::successors(Some(FIRST_V_S), |value_s| (*value_s < LAST_V_S).then_some(2.0 * value_s))
}

/// The first scheme over V on long paths, then all of them with their best numbers beside hindsight on short ones.
fn over_v(
    name: &str,
    [problem, short]: [&SlotProblem; 2],
    schemes: &[&str],
    extent: &Extent,
) -> Result<OffloadingRuns, Error> {
    let drawn = |problem: &SlotProblem| -> Vec<SlotPath> {
        extent.seeds.par_iter().map(|seed| problem.path(*seed, 0)).collect()
    };
    let rule: SlotSchemeKind = schemes[0].parse().map_err(failed(FAILED))?;
    let course = |path: &SlotPath| {
        let least_j = best_j_per_byte(problem) * path.arrived_bytes();
        let mut course = Course { excess: Vec::new(), delay_s: Vec::new() };
        for value_s in values_s() {
            let outcome = simulate(path, rule.with_values(&[value_s])?.build(None)?.as_mut(), None)?;
            course.excess.push(outcome.energy_j / least_j - 1.0);
            course.delay_s.push(outcome.mean_delay_s);
        }
        Ok(course)
    };
    let courses: Result<Vec<Course>, sim::stream::slots::SlotSchemeError> =
        drawn(problem).par_iter().map(course).collect();
    let paths = drawn(short);
    let training: Vec<SlotPath> = (0..2).into_par_iter().map(|index| short.path(TUNING_SEED, index)).collect();
    let mut costs = Vec::new();
    for scheme in schemes {
        let kind: SlotSchemeKind = scheme.parse().map_err(failed(FAILED))?;
        let tuned = tune(&kind, &training, None).map_err(failed(FAILED))?.kind;
        let cost = |path: &SlotPath| mean_cost(&tuned, std::slice::from_ref(path), None);
        let on_paths = paths.par_iter().map(cost).collect::<Result<Vec<_>, _>>().map_err(failed(FAILED))?;
        costs.push(((*scheme).to_owned(), on_paths));
    }
    costs.push(("hindsight".to_owned(), paths.par_iter().map(|path| hindsight(path).cost).collect()));
    Ok(OffloadingRuns {
        name: name.to_owned(),
        courses: courses.map_err(failed(FAILED))?,
        slots: problem.settings().slots,
        short_slots: short.settings().slots,
        costs,
    })
}

/// The least energy for a byte over any link, in J.
fn best_j_per_byte(problem: &SlotProblem) -> f64 {
    let of_link = |link: &Link| {
        let best = match &link.rates {
            RateProcess::Markov(rates) => rates.bytes_per_s().iter().copied().fold(0.0, f64::max),
            rates => rates.mean_bytes_per_s(),
        };
        link.power_w / best
    };
    problem.settings().links.iter().map(of_link).fold(f64::INFINITY, f64::min)
}

/// The slope of log y over log x by least squares; `None` with fewer than two points.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|at| at.0).sum::<f64>() / count, logs.iter().map(|at| at.1).sum::<f64>() / count);
    let spread: f64 = logs.iter().map(|at| (at.0 - mean_x).powi(2)).sum();
    let together: f64 = logs.iter().map(|at| (at.0 - mean_x) * (at.1 - mean_y)).sum();
    (spread > 0.0).then(|| together / spread)
}

/// The energy above the least one that still counts in the fit: below it, what is sent by force at the end prevails.
const LEAST_EXCESS: f64 = 2e-3;

impl OffloadingRuns {
    /// The slopes of energy above the least one and of the backlog over V, one of each for each path.
    fn slopes(&self) -> (Vec<f64>, Vec<f64>) {
        let fitted = |values: &[f64], least: f64| {
            let points = values_s().zip(values.iter().copied());
            let points = points.filter(|(value_s, value)| *value_s >= FITTED_FROM_S && *value > least);
            slope(&points.collect::<Vec<_>>())
        };
        let energy = self.courses.iter().filter_map(|course| fitted(&course.excess, LEAST_EXCESS));
        let backlog = self.courses.iter().filter_map(|course| fitted(&course.delay_s, 0.0));
        (energy.collect(), backlog.collect())
    }
}

/// The findings about OOD.
pub(super) fn findings(all: &[OffloadingRuns]) -> Vec<Finding> {
    all.iter().flat_map(of_runs).collect()
}

fn of_runs(runs: &OffloadingRuns) -> Vec<Finding> {
    let (energy, backlog) = runs.slopes();
    let (energy, backlog) = (Estimate::of(&energy, ""), Estimate::of(&backlog, ""));
    let finding = |claim: &str, slots: usize, holds: Option<bool>, number, measured| Finding {
        system: "OOD [12]".to_owned(),
        read: if holds.is_some() { ABSTRACT } else { OWN }.to_owned(),
        claim: claim.to_owned(),
        measured_on: format!("{}, {} drawn paths of {slots} s", runs.name, runs.courses.len()),
        holds,
        number,
        measured,
    };
    let end = |of: fn(&Course) -> &Vec<f64>, index: usize| {
        mrdro::mean(&runs.courses.iter().map(|course| of(course)[index]).collect::<Vec<_>>())
    };
    let from_to = |of: fn(&Course) -> &Vec<f64>, factor: f64| {
        let first = values_s().take_while(|value_s| *value_s < FITTED_FROM_S).count();
        let ends = [first, values_s().count() - 1].map(|index| super::findings::rounded(factor * end(of, index)));
        ends.join(" to ")
    };
    let mut findings = vec![
        finding(
            "energy comes within O(1/V) of the least",
            runs.slots,
            Some(energy.mean <= -0.9),
            energy,
            format!(
                "slope of the logarithm of energy above the least over that of V; -0.9 or less counts, for V from {} to {} s; energy falls from {} % above the least",
                FITTED_FROM_S,
                LAST_V_S,
                from_to(|course| &course.excess, 100.0)
            ),
        ),
        finding(
            "the backlog is O(V)",
            runs.slots,
            Some(backlog.mean <= 1.1),
            backlog,
            format!(
                "slope of the logarithm of the backlog over that of V; 1.1 or less counts; the delay rises from {} s",
                from_to(|course| &course.delay_s, 1.0)
            ),
        ),
    ];
    if let Some((best, rules)) = runs.costs.split_last() {
        let above = |costs: &[f64]| Estimate::percent(&changes(costs, &best.1));
        let others = rules[1..].iter().map(|(name, costs)| format!("{name} {}", above(costs).shown()));
        findings.push(finding(
            "how far its cost is above a scheme that knows the future",
            runs.short_slots,
            None,
            above(&rules[0].1),
            format!(
                "cost of {} with its best V above hindsight; {}",
                rules[0].0,
                others.collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_powers() {
        let power = |exponent: f64| -> Vec<(f64, f64)> {
            values_s().map(|value_s| (value_s, 3.0 * value_s.powf(exponent))).collect()
        };
        for exponent in [-1.0, 0.5, 2.0] {
            assert!((slope(&power(exponent)).expect("many points") - exponent).abs() < 1e-9);
        }
        assert_eq!((slope(&[]), slope(&[(1.0, 2.0)])), (None, None));
    }

    #[test]
    fn verdicts_follow_the_slopes() {
        let runs = |exponent: f64| OffloadingRuns {
            name: "a link".to_owned(),
            courses: vec![
                Course {
                    excess: values_s().map(|value_s| 200.0 * value_s.powf(-exponent)).collect(),
                    delay_s: values_s().map(|value_s| value_s.powf(exponent)).collect(),
                };
                2
            ],
            slots: 10,
            short_slots: 5,
            costs: vec![("ood".to_owned(), vec![1.1; 2]), ("hindsight".to_owned(), vec![1.0; 2])],
        };
        let holds = |exponent: f64| -> Vec<Option<bool>> {
            findings(&[runs(exponent)]).iter().map(|finding| finding.holds).collect()
        };
        assert_eq!(holds(1.0), [Some(true), Some(true), None]);
        assert_eq!(holds(0.5), [Some(false), Some(true), None]);
        assert_eq!(holds(1.5), [Some(true), Some(false), None]);
    }
}
