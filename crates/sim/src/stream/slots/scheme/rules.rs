//! Rules of one or two numbers, from what is seen in the slot alone.

use super::{Observation, Order, SlotScheme};
use crate::stream::slots::assign::{Assigner, Candidate};
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::path::SlotPath;

/// When a link sends. Q: waiting bytes of the application with most of them, r: rate of the link, P: its power, λ:
/// bytes per second that arrive for all applications, P_0: the power of the first link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Always.
    AtOnce,
    /// r / λ ≥ θ · P / P_0.
    Threshold {
        /// θ, in units of the load.
        rate: f64,
    },
    /// r / λ ≥ θ · P / P_0, or the oldest byte is too old.
    ThresholdOrAge {
        /// θ, in units of the load.
        rate: f64,
        /// The age from which on data is sent in any case, in seconds.
        age_s: f64,
    },
    /// (Q / λ)^b · r / λ ≥ V · P / P_0.
    Power {
        /// V.
        value: f64,
        /// b; 0: a threshold of the rate.
        exponent: f64,
    },
    /// Drift plus penalty: Q · r ≥ V · P.
    Lyapunov {
        /// V, in bytes² per joule.
        value: f64,
    },
    /// As [`Rule::Lyapunov`], over the one link on which Q · r − V · P is largest: the rule of eTime (Shu et al.,
    /// INFOCOM 2013), which sends for the application with the largest Q · r.
    Etime {
        /// V, in bytes² per joule.
        value: f64,
    },
    /// Drift plus penalty in units of the load: (Q / λ) · (r / λ) ≥ V · P / P_0.
    LyapunovScaled {
        /// V, in seconds.
        value: f64,
    },
}

/// A [`Rule`] as a scheme. Links that need less energy per byte come first; every link considers the application with
/// the most bytes that no link before it sends.
#[derive(Debug, Clone)]
pub struct RuleScheme {
    name: String,
    rule: Rule,
    /// Bounds fall by e^-this while the radio is still on.
    hysteresis: f64,
    path: Option<OnPath>,
}

/// What the rule needs to know of a path.
#[derive(Debug, Clone)]
struct OnPath {
    assigner: Assigner,
    load: f64,
    powers_w: Vec<f64>,
    tails_s: Vec<f64>,
}

impl RuleScheme {
    /// A rule. While the radio is in its tail, θ, V and the age are multiplied by e^−`hysteresis`.
    pub fn new(name: &str, rule: Rule, hysteresis: f64) -> Self {
        Self { name: name.to_owned(), rule, hysteresis, path: None }
    }
}

impl SlotScheme for RuleScheme {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        let links = &path.problem().settings().links;
        self.path = Some(OnPath {
            assigner: Assigner::new(path),
            load: path.load(),
            powers_w: links.iter().map(|link| link.power_w).collect(),
            tails_s: links.iter().map(|link| link.tail.map_or(0.0, |tail| tail.length_s)).collect(),
        });
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        let Some(OnPath { assigner, load, powers_w, tails_s }) = &mut self.path else { return };
        let (rule, load, hysteresis) = (self.rule, *load, self.hysteresis);
        let ease = |link: usize| {
            let is_on = hysteresis > 0.0 && now.idle_s[link] < tails_s[link];
            if is_on { (-hysteresis).exp() } else { 1.0 }
        };
        if let Rule::Etime { value } = rule {
            let gain = |link: usize| {
                let most = now.backlog_bytes.iter().copied().fold(0.0, f64::max);
                most * now.bytes_per_s[link] - value * ease(link) * powers_w[link]
            };
            let best = (1..orders.len()).fold(0, |best, link| if gain(link) > gain(best) { link } else { best });
            if gain(best) >= 0.0 && now.bytes_per_s[best] > 0.0 {
                orders[best] = Order::send(super::super::assign::largest(now.backlog_bytes));
            }
            return;
        }
        assigner.assign(now, orders, |candidate| {
            let Candidate { link, application, backlog_bytes, bytes_per_s } = *candidate;
            let ease = ease(link);
            let scale = ease * load * (powers_w[link] / powers_w[0]);
            match rule {
                Rule::AtOnce => true,
                Rule::Threshold { rate } => bytes_per_s >= rate * scale,
                Rule::ThresholdOrAge { rate, age_s } => {
                    bytes_per_s >= rate * scale || now.oldest_age_s[application] >= age_s * ease
                }
                Rule::Power { value, exponent } => (backlog_bytes / load).powf(exponent) * bytes_per_s >= value * scale,
                Rule::Lyapunov { value } | Rule::Etime { value } => {
                    backlog_bytes * bytes_per_s >= value * ease * powers_w[link]
                }
                Rule::LyapunovScaled { value } => backlog_bytes * bytes_per_s >= value * load * scale,
            }
        });
    }
}
