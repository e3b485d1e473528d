//! Labels for networks for any fleet: the cheapest of their own proposals, a little improved.

use model::fleet::{Forward, Instance, Scratch};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{CostModel, IncrementalCost, Workload};

use super::draw::DrawnFleet;

/// The start of a pass, and the decision that the pass should have proposed.
pub(super) struct Labelled {
    /// The decision that the pass started from; `None` if nothing was decided.
    pub(super) start: Option<Vec<u8>>,
    /// The decision to imitate.
    pub(super) label: Vec<u8>,
    /// Cost of the cheapest proposal divided by the cost of the label.
    pub(super) gain: f64,
}

/// Labels one fleet.
///
/// The first network takes some passes, from nothing or from the greedy decision; from there every network proposes once.
/// The least certain tasks of each proposal are tried at their second best places. The cheapest result, after one sweep of
/// single moves, is the label.
pub(super) fn label(
    drawn: &DrawnFleet,
    instance: &Instance,
    forwards: &[Forward],
    flips: usize,
    scratch: &mut Scratch,
) -> Labelled {
    let DrawnFleet { model, sizes_bytes, is_undecided, passes } = drawn;
    let mut start = (!is_undecided).then(|| greedy(model, sizes_bytes));
    let mut decision = vec![0; sizes_bytes.len()];
    let mut pass = |forward: &Forward, start: &Option<Vec<u8>>, scratch: &mut Scratch| {
        forward.pass(instance, scratch, start.as_deref(), &mut decision);
        decision.clone()
    };
    for _ in 0..*passes {
        start = Some(pass(&forwards[0], &start, scratch));
    }
    let mut current = IncrementalCost::new(model);
    let mut cheapest = (f64::INFINITY, Vec::new());
    let mut proposed = f64::INFINITY;
    for forward in forwards {
        let decision = pass(forward, &start, scratch);
        current.set(sizes_bytes, &decision);
        let mut cost = current.cost();
        proposed = proposed.min(cost);
        for (task, place) in least_certain(&decision, scratch.scores(), flips) {
            if current.move_cost(task, place) < cost {
                current.place(task, place);
                cost = current.cost();
            }
        }
        if cost < cheapest.0 {
            cheapest = (cost, current.places().to_vec());
        }
    }
    current.set(sizes_bytes, &cheapest.1);
    sweep(&mut current, sizes_bytes);
    Labelled { start, label: current.places().to_vec(), gain: proposed / current.cost() }
}

fn greedy(model: &CostModel, sizes_bytes: &[f64]) -> Vec<u8> {
    let workload = Workload::from_bytes(model.tasks(), sizes_bytes.to_vec());
    let solution = Greedy::new(Order::LargestFirst).decide(model, &workload).expect("greedy always decides");
    solution.decision.places().to_vec()
}

/// The tasks whose second best place is scored closest to the chosen one, each with that second place.
fn least_certain(decision: &[u8], scores: &[f32], count: usize) -> Vec<(usize, u8)> {
    let tasks = decision.len();
    let mut margins: Vec<(f32, usize, u8)> = decision
        .iter()
        .enumerate()
        .filter_map(|(task, &here)| {
            let score = |place: usize| scores[place * tasks + task];
            let others = (0..scores.len() / tasks).filter(|&place| place != usize::from(here));
            let second = others.max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
            Some((score(usize::from(here)) - score(second), task, second as u8))
        })
        .collect();
    margins.sort_by(|a, b| a.0.total_cmp(&b.0));
    margins.into_iter().take(count).map(|(_, task, place)| (task, place)).collect()
}

/// Moves each task, the largest first, to its cheapest place while the others stay.
fn sweep(current: &mut IncrementalCost<'_>, sizes_bytes: &[f64]) {
    let mut order: Vec<usize> = (0..sizes_bytes.len()).collect();
    order.sort_by(|&a, &b| sizes_bytes[b].total_cmp(&sizes_bytes[a]));
    let mut costs = vec![0.0; current.model().places()];
    let mut cost = current.cost();
    for task in order {
        current.move_costs(task, &mut costs);
        let cheapest = (1..costs.len()).fold(0, |best, place| if costs[place] < costs[best] { place } else { best });
        // Gains smaller than rounding are none.
        if costs[cheapest] < cost * (1.0 - 1e-9) {
            current.place(task, cheapest as u8);
            cost = current.cost();
        }
    }
}
