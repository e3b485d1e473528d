//! stub
use crate::cli::TraceCommand;
use crate::error::AppError;
pub(crate) fn run(_: &TraceCommand) -> Result<(), AppError> { Ok(()) }
