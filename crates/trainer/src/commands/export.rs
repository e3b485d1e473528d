//! `export`: the networks of a record as files for other programs.

use model::{DeviceChoice, ExportFormat, Record};
use mrdro::RunDir;

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
    let files = record.networks.export(format, args.per_dnn).map_err(mrdro::Error::from)?;
    let out = RunDir::create_at(&args.out)?;
    for file in files {
        out.write(&file.name, &file.bytes)?;
    }
    note(&format!("wrote {}", args.out.display()));
    Ok(())
}
