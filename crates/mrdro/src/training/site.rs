//! Settings of training for any site.

use drl::stream::SiteSettings;
use model::stream::{MAX_WIDTH, Parameters};
use serde::Serialize;
use sim::config::{Any, Name, Nested};
use sim::stream::dispatch::Sites;

use super::TrainingError;
use super::source::{self, Source};

sim::settings! {
    /// Settings of a training for any site. The defaults are the values of the preset `site`.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct SiteTraining {
        /// What results and run directories are called.
        pub name: String = "site".to_owned(), in Name;
        /// The networks.
        pub network: SiteNetwork = SiteNetwork::default(), in Nested;
        /// Algorithm 2 over sites.
        pub drl: SiteSettings = SiteSettings::default(), in Nested;
        /// The sites that are drawn.
        pub sites: Sites = Sites::default(), in Nested;
    }
}

sim::settings! {
    /// Number and shape of networks for any site, and what they know.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    pub struct SiteNetwork {
        /// K.
        pub nets: usize = 4, in 1..=64;
        /// Hidden units.
        pub width: usize = 16, in 1..=MAX_WIDTH;
        /// Whether they are told the mean rates of arrivals, and not only what was seen of them.
        pub knows_rates: bool = false, in Any;
    }
}

impl SiteNetwork {
    /// Random networks, from which training starts.
    pub fn random(&self, seed: u64) -> Vec<Parameters> {
        (0..self.nets).map(|index| Parameters::random(self.width, index, seed)).collect()
    }
}

impl Source for SiteTraining {
    const PRESETS: &'static [(&'static str, &'static str)] = &[("site", include_str!("../../training/site.toml"))];

    fn name_mut(&mut self) -> &mut String {
        &mut self.name
    }
}

source::constructors!(SiteTraining);
