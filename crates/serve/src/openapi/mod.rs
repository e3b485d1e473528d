//! The OpenAPI description of the service, with the limits and names of the scenario that is being served.

mod paths;
mod schemas;

use serde_json::{Value, json};

use crate::Limits;
use crate::service::Snapshot;

/// The whole description. With `needs_token`, clients learn that they must send one.
pub(crate) fn description(snapshot: &Snapshot, limits: &Limits, needs_token: bool) -> Value {
    let mut description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "MR-DRO decisions",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Where each task of each device should run: on the device, on an edge server or in the cloud."
        },
        "paths": paths::paths(),
        "components": { "schemas": schemas::schemas(snapshot, limits), "responses": responses() }
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
    json!({
        "BadRequest": problem("The body is not JSON, or not of this form"),
        "Unauthorized": problem("The token is missing or wrong"),
        "Forbidden": problem("The request comes from a page of another origin"),
        "NotFound": problem("The service was started without a drive"),
        "Timeout": problem("The body was not received in time"),
        "TooLarge": problem("The body is too long"),
        "MediaType": problem("Content-Type is not application/json"),
        "Misdirected": problem("The host of the request is not a name of this service"),
        "Unprocessable": problem("The request does not fit the scenario or the record that is being served"),
        "Busy": busy
    })
}
