//! Bodies of requests: read within limits, understood, and what nobody reads of them taken off the line.

use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use data::exchange::Object;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use tokio::sync::{SemaphorePermit, oneshot};

use crate::api::App;
use crate::problem::Problem;

/// A body, with what it takes of the room for bodies.
pub(crate) struct Sent<'a> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Option<SemaphorePermit<'a>>,
}

/// What a body may have without taking of the room for all: long ones must not keep short ones out.
const SHORT: usize = 16 << 10;
/// For what nobody reads of a body.
const LINGER: Duration = Duration::from_secs(1);
/// What a reason may have: text of the client's own in it can be as long as a body.
const MAX_REASON_BYTES: usize = 512;

/// Reads a body of JSON, within limits of size and time.
pub(crate) async fn read<'a>(app: &'a App, headers: &HeaderMap, mut body: Body) -> Result<Sent<'a>, Problem> {
    let read = tokio::time::timeout(app.limits.body, read_within(app, headers, &mut body)).await;
    read.unwrap_or_else(|_| Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")))
}

async fn read_within<'a>(app: &'a App, headers: &HeaderMap, body: &mut Body) -> Result<Sent<'a>, Problem> {
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        let detail = "the body must be JSON, and Content-Type must say so: application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let limit = app.limits.body_bytes;
    let too_long = || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_long());
    }
    let (mut bytes, mut room) = (Vec::new(), None::<SemaphorePermit<'a>>);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body ended before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_long());
        }
        bytes.extend_from_slice(&data);
        let held = room.as_ref().map_or(0, SemaphorePermit::num_permits);
        if let Some(more) = bytes.len().checked_sub(SHORT + held).filter(|more| *more > 0) {
            let more = app.bodies.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
            let more = more.map_err(|_| Problem::busy("too much is being read"))?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
        }
    }
    Ok(Sent { bytes, room })
}

/// Understands a body.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let error = match serde_json::from_slice(body) {
        Ok(Object(value)) => return Ok(value),
        Err(error) => error,
    };
    let detail = format!("the body makes no sense: {}", shortened(error.to_string()));
    let problem = Problem::new(StatusCode::BAD_REQUEST, detail);
    // Only what is refused is read again for where its mistake is.
    let mut json = serde_json::Deserializer::from_slice(body);
    let mistake = serde_path_to_error::deserialize::<_, Object<T>>(&mut json).err();
    let field = mistake.and_then(|mistake| field(mistake.path()));
    Err(Problem { field: field.map(shortened), ..problem })
}

/// Where, such as `workloads[3].tasks_mb[2][0]`, as far as it has a name.
fn field(path: &Path) -> Option<String> {
    let mut field = String::new();
    for segment in path {
        let _ = match segment {
            Segment::Seq { index } => write!(field, "[{index}]"),
            Segment::Map { key } if field.is_empty() => write!(field, "{key}"),
            Segment::Map { key } => write!(field, ".{key}"),
            Segment::Enum { .. } | Segment::Unknown => break,
        };
    }
    Some(field).filter(|field| !field.is_empty())
}

/// Its beginning and its end.
fn shortened(text: String) -> String {
    if text.len() <= MAX_REASON_BYTES {
        return text;
    }
    let half = MAX_REASON_BYTES / 2;
    let (begin, end) = (text.floor_char_boundary(half), text.ceil_char_boundary(text.len() - half));
    format!("{} … {}", &text[..begin], &text[end..])
}

/// What nobody read of a body.
struct Rest {
    body: Incoming,
    /// Whether nobody asked for it: a client that waits to be asked does not send it then.
    is_untouched: bool,
}

/// A body that is given back by whoever does not read it to its end.
struct Lent {
    rest: Option<Rest>,
    back: Option<oneshot::Sender<Rest>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        rest.is_untouched = false;
        let frame = ready!(Pin::new(&mut rest.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(|rest| rest.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.body.size_hint())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(rest), Some(back)) = (self.rest.take(), self.back.take()) {
            // Nobody takes it any more once the connection has gone.
            let _ = back.send(rest);
        }
    }
}

/// What an answer leaves unread of its request's body.
pub(crate) struct Unread {
    /// Nothing for a request without a body.
    left: Option<oneshot::Receiver<Rest>>,
    is_asked_for: bool,
}

/// Lends a request's body to whoever answers it.
pub(crate) fn lend(request: Request<Incoming>) -> (Request, Unread) {
    let is_asked_for = request.headers().contains_key(header::EXPECT);
    let mut left = None;
    let request = request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        let (back, given_back) = oneshot::channel();
        left = Some(given_back);
        Body::new(Lent { rest: Some(Rest { body, is_untouched: true }), back: Some(back) })
    });
    (request, Unread { left, is_asked_for })
}

impl Unread {
    /// Takes what is left off the line once the answer is there: whoever is still sending would not hear it before.
    pub(crate) async fn take_off(self) {
        let Some(Ok(mut rest)) = self.left.map(|mut left| left.try_recv()) else { return };
        if self.is_asked_for && rest.is_untouched {
            return;
        }
        let _ = tokio::time::timeout(LINGER, async { while let Some(Ok(_)) = rest.body.frame().await {} }).await;
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        #[expect(dead_code, reason = "only read")]
        rows: Vec<Object<Row>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[expect(dead_code, reason = "only read")]
        mb: Vec<f64>,
    }

    #[test]
    fn a_mistake_is_named_by_its_field_and_its_reason() {
        assert!(parse::<Whole>(br#"{"rows": [{"mb": [1]}]}"#).is_ok());
        for (body, field, reason) in [
            (r#"{"rows": [{"mb": []}, {"mb": [1, "2"]}]}"#, Some("rows[1].mb[1]"), "string"),
            (r#"{"rows": [{"mb": []}, {}]}"#, Some("rows[1]"), "missing field `mb`"),
            (r#"{"rows": [{"mb": [], "kb": 1}]}"#, Some("rows[0].kb"), "unknown field `kb`"),
            (r#"{"rows": {}}"#, Some("rows"), "expected a sequence"),
            (r#"{"rows": [{"mb": [1,"#, Some("rows[0].mb"), "EOF"),
            ("{\"rows\": [],", None, "EOF"),
            ("{\"rows\": []} {}", None, "trailing characters"),
            ("[]", None, "expected an object"),
            ("", None, "EOF"),
        ] {
            let problem = parse::<Whole>(body.as_bytes()).expect_err(body);
            assert_eq!(problem.field.as_deref(), field, "{body}: {problem:?}");
            assert!(problem.detail.contains(reason), "{body}: {problem:?}");
        }
    }

    #[test]
    fn a_reason_does_not_grow_with_the_body() {
        let long = format!("{{\"{}\": 1}}", "é".repeat(100_000));
        let problem = parse::<Whole>(long.as_bytes()).expect_err("no such field");
        assert!(problem.detail.len() < 600 && problem.field.as_ref().is_some_and(|field| field.len() < 600));
        assert!(problem.detail.contains("unknown field `é") && problem.detail.contains("at line 1 column"));
        assert_eq!(shortened("é".repeat(256)), "é".repeat(256));
    }
}
