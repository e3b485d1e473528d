//! Rates of links over time.

use std::sync::Arc;

use crate::random::{self, Stream};

/// How the rate of a link changes over time. Rates are in bytes per second.
#[derive(Debug, Clone, PartialEq)]
pub enum RateProcess {
    /// It never changes.
    Constant(f64),
    /// It jumps between states, and stays in each for an exponentially distributed time.
    Markov(MarkovRates),
    /// It was measured.
    Recorded(RecordedRates),
}

/// A Markov chain in continuous time whose states have rates.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkovRates {
    bytes_per_s: Arc<[f64]>,
    mean_stay_s: Arc<[f64]>,
    /// `[from, to]`: the probability that the chain goes from one state to another.
    jumps: Arc<[f64]>,
}

/// Measured rates: means over windows of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRates {
    window_s: f64,
    /// `[drives][windows]`, in bytes per second.
    drives: Arc<[Vec<f64>]>,
    levels: MarkovRates,
    /// `[drives][windows]`: the level of each rate.
    level_of: Arc<[Vec<u8>]>,
}

/// The number of levels by which recorded rates are told apart.
const LEVELS: usize = 4;

/// Why rates make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RatesError {
    /// The chain has no state, or another number of stays or probabilities.
    #[error("a chain of {states} states needs as many mean stays, and {states} probabilities for each state")]
    Shape {
        /// The number of states.
        states: usize,
    },
    /// A rate is not a number from 0.
    #[error("rate {index} must be a number not below 0, is {value}")]
    Rate {
        /// The state or the window, from 0.
        index: usize,
        /// The rate.
        value: f64,
    },
    /// A mean stay is not a number above 0.
    #[error("the mean stay in state {state} must be greater than 0 s, is {value}")]
    Stay {
        /// The state, from 0.
        state: usize,
        /// The mean stay.
        value: f64,
    },
    /// The probabilities of a state are no distribution over the other states.
    #[error(
        "the probabilities of going from state {state} to the others must be numbers not below 0 with the sum 1, and 0 for itself"
    )]
    Jumps {
        /// The state, from 0.
        state: usize,
    },
    /// Nothing would ever be sent.
    #[error("no rate is above 0, so that nothing could ever be sent")]
    NeverSends,
    /// A recording without a whole window.
    #[error("recording {drive} is shorter than one window of {window_s} s")]
    Short {
        /// The recording, from 0.
        drive: usize,
        /// The length of a window.
        window_s: f64,
    },
    /// From some state the chain never comes back to another.
    #[error("state {state} cannot be reached from every other state")]
    Unreachable {
        /// The state, from 0.
        state: usize,
    },
}

impl MarkovRates {
    /// A chain of states with rates in bytes per second and mean stays in seconds. `jumps` are the probabilities of the next
    /// state, `[from, to]`; `None`: all other states are equally likely.
    ///
    /// # Errors
    /// If a number makes no sense, some state cannot be reached from another, or no rate is above 0.
    pub fn new(bytes_per_s: &[f64], mean_stay_s: &[f64], jumps: Option<&[f64]>) -> Result<Self, RatesError> {
        let states = bytes_per_s.len();
        if states == 0 || mean_stay_s.len() != states || jumps.is_some_and(|jumps| jumps.len() != states * states) {
            return Err(RatesError::Shape { states });
        }
        check_rates(bytes_per_s)?;
        let wrong_stay = |stay: &f64| !(*stay > 0.0 && stay.is_finite());
        if let Some(state) = mean_stay_s.iter().position(wrong_stay) {
            return Err(RatesError::Stay { state, value: mean_stay_s[state] });
        }
        let even = |index: usize| {
            if states == 1 || index.is_multiple_of(states + 1) { 0.0 } else { 1.0 / (states - 1) as f64 }
        };
        let jumps: Arc<[f64]> = jumps.map_or_else(|| (0..states * states).map(even).collect(), Into::into);
        for (state, row) in jumps.chunks(states).enumerate().filter(|_| states > 1) {
            let sum: f64 = row.iter().sum();
            if !row.iter().all(|jump| *jump >= 0.0) || row[state] != 0.0 || (sum - 1.0).abs() > 1e-6 {
                return Err(RatesError::Jumps { state });
            }
        }
        let chain = Self { bytes_per_s: bytes_per_s.into(), mean_stay_s: mean_stay_s.into(), jumps };
        match chain.first_unreachable() {
            Some(state) => Err(RatesError::Unreachable { state }),
            None => Ok(chain),
        }
    }

    fn first_unreachable(&self) -> Option<usize> {
        let states = self.states();
        let reaches_all = |start: usize, forward: bool| {
            let (mut seen, mut open) = (vec![false; states], vec![start]);
            seen[start] = true;
            while let Some(at) = open.pop() {
                for (next, seen) in seen.iter_mut().enumerate() {
                    let jump = if forward { self.jump(at, next) } else { self.jump(next, at) };
                    if jump > 0.0 && !*seen {
                        *seen = true;
                        open.push(next);
                    }
                }
            }
            seen.iter().position(|seen| !seen)
        };
        reaches_all(0, true).or_else(|| reaches_all(0, false).map(|_| 0))
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.bytes_per_s.len()
    }

    /// The rate in each state, in bytes per second.
    pub fn bytes_per_s(&self) -> &[f64] {
        &self.bytes_per_s
    }

    /// The mean stay in each state, in seconds.
    pub fn mean_stay_s(&self) -> &[f64] {
        &self.mean_stay_s
    }

    /// The probability that the chain goes to state `to` when it leaves state `from`.
    pub fn jump(&self, from: usize, to: usize) -> f64 {
        self.jumps[from * self.states() + to]
    }

    /// The share of time in each state.
    pub fn shares(&self) -> Vec<f64> {
        // Of the chain of jumps, by repeated squaring of damped steps; chains are small, and it always converges.
        let states = self.states();
        let mut shares = vec![1.0 / states as f64; states];
        let mut next = shares.clone();
        for _ in 0..100_000 {
            for (to, next) in next.iter_mut().enumerate() {
                let inflow: f64 = shares.iter().enumerate().map(|(from, share)| share * self.jump(from, to)).sum();
                *next = 0.5 * (shares[to] + inflow);
            }
            let change: f64 = next.iter().zip(&shares).map(|(a, b)| (a - b).abs()).sum();
            std::mem::swap(&mut shares, &mut next);
            if change < 1e-15 || states == 1 {
                break;
            }
        }
        let total: f64 = shares.iter().zip(&*self.mean_stay_s).map(|(share, stay)| share * stay).sum();
        shares.iter().zip(&*self.mean_stay_s).map(|(share, stay)| share * stay / total).collect()
    }

    fn draw_from(&self, mut state: usize, length_s: f64, random: &mut Stream) -> RatePath {
        let (mut time_s, mut pieces) = (0.0, Vec::new());
        while time_s < length_s {
            let stay_s = random::exponential(random) * self.mean_stay_s[state];
            pieces.push((stay_s, self.bytes_per_s[state], state));
            time_s += stay_s;
            state = self.next_state(state, random);
        }
        let mean = self.shares().iter().zip(&*self.bytes_per_s).map(|(share, rate)| share * rate).sum();
        RatePath::new(pieces.into_iter(), mean)
    }

    fn draw_state(&self, random: &mut Stream) -> usize {
        draw_index(&self.shares(), random)
    }

    fn next_state(&self, state: usize, random: &mut Stream) -> usize {
        let states = self.states();
        if states == 2 { 1 - state } else { draw_index(&self.jumps[state * states..][..states], random) }
    }
}

/// An index drawn by its weight; weights have the sum 1.
fn draw_index(weights: &[f64], random: &mut Stream) -> usize {
    let mut rest = random::unit(random);
    for (index, weight) in weights.iter().enumerate() {
        rest -= weight;
        if rest < 0.0 {
            return index;
        }
    }
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
}

fn check_rates(bytes_per_s: &[f64]) -> Result<(), RatesError> {
    let wrong = |rate: &f64| !(*rate >= 0.0 && rate.is_finite());
    match bytes_per_s.iter().position(wrong) {
        Some(index) => Err(RatesError::Rate { index, value: bytes_per_s[index] }),
        None if bytes_per_s.iter().all(|rate| *rate == 0.0) => Err(RatesError::NeverSends),
        None => Ok(()),
    }
}

impl RecordedRates {
    /// Rates in bytes per second, `[drives][windows]`, each the mean over `window_s` seconds.
    ///
    /// # Errors
    /// If there is no drive, a drive has no window, a rate makes no sense or none is above 0.
    pub fn new(window_s: f64, drives: Vec<Vec<f64>>) -> Result<Self, RatesError> {
        if drives.is_empty() {
            return Err(RatesError::Short { drive: 0, window_s });
        }
        if let Some(drive) = drives.iter().position(Vec::is_empty) {
            return Err(RatesError::Short { drive, window_s });
        }
        let all = drives.concat();
        check_rates(&all)?;
        let (levels, level_of) = levels(window_s, &all)?;
        let mut rest = level_of.into_iter();
        let level_of = drives.iter().map(|drive| rest.by_ref().take(drive.len()).collect()).collect();
        Ok(Self { window_s, drives: drives.into(), levels, level_of })
    }

    /// The chain that is taken for the recordings where something is expected of them: at most four levels of rates, about
    /// equally frequent, with their mean rates and stays; the windows of all drives count as one sequence, whose end leads to its
    /// beginning.
    pub fn levels(&self) -> &MarkovRates {
        &self.levels
    }

    /// The length of a window, in seconds.
    pub fn window_s(&self) -> f64 {
        self.window_s
    }

    /// The rates of each drive, `[drives][windows]`, in bytes per second.
    pub fn drives(&self) -> &[Vec<f64>] {
        &self.drives
    }

    /// One drive from one of its windows on, for some seconds; where it ends, it begins again.
    ///
    /// # Panics
    /// If there is no such drive.
    pub fn path(&self, drive: usize, first_window: usize, length_s: f64) -> RatePath {
        let rates = &self.drives[drive];
        let count = (length_s / self.window_s).ceil().max(1.0) as usize;
        let repeated = (0..count).map(|window| (first_window + window) % rates.len());
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let levels = &self.level_of[drive];
        RatePath::new(repeated.map(|window| (self.window_s, rates[window], usize::from(levels[window]))), mean)
    }
}

/// The chain of levels of a sequence of rates, and the level of each.
fn levels(window_s: f64, rates: &[f64]) -> Result<(MarkovRates, Vec<u8>), RatesError> {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut borders: Vec<f64> = (1..LEVELS).map(|level| sorted[level * sorted.len() / LEVELS]).collect();
    borders.retain(|border| *border > sorted[0]);
    borders.dedup();
    let level_of: Vec<u8> =
        rates.iter().map(|rate| borders.iter().filter(|border| *rate >= **border).count() as u8).collect();
    let states = borders.len() + 1;
    let (mut sums, mut counts, mut jumps) = (vec![0.0; states], vec![0.0; states], vec![0.0; states * states]);
    for (index, rate) in rates.iter().enumerate() {
        let (level, next) = (usize::from(level_of[index]), usize::from(level_of[(index + 1) % rates.len()]));
        sums[level] += rate;
        counts[level] += 1.0;
        if next != level {
            jumps[level * states + next] += 1.0;
        }
    }
    let leaves: Vec<f64> = jumps.chunks(states).map(|row| row.iter().sum::<f64>().max(1.0)).collect();
    let mean_rates: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
    let stays: Vec<f64> = counts.iter().zip(&leaves).map(|(count, leaves)| window_s * count / leaves).collect();
    jumps.iter_mut().enumerate().for_each(|(index, jump)| *jump /= leaves[index / states]);
    Ok((MarkovRates::new(&mean_rates, &stays, Some(&jumps))?, level_of))
}

impl RateProcess {
    /// The mean rate over time, in bytes per second.
    pub fn mean_bytes_per_s(&self) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Markov(chain) => {
                chain.shares().iter().zip(chain.bytes_per_s()).map(|(share, rate)| share * rate).sum()
            }
            Self::Recorded(recorded) => {
                let windows = recorded.drives().iter().map(Vec::len).sum::<usize>();
                recorded.drives().iter().flatten().sum::<f64>() / windows as f64
            }
        }
    }

    /// Draws a course of the rate over at least `length_s` seconds. A chain begins in a state drawn by its share of time; of
    /// recordings one is drawn, and the window in which it begins.
    pub fn draw(&self, length_s: f64, random: &mut Stream) -> RatePath {
        match self {
            Self::Constant(rate) => RatePath::constant(*rate),
            Self::Markov(chain) => {
                let state = chain.draw_state(random);
                chain.draw_from(state, length_s, random)
            }
            Self::Recorded(recorded) => {
                let drive = random::below(random, recorded.drives.len());
                let window = random::below(random, recorded.drives[drive].len());
                recorded.path(drive, window, length_s)
            }
        }
    }

    /// Draws a course as [`RateProcess::draw`] that begins in a state of the chain; of what was recorded, in a level of
    /// [`RecordedRates::levels`], which it then follows.
    pub fn continued(&self, state: usize, length_s: f64, random: &mut Stream) -> RatePath {
        match self {
            Self::Constant(rate) => RatePath::constant(*rate),
            Self::Markov(chain) => chain.draw_from(state, length_s, random),
            Self::Recorded(recorded) => recorded.levels.draw_from(state, length_s, random),
        }
    }
}

/// One course of a rate over time, from 0: pieces of constant rate, and a rate that holds for ever after them.
#[derive(Debug, Clone, PartialEq)]
pub struct RatePath {
    pieces: Vec<Piece>,
}

/// From its start on, up to that of the next piece, the rate is constant.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start_s: f64,
    bytes_per_s: f64,
    /// The bytes that can be sent before the piece starts.
    bytes_before: f64,
    state: usize,
}

/// The piece of a [`RatePath`] that was asked about last, for questions about times that only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateCursor(usize);

impl RatePath {
    /// A rate that never changes.
    pub fn constant(bytes_per_s: f64) -> Self {
        Self { pieces: vec![Piece { start_s: 0.0, bytes_per_s, bytes_before: 0.0, state: 0 }] }
    }

    /// Pieces of a length in seconds, a rate in bytes per second and the number of a state; behind them the rate is `after`.
    pub fn new(pieces: impl Iterator<Item = (f64, f64, usize)>, after: f64) -> Self {
        let (mut start_s, mut bytes_before) = (0.0, 0.0);
        let mut all = Vec::with_capacity(pieces.size_hint().0 + 1);
        for (length_s, bytes_per_s, state) in pieces {
            all.push(Piece { start_s, bytes_per_s, bytes_before, state });
            start_s += length_s;
            bytes_before += length_s * bytes_per_s;
        }
        let state = all.last().map_or(0, |last| last.state);
        all.push(Piece { start_s, bytes_per_s: after, bytes_before, state });
        Self { pieces: all }
    }

    /// The same course, beginning at a time; before it nothing is sent.
    pub fn delayed(mut self, by_s: f64) -> Self {
        let state = self.pieces[0].state;
        for piece in &mut self.pieces {
            piece.start_s += by_s;
        }
        self.pieces.insert(0, Piece { start_s: 0.0, bytes_per_s: 0.0, bytes_before: 0.0, state });
        self
    }

    /// Whether the rate never changes.
    pub fn is_constant(&self) -> bool {
        self.pieces.len() == 1
    }

    fn piece_at(&self, cursor: &mut RateCursor, time_s: f64) -> &Piece {
        while let Some(next) = self.pieces.get(cursor.0 + 1)
            && next.start_s <= time_s
        {
            cursor.0 += 1;
        }
        &self.pieces[cursor.0]
    }

    /// The rate at a time that is not before those asked with the same cursor, in bytes per second.
    pub fn bytes_per_s(&self, cursor: &mut RateCursor, time_s: f64) -> f64 {
        self.piece_at(cursor, time_s).bytes_per_s
    }

    /// The state of the chain, as [`RatePath::bytes_per_s`]; 0 where there is no chain.
    pub fn state(&self, cursor: &mut RateCursor, time_s: f64) -> usize {
        self.piece_at(cursor, time_s).state
    }

    /// The bytes that can be sent from time 0 to a time, as [`RatePath::bytes_per_s`].
    pub fn bytes_until(&self, cursor: &mut RateCursor, time_s: f64) -> f64 {
        let piece = self.piece_at(cursor, time_s);
        piece.bytes_before + (time_s - piece.start_s) * piece.bytes_per_s
    }

    /// The time at which that many bytes from time 0 on have been sent; infinite if that never happens. Numbers asked with the
    /// same cursor must not fall.
    pub fn time_of(&self, cursor: &mut RateCursor, bytes: f64) -> f64 {
        while let Some(next) = self.pieces.get(cursor.0 + 1)
            && next.bytes_before < bytes
        {
            cursor.0 += 1;
        }
        let piece = &self.pieces[cursor.0];
        let rest = bytes - piece.bytes_before;
        if rest <= 0.0 { piece.start_s } else { piece.start_s + rest / piece.bytes_per_s }
    }

    /// The bytes that can be sent in each slot of `slot_s` seconds from time 0 on.
    pub fn slots(&self, slot_s: f64, slots: usize) -> Vec<f64> {
        let mut cursor = RateCursor::default();
        let mut before = 0.0;
        let mut bytes = Vec::with_capacity(slots);
        for slot in 1..=slots {
            let until = self.bytes_until(&mut cursor, slot as f64 * slot_s);
            bytes.push(until - before);
            before = until;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> MarkovRates {
        MarkovRates::new(&[1.0, 5.0], &[90.0, 30.0], None).expect("valid")
    }

    #[test]
    fn a_path_sends_what_its_rates_say() {
        let path = RatePath::new([(2.0, 10.0, 0), (3.0, 0.0, 1), (1.0, 4.0, 0)].into_iter(), 2.0);
        let mut cursor = RateCursor::default();
        let until = [0.0, 1.0, 2.0, 4.0, 5.5, 6.0, 8.0].map(|time| path.bytes_until(&mut cursor, time));
        assert_eq!(until, [0.0, 10.0, 20.0, 20.0, 22.0, 24.0, 28.0]);
        let mut cursor = RateCursor::default();
        let times = [0.0, 10.0, 20.0, 21.0, 24.0, 30.0].map(|bytes| path.time_of(&mut cursor, bytes));
        assert_eq!(times, [0.0, 1.0, 2.0, 5.25, 6.0, 9.0]);
        assert_eq!(path.slots(2.0, 4), [20.0, 0.0, 4.0, 4.0]);
        assert_eq!(path.state(&mut RateCursor::default(), 3.0), 1);
    }

    #[test]
    fn shares_of_time_are_those_of_a_long_path() {
        let jumps = [0.0, 0.25, 0.75, 1.0, 0.0, 0.0, 0.5, 0.5, 0.0];
        let chain = MarkovRates::new(&[1.0, 2.0, 4.0], &[3.0, 2.0, 1.0], Some(&jumps)).expect("valid");
        let shares = chain.shares();
        let process = RateProcess::Markov(chain);
        let path = process.draw(1e5, &mut random::stream(1, "chain"));
        let mut seen = [0.0; 3];
        for pair in path.pieces.windows(2) {
            seen[pair[0].state] += (pair[1].start_s - pair[0].start_s) / path.pieces.last().expect("an end").start_s;
        }
        for (share, seen) in shares.iter().zip(seen) {
            assert!((share - seen).abs() < 0.01, "{shares:?} {seen:?}");
        }
        let mean = path.bytes_until(&mut RateCursor::default(), 1e5) / 1e5;
        assert!((mean / process.mean_bytes_per_s() - 1.0).abs() < 0.02);
    }

    #[test]
    fn chains_that_make_no_sense_are_refused() {
        let error = |result: Result<MarkovRates, RatesError>| result.expect_err("no sense").to_string();
        assert_eq!(
            error(MarkovRates::new(&[1.0, 2.0], &[0.0, 1.0], None)),
            "the mean stay in state 0 must be greater than 0 s, is 0"
        );
        assert!(error(MarkovRates::new(&[0.0, 0.0], &[1.0, 1.0], None)).contains("nothing could ever be sent"));
        assert!(error(MarkovRates::new(&[1.0, -2.0], &[1.0, 1.0], None)).contains("rate 1 must be"));
        let jumps = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.5, 0.5, 0.0];
        let unreachable = MarkovRates::new(&[1.0; 3], &[1.0; 3], Some(&jumps));
        assert_eq!(error(unreachable), "state 2 cannot be reached from every other state");
        assert!(error(MarkovRates::new(&[1.0; 2], &[1.0; 2], Some(&[0.5, 0.5, 1.0, 0.0]))).contains("from state 0"));
        assert_eq!(chain().shares(), [0.75, 0.25]);
    }

    #[test]
    fn a_recording_begins_again_where_it_ends() {
        let recorded = RecordedRates::new(2.0, vec![vec![1.0, 3.0, 5.0]]).expect("valid");
        assert_eq!(recorded.path(0, 1, 8.0).slots(2.0, 4), [6.0, 10.0, 2.0, 6.0]);
        let windows: Vec<f64> = (0..40).map(|window| f64::from(1 + window / 10)).collect();
        let levels = RecordedRates::new(1.0, vec![windows]).expect("valid").levels().clone();
        assert_eq!((levels.bytes_per_s(), levels.mean_stay_s()), (&[1.0, 2.0, 3.0, 4.0][..], &[10.0; 4][..]));
        assert_eq!((levels.jump(0, 1), levels.jump(3, 0)), (1.0, 1.0));
        assert!(RecordedRates::new(2.0, vec![vec![1.0], vec![]]).is_err());
        assert!(RecordedRates::new(2.0, vec![vec![1.0, f64::NAN]]).is_err());
    }
}
