//! `export`: a record's networks for other programs.

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use model::{DeviceChoice, Record};

use crate::cli::{ExportArgs, ExportKind};
use crate::error::AppError;
use crate::report;
use crate::run_dir::RunDir;

pub(crate) fn run(args: &ExportArgs) -> Result<(), AppError> {
    let device = DeviceChoice::Flex.open().or_else(|_| DeviceChoice::Auto.open())?.device;
    let record = Record::load(&args.record, &device)?;
    let out = RunDir::create_at(&args.out)?;
    let extension = match args.kind {
        ExportKind::Safetensors => "safetensors",
        ExportKind::Bpk => "bpk",
    };
    if args.per_dnn {
        for dnn in 0..record.ensemble.dnns() {
            let name = format!("dnn-{dnn}.{extension}");
            let content = bytes(&record.ensemble.dnn(dnn), args.kind)?;
            out.write(&name, &content)?;
        }
    } else {
        let name = format!("ensemble.{extension}");
        let content = bytes(&record.ensemble, args.kind)?;
        out.write(&name, &content)?;
    }
    report::note(&format!("wrote {}", args.out.display()));
    Ok(())
}

fn bytes<M: Module + ModuleSnapshot>(module: &M, kind: ExportKind) -> Result<Vec<u8>, AppError> {
    let failed = |reason: String| AppError::Export { reason };
    match kind {
        ExportKind::Bpk => {
            let bytes = module.clone().into_record().into_bytes().map_err(|error| failed(error.to_string()))?;
            Ok(bytes.to_vec())
        }
        ExportKind::Safetensors => {
            // Several entries of metadata would come in another order each time.
            let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata("format", "pt");
            module.save_into(&mut store).map_err(|error| failed(error.to_string()))?;
            store.get_bytes().map_err(|error| failed(error.to_string()))
        }
    }
}
