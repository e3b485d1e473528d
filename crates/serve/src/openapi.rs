//! What can be asked for, as OpenAPI describes it: exactly for the fleet that is being served.

use serde_json::{Value, json};
use sim::limits::{MAX_SIZE_MB, MAX_UPLINK_MBPS};

use crate::Limits;
use crate::decider::scheme_names;
use crate::service::Snapshot;

/// The description.
pub(crate) fn description(snapshot: &Snapshot, limits: &Limits, needs_token: bool) -> Value {
    let mut description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "MR-DRO decisions",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Where each task of each device should run: on the device, on an edge server or in the cloud."
        },
        "paths": paths(),
        "components": { "schemas": schemas(snapshot, limits), "responses": responses() }
    });
    if needs_token {
        description["components"]["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
        description["security"] = json!([{ "token": [] }]);
    }
    description
}

fn paths() -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let content = |name: &str| json!({ "application/json": { "schema": reference(name) } });
    let answer = |about: &str, name: &str| json!({ "description": about, "content": content(name) });
    let problem = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
    let body = |name: &str| json!({ "required": true, "content": content(name) });
    let common = |more: Value| {
        let mut all =
            json!({ "401": problem("Unauthorized"), "403": problem("Forbidden"), "421": problem("Misdirected") });
        for (status, response) in more.as_object().into_iter().flatten() {
            all[status] = response.clone();
        }
        all
    };
    let reads = |more: Value| {
        let mut all = common(json!({
            "400": problem("BadRequest"), "408": problem("Timeout"), "413": problem("TooLarge"),
            "415": problem("MediaType"), "422": problem("Unprocessable"), "503": problem("Busy")
        }));
        for (status, response) in more.as_object().into_iter().flatten() {
            all[status] = response.clone();
        }
        all
    };
    let get = |id: &str, about: &str, name: &str| json!({ "get": { "operationId": id, "summary": about, "responses": common(json!({ "200": answer(about, name) })) } });
    json!({
        "/v1/decide": { "post": {
            "operationId": "decide", "summary": "Where tasks should run", "requestBody": body("Decide"),
            "responses": reads(json!({ "200": answer("The decision, or one for each workload", "Decided") }))
        } },
        "/v1/scenario": get("scenario", "What is being decided about", "Object"),
        "/v1/record": get("record", "What decides", "Record"),
        "/v1/environment": { "put": {
            "operationId": "environment", "summary": "Other uplinks, capacities or α from now on",
            "requestBody": body("Environment"),
            "responses": reads(json!({ "200": answer("The environment in force", "Entered") }))
        } },
        "/v1/reload": { "post": {
            "operationId": "reload", "summary": "Read the record again",
            "responses": common(json!({ "200": answer("The record in force", "Record"), "422": problem("Unprocessable") }))
        } },
        "/v1/drive": { "get": {
            "operationId": "drive", "summary": "A recorded drive to replay",
            "responses": common(json!({ "200": answer("Its windows", "Object"), "404": problem("NotFound") }))
        } },
        "/healthz": get("health", "Whether the service lives", "Status"),
        "/readyz": get("ready", "Whether the service decides", "Status"),
        "/metrics": { "get": {
            "operationId": "metrics", "summary": "Measures in Prometheus' format",
            "responses": common(json!({ "200": {
                "description": "Text", "content": { "application/openmetrics-text": { "schema": { "type": "string" } } }
            } }))
        } }
    })
}

fn responses() -> Value {
    let problem = |about: &str| {
        json!({ "description": about, "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }
        } } })
    };
    let mut busy = problem("More than can be done now");
    busy["headers"] = json!({ "Retry-After": { "description": "Seconds", "schema": { "type": "integer" } } });
    json!({
        "BadRequest": problem("The body is no JSON, or not of this form"),
        "Unauthorized": problem("The token is missing or wrong"),
        "Forbidden": problem("The page that asks is of another origin"),
        "NotFound": problem("There is none"),
        "Timeout": problem("The body took too long"),
        "TooLarge": problem("The body is too long"),
        "MediaType": problem("The body is not said to be JSON"),
        "Misdirected": problem("The service was asked by a name that is not its own"),
        "Unprocessable": problem("It makes no sense for what is being served"),
        "Busy": busy
    })
}

fn schemas(snapshot: &Snapshot, limits: &Limits) -> Value {
    let model = &snapshot.model;
    let (devices, tasks, servers) = (model.devices(), model.tasks(), model.places() - 1);
    let each =
        |count: usize, item: &Value| json!({ "type": "array", "minItems": count, "maxItems": count, "items": item });
    // What may be left out may be null.
    let nothing = json!({ "type": "null" });
    let one_or_each = |count: usize, item: &Value| json!({ "oneOf": [item, each(count, item), nothing] });
    let size = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": MAX_SIZE_MB });
    let uplink = json!({ "type": "number", "minimum": 0, "maximum": MAX_UPLINK_MBPS });
    let capacity = json!({ "type": "number", "minimum": 1e-6, "maximum": 1e6 });
    let sizes = each(devices, &each(tasks, &size));
    let schemes = scheme_names(snapshot.loaded.is_exact_quick);
    let environment = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "uplink_mbps": one_or_each(devices, &uplink),
            "capacity": one_or_each(servers, &capacity),
            "alpha": { "type": ["number", "null"], "minimum": 0, "maximum": 1 }
        }
    });
    let whole = json!({ "$ref": "#/components/schemas/Environment" });
    let change = json!({ "oneOf": [whole, nothing] });
    let scheme = json!({ "oneOf": [{ "type": "string", "enum": schemes }, nothing] });
    let answer = json!({ "$ref": "#/components/schemas/Answer" });
    let number = json!({ "type": "number" });
    json!({
        "Environment": environment,
        "Workload": {
            "type": "object", "additionalProperties": false, "required": ["tasks_mb"],
            "properties": { "id": {}, "tasks_mb": sizes, "environment": change }
        },
        "Decide": { "oneOf": [
            {
                "type": "object", "additionalProperties": false, "required": ["tasks_mb"],
                "properties": {
                    "id": {}, "tasks_mb": sizes, "environment": change, "workloads": nothing,
                    "scheme": scheme, "explain": { "type": "boolean" }
                }
            },
            {
                "type": "object", "additionalProperties": false, "required": ["workloads"],
                "properties": {
                    "workloads": {
                        "type": "array", "minItems": 1, "maxItems": limits.workloads,
                        "items": { "$ref": "#/components/schemas/Workload" }
                    },
                    "id": nothing, "tasks_mb": nothing, "environment": nothing,
                    "scheme": scheme, "explain": { "type": "boolean" }
                }
            }
        ] },
        "Answer": {
            "type": "object", "required": ["placements", "energy_j", "time_s", "cost", "evaluations"],
            "properties": {
                "id": {},
                "placements": each(devices, &each(tasks, &json!({ "type": "string", "enum": model.place_names() }))),
                "energy_j": number, "time_s": number, "cost": number,
                "evaluations": { "type": "integer", "minimum": 0 },
                "unreachable": { "type": "integer", "minimum": 1 },
                "scheme": { "type": "string" }, "decided_in_us": number,
                "devices": { "type": "array", "items": { "type": "object" } }
            }
        },
        "Decided": { "oneOf": [
            answer,
            { "type": "object", "required": ["answers"], "properties": { "answers": { "type": "array", "items": answer } } }
        ] },
        "Entered": {
            "type": "object", "required": ["environment", "follows", "note"],
            "properties": { "environment": whole, "follows": { "type": "boolean" }, "note": { "type": "string" } }
        },
        "Record": record(),
        "Status": { "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } } },
        "Object": { "type": "object" },
        "Problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
                "detail": { "type": "string" }, "field": { "type": "string" }
            }
        }
    })
}

/// A record of either kind.
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
                "description": "Of DNNs for one scenario",
                "type": "object", "required": ["dnns", "inputs", "hidden", "outputs"],
                "properties": {
                    "dnns": count, "inputs": count, "hidden": { "type": "array", "items": count }, "outputs": count
                }
            },
            "networks": {
                "description": "For any fleet",
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
