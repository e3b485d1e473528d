//! The optimum with serial timing and at most two servers, as one minimum cut.

use super::super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use super::labelling::Labelling;
use crate::graph::model::GraphModel;
use crate::graph::rules::Timing;
use crate::max_flow::{CutEdge, minimum_cut};

/// The cheapest decision with serial timing, by one minimum cut: exact, and fast for tens of thousands of tasks.
///
/// With one server, the device is the source's side and the server the sink's. Up and down may cost different amounts.
/// With two servers each task is two vertices, *at the first server or not* and *at the second server or not*: data between
/// servers pass through the device, so that the cost of an edge is a sum over servers (Ishikawa's construction for labels in
/// a row, 2003). With three or more servers the problem is NP-hard; [`GraphExact`](super::super::GraphExact) decides it.
///
/// Of decisions that cost the same with one server, it takes the one with the fewest tasks there. Limits of energy, time
/// and money are not regarded.
#[derive(Debug, Clone, Default)]
pub struct MinCut;

impl GraphScheme for MinCut {
    fn name(&self) -> &'static str {
        "min-cut"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        check_serial("min-cut", model)?;
        if model.places() > 3 {
            let (found, instead) = (model.places() - 1, "exact");
            return Err(GraphSchemeError::Servers { scheme: "min-cut", most: 2, found, instead });
        }
        Ok(GraphSolution {
            places: cheapest_by_cut(&Labelling::new(model)),
            evaluations: 1,
            optimality: Optimality::Proved,
            order: None,
        })
    }
}

/// Checks that the timing of a model is serial.
pub(in super::super) fn check_serial(scheme: &'static str, model: &GraphModel) -> Result<(), GraphSchemeError> {
    if model.rules().timing == Timing::Serial {
        return Ok(());
    }
    Err(GraphSchemeError::Timing { scheme, needs: "serial", instead: "exact, local-search or randomised-greedy" })
}

/// The cheapest decision between at most three places.
pub(super) fn cheapest_by_cut(costs: &Labelling<'_>) -> Vec<u8> {
    match costs.places {
        1 => vec![0; costs.tasks()],
        2 => {
            let (local, remote, edges) = two_sided(costs, 1);
            minimum_cut(&local, &remote, &edges).into_iter().map(u8::from).collect()
        }
        _ => three_places(costs),
    }
}

/// The costs of tasks on the device and on one server, and of divided edges.
pub(in super::super) fn two_sided(costs: &Labelling<'_>, server: usize) -> (Vec<f64>, Vec<f64>, Vec<CutEdge>) {
    let of = |place| (0..costs.tasks()).map(|task| costs.task_cost(task, place)).collect();
    let (up, down) = (costs.byte_cost(0, server), costs.byte_cost(server, 0));
    let edges = costs.edges().iter().filter(|_| up > 0.0 || down > 0.0);
    let edges = edges.map(|edge| CutEdge {
        from: edge.from,
        to: edge.to,
        forward: edge.bytes * up,
        backward: edge.bytes * down,
    });
    (of(0), of(server), edges.collect())
}

/// Vertex v is on the sink's side where task v is at the first server; vertex n + v is on the source's side where it is at
/// the second.
fn three_places(costs: &Labelling<'_>) -> Vec<u8> {
    let tasks = costs.tasks();
    let (mut at_source, mut at_sink) = (vec![0.0; 2 * tasks], vec![0.0; 2 * tasks]);
    let mut edges = Vec::with_capacity(tasks + 2 * costs.edges().len());
    for task in 0..tasks {
        let [local, first, second] = [0, 1, 2].map(|place| costs.task_cost(task, place));
        at_sink[task] = first;
        at_source[tasks + task] = second;
        if local.is_infinite() {
            // The task is bound to one server, which decides both vertices.
            at_source[task] = if first.is_finite() { f64::INFINITY } else { 0.0 };
            at_sink[tasks + task] = if second.is_finite() { f64::INFINITY } else { 0.0 };
        }
        let (from, to) = (task as u32, (tasks + task) as u32);
        edges.push(CutEdge { from, to, forward: local, backward: f64::INFINITY });
    }
    let per_byte = [1, 2].map(|server| (costs.byte_cost(0, server), costs.byte_cost(server, 0)));
    for edge in costs.edges() {
        let [(up, down), (second_up, second_down)] = per_byte.map(|(up, down)| (edge.bytes * up, edge.bytes * down));
        edges.push(CutEdge { from: edge.from, to: edge.to, forward: up, backward: down });
        let [from, to] = [edge.from, edge.to].map(|task| task + tasks as u32);
        edges.push(CutEdge { from, to, forward: second_down, backward: second_up });
    }
    let is_at_sink = minimum_cut(&at_source, &at_sink, &edges);
    let place = |task: usize| if is_at_sink[task] { 1 } else { 2 * u8::from(!is_at_sink[tasks + task]) };
    (0..tasks).map(place).collect()
}
