//! Trying every place under drawn futures.

use super::{DispatchScheme, OneStep, View, cheapest};
use crate::stream::dispatch::futures::{FutureBase, Futures};
use crate::stream::dispatch::site::Site;

/// The length of a future, in units of [`Site::time_unit_s`].
const HORIZON_UNITS: f64 = 4.0;

/// Rollouts: every place is tried under the same drawn [`Futures`], in which [`OneStep`] places the tasks that follow, and the
/// place with the least mean cost is taken.
///
/// A future lasts for four times [`Site::time_unit_s`]. A decision takes milliseconds.
#[derive(Debug, Clone)]
pub struct Rollout {
    name: String,
    futures: u32,
    seed: u64,
    base: OneStep,
    /// `None` before the first run.
    pricing: Option<Futures<OneStep>>,
}

impl FutureBase for OneStep {}

impl Rollout {
    /// The futures of `rollout` where their number is not given.
    pub const DEFAULT_FUTURES: u32 = 64;

    /// Rollouts with this number of futures.
    pub fn new(futures: u32) -> Self {
        Self::named(format!("rollout@{futures}"), futures)
    }

    /// Rollouts with [`Rollout::DEFAULT_FUTURES`].
    pub fn by_default() -> Self {
        Self::named("rollout".to_owned(), Self::DEFAULT_FUTURES)
    }

    fn named(name: String, futures: u32) -> Self {
        Self { name, futures, seed: 0, base: OneStep::new(), pricing: None }
    }

    fn pricing(&self, site: &Site) -> Futures<OneStep> {
        Futures::new(site, self.futures, HORIZON_UNITS * site.time_unit_s(), &self.base)
    }
}

impl DispatchScheme for Rollout {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, seed: u64) {
        self.seed = seed;
        self.base.start(site, seed);
        self.pricing = Some(self.pricing(site));
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        let mut pricing = self.pricing.take().unwrap_or_else(|| self.pricing(view.site));
        let place = cheapest(pricing.price(view, &self.base, self.seed).iter().copied());
        self.pricing = Some(pricing);
        place
    }

    fn evaluations(&self) -> Option<u64> {
        self.pricing.as_ref().map(Futures::evaluations)
    }
}
