//! Parameters of Burn modules as files for other programs.

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};

use crate::parameters;
use crate::state::StateError;

/// Formats that networks are exported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Safetensors, for other frameworks.
    Safetensors,
    /// Burn's own format, for other programs on Burn.
    Bpk,
}

impl ExportFormat {
    /// The ending of such files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Bpk => "bpk",
        }
    }
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl ExportedFile {
    /// The file called `name` and the format's ending, with the parameters of a module.
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
                // Several entries of metadata would come in another order each time.
                let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata("format", "pt");
                module.save_into(&mut store).map_err(|error| StateError::new(error.to_string()))?;
                store.get_bytes().map_err(|error| StateError::new(error.to_string()))?
            }
        };
        Ok(Self { name: format!("{name}.{}", format.extension()), bytes })
    }
}
