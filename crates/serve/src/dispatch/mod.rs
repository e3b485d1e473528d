//! A service that dispatches tasks as they arrive.
//!
//! It holds the queues of one site ([`LiveSite`]), places each task when it is asked for, and is told when tasks are done. All
//! requests see one state, one after the other; it survives restarts in a file, if one is named.

mod answer;
mod api;
mod clock;
mod live;
mod metrics;
mod openapi;
mod request;
mod scheme;
mod site_names;
mod snapshot;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sim::stream::dispatch::Site;
use sim::stream::dispatch::live::{LiveSite, SharedMachines};
use sim::stream::scenario::DispatchScenario;

pub use self::scheme::SchemeSource;
pub use self::snapshot::StateError;

use self::clock::Clock;
use self::live::Live;
use self::metrics::DispatchMetrics;
use self::scheme::open_scheme;
use self::site_names::SiteNames;
use self::snapshot::{Keeper, Snapshot, StateLock};
use crate::api::with_causes;
use crate::common::Core;
use crate::problem_details::ProblemDetails;
use crate::server::{Access, Hooks};
use crate::{Event, Limits, ListenAddress, PublicUrl, ServeError, Server};

/// Options of a service that dispatches tasks: its site, its scheme, its address, and who may use it.
#[derive(Debug, Clone)]
pub struct DispatchOptions {
    /// The scenario; recordings that it names have been read.
    pub scenario: DispatchScenario,
    /// What the scenario leaves to chance is drawn from this seed, and so are the numbers of schemes that draw.
    pub seed: u64,
    /// The scheme that decides.
    pub scheme: SchemeSource,
    /// The devices that are served, and what they have of shared machines; `None`: all devices, and all of the machines.
    pub devices: Option<(Vec<usize>, SharedMachines)>,
    /// The file in which the state survives; `None`: it does not.
    pub state: Option<PathBuf>,
    /// How often the state is written to it.
    pub sync_every: Duration,
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
    /// An origin whose pages may use the service in addition to the service's own page.
    pub cors: Option<String>,
    /// Limits of sizes, numbers and times.
    pub limits: Limits,
}

impl DispatchOptions {
    /// Options that serve a scenario at an address of this machine with `one-step-fitted`, without a file of state.
    pub fn new(scenario: DispatchScenario, listen: ListenAddress) -> Self {
        Self {
            scenario,
            seed: 1,
            scheme: SchemeSource::Name("one-step-fitted".to_owned()),
            devices: None,
            state: None,
            sync_every: Duration::from_secs(1),
            listen,
            public_urls: Vec::new(),
            token: None,
            open: false,
            tls: None,
            cors: None,
            limits: Limits::default(),
        }
    }

    /// The site that is served, and the numbers of its devices.
    fn site(&self) -> Result<(Site, Vec<usize>), ServeError> {
        let site = self.scenario.site(self.seed)?;
        let Some((devices, machines)) = &self.devices else {
            let all = (0..site.devices()).collect();
            return Ok((site, all));
        };
        let mut devices = devices.clone();
        devices.sort_unstable();
        devices.dedup();
        if let Some(device) = devices.iter().find(|device| **device >= site.devices()) {
            return Err(ServeError::NoDevice { device: *device, last: site.devices() - 1 });
        }
        let part = site.part(&devices, *machines).map_err(|reason| ServeError::Part { reason })?;
        Ok((part, devices))
    }
}

/// A dispatching service.
pub(crate) struct DispatchService {
    core: Arc<Core>,
    scenario: DispatchScenario,
    seed: u64,
    scheme: SchemeSource,
    names: SiteNames,
    live: Live,
    metrics: DispatchMetrics,
}

impl DispatchService {
    /// Opens the scheme again. Queues and open tasks stay. Returns whether the scheme continues what the one before knew.
    fn reload(&self) -> Result<bool, ProblemDetails> {
        let opened = open_scheme(&self.scheme, &self.names.site);
        self.core.metrics.count_reload(opened.is_ok());
        match opened {
            Ok(scheme) => {
                let continues = self.live.set_scheme(scheme);
                (self.core.observer)(&Event::Reloaded);
                Ok(continues)
            }
            Err(error) => {
                let reason = with_causes(&error);
                (self.core.observer)(&Event::ReloadRefused(&reason));
                Err(ProblemDetails::unprocessable(
                    "scheme",
                    format!("{reason}; the service keeps the scheme that it had"),
                ))
            }
        }
    }
}

impl Server {
    /// Checks the options, makes the site, continues its state and binds the address. `observer` receives the [`Event`]s of the
    /// service, possibly from several threads at once.
    ///
    /// # Errors
    /// If an option does not fit, the scenario makes no site, the scheme cannot decide for it, the file of state is damaged or
    /// belongs to something else, or the address cannot be bound. Files stay as they were then.
    pub fn prepare_dispatch(
        options: DispatchOptions,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        let (site, numbers) = options.site()?;
        let DispatchOptions { scenario, seed, scheme, state, sync_every, listen, .. } = options;
        let DispatchOptions { public_urls, token, open, tls, cors, limits, .. } = options;
        let checked = Access { listen, public_urls, token, open, tls, cors }.check()?;
        let names = SiteNames::new(site, numbers);
        let mut live = LiveSite::new(&names.site, open_scheme(&scheme, &names.site)?, seed);
        let mut clock = Clock::new();
        let state = match state {
            Some(path) => Some((StateLock::take(&path)?, path)),
            None => None,
        };
        if let Some((_, path)) = &state {
            let unusable = |reason| ServeError::State { path: path.clone(), reason };
            if let Some(Snapshot { site, clock: kept }) = Snapshot::read(path).map_err(unusable)? {
                let tasks = site.placed();
                let scheme_continues = live.continued(site).map_err(|error| unusable(error.into()))?;
                let (continued, away) = Clock::continued(kept);
                clock = continued;
                observer(&Event::Continued { tasks, away, scheme_continues });
            }
        }
        let (bound, access) = checked.bind()?;
        let metrics = DispatchMetrics::new(&names, &api::ENDPOINTS);
        let core = Core::new(metrics.of_requests.clone(), access, limits, Box::new(observer), api::endpoint_of);
        let live = Live::new(live, clock);
        let service =
            Arc::new(DispatchService { core: Arc::clone(&core), scenario, seed, scheme, names, live, metrics });
        let keeper = state.map(|(lock, path)| Keeper::start(&service, (path, lock), sync_every)).transpose()?;
        let reloading = Arc::clone(&service);
        let hooks = Hooks {
            // The observer is told how it ended.
            reload: Box::new(move || drop(reloading.reload())),
            end: Box::new(move || keeper.iter().for_each(Keeper::end)),
        };
        Ok(Self::new(core, api::router(service), hooks, bound))
    }
}
