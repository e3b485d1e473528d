//! Access control: the token, the host names that requests may use, and the origins of pages.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::common::Core;
use crate::problem_details::ProblemDetails;

/// The authentication scheme of a token; upper and lower case count the same.
const SCHEME: &[u8] = b"Bearer ";

/// The rules that a request must meet before a handler sees it.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) token: Option<String>,
    /// Another origin whose pages may use the service.
    pub(crate) cors: Option<HeaderValue>,
    /// The host names that are accepted beside `localhost` and addresses in numbers; `None` accepts every name. Without a
    /// token, a foreign page could otherwise point a name of its own to this machine (DNS rebinding).
    pub(crate) names: Option<Vec<String>>,
    /// The origins of the service's own page behind reverse proxies, which may pass on another host.
    pub(crate) origins: Vec<HeaderValue>,
}

impl Guard {
    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given =
            headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(SCHEME.len()));
        given.is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case(SCHEME) && given.ct_eq(token.as_bytes()).into())
    }

    fn is_own_name(&self, host: Option<&str>) -> bool {
        let Some(names) = &self.names else { return true };
        let Some(host) = host else { return false };
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<std::net::IpAddr>().is_ok()
            || names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether the page that sends the request may use the service. Browsers name its origin; other clients name none.
    fn is_own_page(&self, headers: &HeaderMap, host: Option<&str>) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        if self.cors.as_ref() == Some(origin) || self.origins.contains(origin) {
            return true;
        }
        let name = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, name)| name);
        name.is_some() && name == host
    }
}

/// Passes on the requests that meet the rules, and adds the headers that browsers need.
pub(crate) async fn guard(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    let guard = &core.guard;
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none());
    let host = host.or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str));
    let path = request.uri().path();
    let needs_token = path.starts_with("/v1/") || ["/metrics", "/openapi.json"].contains(&path);
    // Platforms send probes to host names of their own. The answers hold nothing that a foreign page could use.
    let is_probe = ["/healthz", "/readyz"].contains(&path);
    let is_preflight = *request.method() == Method::OPTIONS && guard.cors.is_some();
    let mut response = if !is_probe && !guard.is_own_name(host) {
        ProblemDetails::new(StatusCode::MISDIRECTED_REQUEST, "the host of the request is not a name of this service")
            .into_response()
    } else if !guard.is_own_page(headers, host) {
        ProblemDetails::new(StatusCode::FORBIDDEN, "pages of other origins may not use this service").into_response()
    } else if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else if needs_token && !guard.has_token(headers) {
        ProblemDetails::new(StatusCode::UNAUTHORIZED, "a token is needed: Authorization: Bearer TOKEN").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = &guard.cors {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if is_preflight {
            let methods = HeaderValue::from_static("GET, POST, PUT");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let allowed = HeaderValue::from_static("Authorization, Content-Type");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(token: Option<&str>, cors: Option<&'static str>, names: Option<&[&str]>) -> Guard {
        Guard {
            token: token.map(str::to_owned),
            cors: cors.map(HeaderValue::from_static),
            names: names.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
            origins: vec![HeaderValue::from_static("https://edge.example:8443")],
        }
    }

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        [(name, HeaderValue::from_static(value))].into_iter().collect()
    }

    #[test]
    fn only_the_token_gives_access() {
        let guard = guard(Some("secret-token"), None, None);
        for right in ["Bearer secret-token", "bearer secret-token", "BEARER secret-token"] {
            assert!(guard.has_token(&headers(header::AUTHORIZATION, right)), "{right}");
        }
        for wrong in [
            "Bearer secret-toke",
            "Bearer secret-token2",
            "Bearer Secret-token",
            "Bearer ",
            "Bearer",
            "",
            "secret-token",
            "Basic secret-token",
            "Bearers secret-token",
        ] {
            assert!(!guard.has_token(&headers(header::AUTHORIZATION, wrong)), "{wrong}");
        }
        assert!(!guard.has_token(&HeaderMap::new()));
    }

    #[test]
    fn foreign_host_names_are_refused() {
        let local = guard(None, None, Some(&[]));
        for own in ["localhost", "LOCALHOST:3000", "127.0.0.1:3000", "[::1]:3000", "192.168.1.7"] {
            assert!(local.is_own_name(Some(own)), "{own}");
        }
        for other in ["rebound.example:3000", "localhost.example", "", "::1.example"] {
            assert!(!local.is_own_name(Some(other)), "{other}");
        }
        assert!(!local.is_own_name(None));
        assert!(guard(None, None, None).is_own_name(Some("edge.example")));
    }

    #[test]
    fn names_that_were_given_to_the_service_are_its_own_at_any_port() {
        let public = guard(None, None, Some(&["edge.example"]));
        for own in ["edge.example", "Edge.Example:8443", "localhost:80", "127.0.0.1"] {
            assert!(public.is_own_name(Some(own)), "{own}");
        }
        for other in ["edge.example.evil.example", "evil-edge.example", "example", "edge.example:80.evil.example", ""] {
            assert!(!public.is_own_name(Some(other)), "{other}");
        }
    }

    #[test]
    fn pages_of_foreign_origins_are_refused() {
        let guard = guard(None, Some("https://platform.example"), Some(&[]));
        let asks = |origin| guard.is_own_page(&headers(header::ORIGIN, origin), Some("127.0.0.1:3000"));
        assert!(asks("http://127.0.0.1:3000") && asks("https://platform.example"));
        assert!(asks("https://edge.example:8443"), "its own page behind a proxy");
        for other in [
            "http://127.0.0.1:4000",
            "https://evil.example",
            "null",
            "https://platform.example.evil.example",
            "https://edge.example",
            "http://edge.example:8443",
        ] {
            assert!(!asks(other), "{other}");
        }
        assert!(guard.is_own_page(&HeaderMap::new(), None), "programs name no origin");
    }
}
