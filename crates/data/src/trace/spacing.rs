//! How far the samples of a trace lie apart.

use super::drive::{Hold, Trace};

/// A time between two samples of more than this many usual ones is a gap.
const GAP: f64 = 3.0;
/// Times between samples that differ from the usual one by less than this share are equal.
const TOLERANCE: f64 = 0.1;
/// Times between samples that differ by this factor or more are worth a note. A little less than ten, since decimal
/// fractions such as 0.1 are rounded.
const UNEVEN: f64 = 10.0 - 1e-6;

/// How far the samples of a trace lie apart, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spacing {
    /// The usual time between two samples: half of the recorded time lies in times no longer than it.
    pub(super) usual_s: f64,
    /// Whether all times between samples are equal, gaps excepted.
    pub(super) is_regular: bool,
    /// The shortest time between two samples; 0 if several samples have the same time.
    pub(super) shortest_s: f64,
    /// The longest time between two samples that is no gap.
    pub(super) longest_s: f64,
}

impl Spacing {
    /// The spacing of a trace; `None` if all its samples have the same time. A time between two samples of more than
    /// `window_s` seconds does not count as recorded time, so that one long gap does not look usual.
    pub(super) fn of(trace: &Trace, window_s: f64) -> Option<Self> {
        let steps = || trace.samples.windows(2).map(|pair| pair[1].t_s - pair[0].t_s);
        let first_s = steps().next()?;
        if first_s > 0.0 && steps().all(|step| is_near(step, first_s)) {
            let (shortest_s, longest_s) =
                steps().fold((first_s, first_s), |(least, most), step| (step.min(least), step.max(most)));
            return Some(Self { usual_s: first_s, is_regular: true, shortest_s, longest_s });
        }
        let mut sorted: Vec<f64> = steps().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let recorded = |step: &f64| if *step <= window_s { *step } else { 0.0 };
        let half_s = sorted.iter().map(recorded).sum::<f64>() / 2.0;
        let mut passed_s = 0.0;
        let usual = sorted.iter().position(|step| {
            passed_s += recorded(step);
            *step > 0.0 && passed_s >= half_s
        });
        let usual_s = sorted[usual?];
        let ordinary = &sorted[..sorted.partition_point(|step| *step <= GAP * usual_s)];
        let (shortest_s, longest_s) = (*ordinary.first()?, *ordinary.last()?);
        let is_regular = is_near(shortest_s, usual_s) && is_near(longest_s, usual_s);
        Some(Self { usual_s, is_regular, shortest_s, longest_s })
    }

    /// Seconds that a sample holds which is followed by another one after `step_s`: until then, or over a gap for the
    /// usual time.
    pub(super) fn hold_s(&self, step_s: f64) -> f64 {
        if step_s > GAP * self.usual_s { self.usual_s } else { step_s }
    }

    /// Whether the times between samples differ tenfold or more.
    pub(super) fn is_uneven(&self) -> bool {
        self.longest_s >= UNEVEN * self.shortest_s
    }
}

fn is_near(step_s: f64, usual_s: f64) -> bool {
    (step_s - usual_s).abs() <= TOLERANCE * usual_s
}

impl Trace {
    /// The shortest and the longest time between two samples, in seconds and without gaps, if their rates are weighted by
    /// time and these times differ tenfold or more.
    pub fn uneven_spacing_s(&self, window_s: f64) -> Option<(f64, f64)> {
        let spacing = match self.hold {
            Hold::UntilNext { .. } => Spacing::of(self, window_s)?,
            Hold::Fixed { .. } | Hold::Single => return None,
        };
        spacing.is_uneven().then_some((spacing.shortest_s, spacing.longest_s))
    }
}
