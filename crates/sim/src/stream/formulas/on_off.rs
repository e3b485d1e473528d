//! A server that is on and off.

use super::{QueueError, QueueMeans, ServiceTime, general_queue, not_negative, positive, stable};

/// How a server, or a link, is on and off: for exponentially distributed times, whether somebody waits or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnOff {
    /// The mean time on, in seconds.
    pub mean_on_s: f64,
    /// The mean time off, in seconds; 0: always on.
    pub mean_off_s: f64,
}

impl OnOff {
    /// The share of time that the server is on.
    pub fn share_on(&self) -> f64 {
        self.mean_on_s / (self.mean_on_s + self.mean_off_s)
    }

    fn check(&self) -> Result<(), QueueError> {
        positive("mean time on", self.mean_on_s)?;
        not_negative("mean time off", self.mean_off_s).map(|_| ())
    }
}

/// M/G/1 at a server that is on and off. A customer whose service is interrupted keeps what was done for it.
///
/// Let S be a service time, D a time off with mean 1 / η, and ξ = 1 / mean time on. A customer that is served right after
/// another one finds the server on, and completes after C: its service time and all interruptions in it. A customer that finds
/// nobody finds the server off with probability p, since the server was on when the last customer left and an exponential time
/// of rate λ has passed; it then waits for another D and completes after C₀ = D + C:
///
/// ```text
/// E[C]  = E[S] (1 + ξ E[D])                         p      = ξ / (λ + ξ + η)
/// E[C²] = E[S²] (1 + ξ E[D])² + E[S] ξ E[D²]        E[C₀]  = E[C] + p E[D]
///                                                   E[C₀²] = E[C²] + p (2 E[C] E[D] + E[D²])
/// ```
///
/// It is the queue M/G/1 in which the first customer of each busy period is exceptional (Welch 1964). With
/// q = 1 + λ (E\[C₀\] − E\[C\]), the mean response is
///
/// ```text
/// E[C₀] / q + λ E[C²] / (2 (1 − λ E[C])) + λ (E[C₀²] − E[C²]) / (2 q)
/// ```
///
/// Assumptions: Poisson arrivals, independent service times, exponential times on and off that depend on nothing else. Under
/// these it is exact. `utilisation` is the share of time in which somebody is there, served or interrupted; `mean_wait_s` ends
/// where the customer is next and the server is on.
///
/// # Errors
/// If a parameter makes no sense, or λ E\[C\] ≥ 1.
pub fn on_off_queue(arrivals_per_s: f64, service: &ServiceTime, server: &OnOff) -> Result<QueueMeans, QueueError> {
    server.check()?;
    positive("arrival rate", arrivals_per_s)?;
    if server.mean_off_s == 0.0 {
        return general_queue(arrivals_per_s, service);
    }
    // Its moments are checked there, at a load that cannot be too high.
    general_queue(0.5 / service.mean_s, service)?;
    let interruptions_per_s = 1.0 / server.mean_on_s;
    let stretch = 1.0 + interruptions_per_s * server.mean_off_s;
    let off_square_s2 = 2.0 * server.mean_off_s.powi(2);
    let completion_s = service.mean_s * stretch;
    let completion_square_s2 =
        service.mean_square_s2 * stretch.powi(2) + service.mean_s * interruptions_per_s * off_square_s2;
    let load = stable(arrivals_per_s * completion_s)?;

    let first_finds_off = interruptions_per_s / (arrivals_per_s + interruptions_per_s + 1.0 / server.mean_off_s);
    let first_s = completion_s + first_finds_off * server.mean_off_s;
    let first_square_s2 =
        completion_square_s2 + first_finds_off * (2.0 * completion_s * server.mean_off_s + off_square_s2);
    let scale = 1.0 + arrivals_per_s * (first_s - completion_s);
    let queueing_s = arrivals_per_s * completion_square_s2 / (2.0 * (1.0 - load))
        + arrivals_per_s * (first_square_s2 - completion_square_s2) / (2.0 * scale);
    let mean_response_s = first_s / scale + queueing_s;
    let empty_share = (1.0 - load) / scale;
    Ok(QueueMeans::new(arrivals_per_s, 1.0 - empty_share, mean_response_s - completion_s, mean_response_s))
}

#[cfg(test)]
mod tests {
    use super::super::simulation::{contains, on_off_responses};
    use super::*;
    use crate::stream::Sizes;

    #[test]
    fn a_server_that_is_never_off_is_a_general_queue() {
        let service = ServiceTime::of_sizes(&Sizes::Uniform { min: 1.0, max: 3.0 }, 2.0);
        let plain = general_queue(0.6, &service).expect("stable");
        let always_on = on_off_queue(0.6, &service, &OnOff { mean_on_s: 5.0, mean_off_s: 0.0 }).expect("stable");
        assert_eq!(plain, always_on);
        let mut last = f64::INFINITY;
        for mean_off_s in [1.0, 1e-2, 1e-4, 1e-6] {
            let means = on_off_queue(0.6, &service, &OnOff { mean_on_s: 5.0, mean_off_s }).expect("stable");
            let distance = means.mean_response_s - plain.mean_response_s;
            assert!(distance > 0.0 && distance < last);
            last = distance;
        }
        assert!(last < 1e-4, "{last}");
    }

    #[test]
    fn short_interruptions_only_slow_the_server_down() {
        let service = ServiceTime::exponential(1.0);
        let means = on_off_queue(0.3, &service, &OnOff { mean_on_s: 1e-5, mean_off_s: 1e-5 }).expect("stable");
        let slowed = general_queue(0.3, &ServiceTime::exponential(2.0)).expect("stable");
        assert!((means.mean_response_s / slowed.mean_response_s - 1.0).abs() < 1e-4);
    }

    /// From the matrix-geometric solution of the Markov chain (number of customers, on or off), written in Python: R from
    /// R² A₂ + R A₁ + A₀ = 0 by iteration to 1e-16, then sums over 5,000 numbers of customers and Little's law.
    #[test]
    fn exponential_service_agrees_with_its_markov_chain() {
        let server = OnOff { mean_on_s: 6.0, mean_off_s: 3.0 };
        let means = on_off_queue(0.35, &ServiceTime::exponential(1.0), &server).expect("stable");
        assert!((means.mean_response_s - 5.263_157_894_736_83).abs() < 1e-9, "{means:?}");
        assert!((means.utilisation - 0.606_097_560_975_609).abs() < 1e-9, "{means:?}");
        assert!((means.mean_number - 1.842_105_263_157_89).abs() < 1e-9, "{means:?}");
    }

    #[test]
    fn a_server_that_is_off_too_long_has_no_means() {
        let server = OnOff { mean_on_s: 1.0, mean_off_s: 1.0 };
        assert_eq!(
            on_off_queue(0.5, &ServiceTime::exponential(1.0), &server),
            Err(QueueError::Unstable { utilisation: 1.0 })
        );
        assert!(on_off_queue(0.1, &ServiceTime::exponential(1.0), &OnOff { mean_on_s: 0.0, mean_off_s: 1.0 }).is_err());
        assert!(
            on_off_queue(0.1, &ServiceTime::exponential(1.0), &OnOff { mean_on_s: 1.0, mean_off_s: -1.0 }).is_err()
        );
        assert!(on_off_queue(0.1, &ServiceTime::exponential(f64::NAN), &server).is_err());
    }

    /// 20 replications each, t intervals at 99.9 %: one false alarm in 1,000 for each of the 3 comparisons.
    #[test]
    fn simulated_servers_agree_with_the_formula() {
        let server = OnOff { mean_on_s: 6.0, mean_off_s: 3.0 };
        for sizes in
            [Sizes::Exponential { mean: 2.0 }, Sizes::OneOf([2.0].into()), Sizes::LogUniform { min: 0.5, max: 5.0 }]
        {
            let service = ServiceTime::of_sizes(&sizes, 2.0);
            let means = on_off_queue(0.35, &service, &server).expect("stable");
            let responses: Vec<f64> = (0..20).map(|seed| on_off_responses(seed, 0.35, &sizes, 2.0, &server)).collect();
            contains(&responses, means.mean_response_s);
        }
    }
}
