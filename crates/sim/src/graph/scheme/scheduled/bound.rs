//! What all decisions cost at least that continue a schedule.

use super::loads::{Loads, Uses};
use super::tables::Tables;
use crate::graph::rules::Transfer;
use crate::graph::schedule::Schedule;

/// Bounds schedules of one model, task by task.
///
/// For each task that has no place yet it finds the earliest time at which it can have run at each place, given the
/// earliest times of those before it; a place from which the rest of the application takes too long to undercut the limit is
/// left out, and a task that has one place left occupies the queues there. Then [`Loads`] bounds what queues have to do.
pub(super) struct Bound<'a> {
    pub(super) tables: &'a Tables<'a>,
    loads: Loads,
    uplink: Vec<usize>,
    downlink: Vec<usize>,
    /// `[position]`: the earliest time at which the result is at the device.
    here_s: Vec<f64>,
    /// `[position][place]`: where whole tasks are sent, the earliest time from which a task after this one can be sent to
    /// the place, and at which it can begin there.
    sendable_s: Vec<f64>,
    ready_s: Vec<f64>,
    /// `[position][place]`: where edges are sent, the earliest time at which the task can have run there; infinite where it
    /// does not run.
    done_s: Vec<f64>,
    /// When each queue is free.
    free_s: Vec<f64>,
    deadline_s: f64,
}

/// What is known of a schedule before it is bounded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partial {
    /// The number of tasks that have been placed.
    pub(super) placed: usize,
    /// Their fixed costs.
    pub(super) fixed: f64,
    /// What the application takes at least, in seconds.
    pub(super) time_s: f64,
}

impl<'a> Bound<'a> {
    pub(super) fn new(tables: &'a Tables<'a>) -> Self {
        let uses = Uses::of(tables.model);
        let queues = |queues: &[u32]| queues.iter().map(|queue| *queue as usize).collect();
        let cells = tables.tasks * tables.places;
        Self {
            loads: Loads::new(tables, &uses),
            uplink: queues(&tables.model.queues.uplink),
            downlink: queues(&tables.model.queues.downlink),
            here_s: vec![0.0; tables.tasks],
            sendable_s: vec![0.0; cells],
            ready_s: vec![0.0; cells],
            done_s: vec![f64::INFINITY; cells],
            free_s: vec![0.0; uses.count],
            // With room for rounding: bounds add up in another order than schedules.
            deadline_s: tables.model.rules().limits.time_s * (1.0 + 1e-12),
            tables,
        }
    }

    /// Takes note of when things happen to the last task of a schedule.
    #[inline]
    pub(super) fn note(&mut self, schedule: &Schedule, place: usize) {
        let position = schedule.len() - 1;
        let task = self.tables.model.order()[position] as usize;
        let cells = position * self.tables.places..(position + 1) * self.tables.places;
        let (here_s, done_s) = (schedule.result_s(task), schedule.done_s(task));
        self.here_s[position] = here_s;
        self.sendable_s[cells.clone()].fill(here_s);
        self.sendable_s[cells.start + place] = schedule.sent_s(task);
        self.ready_s[cells.clone()].fill(0.0);
        self.ready_s[cells.start + place] = done_s;
        self.done_s[cells.clone()].fill(f64::INFINITY);
        self.done_s[cells.start + place] = done_s;
    }

    /// What continuations of a schedule cost at least; infinite, or any value not below `limit`, if that is no less than
    /// `limit`.
    #[inline]
    pub(super) fn of(&mut self, schedule: &Schedule, partial: Partial, limit: f64) -> f64 {
        self.free_s.copy_from_slice(schedule.queues_s());
        let places = self.tables.places;
        // Constants let the compiler unroll the loops over places.
        let (time_s, cost) = match (self.tables.model.rules().transfer, places) {
            (Transfer::Task, 2) => self.send_tasks(2, partial, limit),
            (Transfer::Task, 3) => self.send_tasks(3, partial, limit),
            (Transfer::Task, _) => self.send_tasks(places, partial, limit),
            (Transfer::Edge, _) => self.send_edges(partial, limit),
        };
        if cost >= limit {
            return cost;
        }
        let limit_of_loads = limit - partial.fixed;
        let by_load =
            self.loads.bound(self.tables, partial.placed, schedule.queues_s(), time_s, limit_of_loads) + partial.fixed;
        cost.max(by_load)
    }

    /// Whole tasks are sent. Returns the time and the cost at least.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called with constants")]
    fn send_tasks(&mut self, places: usize, partial: Partial, limit: f64) -> (f64, f64) {
        let tables = self.tables;
        let Partial { placed, mut fixed, mut time_s } = partial;
        for position in placed..tables.tasks {
            let cells = position * places;
            let mut start_s = self.free_s[0];
            for edge in tables.incoming(position) {
                start_s = later(start_s, self.here_s[edge.position as usize]);
            }
            let spare = limit - fixed - tables.least_fixed[position + 1];
            let (mut kept, mut only) = (0, (0, 0.0, 0.0, 0.0));
            let (mut here_s, mut least_end_s, mut least_fixed) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
            for place in 0..places {
                let cell = cells + place;
                let own_fixed = tables.fixed[cell];
                self.sendable_s[cell] = f64::INFINITY;
                if own_fixed == f64::INFINITY {
                    continue;
                }
                let (sent_s, done_s, result_s);
                if place == 0 {
                    done_s = start_s + tables.run_s[cell];
                    (sent_s, result_s) = (done_s, done_s);
                } else {
                    let (mut send_s, mut run_s) = (self.free_s[self.uplink[place]], self.free_s[place]);
                    for edge in tables.incoming(position) {
                        let before = edge.position as usize * places + place;
                        send_s = later(send_s, self.sendable_s[before]);
                        run_s = later(run_s, self.ready_s[before]);
                    }
                    sent_s = send_s + tables.send_s[cell];
                    done_s = later(sent_s, run_s) + tables.run_s[cell];
                    let downlink_s = self.downlink.get(place).map_or(0.0, |downlink| self.free_s[*downlink]);
                    result_s = later(done_s, downlink_s) + tables.return_s[cell];
                }
                let end_s = later(result_s, done_s + tables.tail_s[cell]);
                if own_fixed + tables.second * later(time_s, end_s) >= spare || end_s > self.deadline_s {
                    continue;
                }
                kept += 1;
                only = (place, sent_s, done_s, result_s);
                self.sendable_s[cell] = sent_s;
                here_s = lesser(here_s, result_s);
                least_end_s = lesser(least_end_s, end_s);
                least_fixed = lesser(least_fixed, own_fixed);
            }
            if kept == 0 {
                return (f64::INFINITY, f64::INFINITY);
            }
            time_s = later(time_s, least_end_s);
            fixed += least_fixed;
            self.here_s[position] = here_s;
            for cell in cells..cells + places {
                self.sendable_s[cell] = lesser(self.sendable_s[cell], here_s);
                self.ready_s[cell] = 0.0;
            }
            if kept == 1 {
                let (place, sent_s, done_s, result_s) = only;
                self.ready_s[cells + place] = done_s;
                self.free_s[place] = done_s;
                if place > 0 {
                    self.free_s[self.uplink[place]] = sent_s;
                    if let Some(&downlink) = self.downlink.get(place) {
                        self.free_s[downlink] = result_s;
                    }
                }
            }
        }
        (time_s, fixed + tables.second * time_s)
    }

    /// What edges carry is sent. Returns the time and the cost at least.
    fn send_edges(&mut self, partial: Partial, limit: f64) -> (f64, f64) {
        let tables = self.tables;
        let places = tables.places;
        let Partial { placed, mut fixed, mut time_s } = partial;
        for position in placed..tables.tasks {
            let cells = position * places;
            let spare = limit - fixed - tables.least_fixed[position + 1];
            let (mut kept, mut only) = (0, 0);
            let (mut least_end_s, mut least_fixed) = (f64::INFINITY, f64::INFINITY);
            for place in 0..places {
                let cell = cells + place;
                let mut own_fixed = tables.fixed[cell];
                self.done_s[cell] = f64::INFINITY;
                if own_fixed == f64::INFINITY {
                    continue;
                }
                let mut start_s = self.free_s[place];
                for edge in tables.incoming(position) {
                    let (arrival_s, edge_fixed) = self.arrival(edge.position as usize, place, edge.bytes);
                    start_s = later(start_s, arrival_s);
                    own_fixed += edge_fixed;
                }
                let done_s = start_s + tables.run_s[cell];
                let end_s = done_s + tables.tail_s[cell];
                if own_fixed + tables.second * later(time_s, end_s) >= spare || end_s > self.deadline_s {
                    continue;
                }
                kept += 1;
                only = place;
                self.done_s[cell] = done_s;
                least_end_s = lesser(least_end_s, end_s);
                least_fixed = lesser(least_fixed, own_fixed);
            }
            if kept == 0 {
                return (f64::INFINITY, f64::INFINITY);
            }
            time_s = later(time_s, least_end_s);
            fixed += least_fixed;
            if kept == 1 {
                self.occupy(position, only);
            }
        }
        (time_s, fixed + tables.second * time_s)
    }

    /// The earliest time at which data of a task can be at a place, and the least fixed cost of moving them there.
    #[inline]
    fn arrival(&self, before: usize, place: usize, bytes: f64) -> (f64, f64) {
        let tables = self.tables;
        let model = tables.model;
        let (mut arrival_s, mut fixed) = (f64::INFINITY, f64::INFINITY);
        for from in 0..tables.places {
            let done_s = self.done_s[before * tables.places + from];
            if done_s == f64::INFINITY {
                continue;
            }
            fixed = lesser(fixed, bytes * tables.byte_fixed[from * tables.places + place]);
            let mut there_s = done_s;
            if from != place {
                if from > 0 {
                    let free_s = self.downlink.get(from).map_or(0.0, |downlink| self.free_s[*downlink]);
                    there_s = later(there_s, free_s) + bytes * model.down_s_per_byte[from];
                }
                if place > 0 {
                    there_s = later(there_s, self.free_s[self.uplink[place]]) + bytes * model.up_s_per_byte[place];
                }
            }
            arrival_s = lesser(arrival_s, there_s);
        }
        (arrival_s, fixed)
    }

    /// Lets a task that has one place left occupy the queues there.
    fn occupy(&mut self, position: usize, place: usize) {
        let places = self.tables.places;
        let mut start_s = self.free_s[place];
        for edge in self.tables.incoming(position) {
            let before = edge.position as usize;
            let (arrival_s, _) = self.arrival(before, place, edge.bytes);
            start_s = later(start_s, arrival_s);
            let is_surely_sent = place > 0 && self.done_s[before * places + place] == f64::INFINITY;
            if is_surely_sent {
                self.free_s[self.uplink[place]] = arrival_s;
            }
        }
        let done_s = start_s + self.tables.run_s[position * places + place];
        self.done_s[position * places + place] = done_s;
        self.free_s[place] = done_s;
    }
}

/// The greater of two numbers. One instruction, while `f64::max` also says what happens to values that are no numbers.
#[inline]
pub(super) fn later(one: f64, other: f64) -> f64 {
    if other > one { other } else { one }
}

/// The lesser of two numbers, see [`later`].
#[inline]
pub(super) fn lesser(one: f64, other: f64) -> f64 {
    if other < one { other } else { one }
}
