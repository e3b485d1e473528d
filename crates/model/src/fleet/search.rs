//! Search that a network leads: first where it minds least.

use sim::IncrementalCost;
use sim::scheme::{self, gains};

use super::forward::{Forward, Scratch};
use super::instance::Instance;

/// What is tried: a task at another place, or two tasks each at the other's.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Move { task: usize, place: u8 },
    Swap { task: usize, other: usize },
}

/// Tasks of one place that are tried for swaps with those of one other.
const PARTNERS: usize = 24;
/// The shortest list of candidates.
const FEWEST: usize = 16;

/// Improves the decision that `priced` holds by moves and swaps, those first that the network minds least, until so many
/// prices were asked or nothing helps; returns their number. The network is asked anew after one price a task.
pub(super) fn search(
    forward: &Forward,
    instance: &Instance,
    scratch: &mut Scratch,
    priced: &mut IncrementalCost<'_>,
    budget: u64,
) -> u64 {
    let sizes_bytes = priced.sizes_bytes().to_vec();
    let mut proposal = priced.places().to_vec();
    let mut candidates = Vec::new();
    let (mut asked, mut cost) = (0, priced.cost());
    while asked < budget {
        let before = cost;
        forward.pass(instance, scratch, Some(priced.places()), &mut proposal);
        if proposal != priced.places() {
            let now = priced.places().to_vec();
            priced.set(&sizes_bytes, &proposal);
            asked += 1;
            if gains(priced.cost(), cost) {
                cost = priced.cost();
            } else {
                priced.set(&sizes_bytes, &now);
            }
        }
        list(instance, scratch.scores(), priced.places(), &mut candidates);
        for &(_, candidate) in &candidates {
            if asked >= budget {
                return asked;
            }
            asked += u64::from(is_tried(priced, candidate, &mut cost));
        }
        if !gains(cost, before) {
            // Nothing that the network thinks of helps: what is left goes to a search without it.
            let mut places = priced.places().to_vec();
            asked += scheme::improve_within(priced.model(), &sizes_bytes, &mut places, budget.saturating_sub(asked));
            priced.set(&sizes_bytes, &places);
            return asked;
        }
    }
    asked
}

/// Prices a candidate, unless it would change nothing, and takes it if it is cheaper.
fn is_tried(priced: &mut IncrementalCost<'_>, candidate: Candidate, cost: &mut f64) -> bool {
    match candidate {
        Candidate::Move { task, place } => {
            if priced.places()[task] == place {
                return false;
            }
            if gains(priced.move_cost(task, place), *cost) {
                priced.place(task, place);
                *cost = priced.cost();
            }
        }
        Candidate::Swap { task, other } => {
            if priced.places()[task] == priced.places()[other] {
                return false;
            }
            if priced.swap_cost(task, other, *cost).is_some_and(|swapped| gains(swapped, *cost)) {
                priced.swap(task, other);
                *cost = priced.cost();
            }
        }
    }
    true
}

/// As many candidates as there are tasks, each with how much less the network would have it, the least first: moves, and
/// swaps of those tasks that it minds least to move.
fn list(instance: &Instance, scores: &[f32], decision: &[u8], candidates: &mut Vec<(f32, Candidate)>) {
    let (count, places) = (instance.task_count(), instance.places());
    candidates.clear();
    // From each place to each other.
    let mut leaving: Vec<Vec<(f32, usize)>> = vec![Vec::new(); places * places];
    for (task, &here) in decision.iter().enumerate() {
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

fn keep_least<T>(items: &mut Vec<(f32, T)>, count: usize) {
    if items.len() > count {
        items.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0));
        items.truncate(count);
    }
}
