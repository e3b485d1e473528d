//! Networks for any fleet as the networks of a record.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sim::scheme::Scheme;
use sim::{CostModel, Fleets, Scenario};

use super::ensemble::Ensemble;
use super::features::INPUTS;
use super::net::Shape;
use super::policy::{Inference, Policy};
use crate::export::{ExportFormat, ExportedFile};
use crate::networks::{self, DecisionOptions, EnvironmentParts, Kind, Networks, OptionError};
use crate::parameters;
use crate::record::{ManifestFile, RecordError, RecordText, Weights};
use crate::state::StateError;

/// Cost evaluations a task of the search that follows the networks where nobody says how many.
pub const DEFAULT_EVALUATIONS_PER_TASK: u64 = 16;

/// Trained networks for any fleet, with the fleets that they were trained on.
#[derive(Debug, Clone)]
pub struct FleetNetworks {
    /// The networks.
    pub ensemble: Ensemble,
    /// The distribution of the fleets that training saw.
    pub fleets: Fleets,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: i64,
    sha256: String,
    #[serde(default)]
    kind: String,
    network: NetworkTable,
    fleets: Fleets,
    provenance: BTreeMap<String, String>,
    measures: BTreeMap<String, f64>,
    weights: Weights,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    nets: usize,
    inputs: usize,
    width: usize,
    rounds: usize,
}

impl FleetNetworks {
    /// The kind of these networks.
    pub const KIND: Kind = Kind {
        name: "fleet",
        description: "networks for any fleet",
        service_name: "fleet",
        command: "trainer fleet",
        unnamed_in_versions: 3..=3,
        read: |manifest, device| Ok(Box::new(Self::read(manifest, device)?)),
    };

    fn read(file: &ManifestFile<'_>, device: &Device) -> Result<Self, RecordError> {
        let manifest: Manifest = file.parse()?;
        let wrong = |reason: String| file.wrong(reason);
        let NetworkTable { nets, inputs, width, rounds } = manifest.network;
        if inputs != INPUTS {
            return Err(wrong(format!(
                "the networks read {inputs} inputs; this version of the program has networks that read {INPUTS}"
            )));
        }
        let shape = Shape { width, rounds };
        let parameters = parameters::total(nets, shape.parameters()).filter(|_| width > 0 && rounds > 0);
        let Some(parameters) = parameters else {
            return Err(wrong(format!("{nets} networks of {rounds} rounds with {width} units are not possible")));
        };
        if !manifest.fleets.is_valid() {
            return Err(wrong("fleets: each range must begin at 1 or above and end no lower".to_owned()));
        }
        let bytes = file.weights(&manifest.weights, parameters)?;
        let ensemble = Ensemble::from_bytes(bytes, shape, nets, device);
        let ensemble = ensemble.map_err(|error| file.other_weights(&error))?;
        Ok(Self { ensemble, fleets: manifest.fleets })
    }
}

impl Networks for FleetNetworks {
    fn kind(&self) -> &'static Kind {
        const { &Self::KIND }
    }

    fn shape(&self) -> networks::Shape {
        let Shape { width, rounds } = self.ensemble.shape();
        networks::Shape::Fleet { networks: self.ensemble.nets.len(), width, rounds }
    }

    fn scenario(&self) -> Option<&Scenario> {
        None
    }

    fn size_moments_bytes(&self) -> Option<(f64, f64)> {
        None
    }

    fn reads(&self) -> EnvironmentParts {
        EnvironmentParts { uplinks: true, capacities: true, alpha: true }
    }

    fn check_scenario(&self, _: &Scenario, _: bool) -> Result<(), String> {
        Ok(())
    }

    fn check_options(&self, options: &DecisionOptions) -> Result<(), OptionError> {
        match options.selection {
            None => Ok(()),
            Some(_) => Err(OptionError { option: "--explore", wanted: "DNNs for one scenario" }),
        }
    }

    fn scheme(&self, name: &str, _: &CostModel, options: &DecisionOptions, _: &Device) -> Box<dyn Scheme> {
        Box::new(Policy::new(name, &self.ensemble, options.inference.unwrap_or(Inference::Passes)))
    }

    fn compared(&self) -> Vec<(String, DecisionOptions)> {
        let search = Inference::Search { evaluations_per_task: DEFAULT_EVALUATIONS_PER_TASK };
        let way =
            |inference: Inference| (inference.name(), DecisionOptions { selection: None, inference: Some(inference) });
        [Inference::SearchFree, Inference::Passes, search].into_iter().map(way).collect()
    }

    fn first_not_finite(&self) -> Option<usize> {
        self.ensemble.first_not_finite()
    }

    fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        self.ensemble.to_bytes()
    }

    fn manifest(&self, record: RecordText<'_>) -> String {
        let Shape { width, rounds } = self.ensemble.shape();
        RecordText::sealed(&Manifest {
            format_version: RecordText::FORMAT_VERSION,
            sha256: String::new(),
            kind: Self::KIND.name.to_owned(),
            network: NetworkTable { nets: self.ensemble.nets.len(), inputs: INPUTS, width, rounds },
            fleets: self.fleets.clone(),
            provenance: record.provenance.clone(),
            measures: record.measures.clone(),
            weights: record.weights(),
        })
    }

    fn export(&self, format: ExportFormat, per_network: bool) -> Result<Vec<ExportedFile>, StateError> {
        if !per_network {
            return Ok(vec![ExportedFile::of("ensemble", &self.ensemble, format, &self.description(None))?]);
        }
        let one =
            |(index, net)| ExportedFile::of(&format!("network-{index}"), net, format, &self.description(Some(index)));
        self.ensemble.nets.iter().enumerate().map(one).collect()
    }
}
