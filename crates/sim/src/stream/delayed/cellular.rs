//! The queue of the cellular link behind the queue for WiFi: exact for exponential sizes.
//!
//! Right after a file has left at its deadline, the age of the next one is the deadline less an exponential time, whatever
//! happened before: only whether WiFi is on or off matters. The times between two files that come to the cellular link
//! therefore form a Markov renewal process with two states. What remains of each file is exponential, so that the queue is
//! SM/M/1. Let P(s) be the 2 × 2 matrix of the transforms E\[exp(−s τ); the next one leaves in state k\] from state j, and ν
//! the service rate. The numbers of files that are found there are distributed as x(n) = x(0) Rⁿ, where the left eigenvectors
//! and eigenvalues z of R satisfy v P(ν (1 − z)) = z v, and the sum of all x(n) is the stationary vector of P(0) (Neuts,
//! *Matrix-Geometric Solutions in Stochastic Models*, 1981, chapter 1).
//!
//! P(s) is found by growing the deadline a from 0: with rates as in the file on deadlines, M = ((s + μ + ξ, −ξ), (−η, s + η))
//! and B = ((μ, 0), (0, 0)), it satisfies P' = λ (I − P) − P (M − B P). At a = 0 the queue for WiFi is empty until the next
//! arrival, which leaves at once.

use super::DelayedError;
use super::deadline::Rates;

type Matrix = [[f64; 2]; 2];

/// Steps are this long over the shortest mean time of the process.
const STEP: f64 = 0.05;

/// The fewest and the most steps.
const STEPS: (f64, f64) = (200.0, 4e6);

/// Halvings of an interval of roots.
const HALVINGS: usize = 45;

/// The mean time in the queue of the cellular link, in seconds, and the shares of files that come to it while WiFi is on and
/// off.
pub(super) fn cellular_stage(rates: &Rates, served_per_s: f64) -> Result<(f64, [f64; 2]), DelayedError> {
    let out_of_range = DelayedError::OutOfRange { deadline_s: rates.deadline_s };
    let transform = |z: f64| transform(rates, served_per_s * (1.0 - z)).ok_or_else(|| out_of_range.clone());
    let [[_, on_to_off], [off_to_on, _]] = transform(1.0)?;
    let shares = [off_to_on / (on_to_off + off_to_on), on_to_off / (on_to_off + off_to_on)];

    let mut roots = [(0.0, [0.0; 2]); 2];
    for (root, (which, mut low)) in roots.iter_mut().zip([(1.0, 0.0), (-1.0, -1.0)]) {
        let mut high = 1.0;
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if eigenvalue(&transform(middle)?, which) > middle {
                low = middle;
            } else {
                high = middle;
            }
        }
        *root = (low, left_eigenvector(&transform(low)?, low));
    }
    let [(first, v), (second, w)] = roots;
    // The shares as a sum of both eigenvectors, each of which has its own geometric number of files.
    let determinant = v[0] * w[1] - v[1] * w[0];
    let of_first = (shares[0] * w[1] - shares[1] * w[0]) / determinant;
    let of_second = (v[0] * shares[1] - v[1] * shares[0]) / determinant;
    let found = of_first * (v[0] + v[1]) * first / (1.0 - first) + of_second * (w[0] + w[1]) * second / (1.0 - second);
    let mean_time_s = (1.0 + found) / served_per_s;
    if mean_time_s.is_finite() { Ok((mean_time_s, shares)) } else { Err(out_of_range) }
}

/// The larger (`which` = 1) or smaller (−1) eigenvalue; matrices without negative entries have real ones.
fn eigenvalue(matrix: &Matrix, which: f64) -> f64 {
    let [[a, b], [c, d]] = *matrix;
    0.5 * (a + d + which * ((a - d).powi(2) + 4.0 * b * c).sqrt())
}

fn left_eigenvector(matrix: &Matrix, eigenvalue: f64) -> [f64; 2] {
    let [[a, b], [c, d]] = *matrix;
    // Of the two equations the one that says more.
    if c.abs() + (a - eigenvalue).abs() > b.abs() + (d - eigenvalue).abs() {
        [c, eigenvalue - a]
    } else {
        [eigenvalue - d, b]
    }
}

/// P(s), or nothing if there were too many steps.
fn transform(rates: &Rates, s: f64) -> Option<Matrix> {
    let Rates { arrive, send, switch_off, switch_on, deadline_s } = *rates;
    let steps = (deadline_s * (arrive + send + switch_off + switch_on + s) / STEP).ceil().max(STEPS.0);
    if steps > STEPS.1 {
        return None;
    }
    let step_s = deadline_s / steps;
    let leaves_empty = (arrive + switch_off + s) * (arrive + switch_on + s) - switch_off * switch_on;
    let scale = arrive / leaves_empty;
    let mut p = [
        [scale * (arrive + switch_on + s), scale * switch_off],
        [scale * switch_on, scale * (arrive + switch_off + s)],
    ];
    let change = |p: &Matrix| -> Matrix {
        // M − B P.
        let inner =
            [[s + send + switch_off - send * p[0][0], -switch_off - send * p[0][1]], [-switch_on, s + switch_on]];
        std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let identity = f64::from(u8::from(row == column));
                let product = p[row][0] * inner[0][column] + p[row][1] * inner[1][column];
                arrive * (identity - p[row][column]) - product
            })
        })
    };
    for step in 0..steps as usize {
        let first = change(&p);
        let rest_s = deadline_s - step as f64 * step_s;
        if first.iter().flatten().all(|change| change.abs() * rest_s < 1e-13) {
            break;
        }
        let second = change(&moved(&p, &first, 0.5 * step_s));
        let third = change(&moved(&p, &second, 0.5 * step_s));
        let fourth = change(&moved(&p, &third, step_s));
        for row in 0..2 {
            for column in 0..2 {
                let middle = second[row][column] + third[row][column];
                p[row][column] += step_s / 6.0 * (first[row][column] + 2.0 * middle + fourth[row][column]);
            }
        }
    }
    Some(p)
}

fn moved(p: &Matrix, change: &Matrix, time_s: f64) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| p[row][column] + time_s * change[row][column]))
}
