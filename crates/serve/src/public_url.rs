//! The URLs under which a reverse proxy publishes the service.

use std::str::FromStr;

use axum::extract::Request;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderValue, Uri};

/// A URL under which a reverse proxy publishes the service: `https://edge.example/mr-dro/`.
///
/// Requests may name its host, pages of its origin may send requests, and its path may stand before the paths of the
/// service, for proxies that do not remove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port, as browsers write them in `Origin`.
    pub(crate) origin: HeaderValue,
    /// The host, without port and brackets.
    pub(crate) name: String,
    /// The path without its last slash: empty, or with a slash at its start.
    prefix: String,
}

/// A text that is not a URL under which the service can be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; a public URL looks like https://edge.example/mr-dro/")]
pub struct PublicUrlError {
    reason: &'static str,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let wrong = |reason| PublicUrlError { reason };
        let (scheme, rest) = text.split_once("://").ok_or(wrong("the URL has no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port: u16 = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong("its scheme must be http or https")),
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("the URL must end with its path"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.to_ascii_lowercase().parse::<Authority>().ok();
        let host = host.filter(|host| !authority.contains('@') && !host.host().is_empty());
        let host = host.ok_or(wrong("the URL has no valid host"))?;
        let port = match authority[host.host().len()..].strip_prefix(':') {
            None => default_port,
            Some(port) => Some(port)
                .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|port| port.parse().ok())
                .ok_or(wrong("its port must be a number from 0 to 65535"))?,
        };
        let origin = if port == default_port {
            format!("{scheme}://{}", host.host())
        } else {
            format!("{scheme}://{}:{port}", host.host())
        };
        let origin = HeaderValue::try_from(origin).map_err(|_| wrong("the URL has no valid host"))?;
        let prefix = path.trim_end_matches('/').to_owned();
        let is_odd = |part: &str| ["", ".", ".."].contains(&part);
        if !prefix.is_empty() && (prefix[1..].split('/').any(is_odd) || prefix.parse::<PathAndQuery>().is_err()) {
            return Err(wrong("its path must have names between single slashes"));
        }
        Ok(Self { origin, name: host.host().trim_matches(['[', ']']).to_owned(), prefix })
    }
}

/// Marks a request for the page whose path lacks the slash at its end. Holds the address to redirect to, such as `mr-dro/`.
#[derive(Debug, Clone)]
pub(crate) struct SlashMissing(pub(crate) HeaderValue);

/// Removes the path of a public URL from the start of a request's path. A request that names the path without the slash at
/// its end becomes one for the page, with [`SlashMissing`] as an extension.
pub(crate) fn strip_prefix(urls: &[PublicUrl], is_own: impl Fn(&str) -> bool, request: &mut Request) {
    let path = request.uri().path();
    if urls.is_empty() || is_own(path) {
        return;
    }
    let mut rests = urls.iter().filter(|url| !url.prefix.is_empty()).filter_map(|url| path.strip_prefix(&url.prefix));
    let Some(rest) = rests.find(|rest| rest.is_empty() || rest.starts_with('/')) else { return };
    let query = request.uri().query().map_or(String::new(), |query| format!("?{query}"));
    let missing = rest.is_empty().then(|| {
        let last = path.rsplit('/').next().unwrap_or_default();
        HeaderValue::try_from(format!("{last}/{query}"))
    });
    let Ok(stripped) = format!("{}{query}", if rest.is_empty() { "/" } else { rest }).parse::<PathAndQuery>() else {
        return;
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(stripped);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    *request.uri_mut() = uri;
    if let Some(Ok(location)) = missing {
        request.extensions_mut().insert(SlashMissing(location));
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_url_has_an_origin_a_name_and_a_path() {
        for (text, origin, name, prefix) in [
            ("https://edge.example", "https://edge.example", "edge.example", ""),
            ("https://edge.example/", "https://edge.example", "edge.example", ""),
            ("HTTPS://Edge.Example:443/mr-dro/", "https://edge.example", "edge.example", "/mr-dro"),
            ("http://edge.example:80/a/b", "http://edge.example", "edge.example", "/a/b"),
            ("https://edge.example:8443/a", "https://edge.example:8443", "edge.example", "/a"),
            ("http://[::1]:8080/a", "http://[::1]:8080", "::1", "/a"),
        ] {
            let url = url(text);
            assert_eq!((url.origin.as_bytes(), &*url.name, &*url.prefix), (origin.as_bytes(), name, prefix), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, part) in [
            ("", "no scheme"),
            ("edge.example/mr-dro", "no scheme"),
            ("ftp://edge.example", "http or https"),
            ("https://", "host"),
            ("https:///mr-dro", "host"),
            ("https://user@edge.example", "host"),
            ("https://bücher.example", "host"),
            ("https://edge example", "host"),
            ("https://edge.example:port/", "port"),
            ("https://edge.example:65536/", "port"),
            ("https://edge.example:/", "port"),
            ("https://edge.example/a?b", "end with its path"),
            ("https://edge.example/#a", "end with its path"),
            ("https://edge.example//a", "single slashes"),
            ("https://edge.example/a/../b", "single slashes"),
            ("https://edge.example/a b", "single slashes"),
        ] {
            let error = text.parse::<PublicUrl>().expect_err(text).to_string();
            assert!(error.contains(part) && error.contains("https://edge.example/mr-dro/"), "{text}: {error}");
        }
    }

    #[test]
    fn only_whole_parts_of_a_path_are_removed() {
        let urls = [url("https://edge.example"), url("https://edge.example/a/b/"), url("https://other.example/v1")];
        let is_own = |path: &str| ["/", "/page.js", "/v1/decide"].contains(&path);
        for (path, stripped, location) in [
            ("/", "/", None),
            ("/v1/decide", "/v1/decide", None),
            ("/a/b/v1/decide?x=/a/b", "/v1/decide?x=/a/b", None),
            ("/a/b/", "/", None),
            ("/a/b", "/", Some("b/")),
            ("/a/b?x", "/?x", Some("b/?x")),
            ("/a/bc", "/a/bc", None),
            ("/a", "/a", None),
            ("/v1/v1/decide", "/v1/decide", None),
            ("/a/b/a/b/page.js", "/a/b/page.js", None),
            ("https://edge.example/a/b/page.js", "https://edge.example/page.js", None),
        ] {
            let mut request = Request::builder().uri(path).body(Body::empty()).expect("a path");
            strip_prefix(&urls, is_own, &mut request);
            assert_eq!(request.uri(), stripped, "{path}");
            let missing = request.extensions().get::<SlashMissing>();
            assert_eq!(missing.map(|missing| &missing.0), location.map(HeaderValue::from_static).as_ref(), "{path}");
        }
    }
}
