//! Devices that are lost in the middle of work.
//!
//! Burn panics when a graphics adapter is gone, when a worker no longer answers and when memory is lacking, on the calling
//! thread or on threads of its own. [`catch`] turns these panics into one error.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Backend, DeviceKind};

use crate::error::Error;

/// Runs work on a device and turns panics of the device into an error. A processor cannot be lost: a panic there is a bug
/// and stays a panic.
///
/// # Errors
/// That of the work, or [`Error::DeviceFailed`].
pub fn catch<T, E: From<Error>>(backend: &Backend, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if backend.kind == DeviceKind::Cpu {
        return work();
    }
    let listener = Listener::install();
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let first = listener.remove();
    // The first panic, maybe on another thread, says best what happened. After one, results are worthless even if the work
    // ended well.
    let reason = match (result, first) {
        (Ok(result), None) => return result,
        (Ok(Err(error)), Some(_)) => return Err(error),
        (_, Some(first)) => first,
        (Err(payload), None) => message(&*payload),
    };
    Err(Error::DeviceFailed { device: backend.name.clone(), reason, kept: None }.into())
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// Receives the panics of all threads instead of the terminal.
struct Listener {
    first: Arc<Mutex<Option<String>>>,
    before: Arc<Hook>,
}

impl Listener {
    fn install() -> Self {
        let first = Arc::new(Mutex::new(None));
        let before: Arc<Hook> = Arc::new(panic::take_hook());
        let (heard, loud) = (Arc::clone(&first), Arc::clone(&before));
        let wants_trace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map_or(String::new(), |place| format!(" ({place})"));
            let said = || message(info.payload()) + &place;
            heard.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(said);
            if wants_trace {
                loud(info);
            }
        }));
        Self { first, before }
    }

    /// The message of the first panic. Threads that Burn leaves behind may panic later still; their panics go to the old hook.
    fn remove(self) -> Option<String> {
        let before = self.before;
        panic::set_hook(Box::new(move |info| before(info)));
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The message of a panic, on one line.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    let lines: Vec<&str> = text.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it did not say why".to_owned() } else { lines.join(" ") }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// There is one hook for all threads of a process.
    static ALONE: Mutex<()> = Mutex::new(());

    fn backend(kind: DeviceKind) -> Backend {
        Backend { device: Device::flex(), name: "wgpu:7".to_owned(), kind, description: String::new() }
    }

    #[test]
    fn a_lost_device_is_an_error_that_says_what_was_heard_first() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || -> Result<(), Error> {
            let other = std::thread::spawn(|| panic!("\n  the adapter\n  is gone\n"));
            let _ = other.join();
            panic!("no answer");
        };
        let error = catch(&backend(DeviceKind::Gpu), work).expect_err("it panicked");
        let Error::DeviceFailed { device, reason, kept: None } = error else { panic!("{error:?}") };
        assert_eq!(device, "wgpu:7");
        assert!(reason.starts_with("the adapter is gone (") && reason.contains("device_failure.rs"), "{reason}");
    }

    #[test]
    fn what_fails_unseen_on_another_thread_is_an_error_too() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            let other = std::thread::spawn(|| panic!("no memory for this"));
            let _ = other.join();
            Ok(())
        };
        let error = catch(&backend(DeviceKind::Gpu), work).expect_err("something panicked");
        assert!(matches!(&error, Error::DeviceFailed { reason, .. } if reason.contains("no memory")), "{error}");
    }

    #[test]
    fn what_succeeds_or_fails_by_itself_passes() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = catch(&backend(DeviceKind::Remote), || Ok::<_, Error>(7));
        assert_eq!(passed.expect("nothing failed"), 7);
        let failed = catch(&backend(DeviceKind::Gpu), || Err::<(), _>(Error::NoOptimum { scenario: "x".into() }));
        assert!(matches!(failed, Err(Error::NoOptimum { .. })));
    }
}
