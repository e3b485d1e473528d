//! A perfect forecast of some seconds.

use super::{Observation, Order, SlotScheme};
use crate::stream::slots::assign::largest;
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::path::SlotPath;

/// Knows the rates of the next seconds, and nothing of files to come.
///
/// It plans what waits over the known slots: a byte costs its energy and its delay, the cheapest slots are filled
/// first, and data may be left for after the known slots at a price. What the plan puts into this slot is sent. Slots
/// that the queue fills do not carry more, so that not all data waits for the same good second.
#[derive(Debug, Clone)]
pub struct Forecast {
    name: String,
    horizon_s: f64,
    /// Energy of a byte that is left for later, in units of power over load.
    later: f64,
    path: Option<OnPath>,
}

#[derive(Debug, Clone)]
struct OnPath {
    /// `[slots, links]`, in bytes per second.
    rates: Vec<f64>,
    powers_w: Vec<f64>,
    /// J per byte and second of waiting.
    delay_price: f64,
    /// J per byte that is left for after the known slots.
    later_j: f64,
    slot_s: f64,
    known_slots: usize,
}

impl Forecast {
    /// A forecast of `horizon_s` seconds. A byte that waits longer is worth `later` · P / λ in energy, P the power of
    /// the first link and λ the bytes per second that arrive.
    pub fn new(name: &str, horizon_s: f64, later: f64) -> Self {
        Self { name: name.to_owned(), horizon_s, later, path: None }
    }
}

impl SlotScheme for Forecast {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        let settings = path.problem().settings();
        let powers_w: Vec<f64> = settings.links.iter().map(|link| link.power_w).collect();
        self.path = Some(OnPath {
            rates: path.all_rates().to_vec(),
            delay_price: path.delay_price_j_per_byte_s(),
            later_j: self.later * powers_w[0] / path.load(),
            slot_s: settings.slot_s,
            known_slots: (self.horizon_s / settings.slot_s).round() as usize,
            powers_w,
        });
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        let Some(path) = &self.path else { return };
        let application = largest(now.backlog_bytes);
        let links = path.powers_w.len();
        let wait_j = path.delay_price * path.slot_s;
        let later_j = path.later_j + wait_j * (path.known_slots + 1) as f64;
        let known = path.rates[now.slot * links..].chunks(links).take(path.known_slots + 1);
        let mut claimed = 0.0;
        for (link, order) in orders.iter_mut().enumerate() {
            let price = path.powers_w[link] / now.bytes_per_s[link];
            // Of equal prices, the earlier slot and the first link come first.
            let is_cheaper = |ahead: usize, other: usize, rate: f64| {
                let other_price = path.powers_w[other] / rate + wait_j * ahead as f64;
                other_price < price || (other_price == price && ahead == 0 && other < link)
            };
            if price >= later_j {
                continue;
            }
            let mut cheaper = 0.0;
            for (ahead, rates) in known.clone().enumerate() {
                for (other, rate) in rates.iter().enumerate() {
                    if *rate > 0.0 && is_cheaper(ahead, other, *rate) {
                        cheaper += rate * path.slot_s;
                    }
                }
                if cheaper >= now.backlog() {
                    break;
                }
            }
            let bytes = (now.backlog() - cheaper).min(now.backlog_bytes[application] - claimed);
            if bytes > 0.0 {
                *order = Order { application, most_bytes: bytes };
                claimed += bytes.min(now.bytes_per_s[link] * path.slot_s);
            }
        }
    }
}
