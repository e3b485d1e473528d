//! What networks for any fleet imitate: the cheapest of what they propose themselves, a little improved.

use model::fleet::{FleetForward, FleetScratch, Instance};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{CostModel, IncrementalCost, Workload};

/// Where a pass began, and what it should have said.
pub(super) struct Proposed {
    /// `None`: nothing was decided.
    pub(super) start: Option<Vec<u8>>,
    pub(super) label: Vec<u8>,
    /// Cost of the cheapest proposal over that of the label.
    pub(super) gain: f64,
}

/// Takes some passes of the first network, from nothing or from the greedy decision; from there every network proposes
/// once. The cheapest, with its least certain tasks tried at their second best places and after one sweep of single moves,
/// is the label.
pub(super) fn propose(
    model: &CostModel,
    sizes_bytes: &[f64],
    instance: &Instance,
    (is_undecided, passes): (bool, usize),
    forwards: &[FleetForward],
    flips: usize,
    scratch: &mut FleetScratch,
) -> Proposed {
    let mut start = (!is_undecided).then(|| {
        let workload = Workload::from_bytes(model.tasks(), sizes_bytes.to_vec());
        let greedy = Greedy::new(Order::LargestFirst).decide(model, &workload).expect("greedy always decides");
        greedy.decision.places().to_vec()
    });
    let mut decision = vec![0; sizes_bytes.len()];
    let mut pass = |forward: &FleetForward, start: &Option<Vec<u8>>, scratch: &mut FleetScratch| {
        forward.pass(instance, scratch, start.as_deref(), &mut decision);
        decision.clone()
    };
    for _ in 0..passes {
        start = Some(pass(&forwards[0], &start, scratch));
    }
    let mut priced = IncrementalCost::new(model);
    let mut cheapest = (f64::INFINITY, Vec::new());
    let mut proposed = f64::INFINITY;
    for forward in forwards {
        let decision = pass(forward, &start, scratch);
        priced.set(sizes_bytes, &decision);
        let mut cost = priced.cost();
        proposed = proposed.min(cost);
        for (task, place) in least_certain(&decision, scratch.scores(), flips) {
            if priced.move_cost(task, place) < cost {
                priced.place(task, place);
                cost = priced.cost();
            }
        }
        if cost < cheapest.0 {
            cheapest = (cost, priced.places().to_vec());
        }
    }
    priced.set(sizes_bytes, &cheapest.1);
    sweep(&mut priced, sizes_bytes);
    Proposed { start, label: priced.places().to_vec(), gain: proposed / priced.cost() }
}

/// The tasks whose second best place is scored closest to where they are, with that place.
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

/// Each task, the largest first, where it is cheapest while the others stay.
fn sweep(priced: &mut IncrementalCost<'_>, sizes_bytes: &[f64]) {
    let mut order: Vec<usize> = (0..sizes_bytes.len()).collect();
    order.sort_by(|&a, &b| sizes_bytes[b].total_cmp(&sizes_bytes[a]));
    let mut costs = vec![0.0; priced.model().places()];
    let mut cost = priced.cost();
    for task in order {
        priced.move_costs(task, &mut costs);
        let cheapest = (1..costs.len()).fold(0, |best, place| if costs[place] < costs[best] { place } else { best });
        // Gains smaller than rounding are none.
        if costs[cheapest] < cost * (1.0 - 1e-9) {
            priced.place(task, cheapest as u8);
            cost = priced.cost();
        }
    }
}
