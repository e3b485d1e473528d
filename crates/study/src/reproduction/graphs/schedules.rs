//! Systems that schedule: HEFT, PEFT, MRLCO, and the order of tasks.

use sim::graph::scenario::Source;
use sim::graph::{Generator, GraphScenario, TaskCount};

use super::Sample;
use super::findings::{Finding, costs, decide, draw, on, percent, rounded};
use crate::error::Error;

/// Numbers of tasks at which orders are compared, with the number of applications for each of the sample's.
const ORDERS: [(usize, usize); 2] = [(8, 10), (20, 50)];

pub(super) fn findings(sample: Sample) -> Result<Vec<Finding>, Error> {
    let mut findings = vec![peft(sample, "graph")?, peft(sample, "workflow")?, mrlco(sample)?];
    for (tasks, part) in ORDERS {
        findings.push(order(sample, tasks, (sample.applications / part).max(4))?);
    }
    Ok(findings)
}

/// By how much one cost is below another.
fn saved(costs: &[f64], others: &[f64]) -> Vec<f64> {
    costs.iter().zip(others).map(|(cost, other)| if *other > 0.0 { 1.0 - cost / other } else { 0.0 }).collect()
}

fn peft(sample: Sample, preset: &str) -> Result<Finding, Error> {
    let models = draw(&GraphScenario::load(preset)?, sample.applications, sample)?;
    let saved = saved(&costs("peft", &models, sample)?, &costs("heft", &models, sample)?);
    let greedy = costs("greedy", &models, sample)?;
    let better = saved.iter().filter(|saved| **saved > 0.0).count();
    let above_greedy = super::findings::excess(&costs("heft", &models, sample)?, &greedy);
    Ok(Finding {
        system: "PEFT, HEFT".to_owned(),
        claim: "PEFT costs less than HEFT".to_owned(),
        measured_on: on(preset, &models),
        holds: Some(mrdro::statistics::Spread::of(&saved).low > 0.0),
        measured: format!(
            "{} less on average, less for {better}; HEFT costs {} more than greedy, which knows the queues of links",
            percent(&saved),
            percent(&above_greedy)
        ),
    })
}

/// What is to be had against greedy at all on MRLCO's problem.
fn mrlco(sample: Sample) -> Result<Finding, Error> {
    let models = draw(&GraphScenario::load("graph")?, sample.applications, sample)?;
    let saved = saved(&costs("exact", &models, sample)?, &costs("greedy", &models, sample)?);
    let most = saved.iter().copied().fold(0.0, f64::max);
    let many = saved.iter().filter(|saved| **saved >= 0.25).count();
    Ok(Finding {
        system: "MRLCO [29]".to_owned(),
        claim: "latency up to 25 % below greedy: what the optimum in the given order leaves to be had".to_owned(),
        measured_on: on("graph", &models),
        holds: Some(many > 0),
        measured: format!("the optimum is {} below greedy, at most {} %", percent(&saved), rounded(most)),
    })
}

/// What the order of tasks is worth.
fn order(sample: Sample, tasks: usize, count: usize) -> Result<Finding, Error> {
    let mut scenario = GraphScenario::load("graph")?;
    if let Source::Generator(Generator::Layered(layered)) = &mut scenario.application.source {
        layered.tasks = TaskCount::Fixed(tasks);
    }
    let models = draw(&scenario, count, sample)?;
    let any_order = decide("any-order", &models, sample)?;
    let proved = any_order.iter().filter(|solution| solution.optimality.is_optimal()).count();
    let best: Vec<f64> = models.iter().zip(&any_order).map(|(model, solution)| solution.outcome(model).cost).collect();
    let saved = saved(&best, &costs("exact", &models, sample)?);
    let most = saved.iter().copied().fold(0.0, f64::max);
    Ok(Finding {
        system: "any-order".to_owned(),
        claim: "how much the best order of tasks saves against the order by upward rank".to_owned(),
        measured_on: on(&format!("graph with {tasks} tasks"), &models),
        holds: None,
        measured: format!(
            "{} of the optimum in the given order, at most {} %; proved for {proved} of {count}",
            percent(&saved),
            rounded(most)
        ),
    })
}
