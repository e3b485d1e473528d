//! Errors of requests, as RFC 9457 ("Problem Details for HTTP APIs") writes them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data::exchange::RequestError;
use serde::Serialize;
use sim::SchemeError;

/// The reason why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProblemDetails {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The field of the request that is wrong, such as `tasks_mb[1]`.
    pub(crate) field: Option<String>,
    /// The encodings that a body may have, if its own is the reason.
    pub(crate) accepted_encodings: Option<&'static str>,
}

impl ProblemDetails {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None, accepted_encodings: None }
    }

    /// A request whose JSON has the right form but does not fit the record and scenario in service: status 422.
    pub(crate) fn unprocessable(field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail).at(field)
    }

    /// A request beyond what the service can take now: status 503, with the advice to try again.
    pub(crate) fn busy(reason: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}; try again in a second"))
    }

    /// Names the field that is wrong.
    pub(crate) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Names the field from outside: `tasks_mb` within `workloads[3]` is `workloads[3].tasks_mb`.
    pub(crate) fn within(self, parent: &str) -> Self {
        Self { field: self.field.map(|field| format!("{parent}.{field}")), ..self }
    }
}

impl From<RequestError> for ProblemDetails {
    fn from(RequestError { field, reason }: RequestError) -> Self {
        if field.is_empty() { Self::new(StatusCode::BAD_REQUEST, reason) } else { Self::unprocessable(&field, reason) }
    }
}

impl From<SchemeError> for ProblemDetails {
    fn from(error: SchemeError) -> Self {
        match error {
            SchemeError::Backend(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            _ => Self::unprocessable("scheme", error.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let Self { status, detail, field, accepted_encodings } = &self;
        let title = status.canonical_reason().unwrap_or("Error");
        let body = Body { kind: "about:blank", title, status: status.as_u16(), detail, field: field.as_deref() };
        let mut response = (*status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if *status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(encodings) = accepted_encodings {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings));
        }
        if *status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
