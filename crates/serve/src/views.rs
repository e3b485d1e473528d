//! The JSON of scenarios, records, drives and decisions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use data::Deadlines;
use data::exchange::{Answer, EnvironmentView, WorkloadRequest};
use data::trace::Drive;
use model::Shape;
use serde::Serialize;
use sim::CostModel;
use sim::scenario::Tier;
use sim::scheme::Solution;
use sim::units::BYTES_PER_MB;

use crate::decider::scheme_names;
use crate::explanation::Explanation;
use crate::service::Snapshot;

/// A recorded drive, as the page replays it: the uplinks of all devices in one window after the other.
#[derive(Debug, Clone, Serialize)]
pub struct DriveView {
    name: String,
    window_s: f64,
    devices: Vec<String>,
    windows: Vec<WindowView>,
}

#[derive(Debug, Clone, Serialize)]
struct WindowView {
    start_s: f64,
    uplink_mbps: Vec<f64>,
}

impl DriveView {
    /// The windows of `window_s` seconds in which all devices of a drive have data. If the drive has fewer than `devices`
    /// devices, each stands for several.
    pub fn new(drive: &Drive, devices: usize, window_s: f64) -> Self {
        let windows = data::uplink_windows(drive, devices, window_s).into_iter();
        Self {
            name: drive.name.clone(),
            window_s,
            devices: drive.devices.iter().cycle().take(devices).map(|device| device.device.clone()).collect(),
            windows: windows.map(|window| WindowView { start_s: window.start_s, uplink_mbps: window.mbps }).collect(),
        }
    }

    /// The number of windows.
    pub fn windows(&self) -> usize {
        self.windows.len()
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct ScenarioView<'a> {
    name: &'a str,
    devices: usize,
    tasks_per_device: usize,
    places: &'a [String],
    /// The number of tasks of each device; left out where all have `tasks_per_device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks_of_devices: Option<Vec<usize>>,
    servers: Vec<ServerView<'a>>,
    /// Left out where no task has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadlines: Option<DeadlinesView>,
    size_mb: SizeView,
    environment: EnvironmentView,
    own_environment: EnvironmentView,
    reads_environment: bool,
    schemes: Vec<String>,
    drive: Option<DriveSummary<'a>>,
    scenario: &'a sim::Scenario,
}

#[derive(Debug, Serialize)]
struct ServerView<'a> {
    name: &'a str,
    tier: Tier,
    #[serde(skip_serializing_if = "is_zero")]
    latency_ms: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The deadlines of a scenario, in the words of requests.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the keys of requests")]
struct DeadlinesView {
    /// For each device; `null`: its tasks have no deadline.
    deadline_s: Vec<Option<f64>>,
    deadline_rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_penalty: Option<f64>,
}

impl DeadlinesView {
    /// `None` if no task has a deadline.
    fn new(model: &CostModel) -> Option<Self> {
        let deadline_s = |device: usize| model.deadline_s(device * model.tasks());
        let rule = model.deadline_rule();
        model.has_deadlines().then(|| Self {
            deadline_s: (0..model.devices()).map(|device| Some(deadline_s(device)).filter(|s| s.is_finite())).collect(),
            deadline_rule: rule.name(),
            deadline_penalty: rule.penalty(),
        })
    }
}

#[derive(Debug, Serialize)]
struct SizeView {
    min: f64,
    max: f64,
    mean: f64,
}

#[derive(Debug, Serialize)]
struct DriveSummary<'a> {
    name: &'a str,
    windows: usize,
    window_s: f64,
}

impl<'a> ScenarioView<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, drive: Option<&'a DriveView>) -> Self {
        let (loaded, model) = (&snapshot.loaded, &snapshot.model);
        let (scenario, sizes) = (&loaded.served.scenario, &loaded.served.sizes);
        let (mean, std_dev) = (sizes.mean_bytes / BYTES_PER_MB, sizes.std_dev_bytes / BYTES_PER_MB);
        let size_mb = match scenario.tasks.size_mb {
            sim::scenario::SizeDistribution::Uniform { min, max }
            | sim::scenario::SizeDistribution::LogUniform { min, max } => SizeView { min, max, mean },
            // The file of recorded sizes is not read again for this range.
            sim::scenario::SizeDistribution::File { .. } => {
                SizeView { min: (mean - 2.0 * std_dev).max(0.1 * mean), max: mean + 2.0 * std_dev, mean }
            }
        };
        let server = |server: &'a sim::scenario::Server| ServerView {
            name: &server.name,
            tier: server.tier,
            latency_ms: server.latency_ms,
        };
        let tasks_of_devices = || (0..model.devices()).map(|device| model.tasks_of(device)).collect();
        Self {
            name: &scenario.name,
            devices: model.devices(),
            tasks_per_device: model.tasks(),
            places: model.place_names(),
            tasks_of_devices: model.has_absent_tasks().then(tasks_of_devices),
            servers: scenario.servers.iter().map(server).collect(),
            deadlines: DeadlinesView::new(model),
            size_mb,
            environment: model.environment().into(),
            own_environment: loaded.model.environment().into(),
            reads_environment: loaded.reads_environment(),
            schemes: scheme_names(loaded.is_exact_quick),
            drive: drive.map(|drive| DriveSummary {
                name: &drive.name,
                windows: drive.windows(),
                window_s: drive.window_s,
            }),
            scenario,
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RecordView<'a> {
    kind: &'static str,
    path: String,
    format_version: i64,
    #[serde(flatten)]
    networks: Shape,
    reads_environment: bool,
    provenance: &'a BTreeMap<String, String>,
    measures: &'a BTreeMap<String, f64>,
    loaded_unix_s: u64,
    generation: u64,
}

impl<'a> RecordView<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, path: &Path) -> Self {
        let loaded = &snapshot.loaded;
        let record = &loaded.record;
        Self {
            kind: record.networks.kind().service_name,
            path: path.display().to_string(),
            format_version: record.format_version(),
            networks: record.networks.shape(),
            reads_environment: loaded.reads_environment(),
            provenance: &record.provenance,
            measures: &record.measures,
            loaded_unix_s: loaded.loaded_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            generation: loaded.generation,
        }
    }
}

/// An answer to one workload, with an explanation if the request asked for one.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerView<'a> {
    #[serde(flatten)]
    answer: Answer<'a>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    explanation: Option<Explanation<'a>>,
}

impl<'a> AnswerView<'a> {
    pub(crate) fn new(request: &'a WorkloadRequest, solution: &Solution, explain: Option<(&'a str, Duration)>) -> Self {
        let answer = Answer::new(request.id.clone(), &request.instance, solution);
        let explanation =
            explain.map(|(scheme, each)| Explanation::new(scheme, each, &request.instance, &solution.decision));
        Self { answer, explanation }
    }
}

impl AnswerView<'_> {
    /// The deadlines of the answer; 0 where no task has one.
    pub(crate) fn deadlines(&self) -> Deadlines {
        let count = |count: Option<usize>| count.unwrap_or(0) as u64;
        Deadlines { missed: count(self.answer.missed_deadlines), tasks: count(self.answer.tasks_with_deadline) }
    }
}
