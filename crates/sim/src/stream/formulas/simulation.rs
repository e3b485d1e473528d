//! Small exact simulations that the formulas are tested against.

use super::OnOff;
use crate::random::{self, Stream};
use crate::stream::{ArrivalProcess, MarkovRates, RateCursor, RateProcess, Sizes};

/// Customers of one replication; the first tenth is left out of its means.
const CUSTOMERS: usize = 30_000;

/// Checks that the t interval of 20 independent replications contains the expected mean. The interval is wrong in one of
/// 1,000 cases: t(19 degrees of freedom, 0.9995) = 3.883.
pub(crate) fn contains(replications: &[f64], expected: f64) {
    assert_eq!(replications.len(), 20);
    let mean = replications.iter().sum::<f64>() / 20.0;
    let variance = replications.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 19.0;
    let half_width = 3.883 * (variance / 20.0).sqrt();
    assert!((mean - expected).abs() <= half_width, "{mean} ± {half_width}, expected {expected}");
    // An interval that is wide proves nothing.
    assert!(half_width < 0.08 * expected, "{mean} ± {half_width}");
}

fn arrivals(arrivals_per_s: f64, random: &mut Stream) -> Vec<f64> {
    let mut times = Vec::with_capacity(CUSTOMERS);
    ArrivalProcess::Poisson.draw(arrivals_per_s, random, |time_s, _| {
        times.push(time_s);
        times.len() < CUSTOMERS
    });
    times
}

/// Waits by Lindley's recursion, in seconds.
pub(crate) fn queue_waits(seed: u64, arrivals_per_s: f64, sizes: &Sizes, bytes_per_s: f64) -> Vec<f64> {
    let mut random = random::stream(seed, "queue");
    let mut free_s = 0.0_f64;
    let mut waits = Vec::with_capacity(CUSTOMERS);
    for time_s in arrivals(arrivals_per_s, &mut random) {
        let begin_s = free_s.max(time_s);
        waits.push(begin_s - time_s);
        free_s = begin_s + sizes.draw(&mut random) / bytes_per_s;
    }
    waits.split_off(CUSTOMERS / 10)
}

/// The mean response at a server that is on and off, in seconds.
pub(crate) fn on_off_responses(seed: u64, arrivals_per_s: f64, sizes: &Sizes, bytes_per_s: f64, server: &OnOff) -> f64 {
    let mut random = random::stream(seed, "on-off");
    let chain = MarkovRates::new(&[bytes_per_s, 0.0], &[server.mean_on_s, server.mean_off_s], None).expect("valid");
    let path = RateProcess::Markov(chain).draw(1.5 * CUSTOMERS as f64 / arrivals_per_s, &mut random);
    let (mut begin, mut end) = (RateCursor::default(), RateCursor::default());
    let (mut free_s, mut sum_s) = (0.0_f64, 0.0);
    for (customer, time_s) in arrivals(arrivals_per_s, &mut random).into_iter().enumerate() {
        let sent = path.bytes_until(&mut begin, free_s.max(time_s));
        free_s = path.time_of(&mut end, sent + sizes.draw(&mut random));
        sum_s += if customer < CUSTOMERS / 10 { 0.0 } else { free_s - time_s };
    }
    sum_s / (CUSTOMERS - CUSTOMERS / 10) as f64
}

/// The lost share of impatient customers with exponential service of mean 1 s, and the mean wait of the others, in seconds.
pub(crate) fn impatient_run(seed: u64, arrivals_per_s: f64, deadline_s: f64) -> (f64, f64) {
    let mut random = random::stream(seed, "impatience");
    let mut free_s = 0.0_f64;
    let (mut lost, mut served, mut wait_s) = (0.0, 0.0, 0.0);
    for time_s in arrivals(arrivals_per_s, &mut random).into_iter().skip(CUSTOMERS / 10) {
        let wait = (free_s - time_s).max(0.0);
        if wait > deadline_s {
            lost += 1.0;
        } else {
            served += 1.0;
            wait_s += wait;
            free_s = time_s + wait + random::exponential(&mut random);
        }
    }
    (lost / (lost + served), wait_s / served)
}
