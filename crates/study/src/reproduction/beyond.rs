//! What the paper leaves open: candidates, time against quality, fleets.

use std::fs;

use data::Evaluation;
use data::StandardSet;
use model::{Choice, DeviceChoice, Policy, Record, Selection};
use sim::scheme::{self, Genetic, GeneticSettings, Scheme};

use crate::error::AppError;
use crate::fleets as any_fleet;
use crate::report::chart::{Axis, Palette, Panel, Point, Series, Style};
use crate::report::page::Figure;
use crate::run_dir::write_file;
use crate::setup::{self, Problem};
use crate::statistics::Spread;

use super::figures::{Q2, from_random};
use super::scope::{Experiment, Finished, Scope};

/// Prices of a decision, as many for one DNN as for K.
const PRICES: [usize; 3] = [2, 4, 8];
/// Seeds of that comparison.
const CANDIDATE_SEEDS: usize = 3;
/// Flips in the trade-off of time against quality.
const FLIPS: [usize; 7] = [0, 1, 2, 4, 6, 9, 18];
/// Population and generations in it.
const GENETIC: [(usize, usize); 6] = [(6, 3), (10, 6), (16, 10), (30, 20), (50, 60), (100, 100)];
/// Devices and tasks.
const FLEETS: [(usize, usize); 7] = [(1, 3), (2, 3), (3, 3), (5, 5), (10, 5), (20, 10), (50, 20)];
const QUICK_FLEETS: [(usize, usize); 3] = [(1, 3), (3, 3), (10, 5)];
/// Tasks from which on one seed must do.
const LARGE: usize = 1000;

fn many_dnns(scope: &Scope, scenario: &str, prices: usize) -> Experiment {
    let random = "meta.outer_steps=0".to_owned();
    let mut experiment = scope.experiment(scenario, "paper", &[random, format!("network.dnns={prices}")]);
    experiment.most_seeds = CANDIDATE_SEEDS;
    // K = 8 is the preset's own.
    if prices == 8 { from_random(scope, scenario, "paper") } else { experiment }
}

fn one_dnn(scope: &Scope, scenario: &str, prices: usize) -> Experiment {
    let flips = prices - 1;
    let settings = [
        "meta.outer_steps=0".to_owned(),
        "network.dnns=1".to_owned(),
        "drl.exploration=order-preserving".to_owned(),
        format!("drl.flips={flips}"),
        "decision.exploration=order-preserving".to_owned(),
        format!("decision.flips={flips}"),
    ];
    let mut experiment = scope.experiment(scenario, "paper", &settings);
    experiment.most_seeds = CANDIDATE_SEEDS;
    experiment
}

fn fleets(scope: &Scope) -> &'static [(usize, usize)] {
    if scope.quick { &QUICK_FLEETS } else { &FLEETS }
}

fn fleet(scope: &Scope, scenario: &str, devices: usize, tasks: usize) -> Result<Experiment, AppError> {
    let scenario = scope.with_fleet(scenario, devices, tasks)?;
    let settings = ["drl.steps=4000".to_owned(), "meta.metadata=3000".to_owned()];
    let mut experiment = scope.experiment(&scenario, "recommended", &settings);
    experiment.most_seeds = if devices * tasks >= LARGE { 1 } else { 3 };
    Ok(experiment)
}

/// The experiments that a part needs.
pub(super) fn experiments(id: &str, scope: &Scope) -> Result<Vec<Experiment>, AppError> {
    let mut all = Vec::new();
    match id {
        "candidates" => {
            for scenario in &scope.scenarios {
                for prices in PRICES {
                    all.extend([many_dnns(scope, scenario, prices), one_dnn(scope, scenario, prices)]);
                }
            }
        }
        "tradeoff" => all.extend(scope.pairs().map(|(scenario, training)| scope.default(scenario, training))),
        "fleets" => {
            if let Some(scenario) = scope.scenarios.last() {
                for &(devices, tasks) in fleets(scope).iter().rev() {
                    all.push(fleet(scope, scenario, devices, tasks)?);
                }
            }
        }
        _ => {}
    }
    Ok(all)
}

/// What is measured once the runs are there stays as it was measured.
pub(super) fn kept(
    scope: &Scope,
    name: &str,
    measure: impl FnOnce() -> Result<Vec<Evaluation>, AppError>,
) -> Result<Vec<Evaluation>, AppError> {
    let folder = scope.out.join("evaluations");
    let path = folder.join(format!("{name}.json"));
    if let Ok(text) = fs::read_to_string(&path) {
        let damaged = |error: serde_json::Error| AppError::NoRun { path: path.clone(), reason: error.to_string() };
        return serde_json::from_str(&text).map_err(damaged);
    }
    let evaluations = measure()?;
    fs::create_dir_all(&folder).map_err(|source| AppError::Unwritable { path: folder.clone(), source })?;
    let text = serde_json::to_vec_pretty(&evaluations).expect("numbers and texts can be written");
    write_file(&path, &text)?;
    Ok(evaluations)
}

/// A finished run's record as a scheme, with its own selection or another.
pub(super) fn policy(
    run: &Finished,
    name: &str,
    problem: &Problem,
    selection: Option<Selection>,
) -> Result<Policy, AppError> {
    let device = DeviceChoice::Flex.open().or_else(|_| DeviceChoice::Auto.open())?.device;
    let record = Record::load(&run.path.join("record"), &device)?;
    let selection = selection.unwrap_or(record.selection);
    Ok(Policy::new(name, &record.ensemble, record.codec(&problem.model), selection, &device))
}

fn name_of(run: &Finished) -> String {
    run.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn evaluation_row(parts: &[&str], evaluation: &Evaluation) -> Vec<String> {
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let Evaluation { mean_cost, q2, q2_p05, evaluations_per_decision, seconds_per_decision, .. } = evaluation;
    let numbers = [optional(*q2), optional(*q2_p05)];
    let rest = [mean_cost, evaluations_per_decision, seconds_per_decision].map(ToString::to_string);
    parts.iter().map(|&part| part.to_owned()).chain(numbers).chain(rest).collect()
}

fn evaluation_header(parts: &[&str]) -> Vec<String> {
    let numbers = ["q2", "q2_p05", "mean_cost", "evaluations_per_decision", "seconds_per_decision"];
    parts.iter().chain(&numbers).map(|&name| name.to_owned()).collect()
}

/// One DNN with flipped candidates beside K DNNs at equally many prices.
pub(super) fn candidates(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![evaluation_header(&["scenario", "networks", "prices", "run"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let problem = Problem::load(scenario)?;
        let set = problem.standard_set()?;
        let mut series = Vec::new();
        for (label, one) in [("K DNNs, thresholds", false), ("one DNN, K − 1 flips", true)] {
            let mut points = Vec::new();
            for (index, &prices) in PRICES.iter().enumerate() {
                let experiment =
                    if one { one_dnn(scope, scenario, prices) } else { many_dnns(scope, scenario, prices) };
                let mut q2 = Vec::new();
                for run in scope.finished(&experiment)? {
                    let measure = || {
                        let scheme = policy(&run, "mr-dro", &problem, None)?;
                        setup::evaluate_all(vec![Box::new(scheme)], &set)
                    };
                    for evaluation in kept(scope, &name_of(&run), measure)? {
                        rows.push(evaluation_row(&[scenario, label, &prices.to_string(), &name_of(&run)], &evaluation));
                        q2.extend(evaluation.q2);
                    }
                }
                if !q2.is_empty() {
                    points.push(Point::new(index as f64, &Spread::of(&q2)));
                }
            }
            series.push(Series { label: label.to_owned(), style: Style::Markers, points });
        }
        let names = PRICES.iter().map(usize::to_string).collect();
        let x = Axis::Named { label: "prices of a decision", names };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    let command = scope.scenarios.first().map(|scenario| one_dnn(scope, scenario, 8).command("1"));
    Ok(Figure {
        id: "candidates",
        title: "One DNN with explored candidates beside K DNNs".to_owned(),
        text: "Equally many prices in training and in decisions: K networks that each propose one decision, or one network whose \
               least certain indicators are flipped. Random start, Algorithm 2 as printed."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: command.unwrap_or_default(),
    })
}

/// Time of a decision against its quality, for every scheme.
pub(super) fn tradeoff(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![evaluation_header(&["scenario", "scheme", "variant"])];
    let mut panels = Vec::new();
    for scenario in &scope.scenarios {
        let problem = Problem::load(scenario)?;
        let set = problem.standard_set()?;
        let mut series: Vec<Series> = Vec::new();
        let seed = scope.seeds.first().copied().unwrap_or(1);
        let measure = || setup::evaluate_all(scheme::classic(&problem.model, seed), &set);
        let classic = kept(scope, &format!("{}-classic", problem.scenario.name), measure)?;
        let mut add = |label: &str, style: Style, evaluations: &[Evaluation], variants: &[String]| {
            let mut points = Vec::new();
            for (evaluation, variant) in evaluations.iter().zip(variants) {
                rows.push(evaluation_row(&[scenario, label, variant], evaluation));
                // A clock that is read twice does not tell less than this.
                let seconds = evaluation.seconds_per_decision.max(2e-8);
                points.extend(evaluation.q2.map(|q2| Point::exact(1e6 * seconds, q2)));
            }
            series.push(Series { label: label.to_owned(), style, points });
        };
        for evaluation in &classic {
            if !["random", "genetic", "local-only", "local+edge", "local+cloud"].contains(&evaluation.scheme.as_str()) {
                add(&evaluation.scheme, Style::Points, std::slice::from_ref(evaluation), &[String::new()]);
            }
        }
        let genetic = |&(population, generations): &(usize, usize)| -> Box<dyn Scheme> {
            Box::new(Genetic::new(seed, GeneticSettings { population, generations, ..GeneticSettings::default() }))
        };
        let measure = || setup::evaluate_all(GENETIC.iter().map(genetic).collect(), &set);
        let of_genetic = kept(scope, &format!("{}-genetic", problem.scenario.name), measure)?;
        let variants: Vec<String> = GENETIC.iter().map(|(size, count)| format!("{size} × {count}")).collect();
        add("genetic, growing budgets", Style::Markers, &of_genetic, &variants);
        for training in &scope.trainings {
            let runs = scope.finished(&scope.default(scenario, training))?;
            let Some(run) = runs.first() else { continue };
            let measure = || {
                let explored = |&flips: &usize| -> Result<Box<dyn Scheme>, AppError> {
                    let mut selection = Selection::explored(flips);
                    if flips == 0 {
                        selection = Selection { choice: Choice::PerDevice, ..Selection::PAPER };
                    }
                    Ok(Box::new(policy(run, "mr-dro", &problem, Some(selection))?))
                };
                setup::evaluate_all(FLIPS.iter().map(explored).collect::<Result<_, _>>()?, &set)
            };
            let of_run = kept(scope, &format!("{}-flips", name_of(run)), measure)?;
            let variants: Vec<String> = FLIPS.iter().map(|flips| format!("{flips} flips")).collect();
            add(&format!("mr-dro, {training}, 0 to 18 flips"), Style::Markers, &of_run, &variants);
        }
        let x = Axis::Log { label: "µs for one decision, one thread" };
        panels.push(Panel { title: format!("scenario {scenario}"), x, y: Q2, series });
    }
    Ok(Figure {
        id: "tradeoff",
        title: "Time of a decision against its quality".to_owned(),
        text: "Up and to the left is better. Medians of 512 decisions, one at a time, on one thread of this machine, of the first seed's \
               records; a gap below 1e-5 is drawn as 1e-5."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: "cargo run -p trainer -- reproduce --only tradeoff --out reproduction".to_owned(),
    })
}

/// Fleets from one device to fifty, beside the exact optimum.
pub(super) fn fleets_figure(scope: &Scope) -> Result<Figure, AppError> {
    let mut rows = vec![evaluation_header(&["scenario", "fleet", "scheme", "run"])];
    let mut panels = Vec::new();
    let names: Vec<String> = fleets(scope).iter().map(|(devices, tasks)| format!("{devices} × {tasks}")).collect();
    if let Some(scenario) = scope.scenarios.last() {
        let mut series: Vec<Series> = Vec::new();
        for scheme in ["greedy-largest-first", "genetic", "local-search", "mr-dro", "mr-dro-explored"] {
            let mut points = Vec::new();
            for (index, &(devices, tasks)) in fleets(scope).iter().enumerate() {
                let runs = scope.finished(&fleet(scope, scenario, devices, tasks)?)?;
                let mut q2 = Vec::new();
                for run in &runs {
                    let found = run.results.evaluations.iter().find(|evaluation| evaluation.scheme == scheme);
                    let Some(evaluation) = found else { continue };
                    rows.push(evaluation_row(&[scenario, &names[index], scheme, &name_of(run)], evaluation));
                    q2.extend(evaluation.q2);
                }
                if !q2.is_empty() {
                    points.push(Point::new(index as f64, &Spread::of(&q2)));
                }
            }
            series.push(Series { label: scheme.to_owned(), style: Style::Markers, points });
        }
        let mut of_any: Vec<Series> = Vec::new();
        for (index, &(devices, tasks)) in fleets(scope).iter().enumerate() {
            for evaluation in of_any_fleet(scope, scenario, devices, tasks)? {
                let Evaluation { scheme, q2, .. } = &evaluation;
                rows.push(evaluation_row(&[scenario, &names[index], scheme, "models/any-fleet"], &evaluation));
                if !of_any.iter().any(|series| series.label == *scheme) {
                    of_any.push(Series { label: scheme.clone(), style: Style::Markers, points: Vec::new() });
                }
                let series = of_any.iter_mut().find(|series| series.label == *scheme).expect("put there just above");
                series.points.extend(q2.map(|q2| Point::exact(index as f64, q2)));
            }
        }
        series.extend(of_any);
        let x = Axis::Named { label: "devices × tasks", names: names.clone() };
        panels.push(Panel { title: format!("scenario {scenario}, training recommended"), x, y: Q2, series });
    }
    let command = match scope.scenarios.last() {
        Some(scenario) => fleet(scope, scenario, 10, 5)?.command("1"),
        None => String::new(),
    };
    Ok(Figure {
        id: "fleets",
        title: "Fleets from 1 × 3 to 50 × 20".to_owned(),
        text: "Q2 against the exact optimum, which dedicated servers leave within reach at every size. 4,000 steps of Algorithm 2, \
               up to three seeds, one for 50 × 20; mr-dro-fleet is one record for all of them, which was trained on other fleets."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command,
    })
}

/// The shipped networks for any fleet on one that they were not trained for.
fn of_any_fleet(scope: &Scope, scenario: &str, devices: usize, tasks: usize) -> Result<Vec<Evaluation>, AppError> {
    let problem = Problem::load(&scope.with_fleet(scenario, devices, tasks)?)?;
    let measure = || setup::evaluate_all(any_fleet::policies("", &any_fleet::shipped()?), &problem.standard_set()?);
    kept(scope, &format!("{}-any-fleet", problem.scenario.name), measure)
}

/// The runs of DDLO, which knows no cloud, evaluated in a scenario that has one.
pub(super) fn ddlo(scope: &Scope, scenario: &str, set: &StandardSet) -> Result<Vec<Evaluation>, AppError> {
    let mut evaluations = Vec::new();
    for run in scope.finished(&ddlo_experiment(scope, scenario)?)? {
        let own = Problem::load(&scope.without_cloud(scenario)?)?;
        let measure = || {
            let scheme = WithoutCloud { policy: policy(&run, "ddlo", &own, None)?, own };
            setup::evaluate_all(vec![Box::new(scheme)], set)
        };
        evaluations.extend(kept(scope, &format!("{}-priced", name_of(&run)), measure)?);
    }
    Ok(evaluations)
}

pub(super) fn ddlo_experiment(scope: &Scope, scenario: &str) -> Result<Experiment, AppError> {
    Ok(from_random(scope, &scope.without_cloud(scenario)?, "paper"))
}

/// Decides by the places of a scenario without the cloud.
struct WithoutCloud {
    policy: Policy,
    own: Problem,
}

impl Scheme for WithoutCloud {
    fn name(&self) -> &str {
        self.policy.name()
    }

    fn decide(
        &mut self,
        model: &sim::CostModel,
        workload: &sim::Workload,
    ) -> Result<sim::scheme::Solution, sim::SchemeError> {
        let mut solution = self.policy.decide(&self.own.model, workload)?;
        let places = solution.decision.places().iter().map(|&place| {
            let name = &self.own.model.place_names()[usize::from(place)];
            let position = model.place_names().iter().position(|other| other == name);
            position.expect("the scenario without the cloud has no other places") as u8
        });
        solution.decision = sim::Decision::from_places(model.tasks(), places.collect::<Vec<_>>());
        Ok(solution)
    }
}
