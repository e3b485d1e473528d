//! Connections: accepting them, ending those that take too long, and ending all of them in order.

use std::fs;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
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
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower_service::Service as _;

use crate::api::{self, App, Shared};
use crate::body;
use crate::decider::Decider;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::service::{Loading, Service};
use crate::{Event, Limits, Options, ServeError};

/// What a connection is told that finds no room; there is no request yet to answer.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// For the beginning of a connection under TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The longest that a connection waits for its turn to be accepted after the system had no room for it.
const PAUSE: Duration = Duration::from_millis(50);

/// A service that is ready to run.
pub struct Server {
    app: App,
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Loads the record, checks the options, binds the address; `observer` is told what happens.
    ///
    /// # Errors
    /// If any of it is not possible.
    pub fn prepare(
        options: Options,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        let Options { record, scenario, decisions, device, listen, token, open, tls, cors, drive, limits, sample } =
            options;
        let is_loopback = listen.ip().is_loopback();
        if !is_loopback && token.is_none() && !open {
            return Err(ServeError::Unprotected { address: listen });
        }
        let cors = cors.map(|origin| parse_origin(&origin)).transpose()?;
        let tls = tls.map(|(certificates, key)| acceptor(&certificates, &key)).transpose()?;
        let service = Service::load(Loading { path: record, options: decisions, device }, scenario)?;
        let unusable = |source| ServeError::Listen { address: listen, source };
        let listener = std::net::TcpListener::bind(listen).map_err(unusable)?;
        listener.set_nonblocking(true).map_err(unusable)?;
        let metrics = Metrics::new();
        let decider = Decider::start(&service, limits, sample, &metrics);
        let guard = Guard { local_names: is_loopback && token.is_none(), token, cors };
        let app = Arc::new(Shared {
            service,
            decider,
            metrics,
            guard,
            limits,
            drive,
            bodies: Semaphore::new(limits.bodies_bytes),
            answers: Arc::new(Semaphore::new(limits.answers_bytes)),
            ending: AtomicBool::new(false),
            observer: Box::new(observer),
        });
        Ok(Self { app, listener, tls })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until SIGTERM or Ctrl-C, and answers what was accepted until then; SIGHUP reads the record again. A second
    /// signal ends the process at once.
    ///
    /// # Errors
    /// If the system gives no threads or signals.
    pub fn run(self) -> Result<(), ServeError> {
        let start = |source| ServeError::Start { source };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(start)?;
        let app = Arc::clone(&self.app);
        let result = runtime.block_on(self.serve()).map_err(start);
        // What was cut off is not waited for.
        runtime.shutdown_timeout(Duration::from_millis(100));
        drop(app);
        result
    }

    async fn serve(self) -> io::Result<()> {
        let Self { app, listener, tls } = self;
        let listener = TcpListener::from_std(listener)?;
        let router = api::router(Arc::clone(&app));
        let connections = connections_of(&app.limits);
        let all = connections.available_permits();
        let graceful = GracefulShutdown::new();
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
                () = async { close.as_mut().expect("the branch is for when it is there").await }, if close.is_some() => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = stream else {
                // Out of file descriptors: what ends makes room.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let Ok(room) = Arc::clone(&connections).try_acquire_owned() else {
                tokio::spawn(refuse(stream, tls.is_some()));
                continue;
            };
            let _ = stream.set_nodelay(true);
            let mut stream = TimeoutStream::new(stream);
            stream.set_read_timeout(Some(app.limits.head));
            stream.set_write_timeout(Some(app.limits.write));
            let stream = Box::pin(stream);
            app.metrics.connections.inc();
            let (app, router, tls, watcher) = (Arc::clone(&app), router.clone(), tls.clone(), graceful.watcher());
            tokio::spawn(async move {
                match tls {
                    None => converse(stream, router, &app.limits, watcher).await,
                    Some(tls) => {
                        if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                            converse(stream, router, &app.limits, watcher).await;
                        }
                    }
                }
                app.metrics.connections.dec();
                drop(room);
            });
        }
        drop(listener);
        if tokio::time::timeout(app.limits.drain, graceful.shutdown()).await.is_err() {
            (app.observer)(&Event::CutOff(all - connections.available_permits()));
        }
        Ok(())
    }
}

/// Room for connections: as many as may be, and as the system has files for.
fn connections_of(limits: &Limits) -> Arc<Semaphore> {
    const OTHER_FILES: u64 = 64;
    let wanted = limits.connections as u64;
    let files = rlimit::increase_nofile_limit(wanted + OTHER_FILES).unwrap_or(wanted + OTHER_FILES);
    let connections = wanted.min(files.saturating_sub(OTHER_FILES)).max(1);
    Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(limits.connections)))
}

/// One connection, request after request.
async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    limits: &Limits,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(64 << 10);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.head).max_concurrent_streams(128);
    let answer = service_fn(move |request: Request<Incoming>| {
        let (request, unread) = body::lend(request);
        let answered = router.clone().call(request);
        async move {
            let answer = answered.await;
            unread.take_off().await;
            answer
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer).into_owned();
    // A client that goes away in the middle is its own concern.
    let _ = watcher.watch(connection).await;
}

/// Says that there is no room, as far as that can be said.
async fn refuse(mut stream: TcpStream, is_tls: bool) {
    if !is_tls {
        let _ = tokio::time::timeout(PAUSE, stream.write_all(BUSY)).await;
    }
}

/// Ends with the first signal to end; reads the record again with each SIGHUP.
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
                        // What becomes of it, the observer is told.
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

fn parse_origin(origin: &str) -> Result<HeaderValue, ServeError> {
    let wrong = || ServeError::Origin { origin: origin.to_owned() };
    let (scheme, name) = origin.split_once("://").ok_or_else(wrong)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if !["http", "https"].contains(&scheme) || !is_name {
        return Err(wrong());
    }
    HeaderValue::from_str(origin).map_err(|_| wrong())
}

fn acceptor(certificates: &Path, key: &Path) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, reason: String| ServeError::Tls { path: path.to_owned(), reason };
    let read = |path: &Path| fs::read(path).map_err(|error| wrong(path, error.to_string()));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(certificates)?).collect();
    let chain = chain.map_err(|error| wrong(certificates, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(certificates, "it holds no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| wrong(key, error.to_string()))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificates, error.to_string()))?;
    let mut config =
        config.with_no_client_auth().with_single_cert(chain, private).map_err(|error| wrong(key, error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
