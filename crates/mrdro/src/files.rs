//! Writing of files and folders, and the formats JSON and CSV.

use std::io;

use serde::Serialize;

pub use crate::output_file::{
    STANDARD_OUTPUT, check_file, check_folder, create_folder, is_standard_output, write_file,
};

/// A value as JSON with indentation and a newline at the end.
///
/// # Panics
/// Never for values of numbers, texts, lists and structs, which JSON can write.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).expect("numbers, texts, lists and structs can be written");
    json.push(b'\n');
    json
}

/// Rows as CSV. The header holds the names of the fields.
///
/// # Panics
/// Never for flat rows of numbers and texts, which CSV can write.
pub fn csv<T: Serialize>(rows: &[T]) -> String {
    let write = || {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().try_for_each(|row| writer.serialize(row))?;
        text_of(writer)
    };
    write().expect("numbers and texts can be written to memory")
}

/// Rows of cells as CSV. The first row is the header.
///
/// # Panics
/// If a row has more or fewer cells than the first.
pub fn csv_of_cells(rows: &[Vec<String>]) -> String {
    let write = || {
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().try_for_each(|row| writer.write_record(row))?;
        text_of(writer)
    };
    write().expect("all rows have one length")
}

fn text_of(writer: csv::Writer<Vec<u8>>) -> Result<String, io::Error> {
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
