//! x
use crate::cli::AdaptationStudyArgs;
use crate::error::CliError;
pub(crate) fn run(_: &AdaptationStudyArgs) -> Result<(), CliError> {
    Ok(())
}
