//! Schemes on fleets that share servers, from small to large: quality against time and cost evaluations.
//!
//!     cargo run -p sim --example fleets -- shared-edge
//!
//! Prints a Markdown table. Q2 is against the optimum where the exact search proves it, else against the best decision that
//! any scheme or a long annealing found; the last column says how far that can be from the optimum at most.

use std::error::Error;
use std::time::Instant;

use data::{Part, SizeSampler, Workloads};
use sim::scheme::{self, Annealing, Exact, Scheme};
use sim::{CostModel, Scenario, Workload, random};

/// Devices and tasks per device of each fleet.
const FLEETS: [(usize, usize); 6] = [(3, 3), (10, 3), (30, 3), (50, 3), (10, 10), (50, 10)];
const SCHEMES: [&str; 8] = [
    "greedy",
    "greedy-largest-first",
    "local-search@16",
    "local-search",
    "annealing@16",
    "annealing@100",
    "annealing@1000",
    "genetic@100",
];
/// The number of workloads of each fleet.
const WORKLOADS: usize = 48;
/// The number of tasks that the exact search decides in all, so that it looks at fewer of the large workloads.
const EXACT_TASKS: usize = 480;
/// Cost evaluations per task of the annealing that stands in for the optimum.
const LONG: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "shared-edge".to_owned());
    println!("| fleet | scheme | Q2 ± 95 % | evaluations per task | µs per decision |\n|---|---|---:|---:|---:|");
    for (devices, tasks) in FLEETS {
        let mut scenario = Scenario::load(&name)?;
        (scenario.devices.count, scenario.tasks.per_device) = (devices, tasks);
        let model = scenario.check()?;
        let mut source =
            Workloads::new(&model, SizeSampler::new(&scenario)?, Part::HeldOut, random::stream(0, "fleets"));
        let set: Vec<Workload> = (0..WORKLOADS).map(|_| source.draw().workload).collect();
        fleet(&model, &set)?;
    }
    Ok(())
}

fn fleet(model: &CostModel, set: &[Workload]) -> Result<(), Box<dyn Error>> {
    let mut rows: Vec<Row> = Vec::new();
    for name in SCHEMES {
        let mut scheme = scheme::by_name(name, model, 1)?;
        rows.push(Row::of(&mut *scheme, model, set)?);
    }
    let mut best = Row::of(&mut Annealing::new(2, LONG), model, set)?.costs;
    for row in &rows {
        best.iter_mut().zip(&row.costs).for_each(|(best, cost)| *best = best.min(*cost));
    }
    let (mut exact, mut proved, mut gap, mut evaluations) = (Exact::new(), 0, 0.0_f64, 0);
    let looked_at = set.len().min((EXACT_TASKS / model.task_count()).max(4));
    let start = Instant::now();
    for (workload, best) in set[..looked_at].iter().zip(&mut best) {
        let bounds = exact.bounds(model, workload)?;
        *best = best.min(bounds.cost);
        proved += usize::from(bounds.is_optimal);
        gap = gap.max(1.0 - bounds.lower / *best);
        evaluations += bounds.evaluations;
    }
    let each_us = start.elapsed().as_secs_f64() * 1e6 / looked_at as f64;
    let fleet = format!("{} × {}", model.devices(), model.tasks());
    for row in &rows {
        let ratios: Vec<f64> = best.iter().zip(&row.costs).map(|(best, cost)| best / cost).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (ratios.len() - 1) as f64;
        let interval = 1.96 * (variance / ratios.len() as f64).sqrt();
        let Row { scheme, evaluations_per_task, micros, .. } = row;
        println!("| {fleet} | {scheme} | {mean:.5} ± {interval:.5} | {evaluations_per_task:.1} | {micros:.1} |");
    }
    let evaluations_per_task = evaluations as f64 / (looked_at * model.task_count()) as f64;
    let others = if proved < looked_at { format!(", the others within {:.3} %", gap * 100.0) } else { String::new() };
    println!(
        "| {fleet} | exact: {proved} of {looked_at} proved{others} | | {evaluations_per_task:.0} | {each_us:.0} |"
    );
    Ok(())
}

/// One scheme on all workloads of a fleet.
struct Row {
    scheme: String,
    costs: Vec<f64>,
    evaluations_per_task: f64,
    micros: f64,
}

impl Row {
    fn of(scheme: &mut dyn Scheme, model: &CostModel, set: &[Workload]) -> Result<Self, Box<dyn Error>> {
        let start = Instant::now();
        let solutions = set.iter().map(|workload| scheme.decide(model, workload)).collect::<Result<Vec<_>, _>>()?;
        let micros = start.elapsed().as_secs_f64() * 1e6 / set.len() as f64;
        let decided = set.iter().zip(&solutions);
        let costs = decided.map(|(workload, one)| model.cost(workload.sizes_bytes(), one.decision.places())).collect();
        let evaluations: u64 = solutions.iter().map(|solution| solution.evaluations).sum();
        let evaluations_per_task = evaluations as f64 / (set.len() * model.task_count()) as f64;
        Ok(Self { scheme: scheme.name().to_owned(), costs, evaluations_per_task, micros })
    }
}
