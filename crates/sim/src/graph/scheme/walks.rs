//! Greedy walks: tasks are placed in the order of the model, each where it costs least at once, or where it seems to with
//! noise added.

use super::best::Best;
use super::lanes::Lanes;
use crate::graph::model::GraphModel;
use crate::graph::rules::{Timing, Transfer};
use crate::graph::schedule::Schedule;
use crate::random::Stream;
use crate::search::{Construction, place_greedily, randomised_greedy};

/// The scale of the noise, as a share of what a task costs on average at its cheapest place, alone.
const NOISE: f64 = 0.3;

/// What decides where a task goes: the fixed cost that its place adds, and the time of its result times what a second
/// costs. With serial timing the cost that its place adds.
pub(super) fn greedy(model: &GraphModel, schedule: &mut Schedule) {
    place_greedily(&mut Walk::new(model, schedule));
}

/// Makes one greedy walk and then noisy ones, `runs` together, and offers them all.
pub(super) fn noisy_walks(model: &GraphModel, runs: u64, random: &mut Stream, best: &mut Best<'_>) {
    if runs == 0 {
        return;
    }
    let scale = NOISE * mean_least_cost(model);
    let rules = model.rules();
    if rules.timing == Timing::Scheduled && rules.transfer == Transfer::Task {
        Lanes::new(model, scale).run(runs, random, best);
        return;
    }
    let mut schedule = Schedule::new(model);
    let mut walk = Walk::new(model, &mut schedule);
    randomised_greedy(&mut walk, (runs, scale), random, |walk| {
        best.offer(walk.schedule.cost(model), &walk.schedule.places());
    });
}

/// A greedy walk through one application.
pub(super) struct Walk<'a> {
    model: &'a GraphModel,
    schedule: &'a mut Schedule,
    /// What a second costs until the result of a task is there; 0 with serial timing, where costs of tasks include it.
    second: f64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(model: &'a GraphModel, schedule: &'a mut Schedule) -> Self {
        let second = if model.rules().timing == Timing::Scheduled { model.rules().weights.time } else { 0.0 };
        Self { model, schedule, second }
    }
}

impl Construction for Walk<'_> {
    fn place_count(&self) -> usize {
        self.model.places()
    }

    fn clear(&mut self) {
        self.schedule.truncate(0);
    }

    #[inline]
    fn next_task(&self) -> Option<usize> {
        self.model.order().get(self.schedule.len()).map(|task| *task as usize)
    }

    #[inline]
    fn scores(&mut self, task: usize, scores: &mut [f64]) {
        let position = self.schedule.len();
        let is_allowed = &self.model.is_allowed[task * scores.len()..][..scores.len()];
        for (place, (score, is_allowed)) in scores.iter_mut().zip(is_allowed).enumerate() {
            if !is_allowed {
                *score = f64::INFINITY;
                continue;
            }
            *score = added_cost(self.model, self.schedule, task, place);
            if self.second > 0.0 {
                self.schedule.push(self.model, place as u8);
                *score += self.second * self.schedule.result_s(task);
                self.schedule.truncate(position);
            }
        }
    }

    #[inline]
    fn place_next(&mut self, place: u8) {
        self.schedule.push(self.model, place);
    }
}

/// The part of the cost that a task at a place adds, which does not depend on when things happen.
fn added_cost(model: &GraphModel, schedule: &Schedule, task: usize, place: usize) -> f64 {
    let edges = model.before(task).iter();
    let edges = edges.map(|edge| edge.bytes * model.byte_cost(schedule.place(edge.task as usize) as usize, place));
    model.task_cost(task, place) + edges.sum::<f64>()
}

/// What a task costs on average, at its cheapest place, if it is alone.
fn mean_least_cost(model: &GraphModel) -> f64 {
    let second = if model.rules().timing == Timing::Scheduled { model.rules().weights.time } else { 0.0 };
    let cost = |task: usize, place: usize| {
        let time_s = model.send_s(task, place) + model.run_s(task, place) + model.return_s(task, place);
        model.task_cost(task, place) + second * time_s
    };
    let least =
        |task: usize| model.allowed_places(task).map(|place| cost(task, place as usize)).fold(f64::INFINITY, f64::min);
    (0..model.tasks()).map(least).sum::<f64>() / model.tasks() as f64
}
