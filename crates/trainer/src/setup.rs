//! What most commands need first: the scenario with its cost model, the device, the threads.

use burn::tensor::Device;
use model::{Backend, DeviceChoice, Policy, Record, Selection};
use sim::metrics::{self, Evaluation};
use sim::scheme::Scheme;
use sim::{CostModel, Part, Scenario, SchemeError, SizeSampler, StandardSet, Workloads, random};

use crate::cli::{ComputeArgs, RecordArgs, ThreadsArg};
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

    /// Workloads for training, drawn from a random stream of their own.
    pub(crate) fn workloads(&self, seed: u64, stream: &str) -> Result<Workloads, AppError> {
        Ok(Workloads::new(&self.scenario, self.sampler()?, Part::Training, random::stream(seed, stream)))
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

/// A record, and what it decides about: its own scenario, or another that it fits.
pub(crate) fn load_record(args: &RecordArgs, device: &Device) -> Result<(Record, Problem), AppError> {
    let record = Record::load(&args.record, device)?;
    let Some(name) = &args.scenario else {
        let problem = Problem::new(record.scenario.clone())?;
        return Ok((record, problem));
    };
    let problem = Problem::load(name)?;
    record.check_scenario(&problem.scenario, args.any_rates, &args.record)?;
    Ok((record, problem))
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
