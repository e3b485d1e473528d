//! MR-DRO as a library.

pub mod training;

pub use training::{FleetTraining, Training, TrainingError};
