//! When tasks arrive.

use crate::random::{self, Stream};

/// How arrivals are spread over time. The mean rate is given where times are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrivalProcess {
    /// A Poisson process.
    Poisson,
    /// A Poisson process whose rate jumps between levels: a Markov-modulated Poisson process. From one level it goes to the
    /// next, and from the last to the first.
    Bursts {
        /// The rate at each level, as a multiple of the mean rate: weighted by the stays, the mean is 1. One is above 0; at a
        /// level of 0 nothing arrives.
        factors: Vec<f64>,
        /// The mean time at each level, in seconds; stays are exponentially distributed.
        mean_stay_s: Vec<f64>,
    },
}

impl ArrivalProcess {
    /// The factors divided by their mean over time, so that the mean rate is what it is said to be.
    pub fn bursts(factors: &[f64], mean_stay_s: &[f64]) -> Self {
        let total: f64 = mean_stay_s.iter().sum();
        let mean = factors.iter().zip(mean_stay_s).map(|(factor, stay)| factor * stay).sum::<f64>() / total;
        Self::Bursts {
            factors: factors.iter().map(|factor| factor / mean).collect(),
            mean_stay_s: mean_stay_s.to_vec(),
        }
    }

    /// Draws times from 0 in order and hands them to `arrive`, until it returns `false`. `rate_per_s` is the mean rate, above 0.
    pub fn draw(&self, rate_per_s: f64, random: &mut Stream, mut arrive: impl FnMut(f64, &mut Stream) -> bool) {
        self.draw_from(0.0, None, rate_per_s, random, |time_s, _, random| arrive(time_s, random));
    }

    /// Draws as [`ArrivalProcess::draw`], from a time and a level on; `None`: a level drawn by the share of time at each.
    /// `arrive` is told the level, too: 0 where there are none.
    pub fn draw_from(
        &self,
        mut time_s: f64,
        level: Option<usize>,
        rate_per_s: f64,
        random: &mut Stream,
        mut arrive: impl FnMut(f64, usize, &mut Stream) -> bool,
    ) {
        match self {
            Self::Poisson => loop {
                time_s += random::exponential(random) / rate_per_s;
                if !arrive(time_s, 0, random) {
                    return;
                }
            },
            Self::Bursts { factors, mean_stay_s } => {
                let mut level = level.unwrap_or_else(|| first_level(mean_stay_s, random));
                let mut until_s = time_s + random::exponential(random) * mean_stay_s[level];
                loop {
                    // Without memory, the time to the next arrival may be drawn again where the rate jumps.
                    let next_s = time_s + random::exponential(random) / (rate_per_s * factors[level]);
                    if next_s < until_s {
                        time_s = next_s;
                        if !arrive(time_s, level, random) {
                            return;
                        }
                    } else {
                        time_s = until_s;
                        level = (level + 1) % factors.len();
                        until_s += random::exponential(random) * mean_stay_s[level];
                    }
                }
            }
        }
    }
}

/// A level drawn by the share of time that the process spends there.
fn first_level(mean_stay_s: &[f64], random: &mut Stream) -> usize {
    let mut rest = random::unit(random) * mean_stay_s.iter().sum::<f64>();
    for (level, stay) in mean_stay_s.iter().enumerate() {
        rest -= stay;
        if rest < 0.0 {
            return level;
        }
    }
    mean_stay_s.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(process: &ArrivalProcess, rate_per_s: f64, until_s: f64) -> Vec<f64> {
        let mut times = Vec::new();
        process.draw(rate_per_s, &mut random::stream(1, "arrivals"), |time_s, _| {
            times.push(time_s);
            time_s < until_s
        });
        times
    }

    #[test]
    fn the_mean_rate_is_the_one_asked_for() {
        for process in [ArrivalProcess::Poisson, ArrivalProcess::bursts(&[0.5, 2.5], &[600.0, 200.0])] {
            let times = times(&process, 0.5, 1e6);
            assert!(times.is_sorted());
            // 500,000 arrivals in 1,250 cycles: the standard deviation of their number is about 1.5 %.
            assert!((times.len() as f64 / 5e5 - 1.0).abs() < 0.05, "{process:?}: {}", times.len());
        }
    }

    #[test]
    fn a_source_that_is_on_and_off_has_the_mean_rate_and_is_silent_while_off() {
        // 0.5 a second on average, in a quarter of the time: 2 a second while it is on.
        let process = ArrivalProcess::bursts(&[0.0, 3.0], &[300.0, 100.0]);
        let (mut count, mut last_s) = (0, 0.0);
        process.draw_from(0.0, None, 0.5, &mut random::stream(1, "arrivals"), |time_s, level, _| {
            assert_eq!(level, 1);
            assert!(time_s >= last_s);
            (count, last_s) = (count + 1, time_s);
            time_s < 1e6
        });
        // 2,500 cycles: the standard deviation of their number is about 2 %.
        assert!((f64::from(count) / 5e5 - 1.0).abs() < 0.06, "{count}");
    }

    #[test]
    fn bursts_are_less_even_than_poisson() {
        let spread = |process: &ArrivalProcess| {
            let mut counts = vec![0.0; 10_000];
            times(process, 0.5, 1e6)
                .iter()
                .filter(|time| **time < 1e6)
                .for_each(|time| counts[(time / 100.0) as usize] += 1.0);
            let mean = counts.iter().sum::<f64>() / 1e4;
            counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 1e4 / mean
        };
        // The variance of the number of arrivals in 100 s over its mean: 1 for Poisson.
        assert!((spread(&ArrivalProcess::Poisson) - 1.0).abs() < 0.06);
        assert!(spread(&ArrivalProcess::bursts(&[0.5, 2.5], &[600.0, 200.0])) > 10.0);
    }
}
