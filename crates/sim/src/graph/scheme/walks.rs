//! Greedy walks: tasks are placed in the order of the model, each where it costs least at once, or where it seems to with
//! noise added.

use std::sync::LazyLock;

use super::best::Best;
use super::lanes::Lanes;
use crate::graph::model::GraphModel;
use crate::graph::rules::{Timing, Transfer};
use crate::graph::schedule::Schedule;
use crate::random::{self, Stream};

/// The scale of the noise, as a share of what a task costs on average at its cheapest place, alone.
const NOISE: f64 = 0.3;

/// Noise is drawn from this number of equally likely values.
pub(super) const LEVELS: usize = 4096;

/// What decides where a task goes: the fixed cost that its place adds, and the time of its result times what a second
/// costs. With serial timing the cost that its place adds.
pub(super) fn greedy(model: &GraphModel, schedule: &mut Schedule) {
    walk(model, schedule, |_, _| 0.0);
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
    for run in 0..runs {
        let scale = if run == 0 { 0.0 } else { scale };
        schedule.truncate(0);
        walk(model, &mut schedule, |_, _| scale * GUMBEL[random::below(random, LEVELS)]);
        best.offer(schedule.cost(model), &schedule.places());
    }
}

fn walk(model: &GraphModel, schedule: &mut Schedule, mut noise: impl FnMut(usize, u8) -> f64) {
    let second = if model.rules().timing == Timing::Scheduled { model.rules().weights.time } else { 0.0 };
    for position in schedule.len()..model.tasks() {
        let task = model.order()[position] as usize;
        let mut chosen = (f64::INFINITY, 0);
        for place in model.allowed_places(task) {
            let fixed = added_cost(model, schedule, task, place as usize);
            let mut score = fixed + noise(position, place);
            if second > 0.0 {
                schedule.push(model, place);
                score += second * schedule.result_s(task);
                schedule.truncate(position);
            }
            if score < chosen.0 {
                chosen = (score, place);
            }
        }
        schedule.push(model, chosen.1);
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

/// Equally likely values of the Gumbel distribution, the lowest of which wins: differences of two are logistic.
pub(super) static GUMBEL: LazyLock<Vec<f64>> = LazyLock::new(|| levels(|share| (-share.ln()).ln()));

/// Equally likely values of the logistic distribution.
pub(super) static LOGISTIC: LazyLock<Vec<f64>> = LazyLock::new(|| levels(|share| (share / (1.0 - share)).ln()));

fn levels(quantile: fn(f64) -> f64) -> Vec<f64> {
    (0..LEVELS).map(|index| quantile((index as f64 + 0.5) / LEVELS as f64)).collect()
}
