//! What the cost model predicts for every cut, from measured layers, from regressions and from plain rates.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use mrdro::files;
use mrdro::graphs::GraphProblem;
use serde::Serialize;
use sim::graph::scheme::{GraphScheme, Neurosurgeon};
use sim::graph::{GraphModel, LayerWork};
use sim::random;
use sim::units::BYTES_PER_MB;

use crate::Failure;
use crate::link::LinkRates;
use crate::measurement::Overhead;
use crate::network::{NamedLayer, Network};

/// The latency that is predicted for every cut.
#[derive(Debug)]
pub(crate) struct Prediction {
    /// For each number of layers on the device, in seconds.
    pub(crate) latencies_s: Vec<f64>,
    /// The number of layers on the device for which Neurosurgeon decides.
    pub(crate) chosen: usize,
}

/// The three predictions.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// From the measured times of the very layers.
    pub(crate) from_layers: Prediction,
    /// From regressions, fitted to layers of other sizes.
    pub(crate) from_regression: Prediction,
    /// From operations and one rate for each side.
    pub(crate) from_rates: Prediction,
    /// The regressions of both sides, for people.
    pub(crate) regressions: Vec<String>,
}

/// A row of a table of measured layers, as a scenario's `layer_times` names it.
#[derive(Debug, Clone, Serialize)]
struct LayerTimeRow {
    layer: String,
    kind: &'static str,
    mflop: f64,
    weights_mb: f64,
    input_kb: f64,
    output_kb: f64,
    seconds: f64,
}

/// Layers that were measured on both sides.
#[derive(Debug, Clone)]
pub(crate) struct MeasuredNetwork {
    pub(crate) network: Network,
    /// The time of each layer on the device, in seconds.
    pub(crate) here_s: Vec<f64>,
    /// The time of each layer on the worker, in seconds.
    pub(crate) there_s: Vec<f64>,
}

/// Writes the measured layers of other sizes and a scenario that names them into a folder, and predicts the latency of every
/// cut of a network.
pub(crate) fn predict(
    measured: &MeasuredNetwork,
    others: &[MeasuredNetwork],
    (rates, overhead): (&LinkRates, &Overhead),
    folder: &Path,
) -> Result<Predictions, Failure> {
    let table = |times: fn(&MeasuredNetwork) -> &[f64]| {
        let rows = others.iter().flat_map(|other| other.network.layers.iter().zip(times(other)).map(row));
        files::csv(&rows.collect::<Vec<_>>())
    };
    files::write_file(&folder.join("device.csv"), table(|other| &other.here_s).as_bytes())?;
    files::write_file(&folder.join("worker.csv"), table(|other| &other.there_s).as_bytes())?;
    let path = folder.join("scenario.toml");
    files::write_file(&path, scenario(measured, rates, overhead).as_bytes())?;
    let with_regression = problem(&path)?;
    let mut with_rates = with_regression.scenario.clone();
    with_rates.device.layer_times = None;
    with_rates.servers.iter_mut().for_each(|server| server.layer_times = None);

    let draw = |scenario: &sim::graph::GraphScenario| -> Result<GraphModel, Failure> {
        let application = scenario.draw(&mut random::stream(1, "split network")).ok_or("the scenario has layers")?;
        Ok(scenario.model(application)?)
    };
    let by_rates = draw(&with_rates)?;
    // Layer i is task i + 1, behind the task that has the input.
    let by_layers = by_rates.with_run_times(|task, place| {
        let times_s = if place == 0 { &measured.here_s } else { &measured.there_s };
        task.checked_sub(1).and_then(|layer| times_s.get(layer)).copied()
    })?;
    let regressions = with_regression
        .scenario
        .layer_times()
        .filter_map(|(place, times)| Some(format!("{place}: {}", times.regression()?)));
    Ok(Predictions {
        regressions: regressions.collect(),
        from_layers: of_model(&by_layers, overhead)?,
        from_regression: of_model(&draw(&with_regression.scenario)?, overhead)?,
        from_rates: of_model(&by_rates, overhead)?,
    })
}

fn problem(path: &Path) -> Result<GraphProblem, Failure> {
    let path: PathBuf = std::path::absolute(path)?;
    Ok(GraphProblem::load(path.to_str().ok_or("the folder of --out must have a name in UTF-8")?)?)
}

fn row((named, seconds): (&NamedLayer, &f64)) -> LayerTimeRow {
    let LayerWork { operations, weights_bytes, input_bytes, output_bytes } = named.work;
    LayerTimeRow {
        layer: format!("{}-{}", named.name, input_bytes),
        kind: named.kind.name(),
        mflop: operations / 1e6,
        weights_mb: weights_bytes / BYTES_PER_MB,
        input_kb: input_bytes / 1e3,
        output_kb: output_bytes / 1e3,
        seconds: *seconds,
    }
}

/// The scenario of a network. The rates are those of the link with the time that the protocol takes for each byte, the
/// frequencies all operations divided by the time of all layers.
fn scenario(measured: &MeasuredNetwork, rates: &LinkRates, overhead: &Overhead) -> String {
    let layers = &measured.network.layers;
    let operations: f64 = layers.iter().map(|named| named.work.operations).sum();
    let mhz = |times_s: &[f64]| operations / times_s.iter().sum::<f64>() / 1e6;
    let mbps = |bytes_per_s: f64, s_per_byte: f64| 8e-6 / (1.0 / bytes_per_s + s_per_byte);
    let mut text = format!(
        "# cargo run -p trainer -- compare --scenario scenario.toml\n\
         #\n\
         # The layers of a network between a device and a worker, as crates/trainer/examples/split_network measured them.\n\
         name = \"split-network\"\nkind = \"graph\"\nalpha = 0                               # time alone\n\n\
         [devices]\nfrequency_mhz = {}\nlayer_times = \"device.csv\"\nuplink_mbps = {}\ndownlink_mbps = {}\n\n\
         [application]\ntiming = \"serial\"\ntransfer = \"edge\"\npinned = \"ends\"\n\n\
         [application.graph]\ninput_kb = {}\n",
        mhz(&measured.here_s),
        mbps(rates.up_bytes_per_s, overhead.up_s_per_byte),
        mbps(rates.down_bytes_per_s, overhead.down_s_per_byte),
        layers[0].work.input_bytes / 1e3,
    );
    for NamedLayer { name, kind, work, .. } in layers {
        let (mflop, weights_mb) = (work.operations / 1e6, work.weights_bytes / BYTES_PER_MB);
        let output_kb = work.output_bytes / 1e3;
        let _ = write!(
            text,
            "\n[[application.graph.layer]]\nname = \"{name}\"\nkind = \"{kind}\"\nmflop = {mflop}\nweights_mb = {weights_mb}\n\
             output_kb = {output_kb}\n"
        );
    }
    let _ = write!(
        text,
        "\n[[servers]]\nname = \"worker\"\ntier = \"edge\"\nfrequency_mhz = {}\nlayer_times = \"worker.csv\"\n",
        mhz(&measured.there_s)
    );
    text
}

/// The latencies of a model to which the overhead is added: the description of each layer that runs on the worker goes over
/// the link, and every cut but the last has one round trip, which stands with the last layer there.
fn of_model(model: &GraphModel, overhead: &Overhead) -> Result<Prediction, Failure> {
    let layers = overhead.layer_bytes.len();
    let up_s_per_byte = model.transfer_s_per_byte(0, 1);
    let model = model.with_run_times(|task, place| {
        let layer = task.checked_sub(1).filter(|layer| place == 1 && *layer < layers)?;
        let last_s = if layer + 1 == layers { overhead.round_trip_s } else { 0.0 };
        Some(model.run_s(task, place) + overhead.layer_bytes[layer] * up_s_per_byte + last_s)
    })?;
    // The tasks that have the input and take the output are on the device in every cut.
    let cuts = Neurosurgeon::cuts(&model, 1)?;
    let latencies_s = cuts[1..=layers + 1].iter().map(|cut| cut.outcome.time_s).collect();
    let places = Neurosurgeon.decide(&model)?.places;
    let chosen = places[1..=layers].iter().take_while(|place| **place == 0).count();
    Ok(Prediction { latencies_s, chosen })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::link::LinkBytes;

    /// Times that follow from the work by one rule, so that the regression must find them.
    fn measured(side: usize, s_per_byte: f64) -> MeasuredNetwork {
        let network = Network::new(side, 0.25, 1, &Device::flex());
        let here_s: Vec<f64> = network.layers.iter().map(|named| 1e-4 + s_per_byte * named.work.input_bytes).collect();
        let there_s = here_s.iter().map(|seconds| seconds / 10.0).collect();
        MeasuredNetwork { network, here_s, there_s }
    }

    #[test]
    fn predictions_are_sums_of_what_was_measured() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (whole, others) = (measured(64, 2e-7), [measured(32, 2e-7), measured(48, 2e-7), measured(80, 2e-7)]);
        let layers = whole.network.layers.len();
        let rates = LinkRates { up_bytes_per_s: 1e6, down_bytes_per_s: 4e6, latency_s: 0.005 };
        let overhead = Overhead {
            round_trip_s: 0.011,
            round_trip_bytes: LinkBytes { up: 500, down: 100 },
            up_s_per_byte: 1e-7,
            down_s_per_byte: 0.0,
            layer_bytes: (0..layers).map(|layer| 300.0 + layer as f64).collect(),
        };
        let predictions = predict(&whole, &others, (&rates, &overhead), folder.path()).expect("it is predicted");
        for (on_device, found) in predictions.from_layers.latencies_s.iter().enumerate() {
            let here_s: f64 = whole.here_s[..on_device].iter().sum();
            let there_s: f64 = whole.there_s[on_device..].iter().sum();
            let sent_bytes = whole.network.layers.get(on_device).map_or(0.0, |named| named.work.input_bytes);
            let described: f64 = overhead.layer_bytes[on_device..].iter().sum();
            let far_s = there_s + (sent_bytes + described) * 1.1e-6 + 400.0 / 4e6 + 0.011;
            let expected = if on_device < layers { here_s + far_s } else { here_s };
            assert!((found - expected).abs() < 1e-9 * expected, "{on_device} layers here: {found} {expected}");
        }
        let best = |prediction: &Prediction| {
            let latencies_s = prediction.latencies_s.iter().enumerate();
            latencies_s.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(on_device, _)| on_device)
        };
        for prediction in [&predictions.from_layers, &predictions.from_regression, &predictions.from_rates] {
            assert_eq!(Some(prediction.chosen), best(prediction));
        }
        let (from_layers, from_regression) =
            (&predictions.from_layers.latencies_s, &predictions.from_regression.latencies_s);
        for (a, b) in from_layers.iter().zip(from_regression) {
            assert!((a - b).abs() < 1e-6 * a, "{a} {b}");
        }
    }
}
