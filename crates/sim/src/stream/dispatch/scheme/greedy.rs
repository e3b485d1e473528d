//! The place that is cheapest for the task itself.

use super::{DispatchScheme, View, cheapest};
use crate::stream::dispatch::site::Site;
use crate::stream::dispatch::state::{Choice, LinkView};

/// Greedy takes the place where the task itself costs the least, with the waiting that is there; what it makes others wait does
/// not count.
#[derive(Debug, Clone)]
pub struct DispatchGreedy {
    rates: ExpectedRates,
}

/// What greedy expects of links whose rates change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExpectedRates {
    /// The exact mean of their chain.
    Chain,
    /// That they keep their mean rate.
    Mean,
    /// That they keep the rate of the moment.
    Now,
}

impl DispatchGreedy {
    /// Greedy by the mean times of the links' chains.
    pub fn new() -> Self {
        Self { rates: ExpectedRates::Chain }
    }

    /// Greedy by the mean rates of links.
    pub fn by_mean_rates() -> Self {
        Self { rates: ExpectedRates::Mean }
    }

    /// Greedy by the rates that links have now.
    pub fn by_rates_now() -> Self {
        Self { rates: ExpectedRates::Now }
    }
}

impl Default for DispatchGreedy {
    fn default() -> Self {
        Self::new()
    }
}

/// The cost of a task at a place whose link keeps a rate.
fn cost_at_rate(site: &Site, choice: &Choice, link: &LinkView, bytes_per_s: f64, bytes: f64) -> f64 {
    let parts = site.parts();
    let on_link_s = (link.backlog_bytes + bytes) / bytes_per_s;
    let expected_s = choice.link.wait_s + choice.link.service_s;
    let response_s = choice.response_s() - expected_s + on_link_s;
    let late = if response_s > parts.deadline_s { parts.late_cost } else { 0.0 };
    parts.alpha * choice.energy_j + (1.0 - parts.alpha) * response_s + late
}

impl DispatchScheme for DispatchGreedy {
    fn name(&self) -> &str {
        match self.rates {
            ExpectedRates::Chain => "greedy",
            ExpectedRates::Mean => "greedy-mean-rate",
            ExpectedRates::Now => "greedy-rate-now",
        }
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let (site, bytes) = (view.site, view.arrival.bytes);
        let offer = view.offer();
        let value = |choice: &Choice| match (&choice.changing_link, self.rates) {
            (None, _) | (_, ExpectedRates::Chain) => choice.own_cost,
            (Some(link), ExpectedRates::Mean) => cost_at_rate(site, choice, link, link.mean_bytes_per_s, bytes),
            (Some(link), ExpectedRates::Now) => cost_at_rate(site, choice, link, link.bytes_per_s_now, bytes),
        };
        cheapest(offer.choices.iter().map(|choice| if choice.is_usable { value(choice) } else { f64::INFINITY }))
    }
}
