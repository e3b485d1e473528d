//! From TOML text to a [`StreamScenario`].

use super::StreamScenario;
use super::dispatch::{
    ArrivalRate, Arrivals, ArrivalsOver, DispatchDevices, DispatchPowers, DispatchScenario, DispatchServer,
    DispatchTasks, LinkSharing, RadioPowers, RecordedArrivals, ServerSharing,
};
use super::parts::{LinkRates, SizeSpread, Spread};
use super::slots::{FileRate, FilesOver, SlotArrivals, SlotDevice, SlotFallback, SlotLink, SlotScenario};
use crate::config::{Document, Mistakes, Numbers, Section};
use crate::tasks::scenario::Tier;

/// What stands for a table of tasks that is missing.
const NO_TASKS: DispatchTasks = DispatchTasks { size_mb: None, deadline_s: None, deadline_penalty: None };

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
        // Data waits in slots; tasks are dispatched as they arrive.
        let is_in_slots = ["slot_s", "slots", "links"].iter().any(|key| root.has(key));
        let scenario = if is_in_slots { Self::Slots(slots(&root)) } else { Self::Dispatch(dispatch(&root)) };
        root.finish();
        document.report(scenario.mistakes())?;
        Ok(scenario)
    }
}

fn slots(root: &Section<'_>) -> SlotScenario {
    let devices = root.optional_section("devices").map(|inner| {
        let device = SlotDevice {
            count: inner.optional_count("count").unwrap_or(1),
            queue_limit_mb: inner.optional_number("queue_limit_mb"),
        };
        inner.finish();
        device
    });
    let fallback = root.optional_section("fallback").map(|inner| {
        let fallback = SlotFallback { power_w: inner.number("power_w"), mbps: inner.number("mbps") };
        inner.finish();
        fallback
    });
    SlotScenario {
        name: root.text("name"),
        alpha: root.number("alpha"),
        slot_s: root.optional_number("slot_s").unwrap_or(1.0),
        slots: root.count("slots"),
        quiet_s: root.optional_number("quiet_s"),
        flush_s: root.optional_number("flush_s"),
        deadline_penalty: penalty(root, root.optional_section("tasks")),
        devices,
        fallback,
        arrivals: root.sections("arrivals").into_iter().map(files).collect(),
        links: root.sections("links").into_iter().map(slot_link).collect(),
    }
}

fn files(section: Section<'_>) -> SlotArrivals {
    let over = match section.optional_choice("process", &[("poisson", false), ("bursts", true)]) {
        Some(true) => {
            let (factors, mean_stay_s) = (numbers(&section, "factors"), numbers(&section, "mean_stay_s"));
            FilesOver::Bursts { factors, mean_stay_s }
        }
        _ => FilesOver::Poisson,
    };
    let rate = match (section.optional_number("load"), section.optional_number("per_minute")) {
        (Some(load), None) => FileRate::Load { load },
        (None, Some(per_minute)) => FileRate::PerMinute { per_minute },
        (Some(_), Some(per_minute)) => {
            section.mistake("load", "cannot stand beside per_minute: one of both says how many files arrive");
            FileRate::PerMinute { per_minute }
        }
        (None, None) => {
            if !section.has("load") && !section.has("per_minute") {
                section.mistake("per_minute", "is missing; it must be a number of files, or load a number below 1");
            }
            FileRate::PerMinute { per_minute: 1.0 }
        }
    };
    let arrivals = SlotArrivals {
        name: section.text("name"),
        over,
        rate,
        deadline_s: section.optional_number("deadline_s"),
        size_mb: SizeSpread::read(&section, "size_mb"),
    };
    section.finish();
    arrivals
}

/// What a missed deadline costs, from the scenario or from its table of tasks. Scenarios of either kind may have it at both
/// places, since those of the other kind have it there.
fn penalty(root: &Section<'_>, tasks: Option<Section<'_>>) -> Option<f64> {
    const KEY: &str = "deadline_penalty";
    let own = root.optional_number(KEY);
    let of_tasks = tasks.and_then(|tasks| {
        let penalty = tasks.optional_number(KEY);
        tasks.finish();
        penalty
    });
    if own.is_some() && of_tasks.is_some() {
        root.mistake(KEY, "cannot stand beside tasks.deadline_penalty, which says the same");
    }
    own.or(of_tasks)
}

/// The powers of a radio while it sends and while it stays on: `power_w = { send, tail }`, or `power_w` and `tail_w`. `None`
/// without `power_w`.
fn radio(section: &Section<'_>) -> Option<(f64, Option<f64>)> {
    let tail_w = section.optional_number("tail_w");
    if !section.is_table("power_w") {
        return section.optional_number("power_w").map(|send| (send, tail_w));
    }
    let inner = section.section("power_w");
    let (send, tail) = (inner.number("send"), inner.optional_number("tail"));
    inner.finish();
    if tail.is_some() && tail_w.is_some() {
        section.mistake("tail_w", "cannot stand beside power_w.tail, which says the same");
    }
    Some((send, tail.or(tail_w)))
}

fn slot_link(section: Section<'_>) -> SlotLink {
    let (power_w, tail_w) = radio(&section).unwrap_or_else(|| (section.number("power_w"), None));
    let link = SlotLink {
        name: section.text("name"),
        power_w,
        tail_w,
        tail_s: section.optional_number("tail_s"),
        mbps: LinkRates::read(&section, "mbps"),
    };
    section.finish();
    link
}

fn numbers(section: &Section<'_>, name: &'static str) -> Vec<f64> {
    match section.numbers(name) {
        Numbers::One(value) => vec![value],
        Numbers::Each(values) => values,
    }
}

fn dispatch(root: &Section<'_>) -> DispatchScenario {
    let mut tasks = root.optional_section("tasks").map_or(NO_TASKS, tasks);
    if let Some(penalty) = root.optional_number("deadline_penalty") {
        if tasks.deadline_penalty.is_some() {
            root.mistake("deadline_penalty", "cannot stand beside tasks.deadline_penalty, which says the same");
        }
        tasks.deadline_penalty = Some(penalty);
    }
    DispatchScenario {
        name: root.text("name"),
        alpha: root.number("alpha"),
        instructions_per_byte: root.number("instructions_per_byte"),
        tasks_per_run: root.optional_count("tasks_per_run").unwrap_or(TASKS_PER_RUN),
        devices: devices(root.section("devices")),
        tasks,
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
    let over = match section.choice("process", &[("poisson", 0), ("bursts", 1), ("recorded", 2)]) {
        0 => ArrivalsOver::Poisson,
        1 => ArrivalsOver::Bursts {
            factors: numbers(&section, "factors"),
            mean_stay_s: numbers(&section, "mean_stay_s"),
        },
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
        size_mb: section.has("size_mb").then(|| SizeSpread::read(&section, "size_mb")),
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
    let powers = radio(&section);
    if powers.is_none() && section.has("tail_w") {
        section.mistake("tail_w", "needs power_w: the power while the radio sends");
    }
    let server = DispatchServer {
        name: section.text("name"),
        tier: section.choice("tier", &[("edge", Tier::Edge), ("cloud", Tier::Cloud)]),
        frequency_mhz: section.number("frequency_mhz"),
        energy_per_instruction_nj: section.optional_number("energy_per_instruction_nj").unwrap_or(0.0),
        sharing: section.optional_choice("sharing", &sharing).unwrap_or(ServerSharing::Dedicated),
        link_mbps: LinkRates::read_optional(&section, "link_mbps"),
        link_sharing: section.optional_choice("link_sharing", &link_sharing).unwrap_or(LinkSharing::Dedicated),
        latency_ms: section.optional_number("latency_ms").unwrap_or(0.0),
        power_w: powers.map(|(send, tail)| RadioPowers { send, tail: tail.unwrap_or(0.0) }),
    };
    section.finish();
    server
}
