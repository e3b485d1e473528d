//! The bodies of answers, sent at the pace at which clients read them, with a limit on what waits in memory.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::problem_details::ProblemDetails;

/// Bytes that are sent at once. A shorter answer is sent whole.
const CHUNK_BYTES: usize = 16 << 10;
/// The slowest rate at which a client may read an answer.
const SLOWEST_BYTES_PER_S: usize = 64 << 10;

/// The body of an answer. Until it is sent, its bytes count against `answers`, the room for answers that wait. It may take
/// `patience`, plus the time that its length needs at the slowest rate.
///
/// # Errors
/// If there is no room for it.
pub(crate) fn body(json: Vec<u8>, answers: &Arc<Semaphore>, patience: Duration) -> Result<Body, ProblemDetails> {
    if json.len() <= CHUNK_BYTES {
        return Ok(Body::from(json));
    }
    Ok(Body::new(PacedBody::new(json, answers, patience)?))
}

/// The client did not read the answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the client did not read the answer in time")]
struct ReadTooSlowly;

/// An answer; its first `sent` bytes are sent.
#[derive(Debug)]
struct UnsentAnswer {
    json: Vec<u8>,
    sent: usize,
    _permit: OwnedSemaphorePermit,
}

/// An answer that is sent chunk by chunk, and gives back its room when it is sent or its time is over.
#[derive(Debug)]
struct PacedBody {
    /// `None` once the time is over.
    unsent: Arc<Mutex<Option<UnsentAnswer>>>,
    left: usize,
    clock: JoinHandle<()>,
}

impl PacedBody {
    fn new(json: Vec<u8>, answers: &Arc<Semaphore>, patience: Duration) -> Result<Self, ProblemDetails> {
        let left = json.len();
        let room = Arc::clone(answers).try_acquire_many_owned(u32::try_from(left).unwrap_or(u32::MAX));
        let room = room.map_err(|_| ProblemDetails::busy("too many answers are waiting for their clients"))?;
        let unsent = Arc::new(Mutex::new(Some(UnsentAnswer { json, sent: 0, _permit: room })));
        let deadline = patience + Duration::from_secs_f64(left as f64 / SLOWEST_BYTES_PER_S as f64);
        let late = Arc::downgrade(&unsent);
        // While a client reads nothing, hyper asks for no chunk: only a timer can notice.
        let clock = tokio::spawn(async move {
            tokio::time::sleep(deadline).await;
            if let Some(unsent) = late.upgrade() {
                unsent.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        });
        Ok(Self { unsent, left, clock })
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = ReadTooSlowly;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ReadTooSlowly>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut unsent = self.unsent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(UnsentAnswer { json, sent, .. }) = &mut *unsent else { return Poll::Ready(Some(Err(ReadTooSlowly))) };
        // Copied, so that a chunk that waits in hyper does not keep the whole answer in memory.
        let chunk = Bytes::copy_from_slice(&json[*sent..][..CHUNK_BYTES.min(json.len() - *sent)]);
        *sent += chunk.len();
        if *sent == json.len() {
            unsent.take();
        }
        drop(unsent);
        self.left -= chunk.len();
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

impl Drop for PacedBody {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const ROOM: usize = 1 << 20;

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(test);
    }

    #[test]
    fn an_answer_is_sent_whole_and_gives_back_its_room() {
        run(async {
            let answers = Arc::new(Semaphore::new(ROOM));
            for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 10 * CHUNK_BYTES - 1, 10 * CHUNK_BYTES, ROOM] {
                let json: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
                let body = body(json.clone(), &answers, Duration::from_mins(1)).expect("there is room");
                let held = if length > CHUNK_BYTES { length } else { 0 };
                assert_eq!(answers.available_permits(), ROOM - held);
                assert_eq!(body.size_hint().exact(), Some(length as u64));
                assert_eq!(body.collect().await.expect("in time").to_bytes(), json);
                assert_eq!(answers.available_permits(), ROOM);
            }
            let first = body(vec![0; ROOM - CHUNK_BYTES], &answers, Duration::from_mins(1)).expect("there is room");
            assert!(body(vec![0; CHUNK_BYTES + 1], &answers, Duration::from_mins(1)).is_err());
            drop(first);
            assert_eq!(answers.available_permits(), ROOM, "a client that disconnects gives the room back, too");
        });
    }

    #[test]
    fn an_answer_that_is_read_too_slowly_gives_back_its_room() {
        run(async {
            let answers = Arc::new(Semaphore::new(ROOM));
            // At the slowest rate, the answer may take half a second.
            let mut body = body(vec![0; SLOWEST_BYTES_PER_S / 2], &answers, Duration::ZERO).expect("there is room");
            assert!(body.frame().await.is_some_and(|chunk| chunk.is_ok()));
            assert_eq!(answers.available_permits(), ROOM - SLOWEST_BYTES_PER_S / 2, "its time is not over");
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(answers.available_permits(), ROOM, "no client asked for the next chunk");
            assert!(body.frame().await.is_some_and(|chunk| chunk.is_err()));
        });
    }
}
