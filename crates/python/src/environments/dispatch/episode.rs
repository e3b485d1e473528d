//! One episode: draws a course, takes actions.

use pyo3::PyResult;
use sim::random::{self, Stream};
use sim::stream::dispatch::{DispatchEpisode, DispatchOutcome, DoneTask};

use super::rules::{Rules, loads};
use crate::errors::internal;
use crate::streams::Offer;

/// What a step gives besides the next observation.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    pub(super) reward: f64,
    /// What came of the episode; `None` while tasks are still to be placed.
    pub(super) outcome: Option<DispatchOutcome>,
}

impl Step {
    pub(super) fn ends(&self) -> bool {
        self.outcome.is_some()
    }
}

/// The state of one environment.
#[derive(Debug, Default)]
pub(super) struct Episode {
    /// The seeds of later episodes.
    seeds: Option<Stream>,
    /// The seed of the next episode, if it is known.
    next_seed: Option<u64>,
    /// The seed of the episode that has begun last.
    pub(super) seed: u64,
    run: Option<DispatchEpisode>,
    /// What is observed of the load of each device.
    loads: Vec<f32>,
}

impl Episode {
    /// Whether [`Episode::seed`] has been called.
    pub(super) fn is_seeded(&self) -> bool {
        self.seeds.is_some()
    }

    /// Whether an episode has begun and not ended.
    pub(super) fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.arrival().is_some())
    }

    /// Makes the next episode that of a seed, and those after it follow from the seed.
    pub(super) fn seed(&mut self, seed: u64) {
        self.next_seed = Some(seed);
        self.seeds = Some(random::stream(seed, "dispatch/episodes"));
    }

    /// Ends the episode, so that the next step asks for a reset.
    pub(super) fn abandon(&mut self) {
        self.run = None;
    }

    /// Begins an episode, and writes its first observation and mask.
    ///
    /// # Errors
    /// If the site that is drawn cannot carry its tasks.
    pub(super) fn begin(&mut self, rules: &Rules, observation: &mut [f32], mask: &mut [i8]) -> PyResult<()> {
        let drawn = self.seeds.as_mut().map(|seeds| random::below(seeds, 1 << 53) as u64);
        self.seed = self.next_seed.take().or(drawn).unwrap_or(0);
        self.run = None;
        let run = self.run.insert(rules.episode(self.seed)?);
        self.loads.clear();
        self.loads.extend(loads(run.site()));
        observe(rules, &self.loads, run, observation, mask)
    }

    /// Places the task, and writes the next observation and mask: at the end those that a task of the mean size at the same device
    /// would meet. A place that the device cannot use means the device.
    ///
    /// The reward is less what the tasks cost of which it has become known since the last step when they are done, and what
    /// radios have taken that stayed on.
    pub(super) fn step(
        &mut self,
        rules: &Rules,
        place: u8,
        observation: &mut [f32],
        mask: &mut [i8],
    ) -> PyResult<Step> {
        let run = self.run.as_mut().ok_or_else(|| internal("a step without an episode"))?;
        let device = run.arrival().ok_or_else(|| internal("a step after the last task"))?.device;
        let place = usize::from(place);
        let place = if run.site().is_usable(device as usize, place) { place } else { 0 };
        let placed = run.place(place).map_err(|error| internal(&error.to_string()))?;
        let mut cost = placed.tail_cost + total(placed.finished);
        if run.arrival().is_some() {
            observe(rules, &self.loads, run, observation, mask)?;
            return Ok(Step { reward: -cost, outcome: None });
        }
        rules.observe(&self.loads, &run.offer_of(device, rules.mean_bytes()), observation, mask);
        cost += total(run.finish());
        Ok(Step { reward: -cost, outcome: run.outcome(None) })
    }

    /// What each place would do with the task; `None`: no episode has begun, or the last one has ended.
    pub(super) fn offer(&mut self) -> Option<Offer> {
        let run = self.run.as_mut()?;
        let index = run.placed();
        Some(Offer::new(run.offer()?, index))
    }
}

fn total(finished: &[DoneTask]) -> f64 {
    finished.iter().map(|task| task.cost).sum()
}

fn observe(
    rules: &Rules,
    loads: &[f32],
    run: &mut DispatchEpisode,
    observation: &mut [f32],
    mask: &mut [i8],
) -> PyResult<()> {
    let offer = run.offer().ok_or_else(|| internal("no task is offered"))?;
    rules.observe(loads, &offer, observation, mask);
    Ok(())
}
