//! The PNG format (ISO/IEC 15948): a signature and chunks, of which one holds the compressed rows.

use std::io::{self, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Eight bits for each of red, green and blue; compression, filters and order of rows as the format has them.
const COLOURS: [u8; 5] = [8, 2, 0, 0, 0];
/// Before each row: its bytes are as they are.
const NO_FILTER: u8 = 0;

/// A PNG file of rows of red, green and blue.
///
/// # Errors
/// Never for memory that can be allocated.
pub(super) fn encode(width: u32, height: u32, pixels: impl Iterator<Item = [u8; 3]>) -> io::Result<Vec<u8>> {
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut row = Vec::with_capacity(1 + 3 * width as usize);
    for (index, pixel) in pixels.enumerate() {
        if index.is_multiple_of(width as usize) {
            rows.write_all(&row)?;
            row.clear();
            row.push(NO_FILTER);
        }
        row.extend(pixel);
    }
    rows.write_all(&row)?;
    let mut file = SIGNATURE.to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &COLOURS].concat();
    write_chunk(&mut file, *b"IHDR", &header);
    write_chunk(&mut file, *b"IDAT", &rows.finish()?);
    write_chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

/// A chunk consists of its length, its name, its data, and the checksum of name and data.
fn write_chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let mut checksum = Crc::new();
    checksum.update(&name);
    checksum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(checksum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_holds_its_pixels() {
        let pixels = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [255, 0, 128], [0, 0, 0], [9, 9, 9]];
        let file = encode(3, 2, pixels.into_iter()).expect("memory");
        assert_eq!(&file[..8], SIGNATURE);
        assert_eq!(&file[8..16], b"\0\0\0\x0dIHDR");
        assert_eq!(&file[16..29], [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
        let length = u32::from_be_bytes(file[33..37].try_into().expect("four bytes")) as usize;
        assert_eq!(&file[37..41], b"IDAT");
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&file[41..41 + length]).read_to_end(&mut rows).expect("compressed");
        assert_eq!(rows, [&[0][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[0], &[255, 0, 128, 0, 0, 0, 9, 9, 9]].concat());
        // The last chunk is the same in every file.
        assert_eq!(&file[45 + length..], b"\0\0\0\0IEND\xae\x42\x60\x82");
    }
}
