//! Where settings come from: presets, files, and single texts of the form `key=value`.

use std::io::ErrorKind;
use std::path::Path;

use sim::config::{Mistakes, Table};

use super::TrainingError;

/// Settings with presets and a name.
pub(super) trait Source: Table + Default + Clone {
    /// The presets that ship with the library: name and TOML text. The first one is the default.
    const PRESETS: &'static [(&'static str, &'static str)];

    /// What results are called.
    fn name_mut(&mut self) -> &mut String;

    fn from_preset(name: &str) -> Option<Result<Self, TrainingError>> {
        let (name, text) = Self::PRESETS.iter().find(|(preset, _)| *preset == name)?;
        Some(Self::default().with_toml(name, text).map_err(TrainingError::from))
    }

    fn unknown(name: &str) -> TrainingError {
        let names: Vec<&str> = Self::PRESETS.iter().map(|(name, _)| *name).collect();
        let presets = match &names[..] {
            [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            _ => names.concat(),
        };
        TrainingError::UnknownPreset { name: name.to_owned(), presets }
    }

    fn from_file(path: &str) -> Result<Self, TrainingError> {
        let text = sim::text::read(Path::new(path)).map_err(|source| {
            if source.kind() == ErrorKind::NotFound && !path.contains(['/', '\\', '.']) {
                Self::unknown(path)
            } else {
                TrainingError::Unreadable { path: Path::new(path).to_owned(), source }
            }
        })?;
        let mut training = Self::default();
        *training.name_mut() = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(training.with_toml(path, &text)?)
    }

    /// All settings become one text, so that none has to come before another.
    fn with_settings(self, origin: &str, settings: &[impl AsRef<str>]) -> Result<Self, TrainingError> {
        if settings.is_empty() {
            return Ok(self);
        }
        let mut merged = toml::Table::new();
        for setting in settings {
            merge(&mut merged, parse(setting.as_ref())?);
        }
        let text = merged.to_string();
        // Lines and columns would refer to a text that the user never saw.
        Ok(self.with_toml(origin, &text).map_err(sim::config::Mistakes::without_places)?)
    }

    fn mistakes_of_changes(text: &str, settings: &[String]) -> Option<Mistakes> {
        let mut changes = toml::Table::new();
        for setting in settings {
            merge(&mut changes, parse(setting).ok()?);
        }
        let mut merged: toml::Table = toml::from_str(text).unwrap_or_default();
        merge(&mut merged, changes.clone());
        let origin = format!("--set {}", settings.join(" --set "));
        let mut mistakes = Self::default().with_toml(&origin, &merged.to_string()).err()?.without_places();
        mistakes.list.retain(|mistake| has_key(&changes, &mistake.key));
        (!mistakes.list.is_empty()).then_some(mistakes)
    }
}

/// Whether a table has the key at this path, or a value above it that is no table.
fn has_key(table: &toml::Table, path: &str) -> bool {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let name = key.split_once('[').map_or(key, |(name, _)| name);
    match (table.get(name), rest) {
        (None, _) => false,
        (Some(toml::Value::Table(inner)), Some(rest)) => has_key(inner, rest),
        (Some(_), _) => true,
    }
}

/// One setting as a table. A bare word is a text: `meta.labels=greedy` needs no quotes.
fn parse(setting: &str) -> Result<toml::Table, TrainingError> {
    let bad = || TrainingError::BadSetting { text: setting.to_owned() };
    let (key, value) = setting.split_once('=').ok_or_else(bad)?;
    toml::from_str(&format!("{key} = {value}"))
        .or_else(|_| toml::from_str(&format!("{key} = {}", toml::Value::from(value))))
        .map_err(|_| bad())
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// The public constructors of a [`Source`], and its reading from any format of serde.
macro_rules! constructors {
    ($name:ident) => {
        impl $name {
            /// The names of all presets; the first one is the default.
            pub fn presets() -> impl Iterator<Item = &'static str> {
                <Self as Source>::PRESETS.iter().map(|(name, _)| *name)
            }

            /// The settings of a preset.
            ///
            /// # Errors
            /// If no preset has this name.
            pub fn preset(name: &str) -> Result<Self, TrainingError> {
                <Self as Source>::from_preset(name).unwrap_or_else(|| Err(<Self as Source>::unknown(name)))
            }

            /// The settings of a preset or of a file, with `key=value` settings in place of its own, as the program takes
            /// them with `--set`. Settings that a file leaves out have their defaults; the default name is the file name.
            ///
            /// # Errors
            /// If there is no such preset or file, a setting is not of the form `key=value`, or keys or values are wrong.
            pub fn load(name_or_path: &str, settings: &[String]) -> Result<Self, TrainingError> {
                let mut training = match <Self as Source>::from_preset(name_or_path) {
                    Some(preset) => preset?,
                    None => <Self as Source>::from_file(name_or_path)?,
                };
                training.set_all(settings)?;
                Ok(training)
            }

            /// The settings of a TOML text; settings that it leaves out have their defaults. `origin` is what messages
            /// call the text.
            ///
            /// # Errors
            /// All mistakes of the text.
            pub fn from_toml(origin: &str, text: &str) -> Result<Self, TrainingError> {
                Ok(sim::config::Table::with_toml(Self::default(), origin, text)?)
            }

            /// The error for a setting that does not fit something outside these settings, such as the scenario; `key` is
            /// its path, such as `network.dnns`.
            pub fn mistake(&self, key: &str, message: impl Into<String>) -> TrainingError {
                let list = vec![sim::config::Mistake::new(key, message)];
                sim::config::Mistakes { origin: format!("training `{}`", self.name), list }.into()
            }

            /// Changes one setting, such as `drl.steps=2000`.
            ///
            /// # Errors
            /// If it is not of the form `key=value`, the key is unknown, or the value does not fit. Then nothing changes.
            pub fn set(&mut self, setting: &str) -> Result<(), TrainingError> {
                *self = self.clone().with_settings(setting, &[setting])?;
                Ok(())
            }
        }

        impl $name {
            /// Changes several settings at once, so that none has to come before another, as the program does with `--set`.
            ///
            /// # Errors
            /// As [`set`](Self::set), with the mistakes of all settings. Then nothing changes.
            pub fn set_all(&mut self, settings: &[String]) -> Result<(), TrainingError> {
                let origin = format!("--set {}", settings.join(" --set "));
                *self = self.clone().with_settings(&origin, settings).map_err(|error| match error {
                    TrainingError::BadSetting { text } => TrainingError::BadSetting { text: format!("--set {text}") },
                    error => error,
                })?;
                Ok(())
            }

            /// The mistakes of `key=value` settings that change a TOML text which has mistakes of its own, so that a program can
            /// tell both at once; `None` if they have none, or are not of this form.
            pub fn mistakes_of_changes(text: &str, settings: &[String]) -> Option<sim::config::Mistakes> {
                <Self as Source>::mistakes_of_changes(text, settings)
            }
        }

        /// Checks what it reads; settings that are left out have their defaults.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let table = toml::Table::deserialize(deserializer)?;
                let read = sim::config::Table::with_toml(Self::default(), "training", &table.to_string());
                read.map_err(|mistakes| serde::de::Error::custom(mistakes.without_places()))
            }
        }
    };
}
pub(super) use constructors;
