//! Settings of training for any fleet.

use drl::fleet::FleetSettings;
use model::MAX_PARAMETERS;
use model::fleet;
use serde::Serialize;
use sim::Fleets;
use sim::config::{Checks, Name, Nested};

use super::TrainingError;
use super::source::{self, Source};

sim::settings! {
    /// Settings of a training for any fleet. The defaults are the values of the preset `fleet`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct FleetTraining {
        /// What results and run directories are called.
        pub name: String = "fleet".to_owned(), in Name;
        /// The networks.
        pub network: FleetNetwork = FleetNetwork::default(), in Nested;
        /// Algorithm 2 over fleets.
        pub drl: FleetSettings = FleetSettings::default(), in Nested;
        /// Limits of the fleets that are drawn.
        pub fleets: Fleets = Fleets::default(), in Nested;
    }
}

sim::settings! {
    /// Number and shape of networks for any fleet.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    pub struct FleetNetwork {
        /// K.
        pub nets: usize = 2, in 1..=64;
        /// Hidden units of each task at each place.
        pub width: usize = 24, in 1..=1024;
        /// Rounds of one forward pass.
        pub rounds: usize = 4, in 1..=64;
    }
    check together with parameters_fit;
}

impl FleetNetwork {
    /// The shape of each network.
    pub fn shape(&self) -> fleet::Shape {
        fleet::Shape { width: self.width, rounds: self.rounds }
    }
}

fn parameters_fit(network: &FleetNetwork, checks: &mut Checks) {
    if network.shape().parameters().saturating_mul(network.nets) > MAX_PARAMETERS {
        checks.add_to_table(format!("has more than {MAX_PARAMETERS} parameters"));
    }
}

impl Source for FleetTraining {
    const PRESETS: &'static [(&'static str, &'static str)] = &[("fleet", include_str!("../../training/fleet.toml"))];

    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

source::constructors!(FleetTraining);
