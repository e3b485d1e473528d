//! Golden numbers that others computed: minimum cuts by networkx, integer programs by HiGHS, schedules by SAGA. The numbers, and the
//! applications they are of, come from `scripts/golden/task_graphs.py`.

use std::sync::Arc;

use serde::Deserialize;
use sim::graph::scheme::{GraphExact, GraphScheme, Heft, Larac, LaracK, LaracM, MinCut};
use sim::graph::{
    Application, GraphEdge, GraphModel, GraphServer, GraphTask, LOCAL, Limits, Link, Machine, Rules, System, Timing,
    Transfer, Weights,
};

#[derive(Deserialize)]
struct Golden {
    cuts: Vec<Cut>,
    programs: Vec<Program>,
    schedules: Vec<Planned>,
}

#[derive(Deserialize)]
struct Cut {
    #[serde(flatten)]
    instance: Instance,
    weights: [f64; 3],
    least_cost: f64,
}

#[derive(Deserialize)]
struct Program {
    #[serde(flatten)]
    instance: Instance,
    weights: [f64; 3],
    limits: [Option<f64>; 3],
    least_cost_without_limits: f64,
    least_cost: f64,
    places: Vec<u8>,
    /// Of the linear relaxation.
    bound: f64,
}

#[derive(Deserialize)]
struct Planned {
    #[serde(flatten)]
    instance: Instance,
    places: Vec<u8>,
    makespan_s: f64,
}

#[derive(Deserialize)]
struct Instance {
    device: Device,
    servers: Vec<Server>,
    tasks: Vec<Task>,
    edges: Vec<(u32, u32, f64)>,
}

#[derive(Deserialize)]
struct Device {
    instructions_per_s: f64,
    compute_w: f64,
    idle_w: f64,
}

#[derive(Deserialize)]
struct Server {
    instructions_per_s: f64,
    energy_per_instruction_j: f64,
    up_bytes_per_s: f64,
    down_bytes_per_s: f64,
    send_w: f64,
    receive_w: f64,
    price_per_byte: f64,
}

#[derive(Deserialize)]
struct Task {
    instructions: f64,
    is_local: bool,
}

impl Instance {
    fn model(&self, timing: Timing, [energy, time, price]: [f64; 3], limits: [Option<f64>; 3]) -> GraphModel {
        let machine = |instructions_per_s| Machine { instructions_per_s, memory_bytes_per_s: None };
        let servers = self.servers.iter().enumerate().map(|(index, server)| GraphServer {
            name: format!("server{index}"),
            machine: machine(server.instructions_per_s),
            energy_per_instruction_j: server.energy_per_instruction_j,
            link: Link {
                up_bytes_per_s: server.up_bytes_per_s,
                down_bytes_per_s: server.down_bytes_per_s,
                send_w: server.send_w,
                receive_w: server.receive_w,
                price_per_byte: server.price_per_byte,
                is_own: true,
            },
        });
        let tasks = self.tasks.iter().enumerate().map(|(index, task)| GraphTask {
            name: format!("task{index}"),
            instructions: task.instructions,
            pinned: task.is_local.then(|| LOCAL.to_owned()),
            ..GraphTask::default()
        });
        let edges = self.edges.iter().map(|&(from, to, bytes)| GraphEdge { from, to, bytes });
        let Device { instructions_per_s, compute_w, idle_w } = self.device;
        let system = System { device: machine(instructions_per_s), compute_w, idle_w, servers: servers.collect() };
        let [energy_j, time_s, most] = limits.map(|limit| limit.unwrap_or(f64::INFINITY));
        let rules = Rules {
            timing,
            transfer: Transfer::Edge,
            weights: Weights { energy, time, price },
            limits: Limits { energy_j, time_s, price: most },
            ..Rules::default()
        };
        let application = Application::new(tasks.collect(), edges.collect()).expect("valid");
        GraphModel::new(Arc::new(application), Arc::new(system), rules).expect("valid")
    }
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/task_graphs.json")).expect("the file is of this form")
}

/// The cost of what a scheme decides, and its bound.
fn decide(mut scheme: impl GraphScheme, model: &GraphModel) -> (f64, f64) {
    let found = scheme.decide(model).expect("the scheme decides");
    let outcome = model.evaluate(&found.places);
    assert!(!outcome.exceeds_limits, "{}", scheme.name());
    (outcome.cost, found.optimality.bound(outcome.cost).expect("there is a bound"))
}

fn assert_near(found: f64, expected: f64, what: &str) {
    // Solvers of integer programs round to about 10^-9.
    assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1.0), "{what}: {found} is not {expected}");
}

#[test]
fn minimum_cuts_are_those_of_networkx() {
    for (index, Cut { instance, weights, least_cost }) in golden().cuts.iter().enumerate() {
        let model = instance.model(Timing::Serial, *weights, [None; 3]);
        let found = [decide(MinCut, &model), decide(GraphExact, &model), decide(LaracK::default(), &model)];
        for (cost, bound) in found {
            assert_near(cost, *least_cost, &format!("cut {index}"));
            assert_near(bound, *least_cost, &format!("bound of cut {index}"));
        }
    }
}

#[test]
fn optima_of_three_places_within_limits_are_those_of_highs() {
    for (index, program) in golden().programs.iter().enumerate() {
        let Program { instance, weights, limits, least_cost, bound, .. } = program;
        let without_limits = instance.model(Timing::Serial, *weights, [None; 3]);
        for (cost, _) in [decide(MinCut, &without_limits), decide(GraphExact, &without_limits)] {
            assert_near(cost, program.least_cost_without_limits, &format!("program {index} without limits"));
        }
        let model = instance.model(Timing::Serial, *weights, *limits);
        let outcome = model.evaluate(&program.places);
        assert_near(outcome.cost, *least_cost, &format!("the cost of decision {index}"));
        assert!(!outcome.exceeds_limits, "decision {index}: {outcome:?}");
        for (cost, proved) in [decide(GraphExact, &model), decide(LaracK::within(100_000), &model)] {
            assert_near(cost, *least_cost, &format!("program {index}"));
            assert_near(proved, *least_cost, &format!("bound of program {index}"));
        }
        // Without limits the linear relaxation has whole optima here, so that with limits it bounds the cost as the best
        // multipliers do.
        let (cost, dual) = decide(LaracM::default(), &model);
        assert!(cost >= least_cost * (1.0 - 1e-9), "program {index}: {cost} is below {least_cost}");
        assert_near(dual, *bound, &format!("multipliers of program {index}"));
        if let [None, Some(_), None] = limits {
            let (_, dual) = decide(Larac, &model);
            assert_near(dual, *bound, &format!("multiplier of program {index}"));
        }
    }
}

/// SAGA has one rate between any two nodes, and data never wait for each other, as our HEFT plans: both put every task at the same
/// place. What that takes is another question. SAGA answers with the plan. Our model schedules tasks in its own order,
/// without going back to fill gaps, and data wait for links, so that some schedules are longer.
#[test]
fn heft_puts_tasks_where_saga_does_and_schedules_take_as_long_or_longer() {
    let mut as_long = 0;
    let schedules = golden().schedules;
    for (index, planned) in schedules.iter().enumerate() {
        let model = planned.instance.model(Timing::Scheduled, [0.0, 1.0, 0.0], [None; 3]);
        let found = Heft.decide(&model).expect("heft decides");
        assert_eq!(found.places, planned.places, "schedule {index}");
        let ratio = model.evaluate(&found.places).time_s / planned.makespan_s;
        assert!((1.0 - 1e-9..1.4).contains(&ratio), "schedule {index}: {ratio}");
        as_long += usize::from(ratio < 1.0 + 1e-9);
    }
    assert_eq!((as_long, schedules.len()), (20, 24));
}
