//! Reads the files of a recording one after the other and puts drives together.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::drive::{Drive, Sample, Trace};
use super::error::TraceError;
use super::format::{self, Format};
use super::source::Source;
use super::{csv, dds, mahimahi, throughput};
use crate::bad_lines::excerpt;
use crate::lines::{Lines, ReadCounts, Stop, first_lines};

/// The transfers of one file. Their drive is known only when all files are read.
struct Transfers {
    /// Number of the file.
    order: usize,
    epoch: Option<u64>,
    device: String,
    samples: Vec<Sample>,
}

/// Reads files one after the other.
pub(super) struct Reader {
    room: usize,
    sources: Vec<Source>,
    /// Drives, each with the number of its first file.
    drives: Vec<(usize, Drive)>,
    /// Transfers by folder, with the folder's name.
    transfers: BTreeMap<PathBuf, (String, Vec<Transfers>)>,
}

impl Reader {
    pub(super) fn new(room: usize) -> Self {
        Self { room, sources: Vec::new(), drives: Vec::new(), transfers: BTreeMap::new() }
    }

    /// Whether no file was read.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Reads one file. A file that the user `named` is tried if one line has a known format; any other must have half of
    /// its lines in one.
    pub(super) fn read(&mut self, path: &Path, named: bool) -> Result<(), TraceError> {
        let fail = |source| TraceError::unreadable(path, source);
        let mut lines = Lines::new(File::open(path).map_err(fail)?).map_err(fail)?;
        let Some(first) = first_lines(lines.ahead()).next() else {
            return Err(TraceError::Empty { path: path.to_owned() });
        };
        let Some((format, _)) = format::tell(lines.ahead()).filter(|(_, mostly)| named || *mostly) else {
            return Err(TraceError::UnknownFormat { path: path.to_owned(), text: excerpt(first) });
        };

        let order = self.sources.len();
        let (folder, folder_name) = folder_of(path);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut counts = ReadCounts::new(self.room);
        let regular = |samples| vec![Trace { device: stem.clone(), samples, interval_s: Some(1.0) }];
        let traces = match format {
            Format::DdsUplink => dds::read(&mut lines, &mut counts)
                .map(|samples| vec![Trace { device: dds::name_of(path).1, samples, interval_s: None }]),
            Format::ThroughputLog => throughput::read(&mut lines, &mut counts).map(regular),
            Format::Mahimahi => mahimahi::read(&mut lines, &mut counts).map(regular),
            Format::Csv => csv::read(&mut lines, &mut counts),
        };
        let mut devices = traces.map_err(|stop| match stop {
            Stop::Io(source) => fail(source),
            Stop::TooMany => TraceError::TooManySamples { path: path.to_owned() },
        })?;
        let samples = devices.iter().map(|device| device.samples.len()).sum();
        let ReadCounts { lines, left_out, bad, room } = counts;
        let source = Source { path: path.to_owned(), format, lines, samples, left_out, bad };
        if samples == 0 {
            return Err(TraceError::NoSamples { found: Box::new(source) });
        }
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
            let name = joined(&folder_name, &stem);
            self.drives.push((order, Drive { name, environment: folder_name, devices }));
        }
        Ok(())
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
                    .map(|file| Trace { device: file.device, samples: file.samples, interval_s: None })
                    .collect();
                devices.sort_by(|a, b| a.device.cmp(&b.device));
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
        let mut reader = Reader::new(10);
        reader.read(&log, true).expect("6 of 10");
        reader.read(&packets, true).expect("10 of 10");
        let error = reader.read(&more, true).expect_err("15 of 10");
        assert!(matches!(&error, TraceError::TooManySamples { path } if *path == more), "{error}");
        assert_eq!(reader.sources.len(), 2);
    }
}
