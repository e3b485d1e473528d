//! What has joined each queue and is not known to be done: what a correction moves.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A task in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) joins_s: f64,
    pub(super) service_s: f64,
    /// When the queue is done with it.
    pub(super) done_s: f64,
}

/// The tasks of one queue in the order in which they are served.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueLog {
    /// When the queue is done with what came before the first entry.
    head_s: f64,
    entries: VecDeque<Entry>,
}

impl QueueLog {
    /// The number of tasks that are not done.
    pub(super) fn waiting(&self, now_s: f64) -> usize {
        self.entries.iter().rev().take_while(|entry| entry.done_s > now_s).count()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// Drops tasks from the front that nobody can report any more: nothing moves them but the rate of the queue.
    pub(super) fn prune(&mut self, is_open: impl Fn(u64) -> bool) {
        while let Some(first) = self.entries.front().filter(|first| !is_open(first.number)) {
            self.head_s = first.done_s;
            self.entries.pop_front();
        }
    }

    fn position(&self, number: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.number == number)
    }

    pub(super) fn entry_mut(&mut self, number: u64) -> Option<&mut Entry> {
        let position = self.position(number)?;
        self.entries.get_mut(position)
    }

    pub(super) fn entry(&self, number: u64) -> Option<&Entry> {
        self.position(number).map(|position| &self.entries[position])
    }

    /// The queue was done with a task at a time, and so with all before it; `None`: when it was expected. Returns whether that
    /// changes when the queue is free for those behind it.
    pub(super) fn finish(&mut self, number: u64, done_s: Option<f64>) -> bool {
        let Some(position) = self.position(number) else { return false };
        let expected_s = self.entries[position].done_s;
        self.entries.drain(..=position);
        self.head_s = done_s.unwrap_or(expected_s);
        self.head_s != expected_s
    }

    /// Takes everything out: the queue is free at a time.
    pub(super) fn clear(&mut self, free_s: f64) {
        self.entries.clear();
        self.head_s = free_s;
    }

    /// What is served after now takes `ratio` times as long.
    pub(super) fn stretch(&mut self, now_s: f64, ratio: f64) {
        self.head_s += (self.head_s - now_s).max(0.0) * (ratio - 1.0);
        for entry in self.entries.iter_mut().filter(|entry| entry.done_s > now_s) {
            let starts_s = (entry.done_s - entry.service_s).max(now_s);
            entry.service_s += (entry.done_s - starts_s) * (ratio - 1.0);
        }
    }

    /// Computes anew when tasks are done; `moved` is told those for which that changes. Returns when the queue is free.
    pub(super) fn serve(&mut self, mut moved: impl FnMut(&Entry)) -> f64 {
        let mut free_s = self.head_s;
        for entry in &mut self.entries {
            free_s = free_s.max(entry.joins_s) + entry.service_s;
            if entry.done_s != free_s {
                entry.done_s = free_s;
                moved(entry);
            }
        }
        free_s
    }
}
