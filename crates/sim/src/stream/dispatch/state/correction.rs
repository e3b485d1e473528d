//! Changing the queues of a site from outside: what came to be known of them, and what was kept of them.

use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::{OnTheWay, SiteState};
use crate::stream::dispatch::site::Site;

/// The queues of a site whose links have constant rates, to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct KeptQueues {
    /// The time, in seconds.
    pub(in super::super) time_s: f64,
    /// When each queue will have done what has joined it, in seconds.
    free_s: Vec<f64>,
    /// The time that each machine will take for tasks that are still on a link, in seconds.
    coming_s: Vec<f64>,
    on_the_way: Vec<OnTheWay>,
}

impl SiteState {
    pub(in super::super) fn free_s(&self, queue: usize) -> f64 {
        self.free_s[queue]
    }

    pub(in super::super) fn set_free_s(&mut self, queue: usize, free_s: f64) {
        self.free_s[queue] = free_s;
    }

    /// Changes when tasks join their machines, in seconds: `joins` is told the number, the machine and the time of each; `None`
    /// takes the task off its way.
    pub(in super::super) fn redirect(&mut self, mut joins: impl FnMut(usize, usize, f64) -> Option<f64>) {
        let mut all = std::mem::take(&mut self.on_the_way).into_vec();
        let coming_s = &mut self.coming_s;
        all.retain_mut(|task| {
            let machine = task.machine as usize;
            let redirected = joins(task.index, machine, task.joins_s);
            match redirected {
                Some(joins_s) => task.joins_s = joins_s,
                None => coming_s[machine] = (coming_s[machine] - task.service_s).max(0.0),
            }
            redirected.is_some()
        });
        self.on_the_way = BinaryHeap::from(all);
    }

    /// Lets tasks join their machines before their time, the earliest first, as long as more than `most` are on their way.
    pub(in super::super) fn join_beyond(&mut self, most: usize, mut done: impl FnMut(usize, f64)) {
        while self.on_the_way.len() > most
            && let Some(next) = self.on_the_way.pop()
        {
            self.join(next, &mut done);
        }
    }

    /// Sets the backlog of a queue from now on, in seconds; for a machine with what is on its way to it.
    pub(in super::super) fn set_backlog(&mut self, queue: usize, backlog_s: f64) {
        self.redirect(|_, machine, joins_s| (machine != queue).then_some(joins_s));
        self.coming_s[queue] = 0.0;
        self.free_s[queue] = self.time_s + backlog_s;
    }

    /// What continues the queues later.
    pub(in super::super) fn kept(&self) -> KeptQueues {
        KeptQueues {
            time_s: self.time_s,
            free_s: self.free_s.clone(),
            coming_s: self.coming_s.clone(),
            on_the_way: self.on_the_way.iter().copied().collect(),
        }
    }

    /// Continues kept queues; `None` where they are not of this site.
    pub(in super::super) fn continued(site: &Site, kept: KeptQueues) -> Option<Self> {
        let KeptQueues { time_s, free_s, coming_s, on_the_way } = kept;
        let queues = site.queues.len();
        let is_number = |value: &f64| value.is_finite();
        let fits = free_s.len() == queues
            && coming_s.len() == queues
            && is_number(&time_s)
            && free_s.iter().chain(&coming_s).all(is_number)
            && on_the_way.iter().all(|task| (task.machine as usize) < queues && is_number(&task.joins_s));
        fits.then(|| Self { time_s, free_s, coming_s, on_the_way: on_the_way.into(), ..Self::empty(site, 0) })
    }
}
