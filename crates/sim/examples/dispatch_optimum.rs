//! Two small sites whose optimum is known by value iteration, and how far other schemes are above it.
//!
//! ```text
//! cargo run -p sim --example dispatch_optimum
//! ```
//! With the number of tasks as argument; 2,000,000 without. Sizes are 10, 20 and 30 MB. `one device` has a processor of its own, a
//! machine at the edge and a link to the cloud; `two devices` share the edge and have a link each.

use std::time::Instant;

use sim::stream::dispatch::bound::lower_bound;
use sim::stream::dispatch::optimum::{DispatchOptimum, OptimumSettings, compare_with_single_places};
use sim::stream::dispatch::scheme::{QTable, ValueIteration, by_name};
use sim::stream::dispatch::settings::small_site;
use sim::stream::dispatch::{BATCHES, DispatchOutcome, Path, simulate};

/// Of Student's t with 19 degrees of freedom: 95 % of all values lie within.
const STUDENT_95: f64 = 2.093;

/// What is compared.
const NAMES: [&str; 8] = [
    "greedy",
    "greedy-mean-rate",
    "greedy-rate-now",
    "static-split",
    "drift-plus-penalty",
    "one-step",
    "one-step-fitted",
    "priced",
];

/// How many percent a run costs more than another one, and the 95 % interval by batches.
fn percent_above(run: &DispatchOutcome, other: &DispatchOutcome) -> (f64, f64) {
    let count = BATCHES as f64;
    let differences: Vec<f64> = run.batch_costs.iter().zip(&other.batch_costs).map(|(a, b)| a - b).collect();
    let mean = differences.iter().sum::<f64>() / count;
    let variance = differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let percent = 100.0 / other.mean_cost;
    (percent * (run.mean_cost - other.mean_cost), percent * STUDENT_95 * (variance / count).sqrt())
}

fn game(devices: usize, load: f64, limits: &[f64], tasks: usize) {
    let site = small_site(devices, load);
    let places = (devices == 2).then(|| vec![1, 2]);
    let unit_s = 10.0 / 3.0;
    let limits_s = Some(limits.iter().map(|limit| limit * unit_s).collect());
    let settings = OptimumSettings { places, limits_s, ..OptimumSettings::default() };
    let start = Instant::now();
    let optimum = DispatchOptimum::solve(&site, &settings).expect("a site with a chain");
    let (lower, upper) = optimum.bounds();
    println!(
        "\n{devices} device(s), load {load}: {} states of {:.4} s, {} iterations in {:.1} s",
        optimum.states(),
        optimum.unit_s(),
        optimum.iterations(),
        start.elapsed().as_secs_f64()
    );
    println!(
        "  cost of a task in [{lower:.4}, {upper:.4}]; near the limits {:.1e}, without room {:.1e}",
        optimum.near_limit_share(),
        optimum.no_room_share()
    );
    let path = Path::draw(&site, tasks, 7);
    let base = simulate(&site, &path, &mut ValueIteration::new(optimum), 1);
    println!("  {:<20} {:.4}", "value-iteration", base.mean_cost);
    for name in NAMES {
        let mut scheme = by_name(name, &site).expect("a name of the table");
        let run = simulate(&site, &path, &mut *scheme, 1);
        let (percent, interval) = percent_above(&run, &base);
        println!("  {name:<20} {:.4}  {percent:+.2} % ± {interval:.2}", run.mean_cost);
    }
    for training in [1_000, 10_000, 100_000, 1_000_000] {
        let mut scheme = QTable::new(training);
        if let Some(places) = &settings.places {
            scheme = scheme.with_places(places);
        }
        let run = simulate(&site, &path, &mut scheme, 1);
        let (percent, interval) = percent_above(&run, &base);
        println!(
            "  {:<20} {:.4}  {percent:+.2} % ± {interval:.2}, {} states",
            format!("q-table, {training}"),
            run.mean_cost,
            scheme.states_visited()
        );
    }
    let bound = lower_bound(&site);
    println!(
        "  lower bound {:.4}, {:.1} % below value iteration; without waiting {:.4}",
        bound.cost,
        100.0 * (1.0 - bound.cost / base.mean_cost),
        bound.fluid_cost
    );
}

fn main() {
    let tasks = std::env::args().nth(1).map_or(2_000_000, |tasks| tasks.parse().expect("a number of tasks"));
    game(1, 0.5, &[120.0, 80.0, 60.0], tasks);
    game(1, 0.8, &[200.0, 100.0, 90.0], tasks);
    game(1, 0.9, &[330.0, 200.0, 180.0], tasks);
    game(2, 0.8, &[100.0, 90.0, 90.0], tasks);
    game(2, 0.9, &[200.0, 180.0, 180.0], tasks);
    // Every single place carries all tasks only where there are few.
    println!("\nvalue iteration beside single places, 1 device");
    for load in [0.05, 0.3] {
        let site = small_site(1, load);
        let path = Path::draw(&site, tasks / 10, 7);
        let settings = OptimumSettings::default();
        let costs = compare_with_single_places(&site, &settings, &path, 1).expect("a site with a chain");
        for cost in &costs {
            let percent = 100.0 * (cost.mean_cost / costs[0].mean_cost - 1.0);
            println!("  load {load} {:<20} {:.4}  {percent:+.1} %", cost.policy, cost.mean_cost);
        }
    }
}
