//! Random chains.

use super::{Chain, ChainComponent, ChainDevice, ChainError, ChainProblem, ChainSites, ChannelChain, RemoteSite};
use crate::random::{self, Stream};

/// Draws chains for a device with an edge site and a cloud site behind the same channel.
///
/// Powers are 0.05 W idle, 1.3 W sending and 1.0 W receiving, and drawn for computing: a device that computes with little power is
/// frugal, but slow beside the other sites, so that energy and delay disagree. The device does 10^9 instructions per second, the
/// edge 5 and the cloud 20 times that. Data to the cloud also pass a line of 1 MB/s: a byte takes the sum of both times.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainGenerator {
    /// The number of components.
    pub components: usize,
    /// Work of a component, in instructions: every order of magnitude between the two equally likely.
    pub instructions: (f64, f64),
    /// Data between components, in bytes, in the same way.
    pub data_bytes: (f64, f64),
    /// The rate of the channel in each of its states, in bytes per second.
    pub bytes_per_s: Vec<f64>,
    /// The power of the device while it computes, in watts: every order of magnitude between the two equally likely.
    pub compute_power_w: (f64, f64),
    /// The probability that the channel stays in its state, drawn evenly between the two; the other states are equally likely.
    pub stay: (f64, f64),
}

impl Default for ChainGenerator {
    /// 8 components of 10^8 to 10^10 instructions and 20 kB to 4 MB, 0.1 to 1 W, three states of 0.1, 1 and 4 MB/s.
    fn default() -> Self {
        Self {
            components: 8,
            instructions: (1e8, 1e10),
            data_bytes: (2e4, 4e6),
            bytes_per_s: vec![1e5, 1e6, 4e6],
            compute_power_w: (0.1, 1.0),
            stay: (0.4, 0.95),
        }
    }
}

/// The rate of the line between edge and cloud, in bytes per second.
const LINE_BYTES_PER_S: f64 = 1e6;

impl ChainGenerator {
    /// Problem `index` under a seed.
    ///
    /// # Errors
    /// If the numbers of the generator make no sense.
    pub fn draw(&self, seed: u64, index: u64) -> Result<ChainProblem, ChainError> {
        let mut random = random::stream(seed, &format!("emop/{index}"));
        let between =
            |(least, most): (f64, f64), random: &mut Stream| least * (most / least).powf(random::unit(random));
        let components = (0..self.components)
            .map(|_| ChainComponent {
                input_bytes: between(self.data_bytes, &mut random),
                instructions: between(self.instructions, &mut random),
            })
            .collect();
        let chain = Chain { components, result_bytes: between(self.data_bytes, &mut random) };
        let stay = self.stay.0 + (self.stay.1 - self.stay.0) * random::unit(&mut random);
        let compute_power_w = between(self.compute_power_w, &mut random);
        ChainProblem::new(&chain, &self.sites(compute_power_w), &self.channel(stay))
    }

    fn sites(&self, compute_power_w: f64) -> ChainSites {
        let behind_line = |rate: &f64| 1.0 / (1.0 / rate + 1.0 / LINE_BYTES_PER_S);
        ChainSites {
            device: ChainDevice {
                instructions_per_s: 1e9,
                compute_power_w,
                send_power_w: 1.3,
                receive_power_w: 1.0,
                idle_power_w: 0.05,
            },
            remote: vec![
                RemoteSite { instructions_per_s: 5e9, bytes_per_s: self.bytes_per_s.clone() },
                RemoteSite {
                    instructions_per_s: 2e10,
                    bytes_per_s: self.bytes_per_s.iter().map(behind_line).collect(),
                },
            ],
            between_bytes_per_s: LINE_BYTES_PER_S,
        }
    }

    fn channel(&self, stay: f64) -> ChannelChain {
        let states = self.bytes_per_s.len();
        let step = |index: usize| {
            if states == 1 {
                1.0
            } else if index / states == index % states {
                stay
            } else {
                (1.0 - stay) / (states - 1) as f64
            }
        };
        ChannelChain { initial: vec![1.0 / states as f64; states], steps: (0..states * states).map(step).collect() }
    }
}
