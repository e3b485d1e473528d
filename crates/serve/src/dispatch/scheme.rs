//! Where the scheme of a dispatching service comes from.

use sim::stream::dispatch::Site;
use sim::stream::dispatch::scheme::{DispatchScheme, by_name};

use crate::ServeError;

/// The source of the scheme that decides. It is opened when the service starts, and again at each reload.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemeSource {
    /// A scheme by its name, such as `one-step-fitted` or `priced@0.1,2,1,1.5`.
    Name(String),
}

/// Schemes that need more than the queues.
const NOT_LIVE: &str = "rollout";

/// Opens the scheme that decides for a site.
///
/// # Errors
/// If there is no such scheme, or it cannot decide about tasks as they arrive.
pub(crate) fn open_scheme(source: &SchemeSource, site: &Site) -> Result<Box<dyn DispatchScheme>, ServeError> {
    match source {
        SchemeSource::Name(name) if name.split('@').next() == Some(NOT_LIVE) => {
            Err(ServeError::NotLive { scheme: name.clone() })
        }
        SchemeSource::Name(name) => Ok(by_name(name, site)?),
    }
}
