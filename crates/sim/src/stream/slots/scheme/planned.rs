//! Schemes that know the whole path.

use super::{Observation, Order, SlotScheme};
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::hindsight::plan_without_drops;
use crate::stream::slots::path::SlotPath;
use crate::stream::slots::tail::TailPlan;

/// Follows the plan of [`hindsight`](crate::stream::slots::hindsight()), without dropping anything that fits into the queue: with one application, no tail and no deadline the optimum. With a tail and one
/// link, it follows a [`TailPlan`] instead. With several applications a link sends the one with the most bytes.
#[derive(Debug, Clone, Default)]
pub struct Hindsight {
    links: usize,
    /// `[slots, links]`: bytes that should have been sent over a link until the end of a slot.
    sent_until: Vec<f64>,
    /// Bytes ordered of each link before the slot.
    ordered: Vec<f64>,
    tail: Option<TailPlan>,
    slot_s: f64,
}

impl SlotScheme for Hindsight {
    fn name(&self) -> &'static str {
        "hindsight"
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        self.links = path.problem().links();
        self.slot_s = path.problem().settings().slot_s;
        self.tail = None;
        self.ordered = vec![0.0; self.links];
        self.sent_until.clear();
        if path.problem().has_tail() && self.links == 1 && path.problem().applications() == 1 {
            self.tail = Some(TailPlan::new(path)?);
            return Ok(());
        }
        self.sent_until = plan_without_drops(path).sent_bytes;
        for index in self.links..self.sent_until.len() {
            self.sent_until[index] += self.sent_until[index - self.links];
        }
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        if let Some(plan) = &self.tail {
            if plan.sends(now.slot, now.backlog(), now.idle_s[0]) {
                orders[0] = Order::send(0);
            }
            return;
        }
        for (link, order) in orders.iter_mut().enumerate() {
            let bytes = self.sent_until[now.slot * self.links + link] - self.ordered[link];
            if bytes > 0.0 {
                let application = crate::stream::slots::assign::largest(now.backlog_bytes);
                *order = Order { application, most_bytes: bytes };
                let possible = now.bytes_per_s[link] * self.slot_s;
                self.ordered[link] += bytes.min(possible).min(now.backlog_bytes[application]);
            }
        }
    }

    fn plans_the_end(&self) -> bool {
        true
    }
}
