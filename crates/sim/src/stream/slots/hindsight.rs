//! The optimum with knowledge of the whole path.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::path::SlotPath;

/// The cheapest way to send everything, by a scheme that knows the whole path.
#[derive(Debug, Clone, PartialEq)]
pub struct HindsightPlan {
    /// The cost, which no scheme undercuts.
    pub cost: f64,
    /// Its energy, in J, with what is charged for data that is left.
    pub energy_j: f64,
    /// Its mean delay of a byte, in seconds.
    pub mean_delay_s: f64,
    /// Bytes sent in each slot over each link, `[slots, links]`.
    pub sent_bytes: Vec<f64>,
    /// Whether a scheme reaches the cost; otherwise it is a lower bound.
    pub is_exact: bool,
}

/// A way to get rid of bytes that are there: its price for a byte that arrived at time 0.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Way {
    price: f64,
    /// Slot times links plus link, or one of the places beyond.
    index: usize,
    energy_j_per_byte: f64,
    /// The time at which a byte leaves, in seconds.
    time_s: f64,
}

impl Eq for Way {}

impl Ord for Way {
    /// The cheapest is the largest; of equal ones, the first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.price.total_cmp(&self.price).then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Way {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The optimum of a path, or a lower bound.
///
/// A byte that arrives in slot s and is sent in slot t over link l costs P_l / r_lt · (price of energy) + (t − s + ½) ·
/// (price of delay): a part of the sending slot, and one of the arrival alone. Arrivals may use the slots from their
/// own on, and these sets are nested. So the greedy algorithm is exact: arrivals, latest first, take the cheapest rest
/// of capacity in their slots, and a heap finds it.
///
/// It is exact for one application without deadline and tail, and with a queue that holds all files. Otherwise it is a lower bound: tails
/// take no energy; several applications may share a link in a slot; data may be sent over a link after its deadline,
/// too, or over the fallback as soon as its deadline has come, at any rate; late files have no price; dropped data
/// leaves at once.
pub fn hindsight(path: &SlotPath) -> HindsightPlan {
    plan(path, path.arrived_bytes() > path.problem().settings().queue_limit_bytes)
}

/// The plan of [`hindsight`] in which no data is dropped: with a limit of the queue a scheme drops only what does not fit.
pub(super) fn plan_without_drops(path: &SlotPath) -> HindsightPlan {
    plan(path, false)
}

fn plan(path: &SlotPath, may_drop: bool) -> HindsightPlan {
    let settings = path.problem().settings();
    let (prices, links, slot_s) = (path.prices(), settings.links.len(), settings.slot_s);
    let slots = path.slots();
    let place_left = slots * links;
    let way = |index: usize, energy_j_per_byte: f64, time_s: f64| Way {
        price: prices.per_joule * energy_j_per_byte + prices.per_byte_s * time_s,
        index,
        energy_j_per_byte,
        time_s,
    };
    let mut heap = BinaryHeap::with_capacity(place_left + 2);
    heap.push(way(place_left, prices.left_j_per_byte, slots as f64 * slot_s));
    let mut capacity: Vec<f64> = path.all_rates().iter().map(|rate| rate * slot_s).collect();
    let mut sent_bytes = vec![0.0; place_left];
    let (mut energy_j, mut backlog_s) = (0.0, 0.0);
    let mut files = path.files().iter().rev().peekable();
    for slot in (0..slots).rev() {
        let start_s = slot as f64 * slot_s;
        for (link, of) in settings.links.iter().enumerate() {
            let rate = path.rates(slot)[link];
            if rate > 0.0 {
                heap.push(way(slot * links + link, of.power_w / rate, start_s + 0.5 * slot_s));
            }
        }
        if may_drop {
            heap.push(way(place_left + 1, prices.left_j_per_byte, start_s));
        }
        while let Some(file) = files.next_if(|file| file.slot == slot) {
            let deadline_s = settings.applications[file.application].deadline_s;
            if let (Some(fallback), Some(deadline_s)) = (settings.fallback, deadline_s) {
                heap.push(way(place_left + 2, fallback.energy_j_per_byte, start_s + deadline_s));
            }
            let mut rest = file.bytes;
            while rest > 0.0
                && let Some(best) = heap.peek()
            {
                let bytes = match capacity.get_mut(best.index) {
                    Some(free) => {
                        let bytes = rest.min(*free);
                        *free -= bytes;
                        sent_bytes[best.index] += bytes;
                        bytes
                    }
                    None => rest,
                };
                rest -= bytes;
                energy_j += best.energy_j_per_byte * bytes;
                backlog_s += (best.time_s - start_s) * bytes;
                if capacity.get(best.index).is_some_and(|free| *free <= 0.0) {
                    heap.pop();
                }
            }
        }
    }
    let one_deadline = settings.applications.iter().all(|application| application.deadline_s.is_none());
    let is_exact = settings.applications.len() == 1
        && (one_deadline || (settings.fallback.is_none() && settings.late_price == 0.0))
        && !path.problem().has_tail()
        && !may_drop;
    let arrived = path.arrived_bytes();
    HindsightPlan {
        cost: prices.per_joule * energy_j + prices.per_byte_s * backlog_s,
        energy_j,
        mean_delay_s: if arrived > 0.0 { backlog_s / arrived } else { 0.0 },
        sent_bytes,
        is_exact,
    }
}
