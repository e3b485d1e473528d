//! The JSON of a dispatching service.

use std::time::Duration;

use serde::Serialize;
use sim::stream::dispatch::live::{CompletedTask, LivePlacement};

use super::DispatchService;
use super::clock::TimeOf;
use super::live::{LiveState, Recent};
use super::request::{DispatchRequest, TaskId};
use super::site_names::SiteNames;

/// Where a task is to run, and what is expected of it.
#[derive(Debug, Serialize)]
pub(super) struct PlacementView<'a> {
    id: TaskIdRef<'a>,
    place: &'a str,
    time_s: f64,
    wait_s: f64,
    done_s: f64,
    energy_j: f64,
    cost: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    missed_deadline: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TaskIdRef<'a> {
    Own(&'a TaskId),
    Number(u64),
}

impl<'a> PlacementView<'a> {
    fn new(placement: &LivePlacement, id: Option<&'a TaskId>, has_deadline: bool, names: &'a SiteNames) -> Self {
        Self {
            id: id.map_or(TaskIdRef::Number(placement.number), TaskIdRef::Own),
            place: names.site.place_name(placement.place),
            time_s: placement.arrived_s,
            wait_s: placement.wait_s,
            done_s: placement.done_s,
            energy_j: placement.energy_j,
            cost: placement.cost,
            missed_deadline: has_deadline.then_some(placement.is_late),
        }
    }
}

#[derive(Serialize)]
struct Timed<T> {
    #[serde(flatten)]
    answer: T,
    decided_in_us: f64,
}

#[derive(Serialize)]
struct Answers<T> {
    answers: Vec<T>,
    decided_in_us: f64,
}

/// The answer to tasks that were placed: one, or a list.
pub(super) fn placements(
    request: &DispatchRequest,
    has_deadline: &[bool],
    placed: &[LivePlacement],
    took: Duration,
    names: &SiteNames,
) -> serde_json::Result<Vec<u8>> {
    let decided_in_us = 1e6 * took.as_secs_f64() / placed.len().max(1) as f64;
    let mut answers: Vec<PlacementView<'_>> = (placed.iter().zip(&request.ids).zip(has_deadline))
        .map(|((placement, id), has_deadline)| PlacementView::new(placement, id.as_ref(), *has_deadline, names))
        .collect();
    let mut json = Vec::with_capacity(160 * placed.len());
    match answers.pop() {
        Some(answer) if !request.is_list => serde_json::to_writer(&mut json, &Timed { answer, decided_in_us })?,
        last => {
            answers.extend(last);
            serde_json::to_writer(&mut json, &Answers { answers, decided_in_us })?;
        }
    }
    Ok(json)
}

/// What became of a task.
#[derive(Debug, Serialize)]
struct CompletedView<'a> {
    id: &'a TaskId,
    place: &'a str,
    time_s: f64,
    expected_s: f64,
    done_s: f64,
    expected_cost: f64,
    cost: f64,
}

/// The answer to completions: one, or a list.
pub(super) fn completions(
    ids: &[(TaskId, Option<f64>)],
    is_list: bool,
    done: &[CompletedTask],
    names: &SiteNames,
) -> serde_json::Result<Vec<u8>> {
    let view = |((id, _), task): (&'_ (TaskId, Option<f64>), &CompletedTask)| {
        let view = CompletedView {
            id,
            place: names.site.place_name(task.place),
            time_s: task.arrived_s,
            expected_s: task.expected_s,
            done_s: task.done_s,
            expected_cost: task.expected_cost,
            cost: task.cost,
        };
        serde_json::to_value(view)
    };
    let mut answers = ids.iter().zip(done).map(view).collect::<serde_json::Result<Vec<_>>>()?;
    match answers.pop() {
        Some(one) if !is_list => serde_json::to_vec(&one),
        last => {
            answers.extend(last);
            serde_json::to_vec(&serde_json::json!({ "answers": answers }))
        }
    }
}

/// A queue now.
#[derive(Debug, Serialize)]
pub(super) struct QueueView<'a> {
    pub(super) name: &'a str,
    pub(super) backlog_s: f64,
    pub(super) tasks: usize,
}

#[derive(Debug, Serialize)]
struct RecentView<'a> {
    id: &'a TaskId,
    device: usize,
    size_mb: f64,
    place: &'a str,
    time_s: f64,
    wait_s: f64,
    done_s: f64,
    cost: f64,
}

/// All queues now, what was counted, and the last decisions.
#[derive(Debug, Serialize)]
pub(super) struct QueuesView<'a> {
    time_s: f64,
    time_of: Option<TimeOf>,
    scheme: &'a str,
    tasks: u64,
    tasks_by_place: serde_json::Map<String, serde_json::Value>,
    open_tasks: usize,
    completed_tasks: u64,
    missed_deadlines: u64,
    mean_wait_s: f64,
    mean_cost: f64,
    mean_greedy_cost: f64,
    /// By how much tasks were done later than expected.
    mean_delay_s: f64,
    queue_count: usize,
    queues: Vec<QueueView<'a>>,
    recent: Vec<RecentView<'a>>,
}

impl<'a> QueuesView<'a> {
    /// The queues in their order; with `most` the longest of them.
    pub(super) fn new(state: &'a LiveState, service: &'a DispatchService, most: Option<usize>) -> Self {
        let (site, names, counts) = (&state.site, &service.names, state.site.counts());
        let queues = names.site.queues().iter().zip(site.backlogs_s()).zip(site.waiting());
        let mut queues: Vec<QueueView<'_>> =
            queues.map(|((queue, backlog_s), tasks)| QueueView { name: &queue.name, backlog_s, tasks }).collect();
        if let Some(most) = most {
            queues.sort_by(|a, b| b.backlog_s.total_cmp(&a.backlog_s));
            queues.truncate(most);
        }
        let placed = counts.placed();
        let mean = |sum: f64, count: u64| if count == 0 { 0.0 } else { sum / count as f64 };
        let by_place =
            (0..).zip(&counts.at_place).map(|(place, at)| (names.site.place_name(place).to_owned(), (*at).into()));
        Self {
            time_s: site.time_s(),
            time_of: state.clock.of(),
            scheme: site.scheme(),
            tasks: placed,
            tasks_by_place: by_place.collect(),
            open_tasks: site.open(),
            completed_tasks: counts.completed,
            missed_deadlines: counts.late,
            mean_wait_s: mean(counts.wait_s, placed),
            mean_cost: mean(counts.cost, placed),
            mean_greedy_cost: mean(counts.greedy_cost, placed),
            mean_delay_s: mean(counts.delay_s, counts.completed),
            queue_count: names.site.queues().len(),
            queues,
            recent: state.recent.iter().map(|recent| RecentView::new(recent, names)).collect(),
        }
    }
}

impl<'a> RecentView<'a> {
    fn new(recent: &'a Recent, names: &'a SiteNames) -> Self {
        let Recent { id, size_mb, placement } = recent;
        Self {
            id,
            device: names.number(placement.device),
            size_mb: *size_mb,
            place: names.site.place_name(placement.place),
            time_s: placement.arrived_s,
            wait_s: placement.wait_s,
            done_s: placement.done_s,
            cost: placement.cost,
        }
    }
}

#[derive(Serialize)]
struct QueueKindView<'a> {
    name: &'a str,
    s_per_mb: f64,
}

/// What is served.
#[derive(Serialize)]
pub(super) struct SiteView<'a> {
    name: &'a str,
    kind: &'static str,
    scheme: String,
    seed: u64,
    /// What tells this site from others.
    site: String,
    devices: &'a [usize],
    places: Vec<&'a str>,
    alpha: f64,
    deadline_s: Option<f64>,
    queues: Vec<QueueKindView<'a>>,
    schemes: Vec<String>,
    scenario: &'a sim::stream::scenario::DispatchScenario,
}

impl<'a> SiteView<'a> {
    pub(super) fn new(state: &LiveState, service: &'a DispatchService) -> Self {
        let (site, scenario) = (&service.names.site, &service.scenario);
        let now = state.site.site().queues();
        let queues = site.queues().iter().zip(now);
        Self {
            name: &scenario.name,
            kind: "stream",
            scheme: state.site.scheme().to_owned(),
            seed: state.site.seed(),
            site: state.site.fingerprint().to_owned(),
            devices: service.names.numbers(),
            places: (0..site.places()).map(|place| site.place_name(place)).collect(),
            alpha: scenario.alpha,
            deadline_s: scenario.tasks.deadline_s,
            queues: queues
                .map(|(queue, now)| QueueKindView { name: &queue.name, s_per_mb: 1e6 * now.s_per_byte })
                .collect(),
            schemes: sim::stream::dispatch::scheme::DispatchSchemeKind::all(site)
                .iter()
                .map(ToString::to_string)
                .collect(),
            scenario,
        }
    }
}
