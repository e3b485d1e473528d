//! What a page shows of a run in slots.

use serde::Serialize;
use sim::units::BYTES_PER_MB;

use super::super::trace::SlotRow;
use super::{OVERVIEW_POINTS, Overview, short};

/// The most numbers that a page holds: slots times columns.
const MOST_NUMBERS: usize = 200_000;
/// The number of links that a page shows; of others only what they send together.
const MOST_LINKS: usize = 8;

/// The slots that a page shows, as columns.
#[derive(Debug, Serialize)]
pub(super) struct SlotReplay<'r> {
    slot_s: f64,
    slots_of_run: usize,
    /// The first slot that is shown.
    first: usize,
    before: Sums,
    overview: Overview,
    arrived_mb: Vec<f64>,
    backlog_mb: Vec<f64>,
    /// What all links and the fallback send together.
    left_mb: Vec<f64>,
    fallback_mb: Vec<f64>,
    energy_j: Vec<f64>,
    links: Vec<LinkReplay<'r>>,
    links_of_run: usize,
}

/// A link, as columns.
#[derive(Debug, Serialize)]
struct LinkReplay<'r> {
    name: &'r str,
    mbps: Vec<f64>,
    sent_mb: Vec<f64>,
}

/// Sums over the slots before those that are shown.
#[derive(Debug, Default, Serialize)]
struct Sums {
    energy_j: f64,
    arrived_mb: f64,
    left_mb: f64,
    /// The integral of what waits, over time.
    waiting_mb_s: f64,
}

impl<'r> SlotReplay<'r> {
    pub(super) fn of(slots: &[SlotRow], links: &'r [String], slot_s: f64) -> Self {
        let shown_links = links.len().min(MOST_LINKS);
        let most = MOST_NUMBERS / (5 + 2 * shown_links);
        let first = if slots.len() > most { (slots.len() / 2).min(slots.len() - most) } else { 0 };
        let shown = &slots[first..slots.len().min(first + most)];
        let mb = |bytes: f64| short(bytes / BYTES_PER_MB);
        let column = |of: &dyn Fn(&SlotRow) -> f64| shown.iter().map(of).collect::<Vec<f64>>();
        let mut before = Sums::default();
        for row in &slots[..first] {
            before.energy_j += row.energy_j;
            before.arrived_mb += row.arrived_bytes / BYTES_PER_MB;
            before.left_mb += left_bytes(row) / BYTES_PER_MB;
            before.waiting_mb_s += slot_s * (row.backlog_bytes - 0.5 * left_bytes(row)) / BYTES_PER_MB;
        }
        let link = |index: usize| LinkReplay {
            name: &links[index],
            mbps: column(&|row| short(row.bytes_per_s[index] * 8e-6)),
            sent_mb: column(&|row| mb(row.sent_bytes[index])),
        };
        Self {
            slot_s,
            slots_of_run: slots.len(),
            first,
            before,
            overview: overview(slots, slot_s),
            arrived_mb: column(&|row| mb(row.arrived_bytes)),
            backlog_mb: column(&|row| mb(row.backlog_bytes)),
            left_mb: column(&|row| mb(left_bytes(row))),
            fallback_mb: column(&|row| mb(row.fallback_bytes)),
            energy_j: column(&|row| short(row.energy_j)),
            links: (0..shown_links).map(link).collect(),
            links_of_run: links.len(),
        }
    }
}

/// The bytes that leave the queue in a slot.
fn left_bytes(row: &SlotRow) -> f64 {
    row.sent_bytes.iter().sum::<f64>() + row.fallback_bytes
}

/// The most that waits in MB, over the whole run.
fn overview(slots: &[SlotRow], slot_s: f64) -> Overview {
    let of_point = slots.len().div_ceil(OVERVIEW_POINTS).max(1);
    let most = |part: &[SlotRow]| part.iter().map(|row| row.backlog_bytes).fold(0.0, f64::max);
    let values = slots.chunks(of_point).map(|part| short(most(part) / BYTES_PER_MB)).collect();
    Overview { from_s: 0.0, step_s: of_point as f64 * slot_s, values }
}
