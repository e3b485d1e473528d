//! From TOML text to a [`Scenario`].

use super::{
    DeadlineRule, Devices, EnvironmentDistribution, PerDevice, Range, Scenario, Server, Sharing, SizeDistribution,
    Tasks, Tier, UplinkDistribution,
};
use crate::config::{Counts, Document, Mistakes, Section};
use crate::limits::WINDOW_S;

/// The kinds of size distribution that a scenario can name.
#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    LogUniform,
    File,
}

impl Scenario {
    /// Reads a scenario and checks it. Messages call the text `origin`.
    ///
    /// # Errors
    /// All mistakes of syntax, keys, types and values, each with its place.
    pub fn from_toml(origin: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        if root.has("kind") {
            let kinds = [("tasks", None), ("graph", Some("of task graphs")), ("stream", Some("over time"))];
            if let Some(Some(other)) = root.optional_choice("kind", &kinds) {
                let message = format!("makes this a scenario {other}, where one of independent tasks is needed");
                root.mistake("kind", message);
            }
            // In a scenario of another kind every other key would be a mistake, too.
            document.report(Vec::new())?;
        }
        let scenario = Self {
            name: root.text("name"),
            alpha: root.number("alpha"),
            instructions_per_byte: root.numbers("instructions_per_byte"),
            transmit_energy_nj_per_byte: root.numbers("transmit_energy_nj_per_byte"),
            devices: devices(root.section("devices")),
            tasks: tasks(root.section("tasks")),
            environment: root.optional_section("environment").map(environment),
            servers: root.sections("servers").into_iter().map(server).collect(),
        };
        root.finish();
        document.report(scenario.mistakes())?;
        Ok(scenario)
    }
}

fn devices(section: Section<'_>) -> Devices {
    let devices = Devices {
        count: section.count("count"),
        frequency_mhz: section.numbers("frequency_mhz"),
        energy_per_instruction_nj: section.numbers("energy_per_instruction_nj"),
        uplink_mbps: section.numbers("uplink_mbps"),
        shared_uplink_mbps: section.optional_number("shared_uplink_mbps"),
    };
    section.finish();
    devices
}

fn tasks(section: Section<'_>) -> Tasks {
    let counts = section.count_or_counts("per_device");
    let (per_device, counts) = match counts {
        Counts::One(count) => (count, Vec::new()),
        Counts::Each(counts) => (counts.iter().copied().max().unwrap_or(0), counts),
    };
    let deadline_s = section.optional_numbers("deadline_s");
    let deadline_rule = deadline_rule(&section);
    let size = section.section("size_mb");
    let kinds = [("uniform", Kind::Uniform), ("log-uniform", Kind::LogUniform), ("file", Kind::File)];
    let size_mb = match size.choice("distribution", &kinds) {
        Kind::Uniform => SizeDistribution::Uniform { min: size.number("min"), max: size.number("max") },
        Kind::LogUniform => SizeDistribution::LogUniform { min: size.number("min"), max: size.number("max") },
        Kind::File => SizeDistribution::File {
            path: size.text("path"),
            held_out: size.optional_number("held_out").unwrap_or(0.1),
        },
    };
    size.finish();
    section.finish();
    Tasks { per_device, counts, size_mb, deadline_s, deadline_rule }
}

/// A penalty alone stands for the rule `penalty`.
fn deadline_rule(section: &Section<'_>) -> DeadlineRule {
    let rules = DeadlineRule::NAMES.map(|name| (name, name));
    let (rule, penalty) =
        (section.optional_choice("deadline_rule", &rules), section.optional_number("deadline_penalty"));
    let has_penalty = section.has("deadline_penalty");
    if has_penalty && matches!(rule, Some("report" | "hard")) {
        section.mistake("deadline_penalty", "needs deadline_rule = \"penalty\", or none");
    }
    let rule = rule.or((has_penalty && !section.has("deadline_rule")).then_some("penalty"));
    if rule.is_some_and(|rule| rule != "report") && !section.has("deadline_s") {
        let key = if section.has("deadline_rule") { "deadline_rule" } else { "deadline_penalty" };
        section.mistake(key, "needs deadline_s, the time in seconds within which tasks are to be done");
    }
    match (rule, penalty) {
        (Some("hard"), _) => DeadlineRule::Hard,
        (Some("penalty"), Some(penalty)) => DeadlineRule::Penalty(penalty),
        (Some("penalty"), None) if !has_penalty => {
            section.mistake("deadline_rule", "needs deadline_penalty, what each task that misses its deadline costs");
            DeadlineRule::Report
        }
        _ => DeadlineRule::Report,
    }
}

fn environment(section: Section<'_>) -> EnvironmentDistribution {
    let environment = EnvironmentDistribution {
        uplink_mbps: section.optional_section("uplink_mbps").map(uplinks),
        capacity: section.optional_section("capacity").map(range),
        alpha: section.optional_section("alpha").map(range),
    };
    section.finish();
    environment
}

fn uplinks(section: Section<'_>) -> UplinkDistribution {
    let kinds = [("uniform", 0), ("log-uniform", 1), ("traces", 2)];
    let uplinks = match section.choice("distribution", &kinds) {
        0 => UplinkDistribution::Uniform { min: section.number("min"), max: section.number("max") },
        1 => UplinkDistribution::LogUniform { min: section.number("min"), max: section.number("max") },
        _ => UplinkDistribution::Traces {
            path: section.text("path"),
            window_s: section.optional_number("window_s").unwrap_or(WINDOW_S),
            held_out: section.optional_number("held_out").unwrap_or(0.1),
            columns: section.optional_text("columns"),
            format: section.optional_text("as"),
        },
    };
    section.finish();
    uplinks
}

fn range(section: Section<'_>) -> Range {
    let is_log = section.choice("distribution", &[("uniform", false), ("log-uniform", true)]);
    let (min, max) = (section.number("min"), section.number("max"));
    section.finish();
    if is_log { Range::LogUniform { min, max } } else { Range::Uniform { min, max } }
}

fn server(section: Section<'_>) -> Server {
    let name = section.text("name");
    let tier = section.choice("tier", &[("edge", Tier::Edge), ("cloud", Tier::Cloud)]);
    let frequency_mhz = section.number("frequency_mhz");
    let energy_per_instruction_nj = section.number("energy_per_instruction_nj");
    let link_mbps: Option<PerDevice> = section.optional_numbers("link_mbps");
    let kinds = [("dedicated", Sharing::Dedicated), ("shared", Sharing::Shared)];
    let sharing = |name| section.optional_choice(name, &kinds).unwrap_or(Sharing::Dedicated);
    let (link_sharing, sharing) = (sharing("link_sharing"), sharing("sharing"));
    let latency_ms = section.optional_number("latency_ms").unwrap_or(0.0);
    section.finish();
    Server { name, tier, frequency_mhz, energy_per_instruction_nj, link_mbps, link_sharing, latency_ms, sharing }
}
