//! Settling ties: of decisions that cost the same, a better one close by.

use super::{Order, affordable};
use crate::search::{GAINING, gains};
use crate::tasks::cost::{CostModel, IncrementalCost, ROUNDING, is_equal};

/// Moves and swaps tasks of a decision so that it costs no more and takes less of the quantity that does not count: less
/// time if α is 1, less energy if α is 0. Ends when no move and no swap does so, or when `budget` cost evaluations are
/// spent; returns their number. With any other α the decision stays as it is.
///
/// Unlike [`CostModel::search_model`], it starts from any decision and looks for none that costs less.
///
/// # Shapes
/// `sizes_bytes` and `places` are `[N * M]`.
///
/// # Panics
/// If the shapes differ, or the decision names a place that is not there.
pub fn settle_ties(model: &CostModel, sizes_bytes: &[f64], places: &mut [u8], budget: u64) -> u64 {
    if !model.counts_one_quantity() || budget < model.places() as u64 {
        return 0;
    }
    let time = model.counting_time();
    let mut current = IncrementalCost::for_search(&time);
    current.set(sizes_bytes, places);
    // A little more than the time now, so that rounding rules nothing out.
    let latest_s = current.cost() * (1.0 + ROUNDING);
    let lowers_energy = model.alpha() == 0.0;
    let mut settling = Settling { current, lowers_energy, latest_s, evaluations: 1, budget };
    let order = Order::LargestFirst.of(sizes_bytes);
    while settling.improve_once(&order) {}
    places.copy_from_slice(settling.current.places());
    settling.evaluations
}

/// [`settle_ties`] with a budget of one or two seconds of work.
pub(super) fn settle_all_ties(model: &CostModel, sizes_bytes: &[f64], places: &mut [u8]) -> u64 {
    settle_ties(model, sizes_bytes, places, affordable(model))
}

/// A decision whose ties are being settled.
struct Settling<'m> {
    /// In the model that counts time alone.
    current: IncrementalCost<'m>,
    /// Whether energy is lowered within the time; else time is shortened with the same energy.
    lowers_energy: bool,
    /// The longest time where energy is lowered.
    latest_s: f64,
    evaluations: u64,
    budget: u64,
}

impl Settling<'_> {
    /// Tries each task at other places and each pair of tasks at each other's place. Returns whether anything improved and
    /// some budget is left.
    fn improve_once(&mut self, order: &[usize]) -> bool {
        let moves = self.current.loads_bytes().len() as u64 - 1;
        let mut times_s = vec![0.0; moves as usize + 1];
        let mut is_improved = false;
        for &task in order {
            if self.evaluations + moves > self.budget {
                return false;
            }
            self.current.move_costs(task, &mut times_s);
            self.evaluations += moves;
            if let Some(place) = self.better_place(task, &times_s) {
                self.current.place(task, place);
                is_improved = true;
            }
        }
        for (rank, &task) in order.iter().enumerate() {
            while self.evaluations < self.budget {
                let others: Vec<usize> =
                    order[rank + 1..].iter().copied().filter(|other| self.may_swap(task, *other)).collect();
                let below_s = if self.lowers_energy { self.latest_s.next_up() } else { self.current.cost() * GAINING };
                let swap = self.current.first_swap(task, &others, below_s, self.budget - self.evaluations);
                self.evaluations += swap.evaluations;
                let Some((index, _)) = swap.found else { break };
                self.current.swap(task, others[index]);
                is_improved = true;
            }
        }
        is_improved && self.evaluations < self.budget
    }

    /// The energy of a task at a place.
    fn energy_j(&self, task: usize, place: u8) -> f64 {
        let model = self.current.model();
        let rate = model.rates(task / model.tasks())[usize::from(place)];
        self.current.sizes_bytes()[task] * rate.energy_j_per_byte
    }

    /// A better place for a task, given the time of the decision with the task at each place.
    fn better_place(&self, task: usize, times_s: &[f64]) -> Option<u8> {
        let here = self.current.places()[task];
        let now_j = self.energy_j(task, here);
        let others = (0..times_s.len() as u8).filter(|place| *place != here);
        let time_s = |place: &u8| times_s[usize::from(*place)];
        if self.lowers_energy {
            let is_better = |place: &u8| gains(self.energy_j(task, *place), now_j) && time_s(place) <= self.latest_s;
            return others.filter(is_better).min_by(|a, b| self.energy_j(task, *a).total_cmp(&self.energy_j(task, *b)));
        }
        let is_better =
            |place: &u8| is_equal(self.energy_j(task, *place), now_j) && gains(time_s(place), self.current.cost());
        others.filter(is_better).min_by(|a, b| time_s(a).total_cmp(&time_s(b)))
    }

    /// Whether a swap would change the energy as it should.
    fn may_swap(&self, task: usize, other: usize) -> bool {
        let (here, there) = (self.current.places()[task], self.current.places()[other]);
        if here == there {
            return false;
        }
        let [now, then] = [(here, there), (there, here)]
            .map(|(place, others_place)| [self.energy_j(task, place), self.energy_j(other, others_place)]);
        if self.lowers_energy {
            return gains(then[0] + then[1], now[0] + now[1]);
        }
        is_equal(now[0], then[0]) && is_equal(now[1], then[1])
    }
}
