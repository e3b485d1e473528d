//! Courses of arrivals and rates.

use std::sync::Arc;

use super::site::Site;
use crate::random::{self, Stream};
use crate::stream::RatePath;

/// One arriving task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// When it arrives, in seconds.
    pub time_s: f64,
    /// Its size.
    pub bytes: f64,
    /// The device at which it arrives.
    pub device: u32,
}

/// One course of arrivals and of the rates of all links.
#[derive(Debug, Clone)]
pub struct Path {
    pub(super) arrivals: Arc<[Arrival]>,
    /// The level of the arrival process at each arrival; empty where that is not known.
    levels: Arc<[u8]>,
    /// One for each queue; those that are no link, or whose rate never changes, are not read.
    pub(super) rates: Arc<[RatePath]>,
}

/// Rates are drawn for this multiple of the time of the last arrival, since queues are worked off after it.
const TIME_AFTER_ARRIVALS: f64 = 1.1;

impl Path {
    /// Draws a path of `tasks` arrivals. Equal sites, seeds and numbers give equal paths, whoever decides.
    ///
    /// # Panics
    /// If there is to be no task.
    pub fn draw(site: &Site, tasks: usize, seed: u64) -> Self {
        assert!(tasks > 0, "a path has at least one task");
        let mut random = random::stream(seed, "stream/arrivals");
        let (arrivals, levels) = draw_arrivals(site, (0.0, None), f64::INFINITY, tasks, &mut random);
        Self { levels: levels.into(), ..Self::with_arrivals(site, arrivals, seed) }
    }

    /// A path of given arrivals and rates, one for each queue.
    pub(super) fn of(arrivals: Vec<Arrival>, rates: Vec<RatePath>) -> Self {
        Self { arrivals: arrivals.into(), levels: Arc::default(), rates: rates.into() }
    }

    /// A path with given arrivals, in the order of their times, and drawn rates.
    ///
    /// # Panics
    /// If there is no arrival.
    pub fn with_arrivals(site: &Site, arrivals: Vec<Arrival>, seed: u64) -> Self {
        let last_s = arrivals.last().expect("a path has at least one task").time_s;
        let length_s = TIME_AFTER_ARRIVALS * last_s;
        let rates = site.queues.iter().enumerate().map(|(index, queue)| match &queue.link {
            Some(link) if link.times.is_some() => {
                let mut random = random::stream_of(seed, "stream/rates", &[index as f64]);
                link.link.rates.draw(length_s, &mut random)
            }
            _ => RatePath::constant(1.0 / queue.s_per_byte),
        });
        Self::of(arrivals, rates.collect())
    }

    /// The arrivals, in the order of their times.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// The level of the arrival process at an arrival; `None`: the path was not drawn, and it is not known.
    pub fn level(&self, index: usize) -> Option<usize> {
        self.levels.get(index).map(|level| usize::from(*level))
    }

    /// The course of the rate of a link, by the number of its queue.
    pub fn rates(&self, queue: usize) -> &RatePath {
        &self.rates[queue]
    }
}

/// Draws at most `tasks` arrivals, with the level of the arrival process at each: after a time, from a level on as
/// [`ArrivalProcess::draw_from`](crate::stream::ArrivalProcess::draw_from) says, none after `until_s`.
pub(super) fn draw_arrivals(
    site: &Site,
    (from_s, level): (f64, Option<usize>),
    until_s: f64,
    tasks: usize,
    random: &mut Stream,
) -> (Vec<Arrival>, Vec<u8>) {
    let parts = site.parts();
    let mut cumulative: Vec<f64> = Vec::with_capacity(site.devices());
    for device in &parts.devices {
        cumulative.push(cumulative.last().unwrap_or(&0.0) + device.arrivals_per_s);
    }
    let total = *cumulative.last().expect("a site has devices");
    let mut arrivals = Vec::with_capacity(tasks.min(1 << 20));
    let mut levels = Vec::with_capacity(arrivals.capacity());
    parts.process.draw_from(from_s, level, total, random, |time_s, level, random| {
        if time_s > until_s {
            return false;
        }
        let at = random::unit(random) * total;
        let device = cumulative.partition_point(|sum| *sum <= at).min(cumulative.len() - 1) as u32;
        arrivals.push(Arrival { time_s, bytes: parts.sizes.draw(random), device });
        levels.push(level as u8);
        arrivals.len() < tasks
    });
    (arrivals, levels)
}
