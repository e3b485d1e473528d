//! Why training settings cannot be used.

use std::path::PathBuf;

use sim::config::Mistakes;

/// Why training settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Neither a preset nor a file has this name.
    #[error("there is no training preset called `{name}`; there are {presets}, anything else must be a TOML file")]
    UnknownPreset {
        /// The name.
        name: String,
        /// The names of all presets.
        presets: String,
    },
    /// A single setting is not of the form `key=value`.
    #[error("`{text}` is not a setting of the form KEY=VALUE")]
    BadSetting {
        /// The text.
        text: String,
    },
    /// A file exists but cannot be read, or a path leads to no file.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason that the operating system gives.
        source: std::io::Error,
    },
    /// Keys or values are wrong.
    #[error(transparent)]
    Invalid(#[from] Mistakes),
}
