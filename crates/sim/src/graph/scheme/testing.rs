//! Random models for property tests, and the cheapest decision by enumeration.

use std::sync::Arc;

use proptest::prelude::*;

use crate::graph::{
    Application, Downlinks, GraphEdge, GraphModel, GraphServer, GraphTask, Limits, Link, Machine, OrderRule, Rules,
    System, Timing, Transfer, Weights,
};

/// How a random model looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) timing: Timing,
    /// The most tasks.
    pub(super) tasks: usize,
    /// The most servers.
    pub(super) servers: usize,
    /// Whether edges form chains.
    pub(super) is_chain: bool,
}

/// Models of a kind, with both transfers, queued and parallel downlinks, pinned tasks and servers that are down.
pub(super) fn models(kind: Kind) -> impl Strategy<Value = GraphModel> {
    let sizes = (1..=kind.tasks, 0..=kind.servers);
    let rules = (any::<bool>(), any::<bool>(), any::<bool>(), 0..5_usize, 0..3_usize);
    (sizes, rules)
        .prop_flat_map(move |((tasks, servers), rules)| {
            let task = (0.0..20.0_f64, 0.0..8.0_f64, prop::option::of(0.0..8.0_f64), 0..12_usize);
            let server = (1.0..30.0_f64, 0.2..8.0_f64, 0.2..8.0_f64, any::<bool>(), 0..12_u8);
            let edge = (0..tasks as u32, 0..tasks as u32, 0.0..10.0_f64);
            let edges = if kind.is_chain { tasks - 1..=tasks - 1 } else { 0..=2 * tasks };
            (
                prop::collection::vec(task, tasks),
                prop::collection::vec(server, servers),
                prop::collection::vec(edge, edges),
                Just(rules),
                (0.0..2.0_f64, 0.0..0.5_f64),
            )
        })
        .prop_map(move |(tasks, servers, edges, rules, powers)| build(kind, &tasks, &servers, edges, rules, powers))
}

type TaskNumbers = (f64, f64, Option<f64>, usize);
type ServerNumbers = (f64, f64, f64, bool, u8);

fn build(
    kind: Kind,
    tasks: &[TaskNumbers],
    servers: &[ServerNumbers],
    edges: Vec<(u32, u32, f64)>,
    (sends_tasks, is_queued, is_given, alpha, own_links): (bool, bool, bool, usize, usize),
    (compute_w, idle_w): (f64, f64),
) -> GraphModel {
    let servers: Vec<GraphServer> = servers
        .iter()
        .enumerate()
        .map(|(index, &(speed, up, down, costs_money, state))| GraphServer {
            name: format!("server{index}"),
            machine: Machine { instructions_per_s: if state == 0 { 0.0 } else { speed }, memory_bytes_per_s: None },
            energy_per_instruction_j: 0.01 * f64::from(state % 3),
            link: Link {
                up_bytes_per_s: up,
                down_bytes_per_s: down,
                send_w: 1.3,
                receive_w: 1.0,
                price_per_byte: if costs_money { 0.1 } else { 0.0 },
                is_own: own_links == 0,
            },
        })
        .collect();
    let is_up = |place: usize| place == 0 || servers[place - 1].machine.instructions_per_s > 0.0;
    let tasks: Vec<GraphTask> = tasks
        .iter()
        .enumerate()
        .map(|(index, &(instructions, send_bytes, result_bytes, pinned))| GraphTask {
            name: format!("task{index}"),
            instructions,
            send_bytes,
            result_bytes,
            pinned: match pinned {
                0 => Some("local".to_owned()),
                place if place <= servers.len() && is_up(place) => Some(format!("server{}", place - 1)),
                _ => None,
            },
            ..GraphTask::default()
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    let edges = edges.into_iter().enumerate().filter_map(|(index, (from, to, bytes))| {
        let (from, to) = if kind.is_chain { (index as u32, index as u32 + 1) } else { (from.min(to), from.max(to)) };
        (from != to && seen.insert((from, to))).then_some(GraphEdge { from, to, bytes })
    });
    let system =
        System { device: Machine { instructions_per_s: 2.0, memory_bytes_per_s: None }, compute_w, idle_w, servers };
    let rules = Rules {
        timing: kind.timing,
        transfer: if sends_tasks { Transfer::Task } else { Transfer::Edge },
        order: if is_given { OrderRule::Given } else { OrderRule::UpwardRank },
        downlinks: if is_queued { Downlinks::Queued } else { Downlinks::Parallel },
        weights: Weights { price: 0.3, ..Weights::from_alpha([0.0, 0.0, 0.3, 0.7, 1.0][alpha]) },
        limits: Limits::default(),
    };
    let edges = edges.collect();
    let application = Application::new(tasks, edges).expect("tasks and edges make sense");
    GraphModel::new(Arc::new(application), Arc::new(system), rules).expect("the model makes sense")
}

/// The same model with limits between what the cheapest decision takes and the least that is possible, at a share of the way.
pub(super) fn with_limits(model: &GraphModel, shares: [Option<f64>; 3]) -> GraphModel {
    let mut least = [f64::INFINITY; 3];
    let mut cheapest = (f64::INFINITY, [0.0; 3]);
    for_each_decision(model, |places| {
        let outcome = model.evaluate(places);
        let amounts = [outcome.energy_j, outcome.time_s, outcome.price];
        least.iter_mut().zip(amounts).for_each(|(least, amount)| *least = least.min(amount));
        if outcome.cost < cheapest.0 {
            cheapest = (outcome.cost, amounts);
        }
    });
    let limit = |index: usize| {
        let between = |share: f64| (least[index] + share * (cheapest.1[index] - least[index])).max(0.0);
        shares[index].map_or(f64::INFINITY, between)
    };
    let limits = Limits { energy_j: limit(0), time_s: limit(1), price: limit(2) };
    let rules = Rules { limits, ..*model.rules() };
    GraphModel::new(model.application().clone(), model.system().clone(), rules).expect("limits make sense")
}

/// The cost of the cheapest decision within the limits, or of the cheapest of all if none is within them.
pub(super) fn cheapest_cost(model: &GraphModel) -> f64 {
    let mut best = (true, f64::INFINITY);
    for_each_decision(model, |places| {
        let outcome = model.evaluate(places);
        let is_better = (outcome.exceeds_limits, outcome.cost) < best;
        if is_better {
            best = (outcome.exceeds_limits, outcome.cost);
        }
    });
    best.1
}

/// Calls a function with every decision that places tasks where they may run.
pub(super) fn for_each_decision(model: &GraphModel, mut visit: impl FnMut(&[u8])) {
    let allowed: Vec<Vec<u8>> = (0..model.tasks()).map(|task| model.allowed_places(task).collect()).collect();
    let mut digits = vec![0; allowed.len()];
    let mut places: Vec<u8> = allowed.iter().map(|allowed| allowed[0]).collect();
    loop {
        visit(&places);
        let Some(task) = (0..digits.len()).find(|task| digits[*task] + 1 < allowed[*task].len()) else { return };
        for earlier in 0..task {
            digits[earlier] = 0;
            places[earlier] = allowed[earlier][0];
        }
        digits[task] += 1;
        places[task] = allowed[task][digits[task]];
    }
}
