//! The entries of observations, all of them `f32` within finite bounds.

use sim::limits::SLOWEST_TOLD_APART_MBPS;
use sim::{CostModel, Environment};

use super::rules::Kind;

/// The largest size that is told apart, in units of the largest that the scenario draws.
const LARGEST_SIZE: f32 = 10.0;
/// Decimal logarithms of the slowest and the fastest uplink that are told apart, in Mbit/s.
const UPLINKS: [f32; 2] = [-2.0, 6.0];
/// The largest capacity that is told apart.
const LARGEST_CAPACITY: f32 = 10.0;

/// A part of an observation: name, number of entries, lowest and highest value.
pub(crate) type ObservedPart = (&'static str, usize, f32, f32);

/// How observations are made of workloads.
#[derive(Debug)]
pub(crate) struct Entries {
    kind: Kind,
    devices: usize,
    tasks: usize,
    places: usize,
    changes_environment: bool,
    /// The size that is observed as 1.
    largest_bytes: f64,
    /// What is observed of the deadline of each task; empty if no task has one.
    deadlines: Vec<f32>,
}

/// What has been decided of a workload, task by task.
pub(crate) struct Progress<'a> {
    /// The task whose turn it is; `N * M` if all are decided. Tasks before it are decided.
    pub(crate) turn: usize,
    pub(crate) places: &'a [u8],
}

impl Entries {
    /// The entries for workloads of a scenario. `mean_sizes_bytes` are sizes that its tasks have on average.
    pub(crate) fn new(
        model: &CostModel,
        kind: Kind,
        changes_environment: bool,
        largest_bytes: f64,
        mean_sizes_bytes: &[f64],
    ) -> Self {
        let tasks = model.tasks();
        let own_s = |task: usize, bytes: f64| model.single_task_time_s(task, bytes, 0);
        let local_s = |device: usize| -> f64 {
            (device * tasks..(device + 1) * tasks).map(|task| own_s(task, mean_sizes_bytes[task])).sum()
        };
        let observed = |task: usize| {
            let deadline_s = model.deadline_s(task);
            let share = deadline_s / (deadline_s + local_s(task / tasks));
            if deadline_s.is_finite() && model.has_task(task) { share as f32 } else { 1.0 }
        };
        let deadlines =
            if model.has_deadlines() { (0..model.task_count()).map(observed).collect() } else { Vec::new() };
        let (devices, places) = (model.devices(), model.places());
        Self { kind, devices, tasks, places, changes_environment, largest_bytes, deadlines }
    }

    /// The parts in order.
    pub(crate) fn parts(&self) -> Vec<ObservedPart> {
        let all = self.devices * self.tasks;
        let mut parts = vec![("sizes", all, 0.0, LARGEST_SIZE)];
        if self.changes_environment {
            parts.push(("uplinks", self.devices, UPLINKS[0], UPLINKS[1]));
            parts.push(("capacities", self.places - 1, 0.0, LARGEST_CAPACITY));
            parts.push(("alpha", 1, 0.0, 1.0));
        }
        if !self.deadlines.is_empty() {
            parts.push(("deadlines", all, 0.0, 1.0));
        }
        if self.kind == Kind::Tasks {
            parts.push(("turn", all, 0.0, 1.0));
            parts.push(("placed", all * self.places, 0.0, 1.0));
            parts.push(("loads", self.devices * self.places, 0.0, 1.0));
        }
        parts
    }

    /// The parts of what one device observes, in order.
    pub(crate) fn device_parts(&self) -> Vec<ObservedPart> {
        let mut parts = vec![("sizes", self.tasks, 0.0, LARGEST_SIZE)];
        if self.changes_environment {
            parts.push(("uplink", 1, UPLINKS[0], UPLINKS[1]));
            parts.push(("capacities", self.places - 1, 0.0, LARGEST_CAPACITY));
            parts.push(("alpha", 1, 0.0, 1.0));
        }
        if !self.deadlines.is_empty() {
            parts.push(("deadlines", self.tasks, 0.0, 1.0));
        }
        parts.push(("loads", self.places, 0.0, LARGEST_SIZE));
        parts.push(("shares", self.places, 0.0, 1.0));
        parts
    }

    /// The number of entries.
    pub(crate) fn length(&self) -> usize {
        self.parts().iter().map(|(_, count, _, _)| count).sum()
    }

    /// The number of entries of what one device observes.
    pub(crate) fn device_length(&self) -> usize {
        self.device_parts().iter().map(|(_, count, _, _)| count).sum()
    }

    /// Writes the observation of a workload. `environment` is needed where environments change.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`, `into` is [`Entries::length`].
    pub(crate) fn write(
        &self,
        sizes_bytes: &[f64],
        environment: Option<&Environment>,
        progress: &Progress<'_>,
        into: &mut [f32],
    ) {
        let mut rest = Rest(into);
        self.write_sizes(sizes_bytes, &mut rest);
        if let Some(environment) = environment {
            self.write_environment(&environment.uplinks_mbps, environment, &mut rest);
        }
        rest.next(self.deadlines.len()).copy_from_slice(&self.deadlines);
        if self.kind == Kind::Tasks {
            self.write_progress(sizes_bytes, progress, &mut rest);
        }
    }

    fn write_sizes(&self, sizes_bytes: &[f64], rest: &mut Rest<'_>) {
        let scale = 1.0 / self.largest_bytes;
        for (entry, bytes) in rest.next(sizes_bytes.len()).iter_mut().zip(sizes_bytes) {
            *entry = ((bytes * scale) as f32).min(LARGEST_SIZE);
        }
    }

    fn write_environment(&self, uplinks_mbps: &[f64], environment: &Environment, rest: &mut Rest<'_>) {
        for (entry, mbps) in rest.next(uplinks_mbps.len()).iter_mut().zip(uplinks_mbps) {
            *entry = (mbps.max(SLOWEST_TOLD_APART_MBPS).log10() as f32).clamp(UPLINKS[0], UPLINKS[1]);
        }
        for (entry, capacity) in rest.next(self.places - 1).iter_mut().zip(&environment.capacities) {
            *entry = (*capacity as f32).min(LARGEST_CAPACITY);
        }
        rest.next(1)[0] = environment.alpha as f32;
    }

    /// Whose turn it is, and what has been decided so far. Expects zeros.
    fn write_progress(&self, sizes_bytes: &[f64], progress: &Progress<'_>, rest: &mut Rest<'_>) {
        let &Progress { turn, places } = progress;
        let turns = rest.next(sizes_bytes.len());
        turns.fill(0.0);
        if let Some(turn) = turns.get_mut(turn) {
            *turn = 1.0;
        }
        let placed = rest.next(sizes_bytes.len() * self.places);
        let loads = rest.next(self.devices * self.places);
        placed.fill(0.0);
        loads.fill(0.0);
        let all: f64 = sizes_bytes.iter().sum();
        for task in (0..turn).filter(|task| sizes_bytes[*task] > 0.0) {
            let place = usize::from(places[task]);
            placed[task * self.places + place] = 1.0;
            loads[task / self.tasks * self.places + place] += (sizes_bytes[task] / all) as f32;
        }
        for load in loads {
            *load = load.min(1.0);
        }
    }

    /// Writes what one device observes of its workload and of the loads of the last round.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`, `loads_bytes` and `own_loads_bytes` are `[places]`, `into` is [`Entries::device_length`].
    pub(crate) fn write_device(
        &self,
        device: usize,
        sizes_bytes: &[f64],
        environment: &Environment,
        [loads_bytes, own_loads_bytes]: [&[f64]; 2],
        into: &mut [f32],
    ) {
        let mut rest = Rest(into);
        let own = device * self.tasks..(device + 1) * self.tasks;
        self.write_sizes(&sizes_bytes[own.clone()], &mut rest);
        if self.changes_environment {
            self.write_environment(&environment.uplinks_mbps[device..=device], environment, &mut rest);
        }
        if let Some(deadlines) = self.deadlines.get(own) {
            rest.next(self.tasks).copy_from_slice(deadlines);
        }
        let most = self.largest_bytes * sizes_bytes.len() as f64;
        for (entry, bytes) in rest.next(self.places).iter_mut().zip(loads_bytes) {
            *entry = ((bytes / most) as f32).min(LARGEST_SIZE);
        }
        for (entry, (own, all)) in rest.next(self.places).iter_mut().zip(own_loads_bytes.iter().zip(loads_bytes)) {
            *entry = if *all > 0.0 { ((own / all) as f32).min(1.0) } else { 0.0 };
        }
    }
}

/// The part of an observation that is not written yet.
struct Rest<'a>(&'a mut [f32]);

impl<'a> Rest<'a> {
    fn next(&mut self, count: usize) -> &'a mut [f32] {
        let (next, rest) = std::mem::take(&mut self.0).split_at_mut(count);
        self.0 = rest;
        next
    }
}
