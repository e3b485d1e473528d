//! Costs of decisions that change task by task, in models whose costs bytes alone do not tell.

use super::{FirstSwap, NOWHERE};
use crate::limits::MAX_PLACES;
use crate::tasks::cost::detailed::DeviceOutcome;
use crate::tasks::cost::{Amount, CostModel, Detailed, is_late};

/// The cost of a decision that changes task by task, in a [detailed](CostModel::is_detailed) model. A move costs O(tasks of the
/// device + places) where nothing is shared, else O(tasks + devices × places).
#[derive(Debug, Clone)]
pub(super) struct DetailedCost<'m> {
    model: &'m CostModel,
    detailed: &'m Detailed,
    sizes_bytes: Vec<f64>,
    places: Vec<u8>,
    /// `[N][places]`.
    amounts: Vec<Amount>,
    /// `[places]`.
    loads: [Amount; MAX_PLACES],
    /// `[N]`.
    devices: Vec<DeviceOutcome>,
    /// What a missed deadline costs.
    price: f64,
}

impl<'m> DetailedCost<'m> {
    /// `None` if the model is not detailed.
    pub(super) fn new(model: &'m CostModel) -> Option<Self> {
        Some(Self {
            model,
            detailed: model.detailed()?,
            sizes_bytes: vec![0.0; model.task_count()],
            places: vec![NOWHERE; model.task_count()],
            amounts: vec![Amount::default(); model.devices() * model.places()],
            loads: [Amount::default(); MAX_PLACES],
            devices: vec![DeviceOutcome::default(); model.devices()],
            price: 0.0,
        })
    }

    /// Sets the sizes and a decision, in which tasks may have no place.
    pub(super) fn set(&mut self, sizes_bytes: &[f64], places: &[u8]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.copy_from_slice(places);
        self.price = self.model.lateness_price(0, sizes_bytes);
        for device in 0..self.model.devices() {
            self.add_up(device);
        }
        self.add_loads_up();
        (0..self.model.devices()).for_each(|device| self.time(device));
    }

    pub(super) fn cost(&self) -> f64 {
        let mut sum = DeviceOutcome::default();
        for one in &self.devices {
            sum.energy_j += one.energy_j;
            sum.time_s += one.time_s;
            sum.missed_deadlines += one.missed_deadlines;
        }
        self.model.detailed_objective(&sum, self.price)
    }

    /// Puts tasks at places.
    pub(super) fn place(&mut self, moves: &[(usize, u8)]) {
        for &(task, place) in moves {
            self.places[task] = place;
            self.add_up(task / self.model.tasks());
        }
        if self.model.is_separable() {
            // Nobody waits for loads.
            for (task, _) in moves {
                self.time(task / self.model.tasks());
            }
        } else {
            self.add_loads_up();
            (0..self.model.devices()).for_each(|device| self.time(device));
        }
    }

    /// The cost with some tasks at other places.
    pub(super) fn cost_with(&mut self, moves: &[(usize, u8)]) -> f64 {
        let mut back = [(0, NOWHERE); 2];
        let back = &mut back[..moves.len()];
        for (back, (task, _)) in back.iter_mut().zip(moves) {
            *back = (*task, self.places[*task]);
        }
        self.place(moves);
        let cost = self.cost();
        self.place(back);
        cost
    }

    pub(super) fn move_costs(&mut self, task: usize, costs: &mut [f64]) {
        for (place, cost) in (0_u8..).zip(costs) {
            *cost = self.cost_with(&[(task, place)]);
        }
    }

    pub(super) fn swap_cost(&mut self, task: usize, other: usize) -> f64 {
        self.cost_with(&[(task, self.places[other]), (other, self.places[task])])
    }

    /// [`super::IncrementalCost::first_swap`], given which swaps are allowed.
    pub(super) fn first_swap(
        &mut self,
        task: usize,
        others: &[usize],
        below: f64,
        most: u64,
        can_swap: impl Fn(usize) -> bool,
    ) -> FirstSwap {
        let mut evaluations = 0;
        for (index, &other) in others.iter().enumerate() {
            if self.places[other] == self.places[task] {
                continue;
            }
            if evaluations == most {
                break;
            }
            evaluations += 1;
            let cost = self.swap_cost(task, other);
            if cost < below && can_swap(other) {
                return FirstSwap { evaluations, found: Some((index, cost)) };
            }
        }
        FirstSwap { evaluations, found: None }
    }

    /// Adds up a device's tasks at each place, and their energy.
    fn add_up(&mut self, device: usize) {
        let (tasks, places) = (self.model.tasks(), self.model.places());
        let amounts = &mut self.amounts[device * places..][..places];
        amounts.fill(Amount::default());
        let own = self.detailed.of_device(device);
        let mut energy_j = 0.0;
        for task in device * tasks..(device + 1) * tasks {
            let place = usize::from(self.places[task]);
            if place < places {
                let amount = self.model.amount(task, self.sizes_bytes[task]);
                energy_j += own[place].energy_j(&amount);
                amounts[place].add(amount);
            }
        }
        self.devices[device].energy_j = energy_j;
    }

    fn add_loads_up(&mut self) {
        let places = self.model.places();
        self.loads[..places].fill(Amount::default());
        for amounts in self.amounts.chunks_exact(places) {
            self.loads.iter_mut().zip(amounts).for_each(|(load, amount)| load.add(*amount));
        }
    }

    /// Finds a device's response time and how many of its tasks miss their deadlines.
    fn time(&mut self, device: usize) {
        let (tasks, places) = (self.model.tasks(), self.model.places());
        let sent_bytes = self.loads[1..places].iter().map(|load| load.bytes).sum();
        let (own, amounts) = (self.detailed.of_device(device), &self.amounts[device * places..][..places]);
        let mut times_s = [0.0; MAX_PLACES];
        let mut longest_s = 0.0_f64;
        for (place, time_s) in times_s[..places].iter_mut().enumerate() {
            *time_s = self.detailed.done_s(&own[place], place, &amounts[place], &self.loads[place], sent_bytes);
            longest_s = longest_s.max(*time_s);
        }
        self.devices[device].time_s = longest_s;
        if self.price > 0.0 {
            let missed = |task: &usize| {
                let place = self.places[*task];
                let is_there = place != NOWHERE && self.sizes_bytes[*task] > 0.0;
                is_there && is_late(times_s[usize::from(place)], self.model.deadline_s(*task))
            };
            self.devices[device].missed_deadlines = (device * tasks..(device + 1) * tasks).filter(missed).count();
        }
    }
}
