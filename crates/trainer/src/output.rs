//! Output: results on standard output as a table, JSON or CSV, and notes on standard error.

use std::io::{self, Write};
use std::path::Path;

use comfy_table::{CellAlignment, Table};
use data::{EnvironmentSampler, Evaluation};
use mrdro::chart::PictureFormat;
use mrdro::files;
use serde::Serialize;
use sim::Scenario;
use sim::scenario::{UplinkDistribution, implausible};

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

/// Writes a note if a scenario holds values that are a thousand times more or less than is plausible.
pub(crate) fn note_implausible_scenario(scenario: &Scenario) {
    let remark = implausible::in_scenario(scenario);
    note_implausible(&format!("the scenario `{}`", scenario.name), remark.as_deref());
}

/// Writes notes on the recordings that a scenario draws its uplinks from, if there is something to say. Recordings that
/// cannot be read are left to the command that reads them.
pub(crate) fn note_recordings(scenario: &Scenario) {
    let uplinks = scenario.environment.as_ref().and_then(|environment| environment.uplink_mbps.as_ref());
    if !matches!(uplinks, Some(UplinkDistribution::Traces { .. })) {
        return;
    }
    if let Ok(Some(sampler)) = EnvironmentSampler::new(scenario) {
        sampler.notes().iter().for_each(|text| note(&format!("note: {text}")));
    }
}

/// Writes a note on a value that is a thousand times more or less than is plausible, if there is one.
pub(crate) fn note_implausible(place: &str, remark: Option<&str>) {
    if let Some(remark) = remark {
        note(&format!("note: in {place}, {remark}"));
    }
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
    let has_deadlines = evaluations.iter().any(|row| row.share_of_missed_deadlines.is_some());
    let mut header = vec!["scheme", "energy J", "time s", "cost"];
    header.extend(has_deadlines.then_some(MISSED));
    header.extend(["Q2", "Q2 p5", "evaluations", "time/decision"]);
    let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.5}"));
    let row = |row: &Evaluation| {
        let mut cells = vec![
            row.scheme.clone(),
            figure(row.mean_energy_j, 1),
            figure(row.mean_time_s, 1),
            figure(row.mean_cost, 2),
        ];
        cells.extend(has_deadlines.then(|| missed(row.share_of_missed_deadlines)));
        cells.extend([
            ratio(row.q2),
            ratio(row.q2_p05),
            format!("{:.0}", row.evaluations_per_decision),
            duration(row.seconds_per_decision),
        ]);
        cells
    };
    table(&header, evaluations.iter().map(row).collect())
}

/// The header above shares of missed deadlines.
pub(crate) const MISSED: &str = "missed";

/// A share of missed deadlines in percent.
pub(crate) fn missed(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

/// A number with some decimals, and with three digits that count if the decimals would show less than two of them.
pub(crate) fn figure(value: f64, decimals: u8) -> String {
    let size = value.abs();
    let shows_two_digits = size >= 10_f64.powi(1 - i32::from(decimals));
    if size == 0.0 || shows_two_digits || !size.is_finite() {
        format!("{value:.*}", usize::from(decimals))
    } else if size >= 1e-4 {
        let leading_zeros = (-size.log10().floor()) as usize;
        format!("{value:.*}", leading_zeros + 2)
    } else {
        format!("{value:.2e}")
    }
}

/// A time in nanoseconds, microseconds, milliseconds or seconds.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        ..1e-7 => format!("{:.0} ns", seconds * 1e9),
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_show_digits() {
        let figures = [
            (0.0, 3, "0.000"),
            (12.3456, 3, "12.346"),
            (0.5, 1, "0.500"),
            (1.0, 1, "1.0"),
            (0.01, 3, "0.010"),
            (0.001_234, 3, "0.00123"),
            (-0.001_234, 3, "-0.00123"),
            (0.000_012_34, 4, "1.23e-5"),
            (f64::INFINITY, 2, "inf"),
        ];
        for (value, decimals, text) in figures {
            assert_eq!(figure(value, decimals), text, "{value} with {decimals} decimals");
        }
    }
}
