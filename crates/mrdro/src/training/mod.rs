//! Training settings: everything about a training that is not the scenario, the seed or the device.
//!
//! ```
//! use mrdro::Training;
//!
//! let mut training = Training::preset("paper")?;
//! training.set("drl.steps=2000")?;
//! training.meta.outer_steps = 100;
//! assert_eq!((training.drl.steps, training.network.dnns), (2000, 8));
//! # Ok::<(), mrdro::TrainingError>(())
//! ```
//!
//! Settings come from presets, from TOML files and from single texts of the form `key=value`; each of them replaces only
//! the keys that it names. [`Training`] is for networks of one scenario, [`FleetTraining`] for networks that decide for any
//! fleet, [`SiteTraining`] for networks that dispatch at any site. A new setting is one more field of the struct that needs it ([`sim::settings!`]).

mod error;
mod fleet;
mod site;
mod source;

use model::{Code, Selection};
use serde::Serialize;
use sim::config::{Any, Keywords, Name, Nested};

pub use self::error::TrainingError;
pub use self::fleet::{FleetNetwork, FleetTraining};
pub use self::site::{SiteNetwork, SiteTraining};
use self::source::Source;

/// The most networks in an ensemble.
const MAX_NETWORKS: usize = 1024;
/// The widest hidden layer.
const MAX_WIDTH: usize = 65_536;

sim::settings! {
    /// Settings of a training for one scenario. The defaults are the values of the preset `recommended`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Training {
        /// What results and run directories are called.
        pub name: String = "recommended".to_owned(), in Name;
        /// The networks.
        pub network: Network = Network::default(), in Nested;
        /// Algorithm 1.
        pub meta: meta::Settings = meta::Settings::default(), in Nested;
        /// Algorithm 2.
        pub drl: drl::Settings = drl::Settings::default(), in Nested;
        /// Algorithm 2 inside one environment, for adaptation.
        pub adaptation: drl::Settings = adaptation(), in Nested;
        /// How the trained record decides.
        pub decision: Selection = Selection::PAPER, in Nested;
    }
}

sim::settings! {
    /// Number and shape of the networks.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Network {
        /// K.
        pub dnns: usize = 8, in 1..=MAX_NETWORKS;
        /// Widths of the hidden layers.
        pub hidden: Vec<usize> = vec![120, 80], in 1..=MAX_WIDTH;
        /// How logits stand for placements; `None`: the code that fits the scenario.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub code: Option<Code> = None, in Keywords;
        /// Whether the networks read the environment in addition to the sizes; `None`: only where the environment
        /// changes.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reads_environment: Option<bool> = None, in Any;
    }
}

/// A short training on many workloads a step, which learns from the first step on.
fn adaptation() -> drl::Settings {
    drl::Settings {
        steps: 200,
        workloads_per_step: 32,
        buffer: 512,
        learn_from: Some(0),
        batch: 64,
        learning_rate: 0.01,
        final_learning_rate: 0.01,
        refine: true,
        report_every: 10,
        ..drl::Settings::default()
    }
}

impl Source for Training {
    const PRESETS: &'static [(&'static str, &'static str)] = &[
        ("recommended", include_str!("../../training/recommended.toml")),
        ("paper", include_str!("../../training/paper.toml")),
        ("environments", include_str!("../../training/environments.toml")),
        ("adaptable", include_str!("../../training/adaptable.toml")),
    ];

    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

source::constructors!(Training);
