//! What the service says about itself: description, health and metrics.

use std::time::{Duration, Instant};

use acceptance::Workshop;
use serde_json::json;

use crate::{Answer, Service, lines, shipped};

/// The metrics, as a client asks for them.
fn ask(service: &Service, accept: &str) -> Answer {
    Service::answer(service.agent.get(service.url("/metrics")).header("Accept", accept).call())
}

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
    assert!(ask(&service, "application/openmetrics-text").text.ends_with("# EOF\n"));
}

#[test]
fn metrics_come_in_the_format_that_is_asked_for() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    for accept in ["application/openmetrics-text", prometheus] {
        let open = ask(&service, accept);
        assert_eq!(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert_eq!(open.headers["vary"], "Accept");
        for part in ["# TYPE mrdro_requests counter\n", "# UNIT mrdro_resident_memory_bytes bytes\n"] {
            assert!(open.text.contains(part), "`{part}`: {}", open.text);
        }
        assert!(open.text.ends_with("# EOF\n"));
    }
    for accept in
        ["*/*", "text/plain", "text/html,*/*;q=0.8", "text/plain;version=0.0.4;q=1,*/*;q=0.1", "application/json"]
    {
        let text = ask(&service, accept);
        assert_eq!(text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", "{accept}");
        for part in ["requests", "tasks", "failed_batches", "reloads"].map(|name| format!("mrdro_{name}_total")) {
            assert!(text.text.contains(&format!("# HELP {part} ")), "`{part}`: {}", text.text);
            assert!(text.text.contains(&format!("# TYPE {part} counter\n{part}")), "`{part}`: {}", text.text);
        }
        assert!(text.text.contains("# TYPE mrdro_decide_seconds histogram\n"), "{}", text.text);
        assert!(!text.text.contains("# UNIT") && !text.text.contains("# EOF"), "{}", text.text);
    }
}

/// Monitoring cannot see the first increase of a counter that appears with this increase.
#[test]
fn counters_are_there_from_the_start() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let metrics = service.get("/metrics").text;
    for counter in [
        "mrdro_requests_total{endpoint=\"decide\",status=\"200\"}",
        "mrdro_requests_total{endpoint=\"decide\",status=\"422\"}",
        "mrdro_requests_total{endpoint=\"decide\",status=\"503\"}",
        "mrdro_requests_total{endpoint=\"environment\",status=\"200\"}",
        "mrdro_requests_total{endpoint=\"unknown\",status=\"404\"}",
        "mrdro_tasks_total{place=\"local\"}",
        "mrdro_tasks_total{place=\"edge\"}",
        "mrdro_tasks_total{place=\"cloud\"}",
        "mrdro_reloads_total{result=\"done\"}",
        "mrdro_reloads_total{result=\"refused\"}",
        "mrdro_failed_batches_total",
    ] {
        assert!(metrics.lines().any(|line| line == format!("{counter} 0")), "{counter}: {metrics}");
    }
}
