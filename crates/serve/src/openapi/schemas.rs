//! The JSON schemas of requests and answers, for the scenario that is being served.

use serde_json::{Value, json};
use sim::limits::MAX_UPLINK_MBPS;

use super::workload;
use crate::Limits;
use crate::decider::scheme_names;
use crate::service::Snapshot;

pub(super) fn schemas(snapshot: &Snapshot, limits: &Limits) -> Value {
    json!({
        "Environment": environment(snapshot),
        "Workload": workload(snapshot),
        "TaskSizes": workload::sizes(&snapshot.model),
        "Deadlines": workload::deadlines(&snapshot.model),
        "InstructionsPerByte": workload::instructions(&snapshot.model),
        "Decide": { "oneOf": [decide_one(snapshot), decide_list(snapshot, limits)] },
        "Answer": answer(snapshot),
        "Decided": { "oneOf": [
            reference("Answer"),
            {
                "type": "object", "required": ["answers"],
                "properties": { "answers": { "type": "array", "items": reference("Answer") } }
            }
        ] },
        "Entered": {
            "type": "object", "required": ["environment", "follows", "note"],
            "properties": {
                "environment": reference("Environment"), "follows": { "type": "boolean" }, "note": { "type": "string" }
            }
        },
        "Record": record(),
        "Status": { "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } } },
        "Object": { "type": "object" },
        "Problem": problem()
    })
}

pub(crate) fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// An optional field may be left out, or be null.
pub(crate) fn or_null(schema: &Value) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }] })
}

pub(super) fn array_of(count: usize, item: &Value) -> Value {
    json!({ "type": "array", "minItems": count, "maxItems": count, "items": item })
}

/// One value for all, or an array with one for each.
fn one_or_each(count: usize, item: &Value) -> Value {
    json!({ "oneOf": [item, array_of(count, item), { "type": "null" }] })
}

fn environment(snapshot: &Snapshot) -> Value {
    let model = &snapshot.model;
    let uplink = json!({ "type": "number", "minimum": 0, "maximum": MAX_UPLINK_MBPS });
    let capacity = json!({ "type": "number", "minimum": 0, "maximum": 1e6 });
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "uplink_mbps": one_or_each(model.devices(), &uplink),
            "capacity": one_or_each(model.places() - 1, &capacity),
            "alpha": { "type": ["number", "null"], "minimum": 0, "maximum": 1 }
        }
    })
}

fn scheme(snapshot: &Snapshot) -> Value {
    or_null(&json!({ "type": "string", "enum": scheme_names(snapshot.loaded.is_exact_quick) }))
}

/// A workload of a list.
fn workload(snapshot: &Snapshot) -> Value {
    let mut schema = json!({
        "type": "object", "additionalProperties": false, "required": ["tasks_mb"], "properties": workload::properties()
    });
    workload::add_conditions(&mut schema, &snapshot.model);
    schema
}

/// A decide request with one workload.
fn decide_one(snapshot: &Snapshot) -> Value {
    let mut schema = workload(snapshot);
    let properties = &mut schema["properties"];
    properties["workloads"] = json!({ "type": "null" });
    properties["scheme"] = scheme(snapshot);
    properties["explain"] = json!({ "type": "boolean" });
    schema["examples"] = json!([workload::example(snapshot)]);
    schema
}

/// A decide request with a list of workloads.
fn decide_list(snapshot: &Snapshot, limits: &Limits) -> Value {
    let nothing = json!({ "type": "null" });
    json!({
        "type": "object", "additionalProperties": false, "required": ["workloads"],
        "properties": {
            "workloads": {
                "type": "array", "minItems": 1, "maxItems": limits.workloads, "items": reference("Workload")
            },
            "id": nothing, "tasks_mb": nothing, "environment": nothing, "deadline_s": nothing,
            "deadline_rule": nothing, "deadline_penalty": nothing, "instructions_per_byte": nothing,
            "scheme": scheme(snapshot), "explain": { "type": "boolean" }
        }
    })
}

fn answer(snapshot: &Snapshot) -> Value {
    let model = &snapshot.model;
    let number = json!({ "type": "number" });
    let place = or_null(&json!({ "type": "string", "enum": model.place_names() }));
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object", "required": ["placements", "energy_j", "time_s", "cost", "evaluations"],
        "properties": {
            "id": {},
            "placements": array_of(model.devices(), &array_of(model.tasks(), &place)),
            "energy_j": number, "time_s": number, "cost": number,
            "missed_deadlines": count, "tasks_with_deadline": count,
            "evaluations": count,
            "unreachable": { "type": "integer", "minimum": 1 },
            "scheme": { "type": "string" }, "decided_in_us": number,
            "devices": { "type": "array", "items": explained_device() }
        }
    })
}

/// What an explained answer says of a device.
fn explained_device() -> Value {
    let number = json!({ "type": "number" });
    let task = json!({
        "type": "object", "required": ["place", "mb", "start_s", "end_s", "energy_j"],
        "properties": {
            "place": { "type": "string" }, "mb": number, "start_s": number, "end_s": number, "energy_j": number,
            "deadline_s": number,
            "done_s": {
                "description": "When the device is done at the place, with all its tasks there: later than the deadline, the \
                                task misses it",
                "type": "number"
            },
            "missed_deadline": { "type": "boolean" }
        }
    });
    json!({
        "type": "object", "required": ["energy_j", "time_s", "tasks"],
        "properties": {
            "energy_j": number, "time_s": number, "tasks": { "type": "array", "items": or_null(&task) }
        }
    })
}

/// The schema of a record with networks of either kind.
fn record() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "required": [
            "kind", "path", "format_version", "reads_environment", "provenance", "measures", "loaded_unix_s", "generation"
        ],
        "properties": {
            "kind": { "type": "string", "enum": ["dnns", "fleet"] },
            "path": { "type": "string" }, "format_version": count,
            "network": {
                "description": "The networks of a record for one scenario",
                "type": "object", "required": ["dnns", "inputs", "hidden", "outputs"],
                "properties": {
                    "dnns": count, "inputs": count, "hidden": { "type": "array", "items": count }, "outputs": count
                }
            },
            "networks": {
                "description": "The networks of a record for any fleet",
                "type": "object", "required": ["nets", "width", "rounds"],
                "properties": { "nets": count, "width": count, "rounds": count }
            },
            "reads_environment": { "type": "boolean" },
            "provenance": { "type": "object" }, "measures": { "type": "object" },
            "loaded_unix_s": count, "generation": count
        },
        "oneOf": [{ "required": ["network"] }, { "required": ["networks"] }]
    })
}

/// The schema of an error, RFC 9457.
pub(crate) fn problem() -> Value {
    json!({
        "type": "object", "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "field": { "type": "string" }
        }
    })
}
