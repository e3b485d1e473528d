//! Your own scheme, compared with greedy and the exact optimum.
//!
//! ```sh
//! cargo run -p mrdro --example own_scheme
//! ```

use mrdro::prelude::*;
use sim::scheme::{Exact, Greedy, Order, Solution};
use sim::{CostModel, SchemeError};

/// A scheme that sends all tasks of a device to the place where one byte costs least.
struct EachAlone;

impl Scheme for EachAlone {
    fn name(&self) -> &'static str {
        "each-alone"
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        let mut places = Vec::with_capacity(model.task_count());
        for device in 0..model.devices() {
            let costs: Vec<f64> = model
                .rates(device)
                .iter()
                .map(|rate| model.weigh(rate.energy_j_per_byte, rate.time_s_per_byte))
                .collect();
            let cheapest = (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
            places.extend(vec![cheapest as u8; model.tasks()]);
        }
        let decision = Decision::from_places(workload.tasks(), places);
        // The cost model evaluated no whole decision.
        Ok(Solution { decision, evaluations: 0 })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let problem = Problem::load("paper-wan")?;
    let schemes: Vec<Box<dyn Scheme>> =
        vec![Box::new(EachAlone), Box::new(Greedy::new(Order::LargestFirst)), Box::new(Exact::new())];
    for row in mrdro::evaluate_all(schemes, &problem.standard_set()?)?.evaluations {
        println!("{:24} Q2 {:.5}", row.scheme, row.q2.unwrap_or(f64::NAN));
    }
    Ok(())
}
