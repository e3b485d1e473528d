//! Reads workloads, as JSON or as a table, one after the other.

use std::io::{self, Read};

use sim::CostModel;
use sim::scenario::implausible;

use super::answer::Refusal;
use super::beginning::{self, Input, InputFormat};
use super::list::List;
use super::objects::Objects;
use super::request::{Id, WorkloadRequest};
use super::rows::Rows;

/// Reads workloads of one shape, one after the other: JSON objects, a JSON list of them, or a table. Inputs may be UTF-8 or
/// UTF-16.
pub struct WorkloadReader<'m> {
    origin: String,
    /// The line in which the workload read last ends.
    line: u64,
    model: &'m CostModel,
    kind: Kind<'m>,
    implausible: Option<String>,
}

enum Kind<'m> {
    Objects(Objects<Input<'m>>),
    List(List<Input<'m>>),
    Table(Box<Rows<Input<'m>>>),
}

/// A workload that is refused, before the name of the input is known.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) line: u64,
    /// The number of the workload in a list, from 1.
    pub(super) item: Option<u64>,
    pub(super) id: Option<Id>,
    pub(super) reason: String,
    /// Whether nothing can be read behind it.
    pub(super) is_last: bool,
}

impl Refused {
    pub(super) fn at(line: u64, reason: String) -> Self {
        Self { line, item: None, id: None, reason, is_last: false }
    }
}

impl<'m> WorkloadReader<'m> {
    /// Reads from `input`, which errors call `origin`. The beginning tells the format.
    ///
    /// # Errors
    /// If the beginning cannot be read.
    pub fn new(origin: &str, input: impl Read + 'm, model: &'m CostModel) -> Result<Self, ExchangeError> {
        let unreadable = |source| ExchangeError::Unreadable { origin: origin.to_owned(), source };
        let (format, input) = beginning::tell(Box::new(input)).map_err(unreadable)?;
        let kind = match format {
            InputFormat::Objects => Kind::Objects(Objects::new(input)),
            InputFormat::List => Kind::List(List::new(input)),
            InputFormat::Table => Kind::Table(Box::new(Rows::new(input))),
        };
        Ok(Self { origin: origin.to_owned(), line: 0, model, kind, implausible: None })
    }

    /// Reads all workloads.
    ///
    /// # Errors
    /// If there is none, or one cannot be read or makes no sense.
    pub fn read_all(&mut self) -> Result<Vec<WorkloadRequest>, ExchangeError> {
        let mut all = Vec::new();
        while let Some(request) = self.read_next()? {
            all.push(request);
        }
        if all.is_empty() {
            return Err(self.empty());
        }
        Ok(all)
    }

    /// The next workload. Workloads of a table come in the order in which all their rows are read.
    ///
    /// # Errors
    /// If it cannot be read or makes no sense. After an [`ExchangeError::Workload`] the next call goes on behind it.
    pub fn read_next(&mut self) -> Result<Option<WorkloadRequest>, ExchangeError> {
        let next = match &mut self.kind {
            Kind::Objects(objects) => objects.next(self.model),
            Kind::List(list) => list.next(self.model),
            Kind::Table(rows) => rows.next(self.model),
        };
        let next = next.map_err(|source| ExchangeError::Unreadable { origin: self.origin.clone(), source })?;
        let next = next.map_err(|refused| self.error(refused))?;
        Ok(next.map(|(request, line)| {
            self.line = line;
            if self.implausible.is_none() {
                self.implausible = implausible::in_instance(&request.instance, self.model);
            }
            request
        }))
    }

    /// The error of an input that holds no workload.
    pub fn empty(&self) -> ExchangeError {
        ExchangeError::Empty { origin: self.origin.clone() }
    }

    /// The input, and the line in which the workload read last ends, for errors.
    pub fn place(&self) -> String {
        format!("{}, line {}", self.origin, self.line)
    }

    /// The line in which the workload read last ends, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// A remark on the first value that is a thousand times more or less than is plausible, as of sizes in bytes instead of
    /// MB, among the workloads that were read.
    pub fn implausible(&self) -> Option<&str> {
        self.implausible.as_deref()
    }

    /// Whether more can be read without waiting.
    pub fn has_more_at_hand(&self) -> bool {
        match &self.kind {
            Kind::Objects(objects) => objects.has_more_at_hand(),
            Kind::List(list) => list.has_more_at_hand(),
            Kind::Table(_) => true,
        }
    }

    fn error(&self, refused: Refused) -> ExchangeError {
        let Refused { line, item, id, reason: error, .. } = refused;
        let place = match item {
            Some(item) => format!("line {line}, workload {item} of the list"),
            None => format!("line {line}"),
        };
        ExchangeError::Workload { origin: self.origin.clone(), place, refusal: Box::new(Refusal { id, line, error }) }
    }
}

/// Why reading ends.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The input cannot be read.
    #[error("cannot read {origin}")]
    Unreadable {
        /// The name of the input.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// A workload makes no sense.
    #[error("{origin}, {place}: {}", refusal.error)]
    Workload {
        /// The name of the input.
        origin: String,
        /// The place in it.
        place: String,
        /// The answer to the workload: its name, its line, and what is wrong.
        refusal: Box<Refusal>,
    },
    /// The input holds no workload.
    #[error("{origin} holds no workload")]
    Empty {
        /// The name of the input.
        origin: String,
    },
}
