//! The description of DNNs in exported files: everything that is needed to decide with them in another program.

use serde_json::{Map, Value, json};
use sim::CostModel;

use super::candidates::Exploration;
use super::features::{Code, Standard};
use super::networks::DnnNetworks;
use crate::export::Description;

const ORIENTATION: &str = "Each layer computes y = x W + b. Weights are stored as [inputs, outputs], row by row: the row of an \
     input holds its weight to each output. Other frameworks that keep weights as [outputs, inputs] need the transpose.";
const STACKED: &str = "layers.l.weight is [networks, inputs, outputs] and layers.l.bias is [networks, 1, outputs] for layer l = 0, 1, ...";
const SINGLE: &str = "layers.l.weight is [inputs, outputs] and layers.l.bias is [outputs] for layer l = 0, 1, ...";
const ACTIVATION: &str = "relu after every layer but the last; the last layer gives logits";
const INDICATORS: &str = "Each task has places - 1 logits, one task after the other. The task runs at place 0 if its first logit is above \
     0; else at place 1 if there are only two places or its second logit is above 0; else at place 2.";
const CATEGORICAL: &str = "Each task has one logit for each place, one task after the other. The task runs at the place with the highest \
     logit, at the first of equal ones.";
const DECIDE: &str = "Each network proposes the decision that its logits stand for. A task at a place that its device cannot reach \
     (cost.reachable) is moved to place 0. With flips = F above 0 each network also proposes the F decisions that differ from its own in \
     the place of one task and of which it is least uncertain, see certainty. The answer is the proposal with the lowest cost, the first of \
     equal ones. With choice = workload whole decisions are compared; with choice = per-device each device takes its part from the proposal \
     in which its own cost is lowest, unless devices share something.";
const INDICATOR_CERTAINTY: &str = "Other places of one task: to the server that its second logit names, or from there to place 0, with the \
     certainty |first logit|; and from one server to the other with the certainty |second logit|. The lowest certainties come first, of \
     equal ones the lower task, then the lower place.";
const CATEGORICAL_CERTAINTY: &str = "Other places of one task, each with the certainty: highest logit - logit of the place. The lowest \
     certainties come first, of equal ones the lower task, then the lower place.";
const COST: &str = "cost = sum over devices n of alpha * E_n + (1 - alpha) * T_n. With b[n][p] the bytes of device n at place p, L[p] the \
     bytes of all devices at p, and U the bytes of all devices at places other than 0: E_n = sum over p of energy_j_per_byte[n][p] * b[n][p]. \
     T_n is the highest, over the places p where b[n][p] > 0, of max(send_s_per_byte[n][p] * b[n][p], shared_link_s_per_byte[p] * L[p], \
     shared_uplink_s_per_byte * U if p > 0) + compute_s_per_byte[n][p] * b[n][p] + shared_compute_s_per_byte[p] * L[p]. The coefficients \
     hold in the environment that is named here.";

/// What [`COST`] leaves out, where there is any of it.
const DETAILS: &str = "The cost has more terms than the formula of cost says, each where its entry is there. latency_s: T_n of a place p \
     grows by latency_s[p] for each task with bytes that device n has there. instructions_per_byte: shared_compute_s_per_byte[p] * L[p] \
     becomes shared_compute_s_per_instruction[p] * V[p], with V[p] the sum over devices of instructions_per_byte[n] * b[n][p]. deadline_s: a \
     task with bytes of device n misses its deadline if device n is done at the task's place later than deadline_s[n] * (1 + 1e-12). With \
     deadline_rule = report nothing follows from that; with penalty each missed deadline adds deadline_penalty to the cost; with hard the \
     decision, or with choice = per-device the part of a decision, with fewer missed deadlines is better, and the cost decides between equal \
     numbers. With latency_s, with instructions_per_byte, and with a rule other than report, alpha and 1 - alpha are at least 1e-9 each. \
     tasks_of_device: tasks of device n from tasks_of_device[n] on are absent and have 0 bytes; they are at place 0 in every \
     proposal, also in those with flips.";

impl DnnNetworks {
    /// The description of all networks, or of the network `index` alone.
    pub(super) fn description(&self, index: Option<usize>) -> Description {
        let shape = self.ensemble.shape();
        let widths: Vec<usize> = std::iter::once(shape.inputs).chain(shape.hidden).chain([shape.outputs]).collect();
        let mut description = Description::new(Self::KIND.name, self.ensemble.networks(), index);
        description.json("layers", &json!(widths));
        description.text("activation", ACTIVATION);
        description.text("orientation", ORIENTATION);
        description.text("tensors", if index.is_some() { SINGLE } else { STACKED });
        let model = self.scenario.check().expect("the networks were checked against their scenario");
        description.json("inputs", &self.inputs(&model));
        description.json("places", &json!(model.place_names()));
        let (code, certainty) = match self.code {
            Code::Indicators => (INDICATORS, INDICATOR_CERTAINTY),
            Code::Categorical => (CATEGORICAL, CATEGORICAL_CERTAINTY),
        };
        description.json("code", &json!({ "name": self.code, "logits": code, "certainty": certainty }));
        let flips = match self.selection.exploration {
            Exploration::Threshold => 0,
            Exploration::OrderPreserving { flips } => flips,
        };
        let selection = json!({ "flips": flips, "choice": self.selection.scope, "decide": DECIDE });
        description.json("selection", &selection);
        description.json("cost", &cost(&model));
        if let Some(details) = details(&model) {
            description.json("details", &details);
        }
        description.text("scenario", self.scenario.to_toml());
        description
    }

    /// The meaning of the inputs, in order.
    fn inputs(&self, model: &CostModel) -> Value {
        let scale = |name: &str, scale: Option<Standard>, each: &str| {
            scale.map(|Standard { mean, std_dev }| {
                json!({ "name": name, "mean": mean, "deviation": std_dev, "inputs": each })
            })
        };
        let uplink = "for each device two: (ln(max(uplink in Mbit/s, 0.01)) - mean) / deviation, limited to -4 to 4; and 2 s / (s + c) - 1 \
             with s = 8e-6 / uplink in Mbit/s and c = compute_s_per_byte of the device at place 0, which is 1 for an uplink of 0";
        let capacity =
            "for each server, which is each place from 1 on: (ln(capacity) - mean) / deviation, limited to -4 to 4";
        let alpha = "one: (alpha - mean) / deviation, limited to -4 to 4";
        let environment = [
            scale("log_uplink", self.reads.log_uplink, uplink),
            scale("log_capacity", self.reads.log_capacity, capacity),
            scale("alpha", self.reads.alpha, alpha),
        ];
        json!({
            "devices": model.devices(),
            "tasks_per_device": model.tasks(),
            "tasks": "input n * tasks_per_device + m is task m of device n: (bytes - mean_bytes) / deviation_bytes; 1 MB is 1e6 bytes",
            "mean_bytes": self.scaling.mean_bytes,
            "deviation_bytes": self.scaling.std_dev_bytes,
            "environment": environment.into_iter().flatten().collect::<Vec<_>>(),
        })
    }
}

/// The cost of decisions in the scenario's own environment.
fn cost(model: &CostModel) -> Value {
    let (devices, places) = (model.devices(), model.places());
    let pairs = |value: &dyn Fn(usize, usize) -> Value| -> Value {
        (0..devices).map(|device| (0..places).map(|place| value(device, place)).collect::<Value>()).collect()
    };
    let by_place = |value: &dyn Fn(usize) -> f64| -> Value { (0..places).map(value).collect() };
    let uplink = (0..places).map(|place| model.time_terms(0, place).shared_uplink).fold(0.0, f64::max);
    let environment = model.environment();
    json!({
        "formula": COST,
        "alpha": model.alpha(),
        "environment": {
            "uplink_mbps": environment.uplinks_mbps,
            "capacity": environment.capacities,
            "alpha": environment.alpha,
        },
        "energy_j_per_byte": pairs(&|device, place| model.rates(device)[place].energy_j_per_byte.into()),
        "send_s_per_byte": pairs(&|device, place| model.time_terms(device, place).send.into()),
        "compute_s_per_byte": pairs(&|device, place| model.time_terms(device, place).compute.into()),
        "shared_link_s_per_byte": by_place(&|place| model.time_terms(0, place).shared_link),
        "shared_compute_s_per_byte": by_place(&|place| model.time_terms(0, place).shared_compute),
        "shared_uplink_s_per_byte": uplink,
        "reachable": pairs(&|device, place| model.is_reachable(device, place as u8).into()),
        "is_sum_over_devices": model.is_separable(),
    })
}

/// Latencies, instructions per byte, deadlines and numbers of tasks, where the scenario has any of them.
fn details(model: &CostModel) -> Option<Value> {
    let devices = || 0..model.devices();
    let first_task = |device: usize| device * model.tasks();
    let mut details = Map::new();
    let latencies_s: Vec<f64> = (0..model.places()).map(|place| model.latency_s(place)).collect();
    if latencies_s.iter().any(|latency_s| *latency_s > 0.0) {
        details.insert("latency_s".to_owned(), json!(latencies_s));
    }
    let instructions: Vec<f64> = devices().map(|device| model.instructions_per_byte(first_task(device))).collect();
    if instructions.iter().any(|one| *one != instructions[0]) {
        let shared = |place| model.time_terms(0, place).shared_compute / instructions[0];
        let shared: Vec<f64> = (0..model.places()).map(shared).collect();
        details.insert("instructions_per_byte".to_owned(), json!(instructions));
        details.insert("shared_compute_s_per_instruction".to_owned(), json!(shared));
    }
    if model.has_deadlines() {
        let deadlines_s: Vec<f64> = devices().map(|device| model.deadline_s(first_task(device))).collect();
        details.insert("deadline_s".to_owned(), json!(deadlines_s));
        details.insert("deadline_rule".to_owned(), json!(model.deadline_rule().name()));
    }
    if let Some(penalty) = model.deadline_rule().penalty() {
        details.insert("deadline_penalty".to_owned(), json!(penalty));
    }
    if model.has_absent_tasks() {
        let counts: Vec<usize> = devices().map(|device| model.tasks_of(device)).collect();
        details.insert("tasks_of_device".to_owned(), json!(counts));
    }
    if details.is_empty() {
        return None;
    }
    details.insert("formula".to_owned(), json!(DETAILS));
    Some(details.into())
}

#[cfg(test)]
mod tests {
    use sim::Scenario;
    use sim::scenario::{DeadlineRule, PerDevice};

    use super::*;

    #[test]
    fn details_are_described_where_there_are_any() {
        let mut scenario = Scenario::load("shared-edge").expect("a preset");
        assert_eq!(details(&scenario.check().expect("valid")), None);
        scenario.servers[0].latency_ms = 250.0;
        scenario.instructions_per_byte = PerDevice::Each(vec![1000.0, 500.0, 250.0]);
        scenario.tasks.counts = vec![3, 0, 2];
        scenario.tasks.deadline_s = Some(PerDevice::Each(vec![20.0, 30.0, 40.0]));
        scenario.tasks.deadline_rule = DeadlineRule::Penalty(7.0);
        let model = scenario.check().expect("valid");
        let found = details(&model).expect("many");
        assert_eq!(found["latency_s"], json!([0.0, 0.25, 0.0]));
        assert_eq!(found["instructions_per_byte"], json!([1000.0, 500.0, 250.0]));
        assert_eq!(found["deadline_s"], json!([20.0, 30.0, 40.0]));
        assert_eq!((&found["deadline_rule"], &found["deadline_penalty"]), (&json!("penalty"), &json!(7.0)));
        assert_eq!(found["tasks_of_device"], json!([3, 0, 2]));
        let shared = found["shared_compute_s_per_instruction"].as_array().expect("by place");
        let wanted = model.time_terms(0, 1).shared_compute / 1000.0;
        assert!(wanted > 0.0 && shared[1] == json!(wanted) && shared[0] == json!(0.0), "{shared:?}");
    }
}
