//! Values that are valid but a thousand times more or less than is plausible: most of them are in another unit.

use super::{PerDevice, Range, Scenario, SizeDistribution, UplinkDistribution};
use crate::tasks::cost::CostModel;
use crate::tasks::environment::Environment;
use crate::tasks::instance::Instance;
use crate::units::BYTES_PER_MB;

/// A unit that may have been meant.
struct OtherUnit {
    name: &'static str,
    /// The number of wanted units in it.
    factor: f64,
}

/// The values of one quantity that are plausible.
struct Quantity {
    unit: &'static str,
    least: f64,
    most: f64,
    /// The unit in which a value is probably given that is below `least`, or above `most`.
    below: Option<OtherUnit>,
    above: Option<OtherUnit>,
}

const FREQUENCY: Quantity = Quantity {
    unit: " MHz",
    least: 1.0,
    most: 1e6,
    below: Some(OtherUnit { name: "GHz", factor: 1e3 }),
    above: Some(OtherUnit { name: "Hz", factor: 1e-6 }),
};

const LINK: Quantity = Quantity {
    unit: " Mbit/s",
    least: 1e-4,
    most: 4e5,
    below: None,
    above: Some(OtherUnit { name: "bit/s", factor: 1e-6 }),
};

const SIZE: Quantity = Quantity {
    unit: " MB",
    least: 1e-6,
    most: 1e5,
    below: None,
    above: Some(OtherUnit { name: "bytes", factor: 1e-6 }),
};

const ENERGY_PER_INSTRUCTION: Quantity = Quantity {
    unit: " nJ",
    least: 1e-6,
    most: 1e6,
    below: Some(OtherUnit { name: "J", factor: 1e9 }),
    above: Some(OtherUnit { name: "fJ", factor: 1e-6 }),
};

const ENERGY_PER_BYTE: Quantity = Quantity {
    unit: " nJ",
    least: 1e-6,
    most: 1e9,
    below: Some(OtherUnit { name: "J", factor: 1e9 }),
    above: Some(OtherUnit { name: "fJ", factor: 1e-6 }),
};

const INSTRUCTIONS: Quantity = Quantity { unit: "", least: 1e-3, most: 1e9, below: None, above: None };

const DEADLINE: Quantity = Quantity {
    unit: " s",
    least: 1e-3,
    most: 86_400.0,
    below: None,
    above: Some(OtherUnit { name: "ms", factor: 1e-3 }),
};

const LATENCY: Quantity =
    Quantity { unit: " ms", least: 1e-6, most: 1e4, below: None, above: Some(OtherUnit { name: "µs", factor: 1e-3 }) };

const CAPACITY: Quantity = Quantity { unit: "", least: 1e-5, most: 100.0, below: None, above: None };

impl Quantity {
    /// What is to be said of a value that is not plausible. 0 and infinity are left to the checks: where they are allowed, they have a
    /// meaning.
    fn remark(&self, value: f64) -> Option<String> {
        if value == 0.0 || value == f64::INFINITY || (self.least..=self.most).contains(&value) {
            return None;
        }
        let (amount, other) = if value > self.most { ("more", &self.above) } else { ("less", &self.below) };
        let Self { unit, .. } = self;
        let advice = other.as_ref().map_or(String::new(), |OtherUnit { name, factor }| {
            format!("; if it is in {name}, write {}", rounded(value * factor))
        });
        Some(format!("is {}{unit}, far {amount} than is usual{advice}", rounded(value)))
    }
}

/// A number with at most six digits.
fn rounded(value: f64) -> String {
    let six_digits: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if (1e-4..1e9).contains(&six_digits) { six_digits.to_string() } else { format!("{six_digits:e}") }
}

/// A remark on the values of a scenario that are a thousand times more or less than is plausible, in one line: what is
/// unusual of the first one, and the keys of the others. `None` if all are plausible.
///
/// ```
/// use sim::scenario::implausible;
///
/// let mut scenario = sim::Scenario::load("paper")?;
/// assert_eq!(implausible::in_scenario(&scenario), None);
/// scenario.servers[1].frequency_mhz = 1e9;
/// let remark = implausible::in_scenario(&scenario).expect("a cloud of a million GHz");
/// assert_eq!(remark, "servers[1].frequency_mhz is 1e9 MHz, far more than is usual; if it is in Hz, write 1000");
/// # Ok::<(), sim::ScenarioError>(())
/// ```
pub fn in_scenario(scenario: &Scenario) -> Option<String> {
    let mut found = Remarks::default();
    found.each("instructions_per_byte", &scenario.instructions_per_byte, &INSTRUCTIONS);
    found.each("transmit_energy_nj_per_byte", &scenario.transmit_energy_nj_per_byte, &ENERGY_PER_BYTE);
    let devices = &scenario.devices;
    found.each("devices.frequency_mhz", &devices.frequency_mhz, &FREQUENCY);
    found.each("devices.energy_per_instruction_nj", &devices.energy_per_instruction_nj, &ENERGY_PER_INSTRUCTION);
    found.each("devices.uplink_mbps", &devices.uplink_mbps, &LINK);
    if let Some(mbps) = devices.shared_uplink_mbps {
        found.one("devices.shared_uplink_mbps", mbps, &LINK);
    }
    if let SizeDistribution::Uniform { min, max } | SizeDistribution::LogUniform { min, max } = scenario.tasks.size_mb {
        found.range("tasks.size_mb", min, max, &SIZE);
    }
    if let Some(deadline_s) = &scenario.tasks.deadline_s {
        found.each("tasks.deadline_s", deadline_s, &DEADLINE);
    }
    if let Some(environment) = &scenario.environment {
        if let Some(UplinkDistribution::Uniform { min, max } | UplinkDistribution::LogUniform { min, max }) =
            environment.uplink_mbps
        {
            found.range("environment.uplink_mbps", min, max, &LINK);
        }
        if let Some(Range::Uniform { min, max } | Range::LogUniform { min, max }) = environment.capacity {
            found.range("environment.capacity", min, max, &CAPACITY);
        }
    }
    for (index, server) in scenario.servers.iter().enumerate() {
        let key = |name: &str| format!("servers[{index}].{name}");
        found.one(&key("frequency_mhz"), server.frequency_mhz, &FREQUENCY);
        let energy = server.energy_per_instruction_nj;
        found.one(&key("energy_per_instruction_nj"), energy, &ENERGY_PER_INSTRUCTION);
        if let Some(link_mbps) = &server.link_mbps {
            found.each(&key("link_mbps"), link_mbps, &LINK);
        }
        found.one(&key("latency_ms"), server.latency_ms, &LATENCY);
    }
    found.text()
}

/// The same for a workload and for its environment, unless that is the environment of `model`.
pub fn in_instance(instance: &Instance, model: &CostModel) -> Option<String> {
    let sizes_bytes = instance.workload.sizes_bytes();
    let is_usual = |bytes: &f64| *bytes == 0.0 || (1.0..=SIZE.most * BYTES_PER_MB).contains(bytes);
    let environment = instance.model.environment();
    if sizes_bytes.iter().all(is_usual) && instance.model.is_clone_of(model) {
        return None;
    }
    let mut found = Remarks::default();
    let tasks = instance.workload.tasks();
    let task_of = |index: usize| format!("task {} of device {}", index % tasks, index / tasks);
    for (index, bytes) in sizes_bytes.iter().enumerate().filter(|(_, bytes)| !is_usual(bytes)) {
        found.one(&task_of(index), bytes / BYTES_PER_MB, &SIZE);
    }
    if !instance.model.is_clone_of(model) {
        found.demands(instance, model);
    }
    if environment != model.environment() {
        found.environment(environment);
    }
    found.text()
}

/// Remarks on the values that were shown.
#[derive(Default)]
struct Remarks {
    first: Option<String>,
    /// The keys of the others.
    others: Vec<String>,
}

/// The most keys that a remark names beside the first one.
const NAMED: usize = 4;

impl Remarks {
    fn one(&mut self, key: &str, value: f64, quantity: &Quantity) {
        let Some(remark) = quantity.remark(value) else { return };
        if self.first.is_none() {
            self.first = Some(format!("{key} {remark}"));
        } else {
            self.others.push(key.to_owned());
        }
    }

    fn each(&mut self, key: &str, values: &PerDevice, quantity: &Quantity) {
        match values {
            PerDevice::One(value) => self.one(key, *value, quantity),
            PerDevice::Each(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.one(&format!("{key}[{index}]"), *value, quantity);
                }
            }
        }
    }

    fn range(&mut self, key: &str, min: f64, max: f64, quantity: &Quantity) {
        self.one(&format!("{key}.min"), min, quantity);
        self.one(&format!("{key}.max"), max, quantity);
    }

    /// Deadlines and instructions per byte of tasks, where they are not those of `model`.
    fn demands(&mut self, instance: &Instance, model: &CostModel) {
        let (own, tasks) = (&instance.model, model.tasks());
        let sizes_bytes = instance.workload.sizes_bytes();
        for index in (0..model.task_count()).filter(|index| sizes_bytes[*index] > 0.0) {
            let of_task = |what: &str| format!("{what}[{}][{}]", index / tasks, index % tasks);
            if own.deadline_s(index) != model.deadline_s(index) {
                self.one(&of_task("deadline_s"), own.deadline_s(index), &DEADLINE);
            }
            let instructions = own.instructions_per_byte(index);
            if instructions != model.instructions_per_byte(index) {
                self.one(&of_task("instructions_per_byte"), instructions, &INSTRUCTIONS);
            }
        }
    }

    fn environment(&mut self, environment: &Environment) {
        for (device, mbps) in environment.uplinks_mbps.iter().enumerate() {
            self.one(&format!("uplink_mbps[{device}]"), *mbps, &LINK);
        }
        for (server, capacity) in environment.capacities.iter().enumerate() {
            self.one(&format!("capacity[{server}]"), *capacity, &CAPACITY);
        }
    }

    fn text(self) -> Option<String> {
        let first = self.first?;
        let further = self.others.len().saturating_sub(NAMED);
        let further = if further > 0 { format!(" and {further} more") } else { String::new() };
        let others = self.others[..self.others.len().min(NAMED)].join(", ");
        Some(if others.is_empty() { first } else { format!("{first}; as unusual are {others}{further}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workload;

    #[test]
    fn the_shipped_scenarios_are_plausible() {
        for name in Scenario::presets() {
            assert_eq!(in_scenario(&Scenario::load(name).expect("a preset")), None, "{name}");
        }
    }

    #[test]
    fn values_in_other_units_are_named_with_what_to_write() {
        let text = Scenario::preset_text("paper").expect("a preset");
        for (from, to, remark) in [
            (
                "uplink_mbps = 500",
                "uplink_mbps = 5e8",
                "devices.uplink_mbps is 500000000 Mbit/s, far more than is usual; if it is in bit/s, write 500",
            ),
            (
                "min = 10, max = 30",
                "min = 1e7, max = 3e7",
                "tasks.size_mb.min is 10000000 MB, far more than is usual; if it is in bytes, write 10; as unusual are tasks.size_mb.max",
            ),
            (
                "frequency_mhz = 100 ",
                "frequency_mhz = 0.1 ",
                "devices.frequency_mhz is 0.1 MHz, far less than is usual; if it is in GHz, write 100",
            ),
            (
                "= 3.0 ",
                "= 3e-9 ",
                "devices.energy_per_instruction_nj is 3e-9 nJ, far less than is usual; if it is in J, write 3",
            ),
            (
                "per_device = 3 ",
                "per_device = 3\ndeadline_s = [20, 240000, 86400] ",
                "tasks.deadline_s[1] is 240000 s, far more than is usual; if it is in ms, write 240",
            ),
            (
                "per_device = 3 ",
                "per_device = 3\ndeadline_s = 5e-4 ",
                "tasks.deadline_s is 0.0005 s, far less than is usual",
            ),
            (
                "frequency_mhz = 600 ",
                "frequency_mhz = 600\nlatency_ms = 20000 ",
                "servers[0].latency_ms is 20000 ms, far more than is usual; if it is in µs, write 20",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            let scenario = Scenario::from_toml("mine", &text.replacen(from, to, 1)).expect("valid");
            assert_eq!(in_scenario(&scenario).as_deref(), Some(remark));
        }
    }

    #[test]
    fn deadlines_of_workloads_are_looked_at() {
        let model = Scenario::load("paper").expect("a preset").check().expect("valid");
        let with = |deadline_s: f64| {
            let mut deadlines_s = vec![f64::INFINITY; 9];
            deadlines_s[4] = deadline_s;
            let demands = crate::Demands { deadlines_s: Some(deadlines_s), ..crate::Demands::default() };
            let model = model.with_demands(&demands).expect("valid");
            Instance { model, workload: Workload::from_mb(3, &[20.0; 9]) }
        };
        assert_eq!(in_instance(&with(20.0), &model), None);
        let remark = in_instance(&with(6e7), &model).expect("two years");
        assert!(remark.starts_with("deadline_s[1][1] is 60000000 s, far more than is usual"), "{remark}");
    }

    #[test]
    fn deadlines_and_latencies_that_are_usual_get_no_remark() {
        let mut scenario = Scenario::load("paper").expect("a preset");
        scenario.tasks.deadline_s = Some(PerDevice::Each(vec![1e-3, 20.0, 86_400.0]));
        (scenario.servers[0].latency_ms, scenario.servers[1].latency_ms) = (0.05, 1e4);
        assert_eq!(in_scenario(&scenario), None);
    }

    #[test]
    fn sizes_in_bytes_and_uplinks_in_bits_are_named() {
        let model = Scenario::load("paper").expect("a preset").check().expect("valid");
        let mut instance = Instance { model: model.clone(), workload: Workload::from_mb(3, &[12.0; 9]) };
        assert_eq!(in_instance(&instance, &model), None);
        let fast = Environment { uplinks_mbps: vec![5.0, 5e8, 0.0], ..model.environment().clone() };
        instance.model = model.at(&fast).expect("valid");
        let remark = in_instance(&instance, &model).expect("500 Tbit/s");
        assert!(remark.starts_with("uplink_mbps[1] is 500000000 Mbit/s"), "{remark}");
        instance.workload = Workload::from_mb(3, &[12e6; 9]);
        let remark = in_instance(&instance, &model).expect("12 TB");
        assert!(
            remark
                .starts_with("task 0 of device 0 is 12000000 MB, far more than is usual; if it is in bytes, write 12;"),
            "{remark}"
        );
        assert!(remark.ends_with("and 5 more"), "{remark}");
    }
}
