//! Meta-learning of first parameters for MR-DRO, Algorithm 1 of the paper.
//!
//! # The words
//! - Metadata are workloads labelled by a scheme ([`Labels`]); [`label`] makes them.
//! - [`reptile`] moves meta parameters β* a little towards the result of each short inner training.
//! - [`parameters`] is arithmetic on all parameters of a Burn module at once.
//!
//! - What one inner training sees are all metadata, as the paper has it, or those of one environment ([`Tasks`]): then
//!   β* is what adapts to any of them in a few steps.
//!
//! # What it does not do
//! What the labels cannot teach is left to `drl`, which starts from the result.

mod metadata;
pub mod parameters;
mod reptile;
mod settings;

pub use metadata::{Labels, Metadata, draw, label};
pub use reptile::{MetaReport, Reptile, ReptileState, reptile};
pub use settings::{Settings, Tasks};
