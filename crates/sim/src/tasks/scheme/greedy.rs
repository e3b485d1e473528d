//! Greedy rules: each task goes where it raises the cost least.

use super::load::Load;
use super::{Scheme, SchemeError, Solution};
use crate::tasks::cost::{CostModel, IncrementalCost};
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

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
    /// The positions of the tasks, in this order.
    pub(super) fn of(self, sizes_bytes: &[f64]) -> Vec<usize> {
        let mut tasks: Vec<usize> = (0..sizes_bytes.len()).collect();
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
        let evaluations = (model.task_count() * model.places()) as u64;
        if !model.is_separable() {
            let mut incremental = IncrementalCost::new(model);
            place_all_greedily(&mut incremental, workload.sizes_bytes(), self.order);
            places.copy_from_slice(incremental.places());
            return Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations });
        }
        let rows = workload.sizes_bytes().chunks_exact(model.tasks()).zip(places.chunks_exact_mut(model.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            place_greedily(&mut Load::new(model.rates(device), model.alpha()), sizes, self.order, places);
        }
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations })
    }
}

/// Places the tasks of one device, whose `load` starts empty.
pub(super) fn place_greedily(load: &mut Load<'_>, sizes_bytes: &[f64], order: Order, places: &mut [u8]) {
    for task in order.of(sizes_bytes) {
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

/// Places the tasks of all devices, one after the other.
pub(super) fn place_all_greedily(incremental: &mut IncrementalCost<'_>, sizes_bytes: &[f64], order: Order) {
    incremental.start(sizes_bytes);
    let mut costs = vec![0.0; incremental.loads_bytes().len()];
    for task in order.of(sizes_bytes) {
        incremental.move_costs(task, &mut costs);
        incremental.place(task, cheapest(&costs) as u8);
    }
}

/// The first of the cheapest places.
pub(super) fn cheapest(costs: &[f64]) -> usize {
    (1..costs.len()).fold(0, |best, place| if costs[place] < costs[best] { place } else { best })
}
