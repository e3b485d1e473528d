//! How the program refuses wrong input: one clear error that names the mistake and its place, a non-zero exit code, and
//! nothing half-written.

mod commands;
mod disk;
mod records;
mod scenarios;
mod size_files;
mod traces;
mod workloads;

use acceptance::Workshop;

/// A shipped scenario with one text in it replaced by another.
fn edited_preset(from: &str, to: &str) -> String {
    let text = sim::Scenario::preset_text("paper").expect("a preset");
    assert!(text.contains(from), "the preset has no `{from}`");
    text.replacen(from, to, 1)
}

/// The line of a text on which something first stands, from 1.
fn line_of(text: &str, part: &str) -> usize {
    1 + text.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("`{part}` is not there"))
}

/// Asserts that a failed command left nothing: no run, no record, no unfinished or temporary file.
#[track_caller]
fn assert_only(workshop: &Workshop, files: &[&str]) {
    assert!(workshop.files().keys().eq(files), "{:?}", workshop.files().keys());
}
