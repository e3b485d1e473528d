//! Search where a network is least certain.

use sim::IncrementalCost;

use super::forward::{FleetForward, FleetScratch};
use super::instance::Instance;

/// What is tried: a task at another place, or two tasks each at the other's.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Move { task: u32, place: u8 },
    Swap { task: u32, other: u32 },
}

/// Tasks of one place that are tried for swaps with those of one other.
const PARTNERS: usize = 24;

/// Improves a decision by moves and swaps, those first that the network minds least, until so many prices were asked or
/// nothing helps; returns the number of prices. After each gain of a list's worth the network is asked again.
pub fn search(
    forward: &FleetForward,
    instance: &Instance,
    scratch: &mut FleetScratch,
    priced: &mut IncrementalCost<'_>,
    budget: u64,
) -> u64 {
    let count = instance.task_count();
    let mut asked = 0;
    let mut cost = priced.cost();
    let mut candidates = Vec::new();
    let mut decision = priced.places().to_vec();
    loop {
        let before = cost;
        forward.pass(instance, scratch, Some(priced.places()), &mut decision);
        if asked >= budget {
            return asked;
        }
        if decision != priced.places() {
            let now = priced.places().to_vec();
            let sizes = priced.sizes_bytes().to_vec();
            priced.set(&sizes, &decision);
            asked += 1;
            if gains(priced.cost(), cost) {
                cost = priced.cost();
            } else {
                priced.set(&sizes, &now);
            }
        }
        list(instance, scratch.scores(), priced.places(), &mut candidates);
        let length = (count * 2).max(16);
        if candidates.len() > length {
            candidates.select_nth_unstable_by(length, |a, b| a.0.total_cmp(&b.0));
            candidates.truncate(length);
        }
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(_, candidate) in &candidates {
            if asked >= budget {
                return asked;
            }
            match candidate {
                Candidate::Move { task, place } => {
                    let task = task as usize;
                    if priced.places()[task] == place {
                        continue;
                    }
                    asked += 1;
                    if gains(priced.move_cost(task, place), cost) {
                        priced.place(task, place);
                        cost = priced.cost();
                    }
                }
                Candidate::Swap { task, other } => {
                    let (task, other) = (task as usize, other as usize);
                    if priced.places()[task] == priced.places()[other] {
                        continue;
                    }
                    asked += 1;
                    if priced.swap_cost(task, other, cost).is_some_and(|swapped| gains(swapped, cost)) {
                        priced.swap(task, other);
                        cost = priced.cost();
                    }
                }
            }
        }
        if !gains(cost, before) {
            let sizes = priced.sizes_bytes().to_vec();
            let mut places = priced.places().to_vec();
            asked += sim::scheme::improve_within(priced.model(), &sizes, &mut places, budget - asked);
            priced.set(&sizes, &places);
            return asked;
        }
    }
}

fn gains(new: f64, old: f64) -> bool {
    new < old * (1.0 - 1e-12)
}

/// All moves, and swaps of those tasks that mind least, each with how much less the network would have it.
fn list(instance: &Instance, scores: &[f32], decision: &[u8], candidates: &mut Vec<(f32, Candidate)>) {
    let (count, places) = (instance.task_count(), instance.places());
    candidates.clear();
    // From each place to each other: the tasks that mind least.
    let mut leaving: Vec<Vec<(f32, u32)>> = vec![Vec::new(); places * places];
    for (task, &here) in decision.iter().enumerate() {
        let here = usize::from(here);
        let stay = scores[here * count + task];
        for place in (0..places).filter(|&place| place != here && instance.can_reach(task, place)) {
            let loss = stay - scores[place * count + task];
            candidates.push((loss, Candidate::Move { task: task as u32, place: place as u8 }));
            leaving[here * places + place].push((loss, task as u32));
        }
    }
    for tasks in &mut leaving {
        if tasks.len() > PARTNERS {
            tasks.select_nth_unstable_by(PARTNERS, |a, b| a.0.total_cmp(&b.0));
            tasks.truncate(PARTNERS);
        }
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
}
