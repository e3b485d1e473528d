//! What most commands need first: the scenario with its cost model, the device, the threads.

use std::path::Path;

use burn::tensor::Device;
use data::{EnvironmentSampler, Evaluation, Part, SizeSampler, StandardSet, Workloads};
use model::{AnyRecord, Backend, DeviceChoice, DeviceKind, MAX_PARAMETERS, NetworkShape, Policy, Record, Selection};
use sim::scheme::Scheme;
use sim::{CostModel, Scenario, SchemeError, random};

use crate::cli::{ComputeArgs, EffortArgs, RecordArgs, ThreadsArg};
use crate::config::DEFAULT_FLIPS;
use crate::contain;
use crate::error::AppError;
use crate::fleets;
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

    /// Where environments come from, if they change.
    pub(crate) fn environments(&self) -> Result<Option<EnvironmentSampler>, AppError> {
        Ok(EnvironmentSampler::new(&self.scenario)?)
    }

    /// Workloads for training, drawn from a random stream of their own, and their environments from another.
    pub(crate) fn workloads(&self, seed: u64, stream: &str) -> Result<Workloads, AppError> {
        let workloads = Workloads::new(&self.model, self.sampler()?, Part::Training, random::stream(seed, stream));
        let environments = random::stream(seed, &format!("{stream}/environments"));
        Ok(workloads.with_environments(self.environments()?, environments))
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

/// Finds the device and starts the threads; says which device it is where that is not plain.
pub(crate) fn open(args: &ComputeArgs) -> Result<Backend, AppError> {
    let choice: DeviceChoice = args.device.parse()?;
    start_threads(&args.threads)?;
    let token = match &choice {
        DeviceChoice::Remote(address) if cfg!(feature = "remote") => {
            report::note(&format!("connecting to the worker at {address}"));
            token(None)?
        }
        _ => String::new(),
    };
    let backend = choice.open_with(&token)?;
    let Backend { name, description, kind, .. } = &backend;
    if choice != DeviceChoice::Auto && *kind != DeviceKind::Cpu || *kind == DeviceKind::Gpu {
        report::note(&format!("computing on {name}: {description}; `--device flex` computes on the CPU"));
    } else if choice == DeviceChoice::Auto && cfg!(feature = "wgpu") {
        let software = model::available().into_iter().find(|other| other.kind == DeviceKind::SoftwareGpu);
        let found = match software {
            Some(adapter) => format!("only one in software, {} `--device {}`", adapter.description, adapter.name),
            None => "only the CPU; a card needs its Vulkan driver".to_owned(),
        };
        report::note(&format!("computing on {name}: no graphics card was found, {found}"));
    } else if *kind == DeviceKind::Cpu && name != "flex" {
        report::note(&format!("computing on {name}: {description}"));
    }
    Ok(backend)
}

/// Finds the device and works on it.
pub(crate) fn on_device<T>(
    args: &ComputeArgs,
    work: impl FnOnce(&Backend) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let backend = open(args)?;
    contain::on_device(&backend, || work(&backend))
}

/// What is too much for memory is refused before anything is allocated or written: parameters, and samples in each of
/// these numbers.
pub(crate) fn check_sizes<const N: usize>(
    shape: &NetworkShape,
    dnns: usize,
    samples: [(&'static str, usize); N],
) -> Result<(), AppError> {
    let row = shape.inputs.saturating_mul(3).saturating_add(shape.outputs);
    let parameters = ("the parameters of network", shape.parameters().saturating_mul(dnns));
    let samples = samples.into_iter().map(|(what, count)| (what, count.saturating_mul(row)));
    for (what, count) in std::iter::once(parameters).chain(samples) {
        if count > MAX_PARAMETERS {
            return Err(AppError::TooLarge { what, count, limit: MAX_PARAMETERS });
        }
    }
    Ok(())
}

/// What clients of a worker present: the file's text, else that of the environment variable `TRAINER_TOKEN`, else nothing.
pub(crate) fn token(file: Option<&Path>) -> Result<String, AppError> {
    let (text, origin) = match file {
        Some(path) => {
            let unreadable = |source| AppError::Unreadable { path: path.to_owned(), source };
            (std::fs::read_to_string(path).map_err(unreadable)?, path.display().to_string())
        }
        None => match std::env::var("TRAINER_TOKEN") {
            Ok(text) => (text, "TRAINER_TOKEN".to_owned()),
            Err(std::env::VarError::NotPresent) => return Ok(String::new()),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(AppError::Token { origin: "TRAINER_TOKEN".to_owned() });
            }
        },
    };
    let token = text.trim();
    if !(8..=1024).contains(&token.len()) || token.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(AppError::Token { origin });
    }
    Ok(token.to_owned())
}

/// A record, and what it decides about: its own scenario, or another that it fits.
pub(crate) fn load_record(args: &RecordArgs, device: &Device) -> Result<(AnyRecord, Problem), AppError> {
    let record = AnyRecord::load(&args.record, device)?;
    let problem = match (&args.scenario, &record) {
        (Some(name), _) => Problem::load(name)?,
        (None, AnyRecord::Dnns(record)) => Problem::new(record.scenario.clone())?,
        (None, AnyRecord::Fleet(_)) => return Err(AppError::NoScenario { path: args.record.clone() }),
    };
    if let AnyRecord::Dnns(record) = &record {
        record.check_scenario(&problem.scenario, args.any_rates || args.scenario.is_none(), &args.record)?;
    }
    Ok((record, problem))
}

/// What says how to decide must fit the kind of record.
pub(crate) fn check_options(record: &AnyRecord, explore: Option<usize>, effort: &EffortArgs) -> Result<(), AppError> {
    match record {
        AnyRecord::Dnns(_) if effort.effort().is_some() => {
            let option = if effort.search_free { "--search-free" } else { "--budget" };
            Err(AppError::OtherRecord { option, wanted: "networks for any fleet" })
        }
        AnyRecord::Fleet(_) if explore.is_some() => {
            Err(AppError::OtherRecord { option: "--explore", wanted: "DNNs for one scenario" })
        }
        _ => Ok(()),
    }
}

/// Whatever record as schemes, each as it decides with more and less effort. The label tells several records apart.
pub(crate) fn all_policies(
    label: &str,
    record: &AnyRecord,
    model: &CostModel,
    device: &Device,
) -> Vec<Box<dyn Scheme>> {
    match record {
        AnyRecord::Dnns(record) => policies(label, record, model, device),
        AnyRecord::Fleet(record) => fleets::policies(label, record),
    }
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
pub(crate) fn evaluate_all(schemes: Vec<Box<dyn Scheme>>, set: &StandardSet) -> Result<Vec<Evaluation>, AppError> {
    let mut evaluations = Vec::new();
    for mut scheme in schemes {
        match data::evaluate(&mut *scheme, set) {
            Ok(evaluation) => evaluations.push(evaluation),
            Err(error @ (SchemeError::TooLarge { .. } | SchemeError::NotProved { .. })) => {
                report::note(&format!("{} is left out: {error}", scheme.name()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(evaluations)
}
