//! Scenario files, as a user of the library reads them.

mod any_text;
mod files;

use std::fs;
use std::path::PathBuf;

use sim::Scenario;

/// A new directory for the files of one test.
fn directory(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scenarios").join(test);
    fs::create_dir_all(&path).expect("Cargo's directory for tests can be written");
    path
}

fn preset() -> Scenario {
    Scenario::load("paper").expect("a preset")
}
