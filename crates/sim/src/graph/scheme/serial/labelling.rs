//! Serial costs as a labelling problem: the sum of a cost for each task at its place and of a cost for each edge.

use crate::graph::application::{Application, GraphEdge};
use crate::graph::model::GraphModel;
use crate::graph::rules::Weights;

/// A labelling problem. Edges cost bytes times what moving a byte between two places costs, which is 0 within a place and,
/// between servers, the sum of the ways to and from the device.
#[derive(Debug, Clone)]
pub(in super::super) struct Labelling<'a> {
    pub(in super::super) application: &'a Application,
    pub(in super::super) places: usize,
    /// `[task][place]`; infinite where a task must not be.
    pub(in super::super) task_costs: Vec<f64>,
    /// `[from][to]`, per byte.
    pub(in super::super) byte_costs: Vec<f64>,
}

impl<'a> Labelling<'a> {
    /// The costs of a serial model.
    pub(in super::super) fn new(model: &'a GraphModel) -> Self {
        let (tasks, places) = (model.tasks(), model.places());
        let cells = (0..tasks).flat_map(|task| (0..places).map(move |place| model.task_cost(task, place)));
        let pairs = (0..places).flat_map(|from| (0..places).map(move |to| model.byte_cost(from, to)));
        Self { application: model.application(), places, task_costs: cells.collect(), byte_costs: pairs.collect() }
    }

    /// The costs of a serial model under other weights, which must be numbers not below 0.
    pub(in super::super) fn weighted(model: &'a GraphModel, weights: Weights) -> Self {
        let weighted = model.with_weights(weights);
        let costs = weighted.as_ref().map_or_else(|_| Labelling::new(model), Labelling::new);
        Self {
            application: model.application(),
            places: costs.places,
            task_costs: costs.task_costs,
            byte_costs: costs.byte_costs,
        }
    }

    /// These costs and other amounts times a factor.
    pub(in super::super) fn plus(&self, amounts: &Labelling<'_>, factor: f64) -> Self {
        let mut costs = self.clone();
        if factor > 0.0 {
            let tasks = costs.task_costs.iter_mut().zip(&amounts.task_costs);
            let bytes = costs.byte_costs.iter_mut().zip(&amounts.byte_costs);
            for (cost, amount) in tasks.chain(bytes) {
                *cost += factor * amount;
            }
        }
        costs
    }

    /// Costs of nothing, infinite where a task must not be.
    pub(in super::super) fn without_amounts(&self) -> Self {
        let mut costs = self.clone();
        costs.task_costs.iter_mut().filter(|cost| cost.is_finite()).for_each(|cost| *cost = 0.0);
        costs.byte_costs.fill(0.0);
        costs
    }

    /// These costs with some tasks fixed to places: they may be nowhere else.
    pub(in super::super) fn with_fixed(&self, fixed: &[(u32, u8)]) -> Self {
        let mut costs = self.clone();
        for &(task, place) in fixed {
            for other in (0..costs.places).filter(|other| *other != place as usize) {
                costs.task_costs[task as usize * costs.places + other] = f64::INFINITY;
            }
        }
        costs
    }

    /// The number of tasks.
    pub(in super::super) fn tasks(&self) -> usize {
        self.application.len()
    }

    /// The edges.
    pub(in super::super) fn edges(&self) -> &'a [GraphEdge] {
        self.application.edges()
    }

    /// The cost of a task at a place.
    #[inline]
    pub(in super::super) fn task_cost(&self, task: usize, place: usize) -> f64 {
        self.task_costs[task * self.places + place]
    }

    /// The cost of moving a byte from one place to another.
    #[inline]
    pub(in super::super) fn byte_cost(&self, from: usize, to: usize) -> f64 {
        self.byte_costs[from * self.places + to]
    }

    /// The cost of a decision.
    pub(in super::super) fn cost(&self, decision: &[u8]) -> f64 {
        let tasks = decision.iter().enumerate().map(|(task, place)| self.task_cost(task, *place as usize));
        let edges = self.edges().iter().map(|edge| {
            let [from, to] = [edge.from, edge.to].map(|task| decision[task as usize] as usize);
            edge.bytes * self.byte_cost(from, to)
        });
        tasks.sum::<f64>() + edges.sum::<f64>()
    }
}
