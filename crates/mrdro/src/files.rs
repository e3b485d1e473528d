//! Files that appear complete or not at all, and the formats JSON and CSV.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::Error;

/// Writes a file under a temporary name and then renames it, so that it appears complete or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let write = || {
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default, but results are for every user to read.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| Error::Unwritable { path: path.to_owned(), source })
}

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
