//! Who may ask: tokens, names, origins and TLS.

use acceptance::Workshop;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::{SIZES, Service, shipped};

#[test]
fn only_the_token_opens_and_other_addresses_need_one() {
    let workshop = Workshop::new();
    workshop.write("token", "correct-horse\n");
    let record = shipped("mobile");
    let refused = workshop.trainer(&["serve", "--record", &record, "--listen", "0.0.0.0:0"]).failed(1).silent();
    refused.naming(&["every machine that reaches 0.0.0.0:0", "--token-file", "--open"]);
    let service = Service::start(&workshop, &record, &["--token-file", "token", "--listen", "0.0.0.0:0"]);
    let ask = |token: &str| {
        let url = format!("http://127.0.0.1:{}/v1/scenario", service.address.port());
        Service::answer(service.agent.get(url).header("Authorization", token).call())
    };
    for wrong in ["", "Bearer", "Bearer correct-hors", "Bearer correct-horses", "correct-horse"] {
        ask(wrong).refused(401, &["a token is needed"]);
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ask(&format!("{scheme} correct-horse")).status, 200, "{scheme}");
        ask(&format!("{scheme} Correct-Horse")).refused(401, &[]);
    }
    // The page asks for it by itself; probes need none.
    for path in ["/", "/page.js", "/healthz", "/readyz"] {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    service.get("/metrics").refused(401, &[]);
}

/// Shells and editors of Windows write files in UTF-16, and put a mark before UTF-8.
#[test]
fn a_token_is_read_in_every_encoding_that_shells_write() {
    let workshop = Workshop::new();
    let record = shipped("mobile");
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let little: Vec<u8> = units("\u{feff}correct-horse\r\n").iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units("\u{feff}correct-horse\r\n").iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let marked = "\u{feff}correct-horse\r\n".as_bytes().to_vec();
    for (what, bytes) in
        [("little", little), ("big", big), ("marked", marked), ("spaces", b" \tcorrect-horse \n\n".to_vec())]
    {
        workshop.write("token", bytes);
        let service = Service::start(&workshop, &record, &["--token-file", "token"]);
        let request = service.agent.get(service.url("/v1/scenario")).header("Authorization", "Bearer correct-horse");
        assert_eq!(Service::answer(request.call()).status, 200, "{what}");
        service.get("/v1/scenario").refused(401, &[]);
    }
    workshop.write("token", b"caf\xe9-correct-horse\n");
    let refused = workshop.trainer(&["serve", "--record", &record, "--token-file", "token"]).failed(1).silent();
    refused.naming(&["token", "byte 4", "Latin-1", "help:"]);
}

#[test]
fn pages_and_names_of_elsewhere_are_refused() {
    let workshop = Workshop::new();
    let service = Service::start(&workshop, &shipped("mobile"), &["--cors", "https://platform.example"]);
    let own = format!("127.0.0.1:{}", service.address.port());
    let ask = |host: &str, origin: &str| {
        let request = service.agent.get(service.url("/v1/scenario")).header("Host", host);
        Service::answer(if origin.is_empty() { request.call() } else { request.header("Origin", origin).call() })
    };
    assert_eq!(ask(&own, "").status, 200);
    assert_eq!(ask(&own, &format!("http://{own}")).status, 200);
    let allowed = ask(&own, "https://platform.example");
    assert_eq!(
        (allowed.status, &allowed.headers["access-control-allow-origin"]),
        (200, &"https://platform.example".parse().expect("a value"))
    );
    ask(&own, "https://evil.example").refused(403, &["other origins"]);
    ask("rebound.example", "").refused(421, &["name"]);
    let refused =
        workshop.trainer(&["serve", "--record", &shipped("mobile"), "--cors", "everywhere"]).failed(1).silent();
    refused.naming(&["`everywhere` is not an origin", "help:"]);
}

#[test]
fn it_serves_under_tls() {
    let workshop = Workshop::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    workshop.write("cert.pem", made.cert.pem());
    workshop.write("key.pem", made.signing_key.serialize_pem());
    let record = shipped("mobile");
    let files = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).expect("just made").to_owned();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let config = ureq::Agent::config_builder().tls_config(tls);
    let service = Service::start_with(workshop.command(), &record, &files, "https", config);
    let body = format!(r#"{{"tasks_mb": {SIZES}}}"#);
    assert_eq!(service.post("/v1/decide", &body).status, 200);
    // As an editor of Windows may save them.
    workshop.write("marked-cert.pem", "\u{feff}".to_owned() + &made.cert.pem());
    workshop.write("marked-key.pem", "\u{feff}".to_owned() + &made.signing_key.serialize_pem());
    let files = ["--tls-cert", "marked-cert.pem", "--tls-key", "marked-key.pem"];
    let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).expect("just made").to_owned();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let config = ureq::Agent::config_builder().tls_config(tls);
    let marked = Service::start_with(workshop.command(), &record, &files, "https", config);
    assert_eq!(marked.post("/v1/decide", &body).status, 200);
    let swapped = ["--tls-cert", "key.pem", "--tls-key", "cert.pem"];
    let refused = workshop.trainer(&[&["serve", "--record", &record], &swapped[..]].concat()).failed(1).silent();
    refused.naming(&["key.pem cannot be used for TLS", "help:"]);
    workshop.trainer(&["serve", "--record", &record, "--tls-cert", "cert.pem"]).failed(2).silent();
}
