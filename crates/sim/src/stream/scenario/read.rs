//! From TOML text to a [`StreamScenario`].

use super::StreamScenario;
use super::dispatch::{
    ArrivalRate, Arrivals, ArrivalsOver, DispatchDevices, DispatchPowers, DispatchScenario, DispatchServer,
    DispatchTasks, LinkSharing, RadioPowers, RecordedArrivals, ServerSharing,
};
use super::parts::{LinkRates, SizeSpread, Spread};
use crate::config::{Document, Mistakes, Numbers, Section};
use crate::tasks::scenario::Tier;

/// The number of tasks of one run, unless a scenario says otherwise.
const TASKS_PER_RUN: usize = 30_000;

impl StreamScenario {
    /// Reads a scenario and checks it. Messages call the text `origin`.
    ///
    /// # Errors
    /// All mistakes of syntax, keys, types and values, each with its place.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        if root.optional_choice("kind", &[("stream", ())]).is_none() {
            if !root.has("kind") {
                let message = "is missing: this is a scenario of independent tasks, where one over time \
                               (kind = \"stream\") is needed";
                root.mistake("kind", message);
            }
            // Every other key would be a mistake, too.
            document.report(Vec::new())?;
        }
        let scenario = Self::Dispatch(dispatch(&root));
        root.finish();
        let list = match &scenario {
            Self::Dispatch(scenario) => scenario.mistakes(),
        };
        document.report(list)?;
        Ok(scenario)
    }
}

fn dispatch(root: &Section<'_>) -> DispatchScenario {
    DispatchScenario {
        name: root.text("name"),
        alpha: root.number("alpha"),
        instructions_per_byte: root.number("instructions_per_byte"),
        tasks_per_run: root.optional_count("tasks_per_run").unwrap_or(TASKS_PER_RUN),
        devices: devices(root.section("devices")),
        tasks: tasks(root.section("tasks")),
        servers: root.sections("servers").into_iter().map(server).collect(),
    }
}

fn devices(section: Section<'_>) -> DispatchDevices {
    let power_w = section.optional_section("power_w").map(|inner| {
        let power = |name| inner.optional_number(name).unwrap_or(0.0);
        let powers = DispatchPowers { compute: power("compute"), send: power("send"), tail: power("tail") };
        inner.finish();
        powers
    });
    let devices = DispatchDevices {
        count: section.count("count"),
        frequency_mhz: Spread::read(&section, "frequency_mhz"),
        energy_per_instruction_nj: Spread::read_optional(&section, "energy_per_instruction_nj"),
        uplink_mbps: LinkRates::read_optional(&section, "uplink_mbps"),
        tail_s: section.optional_number("tail_s"),
        power_w,
        arrivals: arrivals(section.section("arrivals")),
    };
    section.finish();
    devices
}

fn arrivals(section: Section<'_>) -> Arrivals {
    let numbers = |name| match section.numbers(name) {
        Numbers::One(value) => vec![value],
        Numbers::Each(values) => values,
    };
    let over = match section.choice("process", &[("poisson", 0), ("bursts", 1), ("recorded", 2)]) {
        0 => ArrivalsOver::Poisson,
        1 => ArrivalsOver::Bursts { factors: numbers("factors"), mean_stay_s: numbers("mean_stay_s") },
        _ => ArrivalsOver::Recorded(RecordedArrivals::new(section.text("path"))),
    };
    let rate = if matches!(over, ArrivalsOver::Recorded(_)) {
        None
    } else if section.has("per_minute") {
        if section.has("load") {
            section.mistake("load", "cannot stand beside per_minute: one of both says how many tasks arrive");
        }
        if section.has("weight") {
            section.mistake("weight", "belongs to load; per_minute says itself how many tasks each device has");
        }
        Some(ArrivalRate::PerMinute { per_minute: Spread::read(&section, "per_minute") })
    } else {
        if !section.has("load") {
            section.mistake(
                "load",
                "is missing; it must be a number below 1, or per_minute must say how many tasks arrive",
            );
        }
        Some(ArrivalRate::Load {
            load: section.optional_number("load").unwrap_or(0.5),
            weight: Spread::read_optional(&section, "weight").unwrap_or(Spread::one(1.0)),
        })
    };
    section.finish();
    Arrivals { over, rate }
}

fn tasks(section: Section<'_>) -> DispatchTasks {
    let tasks = DispatchTasks {
        size_mb: SizeSpread::read(&section, "size_mb"),
        deadline_s: section.optional_number("deadline_s"),
        deadline_penalty: section.optional_number("deadline_penalty"),
    };
    section.finish();
    tasks
}

fn server(section: Section<'_>) -> DispatchServer {
    let sharing = [
        ("dedicated", ServerSharing::Dedicated),
        ("shared", ServerSharing::Shared),
        ("unlimited", ServerSharing::Unlimited),
    ];
    let link_sharing = [("dedicated", LinkSharing::Dedicated), ("shared", LinkSharing::Shared)];
    let power_w = section.optional_section("power_w").map(|inner| {
        let powers = RadioPowers { send: inner.number("send"), tail: inner.optional_number("tail").unwrap_or(0.0) };
        inner.finish();
        powers
    });
    let server = DispatchServer {
        name: section.text("name"),
        tier: section.choice("tier", &[("edge", Tier::Edge), ("cloud", Tier::Cloud)]),
        frequency_mhz: section.number("frequency_mhz"),
        energy_per_instruction_nj: section.optional_number("energy_per_instruction_nj").unwrap_or(0.0),
        sharing: section.optional_choice("sharing", &sharing).unwrap_or(ServerSharing::Dedicated),
        link_mbps: LinkRates::read_optional(&section, "link_mbps"),
        link_sharing: section.optional_choice("link_sharing", &link_sharing).unwrap_or(LinkSharing::Dedicated),
        latency_ms: section.optional_number("latency_ms").unwrap_or(0.0),
        power_w,
    };
    section.finish();
    server
}
