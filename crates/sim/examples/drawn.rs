//! Tries.
use sim::scheme::{self, Annealing, Scheme};
use sim::{Fleets, Part, SizeSampler, Workloads, random};
use std::error::Error;
fn main() -> Result<(), Box<dyn Error>> {
    for devices in [1, 3, 10, 30, 50] {
        let names =
            ["greedy", "greedy-largest-first", "local-search@16", "local-search", "annealing@16", "annealing@100"];
        let mut sums = [0.0; 6];
        let (mut count, mut local, mut coupled) = (0.0, 0.0, 0);
        let mut random = random::stream(5, "try");
        for _ in 0..60 {
            let tasks = 1 + random::below(&mut random, 10);
            let edges = 1 + random::below(&mut random, 3);
            let scenario = Fleets::default().draw_shaped(devices, tasks, edges, &mut random);
            let model = scenario.check()?;
            let mut source = Workloads::new(
                &scenario,
                SizeSampler::new(&scenario)?,
                Part::HeldOut,
                random::stream(random::below(&mut random, 1000) as u64, "fleets"),
            );
            let workload = source.draw();
            let mut costs = vec![];
            for name in names {
                let s = scheme::by_name(name, &model, 1)?.decide(&model, &workload)?;
                costs.push(model.cost(workload.sizes_bytes(), s.decision.places()));
            }
            let s = Annealing::new(2, 2000).decide(&model, &workload)?;
            let mut best = model.cost(workload.sizes_bytes(), s.decision.places());
            for c in &costs {
                best = best.min(*c);
            }
            for (sum, c) in sums.iter_mut().zip(&costs) {
                *sum += best / c;
            }
            local += s.decision.places().iter().filter(|p| **p == 0).count() as f64 / model.task_count() as f64;
            count += 1.0;
            coupled += usize::from(!model.is_separable());
        }
        println!(
            "{devices}: local {:.3} coupled {coupled} {:?}",
            local / count,
            names.iter().zip(sums).map(|(n, s)| format!("{n} {:.4}", s / count)).collect::<Vec<_>>()
        );
    }
    Ok(())
}
