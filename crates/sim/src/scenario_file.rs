//! Scenarios by name or file, of whatever kind.

use std::borrow::Cow;
use std::path::Path;

use crate::graph::GraphScenario;
use crate::stream::StreamScenario;
use crate::tasks::scenario::{Scenario, ScenarioError};
use crate::text;

/// A scenario of any kind of problem.
///
/// ```
/// use sim::AnyScenario;
///
/// assert!(matches!(AnyScenario::load("paper")?, AnyScenario::Tasks(_)));
/// assert!(matches!(AnyScenario::load("graph")?, AnyScenario::Graph(_)));
/// # Ok::<(), sim::ScenarioError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum AnyScenario {
    /// `kind = "tasks"`: devices with independent tasks, as in the paper.
    Tasks(Scenario),
    /// `kind = "graph"`: applications whose tasks depend on one another.
    Graph(GraphScenario),
    /// `kind = "stream"`: decisions over time.
    Stream(StreamScenario),
}

impl AnyScenario {
    /// Loads a shipped scenario by its name, or a scenario file by its path. The scenario's `kind` says of which kind it is.
    ///
    /// # Errors
    /// If there is no such preset or file, or the file is not a valid scenario; then with all its mistakes.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        let presets = Scenario::presets().chain(GraphScenario::presets()).chain(StreamScenario::presets());
        let found = ScenarioText::find(name_or_path, presets)?;
        // Mistakes of syntax are for the reader of the usual kind to report.
        let table: Option<toml::Table> = found.text.parse().ok();
        let kind = table.as_ref().and_then(|table| table.get("kind")?.as_str());
        match kind {
            Some("graph") => GraphScenario::from_found(&found).map(Self::Graph),
            Some("stream") => StreamScenario::from_found(&found).map(Self::Stream),
            _ => Scenario::from_found(&found).map(Self::Tasks),
        }
    }
}

/// The text of a scenario, and where it was found.
pub(crate) struct ScenarioText<'a> {
    pub(crate) origin: &'a str,
    pub(crate) text: Cow<'static, str>,
    /// The folder of the file; `None` for shipped scenarios.
    folder: Option<&'a Path>,
}

impl<'a> ScenarioText<'a> {
    /// Finds the text of a shipped scenario of any kind by its name, or of a file by its path. `presets` are the names that an
    /// error lists.
    pub(crate) fn find(
        name_or_path: &'a str,
        presets: impl Iterator<Item = &'static str>,
    ) -> Result<Self, ScenarioError> {
        let preset = Scenario::preset_text(name_or_path)
            .or_else(|| GraphScenario::preset_text(name_or_path))
            .or_else(|| StreamScenario::preset_text(name_or_path));
        if let Some(text) = preset {
            return Ok(Self { origin: name_or_path, text: text.into(), folder: None });
        }
        let path = Path::new(name_or_path);
        let unreadable = |source: std::io::Error| {
            let looks_like_a_name = !name_or_path.contains(['/', '\\', '.']);
            if looks_like_a_name && source.kind() == std::io::ErrorKind::NotFound {
                let presets = presets.collect::<Vec<_>>().join(", ");
                ScenarioError::Unknown { name: name_or_path.to_owned(), presets }
            } else {
                ScenarioError::Unreadable { path: path.to_owned(), source }
            }
        };
        let text = text::read(path).map_err(unreadable)?;
        Ok(Self { origin: name_or_path, text: text.into(), folder: Some(path.parent().unwrap_or(Path::new(""))) })
    }

    /// Makes the path of a file that a scenario names absolute: in a scenario file it is relative to that file.
    pub(crate) fn resolve(&self, named: &mut String) {
        if let Some(folder) = self.folder
            && Path::new(named).is_relative()
        {
            let beside = folder.join(&named);
            *named = std::path::absolute(&beside).unwrap_or(beside).to_string_lossy().into_owned();
        }
    }
}
