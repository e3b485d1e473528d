//! A lower bound of the mean cost of a task at any site, whoever decides.
//!
//! The bound is for the mean over a long time. It holds for every scheme, even for one that knows the future. Let s be the size of a
//! task, A s + B its cost where it waits for nobody (B for the latency), and W the time that it waits. Deadlines and radios that stay
//! on only add cost and are left out; a link whose rate changes is taken to serve each task at its highest rate.
//!
//! # Capacities
//! Per second a queue q passes at most C_q bytes on average. For prices π_q ≥ 0 per byte the mean cost of a task is therefore at
//! least its mean with π_q added for every byte that passes q, less Σ_q π_q C_q / λ for λ tasks a second: with W ≥ 0
//!
//! cost ≥ E min_j [(A_j + Σ_q∈j π_q) s + B_j] − Σ_q π_q C_q / λ.
//!
//! This holds for all prices (Lagrangian duality); the best ones give [`DispatchBound::fluid_cost`], the least cost of a fluid that
//! never waits. They are found as the prices of the cheapest flow from the devices through the queues; above 300 devices, and where
//! there are latencies, by subgradients.
//!
//! # Waiting
//! Give each place the slower one of its queues, and let R be the sum of the rates of all these queues for a set D of devices. Look
//! at the tasks of D of at most x bytes, and at U, the bytes of them that these queues have not yet served. U rises by s when such a
//! task arrives, and falls by at most R bytes a second. The work of a single server of rate R with the same tasks rises alike and
//! falls by R wherever it is above 0, hence U is never below it, and by Pollaczek and Khinchine
//!
//! E U ≥ u = λ_D E[s²; s ≤ x] / (2 (R − λ_D E[s; s ≤ x])).
//!
//! Bursts and changing rates only add to E U on average (Rolski, 1981, for bursts; Jensen's inequality for rates, since the work of the
//! single server is convex in them). On the other hand, a task counts with its s bytes while it waits, and with s / 2 on average
//! while it is served: E U = λ_D E[s W + h s²; s ≤ x], where h is half the time per byte. (Where the slower queue is a machine, W
//! includes the time on the link before it; where it is a link whose rate changes, h is its whole least time per byte, and s W counts
//! the rest of the transmission.) With multipliers θ_x ≥ 0 and Θ(s) = Σ_{x ≥ s} θ_x the cost is at least
//!
//! E min_j [(A_j + Σ_q π_q) s + B_j − Θ(s) h_j s² + (1 − α − Θ(s) s) W] − Σ_q π_q C_q / λ + Σ_x θ_x u_x / λ,
//!
//! and wherever Θ(s) s ≤ 1 − α, W is best taken as small as it can be, which A_j contains already. Both kinds of multipliers are
//! improved together by subgradients, from the prices of the cheapest flow on, for all devices and for those devices whose own
//! queues are the most loaded; the best bound is [`DispatchBound::cost`].
//!
//! # Sizes and rounding
//! Sizes are divided into ranges. Within a range from l to t, the cost per byte is at least A + B / t − Θ h t, so that only the mean of
//! the sizes in a range enters, and the bound stays a bound. What is evaluated is the bound itself for the multipliers that were
//! found, so that it does not matter how good they are; 10^-9 of it is taken off for rounding.

mod dual;
mod flow;
mod sizes;
#[cfg(test)]
mod tests;

use self::dual::Dual;
use super::site::Site;

/// The share that is taken off for rounding.
const ROUNDING: f64 = 1e-9;

/// A lower bound of the mean cost of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DispatchBound {
    /// No scheme has a lower mean cost over a long time.
    pub cost: f64,
    /// The part of the bound that knows nothing of waiting: energy and service within the capacities.
    pub fluid_cost: f64,
}

/// The lower bound of a site.
///
/// ```
/// # use sim::stream::dispatch::{bound::lower_bound, Site, SiteDevice, SiteParts};
/// # use sim::stream::{ArrivalProcess, Sizes};
/// let device = SiteDevice { arrivals_per_s: 0.4, s_per_byte: 2.0, j_per_byte: 1.0, uplink: None };
/// let parts = SiteParts {
///     alpha: 0.0,
///     devices: vec![device],
///     servers: Vec::new(),
///     process: ArrivalProcess::Poisson,
///     sizes: Sizes::OneOf([1.0].into()),
///     deadline_s: f64::INFINITY,
///     late_cost: 0.0,
/// };
/// // A single queue: the bound is the mean response itself, 2 s of service and 0.4 · 4 / (2 · 0.2) s of waiting.
/// let bound = lower_bound(&Site::new(parts)?);
/// assert!((bound.cost - 6.0).abs() < 1e-3 && (bound.fluid_cost - 2.0).abs() < 1e-3);
/// # Ok::<(), sim::stream::dispatch::SiteError>(())
/// ```
pub fn lower_bound(site: &Site) -> DispatchBound {
    let dual = Dual::new(site);
    let (fluid_cost, prices) = dual.fluid();
    let cost = dual.with_waiting(&prices).max(fluid_cost);
    DispatchBound { cost: cost - ROUNDING * cost.abs(), fluid_cost: fluid_cost - ROUNDING * fluid_cost.abs() }
}
