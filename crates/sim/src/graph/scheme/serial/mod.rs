//! Serial timing: the cost is a sum over tasks and over edges, so that decisions are labellings of a graph.

mod cut;
mod exact;
mod labelling;
mod relaxation;
mod tree;

pub use cut::MinCut;

pub(super) use cut::{check_serial, two_sided};
pub(super) use exact::cheapest;
pub(super) use labelling::Labelling;
