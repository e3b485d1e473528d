//! Placing tasks.

use std::collections::HashSet;

use super::super::path::Arrival;
use super::super::scheme::{DispatchScheme as _, View};
use super::super::site::NO_QUEUE;
use super::open::OpenTask;
use super::{Entry, FORGOTTEN_AFTER_S, LiveError, LivePlacement, LiveSite, LiveTask};

impl LiveSite {
    /// Checks tasks that arrive one after the other.
    ///
    /// # Errors
    /// The number of the first task that is wrong, and why.
    pub fn check(&self, tasks: &[LiveTask]) -> Result<(), (usize, LiveError)> {
        let mut now_s = self.time_s();
        let mut ids = HashSet::new();
        for (index, task) in tasks.iter().enumerate() {
            self.check_task(task, now_s, &mut ids).map_err(|error| (index, error))?;
            now_s = task.time_s;
        }
        Ok(())
    }

    fn check_task<'t>(&self, task: &'t LiveTask, now_s: f64, ids: &mut HashSet<&'t str>) -> Result<(), LiveError> {
        Self::check_time(task.time_s, now_s)?;
        if task.device as usize >= self.site.devices() {
            return Err(LiveError::Device { device: task.device, last: self.site.devices() - 1 });
        }
        let wrong = |what, wanted, value| Err(LiveError::Value { what, wanted, value });
        if !(task.bytes > 0.0 && task.bytes.is_finite()) {
            return wrong("the size", "a number of bytes above 0", task.bytes);
        }
        if let Some(deadline_s) = task.deadline_s.filter(|deadline_s| deadline_s.is_nan() || *deadline_s <= 0.0) {
            return wrong("the deadline", "greater than 0", deadline_s);
        }
        for (queue, rate) in &task.rates {
            if self.site.queues.get(*queue).is_none_or(|queue| queue.link.is_none()) {
                return Err(LiveError::Queue { queue: *queue });
            }
            if !(*rate >= 0.0 && rate.is_finite()) {
                return wrong("the rate of a link", "a number of bytes per second not below 0", *rate);
            }
        }
        match &task.id {
            Some(id) if !ids.insert(id) || self.open.number_of(id).is_some() => {
                Err(LiveError::Duplicate { id: id.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Places tasks that arrive one after the other.
    ///
    /// # Errors
    /// As [`LiveSite::check`]. Then none is placed.
    pub fn dispatch(&mut self, tasks: Vec<LiveTask>) -> Result<Vec<LivePlacement>, (usize, LiveError)> {
        self.check(&tasks)?;
        Ok(tasks.into_iter().map(|task| self.place(task)).collect())
    }

    fn place(&mut self, task: LiveTask) -> LivePlacement {
        let LiveTask { time_s, device, bytes, deadline_s, rates, id } = task;
        self.advance_to(time_s);
        for (queue, rate) in rates {
            self.set_rate(device, queue, rate);
        }
        let site_deadline_s = self.site.parts.deadline_s;
        let own_deadline_s = deadline_s.unwrap_or(site_deadline_s);
        self.site.parts.deadline_s = own_deadline_s;
        let (number, arrival) = (self.open.next(), Arrival { time_s, bytes, device });
        let index = number as usize;
        let (site, path, state) = (&self.site, &self.path, &mut self.state);
        let chosen = self.scheme.choose(View { site, path, state, arrival: &arrival, index });
        // A scheme that names a place that cannot be used is mistaken; every device can run its own tasks.
        let place = if chosen < site.places() && site.is_usable(device as usize, chosen) { chosen } else { 0 };
        let choice = self.state.offer(site, path, &arrival).choices[place];
        let placed = self.state.place(site, path, &arrival, place, index);
        let route = *site.route(device as usize, place);
        let joins_s = if route.link == NO_QUEUE { time_s } else { self.state.free_s(route.link as usize) };
        let done_s = placed.done_s.unwrap_or(time_s + choice.response_s());
        let is_open = |number: u64| self.open.is_open(number);
        if route.link != NO_QUEUE {
            let log = &mut self.logs[route.link as usize];
            log.prune(is_open);
            log.push(Entry { number, joins_s: time_s, service_s: bytes * route.link_s_per_byte, done_s: joins_s });
        }
        if route.machine != NO_QUEUE {
            let log = &mut self.logs[route.machine as usize];
            log.prune(is_open);
            if placed.done_s.is_some() {
                let free_s = self.state.free_s(route.machine as usize);
                log.push(Entry { number, joins_s, service_s: placed.services_s[1], done_s: free_s });
            }
        }
        let greedy_cost = {
            let (state, greedy) = &mut self.greedy;
            let place = greedy.choose(View { site, path, state, arrival: &arrival, index });
            let own_cost = state.offer(site, path, &arrival).choices[place].own_cost;
            own_cost + site.parts.alpha * state.place(site, path, &arrival, place, index).tail_j
        };
        let is_late = done_s - time_s > own_deadline_s;
        let wait_s = choice.link.wait_s + choice.machine.wait_s;
        self.counts.at_place[place] += 1;
        self.counts.late += u64::from(is_late);
        self.counts.wait_s += wait_s;
        self.counts.cost += choice.own_cost + site.parts.alpha * placed.tail_j;
        self.counts.greedy_cost += greedy_cost;
        self.site.parts.deadline_s = site_deadline_s;
        self.open.push(OpenTask {
            id,
            device,
            place: place as u8,
            arrived_s: time_s,
            bytes,
            energy_j: placed.energy_j,
            deadline_s,
            cost: choice.own_cost,
            joins_s,
            service_s: placed.services_s[1],
            done_s,
            is_on_the_way: placed.done_s.is_none(),
        });
        self.forget(time_s);
        LivePlacement {
            number,
            device,
            place,
            arrived_s: time_s,
            wait_s,
            done_s,
            energy_j: placed.energy_j,
            cost: choice.own_cost,
            is_late,
        }
    }

    /// Forgets tasks that are old or too many, and lets their queues forget them.
    fn forget(&mut self, time_s: f64) {
        while let Some(task) = self.open.forget(self.most_open, time_s - FORGOTTEN_AFTER_S) {
            let route = self.site.route(task.device as usize, usize::from(task.place));
            for queue in [route.link, route.machine].into_iter().filter(|queue| *queue != NO_QUEUE) {
                self.logs[queue as usize].prune(|number| self.open.is_open(number));
            }
        }
    }
}
