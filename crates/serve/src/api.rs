//! The endpoints of the service: one function for each path.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use data::Deadlines;
use data::exchange::{EnvironmentChange, EnvironmentView};
use serde::Serialize;

use crate::Event;
use crate::answer_body;
use crate::common::{Core, with_core};
use crate::decide_request::DecideRequest;
use crate::decider::{Decider, Decisions};
use crate::metrics::{Endpoint, Metrics};
use crate::metrics_format::MetricsFormat;
use crate::openapi;
use crate::page;
use crate::problem_details::ProblemDetails;
use crate::request_body::{self, ReceivedBody};
use crate::service::Service;
use crate::views::{AnswerView, DriveView, RecordView, ScenarioView};

/// The state that all requests share.
pub(crate) type App = Arc<AppState>;

pub(crate) struct AppState {
    pub(crate) core: Arc<Core>,
    pub(crate) service: Service,
    pub(crate) decider: Decider,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drive: Option<DriveView>,
}

impl AppState {
    /// Reads the record again, and reports to metrics and observer whether it was accepted.
    pub(crate) fn reload(&self) -> Result<(), ProblemDetails> {
        let Some(reloaded) = self.service.reload() else {
            return Err(ProblemDetails::new(StatusCode::CONFLICT, "the record is already being reloaded"));
        };
        self.core.metrics.count_reload(reloaded.is_ok());
        match reloaded {
            Ok(()) => {
                self.metrics.add_places(self.service.snapshot().model.place_names());
                (self.core.observer)(&Event::Reloaded);
                Ok(())
            }
            Err(error) => {
                let reason = with_causes(&error);
                (self.core.observer)(&Event::ReloadRefused(&reason));
                let detail = format!("{reason}; the service keeps the record that it had");
                Err(ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail))
            }
        }
    }
}

/// The text of an error, followed by its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |reason, cause| format!("{reason}: {cause}"))
}

pub(crate) fn router(app: App) -> Router {
    let router = Router::new()
        .route("/v1/decide", post(decide))
        .route("/v1/scenario", get(scenario))
        .route("/v1/record", get(record))
        .route("/v1/environment", put(environment))
        .route("/v1/drive", get(drive))
        .route("/v1/reload", post(reload))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi_description))
        .route("/", get(page::index))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style));
    with_core(router, &app.core).with_state(app)
}

pub(crate) fn endpoint_of(path: &str) -> Endpoint {
    match path {
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
    }
}

/// The length from which parsing or writing JSON takes long enough to delay other connections of the same thread.
const LONG_BYTES: usize = 256 << 10;

/// Parses or writes `length` bytes. If they are many, another thread takes over the connections of this one meanwhile.
pub(crate) fn without_blocking<T>(length: usize, work: impl FnOnce() -> T) -> T {
    if length > LONG_BYTES { tokio::task::block_in_place(work) } else { work() }
}

#[derive(Serialize)]
struct Answers<'a> {
    answers: Vec<AnswerView<'a>>,
}

async fn decide(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let begin = Instant::now();
    let snapshot = app.service.snapshot();
    let request = without_blocking(bytes.len(), || DecideRequest::read(&bytes, &snapshot, &app.core.limits))?;
    let DecideRequest { workloads, is_list, scheme, explain } = request;
    drop(bytes);
    let Decisions { requests, solutions, time_per_workload } =
        app.decider.decide(workloads, scheme.clone(), &snapshot).await?;
    let explain = explain.then_some((scheme.as_str(), time_per_workload));
    let view = |(request, solution)| AnswerView::new(request, solution, explain);
    let length = 256 * requests.len();
    let (json, deadlines) = without_blocking(length, || {
        let mut answers: Vec<_> = requests.iter().zip(&solutions).map(view).collect();
        let deadlines = deadlines_of(&answers);
        let mut json = Vec::with_capacity(length);
        let written = match answers.pop() {
            Some(one) if !is_list => serde_json::to_writer(&mut json, &one),
            last => {
                answers.extend(last);
                serde_json::to_writer(&mut json, &Answers { answers })
            }
        };
        (written.map(|()| json), deadlines)
    });
    let json = json.map_err(|error| ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    app.metrics.count_decisions(&snapshot.model, &requests, &solutions, begin.elapsed());
    app.metrics.count_deadlines(deadlines);
    let kind = HeaderValue::from_static("application/json");
    let body = answer_body::body(json, &app.core.answers, app.core.limits.write)?;
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// The deadlines of some answers, taken together.
fn deadlines_of(answers: &[AnswerView<'_>]) -> Deadlines {
    answers.iter().map(AnswerView::deadlines).fold(Deadlines::default(), |sum, one| Deadlines {
        missed: sum.missed + one.missed,
        tasks: sum.tasks + one.tasks,
    })
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
struct EnvironmentAnswer {
    environment: EnvironmentView,
    /// Whether the networks read everything that changed.
    follows: bool,
    note: String,
}

async fn environment(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let change: EnvironmentChange = without_blocking(bytes.len(), || request_body::parse(&bytes))?;
    let changed = app.service.set_environment(change);
    let (environment, unread_changes) =
        changed.map_err(|error| ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    let answer = EnvironmentAnswer {
        environment: (&environment).into(),
        follows: unread_changes.parts.is_empty(),
        note: unread_changes.note(),
    };
    Ok(Json(answer).into_response())
}

async fn drive(State(app): State<App>) -> Result<Response, ProblemDetails> {
    let none = || ProblemDetails::new(StatusCode::NOT_FOUND, "the service was started without --drive");
    Ok(Json(app.drive.as_ref().ok_or_else(none)?).into_response())
}

async fn reload(State(app): State<App>) -> Result<Response, ProblemDetails> {
    let reloading = Arc::clone(&app);
    let reloaded = tokio::task::spawn_blocking(move || reloading.reload()).await;
    reloaded.map_err(|error| ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(record(State(app)).await)
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    app.decider.observe();
    let format = MetricsFormat::asked_for(&headers);
    let kind = [(header::CONTENT_TYPE, format.content_type()), (header::VARY, "Accept")];
    (kind, app.metrics.text(format)).into_response()
}

async fn openapi_description(State(app): State<App>) -> Response {
    Json(openapi::description(&app.service.snapshot(), &app.core.limits, app.core.guard.token.is_some()))
        .into_response()
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
            // Runs on the only worker thread, and waits for the task that was spawned after it.
            let was_done = without_blocking(LONG_BYTES + 1, || waits.recv_timeout(Duration::from_secs(10)));
            was_done.is_ok() && other.await.is_ok()
        });
        assert!(runtime.block_on(long).expect("no panic"));
    }
}
