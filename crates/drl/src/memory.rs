//! The memory of an agent: the replay buffer that all networks share, and the batches that each draws from it.

use std::sync::Arc;

use model::{Codec, Lesson, Samples};
use serde::{Deserialize, Serialize};
use sim::Environment;
use sim::random::{self, Stream};

use crate::settings::Settings;

/// The replay buffer with a batch for each network.
pub(crate) struct Memory {
    buffer: ReplayBuffer,
    /// Samples in a batch.
    batch: usize,
    /// The random stream of each network.
    streams: Vec<Stream>,
    /// Rows of the buffer, `[K, batch]`; empty before the first draw.
    indices: Vec<u32>,
}

impl Memory {
    pub(crate) fn new(settings: &Settings, codec: Codec, networks: usize, seed: u64) -> Self {
        Self {
            buffer: ReplayBuffer::new(settings.buffer, codec),
            batch: settings.batch,
            streams: (0..networks).map(|network| random::stream(seed, &format!("drl batches/{network}"))).collect(),
            indices: Vec::new(),
        }
    }

    pub(crate) fn buffer(&self) -> &ReplayBuffer {
        &self.buffer
    }

    /// Remembers a sample with the network inputs that it was decided from.
    pub(crate) fn push(&mut self, sample: Sample<'_>, inputs: &[f32]) {
        self.buffer.push(sample, inputs);
    }

    /// Draws a batch for each network, from its own stream.
    pub(crate) fn draw_batches(&mut self) {
        self.indices.clear();
        let rows = self.buffer.len();
        for stream in &mut self.streams {
            self.indices.extend((0..self.batch).map(|_| random::below(stream, rows) as u32));
        }
    }

    /// The batches that were drawn last, to learn from.
    pub(crate) fn lesson(&self, learning_rate: f32) -> Lesson<'_> {
        Lesson { samples: &self.buffer.encoded, indices: &self.indices, learning_rate }
    }

    /// The rows that one network learns from; none before the first draw.
    ///
    /// # Panics
    /// If there is no such network.
    pub(crate) fn batch(&self, network: usize) -> &[u32] {
        assert!(network < self.streams.len(), "network {network} of {}", self.streams.len());
        self.indices.get(network * self.batch..).and_then(|own| own.get(..self.batch)).unwrap_or_default()
    }

    /// The positions of the streams.
    pub(crate) fn positions(&self) -> Vec<u128> {
        self.streams.iter().map(Stream::get_word_pos).collect()
    }

    /// Takes over what the memory of another agent held; see [`ReplayBuffer::refill`]. `None`: it does not fit.
    pub(crate) fn restore(
        &mut self,
        contents: &Contents,
        positions: &[u128],
        inputs: impl FnMut(&[f64], Option<&Environment>, &mut [f32]) -> Option<()>,
    ) -> Option<()> {
        if positions.len() != self.streams.len() {
            return None;
        }
        self.buffer.refill(contents, inputs)?;
        for (stream, &position) in self.streams.iter_mut().zip(positions) {
            stream.set_word_pos(position);
        }
        Some(())
    }
}

/// One workload that is remembered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample<'a> {
    /// **W**, `[N * M]`.
    pub sizes_bytes: &'a [f64],
    /// **X**: the cheapest decision found, as place indices, `[N * M]`.
    pub places: &'a [u8],
    /// S(W, X), as it is reported ([`CostModel::reported_cost`](sim::CostModel::reported_cost)).
    pub cost: f64,
    /// The environment that the cost is of, if the environment changes.
    pub environment: Option<&'a Environment>,
}

/// The samples of a [`ReplayBuffer`], row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contents {
    oldest: usize,
    sizes_bytes: Vec<f64>,
    places: Vec<u8>,
    costs: Vec<f64>,
    environments: Vec<Environment>,
}

impl Contents {
    pub(crate) fn len(&self) -> usize {
        self.costs.len()
    }

    pub(crate) fn has_environments(&self) -> bool {
        !self.environments.is_empty()
    }
}

/// The last samples, first in, first out, with the network inputs and targets that belong to them.
#[derive(Debug, Clone)]
pub struct ReplayBuffer {
    capacity: usize,
    codec: Codec,
    /// Row that the next sample takes once the buffer is full: the oldest.
    oldest: usize,
    /// Shared with the threads that learn from it while they do.
    encoded: Arc<Samples>,
    sizes_bytes: Vec<f64>,
    places: Vec<u8>,
    costs: Vec<f64>,
    /// One for each sample; empty if the environment does not change.
    environments: Vec<Environment>,
    targets: Vec<f32>,
}

impl ReplayBuffer {
    /// An empty buffer for at most `capacity` samples.
    pub fn new(capacity: usize, codec: Codec) -> Self {
        let tasks = codec.task_count();
        Self {
            capacity,
            codec,
            oldest: 0,
            encoded: Arc::new(Samples::with_capacity(codec.inputs(), codec.outputs(), capacity)),
            sizes_bytes: Vec::with_capacity(capacity * tasks),
            places: Vec::with_capacity(capacity * tasks),
            costs: Vec::with_capacity(capacity),
            environments: Vec::new(),
            targets: vec![0.0; codec.outputs()],
        }
    }

    /// All samples in the form that is written to disk; inputs and targets follow from them.
    pub(crate) fn contents(&self) -> Contents {
        let Self { oldest, sizes_bytes, places, costs, environments, .. } = self.clone();
        Contents { oldest, sizes_bytes, places, costs, environments }
    }

    /// Fills an empty buffer with the samples of another one; `inputs` writes what networks read of a sample. `None`: the
    /// samples do not fit this buffer.
    pub(crate) fn refill(
        &mut self,
        contents: &Contents,
        mut inputs: impl FnMut(&[f64], Option<&Environment>, &mut [f32]) -> Option<()>,
    ) -> Option<()> {
        let tasks = self.codec.task_count();
        let count = contents.costs.len();
        let fits = count <= self.capacity
            && contents.oldest < self.capacity.max(1)
            && (contents.oldest == 0 || count == self.capacity)
            && [contents.sizes_bytes.len(), contents.places.len()] == [count * tasks; 2]
            && [0, count].contains(&contents.environments.len())
            && contents.costs.iter().all(|cost| cost.is_finite())
            && contents.sizes_bytes.iter().copied().all(sim::is_size)
            && contents.places.iter().all(|&place| usize::from(place) < self.codec.places());
        if !self.is_empty() || !fits {
            return None;
        }
        let mut row = vec![0.0; self.codec.inputs()];
        for (index, &cost) in contents.costs.iter().enumerate() {
            let sizes_bytes = &contents.sizes_bytes[index * tasks..][..tasks];
            let environment = contents.environments.get(index);
            inputs(sizes_bytes, environment, &mut row)?;
            let places = &contents.places[index * tasks..][..tasks];
            self.push(Sample { sizes_bytes, places, cost, environment }, &row);
        }
        self.oldest = contents.oldest;
        Some(())
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.costs.len()
    }

    /// Whether the buffer holds no sample.
    pub fn is_empty(&self) -> bool {
        self.costs.is_empty()
    }

    /// Whether the next sample takes the oldest one's place.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// Adds a sample with the network inputs that it was decided from, in place of the oldest one if the buffer is full.
    ///
    /// # Panics
    /// If the sample has another number of tasks than the buffer's codec, or only some samples have an environment.
    pub fn push(&mut self, sample: Sample<'_>, inputs: &[f32]) {
        let tasks = self.codec.task_count();
        assert_eq!((sample.sizes_bytes.len(), sample.places.len()), (tasks, tasks), "tasks of a sample");
        let known = if sample.environment.is_some() { self.len() } else { 0 };
        assert_eq!(self.environments.len(), known, "environments of samples");
        self.codec.targets(sample.sizes_bytes, sample.places, &mut self.targets);
        if self.is_full() {
            let row = self.oldest;
            Arc::make_mut(&mut self.encoded).replace(row, inputs, &self.targets);
            self.sizes_bytes[row * tasks..][..tasks].copy_from_slice(sample.sizes_bytes);
            self.places[row * tasks..][..tasks].copy_from_slice(sample.places);
            self.costs[row] = sample.cost;
            if let Some(environment) = sample.environment {
                self.environments[row].clone_from(environment);
            }
            self.oldest = (row + 1) % self.capacity;
        } else {
            Arc::make_mut(&mut self.encoded).push(inputs, &self.targets);
            self.sizes_bytes.extend_from_slice(sample.sizes_bytes);
            self.places.extend_from_slice(sample.places);
            self.costs.push(sample.cost);
            self.environments.extend(sample.environment.cloned());
        }
    }

    /// The sample in one row; rows are in no particular order.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn sample(&self, row: usize) -> Sample<'_> {
        let tasks = self.codec.task_count();
        Sample {
            sizes_bytes: &self.sizes_bytes[row * tasks..][..tasks],
            places: &self.places[row * tasks..][..tasks],
            cost: self.costs[row],
            environment: self.environments.get(row),
        }
    }

    /// All samples as networks read them.
    pub fn encoded(&self) -> &Samples {
        &self.encoded
    }

    /// Mean of the costs in the buffer.
    pub fn mean_cost(&self) -> f64 {
        self.costs.iter().sum::<f64>() / self.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use model::Scaling;
    use sim::Scenario;

    use super::*;

    #[test]
    fn push_overwrites_the_oldest_when_full() {
        let model = Scenario::load("paper").expect("a preset").check().expect("valid");
        let scaling = Scaling { mean_bytes: 20e6, std_dev_bytes: 5e6 };
        let codec = Codec::new(Codec::default_code(&model), &model, scaling).expect("three places");
        let mut buffer = ReplayBuffer::new(3, codec);
        for index in 0..5_u8 {
            assert_eq!(buffer.is_full(), index >= 3);
            let (sizes_bytes, places) = ([f64::from(index) * 1e6; 9], [index % 3; 9]);
            let mut inputs = [0.0; 9];
            codec.encode(&model, &sizes_bytes, &mut inputs);
            let sample =
                Sample { sizes_bytes: &sizes_bytes, places: &places, cost: f64::from(index), environment: None };
            buffer.push(sample, &inputs);
        }
        let mut kept: Vec<_> = (0..3).map(|row| buffer.sample(row)).collect();
        kept.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        assert_eq!(kept.iter().map(|sample| sample.cost).collect::<Vec<_>>(), [2.0, 3.0, 4.0]);
        assert_eq!(kept[0].places, [2; 9]);
        assert_eq!(kept[1].sizes_bytes, [3e6; 9]);
        assert_eq!(buffer.mean_cost(), 3.0);
        // Row 0 holds sample 3, the first to overwrite.
        let (inputs, targets) = buffer.encoded().gather(&[0]);
        assert!((inputs[0] + 3.4).abs() < 1e-6, "{}", inputs[0]);
        assert_eq!(targets[..2], [1.0, model::DONT_CARE]);
    }
}
