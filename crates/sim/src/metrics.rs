//! Measures: Q1 (24), Q2 (25), and the comparison of schemes on a frozen standard set.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cost::CostModel;
use crate::environment::{Environment, EnvironmentSampler};
use crate::error::{DataError, EnvironmentError, SchemeError};
use crate::random;
use crate::scenario::Scenario;
use crate::scheme::{Exact, Scheme, Solution};
use crate::workload::{Part, SizeSampler, Workload, Workloads};

/// Workloads in the paper's standard set.
pub const STANDARD_SET_SIZE: usize = 512;

/// Q1, eq. (24): how far recorded and newly obtained costs agree. Measures convergence, not quality.
///
/// ```
/// assert_eq!(sim::metrics::q1(&[10.0, 20.0], &[10.0, 40.0]), 0.75);
/// ```
pub fn q1(recorded: &[f64], obtained: &[f64]) -> f64 {
    let ratios = recorded.iter().zip(obtained).map(|(a, b)| ratio(a.min(*b), a.max(*b)));
    ratios.sum::<f64>() / recorded.len() as f64
}

/// Q2, eq. (25): mean ratio of the optimal to the obtained cost.
///
/// ```
/// assert_eq!(sim::metrics::q2(&[10.0, 30.0], &[20.0, 30.0]), 0.75);
/// ```
pub fn q2(optimal: &[f64], obtained: &[f64]) -> f64 {
    let ratios = optimal.iter().zip(obtained).map(|(optimal, obtained)| ratio(*optimal, *obtained));
    ratios.sum::<f64>() / optimal.len() as f64
}

/// Lower to higher cost. Where both are nothing they agree.
fn ratio(lower: f64, higher: f64) -> f64 {
    if lower == higher { 1.0 } else { lower / higher }
}

/// Workloads that every scheme is measured on, with their optimal costs where these can be computed.
#[derive(Debug, Clone)]
pub struct StandardSet {
    workloads: Vec<Workload>,
    /// One for each workload, if the environment changes.
    environments: Option<Vec<Environment>>,
    optimal: Option<Vec<f64>>,
}

impl StandardSet {
    /// The frozen standard set of a scenario: the same workloads for every seed; of the sizes held out from training
    /// if they are recorded ones.
    ///
    /// # Errors
    /// If the scenario's file of sizes or its recordings cannot be read.
    pub fn of(scenario: &Scenario, model: &CostModel) -> Result<Self, DataError> {
        Ok(Self::unsolved(scenario)?.solved(model))
    }

    /// The same without the optimal costs, which take long where servers are shared.
    ///
    /// # Errors
    /// As [`StandardSet::of`].
    pub fn unsolved(scenario: &Scenario) -> Result<Self, DataError> {
        let random = random::stream(0, "standard set");
        let mut source = Workloads::new(scenario, SizeSampler::new(scenario)?, Part::HeldOut, random)
            .with_environments(EnvironmentSampler::new(scenario)?, random::stream(0, "standard environments"));
        let mut environment = scenario.own_environment();
        let mut environments = source.changes_environment().then(Vec::new);
        let mut workloads = Vec::with_capacity(STANDARD_SET_SIZE);
        for _ in 0..STANDARD_SET_SIZE {
            if let Some(environments) = &mut environments {
                source.next_environment(&mut environment);
                environments.push(environment.clone());
            }
            workloads.push(source.draw());
        }
        Ok(Self { workloads, environments, optimal: None })
    }

    /// A set of given workloads, all in the model's environment.
    pub fn new(model: &CostModel, workloads: Vec<Workload>) -> Self {
        Self { workloads, environments: None, optimal: None }.solved(model)
    }

    /// A set of given workloads, each in its own environment.
    ///
    /// # Errors
    /// If an environment is not one of the model's.
    ///
    /// # Panics
    /// If there are more or fewer environments than workloads.
    pub fn in_environments(
        model: &CostModel,
        workloads: Vec<Workload>,
        environments: Vec<Environment>,
    ) -> Result<Self, EnvironmentError> {
        assert_eq!(workloads.len(), environments.len(), "workloads and environments");
        environments.iter().try_for_each(|environment| environment.check(model.devices(), model.places() - 1))?;
        Ok(Self { workloads, environments: Some(environments), optimal: None }.solved(model))
    }

    fn solved(mut self, model: &CostModel) -> Self {
        let optimum = |exact: &mut Exact, index: usize| {
            let (model, workload) = (self.model(model, index), &self.workloads[index]);
            let solution = exact.decide(&model, workload)?;
            Ok(model.evaluate(workload, &solution.decision).cost)
        };
        // The first refusal stands for all: workloads of one shape are equally hard to within a factor.
        let all = (0..self.workloads.len()).into_par_iter();
        self.optimal = all.map_init(Exact::new, optimum).collect::<Result<Vec<f64>, SchemeError>>().ok();
        self
    }

    /// What prices one of the workloads: the model, in the workload's environment.
    ///
    /// # Panics
    /// If there is no such workload, or the model is for another fleet than the set.
    pub fn model<'m>(&self, model: &'m CostModel, index: usize) -> Cow<'m, CostModel> {
        match &self.environments {
            None => Cow::Borrowed(model),
            Some(all) => Cow::Owned(model.entered(&all[index]).expect("environments were checked or drawn")),
        }
    }

    /// The environment of each workload, if it changes.
    pub fn environments(&self) -> Option<&[Environment]> {
        self.environments.as_deref()
    }

    /// The workloads.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// Their optimal costs; `None` if the exact search refused.
    pub fn optimal(&self) -> Option<&[f64]> {
        self.optimal.as_deref()
    }

    /// Q2 of these costs, one for each workload; `None` if the optimum is not known.
    pub fn q2(&self, costs: &[f64]) -> Option<f64> {
        self.optimal().map(|optimal| q2(optimal, costs))
    }

    /// Optimal to obtained cost of each workload; `None` if the optimum is not known.
    pub fn ratios(&self, costs: &[f64]) -> Option<Vec<f64>> {
        let ratios = self.optimal()?.iter().zip(costs).map(|(optimal, cost)| ratio(*optimal, *cost));
        Some(ratios.collect())
    }

    /// What it costs to do as a scheme decides, workload by workload; all are decided at once.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn costs_of(&self, scheme: &mut dyn Scheme, model: &CostModel) -> Result<Vec<f64>, SchemeError> {
        let cost = |model: &CostModel, workload: &Workload, solution: &Solution| {
            model.cost(workload.sizes_bytes(), solution.decision.places())
        };
        if self.environments.is_none() {
            let solutions = scheme.decide_all(model, &self.workloads)?;
            let priced = self.workloads.iter().zip(&solutions);
            return Ok(priced.map(|(workload, solution)| cost(model, workload, solution)).collect());
        }
        let one = |(index, workload)| {
            let model = self.model(model, index);
            Ok(cost(&model, workload, &scheme.decide(&model, workload)?))
        };
        self.workloads.iter().enumerate().map(one).collect()
    }

    /// Q2 of what a scheme decides; `None` if the optimum is not known.
    ///
    /// # Errors
    /// If the scheme gives no decision.
    pub fn q2_of(&self, scheme: &mut dyn Scheme, model: &CostModel) -> Result<Option<f64>, SchemeError> {
        Ok(self.q2(&self.costs_of(scheme, model)?))
    }
}

/// How one scheme did on a standard set: means over its workloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The scheme's name.
    pub scheme: String,
    /// Mean energy.
    pub mean_energy_j: f64,
    /// Mean time.
    pub mean_time_s: f64,
    /// Mean cost.
    pub mean_cost: f64,
    /// Q2, eq. (25).
    pub q2: Option<f64>,
    /// 5th percentile of the single ratios that Q2 is the mean of.
    pub q2_p05: Option<f64>,
    /// Prices asked of the cost model for one decision.
    pub evaluations_per_decision: f64,
    /// Median time of one decision, taken singly on one thread.
    pub seconds_per_decision: f64,
}

/// Lets a scheme decide every workload of the set, one by one, prices what it says and takes the time.
///
/// # Errors
/// If the scheme gives no decision.
pub fn evaluate(scheme: &mut dyn Scheme, model: &CostModel, set: &StandardSet) -> Result<Evaluation, SchemeError> {
    let count = set.workloads().len();
    let mut costs = Vec::with_capacity(count);
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    let (mut energy_j, mut time_s, mut evaluations) = (0.0, 0.0, 0);
    for (index, workload) in set.workloads().iter().enumerate() {
        let model = &*set.model(model, index);
        let start = Instant::now();
        let solution = scheme.decide(model, workload)?;
        times.push(start.elapsed());
        let outcome = model.evaluate(workload, &solution.decision);
        energy_j += outcome.energy_j;
        time_s += outcome.time_s;
        evaluations += solution.evaluations;
        costs.push(outcome.cost);
    }
    times.sort_unstable();
    let ratios = set.ratios(&costs).map(|mut ratios| {
        ratios.sort_unstable_by(f64::total_cmp);
        ratios
    });
    let per_decision = 1.0 / count as f64;
    Ok(Evaluation {
        scheme: scheme.name().to_owned(),
        mean_energy_j: energy_j * per_decision,
        mean_time_s: time_s * per_decision,
        mean_cost: costs.iter().sum::<f64>() * per_decision,
        q2: set.q2(&costs),
        q2_p05: ratios.map(|ratios| ratios[count / 20]),
        evaluations_per_decision: evaluations as f64 * per_decision,
        seconds_per_decision: times[count / 2].as_secs_f64(),
    })
}
