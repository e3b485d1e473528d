//! Greedy construction, with and without noise.

use super::cheapest;
use super::noise::{GUMBEL, LEVELS};
use crate::random::{self, Stream};

/// A decision that is made task by task.
pub trait Construction {
    /// The number of places.
    fn place_count(&self) -> usize;

    /// Takes back all tasks.
    fn clear(&mut self);

    /// The task that is placed next; `None` once all have been placed.
    fn next_task(&self) -> Option<usize>;

    /// What the next task, `task`, costs at each place at once, given the tasks placed before it; infinite at places that it
    /// may not have.
    ///
    /// # Shapes
    /// `scores` is `[places]`.
    fn scores(&mut self, task: usize, scores: &mut [f64]);

    /// The best place for the next task, `task`: the first of those with the lowest score, unless the problem says how equal
    /// scores are told apart.
    ///
    /// # Shapes
    /// `scores` is `[places]`, at least one.
    #[inline]
    fn best_place(&self, _task: usize, scores: &[f64]) -> u8 {
        cheapest(scores) as u8
    }

    /// Places the next task.
    fn place_next(&mut self, place: u8);
}

/// Places each task that has not been placed where it costs least at once. Among equal places
/// [`Construction::best_place`] chooses: the first, unless the problem says otherwise.
pub fn place_greedily(construction: &mut impl Construction) {
    place(construction, |_, _| ());
}

/// [`place_greedily`] with `noise(task, place)` added to the score of every place that a task may have.
pub fn place_with_noise(construction: &mut impl Construction, mut noise: impl FnMut(usize, u8) -> f64) {
    place(construction, |task, scores| {
        for (place, score) in scores.iter_mut().enumerate().filter(|(_, score)| score.is_finite()) {
            *score += noise(task, place as u8);
        }
    });
}

/// Places each task that has not been placed where its score is best once it has been changed.
#[inline]
fn place(construction: &mut impl Construction, mut change: impl FnMut(usize, &mut [f64])) {
    // A few places, as most problems have, need no memory of their own.
    let (mut few, mut many) = ([0.0; 8], Vec::new());
    let count = construction.place_count();
    let scores = few.get_mut(..count).unwrap_or_else(|| {
        many.resize(count, 0.0);
        &mut many
    });
    while let Some(task) = construction.next_task() {
        construction.scores(task, scores);
        change(task, scores);
        let best = construction.best_place(task, scores);
        construction.place_next(best);
    }
}

/// Makes `runs` decisions one after the other and hands each of them to `offer`. The first one is greedy; in the others Gumbel
/// noise of a scale is added to all scores, so that places are drawn as a softmax draws them.
pub fn randomised_greedy<C: Construction>(
    construction: &mut C,
    (runs, scale): (u64, f64),
    random: &mut Stream,
    mut offer: impl FnMut(&mut C),
) {
    for run in 0..runs {
        let scale = if run == 0 { 0.0 } else { scale };
        construction.clear();
        place_with_noise(construction, |_, _| scale * GUMBEL[random::below(random, LEVELS)]);
        offer(construction);
    }
}
