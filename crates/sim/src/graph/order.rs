//! The order in which the tasks of an application are scheduled.

use std::cmp::{Ordering, Reverse};

use super::model::GraphModel;
use super::rules::{OrderRule, Transfer};

/// The order of a model's tasks: the application's own, else by the model's rule.
pub(super) fn of(model: &GraphModel) -> Vec<u32> {
    let application = model.application();
    match (application.order(), model.rules().order) {
        (Some(order), _) => order.to_vec(),
        (None, OrderRule::Given) => application.topological().to_vec(),
        (None, OrderRule::UpwardRank) => {
            let ranks = upward_ranks(model);
            application.by_priority(|task| (Rank(ranks[task as usize]), Reverse(task)))
        }
    }
}

/// A rank that can be compared.
#[derive(PartialEq)]
struct Rank(f64);

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The upward rank of each task: the time that the longest path from its beginning to the end of the application takes.
///
/// Where whole tasks are sent, a task takes its time at its fastest place, transfers included, as in MRLCO's public code.
/// Where edges are sent, a task takes the mean of its times at all places where it may run, and an edge the mean of its
/// times between two different places, as in HEFT (Topcuoglu, Hariri and Wu, 2002).
///
/// # Shapes
/// `[tasks]`.
pub(super) fn upward_ranks(model: &GraphModel) -> Vec<f64> {
    let sends_tasks = model.rules().transfer == Transfer::Task;
    let edge_s_per_byte = if sends_tasks { 0.0 } else { mean_transfer_s_per_byte(model) };
    let mut ranks = vec![0.0; model.tasks()];
    for &task in model.application().topological().iter().rev() {
        let task = task as usize;
        let time_s = |place: u8| {
            let place = place as usize;
            model.send_s(task, place) + model.run_s(task, place) + model.return_s(task, place)
        };
        let times = model.allowed_places(task).map(time_s);
        let own_s = if sends_tasks {
            times.fold(f64::INFINITY, f64::min)
        } else {
            let (sum, count) = times.fold((0.0, 0), |(sum, count), time| (sum + time, count + 1));
            sum / f64::from(count)
        };
        let after = model.application().outgoing(task).iter();
        let after_s = after.map(|edge| edge.bytes * edge_s_per_byte + ranks[edge.task as usize]).fold(0.0, f64::max);
        ranks[task] = own_s + after_s;
    }
    ranks
}

/// The mean over all pairs of different places that can be used.
fn mean_transfer_s_per_byte(model: &GraphModel) -> f64 {
    let usable: Vec<usize> = (0..model.places()).filter(|place| model.system().is_usable(*place)).collect();
    let pairs =
        usable.iter().flat_map(|from| usable.iter().map(move |to| (*from, *to))).filter(|(from, to)| from != to);
    let (sum, count) =
        pairs.fold((0.0, 0), |(sum, count), (from, to)| (sum + model.transfer_s_per_byte(from, to), count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}
