//! Starting the service, and services that cannot be started.

use std::net::TcpStream;

use acceptance::Workshop;

use crate::{Service, shipped};

#[test]
fn what_cannot_be_served_is_named() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    workshop.trainer(&["serve", "--record", "nowhere"]).failed(1).silent().naming(&["nowhere/manifest.toml", "help:"]);
    let service = Service::start(&workshop, &record, &[]);
    let taken = service.address.to_string();
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", &taken]).failed(1).silent();
    refused.naming(&["cannot listen on", &taken, "help:"]);
    workshop.trainer(&["serve"]).failed(2).silent().naming(&["--record"]);
}

#[test]
fn it_listens_on_names_and_on_every_address() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    workshop.write("token", "correct-horse\n");
    for listen in ["localhost:0", "LocalHost:0", "127.0.0.1:0"] {
        let service = Service::start(&workshop, &record, &["--listen", listen]);
        assert!(service.address.ip().is_loopback(), "{listen}: {}", service.address);
        assert_eq!(service.get("/v1/scenario").status, 200, "{listen}");
    }
    // Every address is one that other machines reach.
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", ":0"]).failed(1).silent();
    refused.naming(&["every machine that reaches", "--token-file", "--open"]);
    let service = Service::start(&workshop, &record, &["--listen", ":0", "--token-file", "token"]);
    assert!(service.address.ip().is_unspecified(), "{}", service.address);
    for host in ["127.0.0.1", "localhost"] {
        assert!(TcpStream::connect((host, service.address.port())).is_ok(), "{host}");
    }
}

#[test]
fn it_goes_on_to_listen_on_addresses_of_ipv6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        // This machine has no IPv6.
        return;
    }
    let workshop = Workshop::new();
    let record = shipped("mobile");
    let service = Service::start(&workshop, &record, &["--listen", "[::1]:0"]);
    assert_eq!(service.address.ip().to_string(), "::1");
    assert!(TcpStream::connect(service.address).is_ok());
    let taken = service.address.to_string();
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", &taken]).failed(1).silent();
    refused.naming(&["cannot listen on", &taken]);
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", "[::]:0"]).failed(1).silent();
    refused.naming(&["every machine that reaches [::]:0"]);
}

#[test]
fn an_address_that_means_nothing_is_named() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    let serve = |listen: &str| workshop.trainer(&["serve", "--record", &record, "--listen", listen]);
    serve("no-such-host.invalid:8080").failed(1).silent().naming(&[
        "cannot listen on no-such-host.invalid:8080",
        "no address is found for the name `no-such-host.invalid`",
        "because:",
        "help:",
    ]);
    for (listen, part) in [
        ("localhost", "a port is missing"),
        ("8080", "a port is missing"),
        ("localhost:http", "`http` is not a port"),
        (":65536", "`65536` is not a port"),
        ("::1:8080", "[::1]:8080"),
        ("http://localhost:8080", "neither a name nor an address"),
    ] {
        serve(listen).failed(2).silent().naming(&["--listen", listen, part]);
    }
    let service = Service::start(&workshop, &record, &["--listen", "localhost:0"]);
    let taken = format!("localhost:{}", service.address.port());
    serve(&taken).failed(1).silent().naming(&[&format!("cannot listen on {taken} ({})", service.address), "help:"]);
}
