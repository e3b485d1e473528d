//! Costs, schemes and bandwidth, where nothing is shared and where something is.

mod allocation;
mod common;
mod details;
mod down;
mod mixed_integer;
mod schemes;
mod sharing;
mod ties;
