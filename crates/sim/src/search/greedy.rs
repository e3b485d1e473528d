//! Greedy construction, with and without noise.

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

    /// What the next task costs at each place at once, given the tasks placed before it; infinite at places that it may not
    /// have.
    ///
    /// # Shapes
    /// `scores` is `[places]`.
    fn scores(&mut self, scores: &mut [f64]);

    /// Whether one place is better for the next task than another: it has a lower score, unless the problem says how
    /// equal scores are told apart.
    fn is_better_place(&self, scores: &[f64], new: usize, old: usize) -> bool {
        scores[new] < scores[old]
    }

    /// Places the next task.
    fn place_next(&mut self, place: u8);
}

/// Places each task that has not been placed where it costs least at once. Of equal places the first is taken.
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
    let mut scores = vec![0.0; construction.place_count()];
    while let Some(task) = construction.next_task() {
        construction.scores(&mut scores);
        change(task, &mut scores);
        let mut best = 0;
        for place in 1..scores.len() {
            if construction.is_better_place(&scores, place, best) {
                best = place;
            }
        }
        construction.place_next(best as u8);
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
