//! The JSON schemas of the fields of a workload, for the scenario that is being served.

use serde_json::{Value, json};
use sim::CostModel;
use sim::limits::{DEADLINES_S, INSTRUCTIONS_PER_BYTE, MAX_DEADLINE_PENALTY, MAX_SIZE_MB};
use sim::scenario::DeadlineRule;
use sim::units::BYTES_PER_MB;

use super::schemas::{array_of, or_null, reference};
use crate::service::Snapshot;

/// The fields of a workload.
pub(super) fn properties() -> Value {
    json!({
        "id": {},
        "tasks_mb": reference("TaskSizes"),
        "environment": or_null(&reference("Environment")),
        "deadline_s": as_usual(&reference("Deadlines"), "the scenario's deadlines"),
        "deadline_rule": or_null(&json!({
            "description": "What a missed deadline costs: nothing, deadline_penalty, or more than anything else; with \
                            deadline_penalty beside it, it may be left out",
            "type": "string", "enum": DeadlineRule::NAMES
        })),
        "deadline_penalty": or_null(&json!({
            "description": "The cost of each missed deadline", "type": "number", "minimum": 0, "maximum": MAX_DEADLINE_PENALTY
        })),
        "instructions_per_byte": as_usual(&reference("InstructionsPerByte"), "the scenario's instructions per byte")
    })
}

/// A field that may be left out or be null, which means what the scenario says.
fn as_usual(schema: &Value, usual: &str) -> Value {
    let mut field = or_null(schema);
    field["description"] = format!("Left out, or null as a whole: {usual}").into();
    field
}

/// Adds what the fields demand of each other.
pub(super) fn add_conditions(schema: &mut Value, model: &CostModel) {
    let has = |key: &str, value: &Value| json!({ "required": [key], "properties": { key: value } });
    let rule_is = |names: &[&str]| has("deadline_rule", &json!({ "enum": names }));
    let penalty = has("deadline_penalty", &json!({ "type": "number" }));
    let usual_has_penalty = model.deadline_rule().penalty().is_some();
    let mut conditions = vec![json!({ "if": penalty, "then": { "not": rule_is(&["report", "hard"]) } })];
    if !usual_has_penalty {
        conditions.push(json!({ "if": rule_is(&["penalty"]), "then": penalty }));
    }
    if !model.has_deadlines() {
        let ruled = json!({ "anyOf": [rule_is(&["penalty", "hard"]), penalty] });
        let deadlines = has("deadline_s", &json!({ "type": ["number", "array"] }));
        conditions.push(json!({ "if": ruled, "then": deadlines }));
    }
    schema["allOf"] = conditions.into();
}

/// Task sizes in MB, `[devices][tasks]`, at least one of them a number.
pub(super) fn sizes(model: &CostModel) -> Value {
    let size = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX_SIZE_MB });
    let row = |tasks: usize| {
        if tasks == model.tasks() {
            return json!({ "type": ["array", "null"], "maxItems": tasks, "items": or_null(&size) });
        }
        let own = vec![or_null(&size); tasks];
        let mut row = json!({ "type": ["array", "null"], "maxItems": model.tasks(), "items": { "type": "null" } });
        if !own.is_empty() {
            row["prefixItems"] = own.into();
        }
        row
    };
    let mut rows = if model.has_absent_tasks() {
        let rows: Vec<_> = (0..model.devices()).map(|device| row(model.tasks_of(device))).collect();
        json!({ "type": "array", "minItems": rows.len(), "maxItems": rows.len(), "prefixItems": rows })
    } else {
        array_of(model.devices(), &row(model.tasks()))
    };
    rows["description"] =
        "Sizes in MB, one row for each device, null for none; null, or a row that ends early: no such task".into();
    rows["contains"] = json!({ "type": "array", "contains": { "type": "number" } });
    rows
}

pub(super) fn deadlines(model: &CostModel) -> Value {
    let deadline = json!({ "type": "number", "minimum": *DEADLINES_S.start(), "maximum": *DEADLINES_S.end() });
    let about = "Times within which tasks are to be done, in seconds; null inside an array, or a row that ends early: no deadline";
    task_values(model, &deadline, about)
}

pub(super) fn instructions(model: &CostModel) -> Value {
    let (least, most) = (INSTRUCTIONS_PER_BYTE.start(), INSTRUCTIONS_PER_BYTE.end());
    let instructions = json!({ "type": "number", "minimum": least, "maximum": most });
    let about =
        "Instructions to run for each byte; null inside an array, or a row that ends early: what the scenario says";
    task_values(model, &instructions, about)
}

/// One number for all tasks, or one entry for each device: a number, or one for each task.
fn task_values(model: &CostModel, number: &Value, about: &str) -> Value {
    let nothing = json!({ "type": "null" });
    let row = json!({ "type": "array", "maxItems": model.tasks(), "items": or_null(number) });
    let devices = array_of(model.devices(), &json!({ "oneOf": [number, row, nothing] }));
    json!({ "description": about, "oneOf": [number, devices] })
}

/// A workload of tasks of the mean size, with one deadline for all of them.
pub(super) fn example(snapshot: &Snapshot) -> Value {
    let model = &snapshot.model;
    let mean_mb = snapshot.loaded.served.sizes.mean_bytes / BYTES_PER_MB;
    let row = |device: usize| vec![mean_mb; model.tasks_of(device)];
    json!({
        "id": "monday",
        "tasks_mb": (0..model.devices()).map(row).collect::<Vec<_>>(),
        "deadline_s": 60.0,
        "deadline_rule": "hard",
        "instructions_per_byte": model.instructions_per_byte(0)
    })
}
