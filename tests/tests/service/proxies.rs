//! The service behind a reverse proxy, which has a name and a path of its own.

use acceptance::Workshop;
use serde_json::json;

use crate::{Answer, SIZES, Service, shipped};

/// Sends a request as a proxy passes it on.
fn ask(service: &Service, path: &str, host: &str, origin: &str) -> Answer {
    let request = service.agent.get(service.url(path)).header("Host", host);
    Service::answer(if origin.is_empty() { request.call() } else { request.header("Origin", origin).call() })
}

#[test]
fn the_names_of_public_urls_are_accepted_and_no_others() {
    let workshop = Workshop::new();
    let urls =
        ["--public-url", "https://edge.example/mr-dro/", "--public-url", "http://Other.example:8000", "--listen"];
    let service = Service::start(&workshop, &shipped("mobile"), &[&urls[..], &["localhost:0"]].concat());
    let local = format!("127.0.0.1:{}", service.address.port());
    for host in ["edge.example", "EDGE.example:443", "other.example", "other.example:8000", "localhost", &local] {
        assert_eq!(ask(&service, "/v1/scenario", host, "").status, 200, "{host}");
    }
    for host in ["rebound.example", "edge.example.rebound.example", "example", ""] {
        ask(&service, "/v1/scenario", host, "").refused(421, &["name"]);
    }
    // Proxies pass on the host that was asked for, with or without its port, or name the service by its address.
    for host in ["edge.example", "edge.example:443", &local] {
        assert_eq!(ask(&service, "/v1/scenario", host, "https://edge.example").status, 200, "{host}");
        assert_eq!(ask(&service, "/v1/scenario", host, "http://other.example:8000").status, 200, "{host}");
        for origin in ["https://evil.example", "https://edge.example:8443", "https://edge.example.evil.example", "null"]
        {
            ask(&service, "/v1/scenario", host, origin).refused(403, &["other origins"]);
        }
    }
    for wrong in ["edge.example", "https://edge.example/?a", "ftp://edge.example"] {
        let record = shipped("mobile");
        let refused = workshop.trainer(&["serve", "--record", &record, "--public-url", wrong]).failed(2).silent();
        refused.naming(&["--public-url", "https://edge.example/mr-dro/"]);
    }
}

/// Platforms send probes to host names of their own.
#[test]
fn probes_are_answered_whatever_the_host() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    for host in ["10.0.0.7:8080", "mr-dro.default.svc", "rebound.example", ""] {
        for path in ["/healthz", "/readyz"] {
            let answer = ask(&service, path, host, "");
            assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})), "{path} of {host}");
        }
    }
    for path in ["/", "/metrics", "/v1/scenario", "/openapi.json", "/healthz/", "/nothing"] {
        ask(&service, path, "rebound.example", "").refused(421, &["name"]);
    }
}

/// A proxy may remove its own path, or pass it on.
#[test]
fn the_path_of_a_public_url_may_stand_before_every_path() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--public-url", "https://edge.example/a/mr-dro/"]);
    let get = |path: &str| ask(&service, path, "edge.example", "https://edge.example");
    for path in ["/", "/page.js", "/page.css", "/v1/scenario", "/v1/record", "/healthz", "/readyz", "/openapi.json"] {
        let (plain, below) = (get(path), get(&format!("/a/mr-dro{path}")));
        assert_eq!((plain.status, below.status), (200, 200), "{path}");
        assert_eq!(below.text, plain.text, "{path}");
    }
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    assert_eq!(service.post("/a/mr-dro/v1/decide", &body).json(), service.post("/v1/decide", &body).json());
    // The page's own files lie beside it, so that its path must end with a slash.
    let client = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().new_agent();
    let answer = Service::answer(client.get(service.url("/a/mr-dro?x=1")).header("Host", "edge.example").call());
    assert_eq!((answer.status, &answer.headers["location"]), (308, &"mr-dro/?x=1".parse().expect("a value")));
    for path in ["/a/mr-drone/healthz", "/mr-dro/healthz", "/a/mr-dro/nothing", "/a"] {
        get(path).refused(404, &[]);
    }
    let metrics = get("/a/mr-dro/metrics").text;
    assert!(metrics.contains("mrdro_requests_total{endpoint=\"decide\",status=\"200\"} 2"), "{metrics}");
}

/// Nothing in the page or in the description names a path from the root of the host.
#[test]
fn the_page_and_the_description_work_below_any_path() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &[]);
    let page = service.get("/").text;
    for attribute in ["href=\"/", "src=\"/", "action=\"/"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
    assert!(page.contains("href=\"page.css\"") && page.contains("src=\"page.js\""));
    assert!(!service.get("/page.css").text.contains("url(/"));
    assert!(!service.get("/page.js").text.contains("fetch(path"));
    assert_eq!(service.get("/openapi.json").json()["servers"], json!([{"url": "."}]));
}
