//! The claims of the paper, each with a verdict from the runs.

use mrdro::Phase;
use mrdro::statistics::Spread;

use super::finished::{FinishedRun, of_each};
use super::meta_learning;
use super::part::Part;
use super::scope::Scope;
use super::sweeps::{BUFFERS, DNNS, LEARNING_RATES, Sweep};
use crate::error::Error;
use crate::page::{Table, cells};

/// The header of the table of claims.
const HEADER: [&str; 6] = ["claim", "in the paper", "scenario", "training", "verdict", "measured"];
/// The paper's other schemes, except exhaustive search.
const RIVALS: [&str; 6] = ["local-only", "edge-only", "cloud-only", "local+edge", "local+cloud", "genetic"];
/// A difference in Q2 below which schemes count as equally good. Where nearly every task belongs on one server, many
/// schemes reach the optimum together.
const EQUALLY_GOOD: f64 = 5e-5;

/// Whether a claim holds, and the measured values that decide it; `None` if the runs do not tell.
type Verdict = Option<(bool, String)>;

/// A claim of the paper.
struct Claim {
    text: &'static str,
    /// Where the paper makes it, or the number that it names.
    paper: &'static str,
    /// Decides the claim for a scenario and a training.
    check: fn(&Scope, &str, &str) -> Result<Verdict, Error>,
    /// The parts whose runs decide it; one of them is enough.
    parts: &'static [Part],
}

const CLAIMS: &[Claim] = &[
    Claim {
        text: "With K = 1, Q1 does not converge to 1",
        paper: "Fig. 5",
        parts: &[Part::Fig5, Part::Fig8],
        check: q1_stays_below_1,
    },
    Claim { text: "Q2 rises with K", paper: "Fig. 8", parts: &[Part::Fig5, Part::Fig8], check: q2_rises_with_k },
    Claim { text: "Q2 at K = 8", paper: "0.94", parts: &[Part::Fig5, Part::Fig8], check: q2_at_k_8 },
    Claim {
        text: "The best learning rate is 0.01",
        paper: "Figs. 6, 9",
        parts: &[Part::Fig6, Part::Fig9],
        check: best_learning_rate,
    },
    Claim {
        text: "At a learning rate of 0.1, Q2 is below 0.8",
        paper: "Fig. 9",
        parts: &[Part::Fig6, Part::Fig9],
        check: largest_learning_rate,
    },
    Claim {
        text: "Q2 is above 0.9 for every buffer from 500 to 4,800",
        paper: "Fig. 10",
        parts: &[Part::Fig7, Part::Fig10],
        check: worst_buffer,
    },
    Claim {
        text: "The best buffer is 1,000 to 1,400",
        paper: "Fig. 10",
        parts: &[Part::Fig7, Part::Fig10],
        check: best_buffer,
    },
    Claim {
        text: "A few hundred steps of meta-RL bring Q2 above 0.5",
        paper: "Fig. 12",
        parts: &[Part::Fig12, Part::Fig13],
        check: meta_learning_starts_fast,
    },
    Claim {
        text: "After meta-RL, Algorithm 2 needs fewer steps",
        paper: "Fig. 13",
        parts: &[Part::Fig13],
        check: meta_learning_saves_steps,
    },
    Claim { text: "Local-only has Q2 0.14", paper: "Table IV", parts: &[Part::Table4], check: q2_of_local_only },
    Claim {
        text: "MR-DRO is better than all but exhaustive search",
        paper: "Table IV: 0.94, genetic 0.87",
        parts: &[Part::Table4],
        check: better_than_rivals,
    },
    Claim {
        text: "MR-DRO costs 85.1 % less than Local-only",
        paper: "Section V-E",
        parts: &[Part::Table4],
        check: saves_cost,
    },
    Claim { text: "MR-DRO is best at every α", paper: "Fig. 14", parts: &[Part::Fig14], check: best_at_every_alpha },
];

/// The claims that the runs of these parts decide, for every scenario and training.
pub(super) fn table(scope: &Scope, parts: &[Part]) -> Result<Table, Error> {
    let mut rows = vec![cells(HEADER)];
    for claim in CLAIMS.iter().filter(|claim| claim.parts.iter().any(|part| parts.contains(part))) {
        for (scenario, training) in scope.pairs() {
            if let Some((holds, measured)) = (claim.check)(scope, scenario, training)? {
                rows.push(cells([claim.text, claim.paper, scenario, training, verdict(holds), &measured]));
            }
        }
    }
    if parts.contains(&Part::Table4) {
        rows.extend(q2_over_all_scenarios(scope)?);
    }
    if parts.contains(&Part::Fig11) {
        rows.extend(best_meta_rates(scope)?);
    }
    Ok(Table { title: "The paper's claims".to_owned(), rows })
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "does not hold" }
}

fn shown(spread: &Spread) -> String {
    format!("{:.4} ({:.4}–{:.4})", spread.mean, spread.low, spread.high)
}

/// Q2 over the seeds for each value of a setting.
fn q2_by_value(scope: &Scope, sweep: &Sweep, scenario: &str, training: &str) -> Result<Vec<(f64, Spread)>, Error> {
    let mut all = Vec::new();
    for (&value, experiment) in sweep.values(scope).iter().zip(sweep.experiments(scope, scenario, training)?) {
        if let Some(q2) = of_each(&scope.finished(&experiment)?, |run| run.q2("mr-dro")) {
            all.push((value, Spread::of(&q2)));
        }
    }
    Ok(all)
}

fn best(all: &[(f64, Spread)]) -> Option<(f64, Spread)> {
    all.iter().copied().max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))
}

fn at(all: &[(f64, Spread)], value: f64) -> Option<Spread> {
    all.iter().find(|(other, _)| *other == value).map(|(_, spread)| *spread)
}

/// The mean Q2 of a scheme over the runs.
fn mean_q2(runs: &[FinishedRun], scheme: &str) -> Option<f64> {
    of_each(runs, |run| run.q2(scheme)).map(|q2| mrdro::mean(&q2))
}

/// The best of the paper's other schemes, with its Q2.
fn best_rival(runs: &[FinishedRun]) -> Option<(&'static str, f64)> {
    let found = RIVALS.iter().filter_map(|&rival| Some((rival, mean_q2(runs, rival)?)));
    found.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The first step at which the mean Q2 over the runs is `least` or more.
fn first_at_least(runs: &[FinishedRun], phase: Phase, least: f64) -> Option<usize> {
    let curves: Vec<_> = runs.iter().map(|run| run.curve(phase, |row| row.q2)).collect();
    let count = curves.iter().map(Vec::len).min()?;
    (0..count).find_map(|index| {
        let mean = curves.iter().map(|curve| curve[index].1).sum::<f64>() / curves.len() as f64;
        (mean >= least).then_some(curves[0][index].0)
    })
}

fn q1_stays_below_1(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let experiments = DNNS.experiments(scope, scenario, training)?;
    let runs = scope.finished(&experiments[0])?;
    let last = of_each(&runs, |run| run.curve(Phase::Drl, |row| row.q1).last().map(|(_, q1)| *q1));
    Ok(last.map(|last| {
        let last = Spread::of(&last);
        (last.high < 0.995, format!("last Q1 {}", shown(&last)))
    }))
}

fn q2_rises_with_k(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let q2 = q2_by_value(scope, &DNNS, scenario, training)?;
    let pair = at(&q2, 1.0).zip(at(&q2, 8.0));
    Ok(pair.map(|(one, eight)| (eight.low > one.high, format!("K = 1: {}, K = 8: {}", shown(&one), shown(&eight)))))
}

fn q2_at_k_8(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let eight = at(&q2_by_value(scope, &DNNS, scenario, training)?, 8.0);
    Ok(eight.map(|eight| (eight.mean >= 0.94, shown(&eight))))
}

fn best_learning_rate(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let best = best(&q2_by_value(scope, &LEARNING_RATES, scenario, training)?);
    Ok(best.map(|(value, spread)| (value == 0.01, format!("best at {value}: {}", shown(&spread)))))
}

fn largest_learning_rate(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let found = at(&q2_by_value(scope, &LEARNING_RATES, scenario, training)?, 0.1);
    Ok(found.map(|spread| (spread.mean < 0.8, shown(&spread))))
}

fn worst_buffer(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let q2 = q2_by_value(scope, &BUFFERS, scenario, training)?;
    let worst = q2.iter().min_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    Ok(worst.map(|(value, spread)| (spread.mean > 0.9, format!("worst at {value}: {}", shown(spread)))))
}

fn best_buffer(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let best = best(&q2_by_value(scope, &BUFFERS, scenario, training)?);
    let holds = |value: f64| (1000.0..=1400.0).contains(&value);
    Ok(best.map(|(value, spread)| (holds(value), format!("best at {value}: {}", shown(&spread)))))
}

fn meta_learning_starts_fast(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let runs = scope.finished(&scope.default(scenario, training))?;
    let reached = first_at_least(&runs, Phase::Meta, 0.5);
    let text = reached.map_or("never".to_owned(), |step| format!("reached by step {step}"));
    Ok((!runs.is_empty()).then_some((reached.is_some_and(|step| step <= 500), text)))
}

/// Compares the steps that lead to the Q2 which a random start has in the end.
fn meta_learning_saves_steps(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let meta = scope.finished(&scope.default(scenario, training))?;
    let random = scope.finished(&scope.random_start(scenario, training))?;
    let Some(last) = random.first().and_then(|run| run.curve(Phase::Drl, |row| row.q2).last().copied()) else {
        return Ok(None);
    };
    let goal = mean_q2(&random, "mr-dro").unwrap_or(last.1);
    let step = |runs: &[FinishedRun]| first_at_least(runs, Phase::Drl, goal);
    let (from_meta, from_random) = (step(&meta), step(&random).unwrap_or(last.0));
    let text = match from_meta {
        Some(step) => format!("Q2 {goal:.4} at step {step} instead of {from_random}"),
        None => format!("never at Q2 {goal:.4}, which a random start reaches at step {from_random}"),
    };
    Ok(Some((from_meta.is_some_and(|step| step < from_random), text)))
}

fn q2_of_local_only(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let runs = scope.finished(&scope.default(scenario, training))?;
    Ok(mean_q2(&runs, "local-only").map(|q2| ((q2 - 0.14).abs() < 0.01, format!("{q2:.4}"))))
}

fn better_than_rivals(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let runs = scope.finished(&scope.default(scenario, training))?;
    let pair = mean_q2(&runs, "mr-dro").zip(best_rival(&runs));
    Ok(pair.map(|(own, (rival, of_rival))| (own > of_rival, format!("{own:.5}; {rival} {of_rival:.5}"))))
}

fn saves_cost(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let runs = scope.finished(&scope.default(scenario, training))?;
    let cost = |scheme: &str| {
        let costs = of_each(&runs, |run| run.evaluation(scheme).map(|evaluation| evaluation.mean_cost));
        costs.map(|costs| mrdro::mean(&costs))
    };
    let saved = cost("mr-dro").zip(cost("local-only")).map(|(own, local)| 100.0 * (1.0 - own / local));
    Ok(saved.map(|saved| (saved >= 85.05, format!("{saved:.1} %"))))
}

fn best_at_every_alpha(scope: &Scope, scenario: &str, training: &str) -> Result<Verdict, Error> {
    let mut beaten = Vec::new();
    for &alpha in scope.alphas() {
        let runs = scope.finished(&scope.default(&scope.with_alpha(scenario, alpha)?, training))?;
        let Some((own, (rival, of_rival))) = mean_q2(&runs, "mr-dro").zip(best_rival(&runs)) else {
            return Ok(None);
        };
        if own < of_rival - EQUALLY_GOOD {
            beaten.push(format!("α = {alpha}: {own:.4}, {rival} {of_rival:.4}"));
        }
    }
    let text = if beaten.is_empty() { "best at each".to_owned() } else { beaten.join("; ") };
    Ok(Some((beaten.is_empty(), text)))
}

/// Q2 of each training over all scenarios together, as rows of the table.
fn q2_over_all_scenarios(scope: &Scope) -> Result<Vec<Vec<String>>, Error> {
    let mut rows = Vec::new();
    for training in &scope.trainings {
        let mut strata: Vec<Vec<f64>> = Vec::new();
        for scenario in &scope.scenarios {
            let runs = scope.finished(&scope.default(scenario, training))?;
            strata.push(runs.iter().filter_map(|run| run.q2("mr-dro")).collect());
        }
        let strata: Vec<&[f64]> = strata.iter().map(Vec::as_slice).filter(|stratum| !stratum.is_empty()).collect();
        if strata.len() > 1 {
            let spread = Spread::of_strata(&strata);
            let holds = verdict(spread.mean >= 0.94);
            rows.push(cells(["Q2 at K = 8", "0.94", "all, stratified", training, holds, &shown(&spread)]));
        }
    }
    Ok(rows)
}

/// The best step size of Algorithm 1, as rows of the table.
fn best_meta_rates(scope: &Scope) -> Result<Vec<Vec<String>>, Error> {
    let mut rows = Vec::new();
    for (scenario, training) in scope.pairs() {
        let all = meta_learning::q2_by_rate(scope, scenario, training)?;
        if let Some((value, q2)) = best(&all) {
            let holds = verdict((0.01..=0.05).contains(&value));
            let measured = format!("best at {value}: {:.4}", q2.mean);
            rows.push(cells(["The best Mlr is 0.01 to 0.05", "Fig. 11", scenario, training, holds, &measured]));
        }
    }
    Ok(rows)
}
