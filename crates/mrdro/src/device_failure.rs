//! Errors for devices that fail while they compute.
//!
//! Burn panics when a graphics adapter is lost, a remote worker does not answer, or a device has too little memory, on the
//! calling thread or on threads of its own. [`catch`] turns these panics into one error.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Backend, DeviceKind};

use crate::error::Error;

/// Runs `work` and turns panics into an error if the backend computes on another device than the CPU. The CPU cannot be lost:
/// a panic there is a bug and stays a panic.
///
/// # Errors
/// The error of the work, or [`Error::DeviceFailed`] if anything panicked meanwhile.
pub fn catch<T, E: From<Error>>(backend: &Backend, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if backend.kind == DeviceKind::Cpu {
        return work();
    }
    let listener = PanicListener::install();
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let first = listener.remove();
    // The first panic, possibly on another thread, describes the cause best. After a panic on another thread, results are
    // wrong even if the work itself returned one.
    let reason = match (result, first) {
        (Ok(result), None) => return result,
        (Ok(Err(error)), Some(_)) => return Err(error),
        (_, Some(first)) => first,
        (Err(payload), None) => message(&*payload),
    };
    Err(Error::DeviceFailed { device: backend.name.clone(), reason, kept: None }.into())
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// A panic hook that keeps the message of the first panic of any thread, instead of printing it.
struct PanicListener {
    first: Arc<Mutex<Option<String>>>,
    before: Arc<Hook>,
}

impl PanicListener {
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

    /// Restores the hook that was installed before, and returns the message of the first panic. Threads that Burn leaves
    /// running may panic even later.
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
    if lines.is_empty() { "the panic has no message".to_owned() } else { lines.join(" ") }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    /// Runs these tests one after the other, since the hook is shared by all threads of the process.
    static ALONE: Mutex<()> = Mutex::new(());

    fn backend(kind: DeviceKind) -> Backend {
        Backend { device: Device::flex(), name: "wgpu:7".to_owned(), kind, description: String::new() }
    }

    #[test]
    fn a_lost_device_is_an_error_with_the_first_message() {
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
    fn a_panic_on_another_thread_alone_is_an_error_too() {
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
    fn results_and_errors_of_the_work_are_passed_on() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = catch(&backend(DeviceKind::Remote), || Ok::<_, Error>(7));
        assert_eq!(passed.expect("nothing failed"), 7);
        let failed = catch(&backend(DeviceKind::Gpu), || Err::<(), _>(Error::NoOptimum { scenario: "x".into() }));
        assert!(matches!(failed, Err(Error::NoOptimum { .. })));
    }
}
