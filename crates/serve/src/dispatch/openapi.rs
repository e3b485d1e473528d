//! The OpenAPI description of a dispatching service, for the site that is being served.

use serde_json::{Map, Value, json};
use sim::limits::{DEADLINES_S, MAX_SIZE_MB, MAX_UPLINK_MBPS};

use super::DispatchService;
use super::request::{MAX_ID_LENGTH, MAX_WHOLE};
use crate::openapi::described;
use crate::openapi::paths::{
    answer, get, metrics, problem as refused, request_body, with_body_errors, with_common_errors,
};
use crate::openapi::schemas::{or_null, problem, reference};

/// The whole description. With `needs_token`, clients learn that they must send one.
pub(super) fn description(service: &DispatchService, needs_token: bool) -> Value {
    let about = "Where each task that arrives should run: on its device, on an edge server or in the cloud; the service holds the \
                 queues of the site.";
    described(about, &paths(), &schemas(service), needs_token)
}

fn paths() -> Value {
    let body = |id: &str, summary: &str, body: &str, about: &str, schema: &str| {
        let responses = json!({ "200": answer(about, schema), "409": refused("Conflict") });
        json!({
            "operationId": id, "summary": summary, "requestBody": request_body(body),
            "responses": with_body_errors(&responses)
        })
    };
    let mut queues = get("queues", "The queues now, what was counted, and the last decisions", "Queues");
    queues["get"]["parameters"] = json!([{
        "name": "most", "in": "query", "required": false, "schema": { "type": "integer", "minimum": 0, "maximum": MAX_WHOLE },
        "description": "So many of the longest queues alone"
    }]);
    queues["get"]["responses"]["422"] = refused("Unprocessable");
    queues["put"] = body("put_queues", "Say what queues are in fact", "PutQueues", "The queues then", "Queues");
    json!({
        "/v1/dispatch": { "post": body(
            "dispatch", "Place a task that arrives, or a list of tasks", "Dispatch", "The place, or one for each task", "Dispatched"
        ) },
        "/v1/completed": { "post": body(
            "completed", "Say that tasks are done", "Completed", "What became of the task, or of each", "Done"
        ) },
        "/v1/queues": queues,
        "/v1/reset": { "post": body(
            "reset", "Begin anew at time 0 with empty queues", "Reset", "The queues then", "Queues"
        ) },
        "/v1/scenario": get("scenario", "The site that is served", "Site"),
        "/v1/reload": { "post": {
            "operationId": "reload", "summary": "Open the scheme again; queues and open tasks stay",
            "responses": with_common_errors(
                &json!({ "200": answer("The scheme in force", "Reloaded"), "422": refused("Unprocessable") })
            )
        } },
        "/healthz": get("health", "Whether the service is alive", "Status"),
        "/readyz": get("ready", "Whether the service accepts requests", "Status"),
        "/metrics": metrics()
    })
}

fn schemas(service: &DispatchService) -> Value {
    let limits = &service.core.limits;
    json!({
        "Task": object(&["device", "size_mb"], &task(service)),
        "Dispatch": { "oneOf": [one_task(service), tasks(limits.workloads)] },
        "Placement": placement(service),
        "Dispatched": { "oneOf": [
            { "allOf": [reference("Placement"), { "type": "object", "required": ["decided_in_us"] }] },
            {
                "type": "object", "required": ["answers", "decided_in_us"],
                "properties": {
                    "answers": { "type": "array", "items": reference("Placement") },
                    "decided_in_us": { "description": "The mean of the tasks", "type": "number" }
                }
            }
        ] },
        "Completion": object(&["id"], &completion()),
        "Completed": { "oneOf": [with_nulls(object(&["id"], &completion()), &["tasks"]), completions(limits.workloads)] },
        "CompletedTask": completed_task(service),
        "Done": { "oneOf": [
            reference("CompletedTask"),
            {
                "type": "object", "required": ["answers"],
                "properties": { "answers": { "type": "array", "items": reference("CompletedTask") } }
            }
        ] },
        "Backlogs": backlogs(service),
        "PutQueues": object(&["queues_s"], &json!({ "time_s": time(), "queues_s": reference("Backlogs") })),
        "Reset": object(&[], &json!({ "seed": { "type": ["integer", "null"], "minimum": 0, "maximum": MAX_WHOLE } })),
        "Reloaded": {
            "type": "object", "required": ["scheme", "continues"],
            "properties": { "scheme": { "type": "string" }, "continues": { "type": "boolean" } }
        },
        "Queues": queues(service),
        "Site": site(),
        "Status": { "type": "object", "required": ["status"], "properties": { "status": { "const": "ok" } } },
        "Problem": problem()
    })
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// The schema with fields that must be null, or not there.
fn with_nulls(mut schema: Value, names: &[&str]) -> Value {
    for name in names {
        schema["properties"][*name] = json!({ "type": "null" });
    }
    schema
}

fn id() -> Value {
    json!({ "oneOf": [{ "type": "string", "maxLength": MAX_ID_LENGTH }, { "type": "integer", "minimum": 0, "maximum": MAX_WHOLE }] })
}

fn time() -> Value {
    json!({
        "description": "Seconds of the callers' time, which must not run backwards; left out by all: the service's own time",
        "type": ["number", "null"]
    })
}

/// The fields of a task.
fn task(service: &DispatchService) -> Value {
    let rate = json!({ "type": "number", "minimum": 0, "maximum": MAX_UPLINK_MBPS });
    let numbers = service.names.numbers();
    let names: Vec<String> = numbers.iter().map(|number| format!("device {number}")).collect();
    let servers = service.names.own_link_servers();
    let links: Map<String, Value> = servers.into_iter().map(|name| (name.to_owned(), rate.clone())).collect();
    let deadline = json!({ "type": "number", "minimum": DEADLINES_S.start(), "maximum": DEADLINES_S.end() });
    json!({
        "id": or_null(&id()),
        "device": { "oneOf": [{ "type": "integer", "enum": numbers }, { "type": "string", "enum": names }] },
        "size_mb": { "type": "number", "exclusiveMinimum": 0, "maximum": MAX_SIZE_MB },
        "time_s": time(),
        "deadline_s": or_null(&deadline),
        "uplink_mbps": if service.names.has_uplinks() { or_null(&rate) } else { json!({ "type": "null" }) },
        "link_mbps": or_null(&json!({ "type": "object", "additionalProperties": false, "properties": links }))
    })
}

fn one_task(service: &DispatchService) -> Value {
    let mut schema = with_nulls(object(&["device", "size_mb"], &task(service)), &["tasks"]);
    schema["properties"]["queues_s"] = or_null(&reference("Backlogs"));
    schema["examples"] = json!([{ "device": service.names.numbers()[0], "size_mb": 12 }]);
    schema
}

fn tasks(most: usize) -> Value {
    let list = json!({
        "tasks": { "type": "array", "minItems": 1, "maxItems": most, "items": reference("Task") },
        "queues_s": or_null(&reference("Backlogs"))
    });
    let names = ["id", "device", "size_mb", "time_s", "deadline_s", "uplink_mbps", "link_mbps"];
    with_nulls(object(&["tasks"], &list), &names)
}

fn completion() -> Value {
    json!({ "id": id(), "done_s": { "description": "When it was done", "type": ["number", "null"] } })
}

fn completions(most: usize) -> Value {
    let list =
        json!({ "tasks": { "type": "array", "minItems": 1, "maxItems": most, "items": reference("Completion") } });
    with_nulls(object(&["tasks"], &list), &["id", "done_s"])
}

fn place(service: &DispatchService) -> Value {
    let site = &service.names.site;
    json!({ "type": "string", "enum": (0..site.places()).map(|place| site.place_name(place)).collect::<Vec<_>>() })
}

fn placement(service: &DispatchService) -> Value {
    let number = |about: &str| json!({ "description": about, "type": "number" });
    json!({
        "type": "object", "required": ["id", "place", "time_s", "wait_s", "done_s", "energy_j", "cost"],
        "properties": {
            "id": id(), "place": place(service), "time_s": number("When it arrived"),
            "wait_s": number("How long it waits for the link and for the machine"),
            "done_s": number("When it will be done"), "energy_j": number("The energy that it takes"),
            "cost": number("The weighted sum of energy and time, and what being late costs"),
            "missed_deadline": { "type": "boolean" },
            "decided_in_us": { "type": "number" }
        }
    })
}

fn completed_task(service: &DispatchService) -> Value {
    let number = json!({ "type": "number" });
    json!({
        "type": "object",
        "required": ["id", "place", "time_s", "expected_s", "done_s", "expected_cost", "cost"],
        "properties": {
            "id": id(), "place": place(service), "time_s": number, "expected_s": number, "done_s": number,
            "expected_cost": number, "cost": number
        }
    })
}

fn backlogs(service: &DispatchService) -> Value {
    let mut properties = Map::new();
    for queue in service.names.site.queues() {
        properties.insert(queue.name.clone(), json!({ "type": "number", "minimum": 0 }));
    }
    json!({
        "description": "Seconds until a queue is empty if nothing more joins it, by the name of the queue; of a machine with what \
                        is on its way to it. Queues that are not named stay as they are",
        "type": "object", "additionalProperties": false, "properties": properties
    })
}

fn queues(service: &DispatchService) -> Value {
    let (number, count) = (json!({ "type": "number" }), json!({ "type": "integer", "minimum": 0 }));
    let queue = json!({
        "type": "object", "required": ["name", "backlog_s", "tasks"],
        "properties": { "name": { "type": "string" }, "backlog_s": number, "tasks": count }
    });
    let recent = json!({
        "type": "object", "required": ["id", "device", "size_mb", "place", "time_s", "wait_s", "done_s", "cost"],
        "properties": {
            "id": id(), "device": count, "size_mb": number, "place": place(service), "time_s": number, "wait_s": number,
            "done_s": number, "cost": number
        }
    });
    json!({
        "type": "object",
        "required": [
            "time_s", "time_of", "scheme", "tasks", "tasks_by_place", "open_tasks", "completed_tasks", "missed_deadlines",
            "mean_wait_s", "mean_cost", "mean_greedy_cost", "mean_delay_s", "queue_count", "queues", "recent"
        ],
        "properties": {
            "time_s": number,
            "time_of": { "description": "Whose time counts; null until the first task", "enum": ["service", "callers", null] },
            "scheme": { "type": "string" }, "tasks": count,
            "tasks_by_place": { "type": "object", "additionalProperties": count },
            "open_tasks": count, "completed_tasks": count, "missed_deadlines": count, "mean_wait_s": number,
            "mean_cost": number, "mean_greedy_cost": number, "mean_delay_s": number, "queue_count": count,
            "queues": { "type": "array", "items": queue }, "recent": { "type": "array", "items": recent }
        }
    })
}

fn site() -> Value {
    let (text, number) = (json!({ "type": "string" }), json!({ "type": "number" }));
    let queue = json!({
        "type": "object", "required": ["name", "s_per_mb"], "properties": { "name": text, "s_per_mb": number }
    });
    json!({
        "type": "object",
        "required": [
            "name", "kind", "scheme", "seed", "site", "devices", "places", "alpha", "deadline_s", "queues", "schemes", "scenario"
        ],
        "properties": {
            "name": text, "kind": { "const": "stream" }, "scheme": text, "seed": { "type": "integer" }, "site": text,
            "devices": { "type": "array", "items": { "type": "integer", "minimum": 0 } },
            "places": { "type": "array", "items": text }, "alpha": number, "deadline_s": or_null(&number),
            "queues": { "type": "array", "items": queue }, "schemes": { "type": "array", "items": text },
            "scenario": { "type": "object" }
        }
    })
}
