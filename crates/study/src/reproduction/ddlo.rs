//! DDLO, which Table IV compares with: it decides between the devices and the edge, and knows no cloud.

use data::{Evaluation, StandardSet};
use mrdro::{Problem, evaluate_all};
use sim::scheme::{Scheme, Solution};
use sim::{CostModel, Decision, Scenario, SchemeError, Workload};

use super::evaluations::KeptEvaluations;
use super::scope::{Experiment, Scope};
use crate::error::Error;

/// The training of DDLO: Algorithm 2 from random networks on the scenario without its cloud.
pub(super) fn experiment(scope: &Scope, scenario: &str) -> Result<Experiment, Error> {
    Ok(scope.random_start(&scope.without_cloud(scenario)?, "paper"))
}

/// The evaluations of the finished runs of DDLO on the whole scenario.
pub(super) fn evaluations(
    scope: &Scope,
    scenario: &str,
    (problem, set): (&Problem, &StandardSet),
    kept: &mut KeptEvaluations,
) -> Result<Vec<Evaluation>, Error> {
    let without_cloud = Problem::load(&scope.without_cloud(scenario)?)?;
    let mut evaluations = Vec::new();
    for run in scope.finished(&experiment(scope, scenario)?)? {
        let measure = || {
            let scheme = WithoutCloud {
                scheme: run.scheme("ddlo", &without_cloud, None)?,
                model: without_cloud.model.clone(),
                places: places_in(&problem.scenario, &without_cloud.scenario),
            };
            Ok(evaluate_all(vec![Box::new(scheme)], set)?)
        };
        evaluations.extend(kept.read_or_measure(&format!("{}-priced", run.name()), measure)?);
    }
    Ok(evaluations)
}

/// The index in `whole` of each place of `part`; `whole` has the servers of `part` and others between them.
fn places_in(whole: &Scenario, part: &Scenario) -> Vec<u8> {
    let kept = whole.servers.iter().enumerate().filter(|(_, server)| part.servers.contains(server));
    std::iter::once(0).chain(kept.map(|(index, _)| index as u8 + 1)).collect()
}

/// A scheme for a scenario that lacks some servers of the one in which it is evaluated.
struct WithoutCloud {
    scheme: Box<dyn Scheme>,
    /// The model that the scheme decides by.
    model: CostModel,
    /// The places of `model` as places of the whole scenario.
    places: Vec<u8>,
}

impl Scheme for WithoutCloud {
    fn name(&self) -> &str {
        self.scheme.name()
    }

    fn decide(&mut self, _: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let Solution { decision, evaluations } = self.scheme.decide(&self.model, workload)?;
        let places: Vec<u8> = decision.places().iter().map(|&place| self.places[usize::from(place)]).collect();
        Ok(Solution { decision: Decision::from_places(workload.tasks(), places), evaluations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_those_of_the_same_servers() {
        let whole = Scenario::load("shared-edges").expect("a preset");
        let mut part = whole.clone();
        part.servers.remove(1);
        assert_eq!(places_in(&whole, &part), [0, 1, 3, 4]);
        assert_eq!(places_in(&whole, &whole), [0, 1, 2, 3, 4]);
    }
}
