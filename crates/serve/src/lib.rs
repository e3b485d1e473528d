//! A decision service: answers over HTTP where tasks should run, for platforms, and serves a live page for people.
//!
//! The service decides with a trained record, whose networks are for one scenario or for any fleet. [`Server::prepare`]
//! checks the [`Options`], loads the record and binds the address; [`Server::run`] serves until a signal ends it. The crate
//! prints nothing: a program receives [`Event`]s.
//!
//! ```no_run
//! use serve::{Event, Options, Server};
//!
//! let device = model::DeviceChoice::Auto.open()?.device;
//! let options = Options::new("models/mobile", "127.0.0.1:8080".parse()?, device);
//! let server = Server::prepare(options, |event: &Event<'_>| println!("{event:?}"))?;
//! println!("serving at http://{}", server.address()?);
//! server.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/decide` | where tasks should run, for one workload or a list |
//! | `GET /v1/scenario`, `GET /v1/record` | the scenario and the record that are being served |
//! | `PUT /v1/environment` | changes uplinks, capacities or α from now on |
//! | `POST /v1/reload` | reads the record again |
//! | `GET /v1/drive` | a recorded drive to replay |
//! | `GET /healthz`, `/readyz`, `/metrics`, `/openapi.json` | health, metrics and a description, for platforms |
//! | `GET /` | the page |
//!
//! A second kind of service dispatches tasks as they arrive, with the queues of a site ([`Server::prepare_dispatch`],
//! [`DispatchOptions`]):
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/dispatch` | where a task that arrives should run, or each of a list |
//! | `POST /v1/completed` | says that tasks are done, which corrects the queues |
//! | `GET`, `PUT /v1/queues` | the queues now; says what they are in fact |
//! | `POST /v1/reset` | begins anew |
//! | `GET /v1/scenario`, `POST /v1/reload`, health, metrics, description and page | as above |
//!
//! # What it does not do
//! It trains and adapts no networks, and stores nothing of a request. It writes no files but that in which a dispatching
//! service keeps its state, if one is named ([`DispatchOptions::state`]).

mod answer_body;
mod api;
mod common;
mod decide_request;
mod decider;
mod decision_sampler;
mod dispatch;
mod explanation;
mod guard;
mod listen_address;
mod metrics;
mod metrics_format;
mod openapi;
mod page;
mod problem_details;
mod public_url;
mod request_body;
mod request_encoding;
mod server;
mod service;
mod tls;
mod views;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::Device;
use model::{DecisionOptions, OptionError, RecordError};
use sim::Scenario;

pub use dispatch::{DispatchOptions, SchemeSource, StateError};
pub use listen_address::{ListenAddress, ListenAddressError, ListenError, ResolvedAddress};
pub use public_url::{PublicUrl, PublicUrlError};
pub use server::Server;
pub use views::DriveView;

/// Options of a service: its record, its address, and who may use it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory of the record.
    pub record: PathBuf,
    /// The scenario to decide for. Needed for a record for any fleet; `None` for a record of one scenario, which brings its
    /// own.
    pub scenario: Option<Scenario>,
    /// How the networks decide.
    pub decisions: DecisionOptions,
    /// The device to compute on.
    pub device: Device,
    /// The address to listen on; with port 0 the system chooses a free port.
    pub listen: ListenAddress,
    /// The URLs under which reverse proxies publish the service.
    pub public_urls: Vec<PublicUrl>,
    /// The token that clients must send, if any.
    pub token: Option<String>,
    /// Whether an address that other machines can reach may be served without a token.
    pub open: bool,
    /// PEM files of the certificate chain and the private key; `None` serves without TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// An origin, such as `https://platform.example`, whose pages may use the service in addition to the service's own
    /// page.
    pub cors: Option<String>,
    /// A drive for the page to replay.
    pub drive: Option<DriveView>,
    /// Limits of sizes, numbers and times.
    pub limits: Limits,
    /// Every `sample`-th decision of the networks is compared with the optimum, for the metric `q2`; 0 compares none.
    pub sample: u64,
}

impl Options {
    /// Options that serve a record at an address of this machine: without scenario, token and TLS, with the default limits.
    pub fn new(record: impl Into<PathBuf>, listen: ListenAddress, device: Device) -> Self {
        Self {
            record: record.into(),
            scenario: None,
            decisions: DecisionOptions::default(),
            device,
            listen,
            public_urls: Vec::new(),
            token: None,
            open: false,
            tls: None,
            cors: None,
            drive: None,
            limits: Limits::default(),
            sample: 100,
        }
    }
}

/// The limits beyond which the service refuses, waits no longer, or ends a connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections. One more is answered with status 503.
    pub connections: usize,
    /// Workloads that wait to be decided. A request beyond is answered with status 503.
    pub waiting: usize,
    /// Workloads of one request.
    pub workloads: usize,
    /// Tasks of one request.
    pub tasks: usize,
    /// Tasks of one request that asks for an explanation or is decided by a search.
    pub slow_tasks: usize,
    /// The longest time for a request that is decided by a search.
    pub search: Duration,
    /// Bytes of all answers that clients have not read yet.
    pub answers_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read.
    pub bodies_bytes: usize,
    /// The longest time for the head of a request, and between two requests of a connection.
    pub head: Duration,
    /// The longest time for the body of a request.
    pub body: Duration,
    /// The longest time in which a client reads nothing of an answer. A whole answer may take this time and what its length
    /// needs at 64 KiB/s.
    pub write: Duration,
    /// The longest time for requests under way, after the service stopped accepting.
    pub drain: Duration,
    /// How long the service still accepts requests after it was told to end, so that a platform can notice `/readyz`.
    pub grace: Duration,
    /// How long a batch that is not full waits for more workloads.
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

/// Why a service cannot be started, or its record cannot be reloaded.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The record cannot be served.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record for any fleet, and no scenario.
    #[error("{} has no scenario of its own", path.display())]
    NoScenario {
        /// The record.
        path: PathBuf,
    },
    /// An option for another kind of networks than the record holds.
    #[error("{error}, and {} is of another kind", path.display())]
    Option {
        /// The record.
        path: PathBuf,
        /// Names the option and the kind that it is for.
        error: OptionError,
    },
    /// A record for one scenario, and another scenario.
    #[error("{} is a record for one scenario; only networks for any fleet can decide for another", path.display())]
    OwnScenario {
        /// The record.
        path: PathBuf,
    },
    /// The scenario has mistakes.
    #[error(transparent)]
    Scenario(#[from] sim::config::Mistakes),
    /// The file of task sizes that the scenario names cannot be used.
    #[error(transparent)]
    Sizes(#[from] data::SizesError),
    /// An address that other machines can reach, without a token.
    #[error("without a token, every machine that reaches {address} could use the service and change its environment")]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A certificate or a key cannot be used.
    #[error("{} cannot be used for TLS: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A text that is not an origin.
    #[error("`{origin}` is not an origin such as https://platform.example")]
    Origin {
        /// The text.
        origin: String,
    },
    /// A scenario over time makes no site.
    #[error(transparent)]
    Site(#[from] sim::stream::scenario::StreamScenarioError),
    /// There is no such scheme for dispatching.
    #[error(transparent)]
    DispatchScheme(#[from] sim::stream::dispatch::scheme::DispatchSchemeError),
    /// A scheme that needs more than the queues.
    #[error(
        "the scheme `{scheme}` draws futures and takes milliseconds for a decision; it cannot dispatch tasks as they arrive"
    )]
    NotLive {
        /// The scheme.
        scheme: String,
    },
    /// A record whose networks do not dispatch tasks as they arrive.
    #[error("{}: the record holds {kind}; dispatching needs networks for tasks that arrive over time, such as models/any-site", path.display())]
    NoDispatcher {
        /// The record.
        path: PathBuf,
        /// What it holds.
        kind: &'static str,
    },
    /// A device that the scenario does not have.
    #[error("there is no device {device}; devices are 0 to {last}")]
    NoDevice {
        /// The device.
        device: usize,
        /// The last device.
        last: usize,
    },
    /// Some of the devices cannot be served alone.
    #[error("with these devices alone, {reason}")]
    Part {
        /// Why.
        reason: sim::stream::dispatch::SiteError,
    },
    /// The file of state cannot be used.
    #[error("the state in {} cannot be continued: {reason}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: StateError,
    },
    /// Another service has the file of state.
    #[error("another service keeps its state in {}", path.display())]
    StateInUse {
        /// The file.
        path: PathBuf,
    },
    /// The file of state cannot be written.
    #[error("the state cannot be written to {}", path.display())]
    StateNotWritten {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Threads or signal handlers cannot be started.
    #[error("the service cannot be started")]
    Start {
        /// The reason.
        source: std::io::Error,
    },
}

/// Something that happened while serving.
#[derive(Debug)]
pub enum Event<'a> {
    /// The record was reloaded and is in force.
    Reloaded,
    /// A record could not be reloaded, for this reason; the one before stays in force.
    ReloadRefused(&'a str),
    /// A dispatching service continues its state.
    Continued {
        /// Tasks that were placed before.
        tasks: u64,
        /// The time since the state was written.
        away: Duration,
        /// Whether the scheme continues, too: otherwise it begins anew, with the queues as they are.
        scheme_continues: bool,
    },
    /// The state was not written, for this reason; the file is as it was before.
    StateNotWritten(&'a str),
    /// A signal ends the service: requests under way are still answered.
    Ending,
    /// This number of connections was closed, since they took too long to end.
    CutOff(usize),
}
