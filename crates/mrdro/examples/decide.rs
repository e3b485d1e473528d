//! Decides workloads with a trained record.
//!
//! ```sh
//! cargo run -p mrdro --example decide
//! ```

use std::path::Path;

use mrdro::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = DeviceChoice::Auto.open()?.device;
    // The record that ships with the project, and the scenario that it was trained for.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/paper-wan");
    let (record, problem) = mrdro::load_record(&path, None, false, &device)?;
    let mut scheme = record.networks.scheme("mr-dro", &problem.model, &DecisionOptions::default(), &device);

    // Three devices with three tasks each, in MB.
    let workload = Workload::from_mb(3, &[12.0, 25.5, 18.0, 20.1, 11.0, 29.9, 15.0, 15.0, 15.0]);
    let solution = scheme.decide(&problem.model, &workload)?;
    let outcome = problem.model.evaluate(&workload, &solution.decision);

    for (device, row) in solution.decision.rows().enumerate() {
        let places: Vec<_> =
            row.map(|placement| problem.model.place_names()[usize::from(placement.index())].as_str()).collect();
        println!("device {device}: {}", places.join(", "));
    }
    println!("{:.1} J, {:.1} s, cost {:.2}", outcome.energy_j, outcome.time_s, outcome.cost);
    Ok(())
}
