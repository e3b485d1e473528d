//! The state of a dispatching service: the live site, its clock, and the last decisions.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sim::stream::dispatch::live::{CompletedTask, Completion, KeptSite, LiveError, LivePlacement, LiveSite, LiveTask};
use sim::stream::dispatch::scheme::DispatchScheme;
use sim::units::BYTES_PER_MB;

use super::clock::{Clock, KeptClock, TimeOf};
use super::request::TaskId;
use super::site_names::SiteNames;

/// The decisions that the page shows.
const RECENT: usize = 30;

/// A decision that the page shows.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    pub(super) id: TaskId,
    pub(super) size_mb: f64,
    pub(super) placement: LivePlacement,
}

/// What changes with every request.
pub(super) struct LiveState {
    pub(super) site: LiveSite,
    pub(super) clock: Clock,
    pub(super) recent: VecDeque<Recent>,
    /// Is another number after each change.
    pub(super) version: u64,
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The task of this number says its time or does not, and should not or should.
    Time(usize, &'static str),
    /// The task of this number lies in the future of the service.
    Future(usize, f64, f64),
    /// The live site refuses the task of this number.
    Live(usize, LiveError),
}

/// The live state, one request at a time.
pub(crate) struct Live(Mutex<LiveState>);

impl Live {
    pub(super) fn new(site: LiveSite, clock: Clock) -> Self {
        Self(Mutex::new(LiveState { site, clock, recent: VecDeque::with_capacity(RECENT), version: 0 }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LiveState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What continues the state later, if it is another than at `version`.
    pub(super) fn kept(&self, version: Option<u64>) -> Option<(u64, KeptSite, KeptClock)> {
        let state = self.lock();
        (version != Some(state.version)).then(|| (state.version, state.site.kept(), state.clock.kept()))
    }

    /// Decides with another scheme from now on; returns whether it continues what the one before knew.
    pub(super) fn set_scheme(&self, scheme: Box<dyn DispatchScheme>) -> bool {
        let mut state = self.lock();
        state.version += 1;
        state.site.set_scheme(scheme)
    }
}

impl LiveState {
    /// Places tasks, after the backlogs that come with them.
    pub(super) fn dispatch(
        &mut self,
        mut tasks: Vec<LiveTask>,
        ids: &[Option<TaskId>],
        backlogs_s: &[(usize, f64)],
    ) -> Result<Vec<LivePlacement>, Refusal> {
        let of = self.clock.of();
        let claimed = self.claim(&mut tasks);
        let checked =
            claimed.and_then(|()| self.site.check(&tasks).map_err(|(index, error)| Refusal::Live(index, error)));
        if let Err(refusal) = checked {
            // A request that is refused says nothing about the clock.
            if of.is_none() {
                self.clock.disclaim();
            }
            return Err(refusal);
        }
        if let (false, Some(first)) = (backlogs_s.is_empty(), tasks.first()) {
            self.site.advance(first.time_s).map_err(|error| Refusal::Live(0, error))?;
            self.site.set_backlogs(backlogs_s).map_err(|(_, error)| Refusal::Live(0, error))?;
        }
        let shown = tasks.len().saturating_sub(RECENT);
        let sizes: Vec<f64> = tasks[shown..].iter().map(|task| task.bytes / BYTES_PER_MB).collect();
        let placed = self.site.dispatch(tasks).map_err(|(index, error)| Refusal::Live(index, error))?;
        for ((placement, id), size_mb) in placed[shown..].iter().zip(&ids[shown..]).zip(sizes) {
            if self.recent.len() == RECENT {
                self.recent.pop_back();
            }
            let id = id.clone().unwrap_or(TaskId::Number(placement.number));
            self.recent.push_front(Recent { id, size_mb, placement: *placement });
        }
        self.version += 1;
        Ok(placed)
    }

    /// Gives tasks the service's time, or checks that all say theirs.
    fn claim(&mut self, tasks: &mut [LiveTask]) -> Result<(), Refusal> {
        let now_s = self.clock.now_s().max(self.site.time_s());
        for (index, task) in tasks.iter_mut().enumerate() {
            let of = self.clock.claim(!task.time_s.is_nan()).map_err(|reason| Refusal::Time(index, reason))?;
            if of == TimeOf::Service {
                task.time_s = now_s;
            }
        }
        Ok(())
    }

    /// Says which tasks are done.
    pub(super) fn complete(&mut self, tasks: &[(TaskId, Option<f64>)]) -> Result<Vec<CompletedTask>, Refusal> {
        let own_s = (self.clock.of() == Some(TimeOf::Service)).then(|| self.clock.now_s().max(self.site.time_s()));
        let mut completions = Vec::with_capacity(tasks.len());
        for (index, (id, done_s)) in tasks.iter().enumerate() {
            let done_s = match (*done_s, own_s) {
                (Some(done_s), Some(now_s)) if done_s > now_s => return Err(Refusal::Future(index, done_s, now_s)),
                (Some(done_s), _) => done_s,
                (None, Some(now_s)) => now_s,
                (None, None) => {
                    return Err(Refusal::Time(index, "is missing: the time of this service is that of its callers"));
                }
            };
            completions.push(Completion { id: id.json(), done_s });
        }
        let done = self.site.complete(&completions).map_err(|(index, error)| Refusal::Live(index, error))?;
        self.version += 1;
        Ok(done)
    }

    /// Sets backlogs from a time on.
    pub(super) fn set_backlogs(&mut self, time_s: Option<f64>, backlogs_s: &[(usize, f64)]) -> Result<(), Refusal> {
        match (time_s, self.clock.of()) {
            (Some(_), Some(TimeOf::Service)) => {
                return Err(Refusal::Time(0, "cannot be said: the time of this service is its own"));
            }
            (Some(time_s), _) => {
                self.site.advance(time_s).map_err(|error| Refusal::Live(0, error))?;
                self.clock.claim(true).map_err(|reason| Refusal::Time(0, reason))?;
            }
            (None, Some(TimeOf::Callers)) => {}
            (None, _) => {
                self.clock.claim(false).map_err(|reason| Refusal::Time(0, reason))?;
                self.go_on();
            }
        }
        self.site.set_backlogs(backlogs_s).map_err(|(index, error)| Refusal::Live(index, error))?;
        self.version += 1;
        Ok(())
    }

    /// Lets what the own clock shows happen.
    pub(super) fn go_on(&mut self) {
        if self.clock.of() == Some(TimeOf::Service) {
            let now_s = self.clock.now_s().max(self.site.time_s());
            // It is a number, and not before.
            let _ = self.site.advance(now_s);
        }
    }

    /// Begins anew, with empty queues.
    pub(super) fn reset(&mut self, names: &SiteNames, seed: u64) {
        self.site.reset(&names.site, seed);
        self.clock = Clock::new();
        self.recent.clear();
        self.version += 1;
    }
}
