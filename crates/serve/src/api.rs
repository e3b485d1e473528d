//! What can be asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use data::exchange::{EnvironmentChange, EnvironmentView, Id, Object, UncheckedRequest, WorkloadRequest};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::answer;
use crate::body::{self, Sent};
use crate::decider::{Decided, Decider, ENSEMBLE, EXACT, scheme_names};
use crate::guard::{self, Guard};
use crate::metrics::{Endpoint, Metrics};
use crate::openapi;
use crate::page;
use crate::problem::Problem;
use crate::service::{Service, Snapshot};
use crate::views::{AnswerView, DriveView, RecordView, ScenarioView};
use crate::{Event, Limits};

/// What every request can reach.
pub(crate) type App = Arc<Shared>;

pub(crate) struct Shared {
    pub(crate) service: Service,
    pub(crate) decider: Decider,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
    pub(crate) drive: Option<DriveView>,
    /// Bytes of bodies that may still be read at the same time.
    pub(crate) bodies: Semaphore,
    /// Bytes of answers that may still wait to be taken.
    pub(crate) answers: Arc<Semaphore>,
    /// Whether it was told to end.
    pub(crate) ending: AtomicBool,
    pub(crate) observer: Box<dyn Fn(&Event<'_>) + Send + Sync>,
}

impl Shared {
    /// Reads the record again.
    pub(crate) fn reload(&self) -> Result<(), Problem> {
        let Some(reloaded) = self.service.reload() else {
            return Err(Problem::new(StatusCode::CONFLICT, "the record is being read already"));
        };
        self.metrics.reloaded(reloaded.is_ok());
        match reloaded {
            Ok(()) => {
                (self.observer)(&Event::Reloaded);
                Ok(())
            }
            Err(error) => {
                let reason = reason_of(&error);
                (self.observer)(&Event::ReloadRefused(&reason));
                let detail = format!("{reason}; the record before stays in force");
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail))
            }
        }
    }
}

/// An error with its causes.
fn reason_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |reason, cause| format!("{reason}: {cause}"))
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/decide", post(decide))
        .route("/v1/scenario", get(scenario))
        .route("/v1/record", get(record))
        .route("/v1/environment", put(environment))
        .route("/v1/drive", get(drive))
        .route("/v1/reload", post(reload))
        .route("/healthz", get(well))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .route("/openapi.json", get(described))
        .route("/", get(page::index))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style))
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "there is nothing here; /openapi.json says what there is")
        })
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not in this way"))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::guard))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), counted))
        .with_state(app)
}

/// Counts how requests end.
async fn counted(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or_else(|| request.uri().path(), MatchedPath::as_str);
    let endpoint = match path {
        "/v1/decide" => Endpoint::decide,
        "/v1/scenario" => Endpoint::scenario,
        "/v1/record" => Endpoint::record,
        "/v1/environment" => Endpoint::environment,
        "/v1/drive" => Endpoint::drive,
        "/v1/reload" => Endpoint::reload,
        "/healthz" => Endpoint::health,
        "/readyz" => Endpoint::ready,
        "/metrics" => Endpoint::metrics,
        "/openapi.json" => Endpoint::openapi,
        "/" | "/page.js" | "/page.css" => Endpoint::page,
        _ => Endpoint::unknown,
    };
    let mut response = next.run(request).await;
    app.metrics.ended(endpoint, response.status().as_u16());
    if app.ending.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What is longer takes so long to be understood or written that others would notice.
const LONG_BYTES: usize = 256 << 10;

/// Works on something of this length; if it is long, another thread goes on with this one's connections meanwhile.
fn aside<T>(length: usize, work: impl FnOnce() -> T) -> T {
    if length > LONG_BYTES { tokio::task::block_in_place(work) } else { work() }
}

/// What a workload may be called, as JSON.
const MAX_ID_BYTES: usize = 1024;

/// A decide request: a workload, or many.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    tasks_mb: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    environment: Option<Object<EnvironmentChange>>,
    #[serde(default)]
    workloads: Option<Vec<Object<UncheckedRequest>>>,
    #[serde(default)]
    scheme: Option<String>,
    #[serde(default)]
    explain: bool,
}

/// The same, understood.
struct Asked {
    workloads: Vec<WorkloadRequest>,
    are_many: bool,
    scheme: String,
    explain: bool,
}

impl Asked {
    fn read(body: &[u8], snapshot: &Snapshot, limits: &Limits) -> Result<Self, Problem> {
        let Asking { id, tasks_mb, environment, workloads, scheme, explain } = body::parse(body)?;
        let scheme = known_scheme(scheme, snapshot)?;
        let unprocessable =
            |field: &str, detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).at(field);
        let (requests, are_many) = match (tasks_mb, workloads) {
            (Some(tasks_mb), None) => (vec![Object(UncheckedRequest { id, tasks_mb, environment })], false),
            (None, Some(_)) if id.is_some() || environment.is_some() => {
                let detail = "id and environment belong into each of the workloads".to_owned();
                return Err(unprocessable("workloads", detail));
            }
            (None, Some(workloads)) => (workloads, true),
            _ => {
                let detail = "there must be either tasks_mb, one workload, or workloads, many".to_owned();
                return Err(unprocessable("tasks_mb", detail));
            }
        };
        let tasks = if explain || scheme != ENSEMBLE { limits.slow_tasks } else { limits.tasks };
        let most = limits.workloads.min(limits.waiting).min(tasks / snapshot.model.task_count()).max(1);
        if requests.is_empty() || requests.len() > most {
            let count = requests.len();
            return Err(unprocessable("workloads", format!("there must be 1 to {most} workloads, there are {count}")));
        }
        let check = |Object(request): Object<UncheckedRequest>| {
            let request = WorkloadRequest::new(request, &snapshot.model)?;
            if request.id.as_ref().is_some_and(|id| id.get().len() > MAX_ID_BYTES) {
                return Err(unprocessable("id", format!("the id is longer than {MAX_ID_BYTES} bytes")));
            }
            Ok(request)
        };
        let place = |index: usize, problem: Problem| match &problem.field {
            Some(field) if are_many => {
                let field = format!("workloads[{index}].{field}");
                problem.at(field)
            }
            _ => problem,
        };
        let checked = requests.into_iter().map(check).enumerate();
        let checked = checked.map(|(index, checked)| checked.map_err(|problem| place(index, problem)));
        let workloads = checked.collect::<Result<_, Problem>>()?;
        Ok(Self { workloads, are_many, scheme, explain })
    }
}

fn known_scheme(asked: Option<String>, snapshot: &Snapshot) -> Result<String, Problem> {
    let scheme = asked.unwrap_or_else(|| ENSEMBLE.to_owned());
    let refuse = |detail: String| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).at("scheme"));
    if scheme == EXACT && !snapshot.loaded.is_exact_quick {
        return refuse("the optimum of this many tasks takes too long".to_owned());
    }
    let known = scheme_names(true);
    if !known.contains(&scheme) {
        return refuse(format!("there are {ENSEMBLE} and {}", known[1..].join(", ")));
    }
    Ok(scheme)
}

#[derive(Serialize)]
struct Answers<'a> {
    answers: Vec<AnswerView<'a>>,
}

async fn decide(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Sent { bytes, room: _room } = body::read(&app, &headers, body).await?;
    let begin = Instant::now();
    let snapshot = app.service.snapshot();
    let asked = aside(bytes.len(), || Asked::read(&bytes, &snapshot, &app.limits))?;
    let Asked { workloads, are_many, scheme, explain } = asked;
    drop(bytes);
    let Decided { requests, solutions, each } = app.decider.decide(workloads, scheme.clone(), &snapshot).await?;
    let explain = explain.then_some((scheme.as_str(), each));
    let view = |(request, solution)| AnswerView::new(request, solution, explain);
    let length = 256 * requests.len();
    let json = aside(length, || {
        let mut answers: Vec<_> = requests.iter().zip(&solutions).map(view).collect();
        let mut json = Vec::with_capacity(length);
        let written = match answers.pop() {
            Some(one) if !are_many => serde_json::to_writer(&mut json, &one),
            last => {
                answers.extend(last);
                serde_json::to_writer(&mut json, &Answers { answers })
            }
        };
        written.map(|()| json)
    });
    let json = json.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    app.metrics.decided(&snapshot.model, &solutions, begin.elapsed());
    let kind = HeaderValue::from_static("application/json");
    let body = answer::body(json, &app.answers, app.limits.write)?;
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

async fn scenario(State(app): State<App>) -> Response {
    let snapshot = app.service.snapshot();
    Json(ScenarioView::new(&snapshot, app.drive.as_ref())).into_response()
}

async fn record(State(app): State<App>) -> Response {
    let snapshot = app.service.snapshot();
    Json(RecordView::new(&snapshot, app.service.path())).into_response()
}

#[derive(Serialize)]
struct Entered {
    environment: EnvironmentView,
    /// Whether the networks answer to the change by themselves.
    follows: bool,
    note: String,
}

async fn environment(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let Sent { bytes, room: _room } = body::read(&app, &headers, body).await?;
    let change: EnvironmentChange = aside(bytes.len(), || body::parse(&bytes))?;
    let (environment, following) =
        app.service.enter(change).map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    let entered =
        Entered { environment: (&environment).into(), follows: following.unread.is_empty(), note: following.note() };
    Ok(Json(entered).into_response())
}

async fn drive(State(app): State<App>) -> Result<Response, Problem> {
    let none = || Problem::new(StatusCode::NOT_FOUND, "the service was started without --drive");
    Ok(Json(app.drive.as_ref().ok_or_else(none)?).into_response())
}

async fn reload(State(app): State<App>) -> Result<Response, Problem> {
    let reading = Arc::clone(&app);
    let reloaded = tokio::task::spawn_blocking(move || reading.reload()).await;
    reloaded.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(record(State(app)).await)
}

async fn well() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(serde_json::json!({"status": "ok"}))).into_response()
}

async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    if app.ending.load(Ordering::Relaxed) {
        return Err(Problem::busy("the service is ending"));
    }
    Ok(well().await)
}

async fn measured(State(app): State<App>) -> Response {
    app.decider.observe();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response()
}

async fn described(State(app): State<App>) -> Response {
    Json(openapi::description(&app.service.snapshot(), &app.limits, app.guard.token.is_some())).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn long_work_holds_up_no_other_connection() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let (done, waits) = mpsc::channel();
        let long = runtime.spawn(async move {
            let other = tokio::spawn(async move { done.send(()) });
            // On the only thread there is, until what comes after it is done.
            let was_done = aside(LONG_BYTES + 1, || waits.recv_timeout(Duration::from_secs(10)));
            was_done.is_ok() && other.await.is_ok()
        });
        assert!(runtime.block_on(long).expect("no panic"));
    }
}
