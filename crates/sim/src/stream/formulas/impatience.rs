//! Customers that leave if they wait too long.

use super::{QueueError, not_negative, positive};

/// Means over a long time of a queue whose customers leave if their service has not begun at their deadline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImpatientMeans {
    /// The share of customers that leave unserved.
    pub lost_share: f64,
    /// The mean wait of those that are served, in seconds.
    pub served_mean_wait_s: f64,
    /// The mean wait of all, in seconds: those that leave have waited until their deadline.
    pub mean_wait_s: f64,
    /// The share of time that the server is busy.
    pub utilisation: f64,
}

/// M/M/1 in which every customer leaves if its service has not begun `deadline_s` after its arrival (Barrer 1957). At any
/// load: impatience keeps the queue short.
///
/// A customer leaves exactly if the work in front of it, of those that will be served, exceeds its deadline. With θ = μ − λ,
/// that work is 0 with probability p₀ and has the density λ p₀ exp(−θ x) up to the deadline d and λ p₀ exp(λ d − μ x) beyond
/// it, so that the lost share is (λ / μ) p₀ exp(−θ d).
///
/// # Errors
/// If a parameter makes no sense.
pub fn impatient_queue(
    arrivals_per_s: f64,
    mean_service_s: f64,
    deadline_s: f64,
) -> Result<ImpatientMeans, QueueError> {
    positive("arrival rate", arrivals_per_s)?;
    let service_per_s = 1.0 / positive("mean service time", mean_service_s)?;
    not_negative("deadline", deadline_s)?;
    let exponent = (service_per_s - arrivals_per_s) * deadline_s;
    // The masses at 0, up to the deadline and beyond it, all over p₀, or over p₀ exp(−θ d) where that is larger and could
    // overflow.
    let empty = exponent.min(0.0).exp();
    let within = arrivals_per_s * deadline_s * scaled_mean(exponent);
    let late = arrivals_per_s * mean_service_s * (-exponent.max(0.0)).exp();
    let lost_share = late / (empty + within + late);
    let served_mean_wait_s = arrivals_per_s * deadline_s.powi(2) * scaled_first_moment(exponent) / (empty + within);
    Ok(ImpatientMeans {
        lost_share,
        served_mean_wait_s,
        mean_wait_s: (1.0 - lost_share) * served_mean_wait_s + lost_share * deadline_s,
        utilisation: arrivals_per_s * mean_service_s * (1.0 - lost_share),
    })
}

/// The integral of exp(−z x) over x from 0 to 1, over the largest value of exp(−z x) there.
fn scaled_mean(z: f64) -> f64 {
    // With |z| the result is the same: mirrored, the function is the same.
    let z = z.abs();
    if z < 1e-9 { 1.0 - 0.5 * z } else { -(-z).exp_m1() / z }
}

/// The integral of x exp(−z x) over x from 0 to 1, over the largest value of exp(−z x) there.
fn scaled_first_moment(z: f64) -> f64 {
    if z.abs() < 1e-2 {
        // The series Σ (−z)ᵏ / (k! (k + 2)), since the closed form cancels.
        let series = 0.5 - z * (1.0 / 3.0 - z * (1.0 / 8.0 - z * (1.0 / 30.0 - z * (1.0 / 144.0 - z / 840.0))));
        series * z.min(0.0).exp()
    } else if z > 0.0 {
        (1.0 - (-z).exp() * (1.0 + z)) / (z * z)
    } else {
        (z.exp() - 1.0 - z) / (z * z)
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential_queue;
    use super::super::simulation::{contains, impatient_run};
    use super::*;

    #[test]
    fn patience_without_end_is_the_plain_queue() {
        let plain = exponential_queue(0.4, 2.0).expect("stable");
        let patient = impatient_queue(0.4, 2.0, 1e6).expect("valid");
        assert!(patient.lost_share < 1e-12);
        assert!((patient.served_mean_wait_s / plain.mean_wait_s - 1.0).abs() < 1e-12, "{patient:?} {plain:?}");
        assert!((patient.utilisation - plain.utilisation).abs() < 1e-12);
    }

    #[test]
    fn without_patience_who_finds_the_server_busy_is_lost() {
        for load in [0.3, 1.0, 4.0] {
            let means = impatient_queue(load, 1.0, 0.0).expect("valid");
            assert!((means.lost_share - load / (1.0 + load)).abs() < 1e-12, "{means:?}");
            assert_eq!(means.mean_wait_s, 0.0);
        }
    }

    #[test]
    fn an_overloaded_queue_serves_as_fast_as_it_can() {
        let means = impatient_queue(3.0, 1.0, 1e4).expect("valid");
        assert!((means.utilisation - 1.0).abs() < 1e-9 && (means.lost_share - 2.0 / 3.0).abs() < 1e-9, "{means:?}");
        assert!((means.served_mean_wait_s / 1e4 - 1.0).abs() < 1e-3, "{means:?}");
        assert!(impatient_queue(1.0, 1.0, f64::INFINITY).is_err());
        assert!(impatient_queue(-1.0, 1.0, 1.0).is_err() && impatient_queue(1.0, 0.0, 1.0).is_err());
    }

    /// The densities summed by Simpson's rule with 200,000 intervals in Python; close loads by the series and by the closed
    /// form must meet.
    #[test]
    fn figures_agree_with_numerical_integration() {
        for (load, deadline_s, lost, wait_s) in [
            (0.7, 2.0, 0.157_643_597_506_8, 0.461_873_734_520),
            (1.0, 3.0, 0.200_000_000_000_0, 1.125_000_000_000),
            (0.999, 3.0, 0.199_660_058_130_4, 1.123_734_252_229),
            (1.5, 4.0, 0.354_666_153_009_8, 2.495_855_434_577),
        ] {
            let means = impatient_queue(load, 1.0, deadline_s).expect("valid");
            assert!((means.lost_share - lost).abs() < 1e-9, "{load} {means:?}");
            assert!((means.served_mean_wait_s - wait_s).abs() < 1e-8, "{load} {means:?}");
        }
        let near = |z: f64| impatient_queue(1.0 - z, 1.0, 1.0).expect("valid").served_mean_wait_s;
        assert!((near(0.009_999_9) - near(0.010_000_1)).abs() < 1e-6);
        assert!((near(-0.009_999_9) - near(-0.010_000_1)).abs() < 1e-6);
    }

    /// 20 replications each, t intervals at 99.9 %: one false alarm in 1,000 for each of the 6 comparisons.
    #[test]
    fn simulated_impatience_agrees_with_the_formula() {
        for (load, deadline_s) in [(0.7, 2.0), (1.0, 3.0), (1.5, 1.0)] {
            let means = impatient_queue(load, 1.0, deadline_s).expect("valid");
            let runs: Vec<(f64, f64)> = (0..20).map(|seed| impatient_run(seed, load, deadline_s)).collect();
            contains(&runs.iter().map(|run| run.0).collect::<Vec<_>>(), means.lost_share);
            contains(&runs.iter().map(|run| run.1).collect::<Vec<_>>(), means.served_mean_wait_s);
        }
    }
}
