//! Serves a record over HTTP from your own program, until Ctrl-C. With `--check` it prepares the service and ends.
//!
//! ```sh
//! cargo run -p mrdro --example serve
//! curl -s http://127.0.0.1:8080/v1/decide -H 'Content-Type: application/json' \
//!      -d '{"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}'
//! ```

use std::path::Path;

use mrdro::prelude::*;
use serve::{Event, Options, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let only_check = std::env::args().any(|argument| argument == "--check");
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mobile");
    let listen = if only_check { "127.0.0.1:0" } else { "127.0.0.1:8080" }.parse()?;
    let options = Options::new(record, listen, DeviceChoice::Auto.open()?.device);
    let server = Server::prepare(options, |event: &Event<'_>| println!("{event:?}"))?;
    println!("serving at http://{}", server.address()?);
    if !only_check {
        server.run()?;
    }
    Ok(())
}
