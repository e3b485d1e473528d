//! Networks for any site as the networks of a record.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sim::scheme::Scheme;
use sim::stream::dispatch::Sites;
use sim::stream::dispatch::scheme::DispatchScheme;
use sim::{CostModel, Scenario};

use super::dispatcher::Dispatcher;
use super::features::{CONTEXT_NAMES, INPUTS, PLACE_NAMES};
use super::net::{LARGEST_LN_PRICE, Network, Parameters, parameters};
use crate::export::{Description, ExportFormat, ExportedFile};
use crate::networks::{self, DecisionOptions, EnvironmentParts, Kind, Networks, OptionError};
use crate::parameters::{self as module_parameters, Ids};
use crate::record::{ManifestFile, RecordError, RecordText, Weights};
use crate::state::StateError;

/// K networks for any site, all of one width.
#[derive(Module, Debug)]
pub struct Ensemble {
    /// The networks. Records contain the name of this field.
    pub nets: Vec<Network>,
}

impl Ensemble {
    /// Networks with these parameters.
    pub fn with(networks: &[Parameters], device: &Device) -> Self {
        let mut ids = Ids::default();
        Self { nets: networks.iter().map(|network| Network::numbered(network, device, &mut ids)).collect() }
    }

    /// The parameters of each network, copied from their device.
    pub fn parameters(&self) -> Vec<Parameters> {
        self.nets.iter().map(Network::parameters).collect()
    }
}

/// Trained networks that dispatch tasks at any site, with the sites that they were trained on.
#[derive(Debug, Clone)]
pub struct StreamNetworks {
    /// The networks.
    pub ensemble: Ensemble,
    /// Whether they were trained with known mean rates of arrivals, which they read then.
    pub knows_rates: bool,
    /// The distribution of the sites that training saw.
    pub sites: Sites,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: i64,
    sha256: String,
    kind: String,
    network: NetworkTable,
    sites: Sites,
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
    knows_rates: bool,
}

/// The most hidden units of one network.
pub const MAX_WIDTH: usize = 1024;

impl StreamNetworks {
    /// The kind of these networks.
    pub const KIND: Kind = Kind {
        name: "stream",
        description: "networks for tasks that arrive over time",
        service_name: "stream",
        command: "trainer site",
        // Every version that held such networks names the kind.
        unnamed_in_versions: i64::MAX..=i64::MAX,
        read: |manifest, device| Ok(Box::new(Self::read(manifest, device)?)),
    };

    fn read(file: &ManifestFile<'_>, device: &Device) -> Result<Self, RecordError> {
        let manifest: Manifest = file.parse()?;
        let wrong = |reason: String| file.wrong(reason);
        let NetworkTable { nets, inputs, width, knows_rates } = manifest.network;
        if inputs != INPUTS {
            return Err(wrong(format!(
                "the networks read {inputs} inputs; this version of the program has networks that read {INPUTS}"
            )));
        }
        let count = module_parameters::total(nets, parameters(width)).filter(|_| (1..=MAX_WIDTH).contains(&width));
        let Some(count) = count else {
            return Err(wrong(format!("{nets} networks with {width} units are not possible")));
        };
        if !manifest.sites.is_valid() {
            return Err(wrong("sites: the range of devices must begin at 1 or above and end no lower".to_owned()));
        }
        let bytes = file.weights(&manifest.weights, count)?;
        let zeros = vec![Parameters { width, values: vec![0.0; parameters(width)] }; nets];
        let ensemble = module_parameters::from_bytes(Ensemble::with(&zeros, device), bytes);
        let ensemble = ensemble.map_err(|error| file.other_weights(&error))?;
        Ok(Self { ensemble, knows_rates, sites: manifest.sites })
    }

    /// The networks as a scheme called `name`.
    pub fn dispatcher(&self, name: &str) -> Dispatcher {
        Dispatcher::new(name, &self.ensemble.parameters(), self.knows_rates)
    }

    fn width(&self) -> usize {
        self.ensemble.nets[0].parameters().width
    }

    fn exported(&self, index: Option<usize>) -> Description {
        let mut description = Description::new(Self::KIND.name, self.ensemble.nets.len(), index);
        description.json("layers", &json!({ "inputs": INPUTS, "width": self.width() }));
        description.text("activation", "softsign: a / (1 + |a|)");
        description
            .text("tensors", "input [35, width], bias [1, width], price [width, 2], direct [35, 2], price_bias [1, 2]");
        description.text(
            "prices",
            format!(
                "For each place, ln p = softsign(x input + bias) price + x direct + price_bias, at most {LARGEST_LN_PRICE}: the \
                 logarithms of the prices of the link and of the machine. The mean over networks is taken. The place with the least \
                 own cost + (1 - alpha) sum of p ((W + x)^2 - W^2) is chosen, W and x in units of time, costs in units of cost."
            ),
        );
        description.json("context_inputs", &json!(CONTEXT_NAMES));
        description.json("place_inputs", &json!(PLACE_NAMES));
        description.json("knows_rates", &json!(self.knows_rates));
        description.json("trained_on", &json!(self.sites));
        description
    }
}

impl Networks for StreamNetworks {
    fn kind(&self) -> &'static Kind {
        const { &Self::KIND }
    }

    fn shape(&self) -> networks::Shape {
        networks::Shape::Stream { networks: self.ensemble.nets.len(), width: self.width() }
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
        Err("it has networks for tasks that arrive over time; a scenario of the kind `stream` has such tasks"
            .to_owned())
    }

    fn check_options(&self, options: &DecisionOptions) -> Result<(), OptionError> {
        match options {
            DecisionOptions { selection: Some(_), .. } => {
                Err(OptionError { option: "--explore", wanted: "DNNs for one scenario" })
            }
            DecisionOptions { inference: Some(inference), .. } => {
                Err(OptionError { option: inference.option(), wanted: "networks for any fleet" })
            }
            DecisionOptions { selection: None, inference: None } => Ok(()),
        }
    }

    fn scheme(&self, _: &str, _: &CostModel, _: &DecisionOptions, _: &Device) -> Box<dyn Scheme> {
        panic!("check_scenario refuses every scenario of tasks that are there at once")
    }

    fn dispatch_scheme(&self, name: &str) -> Option<Box<dyn DispatchScheme>> {
        Some(Box::new(self.dispatcher(name)))
    }

    fn compared(&self) -> Vec<(String, DecisionOptions)> {
        vec![("mr-dro-stream".to_owned(), DecisionOptions::default())]
    }

    fn first_not_finite(&self) -> Option<usize> {
        let is_finite = |network: &Network| module_parameters::are_finite(&network.parameters().values);
        self.ensemble.nets.iter().position(|network| !is_finite(network))
    }

    fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        module_parameters::to_bytes(&self.ensemble)
    }

    fn manifest(&self, record: RecordText<'_>) -> String {
        RecordText::sealed(&Manifest {
            format_version: RecordText::FORMAT_VERSION,
            sha256: String::new(),
            kind: Self::KIND.name.to_owned(),
            network: NetworkTable {
                nets: self.ensemble.nets.len(),
                inputs: INPUTS,
                width: self.width(),
                knows_rates: self.knows_rates,
            },
            sites: self.sites.clone(),
            provenance: record.provenance.clone(),
            measures: record.measures.clone(),
            weights: record.weights(),
        })
    }

    fn export(&self, format: ExportFormat, per_network: bool) -> Result<Vec<ExportedFile>, StateError> {
        if !per_network {
            return Ok(vec![ExportedFile::of("ensemble", &self.ensemble, format, &self.exported(None))?]);
        }
        let one =
            |(index, net)| ExportedFile::of(&format!("network-{index}"), net, format, &self.exported(Some(index)));
        self.ensemble.nets.iter().enumerate().map(one).collect()
    }
}
