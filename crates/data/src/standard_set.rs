//! The standard set: instances that every scheme is measured on.

use rayon::prelude::*;
use sim::metrics::{cost_ratio, q2};
use sim::scheme::{self, Exact, Scheme};
use sim::{CostModel, Instance, Scenario, SchemeError, Workload, random};

use crate::environments::{DataError, EnvironmentSampler};
use crate::part::Part;
use crate::sizes::SizeSampler;
use crate::workloads::Workloads;

/// The number of workloads in the paper's standard set.
pub const STANDARD_SET_SIZE: usize = 512;

/// Instances that every scheme is measured on, with their optimal costs where these can be computed.
#[derive(Debug, Clone)]
pub struct StandardSet {
    instances: Vec<Instance>,
    optimal: Option<Vec<f64>>,
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
        Ok(Self { instances, optimal: None })
    }

    /// A set of given instances, with their optimal costs.
    pub fn new(instances: Vec<Instance>) -> Self {
        Self { instances, optimal: None }.solved()
    }

    fn solved(mut self) -> Self {
        let optimum = |exact: &mut Exact, instance: &Instance| {
            let solution = exact.decide(&instance.model, &instance.workload)?;
            Ok(instance.evaluate(&solution.decision).cost)
        };
        // The first refusal stands for all: workloads of one shape are equally hard to within a factor.
        let all = self.instances.par_iter();
        self.optimal = all.map_init(Exact::new, optimum).collect::<Result<Vec<f64>, SchemeError>>().ok();
        self
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

    /// The costs of a scheme's decisions, instance by instance. All are decided at once if they are in one environment.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn costs_of(&self, scheme: &mut dyn Scheme) -> Result<Vec<f64>, SchemeError> {
        let solutions = scheme::decide_instances(scheme, &self.instances)?;
        let decided = self.instances.iter().zip(&solutions);
        Ok(decided.map(|(instance, solution)| instance.cost(solution.decision.places())).collect())
    }

    /// Q2 of a scheme's decisions; `None` if the optimum is not known.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn q2_of(&self, scheme: &mut dyn Scheme) -> Result<Option<f64>, SchemeError> {
        Ok(self.q2(&self.costs_of(scheme)?))
    }
}
