//! Local search that a network guides: moves and swaps whose places the network scores highest come first.

use sim::IncrementalCost;
use sim::scheme::{self, gains};

use super::forward::{Forward, Scratch};
use super::instance::Instance;

/// A change of a decision: one task to another place, or two tasks each to the other's place.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Move { task: usize, place: u8 },
    Swap { task: usize, other: usize },
}

/// The most tasks of one place that are paired with tasks of another place for swaps.
const PARTNERS: usize = 24;
/// The shortest list of candidates.
const FEWEST: usize = 16;

/// Improves the decision that `current` holds by moves and swaps, in order of the score that each loses, until `budget` cost
/// evaluations are spent or no candidate lowers the cost. Returns the number of evaluations. The network scores the decision
/// again after one evaluation for each task.
pub(super) fn search(
    forward: &Forward,
    instance: &Instance,
    scratch: &mut Scratch,
    current: &mut IncrementalCost<'_>,
    budget: u64,
) -> u64 {
    let sizes_bytes = current.sizes_bytes().to_vec();
    let mut proposal = current.places().to_vec();
    let mut candidates = Vec::new();
    let (mut evaluations, mut cost) = (0, current.cost());
    while evaluations < budget {
        let before = cost;
        forward.pass(instance, scratch, Some(current.places()), &mut proposal);
        if proposal != current.places() {
            let places = current.places().to_vec();
            current.set(&sizes_bytes, &proposal);
            evaluations += 1;
            if gains(current.cost(), cost) {
                cost = current.cost();
            } else {
                current.set(&sizes_bytes, &places);
            }
        }
        list(instance, scratch.scores(), current.places(), &mut candidates);
        for &(_, candidate) in &candidates {
            if evaluations >= budget {
                return evaluations;
            }
            evaluations += u64::from(is_evaluated(current, candidate, &mut cost));
        }
        if !gains(cost, before) {
            // No candidate of the network helps: a search without it spends the rest of the budget.
            let mut places = current.places().to_vec();
            let rest = budget.saturating_sub(evaluations);
            evaluations += scheme::improve_within(current.model(), &sizes_bytes, &mut places, rest);
            current.set(&sizes_bytes, &places);
            return evaluations;
        }
    }
    evaluations
}

/// Evaluates the cost of a candidate and applies it if it is cheaper; false if the candidate would change nothing.
fn is_evaluated(current: &mut IncrementalCost<'_>, candidate: Candidate, cost: &mut f64) -> bool {
    match candidate {
        Candidate::Move { task, place } => {
            if current.places()[task] == place {
                return false;
            }
            if gains(current.move_cost(task, place), *cost) {
                current.place(task, place);
                *cost = current.cost();
            }
        }
        Candidate::Swap { task, other } => {
            if current.places()[task] == current.places()[other] {
                return false;
            }
            if current.swap_cost(task, other, *cost).is_some_and(|swapped| gains(swapped, *cost)) {
                current.swap(task, other);
                *cost = current.cost();
            }
        }
    }
    true
}

/// Lists one candidate for each task, with the score that each loses, in order of this loss: moves, and swaps of the tasks
/// whose moves lose least. Tasks without bytes stay where they are.
fn list(instance: &Instance, scores: &[f32], decision: &[u8], candidates: &mut Vec<(f32, Candidate)>) {
    let (count, places) = (instance.task_count(), instance.places());
    candidates.clear();
    // `[from][to]`: the tasks of one place with the loss of moving them to another.
    let mut leaving: Vec<Vec<(f32, usize)>> = vec![Vec::new(); places * places];
    for (task, &here) in decision.iter().enumerate().filter(|(task, _)| instance.sizes[*task] > 0.0) {
        let here = usize::from(here);
        let stay = scores[here * count + task];
        for place in (0..places).filter(|&place| place != here && instance.can_reach(task, place)) {
            let loss = stay - scores[place * count + task];
            candidates.push((loss, Candidate::Move { task, place: place as u8 }));
            leaving[here * places + place].push((loss, task));
        }
    }
    for tasks in &mut leaving {
        keep_least(tasks, PARTNERS);
    }
    for here in 0..places {
        for place in here + 1..places {
            for &(loss, task) in &leaving[here * places + place] {
                for &(other_loss, other) in &leaving[place * places + here] {
                    candidates.push((loss + other_loss, Candidate::Swap { task, other }));
                }
            }
        }
    }
    keep_least(candidates, count.max(FEWEST));
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
}

/// Keeps the items with the least losses, in any order.
fn keep_least<T>(items: &mut Vec<(f32, T)>, count: usize) {
    if items.len() > count {
        items.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0));
        items.truncate(count);
    }
}
