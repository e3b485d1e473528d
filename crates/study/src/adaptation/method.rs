//! The methods that the study compares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A way of following a changing network with networks that learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Adapts from parameters that Reptile over environments prepared.
    Reptile,
    /// Adapts from random parameters.
    Random,
    /// Adapts from parameters that were trained on all environments together.
    Joint,
    /// Adapts from the parameters at the end of the last window; in the first window, from joint pre-training.
    LastWindow,
    /// Adapts networks that read the uplinks in addition to the task sizes.
    #[serde(rename = "reading")]
    EnvironmentInputs,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::Reptile, Self::Random, Self::Joint, Self::LastWindow, Self::EnvironmentInputs];
    /// The methods with a pre-training of their own.
    pub(super) const PRETRAINED: [Self; 3] = [Self::Reptile, Self::Joint, Self::EnvironmentInputs];

    /// The name of the method in tables and pictures.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reptile => "Reptile",
            Self::Random => "random start",
            Self::Joint => "joint pre-training",
            Self::LastWindow => "last window's networks",
            Self::EnvironmentInputs => "reads the environment",
        }
    }

    /// The name of the method in columns of `windows.csv`.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Reptile => "reptile",
            Self::Random => "random",
            Self::Joint => "joint",
            Self::LastWindow => "lastwindow",
            Self::EnvironmentInputs => "reading",
        }
    }
}

/// Where pre-training draws its environments from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The distribution of the scenario.
    Scenario,
    /// The windows of the training drives.
    Windows,
}

/// The settings that were chosen for one method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChosenSettings {
    /// Where pre-training draws its environments from.
    pub source: Source,
    /// Step size of Adam in joint pre-training.
    pub joint_rate: f64,
    /// Step size of Adam in adaptation.
    pub learning_rate: f64,
    /// ε of Adam in adaptation.
    pub epsilon: f64,
    /// The score for choosing settings: mean Q2 over some steps of adaptation on validation windows.
    pub score: f64,
}

/// The chosen settings of every method.
pub type SettingsOfMethods = BTreeMap<Method, ChosenSettings>;

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of earlier versions hold these names.
    #[test]
    fn methods_keep_their_names_in_files() {
        let names = Method::ALL.map(|method| serde_json::to_string(&method).expect("a name"));
        assert_eq!(names, ["\"reptile\"", "\"random\"", "\"joint\"", "\"last-window\"", "\"reading\""]);
    }
}
