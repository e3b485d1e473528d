//! Samples: what each place would have cost in all, for some tasks of a drawn site.

use model::stream::{Dispatcher, Sample};
use sim::random::{self, Stream};
use sim::stream::dispatch::futures::{FutureBase, Futures, Walk};
use sim::stream::dispatch::scheme::{DispatchGreedy, DispatchScheme, OneStep, View, cheapest};
use sim::stream::dispatch::{Path, Site, simulate};

use super::settings::SiteSettings;

/// With more devices than this, futures have half the length: there are more tasks in them, and more chance in what they cost.
const FEW_DEVICES: usize = 8;
/// Regrets beyond this multiple of greedy's mean cost count as this.
const LARGEST_REGRET: f32 = 20.0;
/// The share of the sites where the rule walks in any round, so that states are known that the networks would avoid.
const SHARE_BY_RULE: f64 = 0.2;
/// The part of the tasks in which the site fills up.
const WARM_UP: f64 = 0.1;

/// What places the tasks of futures.
#[derive(Debug)]
pub(super) enum Base {
    /// A rule in closed form, with multipliers that fit many sites.
    Rule(OneStep),
    /// Networks, as they were at the beginning of a round.
    Networks(Box<Dispatcher>),
}

impl Clone for Base {
    fn clone(&self) -> Self {
        match self {
            Self::Rule(rule) => Self::Rule(rule.clone()),
            Self::Networks(networks) => Self::Networks(networks.clone()),
        }
    }

    /// Futures copy a base for each place: between equal ones this takes no memory.
    fn clone_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::Rule(rule), Self::Rule(other)) => rule.clone_from(other),
            (Self::Networks(networks), Self::Networks(other)) => Dispatcher::clone_from(networks, other),
            (this, other) => *this = other.clone(),
        }
    }
}

impl DispatchScheme for Base {
    fn name(&self) -> &str {
        match self {
            Self::Rule(rule) => rule.name(),
            Self::Networks(networks) => networks.name(),
        }
    }

    fn start(&mut self, site: &Site, seed: u64) {
        match self {
            Self::Rule(rule) => rule.start(site, seed),
            Self::Networks(networks) => networks.start(site, seed),
        }
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        match self {
            Self::Rule(rule) => rule.choose(view),
            Self::Networks(networks) => networks.choose(view),
        }
    }
}

impl FutureBase for Base {
    fn note(&mut self, view: View<'_>, place: usize) {
        match self {
            Self::Rule(rule) => rule.note(view, place),
            Self::Networks(networks) => networks.note(view, place),
        }
    }
}

/// Samples of one site, which the networks walk; now and then a task goes anywhere. The number is that of the tasks of futures.
pub(super) fn samples(
    site: &Site,
    networks: &Dispatcher,
    base: &Base,
    settings: &SiteSettings,
    random: &mut Stream,
) -> (Vec<Sample>, u64) {
    let seed = random::below(random, usize::MAX) as u64;
    let tasks = settings.tasks_per_site + settings.tasks_per_device * site.devices();
    let share = settings.samples_per_site as f64 / ((1.0 - WARM_UP) * tasks as f64);
    let path = Path::draw(site, tasks, seed);
    let greedy = simulate(site, &path, &mut DispatchGreedy::new(), 0).mean_cost;
    let (mut walker, mut base, mut rule) = (networks.clone(), base.clone(), OneStep::fitted_for_all());
    walker.start(site, 0);
    base.start(site, 0);
    rule.start(site, 0);
    let is_by_rule = random::unit(random) < SHARE_BY_RULE;
    let unit_s = walker.tables().map_or(1.0, model::stream::SiteTables::time_unit_s);
    let length = if site.devices() > FEW_DEVICES { 0.5 } else { 1.0 } * settings.horizon;
    let mut futures = Futures::new(site, settings.futures as u32, length * unit_s, &base);
    let mut walk = Walk::new(site, &path);
    let mut samples = Vec::with_capacity(2 * settings.samples_per_site);
    let first = (WARM_UP * tasks as f64) as usize;
    while let Some(mut view) = walk.view() {
        let device = view.arrival.device as usize;
        if view.index >= first && random::unit(random) < share {
            if let Base::Networks(base) = &mut base {
                base.see_as(&walker);
            }
            let costs = futures.price(view.again(), &base, seed).to_vec();
            let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
            let regret = |cost: &f64| (((cost - least) / greedy) as f32).min(LARGEST_REGRET);
            let inputs = walker.read(&mut view).clone();
            samples.push(Sample { inputs, regrets: costs.iter().map(regret).collect() });
        } else {
            walker.read(&mut view);
        }
        let place = if random::unit(random) < settings.exploration {
            let usable: Vec<usize> = (0..site.places()).filter(|place| site.is_usable(device, *place)).collect();
            usable[random::below(random, usable.len())]
        } else if is_by_rule {
            rule.choose(view.again())
        } else {
            cheapest(walker.costs().iter().map(|cost| f64::from(*cost)))
        };
        walker.take(&mut view, place);
        walk.place(place);
    }
    (samples, futures.evaluations())
}
