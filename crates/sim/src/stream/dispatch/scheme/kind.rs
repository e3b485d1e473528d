//! Names of schemes for dispatching: every scheme that can be asked for, with its numbers.

use std::fmt;
use std::str::FromStr;

use super::{
    ClassNumbers, DispatchFixed, DispatchGreedy, DispatchRandom, DispatchScheme, DispatchSchemeError, DispatchStatic,
    DriftPlusPenalty, OneStep, Priced, PricedNumbers, QTable, Rollout, ValueIteration,
};
use crate::stream::dispatch::optimum::{DispatchOptimum, OptimumError, OptimumSettings};
use crate::stream::dispatch::site::{LOCAL, Site};
use crate::stream::slots::scheme::SlotSchemeKind;
use crate::suggestion::nearest;

/// All schemes with a name of their own; schemes that are named after places stand behind the first. A new scheme is one line
/// here.
const TABLE: &[Entry] = &[
    Entry::new("random", |_| Box::new(DispatchRandom::new())),
    Entry::new("static-split", |_| Box::new(DispatchStatic::new())),
    Entry::new("greedy", |_| Box::new(DispatchGreedy::new())),
    Entry::new("greedy-mean-rate", |_| Box::new(DispatchGreedy::by_mean_rates())),
    Entry::new("greedy-rate-now", |_| Box::new(DispatchGreedy::by_rates_now())),
    Entry::new("drift-plus-penalty", |numbers| match *numbers {
        [v] => Box::new(DriftPlusPenalty::new(v)),
        _ => Box::new(DriftPlusPenalty::for_all()),
    })
    .with(&[Number::between("V", 0.0, 1e6)]),
    Entry::new("one-step", |_| Box::new(OneStep::new())),
    Entry::new("one-step-fitted", |numbers| match *numbers {
        [device, edge, cloud] => Box::new(OneStep::fitted(ClassNumbers { device, edge, cloud })),
        _ => Box::new(OneStep::fitted_for_all()),
    })
    .with(&CLASSES),
    Entry::new("priced", |numbers| match *numbers {
        [device, edge, cloud, exponent] => {
            Box::new(Priced::new(PricedNumbers { factors: ClassNumbers { device, edge, cloud }, exponent }))
        }
        _ => Box::new(Priced::for_all()),
    })
    .with(&[CLASSES[0], CLASSES[1], CLASSES[2], Number::between("EXPONENT", 0.5, 4.0)]),
    Entry::new("rollout", |numbers| match *numbers {
        [futures] => Box::new(Rollout::new(futures as u32)),
        _ => Box::new(Rollout::by_default()),
    })
    .with(&[Number::whole("FUTURES", 1.0, 1e6)])
    .slow(),
    Entry::new("q-table", |numbers| match *numbers {
        [tasks] => Box::new(QTable::new(tasks as usize)),
        _ => Box::new(QTable::new(QTable::DEFAULT_TASKS)),
    })
    .with(&[Number::whole("TASKS", 1.0, 1e8)]),
    Entry::of_site("value-iteration", |site| {
        let optimum = DispatchOptimum::solve(site, &OptimumSettings::default())?;
        Ok(Box::new(ValueIteration::new(optimum)))
    })
    .slow(),
];

const CLASSES: [Number; 3] =
    [Number::between("DEVICE", 0.0, 1e3), Number::between("EDGE", 0.0, 1e3), Number::between("CLOUD", 0.0, 1e3)];

/// How a scheme is made.
enum Build {
    /// From its numbers, which are within their limits; from none with those that it has by default.
    OfNumbers(fn(&[f64]) -> Box<dyn DispatchScheme>),
    /// For one site.
    OfSite(fn(&Site) -> Result<Box<dyn DispatchScheme>, OptimumError>),
}

/// One line of the table.
struct Entry {
    name: &'static str,
    build: Build,
    /// The numbers that may follow the name.
    numbers: &'static [Number],
    /// Whether a decision takes milliseconds, or making the scheme seconds, so that it is compared only where it is asked for.
    is_slow: bool,
}

/// A number that may follow a name.
#[derive(Clone, Copy)]
struct Number {
    name: &'static str,
    least: f64,
    most: f64,
    is_whole: bool,
}

impl Number {
    const fn between(name: &'static str, least: f64, most: f64) -> Self {
        Self { name, least, most, is_whole: false }
    }

    const fn whole(name: &'static str, least: f64, most: f64) -> Self {
        Self { name, least, most, is_whole: true }
    }

    fn read(&self, scheme: &'static str, text: &str) -> Result<f64, DispatchSchemeError> {
        let fits = |value: &f64| (self.least..=self.most).contains(value) && (!self.is_whole || value.fract() == 0.0);
        text.trim().parse().ok().filter(fits).ok_or_else(|| DispatchSchemeError::Number {
            scheme,
            number: self.name,
            text: text.to_owned(),
            kind: if self.is_whole { "a whole number" } else { "a number" },
            least: self.least,
            most: self.most,
        })
    }
}

impl Entry {
    const fn new(name: &'static str, build: fn(&[f64]) -> Box<dyn DispatchScheme>) -> Self {
        Self { name, build: Build::OfNumbers(build), numbers: &[], is_slow: false }
    }

    const fn of_site(name: &'static str, build: fn(&Site) -> Result<Box<dyn DispatchScheme>, OptimumError>) -> Self {
        Self { name, build: Build::OfSite(build), numbers: &[], is_slow: false }
    }

    const fn with(self, numbers: &'static [Number]) -> Self {
        Self { numbers, ..self }
    }

    const fn slow(self) -> Self {
        Self { is_slow: true, ..self }
    }

    /// The name with all that may follow it, such as `drift-plus-penalty@V`.
    fn form(&self) -> String {
        let numbers: Vec<&str> = self.numbers.iter().map(|number| number.name).collect();
        if numbers.is_empty() { self.name.to_owned() } else { format!("{}@{}", self.name, numbers.join(",")) }
    }
}

/// A scheme for dispatching by its name, and by the numbers that may follow it: `greedy`, `drift-plus-penalty@0.5`,
/// `one-step-fitted@0.8,1.4,0.3`. Without numbers a scheme has those that were tuned on many random sites.
///
/// ```
/// use sim::stream::dispatch::scheme::{DispatchScheme, DispatchSchemeKind};
///
/// let kind: DispatchSchemeKind = "drift-plus-penalty@0.5".parse()?;
/// assert_eq!(kind.to_string(), "drift-plus-penalty@0.5");
/// let error = "gredy".parse::<DispatchSchemeKind>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `greedy`?"));
/// # Ok::<(), sim::stream::dispatch::scheme::DispatchSchemeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum DispatchSchemeKind {
    /// Every task at the same place: `local-only`, `edge-only`.
    Only {
        /// The name of the place.
        place: String,
    },
    /// Any other scheme.
    Named {
        /// The name without numbers.
        name: &'static str,
        /// Its numbers; empty: those that it has by default.
        numbers: Vec<f64>,
    },
}

impl DispatchSchemeKind {
    /// All schemes that are compared on a site, with the numbers that they have by default; without `rollout`, which takes
    /// milliseconds for a decision, and `value-iteration`, which solves a small site in seconds or minutes.
    pub fn all(site: &Site) -> Vec<Self> {
        let named = |entry: &Entry| Self::Named { name: entry.name, numbers: Vec::new() };
        let places = (0..site.places()).map(|place| Self::Only { place: site.place_name(place).to_owned() });
        let (first, others) = TABLE.split_at(1);
        let others = others.iter().filter(|entry| !entry.is_slow);
        first.iter().map(named).chain(places).chain(others.map(named)).collect()
    }

    /// Makes the scheme.
    ///
    /// # Errors
    /// If the scheme is named after a place that the site does not have, or value iteration cannot solve the site.
    pub fn build(&self, site: &Site) -> Result<Box<dyn DispatchScheme>, DispatchSchemeError> {
        let unknown = || unknown(&self.to_string(), &names_for(site));
        match self {
            Self::Only { place } => {
                let index = site.place(place).ok_or_else(unknown)?;
                Ok(Box::new(DispatchFixed::new(index, place)))
            }
            Self::Named { name, numbers } => {
                let entry = TABLE.iter().find(|entry| entry.name == *name).ok_or_else(unknown)?;
                match entry.build {
                    Build::OfNumbers(build) => Ok(build(numbers)),
                    Build::OfSite(build) => {
                        let without = |reason| DispatchSchemeError::NoOptimum { scheme: name, reason };
                        build(site).map_err(without)
                    }
                }
            }
        }
    }

    /// Whether some scheme for dispatching may have this name, without the numbers that may follow it.
    pub(crate) fn has(name: &str) -> bool {
        TABLE.iter().any(|entry| entry.name == name)
            || name.strip_suffix("-only").is_some_and(|place| !place.is_empty())
    }

    /// The forms of all names, for help texts and errors where no scenario is known.
    pub fn forms() -> Vec<String> {
        names([format!("{LOCAL}-only"), "SERVER-only".to_owned()])
    }
}

impl fmt::Display for DispatchSchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only { place } => write!(f, "{place}-only"),
            Self::Named { name, numbers } => {
                f.write_str(name)?;
                for (index, number) in numbers.iter().enumerate() {
                    write!(f, "{}{number}", if index == 0 { '@' } else { ',' })?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for DispatchSchemeKind {
    type Err = DispatchSchemeError;

    /// Reads a name. [`DispatchSchemeKind::build`] checks whether the site has the named place.
    fn from_str(text: &str) -> Result<Self, DispatchSchemeError> {
        let entry = |name: &str| TABLE.iter().find(|entry| entry.name == name);
        let Some((name, numbers)) = text.split_once('@') else {
            let place = text.strip_suffix("-only").filter(|place| !place.is_empty());
            return match (entry(text), place) {
                (Some(entry), _) => Ok(Self::Named { name: entry.name, numbers: Vec::new() }),
                (None, Some(place)) => Ok(Self::Only { place: place.to_owned() }),
                (None, None) => Err(unknown(text, &Self::forms())),
            };
        };
        let entry = entry(name).ok_or_else(|| unknown(text, &Self::forms()))?;
        let texts: Vec<&str> = numbers.split(',').collect();
        if texts.len() != entry.numbers.len() {
            return Err(DispatchSchemeError::Count { name: text.to_owned(), form: entry.form() });
        }
        let read = entry.numbers.iter().zip(texts).map(|(number, text)| number.read(entry.name, text));
        Ok(Self::Named { name: entry.name, numbers: read.collect::<Result<_, _>>()? })
    }
}

/// The scheme of a name for a site.
///
/// # Errors
/// If there is no such scheme, with the names that there are; if its numbers make no sense.
pub fn by_name(name: &str, site: &Site) -> Result<Box<dyn DispatchScheme>, DispatchSchemeError> {
    match name.parse::<DispatchSchemeKind>() {
        Ok(kind) => kind.build(site),
        Err(DispatchSchemeError::Unknown { .. } | DispatchSchemeError::ForSlots { .. }) => {
            Err(unknown(name, &names_for(site)))
        }
        Err(error) => Err(error),
    }
}

/// All names, with those of places behind the first.
fn names(places: impl IntoIterator<Item = String>) -> Vec<String> {
    let (first, others) = TABLE.split_at(1);
    let of = |entries: &'static [Entry]| entries.iter().map(|entry| entry.name.to_owned());
    of(first).chain(places).chain(of(others)).collect()
}

fn names_for(site: &Site) -> Vec<String> {
    names((0..site.places()).map(|place| format!("{}-only", site.place_name(place))))
}

fn unknown(name: &str, known: &[String]) -> DispatchSchemeError {
    let (plain, numbers) = name.split_at(name.find('@').unwrap_or(name.len()));
    if SlotSchemeKind::names().contains(&plain) {
        return DispatchSchemeError::ForSlots { name: name.to_owned(), known: known.to_vec() };
    }
    let meant = nearest(plain, known.iter().map(String::as_str)).filter(|meant| *meant != plain);
    let suggestion = meant.map(|meant| format!("{meant}{numbers}"));
    let suggestion = suggestion.filter(|text| numbers.is_empty() || text.parse::<DispatchSchemeKind>().is_ok());
    let with_numbers = TABLE.iter().filter(|entry| !entry.numbers.is_empty()).map(Entry::form).collect();
    DispatchSchemeError::Unknown { name: name.to_owned(), known: known.to_vec(), with_numbers, suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::dispatch::testing::Setting;
    use crate::stream::dispatch::{Path, simulate};

    #[test]
    fn every_scheme_is_built_under_its_name_and_decides() {
        let site = Setting { changes: true, is_mixed: true, ..Setting::EVEN }.site(1);
        let path = Path::draw(&site, 500, 1);
        let mut kinds = DispatchSchemeKind::all(&site);
        for name in ["drift-plus-penalty@0.5", "one-step-fitted@0.25,1,1e-3", "priced@1,2,3,1.5", "rollout@2"] {
            kinds.push(name.parse().expect("a name"));
        }
        for kind in kinds {
            let name = kind.to_string();
            let mut scheme = kind.build(&site).expect("it is there");
            assert_eq!(scheme.name(), name);
            assert_eq!(name.parse::<DispatchSchemeKind>().expect("a name"), kind);
            assert!(simulate(&site, &path, &mut *scheme, 1).mean_cost.is_finite(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_list_and_a_suggestion() {
        let site = Setting::EVEN.site(1);
        for (name, meant) in [
            ("gredy", "greedy"),
            ("static-splt", "static-split"),
            ("drift-plus-penality@2", "drift-plus-penalty@2"),
            ("edg-only", "edge-only"),
        ] {
            let error = by_name(name, &site).err().expect("unknown").to_string();
            assert!(error.contains(&format!("did you mean `{meant}`?")) && error.contains("cloud-only"), "{error}");
        }
        for name in ["", "moon-only", "local+edge", "gredy@x"] {
            let error = by_name(name, &site).err().expect("unknown").to_string();
            assert!(error.contains("there is no scheme") && error.contains("drift-plus-penalty@V"), "{error}");
        }
    }

    #[test]
    fn a_scheme_for_slots_is_called_so() {
        let site = Setting::EVEN.site(1);
        for name in ["threshold", "lyapunov@3", "at-once"] {
            let error = by_name(name, &site).err().expect("for slots").to_string();
            let start =
                format!("`{name}` is a scheme for scenarios in slots, such as `commute`; this one dispatches tasks");
            assert!(error.starts_with(&start) && error.contains("cloud-only"), "{error}");
            assert!(matches!(name.parse::<DispatchSchemeKind>(), Err(DispatchSchemeError::ForSlots { .. })));
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        let error = |name: &str| name.parse::<DispatchSchemeKind>().expect_err("no sense").to_string();
        assert_eq!(
            error("priced@1,2,3,9"),
            "the EXPONENT of the scheme priced must be a number between 0.5 and 4, not `9`"
        );
        for name in ["priced@1,2,3,nan", "drift-plus-penalty@-1", "drift-plus-penalty@inf", "one-step-fitted@1,,2"] {
            assert!(error(name).contains("must be a number between"), "{}", error(name));
        }
        assert_eq!(
            error("one-step-fitted@1,2"),
            "`one-step-fitted@1,2` has other numbers than the scheme takes; its form is one-step-fitted@DEVICE,EDGE,CLOUD"
        );
        for name in ["rollout@0", "rollout@1.5"] {
            assert!(error(name).contains("must be a whole number between 1 and 1000000, not"), "{}", error(name));
        }
        assert_eq!(error("greedy@2"), "`greedy@2` has other numbers than the scheme takes; its form is greedy");
    }
}
