//! Names of schemes for task graphs: every scheme that can be asked for, with its budget.

use std::fmt;
use std::str::FromStr;

use super::{
    AnyOrder, GraphAnnealing, GraphExact, GraphFixed, GraphGenetic, GraphGreedy, GraphLocalSearch, GraphRandom,
    GraphScheme, GraphSchemeError, Heft, Larac, LaracK, LaracM, Mcop, MinCut, Neurosurgeon, OneClimb, Peft,
    RandomisedGreedy,
};
use crate::graph::rules::{Limits, Rules, Timing};
use crate::graph::system::{LOCAL, System};
use crate::search::GeneticSettings;
use crate::suggestion::nearest;

/// All schemes with a name of their own, the optimum last; schemes that are named after places stand behind the first. A new scheme is one line here.
const TABLE: &[Entry] = &[
    Entry::new("random", |seed| Box::new(GraphRandom::new(seed))),
    Entry::new("greedy", |_| Box::new(GraphGreedy)),
    Entry::new("heft", |_| Box::new(Heft)),
    Entry::new("peft", |_| Box::new(Peft)),
    Entry::new("randomised-greedy", |seed| Box::new(RandomisedGreedy::new(seed)))
        .within(|seed, most| Box::new(RandomisedGreedy::within(seed, most))),
    Entry::new("local-search", |_| Box::new(GraphLocalSearch::default()))
        .within(|_, most| Box::new(GraphLocalSearch::within(most))),
    Entry::new("annealing", |seed| Box::new(GraphAnnealing::new(seed)))
        .within(|seed, most| Box::new(GraphAnnealing::within(seed, most))),
    Entry::new("genetic", |seed| Box::new(GraphGenetic::new(seed, GeneticSettings::default())))
        .within(|seed, most| Box::new(GraphGenetic::within(seed, most))),
    Entry::new("neurosurgeon", |_| Box::new(Neurosurgeon)).for_chains(),
    Entry::new("one-climb", |_| Box::new(OneClimb)).for_chains().for_serial_with(usize::MAX),
    Entry::new("mcop", |_| Box::new(Mcop)).for_serial_with(2),
    Entry::new("min-cut", |_| Box::new(MinCut)).for_serial_with(3),
    Entry::new("larac", |_| Box::new(Larac)).only_for(Purpose::Deadlines).for_serial_with(3),
    Entry::new("larac-m", |_| Box::new(LaracM::default()))
        .within(|_, most| Box::new(LaracM::within(most)))
        .only_for(Purpose::Limits)
        .for_serial_with(3),
    Entry::new("larac-k", |_| Box::new(LaracK::default()))
        .within(|_, most| Box::new(LaracK::within(most)))
        .only_for(Purpose::Limits)
        .for_serial_with(3),
    Entry::new("any-order", |_| Box::new(AnyOrder)).only_for(Purpose::Orders),
    Entry::new("exact", |_| Box::new(GraphExact)),
];

type Build = fn(u64) -> Box<dyn GraphScheme>;
type BuildWithin = fn(u64, u64) -> Box<dyn GraphScheme>;

/// One line of the table.
struct Entry {
    name: &'static str,
    /// Makes the scheme from a seed.
    build: Build,
    /// Makes it from a seed and its budget, the most evaluations that it may take; `None`: it takes no budget.
    build_within: Option<BuildWithin>,
    /// The most places that it decides between, with serial timing; `None`: it decides with either timing.
    most_serial_places: Option<usize>,
    /// Whether it decides chains only.
    is_for_chains: bool,
    purpose: Purpose,
}

/// Where a scheme is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Wherever it can decide.
    Any,
    /// Where there is a deadline.
    Deadlines,
    /// Where there is a limit of energy, time or money.
    Limits,
    /// Where it is asked for: it decides the order of tasks, too, so that it is not to be compared with decisions in one order.
    Orders,
}

impl Entry {
    const fn new(name: &'static str, build: Build) -> Self {
        Self { name, build, build_within: None, most_serial_places: None, is_for_chains: false, purpose: Purpose::Any }
    }

    const fn within(self, build_within: BuildWithin) -> Self {
        Self { build_within: Some(build_within), ..self }
    }

    const fn for_serial_with(self, places: usize) -> Self {
        Self { most_serial_places: Some(places), ..self }
    }

    const fn for_chains(self) -> Self {
        Self { is_for_chains: true, ..self }
    }

    const fn only_for(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    fn decides(&self, system: &System, rules: &Rules, has_chains: bool) -> bool {
        let Limits { energy_j, time_s, price } = rules.limits;
        let has_limits = [energy_j, time_s, price].iter().any(|limit| limit.is_finite());
        let is_serial = rules.timing == Timing::Serial;
        self.most_serial_places.is_none_or(|most| is_serial && system.places() <= most)
            && (has_chains || !self.is_for_chains)
            && match self.purpose {
                Purpose::Any => true,
                Purpose::Deadlines => time_s.is_finite(),
                Purpose::Limits => has_limits,
                Purpose::Orders => false,
            }
    }

    fn kind(&self) -> GraphSchemeKind {
        GraphSchemeKind::Named { name: self.name, evaluations: None }
    }
}

/// A scheme for task graphs by its name.
///
/// ```
/// use sim::graph::GraphScenario;
/// use sim::graph::scheme::GraphSchemeKind;
///
/// let system = GraphScenario::load("graph")?.system();
/// let kind: GraphSchemeKind = "randomised-greedy@64".parse()?;
/// assert_eq!(kind.build(&system, 1)?.name(), "randomised-greedy@64");
/// let error = "gredy".parse::<GraphSchemeKind>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `greedy`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`GraphBruteForce`](super::GraphBruteForce) has no name: it is an oracle for tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GraphSchemeKind {
    /// Every task at the same place: `local-only`, `edge-only`.
    Only {
        /// The name of the place.
        place: String,
    },
    /// Any other scheme, such as `greedy`, `exact` or `local-search@16`.
    Named {
        /// The name without the budget.
        name: &'static str,
        /// The budget: the most evaluations of whole decisions; of `larac-m` the multipliers tried, of `larac-k` the decisions
        /// ranked.
        evaluations: Option<u64>,
    },
}

impl GraphSchemeKind {
    /// All schemes that are compared on a system under some rules: those that decide its applications in the order of the
    /// model and are of use there. The optimum is last. `has_chains` says whether every application is a chain.
    pub fn all(system: &System, rules: &Rules, has_chains: bool) -> Vec<Self> {
        let mut kinds = Vec::new();
        for (index, entry) in TABLE.iter().enumerate() {
            if entry.decides(system, rules, has_chains) {
                kinds.push(entry.kind());
            }
            if index == 0 {
                let usable = (0..system.places()).filter(|place| system.is_usable(*place));
                kinds.extend(usable.map(|place| Self::Only { place: system.place_name(place).to_owned() }));
            }
        }
        kinds
    }

    /// Makes the scheme. `seed` is for schemes that draw random numbers.
    ///
    /// # Errors
    /// If the scheme is named after a place that the system does not have.
    pub fn build(&self, system: &System, seed: u64) -> Result<Box<dyn GraphScheme>, GraphSchemeError> {
        Ok(match self {
            Self::Only { place } => {
                let index = system.place(place).ok_or_else(|| unknown(&self.to_string(), &names_for(system)))?;
                Box::new(GraphFixed::new(index as u8, place))
            }
            Self::Named { name, evaluations } => {
                let entry = TABLE.iter().find(|entry| entry.name == *name);
                let built = entry.and_then(|entry| match evaluations {
                    None => Some((entry.build)(seed)),
                    Some(most) => entry.build_within.map(|build| build(seed, *most)),
                });
                built.ok_or_else(|| unknown(&self.to_string(), &names_for(system)))?
            }
        })
    }

    /// The forms of all names, for help texts and errors where no scenario is known.
    pub fn forms() -> Vec<String> {
        names([format!("{LOCAL}-only"), "SERVER-only".to_owned()])
    }

    /// The names of schemes that take a budget.
    fn with_budget() -> impl Iterator<Item = &'static str> {
        TABLE.iter().filter(|entry| entry.build_within.is_some()).map(|entry| entry.name)
    }
}

impl fmt::Display for GraphSchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only { place } => write!(f, "{place}-only"),
            Self::Named { name, evaluations: None } => f.write_str(name),
            Self::Named { name, evaluations: Some(most) } => write!(f, "{name}@{most}"),
        }
    }
}

impl FromStr for GraphSchemeKind {
    type Err = GraphSchemeError;

    /// Reads a name. [`GraphSchemeKind::build`] checks whether the system has the named place.
    fn from_str(text: &str) -> Result<Self, GraphSchemeError> {
        let entry = |name: &str| TABLE.iter().find(|entry| entry.name == name);
        let found = match text.split_once('@') {
            Some((name, budget)) => {
                let budget = budget.parse().ok().filter(|most| *most > 0);
                let entry = entry(name).filter(|entry| entry.build_within.is_some());
                entry.zip(budget).map(|(entry, most)| Self::Named { name: entry.name, evaluations: Some(most) })
            }
            None => entry(text).map(Entry::kind).or_else(|| {
                let place = text.strip_suffix("-only").filter(|place| !place.is_empty())?;
                Some(Self::Only { place: place.to_owned() })
            }),
        };
        found.ok_or_else(|| unknown(text, &Self::forms()))
    }
}

/// The scheme of a name for a system.
///
/// # Errors
/// If there is no such scheme, with the names that there are.
pub fn by_name(name: &str, system: &System, seed: u64) -> Result<Box<dyn GraphScheme>, GraphSchemeError> {
    name.parse::<GraphSchemeKind>().map_err(|_| unknown(name, &names_for(system)))?.build(system, seed)
}

/// All names, with those of places behind the first.
fn names(places: impl IntoIterator<Item = String>) -> Vec<String> {
    let (first, others) = TABLE.split_at(1);
    let of = |entries: &'static [Entry]| entries.iter().map(|entry| entry.name.to_owned());
    of(first).chain(places).chain(of(others)).collect()
}

fn names_for(system: &System) -> Vec<String> {
    names((0..system.places()).map(|place| format!("{}-only", system.place_name(place))))
}

fn unknown(name: &str, known: &[String]) -> GraphSchemeError {
    let (plain, budget) = name.split_at(name.find('@').unwrap_or(name.len()));
    let meant = nearest(plain, known.iter().map(String::as_str)).filter(|meant| *meant != plain);
    let suggestion = meant.map(|meant| format!("{meant}{budget}"));
    let suggestion = suggestion.filter(|text| budget.is_empty() || text.parse::<GraphSchemeKind>().is_ok());
    let limited = GraphSchemeKind::with_budget().collect::<Vec<_>>().join(", ");
    GraphSchemeError::Unknown { name: name.to_owned(), known: known.join(", "), limited, suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::GraphScenario;

    #[test]
    fn every_scheme_is_built_under_its_name_and_decides() {
        for preset in GraphScenario::presets() {
            let scenario = GraphScenario::load(preset).expect("a preset");
            let system = scenario.system();
            let application = scenario.draw(&mut crate::random::stream(1, "test")).expect("a generator");
            let model = scenario.model(application).expect("valid");
            let kinds = GraphSchemeKind::all(&system, model.rules(), scenario.has_chains());
            assert_eq!(kinds.last().map(ToString::to_string).as_deref(), Some("exact"));
            for kind in kinds {
                let name = kind.to_string();
                let mut scheme = kind.build(&system, 1).expect("it is there");
                assert_eq!(scheme.name(), name);
                assert_eq!(name.parse::<GraphSchemeKind>().expect("a name"), kind);
                let solution = scheme.decide(&model).expect("it decides");
                assert!(model.evaluate(&solution.places).cost.is_finite(), "{preset}: {name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_gets_the_list_and_a_suggestion() {
        let system = GraphScenario::load("graph").expect("a preset").system();
        for (name, meant) in [("gredy", "greedy"), ("min-cat", "min-cut"), ("anealing@16", "annealing@16")] {
            let error = by_name(name, &system, 1).err().expect("unknown").to_string();
            assert!(error.contains(&format!("did you mean `{meant}`?")) && error.contains("edge-only"), "{error}");
        }
        for name in ["", "moon-only", "greedy@16", "local-search@0", "local-search@x", "local+edge"] {
            let error = by_name(name, &system, 1).err().expect("unknown").to_string();
            assert!(error.contains("there is no scheme") && error.contains("randomised-greedy@16"), "{error}");
        }
    }
}
