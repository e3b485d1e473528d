//! Threads that work on the same few items again and again.
//!
//! A training step takes half a millisecond, and the work between two steps takes microseconds. A thread that goes to sleep
//! in between takes longer than that to wake up, so these threads stay awake as long as a block of steps lasts.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Polls before a waiting thread lets others run: some tens of microseconds.
const POLLS: u32 = 1 << 10;

/// Threads that take every item once in each run.
pub(crate) struct Crew<'c> {
    shared: &'c Shared,
    work: &'c (dyn Fn(usize, usize) + Sync),
}

/// Calls `body` with a crew that calls `work(item, thread)` for every item in `0..items`.
///
/// The crew is the calling thread, which is thread 0, and threads of the current rayon pool, which do nothing else meanwhile.
/// Each thread has items of its own, whose data stays in its cache, and helps the others when these are done. In a run the
/// calling thread waits only for threads that work on an item; `with_crew` itself returns only after every thread of the pool
/// has been scheduled.
///
/// Neither `work` nor `body` may wait for the rayon pool, as parallel iterators do: a waiting thread might become a
/// helper, which leaves only when `body` is done.
pub(crate) fn with_crew<R>(
    items: usize,
    work: &(dyn Fn(usize, usize) + Sync),
    body: impl FnOnce(&mut Crew<'_>) -> R,
) -> R {
    let threads = threads(items);
    let shared = &Shared::new(items, threads);
    rayon::in_place_scope(|scope| {
        for thread in 1..threads {
            scope.spawn(move |_| shared.help(work, thread));
        }
        let _dismissal = Dismissal(shared);
        body(&mut Crew { shared, work })
    })
}

/// Number of threads of a crew for `items` items.
pub(crate) fn threads(items: usize) -> usize {
    rayon::current_num_threads().min(items).max(1)
}

impl Crew<'_> {
    /// Takes every item once.
    ///
    /// # Panics
    /// If the work on an item did.
    pub(crate) fn run(&mut self) {
        let Shared { counters, done, failed, items, .. } = self.shared;
        done.store(0, Ordering::Relaxed);
        for counter in counters {
            counter.next.store(counter.start, Ordering::Release);
        }
        self.shared.take_items(self.work, 0);
        let mut patience = Patience::default();
        while done.load(Ordering::Acquire) < *items {
            patience.wait();
        }
        assert!(!failed.load(Ordering::Relaxed), "the work on an item failed");
    }
}

struct Shared {
    items: usize,
    /// Items of each thread.
    counters: Vec<Counter>,
    /// Items done in the current run.
    done: AtomicUsize,
    failed: AtomicBool,
    dismissed: AtomicBool,
}

/// The items `start..end` of one thread, from which `next` is taken next. Each counter has a cache line of its own.
#[repr(align(128))]
struct Counter {
    next: AtomicUsize,
    start: usize,
    end: usize,
}

impl Counter {
    fn has_items(&self) -> bool {
        self.next.load(Ordering::Relaxed) < self.end
    }

    fn take(&self) -> Option<usize> {
        // Looking first keeps the counter from growing while threads wait.
        let item = self.has_items().then(|| self.next.fetch_add(1, Ordering::AcqRel))?;
        (item < self.end).then_some(item)
    }
}

impl Shared {
    fn new(items: usize, threads: usize) -> Self {
        let bound = |thread| items * thread / threads;
        let counter = |thread| {
            let (start, end) = (bound(thread), bound(thread + 1));
            Counter { next: AtomicUsize::new(end), start, end }
        };
        Self {
            items,
            counters: (0..threads).map(counter).collect(),
            done: AtomicUsize::new(items),
            failed: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
        }
    }

    fn help(&self, work: &(dyn Fn(usize, usize) + Sync), thread: usize) {
        let mut patience = Patience::default();
        while !self.dismissed.load(Ordering::Acquire) {
            if self.take_items(work, thread) {
                patience = Patience::default();
            } else {
                patience.wait();
            }
        }
    }

    /// Takes the thread's own items, then the items of other threads; returns whether there were any. Every item that
    /// can be taken belongs to the current run, since the next run does not begin before all items are done.
    fn take_items(&self, work: &(dyn Fn(usize, usize) + Sync), thread: usize) -> bool {
        let mut worked = false;
        let (before, from_own) = self.counters.split_at(thread);
        for counter in from_own.iter().chain(before) {
            while let Some(item) = counter.take() {
                let mut attempt = Attempt { shared: self, succeeded: false };
                work(item, thread);
                attempt.succeeded = true;
                worked = true;
            }
        }
        worked
    }
}

/// Counts an item as done, whether or not the work on it panics.
struct Attempt<'c> {
    shared: &'c Shared,
    succeeded: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.shared.failed.store(true, Ordering::Relaxed);
        }
        self.shared.done.fetch_add(1, Ordering::AcqRel);
    }
}

/// Sends helpers away, even if the body panics.
struct Dismissal<'c>(&'c Shared);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.dismissed.store(true, Ordering::Release);
    }
}

/// Waits actively for a while, then lets others run.
#[derive(Default)]
struct Patience {
    polls: u32,
}

impl Patience {
    fn wait(&mut self) {
        if self.polls < POLLS {
            self.polls += 1;
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn every_item_is_taken_once_in_each_run() {
        for threads in [1, 2, 3, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            for items in [1, 2, 7, 8] {
                let taken: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
                let work = |item: usize, thread: usize| {
                    assert!(thread < threads);
                    taken[item].fetch_add(1, Ordering::Relaxed);
                };
                pool.install(|| {
                    with_crew(items, &work, |crew| {
                        for run in 1..=200 {
                            crew.run();
                            assert!(taken.iter().all(|count| count.load(Ordering::Relaxed) == run));
                        }
                    });
                });
            }
        }
    }

    #[test]
    fn a_panic_on_any_thread_ends_the_run_with_a_panic() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a thread pool");
        for bad in 0..4 {
            let work = |item: usize, _: usize| assert_ne!(item, bad, "the item that fails");
            let run = || {
                with_crew(4, &work, |crew| {
                    crew.run();
                });
            };
            assert!(catch_unwind(AssertUnwindSafe(|| pool.install(run))).is_err());
        }
    }
}
