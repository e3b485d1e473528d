//! What all services have in common, whatever they decide: limits, access, and the counting of requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};
use tokio::sync::Semaphore;

use crate::guard::{self, Guard};
use crate::metrics::{Endpoint, RequestMetrics};
use crate::problem_details::ProblemDetails;
use crate::{Event, Limits, PublicUrl};

/// The state that all requests of all services share.
pub(crate) struct Core {
    pub(crate) metrics: RequestMetrics,
    pub(crate) guard: Guard,
    pub(crate) public_urls: Vec<PublicUrl>,
    pub(crate) limits: Limits,
    /// Bytes of request bodies that may still be read at the same time.
    pub(crate) bodies: Semaphore,
    /// Bodies that may be decompressed at the same time.
    pub(crate) decompressing: Semaphore,
    /// Bytes of answers that may still wait for their clients to read them.
    pub(crate) answers: Arc<Semaphore>,
    /// Whether a signal has asked the service to end.
    pub(crate) ending: AtomicBool,
    pub(crate) observer: Box<dyn Fn(&Event<'_>) + Send + Sync>,
    /// The endpoint of a path.
    pub(crate) endpoint_of: fn(&str) -> Endpoint,
}

impl Core {
    pub(crate) fn new(
        metrics: RequestMetrics,
        (guard, public_urls): (Guard, Vec<PublicUrl>),
        limits: Limits,
        observer: Box<dyn Fn(&Event<'_>) + Send + Sync>,
        endpoint_of: fn(&str) -> Endpoint,
    ) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            guard,
            public_urls,
            limits,
            bodies: Semaphore::new(limits.bodies_bytes),
            decompressing: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            answers: Arc::new(Semaphore::new(limits.answers_bytes)),
            ending: AtomicBool::new(false),
            observer,
            endpoint_of,
        })
    }

    /// Whether the service has an endpoint at this path.
    pub(crate) fn is_path(&self, path: &str) -> bool {
        (self.endpoint_of)(path) != Endpoint::unknown
    }
}

/// Adds to the paths of a service what all services have: health, answers to unknown paths, access control and counting.
pub(crate) fn with_core<S: Clone + Send + Sync + 'static>(router: Router<S>, core: &Arc<Core>) -> Router<S> {
    let ready_core = Arc::clone(core);
    router
        .route("/healthz", get(health))
        .route("/readyz", get(async move || ready(&ready_core)))
        .fallback(async || {
            ProblemDetails::new(StatusCode::NOT_FOUND, "there is no such path; /openapi.json lists all paths")
        })
        .method_not_allowed_fallback(async || {
            let detail = "this path takes another method; /openapi.json lists the methods of each path";
            ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(core), guard::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(core), count_requests))
}

/// Counts requests by endpoint and status.
async fn count_requests(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or_else(|| request.uri().path(), MatchedPath::as_str);
    let endpoint = (core.endpoint_of)(path);
    let mut response = next.run(request).await;
    core.metrics.count_request(endpoint, response.status().as_u16());
    if core.ending.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn health() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(serde_json::json!({"status": "ok"}))).into_response()
}

fn ready(core: &Core) -> Result<Response, ProblemDetails> {
    if core.ending.load(Ordering::Relaxed) {
        return Err(ProblemDetails::busy("the service is ending"));
    }
    let ok = Json(serde_json::json!({"status": "ok"}));
    Ok(([(header::CACHE_CONTROL, "no-store")], ok).into_response())
}
