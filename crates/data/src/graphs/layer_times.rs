//! Tables of measured layers.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use sim::graph::{GraphScenario, LayerRegression, LayerTimesError, LayerWork, MeasuredLayer, UnknownLayerKind};
use sim::limits::MAX_TEXT_BYTES;
use sim::units::bytes_from_mb;

use crate::bad_lines::{Reason, excerpt};
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::source_file;

/// The columns of a table, the needed ones first.
const COLUMNS: [&str; 7] = ["kind", "mflop", "input_kb", "output_kb", "seconds", "weights_mb", "layer"];
/// The number of columns that a table must have.
const NEEDED: usize = 5;

/// Reads a table of measured layers, one on each line, with a header:
///
/// | column | content |
/// |---|---|
/// | `layer` | a name, for messages; may be left out |
/// | `kind` | one of [`LayerKind::NAMES`](sim::graph::LayerKind::NAMES) |
/// | `mflop` | 10^6 floating-point operations |
/// | `weights_mb` | the size of the weights in MB; left out or empty: 0 |
/// | `input_kb`, `output_kb` | the sizes of input and output in KB = 10^3 bytes |
/// | `seconds` | the time that the layer took |
///
/// Columns are divided by commas, semicolons or tabs and may stand in any order; others are ignored. Lines above the header
/// that begin with `#` are comments. The file may be compressed with gzip.
///
/// # Errors
/// If the file cannot be read, a column is missing, or a line is no measured layer; then with the line and what is wrong.
pub fn measured_layers(path: &Path) -> Result<Vec<MeasuredLayer>, LayerTableError> {
    let unreadable = |source| LayerTableError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = source_file::open(path).map_err(unreadable)?;
    file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(LayerTableError::TooLarge { path: path.to_owned() });
    }
    let no_text = |reason| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    let text = sim::text::decode(bytes).map_err(no_text)?;
    let mut lines = (1_u64..).zip(text.lines()).skip_while(|(_, line)| is_above_header(line));
    let Some((_, first)) = lines.next() else {
        return Err(LayerTableError::Empty { path: path.to_owned() });
    };
    let columns = Header::read(first, &COLUMNS).columns_with_optional(COLUMNS, NEEDED);
    let columns = columns.map_err(|reason| LayerTableError::Columns { path: path.to_owned(), reason })?;
    let rows = lines.filter(|(_, line)| !line.trim().is_empty());
    let layers = rows.map(|(line, row)| {
        layer_of(&columns, line, row).map_err(|reason| LayerTableError::Line { path: path.to_owned(), line, reason })
    });
    layers.collect()
}

fn layer_of(columns: &Columns<7>, line: u64, row: &str) -> Result<MeasuredLayer, BadLayer> {
    let [kind, mflop, input_kb, output_kb, seconds, weights_mb, layer] = columns.pick(row).map_err(BadLayer::Row)?;
    let number = |column: &'static str, field: &str| {
        let text = columns.decimal(field);
        let parsed: Option<f64> = text.parse().ok().filter(|value: &f64| !value.is_nan());
        parsed.ok_or_else(|| BadLayer::NoNumber { column, text: excerpt(field) })
    };
    let not_negative = |column: &'static str, field: &str| {
        let value = number(column, field)?;
        if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(BadLayer::Negative { column, found: value }) }
    };
    let kind = excerpt(&kind).parse().map_err(BadLayer::Kind)?;
    let work = LayerWork {
        operations: 1e6 * not_negative("mflop", &mflop)?,
        weights_bytes: if weights_mb.is_empty() {
            0.0
        } else {
            bytes_from_mb(not_negative("weights_mb", &weights_mb)?)
        },
        input_bytes: 1e3 * not_negative("input_kb", &input_kb)?,
        output_bytes: 1e3 * not_negative("output_kb", &output_kb)?,
    };
    let seconds = number("seconds", &seconds)?;
    if !(seconds > 0.0 && seconds.is_finite()) {
        return Err(BadLayer::Seconds { found: seconds });
    }
    let name = if layer.is_empty() { format!("in line {line}") } else { layer.into_owned() };
    Ok(MeasuredLayer { name, kind, work, seconds })
}

/// Reads the files of measured layers that a scenario names, and fits times to them. Files that were read before are not read
/// again.
///
/// # Errors
/// As [`measured_layers`]; also if the layers of a file do not predict times, because there are too few of a kind.
pub fn read_layer_times(scenario: &mut GraphScenario) -> Result<(), LayerTableError> {
    for times in scenario.layer_times_mut().filter(|times| times.regression().is_none()) {
        let path = Path::new(times.path());
        let regression = LayerRegression::fit(&measured_layers(path)?);
        let regression = regression.map_err(|reason| LayerTableError::Fit { path: path.to_owned(), reason })?;
        times.set_regression(regression);
    }
    Ok(())
}

/// Why a table of measured layers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayerTableError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than may be read.
    #[error("{} is larger than {} MiB, the most that is read of measured layers", path.display(), MAX_TEXT_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has no header.
    #[error("{} is empty: a table of measured layers begins with the names of its columns, {}", path.display(), COLUMNS.join(", "))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A column is missing, or there twice.
    #[error("{}: {reason}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is wrong with the header.
        reason: HeaderError,
    },
    /// A line is no measured layer.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: BadLayer,
    },
    /// The layers do not predict times.
    #[error("{}: {reason}", path.display())]
    Fit {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: LayerTimesError,
    },
}

/// What is wrong with a line of a table of measured layers.
#[derive(Debug, Clone, PartialEq)]
pub enum BadLayer {
    /// The line has too few or too many fields, or a quote that is not closed.
    Row(Reason),
    /// There is no such kind of layer.
    Kind(UnknownLayerKind),
    /// A field is no number.
    NoNumber {
        /// The column.
        column: &'static str,
        /// The field.
        text: String,
    },
    /// A number is negative or infinite.
    Negative {
        /// The column.
        column: &'static str,
        /// The number.
        found: f64,
    },
    /// The time is not above 0, or infinite.
    Seconds {
        /// The time, in seconds.
        found: f64,
    },
}

impl fmt::Display for BadLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(reason) => reason.fmt(f),
            Self::Kind(error) => error.fmt(f),
            Self::NoNumber { column, text } => write!(f, "`{column}` must be a number, is `{text}`"),
            Self::Negative { column, found } => write!(f, "`{column}` must be a number from 0, is {found}"),
            Self::Seconds { found } => write!(f, "`seconds` must be a time above 0, is {found}"),
        }
    }
}
