//! Decisions over HTTP: a record, of DNNs for one scenario or of networks for any fleet, as a service for platforms, and
//! a live page for people.
//!
//! A [`Server`] is prepared, which loads the record and binds the address, and then runs until it is told to end. What
//! comes to its [`Options`] is checked before anything listens. It prints nothing; [`Event`]s tell what happens.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/decide` | where tasks should run, one workload or many |
//! | `GET /v1/scenario`, `GET /v1/record` | what is being served |
//! | `PUT /v1/environment` | other uplinks, capacities or α from now on |
//! | `POST /v1/reload` | the record is read again |
//! | `GET /v1/drive` | a recorded drive to replay |
//! | `GET /healthz`, `/readyz`, `/metrics`, `/openapi.json` | for platforms |
//! | `GET /` | the page |
//!
//! # What it does not do
//! It trains nothing and adapts nothing, writes no file, and keeps nothing of a request.

mod answer;
mod api;
mod body;
mod decider;
mod guard;
mod metrics;
mod openapi;
mod page;
mod problem;
mod server;
mod service;
mod views;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::Device;
use model::{DecisionOptions, OptionError, RecordError};
use sim::Scenario;

pub use server::Server;
pub use views::DriveView;

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The record.
    pub record: PathBuf,
    /// What networks for any fleet decide about; DNNs have a scenario of their own, and take no other.
    pub scenario: Option<Scenario>,
    /// How the networks decide.
    pub decisions: DecisionOptions,
    /// What computes.
    pub device: Device,
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// What clients must present, if anything.
    pub token: Option<String>,
    /// Whether everybody who reaches the address is served.
    pub open: bool,
    /// Certificate chain and private key, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The origin whose pages may use the service, beside its own.
    pub cors: Option<String>,
    /// A drive for the page to replay.
    pub drive: Option<DriveView>,
    /// What is too much.
    pub limits: Limits,
    /// Every so many decisions of the networks, one is compared with the optimum; 0: none.
    pub sample: u64,
}

/// What is too much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections; one more is told to come again.
    pub connections: usize,
    /// Workloads that wait to be decided; a request beyond is told to come again.
    pub waiting: usize,
    /// Workloads of one request.
    pub workloads: usize,
    /// Tasks of one request.
    pub tasks: usize,
    /// Tasks of one request that is to be explained, or decided by a search.
    pub slow_tasks: usize,
    /// For a request that is decided by a search.
    pub search: Duration,
    /// Bytes of all answers that clients have not yet taken.
    pub answers_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read.
    pub bodies_bytes: usize,
    /// For a request's head, and for the next one on an open connection.
    pub head: Duration,
    /// For a request's body.
    pub body: Duration,
    /// For a client to take some more of an answer, and beside what its length needs for all of it.
    pub write: Duration,
    /// For what was accepted, once the service is told to end.
    pub drain: Duration,
    /// How long it goes on accepting after that, so that those who are about to ask are still answered.
    pub grace: Duration,
    /// How long a batch that is not full waits for more.
    pub batch_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            waiting: 16_384,
            workloads: 10_000,
            tasks: 500_000,
            slow_tasks: 20_000,
            search: Duration::from_secs(2),
            answers_bytes: 12 << 20,
            body_bytes: 8 << 20,
            bodies_bytes: 8 << 20,
            head: Duration::from_secs(30),
            body: Duration::from_secs(10),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            grace: Duration::from_millis(500),
            batch_wait: Duration::ZERO,
        }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The record cannot be served.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Networks for any fleet do not know what to decide about.
    #[error("{} decides for any fleet and has no scenario of its own", path.display())]
    NoScenario {
        /// The record.
        path: PathBuf,
    },
    /// An option is for networks of another kind than those of the record.
    #[error("{error}, and {} is of another kind", path.display())]
    Option {
        /// The record.
        path: PathBuf,
        /// The option, and the kind that it is for.
        error: OptionError,
    },
    /// The networks bring their own scenario, and another one was named.
    #[error("{} has a scenario of its own", path.display())]
    OwnScenario {
        /// The record.
        path: PathBuf,
    },
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] sim::config::Mistakes),
    /// The sizes that the scenario names cannot be used.
    #[error(transparent)]
    Sizes(#[from] data::SizesError),
    /// Whoever reaches the address could use the service.
    #[error("whoever reaches {address} could use the service and change its environment")]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or a key is of no use.
    #[error("{} cannot be used for TLS: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No origin.
    #[error("`{origin}` is no origin such as https://platform.example")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// The system gives no threads or signals.
    #[error("the service cannot be started")]
    Start {
        /// Why.
        source: std::io::Error,
    },
}

/// What happens while serving.
#[derive(Debug)]
pub enum Event<'a> {
    /// The record was read again and is in force.
    Reloaded,
    /// It was refused; the one before goes on.
    ReloadRefused(&'a str),
    /// No more requests are accepted; those that were are answered.
    Ending,
    /// So many connections were cut off, since they took too long to end.
    CutOff(usize),
}
