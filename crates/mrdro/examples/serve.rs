//! Serves a record over HTTP from a program of one's own, until Ctrl-C; with `--check` it only gets ready.
//!
//! ```sh
//! cargo run -p mrdro --example serve
//! curl -s http://127.0.0.1:8080/v1/decide -H 'Content-Type: application/json' \
//!      -d '{"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}'
//! ```

use std::path::Path;

use mrdro::prelude::*;
use serve::{Event, Limits, Options, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let only_check = std::env::args().any(|argument| argument == "--check");
    let options = Options {
        record: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mobile"),
        scenario: None,
        decisions: DecisionOptions::default(),
        device: DeviceChoice::Auto.open()?.device,
        listen: if only_check { "127.0.0.1:0" } else { "127.0.0.1:8080" }.parse()?,
        token: None,
        open: false,
        tls: None,
        cors: None,
        drive: None,
        limits: Limits::default(),
        sample: 100,
    };
    let server = Server::prepare(options, |event: &Event<'_>| println!("{event:?}"))?;
    println!("serving at http://{}", server.address()?);
    if !only_check {
        server.run()?;
    }
    Ok(())
}
