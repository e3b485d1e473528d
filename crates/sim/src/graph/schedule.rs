//! Schedules: what a decision makes happen when, built task by task.

use super::application::Neighbour;
use super::model::{GraphModel, GraphOutcome};
use super::rules::{Timing, Transfer, Weights};

/// When things happened to a task that has been placed, in seconds from the start of the application.
#[derive(Debug, Clone, Copy, Default)]
struct TaskState {
    /// Its result is at the device; where edges are sent, at the place where it ran.
    here_s: f64,
    /// All of it has been sent to its place.
    sent_s: f64,
    /// It has run.
    done_s: f64,
    place: u32,
}

/// What a part of the system does for some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Activity {
    /// What is done.
    pub kind: ActivityKind,
    /// The task that runs, is sent, or waits for what is sent or received; with whole tasks, the task whose result is
    /// received.
    pub task: u32,
    /// Where it runs; for transfers, the server at the other end.
    pub place: u8,
    /// The beginning, in seconds.
    pub start_s: f64,
    /// The end, in seconds.
    pub end_s: f64,
}

/// The kind of an [`Activity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// A task runs.
    Run,
    /// The device sends.
    Send,
    /// The device receives.
    Receive,
}

/// Takes note of activities while a schedule is built.
trait Recorder {
    fn record(&mut self, activity: Activity);
}

/// Takes no note.
struct Nothing;

impl Recorder for Nothing {
    #[inline]
    fn record(&mut self, _: Activity) {}
}

/// Notes when the device does something.
struct DeviceTimes<'a>(&'a mut Vec<(f64, f64)>);

impl Recorder for DeviceTimes<'_> {
    fn record(&mut self, activity: Activity) {
        let Activity { kind, place, start_s, end_s, .. } = activity;
        if (kind != ActivityKind::Run || place == 0) && end_s > start_s {
            self.0.push((start_s, end_s));
        }
    }
}

impl Recorder for Vec<Activity> {
    fn record(&mut self, activity: Activity) {
        self.push(activity);
    }
}

/// A decision that is made task by task, in the order in which a model schedules tasks, with its cost so far.
///
/// [`Schedule::push`] places the next task, [`Schedule::truncate`] takes tasks back, both in time that does not grow with
/// the number of tasks before. Nothing allocates after [`Schedule::new`], except where the energy of idling counts.
///
/// A schedule belongs to the model it was made for, or one that differs in weights alone. With serial timing it only adds
/// up costs.
///
/// ```
/// # use std::sync::Arc;
/// # use sim::graph::{Application, GraphModel, GraphTask, Machine, Rules, Schedule, System};
/// # let machine = Machine { instructions_per_s: 1e9, memory_bytes_per_s: None };
/// # let system = System { device: machine, compute_w: 0.9, idle_w: 0.3, servers: vec![] };
/// # let task = |name: &str| GraphTask { name: name.to_owned(), instructions: 1e10, ..GraphTask::default() };
/// # let application = Application::new(vec![task("a"), task("b")], vec![])?;
/// # let model = GraphModel::new(Arc::new(application), Arc::new(system), Rules::default())?;
/// let mut schedule = Schedule::new(&model);
/// schedule.push(&model, 0);
/// schedule.push(&model, 0);
/// assert_eq!(schedule.cost(&model), model.evaluate(&[0, 0]).cost);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Schedule {
    /// `[task]`.
    states: Vec<TaskState>,
    /// `[placed tasks + 1][width]`: when each queue is free once that number of tasks has been placed, then the latest
    /// result, then the cost that does not depend on when things happen.
    rows: Vec<f64>,
    width: usize,
    placed: usize,
    /// A row for costs of whole decisions.
    spare: Vec<f64>,
    /// When the device does something, and the number of these times after each placed task; empty unless idling costs.
    device_times: Vec<(f64, f64)>,
    device_time_counts: Vec<usize>,
}

impl Schedule {
    /// A schedule without any task yet.
    pub fn new(model: &GraphModel) -> Self {
        let width = model.queues.count + 2;
        Self {
            states: vec![TaskState::default(); model.tasks()],
            rows: vec![0.0; (model.tasks() + 1) * width],
            width,
            placed: 0,
            spare: vec![0.0; width],
            device_times: Vec::new(),
            device_time_counts: vec![0; model.tasks() + 1],
        }
    }

    /// The number of tasks that have been placed.
    #[expect(clippy::len_without_is_empty, reason = "a schedule is a stack of placed tasks, not a collection")]
    pub fn len(&self) -> usize {
        self.placed
    }

    /// Places the next task of the order.
    ///
    /// # Panics
    /// If all tasks have been placed, or there is no such place.
    #[inline]
    pub fn push(&mut self, model: &GraphModel, place: u8) {
        let (from, to) = (self.placed * self.width, (self.placed + 1) * self.width);
        let (before, after) = self.rows.split_at_mut(to);
        let row = &mut after[..self.width];
        for (to, from) in row.iter_mut().zip(&before[from..]) {
            *to = *from;
        }
        let task = model.order[self.placed];
        self.placed += 1;
        if model.idling_costs() {
            let times = self.device_time_counts[self.placed - 1];
            self.device_times.truncate(times);
            step(model, &mut self.states, row, task, place, &mut DeviceTimes(&mut self.device_times));
            self.device_time_counts[self.placed] = self.device_times.len();
        } else {
            step(model, &mut self.states, row, task, place, &mut Nothing);
        }
    }

    /// Places a task whose predecessors have been placed, in whatever order; `before` lists its edges from them, in the order
    /// in which their data are sent.
    pub(super) fn push_task(&mut self, model: &GraphModel, before: &[Neighbour], (task, place): (u32, u8)) {
        let (from, to) = (self.placed * self.width, (self.placed + 1) * self.width);
        self.rows.copy_within(from..to, to);
        let row = &mut self.rows[to..to + self.width];
        self.placed += 1;
        let times = self.device_time_counts[self.placed - 1];
        self.device_times.truncate(times);
        if model.idling_costs() {
            let recorder = &mut DeviceTimes(&mut self.device_times);
            step_with(model, before, &mut self.states, row, (task, place), recorder);
        } else {
            step_with(model, before, &mut self.states, row, (task, place), &mut Nothing);
        }
        self.device_time_counts[self.placed] = self.device_times.len();
    }

    /// Takes back all but the first `placed` tasks.
    ///
    /// # Panics
    /// If fewer have been placed.
    #[inline]
    pub fn truncate(&mut self, placed: usize) {
        assert!(placed <= self.placed, "{} tasks have been placed", self.placed);
        self.placed = placed;
    }

    /// Replaces the schedule by that of a whole decision.
    ///
    /// # Shapes
    /// `places` is `[tasks]`, in the order in which the application gives its tasks.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn fill(&mut self, model: &GraphModel, places: &[u8]) {
        assert_eq!(places.len(), model.tasks(), "there must be one place for each task");
        self.placed = 0;
        for position in 0..model.tasks() {
            self.push(model, places[model.order[position] as usize]);
        }
    }

    /// The cost so far. With all tasks placed it is the cost of the decision; before, no decision that continues this one
    /// costs less.
    #[inline]
    pub fn cost(&self, model: &GraphModel) -> f64 {
        let row = &self.rows[self.placed * self.width..][..self.width];
        let cost = model.row_cost(row);
        if self.placed == model.tasks() && model.idling_costs() {
            let times = &self.device_times[..self.device_time_counts[self.placed]];
            return cost + model.idling_cost(row[self.width - 2], &mut times.to_vec());
        }
        cost
    }

    /// The time until the last result so far, in seconds. With serial timing, the sum of all times so far.
    pub fn time_s(&self) -> f64 {
        self.rows[self.placed * self.width + self.width - 2]
    }

    /// When each queue is free after the tasks placed so far, in seconds: the device's processor, each server, each uplink,
    /// and each downlink if results wait for each other.
    pub fn queues_s(&self) -> &[f64] {
        &self.rows[self.placed * self.width..][..self.width - 2]
    }

    /// The place of a task that has been placed.
    ///
    /// # Panics
    /// If there is no such task.
    #[inline]
    pub fn place(&self, task: usize) -> u8 {
        self.states[task].place as u8
    }

    /// When a placed task has run, in seconds. Means nothing with serial timing.
    ///
    /// # Panics
    /// If there is no such task.
    #[inline]
    pub fn done_s(&self, task: usize) -> f64 {
        self.states[task].done_s
    }

    /// When a placed task has been sent to its place, in seconds; for tasks at the device, when they have run. Means
    /// nothing where edges are sent or with serial timing.
    ///
    /// # Panics
    /// If there is no such task.
    #[inline]
    pub fn sent_s(&self, task: usize) -> f64 {
        self.states[task].sent_s
    }

    /// When the result of a placed task is at the device, in seconds; where edges are sent, when it has run. Means nothing
    /// with serial timing.
    ///
    /// # Panics
    /// If there is no such task.
    #[inline]
    pub fn result_s(&self, task: usize) -> f64 {
        self.states[task].here_s
    }

    /// The decision, `[tasks]`, in the order in which the application gives its tasks. Tasks that have not been placed are
    /// at their last place, or at the device.
    pub fn places(&self) -> Vec<u8> {
        self.states.iter().map(|state| state.place as u8).collect()
    }

    /// What the decision takes and costs.
    ///
    /// # Panics
    /// If some task has not been placed.
    pub fn outcome(&self, model: &GraphModel) -> GraphOutcome {
        assert_eq!(self.placed, model.tasks(), "some task has not been placed");
        let place_of = |task: usize| self.states[task].place as usize;
        let is_forbidden = |task: &usize| !model.is_allowed(*task, place_of(*task));
        if (0..model.tasks()).any(|task| is_forbidden(&task)) {
            let [energy_j, time_s, price, cost] = [f64::INFINITY; 4];
            return GraphOutcome { energy_j, time_s, price, cost, exceeds_limits: true };
        }
        let (mut energy_j, mut time_s, price) = model.totals(place_of);
        if model.rules.timing == Timing::Scheduled {
            time_s = self.time_s();
            let mut activities = Vec::new();
            let mut times = Vec::new();
            self.replay(model, &mut activities);
            for activity in activities {
                DeviceTimes(&mut times).record(activity);
            }
            energy_j += model.system.idle_w * (time_s - covered_s(&mut times)).max(0.0);
        }
        let Weights { energy, time, price: price_weight } = model.rules.weights;
        // Both forms of the cost are the same sum in another order; searches compare what `cost` says.
        let cost = self.cost(model);
        debug_assert!((cost - (energy * energy_j + time * time_s + price_weight * price)).abs() <= 1e-9 * cost.abs());
        let limits = &model.rules.limits;
        let exceeds_limits = energy_j > limits.energy_j || time_s > limits.time_s || price > limits.price;
        GraphOutcome { energy_j, time_s, price, cost, exceeds_limits }
    }

    /// Every run of a task, and every transfer that takes time, in the order of the tasks: what a chart shows. With serial
    /// timing each activity begins when the one before it ends.
    ///
    /// # Panics
    /// If some task has not been placed.
    pub fn activities(&self, model: &GraphModel) -> Vec<Activity> {
        assert_eq!(self.placed, model.tasks(), "some task has not been placed");
        let mut activities = Vec::new();
        self.replay(model, &mut activities);
        activities
            .retain(|activity: &Activity| activity.kind == ActivityKind::Run || activity.end_s > activity.start_s);
        activities
    }

    fn replay(&self, model: &GraphModel, recorder: &mut impl Recorder) {
        let mut states = vec![TaskState::default(); self.states.len()];
        let mut row = vec![0.0; self.width];
        for &task in &model.order {
            step(model, &mut states, &mut row, task, self.states[task as usize].place as u8, recorder);
        }
    }

    /// The cost of a whole decision. Forgets the tasks placed so far.
    ///
    /// # Shapes
    /// `places` is `[tasks]`, in the order in which the application gives its tasks.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn cost_of(&mut self, model: &GraphModel, places: &[u8]) -> f64 {
        assert_eq!(places.len(), model.tasks(), "there must be one place for each task");
        self.placed = 0;
        let row = &mut self.spare[..];
        row.fill(0.0);
        if model.idling_costs() {
            let times = &mut self.device_times;
            times.clear();
            for &task in &model.order {
                step(model, &mut self.states, row, task, places[task as usize], &mut DeviceTimes(times));
            }
            return model.row_cost(row) + model.idling_cost(row[self.width - 2], times);
        }
        for &task in &model.order {
            step(model, &mut self.states, row, task, places[task as usize], &mut Nothing);
        }
        model.row_cost(row)
    }
}

/// A schedule that is tried out: as another one up to some task, and different from there on.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    states: Vec<TaskState>,
    row: Vec<f64>,
    device_times: Vec<(f64, f64)>,
    /// The number of tasks, in the order of the model, whose states are those of the other schedule.
    same: usize,
}

impl Trial {
    pub(super) fn new(schedule: &Schedule) -> Self {
        let Schedule { states, width, .. } = schedule;
        Self { states: states.clone(), row: vec![0.0; *width], device_times: Vec::new(), same: 0 }
    }

    /// Takes note that the tasks of the other schedule from a position on have changed.
    pub(super) fn forget(&mut self, from: usize) {
        self.same = self.same.min(from);
    }

    /// The cost if the tasks of a whole schedule from a position on are at the given places. Once it is certain that the
    /// cost is not below `limit`, a number from `limit` up to the cost comes back.
    pub(super) fn cost(
        &mut self,
        model: &GraphModel,
        schedule: &Schedule,
        from: usize,
        places: &[u8],
        limit: f64,
    ) -> f64 {
        for &task in &model.order[self.same.min(from)..from] {
            self.states[task as usize] = schedule.states[task as usize];
        }
        self.same = from;
        self.row.copy_from_slice(&schedule.rows[from * schedule.width..][..schedule.width]);
        let row = &mut self.row[..];
        if model.idling_costs() {
            let times = &mut self.device_times;
            times.clear();
            times.extend_from_slice(&schedule.device_times[..schedule.device_time_counts[from]]);
            for &task in &model.order[from..] {
                step(model, &mut self.states, row, task, places[task as usize], &mut DeviceTimes(times));
                let cost = model.row_cost(row);
                if cost >= limit {
                    return cost;
                }
            }
            return model.row_cost(row) + model.idling_cost(row[row.len() - 2], times);
        }
        for &task in &model.order[from..] {
            step(model, &mut self.states, row, task, places[task as usize], &mut Nothing);
            let cost = model.row_cost(row);
            if cost >= limit {
                return cost;
            }
        }
        model.row_cost(row)
    }
}

impl GraphModel {
    /// Whether the energy of an idle device costs something in a schedule.
    #[inline]
    fn idling_costs(&self) -> bool {
        self.rules.timing == Timing::Scheduled && self.rules.weights.energy * self.system.idle_w > 0.0
    }

    /// The cost that a row of a schedule says, without that of idling.
    #[inline]
    fn row_cost(&self, row: &[f64]) -> f64 {
        let [.., time_s, fixed] = row else { return 0.0 };
        match self.rules.timing {
            Timing::Serial => *fixed,
            Timing::Scheduled => fixed + self.rules.weights.time * time_s,
        }
    }

    fn idling_cost(&self, time_s: f64, device_times: &mut [(f64, f64)]) -> f64 {
        self.rules.weights.energy * self.system.idle_w * (time_s - covered_s(device_times)).max(0.0)
    }
}

/// The length of the union of intervals.
fn covered_s(intervals: &mut [(f64, f64)]) -> f64 {
    intervals.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered, mut end) = (0.0, 0.0);
    for &(from, to) in intervals.iter() {
        if to > end {
            covered += to - f64::max(from, end);
            end = to;
        }
    }
    covered
}

/// Places one task after those that come before it in the order.
#[inline]
fn step(
    model: &GraphModel,
    states: &mut [TaskState],
    row: &mut [f64],
    task: u32,
    place: u8,
    recorder: &mut impl Recorder,
) {
    step_with(model, model.before(task as usize), states, row, (task, place), recorder);
}

/// Places one task after those that come before it in some order; `before` lists its edges from them, in the order in which
/// their data are sent.
#[inline]
fn step_with(
    model: &GraphModel,
    before: &[Neighbour],
    states: &mut [TaskState],
    row: &mut [f64],
    (task, place): (u32, u8),
    recorder: &mut impl Recorder,
) {
    let places = model.places;
    assert!((place as usize) < places, "place {place} of {places}");
    match (model.rules.timing, model.rules.transfer) {
        (Timing::Serial, _) => add_up(model, states, row, task as usize, place, recorder),
        (Timing::Scheduled, Transfer::Task) => send_task(model, states, row, task as usize, place, recorder),
        (Timing::Scheduled, Transfer::Edge) => send_edges(model, before, states, row, (task, place), recorder),
    }
}

/// Serial timing: one thing after the other, the data of edges before the task that waits for them.
#[inline]
fn add_up(
    model: &GraphModel,
    states: &mut [TaskState],
    row: &mut [f64],
    task: usize,
    place: u8,
    recorder: &mut impl Recorder,
) {
    let place_index = place as usize;
    let cell = task * model.places + place_index;
    let [.., time_s, fixed] = row else { return };
    *fixed += model.task_cost[cell];
    let mut record = |kind, place, duration_s: f64| {
        let start_s = *time_s;
        *time_s += duration_s;
        recorder.record(Activity { kind, task: task as u32, place, start_s, end_s: *time_s });
    };
    if model.rules.transfer == Transfer::Edge {
        for edge in model.before(task) {
            let from = states[edge.task as usize].place as usize;
            *fixed += edge.bytes * model.byte_cost[from * model.places + place_index];
            if from != place_index {
                record(ActivityKind::Receive, from as u8, edge.bytes * model.down_s_per_byte[from]);
                record(ActivityKind::Send, place, edge.bytes * model.up_s_per_byte[place_index]);
            }
        }
    }
    record(ActivityKind::Send, place, model.send_s[cell]);
    record(ActivityKind::Run, place, model.run_s[cell]);
    record(ActivityKind::Receive, place, model.return_s[cell]);
    states[task].place = place.into();
}

/// Whole tasks are sent.
#[inline]
fn send_task(
    model: &GraphModel,
    states: &mut [TaskState],
    row: &mut [f64],
    task: usize,
    place: u8,
    recorder: &mut impl Recorder,
) {
    let cell = task * model.places + place as usize;
    let activity = |kind, start_s, end_s| Activity { kind, task: task as u32, place, start_s, end_s };
    let state = if place == 0 {
        let mut start_s = row[0];
        for edge in model.before(task) {
            start_s = start_s.max(states[edge.task as usize].here_s);
        }
        let end_s = start_s + model.run_s[cell];
        row[0] = end_s;
        recorder.record(activity(ActivityKind::Run, start_s, end_s));
        TaskState { here_s: end_s, sent_s: end_s, done_s: end_s, place: 0 }
    } else {
        let uplink = model.queues.uplink[place as usize] as usize;
        let (mut send_s, mut run_s) = (row[uplink], row[place as usize]);
        for edge in model.before(task) {
            let before = &states[edge.task as usize];
            let is_there = before.place == u32::from(place);
            send_s = send_s.max(if is_there { before.sent_s } else { before.here_s });
            run_s = run_s.max(if is_there { before.done_s } else { 0.0 });
        }
        let sent_s = send_s + model.send_s[cell];
        let start_s = run_s.max(sent_s);
        let done_s = start_s + model.run_s[cell];
        let return_s = match model.queues.downlink.get(place as usize) {
            Some(&downlink) => done_s.max(row[downlink as usize]),
            None => done_s,
        };
        let here_s = return_s + model.return_s[cell];
        (row[uplink], row[place as usize]) = (sent_s, done_s);
        if let Some(&downlink) = model.queues.downlink.get(place as usize) {
            row[downlink as usize] = here_s;
        }
        recorder.record(activity(ActivityKind::Send, send_s, sent_s));
        recorder.record(activity(ActivityKind::Run, start_s, done_s));
        recorder.record(activity(ActivityKind::Receive, return_s, here_s));
        TaskState { here_s, sent_s, done_s, place: place.into() }
    };
    states[task] = state;
    let [.., time_s, fixed] = row else { return };
    *time_s = time_s.max(state.here_s);
    *fixed += model.task_cost[cell];
}

/// What edges carry is sent.
#[inline]
fn send_edges(
    model: &GraphModel,
    before: &[Neighbour],
    states: &mut [TaskState],
    row: &mut [f64],
    (task, place): (u32, u8),
    recorder: &mut impl Recorder,
) {
    let task = task as usize;
    let place_index = place as usize;
    let cell = task * model.places + place_index;
    let mut start_s = row[place_index];
    let mut moved = 0.0;
    for edge in before {
        let sender = states[edge.task as usize];
        let from = sender.place as usize;
        let mut ready_s = sender.done_s;
        if from != place_index {
            if from > 0 {
                let downlink = model.queues.downlink.get(from).map(|queue| *queue as usize);
                let begin_s = downlink.map_or(ready_s, |queue| ready_s.max(row[queue]));
                ready_s = begin_s + edge.bytes * model.down_s_per_byte[from];
                if let Some(queue) = downlink {
                    row[queue] = ready_s;
                }
                let (kind, task, place) = (ActivityKind::Receive, task as u32, from as u8);
                recorder.record(Activity { kind, task, place, start_s: begin_s, end_s: ready_s });
            }
            if place > 0 {
                let uplink = model.queues.uplink[place_index] as usize;
                let begin_s = ready_s.max(row[uplink]);
                ready_s = begin_s + edge.bytes * model.up_s_per_byte[place_index];
                row[uplink] = ready_s;
                let (kind, task) = (ActivityKind::Send, task as u32);
                recorder.record(Activity { kind, task, place, start_s: begin_s, end_s: ready_s });
            }
            moved += edge.bytes * model.byte_cost[from * model.places + place_index];
        }
        start_s = start_s.max(ready_s);
    }
    let done_s = start_s + model.run_s[cell];
    row[place_index] = done_s;
    recorder.record(Activity { kind: ActivityKind::Run, task: task as u32, place, start_s, end_s: done_s });
    states[task] = TaskState { here_s: done_s, sent_s: done_s, done_s, place: place.into() };
    let [.., time_s, fixed] = row else { return };
    *time_s = time_s.max(done_s);
    *fixed += model.task_cost[cell] + moved;
}
