//! M/M/1 and M/G/1.

use super::{QueueError, not_negative, positive, stable};
use crate::stream::Sizes;

/// The first three moments of a service time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceTime {
    /// The mean, in seconds.
    pub mean_s: f64,
    /// The mean of the squares, in seconds squared.
    pub mean_square_s2: f64,
    /// The mean of the cubes, in seconds cubed.
    pub mean_cube_s3: f64,
}

impl ServiceTime {
    /// An exponentially distributed service time.
    pub fn exponential(mean_s: f64) -> Self {
        Self { mean_s, mean_square_s2: 2.0 * mean_s.powi(2), mean_cube_s3: 6.0 * mean_s.powi(3) }
    }

    /// A service time that is always the same.
    pub fn constant(mean_s: f64) -> Self {
        Self { mean_s, mean_square_s2: mean_s.powi(2), mean_cube_s3: mean_s.powi(3) }
    }

    /// The time in which sizes in bytes are sent, or worked on, at a rate in bytes per second.
    pub fn of_sizes(sizes: &Sizes, bytes_per_s: f64) -> Self {
        Self {
            mean_s: sizes.mean() / bytes_per_s,
            mean_square_s2: sizes.mean_square() / bytes_per_s.powi(2),
            mean_cube_s3: mean_cube(sizes) / bytes_per_s.powi(3),
        }
    }

    fn check(&self) -> Result<(), QueueError> {
        positive("mean service time", self.mean_s)?;
        // Moments of a constant may miss each other by rounding.
        if self.mean_square_s2 >= self.mean_s.powi(2) * (1.0 - 1e-12) && self.mean_square_s2.is_finite() {
            Ok(())
        } else {
            Err(QueueError::Moments { mean_s: self.mean_s, mean_square_s2: self.mean_square_s2 })
        }
    }
}

fn mean_cube(sizes: &Sizes) -> f64 {
    match sizes {
        Sizes::Uniform { min, max } => (min + max) * (min * min + max * max) / 4.0,
        Sizes::LogUniform { min, max } if min == max => min.powi(3),
        Sizes::LogUniform { min, max } => (max.powi(3) - min.powi(3)) / (3.0 * (max / min).ln()),
        Sizes::OneOf(sizes) => sizes.iter().map(|size| size.powi(3)).sum::<f64>() / sizes.len() as f64,
        Sizes::Exponential { mean } => 6.0 * mean.powi(3),
    }
}

/// Means over a long time of a queue that does not grow without end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueMeans {
    /// The share of time that there is somebody to serve.
    pub utilisation: f64,
    /// The mean time from arrival to the begin of service, in seconds.
    pub mean_wait_s: f64,
    /// The mean time from arrival to the end of service, in seconds.
    pub mean_response_s: f64,
    /// The mean number of customers, waiting or in service.
    pub mean_number: f64,
}

impl QueueMeans {
    pub(super) fn new(arrivals_per_s: f64, utilisation: f64, mean_wait_s: f64, mean_response_s: f64) -> Self {
        Self { utilisation, mean_wait_s, mean_response_s, mean_number: mean_number(arrivals_per_s, mean_response_s) }
    }
}

/// Little's law: the mean number of customers anywhere is their rate of arrival times the mean time that they stay there.
pub fn mean_number(arrivals_per_s: f64, mean_time_s: f64) -> f64 {
    arrivals_per_s * mean_time_s
}

/// Little's law the other way round: the mean time that customers stay, from their mean number. `None` without arrivals.
pub fn mean_time_s(arrivals_per_s: f64, mean_number: f64) -> Option<f64> {
    (arrivals_per_s > 0.0).then(|| mean_number / arrivals_per_s)
}

/// M/M/1: exponential service times. With arrivals at rate λ and service at rate μ the mean response is 1 / (μ − λ).
///
/// # Errors
/// If a parameter makes no sense, or λ ≥ μ.
pub fn exponential_queue(arrivals_per_s: f64, mean_service_s: f64) -> Result<QueueMeans, QueueError> {
    let utilisation = load(arrivals_per_s, mean_service_s)?;
    let mean_response_s = mean_service_s / (1.0 - utilisation);
    Ok(QueueMeans::new(arrivals_per_s, utilisation, utilisation * mean_response_s, mean_response_s))
}

/// The share of customers of M/M/1 whose service ends later than `deadline_s` after their arrival: exp(−(μ − λ) d).
///
/// # Errors
/// As [`exponential_queue`].
pub fn late_share(arrivals_per_s: f64, mean_service_s: f64, deadline_s: f64) -> Result<f64, QueueError> {
    let utilisation = load(arrivals_per_s, mean_service_s)?;
    not_negative("deadline", deadline_s)?;
    Ok((-(1.0 - utilisation) * deadline_s / mean_service_s).exp())
}

/// The share of customers of M/M/1 whose service begins later than `deadline_s` after their arrival: ρ exp(−(μ − λ) d).
///
/// # Errors
/// As [`exponential_queue`].
pub fn late_start_share(arrivals_per_s: f64, mean_service_s: f64, deadline_s: f64) -> Result<f64, QueueError> {
    Ok(arrivals_per_s * mean_service_s * late_share(arrivals_per_s, mean_service_s, deadline_s)?)
}

/// M/G/1, by the formula of Pollaczek and Khinchine: the mean wait is λ E\[S²\] / (2 (1 − ρ)).
///
/// # Errors
/// If a parameter makes no sense, or ρ = λ E\[S\] ≥ 1.
pub fn general_queue(arrivals_per_s: f64, service: &ServiceTime) -> Result<QueueMeans, QueueError> {
    service.check()?;
    let utilisation = load(arrivals_per_s, service.mean_s)?;
    let mean_wait_s = arrivals_per_s * service.mean_square_s2 / (2.0 * (1.0 - utilisation));
    Ok(QueueMeans::new(arrivals_per_s, utilisation, mean_wait_s, mean_wait_s + service.mean_s))
}

/// The mean square of the wait of M/G/1, in seconds squared: 2 W² + λ E\[S³\] / (3 (1 − ρ)), with W the mean wait.
///
/// # Errors
/// As [`general_queue`].
pub fn wait_mean_square_s2(arrivals_per_s: f64, service: &ServiceTime) -> Result<f64, QueueError> {
    let means = general_queue(arrivals_per_s, service)?;
    positive("mean cube of the service time", service.mean_cube_s3)?;
    let rest = arrivals_per_s * service.mean_cube_s3 / (3.0 * (1.0 - means.utilisation));
    Ok(2.0 * means.mean_wait_s.powi(2) + rest)
}

fn load(arrivals_per_s: f64, mean_service_s: f64) -> Result<f64, QueueError> {
    positive("arrival rate", arrivals_per_s)?;
    stable(arrivals_per_s * positive("mean service time", mean_service_s)?)
}

#[cfg(test)]
mod tests {
    use super::super::simulation::{contains, queue_waits};
    use super::*;

    #[test]
    fn exponential_service_is_a_special_case_of_general_service() {
        for arrivals_per_s in [0.01, 0.3, 0.49] {
            let special = exponential_queue(arrivals_per_s, 2.0).expect("stable");
            let general = general_queue(arrivals_per_s, &ServiceTime::exponential(2.0)).expect("stable");
            assert!((special.mean_wait_s - general.mean_wait_s).abs() < 1e-9, "{special:?} {general:?}");
            assert!((special.mean_response_s - general.mean_response_s).abs() < 1e-9);
            // The wait is 0 with probability 1 − ρ, else exponential with the mean of the response.
            let square = wait_mean_square_s2(arrivals_per_s, &ServiceTime::exponential(2.0)).expect("stable");
            let expected = special.utilisation * 2.0 * special.mean_response_s.powi(2);
            assert!((square / expected - 1.0).abs() < 1e-9);
        }
    }

    /// Worked out by hand: M/M/1 at ρ = 0.8 has ρ / (1 − ρ) = 4 customers; M/D/1 at ρ = 0.5 waits half a service time.
    #[test]
    fn known_queues_have_their_known_means() {
        let means = exponential_queue(0.8, 1.0).expect("stable");
        assert!((means.mean_number - 4.0).abs() < 1e-12 && (means.mean_response_s - 5.0).abs() < 1e-12);
        assert!((means.mean_wait_s - 4.0).abs() < 1e-12);
        let constant = general_queue(0.5, &ServiceTime::constant(1.0)).expect("stable");
        assert!((constant.mean_wait_s - 0.5).abs() < 1e-12 && (constant.mean_number - 0.75).abs() < 1e-12);
        assert!((late_share(0.8, 1.0, 10.0).expect("stable") - (-2.0_f64).exp()).abs() < 1e-12);
        assert_eq!(late_start_share(0.8, 1.0, 0.0), Ok(0.8));
        assert_eq!(mean_time_s(2.0, mean_number(2.0, 3.0)), Some(3.0));
        assert_eq!(mean_time_s(0.0, 1.0), None);
    }

    #[test]
    fn queues_that_grow_without_end_have_no_means() {
        assert_eq!(exponential_queue(0.5, 2.0), Err(QueueError::Unstable { utilisation: 1.0 }));
        assert_eq!(late_share(1.0, 2.0, 1.0), Err(QueueError::Unstable { utilisation: 2.0 }));
        assert!(general_queue(1.5, &ServiceTime::constant(1.0)).is_err());
        assert!(wait_mean_square_s2(1.5, &ServiceTime::constant(1.0)).is_err());
        assert_eq!(exponential_queue(0.0, 2.0), Err(QueueError::NotPositive { name: "arrival rate", value: 0.0 }));
        assert!(exponential_queue(f64::NAN, 2.0).is_err() && exponential_queue(1.0, -1.0).is_err());
        assert!(late_share(0.1, 1.0, -1.0).is_err());
        let impossible = ServiceTime { mean_s: 2.0, mean_square_s2: 3.0, mean_cube_s3: 4.0 };
        assert_eq!(general_queue(0.1, &impossible), Err(QueueError::Moments { mean_s: 2.0, mean_square_s2: 3.0 }));
    }

    /// 20 replications each, t intervals at 99.9 %: one false alarm in 1,000 for each of the 12 comparisons.
    #[test]
    fn simulated_queues_agree_with_the_formulas() {
        let all = [
            Sizes::Uniform { min: 0.5, max: 1.5 },
            Sizes::LogUniform { min: 0.2, max: 3.0 },
            Sizes::OneOf([0.5, 2.0].into()),
            Sizes::Exponential { mean: 1.0 },
        ];
        for sizes in all {
            let service = ServiceTime::of_sizes(&sizes, 2.0);
            let arrivals_per_s = 0.6 / service.mean_s;
            let means = general_queue(arrivals_per_s, &service).expect("stable");
            let waits: Vec<Vec<f64>> = (0..20).map(|seed| queue_waits(seed, arrivals_per_s, &sizes, 2.0)).collect();
            let mean_of = |of: &dyn Fn(f64) -> f64| -> Vec<f64> {
                waits.iter().map(|waits| waits.iter().map(|wait| of(*wait)).sum::<f64>() / waits.len() as f64).collect()
            };
            contains(&mean_of(&|wait| wait), means.mean_wait_s);
            contains(&mean_of(&|wait| wait * wait), wait_mean_square_s2(arrivals_per_s, &service).expect("stable"));
            let busy = mean_of(&|wait| f64::from(wait > 0.0));
            contains(&busy, means.utilisation);
        }
    }

    /// As above, of responses later than 3 s.
    #[test]
    fn simulated_responses_are_late_as_often_as_computed() {
        let late: Vec<f64> = (0..20)
            .map(|seed| {
                let waits = queue_waits(seed, 0.7, &Sizes::Exponential { mean: 1.0 }, 1.0);
                waits.iter().filter(|wait| **wait > 3.0).count() as f64 / waits.len() as f64
            })
            .collect();
        contains(&late, late_start_share(0.7, 1.0, 3.0).expect("stable"));
    }
}
