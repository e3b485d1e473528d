//! What scenarios over time name in files: recorded rates and recorded arrivals.

mod arrivals;
mod rates;

pub use self::arrivals::{ArrivalTableError, BadArrival, recorded_arrivals};
pub use self::rates::{RecordedRatesError, recorded_rates};

use std::path::Path;

use sim::stream::StreamScenario;

/// Reads the recordings of rates and of arrivals that a scenario names.
///
/// # Errors
/// If a file cannot be read, is too short, or holds what does not fit the scenario.
pub fn read_recordings(scenario: &mut StreamScenario) -> Result<(), StreamDataError> {
    for (key, recording) in scenario.recordings_mut() {
        let rates = recorded_rates(recording).map_err(|reason| StreamDataError::Rates { key, reason })?;
        recording.set_rates(rates);
    }
    if let StreamScenario::Dispatch(scenario) = scenario {
        let devices = scenario.devices.count;
        if let Some(recorded) = scenario.recorded_arrivals_mut() {
            recorded.set_arrivals(recorded_arrivals(Path::new(&recorded.path), devices)?);
        }
    }
    Ok(())
}

/// Why the recordings that a scenario over time names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StreamDataError {
    /// Recorded rates.
    #[error("{key} of the scenario: {reason}")]
    Rates {
        /// The key that names them.
        key: String,
        /// Why.
        reason: RecordedRatesError,
    },
    /// Recorded arrivals.
    #[error(transparent)]
    Arrivals(#[from] ArrivalTableError),
}
