//! How many tasks rules serve at one edge node, beside the most that can be served: `cargo run -p sim --example layer_serving`.

use std::error::Error;

use sim::graph::layer_serving::{ServingGenerator, ServingRule};
use sim::random;

const DRAWS: u64 = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let rules = [
        ServingRule::FixedLayers(0),
        ServingRule::FixedLayers(2),
        ServingRule::Random { seed: 3 },
        ServingRule::BestFit,
        ServingRule::LiOnline,
        ServingRule::LiOffline,
    ];
    for tasks in [10, 20, 40, 60] {
        let mut random = random::stream(2, "serving");
        let generator = ServingGenerator { tasks, ..ServingGenerator::default() };
        let mut served = [0; 6];
        let (mut most, mut bound, mut proved) = (0, 0, 0);
        for _ in 0..DRAWS {
            let serving = generator.draw(&mut random)?;
            for (served, rule) in served.iter_mut().zip(rules) {
                *served += rule.decide(&serving).served();
            }
            let optimum = serving.optimum();
            most += optimum.decision.served();
            bound += optimum.bound;
            proved += u64::from(optimum.is_proved());
        }
        println!("\n{DRAWS} draws of {tasks} tasks");
        for (rule, served) in rules.iter().zip(served) {
            println!("{:18} {served:5}", rule.name());
        }
        println!("{:18} {most:5}, at most {bound}, proved for {proved} draws", "optimum");
    }
    Ok(())
}
