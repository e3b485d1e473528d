//! MR-DRO from the command line. `trainer --help` says what there is.

mod cli;
mod commands;
mod device;
mod error;
mod interrupt;
mod output;
mod progress;

use clap::Parser;

fn main() -> std::process::ExitCode {
    #[cfg(all(unix, feature = "wgpu"))]
    quiet::restart_with_runtime_directory();
    let exit = commands::run(cli::Cli::parse());
    std::process::ExitCode::from(exit as u8)
}

/// Where a machine has no desktop, Mesa's Vulkan layer complains on standard error about a directory that nothing here
/// needs, once for each time that adapters are listed. Such lines would look like our errors.
#[cfg(all(unix, feature = "wgpu"))]
mod quiet {
    use std::os::unix::process::CommandExt;
    use std::{env, process};

    const DIRECTORY: &str = "XDG_RUNTIME_DIR";

    /// Starts the program again in place of itself, with the directory named. A process cannot safely change its own
    /// environment. That it cannot be started again leaves everything as it was.
    pub(crate) fn restart_with_runtime_directory() {
        if env::var_os(DIRECTORY).is_some() {
            return;
        }
        if let Ok(program) = env::current_exe() {
            let mut command = process::Command::new(program);
            command.arg0(env::args_os().next().unwrap_or_default()).args(env::args_os().skip(1));
            let _ = command.env(DIRECTORY, env::temp_dir()).exec();
        }
    }
}
