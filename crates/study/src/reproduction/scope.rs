//! What is reproduced: which scenarios, settings and seeds, and where the runs are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sim::Scenario;

use crate::cli::{ComputeArgs, ReproduceArgs, ThreadsArg};
use crate::commands::train;
use crate::error::AppError;
use crate::metrics::{self, Row};
use crate::run_dir::write_file;
use crate::runs::{self, Planned, RUNS, RunResults};
use crate::setup::Problem;
use mrdro::Training;

/// α of Fig. 14.
const ALPHAS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
const QUICK_ALPHAS: [f64; 3] = [0.1, 0.5, 0.9];

/// Training with one setting, once for each seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Experiment {
    /// Name or file.
    pub(super) scenario: String,
    /// Preset.
    pub(super) training: String,
    /// `key=value`.
    pub(super) settings: Vec<String>,
    /// Where one run takes minutes, as many seeds must do.
    pub(super) most_seeds: usize,
}

impl Experiment {
    /// The command that makes one of its runs.
    pub(super) fn command(&self, seed: &str) -> String {
        let settings: String = self.settings.iter().flat_map(|setting| [" --set ", setting]).collect();
        let Self { scenario, training, .. } = self;
        format!("cargo run -p trainer -- --scenario {scenario} --training {training}{settings} --seed {seed}")
    }
}

/// What is asked for.
pub(super) struct Scope {
    pub(super) scenarios: Vec<String>,
    pub(super) trainings: Vec<String>,
    pub(super) seeds: Vec<u64>,
    pub(super) quick: bool,
    pub(super) out: PathBuf,
}

impl Scope {
    /// The settings that every run has.
    fn base(&self) -> Vec<String> {
        let quick: &[&str] = &["drl.steps=3000", "meta.metadata=3000"];
        if self.quick { quick.iter().map(|&setting| setting.to_owned()).collect() } else { Vec::new() }
    }

    /// A scenario and a preset with more settings over it.
    pub(super) fn experiment(&self, scenario: &str, training: &str, settings: &[String]) -> Experiment {
        let mut all = self.base();
        all.extend(settings.iter().cloned());
        Experiment {
            scenario: scenario.to_owned(),
            training: training.to_owned(),
            settings: all,
            most_seeds: usize::MAX,
        }
    }

    /// As the preset says.
    pub(super) fn default(&self, scenario: &str, training: &str) -> Experiment {
        self.experiment(scenario, training, &[])
    }

    /// The preset with one value changed; the preset itself where that is its value.
    pub(super) fn varied(&self, scenario: &str, training: &str, key: &str, value: f64) -> Result<Experiment, AppError> {
        let changed = self.experiment(scenario, training, &[format!("{key}={value}")]);
        let same = Training::load(training, &changed.settings)? == Training::load(training, &self.base())?;
        Ok(if same { self.default(scenario, training) } else { changed })
    }

    /// Every pair of a scenario and a preset.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let trainings = || self.trainings.iter().map(String::as_str);
        self.scenarios.iter().flat_map(move |scenario| trainings().map(move |training| (scenario.as_str(), training)))
    }

    pub(super) fn alphas(&self) -> &'static [f64] {
        if self.quick { &QUICK_ALPHAS } else { &ALPHAS }
    }

    /// A scenario changed, as a file beside the report; the same name where nothing changes.
    fn changed(&self, scenario: &str, what: &str, change: impl FnOnce(&mut Scenario)) -> Result<String, AppError> {
        let original = Scenario::load(scenario)?;
        let mut changed = original.clone();
        change(&mut changed);
        if changed == original {
            return Ok(scenario.to_owned());
        }
        changed.name = format!("{}-{what}", original.name);
        let path = self.out.join("scenarios").join(format!("{}.toml", changed.name));
        let text = changed.to_toml();
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            let folder = self.out.join("scenarios");
            std::fs::create_dir_all(&folder).map_err(|source| AppError::Unwritable { path: folder, source })?;
            write_file(&path, text.as_bytes())?;
        }
        Ok(path.display().to_string())
    }

    pub(super) fn with_alpha(&self, scenario: &str, alpha: f64) -> Result<String, AppError> {
        self.changed(scenario, &format!("alpha{alpha}"), |scenario| scenario.alpha = alpha)
    }

    /// Without a cloud: what DDLO decides about. A scenario without one, or with nothing else, stays as it is.
    pub(super) fn without_cloud(&self, scenario: &str) -> Result<String, AppError> {
        self.changed(scenario, "no-cloud", Scenario::remove_clouds)
    }

    pub(super) fn with_fleet(&self, scenario: &str, devices: usize, tasks: usize) -> Result<String, AppError> {
        self.changed(scenario, &format!("{devices}x{tasks}"), |scenario| {
            scenario.devices.count = devices;
            scenario.tasks.per_device = tasks;
        })
    }

    /// All runs of some experiments, each once, in an order that does not change.
    pub(super) fn plan(
        &self,
        experiments: &[Experiment],
        device: &str,
        threads: Option<u16>,
    ) -> Result<Vec<Planned>, AppError> {
        let mut planned = Vec::new();
        let mut known = BTreeSet::new();
        for experiment in experiments {
            if !known.insert(experiment.clone()) {
                continue;
            }
            let problem = Problem::load(&experiment.scenario)?;
            let training = Training::load(&experiment.training, &experiment.settings)?;
            for &seed in self.seeds_of(experiment) {
                let compute = ComputeArgs { device: device.to_owned(), threads: ThreadsArg { threads } };
                let Experiment { scenario, training: preset, settings, .. } = experiment;
                planned.push(Planned {
                    name: runs::name(&problem.scenario.name, &training.name, settings, seed),
                    arguments: Planned::arguments(scenario, preset, settings, seed, compute),
                    configuration: train::configuration(&training, &problem.scenario, seed, device),
                    training: training.clone(),
                    scenario: problem.scenario.clone(),
                });
            }
        }
        Ok(planned)
    }

    /// The directories of an experiment's runs, seed by seed.
    pub(super) fn directories(&self, experiment: &Experiment) -> Result<Vec<PathBuf>, AppError> {
        let scenario = Scenario::load(&experiment.scenario)?.name;
        let training = Training::load(&experiment.training, &[])?.name;
        let name = |&seed: &u64| runs::name(&scenario, &training, &experiment.settings, seed);
        Ok(self.seeds_of(experiment).iter().map(|seed| self.out.join(RUNS).join(name(seed))).collect())
    }

    fn seeds_of(&self, experiment: &Experiment) -> &[u64] {
        &self.seeds[..self.seeds.len().min(experiment.most_seeds)]
    }

    /// What an experiment's finished runs found.
    pub(super) fn finished(&self, experiment: &Experiment) -> Result<Vec<Finished>, AppError> {
        self.directories(experiment)?.into_iter().map(Finished::read).collect()
    }
}

/// A run that is done.
pub(super) struct Finished {
    pub(super) path: PathBuf,
    pub(super) rows: Vec<Row<String>>,
    pub(super) results: RunResults,
}

impl Finished {
    fn read(path: PathBuf) -> Result<Self, AppError> {
        Ok(Self { rows: metrics::read(&path)?, results: RunResults::read(&path)?, path })
    }

    /// Q2 of a scheme in its comparison.
    pub(super) fn q2(&self, scheme: &str) -> Option<f64> {
        self.results.evaluations.iter().find(|evaluation| evaluation.scheme == scheme)?.q2
    }

    /// A column of its metrics over the steps of one phase.
    pub(super) fn curve(&self, phase: &str, value: impl Fn(&Row<String>) -> Option<f64>) -> Vec<(usize, f64)> {
        let of_phase = self.rows.iter().filter(|row| row.phase == phase);
        of_phase.filter_map(|row| Some((row.step, value(row)?))).collect()
    }
}

impl From<&ReproduceArgs> for Scope {
    fn from(args: &ReproduceArgs) -> Self {
        Self {
            scenarios: args.scenario.clone(),
            trainings: args.training.clone(),
            seeds: Vec::new(),
            quick: args.quick,
            out: args.out.clone(),
        }
    }
}

/// A path as a report shows it.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
