//! DNNs for one scenario as the networks of a record.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sim::scenario::Tasks;
use sim::scheme::Scheme;
use sim::{CostModel, Scenario};

use super::candidates::{DEFAULT_FLIPS, Exploration, Selection, SelectionScope};
use super::ensemble::Ensemble;
use super::features::{Code, Codec, EnvironmentInputs, Scaling};
use super::net::NetworkShape;
use super::policy::Policy;
use crate::export::{ExportFormat, ExportedFile};
use crate::networks::{DecisionOptions, EnvironmentParts, Kind, Networks, OptionError, Shape};
use crate::parameters;
use crate::record::{ManifestFile, RecordError, RecordText, Weights};
use crate::state::StateError;

/// Trained DNNs with their scenario and their codec.
#[derive(Debug, Clone)]
pub struct DnnNetworks {
    /// The networks.
    pub ensemble: Ensemble,
    /// The scenario that they decide for.
    pub scenario: Scenario,
    /// How logits stand for placements.
    pub code: Code,
    /// Scale of the task sizes.
    pub scaling: Scaling,
    /// Parts of the environment that the networks read, with their scales.
    pub reads: EnvironmentInputs,
    /// How candidates are made and selected in decisions.
    pub selection: Selection,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: i64,
    sha256: String,
    #[serde(default)]
    kind: String,
    network: NetworkTable,
    codec: CodecTable,
    selection: SelectionTable,
    provenance: BTreeMap<String, String>,
    measures: BTreeMap<String, f64>,
    weights: Weights,
    scenario: toml::Table,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    dnns: usize,
    inputs: usize,
    hidden: Vec<usize>,
    outputs: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodecTable {
    code: Code,
    mean_bytes: f64,
    deviation_bytes: f64,
    #[serde(default, skip_serializing_if = "EnvironmentInputs::is_empty")]
    environment: EnvironmentInputs,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionTable {
    /// Indicators flipped for each network; 0: the paper's threshold.
    flips: usize,
    choice: SelectionScope,
}

impl DnnNetworks {
    /// The kind of these networks.
    pub const KIND: Kind = Kind {
        name: "dnn",
        description: "DNNs for one scenario",
        service_name: "dnns",
        command: "trainer train",
        unnamed_in_versions: 1..=2,
        read: |manifest, device| Ok(Box::new(Self::read(manifest, device)?)),
    };

    /// The codec of these networks, for workloads of `model`.
    ///
    /// # Panics
    /// If the code does not fit `model`: its scenario must be one that [`Networks::check_scenario`] accepts.
    pub fn codec(&self, model: &CostModel) -> Codec {
        let codec =
            Codec::new(self.code, model, self.scaling).expect("the networks were checked against their scenario");
        codec.with_environment(self.reads)
    }

    fn read(file: &ManifestFile<'_>, device: &Device) -> Result<Self, RecordError> {
        let manifest: Manifest = file.parse()?;
        let wrong = |reason: String| file.wrong(reason);
        let scenario_text = toml::to_string(&manifest.scenario).map_err(|error| wrong(error.to_string()))?;
        let scenario = Scenario::from_toml("its scenario", &scenario_text).map_err(|error| wrong(error.to_string()))?;
        let model = scenario.check().map_err(|error| wrong(error.to_string()))?;
        let CodecTable { code, mean_bytes, deviation_bytes, environment: reads } = manifest.codec;
        let scaling = Scaling { mean_bytes, std_dev_bytes: deviation_bytes };
        if !(mean_bytes > 0.0 && deviation_bytes > 0.0 && mean_bytes.is_finite() && deviation_bytes.is_finite()) {
            return Err(wrong(format!(
                "codec.mean_bytes and codec.deviation_bytes must be above 0, but are {mean_bytes} and {deviation_bytes}"
            )));
        }
        if !reads.is_valid() {
            return Err(wrong("codec.environment must have finite means, and deviations above 0".to_owned()));
        }
        let codec =
            Codec::new(code, &model, scaling).map_err(|error| wrong(error.to_string()))?.with_environment(reads);
        let NetworkTable { dnns: networks, inputs, hidden, outputs } = manifest.network;
        if (inputs, outputs) != (codec.inputs(), codec.outputs()) {
            let (wanted_in, wanted_out) = (codec.inputs(), codec.outputs());
            return Err(wrong(format!(
                "networks with {inputs} inputs and {outputs} outputs do not fit the scenario, which needs {wanted_in} and {wanted_out}"
            )));
        }
        let shape = NetworkShape { inputs, hidden, outputs };
        let parameters = parameters::total(networks, shape.parameters()).filter(|_| !shape.hidden.contains(&0));
        let Some(parameters) = parameters else {
            return Err(wrong(format!(
                "{networks} networks with the hidden layers {:?} are not possible",
                shape.hidden
            )));
        };
        let bytes = file.weights(&manifest.weights, parameters)?;
        let ensemble = Ensemble::from_bytes(bytes, &shape, networks, device);
        let ensemble = ensemble.map_err(|error| file.other_weights(&error))?;
        let selection = Selection {
            exploration: match manifest.selection.flips {
                0 => Exploration::Threshold,
                flips => Exploration::OrderPreserving { flips },
            },
            scope: manifest.selection.choice,
        };
        Ok(Self { ensemble, scenario, code, scaling, reads, selection })
    }
}

impl Networks for DnnNetworks {
    fn kind(&self) -> &'static Kind {
        const { &Self::KIND }
    }

    fn shape(&self) -> Shape {
        let NetworkShape { inputs, hidden, outputs } = self.ensemble.shape();
        Shape::Dnn { networks: self.ensemble.networks(), inputs, hidden, outputs }
    }

    fn scenario(&self) -> Option<&Scenario> {
        Some(&self.scenario)
    }

    fn size_moments_bytes(&self) -> Option<(f64, f64)> {
        Some((self.scaling.mean_bytes, self.scaling.std_dev_bytes))
    }

    fn reads(&self) -> EnvironmentParts {
        EnvironmentParts {
            uplinks: self.reads.log_uplink.is_some(),
            capacities: self.reads.log_capacity.is_some(),
            alpha: self.reads.alpha.is_some(),
        }
    }

    fn check_scenario(&self, scenario: &Scenario, any_rates: bool) -> Result<(), String> {
        let shape = |scenario: &Scenario| {
            let servers: Vec<_> = scenario.servers.iter().map(|server| server.name.as_str()).collect();
            let Tasks { per_device, counts, .. } = &scenario.tasks;
            let tasks = if counts.is_empty() {
                format!("{per_device} tasks each")
            } else {
                let counts: Vec<_> = counts.iter().map(ToString::to_string).collect();
                format!("{} tasks", counts.join(", "))
            };
            format!("{} devices with {tasks} and the servers {}", scenario.devices.count, servers.join(", "))
        };
        let difference = || {
            let models = [self.scenario.check(), scenario.check()];
            let has_details = models.iter().flatten().any(|model| model.is_detailed() || model.has_deadlines());
            match &models {
                [own, other] if own == other => None,
                _ if has_details => Some("other rates, latencies, instructions per byte or deadlines, or another α"),
                _ => Some("other rates or another α"),
            }
        };
        let (own, other) = (shape(&self.scenario), shape(scenario));
        if own != other {
            Err(format!("it was trained for {own}, but `{}` has {other}", scenario.name))
        } else if let Some(difference) = difference().filter(|_| !any_rates) {
            Err(format!(
                "`{}`, which it was trained for, has the same devices and servers as `{}`, but {difference}",
                self.scenario.name, scenario.name
            ))
        } else {
            Ok(())
        }
    }

    fn check_options(&self, options: &DecisionOptions) -> Result<(), OptionError> {
        match options.inference {
            None => Ok(()),
            Some(inference) => Err(OptionError { option: inference.option(), wanted: "networks for any fleet" }),
        }
    }

    fn scheme(&self, name: &str, model: &CostModel, options: &DecisionOptions, device: &Device) -> Box<dyn Scheme> {
        let selection = options.selection.unwrap_or(self.selection);
        Box::new(Policy::new(name, &self.ensemble, self.codec(model), selection, device))
    }

    fn compared(&self) -> Vec<(String, DecisionOptions)> {
        let ways = [("mr-dro", Selection::PAPER), ("mr-dro-explored", Selection::explored(DEFAULT_FLIPS))];
        let options = |selection| DecisionOptions { selection: Some(selection), inference: None };
        ways.into_iter().map(|(name, selection)| (name.to_owned(), options(selection))).collect()
    }

    fn first_not_finite(&self) -> Option<usize> {
        self.ensemble.first_not_finite()
    }

    fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        self.ensemble.to_bytes()
    }

    fn manifest(&self, record: RecordText<'_>) -> String {
        let NetworkShape { inputs, hidden, outputs } = self.ensemble.shape();
        let flips = match self.selection.exploration {
            Exploration::Threshold => 0,
            Exploration::OrderPreserving { flips } => flips,
        };
        RecordText::sealed(&Manifest {
            format_version: RecordText::FORMAT_VERSION,
            sha256: String::new(),
            kind: Self::KIND.name.to_owned(),
            network: NetworkTable { dnns: self.ensemble.networks(), inputs, hidden, outputs },
            codec: CodecTable {
                code: self.code,
                mean_bytes: self.scaling.mean_bytes,
                deviation_bytes: self.scaling.std_dev_bytes,
                environment: self.reads,
            },
            selection: SelectionTable { flips, choice: self.selection.scope },
            provenance: record.provenance.clone(),
            measures: record.measures.clone(),
            weights: record.weights(),
            scenario: toml::from_str(&self.scenario.to_toml()).expect("a scenario's TOML is a table"),
        })
    }

    fn export(&self, format: ExportFormat, per_network: bool) -> Result<Vec<ExportedFile>, StateError> {
        if !per_network {
            return Ok(vec![ExportedFile::of("ensemble", &self.ensemble, format, &self.description(None))?]);
        }
        let one = |index: usize| {
            let (name, network) = (format!("dnn-{index}"), self.ensemble.network(index));
            ExportedFile::of(&name, &network, format, &self.description(Some(index)))
        };
        (0..self.ensemble.networks()).map(one).collect()
    }
}
