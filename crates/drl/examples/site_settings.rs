//! Trains networks for any site and compares them with rules on the 16 settings of
//! [`DispatchSetting`](sim::stream::dispatch::settings::DispatchSetting), on five sites of each.
//!
//! ```text
//! cargo run -p drl --example site_settings -- rules RULES.txt            costs of greedy and of rules, tuned to each site too
//! cargo run -p drl --example site_settings -- train RECORD seed=1        networks, saved as a record
//! cargo run -p drl --example site_settings -- evolve RECORD NEW seed=1   the same by evolution strategies from a record on
//! cargo run -p drl --example site_settings -- compare RULES.txt RECORD   percent against the rules
//! cargo run -p drl --example site_settings -- speed RECORD               time of a decision
//! cargo run -p drl --example site_settings -- games RECORD ...           small sites, percent above their optimum
//! ```

use std::collections::HashMap;
use std::fs;
use std::path::Path as FilePath;
use std::time::Instant;

use drl::TrainingLoop;
use drl::stream::{Evolution, EvolutionSettings, SiteAgent, SiteSettings};
use model::stream::{Ensemble, Parameters, StreamNetworks};
use model::{DeviceChoice, Record};
use rayon::prelude::*;
use sim::stream::dispatch::optimum::{DispatchOptimum, OptimumSettings};
use sim::stream::dispatch::scheme::{DispatchGreedy, DispatchScheme, DispatchSchemeKind, ValueIteration};
use sim::stream::dispatch::settings::{DispatchSetting, small_site};
use sim::stream::dispatch::tuning::{TunedRule, TuningSet};
use sim::stream::dispatch::{Path, Sites, simulate};

type Error = Box<dyn std::error::Error + Send + Sync>;

const SEEDS: [u64; 7] = [11, 12, 41, 42, 43, 44, 45];
const FINAL_SEEDS: [u64; 5] = [41, 42, 43, 44, 45];
const T_QUANTILE: f64 = 2.776;
const TASKS: usize = 30_000;
const RULES: [&str; 3] = ["greedy", "one-step", "one-step-fitted"];

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["rules", file] => rules(file),
        ["train", record, ref options @ ..] => train(record, options),
        ["evolve", from, record, ref options @ ..] => evolve(from, record, options),
        ["compare", file, ref records @ ..] => {
            records.iter().try_for_each(|record| compare(file, record, &FINAL_SEEDS))
        }
        ["look", file, ref records @ ..] => records.iter().try_for_each(|record| compare(file, record, &SEEDS[..2])),
        ["speed", record] => speed(record),
        ["games", ref records @ ..] => games(records),
        _ => Err("the first lines of this example say what can be asked for".into()),
    }
}

/// The costs of rules on every setting and seed: greedy, in closed form, fitted to all sites, and two rules tuned to the site.
fn rules(file: &str) -> Result<(), Error> {
    let settings = DispatchSetting::all();
    let jobs: Vec<(u64, usize)> =
        SEEDS.iter().flat_map(|seed| (0..settings.len()).map(|index| (*seed, index))).collect();
    let row = |(seed, index): &(u64, usize)| {
        let site = settings[*index].site(*seed)?;
        let path = Path::draw(&site, TASKS, *seed);
        let set = TuningSet::of_site(&site, 4, 10_000, *seed)?;
        let mut kinds: Vec<DispatchSchemeKind> = RULES.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        kinds.extend([TunedRule::OneStepFitted, TunedRule::Priced].map(|rule| set.tune(rule, *seed).kind));
        let costs =
            kinds.iter().map(|kind| Ok(simulate(&site, &path, &mut *kind.build(&site)?, 1).mean_cost.to_string()));
        Ok(format!("{seed} {index} {}\n", costs.collect::<Result<Vec<_>, Error>>()?.join(" ")))
    };
    let rows = jobs.par_iter().map(row).collect::<Result<Vec<String>, Error>>()?;
    Ok(fs::write(file, rows.concat())?)
}

fn read_rules(file: &str) -> Result<HashMap<(u64, usize), Vec<f64>>, Error> {
    let line = |line: &str| {
        let mut cells = line.split(' ');
        let mut next = || cells.next().ok_or("a line is too short");
        let key = (next()?.parse()?, next()?.parse()?);
        Ok((key, cells.map(str::parse).collect::<Result<_, _>>()?))
    };
    fs::read_to_string(file)?.lines().map(line).collect()
}

fn networks(record: &str) -> Result<StreamNetworks, Error> {
    let path = FilePath::new(record);
    let record = Record::load(path, &DeviceChoice::Auto.open()?.device)?;
    Ok(record.networks_of::<StreamNetworks>("networks for any site", path)?.clone())
}

fn save(record: &str, networks: &[Parameters], knows_rates: bool, sites: &Sites) -> Result<(), Error> {
    let ensemble = Ensemble::with(networks, &DeviceChoice::Auto.open()?.device);
    Ok(Record::new(StreamNetworks { ensemble, knows_rates, sites: sites.clone() }).save(FilePath::new(record))?)
}

fn compare(file: &str, record: &str, seeds: &[u64]) -> Result<(), Error> {
    let rules = read_rules(file)?;
    let dispatcher = networks(record)?.dispatcher("networks");
    let settings = DispatchSetting::all();
    let jobs: Vec<(usize, u64)> =
        (0..settings.len()).flat_map(|index| seeds.iter().map(move |seed| (index, *seed))).collect();
    let cost = |(index, seed): &(usize, u64)| {
        let site = settings[*index].site(*seed)?;
        Ok(simulate(&site, &Path::draw(&site, TASKS, *seed), &mut dispatcher.clone(), 1).mean_cost)
    };
    let costs = jobs.par_iter().map(cost).collect::<Result<Vec<f64>, Error>>()?;
    let names = ["greedy", "one-step", "fitted to all", "tuned to the site"];
    println!("{record}: percent against\n{:<28}{}", "", names.map(|name| format!("{name:>18}")).concat());
    let mut means = [0.0; 4];
    for (index, setting) in settings.iter().enumerate() {
        let mut percents = [const { Vec::new() }; 4];
        for (number, seed) in seeds.iter().enumerate() {
            let rules = &rules[&(*seed, index)];
            let references = [rules[0], rules[1], rules[2], rules[3].min(rules[4])];
            for (percents, reference) in percents.iter_mut().zip(references) {
                percents.push(100.0 * (costs[index * seeds.len() + number] / reference - 1.0));
            }
        }
        let cell = |percents: &Vec<f64>| {
            let count = percents.len() as f64;
            let mean = percents.iter().sum::<f64>() / count;
            let variance = percents.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
            format!("{:>18}", format!("{mean:+.1} ±{:.1}", T_QUANTILE * (variance / count).sqrt()))
        };
        println!("{:<28}{}", setting.name, percents.iter().map(cell).collect::<String>());
        for (mean, percents) in means.iter_mut().zip(&percents) {
            *mean += percents.iter().sum::<f64>() / (percents.len() * settings.len()) as f64;
        }
    }
    println!("{:<28}{}", "mean", means.map(|mean| format!("{:>18}", format!("{mean:+.2}"))).concat());
    Ok(())
}

/// The options `key=value`, each read by `read`.
fn options(options: &[&str], mut read: impl FnMut(&str, &str) -> Result<(), Error>) -> Result<(), Error> {
    for option in options {
        let (key, value) = option.split_once('=').ok_or("options are key=value")?;
        read(key, value)?;
    }
    Ok(())
}

fn train(record: &str, given: &[&str]) -> Result<(), Error> {
    let (mut settings, mut sites) = (SiteSettings::default(), Sites::default());
    let (mut seed, mut nets, mut width, mut knows_rates) = (1, 4, 16, false);
    let mut from = None;
    options(given, |key, value| {
        match key {
            "seed" => seed = value.parse()?,
            "nets" => nets = value.parse()?,
            "width" => width = value.parse()?,
            "from" => from = Some(networks(value)?.ensemble.parameters()),
            "knows_rates" => knows_rates = value.parse()?,
            "devices" => sites.devices.1 = value.parse()?,
            "steps" => settings.steps = value.parse()?,
            "improvement_rounds" => settings.improvement_rounds = value.parse()?,
            "improvement_steps" => settings.improvement_steps = value.parse()?,
            "sites_per_step" => settings.sites_per_step = value.parse()?,
            "samples_per_site" => settings.samples_per_site = value.parse()?,
            "futures" => settings.futures = value.parse()?,
            "horizon" => settings.horizon = value.parse()?,
            "buffer" => settings.buffer = value.parse()?,
            "learning_steps" => settings.learning_steps = value.parse()?,
            "batch" => settings.batch = value.parse()?,
            "learning_rate" => settings.learning_rate = value.parse()?,
            "improvement_learning_rate" => settings.improvement_learning_rate = value.parse()?,
            "evolution_steps" => settings.evolution_steps = value.parse()?,
            "cross_entropy" => settings.cross_entropy = value.parse()?,
            _ => return Err(format!("there is no option {key}").into()),
        }
        Ok(())
    })?;
    let device = DeviceChoice::Auto.open()?.device;
    let first = from.unwrap_or_else(|| (0..nets).map(|index| Parameters::random(width, index, seed)).collect());
    let mut agent = SiteAgent::new(&first, sites.clone(), settings, knows_rates, seed, &device)?;
    let start = Instant::now();
    while let Some(report) = agent.next_report() {
        let networks = agent.networks();
        let (step, loss, ratio) = (report.step, report.loss.unwrap_or(0.0), agent.held_out_ratio(&networks));
        println!("step {step}: loss {loss:.4}, held-out {ratio:.4}, {:.0} s", start.elapsed().as_secs_f64());
    }
    save(record, &agent.networks(), knows_rates, &sites)
}

fn evolve(from: &str, record: &str, given: &[&str]) -> Result<(), Error> {
    let (mut settings, mut seed) = (EvolutionSettings::default(), 1);
    options(given, |key, value| {
        match key {
            "seed" => seed = value.parse()?,
            "generations" => settings.generations = value.parse()?,
            "pairs" => settings.pairs = value.parse()?,
            "sites" => settings.sites = value.parse()?,
            "tasks" => settings.tasks = value.parse()?,
            "deviation" => settings.deviation = value.parse()?,
            "learning_rate" => settings.learning_rate = value.parse()?,
            _ => return Err(format!("there is no option {key}").into()),
        }
        Ok(())
    })?;
    let StreamNetworks { ensemble, knows_rates, sites } = networks(from)?;
    let mut evolution = Evolution::new(&ensemble.parameters(), sites.clone(), knows_rates, settings, seed);
    let start = Instant::now();
    let held_out = drl::stream::held_out_sites(&sites, 64, 6_000);
    let mut generation = 0;
    while !evolution.is_done() {
        let mean = evolution.advance();
        generation += 1;
        if generation % 50 == 0 || evolution.is_done() {
            let dispatcher = model::stream::Dispatcher::new("networks", &evolution.networks(), knows_rates);
            let ratio = held_out.ratio_of(|_| Box::new(dispatcher.clone()));
            println!("{generation}: {mean:.4}, held-out {ratio:.4}, {:.0} s", start.elapsed().as_secs_f64());
        }
    }
    save(record, &evolution.networks(), knows_rates, &sites)
}

fn speed(record: &str) -> Result<(), Error> {
    let networks = networks(record)?;
    for index in [0, 8] {
        let setting = &DispatchSetting::all()[index];
        let site = setting.site(41)?;
        let path = Path::draw(&site, 1_000_000, 1);
        let schemes: [Box<dyn DispatchScheme>; 2] =
            [Box::new(DispatchGreedy::new()), Box::new(networks.dispatcher("networks"))];
        for mut scheme in schemes {
            let seconds = (0..3).map(|_| {
                let start = Instant::now();
                simulate(&site, &path, &mut *scheme, 1);
                start.elapsed().as_secs_f64()
            });
            let least = seconds.fold(f64::INFINITY, f64::min);
            println!("{}: {} {least:.3} us a task", setting.name, scheme.name());
        }
    }
    Ok(())
}

/// Small sites whose optimum is known by value iteration, solved in some minutes.
fn games(records: &[&str]) -> Result<(), Error> {
    let all: Vec<StreamNetworks> = records.iter().map(|record| networks(record)).collect::<Result<_, _>>()?;
    let unit_s = 10.0 / 3.0;
    for (devices, load, limits) in [
        (1, 0.5, [120.0, 80.0, 60.0]),
        (1, 0.8, [200.0, 100.0, 90.0]),
        (2, 0.8, [100.0, 90.0, 90.0]),
        (1, 0.9, [330.0, 200.0, 180.0]),
    ] {
        let site = small_site(devices, load);
        let settings = OptimumSettings {
            places: (devices == 2).then(|| vec![1, 2]),
            limits_s: Some(limits.map(|limit| limit * unit_s).to_vec()),
            ..OptimumSettings::default()
        };
        let path = Path::draw(&site, 2_000_000, 7);
        let optimum = DispatchOptimum::solve(&site, &settings)?;
        let base = simulate(&site, &path, &mut ValueIteration::new(optimum), 1).mean_cost;
        println!("{devices} device(s), load {load}: optimum {base:.4}");
        for rule in RULES {
            let kind: DispatchSchemeKind = rule.parse()?;
            let cost = simulate(&site, &path, &mut *kind.build(&site)?, 1).mean_cost;
            println!("  {rule:<20} {:+.2} %", 100.0 * (cost / base - 1.0));
        }
        for (record, networks) in records.iter().zip(&all) {
            let cost = simulate(&site, &path, &mut networks.dispatcher("networks"), 1).mean_cost;
            println!("  {record:<20} {:+.2} %", 100.0 * (cost / base - 1.0));
        }
    }
    Ok(())
}
