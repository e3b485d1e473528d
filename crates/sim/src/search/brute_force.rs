//! All decisions, one by one.

use super::Problem;

/// Evaluates every decision in which each task has a place it may have, and returns the best one, `[tasks]`, with the number
/// of decisions that were looked at: places^tasks. `None` if these are more than `most`.
pub fn cheapest_of_all(problem: &mut impl Problem, most: u64) -> Option<(Vec<u8>, u64)> {
    let count = problem.places() as u8;
    let tasks = u32::try_from(problem.tasks()).ok()?;
    let decisions = u64::from(count).checked_pow(tasks).filter(|decisions| *decisions <= most)?;
    let mut places = vec![0_u8; problem.tasks()];
    let mut best = None;
    for _ in 0..decisions {
        let outcome = problem.outcome(&places);
        let is_better = best.as_ref().is_none_or(|(old, _)| problem.is_better(&outcome, old));
        if is_better && places.iter().enumerate().all(|(task, place)| problem.is_allowed(task, *place)) {
            best = Some((outcome, places.clone()));
        }
        // The next decision: a number whose digits are the places.
        for place in &mut places {
            *place = (*place + 1) % count;
            if *place != 0 {
                break;
            }
        }
    }
    best.map(|(_, places)| (places, decisions))
}
