//! The queues of a site at one time, and what they make of a task that arrives.

mod correction;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

pub(super) use self::correction::KeptQueues;
use super::path::{Arrival, Path};
use super::site::{NO_QUEUE, Site};
use crate::random::Stream;
use crate::stream::{RateCursor, RatePath};

/// An arriving task with what each place would do with it.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The task.
    pub arrival: Arrival,
    /// One for each place.
    pub choices: &'a [Choice],
}

/// What a place is expected to do with a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Whether the task can run there.
    pub is_usable: bool,
    /// The energy that the task is expected to take, in J.
    pub energy_j: f64,
    /// The link on the way.
    pub link: QueueView,
    /// The machine.
    pub machine: QueueView,
    /// The time in which the task waits for nobody, in seconds: a latency, or a machine of its own.
    pub alone_s: f64,
    /// α times the energy plus 1 − α times the response time, and what being late costs: what greedy compares. Infinite where
    /// the place cannot be used.
    pub own_cost: f64,
    /// The link, if its rate changes.
    pub changing_link: Option<LinkView>,
}

/// Times that differ by less are taken for equal, in seconds: sums that were made in different orders differ in their last digits.
const LIKE_S: f64 = 1e-6;

/// A queue as a task that would join it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QueueView {
    /// The expected time until the task is served, in seconds.
    pub wait_s: f64,
    /// The expected time for which it is served; 0 where there is no queue.
    pub service_s: f64,
}

/// A link whose rate changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkView {
    /// The rate now, in bytes per second.
    pub bytes_per_s_now: f64,
    /// The mean rate, in bytes per second.
    pub mean_bytes_per_s: f64,
    /// The bytes that are still to be sent before the task.
    pub backlog_bytes: f64,
    /// The state of the link's chain.
    pub state: usize,
}

impl Choice {
    /// The expected time from the arrival until the task is done, in seconds.
    pub fn response_s(&self) -> f64 {
        self.link.wait_s + self.link.service_s + self.machine.wait_s + self.machine.service_s + self.alone_s
    }
}

/// The queues of a site at one time.
#[derive(Debug, Clone)]
pub struct SiteState {
    time_s: f64,
    /// When each queue will have done what has joined it.
    free_s: Vec<f64>,
    /// The time that each machine will take for tasks that are still on a link.
    coming_s: Vec<f64>,
    links: Vec<LinkState>,
    /// Tasks on links that lead to machines which others use, too.
    on_the_way: BinaryHeap<OnTheWay>,
    choices: Vec<Choice>,
}

/// The state of a link whose rate changes.
#[derive(Debug, Clone, Copy, Default)]
struct LinkState {
    /// The bytes that the link can have sent since time 0 when all that has joined it is sent.
    level_bytes: f64,
    now: RateCursor,
    done: RateCursor,
}

/// A task on a link, to the machine that it joins then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct OnTheWay {
    joins_s: f64,
    index: usize,
    machine: u32,
    service_s: f64,
    latency_s: f64,
}

impl Eq for OnTheWay {}

impl Ord for OnTheWay {
    /// The heap has the largest on top: the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.joins_s.total_cmp(&self.joins_s).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for OnTheWay {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is known at once of a task that has been placed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Without that of a radio that stayed on.
    pub(super) energy_j: f64,
    /// The energy of the radio since the transmission before.
    pub(super) tail_j: f64,
    /// When it will have been sent over its link; the time of its arrival where it is not sent.
    pub(super) sent_s: f64,
    /// When it will be done; `None`: it is on its way to a machine, which decides that.
    pub(super) done_s: Option<f64>,
    /// The time that the link, and the machine, will serve it.
    pub(super) services_s: [f64; 2],
}

impl SiteState {
    /// An empty site at time 0, with room for so many tasks on their way.
    pub fn empty(site: &Site, tasks: usize) -> Self {
        let queues = site.queues.len();
        let unusable = Choice {
            is_usable: false,
            energy_j: 0.0,
            link: QueueView::default(),
            machine: QueueView::default(),
            alone_s: 0.0,
            own_cost: f64::INFINITY,
            changing_link: None,
        };
        let needs_heap = site.routes.iter().any(|route| !route.is_in_order);
        Self {
            time_s: 0.0,
            free_s: vec![0.0; queues],
            coming_s: vec![0.0; queues],
            links: vec![LinkState::default(); queues],
            on_the_way: BinaryHeap::with_capacity(if needs_heap { tasks } else { 0 }),
            choices: vec![unusable; site.places()],
        }
    }

    /// The time up to which everything has happened, in seconds.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// The time until each queue is empty if nothing more joins it, in seconds; for machines with what is on its way to them, for
    /// links whose rate changes at their mean rate.
    pub fn backlog_s(&self, queue: usize, site: &Site, path: &Path) -> f64 {
        let queue_of = &site.queues[queue];
        match &queue_of.link {
            Some(link) if link.times.is_some() => {
                let mut cursor = self.links[queue].now;
                let sent = path.rates[queue].bytes_until(&mut cursor, self.time_s);
                (self.links[queue].level_bytes - sent).max(0.0) * queue_of.s_per_byte
            }
            _ => (self.free_s[queue] - self.time_s).max(0.0) + self.coming_s[queue],
        }
    }

    /// The state with another course of what is to come: the rates of links are drawn from their present states, for a time.
    /// Tasks that are on their way to a machine come there when they would have come.
    pub(super) fn imagined(
        &self,
        site: &Site,
        path: &Path,
        length_s: f64,
        random: &mut Stream,
    ) -> (Self, Vec<RatePath>) {
        let mut state = self.clone();
        let mut all_rates = Vec::with_capacity(site.queues.len());
        for (index, queue) in site.queues.iter().enumerate() {
            let Some(link) = queue.link.as_deref().filter(|link| link.times.is_some()) else {
                all_rates.push(RatePath::constant(1.0 / queue.s_per_byte));
                continue;
            };
            let before = &mut state.links[index];
            let sent = path.rates[index].bytes_until(&mut before.now, self.time_s);
            let backlog = (before.level_bytes - sent).max(0.0);
            let chain = path.rates[index].state(&mut before.now, self.time_s);
            let rates = link.link.rates.continued(chain, length_s, random).delayed(self.time_s);
            *before = LinkState { level_bytes: backlog, ..LinkState::default() };
            if backlog > 0.0 {
                state.free_s[index] = rates.time_of(&mut RateCursor::default(), backlog);
            }
            all_rates.push(rates);
        }
        (state, all_rates)
    }

    /// Becomes a copy of another state of the same site, without taking memory.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.time_s = other.time_s;
        self.free_s.copy_from_slice(&other.free_s);
        self.coming_s.copy_from_slice(&other.coming_s);
        self.links.copy_from_slice(&other.links);
        self.on_the_way.clone_from(&other.on_the_way);
    }

    /// Whether another state of the same site and time has the same work in all queues.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let time_s = self.time_s;
        let are_like = |(one, other): (&f64, &f64)| (one.max(time_s) - other.max(time_s)).abs() <= LIKE_S;
        self.on_the_way.len() == other.on_the_way.len()
            && self.free_s.iter().zip(&other.free_s).all(are_like)
            && self.coming_s.iter().zip(&other.coming_s).all(|(one, other)| (one - other).abs() <= LIKE_S)
    }

    /// Lets everything happen up to a time; `done` hears of tasks that join their last queue, with the time at which they are
    /// done there.
    pub(super) fn advance(&mut self, time_s: f64, mut done: impl FnMut(usize, f64)) {
        while let Some(next) = self.on_the_way.peek()
            && next.joins_s <= time_s
        {
            let next = *next;
            self.on_the_way.pop();
            self.join(next, &mut done);
        }
        self.time_s = time_s;
    }

    /// A task that was on its way joins its machine.
    #[inline]
    fn join(&mut self, task: OnTheWay, done: &mut impl FnMut(usize, f64)) {
        let OnTheWay { joins_s, index, machine, service_s, latency_s } = task;
        let machine = machine as usize;
        self.coming_s[machine] = (self.coming_s[machine] - service_s).max(0.0);
        self.free_s[machine] = self.free_s[machine].max(joins_s) + service_s;
        done(index, self.free_s[machine] + latency_s);
    }

    /// What each place would do with a task that arrives now.
    pub fn offer<'a>(&'a mut self, site: &Site, path: &Path, arrival: &Arrival) -> Offer<'a> {
        let time_s = self.time_s;
        let bytes = arrival.bytes;
        let parts = &site.parts;
        for (route, choice) in site.routes_of(arrival.device as usize).iter().zip(&mut self.choices) {
            if !route.is_usable {
                choice.is_usable = false;
                choice.own_cost = f64::INFINITY;
                continue;
            }
            choice.is_usable = true;
            let mut link = QueueView::default();
            let mut changing = None;
            if route.link != NO_QUEUE {
                let queue = route.link as usize;
                let details = site.queues[queue].link.as_deref().and_then(|link| link.times.as_ref());
                if let Some(times) = details {
                    let state = &mut self.links[queue];
                    let rates = &path.rates[queue];
                    let backlog = (state.level_bytes - rates.bytes_until(&mut state.now, time_s)).max(0.0);
                    let chain = rates.state(&mut state.now, time_s);
                    link.wait_s = times.expected_s(chain, backlog);
                    link.service_s = times.expected_s(chain, backlog + bytes) - link.wait_s;
                    changing = Some(LinkView {
                        bytes_per_s_now: rates.bytes_per_s(&mut state.now, time_s),
                        mean_bytes_per_s: 1.0 / route.link_s_per_byte,
                        backlog_bytes: backlog,
                        state: chain,
                    });
                } else {
                    link.wait_s = (self.free_s[queue] - time_s).max(0.0);
                    link.service_s = bytes * route.link_s_per_byte;
                }
            }
            let mut machine = QueueView::default();
            let service_s = bytes * route.machine_s_per_byte;
            let mut alone_s = route.latency_s;
            if route.machine == NO_QUEUE {
                alone_s += service_s;
            } else {
                let queue = route.machine as usize;
                let there_s = time_s + link.wait_s + link.service_s;
                machine = QueueView {
                    wait_s: (self.free_s[queue].max(time_s) + self.coming_s[queue] - there_s).max(0.0),
                    service_s,
                };
            }
            choice.link = link;
            choice.machine = machine;
            choice.alone_s = alone_s;
            choice.changing_link = changing;
            choice.energy_j = route.j_per_byte * bytes + route.send_w * link.service_s;
            let response_s = choice.response_s();
            let late = if response_s > parts.deadline_s { parts.late_cost } else { 0.0 };
            choice.own_cost = parts.alpha * choice.energy_j + (1.0 - parts.alpha) * response_s + late;
        }
        Offer { arrival: *arrival, choices: &self.choices }
    }

    /// Puts a task that arrives now at a place.
    pub(super) fn place(&mut self, site: &Site, path: &Path, arrival: &Arrival, place: usize, index: usize) -> Placed {
        let time_s = self.time_s;
        let bytes = arrival.bytes;
        let route = site.route(arrival.device as usize, place);
        let mut placed = Placed {
            energy_j: route.j_per_byte * bytes,
            tail_j: 0.0,
            sent_s: time_s,
            done_s: None,
            services_s: [0.0; 2],
        };
        let mut there_s = time_s;
        if route.link != NO_QUEUE {
            let queue = route.link as usize;
            let starts_s = self.free_s[queue].max(time_s);
            let details = site.queues[queue].link.as_deref();
            there_s = if details.is_some_and(|link| link.times.is_some()) {
                let state = &mut self.links[queue];
                let rates = &path.rates[queue];
                let sent = rates.bytes_until(&mut state.now, time_s);
                state.level_bytes = state.level_bytes.max(sent) + bytes;
                rates.time_of(&mut state.done, state.level_bytes)
            } else {
                starts_s + bytes * route.link_s_per_byte
            };
            placed.energy_j += route.send_w * (there_s - starts_s);
            placed.services_s[0] = there_s - starts_s;
            if let Some(link) = details
                && self.free_s[queue] > 0.0
            {
                placed.tail_j = (starts_s - self.free_s[queue]).min(link.link.tail_s) * link.link.tail_w;
            }
            self.free_s[queue] = there_s;
        }
        placed.sent_s = there_s;
        let service_s = bytes * route.machine_s_per_byte;
        placed.services_s[1] = service_s;
        if route.machine == NO_QUEUE {
            placed.done_s = Some(there_s + service_s + route.latency_s);
        } else if route.link == NO_QUEUE || route.is_in_order {
            let free_s = &mut self.free_s[route.machine as usize];
            *free_s = free_s.max(there_s) + service_s;
            placed.done_s = Some(*free_s + route.latency_s);
        } else {
            self.coming_s[route.machine as usize] += service_s;
            let (machine, latency_s) = (route.machine, route.latency_s);
            self.on_the_way.push(OnTheWay { joins_s: there_s, index, machine, service_s, latency_s });
        }
        placed
    }
}
