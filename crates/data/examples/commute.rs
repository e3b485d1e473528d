//! How much energy waiting for a good link saves on recorded drives, and how far each scheme is from knowing the
//! future.
//! `cargo run -p data --example commute -- FOLDER [TAIL_S [LOAD [WIFI_MBPS]]]`
//!
//! The folder holds one folder for each route, with a recording for each drive. Files of 5 MB arrive by chance, and
//! LOAD (0.3) of the mean rate of a drive is used. Energy is that of sending, and of TAIL_S (0) seconds in which the
//! radio stays on at 0.6 of the power. With WIFI_MBPS there is WiFi of that rate beside it, at 0.6 of the power, on for
//! 60 s and off for 120 s on average. Every scheme is tuned on the drives of all other routes, for each of six prices
//! of delay. Intervals are 95 % ranges over resampled drives.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use data::trace::Recording;
use rayon::prelude::*;
use sim::random;
use sim::stream::slots::scheme::{SlotSchemeKind, ValueIterationModel};
use sim::stream::slots::{
    Application, EnergyUnit, Link, Load, SlotPath, SlotProblem, SlotSchemeError, SlotSettings, Tail, simulate,
    tail_bound, tune,
};
use sim::stream::{ArrivalProcess, MarkovRates, RateProcess, RecordedRates, Sizes};
use sim::units::bytes_per_second_from_mbps;

/// What a second of delay costs in units of the energy of a second's load at the mean rate.
const PRICES: [f64; 6] = [3e-4, 6e-4, 1.2e-3, 2.4e-3, 4.8e-3, 9.6e-3];
const SCHEMES: [&str; 14] = [
    "lyapunov",
    "etime",
    "lyapunov-scaled",
    "threshold",
    "threshold-or-age",
    "power-rule",
    "value-iteration",
    "delayed",
    "ood",
    "ood-known",
    "forecast@5",
    "forecast@15",
    "forecast@60",
    "hindsight",
];
const BASE: &str = "lyapunov-scaled";
const DELAYS_S: [f64; 2] = [20.0, 45.0];
const TRAINING_DRAWS: usize = 4;
const DRAWS: usize = 8;
const RESAMPLES: usize = 4000;

/// Means over the draws of a drive: energy over that of sending at once, delay, cost.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    energy: f64,
    delay_s: f64,
    cost: f64,
}

/// `[price][drive]` of each scheme.
type Table = BTreeMap<String, Vec<Vec<Measured>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("name the folder of recordings")?;
    let number = |index: usize, default: f64| arguments.get(index).map_or(Ok(default), |text| text.parse());
    let (tail_s, load, wifi_mbps) = (number(1, 0.0)?, number(2, 0.3)?, number(3, 0.0)?);
    let recording = Recording::open(Path::new(folder))?;
    let routes: Vec<String> = recording.drives.iter().map(|drive| drive.environment.clone()).collect();
    let rates = |drive: &data::trace::Drive| -> Vec<f64> {
        drive.windows(1.0).iter().map(|window| bytes_per_second_from_mbps(window.mbps[0])).collect()
    };
    let drives: Vec<Vec<f64>> = recording.drives.iter().map(rates).collect();
    println!(
        "{} drives, {} slots; load {load}, tail {tail_s} s",
        drives.len(),
        drives.iter().map(Vec::len).sum::<usize>()
    );
    let problem = problem(drives, load, tail_s, wifi_mbps)?;
    let start = Instant::now();
    let table = measure(&problem, &routes, load)?;
    print_costs(&table);
    print_gaps(&table, routes.len());
    print_savings(&table, routes.len());
    println!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn problem(drives: Vec<Vec<f64>>, load: f64, tail_s: f64, wifi_mbps: f64) -> Result<SlotProblem, Box<dyn Error>> {
    let files = Application {
        name: "files".to_owned(),
        load: Load::Share(load),
        arrivals: ArrivalProcess::Poisson,
        sizes: Sizes::OneOf([5e6].into()),
        deadline_s: None,
    };
    let link = Link {
        name: "cellular".to_owned(),
        rates: RateProcess::Recorded(RecordedRates::new(1.0, drives)?),
        power_w: 1.0,
        tail: (tail_s > 0.0).then_some(Tail { power_w: 0.6, length_s: tail_s }),
    };
    let mut links = vec![link];
    if wifi_mbps > 0.0 {
        let rates = MarkovRates::new(&[0.0, bytes_per_second_from_mbps(wifi_mbps)], &[120.0, 60.0], None)?;
        links.push(Link { name: "wifi".to_owned(), rates: RateProcess::Markov(rates), power_w: 0.6, tail: None });
    }
    let settings = SlotSettings::new(1, vec![files], links);
    Ok(SlotProblem::new(SlotSettings { energy_unit: EnergyUnit::FileAtMeanRate, ..settings })?)
}

/// All schemes at all prices, each drive with the numbers tuned on other routes.
fn measure(problem: &SlotProblem, routes: &[String], load: f64) -> Result<Table, Box<dyn Error>> {
    let mut distinct: Vec<&String> = routes.iter().collect();
    distinct.dedup();
    let has_tail = problem.has_tail();
    let (training_draws, draws) = if has_tail { (TRAINING_DRAWS / 2, DRAWS / 2) } else { (TRAINING_DRAWS, DRAWS) };
    let others = |paths: &[SlotPath], route: &String, draws: usize, are_others: bool| -> Vec<SlotPath> {
        let chosen = paths.iter().enumerate().filter(|(index, _)| (routes[index / draws] != *route) == are_others);
        chosen.map(|(_, path)| path.clone()).collect()
    };
    let mut models = BTreeMap::new();
    for route in &distinct {
        let training = others(&problem.recorded_paths(1, 1)?, route, 1, true);
        if problem.links() == 1 {
            models.insert(*route, Arc::new(ValueIterationModel::fit(&training)?));
        }
    }
    let decides: Vec<&str> = SlotSchemeKind::all(problem).iter().map(SlotSchemeKind::scheme).collect();
    let is_asked = |name: &str| {
        let scheme = name.split('@').next().unwrap_or(name);
        // Drift plus penalty over one link is eTime's rule.
        decides.contains(&scheme) && !(has_tail && scheme == "forecast") && !(problem.links() == 1 && scheme == "etime")
    };
    let mut table = Table::new();
    for price in PRICES {
        let priced = problem.with_alpha(load / (load + price))?;
        let (training, tests) = (priced.recorded_paths(1, training_draws)?, priced.recorded_paths(5, draws)?);
        let at_once = run(&"at-once".parse()?, &tests, None)?;
        let energy: Vec<f64> = at_once.iter().map(|measured| measured.energy).collect();
        add(&mut table, "at-once", over_drives(&at_once, &energy, draws));
        for name in SCHEMES.into_iter().filter(|name| is_asked(name)) {
            let mut all = Vec::new();
            for route in &distinct {
                let model = models.get(*route);
                let mut kind: SlotSchemeKind = name.parse()?;
                if !kind.parameters().is_empty() {
                    kind = tune(&kind, &others(&training, route, training_draws, true), model)?.kind;
                    println!("price {price}: {route}: {kind}");
                }
                all.extend(run(&kind, &others(&tests, route, draws, false), model)?);
            }
            add(&mut table, name, over_drives(&all, &energy, draws));
        }
        if has_tail && problem.links() == 1 {
            print_bound(&tests.into_iter().step_by(draws).collect::<Vec<_>>())?;
        }
    }
    Ok(table)
}

/// How far the plan with knowledge of the future is above what no scheme undercuts.
fn print_bound(paths: &[SlotPath]) -> Result<(), Box<dyn Error>> {
    let plans = run(&"hindsight".parse()?, paths, None)?;
    let bounds: Vec<f64> = paths.par_iter().map(tail_bound).collect::<Result<_, _>>()?;
    let above: f64 = plans.iter().zip(&bounds).map(|(plan, bound)| plan.cost / bound - 1.0).sum();
    println!("hindsight with a tail is on average {:.1} % above the bound", 100.0 * above / bounds.len() as f64);
    Ok(())
}

/// Runs a scheme on each path; the energy is in joules.
fn run(
    kind: &SlotSchemeKind,
    paths: &[SlotPath],
    model: Option<&Arc<ValueIterationModel>>,
) -> Result<Vec<Measured>, SlotSchemeError> {
    let one = |path: &SlotPath| {
        let outcome = simulate(path, kind.build(model)?.as_mut(), None)?;
        Ok(Measured { energy: outcome.energy_j, delay_s: outcome.mean_delay_s, cost: outcome.cost })
    };
    paths.par_iter().map(one).collect()
}

fn add(table: &mut Table, name: &str, measured: Vec<Measured>) {
    table.entry(name.to_owned()).or_default().push(measured);
}

/// Means over the draws of each drive, with energy over that of sending at once.
fn over_drives(paths: &[Measured], at_once_j: &[f64], draws: usize) -> Vec<Measured> {
    let pairs: Vec<(&Measured, &f64)> = paths.iter().zip(at_once_j).collect();
    let mean = |of: &[(&Measured, &f64)]| {
        let sum = |value: fn(&Measured) -> f64| of.iter().map(|(path, _)| value(path)).sum::<f64>();
        Measured {
            energy: sum(|path| path.energy) / of.iter().map(|(_, energy)| *energy).sum::<f64>(),
            delay_s: sum(|path| path.delay_s) / of.len() as f64,
            cost: sum(|path| path.cost) / of.len() as f64,
        }
    };
    pairs.chunks(draws).map(mean).collect()
}

/// A statistic of all drives, and its 95 % range over drives drawn with replacement.
fn interval(drives: usize, statistic: impl Fn(&[usize]) -> f64) -> (f64, f64, f64) {
    let mut random = random::stream(1, "drives");
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| statistic(&(0..drives).map(|_| random::below(&mut random, drives)).collect::<Vec<_>>()))
        .collect();
    resampled.sort_by(f64::total_cmp);
    let at = |share: f64| resampled[(share * RESAMPLES as f64) as usize];
    (statistic(&(0..drives).collect::<Vec<_>>()), at(0.025), at(0.975))
}

fn print_costs(table: &Table) {
    println!("\nmean cost, energy over sending at once, and mean delay at each price");
    for (name, prices) in table {
        print!("{name:18}");
        for drives in prices {
            let mean = |of: fn(&Measured) -> f64| drives.iter().map(of).sum::<f64>() / drives.len() as f64;
            print!(" {:.4} {:.3} {:5.1}s |", mean(|d| d.cost), mean(|d| d.energy), mean(|d| d.delay_s));
        }
        println!();
    }
}

/// Share of the gap in cost between the base and hindsight, over all prices.
fn print_gaps(table: &Table, drives: usize) {
    println!("\nshare of the gap from {BASE} to hindsight, and cost against {BASE}, means over all prices");
    let cost = |name: &str, drive: usize| table[name].iter().map(|drives| drives[drive].cost).sum::<f64>();
    for name in table.keys() {
        let sum = |name: &str, chosen: &[usize]| chosen.iter().map(|drive| cost(name, *drive)).sum::<f64>();
        let share = |chosen: &[usize]| {
            let base = sum(BASE, chosen);
            (base - sum(name, chosen)) / (base - sum("hindsight", chosen))
        };
        let relative = |chosen: &[usize]| {
            let ratios = chosen.iter().map(|drive| cost(name, *drive) / cost(BASE, *drive) - 1.0);
            100.0 * ratios.sum::<f64>() / chosen.len() as f64
        };
        let ((gap, low, high), (change, least, most)) = (interval(drives, share), interval(drives, relative));
        println!("{name:18} {gap:6.2} [{low:.2}, {high:.2}]   {change:+6.1} % [{least:+.1}, {most:+.1}]");
    }
}

/// Energy saved at equal mean delay, between the prices of each drive.
fn print_savings(table: &Table, drives: usize) {
    println!("\nshare of the energy of sending at once that is saved at the same mean delay");
    for (name, prices) in table.iter().filter(|(name, _)| name.as_str() != "at-once") {
        print!("{name:18}");
        for delay_s in DELAYS_S {
            let saved: Vec<f64> = (0..drives)
                .map(|drive| {
                    let at_once = (table["at-once"][0][drive].delay_s, 1.0);
                    let points = prices.iter().map(|drives| (drives[drive].delay_s, drives[drive].energy));
                    1.0 - interpolated(points.chain([at_once]).collect(), delay_s)
                })
                .collect();
            let mean = |chosen: &[usize]| chosen.iter().map(|drive| saved[*drive]).sum::<f64>() / chosen.len() as f64;
            let (mean, low, high) = interval(drives, mean);
            print!("  at {delay_s} s: {mean:.3} [{low:.2}, {high:.2}]");
        }
        println!();
    }
}

/// The value at a place between points; that of the nearest point outside of them.
fn interpolated(mut points: Vec<(f64, f64)>, at: f64) -> f64 {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let after = points.partition_point(|point| point.0 < at);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (Some((x, y)), Some((right, top))) => y + (top - y) * (at - x) / (right - x),
        (Some((_, y)), None) => y,
        (None, Some((_, y))) => *y,
        (None, None) => f64::NAN,
    }
}
