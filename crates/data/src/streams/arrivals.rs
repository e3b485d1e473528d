//! Tables of arriving tasks.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use sim::limits::{MAX_SIZE_MB, MAX_TEXT_BYTES};
use sim::stream::dispatch::Arrival;
use sim::units::bytes_from_mb;

use crate::bad_lines::{Reason, excerpt};
use crate::columns::{Columns, Header, HeaderError, is_above_header};
use crate::source_file;

/// The columns of a table, the needed ones first.
const COLUMNS: [&str; 3] = ["time_s", "size_mb", "device"];
/// Another name of the first, which recordings may have, too.
const OTHER_TIME: &str = "t_s";
/// The number of columns that a table must have.
const NEEDED: usize = 2;

/// Reads a table of arriving tasks, one on each line, with a header:
///
/// | column | content |
/// |---|---|
/// | `time_s` or `t_s` | when the task arrives, in seconds; the first task of the table arrives at time 0, wherever the times begin |
/// | `size_mb` | its size in MB = 10^6 bytes |
/// | `device` | the device at which it arrives: a name; the first name is device 0, the second device 1. May be left out if there is one device |
///
/// Columns are divided by commas, semicolons or tabs and may stand in any order; others are ignored. Lines may be in any order
/// of time. The file may be compressed with gzip.
///
/// # Errors
/// If the file cannot be read or holds no task, a column is missing, or a line is no task of one of `devices` devices; then with
/// the line and what is wrong.
pub fn recorded_arrivals(path: &Path, devices: usize) -> Result<Vec<Arrival>, ArrivalTableError> {
    let unreadable = |source| ArrivalTableError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = source_file::open(path).map_err(unreadable)?;
    file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(ArrivalTableError::TooLarge { path: path.to_owned() });
    }
    let no_text = |reason| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    let text = sim::text::decode(bytes).map_err(no_text)?;
    let mut lines = (1_u64..).zip(text.lines()).skip_while(|(_, line)| is_above_header(line));
    let Some((_, first)) = lines.next() else {
        return Err(ArrivalTableError::Empty { path: path.to_owned() });
    };
    let header = Header::read(first, &[&COLUMNS[..], &[OTHER_TIME]].concat());
    let needed = if devices == 1 { NEEDED } else { COLUMNS.len() };
    let [time, size, device] = COLUMNS;
    let has_other_time = header.find(time).is_none() && header.find(OTHER_TIME).is_some();
    let time = if has_other_time { OTHER_TIME } else { time };
    let columns = header.columns_with_optional([time, size, device], needed);
    let columns = columns.map_err(|reason| ArrivalTableError::Columns { path: path.to_owned(), reason })?;
    let (mut names, mut arrivals) = (Vec::new(), Vec::new());
    for (line, row) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let arrival = arrival_of(&columns, row, &mut names, devices);
        let wrong = |reason| ArrivalTableError::Line { path: path.to_owned(), line, reason };
        arrivals.push(arrival.map_err(wrong)?);
    }
    let first_s = arrivals.iter().map(|arrival| arrival.time_s).fold(f64::INFINITY, f64::min);
    if arrivals.is_empty() {
        return Err(ArrivalTableError::Empty { path: path.to_owned() });
    }
    for arrival in &mut arrivals {
        arrival.time_s -= first_s;
    }
    if arrivals.iter().all(|arrival| arrival.time_s == 0.0) {
        return Err(ArrivalTableError::AtOnce { path: path.to_owned() });
    }
    Ok(arrivals)
}

fn arrival_of(columns: &Columns<3>, row: &str, names: &mut Vec<String>, devices: usize) -> Result<Arrival, BadArrival> {
    let [time, size, device] = columns.pick(row).map_err(BadArrival::Row)?;
    let number = |column: &'static str, field: &str| {
        let text = columns.decimal(field);
        let parsed: Option<f64> = text.parse().ok().filter(|value: &f64| value.is_finite());
        parsed.ok_or_else(|| BadArrival::NoNumber { column, text: excerpt(field) })
    };
    let (time_s, size_mb) = (number("time_s", &time)?, number("size_mb", &size)?);
    if !(size_mb > 0.0 && size_mb <= MAX_SIZE_MB) {
        return Err(BadArrival::Size { found: size_mb });
    }
    let index = names.iter().position(|name| *name == *device).unwrap_or_else(|| {
        names.push(device.to_string());
        names.len() - 1
    });
    if index >= devices {
        return Err(BadArrival::Device { name: excerpt(&device), devices });
    }
    Ok(Arrival { time_s, bytes: bytes_from_mb(size_mb), device: index as u32 })
}

/// Why a table of arriving tasks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalTableError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than may be read.
    #[error("{} is larger than {} MiB, the most that is read of arriving tasks", path.display(), MAX_TEXT_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has no header, or no task.
    #[error("{} holds no task: a table of arriving tasks begins with the names of its columns, {}, and has one task on each line", path.display(), COLUMNS.join(", "))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// All tasks arrive at the same time.
    #[error("all tasks of {} arrive at the same time; over time there must be at least two times", path.display())]
    AtOnce {
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
    /// A line is no task.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: BadArrival,
    },
}

/// What is wrong with a line of a table of arriving tasks.
#[derive(Debug, Clone, PartialEq)]
pub enum BadArrival {
    /// The line has too few or too many fields, or a quote that is not closed.
    Row(Reason),
    /// A field is no number.
    NoNumber {
        /// The column.
        column: &'static str,
        /// The field.
        text: String,
    },
    /// The size is not above 0, or larger than any.
    Size {
        /// The size in MB.
        found: f64,
    },
    /// There are more devices than the scenario has.
    Device {
        /// The name of the first device too many.
        name: String,
        /// The number of devices of the scenario.
        devices: usize,
    },
}

impl fmt::Display for BadArrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(reason) => reason.fmt(f),
            Self::NoNumber { column, text } => write!(f, "`{column}` must be a number, is `{text}`"),
            Self::Size { found } => write!(f, "`size_mb` must lie above 0 and be at most {MAX_SIZE_MB:e}, is {found}"),
            Self::Device { name, devices } => {
                write!(f, "`{name}` is one device more than devices.count of the scenario, which is {devices}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str, devices: usize) -> Result<Vec<Arrival>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log.csv");
        std::fs::write(&file, content).expect("written");
        recorded_arrivals(&file, devices).map_err(|error| error.to_string())
    }

    #[test]
    fn tasks_are_read_with_their_devices_and_times_from_the_first() {
        let text = "device;size_mb;time_s\nphone;1,5;100\nwatch;2;98,5\nphone;3;101\n";
        let task = |time_s, bytes, device| Arrival { time_s, bytes, device };
        assert_eq!(read(text, 2), Ok(vec![task(1.5, 1.5e6, 0), task(0.0, 2e6, 1), task(2.5, 3e6, 0)]));
        assert_eq!(read("t_s,size_mb\n5,1\n6,1\n", 1), read("time_s,size_mb\n5,1\n6,1\n", 1));
        assert_eq!(read("time_s,size_mb\n5,1\n6,1\n", 1), Ok(vec![task(0.0, 1e6, 0), task(1.0, 1e6, 0)]));
        assert!(read("time_s,size_mb\n5,1\n", 1).expect_err("one time").contains("arrive at the same time"));
    }

    #[test]
    fn what_is_no_task_is_named_with_its_line() {
        let error = |text: &str, devices| read(text, devices).expect_err("no task");
        assert!(error("time_s,size_mb\n0,1\n", 2).contains("device"));
        assert!(error("time_s,size_mb\n0,-1\n", 1).contains("line 2: `size_mb` must lie above 0"));
        assert!(error("time_s,size_mb\n0,1\nx,1\n", 1).contains("line 3: `time_s` must be a number, is `x`"));
        let devices = error("time_s,size_mb,device\n0,1,a\n0,1,b\n0,1,c\n", 2);
        assert!(devices.contains("line 4: `c` is one device more than devices.count"), "{devices}");
        assert!(error("time_s,size_mb\n", 1).contains("holds no task"));
    }
}
