//! Costs of decisions that differ from a known one in a few tasks.

use super::model::GraphModel;
use super::rules::{Timing, Transfer};
use super::schedule::{Schedule, Trial};

/// A move of one task: its number and its new place.
pub type Move = (u32, u8);

/// A decision that changes task by task, with the costs of decisions near it.
///
/// In a schedule, a move changes nothing before the first moved task: only the rest is scheduled again, and only until it
/// is certain that the cost is not below the limit. With serial timing a move changes the costs at the moved tasks alone.
///
/// ```
/// # use std::sync::Arc;
/// # use sim::graph::{Application, GraphModel, GraphServer, GraphTask, IncrementalSchedule, Link, Machine, Rules, System};
/// # let machine = |instructions_per_s| Machine { instructions_per_s, memory_bytes_per_s: None };
/// # let link = Link {
/// #     up_bytes_per_s: 1e6, down_bytes_per_s: 1e6, send_w: 1.3, receive_w: 1.0, price_per_byte: 0.0, is_own: false,
/// # };
/// # let server = GraphServer { name: "edge".to_owned(), machine: machine(1e10), energy_per_instruction_j: 0.0, link };
/// # let system = System { device: machine(1e9), compute_w: 0.9, idle_w: 0.3, servers: vec![server] };
/// # let task = |name: &str| GraphTask {
/// #     name: name.to_owned(), instructions: 1e10, send_bytes: 2e6, ..GraphTask::default()
/// # };
/// # let application = Application::new(vec![task("a"), task("b")], vec![])?;
/// # let model = GraphModel::new(Arc::new(application), Arc::new(system), Rules::default())?;
/// let mut schedule = IncrementalSchedule::new(&model, &[0, 0]);
/// assert_eq!(schedule.cost(), 20.0);
/// let moved = schedule.cost_of_moves(&[(1, 1)], schedule.cost());
/// if moved < schedule.cost() {
///     schedule.apply(&[(1, 1)]);
/// }
/// assert_eq!((schedule.places(), schedule.cost()), (&[0, 1][..], 10.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IncrementalSchedule<'m> {
    model: &'m GraphModel,
    /// The decision, `[tasks]`, and its schedule.
    places: Vec<u8>,
    schedule: Schedule,
    cost: f64,
    trial: Trial,
}

impl<'m> IncrementalSchedule<'m> {
    /// Starts with a decision.
    ///
    /// # Shapes
    /// `places` is `[tasks]`, in the order in which the application gives its tasks.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn new(model: &'m GraphModel, places: &[u8]) -> Self {
        let mut schedule = Schedule::new(model);
        schedule.fill(model, places);
        let cost = schedule.cost(model);
        let trial = Trial::new(&schedule);
        Self { model, places: places.to_vec(), schedule, cost, trial }
    }

    /// The decision, in the order in which the application gives its tasks.
    pub fn places(&self) -> &[u8] {
        &self.places
    }

    /// The cost of the decision.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// The schedule of the decision.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The cost of the decision after some moves, which are not made. If it is not below `limit`, any number from `limit`
    /// up to the cost may come back. With serial timing it is rounded in another way than [`GraphModel::evaluate`] does.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn cost_of_moves(&mut self, moves: &[Move], limit: f64) -> f64 {
        for &(task, place) in moves {
            self.places[task as usize] = place;
        }
        let cost = match self.model.rules.timing {
            Timing::Serial => self.serial_cost(moves),
            Timing::Scheduled => self.scheduled_cost(moves, limit),
        };
        for &(task, _) in moves {
            self.places[task as usize] = self.schedule.place(task as usize);
        }
        cost
    }

    /// Makes some moves.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn apply(&mut self, moves: &[Move]) {
        let first = moves.iter().map(|(task, _)| self.model.position(*task as usize)).min();
        for &(task, place) in moves {
            self.places[task as usize] = place;
        }
        let first = first.unwrap_or(self.model.tasks());
        self.trial.forget(first);
        self.schedule.truncate(first);
        for position in first..self.model.tasks() {
            self.schedule.push(self.model, self.places[self.model.order[position] as usize]);
        }
        self.cost = self.schedule.cost(self.model);
    }

    /// Replaces the decision.
    ///
    /// # Shapes
    /// `places` is `[tasks]`.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn replace(&mut self, places: &[u8]) {
        self.schedule.fill(self.model, places);
        self.places.copy_from_slice(places);
        self.cost = self.schedule.cost(self.model);
        self.trial.forget(0);
    }

    /// The cost after moves that stand in `places` already.
    fn scheduled_cost(&mut self, moves: &[Move], limit: f64) -> f64 {
        let model = self.model;
        let first = moves.iter().map(|(task, _)| model.position(*task as usize)).min();
        let Some(first) = first else { return self.cost };
        self.trial.cost(model, &self.schedule, first, &self.places, limit)
    }

    /// The cost after moves that stand in `places` already.
    fn serial_cost(&self, moves: &[Move]) -> f64 {
        let model = self.model;
        if self.cost == f64::INFINITY {
            return Schedule::new(model).cost_of(model, &self.places);
        }
        let is_first = |index: usize| moves[..index].iter().all(|(task, _)| *task != moves[index].0);
        let place = |task: u32| self.places[task as usize] as usize;
        let old_place = |task: u32| self.schedule.place(task as usize) as usize;
        let change = |from: u32, to: u32, bytes: f64| {
            bytes * (model.byte_cost(place(from), place(to)) - model.byte_cost(old_place(from), old_place(to)))
        };
        let mut cost = self.cost;
        for (_, &(task, _)) in moves.iter().enumerate().filter(|(index, _)| is_first(*index)) {
            let at = task as usize;
            cost += model.task_cost(at, place(task)) - model.task_cost(at, old_place(task));
            if model.rules.transfer == Transfer::Edge {
                cost += model.before(at).iter().map(|edge| change(edge.task, task, edge.bytes)).sum::<f64>();
                // An edge between two moved tasks counts at its end.
                let after = model.application.outgoing(at).iter();
                let after = after.filter(|edge| moves.iter().all(|(task, _)| *task != edge.task));
                cost += after.map(|edge| change(task, edge.task, edge.bytes)).sum::<f64>();
            }
        }
        cost.max(0.0)
    }
}
