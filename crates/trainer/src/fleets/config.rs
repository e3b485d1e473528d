//! Settings of training for any fleet.

use drl::fleet::FleetSettings;
use model::MAX_PARAMETERS;
use model::fleet::FleetShape;
use serde::Serialize;
use sim::Fleets;
use sim::config::{Document, Problem, Problems, Section};

use crate::config::{merged, set};
use crate::error::AppError;

/// The preset, which files are read over.
const PRESET: (&str, &str) = ("fleet", include_str!("../../training/fleet.toml"));

const MAX_COUNT: usize = 1_000_000_000;
/// The most fleets and tasks times places that are held at once.
const MAX_HELD: usize = 1_000_000;
const MAX_DEVICES: usize = 1000;

/// Everything about training that is not the seed or the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FleetTraining {
    /// What results call it.
    pub(crate) name: String,
    network: Network,
    drl: Drl,
    /// What is drawn.
    pub(crate) fleets: Fleets,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
struct Network {
    nets: usize,
    width: usize,
    rounds: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
struct Drl {
    steps: usize,
    fleets_per_step: usize,
    rows_per_step: usize,
    buffer: usize,
    learning_rate: f64,
    final_learning_rate: f64,
    flips: usize,
    undecided: f64,
    report_every: usize,
}

impl FleetTraining {
    /// The preset or a file, with `key=value` settings over it.
    pub(crate) fn load(name_or_path: &str, settings: &[String]) -> Result<Self, AppError> {
        let mut training = Self::preset()?;
        if name_or_path != PRESET.0 {
            let path = std::path::Path::new(name_or_path);
            let text = std::fs::read_to_string(path)
                .map_err(|source| AppError::Unreadable { path: path.to_owned(), source })?;
            training.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            training = training.read(name_or_path, &text)?;
        }
        match merged(settings)? {
            None => Ok(training),
            Some((origin, text)) => training.read(&origin, &text).map_err(|mut problems| {
                // Lines and columns are those of a text that nobody wrote.
                problems.list.iter_mut().for_each(|problem| problem.place = None);
                problems.into()
            }),
        }
    }

    /// The settings that a run keeps.
    pub(crate) fn of_run(origin: &str, text: &str) -> Result<Self, AppError> {
        Ok(Self::preset()?.read(origin, text)?)
    }

    fn preset() -> Result<Self, Problems> {
        let blank =
            Self { name: String::new(), network: Network::default(), drl: Drl::default(), fleets: Fleets::default() };
        blank.read(PRESET.0, PRESET.1)
    }

    /// The same for the agent.
    pub(crate) fn settings(&self) -> FleetSettings {
        let Drl { steps, fleets_per_step, rows_per_step, buffer, .. } = self.drl;
        let Drl { learning_rate, final_learning_rate, flips, undecided, report_every, .. } = self.drl;
        let Network { nets, width, rounds } = self.network;
        let shape = FleetShape { width, rounds };
        FleetSettings {
            nets,
            shape,
            steps,
            fleets_per_step,
            rows_per_step,
            buffer,
            learning_rate,
            final_learning_rate,
            flips,
            undecided,
            report_every,
        }
    }

    fn read(mut self, origin: &str, text: &str) -> Result<Self, Problems> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        set(&mut self.name, root.optional_text("name"));
        if let Some(section) = root.optional_section("network") {
            set(&mut self.network.nets, section.optional_count("nets"));
            set(&mut self.network.width, section.optional_count("width"));
            set(&mut self.network.rounds, section.optional_count("rounds"));
            section.finish();
        }
        if let Some(section) = root.optional_section("drl") {
            self.drl.read(section);
        }
        if let Some(section) = root.optional_section("fleets") {
            for (key, range) in [
                ("devices", &mut self.fleets.devices),
                ("tasks", &mut self.fleets.tasks),
                ("edges", &mut self.fleets.edges),
            ] {
                match section.optional_counts(key).as_deref() {
                    None => {}
                    Some(&[smallest, largest]) => *range = (smallest, largest),
                    Some(_) => section.problem(key, "must be two numbers: fewest and most"),
                }
            }
            section.finish();
        }
        root.finish();
        document.report(self.mistakes())?;
        Ok(self)
    }

    fn mistakes(&self) -> Vec<Problem> {
        let mut list = Vec::new();
        let mut count = |key: &str, value: usize, smallest: usize, largest: usize| {
            if !(smallest..=largest).contains(&value) {
                list.push(Problem::new(key, format!("must lie between {smallest} and {largest}, is {value}")));
            }
        };
        count("network.nets", self.network.nets, 1, 64);
        count("network.width", self.network.width, 1, 1024);
        count("network.rounds", self.network.rounds, 1, 64);
        count("drl.steps", self.drl.steps, 1, MAX_COUNT);
        count("drl.fleets_per_step", self.drl.fleets_per_step, 1, 4096);
        count("drl.rows_per_step", self.drl.rows_per_step, 1, MAX_HELD);
        count("drl.buffer", self.drl.buffer, 1, 10_000);
        count("drl.report_every", self.drl.report_every, 1, MAX_COUNT);
        for (key, (smallest, largest), most) in [
            ("fleets.devices", self.fleets.devices, MAX_DEVICES),
            ("fleets.tasks", self.fleets.tasks, 100),
            ("fleets.edges", self.fleets.edges, 16),
        ] {
            if !(1 <= smallest && smallest <= largest && largest <= most) {
                let message = format!("must be two numbers from 1 to {most}, the first no larger than the second");
                list.push(Problem::new(key, message));
            }
        }
        let mut share = |key: &str, value: f64, zero: bool| {
            if !(value <= 1.0 && (value > 0.0 || zero && value == 0.0)) {
                let from = if zero { "between 0 and 1" } else { "above 0 and at most 1" };
                list.push(Problem::new(key, format!("must lie {from}, is {value}")));
            }
        };
        share("drl.learning_rate", self.drl.learning_rate, false);
        share("drl.final_learning_rate", self.drl.final_learning_rate, true);
        share("drl.undecided", self.drl.undecided, true);
        let shape = FleetShape { width: self.network.width, rounds: self.network.rounds };
        if shape.parameters().saturating_mul(self.network.nets) > MAX_PARAMETERS {
            list.push(Problem::new("network", format!("has more than {MAX_PARAMETERS} parameters")));
        }
        let tasks = self.fleets.devices.1.saturating_mul(self.fleets.tasks.1);
        if tasks > sim::limits::MAX_COUPLED_TASKS {
            let message = format!("up to {tasks} tasks are too many: devices that share servers have at most 4096");
            list.push(Problem::new("fleets", message));
        }
        // Run directories are called after the training.
        let odd = |c: char| c.is_control() || c == '/' || c == '\\';
        if self.name.trim().is_empty() || self.name.chars().count() > 60 || self.name.contains(odd) {
            list.push(Problem::new("name", "must be a name of at most 60 characters without slashes"));
        }
        list
    }
}

impl Drl {
    fn read(&mut self, section: Section<'_>) {
        set(&mut self.steps, section.optional_count("steps"));
        set(&mut self.fleets_per_step, section.optional_count("fleets_per_step"));
        set(&mut self.rows_per_step, section.optional_count("rows_per_step"));
        set(&mut self.buffer, section.optional_count("buffer"));
        set(&mut self.learning_rate, section.optional_number("learning_rate"));
        set(&mut self.final_learning_rate, section.optional_number("final_learning_rate"));
        set(&mut self.flips, section.optional_count("flips"));
        set(&mut self.undecided, section.optional_number("undecided"));
        set(&mut self.report_every, section.optional_count("report_every"));
        section.finish();
    }
}
