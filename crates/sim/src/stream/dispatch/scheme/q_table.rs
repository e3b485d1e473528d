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
/// The borders between the classes of waits, as multiples of the mean time of a task that waits for nobody.
const WAIT_BORDERS: [f64; 7] = [0.0, 0.05, 0.15, 0.3, 0.6, 1.2, 2.4];
/// What the next task of the device counts for a task.
const DISCOUNT: f64 = 0.9;
/// ε at the first visit of a state. More would fill slow queues for longer than the training lasts.
const FIRST_EXPLORATION: f64 = 0.2;
/// ε falls with the inverse of the visits of a state, and stays above this.
const LEAST_EXPLORATION: f64 = 0.01;
/// After this number of visits ε is half of what it was at first.
const EXPLORATION_VISITS: f64 = 20.0;
/// The step size of the n-th visit is 1 / n^0.7.
const STEP_POWER: f64 = 0.7;

/// Each device learns online what every place costs in every state, in the manner of QL-JTAR (tabular Q-learning, IM 2019): `Q(s, a) += η (c + γ min_a′ Q(s′, a′) − Q(s, a))`, from one of its tasks to its next one.
///
/// - State: the class of the size (4) and the class of the wait at every place (8 each), what other devices have sent there included.
/// - Cost c: what the task itself costs at the place, as greedy prices it.
/// - γ = 0.9; η = n^(−0.7) at the n-th visit of a state and place; ε = max(0.01, 4 / (20 + visits of the state)).
///
/// It learns along a path of its own, drawn from the seed; then it takes the place of the least value. Places that it has not tried in a
/// state count with what the task itself costs, over 1 − γ; a state that it has not seen is decided as greedy does.
///
/// Two deviations from the paper, of which only the abstract could be read: what is weighed is energy and time, not energy within
/// a limit on the latency, and the radio is not decided on.
#[derive(Debug, Clone)]
pub struct QTable {
    training_tasks: usize,
    chosen_places: Option<Vec<usize>>,
    learning: Option<Learning>,
    tables: Vec<HashMap<u64, Entry>>,
    /// Whether each place may be used for the task that arrives.
    is_open: Vec<bool>,
    unit_s: f64,
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
    /// The number of tasks for which it learns where nothing else is said.
    pub const DEFAULT_TASKS: usize = 100_000;

    /// Learns for a number of tasks when a run begins.
    pub fn new(training_tasks: usize) -> Self {
        Self {
            training_tasks,
            chosen_places: None,
            learning: None,
            tables: Vec::new(),
            is_open: Vec::new(),
            unit_s: 1.0,
        }
    }

    /// Restricts it to some of the places; a device that can use none of them uses its own processor.
    #[must_use]
    pub fn with_places(mut self, places: &[usize]) -> Self {
        self.chosen_places = Some(places.to_vec());
        self
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
        self.is_open = vec![false; site.places()];
        self.unit_s = mean_time_alone_s(site, self.chosen_places.as_deref());
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
        let choices = view.offer().choices;
        for (place, (is_open, choice)) in self.is_open.iter_mut().zip(choices).enumerate() {
            let is_chosen = |places: &Vec<usize>| places.contains(&place);
            *is_open = choice.is_usable && self.chosen_places.as_ref().is_none_or(is_chosen);
        }
        let mut state = class(bytes / site.parts().sizes.mean(), &SIZE_BORDERS);
        for (choice, is_open) in choices.iter().zip(&self.is_open) {
            let wait_s = choice.link.wait_s + choice.machine.wait_s;
            let waits = if *is_open { class(wait_s / self.unit_s, &WAIT_BORDERS) } else { 0 };
            // Of more than 20 places the waits of the last ones count.
            state = state.wrapping_mul(WAIT_BORDERS.len() as u64 + 1).wrapping_add(waits);
        }
        self.learn(device, state);
        let is_open = &self.is_open;
        let only_open = |place: usize, value: f64| if is_open[place] { value } else { f64::INFINITY };
        let by_own_cost = || cheapest((0..).zip(choices).map(|(place, choice)| only_open(place, choice.own_cost)));
        let by_values = |entry: &Entry| {
            cheapest(choices.iter().zip(&entry.places).enumerate().map(|(place, (choice, (value, visits)))| {
                let value = if *visits == 0 { choice.own_cost / (1.0 - DISCOUNT) } else { *value };
                only_open(place, value)
            }))
        };
        let Some(learning) = &mut self.learning else {
            return self.tables[device].get(&state).map_or_else(by_own_cost, by_values);
        };
        let untried = || Entry { visits: 0, places: vec![(0.0, 0); choices.len()] };
        let entry = self.tables[device].entry(state).or_insert_with(untried);
        let exploration = FIRST_EXPLORATION * EXPLORATION_VISITS / (EXPLORATION_VISITS + f64::from(entry.visits));
        entry.visits += 1;
        let open = is_open.iter().filter(|is_open| **is_open).count();
        let place = if open > 0 && random::unit(&mut learning.random) < exploration.max(LEAST_EXPLORATION) {
            let chosen = random::below(&mut learning.random, open);
            (0..choices.len()).filter(|place| is_open[*place]).nth(chosen).unwrap_or(0)
        } else {
            by_values(entry)
        };
        learning.last[device] = Some((state, place, choices[place].own_cost));
        place
    }
}

/// The mean time of a task of the mean size at some places, without waiting.
fn mean_time_alone_s(site: &Site, places: Option<&[usize]>) -> f64 {
    let (mut sum_s, mut count) = (0.0, 0.0);
    for device in 0..site.devices() {
        for (place, route) in site.routes_of(device).iter().enumerate() {
            if route.is_usable && places.is_none_or(|places| places.contains(&place)) {
                let s_per_byte = route.link_s_per_byte + route.machine_s_per_byte;
                sum_s += s_per_byte * site.parts().sizes.mean() + route.latency_s;
                count += 1.0;
            }
        }
    }
    if count > 0.0 { sum_s / count } else { site.time_unit_s() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::dispatch::optimum::{DispatchOptimum, OptimumSettings};
    use crate::stream::dispatch::scheme::{DispatchGreedy, ValueIteration};
    use crate::stream::dispatch::testing::{Setting, small_site};

    #[test]
    fn without_training_it_is_greedy() {
        let site = Setting { is_mixed: true, ..Setting::EVEN }.site(1);
        let path = Path::draw(&site, 3_000, 1);
        let mut table = QTable::new(0);
        let run = simulate(&site, &path, &mut table, 1);
        assert_eq!(run, simulate(&site, &path, &mut DispatchGreedy::new(), 1));
        assert_eq!(table.states_visited(), 0);
    }

    #[test]
    fn equal_seeds_learn_the_same_and_every_run_begins_anew() {
        let site = Setting::EVEN.site(1);
        let path = Path::draw(&site, 3_000, 1);
        let mut table = QTable::new(5_000);
        let first = simulate(&site, &path, &mut table, 1);
        assert_eq!(first, simulate(&site, &path, &mut table, 1));
        assert_ne!(first, simulate(&site, &path, &mut table, 2));
        assert!(table.states_visited() > 50);
    }

    #[test]
    fn it_learns_and_is_within_five_percent_of_value_iteration_at_a_low_load() {
        let site = small_site(1, 0.5);
        let limits_s = Some(vec![400.0, 250.0, 200.0]);
        let settings = OptimumSettings { limits_s, tolerance: 5e-3, ..OptimumSettings::default() };
        let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
        let path = Path::draw(&site, 50_000, 3);
        let best = simulate(&site, &path, &mut ValueIteration::new(optimum), 1).mean_cost;
        let mut table = QTable::new(200_000);
        let learned = simulate(&site, &path, &mut table, 1).mean_cost;
        println!("{learned} {best}, {} states", table.states_visited());
        assert!(learned < 1.05 * best, "{learned} {best}");
    }

    #[test]
    fn only_chosen_places_are_used() {
        let site = small_site(2, 0.4);
        let path = Path::draw(&site, 3_000, 1);
        let run = simulate(&site, &path, &mut QTable::new(3_000).with_places(&[1, 2]), 1);
        assert_eq!(run.place_shares[0], 0.0);
    }
}
