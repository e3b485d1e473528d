//! What people run against a dispatching service: simulations, clients and the page.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Service;
use crate::dispatch::workshop;

/// The rows of a simulation by the names of schemes.
fn simulated(workshop: &acceptance::Workshop, service: &Service, more: &[&str]) -> Vec<Value> {
    let url = service.url("");
    let arguments = ["simulate", "--against", &url, "--scenario", "constant.toml", "--format", "json"];
    let said = workshop.trainer(&[&arguments[..], more].concat()).succeeded();
    serde_json::from_str(&said.stdout).expect("JSON")
}

#[test]
fn a_simulation_against_a_service_costs_what_its_scheme_costs() {
    let workshop = workshop();
    for scheme in ["one-step-fitted", "static-split"] {
        let service = Service::dispatching(&workshop, "constant.toml", &["--seed", "3", "--scheme", scheme]);
        let rows = simulated(&workshop, &service, &["--seed", "3", "--runs", "2", "--tasks", "300"]);
        assert_eq!(rows[0]["scheme"], format!("service ({scheme})"));
        let own = rows[1..].iter().find(|row| row["scheme"] == scheme).expect("it is compared, too");
        for key in ["mean_cost", "mean_energy_j", "mean_delay_s", "change_low", "place_shares"] {
            assert_eq!(rows[0][key], own[key], "{scheme}, {key}");
        }
        assert_eq!(service.get("/v1/queues").json()["open_tasks"], 0);
        let url = service.url("");
        let again = ["simulate", "--against", &url, "--scenario", "constant.toml", "--seed", "3"];
        workshop.trainer(&again).failed(1).naming(&["has placed tasks already", "--reset"]);
        let other = ["simulate", "--against", &url, "--scenario", "constant.toml", "--seed", "2"];
        workshop.trainer(&other).failed(1).naming(&["serves another site"]);
    }
    let nobody = ["simulate", "--against", "http://127.0.0.1:1", "--scenario", "constant.toml"];
    workshop
        .trainer(&nobody)
        .failed(1)
        .naming(&["http://127.0.0.1:1 does not answer", "trainer serve --scenario dispatch"]);
    workshop.trainer(&[&nobody[..], &["--speed", "0"]].concat()).failed(2).naming(&["--speed"]);
}

#[test]
fn a_simulation_in_time_and_with_rates_that_change() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "dispatch", &["--scheme", "greedy"]);
    let url = service.url("");
    let arguments =
        ["simulate", "--against", &url, "--tasks", "60", "--speed", "1000", "--tell-rates", "--format", "json"];
    let said = workshop.trainer(&arguments).succeeded();
    let rows: Vec<Value> = serde_json::from_str(&said.stdout).expect("JSON");
    assert!(rows[0]["mean_cost"].as_f64() > Some(0.0));
    // 60 tasks of ten devices come in some minutes.
    assert!(rows[0]["seconds_per_decision"].as_f64() > Some(2e-3), "{}", rows[0]);
}

fn run(mut command: Command) -> String {
    let output = command.output().expect("the program is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_clients_dispatch_and_report() {
    let workshop = workshop();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients");
    for (program, file) in [("bash", "dispatch.sh"), ("python3", "dispatch.py")] {
        let service = Service::dispatching(&workshop, "constant.toml", &[]);
        let mut command = Command::new(program);
        command.arg(clients.join(file)).arg(service.url(""));
        let said = run(command);
        assert!(said.contains("photo: ") && said.contains("expected"), "{file}: {said}");
        let queues = service.get("/v1/queues").json();
        assert_eq!((&queues["tasks"], &queues["completed_tasks"]), (&4.into(), &1.into()), "{file}: {queues}");
        let mut command = Command::new(program);
        command.arg(clients.join(file)).arg(service.url("/nowhere"));
        let failed = command.output().expect("the program is there");
        assert!(!failed.status.success());
        assert!(String::from_utf8_lossy(&failed.stderr).contains("there is no such path"), "{file}");
    }
}

#[test]
fn the_page_comes_with_the_program_and_from_nowhere_else() {
    let workshop = workshop();
    let service = Service::dispatching(&workshop, "constant.toml", &[]);
    for (path, kind, part) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/dispatch.js", "text/javascript; charset=utf-8", "/v1/queues"),
        ("/page.css", "text/css; charset=utf-8", "prefers-reduced-motion"),
    ] {
        let answer = service.get(path);
        assert_eq!((answer.status, &answer.headers["content-type"]), (200, &kind.parse().expect("a value")), "{path}");
        assert!(answer.text.to_lowercase().contains(part), "{path}");
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let elsewhere = answer.text.matches("://").count() - answer.text.matches("http://www.w3.org/").count();
        assert_eq!(elsewhere, 0, "{path} names another place");
    }
    service.get("/page.js").refused(404, &["no such path"]);
}
