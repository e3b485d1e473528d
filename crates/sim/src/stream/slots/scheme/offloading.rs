//! WiFi and cellular at once: drift plus penalty, with what is known of the stay in WiFi.

use super::{Observation, Order, SlotScheme};
use crate::stream::RateProcess;
use crate::stream::slots::assign::largest;
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::path::SlotPath;

/// Scenarios of the rest of a stay.
const SCENARIOS: usize = 9;

/// What is known of a stay in WiFi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WifiStay {
    /// When it ends.
    Known,
    /// Its mean length; how long it still lasts is exponentially distributed.
    Random,
}

/// Online offloading in the manner of OOD (IEEE Transactions on Cloud Computing, 2019): drift plus penalty in each
/// slot, and within a stay in WiFi the queue is divided between WiFi and the other links.
///
/// Outside of WiFi a link sends when (Q / λ) · (r / λ) ≥ V · P / P_0: when its energy per byte P / r is at most the
/// price of the queue Q · P_0 / (V · λ²). In WiFi (the link with the least energy per byte at its mean rate, while its
/// rate is above 0) the queue can be sent only once, and the multiplier of that constraint makes the cheapest slots and
/// links of the stay take it. So another link takes what WiFi will not carry in the rest of the stay. Where the stay is
/// random, a tree of two stages has nine scenarios of its rest: a byte that WiFi does not carry costs the price of the
/// queue, or the energy of the other link at its mean rate if that is less.
///
/// Numbered deviations: (1) energy is the penalty, not a utility of offloading; (2) the power is constant, so that the
/// problem within a slot is linear; (3) the tree has two stages.
#[derive(Debug, Clone)]
pub struct Offloading {
    name: String,
    value: f64,
    stay: WifiStay,
    path: Option<OnPath>,
}

#[derive(Debug, Clone)]
struct OnPath {
    wifi: usize,
    load: f64,
    slot_s: f64,
    powers_w: Vec<f64>,
    mean_rates: Vec<f64>,
    mean_stay_s: f64,
    /// Seconds from the beginning of each slot to the end of the stay in WiFi.
    rest_s: Vec<f64>,
}

impl Offloading {
    /// The scheme with its V in seconds.
    pub fn new(name: &str, value: f64, stay: WifiStay) -> Self {
        Self { name: name.to_owned(), value, stay, path: None }
    }

    /// The bytes that are left to WiFi, of a queue whose other way is to be sent now at `now_j` per byte.
    fn left_to_wifi(&self, path: &OnPath, now: &Observation<'_>, [now_j, queue_j, other_mean_j]: [f64; 3]) -> f64 {
        let wifi_rate = now.bytes_per_s[path.wifi];
        let wifi_j = path.powers_w[path.wifi] / wifi_rate;
        if now_j <= wifi_j {
            return 0.0;
        }
        match self.stay {
            WifiStay::Known => wifi_rate * path.rest_s[now.slot],
            WifiStay::Random => {
                let later_j = queue_j.min(other_mean_j);
                let carried = |scenario: usize| {
                    let share = (scenario as f64 + 0.5) / SCENARIOS as f64;
                    wifi_rate * path.mean_stay_s * -(1.0 - share).ln()
                };
                let mut bytes = 0.0;
                for scenario in 0..SCENARIOS {
                    let fails = scenario as f64 / SCENARIOS as f64;
                    if now_j < (1.0 - fails) * wifi_j + fails * later_j {
                        return bytes;
                    }
                    bytes = carried(scenario);
                }
                if now_j < later_j { bytes } else { f64::INFINITY }
            }
        }
    }
}

impl SlotScheme for Offloading {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        let settings = path.problem().settings();
        let (links, applications) = (settings.links.len(), settings.applications.len());
        if links < 2 {
            return Err(SlotSchemeError::Shape { scheme: "ood", needs: "at least two links", links, applications });
        }
        let wifi = path.problem().best_link();
        let mut rest_s = vec![0.0; path.slots() + 1];
        for slot in (0..path.slots()).rev() {
            if path.rates(slot)[wifi] > 0.0 {
                rest_s[slot] = rest_s[slot + 1] + settings.slot_s;
            }
        }
        self.path = Some(OnPath {
            wifi,
            load: path.load(),
            slot_s: settings.slot_s,
            powers_w: settings.links.iter().map(|link| link.power_w).collect(),
            mean_rates: path.mean_rates().to_vec(),
            mean_stay_s: mean_stay_s(&settings.links[wifi].rates),
            rest_s,
        });
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        let Some(path) = &self.path else { return };
        let application = largest(now.backlog_bytes);
        let backlog = now.backlog_bytes[application];
        let queue_j = backlog * path.powers_w[0] / (self.value * path.load * path.load);
        let is_in_wifi = now.bytes_per_s[path.wifi] > 0.0;
        let mut rest = backlog;
        if is_in_wifi && path.powers_w[path.wifi] / now.bytes_per_s[path.wifi] <= queue_j {
            orders[path.wifi] = Order::send(application);
        }
        for (link, order) in orders.iter_mut().enumerate().filter(|(link, _)| *link != path.wifi) {
            let rate = now.bytes_per_s[link];
            let now_j = path.powers_w[link] / rate;
            if now_j > queue_j {
                continue;
            }
            let mean_j = path.powers_w[link] / path.mean_rates[link];
            let kept = if is_in_wifi { self.left_to_wifi(path, now, [now_j, queue_j, mean_j]) } else { 0.0 };
            let bytes = rest - kept;
            if bytes > 0.0 {
                *order = Order { application, most_bytes: bytes };
                rest -= bytes.min(rate * path.slot_s);
            }
        }
    }
}

/// The mean time for which a rate stays above 0; infinite if it always does.
fn mean_stay_s(rates: &RateProcess) -> f64 {
    match rates {
        RateProcess::Constant(_) => f64::INFINITY,
        RateProcess::Markov(chain) => {
            let shares = chain.shares();
            let (mut on, mut ends_per_s) = (0.0, 0.0);
            for from in (0..chain.states()).filter(|state| chain.bytes_per_s()[*state] > 0.0) {
                let off = (0..chain.states()).filter(|state| chain.bytes_per_s()[*state] == 0.0);
                on += shares[from];
                ends_per_s +=
                    shares[from] * off.map(|to| chain.jump(from, to)).sum::<f64>() / chain.mean_stay_s()[from];
            }
            on / ends_per_s
        }
        RateProcess::Recorded(recorded) => {
            let runs =
                |drive: &Vec<f64>| drive.chunk_by(|a, b| (*a > 0.0) == (*b > 0.0)).filter(|run| run[0] > 0.0).count();
            let on: usize = recorded.drives().iter().flatten().filter(|rate| **rate > 0.0).count();
            on as f64 * recorded.window_s() / recorded.drives().iter().map(runs).sum::<usize>().max(1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{MarkovRates, RecordedRates};

    #[test]
    fn the_mean_stay_is_that_of_the_chain_or_the_recording() {
        let chain = MarkovRates::new(
            &[0.0, 1.0, 2.0],
            &[120.0, 60.0, 30.0],
            Some(&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
        );
        assert!((mean_stay_s(&RateProcess::Markov(chain.expect("valid"))) - 90.0).abs() < 1e-9);
        let recorded = RecordedRates::new(2.0, vec![vec![1.0, 1.0, 0.0, 1.0], vec![0.0, 3.0]]).expect("valid");
        assert!((mean_stay_s(&RateProcess::Recorded(recorded)) - 8.0 / 3.0).abs() < 1e-9);
        assert!(mean_stay_s(&RateProcess::Constant(1.0)).is_infinite());
    }
}
