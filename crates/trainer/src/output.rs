//! Output: results on standard output as a table, JSON or CSV, and notes on standard error.

use std::io::{self, Write};
use std::path::Path;

use comfy_table::{CellAlignment, Table};
use data::Evaluation;
use mrdro::chart::PictureFormat;
use mrdro::files;
use serde::Serialize;

use crate::cli::Format;
use crate::error::CliError;

/// A table with numbers aligned to the right.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Prints rows in a format. `table` makes the text for people.
pub(crate) fn print<T: Serialize>(format: Format, rows: &[T], table: impl FnOnce() -> String) -> Result<(), CliError> {
    let text = match format {
        Format::Table => table() + "\n",
        Format::Json => return write_out(&files::json(&rows)),
        Format::Csv => files::csv(rows),
    };
    write_out(text.as_bytes())
}

/// Writes to standard output.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    output
        .write_all(bytes)
        .and_then(|()| output.flush())
        .map_err(|source| CliError::from(mrdro::Error::Output { source }))
}

/// Checks the name that an option gives a picture, before any work.
pub(crate) fn check_picture(option: &'static str, path: &Path) -> Result<(), CliError> {
    if PictureFormat::of(path).is_none() {
        let wanted = "a name that ends in .svg or .png, the two formats of pictures";
        return Err(mrdro::Error::BadOption { option, text: path.display().to_string(), wanted }.into());
    }
    PictureFormat::check(path)?;
    Ok(())
}

/// Writes a note for each scheme that a comparison left out.
pub(crate) fn note_left_out<E: std::fmt::Display>(left_out: &[(String, E)]) {
    for (scheme, reason) in left_out {
        note(&format!("{scheme} is left out: {reason}"));
    }
}

/// Prints the evaluations of schemes.
pub(crate) fn print_evaluations(format: Format, evaluations: &[Evaluation]) -> Result<(), CliError> {
    print(format, evaluations, || evaluations_table(evaluations))
}

/// Writes a note for people to standard error. An error of writing is ignored.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", without_control_characters(text));
}

/// A text with control characters escaped, since these could control the terminal.
fn without_control_characters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_kept = !character.is_control() || character == '\n' || character == '\t';
        if is_kept { shown.push(character) } else { shown.extend(character.escape_default()) }
    }
    shown
}

fn evaluations_table(evaluations: &[Evaluation]) -> String {
    let header = ["scheme", "energy J", "time s", "cost", "Q2", "Q2 p5", "evaluations", "time/decision"];
    let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.5}"));
    let row = |row: &Evaluation| {
        vec![
            row.scheme.clone(),
            format!("{:.1}", row.mean_energy_j),
            format!("{:.1}", row.mean_time_s),
            format!("{:.2}", row.mean_cost),
            ratio(row.q2),
            ratio(row.q2_p05),
            format!("{:.0}", row.evaluations_per_decision),
            duration(row.seconds_per_decision),
        ]
    };
    table(&header, evaluations.iter().map(row).collect())
}

/// A time in microseconds, milliseconds or seconds.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}
