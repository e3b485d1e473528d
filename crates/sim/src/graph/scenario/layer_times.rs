//! Files of measured layers that a scenario names.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{GraphModel, GraphModelError, GraphScenario};
use crate::graph::layer_times::LayerRegression;
use crate::graph::run_times::PredictionError;
use crate::graph::system::LOCAL;

/// The measured layers of a place, from which the times of layers there are predicted. The crate `data` reads the file.
#[derive(Debug, Clone)]
pub struct LayerTimes {
    path: String,
    regression: Option<Arc<LayerRegression>>,
}

/// Two are equal if they name the same file, whether it has been read or not.
impl PartialEq for LayerTimes {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Serialize for LayerTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.path)
    }
}

impl LayerTimes {
    /// The measured layers in a file that has not been read.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), regression: None }
    }

    /// The file. In a scenario file the path is relative to that file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The times predicted from the file's layers; `None`: it has not been read.
    pub fn regression(&self) -> Option<&LayerRegression> {
        self.regression.as_deref()
    }

    /// Says what the file's layers predict.
    pub fn set_regression(&mut self, regression: LayerRegression) {
        self.regression = Some(Arc::new(regression));
    }

    pub(super) fn path_mut(&mut self) -> &mut String {
        &mut self.path
    }
}

impl GraphScenario {
    /// The measured layers of each place that has some, with the name of the place.
    pub fn layer_times(&self) -> impl Iterator<Item = (&str, &LayerTimes)> {
        let servers = self.servers.iter().map(|server| (server.name.as_str(), server.layer_times.as_ref()));
        let all = std::iter::once((LOCAL, self.device.layer_times.as_ref())).chain(servers);
        all.filter_map(|(name, times)| Some((name, times?)))
    }

    /// The measured layers of each place that has some.
    pub fn layer_times_mut(&mut self) -> impl Iterator<Item = &mut LayerTimes> {
        let servers = self.servers.iter_mut().filter_map(|server| server.layer_times.as_mut());
        self.device.layer_times.as_mut().into_iter().chain(servers)
    }

    /// The model with the times of layers that the scenario's measured layers predict.
    ///
    /// # Errors
    /// If measured layers have not been read, or do not predict the time of a task.
    pub fn with_predicted_times(&self, model: GraphModel) -> Result<GraphModel, GraphModelError> {
        let servers = self.servers.iter().map(|server| server.layer_times.as_ref());
        let places: Vec<Option<&LayerTimes>> =
            std::iter::once(self.device.layer_times.as_ref()).chain(servers).collect();
        if places.iter().all(Option::is_none) {
            return Ok(model);
        }
        for (place, times) in places.iter().enumerate() {
            if let Some(times) = times
                && times.regression.is_none()
            {
                let reason = PredictionError::NotRead { path: times.path.clone() };
                let task = model.application().tasks()[0].name.clone();
                let place = model.system().place_name(place).to_owned();
                return Err(GraphModelError::Prediction { task, place, reason });
            }
        }
        let regressions: Vec<_> = places.into_iter().map(|times| times.and_then(LayerTimes::regression)).collect();
        model.with_layer_times(&regressions)
    }
}
