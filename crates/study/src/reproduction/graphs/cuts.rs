//! Systems that cut an application in two: MCOP, LARAC and its relatives.

use mrdro::statistics::Spread;
use sim::graph::{GraphModel, GraphScenario, Limits, Weights};

use super::Sample;
use super::findings::{
    Finding, are_optimal, costs, draw, excess, on, percent, rounded, scenario, with, with_limits, with_speed_ups, worst,
};
use crate::error::Error;

const RANDOM_GRAPHS: &str = include_str!("random-graphs.toml");
const CHAINS: &str = include_str!("chains.toml");
/// The numbers K of alternatives that K-LARAC looks at.
const ALTERNATIVES: [u64; 5] = [1, 4, 16, 64, 1024];

pub(super) fn findings(sample: Sample) -> Result<Vec<Finding>, Error> {
    let random_graphs = draw(&scenario(RANDOM_GRAPHS)?, sample.applications, sample)?;
    let serial = draw(&GraphScenario::load("graph-serial")?, sample.applications, sample)?;
    let own_speed_ups = "the same with a speed-up of its own for each task";
    let mut findings = vec![
        mcop("random connected graphs", &random_graphs, sample)?,
        mcop(own_speed_ups, &with_speed_ups(&random_graphs, sample)?, sample)?,
        mcop("graph-serial", &serial, sample)?,
    ];
    let chains = draw(&scenario(CHAINS)?, sample.applications, sample)?;
    findings.extend(larac("chains with a deadline", &chains, sample)?);
    findings.extend(larac(own_speed_ups, &with_speed_ups(&chains, sample)?, sample)?);
    findings.extend(several_limits(sample)?);
    Ok(findings)
}

fn mcop(name: &str, models: &[GraphModel], sample: Sample) -> Result<Finding, Error> {
    let excess = excess(&costs("mcop", models, sample)?, &costs("min-cut", models, sample)?);
    let optimal = are_optimal(&excess);
    Ok(Finding {
        system: "MCOP [15]".to_owned(),
        claim: "its partition is optimal".to_owned(),
        measured_on: on(name, models),
        holds: Some(optimal.iter().all(|optimal| *optimal == 1.0)),
        measured: format!("a minimum cut for {}; at worst {} % dearer", percent(&optimal), rounded(worst(&excess))),
    })
}

fn larac(name: &str, drawn: &[GraphModel], sample: Sample) -> Result<Vec<Finding>, Error> {
    let models = with_limits(drawn, false, sample)?;
    let optima = costs("exact", &models, sample)?;
    let system = || "LARAC-based [16]".to_owned();
    let measured_on = on(name, &models);
    let one_climb = excess(&costs("one-climb", &models, sample)?, &optima);
    let optimal = are_optimal(&one_climb);
    let larac_costs = costs("larac", &models, sample)?;
    let larac = excess(&larac_costs, &optima);
    let remote = costs("cloud-only", &models, sample)?;
    let saved: Vec<f64> = larac_costs.iter().zip(&remote).map(|(cost, remote)| 1.0 - cost / remote).collect();
    let is_better = Spread::of(&saved).low > 1e-9;
    let late = models.iter().filter(|model| model.evaluate(&vec![0; model.tasks()]).exceeds_limits).count();
    Ok(vec![
        Finding {
            system: system(),
            claim: "one climb is optimal where no task is pinned".to_owned(),
            measured_on: measured_on.clone(),
            holds: Some(optimal.iter().all(|optimal| *optimal == 1.0)),
            measured: format!("optimal for {}; at worst {} % dearer", percent(&optimal), rounded(worst(&one_climb))),
        },
        Finding {
            system: system(),
            claim: "LARAC is close to the optimum".to_owned(),
            measured_on: measured_on.clone(),
            holds: None,
            measured: format!(
                "optimal for {}; on average {} dearer, at worst {} %",
                percent(&are_optimal(&larac)),
                percent(&larac),
                rounded(worst(&larac))
            ),
        },
        Finding {
            system: system(),
            claim: "less energy than everything local and everything remote".to_owned(),
            measured_on,
            holds: Some(is_better && late == models.len()),
            measured: format!(
                "{} less than everything remote; everything local misses the deadline of {late} applications",
                percent(&saved)
            ),
        },
    ])
}

/// Least money within limits of energy and time, over WiFi and a cellular network that costs money.
fn several_limits(sample: Sample) -> Result<Vec<Finding>, Error> {
    let calls = GraphScenario::load("call-graph")?;
    // Money alone would leave ties; a little energy breaks them.
    let weights = Weights { energy: 1e-3, time: 0.0, price: 1.0 };
    let drawn = draw(&calls, sample.applications, sample)?;
    let drawn: Vec<_> = drawn.iter().map(|model| with(model, weights, Limits::default())).collect::<Result<_, _>>()?;
    let models = with_limits(&drawn, true, sample)?;
    let optima = costs("exact", &models, sample)?;
    let measured_on = on("call-graph for money within limits of energy and time", &models);
    let mut gaps = Vec::new();
    for most in ALTERNATIVES {
        gaps.push((most, excess(&costs(&format!("larac-k@{most}"), &models, sample)?, &optima)));
    }
    let several = excess(&costs("larac-m", &models, sample)?, &optima);
    let shown = gaps.iter().map(|(most, gap)| format!("K = {most}: {}", percent(gap)));
    let last = gaps.last().map_or(f64::INFINITY, |(_, gap)| gap.iter().sum());
    Ok(vec![
        Finding {
            system: "K-LARAC [17]".to_owned(),
            claim: "the gap to the optimum falls to 0 with K".to_owned(),
            measured_on: measured_on.clone(),
            holds: Some(last == 0.0),
            measured: format!("dearer than the optimum by {}", shown.collect::<Vec<_>>().join(", ")),
        },
        Finding {
            system: "M-LARAC [17]".to_owned(),
            claim: "a multiplier for each limit finds nearly the optimum".to_owned(),
            measured_on,
            holds: None,
            measured: format!("optimal for {}; dearer by {}", percent(&are_optimal(&several)), percent(&several)),
        },
    ])
}
