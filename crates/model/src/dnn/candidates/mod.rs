//! Candidates: the decisions that networks propose for one workload, and the selection of the cheapest.

mod panel;
mod selection;
mod selector;

pub(crate) use self::panel::PanelSelector;
pub use self::selection::{DEFAULT_FLIPS, Exploration, Selection, SelectionScope};
pub use self::selector::{CandidateSelector, Selected};
use sim::CostModel;

/// Leaves tasks on their devices that would otherwise run at servers that these devices cannot reach.
///
/// # Shapes
/// `places` is `[.., M, columns]`, of the devices from `first` on.
fn keep_reachable(model: &CostModel, first: usize, columns: usize, places: &mut [u8]) {
    if model.is_all_reachable() {
        return;
    }
    for (device, places) in (first..).zip(places.chunks_exact_mut(model.tasks() * columns)) {
        for place in places.iter_mut().filter(|place| !model.is_reachable(device, **place)) {
            *place = 0;
        }
    }
}
