//! How work runs: without the interpreter's lock, on the process's own threads, and with panics turned into exceptions.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{errors, numbers};

/// The environment variable with the number of threads.
const THREADS: &str = "MRDRO_THREADS";
/// The most threads that can be asked for.
pub(crate) const MAX_THREADS: usize = 4096;

/// The pool of one process. A forked child inherits the memory of its parent's pool but none of its threads, so that a pool is
/// used only by the process that made it.
struct ProcessPool {
    process: u32,
    pool: Arc<ThreadPool>,
}

static POOL: Mutex<Option<ProcessPool>> = Mutex::new(None);
/// The pool of [`guarded_attached`]. Its threads never wait for the interpreter's lock, as those of [`POOL`] may.
static ATTACHED_POOL: Mutex<Option<ProcessPool>> = Mutex::new(None);
/// The number of threads that was asked for.
static WANTED: Mutex<Option<usize>> = Mutex::new(None);

/// Runs `work` on the process's pool without holding the interpreter's lock. A panic becomes `mrdro.InternalError`.
pub(crate) fn guarded<T: Send>(py: Python<'_>, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    let pool = pool()?;
    py.detach(|| catch(|| pool.install(work)))
}

/// Runs `work` for every item, on the calling thread and on the process's pool, without holding the interpreter's lock. For
/// work so short that a calling thread which waits for the pool would lose time. A panic becomes `mrdro.InternalError`.
///
/// # Errors
/// The first error of `work`; items that have not begun are then left out.
pub(crate) fn guarded_each<T: Send>(
    py: Python<'_>,
    items: Vec<T>,
    work: impl Fn(T) -> PyResult<()> + Sync,
) -> PyResult<()> {
    let pool = pool()?;
    let helpers = pool.current_num_threads().min(items.len()).saturating_sub(1);
    let items = Mutex::new(items.into_iter());
    let failed = Mutex::new(None);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        while let Some(item) = next() {
            if let Err(error) = work(item) {
                while next().is_some() {}
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    py.detach(|| {
        catch(|| {
            pool.in_place_scope(|scope| {
                (0..helpers).for_each(|_| scope.spawn(|_| run()));
                run();
            });
            Ok(())
        })
    })?;
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Runs short `work` on the calling thread, with the interpreter's lock. A panic becomes `mrdro.InternalError`.
pub(crate) fn guarded_here<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch(work)
}

/// Runs `work` on the calling thread, without the interpreter's lock: for work on one thread that may take long. A panic becomes
/// `mrdro.InternalError`.
pub(crate) fn guarded_detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    py.detach(|| catch(work))
}

/// Runs work on a pool of its own while this thread holds the interpreter's lock, so that no Python code runs meanwhile. The work
/// must not need the lock. A panic becomes `mrdro.InternalError`.
pub(crate) fn guarded_attached<T: Send>(work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    let pool = pool_in(&ATTACHED_POOL)?;
    catch(|| pool.install(work))
}

fn catch<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(errors::internal(&message(&*panic))))
}

/// The text of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}

/// The pool of this process, made when it is first needed.
pub(crate) fn pool() -> PyResult<Arc<ThreadPool>> {
    pool_in(&POOL)
}

fn pool_in(pools: &Mutex<Option<ProcessPool>>) -> PyResult<Arc<ThreadPool>> {
    let process = std::process::id();
    let mut own = pools.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ProcessPool { process: maker, pool }) = &*own
        && *maker == process
    {
        return Ok(Arc::clone(pool));
    }
    let threads = wanted_threads()?;
    let mut builder = ThreadPoolBuilder::new().thread_name(|index| format!("mrdro {index}"));
    if let Some(threads) = threads {
        builder = builder.num_threads(threads);
    }
    let failed = |source| errors::raise(mrdro::Error::Threads { threads: threads.unwrap_or(0), source });
    let pool = Arc::new(builder.build().map_err(failed)?);
    if let Some(parents) = own.replace(ProcessPool { process, pool: Arc::clone(&pool) }) {
        // To end a pool is to wait for its threads. A parent's threads do not exist in this process.
        std::mem::forget(parents);
    }
    Ok(pool)
}

/// A pool of its own for one call.
///
/// # Errors
/// If the number is out of its range, or threads cannot be started.
pub(crate) fn pool_of(threads: usize) -> PyResult<Arc<ThreadPool>> {
    if !(1..=MAX_THREADS).contains(&threads) {
        return Err(PyValueError::new_err(format!("threads must be from 1 to {MAX_THREADS}, is {threads}")));
    }
    let failed = |source| errors::raise(mrdro::Error::Threads { threads, source });
    Ok(Arc::new(ThreadPoolBuilder::new().num_threads(threads).build().map_err(failed)?))
}

/// The number of threads that was asked for, by `set_threads` or the environment variable.
fn wanted_threads() -> PyResult<Option<usize>> {
    if let Some(threads) = *WANTED.lock().unwrap_or_else(PoisonError::into_inner) {
        return Ok(Some(threads));
    }
    let Ok(text) = std::env::var(THREADS) else { return Ok(None) };
    match text.trim().parse() {
        Ok(threads) if (1..=MAX_THREADS).contains(&threads) => Ok(Some(threads)),
        _ => Err(PyValueError::new_err(format!(
            "the environment variable {THREADS} must be a number of threads from 1 to {MAX_THREADS}, is {text:?}"
        ))),
    }
}

/// Sets the number of threads that mrdro computes on, in this process and in processes forked from it.
#[pyfunction]
pub(crate) fn set_threads(#[pyo3(from_py_with = numbers::threads)] count: usize) {
    *WANTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(count);
    for pools in [&POOL, &ATTACHED_POOL] {
        let old = pools.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(parents) = old.filter(|old| old.process != std::process::id()) {
            std::mem::forget(parents);
        }
    }
}

/// The number of threads that mrdro computes on.
#[pyfunction]
pub(crate) fn threads() -> PyResult<usize> {
    Ok(pool()?.current_num_threads())
}

/// How often a waiting call looks whether the user asked it to stop.
const SIGNALS_EVERY: Duration = Duration::from_millis(50);

/// [`guarded`] for work that may take long: if the user interrupts it (Ctrl-C), the flag that it is given becomes true, and it
/// should end soon.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> PyResult<T> + Send,
) -> PyResult<T> {
    let (pool, stop) = (pool()?, AtomicBool::new(false));
    py.detach(|| {
        std::thread::scope(|scope| {
            let (done, waits) = mpsc::channel();
            let (pool, stop) = (&pool, &stop);
            scope.spawn(move || {
                let result = catch(|| pool.install(|| work(stop)));
                let _ = done.send(result); // the receiver waits for it
            });
            let mut interrupted = None;
            loop {
                match waits.recv_timeout(SIGNALS_EVERY) {
                    Ok(result) => return interrupted.map_or(result, Err),
                    Err(mpsc::RecvTimeoutError::Disconnected) => {
                        return Err(errors::internal("a thread ended without a result"));
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) if interrupted.is_none() => {
                        interrupted = signals();
                        stop.store(interrupted.is_some(), Ordering::Relaxed);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
            }
        })
    })
}

/// What the user's handlers of signals raise, such as `KeyboardInterrupt`.
fn signals() -> Option<PyErr> {
    Python::attach(|py| py.check_signals().err())
}
