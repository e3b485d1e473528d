//! Names of schemes: every scheme that can be asked for, with its budget.

use std::fmt;
use std::str::FromStr;

use super::{
    Annealing, BestMix, Exact, Fixed, Genetic, GeneticSettings, Greedy, LocalSearch, Order, Random, Scheme, SchemeError,
};
use crate::suggestion::nearest;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Placement;

/// Cost evaluations per task that annealing takes without a budget.
const ANNEALING_EVALUATIONS: u64 = 100;

/// All schemes with a name of their own, in the order of the paper's Table IV; schemes that are named after places stand
/// behind the first. A new scheme is one line here.
const TABLE: &[Entry] = &[
    Entry::new("random", |seed| Box::new(Random::new(seed))).random(),
    Entry::new("greedy", |_| Box::new(Greedy::new(Order::Given))),
    Entry::new("greedy-largest-first", |_| Box::new(Greedy::new(Order::LargestFirst))),
    Entry::new("local-search", |_| Box::new(LocalSearch::new())).within(|_, most| Box::new(LocalSearch::within(most))),
    Entry::new("annealing", |seed| Box::new(Annealing::new(seed, ANNEALING_EVALUATIONS)))
        .within(|seed, most| Box::new(Annealing::within(seed, most)))
        .random()
        .where_shared(),
    Entry::new("genetic", |seed| Box::new(Genetic::new(seed, GeneticSettings::default())))
        .within(|seed, most| Box::new(Genetic::within(seed, most)))
        .random(),
    Entry::new("exact", |_| Box::new(Exact::new())),
];

/// Makes a scheme from a seed.
type Build = fn(u64) -> Box<dyn Scheme>;
/// Makes a scheme from a seed and the most cost evaluations per task that it may take.
type BuildWithin = fn(u64, u64) -> Box<dyn Scheme>;

/// One line of the table.
struct Entry {
    name: &'static str,
    build: Build,
    /// `None`: the scheme takes no budget.
    build_within: Option<BuildWithin>,
    /// Whether the scheme draws random numbers.
    is_random: bool,
    /// Whether [`SchemeKind::classic`] leaves it out where nothing is shared.
    is_for_shared: bool,
}

impl Entry {
    const fn new(name: &'static str, build: Build) -> Self {
        Self { name, build, build_within: None, is_random: false, is_for_shared: false }
    }

    const fn within(self, build_within: BuildWithin) -> Self {
        Self { build_within: Some(build_within), ..self }
    }

    const fn random(self) -> Self {
        Self { is_random: true, ..self }
    }

    const fn where_shared(self) -> Self {
        Self { is_for_shared: true, ..self }
    }

    fn kind(&self) -> SchemeKind {
        SchemeKind::Named { name: self.name, evaluations_per_task: None }
    }
}

/// A scheme by its name.
///
/// ```
/// use sim::Scenario;
/// use sim::scheme::SchemeKind;
///
/// let model = Scenario::load("paper")?.check()?;
/// let kind: SchemeKind = "local-search@16".parse()?;
/// let scheme = kind.build(&model, 1)?;
/// assert_eq!(scheme.name(), "local-search@16");
/// let error = "gredy".parse::<SchemeKind>().unwrap_err();
/// assert!(error.to_string().contains("did you mean `greedy`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`BruteForce`](super::BruteForce) has no name: it is an oracle for tests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SchemeKind {
    /// Every task at the same place: `local-only`, `edge-only`.
    Only {
        /// The name of the place.
        place: String,
    },
    /// The cheapest decision that uses only some places: `local+edge`.
    BestMix {
        /// The names of the places.
        places: Vec<String>,
    },
    /// Any other scheme, such as `greedy`, `exact` or `local-search@16`.
    Named {
        /// The name without the budget.
        name: &'static str,
        /// The budget: the most cost evaluations per task, including the evaluations of the greedy decision that some
        /// schemes start from.
        evaluations_per_task: Option<u64>,
    },
}

impl SchemeKind {
    /// All classic schemes for a cost model, in the order of the paper's Table IV, the exact optimum last. Annealing is
    /// among them where devices share something. Schemes named after a server are among them if devices can use it: all
    /// devices for `SERVER-only`, at least one for `local+SERVER`.
    pub fn classic(model: &CostModel) -> Vec<Self> {
        let mut kinds = Vec::new();
        for (index, entry) in TABLE.iter().enumerate() {
            if !entry.is_for_shared || !model.is_separable() {
                kinds.push(entry.kind());
            }
            if index == 0 {
                let names = model.place_names();
                let only = |place: &String| Self::Only { place: place.clone() };
                let mix = |place: &String| Self::BestMix { places: vec![names[0].clone(), place.clone()] };
                kinds.extend(names.iter().map(only).chain(names[1..].iter().map(mix)));
            }
        }
        kinds.retain(|kind| kind.unusable(model).is_none());
        kinds
    }

    /// The classic schemes that draw no random numbers and that every scenario has, in the order of
    /// [`SchemeKind::classic`], roughly quickest first.
    pub fn deterministic() -> Vec<Self> {
        let local = Self::Only { place: "local".to_owned() };
        let named = TABLE.iter().filter(|entry| !entry.is_random).map(Entry::kind);
        std::iter::once(local).chain(named).collect()
    }

    /// Reads a name and checks that a cost model has such a scheme.
    ///
    /// # Errors
    /// If there is no such scheme, or devices cannot use a server that it is named after, with the names that there are.
    pub fn for_model(name: &str, model: &CostModel) -> Result<Self, SchemeError> {
        let kind = name.parse::<Self>().ok().filter(|kind| kind.has_its_places(model));
        let kind = kind.ok_or_else(|| unknown(name, &names_for(model)))?;
        kind.check_usable(model)?;
        Ok(kind)
    }

    /// Makes the scheme. `seed` is for schemes that draw random numbers.
    ///
    /// # Errors
    /// If the scheme is named after a place that the model has not, or that devices cannot use.
    pub fn build(&self, model: &CostModel, seed: u64) -> Result<Box<dyn Scheme>, SchemeError> {
        let scheme = self.try_build(model, seed).ok_or_else(|| unknown(&self.to_string(), &names_for(model)))?;
        self.check_usable(model)?;
        Ok(scheme)
    }

    /// Checks that devices can use the places that the scheme is named after.
    fn check_usable(&self, model: &CostModel) -> Result<(), SchemeError> {
        let Some((place, cut_off)) = self.unusable(model) else { return Ok(()) };
        let who = match &cut_off[..] {
            all if all.len() == model.devices() => "no device can".to_owned(),
            [one] => format!("device {one} cannot"),
            some => format!("{} of {} devices cannot", some.len(), model.devices()),
        };
        let known = names_for(model).join(", ");
        let scheme = self.to_string().into();
        Err(SchemeError::Down { scheme, place: place.into(), who: who.into(), known: known.into() })
    }

    /// A place that the scheme is named after and that too many devices cannot use, with these devices.
    fn unusable(&self, model: &CostModel) -> Option<(&str, Vec<usize>)> {
        let (places, must_all) = match self {
            Self::Only { place } => (std::slice::from_ref(place), true),
            Self::BestMix { places } => (&places[..], false),
            Self::Named { .. } => return None,
        };
        places.iter().find_map(|place| {
            let index = placement(model, place)?.index();
            let cut_off: Vec<usize> =
                (0..model.devices()).filter(|device| !model.is_reachable(*device, index)).collect();
            let is_unusable = cut_off.len() == model.devices() || must_all && !cut_off.is_empty();
            is_unusable.then_some((place.as_str(), cut_off))
        })
    }

    fn try_build(&self, model: &CostModel, seed: u64) -> Option<Box<dyn Scheme>> {
        Some(match self {
            Self::Only { place } => Box::new(Fixed::new(model, placement(model, place)?)),
            Self::BestMix { places } => {
                let places = places.iter().map(|place| placement(model, place)).collect::<Option<Vec<_>>>()?;
                Box::new(BestMix::new(model, &places))
            }
            Self::Named { name, evaluations_per_task: None } => (entry(name)?.build)(seed),
            Self::Named { name, evaluations_per_task: Some(most) } => (entry(name)?.build_within?)(seed, *most),
        })
    }

    fn has_its_places(&self, model: &CostModel) -> bool {
        match self {
            Self::Only { place } => placement(model, place).is_some(),
            Self::BestMix { places } => places.iter().all(|place| placement(model, place).is_some()),
            Self::Named { .. } => true,
        }
    }

    /// The forms of all names, for help texts and errors where no scenario is known.
    pub fn forms() -> Vec<String> {
        let places = ["local-only", "SERVER-only", "local+SERVER"];
        let (first, others) = TABLE.split_at(1);
        let names = |entries: &'static [Entry]| entries.iter().map(|entry| entry.name);
        names(first).chain(places).chain(names(others)).map(str::to_owned).collect()
    }

    /// The names of schemes that take a budget.
    pub fn with_budget() -> impl Iterator<Item = &'static str> {
        TABLE.iter().filter(|entry| entry.build_within.is_some()).map(|entry| entry.name)
    }
}

impl fmt::Display for SchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only { place } => write!(f, "{place}-only"),
            Self::BestMix { places } => f.write_str(&places.join("+")),
            Self::Named { name, evaluations_per_task: None } => f.write_str(name),
            Self::Named { name, evaluations_per_task: Some(most) } => write!(f, "{name}@{most}"),
        }
    }
}

impl FromStr for SchemeKind {
    type Err = SchemeError;

    /// Reads a name. [`SchemeKind::build`] checks whether the scenario has the named places.
    fn from_str(text: &str) -> Result<Self, SchemeError> {
        let named = |name: &str, evaluations_per_task: Option<u64>| {
            let entry = entry(name).filter(|entry| evaluations_per_task.is_none() || entry.build_within.is_some())?;
            Some(Self::Named { name: entry.name, evaluations_per_task })
        };
        let kind = match text.split_once('@') {
            Some((name, budget)) => {
                budget.parse().ok().filter(|most| *most > 0).and_then(|most| named(name, Some(most)))
            }
            None => named(text, None).or_else(|| only(text)).or_else(|| best_mix(text)),
        };
        kind.ok_or_else(|| unknown(text, &Self::forms()))
    }
}

fn only(text: &str) -> Option<SchemeKind> {
    let place = text.strip_suffix("-only").filter(|place| !place.is_empty())?;
    Some(SchemeKind::Only { place: place.to_owned() })
}

fn best_mix(text: &str) -> Option<SchemeKind> {
    let places: Vec<String> = text.split('+').map(str::to_owned).collect();
    let is_new = |(index, place): (usize, &String)| !place.is_empty() && !places[..index].contains(place);
    (places.len() > 1 && places.iter().enumerate().all(is_new)).then_some(SchemeKind::BestMix { places })
}

fn entry(name: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.name == name)
}

fn placement(model: &CostModel, name: &str) -> Option<Placement> {
    let position = model.place_names().iter().position(|place| place == name)?;
    Some(Placement::from_index(position as u8))
}

/// The names of all schemes that a cost model has. Schemes that are not classic for it come last.
fn names_for(model: &CostModel) -> Vec<String> {
    let mut kinds = SchemeKind::classic(model);
    for kind in TABLE.iter().map(Entry::kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.iter().map(ToString::to_string).collect()
}

fn unknown(name: &str, known: &[String]) -> SchemeError {
    let (plain, budget) = name.split_at(name.find('@').unwrap_or(name.len()));
    let meant = nearest(plain, known.iter().map(String::as_str)).filter(|meant| *meant != plain);
    let suggestion = meant.map(|meant| format!("{meant}{budget}"));
    let suggestion = suggestion.filter(|text| budget.is_empty() || text.parse::<SchemeKind>().is_ok());
    let limited = SchemeKind::with_budget().collect::<Vec<_>>().join(", ");
    SchemeError::Unknown { name: name.to_owned(), known: known.join(", "), limited, suggestion }
}

/// All classic schemes for a cost model, see [`SchemeKind::classic`].
pub fn classic(model: &CostModel, seed: u64) -> Vec<Box<dyn Scheme>> {
    SchemeKind::classic(model).iter().filter_map(|kind| kind.try_build(model, seed)).collect()
}

/// The scheme of a name for a cost model.
///
/// # Errors
/// If there is no such scheme, with the names that there are.
pub fn by_name(name: &str, model: &CostModel, seed: u64) -> Result<Box<dyn Scheme>, SchemeError> {
    SchemeKind::for_model(name, model)?.build(model, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    fn model(preset: &str) -> CostModel {
        Scenario::load(preset).expect("a preset").check().expect("valid")
    }

    #[test]
    fn every_classic_scheme_is_built_under_its_name() {
        for preset in ["paper", "shared-edges"] {
            let model = model(preset);
            for kind in SchemeKind::classic(&model) {
                let name = kind.to_string();
                assert_eq!(kind.build(&model, 1).expect("it is there").name(), name);
                assert_eq!(name.parse::<SchemeKind>().expect("a name"), kind);
            }
            assert_eq!(classic(&model, 1).len(), SchemeKind::classic(&model).len());
        }
    }

    #[test]
    fn classic_schemes_stand_in_the_order_of_the_paper() {
        let names = |preset| SchemeKind::classic(&model(preset)).iter().map(ToString::to_string).collect::<Vec<_>>();
        let paper = [
            "random",
            "local-only",
            "edge-only",
            "cloud-only",
            "local+edge",
            "local+cloud",
            "greedy",
            "greedy-largest-first",
            "local-search",
            "genetic",
            "exact",
        ];
        assert_eq!(names("paper"), paper);
        let shared = names("shared-edge");
        assert_eq!(shared[8..], ["local-search", "annealing", "genetic", "exact"]);
    }

    #[test]
    fn budgets_belong_to_searches_and_are_above_0() {
        for name in ["local-search@16", "annealing@1", "genetic@100"] {
            assert_eq!(name.parse::<SchemeKind>().expect("a budget").to_string(), name);
            assert_eq!(by_name(name, &model("paper"), 1).expect("it is there").name(), name);
        }
        for name in [
            "greedy@16",
            "local-search@0",
            "local-search@",
            "local-search@-1",
            "local-search@1.5",
            "@16",
            "local-only@3",
        ] {
            let error = name.parse::<SchemeKind>().expect_err("no such budget");
            assert!(error.to_string().contains("local-search@16"), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_list_and_a_suggestion() {
        let paper = model("paper");
        for (name, meant) in [
            ("gredy", "greedy"),
            ("exakt", "exact"),
            ("local-seach@16", "local-search@16"),
            ("edg-only", "edge-only"),
            ("local+clod", "local+cloud"),
        ] {
            let error = by_name(name, &paper, 1).err().expect("unknown").to_string();
            assert!(error.contains(&format!("did you mean `{meant}`?")), "{error}");
            assert!(error.contains("greedy-largest-first") && error.contains("annealing"), "{error}");
        }
        for name in ["", "nothing-like-it", "+", "local+", "local+local", "-only", "moon-only", "local+moon"] {
            let error = by_name(name, &paper, 1).err().expect("unknown").to_string();
            assert!(!error.contains("did you mean") && error.contains("local+edge"), "{error}");
        }
        let kind: SchemeKind = "moon-only".parse().expect("the name of some place");
        assert!(matches!(kind.build(&paper, 1), Err(SchemeError::Unknown { .. })));
    }

    #[test]
    fn deterministic_schemes_are_those_that_need_no_seed() {
        let names: Vec<String> = SchemeKind::deterministic().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["local-only", "greedy", "greedy-largest-first", "local-search", "exact"]);
    }
}
