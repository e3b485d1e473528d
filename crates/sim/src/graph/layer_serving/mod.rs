//! Layers of deep-learning tasks at an edge node, in the manner of Li, Ota and Dong (IEEE Network, 2018).
//!
//! Several tasks, each a network with a steady stream of inputs, share an edge node of limited capacity and its link to
//! the cloud. The first layers of a task run at the edge, the others in the cloud, and what the last layer at the edge puts
//! out goes over the link. More layers at the edge mostly leave less to send. As many tasks as possible are to be served.
//!
//! The text of the source was read in part, so that deviations are those from what is known of it:
//! 1. There are several edge nodes; here is one.
//! 2. There, each task has a latency that turns its data into a bandwidth; here its stream takes the bandwidth of its rate times
//!    its data.
//! 3. There, the share of layers in the work is given by numbers; here the operations and sizes are those of known networks.
//! 4. The order of the steps of [`ServingRule::LiOffline`] is that of the source as far as it is known, and the prices of
//!    [`ServingRule::LiOnline`] are those of online knapsack problems (Zhou, Chakrabarty and Lukose, 2008).
//!
//! ```
//! use sim::graph::Network;
//! use sim::graph::layer_serving::{EdgeNode, LayerServing, LayerTask, ServingRule};
//!
//! let task = |network, inputs_per_s| LayerTask::of_network(network, inputs_per_s);
//! let tasks = vec![task(Network::AlexNet, 20.0), task(Network::Vgg16, 5.0), task(Network::MobileNet, 30.0)];
//! let node = EdgeNode { operations_per_s: 1e11, bandwidth_bytes_per_s: 5e6 };
//! let serving = LayerServing::new(node, tasks)?;
//! let offline = ServingRule::LiOffline.decide(&serving);
//! let optimum = serving.optimum();
//! assert!(offline.served() <= optimum.decision.served() && optimum.decision.served() as u64 <= optimum.bound);
//! assert!(serving.usage(&optimum.decision).fits);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dual;
mod generator;
mod optimum;
mod rules;
#[cfg(test)]
mod tests;

pub use generator::ServingGenerator;
pub use optimum::ServingOptimum;
pub use rules::ServingRule;

use super::layers::{Layer, Network};

/// Room for rounding where shares of all tasks are added up in different orders.
const ROOM: f64 = 1e-9;

/// An edge node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeNode {
    /// The floating-point operations per second that it can do for tasks.
    pub operations_per_s: f64,
    /// What its link to the cloud can carry, in bytes per second.
    pub bandwidth_bytes_per_s: f64,
}

/// A network with a steady stream of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerTask {
    /// The name, for errors.
    pub name: String,
    /// The layers, from the input on.
    pub layers: Vec<Layer>,
    /// The size of an input, in bytes.
    pub input_bytes: f64,
    /// Inputs per second.
    pub inputs_per_s: f64,
}

impl LayerTask {
    /// A task of a known network with this number of inputs per second.
    pub fn of_network(network: Network, inputs_per_s: f64) -> Self {
        let name = Network::NAMES.iter().find(|(_, other)| *other == network).map_or("network", |(name, _)| name);
        Self { name: name.to_owned(), layers: network.layers(), input_bytes: network.input_bytes(), inputs_per_s }
    }

    /// What inputs take of the link if all of them go to the cloud, in bytes per second.
    fn input_bytes_per_s(&self) -> f64 {
        self.inputs_per_s * self.input_bytes
    }
}

/// What a task takes of the edge node with a number of layers there, as shares of what the node has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shares {
    layers: usize,
    capacity: f64,
    bandwidth: f64,
}

impl Shares {
    /// What is taken of the edge node, with this task.
    fn after(&self, used: [f64; 2]) -> [f64; 2] {
        [used[0] + self.capacity, used[1] + self.bandwidth]
    }

    /// Whether the task fits beside what is taken already.
    fn fits(&self, used: [f64; 2]) -> bool {
        self.after(used).iter().all(|share| *share <= 1.0)
    }

    /// What the task pays under prices of the whole capacity and the whole bandwidth.
    fn price(&self, [capacity, bandwidth]: [f64; 2]) -> f64 {
        capacity * self.capacity + bandwidth * self.bandwidth
    }
}

/// Which tasks are served, and with how many layers at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingDecision {
    /// `[task]`: the number of first layers at the edge; `None` where the task is not served.
    pub layers: Vec<Option<usize>>,
}

impl ServingDecision {
    /// The number of tasks that are served.
    pub fn served(&self) -> usize {
        self.layers.iter().flatten().count()
    }
}

/// What a decision takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Floating-point operations per second at the edge.
    pub operations_per_s: f64,
    /// What goes over the link, in bytes per second.
    pub bytes_per_s: f64,
    /// Whether the edge node and its link can do that.
    pub fits: bool,
}

/// Tasks that share an edge node: as many as possible are to be served.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerServing {
    node: EdgeNode,
    tasks: Vec<LayerTask>,
    /// `[task][layers]`: what a task takes with each number of layers at the edge, from none to all of them.
    shares: Vec<Vec<Shares>>,
}

impl LayerServing {
    /// Checks an edge node and tasks.
    ///
    /// # Errors
    /// If the node has no capacity or bandwidth, or a task has no layer, or a size or rate that makes no sense.
    pub fn new(node: EdgeNode, tasks: Vec<LayerTask>) -> Result<Self, LayerServingError> {
        let has = [("operations_per_s", node.operations_per_s), ("bandwidth_bytes_per_s", node.bandwidth_bytes_per_s)];
        if let Some((what, found)) = has.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Err(LayerServingError::Node { what, found });
        }
        tasks.iter().try_for_each(check)?;
        let shares = tasks.iter().map(|task| shares_of(node, task)).collect();
        Ok(Self { node, tasks, shares })
    }

    /// The edge node.
    pub fn node(&self) -> EdgeNode {
        self.node
    }

    /// The tasks.
    pub fn tasks(&self) -> &[LayerTask] {
        &self.tasks
    }

    /// What a decision takes.
    ///
    /// # Panics
    /// If the decision is not about these tasks, or has more layers at the edge than a task has.
    pub fn usage(&self, decision: &ServingDecision) -> Usage {
        assert_eq!(decision.layers.len(), self.tasks.len(), "one number of layers for each task");
        let mut used = [0.0; 2];
        for (shares, layers) in self.shares.iter().zip(&decision.layers) {
            used = layers.map_or(used, |layers| shares[layers].after(used));
        }
        Usage {
            operations_per_s: used[0] * self.node.operations_per_s,
            bytes_per_s: used[1] * self.node.bandwidth_bytes_per_s,
            fits: used.iter().all(|share| *share <= 1.0 + ROOM),
        }
    }

    /// The most tasks that can be served with at least one layer at the edge each, or, where proving that takes too long,
    /// the best decision found and a bound.
    pub fn optimum(&self) -> ServingOptimum {
        optimum::optimum(self)
    }

    /// What a task takes with each number of layers at the edge, from one to all of them.
    fn edge_shares(&self, task: usize) -> &[Shares] {
        &self.shares[task][1..]
    }
}

fn check(task: &LayerTask) -> Result<(), LayerServingError> {
    let name = || task.name.clone();
    if task.layers.is_empty() {
        return Err(LayerServingError::NoLayers { task: name() });
    }
    let own = [("input_bytes", task.input_bytes), ("inputs_per_s", task.inputs_per_s)];
    let layers = task.layers.iter();
    let layers = layers.flat_map(|layer| [("operations", layer.operations), ("output_bytes", layer.output_bytes)]);
    match own.into_iter().chain(layers).find(|(_, value)| !(0.0..=1e30).contains(value)) {
        Some((what, found)) => Err(LayerServingError::Task { task: name(), what, found }),
        None => Ok(()),
    }
}

fn shares_of(node: EdgeNode, task: &LayerTask) -> Vec<Shares> {
    let mut operations = 0.0;
    let share = |layers: usize, operations: f64, bytes: f64| Shares {
        layers,
        capacity: task.inputs_per_s * operations / node.operations_per_s,
        bandwidth: task.inputs_per_s * bytes / node.bandwidth_bytes_per_s,
    };
    let mut shares = vec![share(0, 0.0, task.input_bytes)];
    for (index, layer) in task.layers.iter().enumerate() {
        operations += layer.operations;
        shares.push(share(index + 1, operations, layer.output_bytes));
    }
    shares
}

/// Why tasks cannot share an edge node.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayerServingError {
    /// The edge node has no capacity or bandwidth.
    #[error("{what} of the edge node must be a number above 0, is {found}")]
    Node {
        /// The value.
        what: &'static str,
        /// What it is.
        found: f64,
    },
    /// A task has no layer.
    #[error("the task {task} has no layer; give it at least one")]
    NoLayers {
        /// The task.
        task: String,
    },
    /// A task has a size or a rate that makes no sense.
    #[error("{what} of the task {task} must be a number from 0 to 1e30, is {found}")]
    Task {
        /// The task.
        task: String,
        /// The value.
        what: &'static str,
        /// What it is.
        found: f64,
    },
    /// Tasks cannot be drawn from no networks.
    #[error("tasks are drawn from networks, and there are none; name at least one")]
    NoNetworks,
    /// A rate that is drawn makes no sense.
    #[error(
        "inputs_per_s must be numbers from 0 to 1e30, the smallest not above the largest; they are {least} to {most}"
    )]
    Rates {
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
}
