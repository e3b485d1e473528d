//! Waiting for WiFi, but not for ever.

use super::{Observation, Order, SlotScheme};
use crate::stream::slots::assign::largest;
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::path::SlotPath;

/// Delayed offloading, in the manner of Wu et al. (IEEE Transactions on Mobile Computing, 2018): the link with the
/// least energy per byte at its mean rate (WiFi) sends whenever it can; the others send what has waited for some time.
#[derive(Debug, Clone)]
pub struct Delayed {
    name: String,
    wait_s: f64,
    wifi: usize,
    slot_s: f64,
}

impl Delayed {
    /// Data waits `wait_s` seconds for WiFi.
    pub fn new(name: &str, wait_s: f64) -> Self {
        Self { name: name.to_owned(), wait_s, wifi: 0, slot_s: 1.0 }
    }
}

impl SlotScheme for Delayed {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        let (links, applications) = (path.problem().links(), path.problem().applications());
        if links < 2 {
            return Err(SlotSchemeError::Shape { scheme: "delayed", needs: "two links or more", links, applications });
        }
        self.wifi = path.problem().best_link();
        self.slot_s = path.problem().settings().slot_s;
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        orders[self.wifi] = Order::send(largest(now.backlog_bytes));
        let oldest = largest(now.oldest_age_s);
        if now.oldest_age_s[oldest] < self.wait_s {
            return;
        }
        let mut late = now.bytes_older_than(oldest, self.wait_s);
        if orders[self.wifi].application == oldest {
            late -= now.bytes_per_s[self.wifi] * self.slot_s;
        }
        for (link, order) in orders.iter_mut().enumerate() {
            if link != self.wifi && late > 0.0 {
                *order = Order { application: oldest, most_bytes: late };
                late -= now.bytes_per_s[link] * self.slot_s;
            }
        }
    }
}
