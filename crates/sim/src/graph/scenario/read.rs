//! From TOML text to a [`GraphScenario`].

use super::{
    ApplicationSettings, CountEnergy, DOWNLINKS, Device, GraphScenario, LayerTimes, LinkPowers, ORDERS, Pinned, Powers,
    ServerSettings, Source, TIMINGS, TRANSFERS,
};
use crate::config::{Counts, Document, Mistakes, Numbers, Section};
use crate::graph::generators::{Called, Generator, Growth, LayerRow, LayerTable, Layered, TaskCount, Values};
use crate::graph::layers::{LayerKind, Network};
use crate::tasks::scenario::{Range, Tier};

/// The keys of `application.graph` that say where applications come from.
const SOURCES: [&str; 4] = ["generator", "file", "layers", "layer"];

impl GraphScenario {
    /// Reads a scenario and checks it. Messages call the text `origin`.
    ///
    /// # Errors
    /// All mistakes of syntax, keys, types and values, each with its place.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        if root.optional_choice("kind", &[("graph", ())]).is_none() {
            if !root.has("kind") {
                let message = "is missing: this is a scenario of independent tasks, where one of task graphs \
                               (kind = \"graph\") is needed";
                root.mistake("kind", message);
            }
            // Every other key would be a mistake, too.
            document.report(Vec::new())?;
        }
        let instructions_per_byte = root.optional_number("instructions_per_byte");
        let energy = [("everywhere", CountEnergy::Everywhere), ("devices", CountEnergy::Devices)];
        let scenario = Self {
            name: root.text("name"),
            alpha: root.number("alpha"),
            count_energy: root.optional_choice("count_energy", &energy).unwrap_or(CountEnergy::Everywhere),
            device: device(root.section("devices")),
            application: application(root.section("application"), instructions_per_byte, &root),
            servers: root.sections("servers").into_iter().map(server).collect(),
        };
        root.finish();
        document.report(scenario.mistakes())?;
        Ok(scenario)
    }
}

fn device(section: Section<'_>) -> Device {
    if section.optional_count("count").is_some_and(|count| count != 1) {
        section.mistake("count", "must be 1: an application runs on one device");
    }
    let uplink_mbps = section.number("uplink_mbps");
    let device = Device {
        frequency_mhz: section.number("frequency_mhz"),
        memory_mb_per_s: section.optional_number("memory_mb_per_s"),
        layer_times: section.optional_text("layer_times").map(LayerTimes::file),
        uplink_mbps,
        downlink_mbps: section.optional_number("downlink_mbps").unwrap_or(uplink_mbps),
        power_w: powers(section.optional_section("power_w")),
    };
    section.finish();
    device
}

/// Powers that are not given are 0.
fn powers(section: Option<Section<'_>>) -> Powers {
    let Some(section) = section else { return Powers { compute: 0.0, idle: 0.0, send: 0.0, receive: 0.0 } };
    let power = |name| section.optional_number(name).unwrap_or(0.0);
    let powers =
        Powers { compute: power("compute"), idle: power("idle"), send: power("send"), receive: power("receive") };
    section.finish();
    powers
}

fn application(section: Section<'_>, instructions_per_byte: Option<f64>, root: &Section<'_>) -> ApplicationSettings {
    let settings = ApplicationSettings {
        timing: section.choice("timing", &TIMINGS),
        transfer: section.choice("transfer", &TRANSFERS),
        order: section.optional_choice("order", &ORDERS).unwrap_or_default(),
        downlinks: section.optional_choice("downlinks", &DOWNLINKS).unwrap_or_default(),
        pinned: pinned(&section),
        deadline_s: section.optional_number("deadline_s"),
        energy_limit_j: section.optional_number("energy_limit_j"),
        price_limit: section.optional_number("price_limit"),
        source: source(section.section("graph"), instructions_per_byte, root),
    };
    section.finish();
    settings
}

fn pinned(section: &Section<'_>) -> Pinned {
    if section.is_array("pinned") {
        return Pinned::Names(section.optional_texts("pinned").unwrap_or_default());
    }
    let rules = [("none", 0), ("first", 1), ("ends", 2)];
    match section.optional_choice("pinned", &rules) {
        Some(1) => Pinned::First,
        Some(2) => Pinned::Ends,
        _ => Pinned::None,
    }
}

fn source(section: Section<'_>, instructions_per_byte: Option<f64>, root: &Section<'_>) -> Source {
    let given: Vec<&str> = SOURCES.into_iter().filter(|name| section.has(name)).collect();
    if let [_, others @ ..] = &given[..]
        && let Some(other) = others.first()
    {
        section.mistake(other, format!("cannot stand beside {}: applications come from one of both", given[0]));
    }
    let source = match given.first() {
        Some(&"file") => Source::File { path: section.text("file") },
        Some(&"layers") => Source::Generator(Generator::Network(section.choice("layers", &Network::NAMES))),
        Some(&"layer") => Source::Generator(Generator::Layers(LayerTable {
            input_kb: section.number("input_kb"),
            layers: section.sections("layer").into_iter().map(layer).collect(),
        })),
        _ => Source::Generator(generator(&section, instructions_per_byte, root)),
    };
    if given.len() > 1 {
        // The other keys belong to one of the sources, and it is not known which was meant.
        return source;
    }
    section.finish();
    source
}

fn generator(section: &Section<'_>, instructions_per_byte: Option<f64>, root: &Section<'_>) -> Generator {
    let kinds = [("layered", 0), ("chain", 1), ("tree", 2), ("call-graph", 3)];
    let kind = section.choice("generator", &kinds);
    let tasks = match section.count_or_counts("tasks") {
        Counts::One(count) => TaskCount::Fixed(count),
        Counts::Each(counts) => {
            if let [fewest, most] = counts[..] {
                TaskCount::Between(fewest, most)
            } else {
                section.mistake("tasks", "must be a whole number, or two: fewest and most");
                TaskCount::Fixed(1)
            }
        }
    };
    if kind == 0 {
        if instructions_per_byte.is_none() && !root.has("instructions_per_byte") {
            root.mistake(
                "instructions_per_byte",
                "is missing; it must be a number, since the work of tasks follows from their bytes",
            );
        }
        return Generator::Layered(Layered {
            tasks,
            width: values(section, "width"),
            density: values(section, "density"),
            regularity: section.number("regularity"),
            result_mb: values(section, "result_mb"),
            ratio: values(section, "ratio"),
            instructions_per_byte: instructions_per_byte.unwrap_or(1.0),
        });
    }
    if root.has("instructions_per_byte") {
        root.mistake("instructions_per_byte", "belongs to the generator \"layered\"; here megacycles say the work");
    }
    let growth = match kind {
        1 => Growth::Chain,
        2 => Growth::Tree,
        _ => Growth::CallGraph { density: section.number("density") },
    };
    Generator::Called(Called {
        growth,
        tasks,
        megacycles: values(section, "megacycles"),
        data_mb: values(section, "data_mb"),
    })
}

/// A number, or a table that says how it is drawn.
fn values(section: &Section<'_>, name: &'static str) -> Values {
    if !section.is_table(name) {
        return Values::Fixed(section.number(name));
    }
    let inner = section.section(name);
    let values = if inner.has("values") {
        match inner.numbers("values") {
            Numbers::One(value) => Values::OneOf { values: vec![value] },
            Numbers::Each(values) => Values::OneOf { values },
        }
    } else {
        let is_log = inner.choice("distribution", &[("uniform", false), ("log-uniform", true)]);
        let (min, max) = (inner.number("min"), inner.number("max"));
        Values::Range(if is_log { Range::LogUniform { min, max } } else { Range::Uniform { min, max } })
    };
    inner.finish();
    values
}

fn layer(section: Section<'_>) -> LayerRow {
    let row = LayerRow {
        name: section.text("name"),
        kind: section.optional_choice("kind", &LayerKind::NAMES),
        mflop: section.number("mflop"),
        weights_mb: section.optional_number("weights_mb").unwrap_or(0.0),
        output_kb: section.number("output_kb"),
    };
    section.finish();
    row
}

fn server(section: Section<'_>) -> ServerSettings {
    let link_mbps = section.optional_number("link_mbps");
    if section.has("downlink_mbps") && !section.has("link_mbps") {
        section.mistake("downlink_mbps", "needs link_mbps: the server then has a link of its own");
    }
    let power_w = section.optional_section("power_w").map(|inner| {
        let powers = LinkPowers { send: inner.number("send"), receive: inner.number("receive") };
        inner.finish();
        powers
    });
    let server = ServerSettings {
        name: section.text("name"),
        tier: section.choice("tier", &[("edge", Tier::Edge), ("cloud", Tier::Cloud)]),
        frequency_mhz: section.number("frequency_mhz"),
        memory_mb_per_s: section.optional_number("memory_mb_per_s"),
        layer_times: section.optional_text("layer_times").map(LayerTimes::file),
        energy_per_instruction_nj: section.optional_number("energy_per_instruction_nj").unwrap_or(0.0),
        link_mbps,
        downlink_mbps: section.optional_number("downlink_mbps"),
        power_w,
        price_per_mb: section.optional_number("price_per_mb").unwrap_or(0.0),
    };
    section.finish();
    server
}
