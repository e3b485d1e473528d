//! The paths of the service, as OpenAPI describes them.

use serde_json::{Value, json};

/// All paths except the paths of the page.
pub(super) fn paths() -> Value {
    json!({
        "/v1/decide": { "post": {
            "operationId": "decide", "summary": "Decide where tasks run, for one workload or a list",
            "requestBody": request_body("Decide"),
            "responses": with_body_errors(&json!({ "200": answer("The decision, or one for each workload", "Decided") }))
        } },
        "/v1/scenario": get("scenario", "The scenario that decisions are for", "Object"),
        "/v1/record": get("record", "The record that decides", "Record"),
        "/v1/environment": { "put": {
            "operationId": "environment", "summary": "Change uplinks, capacities or α from now on",
            "requestBody": request_body("Environment"),
            "responses": with_body_errors(&json!({ "200": answer("The environment in force", "Entered") }))
        } },
        "/v1/reload": { "post": {
            "operationId": "reload", "summary": "Read the record again",
            "responses": with_common_errors(
                &json!({ "200": answer("The record in force", "Record"), "422": problem("Unprocessable") })
            )
        } },
        "/v1/drive": { "get": {
            "operationId": "drive", "summary": "A recorded drive to replay",
            "responses": with_common_errors(
                &json!({ "200": answer("The windows of the drive", "Object"), "404": problem("NotFound") })
            )
        } },
        "/healthz": get("health", "Whether the service is alive", "Status"),
        "/readyz": get("ready", "Whether the service accepts requests", "Status"),
        "/metrics": metrics()
    })
}

/// The path of the metrics.
pub(crate) fn metrics() -> Value {
    json!({ "get": {
        "operationId": "metrics", "summary": "Metrics in Prometheus' format",
        "responses": with_common_errors(&json!({ "200": {
            "description": "Text, or OpenMetrics if Accept names it",
            "content": {
                "text/plain": { "schema": { "type": "string" } },
                "application/openmetrics-text": { "schema": { "type": "string" } }
            }
        } }))
    } })
}

/// A path that only answers.
pub(crate) fn get(id: &str, summary: &str, schema: &str) -> Value {
    let responses = with_common_errors(&json!({ "200": answer(summary, schema) }));
    json!({ "get": { "operationId": id, "summary": summary, "responses": responses } })
}

pub(crate) fn request_body(schema: &str) -> Value {
    json!({ "required": true, "content": content(schema) })
}

pub(crate) fn answer(description: &str, schema: &str) -> Value {
    json!({ "description": description, "content": content(schema) })
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

pub(crate) fn problem(response: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{response}") })
}

/// Responses, with the errors that every path may answer.
pub(crate) fn with_common_errors(responses: &Value) -> Value {
    let errors = json!({ "401": problem("Unauthorized"), "403": problem("Forbidden"), "421": problem("Misdirected") });
    merged(errors, responses)
}

/// Responses, with the errors that every path with a request body may answer.
pub(crate) fn with_body_errors(responses: &Value) -> Value {
    let errors = json!({
        "400": problem("BadRequest"), "408": problem("Timeout"), "413": problem("TooLarge"),
        "415": problem("MediaType"), "422": problem("Unprocessable"), "503": problem("Busy")
    });
    with_common_errors(&merged(errors, responses))
}

fn merged(mut all: Value, more: &Value) -> Value {
    for (status, response) in more.as_object().into_iter().flatten() {
        all[status] = response.clone();
    }
    all
}
