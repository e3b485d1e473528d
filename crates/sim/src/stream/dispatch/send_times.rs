//! How long sending takes where the rate of the link is a Markov chain.

use crate::stream::{MarkovRates, RateProcess, Sizes};

/// Rows of a table.
const ROWS: usize = 2048;
/// The sending time that a table covers, as a multiple of that of a mean size; beyond it times grow by the mean rate.
const COVERED_SIZES: f64 = 64.0;
/// The number of steps of integration in the mean stay of the state that passes most quickly.
const STEPS_IN_STAY: f64 = 20.0;
/// The most steps of integration between two rows.
const MOST_STEPS: f64 = 10_000.0;

/// The expected time to send some bytes over a link, from each state of its chain.
///
/// With rates r, mean stays m and jumps p it is the solution of r_i T_i′(y) = 1 + (Σ_j p_ij T_j(y) − T_i(y)) / m_i with
/// T(0) = 0; in states with r_i = 0 it is T_i(y) = m_i + Σ_j p_ij T_j(y).
#[derive(Debug, Clone)]
pub(super) struct SendTimes {
    /// Bytes between two rows.
    step_bytes: f64,
    mean_bytes_per_s: f64,
    states: usize,
    /// `[ROWS, states]`, in seconds.
    rows: Vec<f64>,
}

impl SendTimes {
    /// The times of a link for tasks of these sizes; `None` where the rate never changes. What was recorded is taken for a
    /// chain of its levels.
    pub(super) fn of(rates: &RateProcess, sizes: &Sizes) -> Option<Self> {
        match rates {
            RateProcess::Constant(_) => None,
            RateProcess::Markov(chain) => Some(Self::new(chain, sizes.mean())),
            RateProcess::Recorded(recorded) => Some(Self::new(recorded.levels(), sizes.mean())),
        }
    }

    fn new(chain: &MarkovRates, mean_bytes: f64) -> Self {
        let states = chain.states();
        let mean_bytes_per_s = RateProcess::Markov(chain.clone()).mean_bytes_per_s();
        let step_bytes = COVERED_SIZES * mean_bytes / (ROWS - 1) as f64;
        let shortest = (0..states)
            .filter(|state| chain.bytes_per_s()[*state] > 0.0)
            .map(|state| chain.bytes_per_s()[state] * chain.mean_stay_s()[state])
            .fold(f64::INFINITY, f64::min);
        let steps = (STEPS_IN_STAY * step_bytes / shortest).ceil().clamp(1.0, MOST_STEPS);
        let step = step_bytes / steps;
        let mut times = vec![0.0; states];
        stand_still(chain, &mut times);
        let mut rows = Vec::with_capacity(ROWS * states);
        rows.extend_from_slice(&times);
        let (mut slope, mut middle, mut slope_there) = (vec![0.0; states], vec![0.0; states], vec![0.0; states]);
        for _ in 1..ROWS {
            for _ in 0..steps as usize {
                // Heun's method.
                slopes(chain, &times, &mut slope);
                for (state, middle) in middle.iter_mut().enumerate() {
                    *middle = times[state] + step * slope[state];
                }
                stand_still(chain, &mut middle);
                slopes(chain, &middle, &mut slope_there);
                for (state, time) in times.iter_mut().enumerate() {
                    *time += 0.5 * step * (slope[state] + slope_there[state]);
                }
                stand_still(chain, &mut times);
            }
            rows.extend_from_slice(&times);
        }
        Self { step_bytes, mean_bytes_per_s, states, rows }
    }

    /// The expected time to send that many bytes from a state on, in seconds.
    #[inline]
    pub(super) fn expected_s(&self, state: usize, bytes: f64) -> f64 {
        let place = bytes / self.step_bytes;
        let row = place as usize;
        if row + 1 >= ROWS {
            let rest = bytes - (ROWS - 1) as f64 * self.step_bytes;
            return self.rows[(ROWS - 1) * self.states + state] + rest / self.mean_bytes_per_s;
        }
        let share = place - row as f64;
        let index = row * self.states + state;
        self.rows[index] + share * (self.rows[index + self.states] - self.rows[index])
    }
}

fn slopes(chain: &MarkovRates, times: &[f64], slopes: &mut [f64]) {
    for (state, slope) in slopes.iter_mut().enumerate() {
        let rate = chain.bytes_per_s()[state];
        *slope = if rate == 0.0 {
            0.0
        } else {
            (1.0 + (after_jump(chain, state, times) - times[state]) / chain.mean_stay_s()[state]) / rate
        };
    }
}

fn after_jump(chain: &MarkovRates, state: usize, times: &[f64]) -> f64 {
    if chain.states() == 1 {
        return times[state];
    }
    times.iter().enumerate().map(|(next, time)| chain.jump(state, next) * time).sum()
}

/// Sets the times of the states in which nothing is sent from those of the others.
fn stand_still(chain: &MarkovRates, times: &mut [f64]) {
    let still: Vec<usize> = (0..chain.states()).filter(|state| chain.bytes_per_s()[*state] == 0.0).collect();
    if still.is_empty() {
        return;
    }
    // Such states may lead to one another; every chain leaves them, so that this converges.
    for _ in 0..1_000 {
        let mut change = 0.0_f64;
        for &state in &still {
            let time = chain.mean_stay_s()[state] + after_jump(chain, state, times);
            change = change.max((time - times[state]).abs() / time);
            times[state] = time;
        }
        if change < 1e-13 || still.len() == 1 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use crate::stream::RateCursor;

    /// The mean time to send some bytes over drawn paths that begin in a state.
    fn simulated_s(chain: &MarkovRates, state: usize, bytes: f64) -> f64 {
        let process = RateProcess::Markov(chain.clone());
        let mut random = random::stream(1, "send times");
        let (mut sum, mut count) = (0.0, 0);
        while count < 20_000 {
            let path = process.draw(1.0, &mut random);
            if path.state(&mut RateCursor::default(), 0.0) != state {
                continue;
            }
            let path = process.continued(state, 40.0 * bytes / process.mean_bytes_per_s(), &mut random);
            sum += path.time_of(&mut RateCursor::default(), bytes);
            count += 1;
        }
        sum / f64::from(count)
    }

    #[test]
    fn expected_times_are_the_means_of_drawn_ones() {
        let two = MarkovRates::new(&[0.25, 1.75], &[9.0, 9.0], None).expect("valid");
        let off = MarkovRates::new(&[0.0, 2.0], &[12.0, 6.0], None).expect("valid");
        let jumps = [0.0, 0.3, 0.7, 0.5, 0.0, 0.5, 1.0, 0.0, 0.0];
        let three = MarkovRates::new(&[0.0, 1.0, 4.0], &[3.0, 5.0, 2.0], Some(&jumps)).expect("valid");
        for chain in [two, off, three] {
            let times = SendTimes::new(&chain, 4.0);
            for state in 0..chain.states() {
                for bytes in [1.0, 5.0, 20.0] {
                    let (expected, simulated) = (times.expected_s(state, bytes), simulated_s(&chain, state, bytes));
                    assert!((expected / simulated - 1.0).abs() < 0.03, "{state} {bytes}: {expected} {simulated}");
                }
            }
        }
    }

    #[test]
    fn one_state_sends_at_its_rate() {
        let chain = MarkovRates::new(&[2.0], &[1.0], None).expect("valid");
        let times = SendTimes::new(&chain, 4.0);
        for bytes in [0.5, 4.0, 1e6] {
            assert!((times.expected_s(0, bytes) - bytes / 2.0).abs() < 1e-9 * bytes);
        }
    }
}
