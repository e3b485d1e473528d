//! Which scenarios make sense.

use super::link::Link;
use super::{
    DeadlineRule, EnvironmentDistribution, PerDevice, Range, Scenario, Server, Sharing, SizeDistribution, Tasks,
    UplinkDistribution,
};
use crate::config::Mistake;
use crate::limits::{
    CAPACITIES, MAX_COUPLED_TASKS, MAX_DEADLINE_PENALTY, MAX_LATENCY_MS, MAX_NAME_BYTES, MAX_NAME_CHARACTERS,
    MAX_SERVERS, MAX_TASKS,
};

impl Scenario {
    /// Whether some device reaches a server past its uplink.
    fn passes_uplinks(&self, server: &Server) -> bool {
        let misfits = |values: &PerDevice| matches!(values, PerDevice::Each(all) if all.len() != self.devices.count);
        if misfits(&self.devices.uplink_mbps) || server.link_mbps.as_ref().is_some_and(misfits) {
            return false; // a mistake of its own
        }
        (0..self.devices.count).any(|device| matches!(self.link(server, device), Link::Beside(_)))
    }

    /// All values that make no sense, each named by its key path.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut list = Checks { devices: self.devices.count, list: Vec::new() };
        self.name_mistakes(&mut list);
        if !(0.0..=1.0).contains(&self.alpha) {
            list.add("alpha", format!("must lie between 0 (time alone) and 1 (energy alone), is {}", self.alpha));
        }
        let is_small_enough = self.count_mistakes(&mut list);
        if !is_small_enough {
            // Checking an array of numbers against a count this large says nothing more.
            return list.list;
        }
        self.rate_mistakes(&mut list);
        self.demand_mistakes(&mut list);
        size_mistakes(&self.tasks.size_mb, &mut list);
        if let Some(environment) = &self.environment {
            environment_mistakes(environment, &mut list);
        }
        self.server_mistakes(&mut list);
        list.list
    }

    /// The name is checked because run directories are called after the scenario.
    fn name_mistakes(&self, list: &mut Checks) {
        let odd = |c: char| c.is_control() || c == '/' || c == '\\';
        if self.name.trim().is_empty()
            || self.name.chars().count() > MAX_NAME_CHARACTERS
            || self.name.starts_with('.')
            || self.name.contains(odd)
        {
            let message = format!(
                "must be a name of at most {MAX_NAME_CHARACTERS} characters without slashes, not beginning with a dot"
            );
            list.add("name", message);
        } else if self.name.len() > MAX_NAME_BYTES {
            let message = format!(
                "must have at most {MAX_NAME_BYTES} bytes in UTF-8, since files are called after it, has {}",
                self.name.len()
            );
            list.add("name", message);
        }
    }

    /// Returns whether the number of tasks is below its limit.
    fn count_mistakes(&self, list: &mut Checks) -> bool {
        if self.devices.count == 0 {
            list.add("devices.count", "must be at least 1: a fleet without devices has nothing to decide");
        }
        if self.tasks.per_device == 0 {
            list.add(
                "tasks.per_device",
                "must be at least 1, for one of the devices at least: without tasks there is nothing to decide",
            );
        }
        if self.devices.count.saturating_mul(self.tasks.per_device) > MAX_TASKS {
            let (key, others) = if self.devices.count > self.tasks.per_device {
                ("devices.count", "tasks.per_device")
            } else {
                ("tasks.per_device", "devices.count")
            };
            list.add(key, format!("times {others} must be at most {MAX_TASKS} tasks in all"));
            return false;
        }
        if self.shares_something() && self.devices.count * self.tasks.per_device > MAX_COUPLED_TASKS {
            let message = format!(
                "times tasks.per_device must be at most {MAX_COUPLED_TASKS} tasks where servers or links are shared"
            );
            list.add("devices.count", message);
        }
        true
    }

    /// Mistakes in the numbers of tasks of devices, in what tasks ask for and in latencies.
    fn demand_mistakes(&self, list: &mut Checks) {
        let Tasks { per_device, counts, deadline_s, deadline_rule, .. } = &self.tasks;
        if !counts.is_empty() && counts.len() != self.devices.count {
            let (wanted, found) = (self.devices.count, counts.len());
            list.add("tasks.per_device", format!("must have one value for each of the {wanted} devices, has {found}"));
        }
        if counts.iter().max().is_some_and(|most| most != per_device) {
            list.add("tasks.per_device", "must be the largest of the devices' numbers of tasks");
        }
        list.each("instructions_per_byte", &self.instructions_per_byte, Bound::Positive);
        if let Some(deadline_s) = deadline_s {
            list.each("tasks.deadline_s", deadline_s, Bound::PositiveOrInfinite);
        }
        if let DeadlineRule::Penalty(penalty) = deadline_rule
            && !(0.0..=MAX_DEADLINE_PENALTY).contains(penalty)
        {
            list.add(
                "tasks.deadline_penalty",
                format!("must lie between 0 and {MAX_DEADLINE_PENALTY:e}, is {penalty}"),
            );
        }
        for (index, server) in self.servers.iter().enumerate().take(MAX_SERVERS) {
            if !(0.0..=MAX_LATENCY_MS).contains(&server.latency_ms) {
                let message = format!("must lie between 0 and {MAX_LATENCY_MS:e} ms, is {}", server.latency_ms);
                list.add(format!("servers[{index}].latency_ms"), message);
            }
        }
    }

    fn rate_mistakes(&self, list: &mut Checks) {
        list.each("transmit_energy_nj_per_byte", &self.transmit_energy_nj_per_byte, Bound::NotNegative);
        list.each("devices.frequency_mhz", &self.devices.frequency_mhz, Bound::Positive);
        list.each("devices.energy_per_instruction_nj", &self.devices.energy_per_instruction_nj, Bound::NotNegative);
        list.each("devices.uplink_mbps", &self.devices.uplink_mbps, Bound::NotNegative);
        if let Some(mbps) = self.devices.shared_uplink_mbps {
            list.number("devices.shared_uplink_mbps", mbps, Bound::NotNegative);
        }
    }

    fn server_mistakes(&self, list: &mut Checks) {
        if self.servers.is_empty() {
            list.add(
                "servers",
                "there must be at least one [[servers]] table: without a server nothing can be offloaded",
            );
        }
        if self.servers.len() > MAX_SERVERS {
            list.add("servers", format!("must be at most {MAX_SERVERS}, are {}", self.servers.len()));
            return;
        }
        for (index, server) in self.servers.iter().enumerate() {
            let key = |name: &str| format!("servers[{index}].{name}");
            if server.name.is_empty() || !server.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            {
                list.add(key("name"), "must be a name of letters, digits, '-' and '_'");
            } else if server.name == "local" {
                list.add(key("name"), "\"local\" is what the device itself is called; give the server another name");
            } else if self.servers[..index].iter().any(|other| other.name == server.name) {
                list.add(key("name"), format!("\"{}\" is the name of an earlier server", server.name));
            }
            list.number(&key("frequency_mhz"), server.frequency_mhz, Bound::NotNegative);
            list.number(&key("energy_per_instruction_nj"), server.energy_per_instruction_nj, Bound::NotNegative);
            if let Some(link_mbps) = &server.link_mbps {
                list.each(&key("link_mbps"), link_mbps, Bound::NotNegative);
            }
            if server.link_sharing == Sharing::Shared && !matches!(server.link_mbps, Some(PerDevice::One(_))) {
                let message = "a shared link needs link_mbps, one number: what all devices have together";
                list.add(key("link_sharing"), message);
            }
            if self.devices.shared_uplink_mbps.is_some() && self.passes_uplinks(server) {
                let message = "must be no faster than the uplinks where these share one (shared_uplink_mbps): \
                               a faster link would not go through it";
                list.add(key("link_mbps"), message);
            }
        }
    }
}

fn size_mistakes(sizes: &SizeDistribution, list: &mut Checks) {
    match sizes {
        SizeDistribution::Uniform { min, max } | SizeDistribution::LogUniform { min, max } => {
            list.range("tasks.size_mb", *min, *max, Checks::positive);
        }
        SizeDistribution::File { path, held_out } => {
            if path.is_empty() {
                list.add("tasks.size_mb.path", "must name a file with one size in MB per line");
            }
            if !(0.0..1.0).contains(held_out) {
                let message = format!("must be at least 0 and below 1 (a share of the recorded sizes), is {held_out}");
                list.add("tasks.size_mb.held_out", message);
            }
        }
    }
}

fn environment_mistakes(environment: &EnvironmentDistribution, list: &mut Checks) {
    match &environment.uplink_mbps {
        None => {}
        Some(UplinkDistribution::Uniform { min, max }) => {
            let not_negative = |list: &mut Checks, key: &str, value| list.number(key, value, Bound::NotNegative);
            list.range("environment.uplink_mbps", *min, *max, not_negative);
        }
        Some(UplinkDistribution::LogUniform { min, max }) => {
            list.range("environment.uplink_mbps", *min, *max, Checks::positive);
        }
        Some(UplinkDistribution::Traces { path, window_s, held_out, .. }) => {
            if path.is_empty() {
                list.add("environment.uplink_mbps.path", "must name a recording or a folder of recordings");
            }
            if !(1e-3..=1e9).contains(window_s) {
                let message = format!("must lie between 0.001 and 1e9 seconds, is {window_s}");
                list.add("environment.uplink_mbps.window_s", message);
            }
            if !(0.0..1.0).contains(held_out) {
                let message = format!("must be at least 0 and below 1 (a share of the recorded drives), is {held_out}");
                list.add("environment.uplink_mbps.held_out", message);
            }
        }
    }
    let within = |key: &'static str, range: &Option<Range>, least: f64, most: f64, list: &mut Checks| {
        let Some(range) = range else { return };
        let (Range::Uniform { min, max } | Range::LogUniform { min, max }) = *range;
        let log = matches!(range, Range::LogUniform { .. });
        list.range(key, min, max, |list, key, value| {
            if !(least..=most).contains(&value) || log && value == 0.0 {
                let above = if log { ", above 0 for log-uniform" } else { "" };
                list.add(key, format!("must lie between {least} and {most}{above}, is {value}"));
            }
        });
    };
    let is_log = matches!(environment.capacity, Some(Range::LogUniform { .. }));
    let least = if is_log { *CAPACITIES.start() } else { 0.0 };
    within("environment.capacity", &environment.capacity, least, *CAPACITIES.end(), list);
    within("environment.alpha", &environment.alpha, 0.0, 1.0, list);
    if environment.uplink_mbps.is_none() && environment.capacity.is_none() && environment.alpha.is_none() {
        list.add("environment", "must say what changes: uplink_mbps, capacity or alpha");
    }
}

/// The lower bound of a value.
#[derive(Clone, Copy)]
enum Bound {
    Positive,
    /// Infinite: there is no such value.
    PositiveOrInfinite,
    NotNegative,
}

/// Checks values and collects the mistakes.
struct Checks {
    devices: usize,
    list: Vec<Mistake>,
}

impl Checks {
    fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.list.push(Mistake::new(key, message));
    }

    fn number(&mut self, key: &str, value: f64, bound: Bound) {
        let (fits, wanted) = match bound {
            Bound::PositiveOrInfinite if value == f64::INFINITY => return,
            Bound::Positive => (value > 0.0, "a number greater than 0"),
            Bound::PositiveOrInfinite => (value > 0.0, "a number greater than 0, or inf for none"),
            Bound::NotNegative => (value >= 0.0, "a number not below 0"),
        };
        // Beyond these a product of two values could leave what an f64 holds; no device or link comes near them.
        if !fits || !value.is_finite() {
            self.add(key, format!("must be {wanted}, is {value}"));
        } else if value != 0.0 && !(1e-12..=1e12).contains(&value) {
            self.add(key, format!("must lie between 1e-12 and 1e12, is {value:e}"));
        }
    }

    fn positive(&mut self, key: &str, value: f64) {
        self.number(key, value, Bound::Positive);
    }

    fn range(&mut self, key: &str, min: f64, max: f64, check: impl Fn(&mut Self, &str, f64)) {
        check(self, &format!("{key}.min"), min);
        check(self, &format!("{key}.max"), max);
        if min > max {
            self.add(format!("{key}.max"), format!("must be at least min, {min}, is {max}"));
        }
    }

    fn each(&mut self, key: &str, values: &PerDevice, bound: Bound) {
        match values {
            PerDevice::One(value) => self.number(key, *value, bound),
            PerDevice::Each(values) => {
                if values.len() != self.devices {
                    let message =
                        format!("must have one value for each of the {} devices, has {}", self.devices, values.len());
                    self.add(key, message);
                }
                for (index, value) in values.iter().enumerate() {
                    self.number(&format!("{key}[{index}]"), *value, bound);
                }
            }
        }
    }
}
