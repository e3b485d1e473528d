//! The tuning behind `GeneticSettings::default`: settings of the genetic scheme with the same number of cost
//! evaluations, on fleets of several sizes. `cargo run -p sim --example tune_genetic`
//!
//! The tuning draws its own workloads. It does not use the standard set, on which results are reported.

use data::{Part, SizeSampler, Workloads};
use rayon::prelude::*;
use sim::scheme::{Exact, Genetic, GeneticSettings, Scheme};
use sim::{CostModel, Scenario, Workload, metrics, random};

/// Cost evaluations for one decision.
const EVALUATIONS: usize = 2930;
/// The number of workloads of each fleet.
const WORKLOADS: usize = 64;
/// Preset, devices, tasks.
const FLEETS: [(&str, usize, usize); 3] = [("paper", 3, 3), ("paper-wan", 3, 3), ("paper-wan", 10, 5)];

struct Fleet {
    model: CostModel,
    workloads: Vec<Workload>,
    optimal: Vec<f64>,
}

impl Fleet {
    fn new(preset: &str, devices: usize, tasks: usize) -> Self {
        let mut scenario = Scenario::load(preset).expect("a preset");
        (scenario.devices.count, scenario.tasks.per_device) = (devices, tasks);
        let model = scenario.check().expect("valid");
        let sampler = SizeSampler::new(&scenario).expect("no file of sizes");
        let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(1, "tuning"));
        let workloads: Vec<Workload> = (0..WORKLOADS).map(|_| source.draw().workload).collect();
        let mut exact = Exact::new();
        let optimal = workloads.iter().map(|workload| cost(&model, &mut exact, workload)).collect();
        Self { model, workloads, optimal }
    }

    fn q2(&self, settings: GeneticSettings) -> f64 {
        let mut genetic = Genetic::new(1, settings);
        let costs: Vec<f64> = self.workloads.iter().map(|workload| cost(&self.model, &mut genetic, workload)).collect();
        metrics::q2(&self.optimal, &costs)
    }
}

fn cost(model: &CostModel, scheme: &mut dyn Scheme, workload: &Workload) -> f64 {
    let solution = scheme.decide(model, workload).expect("small enough");
    model.evaluate(workload, &solution.decision).cost
}

/// All combinations with about the same number of cost evaluations, and the default.
fn candidates() -> Vec<GeneticSettings> {
    let elite = 2;
    let mut candidates = vec![GeneticSettings::default()];
    for population in [10, 20, 30, 50, 100] {
        for tournament in [2, 3, 5] {
            for crossover in [0.6, 0.9] {
                for mutations in [0.5, 1.0, 2.0] {
                    let generations = (EVALUATIONS - population) / (population - elite);
                    let settings = GeneticSettings { population, generations, tournament, crossover, mutations, elite };
                    if settings != GeneticSettings::default() {
                        candidates.push(settings);
                    }
                }
            }
        }
    }
    candidates
}

fn main() {
    let fleets: Vec<Fleet> =
        FLEETS.iter().map(|(preset, devices, tasks)| Fleet::new(preset, *devices, *tasks)).collect();
    let measured = |settings: GeneticSettings| {
        let q2: Vec<f64> = fleets.iter().map(|fleet| fleet.q2(settings)).collect();
        (q2.iter().sum::<f64>() / q2.len() as f64, q2, settings)
    };
    let mut found: Vec<(f64, Vec<f64>, GeneticSettings)> = candidates().into_par_iter().map(measured).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!(
        "mean Q2 over the fleets {FLEETS:?}, {EVALUATIONS} cost evaluations per decision, {WORKLOADS} workloads each"
    );
    for (place, (mean, q2, settings)) in (1..).zip(&found) {
        let default = *settings == GeneticSettings::default();
        if place <= 10 || default || place == found.len() {
            let q2: Vec<String> = q2.iter().map(|q2| format!("{q2:.5}")).collect();
            let mark = if default { "  <- the default" } else { "" };
            println!("{place:>3}. {mean:.5}  {}  {settings:?}{mark}", q2.join("  "));
        }
    }
}
