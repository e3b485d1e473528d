//! The optimum against a mixed-integer linear model, written from the equations and solved by others.

use std::cell::Cell;

use data::{Part, SizeSampler, Workloads};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Solution, SolveOptions, Variable};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use sim::scheme::{Exact, Scheme};
use sim::units::{BYTES_PER_MB, bytes_per_second_from_mbps, hertz_from_mhz, joules_from_nj};
use sim::{CostModel, Scenario, SchemeError, Workload, random};

use crate::common::{any_or_nothing_shared, any_scenarios};

/// Nodes of branch and bound, about a second's, after which a case drawn at random must do with bounds.
const NODES: u64 = 5_000;

/// Seconds and joules of one MB, on own and on shared resources. All values come from the scenario, none from the cost
/// model.
struct Rates {
    energy_j: f64,
    send_s: f64,
    own_compute_s: f64,
    shared_compute_s: f64,
    shared_link_s: f64,
}

fn rates(scenario: &Scenario, device: usize, place: usize) -> Rates {
    use sim::scenario::Sharing::Shared;
    let per_mb = |joules_a_byte: f64| joules_a_byte * BYTES_PER_MB;
    let instructions = scenario.instructions_per_byte.at(device);
    if place == 0 {
        let devices = &scenario.devices;
        return Rates {
            energy_j: per_mb(instructions * joules_from_nj(devices.energy_per_instruction_nj.at(device))),
            send_s: 0.0,
            own_compute_s: per_mb(instructions / hertz_from_mhz(devices.frequency_mhz.at(device))),
            shared_compute_s: 0.0,
            shared_link_s: 0.0,
        };
    }
    let server = &scenario.servers[place - 1];
    let compute_s = per_mb(instructions / hertz_from_mhz(server.frequency_mhz));
    let link_s = |mbps: f64| per_mb(1.0 / bytes_per_second_from_mbps(mbps));
    let uplink = scenario.devices.uplink_mbps.at(device);
    let (is_shared, has_shared_link) = (server.sharing == Shared, server.link_sharing == Shared);
    let own_link = server.link_mbps.as_ref().filter(|_| !has_shared_link).map_or(uplink, |link| link.at(device));
    Rates {
        energy_j: per_mb(
            instructions * joules_from_nj(server.energy_per_instruction_nj)
                + joules_from_nj(scenario.transmit_energy_nj_per_byte.at(device)),
        ),
        send_s: link_s(own_link),
        own_compute_s: if is_shared { 0.0 } else { compute_s },
        shared_compute_s: if is_shared { compute_s } else { 0.0 },
        shared_link_s: if has_shared_link { link_s(server.link_mbps.as_ref().expect("it has one").at(0)) } else { 0.0 },
    }
}

/// Bounds of the optimum: no decision costs less than the first number, and one decision costs the second. Both are
/// equal where the solver ends within its limit.
#[derive(Debug)]
struct Oracle {
    lower: f64,
    cost: f64,
}

/// min α Σ e w x + (1 − α) Σ T_n over x (which task is where), u (who has a task where) and T_n.
fn optimum(scenario: &Scenario, workload: &Workload, node_limit: Option<u64>) -> Oracle {
    let (tasks, places) = (workload.tasks(), scenario.servers.len() + 1);
    let sizes_mb: Vec<f64> = workload.sizes_bytes().iter().map(|bytes| bytes / BYTES_PER_MB).collect();
    let alpha = scenario.alpha;
    let uplink_s =
        scenario.devices.shared_uplink_mbps.map_or(0.0, |mbps| BYTES_PER_MB / bytes_per_second_from_mbps(mbps));
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let mut chosen: Vec<Vec<Variable>> = Vec::new();
    for (task, size) in sizes_mb.iter().enumerate() {
        let energy = |place: usize| alpha * size * rates(scenario, task / tasks, place).energy_j;
        chosen.push((0..places).map(|place| problem.add_binary_var(energy(place))).collect());
        let all: Vec<_> = chosen[task].iter().map(|one| (*one, 1.0)).collect();
        problem.add_constraint(&all[..], ComparisonOp::Eq, 1.0);
    }
    for device in 0..scenario.devices.count {
        let time_s = problem.add_var(1.0 - alpha, (0.0, f64::INFINITY));
        let own = device * tasks..(device + 1) * tasks;
        for place in 0..places {
            let rate = rates(scenario, device, place);
            let is_used = problem.add_var(0.0, (0.0, 1.0));
            for task in own.clone() {
                problem.add_constraint(&[(is_used, 1.0), (chosen[task][place], -1.0)][..], ComparisonOp::Ge, 0.0);
            }
            // Each of the three that sending can take, and then computing: T_n ≥ that, if the place is used.
            let hops = [(rate.send_s, 0.0, 0.0), (0.0, rate.shared_link_s, 0.0), (0.0, 0.0, uplink_s)];
            for (send_s, link_s, uplink_s) in hops.into_iter().take(if place == 0 { 1 } else { 3 }) {
                let mut terms = vec![(time_s, 1.0)];
                let mut most_s = 0.0;
                for (task, size) in sizes_mb.iter().enumerate() {
                    let is_own = f64::from(u8::from(own.contains(&task)));
                    let here_s = size * (is_own * (send_s + rate.own_compute_s) + link_s + rate.shared_compute_s);
                    for (other, one) in chosen[task].iter().enumerate() {
                        let there_s = if other > 0 { size * uplink_s } else { 0.0 };
                        let seconds = there_s + if other == place { here_s } else { 0.0 };
                        if seconds > 0.0 {
                            terms.push((*one, -seconds));
                        }
                    }
                    most_s += here_s + size * uplink_s;
                }
                terms.push((is_used, -most_s));
                problem.add_constraint(&terms[..], ComparisonOp::Ge, -most_s);
            }
        }
    }
    let mut options = SolveOptions::default();
    options.node_limit = node_limit;
    let outcome = problem.solve_with(options).expect("everything can run locally");
    let cost = outcome.solution().map_or(f64::INFINITY, Solution::objective);
    if outcome.is_optimal() {
        return Oracle { lower: cost, cost };
    }
    Oracle { lower: outcome.stats().best_bound.unwrap_or(0.0), cost }
}

/// The optimum is the oracle's; where either search ends before, what both know of it must agree. Whether both ended.
fn check(scenario: &Scenario, workload: &Workload, node_limit: Option<u64>) -> Result<bool, String> {
    let model = scenario.check().expect("valid");
    let oracle = optimum(scenario, workload, node_limit);
    let (lower, cost, is_proved) = match Exact::new().decide(&model, workload) {
        Ok(solution) => {
            let cost = model.evaluate(workload, &solution.decision).cost;
            (cost, cost, true)
        }
        Err(SchemeError::NotProved { .. }) => {
            let found = Exact::new().bounds(&model, workload).expect("something is shared");
            (found.lower, found.cost, false)
        }
        Err(error) => return Err(error.to_string()),
    };
    let slack = 1e-6 * cost;
    if lower <= oracle.cost + slack && oracle.lower <= cost + slack {
        return Ok(is_proved && oracle.lower == oracle.cost);
    }
    Err(format!("exact from {lower} to {cost}, mixed-integer {oracle:?}"))
}

/// Forty cases; at most `most_bounds` of them may end with bounds in place of the optimum.
fn check_all(cases: impl Strategy<Value = (Scenario, CostModel, Workload)>, most_bounds: u32) {
    let bounds = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let result = runner.run(&cases, |(scenario, _, workload)| {
        if !check(&scenario, &workload, Some(NODES)).map_err(TestCaseError::fail)? {
            bounds.set(bounds.get() + 1);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let bounds = bounds.get();
    assert!(bounds <= most_bounds, "{bounds} of 40 cases are not solved to the end");
}

#[test]
fn exact_is_the_optimum_of_a_mixed_integer_model() {
    check_all(any_scenarios(1..4, 1..5, 1..4, any_or_nothing_shared()), 4);
}

/// 3 × 5 tasks with one to three servers: 60 ms a case in the mean. One in forty needs more nodes than are allowed (without
/// a limit a run of 40 cases once took 38 s), most of them with three servers, some shared. `exact` refused one in 400.
#[test]
fn exact_is_the_optimum_of_a_mixed_integer_model_of_fifteen_tasks() {
    check_all(any_scenarios(3..4, 5..6, 1..4, any_or_nothing_shared()), 8);
}

/// Each case runs to the end, with no limit on the nodes. Devices that are all alike are harder: with the three shared
/// servers of `shared-edges` the solver takes 25 s for 3 × 5 tasks, and 66 s with the cloud added. `exact` refuses
/// both, so the test takes 3 × 3 tasks there, and 3 × 5 tasks with two of the servers.
#[test]
fn exact_is_the_optimum_of_a_mixed_integer_model_of_the_presets() {
    for (name, tasks, servers, workloads) in [
        ("paper", 5, 2, 2),
        ("paper-wan", 5, 2, 2),
        ("shared-edge", 5, 2, 2),
        ("shared-edges", 3, 4, 2),
        ("shared-edges", 5, 2, 1),
    ] {
        let mut scenario = Scenario::load(name).expect("a preset");
        scenario.tasks.per_device = tasks;
        scenario.servers.truncate(servers);
        let sampler = SizeSampler::new(&scenario).expect("no file");
        let model = scenario.check().expect("valid");
        let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(5, "oracle"));
        for _ in 0..workloads {
            assert_eq!(check(&scenario, &source.draw().workload, None), Ok(true), "{name}, {tasks} tasks");
        }
    }
}
