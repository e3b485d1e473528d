//! Candidates: the decisions that networks propose for one workload, and the selection of the cheapest.

mod panel;
mod selection;
mod selector;
mod ties;

pub(crate) use self::panel::PanelSelector;
pub use self::selection::{DEFAULT_FLIPS, Exploration, Selection, SelectionScope};
pub use self::selector::{CandidateSelector, Selected};
use sim::{CostModel, keep_absent};

use super::features::{Alternative, Codec};

/// Moves tasks that would run at servers which their devices cannot use to the next best place in the networks' eyes; a task
/// with no other place stays on its device.
///
/// # Shapes
/// `logits` is `[.., M, width, columns]` and `places` is `[.., M, columns]`, of the devices from `first` on.
#[inline]
fn keep_reachable(codec: &Codec, model: &CostModel, first: usize, columns: usize, logits: &[f32], places: &mut [u8]) {
    if !model.is_all_reachable() {
        move_to_reachable(codec, model, first, columns, logits, places);
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

/// The tasks without bytes, which are absent: they are at their devices whatever networks say of them, and at no other place.
struct Absent<'s> {
    sizes_bytes: &'s [f64],
    is_any: bool,
}

impl<'s> Absent<'s> {
    fn of(sizes_bytes: &'s [f64]) -> Self {
        Self { sizes_bytes, is_any: sizes_bytes.contains(&0.0) }
    }

    /// Places absent tasks at their devices. `places` is laid out as the sizes are.
    fn keep(&self, places: &mut [u8]) {
        if self.is_any {
            keep_absent(self.sizes_bytes, places);
        }
    }

    /// Removes alternatives for absent tasks.
    fn drop_from(&self, alternatives: &mut Vec<Alternative>) {
        if self.is_any {
            alternatives.retain(|alternative| self.sizes_bytes[alternative.task] > 0.0);
        }
    }
}
