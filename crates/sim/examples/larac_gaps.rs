//! How near `larac-m` and `larac-k` come to the optimum: `cargo run -p sim --example larac_gaps`. The least money on
//! applications of the preset `call-graph`, within limits of energy and time at a share of the way from the least possible to
//! what costs no money.

use std::error::Error;
use std::time::Instant;

use sim::graph::scheme::{GraphExact, GraphScheme, LaracK, LaracM};
use sim::graph::{GraphModel, GraphScenario, Limits, Rules, Weights};
use sim::random;

const APPLICATIONS: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let scenario = GraphScenario::load("call-graph")?;
    for share in [0.1, 0.3, 0.6] {
        let mut random = random::stream(1, "limits");
        let mut models = Vec::with_capacity(APPLICATIONS);
        for _ in 0..APPLICATIONS {
            models.push(money_within(
                &scenario.model(scenario.draw(&mut random).ok_or("the preset draws applications")?)?,
                share,
            )?);
        }
        compare(share, &models)?;
    }
    Ok(())
}

/// The same application with money to be minimised, and limits of energy and time.
fn money_within(model: &GraphModel, share: f64) -> Result<GraphModel, Box<dyn Error>> {
    let with = |weights, limits| {
        let rules = Rules { weights, limits, ..*model.rules() };
        GraphModel::new(model.application().clone(), model.system().clone(), rules)
    };
    let least = |energy, time, price| -> Result<_, Box<dyn Error>> {
        let model = with(Weights { energy, time, price }, Limits::default())?;
        Ok(model.evaluate(&GraphExact.decide(&model)?.places))
    };
    let (frugal, quick, free) = (least(1.0, 0.0, 0.0)?, least(0.0, 1.0, 0.0)?, least(1e-3, 1e-3, 1.0)?);
    let between = |least: f64, most: f64| least + share * (most - least).max(0.0);
    let limits = Limits {
        energy_j: between(frugal.energy_j, free.energy_j),
        time_s: between(quick.time_s, free.time_s),
        price: f64::INFINITY,
    };
    Ok(with(Weights { energy: 0.0, time: 0.0, price: 1.0 }, limits)?)
}

fn compare(share: f64, models: &[GraphModel]) -> Result<(), Box<dyn Error>> {
    let mut optima = Vec::with_capacity(models.len());
    for model in models {
        let outcome = model.evaluate(&GraphExact.decide(model)?.places);
        optima.push((!outcome.exceeds_limits).then_some(outcome.cost));
    }
    let count = optima.iter().flatten().count() as f64;
    println!("\n{:.0} % of the way: the limits of {count} applications can be kept", 100.0 * share);
    let mut schemes: Vec<Box<dyn GraphScheme>> = vec![Box::new(LaracM::default())];
    for ranked in [1, 4, 16, 64, 256, 1024, 4096] {
        schemes.push(Box::new(LaracK::within(ranked)));
    }
    schemes.push(Box::new(GraphExact));
    for scheme in &mut schemes {
        let start = Instant::now();
        let mut found = Vec::with_capacity(models.len());
        for model in models {
            found.push(scheme.decide(model)?);
        }
        let time_us = start.elapsed().as_secs_f64() / models.len() as f64 * 1e6;
        let (mut optimal, mut proved, mut gap) = (0.0, 0.0, 0.0);
        for ((model, found), optimum) in models.iter().zip(&found).zip(&optima) {
            let Some(optimum) = optimum else { continue };
            let outcome = model.evaluate(&found.places);
            let is_optimal = !outcome.exceeds_limits && outcome.cost <= optimum + 1e-9 * optimum.abs();
            optimal += f64::from(u8::from(is_optimal));
            proved += f64::from(u8::from(found.optimality.is_optimal()));
            let bound = found.optimality.bound(outcome.cost).unwrap_or(0.0);
            gap += if outcome.exceeds_limits { 1.0 } else { (outcome.cost - bound) / outcome.cost.max(1e-12) };
        }
        let percent = |sum: f64| 100.0 * sum / count;
        println!(
            "{:12} optimal {:5.1} %, proved {:5.1} %, gap {:5.2} %, {time_us:.0} µs",
            scheme.name(),
            percent(optimal),
            percent(proved),
            percent(gap)
        );
    }
    Ok(())
}
