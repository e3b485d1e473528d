//! Training settings: presets, files, and single values from the command line.

use std::path::Path;

use meta::{Labels, Tasks};
use model::{Choice, Code, Exploration, Selection};
use serde::Serialize;
use sim::config::{Document, Problem, Problems, Section};

use crate::error::AppError;

/// Presets that ship with the program: name and TOML text.
const PRESETS: [(&str, &str); 4] = [
    ("recommended", include_str!("../training/recommended.toml")),
    ("paper", include_str!("../training/paper.toml")),
    ("environments", include_str!("../training/environments.toml")),
    ("adaptable", include_str!("../training/adaptable.toml")),
];

/// The most DNNs in an ensemble.
const MAX_DNNS: usize = 1024;
/// The widest hidden layer.
const MAX_WIDTH: usize = 65_536;
/// The most samples, steps and the like.
const MAX_COUNT: usize = 1_000_000_000;
/// The most workloads in one step.
const MAX_WORKLOADS_PER_STEP: usize = 4096;
/// The most samples held in memory at once.
const MAX_SAMPLES: usize = 10_000_000;

/// Indicators flipped for each network where candidates are explored and nobody says how many.
pub(crate) const DEFAULT_FLIPS: usize = 6;

/// Everything about training that is not the scenario, the seed or the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Training {
    /// What results call it.
    pub(crate) name: String,
    /// The networks.
    pub(crate) network: Network,
    /// Algorithm 1.
    pub(crate) meta: meta::Settings,
    /// Algorithm 2.
    pub(crate) drl: drl::Settings,
    /// Algorithm 2 inside one environment, for `adapt`.
    pub(crate) adaptation: drl::Settings,
    /// How the trained record decides.
    pub(crate) decision: Selection,
}

/// K and the layers of each network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Network {
    /// K.
    pub(crate) dnns: usize,
    /// Widths of the hidden layers.
    pub(crate) hidden: Vec<usize>,
    /// How logits stand for placements; `None`: what fits the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
    /// Whether the networks read the environment beside the sizes; `None`: where it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reads_environment: Option<bool>,
}

impl Training {
    /// A preset by name or a file, with `key=value` settings over it.
    pub(crate) fn load(name_or_path: &str, settings: &[String]) -> Result<Self, AppError> {
        let mut training = match PRESETS.iter().find(|(name, _)| *name == name_or_path) {
            Some((name, text)) => Self::blank().read(name, text)?,
            None => Self::from_file(name_or_path)?,
        };
        let Some((origin, text)) = merged(settings)? else { return Ok(training) };
        training = training.read(&origin, &text).map_err(|mut problems| {
            // Lines and columns are those of a text that nobody wrote.
            problems.list.iter_mut().for_each(|problem| problem.place = None);
            problems
        })?;
        Ok(training)
    }

    /// The settings that a run keeps.
    pub(crate) fn of_run(origin: &str, text: &str) -> Result<Self, AppError> {
        Ok(Self::blank().read(origin, text)?)
    }

    fn from_file(path: &str) -> Result<Self, AppError> {
        let text = std::fs::read_to_string(path).map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound && !path.contains(['/', '\\', '.']) {
                AppError::UnknownTraining { name: path.to_owned() }
            } else {
                AppError::Unreadable { path: Path::new(path).to_owned(), source }
            }
        })?;
        // Settings that a file leaves out are the recommended ones.
        let (name, recommended) = PRESETS[0];
        let mut training = Self::blank().read(name, recommended)?;
        training.name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(training.read(path, &text)?)
    }

    /// What presets are read over; each of them sets everything.
    fn blank() -> Self {
        let nothing = meta::Settings {
            labels: Labels::LocalSearch,
            metadata: 1,
            workloads_per_environment: 1,
            metadata_share: 1.0,
            tasks: Tasks::Workloads,
            meta_batch: 1,
            batch: 1,
            outer_steps: 0,
            inner_steps: 1,
            inner_learning_rate: 0.01,
            inner_momentum: 0.9,
            inner_epsilon: 1e-8,
            step_size: 1.0,
            final_step_size: 1.0,
            inner_restart: true,
            report_every: 1,
        };
        let no_steps = drl::Settings {
            steps: 0,
            workloads_per_step: 1,
            buffer: 1,
            learn_from: None,
            batch: 1,
            learning_rate: 0.01,
            final_learning_rate: 0.01,
            epsilon: 1e-8,
            selection: Selection::PAPER,
            refine: false,
            report_every: 1,
        };
        Self {
            name: String::new(),
            network: Network { dnns: 1, hidden: Vec::new(), code: None, reads_environment: None },
            meta: nothing,
            drl: no_steps,
            adaptation: no_steps,
            decision: Selection::PAPER,
        }
    }

    /// The settings of a TOML text over these.
    fn read(mut self, origin: &str, text: &str) -> Result<Self, Problems> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        set(&mut self.name, root.optional_text("name"));
        if let Some(section) = root.optional_section("network") {
            self.network.read(section);
        }
        if let Some(section) = root.optional_section("meta") {
            read_meta(&mut self.meta, section);
        }
        if let Some(section) = root.optional_section("drl") {
            read_drl(&mut self.drl, section);
        }
        if let Some(section) = root.optional_section("adaptation") {
            read_drl(&mut self.adaptation, section);
        }
        if let Some(section) = root.optional_section("decision") {
            read_selection(&mut self.decision, &section);
            section.finish();
        }
        root.finish();
        document.report(self.mistakes())?;
        Ok(self)
    }

    /// The sections that hold settings of Algorithm 2.
    fn reinforcements(&self) -> [(&'static str, &drl::Settings); 2] {
        [("drl", &self.drl), ("adaptation", &self.adaptation)]
    }

    fn mistakes(&self) -> Vec<Problem> {
        let mut list = Vec::new();
        let mut count = |key: &str, value: usize, smallest: usize, largest: usize| {
            if !(smallest..=largest).contains(&value) {
                list.push(Problem::new(key, format!("must lie between {smallest} and {largest}, is {value}")));
            }
        };
        count("network.dnns", self.network.dnns, 1, MAX_DNNS);
        for (index, width) in self.network.hidden.iter().enumerate() {
            count(&format!("network.hidden[{index}]"), *width, 1, MAX_WIDTH);
        }
        count("meta.metadata", self.meta.metadata, 1, MAX_SAMPLES);
        count("meta.workloads_per_environment", self.meta.workloads_per_environment, 1, self.meta.metadata.max(1));
        count("meta.meta_batch", self.meta.meta_batch, 1, MAX_COUNT);
        count("meta.batch", self.meta.batch, 1, MAX_SAMPLES);
        count("meta.outer_steps", self.meta.outer_steps, 0, MAX_COUNT);
        count("meta.inner_steps", self.meta.inner_steps, 1, MAX_COUNT);
        count("meta.report_every", self.meta.report_every, 1, MAX_COUNT);
        for (section, settings) in self.reinforcements() {
            let mut count = |key: &str, value, smallest, largest| {
                count(&format!("{section}.{key}"), value, smallest, largest);
            };
            count("steps", settings.steps, 0, MAX_COUNT);
            count("workloads_per_step", settings.workloads_per_step, 1, MAX_WORKLOADS_PER_STEP);
            count("buffer", settings.buffer, 1, MAX_SAMPLES);
            count("learn_from", settings.learn_from.unwrap_or(0), 0, settings.buffer);
            count("batch", settings.batch, 1, MAX_SAMPLES);
            count("report_every", settings.report_every, 1, MAX_COUNT);
        }
        let mut share = |key: &str, value: f64, zero: bool| {
            if !(value <= 1.0 && (value > 0.0 || zero && value == 0.0)) {
                let from = if zero { "between 0 and 1" } else { "above 0 and at most 1" };
                list.push(Problem::new(key, format!("must lie {from}, is {value}")));
            }
        };
        share("meta.metadata_share", self.meta.metadata_share, false);
        share("meta.inner_learning_rate", self.meta.inner_learning_rate, false);
        share("meta.inner_momentum", self.meta.inner_momentum, true);
        share("meta.step_size", self.meta.step_size, false);
        share("meta.final_step_size", self.meta.final_step_size, true);
        for (section, settings) in self.reinforcements() {
            share(&format!("{section}.learning_rate"), settings.learning_rate, false);
            share(&format!("{section}.final_learning_rate"), settings.final_learning_rate, true);
        }
        let epsilons =
            self.reinforcements().map(|(section, settings)| (format!("{section}.epsilon"), settings.epsilon));
        for (key, value) in epsilons.into_iter().chain([("meta.inner_epsilon".to_owned(), self.meta.inner_epsilon)]) {
            // Below, what is divided by it could be more than a number.
            if !(1e-12..=1.0).contains(&value) {
                list.push(Problem::new(key, format!("must lie between 1e-12 and 1, is {value}")));
            }
        }
        for (section, settings) in self.reinforcements() {
            let filling = if settings.workloads_per_step == 0 { 0 } else { settings.warm_up_steps() };
            if settings.steps > 0 && settings.steps <= filling {
                let message = format!(
                    "must be 0 or more than the {filling} that fill {section}.buffer: training begins after them"
                );
                list.push(Problem::new(format!("{section}.steps"), message));
            }
        }
        if self.meta.inner_momentum == 1.0 {
            list.push(Problem::new("meta.inner_momentum", "must lie below 1: with 1 nothing is ever learned"));
        }
        if self.meta.meta_batch > 1 && !self.meta.inner_restart {
            list.push(Problem::new("meta.meta_batch", "above 1 needs inner_restart = true"));
        }
        // Run directories are called after the training.
        let odd = |c: char| c.is_control() || c == '/' || c == '\\';
        if self.name.trim().is_empty() || self.name.chars().count() > 60 || self.name.contains(odd) {
            list.push(Problem::new("name", "must be a name of at most 60 characters without slashes"));
        }
        list
    }
}

impl Network {
    fn read(&mut self, section: Section<'_>) {
        set(&mut self.dnns, section.optional_count("dnns"));
        set(&mut self.hidden, section.optional_counts("hidden"));
        let codes = [("indicators", Code::Indicators), ("categorical", Code::Categorical)];
        self.code = section.optional_choice("code", &codes).or(self.code);
        self.reads_environment = section.optional_switch("reads_environment").or(self.reads_environment);
        section.finish();
    }
}

fn read_meta(settings: &mut meta::Settings, section: Section<'_>) {
    let labels = [("greedy", Labels::Greedy), ("local-search", Labels::LocalSearch), ("exact", Labels::Exact)];
    set(&mut settings.labels, section.optional_choice("labels", &labels));
    set(&mut settings.metadata, section.optional_count("metadata"));
    set(&mut settings.workloads_per_environment, section.optional_count("workloads_per_environment"));
    set(&mut settings.metadata_share, section.optional_number("metadata_share"));
    let tasks = [("workloads", Tasks::Workloads), ("environments", Tasks::Environments)];
    set(&mut settings.tasks, section.optional_choice("tasks", &tasks));
    set(&mut settings.meta_batch, section.optional_count("meta_batch"));
    set(&mut settings.batch, section.optional_count("batch"));
    set(&mut settings.outer_steps, section.optional_count("outer_steps"));
    set(&mut settings.inner_steps, section.optional_count("inner_steps"));
    set(&mut settings.inner_learning_rate, section.optional_number("inner_learning_rate"));
    set(&mut settings.inner_momentum, section.optional_number("inner_momentum"));
    set(&mut settings.inner_epsilon, section.optional_number("inner_epsilon"));
    set(&mut settings.step_size, section.optional_number("step_size"));
    set(&mut settings.final_step_size, section.optional_number("final_step_size"));
    set(&mut settings.inner_restart, section.optional_switch("inner_restart"));
    set(&mut settings.report_every, section.optional_count("report_every"));
    section.finish();
}

fn read_drl(settings: &mut drl::Settings, section: Section<'_>) {
    set(&mut settings.steps, section.optional_count("steps"));
    set(&mut settings.workloads_per_step, section.optional_count("workloads_per_step"));
    set(&mut settings.buffer, section.optional_count("buffer"));
    settings.learn_from = section.optional_count("learn_from").or(settings.learn_from);
    set(&mut settings.batch, section.optional_count("batch"));
    set(&mut settings.learning_rate, section.optional_number("learning_rate"));
    set(&mut settings.final_learning_rate, section.optional_number("final_learning_rate"));
    set(&mut settings.epsilon, section.optional_number("epsilon"));
    read_selection(&mut settings.selection, &section);
    set(&mut settings.refine, section.optional_switch("refine"));
    set(&mut settings.report_every, section.optional_count("report_every"));
    section.finish();
}

fn read_selection(selection: &mut Selection, section: &Section<'_>) {
    let explorations = [("threshold", false), ("order-preserving", true)];
    let explores = section.optional_choice("exploration", &explorations);
    let flips = section.optional_count("flips");
    let explores = explores.unwrap_or(selection.exploration != Exploration::Threshold);
    selection.exploration = match (explores, flips, selection.exploration) {
        (true, Some(flips), _) | (true, None, Exploration::OrderPreserving { flips }) => {
            Exploration::OrderPreserving { flips }
        }
        (true, None, Exploration::Threshold) => Exploration::OrderPreserving { flips: DEFAULT_FLIPS },
        (false, None, _) => Exploration::Threshold,
        (false, Some(_), _) => {
            section.problem("flips", "needs exploration = \"order-preserving\"");
            Exploration::Threshold
        }
    };
    let choices = [("workload", Choice::Workload), ("per-device", Choice::PerDevice)];
    set(&mut selection.choice, section.optional_choice("choice", &choices));
}

/// Settings of the form `key=value` as one text, so that none has to come before another, with what messages call it.
pub(crate) fn merged(settings: &[String]) -> Result<Option<(String, String)>, AppError> {
    let mut merged = toml::Table::new();
    for setting in settings {
        let (key, value) = setting.split_once('=').ok_or_else(|| AppError::BadSetting { text: setting.clone() })?;
        // A bare word is a text: `--set meta.labels=greedy` needs no quotes for the shell to eat.
        let bare = toml::from_str(&format!("{key} = {value}"));
        let table = bare.or_else(|_| toml::from_str(&format!("{key} = {}", toml::Value::from(value))));
        merge(&mut merged, table.map_err(|_| AppError::BadSetting { text: setting.clone() })?);
    }
    let origin = format!("--set {}", settings.join(" --set "));
    let text = toml::to_string(&merged).expect("it was read from TOML just above");
    Ok((!settings.is_empty()).then_some((origin, text)))
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

pub(crate) fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key of a table, as a path.
    fn keys(table: &toml::Table) -> Vec<String> {
        let below = |(key, value): (&String, &toml::Value)| match value {
            toml::Value::Table(table) => keys(table).into_iter().map(|below| format!("{key}.{below}")).collect(),
            _ => vec![key.clone()],
        };
        table.iter().flat_map(below).collect()
    }

    #[test]
    fn presets_set_everything() {
        for (name, text) in PRESETS {
            let training = Training::load(name, &[]).expect("presets are valid");
            let resolved: toml::Table =
                toml::from_str(&toml::to_string(&training).expect("can be written")).expect("TOML");
            let written: toml::Table = toml::from_str(text).expect("TOML");
            assert_eq!(keys(&resolved), keys(&written), "{name}");
        }
    }

    #[test]
    fn a_single_setting_changes_nothing_else() {
        let setting =
            ["drl.steps=7000".to_owned(), "meta.labels=exact".to_owned(), "drl.exploration=threshold".to_owned()];
        let changed = Training::load("recommended", &setting).expect("valid");
        let mut expected = Training::load("recommended", &[]).expect("valid");
        expected.drl.steps = 7000;
        expected.meta.labels = Labels::Exact;
        expected.drl.selection.exploration = Exploration::Threshold;
        assert_eq!(changed, expected);
    }

    #[test]
    fn flips_need_exploration() {
        let settings = ["drl.flips=3".to_owned()];
        assert!(Training::load("paper", &settings).is_err());
        let explored = ["drl.flips=3".to_owned(), "drl.exploration=order-preserving".to_owned()];
        let training = Training::load("paper", &explored).expect("valid");
        assert_eq!(training.drl.selection.exploration, Exploration::OrderPreserving { flips: 3 });
    }
}
