//! Tabular Q-learning.

use std::collections::HashMap;

use rand::Rng;

use super::{DispatchScheme, View, cheapest};
use crate::random::{self, Stream};
use crate::stream::dispatch::path::Path;
use crate::stream::dispatch::simulator::simulate;
use crate::stream::dispatch::site::Site;

/// The borders between the classes of sizes, as multiples of the mean size.
const SIZE_BORDERS: [f64; 3] = [0.6, 0.9, 1.25];
/// The borders between the classes of waits, as multiples of the site's unit of time.
const WAIT_BORDERS: [f64; 7] = [0.0, 0.03, 0.07, 0.15, 0.3, 0.6, 1.2];
/// What the next task of the device counts for a task.
const DISCOUNT: f64 = 0.9;
/// ε starts at 1, falls with the inverse of the visits of a state, and stays above this.
const LEAST_EXPLORATION: f64 = 0.02;
/// ε is this over itself and the visits of the state.
const EXPLORATION_VISITS: f64 = 10.0;
/// The step size of the n-th visit is 1 / n^0.7.
const STEP_POWER: f64 = 0.7;

/// Each device learns online what every place costs in every state, in the manner of QL-JTAR (tabular Q-learning, IM 2019): `Q(s, a) += η (c + γ min_a′ Q(s′, a′) − Q(s, a))`, from one of its tasks to its next one.
///
/// - State: the class of the size (4) and the class of the wait at every place (8 each), what other devices have sent there included.
/// - Cost c: what the task itself costs at the place, as greedy prices it.
/// - γ = 0.9; η = n^(−0.7) at the n-th visit of a state and place; ε = max(0.02, 10 / (10 + visits of the state)).
///
/// It learns along a path of its own, drawn from the seed; then it takes the place of the least value. Places that it has not tried in a
/// state count with what the task itself costs, over 1 − γ; a state that it has not seen is decided as greedy does.
///
/// Two deviations from the paper, of which only the abstract could be read: what is weighed is energy and time, not energy within
/// a limit on the latency, and the radio is not decided on.
#[derive(Debug, Clone)]
pub struct QTable {
    training_tasks: usize,
    learning: Option<Learning>,
    tables: Vec<HashMap<u64, Entry>>,
    places: usize,
}

/// What is known of a state.
#[derive(Debug, Clone)]
struct Entry {
    visits: u32,
    /// Value and number of visits of each place.
    places: Vec<(f64, u32)>,
}

/// What is there only while it learns.
#[derive(Debug, Clone)]
struct Learning {
    random: Stream,
    /// State, place and cost of the last task of each device.
    last: Vec<Option<(u64, usize, f64)>>,
}

impl QTable {
    /// Learns for a number of tasks when a run begins.
    pub fn new(training_tasks: usize) -> Self {
        Self { training_tasks, learning: None, tables: Vec::new(), places: 0 }
    }

    /// The number of states that all devices together have seen while they learned.
    pub fn states_visited(&self) -> usize {
        self.tables.iter().map(HashMap::len).sum()
    }

    /// The value of the best place of a state; `None` where it has not been seen.
    fn least_value(&self, device: usize, state: u64) -> Option<f64> {
        let entry = self.tables[device].get(&state)?;
        let tried = entry.places.iter().filter(|(_, visits)| *visits > 0).map(|(value, _)| *value);
        tried.reduce(f64::min)
    }

    /// Corrects the value of the last task of a device by the state that followed.
    fn learn(&mut self, device: usize, followed_by: u64) {
        let Some((state, place, cost)) = self.learning.as_mut().and_then(|learning| learning.last[device].take())
        else {
            return;
        };
        // Nothing is known of a state that has not been seen: it is taken to be worth what the task costs for ever.
        let next = self.least_value(device, followed_by).unwrap_or(cost / (1.0 - DISCOUNT));
        let target = cost + DISCOUNT * next;
        if let Some(entry) = self.tables[device].get_mut(&state) {
            let (value, visits) = &mut entry.places[place];
            *visits += 1;
            *value += (target - *value) * f64::from(*visits).powf(-STEP_POWER);
        }
    }
}

/// The class of a value between borders.
fn class(value: f64, borders: &[f64]) -> u64 {
    borders.iter().filter(|border| value > **border).count() as u64
}

impl DispatchScheme for QTable {
    fn name(&self) -> &'static str {
        "q-table"
    }

    fn start(&mut self, site: &Site, seed: u64) {
        if self.learning.is_some() {
            // The path along which it learns begins.
            return;
        }
        self.places = site.places();
        self.tables = vec![HashMap::new(); site.devices()];
        if self.training_tasks == 0 {
            return;
        }
        let mut random = random::stream(seed, "stream/q-table");
        let path = Path::draw(site, self.training_tasks, random.next_u64());
        self.learning = Some(Learning { random, last: vec![None; site.devices()] });
        simulate(site, &path, self, seed);
        self.learning = None;
    }

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let (site, device, bytes) = (view.site, view.arrival.device as usize, view.arrival.bytes);
        let unit_s = site.time_unit_s();
        let offer = view.offer();
        let choices = offer.choices;
        let mut state = class(bytes / site.parts().sizes.mean(), &SIZE_BORDERS);
        for choice in choices {
            let wait_s = choice.link.wait_s + choice.machine.wait_s;
            let waits = if choice.is_usable { class(wait_s / unit_s, &WAIT_BORDERS) } else { 0 };
            // Of more than 20 places the waits of the last ones count.
            state = state.wrapping_mul(WAIT_BORDERS.len() as u64 + 1).wrapping_add(waits);
        }
        self.learn(device, state);
        let places = self.places;
        let own = || cheapest(choices.iter().map(|choice| choice.own_cost));
        let values = |entry: &Entry| {
            cheapest(choices.iter().zip(&entry.places).map(|(choice, (value, visits))| match visits {
                _ if !choice.is_usable => f64::INFINITY,
                0 => choice.own_cost / (1.0 - DISCOUNT),
                _ => *value,
            }))
        };
        let Some(learning) = &mut self.learning else {
            return self.tables[device].get(&state).map_or_else(own, values);
        };
        let entry =
            self.tables[device].entry(state).or_insert_with(|| Entry { visits: 0, places: vec![(0.0, 0); places] });
        let exploration = EXPLORATION_VISITS / (EXPLORATION_VISITS + f64::from(entry.visits));
        entry.visits += 1;
        let place = if random::unit(&mut learning.random) < exploration.max(LEAST_EXPLORATION) {
            let usable = choices.iter().filter(|choice| choice.is_usable).count();
            let chosen = random::below(&mut learning.random, usable);
            let indices = (0..places).filter(|place| choices[*place].is_usable);
            indices.clone().nth(chosen).unwrap_or(0)
        } else {
            values(entry)
        };
        learning.last[device] = Some((state, place, choices[place].own_cost));
        place
    }
}
