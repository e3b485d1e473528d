//! The sizes of a workload as JSON has them, read into one piece of memory.

use std::fmt;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Sizes in MB, `[device][task]`, with rows of any length. There is no task where an entry is `None`, or a row has ended;
/// in JSON, a row may be `null`, too.
#[derive(Debug, Clone, Default)]
pub struct SizeTable {
    /// All rows, one after the other; NaN where there is no task.
    sizes_mb: Vec<f64>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl SizeTable {
    /// The number of rows.
    pub(super) fn row_count(&self) -> usize {
        self.ends.len()
    }

    /// The rows; NaN where there is no task.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| &self.sizes_mb[*start..*end])
    }
}

impl From<Vec<Vec<Option<f64>>>> for SizeTable {
    fn from(rows: Vec<Vec<Option<f64>>>) -> Self {
        let mut table = Self::default();
        for row in rows {
            table.sizes_mb.extend(row.into_iter().map(|mb| mb.unwrap_or(f64::NAN)));
            table.ends.push(table.sizes_mb.len());
        }
        table
    }
}

impl<'de> Deserialize<'de> for SizeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows;
        impl<'de> Visitor<'de> for Rows {
            type Value = SizeTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array with one row for each device")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<SizeTable, A::Error> {
                let mut table = SizeTable { sizes_mb: Vec::with_capacity(16), ends: Vec::with_capacity(4) };
                while rows.next_element_seed(Row(&mut table.sizes_mb))?.is_some() {
                    table.ends.push(table.sizes_mb.len());
                }
                Ok(table)
            }
        }
        deserializer.deserialize_seq(Rows)
    }
}

/// Appends the sizes of one row.
struct Row<'a>(&'a mut Vec<f64>);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of sizes or null")
    }

    /// A row of no tasks.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Entry(mb)) = entries.next_element()? {
            self.0.push(mb);
        }
        Ok(())
    }
}

/// A size in MB; NaN for `null`.
struct Entry(f64);

impl<'de> Deserialize<'de> for Entry {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or null")
            }

            fn visit_unit<E>(self) -> Result<Entry, E> {
                Ok(Entry(f64::NAN))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Entry, E> {
                Ok(Entry(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Entry, E> {
                Ok(Entry(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Entry, E> {
                Ok(Entry(value as f64))
            }
        }
        deserializer.deserialize_any(Number)
    }
}
