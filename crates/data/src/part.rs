//! The two parts of recorded data.

/// The part of recorded data to draw from. Data that are not recorded are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Data that training may see.
    Training,
    /// Data that only evaluation may see.
    HeldOut,
}
