//! Small sites whose optimum is known by value iteration: rules, learning, and single places beside it.

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::scenario::Tier;
use sim::stream::dispatch::optimum::{DispatchOptimum, OptimumSettings, compare_with_single_places};
use sim::stream::dispatch::scheme::{DispatchScheme, DispatchSchemeKind, QTable, ValueIteration};
use sim::stream::dispatch::tuning::{TunedRule, TuningSet};
use sim::stream::dispatch::{Access, Machines, Path, Site, SiteDevice, SiteLink, SiteParts, SiteServer, simulate};
use sim::stream::{ArrivalProcess, RateProcess, Sizes};

use super::Extent;
use super::findings::{ABSTRACT, Estimate, Finding, OWN, changes, failed, rounded};
use super::policies::{CLAIMED_SAVING, SECOND_HAND};
use crate::error::Error;

const FAILED: &str = "a small site";
/// The unit of work of the chain, in seconds: the greatest common divisor of the service times.
const UNIT_S: f64 = 10.0 / 3.0;
/// Rules that are compared, greedy first.
const RULES: [&str; 4] = ["greedy", "one-step", "one-step-fitted", "priced"];
/// The rules with prices, tuned to the site.
const TUNED: [TunedRule; 2] = [TunedRule::OneStepFitted, TunedRule::Priced];
/// The tasks for which the table learns.
const TRAININGS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// The loads at which single places are compared.
const LOADS: [f64; 2] = [0.05, 0.3];

/// A small site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Game {
    devices: usize,
    load: f64,
    /// Whether tasks can stay on their device.
    has_local: bool,
    /// The limits of the queues in units of work; `None`: what greedy needs.
    limits: Option<[f64; 3]>,
}

const ALL: [Game; 4] = [
    Game { devices: 1, load: 0.8, has_local: false, limits: None },
    Game { devices: 1, load: 0.5, has_local: true, limits: Some([120.0, 80.0, 60.0]) },
    Game { devices: 1, load: 0.8, has_local: true, limits: Some([200.0, 100.0, 90.0]) },
    Game { devices: 2, load: 0.8, has_local: false, limits: Some([100.0, 90.0, 90.0]) },
];

impl Game {
    /// The games of a report; the first is solved in no time.
    pub(super) fn all(quick: bool) -> &'static [Self] {
        if quick { &ALL[..1] } else { &ALL }
    }

    fn name(&self) -> String {
        let devices = data::counted(self.devices, "device");
        let places = if self.has_local { "three places" } else { "edge and cloud" };
        format!("{devices}, {places}, load {}", self.load)
    }

    /// Devices with the rates of the scenario `shared-edge` and sizes of 10, 20 and 30 MB.
    fn site(&self) -> Result<Site, Error> {
        let free = |bytes_per_s| SiteLink::free(RateProcess::Constant(bytes_per_s));
        // A processor that is not to be used takes so long that no scheme uses it.
        let s_per_byte = if self.has_local { 10e-6 } else { 1.0 };
        let local = if self.has_local { 0.1e6 } else { 0.0 };
        let capacity = 0.6e6 + self.devices as f64 * (0.75e6 + local);
        let device = SiteDevice {
            arrivals_per_s: self.load * capacity / 20e6 / self.devices as f64,
            s_per_byte,
            j_per_byte: 3e-6,
            uplink: Some(free(62.5e6)),
        };
        let server = |name: &str, tier, s_per_byte, j_per_byte, machines, access| SiteServer {
            name: name.to_owned(),
            tier,
            s_per_byte,
            j_per_byte,
            machines,
            access,
            latency_s: 0.0,
        };
        let parts = SiteParts {
            alpha: 0.5,
            devices: vec![device; self.devices],
            servers: vec![
                server("edge", Tier::Edge, 5e-6 / 3.0, 1.5e-6, Machines::Shared, Access::Uplink),
                server("cloud", Tier::Cloud, 1e-6, 1e-6, Machines::Unlimited, Access::Own(vec![free(0.75e6)])),
            ],
            process: ArrivalProcess::Poisson,
            sizes: Sizes::OneOf([10e6, 20e6, 30e6].into()),
            deadline_s: f64::INFINITY,
            late_cost: 0.0,
        };
        Site::new(parts).map_err(failed(FAILED))
    }

    fn places(&self) -> Option<Vec<usize>> {
        (!self.has_local).then(|| vec![1, 2])
    }

    fn settings(&self) -> OptimumSettings {
        let limits_s = self.limits.map(|limits| limits.map(|limit| limit * UNIT_S).to_vec());
        OptimumSettings { places: self.places(), limits_s, ..OptimumSettings::default() }
    }
}

/// The costs of schemes on a small site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GameRuns {
    name: String,
    states: usize,
    /// The bounds that value iteration proves for the chain.
    bounds: (f64, f64),
    /// Value iteration on each seed.
    optimum: Vec<f64>,
    /// Each rule with its costs.
    rules: Vec<(String, Vec<f64>)>,
    /// The tasks for which the table learned, its costs, and the states that it saw.
    tables: Vec<(usize, Vec<f64>, Vec<usize>)>,
}

/// Solves a small site and runs rules and learning beside its optimum, on the same path for each seed.
pub(super) fn measure(game: &Game, extent: &Extent) -> Result<GameRuns, Error> {
    let site = game.site()?;
    let optimum = Arc::new(DispatchOptimum::solve(&site, &game.settings()).map_err(failed(FAILED))?);
    let tasks = if extent.quick { 20_000 } else { 100_000 };
    let paths: Vec<Path> = extent.seeds.par_iter().map(|seed| Path::draw(&site, tasks, *seed)).collect();
    let runs: Vec<(&Path, u64)> = paths.iter().zip(extent.seeds.iter().copied()).collect();
    let run =
        |(path, seed): &(&Path, u64), scheme: &mut dyn DispatchScheme| simulate(&site, path, scheme, *seed).mean_cost;
    let mut kinds: Vec<(String, DispatchSchemeKind)> = Vec::new();
    for name in RULES {
        kinds.push((name.to_owned(), name.parse().map_err(mrdro::Error::from)?));
    }
    let set = TuningSet::of_site(&site, 2, tasks / 5, extent.first_seed()).map_err(failed(FAILED))?;
    kinds.extend(TUNED.map(|rule| (format!("{}, tuned", rule.name()), set.tune(rule, extent.first_seed()).kind)));
    let mut rules = Vec::new();
    for (name, kind) in kinds {
        let of_run = |at: &(&Path, u64)| Ok(run(at, kind.build(&site).map_err(mrdro::Error::from)?.as_mut()));
        rules.push((name, runs.par_iter().map(of_run).collect::<Result<Vec<f64>, Error>>()?));
    }
    let trainings = if extent.quick { &TRAININGS[..2] } else { &TRAININGS };
    let mut tables = Vec::new();
    for &training in trainings {
        let of_run = |at: &(&Path, u64)| {
            let mut table = QTable::new(training);
            if let Some(places) = game.places() {
                table = table.with_places(&places);
            }
            (run(at, &mut table), table.states_visited())
        };
        let (costs, states) = runs.par_iter().map(of_run).collect::<Vec<_>>().into_iter().unzip();
        tables.push((training, costs, states));
    }
    Ok(GameRuns {
        name: game.name(),
        states: optimum.states(),
        bounds: optimum.bounds(),
        optimum: runs.par_iter().map(|at| run(at, &mut ValueIteration::new(Arc::clone(&optimum)))).collect(),
        rules,
        tables,
    })
}

/// The findings about small sites.
pub(super) fn findings(all: &[GameRuns]) -> Vec<Finding> {
    let rules = all.iter().map(of_rules);
    rules.chain(all.iter().filter_map(of_learning)).collect()
}

fn on(runs: &GameRuns) -> String {
    format!("{}; {} seeds", runs.name, runs.optimum.len())
}

fn of_rules(runs: &GameRuns) -> Finding {
    let above = |costs: &[f64]| Estimate::percent(&changes(costs, &runs.optimum));
    let shown = |(name, costs): &(String, Vec<f64>)| format!("{name} {}", above(costs).shown());
    Finding {
        system: "dispatch".to_owned(),
        read: OWN.to_owned(),
        claim: "how far rules are above the optimum".to_owned(),
        measured_on: on(runs),
        holds: None,
        number: above(&runs.rules[0].1),
        measured: format!(
            "cost of greedy above value iteration; {}; value iteration over {} states proves {} to {}",
            runs.rules[1..].iter().map(shown).collect::<Vec<_>>().join(", "),
            runs.states,
            rounded(runs.bounds.0),
            rounded(runs.bounds.1)
        ),
    }
}

fn of_learning(runs: &GameRuns) -> Option<Finding> {
    let (training, costs, _) = runs.tables.last()?;
    let above = |costs: &[f64]| Estimate::percent(&changes(costs, &runs.optimum));
    let against_greedy = Estimate::percent(&changes(costs, &runs.rules[0].1));
    let each = runs.tables.iter().map(|(training, costs, states)| {
        let mean = states.iter().sum::<usize>() / states.len().max(1);
        format!("after {training} tasks {} with {mean} states seen", above(costs).shown())
    });
    Some(Finding {
        system: "QL-JTAR [25]".to_owned(),
        read: ABSTRACT.to_owned(),
        claim: "tabular learning is better than others: here, than greedy".to_owned(),
        measured_on: on(runs),
        holds: Some(against_greedy.high() < 0.0),
        number: above(costs),
        measured: format!(
            "cost above value iteration after {training} tasks; {}; against greedy {}",
            each.collect::<Vec<_>>().join(", "),
            against_greedy.shown()
        ),
    })
}

/// Value iteration beside single places and random ones on one device with three places.
pub(super) fn single_places(extent: &Extent) -> Result<Vec<Finding>, Error> {
    let loads = if extent.quick { &LOADS[..1] } else { &LOADS };
    loads.iter().map(|load| at_load(*load, extent)).collect()
}

fn at_load(load: f64, extent: &Extent) -> Result<Finding, Error> {
    let game = Game { devices: 1, load, has_local: true, limits: None };
    let site = game.site()?;
    let settings = OptimumSettings::default();
    let of_seed = |seed: &u64| {
        let path = Path::draw(&site, if extent.quick { 10_000 } else { 50_000 }, *seed);
        compare_with_single_places(&site, &settings, &path, *seed).map_err(failed(FAILED))
    };
    let all = extent.seeds.par_iter().map(of_seed).collect::<Result<Vec<_>, Error>>()?;
    let names: Vec<&str> = all[0][1..].iter().map(|cost| cost.policy.as_str()).collect();
    let saved = |index: usize| -> Vec<f64> {
        all.iter().map(|costs| 1.0 - costs[0].mean_cost / costs[index + 1].mean_cost).collect()
    };
    let each: Vec<Estimate> = (0..names.len()).map(|index| Estimate::percent(&saved(index))).collect();
    let shown = names.iter().zip(&each).map(|(name, saved)| format!("{name} {}", saved.shown()));
    let note = if load < 0.06 { "" } else { "; the device alone cannot carry its tasks" };
    Ok(Finding {
        system: "MDP-based [20]".to_owned(),
        read: SECOND_HAND.to_owned(),
        claim: "value iteration costs at least 17.47 % less than local, edge, cloud and random".to_owned(),
        measured_on: format!("dispatching, {}; {} seeds", game.name(), all.len()),
        holds: Some(each.iter().all(|saved| saved.mean >= 100.0 * CLAIMED_SAVING)),
        number: each
            .iter()
            .fold(each[0].clone(), |least, saved| if saved.mean < least.mean { saved.clone() } else { least }),
        measured: format!("the least of the savings; less than {}{note}", shown.collect::<Vec<_>>().join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_game_is_measured_alike_on_any_number_of_threads_and_no_rule_is_below_its_optimum() {
        let extent = Extent { quick: true, seeds: vec![1, 2] };
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| measure(&ALL[0], &extent).expect("a game"))
        };
        let one = with(1);
        assert_eq!(one, with(2));
        for (name, costs) in &one.rules {
            let above = Estimate::percent(&changes(costs, &one.optimum));
            assert!(above.mean > -0.5, "{name}: {above:?}");
        }
        // Greedy does not look at what it makes others wait.
        assert!(changes(&one.rules[0].1, &one.optimum).iter().all(|change| *change > 0.01), "{one:?}");
        let all = findings(&[one]);
        assert_eq!(all.len(), 2);
        assert!(all[1].measured.contains("states seen"));
    }

    #[test]
    fn every_game_is_a_site_with_its_load() {
        for game in ALL {
            let site = game.site().expect("it carries its tasks");
            assert!((site.load() - game.load).abs() < 0.01, "{}: {}", game.name(), site.load());
        }
    }
}
