//! Parameters of Burn modules as files for other programs.

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};

use crate::parameters;
use crate::state::StateError;

/// A file format for export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Safetensors, for other frameworks.
    Safetensors,
    /// Burn's own format, for other programs on Burn.
    Bpk,
}

impl ExportFormat {
    /// Extension of the files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Bpk => "bpk",
        }
    }
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Name of the file.
    pub name: String,
    /// Contents of the file.
    pub bytes: Vec<u8>,
}

impl ExportedFile {
    /// A file with the parameters of a module, called `name` with the extension of the format.
    ///
    /// # Errors
    /// If the parameters cannot be written in this format.
    pub(crate) fn of<M: Module + ModuleSnapshot>(
        name: &str,
        module: &M,
        format: ExportFormat,
    ) -> Result<Self, StateError> {
        let bytes = match format {
            ExportFormat::Bpk => parameters::to_bytes(module)?,
            ExportFormat::Safetensors => {
                // More than one entry of metadata would be written in random order.
                let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata("format", "pt");
                module.save_into(&mut store).map_err(|error| StateError::new(error.to_string()))?;
                store.get_bytes().map_err(|error| StateError::new(error.to_string()))?
            }
        };
        Ok(Self { name: format!("{name}.{}", format.extension()), bytes })
    }
}
