//! What the service says about itself: description, health and metrics.

use std::time::{Duration, Instant};

use acceptance::Workshop;
use serde_json::json;

use crate::{Service, lines, shipped};

#[test]
fn it_describes_and_measures_itself() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--sample", "1"]);
    let description = service.get("/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    for path in ["/v1/decide", "/v1/scenario", "/v1/record", "/v1/environment", "/v1/reload", "/v1/drive", "/metrics"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let record = service.get("/v1/record").json();
    assert_eq!(record["network"]["dnns"], 8);
    assert_eq!((&record["kind"], &record["format_version"]), (&json!("dnns"), &json!(2)));
    assert!(record["provenance"]["command"].to_string().contains("cargo run"), "{record}");
    assert_eq!(service.get("/readyz").json(), json!({"status": "ok"}));
    for line in lines(20) {
        service.post("/v1/decide", &line);
    }
    let begin = Instant::now();
    let count = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        line.unwrap_or_else(|| panic!("{name}: {text}"))
    };
    // Comparing with the optimum waits for quieter moments.
    let metrics = loop {
        let metrics = service.get("/metrics").text;
        if count(&metrics, "mrdro_q2_count") == 20.0 || begin.elapsed() > Duration::from_secs(10) {
            break metrics;
        }
    };
    assert_eq!(count(&metrics, "mrdro_q2_count"), 20.0);
    assert!(count(&metrics, "mrdro_q2_sum") > 0.99 * 20.0);
    assert_eq!(count(&metrics, "mrdro_decide_seconds_count"), 20.0);
    let places = ["local", "edge", "cloud"].map(|place| format!("mrdro_tasks_total{{place=\"{place}\"}}"));
    let tasks = places.iter().filter(|name| metrics.contains(*name)).map(|name| count(&metrics, name)).sum::<f64>();
    assert_eq!(tasks, 20.0 * 9.0);
    assert!(metrics.ends_with("# EOF\n"));
}
