//! Which link sends whose data, for rules that only say whether it is worth it.

use super::path::SlotPath;
use super::scheme::{Observation, Order};

/// A link that could send data of an application.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) link: usize,
    pub(super) application: usize,
    /// Bytes of the application that no better link sends.
    pub(super) backlog_bytes: f64,
    pub(super) bytes_per_s: f64,
}

/// Pairs links with applications: the link that needs the least energy per byte now comes first, and gets the
/// application with the most bytes that no link before it sends.
#[derive(Debug, Clone)]
pub(super) struct Assigner {
    powers_w: Vec<f64>,
    slot_s: f64,
    rest: Vec<f64>,
}

impl Assigner {
    pub(super) fn new(path: &SlotPath) -> Self {
        let settings = path.problem().settings();
        Self {
            powers_w: settings.links.iter().map(|link| link.power_w).collect(),
            slot_s: settings.slot_s,
            rest: vec![0.0; settings.applications.len()],
        }
    }

    /// Writes an order for every pair that is worth it.
    pub(super) fn assign(
        &mut self,
        now: &Observation<'_>,
        orders: &mut [Order],
        mut is_worth_it: impl FnMut(&Candidate) -> bool,
    ) {
        let mut open = u64::MAX >> (64 - orders.len());
        // A copy of slices would call a function for what is mostly one number.
        for (rest, backlog) in self.rest.iter_mut().zip(now.backlog_bytes) {
            *rest = *backlog;
        }
        while open != 0 {
            let link = self.best_of(open, now.bytes_per_s);
            open &= !(1 << link);
            let application = largest(&self.rest);
            let candidate = Candidate {
                link,
                application,
                backlog_bytes: self.rest[application],
                bytes_per_s: now.bytes_per_s[link],
            };
            if candidate.backlog_bytes > 0.0 && candidate.bytes_per_s > 0.0 && is_worth_it(&candidate) {
                orders[link] = Order { application, most_bytes: candidate.backlog_bytes };
                self.rest[application] -= (candidate.bytes_per_s * self.slot_s).min(candidate.backlog_bytes);
            }
        }
    }

    /// Of the links in a set of bits, the one that needs the least energy per byte.
    fn best_of(&self, open: u64, rates: &[f64]) -> usize {
        let first = open.trailing_zeros() as usize;
        let mut best = first;
        for link in first + 1..rates.len() {
            let is_better = rates[link] * self.powers_w[best] > rates[best] * self.powers_w[link];
            if open >> link & 1 == 1 && is_better {
                best = link;
            }
        }
        best
    }
}

/// The first of the largest.
pub(super) fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate().skip(1) {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
