//! Answers that go out as clients take them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::problem_details::ProblemDetails;

/// The pieces.
const PIECE: usize = 16 << 10;
/// A client that takes an answer more slowly is not waited for.
const SLOWEST_BYTES_PER_S: usize = 64 << 10;

/// A body that takes of the room for `answers` until it has gone, for at most `patience` and what its length needs.
///
/// # Errors
/// If there is no room for it.
pub(crate) fn body(json: Vec<u8>, answers: &Arc<Semaphore>, patience: Duration) -> Result<Body, ProblemDetails> {
    if json.len() <= PIECE {
        return Ok(Body::from(json));
    }
    Ok(Body::new(Taken::new(json, answers, patience)?))
}

/// An answer that is not taken in time.
#[derive(Debug, thiserror::Error)]
#[error("the answer was not taken in time")]
struct TooSlow;

/// What has not gone yet.
#[derive(Debug)]
struct Rest {
    json: Vec<u8>,
    gone: usize,
    _room: OwnedSemaphorePermit,
}

/// An answer that goes out piece by piece, and gives back its room when it has gone or its time is over.
#[derive(Debug)]
struct Taken {
    /// Nothing once its time is over, whoever still asks for it.
    rest: Arc<Mutex<Option<Rest>>>,
    left: usize,
    clock: JoinHandle<()>,
}

impl Taken {
    fn new(json: Vec<u8>, answers: &Arc<Semaphore>, patience: Duration) -> Result<Self, ProblemDetails> {
        let left = json.len();
        let room = Arc::clone(answers).try_acquire_many_owned(u32::try_from(left).unwrap_or(u32::MAX));
        let room = room.map_err(|_| ProblemDetails::busy("too many answers wait to be taken"))?;
        let rest = Arc::new(Mutex::new(Some(Rest { json, gone: 0, _room: room })));
        let deadline = patience + Duration::from_secs_f64(left as f64 / SLOWEST_BYTES_PER_S as f64);
        let late = Arc::downgrade(&rest);
        // Nobody asks for a next piece while the one before is not taken.
        let clock = tokio::spawn(async move {
            tokio::time::sleep(deadline).await;
            if let Some(rest) = late.upgrade() {
                rest.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        });
        Ok(Self { rest, left, clock })
    }
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = TooSlow;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TooSlow>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Rest { json, gone, .. }) = &mut *rest else { return Poll::Ready(Some(Err(TooSlow))) };
        // Copied, so that a piece that is not taken does not hold the whole answer.
        let piece = Bytes::copy_from_slice(&json[*gone..][..PIECE.min(json.len() - *gone)]);
        *gone += piece.len();
        if *gone == json.len() {
            rest.take();
        }
        drop(rest);
        self.left -= piece.len();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

impl Drop for Taken {
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
    fn an_answer_goes_out_whole_and_gives_back_its_room() {
        run(async {
            let answers = Arc::new(Semaphore::new(ROOM));
            for length in [0, 1, PIECE, PIECE + 1, 10 * PIECE - 1, 10 * PIECE, ROOM] {
                let json: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
                let body = body(json.clone(), &answers, Duration::from_mins(1)).expect("there is room");
                let held = if length > PIECE { length } else { 0 };
                assert_eq!(answers.available_permits(), ROOM - held);
                assert_eq!(body.size_hint().exact(), Some(length as u64));
                assert_eq!(body.collect().await.expect("in time").to_bytes(), json);
                assert_eq!(answers.available_permits(), ROOM);
            }
            let first = body(vec![0; ROOM - PIECE], &answers, Duration::from_mins(1)).expect("there is room");
            assert!(body(vec![0; PIECE + 1], &answers, Duration::from_mins(1)).is_err());
            drop(first);
            assert_eq!(answers.available_permits(), ROOM, "a client that goes away gives it back, too");
        });
    }

    #[test]
    fn an_answer_that_is_taken_too_slowly_gives_back_its_room() {
        run(async {
            let answers = Arc::new(Semaphore::new(ROOM));
            // At the slowest rate it has half a second.
            let mut body = body(vec![0; SLOWEST_BYTES_PER_S / 2], &answers, Duration::ZERO).expect("there is room");
            assert!(body.frame().await.is_some_and(|piece| piece.is_ok()));
            assert_eq!(answers.available_permits(), ROOM - SLOWEST_BYTES_PER_S / 2, "its time is not over");
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(answers.available_permits(), ROOM, "nobody had to ask for the next piece");
            assert!(body.frame().await.is_some_and(|piece| piece.is_err()));
        });
    }
}
