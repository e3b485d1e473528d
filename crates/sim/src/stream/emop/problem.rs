//! Chains of components, sites, channels, and what steps cost.

use super::DEVICE;

/// Components that run one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// The components, in order.
    pub components: Vec<ChainComponent>,
    /// What comes back to the device after the last one, in bytes.
    pub result_bytes: f64,
}

/// A component of a chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainComponent {
    /// What it needs from the component before it, or from the device, in bytes.
    pub input_bytes: f64,
    /// Its work.
    pub instructions: f64,
}

/// A device, the sites beside it and the connection between these.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainSites {
    /// The device.
    pub device: ChainDevice,
    /// The other sites.
    pub remote: Vec<RemoteSite>,
    /// The rate between two remote sites, in bytes per second.
    pub between_bytes_per_s: f64,
}

/// A device and its power in each activity, in watts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainDevice {
    /// Instructions per second.
    pub instructions_per_s: f64,
    /// While a component runs on it.
    pub compute_power_w: f64,
    /// While it sends.
    pub send_power_w: f64,
    /// While it receives.
    pub receive_power_w: f64,
    /// While it waits for another site.
    pub idle_power_w: f64,
}

/// A site that the device reaches over the channel.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteSite {
    /// Instructions per second.
    pub instructions_per_s: f64,
    /// The rate from and to the device in each state of the channel, in bytes per second.
    pub bytes_per_s: Vec<f64>,
}

/// A Markov chain in discrete time.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelChain {
    /// The probability of each state before the first component.
    pub initial: Vec<f64>,
    /// `[from, to]`: the probability of a step, row after row.
    pub steps: Vec<f64>,
}

/// Energy of the device and delay.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChainCost {
    /// In joules.
    pub energy_j: f64,
    /// In seconds.
    pub time_s: f64,
}

impl ChainCost {
    /// Energy + multiplier × time, in joules; `multiplier_w` in watts.
    pub fn weighted_j(&self, multiplier_w: f64) -> f64 {
        self.energy_j + multiplier_w * self.time_s
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { energy_j: self.energy_j + other.energy_j, time_s: self.time_s + other.time_s }
    }

    pub(super) fn times(self, factor: f64) -> Self {
        Self { energy_j: factor * self.energy_j, time_s: factor * self.time_s }
    }
}

/// Why a chain cannot be decided.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// There is no component.
    #[error("a chain needs at least one component")]
    Empty,
    /// A number is out of range.
    #[error("{name} must be a number {}, is {value}", if *zero_allowed { "not below 0" } else { "above 0" })]
    Number {
        /// What it is.
        name: String,
        /// Its value.
        value: f64,
        /// Whether it may be 0.
        zero_allowed: bool,
    },
    /// The channel and the sites do not have the same states.
    #[error("{name} needs {expected} numbers, has {found}")]
    Length {
        /// What it is.
        name: String,
        /// The numbers that it needs.
        expected: usize,
        /// The numbers that it has.
        found: usize,
    },
    /// Probabilities are no distribution.
    #[error("{name} must be numbers not below 0 with the sum 1")]
    Distribution {
        /// What they are.
        name: String,
    },
    /// An assignment or a policy names a site that does not exist, or has not one entry for each decision.
    #[error("a decision for {components} components and {sites} sites does not fit")]
    Decision {
        /// The number of components.
        components: usize,
        /// The number of sites, with the device.
        sites: usize,
    },
    /// The grid of time makes no sense.
    #[error("a hard limit needs a limit above 0 s, at least one interval of time and at most 65,536 sites")]
    Grid,
    /// The limit cannot be held by a single site.
    #[error("the limit must be a number from 1 on, as a multiple of the delay of the fastest single site, is {0}")]
    DelayFactor(f64),
}

/// A chain on sites over a channel, with the costs of all steps.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainProblem {
    components: usize,
    sites: usize,
    states: usize,
    /// `[component, from, to, state]`; after the last component comes the way back to the device, to site 0 only.
    costs: Vec<ChainCost>,
    initial: Vec<f64>,
    channel_steps: Vec<f64>,
}

impl ChainProblem {
    /// The problem of a chain.
    ///
    /// # Errors
    /// If there is no component, or a number makes no sense.
    pub fn new(chain: &Chain, sites: &ChainSites, channel: &ChannelChain) -> Result<Self, ChainError> {
        check(chain, sites, channel)?;
        let (count, states) = (sites.remote.len() + 1, channel.initial.len());
        let result = ChainComponent { input_bytes: chain.result_bytes, instructions: 0.0 };
        let mut costs = Vec::with_capacity((chain.components.len() + 1) * count * count * states);
        for component in chain.components.iter().chain([&result]) {
            for from in 0..count {
                for to in 0..count {
                    costs.extend((0..states).map(|state| step_cost(component, sites, from, to, state)));
                }
            }
        }
        Ok(Self {
            components: chain.components.len(),
            sites: count,
            states,
            costs,
            initial: channel.initial.clone(),
            channel_steps: channel.steps.clone(),
        })
    }

    /// The number of components.
    pub fn components(&self) -> usize {
        self.components
    }

    /// The number of sites, with the device.
    pub fn sites(&self) -> usize {
        self.sites
    }

    /// The number of states of the channel.
    pub fn states(&self) -> usize {
        self.states
    }

    /// The probability of each state before the first component.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// The probabilities of the next state of the channel.
    pub(super) fn next_states(&self, state: usize) -> &[f64] {
        &self.channel_steps[state * self.states..][..self.states]
    }

    /// What it costs to move the data from a site to another and to run the component there; the component after the last one
    /// is the way back to the device.
    pub(super) fn cost(&self, component: usize, from: usize, to: usize, state: usize) -> ChainCost {
        self.costs[((component * self.sites + from) * self.sites + to) * self.states + state]
    }
}

fn step_cost(component: &ChainComponent, sites: &ChainSites, from: usize, to: usize, state: usize) -> ChainCost {
    let device = &sites.device;
    let activity = |time_s: f64, power_w: f64| ChainCost { energy_j: power_w * time_s, time_s };
    let rate = |site: usize| sites.remote[site - 1].bytes_per_s[state];
    let transfer = if from == to {
        ChainCost::default()
    } else if from == DEVICE {
        activity(component.input_bytes / rate(to), device.send_power_w)
    } else if to == DEVICE {
        activity(component.input_bytes / rate(from), device.receive_power_w)
    } else {
        activity(component.input_bytes / sites.between_bytes_per_s, device.idle_power_w)
    };
    transfer.plus(if to == DEVICE {
        activity(component.instructions / device.instructions_per_s, device.compute_power_w)
    } else {
        activity(component.instructions / sites.remote[to - 1].instructions_per_s, device.idle_power_w)
    })
}

fn check(chain: &Chain, sites: &ChainSites, channel: &ChannelChain) -> Result<(), ChainError> {
    if chain.components.is_empty() {
        return Err(ChainError::Empty);
    }
    let number = |name: String, value: f64, zero_allowed: bool| {
        let fits = value.is_finite() && (value > 0.0 || (zero_allowed && value == 0.0));
        if fits { Ok(()) } else { Err(ChainError::Number { name, value, zero_allowed }) }
    };
    for (index, component) in chain.components.iter().enumerate() {
        number(format!("the input of component {index}"), component.input_bytes, true)?;
        number(format!("the number of instructions of component {index}"), component.instructions, true)?;
    }
    number("the size of the result".to_owned(), chain.result_bytes, true)?;
    let device = &sites.device;
    number("the rate of the device's processor".to_owned(), device.instructions_per_s, false)?;
    let powers = [device.compute_power_w, device.send_power_w, device.receive_power_w, device.idle_power_w];
    powers.into_iter().try_for_each(|power_w| number("a power of the device".to_owned(), power_w, true))?;
    number("the rate between remote sites".to_owned(), sites.between_bytes_per_s, false)?;

    let length = |name: String, expected: usize, found: usize| {
        if expected == found { Ok(()) } else { Err(ChainError::Length { name, expected, found }) }
    };
    let states = channel.initial.len();
    for (index, site) in sites.remote.iter().enumerate() {
        number(format!("the rate of the processor of remote site {index}"), site.instructions_per_s, false)?;
        length(format!("the list of rates of remote site {index}"), states, site.bytes_per_s.len())?;
        for rate in &site.bytes_per_s {
            number(format!("a rate of remote site {index}"), *rate, false)?;
        }
    }
    length("the list of steps of the channel".to_owned(), states * states, channel.steps.len())?;
    let distribution = |name: String, shares: &[f64]| {
        let fits = shares.iter().all(|share| *share >= 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
        if fits { Ok(()) } else { Err(ChainError::Distribution { name }) }
    };
    distribution("the probabilities of the channel's first state".to_owned(), &channel.initial)?;
    channel.steps.chunks(states).enumerate().try_for_each(|(state, row)| {
        distribution(format!("the probabilities of the channel's steps from state {state}"), row)
    })
}
