//! Services that cannot be started.

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
