//! Simulated annealing: random moves and swaps. Changes that raise the cost are accepted less and less often.

use super::Neighbourhood;
use crate::random::{self, Stream};

/// The first temperature, as a share of the cost of one task. A step that raises the cost by the temperature is accepted
/// with a probability of 1/e.
const FIRST_TEMPERATURE: f64 = 0.2;
/// The last temperature, as a share of the cost of one task.
const LAST_TEMPERATURE: f64 = 2e-4;

/// Anneals a decision with a number of cost evaluations, cooling geometrically, and writes the best decision seen into
/// `best`. It never becomes worse than the decision that the search starts from.
///
/// # Shapes
/// `best` is `[tasks]`. It must be the decision that the search starts from.
pub fn anneal(decision: &mut impl Neighbourhood, best: &mut [u8], evaluations: u64, random: &mut Stream) {
    let (tasks, count) = (best.len(), decision.place_count());
    if count < 2 {
        return;
    }
    let mut cost = decision.cost();
    let mut best_cost = cost;
    let (first, last) = (FIRST_TEMPERATURE * cost / tasks as f64, LAST_TEMPERATURE * cost / tasks as f64);
    let cooling = (last / first).powf(1.0 / evaluations.max(1) as f64);
    let mut temperature = first;
    for _ in 0..evaluations {
        temperature *= cooling;
        let step = Step::draw(random, decision.places(), tasks, count);
        // Drawn beforehand, so that a swap which is surely too expensive need not be evaluated exactly.
        let limit = cost - temperature * (1.0 - random::unit(random)).ln();
        let stepped = match step {
            Step::Move { task, place } => Some(decision.cost_of_move(task, place, limit)),
            Step::Swap { task, other } => decision.cost_of_swap(task, other, limit),
        };
        // Not even a limit that is no number, where all costs are 0, lets a task go where it may not be.
        if stepped.is_none_or(|cost| cost > limit || !cost.is_finite()) {
            continue;
        }
        match step {
            Step::Move { task, place } => decision.make_move(task, place),
            Step::Swap { task, other } => decision.make_swap(task, other),
        }
        cost = decision.cost();
        if cost < best_cost {
            best_cost = cost;
            best.copy_from_slice(decision.places());
        }
    }
}

/// One change of a decision.
#[derive(Debug, Clone, Copy)]
enum Step {
    Move { task: usize, place: u8 },
    Swap { task: usize, other: usize },
}

impl Step {
    /// Draws a move or a swap with equal probability. A swap of tasks at one place becomes a move.
    fn draw(random: &mut Stream, places: &[u8], tasks: usize, count: usize) -> Self {
        let task = random::below(random, tasks);
        let other = random::below(random, tasks);
        if random::unit(random) < 0.5 && places[task] != places[other] {
            return Self::Swap { task, other };
        }
        let place = random::below(random, count - 1) as u8;
        Self::Move { task, place: place + u8::from(place >= places[task]) }
    }
}
