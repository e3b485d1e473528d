//! The standard set: instances that every scheme is measured on.

use rayon::prelude::*;
use sim::metrics::{cost_ratio, q2};
use sim::scenario::DeadlineRule;
use sim::scheme::{self, Exact, GoesOn, Interruptible, Scheme};
use sim::{CostModel, Instance, Outcome, Scenario, SchemeError, Workload, random};

use crate::deadlines::Deadlines;
use crate::environments::{DataError, EnvironmentSampler};
use crate::part::Part;
use crate::sizes::SizeSampler;
use crate::workloads::Workloads;

/// The number of workloads in the paper's standard set.
pub const STANDARD_SET_SIZE: usize = 512;

/// Instances that every scheme is measured on, with their optimal costs where these can be computed.
///
/// Where deadlines are hard, a decision that misses more of them than the optimum does counts as infinitely costly, so that
/// its ratio of the optimal to the obtained cost is 0.
#[derive(Debug, Clone)]
pub struct StandardSet {
    instances: Vec<Instance>,
    optimal: Option<Vec<f64>>,
    /// The number of deadlines that the optimum of each instance misses; empty if the optimum is not known.
    fewest_missed: Vec<usize>,
}

/// A scheme's decisions of all instances of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedSet {
    /// The cost of each decision, as [`StandardSet::ratios`] takes it.
    pub costs: Vec<f64>,
    /// The deadlines that the decisions missed; `None` if no task has one.
    pub deadlines: Option<Deadlines>,
}

impl StandardSet {
    /// The frozen standard set of a scenario and its cost model: the same instances for every seed, drawn from held-out
    /// data where data are recorded.
    ///
    /// # Errors
    /// If the scenario's file of sizes or its recordings cannot be read.
    pub fn of(scenario: &Scenario, model: &CostModel) -> Result<Self, DataError> {
        Ok(Self::unsolved(scenario, model)?.solved())
    }

    /// The standard set without the optimal costs, which take long to compute where servers are shared.
    ///
    /// # Errors
    /// As [`StandardSet::of`].
    pub fn unsolved(scenario: &Scenario, model: &CostModel) -> Result<Self, DataError> {
        let mut source =
            Workloads::new(model, SizeSampler::new(scenario)?, Part::HeldOut, random::stream(0, "standard set"))
                .with_environments(EnvironmentSampler::new(scenario)?, random::stream(0, "standard environments"));
        let instances = (0..STANDARD_SET_SIZE).map(|_| source.draw()).collect();
        Ok(Self { instances, optimal: None, fewest_missed: Vec::new() })
    }

    /// A set of given instances, with their optimal costs.
    pub fn new(instances: Vec<Instance>) -> Self {
        Self { instances, optimal: None, fewest_missed: Vec::new() }.solved()
    }

    fn solved(mut self) -> Self {
        let _ = self.solve(&|| true); // nothing interrupts it
        self
    }

    /// Computes the optimal costs, as long as `goes_on`. They stay unknown if the exact search refuses.
    ///
    /// # Errors
    /// [`SchemeError::Interrupted`] if `goes_on` says no.
    pub fn solve(&mut self, goes_on: &GoesOn<'_>) -> Result<(), SchemeError> {
        let optimum = |exact: &mut Exact, instance: &Instance| {
            let solution = Interruptible::new(exact, goes_on).decide(&instance.model, &instance.workload)?;
            let Outcome { cost, missed_deadlines, .. } = instance.evaluate(&solution.decision);
            Ok((cost, missed_deadlines))
        };
        // The first refusal stands for all: workloads of one shape are equally hard to within a factor.
        let all = self.instances.par_iter();
        let optima = all.map_init(Exact::new, optimum).collect::<Result<Vec<_>, SchemeError>>();
        match optima {
            Ok(optima) => {
                let (costs, missed) = optima.into_iter().unzip();
                (self.optimal, self.fewest_missed) = (Some(costs), missed);
                Ok(())
            }
            // With several threads, another refusal may come first.
            Err(_) if !goes_on() => Err(SchemeError::Interrupted),
            Err(_) => Ok(()),
        }
    }

    /// The instances.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// The workloads, without their environments.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        self.instances.iter().map(|instance| &instance.workload)
    }

    /// Their optimal costs; `None` if the exact search refused.
    pub fn optimal(&self) -> Option<&[f64]> {
        self.optimal.as_deref()
    }

    /// Q2 of these costs, one for each instance; `None` if the optimum is not known.
    pub fn q2(&self, costs: &[f64]) -> Option<f64> {
        self.optimal().map(|optimal| q2(optimal, costs))
    }

    /// The ratio of the optimal to the obtained cost of each instance; `None` if the optimum is not known.
    pub fn ratios(&self, costs: &[f64]) -> Option<Vec<f64>> {
        let ratios = self.optimal()?.iter().zip(costs).map(|(optimal, cost)| cost_ratio(*optimal, *cost));
        Some(ratios.collect())
    }

    /// The costs of one decision for each instance, as [`StandardSet::ratios`] takes them: infinite where deadlines are hard
    /// and the decision misses more of them than the optimum does.
    pub(crate) fn compared_costs(&self, outcomes: &[Outcome]) -> Vec<f64> {
        let compared = |(index, outcome): (usize, &Outcome)| {
            let is_hard = self.instances[index].model.deadline_rule() == DeadlineRule::Hard;
            let is_worse = self.fewest_missed.get(index).is_some_and(|fewest| outcome.missed_deadlines > *fewest);
            if is_hard && is_worse { f64::INFINITY } else { outcome.cost }
        };
        outcomes.iter().enumerate().map(compared).collect()
    }

    /// The deadlines that decisions with these outcomes missed; `None` if no task has one.
    pub(crate) fn deadlines(&self, outcomes: &[Outcome]) -> Option<Deadlines> {
        Deadlines::of(self.instances.iter().zip(outcomes))
    }

    /// Lets a scheme decide all instances. All are decided at once if they are in one environment.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn decide(&self, scheme: &mut dyn Scheme) -> Result<DecidedSet, SchemeError> {
        let solutions = scheme::decide_instances(scheme, &self.instances)?;
        let decided = || self.instances.iter().zip(&solutions);
        let mut costs: Vec<f64> =
            decided().map(|(instance, solution)| instance.cost(solution.decision.places())).collect();
        let needs_outcomes = |instance: &Instance| instance.model.has_deadlines() || instance.model.is_detailed();
        if !self.instances.iter().any(needs_outcomes) {
            return Ok(DecidedSet { costs, deadlines: None });
        }
        let outcomes: Vec<_> = decided().map(|(instance, solution)| instance.evaluate(&solution.decision)).collect();
        let compared = self.instances.iter().zip(self.compared_costs(&outcomes));
        // Where deadlines are hard, a decision that misses more than the optimum counts as infinitely costly.
        for (cost, (_, compared)) in costs.iter_mut().zip(compared).filter(|(_, (of, _))| of.model.is_detailed()) {
            *cost = compared;
        }
        Ok(DecidedSet { costs, deadlines: self.deadlines(&outcomes) })
    }

    /// The costs of a scheme's decisions, instance by instance, as [`StandardSet::ratios`] takes them.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn costs_of(&self, scheme: &mut dyn Scheme) -> Result<Vec<f64>, SchemeError> {
        Ok(self.decide(scheme)?.costs)
    }

    /// Q2 of a scheme's decisions; `None` if the optimum is not known.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn q2_of(&self, scheme: &mut dyn Scheme) -> Result<Option<f64>, SchemeError> {
        Ok(self.q2(&self.costs_of(scheme)?))
    }
}
