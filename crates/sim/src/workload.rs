//! Workloads: the task sizes of one moment, and where they come from.

use std::path::{Path, PathBuf};

use crate::environment::{Environment, EnvironmentSampler};
use crate::error::SizesError;
use crate::random::{self, Stream};
use crate::scenario::{Scenario, SizeDistribution};
use crate::trace::{self, BadLine, TaskFormat, TaskSizes, TraceError};
use crate::units::{BYTES_PER_MB, bytes_from_mb};

/// The largest task, in MB: beyond any that there is, and small enough for sums of squares.
pub const MAX_SIZE_MB: f64 = 1e12;

/// Whether so many bytes can be the size of a task: from 0 to [`MAX_SIZE_MB`], or as little above as rounding can bring
/// what is drawn up to there. Schemes need not end on others.
pub fn is_size(bytes: f64) -> bool {
    (0.0..=MAX_SIZE_MB * BYTES_PER_MB * (1.0 + 1e-9)).contains(&bytes)
}

/// **W**: the sizes of N × M tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    tasks: usize,
    sizes_bytes: Box<[f64]>,
}

impl Workload {
    /// A workload from sizes in bytes, device by device.
    ///
    /// # Panics
    /// If their number is not a multiple of `tasks`, the number of tasks per device, or one of them is not
    /// [`is_size`].
    pub fn from_bytes(tasks: usize, sizes_bytes: impl Into<Box<[f64]>>) -> Self {
        let sizes_bytes = sizes_bytes.into();
        assert!(
            tasks > 0 && sizes_bytes.len().is_multiple_of(tasks),
            "{} sizes are no rows of {tasks}",
            sizes_bytes.len()
        );
        assert!(sizes_bytes.iter().copied().all(is_size), "a size is negative, too large or no number");
        Self { tasks, sizes_bytes }
    }

    /// A workload from sizes in MB, device by device.
    ///
    /// # Panics
    /// If their number is not a multiple of `tasks`, the number of tasks per device, or one of them makes no sense.
    pub fn from_mb(tasks: usize, sizes_mb: &[f64]) -> Self {
        Self::from_bytes(tasks, sizes_mb.iter().copied().map(bytes_from_mb).collect::<Vec<_>>())
    }

    /// N.
    pub fn devices(&self) -> usize {
        self.sizes_bytes.len() / self.tasks
    }

    /// M.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// All sizes, device by device: entry `n * M + m` is w_nm.
    pub fn sizes_bytes(&self) -> &[f64] {
        &self.sizes_bytes
    }
}

/// Mean and spread of task sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeMoments {
    /// Mean.
    pub mean_bytes: f64,
    /// Standard deviation.
    pub deviation_bytes: f64,
}

/// Draws task sizes as a scenario says; for recorded sizes, those for training and those held out apart.
#[derive(Debug, Clone)]
pub struct SizeSampler {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Uniform { min: f64, max: f64 },
    LogUniform { min: f64, max: f64 },
    Recorded { training: Vec<f64>, held_out: Vec<f64> },
}

/// Which part of recorded sizes to draw from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What training may see.
    Training,
    /// What only evaluation may see.
    HeldOut,
}

impl SizeSampler {
    /// The sampler of a scenario; reads the file of sizes if there is one.
    ///
    /// # Errors
    /// If the file cannot be read or holds anything but sizes.
    pub fn new(scenario: &Scenario) -> Result<Self, SizesError> {
        let kind = match &scenario.tasks.size_mb {
            SizeDistribution::Uniform { min, max } => {
                Kind::Uniform { min: bytes_from_mb(*min), max: bytes_from_mb(*max) }
            }
            SizeDistribution::LogUniform { min, max } => {
                Kind::LogUniform { min: bytes_from_mb(*min), max: bytes_from_mb(*max) }
            }
            SizeDistribution::File { path, held_out } => recorded(Path::new(path), *held_out)?,
        };
        Ok(Self { kind })
    }

    /// Draws one size in bytes.
    pub fn draw(&self, part: Part, random: &mut Stream) -> f64 {
        match &self.kind {
            Kind::Uniform { min, max } => min + (max - min) * random::unit(random),
            Kind::LogUniform { min, max } => min * (max / min).powf(random::unit(random)),
            Kind::Recorded { training, held_out } => {
                let sizes = if part == Part::Training { training } else { held_out };
                sizes[random::below(random, sizes.len())]
            }
        }
    }

    /// Mean and standard deviation of the training sizes.
    pub fn moments(&self) -> SizeMoments {
        let (mean_bytes, variance) = match &self.kind {
            Kind::Uniform { min, max } => (f64::midpoint(*min, *max), (max - min).powi(2) / 12.0),
            Kind::LogUniform { min, max } if max / min > 1.0 + 1e-9 => {
                let log_range = (max / min).ln();
                let mean = (max - min) / log_range;
                (mean, (max * max - min * min) / (2.0 * log_range) - mean * mean)
            }
            Kind::LogUniform { min, .. } => (*min, 0.0),
            Kind::Recorded { training, .. } => {
                let count = training.len() as f64;
                let mean = training.iter().sum::<f64>() / count;
                (mean, training.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / count)
            }
        };
        SizeMoments { mean_bytes, deviation_bytes: variance.max(0.0).sqrt() }
    }
}

fn recorded(path: &Path, held_out: f64) -> Result<Kind, SizesError> {
    let path: PathBuf = path.to_owned();
    let TaskSizes { sizes_mb, bad, .. } = match trace::task_sizes(&path) {
        Ok(sizes) => sizes,
        Err(TraceError::NoSizes { found }) if found.format == TaskFormat::List => *found,
        Err(TraceError::Empty { .. }) => return Err(SizesError::TooFew { path, count: 0, held_out }),
        Err(TraceError::Unreadable { source, .. }) => return Err(SizesError::Unreadable { path, source }),
        Err(source) => return Err(SizesError::NoSizes(source)),
    };
    if let Some(BadLine { line, text, reason }) = bad.first.into_iter().next() {
        return Err(SizesError::BadLine { path, line, text, reason });
    }
    let sizes: Vec<f64> = sizes_mb.into_iter().map(bytes_from_mb).collect();
    let count = sizes.len();
    let (training, apart) = split(sizes, held_out);
    if training.is_empty() || (held_out > 0.0 && apart.is_empty()) {
        return Err(SizesError::TooFew { path, count, held_out });
    }
    let held_out = if held_out > 0.0 { apart } else { training.clone() };
    Ok(Kind::Recorded { training, held_out })
}

/// Sizes for training, and those held out. The split depends on the sizes alone, so that every seed and every program
/// keeps the same apart; all records of one size fall on one side, or training would see what is held out.
fn split(mut sizes: Vec<f64>, held_out: f64) -> (Vec<f64>, Vec<f64>) {
    sizes.sort_by(f64::total_cmp);
    let wanted = (sizes.len() as f64 * held_out).ceil() as usize;
    let mut groups: Vec<&[f64]> = sizes.chunk_by(|a, b| a == b).collect();
    random::shuffle(&mut random::stream(0, "held-out sizes"), &mut groups);
    let (mut training, mut apart) = (Vec::new(), Vec::new());
    for group in groups {
        let side = if apart.len() + group.len() <= wanted { &mut apart } else { &mut training };
        side.extend_from_slice(group);
    }
    (training, apart)
}

/// An endless row of workloads.
#[derive(Debug, Clone)]
pub struct Workloads {
    devices: usize,
    tasks: usize,
    sampler: SizeSampler,
    part: Part,
    random: Stream,
    environments: Option<(EnvironmentSampler, Stream)>,
}

impl Workloads {
    /// Workloads of the scenario's N and M with sizes from one part of the sampler.
    pub fn new(scenario: &Scenario, sampler: SizeSampler, part: Part, random: Stream) -> Self {
        let (devices, tasks) = (scenario.devices.count, scenario.tasks.per_device);
        Self { devices, tasks, sampler, part, random, environments: None }
    }

    /// Each workload in an environment of its own, drawn from another random stream; `None`: all in the same.
    pub fn with_environments(mut self, sampler: Option<EnvironmentSampler>, random: Stream) -> Self {
        self.environments = sampler.map(|sampler| (sampler, random));
        self
    }

    /// Whether the environment changes from workload to workload.
    pub fn changes_environment(&self) -> bool {
        self.environments.is_some()
    }

    /// Draws the environment of the next workload, if it changes; otherwise leaves everything as it is.
    pub fn next_environment(&mut self, environment: &mut Environment) {
        if let Some((sampler, random)) = &mut self.environments {
            sampler.draw(self.part, random, environment);
        }
    }

    /// Draws the sizes of one workload in bytes into `[N * M]`.
    pub fn fill(&mut self, sizes_bytes: &mut [f64]) {
        for size in sizes_bytes {
            *size = self.sampler.draw(self.part, &mut self.random);
        }
    }

    /// How much was drawn so far: of sizes, and of environments.
    pub fn position(&self) -> (u128, Option<u128>) {
        (self.random.get_word_pos(), self.environments.as_ref().map(|(_, random)| random.get_word_pos()))
    }

    /// Goes on as another row of the same seed did after [`Workloads::position`].
    pub fn seek(&mut self, (sizes, environments): (u128, Option<u128>)) {
        self.random.set_word_pos(sizes);
        if let (Some((_, random)), Some(position)) = (&mut self.environments, environments) {
            random.set_word_pos(position);
        }
    }

    /// Draws one workload.
    pub fn draw(&mut self) -> Workload {
        let mut sizes = vec![0.0; self.devices * self.tasks];
        self.fill(&mut sizes);
        Workload::from_bytes(self.tasks, sizes)
    }
}
