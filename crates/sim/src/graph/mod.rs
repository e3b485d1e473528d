//! Applications whose tasks depend on one another: each task runs on the device or on one of several servers.
//!
//! - An [`Application`] is a graph of tasks ([`GraphTask`]) and the data that they pass on ([`GraphEdge`]).
//! - A [`System`] is a device with its servers ([`GraphServer`]) and links ([`Link`]).
//! - A [`GraphModel`] says what decisions about one application on one system cost, under its [`Rules`].
//! - A [`Schedule`] is a decision that is made task by task, with its cost so far; an [`IncrementalSchedule`] is a whole
//!   decision that changes.
//!
//! A decision is a list of places, one for each task in the order in which the application gives them; place 0 is the
//! device, j + 1 is server j.

mod application;
mod incremental;
mod model;
mod order;
mod schedule;
mod system;

pub use application::{Application, ApplicationError, GraphEdge, GraphTask, NamedEdge, Neighbour};
pub use incremental::{IncrementalSchedule, Move};
pub use model::{
    Downlinks, GraphModel, GraphModelError, GraphOutcome, Limits, OrderRule, Rules, Timing, Transfer, Weights,
};
pub use schedule::{Activity, ActivityKind, Schedule};
pub use system::{GraphServer, LOCAL, Link, Machine, System, SystemError};
