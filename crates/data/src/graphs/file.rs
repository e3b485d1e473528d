//! Files of applications, and applications of a scenario wherever they come from.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sim::graph::scenario::Source;
use sim::graph::{Application, ApplicationError, Generator, GraphScenario};
use sim::random::{self, Stream};

use super::dot::{DotError, application_from_dot};
use super::request::{GraphRequest, GraphRequests, GraphRequestsError};
use super::wfformat::{WfFormatError, application_from_wfformat};
use crate::limits::MAX_JSON_BYTES;
use crate::source_file;

/// The format of a file of applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GraphFormat {
    /// JSON objects, one for each application, as [`GraphRequest`](super::GraphRequest) reads them.
    Json,
    /// A workflow in WfFormat 1.5.
    WfFormat,
    /// A directed graph in the language DOT of Graphviz.
    Dot,
}

impl fmt::Display for GraphFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "JSON",
            Self::WfFormat => "WfFormat",
            Self::Dot => "DOT",
        })
    }
}

/// A JSON object with the field that only workflows have.
#[derive(Deserialize)]
struct HasWorkflow {
    #[serde(rename = "workflow")]
    _workflow: IgnoredAny,
}

impl GraphFormat {
    /// Tells the format of a text by its content.
    fn of(text: &str) -> Option<Self> {
        let text = text.trim_start();
        if !text.starts_with(['{', '[']) {
            let is_dot = ["strict", "digraph", "graph", "//", "/*", "#"].iter().any(|word| text.starts_with(word));
            return is_dot.then_some(Self::Dot);
        }
        let is_workflow = text.starts_with('{') && serde_json::from_str::<HasWorkflow>(text).is_ok();
        Some(if is_workflow { Self::WfFormat } else { Self::Json })
    }
}

/// The text of a file of applications. The content tells its format.
#[derive(Debug)]
pub struct GraphInput {
    /// The name of the file, for messages.
    origin: PathBuf,
    text: String,
    format: GraphFormat,
}

impl GraphInput {
    /// Reads a file, which may be compressed with gzip.
    ///
    /// # Errors
    /// If the file cannot be read, is too large, or has no known format.
    pub fn open(path: &Path) -> Result<Self, GraphFileError> {
        let unreadable = |source| GraphFileError::Unreadable { path: path.to_owned(), source };
        Self::read(&path.to_string_lossy(), source_file::open(path).map_err(unreadable)?)
    }

    /// Reads any input to its end. Messages call it `origin`.
    ///
    /// # Errors
    /// As [`GraphInput::open`].
    pub fn read(origin: &str, input: impl Read) -> Result<Self, GraphFileError> {
        let origin = PathBuf::from(origin);
        let unreadable = |source| GraphFileError::Unreadable { path: origin.clone(), source };
        let mut bytes = Vec::new();
        input.take(MAX_JSON_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > MAX_JSON_BYTES {
            return Err(GraphFileError::TooLarge { path: origin });
        }
        let no_text = |reason| unreadable(io::Error::new(io::ErrorKind::InvalidData, reason));
        let text = sim::text::decode(bytes).map_err(no_text)?;
        if text.trim().is_empty() {
            return Err(GraphFileError::Empty { path: origin });
        }
        let format = GraphFormat::of(&text).ok_or_else(|| GraphFileError::UnknownFormat { path: origin.clone() })?;
        Ok(Self { origin, text, format })
    }

    /// The name of the file, as messages call it.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The format.
    pub fn format(&self) -> GraphFormat {
        self.format
    }

    /// The applications for a scenario, one after the other, with the scenario's tasks pinned.
    ///
    /// # Errors
    /// If the text is not of its format. JSON objects that make no application are refused one by one.
    pub fn applications<'t>(&'t self, scenario: &'t GraphScenario) -> Result<InputApplications<'t>, GraphFileError> {
        let one = |application: Application| {
            let application = scenario.pin(application).map_err(|error| self.invalid(error.into()))?;
            Ok(Applications::One(Some(application)))
        };
        let applications = match self.format {
            GraphFormat::Json => {
                Applications::Json(GraphRequests::new(&self.text).map_err(|error| self.invalid(error.into()))?)
            }
            GraphFormat::WfFormat => {
                let read = application_from_wfformat(self.text.as_bytes(), scenario.application.transfer);
                one(read.map_err(|error| self.invalid(error.into()))?)?
            }
            GraphFormat::Dot => {
                let read = application_from_dot(&self.text, instructions_per_byte(scenario));
                one(read.map_err(|error| self.invalid(error.into()))?)?
            }
        };
        Ok(InputApplications { input: self, scenario, applications })
    }

    fn invalid(&self, reason: InvalidGraph) -> GraphFileError {
        GraphFileError::Invalid { path: self.origin.clone(), reason }
    }
}

/// Reads the applications of a [`GraphInput`] one by one.
#[derive(Debug)]
pub struct InputApplications<'t> {
    input: &'t GraphInput,
    scenario: &'t GraphScenario,
    applications: Applications<'t>,
}

#[derive(Debug)]
enum Applications<'t> {
    Json(GraphRequests<'t>),
    One(Option<Application>),
}

impl Iterator for InputApplications<'_> {
    /// The application and the line in which it begins, from 1.
    type Item = Result<(GraphRequest, usize), GraphFileError>;

    /// The next application. After one that is refused, reading can go on.
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.applications {
            Applications::Json(requests) => {
                let next = requests.next(self.scenario).map_err(|error| self.input.invalid(error.into()));
                next.transpose()
            }
            Applications::One(application) => {
                application.take().map(|application| Ok((GraphRequest { id: None, application }, 1)))
            }
        }
    }
}

/// Reads all applications of a file for a scenario, see [`GraphInput`].
///
/// # Errors
/// If the file cannot be read, has no known format, or holds no application, or one that makes no sense.
pub fn applications(path: &Path, scenario: &GraphScenario) -> Result<(GraphFormat, Vec<Application>), GraphFileError> {
    let input = GraphInput::open(path)?;
    let read = input.applications(scenario)?.map(|next| next.map(|(request, _)| request.application));
    let applications = read.collect::<Result<Vec<_>, _>>()?;
    if applications.is_empty() {
        return Err(GraphFileError::Empty { path: path.to_owned() });
    }
    Ok((input.format, applications))
}

fn instructions_per_byte(scenario: &GraphScenario) -> Option<f64> {
    match &scenario.application.source {
        Source::Generator(Generator::Layered(layered)) => Some(layered.instructions_per_byte),
        _ => None,
    }
}

/// The applications of a scenario: drawn by its generator, or picked at random from its file.
#[derive(Debug, Clone)]
pub struct GraphSampler {
    scenario: Arc<GraphScenario>,
    /// Those of the file; empty with a generator.
    applications: Arc<[Application]>,
}

impl GraphSampler {
    /// Reads the scenario's file, if it has one.
    ///
    /// # Errors
    /// As [`applications`].
    pub fn new(scenario: &GraphScenario) -> Result<Self, GraphFileError> {
        let applications = match &scenario.application.source {
            Source::File { path } => applications(Path::new(path), scenario)?.1.into(),
            Source::Generator(_) => Arc::default(),
        };
        Ok(Self { scenario: Arc::new(scenario.clone()), applications })
    }

    /// The applications of the scenario's file; empty with a generator.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Draws an application.
    pub fn draw(&self, random: &mut Stream) -> Application {
        self.scenario
            .draw(random)
            .unwrap_or_else(|| self.applications[random::below(random, self.applications.len())].clone())
    }
}

/// Why a file of applications cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GraphFileError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than may be read.
    #[error("{} is larger than {} MiB, the most that is read of task graphs", path.display(), MAX_JSON_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has no known format.
    #[error(
        "{} has no known format of task graphs: JSON objects with a graph each, a workflow in WfFormat, or a digraph of \
         Graphviz",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no application.
    #[error("{} holds no application", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// An application of the file makes no sense.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: InvalidGraph,
    },
}

/// What is wrong with a text of applications.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGraph {
    /// In JSON objects.
    #[error(transparent)]
    Json(#[from] GraphRequestsError),
    /// In a workflow.
    #[error(transparent)]
    WfFormat(#[from] WfFormatError),
    /// In a Graphviz file.
    #[error(transparent)]
    Dot(#[from] DotError),
    /// The scenario pins a task that the application does not have.
    #[error(transparent)]
    Pinned(#[from] ApplicationError),
}
