//! What the acceptance tests share: the program, a folder to run it in, a tiny training, and what the program said.
//!
//! ```no_run
//! let workshop = acceptance::Workshop::new();
//! let answers = workshop.trainer(&["scenario", "list", "--format", "json"]).succeeded();
//! assert!(answers.stdout.contains("paper-wan"));
//! ```

pub mod inputs;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tempfile::TempDir;

/// No command of these tests takes nearly as long; one that does waits for something that never comes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Arguments of a training that takes a fraction of a second.
pub const TINY: [&str; 16] = [
    "--set",
    "drl.steps=40",
    "--set",
    "drl.buffer=20",
    "--set",
    "drl.batch=8",
    "--set",
    "drl.report_every=10",
    "--set",
    "meta.outer_steps=5",
    "--set",
    "meta.metadata=50",
    "--set",
    "meta.report_every=1",
    "--set",
    "network.hidden=[8]",
];

/// The program, built before the first test of a process that asks for it.
///
/// `cargo test` builds the binaries of a package only for that package's own tests, so this asks Cargo for it, with
/// the profile and the target directory of the test itself.
///
/// # Panics
/// If it does not build.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // target/PROFILE/deps/TEST
        let test = env::current_exe().expect("a test knows its own file");
        let profile = test.parent().and_then(Path::parent).expect("Cargo puts tests two levels below the target");
        let target = profile.parent().expect("a profile's directory is in the target directory");
        let name = profile.file_name().expect("it was the parent of something").to_string_lossy();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = process::Command::new(cargo);
        build.args(["build", "--quiet", "--package", "trainer", "--target-dir"]).arg(target);
        // The profile `dev` is the one whose directory has another name.
        build.args(["--profile", if name == "debug" { "dev" } else { &name }]);
        let features = [
            ("ndarray", cfg!(feature = "ndarray")),
            ("wgpu", cfg!(feature = "wgpu")),
            ("remote", cfg!(feature = "remote")),
        ];
        for (feature, _) in features.into_iter().filter(|(_, on)| *on) {
            build.args(["--features", feature]);
        }
        // Cargo sets variables about this test's package; packages that read them would be built again each time.
        let own = ["CARGO_MANIFEST_", "CARGO_PKG_"];
        for (name, _) in env::vars_os() {
            if own.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                build.env_remove(name);
            }
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().expect("Cargo started this test").success(), "the program does not build");
        profile.join(format!("trainer{}", env::consts::EXE_SUFFIX))
    })
}

/// A folder of its own for one test; commands run in it. It goes when the test ends.
#[derive(Debug)]
pub struct Workshop {
    directory: TempDir,
}

impl Default for Workshop {
    fn default() -> Self {
        Self::new()
    }
}

impl Workshop {
    /// An empty folder.
    ///
    /// # Panics
    /// If there is no room for temporary files.
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("tests need a place for temporary files") }
    }

    /// Path of something in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    ///
    /// # Panics
    /// If that fails.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the folder is the test's own");
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is not there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name} should be there: {error}"))
    }

    /// Reads a text.
    ///
    /// # Panics
    /// If it is not there, or no text.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap_or_else(|error| panic!("{name} should be text: {error}"))
    }

    /// All files below the folder, hidden files included, and their contents; the names of empty directories end with
    /// `/`.
    ///
    /// # Panics
    /// If something cannot be read.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.directory.path().to_owned()];
        while let Some(directory) = open.pop() {
            let mut empty = true;
            for entry in fs::read_dir(&directory).expect("the folder is the test's own") {
                let path = entry.expect("the folder is the test's own").path();
                empty = false;
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.insert(self.name_of(&path), fs::read(&path).expect("the folder is the test's own"));
                }
            }
            if empty {
                found.insert(self.name_of(&directory) + "/", Vec::new());
            }
        }
        found
    }

    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(self.directory.path()).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// The program, to be run in this folder.
    pub fn command(&self) -> process::Command {
        let mut command = process::Command::new(program());
        command.current_dir(self.directory.path()).env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the program without anything on standard input.
    pub fn trainer(&self, arguments: &[&str]) -> Said {
        self.trainer_reading("", arguments)
    }

    /// Runs the program with a text on standard input.
    ///
    /// # Panics
    /// If it cannot be started, or does not end.
    pub fn trainer_reading(&self, input: impl Into<Vec<u8>>, arguments: &[&str]) -> Said {
        let mut command = self.command();
        command.args(arguments);
        let output = assert_cmd::Command::from_std(command).write_stdin(input).timeout(PATIENCE).output();
        Said::from(&output.expect("the program was built just before"))
    }

    /// Trains a little into the directory `out`, with more arguments.
    pub fn train(&self, out: &str, more: &[&str]) -> Said {
        self.trainer(&[&TINY[..], &["--out", out], more].concat())
    }

    /// Runs a line of shell; the program is `$TRAINER` in it.
    ///
    /// # Panics
    /// If there is no shell, or the line does not end.
    #[cfg(unix)]
    pub fn shell(&self, line: &str) -> Said {
        let mut command = assert_cmd::Command::new("sh");
        command.args(["-c", line]).env("TRAINER", program()).current_dir(self.directory.path());
        Said::from(&command.timeout(PATIENCE).output().expect("there is a shell"))
    }
}

/// A tiny training run that several tests look at and none changes: `run` in a folder.
///
/// # Panics
/// If the program does not train.
pub fn shared_run() -> Arc<Workshop> {
    static SHARED: Mutex<Weak<Workshop>> = Mutex::new(Weak::new());
    // A test that failed while it waited has changed nothing.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let workshop = Arc::new(Workshop::new());
        workshop.train("run", &[]).succeeded();
        *shared = Arc::downgrade(&workshop);
        workshop
    })
}

/// What a command said and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<&process::Output> for Said {
    fn from(output: &process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Said {
    /// Asserts that the command succeeded.
    ///
    /// # Panics
    /// If the command failed.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        assert_eq!(self.error_lines(), 0, "{self}");
        self.did_not_panic();
        self
    }

    /// Asserts that the command ended with one clear error and this exit code.
    ///
    /// # Panics
    /// If it ended in another way.
    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert_eq!(self.error_lines(), 1, "{self}");
        self.did_not_panic();
        self
    }

    /// Standard error holds all of these texts.
    ///
    /// # Panics
    /// If one is missing.
    #[track_caller]
    pub fn naming(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not named\n{self}");
        }
        self
    }

    /// Nothing is on standard output.
    ///
    /// # Panics
    /// If something is.
    #[track_caller]
    pub fn silent(self) -> Self {
        assert_eq!(self.stdout, "", "{self}");
        self
    }

    /// Standard output, line by line.
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    fn error_lines(&self) -> usize {
        self.stderr.lines().filter(|line| line.starts_with("error:")).count()
    }

    #[track_caller]
    fn did_not_panic(&self) {
        for trace in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(trace), "{self}");
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit code {:?}", self.code)?;
        writeln!(f, "--- standard output\n{}", self.stdout)?;
        writeln!(f, "--- standard error\n{}", self.stderr)
    }
}
