//! `export`: the networks of a record as files for other programs.

use model::{DeviceChoice, ExportFormat, Record};
use mrdro::files::{STANDARD_OUTPUT, write_file};
use mrdro::{Error, RunDir};

use crate::cli::{ExportArgs, ExportKind};
use crate::error::CliError;
use crate::output::note;

pub(crate) fn run(args: &ExportArgs) -> Result<(), CliError> {
    let device = DeviceChoice::Flex.open().or_else(|_| DeviceChoice::Auto.open())?.device;
    let record = Record::load(&args.record, &device)?;
    let format = match args.kind {
        ExportKind::Safetensors => ExportFormat::Safetensors,
        ExportKind::Bpk => ExportFormat::Bpk,
    };
    let files = record.networks.export(format, args.per_dnn).map_err(Error::from)?;
    if args.out.as_os_str() == STANDARD_OUTPUT {
        if let [file] = &files[..] {
            return Ok(write_file(&args.out, &file.bytes)?);
        }
        let wanted = "a folder, which several files need; without --per-dnn the one file can be written to `-`";
        return Err(Error::BadOption { option: "--out", text: STANDARD_OUTPUT.to_owned(), wanted }.into());
    }
    let out = RunDir::create_at(&args.out)?;
    for file in files {
        out.write(&file.name, &file.bytes)?;
    }
    note(&format!("wrote {}", args.out.display()));
    Ok(())
}
