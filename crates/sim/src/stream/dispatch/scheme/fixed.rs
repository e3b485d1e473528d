//! Schemes that do not look at queues: one place, a random one, and shares that never change.

use super::{DispatchScheme, View, cheapest};
use crate::random::{self, Stream};
use crate::stream::dispatch::site::{LOCAL, Site};

/// Every task at the same place. Tasks of a device that cannot use it go to the place that costs the task itself the least of
/// those that the device can use, as greedy would choose.
#[derive(Debug, Clone)]
pub struct DispatchFixed {
    name: String,
    place: usize,
}

impl DispatchFixed {
    /// Everything at the place of this number, which is called `place_name`.
    pub fn new(place: usize, place_name: &str) -> Self {
        Self { name: format!("{place_name}-only"), place }
    }

    /// Everything at the devices.
    pub fn local() -> Self {
        Self::new(0, LOCAL)
    }
}

impl DispatchScheme for DispatchFixed {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, mut view: View<'_>) -> usize {
        if view.site.is_usable(view.arrival.device as usize, self.place) {
            return self.place;
        }
        cheapest(view.offer().choices.iter().map(|choice| choice.own_cost))
    }
}

/// A random place of those that the device can use, all equally likely.
#[derive(Debug, Clone)]
pub struct DispatchRandom {
    random: Stream,
}

impl DispatchRandom {
    /// Random places. The seed is that of the run.
    pub fn new() -> Self {
        Self { random: random::stream(0, "dispatch/random") }
    }
}

impl Default for DispatchRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl DispatchScheme for DispatchRandom {
    fn name(&self) -> &'static str {
        "random"
    }

    fn start(&mut self, _: &Site, seed: u64) {
        self.random = random::stream(seed, "dispatch/random");
    }

    fn memory(&self) -> Vec<f64> {
        vec![random::drawn(&self.random)]
    }

    fn remember(&mut self, memory: &[f64]) -> bool {
        matches!(*memory, [drawn] if random::skip_to(&mut self.random, drawn))
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        let routes = view.site.routes_of(view.arrival.device as usize);
        let usable = routes.iter().filter(|route| route.is_usable).count();
        let chosen = random::below(&mut self.random, usable);
        let mut places = routes.iter().enumerate().filter(|(_, route)| route.is_usable);
        places.nth(chosen).map_or(0, |(place, _)| place)
    }
}

/// Places drawn by the best static split ([`Site::static_split`]), whatever the queues are.
#[derive(Debug, Clone)]
pub struct DispatchStatic {
    random: Stream,
    /// Sums of shares, `[devices, places]`.
    cumulative: Vec<f64>,
}

impl DispatchStatic {
    /// The best static split of the site of the run.
    pub fn new() -> Self {
        Self { random: random::stream(0, "dispatch/static-split"), cumulative: Vec::new() }
    }
}

impl Default for DispatchStatic {
    fn default() -> Self {
        Self::new()
    }
}

impl DispatchScheme for DispatchStatic {
    fn name(&self) -> &'static str {
        "static-split"
    }

    fn start(&mut self, site: &Site, seed: u64) {
        self.random = random::stream(seed, "dispatch/static-split");
        let split = site.static_split();
        self.cumulative.clear();
        for device in 0..site.devices() {
            let shares = split.shares_of(device);
            let last = shares.iter().rposition(|share| *share > 0.0).unwrap_or(0);
            let mut sum = 0.0;
            self.cumulative.extend(shares.iter().enumerate().map(|(place, share)| {
                sum += share;
                // Rounding may leave the sum a little below 1.
                if place >= last { f64::INFINITY } else { sum }
            }));
        }
    }

    fn memory(&self) -> Vec<f64> {
        vec![random::drawn(&self.random)]
    }

    fn remember(&mut self, memory: &[f64]) -> bool {
        matches!(*memory, [drawn] if random::skip_to(&mut self.random, drawn))
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        let places = view.site.places();
        let at = random::unit(&mut self.random);
        self.cumulative[view.arrival.device as usize * places..][..places].partition_point(|sum| *sum <= at)
    }
}
