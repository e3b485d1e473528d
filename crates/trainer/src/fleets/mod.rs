//! `fleet`: one record for any fleet, from nothing to a report of how good it is on fleets of all sizes.

mod config;
mod study;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use drl::fleet::{FleetAgent, FleetReport};
use model::fleet::{Effort, FleetPolicy};
use model::{Backend, DeviceChoice, FleetRecord};
use serde::Serialize;
use sim::scheme::Scheme;

use self::config::FleetTraining;
use self::study::{Case, Findings};
use crate::checkpoints::{Checkpoints, PhaseState, Saved, Started};
use crate::cli::{EvaluateArgs, FleetArgs, Format};
use crate::contain;
use crate::error::AppError;
use crate::interrupt;
use crate::metrics::{MetricsFile, Row};
use crate::progress::Progress;
use crate::report::{self, plot};
use crate::run_dir::RunDir;
use crate::setup;

const CONFIGURATION: &str = "config.toml";
/// What checkpoints call the phase.
const PHASE: &str = "fleet";
/// Prices a task of the search that follows the networks where nobody says how many.
pub(crate) const BUDGET: u64 = 16;
/// Fleets that training is watched on: so many of each size.
const WATCHED: [(usize, usize); 2] = [(3, 24), (15, 24)];

/// The resolved configuration of a run, as its directory keeps it.
#[derive(Serialize)]
struct Configuration<'a> {
    program: &'static str,
    seed: u64,
    device: &'a str,
    fleet: &'a FleetTraining,
}

/// What a run found, as its directory keeps it.
#[derive(Serialize)]
struct Results<'a> {
    training: &'a str,
    seed: u64,
    device: &'a str,
    threads: usize,
    seconds: f64,
    #[serde(flatten)]
    findings: &'a Findings,
}

/// The record that ships inside the program.
pub(crate) fn shipped() -> Result<FleetRecord, AppError> {
    let device = DeviceChoice::Flex.open().or_else(|_| DeviceChoice::Auto.open())?.device;
    Ok(FleetRecord::from_bytes(
        include_bytes!("../../../../models/any-fleet/manifest.toml"),
        include_bytes!("../../../../models/any-fleet/weights.bpk"),
        &device,
    )?)
}

/// A record for any fleet as schemes: without any search, with two passes after greedy, and with a search besides.
pub(crate) fn policies(label: &str, record: &FleetRecord) -> Vec<Box<dyn Scheme>> {
    let efforts = [Effort::SearchFree, Effort::Passes, Effort::Within(BUDGET)];
    efforts.into_iter().map(|effort| policy(label, record, effort)).collect()
}

/// One of them.
fn policy(label: &str, record: &FleetRecord, effort: Effort) -> Box<dyn Scheme> {
    let name = effort.name();
    let name = if label.is_empty() { name } else { format!("{name} {label}") };
    Box::new(FleetPolicy::new(&name, &record.ensemble, effort))
}

/// Trains, and tells how good the record is.
pub(crate) fn run(args: &FleetArgs) -> Result<(), AppError> {
    let (training, started, place) = match &args.resume {
        None => {
            let started = Started {
                scenario: String::new(),
                training: args.training.clone(),
                settings: args.settings.clone(),
                seed: args.seed.seed,
                device: args.compute.device.clone(),
                meta_only: false,
                start: None,
            };
            (FleetTraining::load(&args.training, &args.settings)?, started, None)
        }
        Some(path) => {
            let checkpoints = Checkpoints::open(path)?;
            let started = checkpoints.started(path)?;
            let unresumable = |reason: String| AppError::NotResumable { run: path.clone(), reason };
            let text = fs::read_to_string(path.join(CONFIGURATION))
                .map_err(|error| unresumable(format!("{CONFIGURATION}: {error}")))?;
            let table: toml::Table =
                toml::from_str(&text).map_err(|error| unresumable(format!("{CONFIGURATION}: {error}")))?;
            let own = table.get(PHASE).and_then(|part| toml::to_string(part).ok()).ok_or_else(|| {
                unresumable("it trains for one scenario: `trainer train --resume` goes on with it".to_owned())
            })?;
            let origin = path.join(CONFIGURATION).display().to_string();
            let training = FleetTraining::of_run(&origin, &own)?;
            (training, started, Some((path.as_path(), text, checkpoints)))
        }
    };
    let mut compute = args.compute.clone();
    if compute.device == "auto" {
        compute.device.clone_from(&started.device);
    }
    let backend = setup::open(&compute)?;
    interrupt::listen();
    let run = || Run::prepare(args, training, started, backend.clone(), place);
    contain::on_device(&backend, run)?.finish()
}

struct Run<'a> {
    args: &'a FleetArgs,
    training: FleetTraining,
    /// How the run was started, which whoever goes on with it does not say again.
    started: Started,
    backend: Backend,
    watched: Vec<Case>,
    agent: FleetAgent,
    directory: RunDir,
    metrics: MetricsFile,
    checkpoints: Checkpoints,
    /// Spent before this process, and since when it trains.
    seconds: f64,
    began: Instant,
}

impl<'a> Run<'a> {
    fn prepare(
        args: &'a FleetArgs,
        training: FleetTraining,
        started: Started,
        backend: Backend,
        resumed: Option<(&Path, String, Checkpoints)>,
    ) -> Result<Self, AppError> {
        let seed = started.seed;
        let configuration = Configuration {
            program: concat!("trainer ", env!("CARGO_PKG_VERSION")),
            seed,
            device: &backend.name,
            fleet: &training,
        };
        let text = toml::to_string(&configuration).expect("numbers, texts and tables can be written");
        let mut watched = Vec::new();
        for (devices, count) in WATCHED {
            watched.extend(study::draw("watched fleets", devices, count)?);
        }
        let mut agent = FleetAgent::new(training.settings(), training.fleets.clone(), seed, &backend.device);
        let mut seconds = 0.0;
        let (directory, metrics, mut checkpoints) = match resumed {
            None => {
                let directory = RunDir::create(args.out.as_deref(), &format!("{}-seed{seed}", training.name))?;
                directory.write(CONFIGURATION, text.as_bytes())?;
                let metrics = MetricsFile::create(&directory)?;
                let checkpoints = Checkpoints::create(directory.path(), &started)?;
                (directory, metrics, checkpoints)
            }
            Some((path, found, checkpoints)) => {
                let unresumable =
                    |reason: &str| AppError::NotResumable { run: path.to_owned(), reason: reason.to_owned() };
                if found != text {
                    return Err(unresumable("its config.toml says another device, version or network"));
                }
                let mut kept = Vec::new();
                if let Some(saved) = checkpoints.latest_state()? {
                    let PhaseState::Fleet(state) = saved.state else {
                        return Err(unresumable("its state is of no use"));
                    };
                    agent.restore(state)?;
                    (kept, seconds) = (saved.rows, saved.drl_seconds);
                }
                let rows: Option<Vec<Row>> = kept.into_iter().map(Row::known).collect();
                let directory = RunDir::of(path);
                let rows = rows.ok_or_else(|| unresumable("its state is of no use"))?;
                let metrics = MetricsFile::resume(&directory, rows)?;
                (directory, metrics, checkpoints)
            }
        };
        checkpoints.every(args.checkpoint_every, args.checkpoint_steps.map(|steps| steps as usize));
        let began = Instant::now();
        Ok(Self { args, training, started, backend, watched, agent, directory, metrics, checkpoints, seconds, began })
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
        let progress = Progress::new(PHASE, self.training.settings().steps);
        while !self.agent.is_done() {
            let FleetReport { step, losses, .. } = self.agent.advance();
            let ensemble = self.agent.ensemble();
            if let Some(net) = ensemble.first_not_finite().or(losses.iter().position(|loss| !loss.is_finite())) {
                drop(progress);
                let what = format!("a parameter or the loss of network {net}");
                let run = self.directory.path().to_owned();
                return Err(AppError::Astray { run, phase: PHASE, step, what, found: None });
            }
            let loss = losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / losses.len() as f64;
            let record = self.record(ensemble);
            let q2 = self.watch(&record)?;
            progress.show(step, Some(loss), None, Some(q2));
            self.metrics.add(Row {
                phase: "drl",
                step,
                loss: Some(loss),
                q1: None,
                q2: Some(q2),
                buffer_mean_cost: None,
            })?;
            self.checkpoint(step, record)?;
        }
        drop(progress);
        self.metrics.close()?;
        let seconds = self.seconds + self.began.elapsed().as_secs_f64();
        let mut record = self.record(self.agent.ensemble());
        let progress = Progress::new("sizes", study::DEVICES.len());
        let findings = study::run(&record, usize::from(self.args.fleets), &progress)?;
        drop(progress);
        record.measures = measures(&findings);
        let path = self.directory.path().join("record");
        // Whoever goes on with a run that ended just here finds one already.
        let _ = fs::remove_dir_all(&path);
        record.save(&path)?;
        let results = Results {
            training: &self.training.name,
            seed: self.started.seed,
            device: &self.backend.name,
            threads: rayon::current_num_threads(),
            seconds,
            findings: &findings,
        };
        self.directory.write("results.json", &report::json_of(&results)?)?;
        self.directory.write("results.csv", report::csv_text(&findings.rows)?.as_bytes())?;
        let title = format!("{}, seed {}", self.training.name, self.started.seed);
        plot::learning_curve(&title, self.metrics.rows(), &self.directory.path().join("curves.svg"))?;
        draw(&findings, &self.directory.path().join("fleets.svg"))?;
        self.checkpoints.clear();
        print(self.args.format.format, &findings)?;
        let directory = self.directory.path().display();
        report::note(&format!(
            "\ntrained in {seconds:.1} s\n\
             written to {directory}: config.toml metrics.csv results.json results.csv curves.svg fleets.svg record/\n\
             next: cargo run -p trainer -- decide --record {directory}/record --scenario shared-edges WORKLOADS.jsonl"
        ));
        Ok(())
    }

    /// Q2 without any search on fleets that training does not see.
    fn watch(&self, record: &FleetRecord) -> Result<f64, AppError> {
        let mut policy = FleetPolicy::new("watched", &record.ensemble, Effort::SearchFree);
        let mut sum = 0.0;
        for Case { instance, best } in &self.watched {
            let solution = policy.decide(&instance.model, &instance.workload)?;
            sum += (best / instance.cost(solution.decision.places())).min(1.0);
        }
        Ok(sum / self.watched.len() as f64)
    }

    /// Keeps where the run stands, if it is time or somebody wants it to end; then it ends.
    fn checkpoint(&mut self, step: usize, mut record: FleetRecord) -> Result<(), AppError> {
        let signal = interrupt::requested();
        if signal.is_none() && !self.checkpoints.due(step) {
            return Ok(());
        }
        record.provenance.insert("checkpoint".to_owned(), format!("step {step}"));
        let saved = Saved {
            rows: self.metrics.rows().iter().map(Row::kept).collect(),
            q2_start: None,
            meta_seconds: 0.0,
            drl_seconds: self.seconds + self.began.elapsed().as_secs_f64(),
            state: PhaseState::Fleet(self.agent.state()?),
        };
        self.checkpoints.save(PHASE, step, |path| record.save(path), &saved)?;
        match signal {
            None => Ok(()),
            Some(signal) => {
                Err(AppError::Interrupted { signal, run: self.directory.path().to_owned(), phase: PHASE, step })
            }
        }
    }

    fn record(&self, ensemble: model::fleet::FleetEnsemble) -> FleetRecord {
        let mut provenance = BTreeMap::new();
        let mut note = |key: &str, value: String| provenance.insert(key.to_owned(), value);
        let mut command =
            format!("cargo run -p trainer -- fleet --training {} --seed {}", self.started.training, self.started.seed);
        for setting in &self.started.settings {
            command.extend([" --set '", setting, "'"]);
        }
        note("command", command);
        note("device", self.backend.name.clone());
        note("program", concat!("trainer ", env!("CARGO_PKG_VERSION")).to_owned());
        note("seed", self.started.seed.to_string());
        note("source_revision", env!("SOURCE_REVISION").to_owned());
        note("training", self.training.name.clone());
        FleetRecord { ensemble, fleets: self.training.fleets.clone(), provenance, measures: BTreeMap::new() }
    }
}

/// How good a record is on fleets of all sizes.
pub(crate) fn evaluate(record: &FleetRecord, args: &EvaluateArgs) -> Result<(), AppError> {
    let progress = Progress::new("sizes", study::DEVICES.len());
    let findings = study::run(record, usize::from(args.fleets), &progress)?;
    drop(progress);
    if let Some(path) = &args.picture {
        draw(&findings, path)?;
    }
    print(args.format.format, &findings)
}

fn measures(findings: &Findings) -> BTreeMap<String, f64> {
    let named = |row: &study::SizeRow| {
        let scheme = row.scheme.replace(['-', '@'], "_");
        (format!("q2_{scheme}_{}_devices", row.devices), row.q2)
    };
    findings.rows.iter().map(named).collect()
}

fn draw(findings: &Findings, path: &Path) -> Result<(), AppError> {
    let svg = study::picture(findings).map_err(|reason| AppError::Picture { path: path.to_owned(), reason })?;
    crate::run_dir::write_file(path, svg.as_bytes())
}

fn print(format: Format, findings: &Findings) -> Result<(), AppError> {
    report::print(format, &findings.rows, || {
        let header = ["devices", "scheme", "Q2", "from", "to", "prices/task", "time/decision"];
        let row = |row: &study::SizeRow| {
            vec![
                row.devices.to_string(),
                row.scheme.clone(),
                format!("{:.5}", row.q2),
                format!("{:.5}", row.q2_low),
                format!("{:.5}", row.q2_high),
                format!("{:.1}", row.prices_per_task),
                report::duration(row.microseconds_per_decision * 1e-6),
            ]
        };
        let rows = report::table(&header, findings.rows.iter().map(row).collect());
        let gain = |gain: &study::Gain| {
            let study::Gain { devices, mean, low, high } = gain;
            format!("\n{devices} devices: {mean:+.5}, 95 % from {low:+.5} to {high:+.5}")
        };
        let gains: String = findings.gains.iter().map(gain).collect();
        format!("{rows}\n\nwhat mr-dro-fleet@16 gains in Q2 over local-search@16, fleet by fleet:{gains}")
    })
}
