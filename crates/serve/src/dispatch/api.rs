//! The endpoints of a dispatching service: one function for each path.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use sim::stream::dispatch::live::LiveError;

use super::answer::{self, QueuesView, SiteView};
use super::live::Refusal;
use super::request::{CompletedRequest, DispatchRequest, MAX_WHOLE, Number, QueuesBody, ResetBody, backlogs, within};
use super::{DispatchService, openapi};
use crate::answer_body;
use crate::api::without_blocking;
use crate::common::with_core;
use crate::metrics::Endpoint;
use crate::metrics_format::MetricsFormat;
use crate::page;
use crate::problem_details::ProblemDetails;
use crate::request_body::{self, ReceivedBody};

type App = Arc<DispatchService>;

/// All endpoints.
pub(super) const ENDPOINTS: [Endpoint; 12] = [
    Endpoint::dispatch,
    Endpoint::completed,
    Endpoint::queues,
    Endpoint::reset,
    Endpoint::scenario,
    Endpoint::reload,
    Endpoint::health,
    Endpoint::ready,
    Endpoint::metrics,
    Endpoint::openapi,
    Endpoint::page,
    Endpoint::unknown,
];

pub(super) fn router(app: App) -> Router {
    let router = Router::new()
        .route("/v1/dispatch", post(dispatch))
        .route("/v1/completed", post(completed))
        .route("/v1/queues", get(queues).put(put_queues))
        .route("/v1/reset", post(reset))
        .route("/v1/scenario", get(scenario))
        .route("/v1/reload", post(reload))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi_description))
        .route("/", get(page::dispatch_index))
        .route("/dispatch.js", get(page::dispatch_script))
        .route("/page.css", get(page::style));
    with_core(router, &app.core).with_state(app)
}

pub(super) fn endpoint_of(path: &str) -> Endpoint {
    match path {
        "/v1/dispatch" => Endpoint::dispatch,
        "/v1/completed" => Endpoint::completed,
        "/v1/queues" => Endpoint::queues,
        "/v1/reset" => Endpoint::reset,
        "/v1/scenario" => Endpoint::scenario,
        "/v1/reload" => Endpoint::reload,
        "/healthz" => Endpoint::health,
        "/readyz" => Endpoint::ready,
        "/metrics" => Endpoint::metrics,
        "/openapi.json" => Endpoint::openapi,
        "/" | "/dispatch.js" | "/page.css" => Endpoint::page,
        _ => Endpoint::unknown,
    }
}

async fn dispatch(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let begin = Instant::now();
    let limits = &app.core.limits;
    let json = without_blocking(bytes.len(), || {
        let mut request = DispatchRequest::read(&bytes, &app.names, limits.workloads)?;
        let site_has_deadline = app.scenario.tasks.deadline_s.is_some();
        let has_deadline: Vec<bool> =
            request.tasks.iter().map(|task| site_has_deadline || task.deadline_s.is_some()).collect();
        let tasks = std::mem::take(&mut request.tasks);
        let (placed, took) = {
            let mut live = app.live.lock();
            let begin = Instant::now();
            let placed = live.dispatch(tasks, &request.ids, &request.backlogs_s);
            (placed.map_err(|refusal| problem(refusal, request.is_list, "time_s"))?, begin.elapsed())
        };
        let json = written(answer::placements(&request, &has_deadline, &placed, took, &app.names));
        app.metrics.count_placed(&placed, begin.elapsed());
        json
    })?;
    answered(&app, json)
}

async fn completed(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let json = without_blocking(bytes.len(), || {
        let CompletedRequest { tasks, is_list } = CompletedRequest::read(&bytes, app.core.limits.workloads)?;
        let done = app.live.lock().complete(&tasks).map_err(|refusal| problem(refusal, is_list, "done_s"))?;
        app.metrics.count_completed(done.len());
        written(answer::completions(&tasks, is_list, &done, &app.names))
    })?;
    answered(&app, json)
}

/// An answer as it was written.
fn written(json: serde_json::Result<Vec<u8>>) -> Result<Vec<u8>, ProblemDetails> {
    json.map_err(|error| ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn answered(app: &DispatchService, json: Vec<u8>) -> Result<Response, ProblemDetails> {
    let kind = HeaderValue::from_static("application/json");
    let body = answer_body::body(json, &app.core.answers, app.core.limits.write)?;
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}

/// Why a request is refused; `time` is the field that says times in it.
fn problem(refusal: Refusal, is_list: bool, time: &str) -> ProblemDetails {
    let (index, problem) = match refusal {
        Refusal::Time(index, reason) => {
            (index, ProblemDetails::new(StatusCode::CONFLICT, format!("{time} {reason}")).at(time))
        }
        Refusal::Future(index, done_s, now_s) => {
            let detail = format!("{done_s} s lies in the future: this service is at {now_s} s of its own time");
            (index, ProblemDetails::new(StatusCode::CONFLICT, detail).at(time))
        }
        Refusal::Live(index, error) => {
            let field = match &error {
                LiveError::TimeRunsBack { .. } | LiveError::Value { .. } => time,
                LiveError::Duplicate { .. } | LiveError::Unknown { .. } => "id",
                LiveError::DoneBefore { .. } => "done_s",
                LiveError::Queue { .. } => "queues_s",
                LiveError::Device { .. } => "device",
            };
            let is_of_state =
                !matches!(error, LiveError::Value { .. } | LiveError::Queue { .. } | LiveError::Device { .. });
            let status = if is_of_state { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
            (index, ProblemDetails::new(status, error.to_string()).at(field))
        }
    };
    within(problem, is_list.then_some(index))
}

async fn queues(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, ProblemDetails> {
    let most = match query.as_deref().filter(|query| !query.is_empty()) {
        None => None,
        Some(query) => {
            let most = query.strip_prefix("most=").and_then(|most| most.parse::<u64>().ok());
            let most = most.filter(|most| *most <= MAX_WHOLE).map(|most| usize::try_from(most).unwrap_or(usize::MAX));
            let wrong = || ProblemDetails::unprocessable("most", "the query may be ?most=N, for the N longest queues");
            Some(most.ok_or_else(wrong)?)
        }
    };
    let json = {
        let mut live = app.live.lock();
        live.go_on();
        written(serde_json::to_vec(&QueuesView::new(&live, &app, most)))?
    };
    answered(&app, json)
}

async fn put_queues(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let QueuesBody { time_s, queues_s } = request_body::parse(&bytes)?;
    let told = backlogs(Some(&queues_s), &app.names)?;
    let time_s = time_s.map(|Number(time_s)| time_s);
    app.live.lock().set_backlogs(time_s, &told).map_err(|refusal| problem(refusal, false, "time_s"))?;
    queues(State(Arc::clone(&app)), RawQuery(None)).await
}

async fn reset(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, ProblemDetails> {
    let ReceivedBody { bytes, permit: _permit } = request_body::read(&app.core, &headers, body).await?;
    let seed = request_body::parse::<ResetBody>(&bytes)?.seed()?;
    app.live.lock().reset(&app.names, seed.unwrap_or(app.seed));
    queues(State(Arc::clone(&app)), RawQuery(None)).await
}

async fn scenario(State(app): State<App>) -> Response {
    let live = app.live.lock();
    Json(SiteView::new(&live, &app)).into_response()
}

async fn reload(State(app): State<App>) -> Result<Response, ProblemDetails> {
    let reloading = Arc::clone(&app);
    let reloaded = tokio::task::spawn_blocking(move || reloading.reload()).await;
    let continues =
        reloaded.map_err(|error| ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    Ok(Json(json!({ "scheme": app.live.lock().site.scheme(), "continues": continues })).into_response())
}

async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let format = MetricsFormat::asked_for(&headers);
    let kind = [(header::CONTENT_TYPE, format.content_type()), (header::VARY, "Accept")];
    let text = {
        let mut live = app.live.lock();
        live.go_on();
        app.metrics.text(&live, format)
    };
    (kind, text).into_response()
}

async fn openapi_description(State(app): State<App>) -> Response {
    Json(openapi::description(&app, app.core.guard.token.is_some())).into_response()
}
