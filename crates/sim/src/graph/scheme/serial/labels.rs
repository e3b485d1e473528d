//! The optimum of a chain within limits, by Pareto labels: of the decisions about the first tasks that end at the same
//! place, all are kept that no other one beats in cost and in every amount that has a limit.

use super::chain::Chain;
use super::labelling::Labelling;

/// The most labels that are kept altogether.
const MAX_LABELS: usize = 2_000_000;

/// What an amount with a limit may be.
pub(super) struct Limited<'a> {
    pub(super) amounts: &'a Labelling<'a>,
    pub(super) most: f64,
}

/// What a search by labels found.
pub(super) struct Found {
    /// Decisions by rising cost; the first one that keeps the limits is the optimum. Empty if none keeps them.
    pub(super) decisions: Vec<Vec<u8>>,
    /// The number of labels made.
    pub(super) labels: u64,
}

/// A decision about the first tasks of a chain.
#[derive(Debug, Clone, Copy)]
struct Label {
    /// The cost, then the amounts that have limits.
    values: [f64; 4],
    /// The label before it, and the place.
    before: u32,
    place: u8,
}

/// Finds the cheapest decision about a chain within limits. `None` if there are too many labels.
pub(super) fn cheapest_in_chain(costs: &Labelling<'_>, limits: &[Limited<'_>], chain: &Chain) -> Option<Found> {
    let places = costs.places;
    let tables: Vec<&Labelling<'_>> = std::iter::once(costs).chain(limits.iter().map(|limit| limit.amounts)).collect();
    let ahead: Vec<Vec<f64>> = tables[1..].iter().map(|amounts| least_ahead(amounts, chain)).collect();
    let mut labels: Vec<Label> = Vec::new();
    let mut last = 0..0;
    for (index, (&task, &bytes)) in chain.tasks.iter().zip(&chain.bytes).enumerate() {
        let first = labels.len();
        for place in (0..places).filter(|place| costs.task_cost(task, *place).is_finite()) {
            let own = |values: &mut [f64; 4], from: Option<usize>| {
                for (value, table) in values.iter_mut().zip(&tables) {
                    let way = from.map_or(0.0, |from| bytes * table.byte_cost(from, place));
                    *value += table.task_cost(task, place) + way;
                }
            };
            let mut candidates = Vec::with_capacity(last.len().max(1));
            if index == 0 {
                candidates.push(Label { values: [0.0; 4], before: u32::MAX, place: place as u8 });
                own(&mut candidates[0].values, None);
            }
            for before in last.clone() {
                let mut label = Label { before: before as u32, place: place as u8, ..labels[before] };
                own(&mut label.values, Some(labels[before].place as usize));
                candidates.push(label);
            }
            candidates.retain(|label| {
                let amounts = label.values[1..].iter().zip(limits).zip(&ahead);
                amounts.fold(true, |keeps, ((amount, limit), ahead)| {
                    keeps && amount + ahead[index * places + place] <= limit.most
                })
            });
            keep_pareto(&mut candidates, tables.len(), &mut labels);
        }
        last = first..labels.len();
        if labels.len() > MAX_LABELS {
            return None;
        }
    }
    let mut ends: Vec<usize> = last.collect();
    ends.sort_by(|a, b| labels[*a].values[0].total_cmp(&labels[*b].values[0]));
    let decision = |end: &usize| {
        let mut decision = vec![0; chain.tasks.len()];
        let mut at = *end;
        for &task in chain.tasks.iter().rev() {
            decision[task] = labels[at].place;
            at = labels[at].before as usize;
        }
        decision
    };
    // The limits are loosened for rounding: the first decision nearly always keeps them.
    Some(Found { decisions: ends.iter().take(16).map(decision).collect(), labels: labels.len() as u64 })
}

/// Appends the candidates that no other candidate beats in the first `dimensions` values.
fn keep_pareto(candidates: &mut [Label], dimensions: usize, kept: &mut Vec<Label>) {
    let first = kept.len();
    candidates.sort_by(|a, b| {
        let order = a.values.iter().zip(&b.values).map(|(a, b)| a.total_cmp(b));
        order.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    for candidate in candidates.iter() {
        let is_beaten = if dimensions <= 2 {
            // In order of cost, only the last one kept has to be compared.
            kept[first..].last().is_some_and(|best| dimensions < 2 || best.values[1] <= candidate.values[1])
        } else {
            let beats = |best: &Label| (1..dimensions).all(|index| best.values[index] <= candidate.values[index]);
            kept[first..].iter().any(beats)
        };
        if !is_beaten {
            kept.push(*candidate);
        }
    }
}

/// `[index in the chain][place]`: the least amount of all that comes after a task at a place.
fn least_ahead(amounts: &Labelling<'_>, chain: &Chain) -> Vec<f64> {
    let places = amounts.places;
    let mut ahead = vec![0.0; chain.tasks.len() * places];
    for index in (0..chain.tasks.len() - 1).rev() {
        let (task, bytes) = (chain.tasks[index + 1], chain.bytes[index + 1]);
        for from in 0..places {
            let amount = |to: usize| {
                amounts.task_cost(task, to) + bytes * amounts.byte_cost(from, to) + ahead[(index + 1) * places + to]
            };
            ahead[index * places + from] = (0..places).map(amount).fold(f64::INFINITY, f64::min);
        }
    }
    ahead
}
