//! Cuts a real network between a device and a worker, both in this process and joined by a slow link, where Neurosurgeon
//! says, and shows predicted beside measured latency for every cut.
//!
//! ```sh
//! cargo run -p trainer --features remote --example split_network -- --out split
//! ```
//!
//! A network in the manner of MobileNet runs its first layers on the device and the others on a worker behind a slow link,
//! which a relay in this process plays. The device is this machine, made slower by running each of its layers several times.
//! It writes `split.csv`, `split.svg`, `split.png`, the measured layers of both sides (`device.csv`, `worker.csv`) and a
//! `scenario.toml` that names them, for `trainer compare` and `trainer scenario check`.

mod link;
mod measurement;
mod network;
mod prediction;
mod report;

use std::path::PathBuf;

use clap::Parser;
use model::DeviceChoice;

use crate::link::{LinkRates, ThrottledLink};
use crate::measurement::{Cuts, LayerTimes, Sides, Worker};
use crate::network::Network;
use crate::prediction::MeasuredNetwork;
use crate::report::Comparison;

/// Any error of this program.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Sides of the images of the networks to which the regression is fitted, as shares of the side of the network that is cut.
const OTHER_SIDES: [f64; 3] = [0.5, 0.75, 1.25];

/// Cuts a network between a device and a worker at every layer, and compares predicted with measured latency.
#[derive(Debug, Parser)]
struct Options {
    /// Rate from the device to the worker in Mbit/s
    #[arg(long, default_value_t = 3.0, value_parser = positive)]
    uplink_mbps: f64,
    /// Rate from the worker to the device in Mbit/s
    #[arg(long, default_value_t = 10.0, value_parser = positive)]
    downlink_mbps: f64,
    /// Time that every byte takes in addition, each way, in ms
    #[arg(long, default_value_t = 5.0, value_parser = not_negative)]
    latency_ms: f64,
    /// Height and width of the input image
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u16).range(32..=512))]
    side: u16,
    /// Channels of each layer as a share of MobileNet's
    #[arg(long, default_value_t = 0.5, value_parser = width)]
    width: f64,
    /// The number of times that each layer runs on the device, which slows the device down by this factor
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    slowdown: u16,
    /// How often everything is measured; medians are taken
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeats: u16,
    /// Seed of the weights and the image
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Backend of the worker: flex or ndarray, as far as it was built in
    #[arg(long, default_value = "flex")]
    worker: String,
    /// Folder for the results
    #[arg(long, default_value = "split")]
    out: PathBuf,
}

fn number(text: &str, is_good: impl Fn(f64) -> bool, wanted: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value| is_good(*value)).ok_or_else(|| format!("must be {wanted}"))
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, |value| (1e-3..=1e6).contains(&value), "a number from 0.001 to 1000000")
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |value| (0.0..=1e4).contains(&value), "a number from 0 to 10000")
}

fn width(text: &str) -> Result<f64, String> {
    number(text, |value| (0.05..=2.0).contains(&value), "a number from 0.05 to 2")
}

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let comparison = run(&options, &|text| eprintln!("{text}"))?;
    println!("{}", comparison.text());
    println!("results are in {}", options.out.display());
    Ok(())
}

fn run(options: &Options, note: &dyn Fn(&str)) -> Result<Comparison, Failure> {
    mrdro::files::create_folder(&options.out)?;
    let here = DeviceChoice::Flex.open()?.device;
    let lent = match options.worker.parse::<DeviceChoice>()? {
        choice @ (DeviceChoice::Flex | DeviceChoice::NdArray) => choice.open()?.device,
        _ => return Err("--worker must be flex or ndarray".into()),
    };
    let rates = LinkRates {
        up_bytes_per_s: sim::units::bytes_per_second_from_mbps(options.uplink_mbps),
        down_bytes_per_s: sim::units::bytes_per_second_from_mbps(options.downlink_mbps),
        latency_s: options.latency_ms / 1e3,
    };
    let worker = Worker::start(lent)?;
    let link = ThrottledLink::start(worker.address(), rates)?;
    let (direct, far) = (measurement::connect(worker.address())?, measurement::connect(link.address())?);
    let [slowdown, repeats] = [options.slowdown, options.repeats].map(usize::from);
    let side = usize::from(options.side);
    let network = |side: usize| Network::new(side, options.width, options.seed, &here);
    let other_sides = OTHER_SIDES.map(|share| (share * side as f64).round() as usize);
    let networks: Vec<Network> = std::iter::once(side).chain(other_sides).map(network).collect();
    note("running every cut of the network once");
    let mut cuts = Cuts::new(&networks[0], Sides { here: &here, far: &far, link: &link, slowdown })?;
    note("measuring the protocol");
    let overhead = measurement::overhead(&networks[0], &link, [&far, &direct], repeats)?;

    let mut near: Vec<_> = networks.iter().map(|network| LayerTimes::new(network, &here)).collect();
    let mut there: Vec<_> = networks.iter().map(|network| LayerTimes::new(network, &direct)).collect();
    // Each round measures everything once, so that layers and cuts see the same machine, however busy it is.
    for round in 0..=repeats {
        note(&format!("measuring layers and cuts, round {round} of {repeats}"));
        near.iter_mut().try_for_each(|layers| layers.time_here(slowdown))?;
        there.iter_mut().try_for_each(LayerTimes::time_there)?;
        if round == 0 {
            near.iter_mut().chain(&mut there).for_each(LayerTimes::forget);
        } else {
            cuts.time()?;
        }
    }
    let times = near.iter().zip(&there).map(|(near, there)| (near.medians_s(), there.medians_s()));
    let measured = networks.into_iter().zip(times);
    let measured: Vec<MeasuredNetwork> =
        measured.map(|(network, (here_s, there_s))| MeasuredNetwork { network, here_s, there_s }).collect();
    let predictions = prediction::predict(&measured[0], &measured[1..], (&rates, &overhead), &options.out)?;
    let comparison = Comparison::new(&measured[0].network, predictions, overhead, &cuts.measured());
    comparison.write(&options.out)?;
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_network_is_cut_everywhere_with_the_same_result() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let out = folder.path().join("split");
        let options = Options {
            uplink_mbps: 200.0,
            downlink_mbps: 200.0,
            latency_ms: 1.0,
            side: 32,
            width: 0.125,
            slowdown: 2,
            repeats: 2,
            seed: 1,
            worker: "flex".to_owned(),
            out: out.clone(),
        };
        let comparison = run(&options, &|_| {}).expect("it runs");
        assert_eq!(comparison.rows.len(), 21);
        for row in &comparison.rows {
            let is_sent = row.layers_on_device < 20;
            assert!(
                row.least_ms > 0.0 && row.least_ms <= row.measured_ms && row.measured_ms <= row.greatest_ms,
                "{row:?}"
            );
            // A latency each way, and more bytes than those of the tensor; nothing at all if everything is here.
            assert!(!is_sent || (row.least_ms > 2.0 && row.link_bytes_up as f64 > row.tensor_bytes), "{row:?}");
            assert!(is_sent || (row.link_bytes_up, row.link_bytes_down) == (0, 0), "{row:?}");
            assert!(row.from_layers_ms > 0.0 && row.from_regression_ms > 0.0 && row.from_rates_ms > 0.0, "{row:?}");
        }
        let text = comparison.text();
        assert!(text.contains("pointwise8") && text.contains("fastest as measured"), "{text}");
        for name in ["split.csv", "split.svg", "split.png", "device.csv", "worker.csv"] {
            assert!(out.join(name).is_file(), "{name}");
        }
        let scenario = out.join("scenario.toml");
        let problem = mrdro::graphs::GraphProblem::load(scenario.to_str().expect("a plain path")).expect("valid");
        assert_eq!(problem.standard_set().expect("layers")[0].tasks(), 20 + 2);
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for wrong in
            [["--uplink-mbps", "0"], ["--latency-ms", "-1"], ["--side", "8"], ["--width", "nan"], ["--repeats", "0"]]
        {
            assert!(Options::try_parse_from(["split_network"].into_iter().chain(wrong)).is_err(), "{wrong:?}");
        }
    }
}
