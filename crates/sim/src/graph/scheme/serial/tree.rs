//! The optimum with serial timing where edges form no circle, in whatever direction they point: chains and trees, with
//! any number of places, by dynamic programming.

use super::labelling::Labelling;
use crate::graph::application::Application;

/// The cheapest decision where edges form trees.
pub(super) fn cheapest_in_forest(costs: &Labelling<'_>, forest: &Forest) -> Vec<u8> {
    let order = &forest.0;
    let (tasks, places) = (costs.tasks(), costs.places);
    // The cheapest cost of a task at each place with everything below it.
    let mut cost = costs.task_costs.clone();
    // The best place of each task for each place of its parent.
    let mut choice = vec![0_u8; tasks * places];
    for &Step { task, parent } in order.iter().rev() {
        let Some(Parent { task: above, bytes, is_before }) = parent else { continue };
        for place_above in 0..places {
            let of = |place: usize| {
                let per_byte =
                    if is_before { costs.byte_cost(place_above, place) } else { costs.byte_cost(place, place_above) };
                cost[task * places + place] + bytes * per_byte
            };
            let best = (1..places).fold(0, |best, place| if of(place) < of(best) { place } else { best });
            choice[task * places + place_above] = best as u8;
            cost[above * places + place_above] += of(best);
        }
    }
    let mut decision = vec![0_u8; tasks];
    for &Step { task, parent } in order {
        decision[task] = parent.map_or_else(
            || {
                let of = |place: usize| cost[task * places + place];
                (1..places).fold(0, |best, place| if of(place) < of(best) { place } else { best }) as u8
            },
            |parent| choice[task * places + decision[parent.task] as usize],
        );
    }
    decision
}

/// The tasks of an application whose edges form trees, each after its parent.
pub(super) struct Forest(Vec<Step>);

/// A task of a tree, reached from its parent.
struct Step {
    task: usize,
    parent: Option<Parent>,
}

#[derive(Clone, Copy)]
struct Parent {
    task: usize,
    bytes: f64,
    /// Whether data flow from the parent to the task.
    is_before: bool,
}

impl Forest {
    /// `None` if edges form a circle, in whatever direction they point.
    pub(super) fn of(application: &Application) -> Option<Self> {
        if application.edges().len() >= application.len() {
            return None;
        }
        let mut is_seen = vec![false; application.len()];
        let mut order: Vec<Step> = Vec::with_capacity(application.len());
        for root in 0..application.len() {
            if std::mem::replace(&mut is_seen[root], true) {
                continue;
            }
            let mut next = order.len();
            order.push(Step { task: root, parent: None });
            while let Some(Step { task, parent }) = order.get(next) {
                let (task, came_from) = (*task, parent.map(|parent| parent.task));
                let after = application.outgoing(task).iter().map(|edge| (edge, true));
                for (edge, is_before) in after.chain(application.incoming(task).iter().map(|edge| (edge, false))) {
                    let other = edge.task as usize;
                    if came_from == Some(other) {
                        continue;
                    }
                    if std::mem::replace(&mut is_seen[other], true) {
                        return None;
                    }
                    order.push(Step { task: other, parent: Some(Parent { task, bytes: edge.bytes, is_before }) });
                }
                next += 1;
            }
        }
        Some(Self(order))
    }
}
