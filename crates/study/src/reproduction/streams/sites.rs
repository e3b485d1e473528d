//! Dispatching on the 16 settings: rules beside greedy and a lower bound.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::stream::dispatch::bound::lower_bound;
use sim::stream::dispatch::scheme::DispatchSchemeKind;
use sim::stream::dispatch::settings::DispatchSetting;
use sim::stream::dispatch::tuning::{TunedRule, TuningSet};
use sim::stream::dispatch::{Path, Site, simulate};

use super::Extent;
use super::findings::{Estimate, Finding, OWN, changes, failed, rounded};
use crate::error::Error;
use crate::page::{Table, cells};

const FAILED: &str = "dispatching on the settings";
/// Schemes without numbers that are tuned to a site, greedy first.
const UNTUNED: [&str; 8] = [
    "greedy",
    "greedy-mean-rate",
    "greedy-rate-now",
    "static-split",
    "one-step",
    "drift-plus-penalty",
    "one-step-fitted",
    "priced",
];
/// The name of the rule, of those tuned to a site, that did best on the paths on which it was tuned.
const BEST_TUNED: &str = "best tuned rule";
/// The name of the lower bound.
pub(super) const BOUND: &str = "lower bound";
/// The settings on which rollouts are compared with their base, by their position among all.
const ROLLOUT_SETTINGS: [usize; 2] = [1, 5];

/// The mean costs of schemes on one setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SettingRuns {
    pub(super) setting: String,
    pub(super) schemes: Vec<String>,
    /// `[scheme, seed]`.
    pub(super) costs: Vec<Vec<f64>>,
}

impl SettingRuns {
    /// The costs of a scheme; nothing if it is not among them.
    pub(super) fn costs_of(&self, scheme: &str) -> &[f64] {
        let index = self.schemes.iter().position(|other| other == scheme);
        index.map_or(&[], |index| &self.costs[index])
    }

    /// The change of cost from one scheme to another on each seed.
    fn changes(&self, scheme: &str, other: &str) -> Vec<f64> {
        changes(self.costs_of(scheme), self.costs_of(other))
    }

    /// Swaps `[seed, scheme]` for `[scheme, seed]`.
    fn of_seeds(setting: String, schemes: Vec<String>, by_seed: &[Vec<f64>]) -> Self {
        let costs = (0..schemes.len()).map(|scheme| by_seed.iter().map(|costs| costs[scheme]).collect()).collect();
        Self { setting, schemes, costs }
    }
}

fn cost(site: &Site, path: &Path, kind: &DispatchSchemeKind, seed: u64) -> Result<f64, Error> {
    let mut scheme = kind.build(site).map_err(mrdro::Error::from)?;
    Ok(simulate(site, path, scheme.as_mut(), seed).mean_cost)
}

fn costs(site: &Site, path: &Path, names: &[&str], seed: u64) -> Result<Vec<f64>, Error> {
    let of_name = |name: &&str| cost(site, path, &name.parse().map_err(mrdro::Error::from)?, seed);
    names.iter().map(of_name).collect()
}

/// The number of settings.
pub(super) fn settings() -> usize {
    DispatchSetting::all().len()
}

/// Runs all rules on one setting: a new site and path for each seed. Rules are tuned to each site on other paths.
pub(super) fn measure(index: usize, extent: &Extent) -> Result<SettingRuns, Error> {
    let setting = &DispatchSetting::all()[index];
    let (tasks, tuning_paths, tuning_tasks) = if extent.quick { (10_000, 1, 3_000) } else { (30_000, 2, 10_000) };
    let of_seed = |&seed: &u64| {
        let site = setting.site(seed).map_err(failed(FAILED))?;
        let path = Path::draw(&site, tasks, seed);
        let set = TuningSet::of_site(&site, tuning_paths, tuning_tasks, seed).map_err(failed(FAILED))?;
        let mut all = costs(&site, &path, &UNTUNED, seed)?;
        let mut best = (f64::INFINITY, 0.0);
        for rule in TunedRule::ALL {
            let tuned = set.tune(rule, seed);
            let cost = cost(&site, &path, &tuned.kind, seed)?;
            all.push(cost);
            if tuned.ratio < best.0 {
                best = (tuned.ratio, cost);
            }
        }
        all.extend([best.1, lower_bound(&site).cost]);
        Ok(all)
    };
    let by_seed: Vec<Vec<f64>> = extent.seeds.par_iter().map(of_seed).collect::<Result<_, Error>>()?;
    let tuned = TunedRule::ALL.map(|rule| format!("{}, tuned", rule.name()));
    let schemes = UNTUNED.iter().map(|name| (*name).to_owned()).chain(tuned);
    let schemes = schemes.chain([BEST_TUNED, BOUND].map(str::to_owned)).collect();
    Ok(SettingRuns::of_seeds(setting.name.clone(), schemes, &by_seed))
}

/// Runs rollouts beside the rule that they improve, on fewer tasks.
pub(super) fn measure_rollouts(extent: &Extent) -> Result<Vec<SettingRuns>, Error> {
    // The last has the most futures.
    let (tasks, rollouts) =
        if extent.quick { (200, ["rollout@4", "rollout@16"]) } else { (400, ["rollout@16", "rollout@64"]) };
    let settings = DispatchSetting::all();
    let names = ["greedy", "one-step", rollouts[0], rollouts[1]];
    let of_setting = |index: &usize| {
        let setting = &settings[*index];
        let of_seed = |&seed: &u64| {
            let site = setting.site(seed).map_err(failed(FAILED))?;
            costs(&site, &Path::draw(&site, tasks, seed), &names, seed)
        };
        let by_seed: Vec<Vec<f64>> = extent.seeds.par_iter().map(of_seed).collect::<Result<_, Error>>()?;
        Ok(SettingRuns::of_seeds(setting.name.clone(), names.map(str::to_owned).to_vec(), &by_seed))
    };
    ROLLOUT_SETTINGS.par_iter().map(of_setting).collect()
}

/// The loads of the picture.
pub(super) const LOADS: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];

/// Runs all schemes at several loads, on mixed devices whose links to the cloud change slowly.
pub(super) fn measure_loads(extent: &Extent) -> Result<Vec<SettingRuns>, Error> {
    let fleet = &DispatchSetting::all()[12];
    let tasks = if extent.quick { 5_000 } else { 20_000 };
    let of_load = |load: &f64| {
        let setting = DispatchSetting { load: *load, name: format!("{load}"), ..fleet.clone() };
        let kinds = DispatchSchemeKind::all(&setting.site(0).map_err(failed(FAILED))?);
        let of_seed = |&seed: &u64| {
            let site = setting.site(seed).map_err(failed(FAILED))?;
            let path = Path::draw(&site, tasks, seed);
            let mut all = kinds.iter().map(|kind| cost(&site, &path, kind, seed)).collect::<Result<Vec<_>, Error>>()?;
            all.push(lower_bound(&site).cost);
            Ok(all)
        };
        let by_seed: Vec<Vec<f64>> = extent.seeds.par_iter().map(of_seed).collect::<Result<_, Error>>()?;
        let schemes = kinds.iter().map(ToString::to_string).chain([BOUND.to_owned()]).collect();
        Ok(SettingRuns::of_seeds(setting.name, schemes, &by_seed))
    };
    LOADS.par_iter().map(of_load).collect()
}

/// A change of cost over settings: its mean over all of them for each seed, and in how many of them it is surely below 0.
struct Change {
    mean: Estimate,
    below: usize,
    above: usize,
}

impl Change {
    fn of(runs: &[&SettingRuns], scheme: &str, other: &str) -> Self {
        let of_settings: Vec<Vec<f64>> = runs.iter().map(|runs| runs.changes(scheme, other)).collect();
        let seeds = of_settings.first().map_or(0, Vec::len);
        let on_seed =
            |seed: usize| of_settings.iter().map(|changes| changes[seed]).sum::<f64>() / of_settings.len() as f64;
        let each: Vec<Estimate> = of_settings.iter().map(|changes| Estimate::percent(changes)).collect();
        Self {
            mean: Estimate::percent(&(0..seeds).map(on_seed).collect::<Vec<_>>()),
            below: each.iter().filter(|change| change.high() < 0.0).count(),
            above: each.iter().filter(|change| change.low() > 0.0).count(),
        }
    }
}

/// The findings about dispatching on the settings.
pub(super) fn findings(all: &[SettingRuns], rollouts: &[SettingRuns]) -> Vec<Finding> {
    let every: Vec<&SettingRuns> = all.iter().collect();
    let finding = |claim: &str, measured_on, holds, number, measured| Finding {
        system: "dispatch".to_owned(),
        read: OWN.to_owned(),
        claim: claim.to_owned(),
        measured_on,
        holds,
        number,
        measured,
    };
    let on = |runs: usize| format!("{runs} settings, {} seeds", all.first().map_or(0, |first| first.costs[0].len()));
    let change = |runs: &[&SettingRuns], claim: &str, scheme: &str, other: &str, beside: String| {
        let change = Change::of(runs, scheme, other);
        let measured = format!(
            "cost of {scheme} against {other}; the interval is below 0 in {} settings and above 0 in {}{beside}",
            change.below, change.above
        );
        finding(claim, on(runs.len()), Some(change.mean.high() < 0.0), change.mean, measured)
    };
    let against = |scheme: &str, other: &str| format!("; {scheme} {}", Change::of(&every, scheme, other).mean.shown());
    let mut findings = vec![
        change(
            &every,
            "one step of policy improvement costs less than greedy",
            "one-step",
            "greedy",
            against("one-step-fitted", "greedy")
                + &against("priced", "greedy")
                + &against("drift-plus-penalty", "greedy"),
        ),
        change(
            &every,
            "the best rule tuned to each site costs less than greedy",
            BEST_TUNED,
            "greedy",
            TunedRule::ALL.iter().map(|rule| against(&format!("{}, tuned", rule.name()), "greedy")).collect(),
        ),
        change(
            &every,
            "the best rule tuned to each site costs less than one step of policy improvement",
            BEST_TUNED,
            "one-step",
            against("one-step-fitted", "one-step"),
        ),
    ];
    let changing: Vec<&SettingRuns> = every
        .iter()
        .copied()
        .filter(|runs| runs.changes("greedy-rate-now", "greedy").iter().any(|c| *c != 0.0))
        .collect();
    let knows = Change::of(&changing, "greedy-rate-now", "greedy");
    findings.push(finding(
        "greedy needs the chain of a changing link, its rate of the moment is not enough",
        on(changing.len()),
        Some(knows.mean.low() > 0.0),
        knows.mean,
        format!(
            "cost with the rate of the moment above the cost with the chain's expected wait; with the mean rate {}",
            Change::of(&changing, "greedy-mean-rate", "greedy").mean.shown()
        ),
    ));
    let gap = |scheme: &str| Change::of(&every, scheme, BOUND).mean;
    findings.push(finding(
        "how far the best tuned rule is above a lower bound",
        on(every.len()),
        None,
        gap(BEST_TUNED),
        format!("cost above the bound; one-step {}, greedy {}", gap("one-step").shown(), gap("greedy").shown()),
    ));
    findings.extend(of_rollouts(rollouts));
    findings
}

fn of_rollouts(rollouts: &[SettingRuns]) -> Option<Finding> {
    let every: Vec<&SettingRuns> = rollouts.iter().collect();
    let [.., fewer, name] = rollouts.first()?.schemes.as_slice() else { return None };
    let change = Change::of(&every, name, "one-step");
    let each = every
        .iter()
        .map(|runs| format!("{} {}", runs.setting, Estimate::percent(&runs.changes(name, "one-step")).shown()));
    let each: Vec<String> = each.collect();
    let fewer = format!("{fewer} {}", Change::of(&every, fewer, "one-step").mean.shown());
    Some(Finding {
        system: "dispatch".to_owned(),
        read: OWN.to_owned(),
        claim: "rollouts cost less than the rule that they improve".to_owned(),
        measured_on: format!("{} settings, {} seeds", every.len(), rollouts[0].costs[0].len()),
        holds: Some(change.mean.high() < 0.0),
        number: change.mean,
        measured: format!("cost of {name} against one-step; {}; {fewer}", each.join(", ")),
    })
}

/// Change of cost against greedy of every rule on every setting, in percent.
pub(super) fn table(all: &[SettingRuns]) -> Table {
    let Some(first) = all.first() else { return Table { title: String::new(), rows: Vec::new() } };
    let shown: Vec<&String> = first.schemes.iter().filter(|name| *name != "greedy").collect();
    let mut rows = vec![cells(["setting"].into_iter().chain(shown.iter().map(|name| name.as_str())))];
    for runs in all {
        let cell = |name: &&String| {
            let change = Estimate::percent(&runs.changes(name, "greedy"));
            match change.interval {
                Some((_, high)) => format!("{:+.1} ± {}", change.mean, rounded(high - change.mean)),
                None => format!("{:+.1}", change.mean),
            }
        };
        rows.push(std::iter::once(runs.setting.clone()).chain(shown.iter().map(cell)).collect());
    }
    let title = "Dispatching: change of cost against greedy in percent, with 95 % intervals over seeds";
    Table { title: title.to_owned(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(setting: &str, factors: &[(&str, f64)]) -> SettingRuns {
        let greedy = [10.0, 12.0, 11.0];
        let costs = factors.iter().map(|(_, factor)| {
            greedy
                .iter()
                .zip([0.999, 1.0, 1.001])
                .map(|(cost, noise)| if *factor == 1.0 { *cost } else { cost * factor * noise })
                .collect()
        });
        SettingRuns {
            setting: setting.to_owned(),
            schemes: factors.iter().map(|(name, _)| (*name).to_owned()).collect(),
            costs: costs.collect(),
        }
    }

    #[test]
    fn a_change_counts_the_settings_that_are_sure() {
        let both = [runs("a", &[("greedy", 1.0), ("one-step", 0.8)]), runs("b", &[("greedy", 1.0), ("one-step", 1.1)])];
        let change = Change::of(&both.iter().collect::<Vec<_>>(), "one-step", "greedy");
        assert!((change.mean.mean + 5.0).abs() < 1e-9, "{:?}", change.mean);
        assert_eq!((change.below, change.above), (1, 1));
        let table = table(&both);
        assert_eq!(table.rows[0], ["setting", "one-step"]);
        assert!(table.rows[1][1].starts_with("-20.0 ± ") && table.rows[2][1].starts_with("+10.0 ± "));
    }

    #[test]
    fn a_setting_is_measured_alike_on_any_number_of_threads() {
        let extent = Extent { quick: true, seeds: vec![3, 4] };
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| measure(0, &extent).expect("a setting"))
        };
        let one = with(1);
        assert_eq!(one, with(3));
        assert_eq!(one.schemes.len(), one.costs.len());
        // The best rule is one of those that were tuned, and nothing is far below the bound.
        let best = one.costs_of(BEST_TUNED)[0];
        assert!(TunedRule::ALL.iter().any(|rule| one.costs_of(&format!("{}, tuned", rule.name()))[0] == best));
        assert!(one.costs.iter().all(|costs| costs[0] > 0.9 * one.costs_of(BOUND)[0]));
    }
}
