//! The JSON schemas of requests and answers, for the scenario that is being served.

use serde_json::{Value, json};
use sim::limits::{MAX_SIZE_MB, MAX_UPLINK_MBPS};

use crate::Limits;
use crate::decider::scheme_names;
use crate::service::Snapshot;

pub(super) fn schemas(snapshot: &Snapshot, limits: &Limits) -> Value {
    json!({
        "Environment": environment(snapshot),
        "Workload": {
            "type": "object", "additionalProperties": false, "required": ["tasks_mb"],
            "properties": { "id": {}, "tasks_mb": sizes(snapshot), "environment": or_null(&reference("Environment")) }
        },
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

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// An optional field may be left out, or be null.
fn or_null(schema: &Value) -> Value {
    json!({ "oneOf": [schema, { "type": "null" }] })
}

fn array_of(count: usize, item: &Value) -> Value {
    json!({ "type": "array", "minItems": count, "maxItems": count, "items": item })
}

/// One value for all, or an array with one for each.
fn one_or_each(count: usize, item: &Value) -> Value {
    json!({ "oneOf": [item, array_of(count, item), { "type": "null" }] })
}

/// Task sizes in MB, `[devices][tasks]`.
fn sizes(snapshot: &Snapshot) -> Value {
    let size = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX_SIZE_MB });
    array_of(snapshot.model.devices(), &array_of(snapshot.model.tasks(), &size))
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

/// A decide request with one workload.
fn decide_one(snapshot: &Snapshot) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["tasks_mb"],
        "properties": {
            "id": {}, "tasks_mb": sizes(snapshot), "environment": or_null(&reference("Environment")),
            "workloads": { "type": "null" }, "scheme": scheme(snapshot), "explain": { "type": "boolean" }
        }
    })
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
            "id": nothing, "tasks_mb": nothing, "environment": nothing,
            "scheme": scheme(snapshot), "explain": { "type": "boolean" }
        }
    })
}

fn answer(snapshot: &Snapshot) -> Value {
    let model = &snapshot.model;
    let number = json!({ "type": "number" });
    let place = json!({ "type": "string", "enum": model.place_names() });
    json!({
        "type": "object", "required": ["placements", "energy_j", "time_s", "cost", "evaluations"],
        "properties": {
            "id": {},
            "placements": array_of(model.devices(), &array_of(model.tasks(), &place)),
            "energy_j": number, "time_s": number, "cost": number,
            "evaluations": { "type": "integer", "minimum": 0 },
            "unreachable": { "type": "integer", "minimum": 1 },
            "scheme": { "type": "string" }, "decided_in_us": number,
            "devices": { "type": "array", "items": { "type": "object" } }
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
fn problem() -> Value {
    json!({
        "type": "object", "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "field": { "type": "string" }
        }
    })
}
