//! Parameters of Burn modules as files for other programs. Safetensors files also hold a description of the networks, so that
//! they can be used without this program.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use serde_json::{Map, Value};

use crate::parameters;
use crate::state::StateError;

/// The version of the description in safetensors files. It grows when entries change their meaning.
const DESCRIPTION_VERSION: u32 = 1;
/// The key of the description in the header of a safetensors file.
const METADATA: &str = "__metadata__";
/// The header of a safetensors file is filled up with spaces to a multiple of this number of bytes.
const ALIGNMENT: usize = 8;

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
    /// A file with the parameters of a module, called `name` with the extension of the format. Safetensors also hold the
    /// description.
    ///
    /// # Errors
    /// If the parameters cannot be written in this format.
    pub(crate) fn of<M: Module + ModuleSnapshot>(
        name: &str,
        module: &M,
        format: ExportFormat,
        description: &Description,
    ) -> Result<Self, StateError> {
        let bytes = match format {
            ExportFormat::Bpk => parameters::to_bytes(module)?,
            ExportFormat::Safetensors => {
                let mut store = SafetensorsStore::from_bytes(None).clear_metadata();
                module.save_into(&mut store).map_err(|error| StateError::new(error.to_string()))?;
                let bytes = store.get_bytes().map_err(|error| StateError::new(error.to_string()))?;
                with_metadata(&bytes, description).ok_or_else(|| StateError::new("its header cannot be read"))?
            }
        };
        Ok(Self { name: format!("{name}.{}", format.extension()), bytes })
    }
}

/// Everything that a reader needs beside the parameters, as texts by name. Texts with structure are JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description(BTreeMap<&'static str, String>);

impl Description {
    /// The entries that all kinds of networks share. `count` is the number of networks of the record; `index` is the network
    /// that is alone in a file.
    pub(crate) fn new(kind: &'static str, count: usize, index: Option<usize>) -> Self {
        let mut description = Self(BTreeMap::new());
        // Readers of several frameworks ask for this entry.
        description.text("format", "pt");
        description.text("format_version", DESCRIPTION_VERSION.to_string());
        description.text("program", concat!("trainer ", env!("CARGO_PKG_VERSION")));
        description.text("kind", kind);
        description.text("networks", if index.is_some() { 1 } else { count }.to_string());
        description.text("networks_in_record", count.to_string());
        if let Some(index) = index {
            description.text("network_index", index.to_string());
        }
        description
    }

    /// Adds an entry.
    pub(crate) fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.insert(name, text.into());
    }

    /// Adds an entry in JSON.
    pub(crate) fn json(&mut self, name: &'static str, value: &Value) {
        self.text(name, value.to_string());
    }
}

/// A safetensors file with other metadata. Burn would write the entries in random order; here they are sorted, so that equal
/// networks give equal bytes. `None` if the file is not as the format says.
fn with_metadata(file: &[u8], description: &Description) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let mut header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let entries = description.0.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.as_str())));
    header.insert(METADATA.to_owned(), Value::Object(entries.collect()));
    let mut header = serde_json::to_vec(&header).ok()?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Some([&length[..], &header, data].concat())
}
