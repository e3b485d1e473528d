//! The paper's problem: many devices have independent tasks, and each task runs on its device or on one of several
//! servers.
//!
//! Modules stand in the order in which they build on each other: [`workload`] and [`decision`] are data, [`environment`]
//! and [`scenario`] describe the system, [`cost`] says what a decision costs, [`instance`] is a workload in an
//! environment, [`scheme`] decides, [`allocation`] shares bandwidth out, [`fleets`] draws scenarios at random.

pub mod allocation;
pub(crate) mod cost;
pub(crate) mod decision;
pub(crate) mod environment;
pub(crate) mod fleets;
pub(crate) mod instance;
pub mod scenario;
pub mod scheme;
pub(crate) mod workload;
