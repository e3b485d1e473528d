//! Ctrl-C and SIGTERM: the first signal asks a run to stop after a checkpoint, the second ends the program at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Exit;

/// The number of the first signal that was received; 0 if there was none.
static RECEIVED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

const SIGNALS: [(i32, Signal); 2] = [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)];

/// A signal that ends programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "Ctrl-C",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Registers the signal handlers: from now on, [`requested`] tells the first signal. If handlers cannot be registered, signals
/// end the program at once as usual.
pub(crate) fn listen() {
    let received = RECEIVED.get_or_init(Arc::default);
    let again = Arc::new(AtomicBool::new(false));
    for (signal, named) in SIGNALS {
        // Handlers run in this order: the first signal only sets the flag under which the next one ends the program.
        let _ = flag::register_conditional_shutdown(signal, named.exit() as i32, Arc::clone(&again));
        let _ = flag::register(signal, Arc::clone(&again));
        let _ = flag::register_usize(signal, Arc::clone(received), signal as usize);
    }
}

/// The signal that has asked the program to end, if one was received.
pub(crate) fn requested() -> Option<Signal> {
    let received = RECEIVED.get()?.load(Ordering::Relaxed);
    SIGNALS.into_iter().find(|(signal, _)| *signal as usize == received).map(|(_, named)| named)
}
