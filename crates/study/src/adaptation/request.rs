//! The request for an adaptation study.

use std::path::PathBuf;

use data::trace::ReadOptions;
use sim::limits::WINDOW_S;

/// The scenario where none is named.
const SCENARIO: &str = "mobile";

/// The recordings, the scenario and the seeds of a study, and the directory of its report.
#[derive(Debug, Clone)]
pub struct AdaptationRequest {
    /// Recordings to train on and to choose settings with: a folder; folders in it are environments.
    pub traces: PathBuf,
    /// The format and the columns of the recordings, where their content should not tell them.
    pub read: ReadOptions,
    /// A CSV file with the columns `file` (relative to it) and `role` (train or validation); `None`: the last drive of each
    /// folder is for validation.
    pub split: Option<PathBuf>,
    /// A folder to leave out of training and to test on.
    pub leave_out: Option<String>,
    /// Recordings to test on, if no folder is left out; `None`: the validation drives.
    pub test: Option<PathBuf>,
    /// A shipped scenario or a file; its uplinks are replaced by recorded ones.
    pub scenario: String,
    /// Length of the windows over which recorded rates are averaged, in seconds.
    pub window_s: f64,
    /// Seeds, such as `1-10` or `1,2,5`; `None`: 1 to 10, or 1 and 2 for a quick look.
    pub seeds: Option<String>,
    /// Whether to shorten pre-training and to take fewer drives and windows.
    pub quick: bool,
    /// The directory of the report. Seeds that it holds already are kept.
    pub out: PathBuf,
}

impl AdaptationRequest {
    /// A request with default values for everything except the recordings and the directory.
    pub fn new(traces: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Self {
        Self {
            traces: traces.into(),
            read: ReadOptions::default(),
            split: None,
            leave_out: None,
            test: None,
            scenario: SCENARIO.to_owned(),
            window_s: WINDOW_S,
            seeds: None,
            quick: false,
            out: out.into(),
        }
    }

    /// The command that makes the report again.
    pub(super) fn command(&self) -> String {
        let mut command =
            format!("cargo run -p trainer -- adaptation-study --traces {}", quoted(&self.traces.display().to_string()));
        let mut add = |option: &str, value: String| command.extend([" --", option, " ", &quoted(&value)]);
        if let Some(format) = self.read.format {
            add("as", format.to_string());
        }
        if let Some(columns) = &self.read.columns {
            add("columns", columns.to_string());
        }
        if let Some(split) = &self.split {
            add("split", split.display().to_string());
        }
        if let Some(folder) = &self.leave_out {
            add("leave-out", folder.clone());
        }
        if let Some(test) = &self.test {
            add("test", test.display().to_string());
        }
        if self.scenario != SCENARIO {
            add("scenario", self.scenario.clone());
        }
        if self.window_s != WINDOW_S {
            add("window", self.window_s.to_string());
        }
        if let Some(seeds) = &self.seeds {
            add("seeds", seeds.clone());
        }
        if self.quick {
            command += " --quick";
        }
        command + &format!(" --out {}", quoted(&self.out.display().to_string()))
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./,:+=@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_what_differs_and_quotes_what_a_shell_would_split() {
        let plain = AdaptationRequest::new("traces", "study");
        assert_eq!(plain.command(), "cargo run -p trainer -- adaptation-study --traces traces --out study");
        let other = AdaptationRequest {
            seeds: Some("1-2".to_owned()),
            quick: true,
            ..AdaptationRequest::new("my traces", "s")
        };
        let expected = "cargo run -p trainer -- adaptation-study --traces 'my traces' --seeds 1-2 --quick --out s";
        assert_eq!(other.command(), expected);
        let columns = "time=t:s,rate=up rate:kbps".parse().expect("complete");
        let read = ReadOptions { format: None, columns: Some(columns) };
        let other = AdaptationRequest { read, ..AdaptationRequest::new("traces", "s") };
        assert!(other.command().contains("--traces traces --columns 'time=t:s,rate=up rate:kbps' --out"));
    }
}
