//! Places, channels, costs.

/// Where tasks can run.
#[derive(Debug, Clone, PartialEq)]
pub struct OffloadingPlace {
    /// The rate of service in each state of the channel, in tasks per second.
    pub tasks_per_s: Vec<f64>,
    /// The power of the device while a task is there, in watts, in each state of the channel.
    pub power_w: Vec<f64>,
}

/// What energy and time count in the cost of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffloadingWeights {
    /// Cost of a joule.
    pub per_joule: f64,
    /// Cost of a second of response time.
    pub per_second: f64,
}

/// Arrivals, places and a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct OffloadingProblem {
    arrivals_per_s: f64,
    places: Vec<OffloadingPlace>,
    mean_stay_s: Vec<f64>,
    weights: OffloadingWeights,
    longest: usize,
}

/// Means over tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffloadingCost {
    /// The weighted sum of both.
    pub cost: f64,
    /// Energy of a task that is not dropped, in joules.
    pub energy_j: f64,
    /// Response time of a task that is not dropped, in seconds.
    pub response_s: f64,
    /// The share of tasks that are dropped since all queues have their greatest length.
    pub dropped_share: f64,
}

/// Why tasks cannot be dispatched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OffloadingError {
    /// A number is out of range.
    #[error("the {name} must be a number above 0, is {value}")]
    NotPositive {
        /// What it is.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// Nothing to choose from.
    #[error("at least one place and one state of the channel are needed")]
    Empty,
    /// A place has not one rate and one power for each state of the channel.
    #[error("place {place} needs one rate and one power for each of the {states} states of the channel")]
    States {
        /// The place, from 0.
        place: usize,
        /// The number of states.
        states: usize,
    },
    /// The chain is too large, or has no room for a task.
    #[error("queues of {longest} tasks at {places} places make a chain of no state or of more than {most} states")]
    Size {
        /// The greatest length of a queue.
        longest: usize,
        /// The number of places.
        places: usize,
        /// The largest number of states.
        most: usize,
    },
    /// Probabilities are no distribution over places.
    #[error("the shares must be {places} numbers not below 0 with the sum 1")]
    Shares {
        /// The number of places.
        places: usize,
    },
    /// A policy does not fit.
    #[error("the policy needs a place for each of the {states} states")]
    Policy {
        /// The number of states.
        states: usize,
    },
    /// An iteration did not come to its end.
    #[error(
        "after {steps} steps the mean cost is known only to {width} of itself: choose shorter stays or shorter queues"
    )]
    NotConverged {
        /// The number of steps.
        steps: usize,
        /// The width of what is known.
        width: f64,
    },
}

/// The largest chain.
const MOST_STATES: usize = 2_000_000;

impl OffloadingProblem {
    /// Tasks that arrive at a rate, in tasks per second, and places behind a channel with these mean stays in its states, in
    /// seconds; from one state, all others are equally likely to be the next. No queue is longer than `longest` tasks, the one
    /// in service with them.
    ///
    /// # Errors
    /// If a number makes no sense or the chain would be too large.
    pub fn new(
        arrivals_per_s: f64,
        places: Vec<OffloadingPlace>,
        mean_stay_s: Vec<f64>,
        weights: OffloadingWeights,
        longest: usize,
    ) -> Result<Self, OffloadingError> {
        let states = mean_stay_s.len();
        if places.is_empty() || states == 0 {
            return Err(OffloadingError::Empty);
        }
        let fits = |place: &OffloadingPlace| place.tasks_per_s.len() == states && place.power_w.len() == states;
        if let Some(place) = places.iter().position(|place| !fits(place)) {
            return Err(OffloadingError::States { place, states });
        }
        let rates = places.iter().flat_map(|place| &place.tasks_per_s).map(|rate| ("rate of a place", *rate));
        let powers = places.iter().flat_map(|place| &place.power_w).map(|power_w| ("power of a place", *power_w));
        let mut all = [
            ("rate of arrivals", arrivals_per_s),
            ("cost of a joule", weights.per_joule),
            ("cost of a second", weights.per_second),
        ]
        .into_iter()
        .chain(rates)
        .chain(powers)
        .chain(mean_stay_s.iter().map(|stay_s| ("mean stay in a state of the channel", *stay_s)));
        if let Some((name, value)) = all.find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            return Err(OffloadingError::NotPositive { name, value });
        }
        let size = u32::try_from(places.len()).ok().and_then(|count| (longest + 1).checked_pow(count));
        let size = size.and_then(|size| size.checked_mul(states)).filter(|size| *size <= MOST_STATES);
        if longest == 0 || size.is_none() {
            return Err(OffloadingError::Size { longest, places: places.len(), most: MOST_STATES });
        }
        Ok(Self { arrivals_per_s, places, mean_stay_s, weights, longest })
    }

    /// The rate of arrivals, in tasks per second.
    pub fn arrivals_per_s(&self) -> f64 {
        self.arrivals_per_s
    }

    /// The places.
    pub fn places(&self) -> &[OffloadingPlace] {
        &self.places
    }

    /// The mean stays of the channel in its states, in seconds.
    pub fn mean_stay_s(&self) -> &[f64] {
        &self.mean_stay_s
    }

    /// The weights of energy and time.
    pub fn weights(&self) -> OffloadingWeights {
        self.weights
    }

    /// The greatest length of a queue.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The share of time that the channel spends in each state: all jumps are equally likely, so that shares follow stays.
    pub fn channel_shares(&self) -> Vec<f64> {
        let total: f64 = self.mean_stay_s.iter().sum();
        self.mean_stay_s.iter().map(|stay_s| stay_s / total).collect()
    }

    /// The mean rate of service of a place, in tasks per second.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn mean_tasks_per_s(&self, place: usize) -> f64 {
        self.channel_shares().iter().zip(&self.places[place].tasks_per_s).map(|(share, rate)| share * rate).sum()
    }

    pub(super) fn cost_of(&self, energy_j: f64, response_s: f64) -> f64 {
        self.weights.per_joule * energy_j + self.weights.per_second * response_s
    }

    /// What a dropped task costs: as much as if it waited behind a full queue at every place, one after the other.
    pub(super) fn dropped_cost(&self) -> f64 {
        let place = |place: &OffloadingPlace| {
            let slowest = place.tasks_per_s.iter().copied().fold(f64::INFINITY, f64::min);
            let power_w = place.power_w.iter().copied().fold(0.0, f64::max);
            self.cost_of(power_w / slowest, (self.longest + 1) as f64 / slowest)
        };
        self.places.iter().map(place).sum()
    }
}
