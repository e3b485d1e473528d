//! The OpenAPI description of the service, with the limits and names of the scenario that is being served.

pub(crate) mod paths;
pub(crate) mod schemas;
mod workload;

use serde_json::{Value, json};

use crate::Limits;
use crate::service::Snapshot;

/// The whole description. With `needs_token`, clients learn that they must send one.
pub(crate) fn description(snapshot: &Snapshot, limits: &Limits, needs_token: bool) -> Value {
    let about = "Where each task of each device should run: on the device, on an edge server or in the cloud.";
    described(about, &paths::paths(), &schemas::schemas(snapshot, limits), needs_token)
}

/// A description of paths and schemas, with what all services have.
pub(crate) fn described(about: &str, paths: &Value, schemas: &Value, needs_token: bool) -> Value {
    let mut description = json!({
        "openapi": "3.1.0",
        "info": { "title": "MR-DRO decisions", "version": env!("CARGO_PKG_VERSION"), "description": about },
        // Relative to this description, which a proxy may serve under a path of its own.
        "servers": [{ "url": "." }],
        "paths": paths,
        "components": { "schemas": schemas, "responses": responses() }
    });
    if needs_token {
        description["components"]["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
        description["security"] = json!([{ "token": [] }]);
    }
    description
}

/// The answers that refuse a request, by name.
fn responses() -> Value {
    let problem = |about: &str| {
        json!({ "description": about, "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" }
        } } })
    };
    let mut busy = problem("The service is busy or ending");
    busy["headers"] = json!({ "Retry-After": { "description": "Seconds", "schema": { "type": "integer" } } });
    let mut media_type =
        problem("Content-Type is not application/json, or Content-Encoding is neither gzip nor identity");
    media_type["headers"] = json!({ "Accept-Encoding": {
        "description": "The encodings that are accepted, if Content-Encoding is the reason", "schema": { "type": "string" }
    } });
    json!({
        "BadRequest": problem("The body is not JSON, or not of this form, or not what Content-Encoding says"),
        "Unauthorized": problem("The token is missing or wrong"),
        "Forbidden": problem("The request comes from a page of another origin"),
        "Conflict": problem("The request contradicts what the service was told before: whose time counts, the time that it is, which tasks are open"),
        "NotFound": problem("The service was started without a drive"),
        "Timeout": problem("The body was not received in time"),
        "TooLarge": problem("The body is too long"),
        "MediaType": media_type,
        "Misdirected": problem("The host of the request is not a name of this service"),
        "Unprocessable": problem("The request does not fit the scenario or the record that is being served"),
        "Busy": busy
    })
}
