//! Applications drawn at random.

use serde::Serialize;

use super::application::{Application, GraphEdge, GraphTask};
use super::layers::{Layer, LayerKind, Network, chain_of_layers};
use crate::random::{self, Stream};
use crate::tasks::scenario::Range;
use crate::units::bytes_from_mb;

/// A distribution of one number.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Values {
    /// Always the same.
    Fixed(f64),
    /// Any number of a range.
    Range(Range),
    /// One of these, all equally likely.
    OneOf {
        /// The numbers.
        values: Vec<f64>,
    },
}

impl Values {
    /// Draws a number.
    ///
    /// # Panics
    /// If it is to be one of no numbers.
    pub fn draw(&self, random: &mut Stream) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Range(Range::Uniform { min, max }) => min + (max - min) * random::unit(random),
            Self::Range(Range::LogUniform { min, max }) => (min * (max / min).powf(random::unit(random))).min(*max),
            Self::OneOf { values } => values[random::below(random, values.len())],
        }
    }

    /// The smallest and the largest number.
    pub(super) fn limits(&self) -> (f64, f64) {
        match self {
            Self::Fixed(value) => (*value, *value),
            Self::Range(Range::Uniform { min, max } | Range::LogUniform { min, max }) => (*min, *max),
            Self::OneOf { values } => {
                let fold = |start, f: fn(f64, f64) -> f64| values.iter().copied().fold(start, f);
                (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
            }
        }
    }
}

/// Random applications of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Generator {
    /// Layers of tasks that wait for tasks of the layer before.
    Layered(Layered),
    /// Tasks that wait for each other along a line, a tree or a graph of calls.
    Called(Called),
    /// The layers of a known network; every application is the same.
    Network(Network),
    /// The layers of any network; every application is the same.
    Layers(LayerTable),
}

/// The layers of a network, as a person writes them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerTable {
    /// The size of an input, in KB = 10^3 bytes.
    pub input_kb: f64,
    /// The layers, from the input on. Their names are different, and none is `input` or `output`.
    #[serde(rename = "layer")]
    pub layers: Vec<LayerRow>,
}

/// A layer of a [`LayerTable`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerRow {
    /// The name.
    pub name: String,
    /// The kind; `None`: it is not said, and then no place may predict times from measured layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<LayerKind>,
    /// 10^6 floating-point operations.
    pub mflop: f64,
    /// The size of its weights, in MB.
    pub weights_mb: f64,
    /// The size of its output, in KB = 10^3 bytes.
    pub output_kb: f64,
}

impl LayerTable {
    fn application(&self) -> Application {
        let layer = |row: &LayerRow| Layer {
            name: row.name.clone(),
            kind: row.kind,
            operations: 1e6 * row.mflop,
            weights_bytes: bytes_from_mb(row.weights_mb),
            output_bytes: 1e3 * row.output_kb,
        };
        chain_of_layers(&self.layers.iter().map(layer).collect::<Vec<_>>(), 1e3 * self.input_kb)
    }
}

/// The number of tasks of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TaskCount {
    /// Always the same.
    Fixed(usize),
    /// Fewest and most; all numbers between are equally likely.
    Between(usize, usize),
}

impl TaskCount {
    /// Fewest and most.
    pub fn limits(self) -> (usize, usize) {
        match self {
            Self::Fixed(count) => (count, count),
            Self::Between(fewest, most) => (fewest, most),
        }
    }

    fn draw(self, random: &mut Stream) -> usize {
        match self {
            Self::Fixed(count) => count,
            Self::Between(fewest, most) => fewest + random::below(random, most - fewest + 1),
        }
    }
}

/// Layered graphs as the tool daggen makes them, from its description: layers of about n^width tasks, each of which waits
/// for some of the layer before.
///
/// MRLCO's graphs have 20 tasks, width and density from 0.4 to 0.8, regularity 0.5, results of 5 to 50 MiB and a ratio of 0.3,
/// 0.4 or 0.5.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layered {
    /// n, the number of tasks.
    pub tasks: TaskCount,
    /// A layer has about n^width tasks: 0 makes a chain, 1 a single layer. Drawn once for each graph.
    pub width: Values,
    /// A task waits for 1 + U(0, density × tasks of the layer before) tasks. Drawn once for each graph.
    pub density: Values,
    /// Sizes of layers differ from n^width by at most the share 1 − regularity.
    pub regularity: f64,
    /// The size of a task's result, in MB: what edges from it carry, and what comes back.
    pub result_mb: Values,
    /// The size of a task's result as a share of what is sent and computed. Drawn once for each graph.
    pub ratio: Values,
    /// Instructions for each byte of a task.
    #[serde(skip)]
    pub instructions_per_byte: f64,
}

/// Graphs that grow task by task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Called {
    /// How they grow.
    #[serde(rename = "generator")]
    pub growth: Growth,
    /// The number of tasks.
    pub tasks: TaskCount,
    /// The work of a task, in 10^6 instructions.
    pub megacycles: Values,
    /// The data on an edge, in MB.
    pub data_mb: Values,
}

/// How a [`Called`] graph grows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "&'static str")]
pub enum Growth {
    /// Each task waits for the one before.
    Chain,
    /// Each task waits for one of all tasks before it.
    Tree,
    /// As a tree; also each other pair of tasks has an edge with this probability.
    CallGraph {
        /// The probability.
        density: f64,
    },
}

impl From<Growth> for &'static str {
    fn from(growth: Growth) -> Self {
        match growth {
            Growth::Chain => "chain",
            Growth::Tree => "tree",
            Growth::CallGraph { .. } => "call-graph",
        }
    }
}

impl Generator {
    /// Draws an application. No task is pinned.
    ///
    /// # Panics
    /// If a setting is outside what scenarios accept.
    pub fn draw(&self, random: &mut Stream) -> Application {
        match self {
            Self::Layered(layered) => layered.draw(random),
            Self::Called(called) => called.draw(random),
            Self::Network(network) => network.application(),
            Self::Layers(table) => table.application(),
        }
    }

    /// The most edges that an application can have.
    pub(super) fn most_edges(&self) -> f64 {
        match self {
            Self::Layered(Layered { tasks, width, density, regularity, .. }) => {
                let count = tasks.limits().1 as f64;
                let layer = (count.powf(width.limits().1) * (2.0 - regularity)).min(count);
                count * layer.min(1.0 + density.limits().1 * layer)
            }
            Self::Called(Called { growth, tasks, .. }) => {
                let count = tasks.limits().1 as f64;
                if matches!(growth, Growth::CallGraph { .. }) { count * (count - 1.0) / 2.0 } else { count }
            }
            Self::Network(network) => network.layers().len() as f64 + 1.0,
            Self::Layers(table) => table.layers.len() as f64 + 1.0,
        }
    }

    /// Whether all applications are the same.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Layers(_))
    }
}

impl Layered {
    /// Draws an application.
    fn draw(&self, random: &mut Stream) -> Application {
        let count = self.tasks.draw(random);
        let (width, density) = (self.width.draw(random), self.density.draw(random));
        let ratio = self.ratio.draw(random);
        let tasks = (0..count).map(|index| {
            let result_bytes = bytes_from_mb(self.result_mb.draw(random));
            let send_bytes = result_bytes / ratio;
            GraphTask {
                name: format!("t{}", index + 1),
                instructions: send_bytes * self.instructions_per_byte,
                send_bytes,
                result_bytes: Some(result_bytes),
                ..GraphTask::default()
            }
        });
        let tasks: Vec<GraphTask> = tasks.collect();
        let mut edges = Vec::new();
        let mut before = 0..0;
        let mut parents: Vec<usize> = Vec::new();
        while before.end < count {
            let mean = (count as f64).powf(width).floor();
            let spread = 1.0 + (1.0 - self.regularity) * (2.0 * random::unit(random) - 1.0);
            let size = ((mean * spread) as usize).clamp(1, count - before.end);
            let layer = before.end..before.end + size;
            for task in layer.clone().filter(|_| !before.is_empty()) {
                let wanted = 1 + (density * before.len() as f64 * random::unit(random)) as usize;
                parents.clear();
                parents.extend(before.clone());
                random::shuffle(random, &mut parents);
                parents.truncate(wanted);
                parents.sort_unstable();
                let bytes = |from: usize| tasks[from].result_bytes.unwrap_or(0.0);
                edges.extend(parents.iter().map(|&from| GraphEdge {
                    from: from as u32,
                    to: task as u32,
                    bytes: bytes(from),
                }));
            }
            before = layer;
        }
        Application::new(tasks, edges).expect("names are numbers, sizes were checked, and edges lead to later layers")
    }
}

impl Called {
    /// Draws an application.
    fn draw(&self, random: &mut Stream) -> Application {
        let count = self.tasks.draw(random);
        let mut edges = Vec::new();
        for to in 1..count {
            let parent = if self.growth == Growth::Chain { to - 1 } else { random::below(random, to) };
            for from in 0..to {
                let is_edge = from == parent
                    || matches!(self.growth, Growth::CallGraph { density } if random::unit(random) < density);
                if is_edge {
                    let bytes = bytes_from_mb(self.data_mb.draw(random));
                    edges.push(GraphEdge { from: from as u32, to: to as u32, bytes });
                }
            }
        }
        let (mut received, mut passed_on) = (vec![0.0; count], vec![0.0; count]);
        for edge in &edges {
            received[edge.to as usize] += edge.bytes;
            passed_on[edge.from as usize] += edge.bytes;
        }
        let tasks = (0..count).map(|index| GraphTask {
            name: format!("t{}", index + 1),
            instructions: 1e6 * self.megacycles.draw(random),
            send_bytes: received[index],
            result_bytes: Some(passed_on[index]),
            ..GraphTask::default()
        });
        Application::new(tasks.collect(), edges)
            .expect("names are numbers, sizes were checked, and edges lead to later tasks")
    }
}
