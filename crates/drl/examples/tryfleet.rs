use drl::fleet::*;
use model::fleet::*;
use sim::scheme::*;
use sim::{Fleets, Part, SizeSampler, Workloads, random, Workload, CostModel};
use std::time::Instant;
struct Test { devices: usize, set: Vec<(CostModel, Workload, f64)> }
fn tests() -> Vec<Test> {
    [1, 3, 10, 30, 50].into_iter().map(|devices| {
        let mut random = random::stream(5, "try");
        let set = (0..if devices > 20 { 60 } else { 150 }).map(|_| {
            let tasks = 1 + random::below(&mut random, 10);
            let edges = 1 + random::below(&mut random, 3);
            let scenario = Fleets::default().draw_shaped(devices, tasks, edges, &mut random);
            let model = scenario.check().unwrap();
            let mut source = Workloads::new(&scenario, SizeSampler::new(&scenario).unwrap(), Part::HeldOut, random::stream(random::below(&mut random, 1000) as u64, "fleets"));
            let workload = source.draw();
            let mut best = f64::INFINITY;
            for name in ["local-search", "annealing@1000"] {
                let s = by_name(name, &model, 1).unwrap().decide(&model, &workload).unwrap();
                best = best.min(model.cost(workload.sizes_bytes(), s.decision.places()));
            }
            (model, workload, best)
        }).collect();
        Test { devices, set }
    }).collect()
}
fn evaluate(forward: &FleetForward, tests: &[Test]) {
    let mut scratch = FleetScratch::default();
    for test in tests {
        let mut sums = [0.0; 8];
        let mut micros = 0.0;
        for (model, workload, best) in &test.set {
            let bytes = workload.sizes_bytes();
            let instance = Instance::new(model, bytes);
            let greedy = Greedy::new(Order::LargestFirst).decide(model, workload).unwrap().decision.places().to_vec();
            let price = |d: &[u8]| model.cost(bytes, d);
            let mut c = [0.0; 8];
            c[0] = price(&greedy);
            let mut d = greedy.clone();
            let mut b = (c[0], greedy.clone());
            let begin = Instant::now();
            for pass in 0..2 {
                forward.pass(&instance, &mut scratch, &mut d);
                if price(&d) < b.0 { b = (price(&d), d.clone()); }
                c[1 + pass] = b.0;
            }
            micros += begin.elapsed().as_secs_f64() * 0.5e6;
            let mut f = greedy.clone();
            let mut fb = f64::INFINITY;
            for pass in 0..4 {
                if pass == 0 { forward.first_pass(&instance, &mut scratch, &mut f); } else { forward.pass(&instance, &mut scratch, &mut f); }
                fb = fb.min(price(&f));
                if pass == 0 { c[3] = fb; }
            }
            c[4] = fb;
            let n = bytes.len() as u64;
            let used = n * model.places() as u64;
            let mut e = greedy.clone();
            improve_within(model, bytes, &mut e, 16 * n - used);
            c[5] = price(&e);
            let mut e = b.1.clone();
            improve_within(model, bytes, &mut e, 16 * n - used - 2);
            c[6] = price(&e);
            let mut priced = sim::IncrementalCost::new(model);
            priced.set(bytes, &b.1);
            search(forward, &instance, &mut scratch, &mut priced, 16 * n - used - 2);
            c[7] = priced.cost();
            for (s, c) in sums.iter_mut().zip(c) { *s += (best / c).min(1.0); }
        }
        let n = test.set.len() as f64;
        let q: Vec<String> = sums.iter().map(|s| format!("{:.4}", s / n)).collect();
        println!("  {:2}: greedy {} +1 {} +2 {} | free1 {} free4 {} | ls16 {} +2ls16 {} +2guided {}  {:.0} us/pass", test.devices, q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], micros / n);
    }
}
fn main() {
    let arg = |i: usize, d: f64| std::env::args().nth(i).map_or(d, |s| s.parse().unwrap());
    let shape = FleetShape { width: arg(1, 16.0) as usize, rounds: arg(2, 3.0) as usize };
    let steps = arg(3, 2000.0) as usize;
    let settings = FleetSettings { nets: 1, shape, steps, rows: arg(4, 4000.0) as usize, most_cases: 64, buffer: arg(5, 64.0) as usize, learning_rate: arg(6, 3e-3), final_learning_rate: 1e-4, flips: arg(7, 8.0) as usize, sweeps: arg(8, 1.0) as usize, fleets: Fleets::default() };
    let tests = tests();
    let device = burn::tensor::Device::flex();
    if steps == 0 {
        let net = FleetNet::from_bytes(&std::fs::read(format!("/tmp/net{}.bin", std::env::var("NET").unwrap_or_default())).unwrap(), shape, &device).unwrap();
        evaluate(&FleetForward::new(&net), &tests);
        return;
    }
    let mut agent = FleetAgent::new(settings, 1, &device);
    let begin = Instant::now();
    let (mut loss, mut gain) = (0.0, 0.0);
    let every = (steps / 4).max(1);
    for step in 1..=steps {
        loss += agent.advance();
        gain += agent.mean_gain;
        if step % every == 0 {
            std::fs::write(format!("/tmp/net{}.bin", std::env::var("NET").unwrap_or_default()), agent.nets()[0].to_bytes().unwrap()).unwrap();
            println!("step {step} {:.1} s loss {:.4} gain {:.4}", begin.elapsed().as_secs_f64(), loss / every as f32, gain / every as f64);
            (loss, gain) = (0.0, 0.0);
            evaluate(&agent.forwards()[0], &tests);
        }
    }
}
