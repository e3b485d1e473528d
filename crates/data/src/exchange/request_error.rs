//! Why a request is refused.

/// Why a workload or an environment is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RequestError {
    /// The field that is wrong, such as `tasks_mb[1]`; empty if the text is no JSON or not of the right form.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl RequestError {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}
