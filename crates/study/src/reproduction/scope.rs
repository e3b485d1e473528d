//! The extent of a reproduction: scenarios, settings and seeds, and the runs that follow from them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use mrdro::files::write_file;
use mrdro::{PlannedRun, Problem, RUNS, RunPlan, Training, run_name};
use sim::Scenario;

use super::finished::FinishedRun;
use crate::error::Error;

/// The values of α in Fig. 14.
const ALPHAS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
/// The values of α in a quick look.
const QUICK_ALPHAS: [f64; 3] = [0.1, 0.5, 0.9];
/// The settings of all runs in a quick look.
const QUICK_SETTINGS: [&str; 2] = ["drl.steps=3000", "meta.metadata=3000"];
/// The folder of scenarios that are made from others.
pub(super) const SCENARIOS: &str = "scenarios";

/// Trainings with equal settings, one for each seed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Experiment {
    /// A shipped scenario or a file.
    pub(super) scenario: String,
    /// Shipped settings or a file.
    pub(super) training: String,
    /// Changed settings, `key=value`.
    pub(super) settings: Vec<String>,
    /// The number of seeds at most, for runs that take minutes.
    pub(super) most_seeds: usize,
}

impl Experiment {
    /// The command that makes the run of one seed.
    pub(super) fn command(&self, seed: &str) -> String {
        let settings: String = self.settings.iter().flat_map(|setting| [" --set ", setting]).collect();
        let Self { scenario, training, .. } = self;
        format!("cargo run -p trainer -- --scenario {scenario} --training {training}{settings} --seed {seed}")
    }
}

/// The extent of a reproduction.
#[derive(Debug)]
pub(super) struct Scope {
    /// Shipped scenarios or files.
    pub(super) scenarios: Vec<String>,
    /// Shipped settings or files.
    pub(super) trainings: Vec<String>,
    /// The seeds of every experiment.
    pub(super) seeds: Vec<u64>,
    /// Whether fewer values are tried and trainings are shorter.
    pub(super) quick: bool,
    /// The directory of the report.
    pub(super) out: PathBuf,
}

impl Scope {
    /// The settings that every run has.
    fn base(&self) -> Vec<String> {
        if self.quick { QUICK_SETTINGS.map(str::to_owned).to_vec() } else { Vec::new() }
    }

    /// An experiment with some changed settings.
    pub(super) fn experiment(&self, scenario: &str, training: &str, settings: &[String]) -> Experiment {
        Experiment {
            scenario: scenario.to_owned(),
            training: training.to_owned(),
            settings: [&self.base(), settings].concat(),
            most_seeds: usize::MAX,
        }
    }

    /// An experiment with the settings as they are.
    pub(super) fn default(&self, scenario: &str, training: &str) -> Experiment {
        self.experiment(scenario, training, &[])
    }

    /// An experiment with Algorithm 2 alone, from random networks.
    pub(super) fn random_start(&self, scenario: &str, training: &str) -> Experiment {
        self.experiment(scenario, training, &["meta.outer_steps=0".to_owned()])
    }

    /// An experiment with one changed value; the experiment of [`Scope::default`] if the settings have this value
    /// already.
    pub(super) fn varied(&self, scenario: &str, training: &str, key: &str, value: f64) -> Result<Experiment, Error> {
        let changed = self.experiment(scenario, training, &[format!("{key}={value}")]);
        let is_same = Training::load(training, &changed.settings)? == Training::load(training, &self.base())?;
        Ok(if is_same { self.default(scenario, training) } else { changed })
    }

    /// Every pair of a scenario and settings.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let trainings = || self.trainings.iter().map(String::as_str);
        self.scenarios.iter().flat_map(move |scenario| trainings().map(move |training| (scenario.as_str(), training)))
    }

    /// Whether the settings to train with include the settings of the paper.
    pub(super) fn includes_paper(&self) -> bool {
        self.trainings.iter().any(|training| training == "paper")
    }

    /// The values of α to compare schemes at.
    pub(super) fn alphas(&self) -> &'static [f64] {
        if self.quick { &QUICK_ALPHAS } else { &ALPHAS }
    }

    /// Writes a changed scenario as a file in the folder of the report and returns its path, or the name of the
    /// scenario if nothing changes.
    fn changed(&self, scenario: &str, what: &str, change: impl FnOnce(&mut Scenario)) -> Result<String, Error> {
        let original = Scenario::load(scenario)?;
        let mut changed = original.clone();
        change(&mut changed);
        if changed == original {
            return Ok(scenario.to_owned());
        }
        changed.name = format!("{}-{what}", original.name);
        let folder = self.out.join(SCENARIOS);
        let path = folder.join(format!("{}.toml", changed.name));
        let text = changed.to_toml();
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            std::fs::create_dir_all(&folder).map_err(|source| mrdro::Error::Unwritable { path: folder, source })?;
            write_file(&path, text.as_bytes())?;
        }
        Ok(path.display().to_string())
    }

    /// The scenario with another α.
    pub(super) fn with_alpha(&self, scenario: &str, alpha: f64) -> Result<String, Error> {
        self.changed(scenario, &format!("alpha{alpha}"), |scenario| scenario.alpha = alpha)
    }

    /// The scenario without its servers in the cloud. It stays as it is if it has no such server, or no other.
    pub(super) fn without_cloud(&self, scenario: &str) -> Result<String, Error> {
        self.changed(scenario, "no-cloud", Scenario::remove_clouds)
    }

    /// The scenario with another number of devices, and of tasks of each.
    pub(super) fn with_fleet(&self, scenario: &str, devices: usize, tasks: usize) -> Result<String, Error> {
        self.changed(scenario, &format!("{devices}x{tasks}"), |scenario| {
            scenario.devices.count = devices;
            scenario.tasks.per_device = tasks;
        })
    }

    /// The runs of some experiments on the device called `device`, each run once, in an order that does not change.
    pub(super) fn planned_runs(&self, experiments: &[Experiment], device: &str) -> Result<Vec<PlannedRun>, Error> {
        let mut planned = Vec::new();
        let mut known = BTreeSet::new();
        for experiment in experiments {
            if !known.insert(experiment) {
                continue;
            }
            let Experiment { scenario, training, settings, .. } = experiment;
            Problem::load(scenario)?;
            let mut plan = RunPlan::new(scenario, training, settings)?;
            device.clone_into(&mut plan.device);
            let seeds = self.seeds_of(experiment).iter();
            planned.extend(seeds.map(|&seed| PlannedRun::new(plan.clone().with_seed(seed), settings)));
        }
        Ok(planned)
    }

    fn seeds_of(&self, experiment: &Experiment) -> &[u64] {
        &self.seeds[..self.seeds.len().min(experiment.most_seeds)]
    }

    /// Reads the finished runs of an experiment, in the order of its seeds.
    pub(super) fn finished(&self, experiment: &Experiment) -> Result<Vec<FinishedRun>, Error> {
        let scenario = Scenario::load(&experiment.scenario)?.name;
        let training = Training::load(&experiment.training, &[])?.name;
        let name = |&seed: &u64| run_name(&scenario, &training, &experiment.settings, seed);
        let seeds = self.seeds_of(experiment).iter();
        seeds.map(|seed| FinishedRun::read(self.out.join(RUNS).join(name(seed)))).collect()
    }
}
