//! Prints, as JSON, the inputs and the scores of every round of a network for any fleet, for checks of other programs that
//! compute its forward pass: `cargo run -p model --example fleet_rounds > rounds.json`.

use model::fleet::{Features, FleetNetworks, Forward, INPUTS, Instance, Network, Scratch};
use serde_json::json;
use sim::{Scenario, Workload};

/// The sharpness of the softmax between two rounds.
const SHARPNESS: f32 = 3.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/any-fleet");
    let device = model::DeviceChoice::Auto.open()?.device;
    let record = model::Record::load(path.as_ref(), &device)?;
    let networks: &FleetNetworks = record.networks_of(FleetNetworks::KIND.description, path.as_ref())?;
    let network = &networks.ensemble.nets[1];
    let model = Scenario::load("shared-edges")?.check()?;
    let sizes: Vec<f64> = (0..model.task_count()).map(|task| 5.0 + (7 * task % 31) as f64).collect();
    let workload = Workload::from_mb(model.tasks(), &sizes);
    let instance = Instance::new(&model, workload.sizes_bytes());
    // The pass starts from the decision to leave every task on its device.
    let start = vec![0_u8; sizes.len()];
    let mut shares = vec![0.0; model.places() * sizes.len()];
    shares[..sizes.len()].fill(1.0);
    let (mut scratch, mut proposal, mut rounds) = (Scratch::default(), start.clone(), Vec::new());
    for count in 1..=network.rounds.len() {
        let mut inputs = vec![0.0; shares.len() * INPUTS];
        Features::default().write_rows(&instance, &shares, &mut inputs);
        // The scores of a round are the last ones of a network that ends with it.
        let beginning = Network { rounds: network.rounds[..count].to_vec() };
        Forward::new(&beginning).pass(&instance, &mut scratch, Some(&start), &mut proposal);
        rounds.push(json!({ "inputs": inputs, "scores": scratch.scores() }));
        shares = softmax(scratch.scores(), sizes.len());
    }
    let shape = [model.places(), model.devices(), model.tasks()];
    println!("{}", json!({ "network": 1, "shape": shape, "rounds": rounds }));
    Ok(())
}

/// Shares of each task over the places, `[places][tasks]`.
fn softmax(scores: &[f32], tasks: usize) -> Vec<f32> {
    let mut shares = scores.to_vec();
    for task in 0..tasks {
        let of_task = || (task..scores.len()).step_by(tasks);
        let highest = of_task().map(|index| scores[index]).fold(f32::NEG_INFINITY, f32::max);
        of_task().for_each(|index| shares[index] = (SHARPNESS * (scores[index] - highest)).exp());
        let total: f32 = of_task().map(|index| shares[index]).sum();
        of_task().for_each(|index| shares[index] /= total);
    }
    shares
}
