//! Serial timing: the cost is a sum over tasks and over edges, so that decisions are labellings of a graph.

mod chain;
mod cut;
mod exact;
mod labelling;
mod labels;
mod larac;
mod larac_limits;
mod limits;
mod multipliers;
mod ranking;
mod relaxation;
mod tree;

pub use cut::MinCut;
pub use larac::{Larac, OneClimb};
pub use larac_limits::{LaracK, LaracM};

pub(super) use chain::Chain;
pub(super) use cut::{check_serial, two_sided};
pub(super) use exact::cheapest;
pub(super) use labelling::Labelling;
