//! Means by formula.

use super::cellular::cellular_stage;
use super::deadline::{Rates, WifiStage, wifi_stage};
use super::{DelayedError, DelayedLink, DelayedMeans, DelayedModel, DelayedPolicy};
use crate::stream::Sizes;
use crate::stream::formulas::{QueueError, ServiceTime, exponential_queue, general_queue, on_off_queue};

/// The means of a policy, exact where the table of this module says that there is a formula.
///
/// # Errors
/// If a number makes no sense, a queue grows without end, or there is no formula.
pub fn means(model: &DelayedModel, policy: &DelayedPolicy) -> Result<DelayedMeans, DelayedError> {
    model.check(policy)?;
    match *policy {
        DelayedPolicy::Split { wifi_share } => split(model, wifi_share),
        DelayedPolicy::Deadline { deadline_s: 0.0 } => split(model, 0.0),
        DelayedPolicy::Deadline { deadline_s } if deadline_s.is_infinite() => split(model, 1.0),
        DelayedPolicy::Deadline { deadline_s } => deadline(model, deadline_s),
    }
}

fn split(model: &DelayedModel, wifi_share: f64) -> Result<DelayedMeans, DelayedError> {
    let wifi_s = if wifi_share > 0.0 {
        let service = ServiceTime::of_sizes(&model.sizes, model.wifi_link.bytes_per_s);
        let queue = on_off_queue(wifi_share * model.files_per_s, &service, &model.wifi);
        queue.map_err(|error| of("WiFi", error))?.mean_response_s
    } else {
        0.0
    };
    let cellular_share = 1.0 - wifi_share;
    let cellular_s = if cellular_share > 0.0 {
        let service = ServiceTime::of_sizes(&model.sizes, model.cellular_link.bytes_per_s);
        let queue = general_queue(cellular_share * model.files_per_s, &service);
        queue.map_err(|error| of("the cellular link", error))?.mean_response_s
    } else {
        0.0
    };
    Ok(DelayedMeans {
        energy_j: energy_j(model, cellular_share),
        response_s: wifi_share * wifi_s + cellular_share * cellular_s,
        cellular_share,
    })
}

fn deadline(model: &DelayedModel, deadline_s: f64) -> Result<DelayedMeans, DelayedError> {
    let Sizes::Exponential { mean: mean_bytes } = model.sizes else { return Err(DelayedError::SizesNotExponential) };
    let rates = Rates::new(model, mean_bytes, deadline_s);
    let WifiStage { late_per_s: [on, off], mean_time_s } = wifi_stage(&rates)?;
    let late_share = ((on + off) / model.files_per_s).clamp(0.0, 1.0);
    // What remains of a file at its deadline is distributed as a whole file: exponential sizes have no memory.
    let served_per_s = model.cellular_link.bytes_per_s / mean_bytes;
    let cellular_s = if late_share > 1e-12 {
        exponential_queue(late_share * model.files_per_s, 1.0 / served_per_s)
            .map_err(|error| of("the cellular link", error))?;
        cellular_stage(&rates, served_per_s)?.0
    } else {
        1.0 / served_per_s
    };
    Ok(DelayedMeans {
        energy_j: energy_j(model, late_share),
        response_s: mean_time_s + late_share * cellular_s,
        cellular_share: late_share,
    })
}

/// The energy of a file, if this share of all bytes goes over the cellular link.
fn energy_j(model: &DelayedModel, cellular_share: f64) -> f64 {
    let per_byte = |link: &DelayedLink| link.power_w / link.bytes_per_s;
    model.sizes.mean()
        * ((1.0 - cellular_share) * per_byte(&model.wifi_link) + cellular_share * per_byte(&model.cellular_link))
}

fn of(link: &'static str, error: QueueError) -> DelayedError {
    DelayedError::Queue { link, error }
}
