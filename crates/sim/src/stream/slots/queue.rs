//! The queue of an application: bytes leave in the order in which they came.

/// Less than this many bytes is rounding.
const ROUNDING_BYTES: f64 = 1e-3;

/// A file in a queue.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    slot: usize,
    /// The bytes that have arrived with it and before it.
    end: f64,
}

/// Files of an application, those that are sent included.
#[derive(Debug)]
pub(super) struct Queue {
    files: Vec<Waiting>,
    /// The first file that is not sent.
    head: usize,
    /// The first file whose deadline has not come.
    next_late: usize,
    deadline_slots: Option<f64>,
    arrived: f64,
    gone: f64,
    pub(super) backlog: f64,
    /// The sum over sent files of slots from arrival to the end of the slot of the last byte.
    pub(super) delay_slots: f64,
    pub(super) largest_delay_slots: f64,
    /// Files that were not sent when their deadline came.
    pub(super) missed: usize,
}

impl Queue {
    /// A queue for at most that many files.
    pub(super) fn new(files: usize, deadline_slots: Option<f64>) -> Self {
        Self {
            files: Vec::with_capacity(files),
            head: 0,
            next_late: 0,
            deadline_slots,
            arrived: 0.0,
            gone: 0.0,
            backlog: 0.0,
            delay_slots: 0.0,
            largest_delay_slots: 0.0,
            missed: 0,
        }
    }

    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    pub(super) fn push(&mut self, slot: usize, bytes: f64) {
        self.arrived += bytes;
        self.backlog += bytes;
        self.files.push(Waiting { slot, end: self.arrived });
    }

    /// The slot in which the oldest waiting byte arrived.
    pub(super) fn oldest(&self) -> Option<usize> {
        self.files.get(self.head).map(|file| file.slot)
    }

    /// Waiting bytes that arrived in a slot or before.
    pub(super) fn bytes_until(&self, slot: usize) -> f64 {
        let waiting = &self.files[self.head..];
        waiting.iter().take_while(|file| file.slot <= slot).last().map_or(0.0, |file| (file.end - self.gone).max(0.0))
    }

    /// Waiting bytes whose deadline has come at the beginning of a slot; counts files that miss it. `None`: no
    /// deadline.
    pub(super) fn late_bytes(&mut self, slot: usize) -> Option<f64> {
        let deadline = self.deadline_slots?;
        while let Some(file) = self.files.get(self.next_late)
            && file.slot as f64 + deadline <= slot as f64
        {
            self.missed += usize::from(self.next_late >= self.head);
            self.next_late += 1;
        }
        let late = self.next_late.checked_sub(1).map_or(0.0, |last| self.files[last].end - self.gone);
        Some(if late > ROUNDING_BYTES { late.min(self.backlog) } else { 0.0 })
    }

    /// Removes bytes, at most the backlog, and gives what the backlog falls by.
    pub(super) fn send(&mut self, bytes: f64, slot: usize) -> f64 {
        let before = self.backlog;
        self.backlog -= bytes;
        self.gone += bytes;
        if self.backlog < ROUNDING_BYTES {
            self.backlog = 0.0;
            self.gone = self.arrived;
        }
        while let Some(file) = self.files.get(self.head)
            && file.end <= self.gone + ROUNDING_BYTES
        {
            self.leave(file.slot, slot + 1);
        }
        before - self.backlog
    }

    fn leave(&mut self, arrival: usize, end: usize) {
        let delay = (end - arrival) as f64;
        self.delay_slots += delay;
        self.largest_delay_slots = self.largest_delay_slots.max(delay);
        self.head += 1;
    }

    /// Counts the files that are left, with their time up to the end of the path.
    pub(super) fn end(&mut self, slots: usize) {
        while let Some(slot) = self.oldest() {
            self.leave(slot, slots);
        }
    }
}
