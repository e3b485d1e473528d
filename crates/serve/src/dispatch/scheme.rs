//! Where the scheme of a dispatching service comes from.

use std::path::PathBuf;

use burn::tensor::Device;
use model::Record;
use sim::stream::dispatch::Site;
use sim::stream::dispatch::scheme::{DispatchScheme, by_name};

use crate::ServeError;

/// The source of the scheme that decides. It is opened when the service starts, and again at each reload.
#[derive(Debug, Clone)]
pub enum SchemeSource {
    /// A scheme by its name, such as `one-step-fitted` or `priced@0.1,2,1,1.5`.
    Name(String),
    /// The networks of a record, which is read again at each reload.
    Record {
        /// Its directory.
        path: PathBuf,
        /// The device that it is loaded onto.
        device: Device,
    },
}

impl PartialEq for SchemeSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one == other,
            (Self::Record { path: one, .. }, Self::Record { path: other, .. }) => one == other,
            _ => false,
        }
    }
}

/// The name of a record's networks in answers.
const NETWORKS: &str = "mr-dro-stream";

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
        SchemeSource::Record { path, device } => {
            let record = Record::load(path, device)?;
            let kind = record.networks.kind().description;
            let scheme = record.networks.dispatch_scheme(NETWORKS);
            scheme.ok_or_else(|| ServeError::NoDispatcher { path: path.clone(), kind })
        }
    }
}
