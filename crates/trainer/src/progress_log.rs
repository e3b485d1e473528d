//! Progress for people who read standard error as a log: a line after a few seconds, then at growing intervals of less than
//! half a minute.

use std::fmt::Write as _;
use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::output::note;

/// The intervals of the first lines, in seconds; the last one is repeated.
const INTERVALS_S: [u64; 6] = [4, 5, 8, 12, 18, 25];
/// The pause before the writer looks again, if nothing is being done at the moment of a line.
const BETWEEN_WORKS: Duration = Duration::from_millis(250);

/// The present work of the program.
static PRESENT: Mutex<Option<Work>> = Mutex::new(None);

fn present() -> MutexGuard<'static, Option<Work>> {
    // A thread that panicked has left the numbers of its last report.
    PRESENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One work and how far it is.
struct Work {
    id: u64,
    name: Option<&'static str>,
    /// The name of the parts and their number; `None` if the length of the work is not known.
    parts: Option<(&'static str, usize)>,
    done: usize,
    /// Parts that were done when the work began, by an earlier process.
    done_before: usize,
    message: String,
    began: Instant,
}

impl Work {
    fn line(&self, elapsed: Duration) -> String {
        let mut line = self.name.map(str::to_owned).unwrap_or_default();
        if let Some((parts, count)) = self.parts {
            let colon = if line.is_empty() { "" } else { ": " };
            let _ = write!(line, "{colon}{} of {count} {parts}", self.done);
        }
        if !self.message.is_empty() {
            let _ = write!(line, ", {}", self.message);
        }
        let _ = write!(line, "; {} so far", duration(elapsed));
        if let Some(left) = self.left(elapsed) {
            let _ = write!(line, ", about {} left", duration(left));
        }
        line
    }

    /// The time that the rest takes at the present speed; `None` if there is no speed or no rest.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let (_, count) = self.parts?;
        let (made, rest) = (self.done.saturating_sub(self.done_before), count.saturating_sub(self.done));
        let seconds = elapsed.as_secs_f64() * rest as f64 / made as f64;
        Duration::try_from_secs_f64(seconds).ok().filter(|_| made > 0 && rest > 0)
    }
}

/// A time in at most two units.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

/// The work that lines tell of until this is dropped, or until other work begins.
pub(crate) struct LoggedWork {
    id: u64,
}

impl LoggedWork {
    /// Work of `count` parts.
    pub(crate) fn new(name: Option<&'static str>, parts: &'static str, count: usize) -> Self {
        Self::begin(name, Some((parts, count)))
    }

    /// Work of unknown length.
    pub(crate) fn of_unknown_length(name: &'static str) -> Self {
        Self::begin(Some(name), None)
    }

    fn begin(name: Option<&'static str>, parts: Option<(&'static str, usize)>) -> Self {
        static WRITER: Once = Once::new();
        static WORKS: AtomicU64 = AtomicU64::new(0);
        let (id, began) = (WORKS.fetch_add(1, Ordering::Relaxed), Instant::now());
        *present() = Some(Work { id, name, parts, done: 0, done_before: 0, message: String::new(), began });
        WRITER.call_once(|| {
            // Without the thread there are no lines, and the work goes on.
            let _ = thread::Builder::new().name("progress".to_owned()).spawn(write_lines);
        });
        Self { id }
    }

    fn change(&self, change: impl FnOnce(&mut Work)) {
        if let Some(work) = present().as_mut().filter(|work| work.id == self.id) {
            change(work);
        }
    }

    /// The number of parts that are done.
    pub(crate) fn done(&self, parts: usize) {
        self.change(|work| work.done = parts);
    }

    /// The number of parts that were done before the work began.
    pub(crate) fn goes_on_after(&self, parts: usize) {
        self.change(|work| (work.done, work.done_before) = (parts, parts));
    }

    /// A text that the lines show beside the numbers.
    pub(crate) fn message(&self, text: &str) {
        self.change(|work| text.clone_into(&mut work.message));
    }
}

impl Drop for LoggedWork {
    fn drop(&mut self) {
        present().take_if(|work| work.id == self.id);
    }
}

fn write_lines() {
    let last = INTERVALS_S[INTERVALS_S.len() - 1];
    for seconds in INTERVALS_S.into_iter().chain(iter::repeat(last)) {
        thread::sleep(Duration::from_secs(seconds));
        let line = loop {
            if let Some(line) = present().as_ref().map(|work| work.line(work.began.elapsed())) {
                break line;
            }
            thread::sleep(BETWEEN_WORKS);
        };
        note(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_the_state_and_the_time() {
        let mut work = Work {
            id: 0,
            name: Some("DRL"),
            parts: Some(("steps", 1000)),
            done: 500,
            done_before: 400,
            message: "loss 0.1000 Q2 0.9900".to_owned(),
            began: Instant::now(),
        };
        assert_eq!(
            work.line(Duration::from_secs(20)),
            "DRL: 500 of 1000 steps, loss 0.1000 Q2 0.9900; 20 s so far, about 1 min 40 s left"
        );
        (work.done, work.name, work.parts) = (400, None, Some(("runs", 401)));
        work.message.clear();
        assert_eq!(work.line(Duration::from_mins(121)), "400 of 401 runs; 2 h 1 min so far");
        (work.name, work.parts) = (Some("labelling metadata"), None);
        assert_eq!(work.line(Duration::from_secs(59)), "labelling metadata; 59 s so far");
    }

    #[test]
    fn intervals_grow_to_less_than_half_a_minute() {
        assert!(INTERVALS_S.is_sorted() && INTERVALS_S[0] < 10 && INTERVALS_S.iter().all(|seconds| *seconds < 30));
    }
}
