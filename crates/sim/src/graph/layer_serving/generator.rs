//! Tasks drawn at random.

use super::{EdgeNode, LayerServing, LayerServingError, LayerTask};
use crate::graph::layers::Network;
use crate::random::{self, Stream};

/// Random tasks of known networks that share an edge node.
///
/// ```
/// use sim::graph::layer_serving::ServingGenerator;
///
/// let generator = ServingGenerator { tasks: 20, ..ServingGenerator::default() };
/// let serving = generator.draw(&mut sim::random::stream(1, "serving"))?;
/// assert_eq!(serving.tasks().len(), 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ServingGenerator {
    /// The edge node.
    pub node: EdgeNode,
    /// The number of tasks.
    pub tasks: usize,
    /// The networks, all equally likely.
    pub networks: Vec<Network>,
    /// The fewest and the most inputs per second of a task; every order of magnitude between them is equally likely.
    pub inputs_per_s: (f64, f64),
}

/// Ten tasks of all networks with 1 to 30 inputs per second at a node of 10^12 operations per second with a link of
/// 100 Mbit/s: not all of them can be served.
impl Default for ServingGenerator {
    fn default() -> Self {
        Self {
            node: EdgeNode { operations_per_s: 1e12, bandwidth_bytes_per_s: 12.5e6 },
            tasks: 10,
            networks: Network::NAMES.iter().map(|(_, network)| *network).collect(),
            inputs_per_s: (1.0, 30.0),
        }
    }
}

impl ServingGenerator {
    /// Draws tasks.
    ///
    /// # Errors
    /// If there are no networks, or the rates or the edge node make no sense.
    pub fn draw(&self, random: &mut Stream) -> Result<LayerServing, LayerServingError> {
        let (least, most) = self.inputs_per_s;
        if self.networks.is_empty() {
            return Err(LayerServingError::NoNetworks);
        }
        if !(least > 0.0 && least <= most && most <= 1e30) {
            return Err(LayerServingError::Rates { least, most });
        }
        let tasks = (0..self.tasks).map(|_| {
            let network = self.networks[random::below(random, self.networks.len())];
            LayerTask::of_network(network, (least * (most / least).powf(random::unit(random))).min(most))
        });
        LayerServing::new(self.node, tasks.collect())
    }
}
