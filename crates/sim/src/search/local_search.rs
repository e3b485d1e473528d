//! Local search: single moves, then swaps or moves of two tasks, until none makes the decision better.

use super::{Neighbourhood, cheapest};

/// The largest ratio of a new cost to the old one that counts as a gain. Without a margin, rounding alone could let a
/// search go back and forth for ever.
pub(crate) const GAINING: f64 = 1.0 - 1e-12;

/// Whether a new cost is lower than an old one by more than rounding.
pub fn gains(new: f64, old: f64) -> bool {
    new < old * GAINING
}

/// The result of a search for a swap, as [`Neighbourhood::first_swap`] makes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstSwap {
    /// The number of swaps that were evaluated.
    pub evaluations: u64,
    /// The position of the other task in the list and the cost of the decision, if there is such a swap.
    pub found: Option<(usize, f64)>,
}

/// Improves a decision by moves of the tasks in `order` to their cheapest places, and where no move helps, by swaps of two of
/// them; until none lowers the cost or `budget` cost evaluations are spent. Returns their number.
///
/// # Panics
/// If there is no such task, or no place.
pub fn improve(decision: &mut impl Neighbourhood, order: &[usize], budget: u64) -> u64 {
    let mut costs = vec![0.0; decision.place_count()];
    let moves = costs.len() as u64 - 1;
    let mut evaluations = 0;
    let mut cost = decision.cost();
    loop {
        let before = cost;
        for &task in order {
            if evaluations + moves > budget {
                return evaluations;
            }
            decision.costs_of_moves(task, &mut costs);
            evaluations += moves;
            let cheapest = cheapest(&costs);
            if gains(costs[cheapest], cost) {
                decision.make_move(task, cheapest as u8);
                cost = decision.cost();
            }
        }
        if gains(cost, before) {
            continue; // moves are cheaper than swaps
        }
        for (rank, &task) in order.iter().enumerate() {
            let mut others = &order[rank + 1..];
            loop {
                let swap = decision.first_swap(task, others, cost * GAINING, budget - evaluations);
                evaluations += swap.evaluations;
                let Some((index, _)) = swap.found else { break };
                decision.make_swap(task, others[index]);
                cost = decision.cost();
                others = &others[index + 1..];
            }
            if evaluations >= budget {
                return evaluations;
            }
        }
        if !gains(cost, before) {
            return evaluations;
        }
    }
}

/// A move of one task: its number and its new place.
pub type Move = (u32, u8);

/// A decision that makes moves only if they make it better.
pub trait Improvable {
    /// The decision, `[tasks]`.
    fn places(&self) -> &[u8];

    /// Makes moves of different tasks, all at once, if they make the decision better. Returns whether they do. It takes one
    /// cost evaluation.
    fn improve_by(&mut self, moves: &[Move]) -> bool;
}

/// Improves a decision by the first single move that makes it better, and where there is none, by the first two moves together;
/// until there are none of these, either, or `budget` cost evaluations are spent. Returns their number.
///
/// Two moves together include every swap, and take about places² times as long to try as all swaps.
///
/// # Panics
/// If there is no such task.
pub fn improve_by_pairs(decision: &mut impl Improvable, moves: &[Move], budget: u64) -> u64 {
    let mut search = PairSearch { decision, left: budget };
    loop {
        search.improve_singly(moves);
        if !search.improve_in_pairs(moves) {
            return budget - search.left;
        }
    }
}

struct PairSearch<'a, D> {
    decision: &'a mut D,
    left: u64,
}

impl<D: Improvable> PairSearch<'_, D> {
    /// Makes moves of one task until none helps or the budget is spent.
    fn improve_singly(&mut self, moves: &[Move]) {
        let mut failures = 0;
        for &one in moves.iter().cycle() {
            if failures == moves.len() || self.left == 0 {
                break;
            }
            failures = if self.attempt(&[one]) { 0 } else { failures + 1 };
        }
    }

    /// Makes the first move of two tasks that helps. Returns whether there was one.
    fn improve_in_pairs(&mut self, moves: &[Move]) -> bool {
        for (index, &one) in moves.iter().enumerate() {
            for &other in &moves[index + 1..] {
                if self.left == 0 {
                    return false;
                }
                if one.0 != other.0 && self.attempt(&[one, other]) {
                    return true;
                }
            }
        }
        false
    }

    /// Makes moves if they make the decision better.
    fn attempt(&mut self, moves: &[Move]) -> bool {
        let stays = |&(task, place): &Move| self.decision.places()[task as usize] == place;
        if moves.iter().any(stays) {
            return false;
        }
        self.left -= 1;
        self.decision.improve_by(moves)
    }
}
