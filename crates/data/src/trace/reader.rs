//! Reads the files of a recording one after the other and puts drives together.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::csv::Table;
use super::drive::{Drive, Hold, Sample, Trace};
use super::error::TraceError;
use super::format::{self, Format, Recognised};
use super::iperf3_json::Failure;
use super::recording::ReadOptions;
use super::source::Source;
use super::{dds, hsdpa, iperf3, iperf3_json, mahimahi, pensieve, throughput};
use crate::bad_lines::excerpt;
use crate::limits::MAX_JSON_BYTES;
use crate::lines::{Lines, ReadCounts, Stop, first_lines};
use crate::natural::natural_order;
use crate::source_file::{self, stem};

/// The transfers of one file. Their drive is known only when all files are read.
struct Transfers {
    /// Number of the file.
    order: usize,
    epoch: Option<u64>,
    device: String,
    samples: Vec<Sample>,
}

/// Reads files one after the other.
pub(super) struct Reader<'o> {
    options: &'o ReadOptions,
    room: usize,
    sources: Vec<Source>,
    /// Drives, each with the number of its first file.
    drives: Vec<(usize, Drive)>,
    /// Transfers by folder, with the folder's name.
    transfers: BTreeMap<PathBuf, (String, Vec<Transfers>)>,
}

/// The lines of a file, which may be compressed.
type FileLines = Lines<Box<dyn Read>>;

impl<'o> Reader<'o> {
    pub(super) fn new(room: usize, options: &'o ReadOptions) -> Self {
        Self { options, room, sources: Vec::new(), drives: Vec::new(), transfers: BTreeMap::new() }
    }

    /// Whether no file was read.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Reads one file.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), TraceError> {
        let fail = |source| TraceError::unreadable(path, source);
        let lines = Lines::new(source_file::open(path).map_err(fail)?).map_err(fail)?;
        let recognised = self.recognise(path, lines.ahead())?;
        let (format, why) = (recognised.format, recognised.why.clone());

        let mut counts = ReadCounts::new(self.room);
        let mut devices = traces(path, recognised, lines, &mut counts)?;
        let samples = devices.iter().map(|device| device.samples.len()).sum();
        let ReadCounts { lines, left_out, bad, room } = counts;
        let source = Source { path: path.to_owned(), format, why, lines, samples, left_out, bad };
        if samples == 0 {
            return Err(TraceError::NoSamples { found: Box::new(source) });
        }
        let order = self.sources.len();
        let (folder, folder_name) = folder_of(path);
        self.room = room;
        self.sources.push(source);

        if format == Format::DdsUplink {
            let (epoch, _) = dds::name_of(path);
            let (_, files) = self.transfers.entry(folder).or_insert((folder_name, Vec::new()));
            files.extend(devices.into_iter().map(|Trace { device, samples, .. }| Transfers {
                order,
                epoch,
                device,
                samples,
            }));
        } else {
            start_at_zero(&mut devices);
            let name = joined(&folder_name, &stem(path));
            self.drives.push((order, Drive { name, environment: folder_name, devices }));
        }
        Ok(())
    }

    /// The format of a file that begins so, or the one that the options name.
    fn recognise(&self, path: &Path, ahead: &[u8]) -> Result<Recognised, TraceError> {
        let Some(first) = first_lines(ahead).next() else {
            return Err(TraceError::Empty { path: path.to_owned() });
        };
        let unknown = || TraceError::UnknownFormat {
            path: path.to_owned(),
            text: excerpt(first),
            nature: nature(ahead),
            tried_sizes: false,
        };
        if let Some(columns) = &self.options.columns {
            let table = Table::of_columns(format::header(ahead), columns);
            let table = table.map_err(|reason| TraceError::Header { path: path.to_owned(), reason })?;
            let why = format!("its header names the columns of `{columns}`");
            return Ok(Recognised { format: Format::Csv, table: Some(table), why });
        }
        let Some(format) = self.options.format else { return format::recognise(ahead).ok_or_else(unknown) };
        let header = format::header(ahead);
        let table = match format {
            Format::Csv => Some(Table::of_csv(header).ok_or_else(unknown)?),
            Format::GNetTrack => Some(Table::of_gnettrack(header).ok_or_else(unknown)?),
            _ => None,
        };
        Ok(Recognised { format, table, why: "you named the format".to_owned() })
    }

    /// The drives, in the order of their first files, and the files.
    pub(super) fn finish(mut self) -> (Vec<Drive>, Vec<Source>) {
        for (folder_name, files) in self.transfers.into_values() {
            let spans: Vec<_> = files
                .iter()
                .map(|file| dds::Span {
                    device: &file.device,
                    first_s: file.samples.first().map_or(0.0, |sample| sample.t_s),
                    last_s: file.samples.last().map_or(0.0, |sample| sample.t_s),
                })
                .collect();
            let groups = dds::drives(&spans);
            let mut files: Vec<_> = files.into_iter().map(Some).collect();
            for group in groups {
                let members: Vec<Transfers> = group.iter().filter_map(|index| files[*index].take()).collect();
                let order = members.iter().map(|file| file.order).min().unwrap_or(0);
                let epoch = members.iter().filter_map(|file| file.epoch).min();
                let mut devices: Vec<_> = members
                    .into_iter()
                    .map(|file| Trace { device: file.device, samples: file.samples, hold: Hold::Single })
                    .collect();
                devices.sort_by(|a, b| natural_order(&a.device, &b.device));
                let first_s = start_at_zero(&mut devices);
                let name = joined(&folder_name, &epoch.unwrap_or(first_s as u64).to_string());
                self.drives.push((order, Drive { name, environment: folder_name.clone(), devices }));
            }
        }
        self.drives.sort_by_key(|(order, _)| *order);
        let drives = self.drives.into_iter().map(|(_, drive)| drive).collect();
        (drives, self.sources)
    }
}

/// Reads the traces of a file.
fn traces(
    path: &Path,
    recognised: Recognised,
    mut lines: FileLines,
    counts: &mut ReadCounts,
) -> Result<Vec<Trace>, TraceError> {
    let stopped = |stop| match stop {
        Stop::Io(source) => TraceError::unreadable(path, source),
        Stop::TooMany => TraceError::TooManySamples { path: path.to_owned() },
    };
    let one = |(samples, hold)| vec![Trace { device: stem(path), samples, hold }];
    let (lines_of, until_next) = (&mut lines, Hold::UntilNext { last_s: None });
    let every_second = Hold::Fixed { each_s: 1.0, last_s: 1.0 };
    let traces = match (recognised.format, recognised.table) {
        (_, Some(table)) => table.read(lines_of, counts, &stem(path)),
        (Format::DdsUplink, _) => dds::read(lines_of, counts)
            .map(|samples| vec![Trace { device: dds::name_of(path).1, samples, hold: Hold::Single }]),
        (Format::ThroughputLog, _) => throughput::read(lines_of, counts).map(|samples| one((samples, every_second))),
        (Format::Mahimahi, _) => mahimahi::read(lines_of, counts).map(one),
        (Format::Hsdpa, _) => hsdpa::read(lines_of, counts).map(one),
        (Format::Iperf3, _) => iperf3::read(lines_of, counts).map(one),
        (Format::Iperf3Json, _) => {
            let json = lines.rest(MAX_JSON_BYTES).map_err(|source| TraceError::unreadable(path, source))?;
            let json = json.ok_or_else(|| TraceError::TooLarge { path: path.to_owned() })?;
            return iperf3_json::read(&json, counts).map(one).map_err(|failure| match failure {
                Failure::NotIperf3(source) => TraceError::NotIperf3 { path: path.to_owned(), source },
                Failure::Stop(stop) => stopped(stop),
            });
        }
        (Format::Csv | Format::GNetTrack | Format::Pensieve, _) => {
            pensieve::read(lines_of, counts).map(|samples| one((samples, until_next)))
        }
    };
    traces.map_err(stopped)
}

/// What a file is, if its first bytes show that it is no text.
fn nature(ahead: &[u8]) -> Option<&'static str> {
    if ahead.starts_with(b"PK\x03\x04") {
        Some("a zip archive, which must be unpacked first")
    } else if ahead.contains(&0) {
        Some("no text")
    } else {
        None
    }
}

/// Moves the clock so that the earliest sample is at 0. Returns the time at which it was.
fn start_at_zero(devices: &mut [Trace]) -> f64 {
    let firsts = devices.iter().filter_map(|device| device.samples.first());
    let first_s = firsts.map(|sample| sample.t_s).reduce(f64::min).unwrap_or(0.0);
    for sample in devices.iter_mut().flat_map(|device| &mut device.samples) {
        sample.t_s -= first_s;
    }
    first_s
}

/// The folder a file lies in, and its name.
fn folder_of(path: &Path) -> (PathBuf, String) {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (folder, name)
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_ends_with_an_error_at_its_limit_of_samples() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let log = write("a.csv", &"1,Mbits/sec\n".repeat(6));
        let packets = write("b.up", "0\n3999\n4000\n");
        let more = write("c.up", "5000\n");
        let options = ReadOptions::default();
        let mut reader = Reader::new(10, &options);
        reader.read(&log).expect("6 of 10");
        reader.read(&packets).expect("10 of 10");
        let error = reader.read(&more).expect_err("15 of 10");
        assert!(matches!(&error, TraceError::TooManySamples { path } if *path == more), "{error}");
        assert_eq!(reader.sources.len(), 2);
    }
}
