//! The JSON schemas of the fields of a workload, for the scenario that is being served.

use serde_json::{Value, json};
use sim::CostModel;
use sim::limits::{INSTRUCTIONS_PER_BYTE, MAX_DEADLINE_S, MAX_SIZE_MB};
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
        "deadline_s": or_null(&reference("Deadlines")),
        "deadline_rule": or_null(&json!({
            "description": "What a missed deadline costs: nothing, deadline_penalty, or more than anything else",
            "type": "string", "enum": DeadlineRule::NAMES
        })),
        "deadline_penalty": or_null(&json!({
            "description": "The cost of each missed deadline", "type": "number", "minimum": 0, "maximum": MAX_DEADLINE_S
        })),
        "instructions_per_byte": or_null(&reference("InstructionsPerByte"))
    })
}

/// Adds what the fields demand of each other.
pub(super) fn add_conditions(schema: &mut Value, model: &CostModel) {
    let has = |key: &str, value: &Value| json!({ "required": [key], "properties": { key: value } });
    let rule_is = |names: &[&str]| has("deadline_rule", &json!({ "enum": names }));
    let penalty = has("deadline_penalty", &json!({ "type": "number" }));
    let usual_has_penalty = model.deadline_rule().penalty().is_some();
    let penalty_rule =
        if usual_has_penalty { json!({ "not": rule_is(&["report", "hard"]) }) } else { rule_is(&["penalty"]) };
    let mut conditions = vec![json!({ "if": penalty, "then": penalty_rule })];
    if !usual_has_penalty {
        conditions.push(json!({ "if": rule_is(&["penalty"]), "then": penalty }));
    }
    let some_number = json!({ "type": "number" });
    let deadlines = json!({ "anyOf": [
        some_number,
        { "type": "array", "contains": { "anyOf": [some_number, { "type": "array", "contains": some_number }] } }
    ] });
    let ruled = rule_is(&["penalty", "hard"]);
    if model.has_deadlines() {
        let none = json!({ "type": "array", "not": deadlines });
        conditions.push(json!({ "if": ruled, "then": { "not": has("deadline_s", &none) } }));
    } else {
        conditions.push(json!({ "if": ruled, "then": has("deadline_s", &deadlines) }));
    }
    schema["allOf"] = conditions.into();
}

/// Task sizes in MB, `[devices][tasks]`, at least one of them a number.
pub(super) fn sizes(model: &CostModel) -> Value {
    let size = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX_SIZE_MB });
    let row = |tasks: usize| {
        if tasks == model.tasks() {
            return json!({ "type": "array", "maxItems": tasks, "items": or_null(&size) });
        }
        let own = vec![or_null(&size); tasks];
        let mut row = json!({ "type": "array", "maxItems": model.tasks(), "items": { "type": "null" } });
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
    rows["description"] = "Sizes in MB, one row for each device; null, or a row that ends early: no such task".into();
    rows["contains"] = json!({ "type": "array", "contains": { "type": "number" } });
    rows
}

pub(super) fn deadlines(model: &CostModel) -> Value {
    let deadline = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX_DEADLINE_S });
    let about = "Times within which tasks are to be done, in seconds; null, or a row that ends early: no deadline";
    task_values(model, &deadline, about)
}

pub(super) fn instructions(model: &CostModel) -> Value {
    let (least, most) = (INSTRUCTIONS_PER_BYTE.start(), INSTRUCTIONS_PER_BYTE.end());
    let instructions = json!({ "type": "number", "minimum": least, "maximum": most });
    let about = "Instructions to run for each byte; null, or a row that ends early: what the scenario says";
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
