//! Compares all classical schemes of dispatching on 16 settings: for each, five sites with one path each, and rules that were
//! tuned to each site on other paths.
//!
//! ```text
//! cargo run -p sim --example dispatch_settings                the two tables
//! cargo run -p sim --example dispatch_settings -- rollouts    rollouts against their base, on fewer tasks
//! cargo run -p sim --example dispatch_settings -- defaults    the numbers that rules have by default, tuned on random settings
//! ```

use std::time::Instant;

use rayon::prelude::*;
use sim::stream::dispatch::scheme::DispatchSchemeKind;
use sim::stream::dispatch::settings::DispatchSetting;
use sim::stream::dispatch::tuning::{TunedRule, TuningSet};
use sim::stream::dispatch::{Path, Site, simulate};

type Error = Box<dyn std::error::Error + Send + Sync>;

const SEEDS: [u64; 5] = [41, 42, 43, 44, 45];
/// The 97.5 % quantile of Student's t distribution with 4 degrees of freedom.
const T_QUANTILE: f64 = 2.776;
const TASKS: usize = 30_000;
const TUNING_PATHS: usize = 4;
const TUNING_TASKS: usize = 10_000;
const ROLLOUT_TASKS: usize = 1_000;

/// Schemes that need no tuning.
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

fn main() -> Result<(), Error> {
    let start = Instant::now();
    match std::env::args().nth(1).as_deref() {
        None => compare()?,
        Some("rollouts") => compare_rollouts()?,
        Some("defaults") => find_defaults()?,
        Some(other) => return Err(format!("there is no mode `{other}`; there are rollouts and defaults").into()),
    }
    eprintln!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The mean costs of schemes on the path of one seed.
fn costs(site: &Site, path: &Path, kinds: &[DispatchSchemeKind]) -> Result<Vec<f64>, Error> {
    let cost = |kind: &DispatchSchemeKind| Ok(simulate(site, path, &mut *kind.build(site)?, 1).mean_cost);
    kinds.iter().map(cost).collect()
}

/// The untuned schemes, and the rules tuned to a site.
fn kinds_for(site: &Site, seed: u64) -> Result<Vec<DispatchSchemeKind>, Error> {
    let set = TuningSet::of_site(site, TUNING_PATHS, TUNING_TASKS, seed)?;
    let mut kinds = UNTUNED.iter().map(|name| name.parse()).collect::<Result<Vec<DispatchSchemeKind>, _>>()?;
    kinds.extend(TunedRule::ALL.map(|rule| set.tune(rule, seed).kind));
    Ok(kinds)
}

/// Percent that the costs of seeds lie above those of a reference, with the half width of the 95 % interval.
fn percent(costs: &[f64], reference: &[f64]) -> String {
    let differences: Vec<f64> = costs.iter().zip(reference).map(|(cost, other)| 100.0 * (cost / other - 1.0)).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let deviation = (differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    format!("{mean:+.1} ±{:.1}", T_QUANTILE * deviation / count.sqrt())
}

fn print_row(name: &str, cells: impl IntoIterator<Item = String>) {
    print!("{name:<26}");
    for cell in cells {
        print!("{cell:>14}");
    }
    println!();
}

fn compare() -> Result<(), Error> {
    let settings = DispatchSetting::all();
    let runs: Vec<(usize, u64)> = (0..settings.len()).flat_map(|setting| SEEDS.map(|seed| (setting, seed))).collect();
    let all_costs = runs
        .par_iter()
        .map(|(setting, seed)| {
            let site = settings[*setting].site(*seed)?;
            costs(&site, &Path::draw(&site, TASKS, *seed), &kinds_for(&site, *seed)?)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let tuned = TunedRule::ALL.map(|rule| format!("{} tuned", rule.name()));
    let names: Vec<String> = UNTUNED.iter().map(|name| (*name).to_owned()).chain(tuned).collect();
    let short = |name: &String| {
        name.replace("drift-plus-penalty", "drift").replace("one-step-fitted", "fitted").replace("greedy-", "")
    };
    // Of each setting and scheme, the costs of all seeds; after the schemes the better of the tuned rules with prices.
    let tables: Vec<Vec<Vec<f64>>> = all_costs
        .chunks(SEEDS.len())
        .map(|seeds| {
            let mut columns: Vec<Vec<f64>> =
                (0..names.len()).map(|scheme| seeds.iter().map(|costs| costs[scheme]).collect()).collect();
            let last = names.len() - 1;
            columns.push(seeds.iter().map(|costs| costs[last].min(costs[last - 1])).collect());
            columns
        })
        .collect();
    for (title, reference) in
        [("percent against greedy", 0), ("percent against the better tuned rule with prices", names.len())]
    {
        println!("\n{title}");
        let shown: Vec<usize> = (0..=names.len()).filter(|column| *column != reference).collect();
        let name = |column: &usize| names.get(*column).map_or_else(|| "better tuned".to_owned(), short);
        print_row("setting", shown.iter().map(name));
        for (setting, columns) in settings.iter().zip(&tables) {
            print_row(&setting.name, shown.iter().map(|column| percent(&columns[*column], &columns[reference])));
        }
        let mean = |column: &usize| {
            let ratio = |columns: &Vec<Vec<f64>>| {
                let ratios = columns[*column].iter().zip(&columns[reference]).map(|(cost, other)| cost / other - 1.0);
                100.0 * ratios.sum::<f64>() / SEEDS.len() as f64
            };
            format!("{:+.1}", tables.iter().map(ratio).sum::<f64>() / tables.len() as f64)
        };
        print_row("mean", shown.iter().map(mean));
    }
    Ok(())
}

fn compare_rollouts() -> Result<(), Error> {
    let kinds = ["one-step", "greedy", "rollout@32"].map(str::parse::<DispatchSchemeKind>);
    let kinds = kinds.into_iter().collect::<Result<Vec<_>, _>>()?;
    println!("percent against one-step, {ROLLOUT_TASKS} tasks");
    print_row("setting", ["greedy", "rollout@32", "ms a decision"].map(str::to_owned));
    for setting in DispatchSetting::all() {
        let start = Instant::now();
        let all_costs = SEEDS
            .par_iter()
            .map(|seed| {
                let site = setting.site(*seed)?;
                costs(&site, &Path::draw(&site, ROLLOUT_TASKS, *seed), &kinds)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let column = |scheme: usize| all_costs.iter().map(|costs| costs[scheme]).collect::<Vec<f64>>();
        let threads = rayon::current_num_threads().min(SEEDS.len());
        let decisions = (SEEDS.len() * ROLLOUT_TASKS) as f64;
        let decision_ms = 1e3 * start.elapsed().as_secs_f64() * threads as f64 / decisions;
        let cells = [percent(&column(1), &column(0)), percent(&column(2), &column(0)), format!("{decision_ms:.1}")];
        print_row(&setting.name, cells);
    }
    Ok(())
}

fn find_defaults() -> Result<(), Error> {
    let set = TuningSet::of_random_settings(64, 6_000, 5)?;
    for rule in TunedRule::ALL {
        let tuned = set.tune(rule, 5);
        println!("{}: {:.4} of greedy, by default {:.4}", tuned.kind, tuned.ratio, tuned.default_ratio);
    }
    Ok(())
}
