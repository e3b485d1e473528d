//! The JSON of scenarios, records, drives and decisions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use data::exchange::{Answer, EnvironmentView, WorkloadRequest};
use data::trace::Drive;
use model::Shape;
use serde::Serialize;
use sim::Instance;
use sim::scenario::Tier;
use sim::units::BYTES_PER_MB;

use crate::decider::scheme_names;
use crate::service::Snapshot;
use sim::scheme::Solution;

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
    servers: Vec<ServerView<'a>>,
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
        let server = |server: &'a sim::scenario::Server| ServerView { name: &server.name, tier: server.tier };
        Self {
            name: &scenario.name,
            devices: model.devices(),
            tasks_per_device: model.tasks(),
            places: model.place_names(),
            servers: scenario.servers.iter().map(server).collect(),
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

#[derive(Debug, Serialize)]
struct Explanation<'a> {
    scheme: &'a str,
    decided_in_us: f64,
    devices: Vec<DeviceView<'a>>,
}

#[derive(Debug, Serialize)]
struct DeviceView<'a> {
    energy_j: f64,
    time_s: f64,
    tasks: Vec<TaskView<'a>>,
}

#[derive(Debug, Serialize)]
struct TaskView<'a> {
    place: &'a str,
    mb: f64,
    start_s: f64,
    end_s: f64,
    energy_j: f64,
}

impl<'a> AnswerView<'a> {
    pub(crate) fn new(request: &'a WorkloadRequest, solution: &Solution, explain: Option<(&'a str, Duration)>) -> Self {
        let answer = Answer::new(request.id.clone(), &request.instance, solution);
        let explanation = explain.map(|(scheme, each)| Explanation {
            scheme,
            decided_in_us: each.as_secs_f64() * 1e6,
            devices: device_views(&request.instance, solution),
        });
        Self { answer, explanation }
    }
}

fn device_views<'a>(instance: &'a Instance, solution: &Solution) -> Vec<DeviceView<'a>> {
    let Instance { model, workload } = instance;
    let times_s = (!model.is_separable()).then(|| model.place_times(workload, &solution.decision));
    let view = |device: usize| {
        let times_s = times_s.as_ref().map(|times_s| &times_s[device * model.places()..][..model.places()]);
        device_view(instance, solution, device, times_s)
    };
    (0..model.devices()).map(view).collect()
}

/// When each task of a device runs: one task after the other at each place, all places in parallel. `times_s` holds the
/// time of each place where devices share places; its tasks then take longer in proportion.
fn device_view<'a>(
    instance: &'a Instance,
    solution: &Solution,
    device: usize,
    times_s: Option<&[f64]>,
) -> DeviceView<'a> {
    let Instance { model, workload } = instance;
    let tasks = model.tasks();
    let sizes = &workload.sizes_bytes()[device * tasks..][..tasks];
    let places = &solution.decision.places()[device * tasks..][..tasks];
    let mut ends = vec![0.0; model.places()];
    let mut loads = vec![0.0; model.places()];
    for (&bytes, &place) in sizes.iter().zip(places) {
        loads[usize::from(place)] += bytes;
    }
    let mut energy = 0.0;
    let task = |(&bytes, &place): (&f64, &u8)| {
        let (place, rate) = (usize::from(place), model.rates(device)[usize::from(place)]);
        let start_s = ends[place];
        ends[place] += match times_s {
            Some(times_s) if bytes > 0.0 => times_s[place] * (bytes / loads[place]),
            _ => bytes * rate.time_s_per_byte,
        };
        let energy_j = bytes * rate.energy_j_per_byte;
        energy += energy_j;
        let name = model.place_names()[place].as_str();
        TaskView { place: name, mb: bytes / BYTES_PER_MB, start_s, end_s: ends[place], energy_j }
    };
    let tasks: Vec<_> = sizes.iter().zip(places).map(task).collect();
    DeviceView { energy_j: energy, time_s: ends.iter().copied().fold(0.0, f64::max), tasks }
}
