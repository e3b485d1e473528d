//! HEFT and PEFT: list scheduling on different processors, the field's own baselines.
//!
//! Both plan as their papers do: every place is a processor, and data between two places take a time of their own but never wait for
//! other data. A device with one uplink is therefore planned as if each transfer had the link for itself. The plan gives
//! each task a place; what that costs, with queues for links and in the order of the model, is for [`GraphModel`] to say.
//! Where whole tasks are sent, sending a task comes before it runs, without keeping the server busy, and its
//! result comes back where a task elsewhere waits for it, or none does.

use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::model::GraphModel;
use crate::graph::rules::Transfer;

/// Heterogeneous earliest finish time (Topcuoglu, Hariri and Wu, 2002): tasks by upward rank, each at the place where it
/// finishes earliest, in a gap between others if it fits.
#[derive(Debug, Clone, Default)]
pub struct Heft;

/// Predict earliest finish time (Arabnejad and Barbosa, 2014): as HEFT, with tasks and places chosen by a table of what
/// comes after a task at a place at best.
#[derive(Debug, Clone, Default)]
pub struct Peft;

impl GraphScheme for Heft {
    fn name(&self) -> &'static str {
        "heft"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let planner = Planner::new(model);
        Ok(planner.plan(&planner.upward_ranks(), |_, _| 0.0))
    }
}

impl GraphScheme for Peft {
    fn name(&self) -> &'static str {
        "peft"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let planner = Planner::new(model);
        let table = planner.optimistic_costs();
        let ranks: Vec<f64> = (0..model.tasks()).map(|task| planner.mean(task, |place| table[task][place])).collect();
        Ok(planner.plan(&ranks, |task, place| table[task][place]))
    }
}

struct Planner<'m> {
    model: &'m GraphModel,
    sends_tasks: bool,
}

/// A time in which a place is busy.
type Busy = (f64, f64);

impl<'m> Planner<'m> {
    fn new(model: &'m GraphModel) -> Self {
        Self { model, sends_tasks: model.rules().transfer == Transfer::Task }
    }

    fn places(&self, task: usize) -> impl Iterator<Item = usize> + '_ {
        self.model.allowed_places(task).map(usize::from)
    }

    /// The mean over places where a task may run.
    fn mean(&self, task: usize, value: impl Fn(usize) -> f64) -> f64 {
        let (sum, count) = self.places(task).fold((0.0, 0.0), |(sum, count), place| (sum + value(place), count + 1.0));
        sum / count
    }

    /// The time of a task at a place, with that of sending it.
    fn own_s(&self, task: usize, place: usize) -> f64 {
        self.model.send_s(task, place) + self.model.run_s(task, place)
    }

    /// The time from the end of a task at one place to where its data are of use to another task.
    fn way_s(&self, before: usize, from: usize, to: usize, bytes: f64) -> f64 {
        match (from == to, self.sends_tasks) {
            (true, _) => 0.0,
            (false, true) => self.model.return_s(before, from),
            (false, false) => bytes * self.model.transfer_s_per_byte(from, to),
        }
    }

    /// The mean way over pairs of places.
    fn mean_way_s(&self, before: usize, after: usize, bytes: f64) -> f64 {
        self.mean(before, |from| self.mean(after, |to| self.way_s(before, from, to, bytes)))
    }

    /// The time from the end of a task that none waits for to the end of the application.
    fn last_s(&self, task: usize, place: usize) -> f64 {
        let is_last = self.model.application().outgoing(task).is_empty();
        if is_last { self.model.return_s(task, place) } else { 0.0 }
    }

    fn upward_ranks(&self) -> Vec<f64> {
        let application = self.model.application();
        let mut ranks = vec![0.0; self.model.tasks()];
        for &task in application.topological().iter().rev() {
            let task = task as usize;
            let after = application.outgoing(task).iter().map(|edge| {
                let after = edge.task as usize;
                self.mean_way_s(task, after, edge.bytes) + ranks[after]
            });
            let after_s = after.fold(0.0, f64::max);
            ranks[task] = self.mean(task, |place| self.own_s(task, place) + self.last_s(task, place)) + after_s;
        }
        ranks
    }

    /// `[task][place]`: the longest path from the end of a task at a place to the end of the application, each task
    /// on it at its best place.
    fn optimistic_costs(&self) -> Vec<Vec<f64>> {
        let application = self.model.application();
        let mut table = vec![vec![0.0; self.model.places()]; self.model.tasks()];
        for &task in application.topological().iter().rev() {
            let task = task as usize;
            for place in self.places(task) {
                let after = application.outgoing(task).iter().map(|edge| {
                    let after = edge.task as usize;
                    let way_s = self.mean_way_s(task, after, edge.bytes);
                    let cost =
                        |to: usize| table[after][to] + self.own_s(after, to) + if to == place { 0.0 } else { way_s };
                    self.places(after).map(cost).fold(f64::INFINITY, f64::min)
                });
                table[task][place] = after.fold(self.last_s(task, place), f64::max);
            }
        }
        table
    }

    /// Places tasks by rank, the largest of those whose predecessors are placed first, each where it finishes earliest plus
    /// what `ahead` says.
    fn plan(&self, ranks: &[f64], ahead: impl Fn(usize, usize) -> f64) -> GraphSolution {
        let model = self.model;
        let order = model.application().by_priority(|task| Priority(ranks[task as usize], task));
        let mut busy: Vec<Vec<Busy>> = vec![Vec::new(); model.places()];
        let mut places = vec![0_u8; model.tasks()];
        let mut ends_s = vec![0.0; model.tasks()];
        for task in order {
            let task = task as usize;
            let mut best = (f64::INFINITY, 0, 0.0);
            for place in self.places(task) {
                let arrival_s = model.before(task).iter().map(|edge| {
                    let before = edge.task as usize;
                    ends_s[before] + self.way_s(before, places[before] as usize, place, edge.bytes)
                });
                let ready_s = arrival_s.fold(0.0, f64::max) + model.send_s(task, place);
                let start_s = earliest_gap(&busy[place], ready_s, model.run_s(task, place));
                let end_s = start_s + model.run_s(task, place);
                let score = end_s + self.last_s(task, place) + ahead(task, place);
                if score < best.0 {
                    best = (score, place, start_s);
                }
            }
            let (_, place, start_s) = best;
            (places[task], ends_s[task]) = (place as u8, start_s + model.run_s(task, place));
            let at = busy[place].partition_point(|(start, _)| *start < start_s);
            busy[place].insert(at, (start_s, ends_s[task]));
        }
        GraphSolution { places, evaluations: 1, optimality: Optimality::Unknown, order: None }
    }
}

/// The earliest time from `ready_s` at which a place is free for a while. Busy times are in order.
fn earliest_gap(busy: &[Busy], ready_s: f64, length_s: f64) -> f64 {
    let first = busy.partition_point(|(_, end_s)| *end_s <= ready_s);
    let mut start_s = ready_s;
    for &(from_s, to_s) in &busy[first..] {
        if start_s + length_s <= from_s {
            break;
        }
        start_s = start_s.max(to_s);
    }
    start_s
}

/// The largest rank first, of equal ones the task given first.
#[derive(PartialEq)]
struct Priority(f64, u32);

impl Eq for Priority {}

impl PartialOrd for Priority {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Priority {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then_with(|| other.1.cmp(&self.1))
    }
}
