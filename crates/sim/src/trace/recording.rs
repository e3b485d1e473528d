//! Files and folders of traces.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::read::{BadLines, Lines, Stop, Tally, counted, excerpt};
use super::{Drive, Format, Sample, Trace, TraceError, csv, dds, format, mahimahi, throughput};

/// The most samples of one recording, 16 million; they take 256 MB.
pub const MAX_SAMPLES: usize = 16_000_000;

/// The most files of one recording, those that are skipped among them.
pub const MAX_FILES: usize = 4096;

/// How many folders deep below the first one files are looked for.
pub const MAX_DEPTH: usize = 16;

/// Everything that was read from a file or folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The drives, in the order of their first files.
    pub drives: Vec<Drive>,
    /// The files that were read, in order.
    pub sources: Vec<Source>,
    /// The files and folders below a folder that were not used, in order.
    pub skipped: Vec<Skipped>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Lines in it.
    pub lines: u64,
    /// Samples that it gave.
    pub samples: usize,
    /// Measurements left out on purpose: transfers below [`MIN_PAYLOAD_MIB`](super::MIN_PAYLOAD_MIB), and packets in
    /// the last second of a `mahimahi` file, which is not a full one.
    pub left_out: u64,
    /// Lines that cannot be used.
    pub bad: BadLines,
}

/// A file or folder that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub reason: SkipReason,
}

/// Why a file or folder was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// It is empty, or fewer than half of its first lines look like a trace.
    NotATrace,
    /// It looks like a trace but has no usable sample.
    NoSamples(Box<Source>),
    /// It was met before under another name.
    SeenBefore,
    /// It is neither a file nor a folder, or a link that leads nowhere.
    NotAFile,
    /// It is a folder more than [`MAX_DEPTH`] below the first one.
    TooDeep,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = counted(self.lines, "line");
        let samples = counted(self.samples as u64, "sample");
        let left_out = counted(self.left_out, "measurement");
        write!(f, "{}, {lines}, {samples}, {left_out} left out, {}", self.format, self.bad)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATrace => f.write_str("not a trace"),
            Self::NoSamples(found) => write!(f, "no usable sample: {found}"),
            Self::SeenBefore => f.write_str("met before under another name"),
            Self::NotAFile => f.write_str("not a file"),
            Self::TooDeep => write!(f, "more than {MAX_DEPTH} folders deep"),
        }
    }
}

impl Recording {
    /// Reads a file, or all traces below a folder.
    ///
    /// Files of a folder are read in the order of their names; hidden ones are passed over. Whatever is not a trace, or
    /// has no usable sample, is listed in [`Recording::skipped`]. Links are followed, but no folder or file is read
    /// twice.
    ///
    /// # Errors
    /// If something cannot be read, a file given by name is no trace or has no usable sample, a folder holds no trace,
    /// or there is more than [`MAX_FILES`] or [`MAX_SAMPLES`] allow.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let metadata = fs::metadata(path).map_err(|source| unreadable(path, source))?;
        if !metadata.is_dir() {
            return Self::of_files(&[path.to_owned()]);
        }
        let mut walk = Walk::default();
        walk.enter(path, 0)?;
        let mut reader = Reader::new(MAX_SAMPLES);
        let mut skipped = walk.skipped;
        for path in walk.files {
            let reason = match reader.read(&path, false) {
                Ok(()) => continue,
                Err(TraceError::Empty { .. } | TraceError::UnknownFormat { .. }) => SkipReason::NotATrace,
                Err(TraceError::NoSamples { found }) => SkipReason::NoSamples(found),
                Err(error) => return Err(error),
            };
            skipped.push(Skipped { path, reason });
        }
        if reader.sources.is_empty() {
            return Err(TraceError::NoTraces { path: path.to_owned(), skipped: skipped.len() });
        }
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(reader.finish(skipped))
    }

    /// Reads these files; each of them must be a trace.
    ///
    /// # Errors
    /// If there is none, one cannot be read, is no trace or has no usable sample, or there is more than [`MAX_FILES`] or
    /// [`MAX_SAMPLES`] allow.
    pub fn of_files(paths: &[PathBuf]) -> Result<Self, TraceError> {
        if paths.is_empty() {
            return Err(TraceError::NoFiles);
        }
        if let Some(path) = paths.get(MAX_FILES) {
            return Err(TraceError::TooManyFiles { path: path.clone() });
        }
        let mut reader = Reader::new(MAX_SAMPLES);
        for path in paths {
            reader.read(path, true)?;
        }
        Ok(reader.finish(Vec::new()))
    }
}

/// Looks for files below a folder.
#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    skipped: Vec<Skipped>,
    seen: HashSet<PathBuf>,
}

impl Walk {
    fn enter(&mut self, folder: &Path, depth: usize) -> Result<(), TraceError> {
        let fail = |source| unreadable(folder, source);
        if !self.seen.insert(fs::canonicalize(folder).map_err(fail)?) {
            self.skip(folder.to_owned(), SkipReason::SeenBefore);
            return Ok(());
        }
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                names.push(name);
            }
            if names.len() + self.files.len() + self.skipped.len() > MAX_FILES {
                return Err(TraceError::TooManyFiles { path: folder.to_owned() });
            }
        }
        names.sort_unstable();
        for name in names {
            let path = folder.join(name);
            let kind = fs::metadata(&path).ok();
            if kind.as_ref().is_some_and(fs::Metadata::is_dir) {
                if depth == MAX_DEPTH {
                    self.skip(path, SkipReason::TooDeep);
                } else {
                    self.enter(&path, depth + 1)?;
                }
            } else if kind.is_some_and(|kind| kind.is_file()) {
                let itself = fs::canonicalize(&path).map_err(|source| unreadable(&path, source))?;
                if self.seen.insert(itself) {
                    self.files.push(path);
                } else {
                    self.skip(path, SkipReason::SeenBefore);
                }
            } else {
                self.skip(path, SkipReason::NotAFile);
            }
        }
        Ok(())
    }

    fn skip(&mut self, path: PathBuf, reason: SkipReason) {
        self.skipped.push(Skipped { path, reason });
    }
}

/// Transfers of one file, whose drive is known only when all files are read.
struct Transfers {
    /// Number of the file.
    order: usize,
    epoch: Option<u64>,
    device: String,
    samples: Vec<Sample>,
}

/// Reads files one after the other.
struct Reader {
    room: usize,
    sources: Vec<Source>,
    /// Drives with the number of their first file.
    drives: Vec<(usize, Drive)>,
    /// By folder; with its name.
    transfers: BTreeMap<PathBuf, (String, Vec<Transfers>)>,
}

impl Reader {
    fn new(room: usize) -> Self {
        Self { room, sources: Vec::new(), drives: Vec::new(), transfers: BTreeMap::new() }
    }

    /// Reads one file. If it is `named` by the user, one line in a format is enough to try; else it takes half of them.
    fn read(&mut self, path: &Path, named: bool) -> Result<(), TraceError> {
        let fail = |source| unreadable(path, source);
        let mut lines = Lines::new(File::open(path).map_err(fail)?).map_err(fail)?;
        let Some(first) = format::first_lines(lines.ahead()).next() else {
            return Err(TraceError::Empty { path: path.to_owned() });
        };
        let Some((format, _)) = format::tell(lines.ahead()).filter(|(_, mostly)| named || *mostly) else {
            return Err(TraceError::UnknownFormat { path: path.to_owned(), text: excerpt(first) });
        };

        let order = self.sources.len();
        let (folder, folder_name) = folder_of(path);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut tally = Tally::new(self.room);
        let regular = |samples| vec![Trace { device: stem.clone(), samples, interval_s: Some(1.0) }];
        let traces = match format {
            Format::DdsUplink => dds::read(&mut lines, &mut tally)
                .map(|samples| vec![Trace { device: dds::name_of(path).1, samples, interval_s: None }]),
            Format::ThroughputLog => throughput::read(&mut lines, &mut tally).map(regular),
            Format::Mahimahi => mahimahi::read(&mut lines, &mut tally).map(regular),
            Format::Csv => csv::read(&mut lines, &mut tally),
        };
        let mut devices = traces.map_err(|stop| match stop {
            Stop::Io(source) => fail(source),
            Stop::TooMany => TraceError::TooManySamples { path: path.to_owned() },
        })?;
        let samples = devices.iter().map(|device| device.samples.len()).sum();
        let Tally { lines, left_out, bad, room } = tally;
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

    fn finish(mut self, skipped: Vec<Skipped>) -> Recording {
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
        Recording { drives, sources: self.sources, skipped }
    }
}

/// Moves the clock so that the earliest sample is at 0; returns where it was.
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

fn unreadable(path: &Path, source: std::io::Error) -> TraceError {
    TraceError::Unreadable { path: path.to_owned(), source }
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
