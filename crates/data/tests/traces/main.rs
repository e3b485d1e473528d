//! The readers of recorded throughput and task sizes, on files that the tests make.

mod any_bytes;
mod bad_lines;
mod columns;
mod compressed;
mod drives;
mod folders;
mod formats;
mod names;
mod packet_traces;
mod recognition;
mod tasks;
mod tools;
mod weights;

use std::path::{Path, PathBuf};

use data::Reason;
use data::trace::{Format, ReadOptions, Recording, Sample, Source, TraceError};
use tempfile::TempDir;

/// A folder of the test's own files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("created");
        std::fs::write(&path, content).expect("written");
        path
    }
}

/// Reads one file of this content.
fn read(name: &str, content: impl AsRef<[u8]>) -> Result<Recording, TraceError> {
    let folder = Folder::new();
    Recording::open(&folder.write(name, content))
}

/// Reads one file of this content in a format that is named.
fn read_as(name: &str, content: impl AsRef<[u8]>, format: Format) -> Result<Recording, TraceError> {
    let folder = Folder::new();
    let options = ReadOptions { format: Some(format), columns: None };
    Recording::read(&folder.write(name, content), &options)
}

/// The samples of the only device.
fn samples(recording: &Recording) -> Vec<(f64, f64)> {
    assert_eq!((recording.drives.len(), recording.drives[0].devices.len()), (1, 1));
    pairs(&recording.drives[0].devices[0].samples)
}

fn pairs(samples: &[Sample]) -> Vec<(f64, f64)> {
    samples.iter().map(|sample| (sample.t_s, sample.mbps)).collect()
}

/// Numbers and reasons of the bad lines that were kept.
fn kept(source: &Source) -> Vec<(u64, Reason)> {
    source.bad.first.iter().map(|bad| (bad.line, bad.reason)).collect()
}

/// A line of an uplink file.
fn transfer(since_start_s: f64, unix_s: u64, payload_mib: f64, mibit_per_s: f64) -> String {
    format!(
        "{since_start_s:.2},{unix_s},1.5,51.49,7.41,160.7,12.0,0.00,78.1,1,-99.00,-9.00,-1.00,8.00,36.00,9.00,1382,452,0,{payload_mib},{mibit_per_s},47,20.5\n"
    )
}
