//! Greedy rules: each task goes where it raises the cost least.
//!
//! Where only time counts, several places often raise it equally little; the task then goes to the one of them that needs the
//! least energy. Where only energy counts, the rules run in [`CostModel::search_model`].

use super::load::{Load, UsablePlaces};
use super::{Scheme, SchemeError, Solution};
use crate::search::{self, Construction, cheapest};
use crate::tasks::cost::{CostModel, IncrementalCost, Rate, is_better};
use crate::tasks::decision::Decision;
use crate::tasks::workload::{Workload, present_tasks};

/// The order in which a greedy rule takes tasks. It orders the tasks of each device by themselves, or the tasks of all
/// devices together where devices share something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The order of the workload.
    Given,
    /// Largest first, as in scheduling by longest processing time.
    LargestFirst,
}

impl Order {
    /// The positions of the tasks that have bytes, in this order.
    pub(super) fn of(self, sizes_bytes: &[f64]) -> Vec<usize> {
        let mut tasks: Vec<usize> = (0..sizes_bytes.len()).filter(|task| sizes_bytes[*task] > 0.0).collect();
        if self == Self::LargestFirst {
            tasks.sort_by(|&a, &b| sizes_bytes[b].total_cmp(&sizes_bytes[a]));
        }
        tasks
    }
}

/// Places each task where it raises the cost least, given the tasks placed before it.
#[derive(Debug, Clone)]
pub struct Greedy {
    order: Order,
}

impl Greedy {
    /// A greedy rule that takes tasks in an order.
    pub fn new(order: Order) -> Self {
        Self { order }
    }
}

impl Scheme for Greedy {
    fn name(&self) -> &'static str {
        match self.order {
            Order::Given => "greedy",
            Order::LargestFirst => "greedy-largest-first",
        }
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = vec![0; model.task_count()];
        let evaluations = present_tasks(workload.sizes_bytes()) * model.places() as u64;
        let model = &*model.search_model();
        if !model.is_separable() || model.is_detailed() {
            let mut incremental = IncrementalCost::for_search(model);
            place_all_greedily(&mut incremental, workload.sizes_bytes(), self.order);
            places.copy_from_slice(incremental.places());
            return Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations });
        }
        let rows = workload.sizes_bytes().chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            let usable = UsablePlaces::of(model, device);
            place_greedily(&mut Load::new(usable.rates(), model.alpha()), sizes, self.order, places);
            usable.name(places);
        }
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}

/// Places the tasks of one device, whose `load` starts empty, as [`search::place_greedily`] does: where nothing is shared, adding
/// up one device is several times as fast as following the whole fleet.
pub(super) fn place_greedily(load: &mut Load<'_>, sizes_bytes: &[f64], order: Order, places: &mut [u8]) {
    if load.counts_time_alone() {
        place_greedily_in_time(load, sizes_bytes, order, places);
        return;
    }
    match order {
        Order::Given => place_in_turn(load, sizes_bytes, 0..sizes_bytes.len(), places),
        Order::LargestFirst => place_in_turn(load, sizes_bytes, order.of(sizes_bytes), places),
    }
}

/// Places tasks one after the other where each raises the cost least.
fn place_in_turn(load: &mut Load<'_>, sizes_bytes: &[f64], tasks: impl IntoIterator<Item = usize>, places: &mut [u8]) {
    for task in tasks {
        let bytes = sizes_bytes[task];
        let mut best = (f64::INFINITY, 0);
        for place in 0..load.places() {
            let cost = load.cost_with(bytes, place);
            if cost < best.0 {
                best = (cost, place);
            }
        }
        load.add(bytes, best.1);
        places[task] = best.1;
    }
}

/// [`place_greedily`] where only time counts, and energy decides between equal times.
fn place_greedily_in_time(load: &mut Load<'_>, sizes_bytes: &[f64], order: Order, places: &mut [u8]) {
    for task in order.of(sizes_bytes) {
        let bytes = sizes_bytes[task];
        let mut best = ([f64::INFINITY; 2], 0);
        for place in 0..load.places() {
            let found = [load.cost_with(bytes, place), load.energy_j_per_byte(place)];
            if is_better(found, best.0) {
                best = (found, place);
            }
        }
        load.add(bytes, best.1);
        places[task] = best.1;
    }
}

/// Places the tasks of all devices, one after the other.
pub(super) fn place_all_greedily(incremental: &mut IncrementalCost<'_>, sizes_bytes: &[f64], order: Order) {
    let mut fleet = Fleet::new(incremental, sizes_bytes, order);
    fleet.clear();
    search::place_greedily(&mut fleet);
    place_absent(incremental);
}

/// The tasks of all devices, placed one after the other.
struct Fleet<'a, 'm> {
    incremental: &'a mut IncrementalCost<'m>,
    sizes_bytes: &'a [f64],
    order: Vec<usize>,
    placed: usize,
    /// Whether several places often cost the same, and energy decides between them.
    breaks_ties: bool,
}

impl<'a, 'm> Fleet<'a, 'm> {
    fn new(incremental: &'a mut IncrementalCost<'m>, sizes_bytes: &'a [f64], order: Order) -> Self {
        let model = incremental.model();
        let breaks_ties = model.alpha() == 0.0 && !model.is_detailed();
        Self { incremental, sizes_bytes, order: order.of(sizes_bytes), placed: 0, breaks_ties }
    }
}

impl Construction for Fleet<'_, '_> {
    fn place_count(&self) -> usize {
        self.incremental.loads_bytes().len()
    }

    fn clear(&mut self) {
        self.incremental.start(self.sizes_bytes);
        self.placed = 0;
    }

    fn next_task(&self) -> Option<usize> {
        self.order.get(self.placed).copied()
    }

    fn scores(&mut self, task: usize, scores: &mut [f64]) {
        self.incremental.move_costs(task, scores);
    }

    fn best_place(&self, task: usize, scores: &[f64]) -> u8 {
        let model = self.incremental.model();
        let place =
            if self.breaks_ties { quickest(scores, model.rates(task / model.tasks())) } else { cheapest(scores) };
        place as u8
    }

    fn place_next(&mut self, place: u8) {
        self.incremental.place(self.order[self.placed], place);
        self.placed += 1;
    }
}

/// Places tasks without bytes, which cost nothing anywhere, at the first places that their devices can use.
pub(super) fn place_absent(incremental: &mut IncrementalCost<'_>) {
    let model = incremental.model();
    if !incremental.sizes_bytes().contains(&0.0) {
        return;
    }
    for task in 0..model.task_count() {
        if incremental.sizes_bytes()[task] == 0.0 {
            incremental.place(task, model.reachable_places(task / model.tasks()).next().unwrap_or(0));
        }
    }
}

/// The first of the quickest places that needs the least energy.
fn quickest(times_s: &[f64], rates: &[Rate]) -> usize {
    let found = |place: usize| [times_s[place], rates[place].energy_j_per_byte];
    (1..times_s.len()).fold(0, |best, place| if is_better(found(place), found(best)) { place } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use crate::scenario::Scenario;

    #[test]
    fn the_loads_of_single_devices_place_tasks_as_the_search_for_any_problem_does() {
        for alpha in [0.0, 0.3, 0.7] {
            let mut scenario = Scenario::load("paper-wan").expect("a preset");
            (scenario.alpha, scenario.tasks.per_device) = (alpha, 6);
            let model = scenario.check().expect("valid");
            let mut random = random::stream(1, "greedy");
            for order in [Order::Given, Order::LargestFirst] {
                for _ in 0..20 {
                    let mb: Vec<f64> = (0..model.task_count()).map(|_| 30.0 * random::unit(&mut random)).collect();
                    let workload = Workload::from_mb(model.tasks(), &mb);
                    let mut incremental = IncrementalCost::for_search(&model);
                    // The cost of a device is a part of that of the fleet, so that the order between devices does not matter.
                    place_all_greedily(&mut incremental, workload.sizes_bytes(), order);
                    let found = Greedy::new(order).decide(&model, &workload).expect("greedy decides");
                    assert_eq!(found.decision.places(), incremental.places(), "{alpha} {order:?}");
                }
            }
        }
    }
}
