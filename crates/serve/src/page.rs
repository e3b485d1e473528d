//! The live page: its files are part of the program.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::public_url::SlashMissing;

const PAGE: &str = include_str!("../page/index.html");
const DISPATCH_PAGE: &str = include_str!("../page/dispatch.html");
const DISPATCH_SCRIPT: &str = include_str!("../page/dispatch.js");
const SCRIPT: &str = include_str!("../page/page.js");
const STYLE: &str = include_str!("../page/page.css");

/// Content security policy: nothing from other origins, no inline code, no frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page. It names its files relative to itself, so that its path must end with a slash.
pub(crate) async fn index(request: Request) -> Response {
    page(&request, PAGE)
}

/// The page of a dispatching service.
pub(crate) async fn dispatch_index(request: Request) -> Response {
    page(&request, DISPATCH_PAGE)
}

fn page(request: &Request, page: &'static str) -> Response {
    if let Some(SlashMissing(location)) = request.extensions().get() {
        return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response();
    }
    (headers_of("text/html; charset=utf-8"), Html(page)).into_response()
}

pub(crate) async fn script() -> Response {
    (headers_of("text/javascript; charset=utf-8"), SCRIPT).into_response()
}

pub(crate) async fn dispatch_script() -> Response {
    (headers_of("text/javascript; charset=utf-8"), DISPATCH_SCRIPT).into_response()
}

pub(crate) async fn style() -> Response {
    (headers_of("text/css; charset=utf-8"), STYLE).into_response()
}

fn headers_of(kind: &'static str) -> HeaderMap {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}
