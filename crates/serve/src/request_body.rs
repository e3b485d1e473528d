//! The bodies of requests: reading them within limits of size and time, parsing them, and receiving the rest of a body that
//! a handler did not read.

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

use crate::common::Core;
use crate::problem_details::ProblemDetails;
use crate::request_encoding::RequestEncoding;

/// A body that was read.
pub(crate) struct ReceivedBody<'a> {
    pub(crate) bytes: Vec<u8>,
    /// Its share of the bytes that all bodies together may have. Held until the answer is there.
    pub(crate) permit: Option<SemaphorePermit<'a>>,
}

impl<'a> ReceivedBody<'a> {
    /// Adds bytes, within the limits of one body and of all bodies together.
    pub(crate) fn append(&mut self, core: &'a Core, data: &[u8]) -> Result<(), ProblemDetails> {
        if self.bytes.len() + data.len() > core.limits.body_bytes {
            return Err(too_long(core.limits.body_bytes));
        }
        self.bytes.extend_from_slice(data);
        let held = self.permit.as_ref().map_or(0, SemaphorePermit::num_permits);
        if let Some(more) = self.bytes.len().checked_sub(SHORT_BODY_BYTES + held).filter(|more| *more > 0) {
            let more = core.bodies.try_acquire_many(u32::try_from(more).unwrap_or(u32::MAX));
            let more = more.map_err(|_| ProblemDetails::busy("too many request bodies are being read"))?;
            match &mut self.permit {
                Some(permit) => permit.merge(more),
                None => self.permit = Some(more),
            }
        }
        Ok(())
    }
}

fn too_long(limit: usize) -> ProblemDetails {
    ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes"))
}

/// Bytes that a body may have without a permit, so that long bodies cannot keep short ones out.
const SHORT_BODY_BYTES: usize = 16 << 10;
/// The longest time for receiving a rest that no handler reads.
const DISCARD_TIME: Duration = Duration::from_secs(1);
/// The longest text of an error: it may quote the body, which can be long.
const MAX_REASON_BYTES: usize = 512;

/// Reads a body of JSON, within limits of size and time, and decodes it if it comes with an encoding.
pub(crate) async fn read<'a>(
    core: &'a Core,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<ReceivedBody<'a>, ProblemDetails> {
    let encoding = RequestEncoding::of(headers)?;
    let read = tokio::time::timeout(core.limits.body, read_within(core, headers, &mut body)).await;
    let late = |_| Err(ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, "the body was not received in time"));
    let mut body = encoding.decode(core, read.unwrap_or_else(late)?).await?;
    // JSON in UTF-8 never begins with these bytes. Files that shells of Windows write do: they are in UTF-16, or have a mark.
    if matches!(body.bytes[..], [0 | 0xef | 0xfe | 0xff, ..] | [_, 0, ..]) {
        let text = sim::text::decode(body.bytes).map_err(|error| {
            ProblemDetails::new(StatusCode::BAD_REQUEST, format!("the body is not text in UTF-8 or UTF-16: {error}"))
        })?;
        body.bytes = text.into_bytes();
    }
    Ok(body)
}

async fn read_within<'a>(
    core: &'a Core,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<ReceivedBody<'a>, ProblemDetails> {
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        let detail = "the body must be JSON, and Content-Type must say so: application/json";
        return Err(ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let limit = core.limits.body_bytes;
    if body.size_hint().lower() > limit as u64 {
        return Err(too_long(limit));
    }
    let mut received = ReceivedBody { bytes: Vec::new(), permit: None };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            ProblemDetails::new(StatusCode::BAD_REQUEST, "the connection ended before the body was complete")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        received.append(core, &data)?;
    }
    Ok(received)
}

/// Parses a body. The error names the field where the mistake is.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProblemDetails> {
    let error = match serde_json::from_slice(body) {
        Ok(Object(value)) => return Ok(value),
        Err(error) => error,
    };
    let detail = format!("the body is not a valid request: {}", shortened(error.to_string()));
    let problem = ProblemDetails::new(StatusCode::BAD_REQUEST, detail);
    // Tracking paths is slow, so that only a wrong body is parsed a second time for the path of its mistake.
    let mut json = serde_json::Deserializer::from_slice(body);
    let mistake = serde_path_to_error::deserialize::<_, Object<T>>(&mut json).err();
    let field = mistake.and_then(|mistake| field_of_path(mistake.path()));
    Err(ProblemDetails { field: field.map(shortened), ..problem })
}

/// The path of a field, such as `workloads[3].tasks_mb[2][0]`, as far as it has names.
fn field_of_path(path: &Path) -> Option<String> {
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

/// A text without its middle, if it is long.
fn shortened(text: String) -> String {
    if text.len() <= MAX_REASON_BYTES {
        return text;
    }
    let half = MAX_REASON_BYTES / 2;
    let (begin, end) = (text.floor_char_boundary(half), text.ceil_char_boundary(text.len() - half));
    format!("{} … {}", &text[..begin], &text[end..])
}

/// A body that was not read to its end.
struct UnreadBody {
    body: Incoming,
    /// Whether nothing of it was read.
    is_untouched: bool,
}

/// A body that goes back to its connection when a handler drops it before its end.
struct TrackedBody {
    unread: Option<UnreadBody>,
    back: Option<oneshot::Sender<UnreadBody>>,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(unread) = &mut self.unread else { return Poll::Ready(None) };
        unread.is_untouched = false;
        let frame = ready!(Pin::new(&mut unread.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.unread = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.unread.as_ref().is_none_or(|unread| unread.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.unread.as_ref().map_or_else(|| SizeHint::with_exact(0), |unread| unread.body.size_hint())
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        if let (Some(unread), Some(back)) = (self.unread.take(), self.back.take()) {
            // If the connection is closed, there is no receiver, and nothing to receive.
            let _ = back.send(unread);
        }
    }
}

/// The part of a request's body that its handler does not read.
pub(crate) struct UnreadRemainder {
    /// `None` for a request without a body.
    left: Option<oneshot::Receiver<UnreadBody>>,
    /// Whether the client sends the body only when asked for it (`Expect: 100-continue`).
    is_asked_for: bool,
}

/// Makes a request whose body, if its handler does not read it to its end, can be discarded afterwards.
pub(crate) fn track(request: Request<Incoming>) -> (Request, UnreadRemainder) {
    let is_asked_for = request.headers().contains_key(header::EXPECT);
    let mut left = None;
    let request = request.map(|body| {
        if body.is_end_stream() {
            return Body::empty();
        }
        let (back, given_back) = oneshot::channel();
        left = Some(given_back);
        Body::new(TrackedBody { unread: Some(UnreadBody { body, is_untouched: true }), back: Some(back) })
    });
    (request, UnreadRemainder { left, is_asked_for })
}

impl UnreadRemainder {
    /// Receives the rest of the body once the answer is there: a client that is still sending would not read the answer
    /// before it has sent everything.
    pub(crate) async fn discard(self) {
        let Some(Ok(mut unread)) = self.left.map(|mut left| left.try_recv()) else { return };
        // A client that waits to be asked sends nothing if nothing was read.
        if self.is_asked_for && unread.is_untouched {
            return;
        }
        let _ =
            tokio::time::timeout(DISCARD_TIME, async { while let Some(Ok(_)) = unread.body.frame().await {} }).await;
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
