//! x
use crate::cli::ReproduceArgs;
use crate::error::CliError;
pub(crate) fn run(_: &ReproduceArgs) -> Result<(), CliError> {
    Ok(())
}
