//! How the bodies of requests are encoded, and how compressed bodies are decompressed.

use std::io::{self, Read};

use axum::http::{HeaderMap, StatusCode, header};
use flate2::bufread::MultiGzDecoder;

use crate::api::without_blocking;
use crate::common::Core;
use crate::problem_details::ProblemDetails;
use crate::request_body::ReceivedBody;

/// The encodings that a body may have, as `Accept-Encoding` names them.
const ACCEPTED: &str = "gzip, identity";
/// The first bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The most bytes that one byte of gzip can stand for.
const MAX_EXPANSION: usize = 1032;
/// Bytes that are decompressed at once, between two looks at the limits.
const CHUNK_BYTES: usize = 16 << 10;

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestEncoding {
    Identity,
    Gzip,
}

impl RequestEncoding {
    /// The encoding that `Content-Encoding` names.
    ///
    /// # Errors
    /// If it is another one than the service accepts, or several.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ProblemDetails> {
        let values = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("?"));
        let names = values.flat_map(|value| value.split(',')).map(str::trim);
        let names: Vec<_> = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")).collect();
        match names[..] {
            [] => Ok(Self::Identity),
            [name] if ["gzip", "x-gzip"].iter().any(|own| own.eq_ignore_ascii_case(name)) => Ok(Self::Gzip),
            _ => {
                let detail = "Content-Encoding must be gzip or identity; the service knows no other";
                let problem = ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
                Err(ProblemDetails { accepted_encodings: Some(ACCEPTED), ..problem })
            }
        }
    }

    /// Decodes a body. The limits of its size are those of a body without encoding.
    ///
    /// # Errors
    /// If the body is not what `Content-Encoding` says, or is too long when it is decoded.
    pub(crate) async fn decode<'a>(
        self,
        core: &'a Core,
        body: ReceivedBody<'a>,
    ) -> Result<ReceivedBody<'a>, ProblemDetails> {
        match self {
            Self::Identity if body.bytes.starts_with(&GZIP_MAGIC) => {
                let detail = "the body is compressed with gzip, and Content-Encoding must say so: gzip";
                Err(ProblemDetails::new(StatusCode::BAD_REQUEST, detail))
            }
            Self::Identity => Ok(body),
            Self::Gzip => {
                // A decoder takes more memory than the body of most requests; so only a few decode at the same time.
                let _turn = core.decompressing.acquire().await;
                let most = body.bytes.len().saturating_mul(MAX_EXPANSION).min(core.limits.body_bytes);
                without_blocking(most, || decompress(core, body))
            }
        }
    }
}

/// Decompresses a body. The larger of its two sizes, before and after, counts towards the limit of all bodies together.
fn decompress<'a>(core: &'a Core, body: ReceivedBody<'a>) -> Result<ReceivedBody<'a>, ProblemDetails> {
    let ReceivedBody { bytes: compressed, permit } = body;
    let mut decoder = MultiGzDecoder::new(&compressed[..]);
    let mut body = ReceivedBody { bytes: Vec::new(), permit };
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        match decoder.read(&mut chunk) {
            Ok(0) => return Ok(body),
            Ok(length) => body.append(core, &chunk[..length])?,
            Err(error) => return Err(not_gzip(&error)),
        }
    }
}

fn not_gzip(error: &io::Error) -> ProblemDetails {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    };
    let detail =
        format!("Content-Encoding says that the body is compressed with gzip, but it cannot be decompressed: {reason}");
    ProblemDetails::new(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Result<RequestEncoding, ProblemDetails> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        RequestEncoding::of(&headers)
    }

    #[test]
    fn gzip_is_known_by_both_its_names_and_nothing_else_is() {
        for plain in [&[][..], &["identity"], &["Identity, identity"], &[""]] {
            assert_eq!(of(plain), Ok(RequestEncoding::Identity), "{plain:?}");
        }
        for gzip in [&["gzip"][..], &["GZIP"], &["x-gzip"], &["identity", "gzip"], &[" gzip ,identity"]] {
            assert_eq!(of(gzip), Ok(RequestEncoding::Gzip), "{gzip:?}");
        }
        for other in [&["deflate"][..], &["br"], &["gzip, gzip"], &["gzip", "br"], &["gzipped"], &["*"]] {
            let problem = of(other).expect_err("it is not accepted");
            assert_eq!(problem.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{other:?}");
            assert_eq!(problem.accepted_encodings, Some("gzip, identity"), "{other:?}");
        }
    }
}
