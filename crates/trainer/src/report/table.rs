//! The same results as a table, as JSON or as CSV.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table};
use data::Evaluation;
use serde::Serialize;

use crate::cli::Format;
use crate::error::AppError;

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

/// Prints rows in the format asked for; `table` is what people see of them.
pub(crate) fn print<T: Serialize>(format: Format, rows: &[T], table: impl FnOnce() -> String) -> Result<(), AppError> {
    let text = match format {
        Format::Table => table() + "\n",
        Format::Json => serde_json::to_string_pretty(rows).map_err(io::Error::from).map_err(failed)? + "\n",
        Format::Csv => csv_text(rows)?,
    };
    write_out(text.as_bytes())
}

/// JSON for people and programs.
pub(crate) fn json_of(value: &impl Serialize) -> Result<Vec<u8>, AppError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(io::Error::from).map_err(failed)?;
    json.push(b'\n');
    Ok(json)
}

/// Writes to standard output.
pub(crate) fn write_out(bytes: &[u8]) -> Result<(), AppError> {
    let mut output = io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush()).map_err(failed)
}

/// Prints how schemes did.
pub(crate) fn print_evaluations(format: Format, evaluations: &[Evaluation]) -> Result<(), AppError> {
    print(format, evaluations, || evaluations_table(evaluations))
}

/// Says something that is no result, on standard error. That nobody can hear it is no reason to fail.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// A text without what could make a terminal do or hide something.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_kept = !character.is_control() || character == '\n' || character == '\t';
        if is_kept { shown.push(character) } else { shown.extend(character.escape_default()) }
    }
    shown
}

/// How schemes did, as CSV.
pub(crate) fn evaluations_csv(evaluations: &[Evaluation]) -> Result<String, AppError> {
    csv_text(evaluations)
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

pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

pub(crate) fn csv_text<T: Serialize>(rows: &[T]) -> Result<String, AppError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(io::Error::from).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Rows of cells as CSV, the first of them the header.
pub(crate) fn csv_of(rows: &[Vec<String>]) -> Result<String, AppError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(io::Error::from).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn failed(source: io::Error) -> AppError {
    AppError::Output { source }
}
