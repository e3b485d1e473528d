//! The time of a dispatching service: its own, or that of its callers.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// Whose time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TimeOf {
    /// The service's own: seconds since it began, those in which it did not run included.
    Service,
    /// That of the callers, who say it with every task.
    Callers,
}

/// The clock of a service.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// `None` until the first task says it.
    of: Option<TimeOf>,
    /// What the own clock showed at an instant.
    known: (f64, Instant),
}

/// A clock, to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptClock {
    of: Option<TimeOf>,
    now_s: f64,
    /// The same moment in seconds since 1970.
    unix_s: f64,
}

fn unix_s() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { of: None, known: (0.0, Instant::now()) }
    }

    pub(crate) fn of(&self) -> Option<TimeOf> {
        self.of
    }

    /// Whose time counts, if a request says its time or not; an error if it was the other before.
    pub(crate) fn claim(&mut self, says_time: bool) -> Result<TimeOf, &'static str> {
        let wanted = if says_time { TimeOf::Callers } else { TimeOf::Service };
        match *self.of.get_or_insert(wanted) {
            of if of == wanted => Ok(of),
            TimeOf::Callers => {
                Err("is missing: the time of this service is that of its callers, since the first task said its time")
            }
            TimeOf::Service => Err(
                "cannot be said: the time of this service is its own, since the first task did not say its time; POST /v1/reset begins anew",
            ),
        }
    }

    /// The first task is still to say whose time counts.
    pub(crate) fn disclaim(&mut self) {
        self.of = None;
    }

    /// What the own clock shows, in seconds.
    pub(crate) fn now_s(&self) -> f64 {
        self.known.0 + self.known.1.elapsed().as_secs_f64()
    }

    pub(crate) fn kept(&self) -> KeptClock {
        KeptClock { of: self.of, now_s: self.now_s(), unix_s: unix_s() }
    }

    /// Continues a kept clock. The time in which the service did not run has passed, too; returns it.
    pub(crate) fn continued(kept: KeptClock) -> (Self, Duration) {
        let away = Duration::try_from_secs_f64(unix_s() - kept.unix_s).unwrap_or_default();
        let now_s = if kept.now_s.is_finite() { kept.now_s } else { 0.0 };
        (Self { of: kept.of, known: (now_s + away.as_secs_f64(), Instant::now()) }, away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_task_says_whose_time_counts() {
        for first in [true, false] {
            let mut clock = Clock::new();
            assert_eq!(clock.of(), None);
            assert!(clock.claim(first).is_ok() && clock.claim(first).is_ok());
            assert!(clock.claim(!first).is_err() && clock.claim(first).is_ok());
        }
    }

    #[test]
    fn time_passes_while_a_service_is_away() {
        let kept = KeptClock { of: Some(TimeOf::Service), now_s: 100.0, unix_s: unix_s() - 30.0 };
        let (clock, away) = Clock::continued(kept);
        assert!((130.0..135.0).contains(&clock.now_s()) && (30.0..35.0).contains(&away.as_secs_f64()));
        let ahead = KeptClock { unix_s: unix_s() + 1e6, ..kept };
        assert!((100.0..105.0).contains(&Clock::continued(ahead).0.now_s()), "the system's clock was set back");
    }
}
