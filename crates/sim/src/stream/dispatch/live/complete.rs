//! What became of tasks, what queues are in fact, and which rates links have now.

use std::collections::{BTreeMap, BTreeSet};

use super::super::site::NO_QUEUE;
use super::{LiveError, LiveSite};

/// Times that differ by less, in seconds, count as equal: a report of what was expected changes nothing.
const TOLERANCE_S: f64 = 1e-6;

/// A task that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// Its id, as JSON.
    pub id: Box<str>,
    /// When it was done, in seconds.
    pub done_s: f64,
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompletedTask {
    /// The number of the task.
    pub number: u64,
    /// Its device.
    pub device: u32,
    /// Its place.
    pub place: usize,
    /// Its size.
    pub bytes: f64,
    /// When it arrived, in seconds.
    pub arrived_s: f64,
    /// When it was expected to be done, by what was known just before, in seconds.
    pub expected_s: f64,
    /// When it was done, in seconds.
    pub done_s: f64,
    /// What it was expected to cost when it was placed.
    pub expected_cost: f64,
    /// α times its energy as it was expected, plus 1 − α times the time that it took, and what being late costs.
    pub cost: f64,
    /// Whether it missed its deadline.
    pub is_late: bool,
}

/// Queues that are to be computed anew.
#[derive(Debug, Default)]
struct Dirty {
    links: BTreeSet<usize>,
    machines: BTreeSet<usize>,
}

impl LiveSite {
    /// Says when tasks were done. What lies in the future of the site makes its time go on up to then.
    ///
    /// # Errors
    /// The number of the first completion that is wrong, and why. Then nothing changes.
    pub fn complete(&mut self, completions: &[Completion]) -> Result<Vec<CompletedTask>, (usize, LiveError)> {
        let mut known = BTreeSet::new();
        for (index, Completion { id, done_s }) in completions.iter().enumerate() {
            let unknown = || (index, LiveError::Unknown { id: id.to_string() });
            let number = self.open.number_of(id).filter(|number| known.insert(*number)).ok_or_else(unknown)?;
            let arrived_s = self.open.get(number).ok_or_else(unknown)?.arrived_s;
            if !done_s.is_finite() {
                let (what, wanted) = ("the time", "a number");
                return Err((index, LiveError::Value { what, wanted, value: *done_s }));
            }
            if *done_s < arrived_s {
                return Err((index, LiveError::DoneBefore { id: id.to_string(), arrived_s, done_s: *done_s }));
            }
        }
        let last_s = completions.iter().map(|completion| completion.done_s).fold(self.time_s(), f64::max);
        self.advance_to(last_s);
        let mut dirty = Dirty::default();
        let done = completions.iter().filter_map(|Completion { id, done_s }| {
            let number = self.open.number_of(id)?;
            self.complete_one(number, *done_s, &mut dirty)
        });
        let done = done.collect();
        self.settle(dirty);
        Ok(done)
    }

    fn complete_one(&mut self, number: u64, done_s: f64, dirty: &mut Dirty) -> Option<CompletedTask> {
        let task = self.open.remove(number)?;
        let route = *self.site.route(task.device as usize, usize::from(task.place));
        let (link, machine) = (route.link as usize, route.machine as usize);
        let is_as_expected = (done_s - task.done_s).abs() <= TOLERANCE_S && !task.is_on_the_way;
        // When it left its last queue, and when it left the link at the latest.
        let left_s = done_s - route.latency_s;
        let latest_s = (left_s - task.service_s).max(task.arrived_s);
        if task.is_on_the_way {
            self.state.redirect(|index, _, joins_s| (index as u64 != number).then_some(joins_s));
        } else if let Some(log) = self.logs.get_mut(machine)
            && log.finish(number, (!is_as_expected).then_some(left_s))
        {
            dirty.machines.insert(machine);
        }
        if let Some(log) = self.logs.get_mut(link)
            && let Some(expected_s) = log.entry(number).map(|entry| entry.done_s)
        {
            let told_s = match (is_as_expected, route.machine) {
                (true, _) => None,
                // Nothing but the link can have been slower or faster.
                (false, NO_QUEUE) => Some(latest_s),
                (false, _) => Some(latest_s.min(expected_s)),
            };
            if log.finish(number, told_s) {
                dirty.links.insert(link);
            }
        }
        let parts = self.site.parts();
        let response_s = done_s - task.arrived_s;
        let is_late = response_s > task.deadline_s.unwrap_or(parts.deadline_s);
        let late_cost = if is_late { parts.late_cost } else { 0.0 };
        self.counts.completed += 1;
        self.counts.delay_s += done_s - task.done_s;
        Some(CompletedTask {
            number,
            device: task.device,
            place: usize::from(task.place),
            bytes: task.bytes,
            arrived_s: task.arrived_s,
            expected_s: task.done_s,
            done_s,
            expected_cost: task.cost,
            cost: parts.alpha * task.energy_j + (1.0 - parts.alpha) * response_s + late_cost,
            is_late,
        })
    }

    /// Sets the backlogs of queues from now on, in seconds: the time until each is empty if nothing more joins it, for a machine
    /// with what is on its way to it.
    ///
    /// # Errors
    /// The number of the first entry that is wrong, and why. Then nothing changes.
    pub fn set_backlogs(&mut self, backlogs_s: &[(usize, f64)]) -> Result<(), (usize, LiveError)> {
        for (index, (queue, backlog_s)) in backlogs_s.iter().enumerate() {
            if *queue >= self.logs.len() {
                return Err((index, LiveError::Queue { queue: *queue }));
            }
            if !(*backlog_s >= 0.0 && backlog_s.is_finite()) {
                let (what, wanted) = ("the backlog of a queue", "a number of seconds not below 0");
                return Err((index, LiveError::Value { what, wanted, value: *backlog_s }));
            }
        }
        for (queue, backlog_s) in backlogs_s {
            self.state.set_backlog(*queue, *backlog_s);
            self.logs[*queue].clear(self.state.free_s(*queue));
            self.greedy.0.set_backlog(*queue, *backlog_s);
        }
        Ok(())
    }

    /// Sets the rate of a link from now on, in bytes per second.
    pub(super) fn set_rate(&mut self, device: u32, queue: usize, bytes_per_s: f64) {
        if self.site.rate(device as usize, queue) == bytes_per_s {
            return;
        }
        let before_s = self.site.queues[queue].s_per_byte;
        self.site.set_rate(device as usize, queue, bytes_per_s);
        self.rates.insert(queue, (device, bytes_per_s));
        let ratio = self.site.queues[queue].s_per_byte / before_s;
        if ratio == 1.0 {
            return;
        }
        let now_s = self.time_s();
        self.logs[queue].stretch(now_s, ratio);
        self.settle(Dirty { links: [queue].into(), machines: BTreeSet::new() });
        let shadow = &mut self.greedy.0;
        let rest_s = (shadow.free_s(queue) - now_s).max(0.0);
        if rest_s > 0.0 {
            shadow.set_free_s(queue, now_s + ratio * rest_s);
        }
    }

    /// Computes queues anew: links first, then the machines behind them.
    fn settle(&mut self, dirty: Dirty) {
        let Dirty { links, mut machines } = dirty;
        let mut redirected = BTreeMap::new();
        for link in links {
            let (open, site) = (&mut self.open, &self.site);
            let mut behind = Vec::new();
            let free_s = self.logs[link].serve(|entry| {
                let Some(task) = open.get_mut(entry.number) else { return };
                task.joins_s = entry.done_s;
                let route = site.route(task.device as usize, usize::from(task.place));
                if task.is_on_the_way {
                    redirected.insert(entry.number, entry.done_s);
                } else if route.machine == NO_QUEUE {
                    task.done_s = entry.done_s + task.service_s + route.latency_s;
                } else {
                    behind.push((route.machine as usize, entry.number, entry.done_s));
                }
            });
            self.state.set_free_s(link, free_s);
            for (machine, number, joins_s) in behind {
                if let Some(entry) = self.logs[machine].entry_mut(number) {
                    entry.joins_s = joins_s;
                    machines.insert(machine);
                }
            }
        }
        if !redirected.is_empty() {
            let joins = |index: usize, _, joins_s| Some(*redirected.get(&(index as u64)).unwrap_or(&joins_s));
            self.state.redirect(joins);
        }
        for machine in machines {
            let (open, site) = (&mut self.open, &self.site);
            let free_s = self.logs[machine].serve(|entry| {
                if let Some(task) = open.get_mut(entry.number) {
                    let route = site.route(task.device as usize, usize::from(task.place));
                    task.done_s = entry.done_s + route.latency_s;
                }
            });
            self.state.set_free_s(machine, free_s);
        }
    }
}
