//! Numbers of tasks in JSON: one for all tasks, one for each device, or one for each task.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sim::CostModel;

use super::request_error::RequestError;
use crate::counted::counted;

/// A number of every task, as JSON has it: a number for all tasks, or an array with one entry for each device. An entry is a
/// number for all tasks of the device, or an array with one number for each task. `null`, and entries that an array of tasks
/// leaves out at its end, give no number.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskValues {
    /// No number.
    Null,
    /// A number.
    One(f64),
    /// An array.
    Each(Vec<TaskValues>),
}

/// The numbers that a key may have.
pub(super) struct Range {
    pub(super) key: &'static str,
    /// The range in words, with the name of the quantity.
    pub(super) rule: &'static str,
    pub(super) contains: fn(f64) -> bool,
}

impl Range {
    /// Refuses a number that is out of this range; `place` is where it stands.
    pub(super) fn check(&self, place: impl fmt::Display, value: f64) -> Result<f64, RequestError> {
        if (self.contains)(value) {
            return Ok(value);
        }
        Err(RequestError::new(place.to_string(), format!("{place} is {value}: {}", self.rule)))
    }
}

impl TaskValues {
    /// Writes the numbers over `values`, `[N * M]`. Tasks for which there is no number keep theirs.
    ///
    /// # Errors
    /// If there is not one entry for each device, a device has more than M numbers, or a number is out of `range`.
    pub(super) fn put(&self, range: &Range, model: &CostModel, values: &mut [f64]) -> Result<(), RequestError> {
        let (key, devices, tasks) = (range.key, model.devices(), model.tasks());
        match self {
            Self::Null => {}
            Self::One(value) => values.fill(range.check(key, *value)?),
            Self::Each(entries) if entries.len() != devices => {
                let found = entries.len();
                let (found, devices) = (counted(found, "entry"), counted(devices, "device"));
                let reason = format!("{key} has {found}, the scenario has {devices}");
                return Err(RequestError::new(key, reason));
            }
            Self::Each(entries) => {
                for (device, (entry, values)) in entries.iter().zip(values.chunks_exact_mut(tasks)).enumerate() {
                    entry.put_device(range, &format!("{key}[{device}]"), values)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the numbers of one device's tasks, which stand at `place`.
    fn put_device(&self, range: &Range, place: &str, values: &mut [f64]) -> Result<(), RequestError> {
        match self {
            Self::Null => {}
            Self::One(value) => values.fill(range.check(place, *value)?),
            Self::Each(entries) if entries.len() > values.len() => {
                let (found, tasks) = (entries.len(), values.len());
                let (found, tasks) = (counted(found, "entry"), counted(tasks, "task"));
                let reason = format!("{place} has {found}, a device of the scenario has at most {tasks}");
                return Err(RequestError::new(place, reason));
            }
            Self::Each(entries) => {
                for (task, (entry, value)) in entries.iter().zip(values).enumerate() {
                    match entry {
                        Self::Null => {}
                        Self::One(number) => *value = range.check(format_args!("{place}[{task}]"), *number)?,
                        Self::Each(_) => {
                            let place = format!("{place}[{task}]");
                            let reason = format!("{place} is an array: it must be a number or null");
                            return Err(RequestError::new(place, reason));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TaskValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = TaskValues;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, null or an array of them")
            }

            fn visit_unit<E>(self) -> Result<TaskValues, E> {
                Ok(TaskValues::Null)
            }

            fn visit_f64<E>(self, value: f64) -> Result<TaskValues, E> {
                Ok(TaskValues::One(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<TaskValues, E> {
                Ok(TaskValues::One(value as f64))
            }

            fn visit_i64<E>(self, value: i64) -> Result<TaskValues, E> {
                Ok(TaskValues::One(value as f64))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<TaskValues, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = entries.next_element()? {
                    all.push(entry);
                }
                Ok(TaskValues::Each(all))
            }
        }
        deserializer.deserialize_any(Values)
    }
}
