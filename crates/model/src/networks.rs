//! Trained networks of any kind. Programs hold them as [`Networks`] after loading a record.

use std::any::Any;
use std::fmt::Debug;
use std::ops::RangeInclusive;

use burn::tensor::Device;
use serde::Serialize;
use sim::scheme::Scheme;
use sim::stream::dispatch::scheme::DispatchScheme;
use sim::{CostModel, Environment, Scenario};

use crate::dnn::Selection;
use crate::export::{ExportFormat, ExportedFile};
use crate::fleet::Inference;
use crate::record::{ManifestFile, RecordError, RecordText};
use crate::state::StateError;

/// The most cost evaluations per task that networks without a budget spend on ties, where only energy or only time counts.
pub(crate) const TIE_EVALUATIONS_PER_TASK: u64 = 100;

/// A kind of networks.
#[derive(Debug)]
pub struct Kind {
    /// `kind` of a record's manifest.
    pub name: &'static str,
    /// The kind in words, as in "a record of DNNs for one scenario".
    pub description: &'static str,
    /// `kind` in the service's description of a record.
    pub service_name: &'static str,
    /// The command that trains such networks.
    pub command: &'static str,
    /// Versions of the record format without `kind` that held networks of this kind.
    pub(crate) unnamed_in_versions: RangeInclusive<i64>,
    /// Reads networks of this kind from a manifest and its file of weights.
    pub(crate) read: ReadNetworks,
}

/// Reads networks of one kind onto a device.
type ReadNetworks = fn(&ManifestFile<'_>, &Device) -> Result<Box<dyn Networks>, RecordError>;

/// Trained networks of one kind, with everything that is needed to decide with them.
pub trait Networks: Any + Debug + Send + Sync {
    /// The kind of these networks.
    fn kind(&self) -> &'static Kind;

    /// Number of networks, K, and their widths.
    fn shape(&self) -> Shape;

    /// The scenario that the networks were trained for; `None` if they decide for any.
    fn scenario(&self) -> Option<&Scenario>;

    /// Mean and standard deviation of the task sizes in training, in bytes; `None` if the networks were trained on fleets of any
    /// sizes.
    fn size_moments_bytes(&self) -> Option<(f64, f64)>;

    /// Parts of an environment that the networks read. They take all other parts to be as in training.
    fn reads(&self) -> EnvironmentParts;

    /// Whether the networks can decide for a scenario, which may have other rates than the one that they were trained for
    /// only if `any_rates`.
    ///
    /// # Errors
    /// If they cannot: the reason, as the end of a sentence about the record.
    fn check_scenario(&self, scenario: &Scenario, any_rates: bool) -> Result<(), String>;

    /// Whether the networks can decide with these options.
    ///
    /// # Errors
    /// If an option is for another kind of networks: the first such option.
    fn check_options(&self, options: &DecisionOptions) -> Result<(), OptionError>;

    /// The networks as a scheme called `name`, for workloads of `model`. Options for other kinds are ignored; see
    /// [`Networks::check_options`].
    ///
    /// # Panics
    /// If `model` is of a scenario that [`Networks::check_scenario`] refuses.
    fn scheme(&self, name: &str, model: &CostModel, options: &DecisionOptions, device: &Device) -> Box<dyn Scheme>;

    /// The networks as a scheme called `name` that dispatches tasks as they arrive; `None` if they are not for that.
    fn dispatch_scheme(&self, _name: &str) -> Option<Box<dyn DispatchScheme>> {
        None
    }

    /// Options for each way of deciding that comparisons show, with its name in tables.
    fn compared(&self) -> Vec<(String, DecisionOptions)>;

    /// The first network with a parameter that is not a finite number, if there is one.
    fn first_not_finite(&self) -> Option<usize>;

    /// The parameters as Burn writes them.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    fn to_bytes(&self) -> Result<Vec<u8>, StateError>;

    /// The manifest of a record of these networks, as TOML that begins with the format version and a checksum; see
    /// [`RecordText`].
    fn manifest(&self, record: RecordText<'_>) -> String;

    /// The networks as files for other programs: one file for all of them, or one for each network.
    ///
    /// # Errors
    /// If the parameters cannot be written in this format.
    fn export(&self, format: ExportFormat, per_network: bool) -> Result<Vec<ExportedFile>, StateError>;
}

impl dyn Networks {
    /// These networks, if they are of the kind `N`.
    pub fn downcast_ref<N: Networks>(&self) -> Option<&N> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }

    /// Names of the parts that differ between two environments and that the networks do not read.
    pub fn unread_changes(&self, from: &Environment, to: &Environment) -> Vec<&'static str> {
        let reads = self.reads();
        let changes = [
            ("uplinks", from.uplinks_mbps != to.uplinks_mbps, reads.uplinks),
            ("capacities", from.capacities != to.capacities, reads.capacities),
            ("α", from.alpha != to.alpha, reads.alpha),
        ];
        changes.into_iter().filter(|(_, changed, read)| *changed && !read).map(|(part, ..)| part).collect()
    }
}

/// Options of deciding that replace the options of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionOptions {
    /// How DNNs make and select candidates; `None`: as in their record.
    pub selection: Option<Selection>,
    /// How networks for any fleet decide; `None`: passes after greedy.
    pub inference: Option<Inference>,
}

/// An option that is not for networks of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{option} needs a record of {wanted}")]
pub struct OptionError {
    /// The option, as the command line calls it.
    pub option: &'static str,
    /// The kind of networks that it is for, in words.
    pub wanted: &'static str,
}

/// A selection of the parts of an [`Environment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvironmentParts {
    /// The devices' uplinks.
    pub uplinks: bool,
    /// The servers' capacities.
    pub capacities: bool,
    /// The weight α of energy against time.
    pub alpha: bool,
}

impl EnvironmentParts {
    /// Whether any part is selected.
    pub fn any(self) -> bool {
        self.uplinks || self.capacities || self.alpha
    }
}

/// Number of networks and their widths, as the service describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Shape {
    /// DNNs for one scenario.
    #[serde(rename = "network")]
    Dnn {
        /// Number of networks, K.
        #[serde(rename = "dnns")]
        networks: usize,
        /// Inputs of each network.
        inputs: usize,
        /// Widths of the hidden layers.
        hidden: Vec<usize>,
        /// Logits of each network.
        outputs: usize,
    },
    /// Networks for any fleet.
    #[serde(rename = "networks")]
    Fleet {
        /// Number of networks, K.
        #[serde(rename = "nets")]
        networks: usize,
        /// Hidden units of each task at each place.
        width: usize,
        /// Rounds of one forward pass.
        rounds: usize,
    },
    /// Networks that dispatch tasks as they arrive.
    #[serde(rename = "networks")]
    Stream {
        /// Number of networks, K.
        #[serde(rename = "nets")]
        networks: usize,
        /// Hidden units.
        width: usize,
    },
}
