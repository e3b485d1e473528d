//! What most commands need first: the scenario with its cost model, the device, the threads.

use std::path::Path;

use burn::tensor::Device;
use model::{Backend, DeviceChoice, Policy, Record, Selection};
use sim::metrics::{self, Evaluation};
use sim::scheme::Scheme;
use sim::{CostModel, Scenario, SchemeError, SizeSampler, StandardSet};

use crate::cli::{ComputeArgs, ThreadsArg};
use crate::config::DEFAULT_FLIPS;
use crate::error::AppError;
use crate::report;

/// A scenario ready for use.
pub(crate) struct Problem {
    pub(crate) scenario: Scenario,
    pub(crate) model: CostModel,
}

impl Problem {
    pub(crate) fn load(name_or_path: &str) -> Result<Self, AppError> {
        Self::new(Scenario::load(name_or_path)?)
    }

    pub(crate) fn new(scenario: Scenario) -> Result<Self, AppError> {
        let model = scenario.check()?;
        Ok(Self { scenario, model })
    }

    pub(crate) fn sampler(&self) -> Result<SizeSampler, AppError> {
        Ok(SizeSampler::new(&self.scenario)?)
    }

    pub(crate) fn standard_set(&self) -> Result<StandardSet, AppError> {
        Ok(StandardSet::of(&self.scenario, &self.model)?)
    }
}

/// Starts the pool of threads that everything parallel uses.
pub(crate) fn start_threads(args: &ThreadsArg) -> Result<(), AppError> {
    let Some(threads) = args.threads.map(usize::from) else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().map_err(|source| AppError::Threads { threads, source })
}

/// Finds the device and starts the threads.
pub(crate) fn open(args: &ComputeArgs) -> Result<Backend, AppError> {
    let choice: DeviceChoice = args.device.parse()?;
    start_threads(&args.threads)?;
    Ok(choice.open()?)
}

/// What a record decides about: its own scenario, or another that it fits.
pub(crate) fn problem_for(
    record: &Record,
    path: &Path,
    scenario: Option<&str>,
    any_rates: bool,
) -> Result<Problem, AppError> {
    let Some(name) = scenario else { return Problem::new(record.scenario.clone()) };
    let problem = Problem::load(name)?;
    record.check_scenario(&problem.scenario, any_rates, path)?;
    Ok(problem)
}

/// A record as schemes: as the paper decides with it, and with explored candidates. The label tells several records
/// apart.
pub(crate) fn policies(label: &str, record: &Record, model: &CostModel, device: &Device) -> Vec<Box<dyn Scheme>> {
    let policy = |name: &str, selection| -> Box<dyn Scheme> {
        let name = if label.is_empty() { name.to_owned() } else { format!("{name} {label}") };
        Box::new(Policy::new(&name, &record.ensemble, record.codec(model), selection, device))
    };
    vec![policy("mr-dro", Selection::PAPER), policy("mr-dro-explored", Selection::explored(DEFAULT_FLIPS))]
}

/// Evaluates schemes one after the other, so that none disturbs another's time. A scheme that refuses the scenario's
/// size is left out, and standard error says so.
pub(crate) fn evaluate_all(
    schemes: Vec<Box<dyn Scheme>>,
    model: &CostModel,
    set: &StandardSet,
) -> Result<Vec<Evaluation>, AppError> {
    let mut evaluations = Vec::new();
    for mut scheme in schemes {
        match metrics::evaluate(&mut *scheme, model, set) {
            Ok(evaluation) => evaluations.push(evaluation),
            Err(error @ SchemeError::TooLarge { .. }) => {
                report::note(&format!("{} is left out: {error}", scheme.name()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(evaluations)
}
