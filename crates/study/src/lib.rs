//! Experiments on the library, with charts and reports.

/// Placeholder until the experiments move here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Library.
    #[error(transparent)]
    Library(#[from] mrdro::Error),
    /// Split.
    #[error("{reason}")]
    BadSplit {
        /// Path.
        path: std::path::PathBuf,
        /// Reason.
        reason: String,
    },
}
