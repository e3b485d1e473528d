//! `trace inspect` shows the content of a recording of a network, or of a file of task sizes; `trace convert` writes a drive
//! as CSV.

mod convert;
mod task_sizes;

use std::fmt::Write as _;
use std::path::Path;

use data::BadLines;
use data::trace::{Drive, ReadOptions, Recording, Trace, notes};
use mrdro::Error;
use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style, write_picture};
use mrdro::files::{is_standard_output, json};
use serde::Serialize;
use sim::limits::WINDOW_S;

use self::task_sizes::RecordedSizes;
use crate::cli::{Format, InspectArgs, InspectFormat, TraceCommand};
use crate::error::CliError;
use crate::output::{check_picture, figure, note, print, table, write_out};

/// The length of the small chart in the table, in characters.
const SPARK_WIDTH: usize = 24;
/// Points of each curve in the SVG file; more could not be distinguished.
const CURVE_POINTS: usize = 240;
/// The most drives in one SVG file.
const MAX_PANELS: usize = 40;

pub(crate) fn run(command: &TraceCommand) -> Result<(), CliError> {
    match command {
        TraceCommand::Inspect(args) => inspect(args),
        TraceCommand::Convert(args) => convert::run(args),
    }
}

fn inspect(args: &InspectArgs) -> Result<(), CliError> {
    let InspectArgs { path, format_of_files, columns, picture, format } = args;
    picture.as_ref().map_or(Ok(()), |file| check_picture("--picture", file))?;
    let sizes = match format_of_files {
        Some(InspectFormat::TaskSizes(format)) => RecordedSizes::read_as(path, *format)?,
        Some(InspectFormat::Recording(_)) | None => {
            let recording_format = match format_of_files {
                Some(InspectFormat::Recording(format)) => Some(*format),
                _ => None,
            };
            let options = ReadOptions { format: recording_format, columns: columns.clone() };
            match Recording::read(path, &options) {
                Ok(recording) => {
                    if !picture.as_ref().is_some_and(|file| is_standard_output(file)) {
                        show_recording(&recording, format.format)?;
                    }
                    for text in notes(&recording.drives, None, WINDOW_S) {
                        note(&format!("note: {text}"));
                    }
                    return picture.as_ref().map_or(Ok(()), |file| draw(&recording, file));
                }
                // A format or columns that the user names are those of a recording.
                Err(error) if options != ReadOptions::default() => return Err(error.into()),
                Err(error) => RecordedSizes::read(path, error)?,
            }
        }
    };
    if picture.is_some() {
        let text = path.display().to_string();
        return Err(Error::BadOption { option: "--picture", text, wanted: "a network trace" }.into());
    }
    sizes.show(format.format)
}

/// The row of one device of a drive.
#[derive(Serialize)]
struct DeviceRow<'a> {
    drive: &'a str,
    folder: &'a str,
    device: &'a str,
    samples: usize,
    duration_s: f64,
    mean_mbps: f64,
    median_mbps: f64,
    least_mbps: f64,
    greatest_mbps: f64,
    zero_share: f64,
    gaps: usize,
    longest_gap_s: f64,
    longest_gap_at_s: f64,
    #[serde(skip)]
    picture: String,
}

/// One file of a recording, in the JSON output.
#[derive(Serialize)]
struct FileRow {
    path: String,
    format: String,
    why: String,
    lines: u64,
    samples: usize,
    left_out: u64,
    bad_lines: u64,
    first_bad_lines: Vec<String>,
}

#[derive(Serialize)]
struct SkippedRow {
    path: String,
    reason: String,
}

#[derive(Serialize)]
struct DriveRow<'a> {
    drive: &'a str,
    duration_s: f64,
    windows_of_60_s: usize,
}

#[derive(Serialize)]
struct Contents<'a> {
    devices: Vec<DeviceRow<'a>>,
    drives: Vec<DriveRow<'a>>,
    files: Vec<FileRow>,
    skipped: Vec<SkippedRow>,
}

fn texts(bad: &BadLines) -> Vec<String> {
    bad.first.iter().map(ToString::to_string).collect()
}

fn show_recording(recording: &Recording, format: Format) -> Result<(), CliError> {
    let contents = Contents {
        devices: recording
            .drives
            .iter()
            .flat_map(|drive| drive.devices.iter().map(move |trace| device_row(drive, trace)))
            .collect(),
        drives: recording
            .drives
            .iter()
            .map(|drive| DriveRow {
                drive: &drive.name,
                duration_s: drive.duration_s(),
                windows_of_60_s: drive.windows(WINDOW_S).len(),
            })
            .collect(),
        files: recording
            .sources
            .iter()
            .map(|source| FileRow {
                path: source.path.display().to_string(),
                format: source.format.to_string(),
                why: source.why.clone(),
                lines: source.lines,
                samples: source.samples,
                left_out: source.left_out,
                bad_lines: source.bad.count,
                first_bad_lines: texts(&source.bad),
            })
            .collect(),
        skipped: recording
            .skipped
            .iter()
            .map(|skipped| SkippedRow { path: skipped.path.display().to_string(), reason: skipped.reason.to_string() })
            .collect(),
    };
    match format {
        Format::Json => write_out(&json(&contents)),
        Format::Csv => print(format, &contents.devices, String::new),
        Format::Table => write_out(contents.text().as_bytes()),
    }
}

fn device_row<'a>(drive: &'a Drive, trace: &'a Trace) -> DeviceRow<'a> {
    let found = trace.summary();
    DeviceRow {
        drive: &drive.name,
        folder: &drive.environment,
        device: &trace.device,
        samples: found.samples,
        duration_s: found.duration_s,
        mean_mbps: found.mean_mbps,
        median_mbps: found.median_mbps,
        least_mbps: found.least_mbps,
        greatest_mbps: found.greatest_mbps,
        zero_share: found.zero_share,
        gaps: found.gaps,
        longest_gap_s: found.longest_gap_s,
        longest_gap_at_s: found.longest_gap_at_s,
        picture: spark(trace, drive.duration_s()),
    }
}

impl Contents<'_> {
    /// The table of devices, followed by the counts of drives, files and lines.
    fn text(&self) -> String {
        let header = [
            "drive",
            "device",
            "samples",
            "s",
            "Mbit/s",
            "median",
            "least",
            "most",
            "at 0",
            "gaps",
            "longest",
            "rate over time",
        ];
        let row = |row: &DeviceRow<'_>| {
            let rates = [row.mean_mbps, row.median_mbps, row.least_mbps, row.greatest_mbps];
            let mut cells = vec![row.drive.to_owned(), row.device.to_owned()];
            cells.extend([row.samples.to_string(), format!("{:.0}", row.duration_s)]);
            cells.extend(rates.map(|rate| figure(rate, 2)));
            cells.push(format!("{:.1} %", 100.0 * row.zero_share));
            cells.extend([row.gaps.to_string(), format!("{:.1} s", row.longest_gap_s), row.picture.clone()]);
            cells
        };
        let windows: usize = self.drives.iter().map(|drive| drive.windows_of_60_s).sum();
        let table = table(&header, self.devices.iter().map(row).collect());
        format!(
            "{table}\n\n{}, {}; {} of 60 s in which all devices of a drive have data\n{}",
            counted(self.drives.len(), "drive"),
            counted(self.devices.len(), "recorded device"),
            counted(windows, "window"),
            self.files_text()
        )
    }

    /// The counts of files and lines, the first bad lines of each file, and the files that were skipped.
    fn files_text(&self) -> String {
        let sum = |value: fn(&FileRow) -> u64| self.files.iter().map(value).sum::<u64>() as usize;
        let mut text = format!(
            "{}, {}, {} left out, {}\n",
            counted(self.files.len(), "file"),
            counted(sum(|file| file.lines), "line"),
            counted(sum(|file| file.left_out), "measurement"),
            counted(sum(|file| file.bad_lines), "bad line"),
        );
        let mut formats: Vec<&str> = self.files.iter().map(|file| file.format.as_str()).collect();
        formats.sort_unstable();
        formats.dedup();
        for format in formats {
            let mut files = self.files.iter().filter(|file| file.format == format);
            let Some(first) = files.next() else { continue };
            let count = counted(1 + files.count(), "file");
            let _ = writeln!(text, "  format {format} ({count}): {}, in {}", first.why, first.path);
        }
        for file in self.files.iter().filter(|file| file.bad_lines > 0) {
            let _ = writeln!(text, "  {}: {}", file.path, counted(file.bad_lines as usize, "bad line"));
            text.extend(file.first_bad_lines.iter().map(|line| format!("    {line}\n")));
        }
        text.extend(self.skipped.iter().map(|skipped| format!("  {} was skipped: {}\n", skipped.path, skipped.reason)));
        text
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The mean rate in each of `count` equal parts of a drive; `None` for a part without samples.
fn parts(trace: &Trace, duration_s: f64, count: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u32); count];
    for sample in &trace.samples {
        let part = ((sample.t_s / duration_s * count as f64) as usize).min(count - 1);
        sums[part].0 += sample.mbps;
        sums[part].1 += 1;
    }
    sums.into_iter().map(|(sum, samples)| (samples > 0).then(|| sum / f64::from(samples))).collect()
}

/// The rate over time as a row of characters, scaled to the highest rate; a dot stands for a part without samples.
fn spark(trace: &Trace, duration_s: f64) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let parts = parts(trace, duration_s, SPARK_WIDTH);
    let most = parts.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let level = |rate: f64| LEVELS[((rate / most * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1)];
    parts.into_iter().map(|part| part.map_or('·', level)).collect()
}

/// Draws the rates of the drives over time, at most of the first [`MAX_PANELS`].
fn draw(recording: &Recording, file: &Path) -> Result<(), CliError> {
    let panel = |drive: &Drive| {
        let duration = drive.duration_s();
        let curve = |trace: &Trace| {
            let width = duration / CURVE_POINTS as f64;
            let middle = |part: usize| (part as f64 + 0.5) * width;
            let parts = parts(trace, duration, CURVE_POINTS).into_iter().enumerate();
            let points = parts.filter_map(|(part, rate)| rate.map(|rate| Point::exact(middle(part), rate))).collect();
            Series { label: trace.device.clone(), style: Style::Curve, points }
        };
        Panel {
            title: drive.name.clone(),
            x: Axis::Linear { label: "s" },
            y: Axis::Linear { label: "Mbit/s" },
            series: drive.devices.iter().map(curve).collect(),
        }
    };
    let shown = &recording.drives[..recording.drives.len().min(MAX_PANELS)];
    let panels: Vec<Panel> = shown.iter().map(panel).collect();
    write_picture(&panels, Palette::Distinct, file)?;
    let others = recording.drives.len() - shown.len();
    let others = if others == 0 {
        String::new()
    } else {
        format!(" (the first {MAX_PANELS} drives; {others} more are not drawn)")
    };
    if !is_standard_output(file) {
        note(&format!("drawn: {}{others}", file.display()));
    }
    Ok(())
}
