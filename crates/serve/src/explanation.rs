//! The part of an answer that explains a decision: when each task runs, and what energy it takes.

use std::time::Duration;

use serde::Serialize;
use sim::units::BYTES_PER_MB;
use sim::{CostModel, Decision, Instance};

#[derive(Debug, Serialize)]
pub(crate) struct Explanation<'a> {
    scheme: &'a str,
    decided_in_us: f64,
    devices: Vec<DeviceView<'a>>,
}

#[derive(Debug, Serialize)]
struct DeviceView<'a> {
    energy_j: f64,
    time_s: f64,
    /// `None` where there is no task.
    tasks: Vec<Option<TaskView<'a>>>,
}

#[derive(Debug, Serialize)]
struct TaskView<'a> {
    place: &'a str,
    mb: f64,
    start_s: f64,
    end_s: f64,
    energy_j: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_s: Option<f64>,
    /// When the device is done at the place, with all its tasks there: what counts for the deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    done_s: Option<f64>,
    /// Whether the device is done at the place only after the deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed_deadline: Option<bool>,
}

impl<'a> Explanation<'a> {
    pub(crate) fn new(scheme: &'a str, decided_in: Duration, instance: &'a Instance, decision: &Decision) -> Self {
        let Instance { model, workload } = instance;
        let has_plain_times = model.is_separable() && !model.is_detailed();
        let needs_times = !has_plain_times || model.has_deadlines();
        let times_s = if needs_times { model.place_times(workload, decision) } else { Vec::new() };
        let view = |device: usize| {
            let times_s = times_s.chunks_exact(model.places()).nth(device);
            let tasks = model.tasks();
            let part = DevicePart {
                sizes_bytes: &workload.sizes_bytes()[device * tasks..][..tasks],
                places: &decision.places()[device * tasks..][..tasks],
                times_s,
                has_plain_times,
            };
            part.view(model, device)
        };
        Self {
            scheme,
            decided_in_us: decided_in.as_secs_f64() * 1e6,
            devices: (0..model.devices()).map(view).collect(),
        }
    }
}

/// The part of a decision that is one device's.
struct DevicePart<'a> {
    sizes_bytes: &'a [f64],
    places: &'a [u8],
    /// The time at which the device is done at each place; `None` where rates tell it.
    times_s: Option<&'a [f64]>,
    /// Whether each task adds its own time to that of its place.
    has_plain_times: bool,
}

impl DevicePart<'_> {
    /// When each task of the device runs: one task after the other at each place, all places in parallel. Where tasks do not
    /// simply add up their times, because devices share places or tasks differ in more than bytes, the time of a place is
    /// divided among its tasks in proportion to their bytes, or to the times that they would take alone.
    fn view<'a>(&self, model: &'a CostModel, device: usize) -> DeviceView<'a> {
        let first = device * model.tasks();
        let share = |task: usize, bytes: f64, place: usize| {
            if model.is_detailed() { model.single_task_time_s(first + task, bytes, place) } else { bytes }
        };
        let mut ends = vec![0.0; model.places()];
        let mut shares = vec![0.0; model.places()];
        for (task, (&bytes, &place)) in self.sizes_bytes.iter().zip(self.places).enumerate() {
            shares[usize::from(place)] += share(task, bytes, usize::from(place));
        }
        let mut energy = 0.0;
        let view = |(task, (&bytes, &place)): (usize, (&f64, &u8))| {
            if bytes == 0.0 {
                return None;
            }
            let place = usize::from(place);
            let start_s = ends[place];
            ends[place] += match self.times_s {
                Some(times_s) if !self.has_plain_times => times_s[place] * (share(task, bytes, place) / shares[place]),
                _ => bytes * model.rates(device)[place].time_s_per_byte,
            };
            let energy_j = model.single_task_energy_j(first + task, bytes, place);
            energy += energy_j;
            let deadline_s = Some(model.deadline_s(first + task)).filter(|deadline_s| deadline_s.is_finite());
            let done_s = self.times_s.map_or(ends[place], |times_s| times_s[place]);
            Some(TaskView {
                place: model.place_names()[place].as_str(),
                mb: bytes / BYTES_PER_MB,
                start_s,
                end_s: ends[place],
                energy_j,
                deadline_s,
                done_s: deadline_s.map(|_| done_s),
                missed_deadline: deadline_s.map(|_| model.misses_deadline(first + task, done_s)),
            })
        };
        let tasks: Vec<_> = self.sizes_bytes.iter().zip(self.places).enumerate().map(view).collect();
        DeviceView { energy_j: energy, time_s: ends.iter().copied().fold(0.0, f64::max), tasks }
    }
}
