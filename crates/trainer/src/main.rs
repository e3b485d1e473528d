//! MR-DRO from the command line. `trainer --help` lists the commands.

mod cli;
mod commands;
mod device;
mod error;
mod interrupt;
mod output;
mod progress;
mod progress_log;

use clap::Parser;

fn main() -> std::process::ExitCode {
    #[cfg(all(unix, feature = "wgpu"))]
    quiet::restart_with_runtime_directory();
    let exit = commands::run(cli::Cli::parse());
    std::process::ExitCode::from(exit as u8)
}

/// On machines without a desktop, Mesa's Vulkan layer writes a warning about a missing runtime directory to standard error
/// each time that adapters are listed. It would look like an error of this program.
#[cfg(all(unix, feature = "wgpu"))]
mod quiet {
    use std::os::unix::process::CommandExt;
    use std::{env, process};

    const DIRECTORY: &str = "XDG_RUNTIME_DIR";

    /// Replaces the process by the same program with the variable set, since a process cannot safely change its own
    /// environment. If that fails, the program goes on without the variable.
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
