//! Where task sizes come from: distributions, and files of recorded sizes.

use std::path::{Path, PathBuf};

use sim::Scenario;
use sim::random::{self, Stream};
use sim::scenario::SizeDistribution;
use sim::units::bytes_from_mb;

use crate::bad_lines::{BadLine, Reason};
use crate::part::Part;
use crate::task_files::{TaskFileError, TaskFormat, TaskSizes, task_sizes};

/// Mean and standard deviation of task sizes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeMoments {
    /// Mean.
    pub mean_bytes: f64,
    /// Standard deviation.
    pub std_dev_bytes: f64,
}

/// Draws task sizes from a scenario's distribution. Recorded sizes are split into a training part and a held-out part.
#[derive(Debug, Clone)]
pub struct SizeSampler {
    kind: Kind,
}

/// All sizes in bytes.
#[derive(Debug, Clone)]
enum Kind {
    Uniform { min: f64, max: f64 },
    LogUniform { min: f64, max: f64 },
    Recorded { training: Vec<f64>, held_out: Vec<f64> },
}

impl SizeSampler {
    /// The sampler of a scenario. Reads the file of sizes if the scenario names one.
    ///
    /// # Errors
    /// If the file cannot be read, holds anything but sizes, or too few of them.
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

    /// Draws sizes in bytes, as many calls of [`SizeSampler::draw`] would.
    ///
    /// ```
    /// use data::{Part, SizeSampler};
    /// use sim::{Scenario, random};
    ///
    /// let sampler = SizeSampler::new(&Scenario::load("paper")?)?;
    /// let (mut random, mut sizes) = (random::stream(1, "sizes"), [0.0; 9]);
    /// sampler.fill(Part::Training, &mut random.clone(), &mut sizes);
    /// assert!(sizes.iter().all(|size| *size == sampler.draw(Part::Training, &mut random)));
    /// assert!(sizes.iter().all(|size| *size <= sampler.largest_bytes()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fill(&self, part: Part, random: &mut Stream, sizes_bytes: &mut [f64]) {
        match &self.kind {
            Kind::Uniform { min, max } => {
                for bytes in sizes_bytes {
                    *bytes = min + (max - min) * random::unit(random);
                }
            }
            _ => sizes_bytes.iter_mut().for_each(|bytes| *bytes = self.draw(part, random)),
        }
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

    /// The largest size in bytes that can be drawn from any part.
    pub fn largest_bytes(&self) -> f64 {
        match &self.kind {
            Kind::Uniform { max, .. } | Kind::LogUniform { max, .. } => *max,
            Kind::Recorded { training, held_out } => training.iter().chain(held_out).copied().fold(0.0, f64::max),
        }
    }

    /// Mean and standard deviation of the sizes that training sees.
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
        SizeMoments { mean_bytes, std_dev_bytes: variance.max(0.0).sqrt() }
    }
}

fn recorded(path: &Path, held_out: f64) -> Result<Kind, SizesError> {
    let path: PathBuf = path.to_owned();
    let TaskSizes { sizes_mb, bad, .. } = match task_sizes(&path) {
        Ok(sizes) => sizes,
        Err(TaskFileError::NoSizes { found }) if found.format == TaskFormat::List => *found,
        Err(TaskFileError::Empty { .. }) => return Err(SizesError::TooFew { path, count: 0, held_out }),
        Err(TaskFileError::Unreadable { source, .. }) => return Err(SizesError::Unreadable { path, source }),
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

/// Splits sizes into a training part and a held-out part. The split depends on the sizes alone, so that every seed and
/// every program holds out the same sizes. All records of one size are in one part; otherwise training would see
/// held-out sizes.
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

/// Why task sizes cannot be drawn from a file.
#[derive(Debug, thiserror::Error)]
pub enum SizesError {
    /// The file cannot be read.
    #[error("cannot read the task sizes {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not a size.
    #[error("{}, line {line}: must be one size in MB, above 0 and at most 1e12, is `{text}` ({reason})", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// The beginning of the line.
        text: String,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The file is no list of sizes and no workflow.
    #[error(transparent)]
    NoSizes(TaskFileError),
    /// There are too few sizes to hold some out for evaluation.
    #[error("{}: {count} sizes cannot be split into a share of {held_out} for evaluation and others for training: there are too few, or too few different ones", path.display())]
    TooFew {
        /// The file.
        path: PathBuf,
        /// The number of sizes in it.
        count: usize,
        /// The share that was to be held out.
        held_out: f64,
    },
}
