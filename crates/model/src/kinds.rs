//! The kinds of networks that records can hold.
//!
//! A new kind is one folder next to `dnn`, `fleet` and `stream`, and one line in [`KINDS`].

use crate::dnn::DnnNetworks;
use crate::fleet::FleetNetworks;
use crate::networks::Kind;
use crate::record::{ManifestFile, RecordError, RecordText};
use crate::stream::StreamNetworks;

/// Every kind of networks that records can hold.
pub static KINDS: &[&Kind] = &[&DnnNetworks::KIND, &FleetNetworks::KIND, &StreamNetworks::KIND];

/// The kind of networks that a manifest names, or that its version of the format held.
pub(crate) fn kind_of(manifest: &ManifestFile<'_>) -> Result<&'static Kind, RecordError> {
    let (name, version) = (manifest.kind_name(), manifest.format_version());
    let found = KINDS.iter().copied().find(|kind| match name {
        Some(name) => kind.name == name && version == RecordText::FORMAT_VERSION,
        None => kind.unnamed_in_versions.contains(&version),
    });
    found.ok_or_else(|| {
        manifest.wrong(match name {
            Some(name) => {
                let known: Vec<_> = KINDS.iter().map(|kind| format!("\"{}\"", kind.name)).collect();
                let known = known.join(", ");
                format!("format {version} has no kind = \"{name}\"; this program knows {known}")
            }
            None => "the file has no kind, the key that names the networks in the record".to_owned(),
        })
    })
}
