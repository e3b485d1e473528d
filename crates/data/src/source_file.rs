//! Files of recorded data, compressed with gzip or not.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// The first bytes of a file that gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file to read its content. A file that gzip made is decompressed while it is read, whatever its name.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    let mut first = Vec::with_capacity(GZIP.len());
    file.by_ref().take(GZIP.len() as u64).read_to_end(&mut first)?;
    let is_gzip = first == GZIP;
    let whole = io::Cursor::new(first).chain(file);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// The name of a file without its extension, and without `.gz` behind that.
pub(crate) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let plain = Path::new(name);
    let is_gzip = plain.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let inner = if is_gzip { Path::new(plain.file_stem().unwrap_or_default()) } else { plain };
    inner.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
