//! Choosing the numbers of a scheme by simulation.

use sim::random;
use sim::stream::StreamScenario;
use sim::stream::dispatch::scheme::DispatchSchemeKind;
use sim::stream::dispatch::tuning::{LEAST_TUNING_TASKS, TunedRule, TuningSet};
use sim::stream::scenario::{DispatchScenario, SlotScenario};
use sim::stream::slots::scheme::SlotSchemeKind;
use sim::stream::slots::{self};

use super::StreamProblem;
use super::comparison::{fitted_model, training_paths};
use crate::error::Error;

/// The number of sites with their paths on which a rule of dispatching is tuned.
const TUNING_PATHS: usize = 4;
/// The most tasks of each.
const TUNING_TASKS: usize = 12_000;

/// A scheme whose numbers were tuned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunedScheme {
    /// Its name with the numbers that it has by default.
    pub default: String,
    /// Its name with the tuned numbers.
    pub tuned: String,
    /// How often the tuning paths were simulated.
    pub evaluations: usize,
}

/// Tunes the numbers of a scheme for a scenario, on courses of arrivals and rates that no run has.
///
/// # Errors
/// If the scheme has no such name or no numbers to tune, or the scenario makes no problem.
pub fn tune(problem: &StreamProblem, scheme: &str, seed: u64) -> Result<TunedScheme, Error> {
    match &problem.scenario {
        StreamScenario::Dispatch(scenario) => tune_dispatch(scenario, scheme, seed),
        StreamScenario::Slots(scenario) => tune_slots(scenario, scheme, seed),
    }
}

fn tune_dispatch(scenario: &DispatchScenario, name: &str, seed: u64) -> Result<TunedScheme, Error> {
    name.parse::<DispatchSchemeKind>()?;
    let plain = name.split_once('@').map_or(name, |(plain, _)| plain);
    let Some(rule) = TunedRule::ALL.into_iter().find(|rule| rule.name() == plain) else {
        let tunable = TunedRule::ALL.map(TunedRule::name).join(", ");
        return Err(Error::NotTunable { scheme: name.to_owned(), tunable });
    };
    let shortened = DispatchScenario {
        tasks_per_run: scenario.tasks_per_run.clamp(LEAST_TUNING_TASKS, TUNING_TASKS),
        ..scenario.clone()
    };
    let courses = (0..TUNING_PATHS).map(|index| {
        let seed = random::derived_seed(seed, "tuning/scenario", index);
        let site = shortened.site(seed)?;
        let path = shortened.path(&site, seed)?;
        Ok((site, path))
    });
    let set = TuningSet::new(courses.collect::<Result<_, Error>>()?)?;
    let tuned = set.tune(rule, seed);
    Ok(TunedScheme { default: rule.name().to_owned(), tuned: tuned.kind.to_string(), evaluations: rule.evaluations() })
}

fn tune_slots(scenario: &SlotScenario, name: &str, seed: u64) -> Result<TunedScheme, Error> {
    let kind: SlotSchemeKind = name.parse()?;
    let problem = scenario.problem()?;
    if !kind.is_tunable(problem.has_tail()) {
        let all = SlotSchemeKind::all(&problem);
        let tunable = all.iter().filter(|kind| kind.is_tunable(problem.has_tail())).map(ToString::to_string);
        return Err(Error::NotTunable { scheme: name.to_owned(), tunable: tunable.collect::<Vec<_>>().join(", ") });
    }
    let model = fitted_model(scenario, seed, std::slice::from_ref(&kind))?;
    let tuned = slots::tune(&kind, &training_paths(scenario, seed)?, model.as_ref())?;
    Ok(TunedScheme { default: kind.to_string(), tuned: tuned.kind.to_string(), evaluations: tuned.evaluations })
}

#[cfg(test)]
mod tests {
    use super::super::compare;
    use super::*;

    #[test]
    fn tuned_schemes_are_not_worse_on_new_courses() {
        for (name, scheme) in [("dispatch", "one-step-fitted"), ("commute", "threshold")] {
            let mut problem = StreamProblem::load(name).expect("a preset");
            problem.shorten(3_000);
            let tuned = tune(&problem, scheme, 1).expect("a rule with numbers");
            assert!(tuned.tuned.starts_with(&format!("{scheme}@")), "{tuned:?}");
            let schemes = [tuned.default, tuned.tuned];
            let comparison = compare(&problem, &schemes, 4, 1, &|_| {}).expect("both decide");
            let [default, tuned] = &comparison.evaluations[..] else { panic!("two schemes") };
            // On new courses it may be a little worse by chance.
            assert!(tuned.change < default.change + 0.01, "{default:?} {tuned:?}");
        }
    }

    #[test]
    fn a_scheme_without_numbers_is_refused_with_those_that_have_some() {
        for name in ["dispatch", "commute"] {
            let problem = StreamProblem::load(name).expect("a preset");
            let error = tune(&problem, problem.base(), 1).expect_err("no numbers").to_string();
            assert!(error.contains("has no numbers to tune; "), "{error}");
        }
    }
}
