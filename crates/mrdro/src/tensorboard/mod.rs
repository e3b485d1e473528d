//! Event files, from which TensorBoard draws curves while training goes on.
//!
//! A run writes one if [`RunOptions::tensorboard`](crate::RunOptions::tensorboard) asks for it: for each row of `metrics.csv`
//! the values that it has, under tags such as `meta/loss`, `drl/q2` and `fleet/loss`, with the time of day. TensorBoard needs
//! nothing but the directory:
//!
//! ```console
//! tensorboard --logdir RUN_DIR
//! ```
//!
//! # Files
//! The name is `events.out.tfevents.SECONDS.mrdro`, with the seconds since 1970 at which the file was made; a file has a later
//! second in its name than each one before it in the directory. TensorBoard reads all files of a directory in the order of
//! their names.
//!
//! A run that is resumed shortens its files to the events up to its checkpoint and goes on in a new one. So every row of
//! `metrics.csv` is there once, with the time at which it was first written, and a TensorBoard that is open meanwhile only has
//! to read on.
//!
//! Values are written in single precision, which the format prescribes.

mod format;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use self::format::Event;
use self::format::Events;
use crate::error::Error;
use crate::metrics::{Phase, Row};

/// What the name of an event file begins with; TensorBoard looks for `tfevents`.
const PREFIX: &str = "events.out.tfevents.";
/// What the name of an event file ends with. Files of other programs in the same directory are left alone.
const SUFFIX: &str = ".mrdro";

/// An event file that is being written. Each event is in the file when [`add`](Self::add) returns.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let mut file = mrdro::tensorboard::EventFile::create(folder.path())?;
/// file.add(10, &[("drl/loss", 0.31), ("drl/q2", 0.998)])?;
/// let events = mrdro::tensorboard::read(file.path())?;
/// assert_eq!(events[0].scalars[0], ("drl/loss".to_owned(), 0.31));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Makes a new event file in an existing directory.
    ///
    /// # Errors
    /// If the directory does not exist or cannot be written.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        let now = seconds_since_1970();
        let last = files(directory)?.last().and_then(|path| second_of(path));
        let mut second = last.map_or(now as u64, |last| last.saturating_add(1).max(now as u64));
        loop {
            let path = directory.join(format!("{PREFIX}{second:010}{SUFFIX}"));
            match File::options().append(true).create_new(true).open(&path) {
                // Another process made a file in the same second.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => second += 1,
                Err(source) => return Err(Error::Unwritable { path, source }),
                Ok(file) => {
                    let mut events = Self { path, file };
                    events.write(&Event::first_frame(now))?;
                    return Ok(events);
                }
            }
        }
    }

    /// Appends the scalars of a step, with the present time.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&mut self, step: i64, scalars: &[(impl AsRef<str>, f64)]) -> Result<(), Error> {
        let scalars = scalars.iter().map(|(tag, value)| (tag.as_ref().to_owned(), *value as f32)).collect();
        self.write(&Event { wall_time: seconds_since_1970(), step, scalars }.frame())
    }

    /// Appends the values of a row of `metrics.csv`.
    pub(crate) fn add_row(&mut self, row: &Row) -> Result<(), Error> {
        self.add(whole(row.step), &scalars(row))
    }

    /// Makes sure that all events are on the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_all().map_err(Error::unwritable(&self.path))
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.file.write_all(frame).map_err(Error::unwritable(&self.path))
    }
}

/// The event files that this library wrote in a directory, in the order in which TensorBoard reads them.
///
/// # Errors
/// If the directory cannot be read.
pub fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::unreadable(directory))? {
        let path = entry.map_err(Error::unreadable(directory))?.path();
        if second_of(&path).is_some() {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads the events of a file that hold scalars, up to the first damaged one. Other contents of events are ignored.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<Event>, Error> {
    let bytes = fs::read(path).map_err(Error::unreadable(path))?;
    Ok(Events::of(&bytes).map(|(_, event)| event).filter(|event| !event.scalars.is_empty()).collect())
}

/// Removes from the event files of a directory everything from the report of this step on: events of the phase that have this
/// or a later step, events of later phases, and what follows them in the same file. Whoever repeats training from there calls
/// this first, so that no step is there twice.
///
/// # Errors
/// If a file cannot be read or written.
pub fn remove_from(directory: &Path, phase: Phase, step: usize) -> Result<(), Error> {
    shorten(directory, |report| report < (phase, whole(step))).map(|_| ())
}

/// A new event file for a run that is resumed. Files from before are shortened to the rows up to the checkpoint; rows that
/// they do not hold are written into the new file.
pub(crate) fn resume(directory: &Path, rows: &[Row]) -> Result<EventFile, Error> {
    let wanted: BTreeSet<_> = rows.iter().map(|row| (row.phase, whole(row.step))).collect();
    let kept = shorten(directory, |report| wanted.contains(&report))?;
    let mut file = EventFile::create(directory)?;
    let missing = rows.iter().filter(|row| !kept.contains(&(row.phase, whole(row.step))));
    missing.into_iter().try_for_each(|row| file.add_row(row))?;
    Ok(file)
}

/// Cuts each event file off before its first event that is of a phase of training and not to be kept, or is damaged. Returns
/// phases and steps of the events that stay.
fn shorten(directory: &Path, is_kept: impl Fn((Phase, i64)) -> bool) -> Result<BTreeSet<(Phase, i64)>, Error> {
    let mut kept = BTreeSet::new();
    for path in files(directory)? {
        let bytes = fs::read(&path).map_err(Error::unreadable(&path))?;
        let mut events = Events::of(&bytes);
        let end = loop {
            let Some((begin, event)) = events.next() else { break events.read };
            if let Some(phase) = phase_of(&event) {
                if !is_kept((phase, event.step)) {
                    break begin;
                }
                kept.insert((phase, event.step));
            }
        };
        if end < bytes.len() {
            let file = File::options().write(true).open(&path);
            file.and_then(|file| file.set_len(end as u64)).map_err(Error::unwritable(&path))?;
        }
    }
    Ok(kept)
}

/// The phase that the tags of an event begin with; `None` if it is not of a report of training.
fn phase_of(event: &Event) -> Option<Phase> {
    let (phase, _) = event.scalars.first()?.0.split_once('/')?;
    Phase::ALL.into_iter().find(|known| known.name() == phase)
}

/// Tags and values of the columns in which a row has a value.
fn scalars(row: &Row) -> Vec<(String, f64)> {
    let columns = [
        ("loss", row.loss),
        ("q1", row.q1),
        ("q2", row.q2),
        ("buffer_mean_cost", row.buffer_mean_cost),
        ("share_of_missed_deadlines", row.share_of_missed_deadlines),
    ];
    let named = |(column, value): (&str, Option<f64>)| Some((format!("{}/{column}", row.phase), value?));
    columns.into_iter().filter_map(named).collect()
}

/// The second in the name of one of our event files; `None` for other names.
fn second_of(path: &Path) -> Option<u64> {
    let second = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    second.parse().ok()
}

/// A step as event files hold it.
fn whole(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(phase: Phase, step: usize) -> Row {
        let value = Some(step as f64);
        Row { phase, step, loss: value, q1: None, q2: value, buffer_mean_cost: None, share_of_missed_deadlines: None }
    }

    /// Phase and step of each event in a directory, in the order in which TensorBoard reads them.
    fn reports(directory: &Path) -> Vec<(Phase, i64)> {
        let read = |path: PathBuf| read(&path).expect("readable").into_iter();
        let events = files(directory).expect("readable").into_iter().flat_map(read);
        events.map(|event| (phase_of(&event).expect("a phase"), event.step)).collect()
    }

    fn written(directory: &Path, rows: &[Row]) {
        let mut file = EventFile::create(directory).expect("made");
        for row in rows {
            file.add_row(row).expect("written");
        }
        file.sync().expect("on the disk");
    }

    #[test]
    fn a_row_becomes_the_scalars_that_it_has() {
        let mut row = row(Phase::Drl, 20);
        assert_eq!(scalars(&row), [("drl/loss".to_owned(), 20.0), ("drl/q2".to_owned(), 20.0)]);
        (row.phase, row.loss, row.q2) = (Phase::Fleet, None, None);
        (row.q1, row.buffer_mean_cost, row.share_of_missed_deadlines) = (Some(1.0), Some(2.0), Some(3.0));
        let tags: Vec<_> = scalars(&row).into_iter().map(|(tag, _)| tag).collect();
        assert_eq!(tags, ["fleet/q1", "fleet/buffer_mean_cost", "fleet/share_of_missed_deadlines"]);
    }

    #[test]
    fn files_of_one_second_follow_each_other_by_name() {
        let folder = tempfile::tempdir().expect("a place for temporary files");
        let made: Vec<_> = (0..12).map(|_| EventFile::create(folder.path()).expect("made").path).collect();
        assert_eq!(files(folder.path()).expect("readable"), made);
        let beyond = folder.path().join("events.out.tfevents.9999999998.mrdro");
        fs::write(&beyond, "").expect("writable");
        let next = EventFile::create(folder.path()).expect("made");
        assert!(next.path.ends_with("events.out.tfevents.9999999999.mrdro"), "{}", next.path.display());
    }

    #[test]
    fn a_resumed_run_has_every_row_once() {
        let rows: Vec<_> = [(Phase::Meta, 5), (Phase::Meta, 10), (Phase::Drl, 5), (Phase::Drl, 10), (Phase::Drl, 15)]
            .map(|(phase, step)| row(phase, step))
            .into();
        let all: Vec<_> = rows.iter().map(|row| (row.phase, whole(row.step))).collect();
        for checkpoint in 0..=rows.len() {
            for written_before in 0..=rows.len() {
                let folder = tempfile::tempdir().expect("a place for temporary files");
                written(folder.path(), &rows[..written_before]);
                // A process that was killed while it wrote.
                let path = &files(folder.path()).expect("readable")[0];
                File::options().append(true).open(path).and_then(|mut file| file.write_all(&[7; 9])).expect("open");
                let mut file = resume(folder.path(), &rows[..checkpoint]).expect("resumes");
                for row in &rows[checkpoint..] {
                    file.add_row(row).expect("written");
                }
                assert_eq!(reports(folder.path()), all, "{checkpoint} of {written_before}");
            }
        }
    }

    #[test]
    fn what_is_repeated_is_removed_first_and_other_events_stay() {
        let folder = tempfile::tempdir().expect("a place for temporary files");
        let other = folder.path().join("events.out.tfevents.1764395388.host");
        fs::write(&other, "of another program").expect("writable");
        let mut own = EventFile::create(folder.path()).expect("made");
        own.add(7, &[("temperature", 21.0)]).expect("written");
        let rows = [(Phase::Meta, 5), (Phase::Meta, 10), (Phase::Drl, 5), (Phase::Drl, 10)];
        written(folder.path(), &rows.map(|(phase, step)| row(phase, step)));
        remove_from(folder.path(), Phase::Drl, 10).expect("shortened");
        let left = |count| rows[..count].iter().map(|&(phase, step)| (phase, whole(step))).collect::<Vec<_>>();
        let first = own.path.clone();
        let reports = || {
            let second = files(folder.path()).expect("readable").pop().expect("two files");
            let read = read(&second).expect("readable");
            read.iter().map(|event| (phase_of(event).expect("a phase"), event.step)).collect::<Vec<_>>()
        };
        assert_eq!(reports(), left(3));
        remove_from(folder.path(), Phase::Meta, 6).expect("shortened");
        assert_eq!(reports(), left(1));
        assert_eq!(read(&first).expect("readable")[0].scalars, [("temperature".to_owned(), 21.0)]);
        assert_eq!(fs::read(&other).expect("there"), b"of another program");
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_that_names_it() {
        let error = EventFile::create(Path::new("not/there")).expect_err("it does not exist");
        assert!(error.to_string().contains("not/there"), "{error}");
    }
}
