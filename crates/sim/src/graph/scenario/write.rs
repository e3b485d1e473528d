//! From a [`GraphScenario`] to TOML text.

use serde::{Serialize, Serializer};

use super::{
    ApplicationSettings, CountEnergy, DOWNLINKS, Device, GraphScenario, ORDERS, Pinned, ServerSettings, Source,
    TIMINGS, TRANSFERS,
};
use crate::graph::generators::{Called, Generator, Growth, LayerTable, Layered};
use crate::graph::layers::Network;
use crate::graph::rules::{Downlinks, OrderRule};

/// A scenario with its keys in the order in which files have them.
#[derive(Serialize)]
struct Written<'s> {
    name: &'s str,
    kind: &'static str,
    alpha: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions_per_byte: Option<f64>,
    count_energy: CountEnergy,
    devices: &'s Device,
    application: WrittenApplication<'s>,
    servers: &'s [ServerSettings],
}

#[derive(Serialize)]
struct WrittenApplication<'s> {
    timing: &'static str,
    transfer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    downlinks: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<&'s Pinned>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    energy_limit_j: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_limit: Option<f64>,
    graph: WrittenSource<'s>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenSource<'s> {
    Layered {
        generator: &'static str,
        #[serde(flatten)]
        layered: &'s Layered,
    },
    Called {
        #[serde(flatten)]
        called: &'s Called,
        #[serde(skip_serializing_if = "Option::is_none")]
        density: Option<f64>,
    },
    Network {
        layers: &'static str,
    },
    Layers(&'s LayerTable),
    File {
        file: &'s str,
    },
}

impl Serialize for Pinned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::First => serializer.serialize_str("first"),
            Self::Ends => serializer.serialize_str("ends"),
            Self::Names(names) => names.serialize(serializer),
        }
    }
}

/// The word for a value.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, other)| other == value).map_or("", |(word, _)| word)
}

impl GraphScenario {
    /// The scenario as TOML, without comments. [`GraphScenario::from_toml`] reads it back to an equal scenario.
    ///
    /// # Panics
    /// Never: a scenario holds only numbers, texts and tables, and TOML can write all of them.
    pub fn to_toml(&self) -> String {
        let ApplicationSettings { timing, transfer, order, downlinks, pinned, deadline_s, .. } = &self.application;
        let ApplicationSettings { energy_limit_j, price_limit, source, .. } = &self.application;
        let instructions_per_byte = match source {
            Source::Generator(Generator::Layered(layered)) => Some(layered.instructions_per_byte),
            _ => None,
        };
        let graph = match source {
            Source::Generator(Generator::Layered(layered)) => WrittenSource::Layered { generator: "layered", layered },
            Source::Generator(Generator::Called(called)) => {
                let density = match called.growth {
                    Growth::CallGraph { density } => Some(density),
                    Growth::Chain | Growth::Tree => None,
                };
                WrittenSource::Called { called, density }
            }
            Source::Generator(Generator::Network(network)) => {
                WrittenSource::Network { layers: word(&Network::NAMES, network) }
            }
            Source::Generator(Generator::Layers(table)) => WrittenSource::Layers(table),
            Source::File { path } => WrittenSource::File { file: path },
        };
        let written = Written {
            name: &self.name,
            kind: "graph",
            alpha: self.alpha,
            instructions_per_byte,
            count_energy: self.count_energy,
            devices: &self.device,
            application: WrittenApplication {
                timing: word(&TIMINGS, timing),
                transfer: word(&TRANSFERS, transfer),
                order: (*order != OrderRule::default()).then(|| word(&ORDERS, order)),
                downlinks: (*downlinks != Downlinks::default()).then(|| word(&DOWNLINKS, downlinks)),
                pinned: (*pinned != Pinned::None).then_some(pinned),
                deadline_s: *deadline_s,
                energy_limit_j: *energy_limit_j,
                price_limit: *price_limit,
                graph,
            },
            servers: &self.servers,
        };
        toml::to_string(&written).expect("numbers, texts and tables can be written")
    }
}
