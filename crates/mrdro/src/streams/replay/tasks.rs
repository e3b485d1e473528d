//! What a page shows of a run of dispatching.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sim::stream::dispatch::{Choice, DispatchEpisode, DoneTask, Path, QueueKind, Site, WARM_UP};
use sim::units::BYTES_PER_MB;

use super::{OVERVIEW_POINTS, Overview, rounded, short};

/// The number of tasks that a page shows.
pub(super) const MOST_TASKS: usize = 10_000;
/// The most numbers about what places promised.
const MOST_CHOICES: usize = 60_000;
/// The most lanes of one group.
const MOST_LANES: usize = 20;
/// The lane of no queue.
const NO_LANE: i32 = -1;

/// The tasks that a page shows, as columns: first those that are not done when the part that is shown begins, then those that
/// arrive in it.
#[derive(Debug, Serialize)]
pub(super) struct TaskReplay<'r> {
    places: &'r [String],
    alpha: f64,
    /// The latency of each place, in seconds.
    latency_s: Vec<f64>,
    lanes: Vec<Lane>,
    left_out_lanes: Vec<(&'static str, usize)>,
    /// The tasks of the run, the first that counts, and the first that is shown.
    tasks_of_run: usize,
    warm_up: usize,
    first: usize,
    from_s: f64,
    until_s: f64,
    done_before: Sums,
    overview: Overview,
    /// The numbers of the tasks that arrived earlier.
    earlier: Vec<usize>,
    arrived_s: Vec<f64>,
    sent_s: Vec<f64>,
    done_s: Vec<f64>,
    device: Vec<u32>,
    size_mb: Vec<f64>,
    place: Vec<u8>,
    link_lane: Vec<i32>,
    machine_lane: Vec<i32>,
    energy_j: Vec<f64>,
    cost: Vec<f64>,
    missed: Vec<u8>,
    /// What each place promised the tasks that arrive in the part that is shown.
    offers: Vec<Promises>,
}

/// A queue, or a server without one.
#[derive(Debug, Serialize)]
struct Lane {
    name: String,
    group: &'static str,
    /// Whether tasks wait for one another.
    waits: bool,
}

/// Sums over tasks that count and are done before the part that is shown begins.
#[derive(Debug, Default, Serialize)]
struct Sums {
    tasks: usize,
    cost: f64,
    energy_j: f64,
    response_s: f64,
    missed: usize,
}

/// What one place promised, as columns. A cost is -1 where the place cannot be used, and a rate where it does not change.
#[derive(Debug, Default, Serialize)]
struct Promises {
    wait_s: Vec<f64>,
    served_s: Vec<f64>,
    energy_j: Vec<f64>,
    cost: Vec<f64>,
    mbps: Vec<f64>,
}

impl Promises {
    fn push(&mut self, choice: &Choice) {
        let wait_s = choice.link.wait_s + choice.machine.wait_s;
        self.wait_s.push(short(wait_s));
        self.served_s.push(short(choice.response_s() - wait_s));
        self.energy_j.push(short(choice.energy_j));
        self.cost.push(if choice.own_cost.is_finite() { short(choice.own_cost) } else { -1.0 });
        self.mbps.push(choice.changing_link.map_or(-1.0, |link| short(link.bytes_per_s_now * 8e-6)));
    }
}

impl<'r> TaskReplay<'r> {
    pub(super) fn of(tasks: &[DoneTask], places: &'r [String], site: &Arc<Site>, path: &Path) -> Self {
        let most = MOST_TASKS.min(MOST_CHOICES / places.len()).max(1);
        let first = first_shown(tasks, most);
        let until = tasks.len().min(first + most);
        let from_s = if first == 0 { 0.0 } else { tasks[first].arrived_s };
        let warm_up = (tasks.len() as f64 * WARM_UP) as usize;
        let (mut done_before, mut earlier) = (Sums::default(), Vec::new());
        for task in &tasks[..first] {
            if task.done_s > from_s {
                earlier.push(task.index);
            } else if task.index >= warm_up {
                done_before.tasks += 1;
                done_before.cost += task.cost;
                done_before.energy_j += task.energy_j;
                done_before.response_s += task.done_s - task.arrived_s;
                done_before.missed += usize::from(task.is_late);
            }
        }
        let shown: Vec<&DoneTask> = earlier.iter().map(|index| &tasks[*index]).chain(&tasks[first..until]).collect();
        let until_s = match tasks.get(until) {
            Some(next) => next.arrived_s,
            None => tasks.iter().map(|task| task.done_s).fold(from_s, f64::max),
        };
        let Lanes { shown: lanes, left_out, of_task } = Lanes::of(&shown, site);
        let column = |of: fn(&DoneTask) -> f64| shown.iter().map(|task| of(task)).collect();
        Self {
            places,
            alpha: site.parts().alpha,
            latency_s: std::iter::once(0.0).chain(site.parts().servers.iter().map(|server| server.latency_s)).collect(),
            lanes,
            left_out_lanes: left_out,
            tasks_of_run: tasks.len(),
            warm_up,
            first,
            from_s,
            // Not before the last task is done, in the digits that the page has.
            until_s: (until_s * 1e3).ceil() / 1e3,
            done_before,
            overview: overview(tasks),
            arrived_s: column(|task| rounded(task.arrived_s, 3)),
            sent_s: column(|task| rounded(task.sent_s, 3)),
            done_s: column(|task| rounded(task.done_s, 3)),
            device: shown.iter().map(|task| task.device).collect(),
            size_mb: column(|task| short(task.bytes / BYTES_PER_MB)),
            place: shown.iter().map(|task| task.place).collect(),
            link_lane: of_task.iter().map(|[link, _]| *link).collect(),
            machine_lane: of_task.iter().map(|[_, machine]| *machine).collect(),
            energy_j: column(|task| short(task.energy_j)),
            cost: column(|task| short(task.cost)),
            missed: shown.iter().map(|task| u8::from(task.is_late)).collect(),
            offers: promises(tasks, (first, until), site, path),
            earlier,
        }
    }
}

/// The first task that is shown: that in the middle of a long run, unless too many tasks of the first half wait then.
fn first_shown(tasks: &[DoneTask], most: usize) -> usize {
    if tasks.len() <= most {
        return 0;
    }
    let first = (tasks.len() / 2).min(tasks.len() - most);
    let from_s = tasks[first].arrived_s;
    let waiting = tasks[..first].iter().filter(|task| task.done_s > from_s).count();
    if waiting > most { 0 } else { first }
}

/// What the places promised some tasks, each when it arrived: the run is made again with the places that are known.
fn promises(tasks: &[DoneTask], (first, until): (usize, usize), site: &Arc<Site>, path: &Path) -> Vec<Promises> {
    let mut promises: Vec<Promises> = (0..site.places()).map(|_| Promises::default()).collect();
    let mut episode = DispatchEpisode::new(site.clone(), path.clone());
    for task in &tasks[..until] {
        if task.index >= first
            && let Some(offer) = episode.offer()
        {
            for (promises, choice) in promises.iter_mut().zip(offer.choices) {
                promises.push(choice);
            }
        }
        if episode.place(usize::from(task.place)).is_err() {
            break;
        }
    }
    promises
}

/// The lanes of a page: those in which most tasks are shown, in groups.
struct Lanes {
    shown: Vec<Lane>,
    left_out: Vec<(&'static str, usize)>,
    /// The lanes of link and machine of each task.
    of_task: Vec<[i32; 2]>,
}

const GROUPS: [&str; 3] = ["servers", "links", "devices"];

impl Lanes {
    fn of(shown: &[&DoneTask], site: &Site) -> Self {
        let queues = site.queues().len();
        // Servers without a queue stand behind all queues.
        let ways: Vec<[Option<usize>; 2]> = shown
            .iter()
            .map(|task| {
                let place = usize::from(task.place);
                let [link, machine] = site.queues_of(task.device as usize, place);
                [link, machine.or(Some(queues + place))]
            })
            .collect();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        ways.iter().flatten().flatten().for_each(|queue| *counts.entry(*queue).or_default() += 1);
        let group = |queue: usize| match site.queues().get(queue).map(|queue| queue.kind) {
            Some(QueueKind::Device) => GROUPS[2],
            Some(QueueKind::EdgeLink | QueueKind::CloudLink) => GROUPS[1],
            Some(QueueKind::Edge | QueueKind::Cloud) | None => GROUPS[0],
        };
        let (mut chosen, mut left_out) = (Vec::new(), Vec::new());
        for name in GROUPS {
            let mut of_group: Vec<usize> = counts.keys().copied().filter(|queue| group(*queue) == name).collect();
            of_group.sort_by_key(|queue| std::cmp::Reverse(counts[queue]));
            if of_group.len() > MOST_LANES {
                left_out.push((name, of_group.len() - MOST_LANES));
                of_group.truncate(MOST_LANES);
            }
            of_group.sort_unstable();
            chosen.extend(of_group);
        }
        let numbers: BTreeMap<usize, i32> = chosen.iter().zip(0..).map(|(queue, lane)| (*queue, lane)).collect();
        let lane = |queue: Option<usize>| queue.and_then(|queue| numbers.get(&queue).copied()).unwrap_or(NO_LANE);
        let lanes = chosen.iter().map(|queue| Lane {
            name: match site.queues().get(*queue) {
                Some(queue) => queue.name.clone(),
                None => site.place_name(queue - queues).to_owned(),
            },
            group: group(*queue),
            waits: *queue < queues,
        });
        Self { shown: lanes.collect(), left_out, of_task: ways.iter().map(|way| way.map(lane)).collect() }
    }
}

/// The mean number of tasks that are not done, over the whole run.
fn overview(tasks: &[DoneTask]) -> Overview {
    let until_s = tasks.iter().map(|task| task.done_s).fold(0.0, f64::max);
    let step_s = (until_s / OVERVIEW_POINTS as f64).max(f64::MIN_POSITIVE);
    let mut values = vec![0.0; OVERVIEW_POINTS];
    for task in tasks {
        let at = |time_s: f64| ((time_s / step_s) as usize).min(OVERVIEW_POINTS - 1);
        let (from, until) = (at(task.arrived_s), at(task.done_s));
        for (index, value) in values[from..=until].iter_mut().enumerate() {
            let start_s = (from + index) as f64 * step_s;
            *value += (task.done_s.min(start_s + step_s) - task.arrived_s.max(start_s)).max(0.0) / step_s;
        }
    }
    Overview { from_s: 0.0, step_s, values: values.into_iter().map(short).collect() }
}
