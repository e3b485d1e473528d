//! `train` and `meta`: the main job, from a scenario to a record.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use drl::Agent;
use meta::MetaReport;
use model::{Backend, Codec, Ensemble, EnvironmentInputs, NetworkShape, Policy, Record, Samples, Scaling, Selection};
use serde::Serialize;
use sim::StandardSet;
use sim::config::Problems;
use sim::metrics::Evaluation;
use sim::scheme;

use crate::checkpoints::Checkpoints;
use crate::cli::{Format, TrainArgs};
use crate::config::{Network, Training};
use crate::contain;
use crate::error::AppError;
use crate::metrics::{MetricsFile, Row};
use crate::progress::Progress;
use crate::report::{self, plot};
use crate::run_dir::RunDir;
use crate::setup::{self, Problem};

/// Trains: first parameters, then Algorithm 2, then the comparison.
pub(crate) fn train(args: &TrainArgs) -> Result<(), AppError> {
    let training = Training::load(&args.training, &args.settings)?;
    run(args, training, Phases::Both)
}

/// Only prepares first parameters.
pub(crate) fn meta(args: &TrainArgs) -> Result<(), AppError> {
    let mut training = Training::load(&args.training, &args.settings)?;
    training.drl.steps = 0;
    run(args, training, Phases::MetaOnly)
}

fn run(args: &TrainArgs, training: Training, phases: Phases) -> Result<(), AppError> {
    let problem = Problem::load(&args.scenario.scenario)?;
    let backend = setup::open(&args.compute)?;
    let work =
        || Run::prepare(args, training, problem, phases, backend.clone(), args.out.as_deref(), Display::Terminal);
    contain::on_device(&backend, work)?.finish()
}

/// Trains as one of many, into this directory: nothing is printed.
pub(crate) fn quietly(
    args: &TrainArgs,
    training: Training,
    problem: Problem,
    backend: &Backend,
    out: &Path,
) -> Result<(), AppError> {
    let work = || Run::prepare(args, training, problem, Phases::Both, backend.clone(), Some(out), Display::Nothing);
    contain::on_device(backend, work)?.finish()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phases {
    Both,
    MetaOnly,
}

/// Who watches the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Display {
    Terminal,
    Nothing,
}

/// The resolved configuration of a run, as its directory keeps it.
#[derive(Serialize)]
struct Configuration<'a> {
    program: &'static str,
    seed: u64,
    device: &'a str,
    training: &'a Training,
    scenario: &'a sim::Scenario,
}

/// The text of `config.toml`: two runs with the same one are the same run.
pub(crate) fn configuration(training: &Training, scenario: &sim::Scenario, seed: u64, device: &str) -> String {
    let program = concat!("trainer ", env!("CARGO_PKG_VERSION"));
    let configuration = Configuration { program, seed, device, training, scenario };
    toml::to_string(&configuration).expect("numbers, texts and tables can be written")
}

/// What a run found, as its directory keeps it.
#[derive(Serialize)]
struct Results<'a> {
    scenario: &'a str,
    training: &'a str,
    seed: u64,
    device: &'a str,
    threads: usize,
    meta_seconds: f64,
    drl_seconds: f64,
    /// Q2 of the first parameters, before Algorithm 2.
    q2_start: Option<f64>,
    evaluations: &'a [Evaluation],
}

/// A run with everything it needs.
struct Run<'a> {
    args: &'a TrainArgs,
    training: Training,
    problem: Problem,
    backend: Backend,
    set: StandardSet,
    scaling: Scaling,
    codec: Codec,
    /// Where Algorithm 1 starts, or Algorithm 2 if there is no metadata.
    start: Ensemble,
    metadata: Option<Samples>,
    labelling: Duration,
    directory: RunDir,
    metrics: MetricsFile,
    checkpoints: Checkpoints,
    display: Display,
}

impl<'a> Run<'a> {
    /// Reads and checks everything, and opens the run directory last: what is wrong is found before anything is
    /// written.
    fn prepare(
        args: &'a TrainArgs,
        mut training: Training,
        problem: Problem,
        phases: Phases,
        backend: Backend,
        out: Option<&Path>,
        display: Display,
    ) -> Result<Self, AppError> {
        let sampler = problem.sampler()?;
        let mut scaling = Scaling::from(sampler.moments());
        let mut start = None;
        if let Some(path) = &args.start {
            let record = Record::load(path, &backend.device)?;
            record.check_scenario(&problem.scenario, true, path)?;
            training.network.dnns = record.ensemble.dnns();
            training.network.hidden = record.ensemble.shape().hidden;
            training.network.code = Some(record.code);
            training.network.reads_environment = Some(!record.reads.is_empty());
            scaling = record.scaling;
            start = Some((record.reads, record.ensemble));
        }
        let (reads, start) = match start {
            Some((reads, ensemble)) => (reads, Some(ensemble)),
            None => (reads(&training, &problem)?, None),
        };
        let code = training.network.code.unwrap_or_else(|| Codec::default_code(&problem.model));
        let codec = Codec::new(code, &problem.model, scaling)?.reading(reads);
        let Network { dnns, hidden, .. } = training.network.clone();
        let shape = NetworkShape { inputs: codec.inputs(), hidden, outputs: codec.outputs() };
        setup::check_sizes(
            &shape,
            dnns,
            [
                ("the samples of drl.buffer", training.drl.buffer),
                ("the samples of meta.metadata", training.meta.metadata),
            ],
        )?;
        let start = start.unwrap_or_else(|| Ensemble::random(&shape, dnns, args.seed.seed, &backend.device));
        let set = problem.standard_set()?;
        let begin = Instant::now();
        let learns = training.meta.outer_steps > 0 && (args.start.is_none() || phases == Phases::MetaOnly);
        let labelled = || {
            let _sign_of_life = (display == Display::Terminal).then(|| Progress::spinner("labelling metadata"));
            label(&problem, &training.meta, &codec, args.seed.seed)
        };
        let metadata = learns.then(labelled).transpose()?;
        let labelling = begin.elapsed();
        let name = format!("{}-{}-seed{}", problem.scenario.name, training.name, args.seed.seed);
        let directory = RunDir::create(out, &name)?;
        let text = configuration(&training, &problem.scenario, args.seed.seed, &backend.name);
        directory.write("config.toml", text.as_bytes())?;
        let metrics = MetricsFile::create(&directory)?;
        let checkpoints = Checkpoints::new(directory.path(), Duration::from_secs(args.checkpoint_every));
        Ok(Self {
            args,
            training,
            problem,
            backend,
            set,
            scaling,
            codec,
            start,
            metadata,
            labelling,
            directory,
            metrics,
            checkpoints,
            display,
        })
    }

    fn seed(&self) -> u64 {
        self.args.seed.seed
    }

    /// Does the work. What it kept until then outlives a device that is lost.
    fn finish(mut self) -> Result<(), AppError> {
        let backend = self.backend.clone();
        let result = contain::on_device(&backend, || self.work());
        result.map_err(|error| match error {
            AppError::DeviceFailed { device, reason, .. } => {
                let kept = self.checkpoints.latest().map(Box::from);
                std::mem::forget(self); // giving memory back to a device that is lost may fail once more
                AppError::DeviceFailed { device, reason, kept }
            }
            error => error,
        })
    }

    fn work(&mut self) -> Result<(), AppError> {
        let begin = Instant::now();
        let first = self.first_parameters()?;
        let meta_seconds = (self.labelling + begin.elapsed()).as_secs_f64();
        let q2_start = self.q2(&first)?;
        let begin = Instant::now();
        let ensemble = self.reinforce(first)?;
        let drl_seconds = begin.elapsed().as_secs_f64();
        self.metrics.close()?;

        let mut record = self.record(ensemble);
        let mut schemes = scheme::classic(&self.problem.model, self.seed());
        let exact = schemes.pop();
        schemes.extend(setup::policies("", &record, &self.problem.model, &self.backend.device));
        schemes.extend(exact);
        let evaluations = setup::evaluate_all(schemes, &self.problem.model, &self.set)?;
        let measures = evaluations.iter().filter_map(|row| {
            let name = row.scheme.replace(['-', '+'], "_");
            row.q2.map(|q2| (format!("q2_{name}"), q2))
        });
        record.measures = measures.chain(q2_start.map(|q2| ("q2_mr_dro_before_drl".to_owned(), q2))).collect();
        record.save(&self.directory.path().join("record"))?;
        self.checkpoints.clear();
        let results = Results {
            scenario: &self.problem.scenario.name,
            training: &self.training.name,
            seed: self.seed(),
            device: &self.backend.name,
            threads: rayon::current_num_threads(),
            meta_seconds,
            drl_seconds,
            q2_start,
            evaluations: &evaluations,
        };
        self.directory.write("results.json", &to_json(&results))?;
        self.directory.write("results.csv", report::evaluations_csv(&evaluations)?.as_bytes())?;
        let title = format!("{}, training {}, seed {}", results.scenario, results.training, results.seed);
        plot::learning_curve(&title, self.metrics.rows(), &self.directory.path().join("curves.svg"))?;
        if self.display == Display::Nothing {
            return Ok(());
        }
        self.say(&results)
    }

    /// Results for whoever started the run.
    fn say(&self, results: &Results<'_>) -> Result<(), AppError> {
        match self.args.format.format {
            Format::Json => report::write_out(&to_json(results))?,
            format => report::print_evaluations(format, results.evaluations)?,
        }
        let directory = self.directory.path().display();
        let Results { meta_seconds, drl_seconds, .. } = results;
        let total = meta_seconds + drl_seconds;
        report::note(&format!(
            "\ntrained in {total:.1} s (meta {meta_seconds:.1} s, DRL {drl_seconds:.1} s)\n\
             written to {directory}: config.toml metrics.csv results.json results.csv curves.svg record/\n\
             next: cargo run -p trainer -- decide --record {directory}/record WORKLOADS.jsonl"
        ));
        Ok(())
    }

    /// Algorithm 1, if there is metadata for it.
    fn first_parameters(&mut self) -> Result<Ensemble, AppError> {
        let start = self.start.clone();
        let Some(metadata) = self.metadata.take() else { return Ok(start) };
        let settings = self.training.meta;
        let progress = self.progress("meta", settings.outer_steps);
        let mut failure = None;
        let (codec, device, seed) = (self.codec, self.backend.device.clone(), self.seed());
        let mut observe = |report: &MetaReport<'_>| {
            let row = self.q2(report.ensemble).and_then(|q2| {
                progress.show(report.step, Some(report.loss), None, q2);
                let row = Row {
                    phase: "meta",
                    step: report.step,
                    loss: Some(report.loss),
                    q1: None,
                    q2,
                    buffer_mean_cost: None,
                };
                self.metrics.add(row)?;
                self.checkpoint("meta", report.step, || report.ensemble.clone())
            });
            stop_on_failure(row, &mut failure)
        };
        let ensemble = meta::reptile(&start, &metadata, codec.head(), &settings, seed, &device, &mut observe);
        failure.map_or(Ok(ensemble), Err)
    }

    /// Algorithm 2.
    fn reinforce(&mut self, first: Ensemble) -> Result<Ensemble, AppError> {
        let settings = self.training.drl;
        if settings.steps == 0 {
            return Ok(first);
        }
        let seed = self.seed();
        let (model, workloads) = (self.problem.model.clone(), self.problem.workloads(seed, "workloads")?);
        let mut agent = Agent::new(model, self.codec, &first, workloads, settings, seed, &self.backend.device);
        let progress = self.progress("DRL", settings.steps);
        let mut failure = None;
        let mut observe = |report: &drl::StepReport, agent: &Agent| {
            let row = self.q2(&agent.ensemble()).and_then(|q2| {
                progress.show(report.step, report.loss, report.q1, q2);
                let drl::StepReport { step, loss, q1, buffer_mean_cost } = *report;
                self.metrics.add(Row { phase: "drl", step, loss, q1, q2, buffer_mean_cost: Some(buffer_mean_cost) })?;
                self.checkpoint("drl", step, || agent.ensemble())
            });
            stop_on_failure(row, &mut failure)
        };
        agent.run(&mut observe);
        failure.map_or_else(|| Ok(agent.ensemble()), Err)
    }

    /// A bar for one phase, if anybody watches.
    fn progress(&self, phase: &'static str, steps: usize) -> Progress {
        match self.display {
            Display::Terminal => Progress::new(phase, steps),
            Display::Nothing => Progress::hidden(),
        }
    }

    /// Keeps the networks as they are now, if it is time.
    fn checkpoint(&mut self, phase: &str, step: usize, ensemble: impl FnOnce() -> Ensemble) -> Result<(), AppError> {
        if !self.checkpoints.due() {
            return Ok(());
        }
        let mut record = self.record(ensemble());
        record.provenance.insert("checkpoint".to_owned(), format!("{phase} step {step}"));
        Ok(self.checkpoints.save(&format!("{phase}-{step:08}"), &record)?)
    }

    /// Q2 of the K proposals alone on the standard set.
    fn q2(&self, ensemble: &Ensemble) -> Result<Option<f64>, AppError> {
        let mut policy = Policy::new("mr-dro", ensemble, self.codec, Selection::PAPER, &self.backend.device);
        Ok(self.set.q2_of(&mut policy, &self.problem.model)?)
    }

    fn record(&self, ensemble: Ensemble) -> Record {
        let mut provenance = BTreeMap::new();
        let mut note = |key: &str, value: String| provenance.insert(key.to_owned(), value);
        note("command", self.command());
        note("device", self.backend.name.clone());
        note("program", concat!("trainer ", env!("CARGO_PKG_VERSION")).to_owned());
        note("seed", self.seed().to_string());
        note("source_revision", env!("SOURCE_REVISION").to_owned());
        note("training", self.training.name.clone());
        Record {
            ensemble,
            scenario: self.problem.scenario.clone(),
            code: self.codec.code(),
            scaling: self.scaling,
            reads: self.codec.reads(),
            selection: self.training.decision,
            provenance,
            measures: BTreeMap::new(),
        }
    }

    /// The command that makes this record again.
    fn command(&self) -> String {
        let TrainArgs { scenario, training, settings, seed, start, compute, .. } = self.args;
        let meta = if self.training.drl.steps == 0 { " meta" } else { " train" };
        let mut command =
            format!("cargo run -p trainer --{meta} --scenario {} --training {training}", scenario.scenario);
        let mut add = |option: &str, value: &str| {
            let quote = if value.contains([' ', '"', '$', '\\', '[']) { "'" } else { "" };
            command.extend([" --", option, " ", quote, value, quote]);
        };
        add("seed", &seed.seed.to_string());
        if let Some(start) = start {
            add("start", &start.display().to_string());
        }
        if compute.device != "auto" {
            add("device", &compute.device);
        }
        for setting in settings {
            add("set", setting);
        }
        command
    }
}

/// Labels the metadata of Algorithm 1.
fn label(problem: &Problem, settings: &meta::Settings, codec: &Codec, seed: u64) -> Result<Samples, AppError> {
    let mut workloads = problem.workloads(seed, "metadata")?;
    let per_environment = settings.workloads_per_environment;
    let (labels, count) = (settings.labels, settings.metadata);
    Ok(meta::label(labels, count, per_environment, &mut workloads, &problem.model, codec)?.samples)
}

/// What the networks read beside the sizes: everything that changes, unless they are not to.
fn reads(training: &Training, problem: &Problem) -> Result<EnvironmentInputs, AppError> {
    match problem.environments()? {
        Some(environments) if training.network.reads_environment != Some(false) => Ok(environments.moments().into()),
        None if training.network.reads_environment == Some(true) => {
            let key = "network.reads_environment";
            let message = format!(
                "needs a scenario with an [environment] that changes, which `{}` has not",
                problem.scenario.name
            );
            Err(Problems {
                origin: format!("training `{}`", training.name),
                list: vec![sim::config::Problem::new(key, message)],
            }
            .into())
        }
        _ => Ok(EnvironmentInputs::default()),
    }
}

fn to_json(results: &Results<'_>) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(results).expect("numbers and texts can be written");
    json.push(b'\n');
    json
}

fn stop_on_failure(result: Result<(), AppError>, failure: &mut Option<AppError>) -> ControlFlow<()> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            *failure = Some(error);
            ControlFlow::Break(())
        }
    }
}
