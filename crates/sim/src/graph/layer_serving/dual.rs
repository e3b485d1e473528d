//! Prices of capacity and bandwidth that bound the number of tasks served.

use super::Shares;

/// Steps of each search along a line; each shrinks the interval to 62 %.
const STEPS: usize = 60;

/// Prices of the whole capacity and the whole bandwidth of an edge node, each at least 0.
///
/// A task that pays for its shares is worth 1 less its cheapest payment, if that is above 0. No decision serves more tasks
/// than both prices and all these worths together: the bound of the linear relaxation, if prices make it least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prices(pub(super) [f64; 2]);

impl Prices {
    /// The prices with about the least bound, for the ways in which each task can be served.
    pub(super) fn best(tasks: &[Vec<Shares>]) -> Self {
        let most = tasks.len() as f64;
        // The bound is convex, and so is its least over one price as a function of the other.
        let of_capacity = |capacity: f64| {
            let bandwidth = least_at(most, |bandwidth| Self([capacity, bandwidth]).bound(tasks));
            Self([capacity, bandwidth])
        };
        of_capacity(least_at(most, |capacity| of_capacity(capacity).bound(tasks)))
    }

    /// How many tasks are served at most; not rounded down.
    pub(super) fn bound(&self, tasks: &[Vec<Shares>]) -> f64 {
        self.0.iter().sum::<f64>() + tasks.iter().map(|shares| self.worth(shares).max(0.0)).sum::<f64>()
    }

    /// What serving a task is worth: 1 less its cheapest payment. Negative where it pays more than 1, and infinitely so if it
    /// cannot be served.
    pub(super) fn worth(&self, shares: &[Shares]) -> f64 {
        1.0 - shares.iter().map(|shares| shares.price(self.0)).fold(f64::INFINITY, f64::min)
    }
}

/// Where a convex function of a number from 0 to `most` is about least, by golden section.
fn least_at(most: f64, mut value: impl FnMut(f64) -> f64) -> f64 {
    let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut from, mut to) = (0.0, most);
    let (mut left, mut right) = (to - ratio * (to - from), from + ratio * (to - from));
    let (mut at_left, mut at_right) = (value(left), value(right));
    for _ in 0..STEPS {
        if at_left <= at_right {
            (to, right, at_right) = (right, left, at_left);
            left = to - ratio * (to - from);
            at_left = value(left);
        } else {
            (from, left, at_left) = (left, right, at_right);
            right = from + ratio * (to - from);
            at_right = value(right);
        }
    }
    // The ends are often best, and golden section comes near them only.
    let candidates = [(at_left, left), (at_right, right), (value(0.0), 0.0)];
    candidates.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, at)| at)
}
