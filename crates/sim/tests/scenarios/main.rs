//! Scenario files and files of task sizes, from the side of who uses the library.

mod any_text;
mod files;
mod sizes;

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
