//! The bytes of an event file: TFRecord frames, each around one protobuf message `Event`.
//!
//! A frame is the length of its content as `u64`, the masked CRC-32C of these eight bytes, the content, and the masked CRC-32C
//! of the content, all little-endian. Of `Event`, only these fields are written and read:
//!
//! | message | field | type |
//! |---|---|---|
//! | `Event` | 1 `wall_time`, 2 `step`, 3 `file_version`, 5 `summary` | `double`, `int64`, `string`, `Summary` |
//! | `Summary` | 1 `value`, repeated | `Value` |
//! | `Value` | 1 `tag`, 2 `simple_value` | `string`, `float` |

/// The file version that the first event of a file names.
const FILE_VERSION: &str = "brain.Event:2";

/// Wire types of protobuf.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// The scalars of one step, as an event file holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The time of writing, in seconds since 1970.
    pub wall_time: f64,
    /// The step.
    pub step: i64,
    /// Tags, such as `drl/loss`, with their values. Empty in the first event of a file.
    pub scalars: Vec<(String, f32)>,
}

impl Event {
    /// The frame of the event.
    pub(super) fn frame(&self) -> Vec<u8> {
        let mut content = self.times();
        let mut summary = Vec::new();
        for (tag, value) in &self.scalars {
            let mut field = Vec::new();
            put_bytes(&mut field, 1, tag.as_bytes());
            put_key(&mut field, 2, FIXED32);
            field.extend(value.to_le_bytes());
            put_bytes(&mut summary, 1, &field);
        }
        put_bytes(&mut content, 5, &summary);
        frame(&content)
    }

    /// The frame that a file begins with.
    pub(super) fn first_frame(wall_time: f64) -> Vec<u8> {
        let mut content = Self { wall_time, step: 0, scalars: Vec::new() }.times();
        put_bytes(&mut content, 3, FILE_VERSION.as_bytes());
        frame(&content)
    }

    fn times(&self) -> Vec<u8> {
        let mut content = Vec::new();
        put_key(&mut content, 1, FIXED64);
        content.extend(self.wall_time.to_le_bytes());
        put_key(&mut content, 2, VARINT);
        put_varint(&mut content, self.step.cast_unsigned());
        content
    }

    /// The event in the content of a frame; `None` if it is no event. Other fields are ignored.
    fn parse(content: &[u8]) -> Option<Self> {
        let mut event = Self { wall_time: 0.0, step: 0, scalars: Vec::new() };
        for field in Fields(content) {
            match field? {
                (1, Field::Fixed64(bytes)) => event.wall_time = f64::from_le_bytes(bytes),
                (2, Field::Varint(step)) => event.step = step.cast_signed(),
                (5, Field::Bytes(summary)) => {
                    for value in Fields(summary) {
                        if let (1, Field::Bytes(value)) = value? {
                            event.scalars.extend(parse_value(value)?);
                        }
                    }
                }
                _ => {}
            }
        }
        Some(event)
    }
}

/// Tag and value of a message `Value`, in one `Some` more. The inner one is `None` if the message holds no `simple_value`.
#[expect(clippy::option_option, reason = "a message without a scalar is no damaged message")]
fn parse_value(message: &[u8]) -> Option<Option<(String, f32)>> {
    let (mut tag, mut value) = (None, None);
    for field in Fields(message) {
        match field? {
            (1, Field::Bytes(bytes)) => tag = Some(String::from_utf8_lossy(bytes).into_owned()),
            (2, Field::Fixed32(bytes)) => value = Some(f32::from_le_bytes(bytes)),
            _ => {}
        }
    }
    Some(tag.zip(value))
}

/// The events in the bytes of a file, each with the number of bytes before its frame. They end at the first damaged frame.
pub(super) struct Events<'f> {
    file: &'f [u8],
    /// The number of bytes before the next frame.
    pub(super) read: usize,
}

impl<'f> Events<'f> {
    pub(super) fn of(file: &'f [u8]) -> Self {
        Self { file, read: 0 }
    }

    fn read_frame(&self) -> Option<(Event, usize)> {
        let mut rest = self.file.get(self.read..)?;
        let length_bytes: [u8; 8] = take(&mut rest)?;
        let length_crc = u32::from_le_bytes(take(&mut rest)?);
        if length_crc != masked_crc(&length_bytes) {
            return None;
        }
        let (content, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(length_bytes)).ok()?)?;
        if u32::from_le_bytes(take(&mut rest)?) != masked_crc(content) {
            return None;
        }
        Some((Event::parse(content)?, self.file.len() - rest.len()))
    }
}

impl Iterator for Events<'_> {
    type Item = (usize, Event);

    fn next(&mut self) -> Option<Self::Item> {
        let (event, end) = self.read_frame()?;
        Some((std::mem::replace(&mut self.read, end), event))
    }
}

fn frame(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let crc = |bytes: &[u8]| masked_crc(bytes).to_le_bytes();
    [&length[..], &crc(&length), content, &crc(content)].concat()
}

/// The CRC-32C of bytes in the form that frames hold: rotated, and with a constant added.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The cyclic redundancy check with the polynomial of Castagnoli.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, &byte| TABLE[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let (mut crc, mut bit) = (index as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

fn put_varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn put_key(to: &mut Vec<u8>, field: u64, wire_type: u64) {
    put_varint(to, field << 3 | wire_type);
}

fn put_bytes(to: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(to, field, BYTES);
    put_varint(to, bytes.len() as u64);
    to.extend(bytes);
}

/// The value of one field of a protobuf message.
enum Field<'m> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'m [u8]),
    Fixed32([u8; 4]),
}

/// The fields of a protobuf message with their numbers. `None` stands for a damaged rest.
struct Fields<'m>(&'m [u8]);

impl<'m> Fields<'m> {
    fn read(&mut self) -> Option<(u64, Field<'m>)> {
        let key = take_varint(&mut self.0)?;
        let field = match key & 7 {
            VARINT => Field::Varint(take_varint(&mut self.0)?),
            FIXED64 => Field::Fixed64(take(&mut self.0)?),
            BYTES => {
                let length = usize::try_from(take_varint(&mut self.0)?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            FIXED32 => Field::Fixed32(take(&mut self.0)?),
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Option<(u64, Field<'m>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = take(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_have_their_published_values() {
        // RFC 3720, appendix B.4, and the check value of CRC-32C.
        for (bytes, expected) in [
            (&b"123456789"[..], 0xe306_9283),
            (&[0; 32], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&(0..32).collect::<Vec<u8>>(), 0x46dd_794e),
            (&(0..32).rev().collect::<Vec<u8>>(), 0x113f_db5c),
        ] {
            assert_eq!(crc32c(bytes), expected, "{bytes:?}");
        }
        // The first 12 bytes of a file that another program wrote: a frame of 24 bytes.
        assert_eq!(masked_crc(&24_u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn an_event_has_exactly_these_bytes() {
        let event = Event { wall_time: 1.0, step: 300, scalars: vec![("a/b".to_owned(), 0.5)] };
        let content = [
            &[0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f][..], // wall_time
            &[0x10, 0xac, 0x02],                       // step
            &[0x2a, 12, 0x0a, 10],                     // summary, value
            &[0x0a, 3, b'a', b'/', b'b'],
            &[0x15, 0, 0, 0, 0x3f],
        ]
        .concat();
        let bytes = event.frame();
        assert_eq!(bytes[..8], 26_u64.to_le_bytes());
        assert_eq!(bytes[12..38], content);
        assert_eq!(bytes.len(), 42);
    }

    #[test]
    fn events_are_read_up_to_the_first_damage() {
        let event = |step: i64| Event {
            wall_time: 1_764_395_388.25,
            step,
            scalars: vec![("drl/loss".to_owned(), 0.25), ("drl/q2 of ü".to_owned(), -3e30)],
        };
        let steps = [0, 1, 127, 128, 1 << 40, i64::MAX, -1];
        let frames: Vec<_> = steps.iter().map(|&step| event(step).frame()).collect();
        let file = [&[Event::first_frame(2.0)][..], &frames].concat().concat();
        let mut events = Events::of(&file);
        let (begin, first) = events.next().expect("the file version");
        assert_eq!((begin, first.wall_time, first.scalars.len()), (0, 2.0, 0));
        let read: Vec<_> = events.by_ref().map(|(_, event)| event).collect();
        assert_eq!(read, steps.map(event));
        assert_eq!(events.read, file.len());
        for cut in 0..file.len() {
            let count = Events::of(&file[..cut]).count();
            assert!(count < 1 + steps.len(), "{cut} of {} bytes hold {count} events", file.len());
        }
        for place in 0..file.len() {
            let mut damaged = file.clone();
            damaged[place] ^= 0x10;
            let count = Events::of(&damaged).count();
            let expected = Events::of(&file).take_while(|(begin, _)| *begin <= place).count() - 1;
            assert_eq!(count, expected, "byte {place}");
        }
    }

    #[test]
    fn other_fields_are_ignored_and_damaged_messages_refused() {
        let mut content = Event { wall_time: 1.0, step: 5, scalars: Vec::new() }.times();
        put_bytes(&mut content, 4, b"a graph");
        let mut histogram = Vec::new();
        put_bytes(&mut histogram, 1, b"weights");
        put_bytes(&mut histogram, 5, b"numbers");
        let mut summary = Vec::new();
        put_bytes(&mut summary, 1, &histogram);
        put_bytes(&mut content, 5, &summary);
        let read: Vec<_> = Events::of(&frame(&content)).map(|(_, event)| event).collect();
        assert_eq!(read, [Event { wall_time: 1.0, step: 5, scalars: Vec::new() }]);
        for damaged in [&[0x2a, 200][..], &[0x09, 1], &[0x80; 20], &[0x0b], &[0x2a, 2, 0x0a, 9]] {
            assert_eq!(Events::of(&frame(damaged)).count(), 0, "{damaged:?}");
        }
        let huge = u64::MAX.to_le_bytes();
        let beginning = [&huge[..], &masked_crc(&huge).to_le_bytes()].concat();
        assert_eq!(Events::of(&beginning).count(), 0);
    }
}
