//! How many task graphs `exact` proves, how long it takes, and how far its bounds are from its decisions.
//! `cargo run -p data --example graph_optima -- SCENARIO [TASKS [COUNT [ALPHA]]]`
//!
//! The applications are drawn by the scenario's generator from seeds of their own, not those of the standard set.

use std::error::Error;
use std::time::Instant;

use data::graphs::GraphSampler;
use sim::graph::GraphScenario;
use sim::graph::scheme::{GraphExact, GraphScheme};
use sim::random;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize| arguments.get(index).map(String::as_str);
    let mut text = GraphScenario::load(argument(0).unwrap_or("graph"))?.to_toml();
    if let Some(tasks) = argument(1) {
        text = replaced(&text, "tasks", tasks);
    }
    if let Some(alpha) = argument(3) {
        text = replaced(&text, "alpha", alpha);
    }
    let scenario = GraphScenario::from_toml("the changed scenario", &text)?;
    let count: usize = argument(2).unwrap_or("100").parse()?;
    let sampler = GraphSampler::new(&scenario)?;
    let mut random = random::stream(2, "graph optima");
    let (mut seconds, mut gaps, mut proved) = (Vec::new(), Vec::new(), 0);
    for _ in 0..count {
        let model = scenario.model(sampler.draw(&mut random))?;
        let start = Instant::now();
        let solution = GraphExact.decide(&model)?;
        seconds.push(start.elapsed().as_secs_f64());
        let cost = model.evaluate(&solution.places).cost;
        let bound = solution.optimality.bound(cost).unwrap_or(0.0);
        gaps.push(1.0 - bound / cost);
        proved += usize::from(solution.optimality.is_optimal());
    }
    seconds.sort_by(f64::total_cmp);
    gaps.sort_by(f64::total_cmp);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    println!(
        "{}: {proved} of {count} proved; median {:.2} ms, mean {:.2} ms, worst {:.1} ms; gap to the bound: mean {:.2} %, worst {:.2} %",
        scenario.name,
        1e3 * seconds[count / 2],
        1e3 * mean(&seconds),
        1e3 * seconds[count - 1],
        1e2 * mean(&gaps),
        1e2 * gaps[count - 1],
    );
    Ok(())
}

/// The text of a scenario with another value for one key.
fn replaced(text: &str, key: &str, value: &str) -> String {
    let lines = text
        .lines()
        .map(|line| if line.starts_with(&format!("{key} =")) { format!("{key} = {value}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}
