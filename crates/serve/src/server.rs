//! The server: accepting connections, ending slow ones, and shutting down in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::api::{self, AppState};
use crate::common::Core;
use crate::decider::Decider;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::public_url;
use crate::request_body;
use crate::service::{RecordSource, Service};
use crate::tls;
use crate::{Event, Limits, ListenAddress, Options, PublicUrl, ResolvedAddress, ServeError};

/// The answer to a connection beyond the limit. It is sent before a request is read.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// The longest time for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The pause before the next connection is accepted when the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a service listens, and who may use it.
pub(crate) struct Access {
    pub(crate) listen: ListenAddress,
    pub(crate) public_urls: Vec<PublicUrl>,
    pub(crate) token: Option<String>,
    pub(crate) open: bool,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) cors: Option<String>,
}

/// An address that is checked and not listened on yet, with the rules for requests.
pub(crate) struct CheckedAccess {
    resolved: ResolvedAddress,
    tls: Option<TlsAcceptor>,
    pub(crate) guard: Guard,
    pub(crate) public_urls: Vec<PublicUrl>,
}

impl Access {
    pub(crate) fn check(self) -> Result<CheckedAccess, ServeError> {
        let Self { listen, public_urls, token, open, tls, cors } = self;
        let resolved = listen.resolve()?;
        let reachable = resolved.reachable_from_elsewhere();
        if let Some(address) = reachable.filter(|_| token.is_none() && !open) {
            return Err(ServeError::Unprotected { address });
        }
        let cors = cors.map(|origin| parse_origin(&origin)).transpose()?;
        let tls = tls.map(|(certificates, key)| tls::tls_acceptor(&certificates, &key)).transpose()?;
        let names = reachable.is_none().then(|| own_names(&listen, &public_urls)).filter(|_| token.is_none());
        let origins = public_urls.iter().map(|url| url.origin.clone()).collect();
        Ok(CheckedAccess { resolved, tls, guard: Guard { token, cors, names, origins }, public_urls })
    }
}

/// What a service does beside answering requests.
pub(crate) struct Hooks {
    /// Is called at SIGHUP; reports to the observer by itself.
    pub(crate) reload: Box<dyn Fn() + Send + Sync>,
    /// Is called when everything accepted was answered.
    pub(crate) end: Box<dyn Fn() + Send + Sync>,
}

/// A listening socket, before the service on it is made.
pub(crate) struct Bound {
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
}

/// A service that is ready to run.
pub struct Server {
    core: Arc<Core>,
    router: Router,
    hooks: Arc<Hooks>,
    bound: Bound,
}

impl Server {
    /// Checks the options, loads the record and binds the address. `observer` receives the [`Event`]s of the service, possibly
    /// from several threads at once.
    ///
    /// # Errors
    /// If an option does not fit, the record, the scenario or the TLS files cannot be used, or the address cannot be bound.
    pub fn prepare(
        options: Options,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        let Options { record, scenario, decisions, device, listen, .. } = options;
        let Options { public_urls, token, open, tls, cors, drive, limits, sample, .. } = options;
        let checked = Access { listen, public_urls, token, open, tls, cors }.check()?;
        let service = Service::load(RecordSource { path: record, options: decisions, device }, scenario)?;
        let (bound, access) = checked.bind()?;
        let metrics = Metrics::new(service.snapshot().model.place_names());
        let decider = Decider::start(&service, limits, sample, &metrics);
        let core = Core::new(metrics.of_requests.clone(), access, limits, Box::new(observer), api::endpoint_of);
        let app = Arc::new(AppState { core: Arc::clone(&core), service, decider, metrics, drive });
        let reloading = Arc::clone(&app);
        // The observer is told how it ended.
        let reload = move || drop(reloading.reload());
        let hooks = Hooks { reload: Box::new(reload), end: Box::new(|| {}) };
        Ok(Self::new(core, api::router(app), hooks, bound))
    }

    pub(crate) fn new(core: Arc<Core>, router: Router, hooks: Hooks, bound: Bound) -> Self {
        Self { core, router, hooks: Arc::new(hooks), bound }
    }

    /// The address that the server listens on, with the port that the system chose if port 0 was asked for.
    ///
    /// # Errors
    /// If the system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.bound.listener.local_addr()
    }

    /// Serves until SIGTERM or Ctrl-C. Then it accepts requests for another [`Limits::grace`], answers requests under
    /// way for at most [`Limits::drain`], and returns. A second signal ends the process at once. SIGHUP reloads the
    /// record.
    ///
    /// # Errors
    /// If threads or signal handlers cannot be started.
    pub fn run(self) -> Result<(), ServeError> {
        let start = |source| ServeError::Start { source };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(start)?;
        let hooks = Arc::clone(&self.hooks);
        let result = runtime.block_on(self.serve()).map_err(start);
        // Requests that were cut off are not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        (hooks.end)();
        result
    }

    async fn serve(self) -> io::Result<()> {
        let Self { core, router, hooks, bound: Bound { listener, tls } } = self;
        let listener = TcpListener::from_std(listener)?;
        let acceptor = ConnectionAcceptor {
            router,
            tls,
            slots: connection_slots(&core.limits),
            graceful: GracefulShutdown::new(),
            core: Arc::clone(&core),
        };
        let slots = acceptor.slots.available_permits();
        let mut end = std::pin::pin!(signals(hooks)?);
        let mut close: Option<Pin<Box<Sleep>>> = None;
        loop {
            let stream = tokio::select! {
                () = &mut end, if close.is_none() => {
                    core.ending.store(true, Ordering::Relaxed);
                    (core.observer)(&Event::Ending);
                    close = Some(Box::pin(tokio::time::sleep(core.limits.grace)));
                    continue;
                }
                () = async { close.as_mut().expect("the branch is taken only if there is one").await }, if close.is_some() => break,
                accepted = listener.accept() => accepted,
            };
            match stream {
                Ok((stream, _)) => acceptor.accept(stream),
                // The process has no free file descriptor; connections that end free theirs.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
        drop(listener);
        let ConnectionAcceptor { graceful, slots: free, .. } = acceptor;
        if tokio::time::timeout(core.limits.drain, graceful.shutdown()).await.is_err() {
            (core.observer)(&Event::CutOff(slots - free.available_permits()));
        }
        Ok(())
    }
}

/// Everything that a new connection needs.
struct ConnectionAcceptor {
    core: Arc<Core>,
    router: Router,
    tls: Option<TlsAcceptor>,
    /// One permit for each connection that may be open.
    slots: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl ConnectionAcceptor {
    /// Starts a task that serves the connection, or refuses it if too many are open.
    fn accept(&self, stream: TcpStream) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            tokio::spawn(refuse(stream, self.tls.is_some()));
            return;
        };
        let (core, router, tls) = (Arc::clone(&self.core), self.router.clone(), self.tls.clone());
        let watcher = self.graceful.watcher();
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(core.limits.head));
        stream.set_write_timeout(Some(core.limits.write));
        let stream = Box::pin(stream);
        core.metrics.connections.inc();
        tokio::spawn(async move {
            match tls {
                None => serve_connection(stream, router, &core, watcher).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                        serve_connection(stream, router, &core, watcher).await;
                    }
                }
            }
            core.metrics.connections.dec();
            drop(slot);
        });
    }
}

impl CheckedAccess {
    pub(crate) fn bind(self) -> Result<(Bound, (Guard, Vec<PublicUrl>)), ServeError> {
        let listener = self.resolved.bind()?;
        listener.set_nonblocking(true).map_err(|source| ServeError::Start { source })?;
        Ok((Bound { listener, tls: self.tls }, (self.guard, self.public_urls)))
    }
}

/// One permit for each connection: the limit of the options, or fewer if the system gives the process fewer files.
fn connection_slots(limits: &Limits) -> Arc<Semaphore> {
    const OTHER_FILES: u64 = 64;
    let wanted = limits.connections as u64;
    let files = rlimit::increase_nofile_limit(wanted + OTHER_FILES).unwrap_or(wanted + OTHER_FILES);
    let connections = wanted.min(files.saturating_sub(OTHER_FILES)).max(1);
    Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(limits.connections)))
}

/// Serves the requests of one connection until it ends.
async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    core: &Core,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let limits = &core.limits;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(64 << 10);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.head).max_concurrent_streams(128);
    let answer = service_fn(move |request: Request<Incoming>| {
        let (mut request, remainder) = request_body::track(request);
        public_url::strip_prefix(&core.public_urls, |path| core.is_path(path), &mut request);
        let answered = router.clone().call(request);
        async move {
            let answer = answered.await;
            remainder.discard().await;
            answer
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer).into_owned();
    // An error here means that the client broke off or sent no HTTP.
    let _ = watcher.watch(connection).await;
}

/// Answers that the service is busy. Under TLS there is no answer before the handshake, and the connection just ends.
async fn refuse(mut stream: TcpStream, is_tls: bool) {
    if !is_tls {
        let _ = tokio::time::timeout(ACCEPT_PAUSE, stream.write_all(BUSY)).await;
    }
}

/// A future that ends with the first SIGTERM or Ctrl-C, and reloads the record at each SIGHUP.
fn signals(hooks: Arc<Hooks>) -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        Ok(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    _ = hang_up.recv() => {
                        let hooks = Arc::clone(&hooks);
                        drop(tokio::task::spawn_blocking(move || (hooks.reload)()));
                    }
                }
            }
            tokio::spawn(async move {
                tokio::select! {
                    _ = terminate.recv() => std::process::exit(143),
                    _ = interrupt.recv() => std::process::exit(130),
                }
            });
        })
    }
    #[cfg(not(unix))]
    {
        drop(hooks);
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

/// The host names that requests may use in addition to `localhost` and addresses in numbers.
fn own_names(listen: &ListenAddress, public_urls: &[PublicUrl]) -> Vec<String> {
    let public = public_urls.iter().map(|url| url.name.clone());
    public.chain(listen.name().map(str::to_owned)).collect()
}

/// The origin as browsers send it: scheme, host and port, without a path.
fn parse_origin(origin: &str) -> Result<HeaderValue, ServeError> {
    let wrong = || ServeError::Origin { origin: origin.to_owned() };
    let (scheme, name) = origin.split_once("://").ok_or_else(wrong)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if !["http", "https"].contains(&scheme) || !is_name {
        return Err(wrong());
    }
    HeaderValue::from_str(origin).map_err(|_| wrong())
}
