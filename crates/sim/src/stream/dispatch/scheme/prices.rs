//! What the work in a queue costs later tasks, queue by queue.

use super::{DispatchScheme, View, cheapest};
use crate::stream::dispatch::site::{NO_QUEUE, QueueKind, Site};
use crate::stream::dispatch::state::{Choice, QueueView};

/// A number for each class of queues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassNumbers {
    /// For the processors of devices.
    pub device: f64,
    /// For machines at the edge and the links there, uplinks included.
    pub edge: f64,
    /// For machines in the cloud and the links there.
    pub cloud: f64,
}

impl ClassNumbers {
    fn of(&self, kind: QueueKind) -> f64 {
        match kind {
            QueueKind::Device => self.device,
            QueueKind::EdgeLink | QueueKind::Edge => self.edge,
            QueueKind::CloudLink | QueueKind::Cloud => self.cloud,
        }
    }
}

/// A number for the link and for the machine on each way, `[devices, places]`; 0 where there is no queue.
#[derive(Debug, Clone, Default)]
struct WayPrices {
    places: usize,
    prices: Vec<[f64; 2]>,
}

impl WayPrices {
    fn set(&mut self, site: &Site, price: impl Fn(usize) -> f64) {
        let of = |queue: u32| if queue == NO_QUEUE { 0.0 } else { price(queue as usize) };
        self.places = site.places();
        self.prices.clear();
        self.prices.extend(site.routes.iter().map(|route| [of(route.link), of(route.machine)]));
    }

    fn of_device(&self, device: u32) -> &[[f64; 2]] {
        &self.prices[device as usize * self.places..][..self.places]
    }
}

/// (W + x)² − W²: how much a task of the service time x adds to the square of the work W that is before it.
fn added_square(queue: &QueueView) -> f64 {
    (2.0 * queue.wait_s + queue.service_s) * queue.service_s
}

/// One step of policy improvement on the best static split, in closed form; with multipliers a rule to be fitted.
///
/// Under a static split every queue is taken for one of its own with Poisson arrivals of rate λ and load ρ. There, work u in the
/// queue makes later tasks wait λ u² / (2 (1 − ρ)) longer in all than an empty queue would: the size-aware value function of the
/// M/G/1 queue served first come, first served (Hyytiä, Penttinen and Aalto, *Size- and state-aware dispatching problem with
/// queue-specific job sizes*, European Journal of Operational Research 217, 2012). It follows from the busy period: its mean
/// length is u / (1 − ρ), the work falls from u to 0 on average evenly over it, and λ tasks arrive in a second who each wait
/// for the work that they meet. A task that needs x and meets work W therefore costs
///
/// own cost + (1 − α) Σ λ / (2 (1 − ρ)) · ((W + x)² − W²),
///
/// summed over the queues on its way; the cheapest place is chosen. All decisions after it are thought to be those of the split.
/// On links whose rate changes, W and x are expected times.
#[derive(Debug, Clone)]
pub struct OneStep {
    name: String,
    multipliers: ClassNumbers,
    prices: WayPrices,
}

impl OneStep {
    /// The multipliers of `one-step-fitted` where none are given: they were tuned on random settings by
    /// `cargo run -p sim --example dispatch_settings -- defaults`.
    pub const FITTED: ClassNumbers = ClassNumbers { device: 0.44, edge: 1.4, cloud: 0.27 };

    /// The rule as it is derived.
    pub fn new() -> Self {
        Self::named("one-step".to_owned(), ClassNumbers { device: 1.0, edge: 1.0, cloud: 1.0 })
    }

    /// The rule with a multiplier for the price of each class of queues.
    pub fn fitted(multipliers: ClassNumbers) -> Self {
        let ClassNumbers { device, edge, cloud } = multipliers;
        Self::named(format!("one-step-fitted@{device},{edge},{cloud}"), multipliers)
    }

    /// The rule with the multipliers [`OneStep::FITTED`].
    pub fn fitted_for_all() -> Self {
        Self::named("one-step-fitted".to_owned(), Self::FITTED)
    }

    fn named(name: String, multipliers: ClassNumbers) -> Self {
        Self { name, multipliers, prices: WayPrices::default() }
    }
}

impl Default for OneStep {
    fn default() -> Self {
        Self::new()
    }
}

impl DispatchScheme for OneStep {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, _: u64) {
        let weight = 1.0 - site.parts().alpha;
        let loads = site.static_split().queues();
        self.prices.set(site, |queue| {
            weight * self.multipliers.of(site.queues()[queue].kind) * loads[queue].workload_value_per_s()
        });
    }

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let prices = self.prices.of_device(view.arrival.device);
        let value = |(choice, [link, machine]): (&Choice, &[f64; 2])| {
            choice.own_cost + link * added_square(&choice.link) + machine * added_square(&choice.machine)
        };
        cheapest(view.offer().choices.iter().zip(prices).map(value))
    }
}

/// A price of work that grows with a power of it, the same for all queues of a class:
///
/// own cost + u Σ β · ((W/u + x/u)^g − (W/u)^g),
///
/// summed over the queues on the way, with the unit u of [`Site::time_unit_s`]. It needs no arrival rates.
#[derive(Debug, Clone)]
pub struct Priced {
    name: String,
    numbers: PricedNumbers,
    unit_s: f64,
    prices: WayPrices,
}

/// The numbers of [`Priced`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PricedNumbers {
    /// The factors β.
    pub factors: ClassNumbers,
    /// The exponent g.
    pub exponent: f64,
}

impl Priced {
    /// The numbers of `priced` where none are given: they were tuned on random settings by
    /// `cargo run -p sim --example dispatch_settings -- defaults`.
    pub const DEFAULT: PricedNumbers =
        PricedNumbers { factors: ClassNumbers { device: 0.033, edge: 16.0, cloud: 0.26 }, exponent: 2.7 };

    /// The rule with these numbers.
    pub fn new(numbers: PricedNumbers) -> Self {
        let PricedNumbers { factors: ClassNumbers { device, edge, cloud }, exponent } = numbers;
        Self::named(format!("priced@{device},{edge},{cloud},{exponent}"), numbers)
    }

    /// The rule with the numbers [`Priced::DEFAULT`].
    pub fn for_all() -> Self {
        Self::named("priced".to_owned(), Self::DEFAULT)
    }

    fn named(name: String, numbers: PricedNumbers) -> Self {
        Self { name, numbers, unit_s: 1.0, prices: WayPrices::default() }
    }
}

impl DispatchScheme for Priced {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, _: u64) {
        self.unit_s = site.time_unit_s();
        self.prices.set(site, |queue| self.unit_s * self.numbers.factors.of(site.queues()[queue].kind));
    }

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let (per_s, exponent) = (1.0 / self.unit_s, self.numbers.exponent);
        let added = |queue: &QueueView| {
            if queue.service_s == 0.0 {
                0.0
            } else if exponent == 2.0 {
                per_s * per_s * added_square(queue)
            } else {
                let before = if queue.wait_s == 0.0 { 0.0 } else { (per_s * queue.wait_s).powf(exponent) };
                (per_s * (queue.wait_s + queue.service_s)).powf(exponent) - before
            }
        };
        let prices = self.prices.of_device(view.arrival.device);
        let value = |(choice, [link, machine]): (&Choice, &[f64; 2])| {
            choice.own_cost + link * added(&choice.link) + machine * added(&choice.machine)
        };
        cheapest(view.offer().choices.iter().zip(prices).map(value))
    }
}
