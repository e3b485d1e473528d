//! Table IV, and the paper's claims with what became of them here.

use data::Evaluation;

use crate::error::AppError;
use crate::report::page::Table;
use crate::setup::Problem;
use crate::statistics::Spread;

use super::beyond::ddlo;
use super::figures::{self, BUFFERS, DNNS, LEARNING_RATES, Sweep, from_random};
use super::scope::{Finished, Scope};

/// Table IV as printed: scheme here, scheme there, energy in J, Q2.
const PRINTED: [(&str, &str, f64, f64); 8] = [
    ("local-only", "Local-only", 2900.0, 0.14),
    ("edge-only", "ES-only", 564.0, 0.68),
    ("cloud-only", "CS-only", 580.0, 0.70),
    ("local+edge", "Local & ES", 550.0, 0.74),
    ("local+cloud", "Local & CS", 520.0, 0.78),
    ("genetic", "Genetic", 468.0, 0.87),
    ("mr-dro", "MR-DRO", 432.0, 0.94),
    ("exact", "Exhaustive search", 408.0, 1.0),
];

/// All schemes on one scenario: Table IV with more rows and columns.
pub(super) fn table4(scope: &Scope, scenario: &str) -> Result<Table, AppError> {
    let header = [
        "scheme",
        "energy J",
        "time s",
        "cost",
        "Q2",
        "95 % interval",
        "Q2 p5",
        "prices",
        "µs a decision",
        "paper: J",
        "paper: Q2",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut add = |label: &str, printed: Option<(f64, f64)>, evaluations: &[Evaluation]| {
        if evaluations.is_empty() {
            return;
        }
        let mean =
            |value: fn(&Evaluation) -> f64| evaluations.iter().map(value).sum::<f64>() / evaluations.len() as f64;
        let of = |value: fn(&Evaluation) -> Option<f64>| -> Option<Spread> {
            let values: Option<Vec<f64>> = evaluations.iter().map(value).collect();
            values.map(|values| Spread::of(&values))
        };
        let (q2, p05) = (of(|evaluation| evaluation.q2), of(|evaluation| evaluation.q2_p05));
        let ratio = |spread: Option<Spread>| spread.map_or_else(String::new, |spread| format!("{:.5}", spread.mean));
        let interval = q2.map_or_else(String::new, |spread| format!("{:.5}–{:.5}", spread.low, spread.high));
        let (paper_energy, paper_q2) =
            printed.map_or_else(Default::default, |(energy, q2)| (format!("{energy:.0}"), format!("{q2:.2}")));
        rows.push(vec![
            label.to_owned(),
            format!("{:.1}", mean(|evaluation| evaluation.mean_energy_j)),
            format!("{:.1}", mean(|evaluation| evaluation.mean_time_s)),
            format!("{:.2}", mean(|evaluation| evaluation.mean_cost)),
            ratio(q2),
            interval,
            ratio(p05),
            format!("{:.0}", mean(|evaluation| evaluation.evaluations_per_decision)),
            format!("{:.2}", 1e6 * mean(|evaluation| evaluation.seconds_per_decision)),
            paper_energy,
            paper_q2,
        ]);
    };
    let problem = Problem::load(scenario)?;
    let set = problem.standard_set()?;
    let mut trained = Vec::new();
    for training in &scope.trainings {
        trained.push((training, scope.finished(&scope.default(scenario, training))?));
    }
    let Some((_, first)) = trained.first() else { return Ok(Table { title: scenario.to_owned(), rows }) };
    let all = |runs: &[Finished], scheme: &str| -> Vec<Evaluation> {
        let of_run = |run: &Finished| run.results.evaluations.iter().find(|other| other.scheme == scheme).cloned();
        runs.iter().filter_map(of_run).collect()
    };
    let classic = first.first().map(|run| run.results.evaluations.clone()).unwrap_or_default();
    let own = ["mr-dro", "mr-dro-explored", "exact"];
    for evaluation in classic.iter().filter(|evaluation| !own.contains(&evaluation.scheme.as_str())) {
        let printed = PRINTED.iter().find(|(here, ..)| *here == evaluation.scheme);
        let label = printed.map_or(evaluation.scheme.clone(), |(here, there, ..)| format!("{here} ({there})"));
        let runs = all(first, &evaluation.scheme);
        add(&label, printed.map(|&(_, _, energy, q2)| (energy, q2)), &runs);
    }
    if scope.trainings.iter().any(|training| training == "paper") {
        if scope.without_cloud(scenario)? != scenario {
            add("DDLO (local and edge)", None, &ddlo(scope, scenario, &set)?);
        }
        let random = scope.finished(&from_random(scope, scenario, "paper"))?;
        add("DDTO (random start, all places)", None, &all(&random, "mr-dro"));
    }
    for (training, runs) in &trained {
        let printed = (training.as_str() == "paper").then_some((432.0, 0.94));
        add(&format!("MR-DRO, {training}"), printed, &all(runs, "mr-dro"));
        add(&format!("MR-DRO, {training}, explored"), None, &all(runs, "mr-dro-explored"));
    }
    add("exact (Exhaustive search)", Some((408.0, 1.0)), &all(first, "exact"));
    Ok(Table { title: format!("Table IV on `{scenario}`"), rows })
}

/// Whether a claim holds, and the number that says so; `None` where the runs do not tell.
type Verdict = Option<(bool, String)>;

/// What the paper says, and what is the case here.
struct Claim {
    text: &'static str,
    paper: &'static str,
    /// For a scenario and a training.
    check: fn(&Scope, &str, &str) -> Result<Verdict, AppError>,
    /// Parts whose runs it needs.
    parts: &'static [&'static str],
}

/// Means over the seeds for each value of a setting.
fn means(scope: &Scope, sweep: &Sweep, scenario: &str, training: &str) -> Result<Vec<(f64, Spread)>, AppError> {
    let mut means = Vec::new();
    for (&value, experiment) in sweep.values(scope).iter().zip(sweep.experiments(scope, scenario, training)?) {
        let q2: Option<Vec<f64>> = scope.finished(&experiment)?.iter().map(|run| run.q2("mr-dro")).collect();
        if let Some(q2) = q2.filter(|q2| !q2.is_empty()) {
            means.push((value, Spread::of(&q2)));
        }
    }
    Ok(means)
}

fn best(means: &[(f64, Spread)]) -> Option<(f64, Spread)> {
    means.iter().copied().max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))
}

fn at(means: &[(f64, Spread)], value: f64) -> Option<Spread> {
    means.iter().find(|(other, _)| *other == value).map(|(_, spread)| *spread)
}

fn shown(spread: &Spread) -> String {
    format!("{:.4} ({:.4}–{:.4})", spread.mean, spread.low, spread.high)
}

/// The last Q1 of each run.
fn last_q1(runs: &[Finished]) -> Option<Spread> {
    let last: Option<Vec<f64>> =
        runs.iter().map(|run| run.curve("drl", |row| row.q1).last().map(|(_, q1)| *q1)).collect();
    last.filter(|last| !last.is_empty()).map(|last| Spread::of(&last))
}

/// Mean of a scheme's Q2 over runs.
fn mean_q2(runs: &[Finished], scheme: &str) -> Option<f64> {
    let q2: Option<Vec<f64>> = runs.iter().map(|run| run.q2(scheme)).collect();
    q2.filter(|q2| !q2.is_empty()).map(|q2| q2.iter().sum::<f64>() / q2.len() as f64)
}

/// The first step at which the mean over the runs is at least this.
fn first_at_least(runs: &[Finished], phase: &str, least: f64) -> Option<usize> {
    let curves: Vec<_> = runs.iter().map(|run| run.curve(phase, |row| row.q2)).collect();
    let count = curves.iter().map(Vec::len).min()?;
    (0..count).find_map(|index| {
        let mean = curves.iter().map(|curve| curve[index].1).sum::<f64>() / curves.len() as f64;
        (mean >= least).then_some(curves[0][index].0)
    })
}

const RIVALS: [&str; 6] = ["local-only", "edge-only", "cloud-only", "local+edge", "local+cloud", "genetic"];

/// The best of the paper's other schemes.
fn best_rival(runs: &[Finished]) -> Option<(&'static str, f64)> {
    let found = RIVALS.iter().filter_map(|&rival| Some((rival, mean_q2(runs, rival)?)));
    found.max_by(|a, b| a.1.total_cmp(&b.1))
}

const CLAIMS: [Claim; 13] = [
    Claim {
        text: "With K = 1, Q1 does not converge to 1",
        paper: "Fig. 5",
        parts: &["fig5", "fig8"],
        check: |scope, scenario, training| {
            let experiments = DNNS.experiments(scope, scenario, training)?;
            let one = last_q1(&scope.finished(&experiments[0])?);
            Ok(one.map(|one| (one.high < 0.995, format!("last Q1 {}", shown(&one)))))
        },
    },
    Claim {
        text: "Q2 rises with K",
        paper: "Fig. 8",
        parts: &["fig5", "fig8"],
        check: |scope, scenario, training| {
            let means = means(scope, &DNNS, scenario, training)?;
            let pair = at(&means, 1.0).zip(at(&means, 8.0));
            Ok(pair.map(|(one, eight)| {
                (eight.low > one.high, format!("K = 1: {}, K = 8: {}", shown(&one), shown(&eight)))
            }))
        },
    },
    Claim {
        text: "Q2 at K = 8",
        paper: "0.94",
        parts: &["fig5", "fig8"],
        check: |scope, scenario, training| {
            let eight = at(&means(scope, &DNNS, scenario, training)?, 8.0);
            Ok(eight.map(|eight| (eight.mean >= 0.94, shown(&eight))))
        },
    },
    Claim {
        text: "The best learning rate is 0.01",
        paper: "Figs. 6, 9",
        parts: &["fig6", "fig9"],
        check: |scope, scenario, training| {
            let best = best(&means(scope, &LEARNING_RATES, scenario, training)?);
            Ok(best.map(|(value, spread)| (value == 0.01, format!("best at {value}: {}", shown(&spread)))))
        },
    },
    Claim {
        text: "At a learning rate of 0.1, Q2 is below 0.8",
        paper: "Fig. 9",
        parts: &["fig6", "fig9"],
        check: |scope, scenario, training| {
            let found = at(&means(scope, &LEARNING_RATES, scenario, training)?, 0.1);
            Ok(found.map(|spread| (spread.mean < 0.8, shown(&spread))))
        },
    },
    Claim {
        text: "Q2 is above 0.9 for every buffer from 500 to 4,800",
        paper: "Fig. 10",
        parts: &["fig7", "fig10"],
        check: |scope, scenario, training| {
            let means = means(scope, &BUFFERS, scenario, training)?;
            let worst = means.iter().min_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
            Ok(worst.map(|(value, spread)| (spread.mean > 0.9, format!("worst at {value}: {}", shown(spread)))))
        },
    },
    Claim {
        text: "The best buffer is 1,000 to 1,400",
        paper: "Fig. 10",
        parts: &["fig7", "fig10"],
        check: |scope, scenario, training| {
            let best = best(&means(scope, &BUFFERS, scenario, training)?);
            let holds = |value: f64| (1000.0..=1400.0).contains(&value);
            Ok(best.map(|(value, spread)| (holds(value), format!("best at {value}: {}", shown(&spread)))))
        },
    },
    Claim {
        text: "A few hundred steps of meta-RL bring Q2 above 0.5",
        paper: "Fig. 12",
        parts: &["fig12", "fig13"],
        check: |scope, scenario, training| {
            let runs = scope.finished(&scope.default(scenario, training))?;
            let reached = first_at_least(&runs, "meta", 0.5);
            let text = reached.map_or("never".to_owned(), |step| format!("reached by step {step}"));
            Ok((!runs.is_empty()).then_some((reached.is_some_and(|step| step <= 500), text)))
        },
    },
    Claim {
        text: "After meta-RL, Algorithm 2 needs fewer steps",
        paper: "Fig. 13",
        parts: &["fig13"],
        check: |scope, scenario, training| {
            let meta = scope.finished(&scope.default(scenario, training))?;
            let random = scope.finished(&from_random(scope, scenario, training))?;
            let Some(last) = random.first().and_then(|run| run.curve("drl", |row| row.q2).last().copied()) else {
                return Ok(None);
            };
            let goal = mean_q2(&random, "mr-dro").unwrap_or(last.1);
            let step = |runs: &[Finished]| first_at_least(runs, "drl", goal);
            let (from_meta, from_random) = (step(&meta), step(&random).unwrap_or(last.0));
            let text = match from_meta {
                Some(step) => format!("Q2 {goal:.4} at step {step} instead of {from_random}"),
                None => format!("never at Q2 {goal:.4}, which a random start reaches at step {from_random}"),
            };
            Ok(Some((from_meta.is_some_and(|step| step < from_random), text)))
        },
    },
    Claim {
        text: "Local-only has Q2 0.14",
        paper: "Table IV",
        parts: &["table4"],
        check: |scope, scenario, training| {
            let runs = scope.finished(&scope.default(scenario, training))?;
            Ok(mean_q2(&runs, "local-only").map(|q2| ((q2 - 0.14).abs() < 0.01, format!("{q2:.4}"))))
        },
    },
    Claim {
        text: "MR-DRO is better than all but exhaustive search",
        paper: "Table IV: 0.94, genetic 0.87",
        parts: &["table4"],
        check: |scope, scenario, training| {
            let runs = scope.finished(&scope.default(scenario, training))?;
            let pair = mean_q2(&runs, "mr-dro").zip(best_rival(&runs));
            Ok(pair.map(|(own, (rival, of_rival))| (own > of_rival, format!("{own:.5}; {rival} {of_rival:.5}"))))
        },
    },
    Claim {
        text: "MR-DRO costs 85.1 % less than Local-only",
        paper: "Section V-E",
        parts: &["table4"],
        check: |scope, scenario, training| {
            let runs = scope.finished(&scope.default(scenario, training))?;
            let cost = |scheme: &str| -> Option<f64> {
                let costs: Option<Vec<f64>> = runs
                    .iter()
                    .map(|run| run.results.evaluations.iter().find(|other| other.scheme == scheme).map(|e| e.mean_cost))
                    .collect();
                costs.filter(|costs| !costs.is_empty()).map(|costs| costs.iter().sum::<f64>() / costs.len() as f64)
            };
            let saved = cost("mr-dro").zip(cost("local-only")).map(|(own, local)| 100.0 * (1.0 - own / local));
            Ok(saved.map(|saved| (saved >= 85.05, format!("{saved:.1} %"))))
        },
    },
    Claim {
        text: "MR-DRO is best at every α",
        paper: "Fig. 14",
        parts: &["fig14"],
        check: |scope, scenario, training| {
            let mut beaten = Vec::new();
            for &alpha in scope.alphas() {
                let runs = scope.finished(&scope.default(&scope.with_alpha(scenario, alpha)?, training))?;
                let Some((own, (rival, of_rival))) = mean_q2(&runs, "mr-dro").zip(best_rival(&runs)) else {
                    return Ok(None);
                };
                // Where nearly everything belongs on one server, many schemes are at the optimum together.
                if own < of_rival - 5e-5 {
                    beaten.push(format!("α = {alpha}: {own:.4}, {rival} {of_rival:.4}"));
                }
            }
            let text = if beaten.is_empty() { "best at each".to_owned() } else { beaten.join("; ") };
            Ok(Some((beaten.is_empty(), text)))
        },
    },
];

/// The claims that the parts at hand can decide, for every scenario and training.
pub(super) fn claims(scope: &Scope, parts: &[&str]) -> Result<Table, AppError> {
    let header = ["claim", "in the paper", "scenario", "training", "verdict", "measured"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for claim in CLAIMS.iter().filter(|claim| claim.parts.iter().any(|part| parts.contains(part))) {
        for (scenario, training) in scope.pairs() {
            let Some((holds, measured)) = (claim.check)(scope, scenario, training)? else { continue };
            let verdict = if holds { "holds" } else { "does not hold" };
            let row = [claim.text, claim.paper, scenario, training, verdict, &measured];
            rows.push(row.map(str::to_owned).to_vec());
        }
    }
    if parts.contains(&"table4") {
        rows.extend(overall(scope)?);
    }
    rows.extend(meta_rate_claims(scope, parts)?);
    Ok(Table { title: "The paper's claims".to_owned(), rows })
}

/// Q2 of each training over all scenarios together.
fn overall(scope: &Scope) -> Result<Vec<Vec<String>>, AppError> {
    let mut rows = Vec::new();
    for training in &scope.trainings {
        let mut strata: Vec<Vec<f64>> = Vec::new();
        for scenario in &scope.scenarios {
            strata.push(
                scope.finished(&scope.default(scenario, training))?.iter().filter_map(|run| run.q2("mr-dro")).collect(),
            );
        }
        let strata: Vec<&[f64]> = strata.iter().map(Vec::as_slice).filter(|stratum| !stratum.is_empty()).collect();
        if strata.len() > 1 {
            let spread = Spread::of_strata(&strata);
            let verdict = if spread.mean >= 0.94 { "holds" } else { "does not hold" };
            let row = ["Q2 at K = 8", "0.94", "all, stratified", training, verdict, &shown(&spread)];
            rows.push(row.map(str::to_owned).to_vec());
        }
    }
    Ok(rows)
}

/// Fig. 11 has its data in the picture already.
fn meta_rate_claims(scope: &Scope, parts: &[&str]) -> Result<Vec<Vec<String>>, AppError> {
    if !parts.contains(&"fig11") {
        return Ok(Vec::new());
    }
    let Some(figure) = figures::figure("fig11", scope)? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for (scenario, training) in scope.pairs() {
        let of_pair = figure.rows[1..].iter().filter(|row| row[0] == scenario && row[1] == training);
        let values = of_pair.filter_map(|row| Some((row[2].parse::<f64>().ok()?, row[4].parse::<f64>().ok()?)));
        let Some((value, q2)) = values.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        let holds = (0.01..=0.05).contains(&value);
        let verdict = if holds { "holds" } else { "does not hold" };
        let measured = format!("best at {value}: {q2:.4}");
        let row = ["The best Mlr is 0.01 to 0.05", "Fig. 11", scenario, training, verdict, &measured];
        rows.push(row.map(str::to_owned).to_vec());
    }
    Ok(rows)
}
