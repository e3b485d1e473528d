//! Small tables of text that are read as a whole, such as the list of recordings of a study.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::bad_lines::Reason;
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::lines::{Line, Lines};

/// The most rows of a table that is read as a whole.
const MAX_ROWS: usize = 1_000_000;

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow<const N: usize> {
    /// The number of its line, from 1.
    pub line: u64,
    /// The fields in the wanted columns, without spaces around them.
    pub fields: [String; N],
}

/// Reads a table with a header: its fields in the wanted columns, row by row. Columns are divided by commas, semicolons or
/// tabs and may stand in any order; further columns are ignored.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let file = folder.path().join("split.csv");
/// std::fs::write(&file, "Role; File\n train; urban/run-1.csv\n")?;
/// let rows = data::read_table(&file, ["file", "role"])?;
/// assert_eq!((rows[0].line, &rows[0].fields), (2, &["urban/run-1.csv", "train"].map(str::to_owned)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the file cannot be read, its header does not name the columns, or a row does not fit the header.
pub fn read_table<const N: usize>(path: &Path, wanted: [&str; N]) -> Result<Vec<TableRow<N>>, TableError> {
    let unreadable = |source| TableError::Unreadable { path: path.to_owned(), source };
    let wrong_row = |line, reason| TableError::Row { path: path.to_owned(), line, reason };
    let mut lines = Lines::new(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    let mut columns: Option<Columns<N>> = None;
    let mut rows = Vec::new();
    let mut number = 0;
    while let Some(line) = lines.next().map_err(unreadable)? {
        number += 1;
        let row = match line {
            Line::Text(row) => row,
            Line::Bad(reason, _) => return Err(wrong_row(number, reason)),
        };
        match &columns {
            None if is_above_header(row) => {}
            None => {
                let header = Header::read(row, &wanted).columns(wanted);
                columns = Some(header.map_err(|reason| TableError::Header { path: path.to_owned(), reason })?);
            }
            Some(_) if row.trim().is_empty() => {}
            Some(_) if rows.len() == MAX_ROWS => return Err(TableError::TooLong { path: path.to_owned() }),
            Some(columns) => {
                let fields = columns.pick(row).map_err(|reason| wrong_row(number, reason))?;
                rows.push(TableRow { line: number, fields: fields.map(std::borrow::Cow::into_owned) });
            }
        }
    }
    Ok(rows)
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The header does not name the columns.
    #[error("{}: {reason}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        reason: HeaderError,
    },
    /// A row does not fit the header.
    #[error("{}, line {line}: {reason}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The table has more rows than are read as a whole.
    #[error("{} has more than {MAX_ROWS} rows", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}
