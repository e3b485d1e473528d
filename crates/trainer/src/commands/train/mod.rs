//! `train` and `meta`: the main job, from a scenario to a record.

mod astray;
mod resume;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use data::Evaluation;
use data::StandardSet;
use drl::{Agent, AgentState};
use meta::{MetaReport, Reptile, ReptileState};
use model::{Backend, Codec, Ensemble, EnvironmentInputs, NetworkShape, Policy, Record, Samples, Scaling, Selection};
use serde::Serialize;
use sim::config::Problems;
use sim::scheme;

use crate::checkpoints::{Checkpoints, PhaseState, Saved};
use crate::cli::{Format, TrainArgs};
use crate::config::{Network, Training};
use crate::contain;
use crate::error::AppError;
use crate::interrupt;
use crate::metrics::{MetricsFile, Row};
use crate::progress::Progress;
use crate::report::{self, plot};
use crate::run_dir::RunDir;
use crate::setup::{self, Problem};

/// Trains: first parameters, then Algorithm 2, then the comparison.
pub(crate) fn train(args: &TrainArgs) -> Result<(), AppError> {
    if let Some(directory) = &args.resume {
        return resume::resume(args, directory);
    }
    let training = Training::load(&args.training, &args.settings)?;
    run(args, training, Phases::Both)
}

/// Only prepares first parameters.
pub(crate) fn meta(args: &TrainArgs) -> Result<(), AppError> {
    if let Some(directory) = &args.resume {
        return resume::resume(args, directory);
    }
    let mut training = Training::load(&args.training, &args.settings)?;
    training.drl.steps = 0;
    run(args, training, Phases::MetaOnly)
}

fn run(args: &TrainArgs, training: Training, phases: Phases) -> Result<(), AppError> {
    let problem = Problem::load(&args.scenario.scenario)?;
    let backend = setup::open(&args.compute)?;
    interrupt::listen();
    let place = Place::New(args.out.as_deref());
    let work = || Run::prepare(args, training, problem, phases, backend.clone(), place, Display::Terminal);
    contain::on_device(&backend, work)?.finish()
}

/// The directory that a run writes.
enum Place<'p> {
    /// A new one, here if anywhere was asked for.
    New(Option<&'p Path>),
    /// That of a run that did not end, with the text of its configuration and where it stood.
    Resumed { path: &'p Path, text: String, checkpoints: Checkpoints, saved: Option<Box<Saved>> },
}

/// Trains as one of many, into this directory: nothing is printed.
pub(crate) fn quietly(
    args: &TrainArgs,
    training: Training,
    problem: Problem,
    backend: &Backend,
    out: &Path,
) -> Result<(), AppError> {
    let place = Place::New(Some(out));
    let work = || Run::prepare(args, training, problem, Phases::Both, backend.clone(), place, Display::Nothing);
    contain::on_device(backend, work)?.finish()
}

/// Name of the file of the resolved configuration.
const CONFIGURATION: &str = "config.toml";

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
    /// Where the run goes on, if it does.
    state: Option<PhaseState>,
    /// Q2 of the first parameters.
    q2_start: Option<f64>,
    /// Spent before the phase that is being trained, and since when that is.
    meta_seconds: f64,
    drl_seconds: f64,
    phase_began: Instant,
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
        place: Place<'_>,
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
        let past_meta = match &place {
            Place::Resumed { saved: Some(saved), .. } => matches!(saved.state, PhaseState::Drl(_)),
            _ => false,
        };
        let learns =
            training.meta.outer_steps > 0 && (args.start.is_none() || phases == Phases::MetaOnly) && !past_meta;
        let labelled = || {
            let _sign_of_life = (display == Display::Terminal).then(|| Progress::spinner("labelling metadata"));
            label(&problem, &training.meta, &codec, args.seed.seed)
        };
        let metadata = learns.then(labelled).transpose()?;
        let labelling = begin.elapsed();
        let text = configuration(&training, &problem.scenario, args.seed.seed, &backend.name);
        let (directory, metrics, mut checkpoints, saved) = match place {
            Place::New(out) => {
                let name = format!("{}-{}-seed{}", problem.scenario.name, training.name, args.seed.seed);
                let directory = RunDir::create(out, &name)?;
                directory.write(CONFIGURATION, text.as_bytes())?;
                let metrics = MetricsFile::create(&directory)?;
                let checkpoints = Checkpoints::create(directory.path(), &resume::started(args, phases))?;
                (directory, metrics, checkpoints, None)
            }
            Place::Resumed { path, text: found, checkpoints, saved } => {
                let unresumable =
                    |reason: &str| AppError::NotResumable { run: path.to_owned(), reason: reason.to_owned() };
                if found != text {
                    return Err(unresumable("its config.toml says another device, version or network"));
                }
                let directory = RunDir::of(path);
                let kept = saved.as_ref().map(|saved| saved.rows.clone()).unwrap_or_default();
                let rows: Option<Vec<Row>> = kept.into_iter().map(Row::known).collect();
                let metrics =
                    MetricsFile::resume(&directory, rows.ok_or_else(|| unresumable("its state is of no use"))?)?;
                (directory, metrics, checkpoints, saved)
            }
        };
        checkpoints.every(args.checkpoint_every, args.checkpoint_steps.map(|steps| steps as usize));
        let (state, q2_start, meta_seconds, drl_seconds) = match saved.map(|saved| *saved) {
            Some(Saved { state, q2_start, meta_seconds, drl_seconds, .. }) => {
                (Some(state), q2_start, meta_seconds, drl_seconds)
            }
            None => (None, None, 0.0, 0.0),
        };
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
            state,
            q2_start,
            meta_seconds,
            drl_seconds,
            phase_began: Instant::now(),
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
                let kept = self.checkpoints.latest_record().map(PathBuf::into_boxed_path);
                std::mem::forget(self); // giving memory back to a device that is lost may fail once more
                AppError::DeviceFailed { device, reason, kept }
            }
            error => error,
        })
    }

    fn work(&mut self) -> Result<(), AppError> {
        let (in_meta, in_drl) = match self.state.take() {
            None => (None, None),
            Some(PhaseState::Meta(state)) => (Some(state), None),
            Some(PhaseState::Drl(state)) => (None, Some(state)),
            Some(PhaseState::Fleet(_)) => {
                let reason = "it trains for any fleet: `trainer fleet --resume` goes on with it".to_owned();
                return Err(AppError::NotResumable { run: self.directory.path().to_owned(), reason });
            }
        };
        self.meta_seconds += self.labelling.as_secs_f64();
        self.phase_began = Instant::now();
        // Whoever goes on with Algorithm 2 has its networks from there.
        let mut first = self.start.clone();
        if in_drl.is_none() {
            first = self.first_parameters(in_meta)?;
            self.meta_seconds += self.phase_began.elapsed().as_secs_f64();
            self.q2_start = self.q2(&first)?;
        }
        self.phase_began = Instant::now();
        let ensemble = self.reinforce(first, in_drl)?;
        self.drl_seconds += self.phase_began.elapsed().as_secs_f64();
        self.metrics.close()?;

        let mut record = self.record(ensemble);
        let mut schemes = scheme::classic(&self.problem.model, self.seed());
        let exact = schemes.pop();
        schemes.extend(setup::policies("", &record, &self.problem.model, &self.backend.device));
        schemes.extend(exact);
        let evaluations = setup::evaluate_all(schemes, &self.set)?;
        let measures = evaluations.iter().filter_map(|row| {
            let name = row.scheme.replace(['-', '+'], "_");
            row.q2.map(|q2| (format!("q2_{name}"), q2))
        });
        record.measures = measures.chain(self.q2_start.map(|q2| ("q2_mr_dro_before_drl".to_owned(), q2))).collect();
        let path = self.directory.path().join("record");
        // Whoever goes on with a run that ended just here finds one already.
        let _ = fs::remove_dir_all(&path);
        record.save(&path)?;
        let results = Results {
            scenario: &self.problem.scenario.name,
            training: &self.training.name,
            seed: self.seed(),
            device: &self.backend.name,
            threads: rayon::current_num_threads(),
            meta_seconds: self.meta_seconds,
            drl_seconds: self.drl_seconds,
            q2_start: self.q2_start,
            evaluations: &evaluations,
        };
        self.directory.write("results.json", &to_json(&results))?;
        self.directory.write("results.csv", report::evaluations_csv(&evaluations)?.as_bytes())?;
        let title = format!("{}, training {}, seed {}", results.scenario, results.training, results.seed);
        plot::learning_curve(&title, self.metrics.rows(), &self.directory.path().join("curves.svg"))?;
        self.checkpoints.clear();
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

    /// Algorithm 1, if there is metadata for it, from the beginning or from where it stood.
    fn first_parameters(&mut self, state: Option<ReptileState>) -> Result<Ensemble, AppError> {
        let Some(metadata) = self.metadata.take() else { return Ok(self.start.clone()) };
        let (settings, seed) = (self.training.meta, self.seed());
        let progress = self.progress("meta", settings.outer_steps);
        let device = &self.backend.device;
        let mut reptile = Reptile::new(&self.start, &metadata, self.codec.head(), settings, seed, device);
        if let Some(state) = state {
            reptile.restore(&state)?;
        }
        while let Some(MetaReport { step, loss, losses }) = reptile.advance() {
            if let Some(error) = self.astray("meta", step, &losses, reptile.ensemble(), None) {
                drop(progress);
                let found = self.find_in_meta(&metadata).unwrap_or(None);
                return Err(self.keep(found, error));
            }
            let q2 = self.q2(reptile.ensemble())?;
            progress.show(step, Some(loss), None, q2);
            self.metrics.add(Row { phase: "meta", step, loss: Some(loss), q1: None, q2, buffer_mean_cost: None })?;
            self.checkpoint("meta", step, || reptile.ensemble().clone(), || Ok(PhaseState::Meta(reptile.state()?)))?;
        }
        Ok(reptile.ensemble().clone())
    }

    /// Algorithm 2, from the beginning or from where it stood.
    fn reinforce(&mut self, first: Ensemble, state: Option<AgentState>) -> Result<Ensemble, AppError> {
        let settings = self.training.drl;
        if settings.steps == 0 {
            return Ok(first);
        }
        let mut agent = self.agent(&first)?;
        if let Some(state) = state {
            agent.restore(&state)?;
        }
        let progress = self.progress("DRL", settings.steps);
        let mut failure = None;
        let mut observe = |report: &drl::StepReport, agent: &Agent| {
            let drl::StepReport { step, loss, ref losses, q1, buffer_mean_cost } = *report;
            let ensemble = agent.ensemble();
            if let Some(error) = self.astray("drl", step, losses, &ensemble, Some(buffer_mean_cost)) {
                return stop_on_failure(Err(error), &mut failure);
            }
            let row = self.q2(&ensemble).and_then(|q2| {
                progress.show(step, loss, q1, q2);
                self.metrics.add(Row { phase: "drl", step, loss, q1, q2, buffer_mean_cost: Some(buffer_mean_cost) })?;
                self.checkpoint("drl", step, || ensemble, || Ok(PhaseState::Drl(agent.state()?)))
            });
            stop_on_failure(row, &mut failure)
        };
        agent.run(&mut observe);
        drop(progress);
        match failure {
            None => Ok(agent.ensemble()),
            Some(error @ AppError::Astray { .. }) => {
                let found = self.find_in_drl(&first).unwrap_or(None);
                Err(self.keep(found, error))
            }
            Some(error) => Err(error),
        }
    }

    /// An agent before its first step.
    fn agent(&self, first: &Ensemble) -> Result<Agent, AppError> {
        let seed = self.seed();
        let (model, workloads) = (self.problem.model.clone(), self.problem.workloads(seed, "workloads")?);
        Ok(Agent::new(model, self.codec, first, workloads, self.training.drl, seed, &self.backend.device))
    }

    /// The error of a training in which something is no number.
    fn astray(
        &self,
        phase: &'static str,
        step: usize,
        losses: &[f32],
        ensemble: &Ensemble,
        buffer_mean_cost: Option<f64>,
    ) -> Option<AppError> {
        let cost = || buffer_mean_cost.filter(|cost| !cost.is_finite()).map(|_| "the cost of a decision".to_owned());
        let what = astray::wrong(losses, ensemble).map(|(_, what)| what).or_else(cost)?;
        Some(AppError::Astray { run: self.directory.path().to_owned(), phase, step, what, found: None })
    }

    /// A bar for one phase, if anybody watches.
    fn progress(&self, phase: &'static str, steps: usize) -> Progress {
        match self.display {
            Display::Terminal => Progress::new(phase, steps),
            Display::Nothing => Progress::hidden(),
        }
    }

    /// Keeps where the run stands, if it is time or somebody wants it to end; then it ends.
    fn checkpoint(
        &mut self,
        phase: &'static str,
        step: usize,
        ensemble: impl FnOnce() -> Ensemble,
        state: impl FnOnce() -> Result<PhaseState, AppError>,
    ) -> Result<(), AppError> {
        let signal = if self.display == Display::Terminal { interrupt::requested() } else { None };
        if signal.is_none() && !self.checkpoints.due(step) {
            return Ok(());
        }
        let mut record = self.record(ensemble());
        record.provenance.insert("checkpoint".to_owned(), format!("{phase} step {step}"));
        let in_phase = self.phase_began.elapsed().as_secs_f64();
        let (in_meta, in_drl) = if phase == "meta" { (in_phase, 0.0) } else { (0.0, in_phase) };
        let saved = Saved {
            rows: self.metrics.rows().iter().map(Row::kept).collect(),
            q2_start: self.q2_start,
            meta_seconds: self.meta_seconds + in_meta,
            drl_seconds: self.drl_seconds + in_drl,
            state: state()?,
        };
        self.checkpoints.save(phase, step, |path| record.save(path), &saved)?;
        match signal {
            None => Ok(()),
            Some(signal) => Err(AppError::Interrupted { signal, run: self.directory.path().to_owned(), phase, step }),
        }
    }

    /// Q2 of the K proposals alone on the standard set.
    fn q2(&self, ensemble: &Ensemble) -> Result<Option<f64>, AppError> {
        let mut policy = Policy::new("mr-dro", ensemble, self.codec, Selection::PAPER, &self.backend.device);
        Ok(self.set.q2_of(&mut policy)?)
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
    Ok(meta::label(labels, count, per_environment, &mut workloads, codec)?.samples)
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
