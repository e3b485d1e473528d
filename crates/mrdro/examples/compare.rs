//! Compares a record with every classic scheme, the exact optimum included.
//!
//! ```sh
//! cargo run -p mrdro --example compare
//! ```

use std::path::Path;

use mrdro::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = DeviceChoice::Auto.open()?.device;
    let problem = Problem::load("shared-edge")?;
    // Networks for any fleet, whose training did not see this one.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/any-fleet");
    let records = [("any-fleet".to_owned(), Record::load(&path, &device)?)];

    let schemes = mrdro::with_classic(&records, &problem.model, 1, &device);
    let comparison = mrdro::evaluate_all(schemes, &problem.standard_set()?)?;
    for row in &comparison.evaluations {
        let (q2, cost) = (row.q2.unwrap_or(f64::NAN), row.mean_cost);
        println!("{:24} Q2 {q2:.5}  cost {cost:8.2}  {:6.0} evaluations", row.scheme, row.evaluations_per_decision);
    }
    for (scheme, reason) in &comparison.left_out {
        println!("{scheme} is left out: {reason}");
    }
    Ok(())
}
