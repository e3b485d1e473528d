//! The server: accepting connections, ending slow ones, and shutting down in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

use crate::api::{self, App, AppState};
use crate::decider::Decider;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::public_url;
use crate::request_body;
use crate::service::{RecordSource, Service};
use crate::tls;
use crate::{Event, Limits, ListenAddress, Options, PublicUrl, ServeError};

/// The answer to a connection beyond the limit. It is sent before a request is read.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// The longest time for the TLS handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The pause before the next connection is accepted when the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A service that is ready to run.
pub struct Server {
    app: App,
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
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
        let resolved = listen.resolve()?;
        let reachable = resolved.reachable_from_elsewhere();
        if let Some(address) = reachable.filter(|_| token.is_none() && !open) {
            return Err(ServeError::Unprotected { address });
        }
        let cors = cors.map(|origin| parse_origin(&origin)).transpose()?;
        let tls = tls.map(|(certificates, key)| tls::tls_acceptor(&certificates, &key)).transpose()?;
        let service = Service::load(RecordSource { path: record, options: decisions, device }, scenario)?;
        let listener = resolved.bind()?;
        listener.set_nonblocking(true).map_err(|source| ServeError::Start { source })?;
        let metrics = Metrics::new(service.snapshot().model.place_names());
        let decider = Decider::start(&service, limits, sample, &metrics);
        let names = reachable.is_none().then(|| own_names(&listen, &public_urls)).filter(|_| token.is_none());
        let origins = public_urls.iter().map(|url| url.origin.clone()).collect();
        let guard = Guard { token, cors, names, origins };
        let app = Arc::new(AppState {
            service,
            decider,
            metrics,
            guard,
            public_urls,
            limits,
            drive,
            bodies: Semaphore::new(limits.bodies_bytes),
            answers: Arc::new(Semaphore::new(limits.answers_bytes)),
            decompressing: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            ending: AtomicBool::new(false),
            observer: Box::new(observer),
        });
        Ok(Self { app, listener, tls })
    }

    /// The address that the server listens on, with the port that the system chose if port 0 was asked for.
    ///
    /// # Errors
    /// If the system does not know it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
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
        let app = Arc::clone(&self.app);
        let result = runtime.block_on(self.serve()).map_err(start);
        // Requests that were cut off are not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        drop(app);
        result
    }

    async fn serve(self) -> io::Result<()> {
        let Self { app, listener, tls } = self;
        let listener = TcpListener::from_std(listener)?;
        let acceptor = ConnectionAcceptor {
            router: api::router(Arc::clone(&app)),
            tls,
            slots: connection_slots(&app.limits),
            graceful: GracefulShutdown::new(),
            app: Arc::clone(&app),
        };
        let slots = acceptor.slots.available_permits();
        let mut end = std::pin::pin!(signals(Arc::clone(&app))?);
        let mut close: Option<Pin<Box<Sleep>>> = None;
        loop {
            let stream = tokio::select! {
                () = &mut end, if close.is_none() => {
                    app.ending.store(true, Ordering::Relaxed);
                    (app.observer)(&Event::Ending);
                    close = Some(Box::pin(tokio::time::sleep(app.limits.grace)));
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
        if tokio::time::timeout(app.limits.drain, graceful.shutdown()).await.is_err() {
            (app.observer)(&Event::CutOff(slots - free.available_permits()));
        }
        Ok(())
    }
}

/// Everything that a new connection needs.
struct ConnectionAcceptor {
    app: App,
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
        let (app, router, tls) = (Arc::clone(&self.app), self.router.clone(), self.tls.clone());
        let watcher = self.graceful.watcher();
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(app.limits.head));
        stream.set_write_timeout(Some(app.limits.write));
        let stream = Box::pin(stream);
        app.metrics.connections.inc();
        tokio::spawn(async move {
            match tls {
                None => serve_connection(stream, router, &app, watcher).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                        serve_connection(stream, router, &app, watcher).await;
                    }
                }
            }
            app.metrics.connections.dec();
            drop(slot);
        });
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
    app: &App,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let limits = &app.limits;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(64 << 10);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.head).max_concurrent_streams(128);
    let answer = service_fn(move |request: Request<Incoming>| {
        let (mut request, remainder) = request_body::track(request);
        public_url::strip_prefix(&app.public_urls, api::is_path, &mut request);
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
fn signals(app: App) -> io::Result<impl Future<Output = ()>> {
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
                        let app = Arc::clone(&app);
                        // The observer is told how it ended.
                        drop(tokio::task::spawn_blocking(move || app.reload().is_ok()));
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
        drop(app);
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
