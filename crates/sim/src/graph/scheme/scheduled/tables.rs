//! A scheduled model by positions in its order, with what bounds need.

use crate::graph::model::GraphModel;
use crate::graph::rules::Transfer;
use crate::graph::schedule::Schedule;

/// An edge that ends at a task, by the position of the task at its beginning.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Incoming {
    pub(in super::super) position: u32,
    pub(in super::super) bytes: f64,
}

/// Times and costs of a scheduled model, `[position][place]` each: positions count tasks in the order of the model.
#[derive(Debug)]
pub(in super::super) struct Tables<'a> {
    pub(in super::super) model: &'a GraphModel,
    pub(in super::super) tasks: usize,
    pub(in super::super) places: usize,
    /// Edges that end at position i are `incoming[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    incoming: Vec<Incoming>,
    pub(in super::super) run_s: Vec<f64>,
    pub(in super::super) send_s: Vec<f64>,
    pub(in super::super) return_s: Vec<f64>,
    /// The cost that does not depend on when a task runs; infinite where it must not.
    pub(in super::super) fixed: Vec<f64>,
    /// The time from when a task has run to the end of the application, at least.
    pub(in super::super) tail_s: Vec<f64>,
    /// The sum of the least fixed costs from each position on.
    pub(in super::super) least_fixed: Vec<f64>,
    /// `[from][to]`: fixed cost of moving a byte.
    pub(in super::super) byte_fixed: Vec<f64>,
    /// What a second of the application's time costs.
    pub(in super::super) second: f64,
}

impl<'a> Tables<'a> {
    /// Tables in which fixed costs are a part of the cost, and the rest is time times the cost of a second.
    ///
    /// The energy of idling is no such product. `counts_idling`: whether a second costs the energy of idling, too, and
    /// the device's activities cost as much less; otherwise idling costs nothing. The cost is at least the one and the other.
    pub(in super::super) fn new(model: &'a GraphModel, counts_idling: bool) -> Self {
        let (tasks, places) = (model.tasks(), model.places());
        let mut position = vec![0_u32; tasks];
        model.order().iter().enumerate().for_each(|(index, task)| position[*task as usize] = index as u32);
        let (mut starts, mut incoming) = (vec![0], Vec::new());
        for &task in model.order() {
            let edges = model.before(task as usize).iter();
            incoming.extend(edges.map(|edge| Incoming { position: position[edge.task as usize], bytes: edge.bytes }));
            starts.push(incoming.len() as u32);
        }
        let cells = || {
            let order = model.order().iter();
            order.flat_map(|task| (0..places).map(move |place| (*task as usize, place)))
        };
        let table = |value: fn(&GraphModel, usize, usize) -> f64| -> Vec<f64> {
            cells().map(|(task, place)| value(model, task, place)).collect()
        };
        let weights = model.rules().weights;
        let idle = if counts_idling { weights.energy * model.system().idle_w } else { 0.0 };
        let busy_s = |(task, place)| {
            if place == 0 { model.run_s(task, 0) } else { model.send_s(task, place) + model.return_s(task, place) }
        };
        let fixed = cells().map(|(task, place)| model.task_cost(task, place) - idle * busy_s((task, place)));
        let pairs = (0..places).flat_map(|from| (0..places).map(move |to| (from, to)));
        let byte_fixed = pairs.map(|(from, to)| model.byte_cost(from, to) - idle * model.transfer_s_per_byte(from, to));
        let mut tables = Self {
            model,
            tasks,
            places,
            starts,
            incoming,
            run_s: table(GraphModel::run_s),
            send_s: table(GraphModel::send_s),
            return_s: table(GraphModel::return_s),
            fixed: fixed.collect(),
            tail_s: vec![0.0; tasks * places],
            least_fixed: vec![0.0; tasks + 1],
            byte_fixed: byte_fixed.collect(),
            second: weights.time + idle,
        };
        tables.find_least();
        tables.find_tails();
        tables
    }

    /// The edges that end at a position, those from earlier positions first.
    #[inline]
    pub(in super::super) fn incoming(&self, position: usize) -> &[Incoming] {
        &self.incoming[self.starts[position] as usize..self.starts[position + 1] as usize]
    }

    /// The fixed cost that a place of the next task of a schedule adds, with those of its edges.
    #[inline]
    pub(in super::super) fn added_fixed(&self, schedule: &Schedule, place: usize) -> f64 {
        let position = schedule.len();
        let mut fixed = self.fixed[position * self.places + place];
        if self.model.rules().transfer == Transfer::Edge {
            for edge in self.incoming(position) {
                let from = schedule.place(self.model.order()[edge.position as usize] as usize) as usize;
                fixed += edge.bytes * self.byte_fixed[from * self.places + place];
            }
        }
        fixed
    }

    /// The places where the task at a position may run.
    #[inline]
    pub(in super::super) fn allowed(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        let fixed = &self.fixed[position * self.places..][..self.places];
        (0..self.places).filter(|place| fixed[*place] < f64::INFINITY)
    }

    /// Fixed costs of edges are below 0 where the device's activities save the energy of idling.
    fn find_least(&mut self) {
        let least_byte = self.byte_fixed.iter().copied().fold(0.0, f64::min);
        for position in (0..self.tasks).rev() {
            let row = &self.fixed[position * self.places..][..self.places];
            let edges: f64 = self.incoming(position).iter().map(|edge| edge.bytes * least_byte).sum();
            let least = row.iter().copied().fold(f64::INFINITY, f64::min) + edges;
            self.least_fixed[position] = self.least_fixed[position + 1] + least;
        }
    }

    fn find_tails(&mut self) {
        let places = self.places;
        let sends_tasks = self.model.rules().transfer == Transfer::Task;
        if sends_tasks {
            self.tail_s.copy_from_slice(&self.return_s);
        }
        for position in (0..self.tasks).rev() {
            for index in self.starts[position] as usize..self.starts[position + 1] as usize {
                let Incoming { position: before, bytes } = self.incoming[index];
                for from in 0..places {
                    let after = |to: usize| {
                        let cell = position * places + to;
                        let way_s = if !sends_tasks {
                            bytes * self.model.transfer_s_per_byte(from, to)
                        } else if from == to {
                            0.0
                        } else {
                            self.return_s[before as usize * places + from] + self.send_s[cell]
                        };
                        way_s + self.run_s[cell] + self.tail_s[cell]
                    };
                    let least_s = self.allowed(position).map(after).fold(f64::INFINITY, f64::min);
                    let tail_s = &mut self.tail_s[before as usize * places + from];
                    *tail_s = tail_s.max(least_s);
                }
            }
        }
    }
}
