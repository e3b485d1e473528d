//! Opening the devices and starting the threads that the command line names.

use std::path::Path;

use model::{Backend, DeviceChoice, DeviceKind};
use mrdro::device_failure;

use crate::cli::{ComputeArgs, ThreadsArg};
use crate::error::CliError;
use crate::output::note;

/// Starts the pool of threads for all parallel work.
pub(crate) fn start_threads(args: &ThreadsArg) -> Result<(), CliError> {
    let Some(threads) = args.threads.map(usize::from) else { return Ok(()) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    Ok(pool.build_global().map_err(|source| mrdro::Error::Threads { threads, source })?)
}

/// Opens the device and starts the threads. Writes a note about the device unless it is the obvious one.
pub(crate) fn open(args: &ComputeArgs) -> Result<Backend, CliError> {
    let choice: DeviceChoice = args.device.parse()?;
    start_threads(&args.threads)?;
    let token = match &choice {
        DeviceChoice::Remote(address) if cfg!(feature = "remote") => {
            note(&format!("connecting to the worker at {address}"));
            token(None)?
        }
        _ => String::new(),
    };
    let backend = choice.open_with(&token)?;
    let Backend { name, description, kind, .. } = &backend;
    if choice != DeviceChoice::Auto && *kind != DeviceKind::Cpu || *kind == DeviceKind::Gpu {
        note(&format!("computing on {name}: {description}; `--device flex` computes on the CPU"));
    } else if choice == DeviceChoice::Auto && cfg!(feature = "wgpu") {
        let software = model::available().into_iter().find(|other| other.kind == DeviceKind::SoftwareGpu);
        let found = match software {
            Some(adapter) => format!("only software, {} (`--device {}`)", adapter.description, adapter.name),
            None => "only the CPU; a graphics card needs its Vulkan driver".to_owned(),
        };
        note(&format!("computing on {name}: no graphics card was found, {found}"));
    } else if *kind == DeviceKind::Cpu && name != "flex" {
        note(&format!("computing on {name}: {description}"));
    }
    Ok(backend)
}

/// Opens the device and runs `work` on it. A failure of the device is an error.
pub(crate) fn on_device<T>(
    args: &ComputeArgs,
    work: impl FnOnce(&Backend) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let backend = open(args)?;
    device_failure::catch(&backend, || work(&backend))
}

/// The token that clients of a worker or a service must send: the content of the file, else the environment variable
/// `TRAINER_TOKEN`, else an empty text.
pub(crate) fn token(file: Option<&Path>) -> Result<String, CliError> {
    let (text, origin) = match file {
        Some(path) => {
            let unreadable = |source| mrdro::Error::Unreadable { path: path.to_owned(), source };
            (sim::text::read(path).map_err(unreadable)?, path.display().to_string())
        }
        None => match std::env::var("TRAINER_TOKEN") {
            Ok(text) => (text, "TRAINER_TOKEN".to_owned()),
            Err(std::env::VarError::NotPresent) => return Ok(String::new()),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(CliError::Token { origin: "TRAINER_TOKEN".to_owned() });
            }
        },
    };
    let token = text.trim();
    if !(8..=1024).contains(&token.len()) || token.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(CliError::Token { origin });
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_in_every_encoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for bytes in [
            b"correct-horse\n".to_vec(),
            b"\xef\xbb\xbfcorrect-horse\r\n".to_vec(),
            utf16("\u{feff}correct-horse\r\n"),
            utf16("correct-horse"),
        ] {
            std::fs::write(&path, bytes).expect("written");
            assert_eq!(token(Some(&path)).expect("a token"), "correct-horse");
        }
        std::fs::write(&path, b"correct-h\xf6rse").expect("written");
        let error = token(Some(&path)).expect_err("Latin-1").report();
        assert!(error.contains("0xF6 is not UTF-8") && !error.contains("right path"), "{error}");
    }
}
