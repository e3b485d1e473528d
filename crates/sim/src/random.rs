//! Random streams, derived by name from one seed.
//!
//! Everything random in a run (workloads, initial weights of each DNN, batches of each DNN, exploration)
//! draws from its own stream. A part therefore draws the same numbers in any order and on any thread, however many
//! numbers the other parts draw.

use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The generator behind every stream.
pub type Stream = rand_chacha::ChaCha8Rng;

/// The stream called `name` under `seed`.
///
/// ```
/// use rand::Rng;
/// let mut workloads = sim::random::stream(7, "workloads");
/// let mut again = sim::random::stream(7, "workloads");
/// let mut weights = sim::random::stream(7, "weights/0");
/// let first = workloads.next_u64();
/// assert_eq!(first, again.next_u64());
/// assert_ne!(first, weights.next_u64());
/// ```
pub fn stream(seed: u64, name: &str) -> Stream {
    stream_of(seed, name, &[])
}

/// The stream called `name` under `seed` that belongs to these values. Equal values have equal streams.
pub fn stream_of(seed: u64, name: &str, values: &[f64]) -> Stream {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(name.as_bytes());
    for value in values {
        hash.update(value.to_le_bytes());
    }
    Stream::from_seed(hash.finalize().into())
}

/// How much of a stream has been drawn, for [`skip_to`].
pub fn drawn(stream: &Stream) -> f64 {
    stream.get_word_pos() as f64
}

/// Goes to where a stream of the same name and seed was when [`drawn`] was asked of it. Returns whether there is such a place;
/// otherwise nothing changes.
pub fn skip_to(stream: &mut Stream, drawn: f64) -> bool {
    // Beyond 2^53 the number would not be exact.
    let fits = drawn.fract() == 0.0 && (0.0..=(1_u64 << 53) as f64).contains(&drawn);
    if fits {
        stream.set_word_pos(drawn as u128);
    }
    fits
}

/// A number in `[0, 1)` with all 53 bits of an `f64`'s precision.
pub fn unit(random: &mut impl Rng) -> f64 {
    (random.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A number in `0..bound`. All are equally likely, up to a bias below `bound / 2^64`.
///
/// # Panics
/// If `bound` is 0.
pub fn below(random: &mut impl Rng, bound: usize) -> usize {
    assert!(bound > 0, "cannot draw from an empty range");
    ((u128::from(random.next_u64()) * bound as u128) >> 64) as usize
}

/// Puts `items` into random order, by the algorithm of Fisher and Yates.
pub fn shuffle<T>(random: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(random, last + 1));
    }
}

/// An exponentially distributed number of mean 1.
pub fn exponential(random: &mut impl Rng) -> f64 {
    // 1 - u lies in (0, 1].
    -(1.0 - unit(random)).ln()
}

/// Draws a number that is normally distributed around 0 with the standard deviation 1 (Box and Muller).
pub fn normal(random: &mut impl Rng) -> f64 {
    let radius = (2.0 * exponential(random)).sqrt();
    radius * (std::f64::consts::TAU * unit(random)).cos()
}

/// A seed derived by name from another, for parts whose courses no other part may draw.
pub fn derived_seed(seed: u64, name: &str, index: usize) -> u64 {
    stream_of(seed, name, &[index as f64]).next_u64()
}
