//! Candidates: the decisions that networks propose for one workload, and the selection of the cheapest.

mod panel;
mod selection;
mod selector;
mod ties;

pub(crate) use self::panel::PanelSelector;
pub use self::selection::{DEFAULT_FLIPS, Exploration, Selection, SelectionScope};
pub use self::selector::{CandidateSelector, Selected};
use sim::CostModel;

use super::features::{Alternative, Codec};

/// Moves tasks that would run at servers which their devices cannot use to the next best place in the networks' eyes; a task
/// with no other place stays on its device. Tasks that devices do not have are at the devices, whatever networks say of them.
///
/// # Shapes
/// `logits` is `[.., M, width, columns]` and `places` is `[.., M, columns]`, of the devices from `first` on.
#[inline]
fn keep_reachable(codec: &Codec, model: &CostModel, first: usize, columns: usize, logits: &[f32], places: &mut [u8]) {
    if model.has_absent_tasks() {
        keep_absent(model, first, columns, places);
    }
    if !model.is_all_reachable() {
        move_to_reachable(codec, model, first, columns, logits, places);
    }
}

/// [`keep_reachable`] where devices have different numbers of tasks.
#[cold]
fn keep_absent(model: &CostModel, first: usize, columns: usize, places: &mut [u8]) {
    for (index, place) in places.iter_mut().enumerate() {
        if !model.has_task(first * model.tasks() + index / columns) {
            *place = 0;
        }
    }
}

/// [`keep_reachable`] where some devices cannot use some places; apart from it, so that loops over networks stay small.
#[cold]
fn move_to_reachable(
    codec: &Codec,
    model: &CostModel,
    first: usize,
    columns: usize,
    logits: &[f32],
    places: &mut [u8],
) {
    let width = logits.len() / places.len();
    for (index, place) in places.iter_mut().enumerate() {
        let (task, column) = (index / columns, index % columns);
        let can_use = |place: u8| model.is_reachable(first + task / model.tasks(), place);
        if !can_use(*place) {
            let logit = |output: usize| logits[(task * width + output) * columns + column];
            *place = codec.next_best(*place, logit, can_use);
        }
    }
}

/// Removes alternatives for tasks that devices do not have.
fn drop_absent(model: &CostModel, alternatives: &mut Vec<Alternative>) {
    if model.has_absent_tasks() {
        alternatives.retain(|alternative| model.has_task(alternative.task));
    }
}
