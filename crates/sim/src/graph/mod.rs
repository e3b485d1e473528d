//! Applications whose tasks depend on one another: each task runs on the device or on one of several servers.
//!
//! - An [`Application`] is a graph of tasks ([`GraphTask`]) and the data that they pass on ([`GraphEdge`]).
//! - A [`System`] is a device with its servers ([`GraphServer`]) and links ([`Link`]).
//! - A [`GraphModel`] says what decisions about one application on one system cost, under its [`Rules`].
//! - A [`Schedule`] is a decision that is made task by task, with its cost so far; an [`IncrementalSchedule`] is a whole
//!   decision that changes.
//!
//! - A [`Generator`] draws applications; [`Network`]s have their [`Layer`]s as applications.
//! - A [`LayerRegression`] predicts times of layers from [`MeasuredLayer`]s.
//! - A [`GraphScenario`] describes all of that as a person writes it.
//! - A [`GraphScheme`](scheme::GraphScheme) is anything that decides.
//! - [`layer_serving`] is a problem of its own: layers of several networks at one edge node.
//!
//! A decision is a list of places, one for each task in the order in which the application gives them; place 0 is the
//! device, j + 1 is server j.

mod application;
mod generators;
mod incremental;
pub mod layer_serving;
mod layer_times;
mod layers;
mod model;
mod order;
mod rules;
mod run_times;
pub mod scenario;
mod schedule;
pub mod scheme;
mod system;

pub use application::{Application, ApplicationError, GraphEdge, GraphTask, NamedEdge, Neighbour};
pub use generators::{Called, Generator, Growth, LayerRow, LayerTable, Layered, TaskCount, Values};
pub use incremental::{IncrementalSchedule, Move};
pub use layer_times::{FEWEST_MEASURED, LayerFit, LayerRegression, LayerTimesError, LayerWork, MeasuredLayer};
pub use layers::{Layer, LayerKind, Network, UnknownLayerKind};
pub use model::{GraphModel, GraphModelError, GraphOutcome};
pub use rules::{Downlinks, Limits, OrderRule, Rules, Timing, Transfer, Weights};
pub use run_times::PredictionError;
pub use scenario::GraphScenario;
pub use schedule::{Activity, ActivityKind, Schedule};
pub use system::{GraphServer, LOCAL, Link, Machine, System, SystemError};
