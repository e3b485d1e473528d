//! Systems that divide the layers of neural networks: Neurosurgeon, and Li et al.

use mrdro::statistics::Spread;
use sim::graph::layer_serving::{ServingGenerator, ServingRule};
use sim::graph::scenario::Source;
use sim::graph::scheme::Neurosurgeon;
use sim::graph::{Generator, GraphModel, GraphScenario, Limits, Network, Weights};
use sim::random;

use super::Sample;
use super::findings::{Finding, draw, percent, with};
use crate::error::Error;

/// Rates up and down in Mbit/s: a third-generation cellular network, a fourth-generation one, and WiFi.
const LINKS: [(&str, f64, f64); 3] = [("3G", 1.1, 2.2), ("LTE", 5.85, 11.7), ("WiFi", 18.88, 37.76)];
/// Times as fast as the device of the preset: its processor, and a graphics processor.
const DEVICES: [(&str, f64); 2] = [("CPU", 1.0), ("GPU", 10.0)];

pub(super) fn findings(sample: Sample) -> Result<Vec<Finding>, Error> {
    let mut findings = vec![
        neurosurgeon(Weights::from_alpha(0.0), "latency is 3.1 times shorter than in the cloud", sample)?,
        neurosurgeon(Weights::from_alpha(1.0), "the device's energy is 59.5 % less than with the cloud", sample)?,
    ];
    findings.extend([serving(20, sample)?, serving(40, sample)?]);
    Ok(findings)
}

/// Tasks served at one edge node, in the manner of Li et al.
fn serving(tasks: usize, sample: Sample) -> Result<Finding, Error> {
    let draws = (sample.applications / 10).max(4);
    let generator = ServingGenerator { tasks, ..ServingGenerator::default() };
    let mut random = random::stream(sample.seed, "reproduction of served layers");
    let others = [
        ServingRule::FixedLayers(0),
        ServingRule::FixedLayers(2),
        ServingRule::Random { seed: sample.seed },
        ServingRule::BestFit,
    ];
    let mut shares: Vec<Vec<f64>> = vec![Vec::new(); others.len() + 2];
    let (mut more, mut proved) = (Vec::new(), 0);
    for _ in 0..draws {
        let drawn = generator.draw(&mut random).map_err(|error| Error::Serving { reason: error.to_string() })?;
        let optimum = drawn.optimum();
        proved += usize::from(optimum.is_proved());
        let most = (optimum.bound as f64).max(1.0);
        let served = |rule: &ServingRule| rule.decide(&drawn).served() as f64;
        let rules = others.iter().chain(&[ServingRule::LiOffline, ServingRule::LiOnline]);
        shares.iter_mut().zip(rules).for_each(|(shares, rule)| shares.push(served(rule) / most));
        let best = others.iter().map(served).fold(0.0, f64::max);
        more.push(served(&ServingRule::LiOffline) - best);
    }
    let shown = others.iter().zip(&shares).map(|(rule, shares)| format!("{} {}", rule.name(), percent(shares)));
    let [offline, online] = [&shares[others.len()], &shares[others.len() + 1]];
    Ok(Finding {
        system: "Li et al. [23]".to_owned(),
        claim: "more tasks are served than by other schemes".to_owned(),
        measured_on: format!("{draws} draws of {tasks} networks at one edge node"),
        holds: Some(Spread::of(&more).low > 0.0),
        measured: format!(
            "{} of what the optimum serves at most, online {}; {}; the optimum is proved for {proved}",
            percent(offline),
            percent(online),
            shown.collect::<Vec<_>>().join(", ")
        ),
    })
}

/// One network over one link from one device.
struct Case {
    name: String,
    /// Every layer in the cloud, every layer on the device, and the best cut.
    cloud: f64,
    device: f64,
    best: f64,
    is_inside: bool,
}

fn cases(weights: Weights, sample: Sample) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for (network_name, network) in Network::NAMES {
        for (link, up, down) in LINKS {
            for (device, speed) in DEVICES {
                let mut scenario = GraphScenario::load("layers")?;
                scenario.device.uplink_mbps = up;
                scenario.device.downlink_mbps = down;
                scenario.device.frequency_mhz *= speed;
                scenario.application.source = Source::Generator(Generator::Network(network));
                for model in draw(&scenario, 1, sample)? {
                    let model = with(&model, weights, Limits::default())?;
                    cases.push(case(format!("{network_name}, {link}, {device}"), &model)?);
                }
            }
        }
    }
    Ok(cases)
}

fn case(name: String, model: &GraphModel) -> Result<Case, Error> {
    let cuts = Neurosurgeon::cuts(model, 1).map_err(mrdro::Error::from)?;
    let costs: Vec<f64> = cuts.iter().map(|cut| cut.outcome.cost).collect();
    let (Some(&cloud), Some(&device)) = (costs.first(), costs.last()) else {
        return Ok(Case { name, cloud: 0.0, device: 0.0, best: 0.0, is_inside: false });
    };
    let best = costs.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Case { name, cloud, device, best, is_inside: best < cloud.min(device) * (1.0 - 1e-9) })
}

fn neurosurgeon(weights: Weights, claim: &str, sample: Sample) -> Result<Finding, Error> {
    let cases = cases(weights, sample)?;
    let is_time = weights.time > 0.0;
    let against = |of: fn(&Case) -> f64| -> Vec<f64> {
        cases.iter().map(|case| if is_time { of(case) / case.best } else { 1.0 - case.best / of(case) }).collect()
    };
    let (cloud, end) = (against(|case| case.cloud), against(|case| case.cloud.min(case.device)));
    let spread = Spread::of(&cloud);
    let shown = |values: &[f64]| {
        if is_time {
            let Spread { mean, low, high, .. } = Spread::of(values);
            format!("{mean:.2} ({low:.2}–{high:.2}) times shorter")
        } else {
            format!("{} less", percent(values))
        }
    };
    let inside: Vec<&str> = cases.iter().filter(|case| case.is_inside).map(|case| case.name.as_str()).collect();
    Ok(Finding {
        system: "Neurosurgeon [24]".to_owned(),
        claim: claim.to_owned(),
        measured_on: "layers: 3 networks, 3 links, 2 devices".to_owned(),
        holds: Some(if is_time { spread.mean >= 3.1 } else { spread.mean >= 0.595 }),
        measured: format!(
            "{}; {} than the better of all here and all there; the best cut is inside the network for {} of {}{}",
            shown(&cloud),
            shown(&end),
            inside.len(),
            cases.len(),
            if inside.is_empty() { String::new() } else { format!(" ({})", inside.join("; ")) }
        ),
    })
}
