//! The queue for WiFi with a deadline, exponential sizes, exponential times on and off.
//!
//! Let the age be the time since the arrival of the first file of the queue. It grows with time; when that file leaves, sent
//! or at the deadline d, the age falls by an exponential time of mean 1 / λ, the distance of two arrivals, and the queue is
//! empty if it falls below 0. With WiFi (on or off, rates ξ and η) it is a Markov process. Its densities g and the probabilities
//! p of an empty queue satisfy, with service at rate μ while WiFi is on and F the rate of files that leave at the deadline
//! while WiFi is off (their falls pass age a at the rate F exp(−λ (d − a))):
//!
//! ```text
//! g_on'  = (λ − μ − ξ) g_on + (λ + η) g_off − λ F exp(−λ (d − a))        g_on(0)  = λ p_on
//! g_off' = ξ g_on − η g_off + λ F exp(−λ (d − a))                        g_off(0) = λ p_off
//! (λ + η) p_off = ξ p_on + F exp(−λ d)                                   g_off(d) = F
//! ```
//!
//! Two facts went into it: as many files pass an age upwards as fall below it, and all files that leave at the deadline leave
//! at the rate g_on(d) + g_off(d). The equations are linear in p_on, p_off and F and are integrated from 0 to d by the classical
//! method of Runge and Kutta of order 4.

use super::{DelayedError, DelayedModel};

/// What becomes of files in the queue for WiFi.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WifiStage {
    /// The rates of files that leave at their deadline while WiFi is on and off, per second.
    pub(super) late_per_s: [f64; 2],
    /// The mean time from arrival until a file leaves, sent or not, in seconds.
    pub(super) mean_time_s: f64,
}

/// The densities while WiFi is on and off, their integrals, and the integral of age times density while it is on.
type Integrated = [f64; 5];

/// Steps are this long over the shortest mean time of the process.
const STEP: f64 = 0.02;

/// The fewest and the most steps.
const STEPS: (f64, f64) = (500.0, 4e6);

/// Rates in events per second, and the deadline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// λ.
    pub(super) arrive: f64,
    /// μ, while WiFi is on.
    pub(super) send: f64,
    /// ξ.
    pub(super) switch_off: f64,
    /// η.
    pub(super) switch_on: f64,
    pub(super) deadline_s: f64,
}

impl Rates {
    pub(super) fn new(model: &DelayedModel, mean_bytes: f64, deadline_s: f64) -> Self {
        Self {
            arrive: model.files_per_s,
            send: model.wifi_link.bytes_per_s / mean_bytes,
            switch_off: 1.0 / model.wifi.mean_on_s,
            switch_on: 1.0 / model.wifi.mean_off_s,
            deadline_s,
        }
    }
}

pub(super) fn wifi_stage(rates: &Rates) -> Result<WifiStage, DelayedError> {
    let Rates { arrive: files_per_s, send: sent_per_s, switch_off, switch_on, deadline_s } = *rates;
    let steps = (deadline_s * (files_per_s + sent_per_s + switch_off + switch_on) / STEP).ceil().max(STEPS.0);
    if steps > STEPS.1 {
        return Err(DelayedError::OutOfRange { deadline_s });
    }
    // Linear, so that each of the three unknowns has its own solution.
    let from_on = rates.integrate([files_per_s, 0.0], 0.0, steps);
    let from_off = rates.integrate([0.0, files_per_s], 0.0, steps);
    let from_falls = rates.integrate([0.0, 0.0], 1.0, steps);

    // With p_on = 1: p_off = (ξ + F exp(−λ d)) / (λ + η), put into g_off(d) = F.
    let come_on = files_per_s + switch_on;
    let passes = (-files_per_s * deadline_s).exp();
    let constant = from_on[1] + from_off[1] * switch_off / come_on;
    let slope = 1.0 - from_falls[1] - from_off[1] * passes / come_on;
    let falls = constant / slope;
    let empty_off = (switch_off + falls * passes) / come_on;
    let total = |index: usize| from_on[index] + empty_off * from_off[index] + falls * from_falls[index];

    let mass = 1.0 + empty_off + total(2) + total(3);
    let late_per_s = [total(0) / mass, total(1) / mass];
    let mean_time_s = (sent_per_s * total(4) / mass + deadline_s * (late_per_s[0] + late_per_s[1])) / files_per_s;
    if mean_time_s.is_finite() {
        Ok(WifiStage { late_per_s, mean_time_s })
    } else {
        Err(DelayedError::OutOfRange { deadline_s })
    }
}

impl Rates {
    fn integrate(&self, start: [f64; 2], falls: f64, steps: f64) -> Integrated {
        let step_s = self.deadline_s / steps;
        let mut at = [start[0], start[1], 0.0, 0.0, 0.0];
        for index in 0..steps as usize {
            let age_s = index as f64 * step_s;
            let first = self.change(&at, age_s, falls);
            let second = self.change(&moved(&at, &first, 0.5 * step_s), age_s + 0.5 * step_s, falls);
            let third = self.change(&moved(&at, &second, 0.5 * step_s), age_s + 0.5 * step_s, falls);
            let fourth = self.change(&moved(&at, &third, step_s), age_s + step_s, falls);
            for (component, value) in at.iter_mut().enumerate() {
                let middle = second[component] + third[component];
                *value += step_s / 6.0 * (first[component] + 2.0 * middle + fourth[component]);
            }
        }
        at
    }

    fn change(&self, at: &Integrated, age_s: f64, falls: f64) -> Integrated {
        let [on, off, ..] = *at;
        let fall = self.arrive * falls * (-self.arrive * (self.deadline_s - age_s)).exp();
        [
            (self.arrive - self.send - self.switch_off) * on + (self.arrive + self.switch_on) * off - fall,
            self.switch_off * on - self.switch_on * off + fall,
            on,
            off,
            age_s * on,
        ]
    }
}

fn moved(at: &Integrated, change: &Integrated, time_s: f64) -> Integrated {
    std::array::from_fn(|component| at[component] + time_s * change[component])
}
