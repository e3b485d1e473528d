//! Errors as RFC 9457 has them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data::exchange::RequestError;
use serde::Serialize;
use sim::SchemeError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// Where in the request, such as `tasks_mb[1]`.
    pub(crate) field: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), field: None }
    }

    pub(crate) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// More than can be done now.
    pub(crate) fn busy(what: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{what}; try again in a second"))
    }
}

impl From<RequestError> for Problem {
    fn from(RequestError { field, reason }: RequestError) -> Self {
        if field.is_empty() {
            Self::new(StatusCode::BAD_REQUEST, reason)
        } else {
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, reason).at(field)
        }
    }
}

impl From<SchemeError> for Problem {
    fn from(error: SchemeError) -> Self {
        match error {
            SchemeError::Backend(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            _ => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).at("scheme"),
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail, field } = &self;
        let title = status.canonical_reason().unwrap_or("Error");
        let body = Body { kind: "about:blank", title, status: status.as_u16(), detail, field: field.as_deref() };
        let mut response = (*status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if *status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if *status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
