//! Tuning the numbers of rules by simulation.

use rayon::prelude::*;

use super::path::Path;
use super::scheme::{DispatchGreedy, DispatchScheme, DispatchSchemeKind, DriftPlusPenalty, OneStep, Priced};
use super::settings::{DispatchSetting, SettingError};
use super::simulator::simulate;
use super::site::Site;
use crate::random::{self, Stream};

/// The fewest tasks of a path for tuning. A site starts empty, and a tenth of the path is the warm-up: a shorter one would tune
/// rules for empty sites.
pub const LEAST_TUNING_TASKS: usize = 2_000;

/// The share of the evaluations that draws numbers from all over their ranges; after that, those near the best are drawn.
const WIDE_SHARE: f64 = 1.0 / 3.0;

/// A rule with numbers to be tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TunedRule {
    /// [`DriftPlusPenalty`].
    DriftPlusPenalty,
    /// [`OneStep`] with multipliers.
    OneStepFitted,
    /// [`Priced`].
    Priced,
}

/// A number of a rule: the range that is searched at first.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
    /// Whether ratios count rather than differences.
    is_logarithmic: bool,
    /// The standard deviation of the first steps near the best: a difference of logarithms or of numbers.
    step: f64,
    /// Numbers beyond these are not tried.
    limits: [f64; 2],
}

impl Range {
    const fn logarithmic(low: f64, high: f64) -> Self {
        Self { low, high, is_logarithmic: true, step: 0.5, limits: [1e-6, 1e3] }
    }

    fn draw(&self, random: &mut Stream) -> f64 {
        let share = random::unit(random);
        if self.is_logarithmic {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + (self.high - self.low) * share
        }
    }

    fn draw_near(&self, best: f64, shrinkage: f64, random: &mut Stream) -> f64 {
        let change = self.step * shrinkage * random::normal(random);
        let number = if self.is_logarithmic { best * change.exp() } else { best + change };
        number.clamp(self.limits[0], self.limits[1])
    }
}

impl TunedRule {
    /// All rules.
    pub const ALL: [Self; 3] = [Self::DriftPlusPenalty, Self::OneStepFitted, Self::Priced];

    /// The name of its scheme without numbers.
    pub fn name(self) -> &'static str {
        match self {
            Self::DriftPlusPenalty => "drift-plus-penalty",
            Self::OneStepFitted => "one-step-fitted",
            Self::Priced => "priced",
        }
    }

    /// The number of evaluations that [`TuningSet::tune`] takes.
    pub fn evaluations(self) -> usize {
        match self {
            Self::DriftPlusPenalty => 24,
            Self::OneStepFitted => 60,
            Self::Priced => 90,
        }
    }

    /// The numbers that the scheme has by default.
    pub fn defaults(self) -> Vec<f64> {
        match self {
            Self::DriftPlusPenalty => vec![DriftPlusPenalty::DEFAULT_V],
            Self::OneStepFitted => {
                let numbers = OneStep::FITTED;
                vec![numbers.device, numbers.edge, numbers.cloud]
            }
            Self::Priced => {
                let numbers = Priced::DEFAULT;
                vec![numbers.factors.device, numbers.factors.edge, numbers.factors.cloud, numbers.exponent]
            }
        }
    }

    fn ranges(self) -> Vec<Range> {
        match self {
            Self::DriftPlusPenalty => vec![Range { limits: [1e-4, 1e6], ..Range::logarithmic(0.01, 10.0) }],
            Self::OneStepFitted => vec![Range::logarithmic(0.1, 6.0); 3],
            Self::Priced => {
                let exponent = Range { low: 1.0, high: 2.5, is_logarithmic: false, step: 0.25, limits: [0.6, 4.0] };
                let mut ranges = vec![Range::logarithmic(0.02, 20.0); 3];
                ranges.push(exponent);
                ranges
            }
        }
    }

    /// The scheme with these numbers.
    pub fn with(self, numbers: &[f64]) -> DispatchSchemeKind {
        DispatchSchemeKind::Named { name: self.name(), numbers: numbers.to_vec() }
    }
}

/// The sites and paths on which rules are tuned.
#[derive(Debug, Clone)]
pub struct TuningSet {
    /// Each with the mean cost of greedy.
    courses: Vec<(Site, Path, f64)>,
}

/// Why there is no set to tune rules on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TuningError {
    /// There is no path.
    #[error("rules are tuned on at least one path")]
    Empty,
    /// A path is too short.
    #[error(
        "a path for tuning needs at least {LEAST_TUNING_TASKS} tasks, this one has {0}; shorter ones show little more than the warm-up"
    )]
    Short(usize),
    /// A setting makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// A rule that was tuned.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// The scheme with its numbers.
    pub kind: DispatchSchemeKind,
    /// Its mean cost over that of greedy, averaged over the set.
    pub ratio: f64,
    /// The same with the numbers that the scheme has by default.
    pub default_ratio: f64,
}

impl TuningSet {
    /// A set of sites, each with a path.
    ///
    /// # Errors
    /// If there is none, or a path is shorter than [`LEAST_TUNING_TASKS`].
    pub fn new(courses: Vec<(Site, Path)>) -> Result<Self, TuningError> {
        if courses.is_empty() {
            return Err(TuningError::Empty);
        }
        if let Some((_, short)) = courses.iter().find(|(_, path)| path.arrivals().len() < LEAST_TUNING_TASKS) {
            return Err(TuningError::Short(short.arrivals().len()));
        }
        let with_greedy = courses.into_par_iter().map(|(site, path)| {
            let greedy = simulate(&site, &path, &mut DispatchGreedy::new(), 0).mean_cost;
            (site, path, greedy)
        });
        Ok(Self { courses: with_greedy.collect() })
    }

    /// Paths of one site. They are drawn from streams whose names begin with `tuning/`, so that no other path is among them.
    ///
    /// # Errors
    /// As [`TuningSet::new`].
    pub fn of_site(site: &Site, paths: usize, tasks: usize, seed: u64) -> Result<Self, TuningError> {
        // The split is computed once for all copies.
        site.static_split();
        let draw = |index: usize| (site.clone(), Path::draw(site, tasks, tuning_seed(seed, index)));
        Self::checked(tasks, (0..paths).into_par_iter().map(draw).collect())
    }

    /// Random settings ([`DispatchSetting::random`]), each with one path, to find numbers that fit all sites.
    ///
    /// # Errors
    /// As [`TuningSet::new`].
    pub fn of_random_settings(settings: usize, tasks: usize, seed: u64) -> Result<Self, TuningError> {
        let draw = |index: usize| {
            let seed = tuning_seed(seed, index);
            let setting = DispatchSetting::random(&mut random::stream(seed, "tuning/setting"));
            let site = setting.site(seed)?;
            let path = Path::draw(&site, tasks, seed);
            Ok((site, path))
        };
        let drawn: Result<Vec<_>, SettingError> = (0..settings).into_par_iter().map(draw).collect();
        Self::checked(tasks, drawn?)
    }

    fn checked(tasks: usize, courses: Vec<(Site, Path)>) -> Result<Self, TuningError> {
        if tasks < LEAST_TUNING_TASKS { Err(TuningError::Short(tasks)) } else { Self::new(courses) }
    }

    /// The mean cost of a scheme over that of greedy, averaged over the set. Places that a site lacks make it infinite.
    pub fn ratio_to_greedy(&self, kind: &DispatchSchemeKind) -> f64 {
        self.mean_ratio(|site| kind.build(site).ok())
    }

    /// As [`TuningSet::ratio_to_greedy`], for a scheme that is made for each site.
    pub fn ratio_of(&self, make: impl Fn(&Site) -> Box<dyn DispatchScheme> + Sync) -> f64 {
        self.mean_ratio(|site| Some(make(site)))
    }

    fn mean_ratio(&self, make: impl Fn(&Site) -> Option<Box<dyn DispatchScheme>> + Sync) -> f64 {
        let ratio = |(site, path, greedy): &(Site, Path, f64)| {
            make(site).map_or(f64::INFINITY, |mut scheme| simulate(site, path, &mut *scheme, 0).mean_cost / greedy)
        };
        let ratios: Vec<f64> = self.courses.par_iter().map(ratio).collect();
        ratios.iter().sum::<f64>() / ratios.len() as f64
    }

    /// Tunes a rule: from the numbers that it has by default, over numbers from all over their ranges, to those near the best.
    /// It takes [`TunedRule::evaluations`] simulations of the set. Equal seeds give equal numbers, for any number of threads.
    pub fn tune(&self, rule: TunedRule, seed: u64) -> Tuned {
        let ranges = rule.ranges();
        let evaluations = rule.evaluations();
        let wide = (WIDE_SHARE * evaluations as f64) as usize;
        let mut random = random::stream(seed, &format!("tuning/{}", rule.name()));
        let mut numbers = rule.defaults();
        let default_ratio = self.ratio_to_greedy(&rule.with(&numbers));
        let mut best = default_ratio;
        for evaluation in 1..evaluations {
            let shrinkage = 1.2 - evaluation as f64 / evaluations as f64;
            let tried: Vec<f64> = ranges
                .iter()
                .zip(&numbers)
                .map(|(range, number)| {
                    let drawn = if evaluation < wide {
                        range.draw(&mut random)
                    } else {
                        range.draw_near(*number, shrinkage, &mut random)
                    };
                    rounded(drawn)
                })
                .collect();
            let ratio = self.ratio_to_greedy(&rule.with(&tried));
            if ratio < best {
                best = ratio;
                numbers = tried;
            }
        }
        Tuned { kind: rule.with(&numbers), ratio: best, default_ratio }
    }
}

/// A number with four significant digits, so that names stay short.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// A seed for tuning, which no other part derives.
fn tuning_seed(seed: u64, index: usize) -> u64 {
    random::derived_seed(seed, "tuning/paths", index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::dispatch::testing::Setting;

    fn set() -> TuningSet {
        let site = Setting { is_mixed: true, ..Setting::EVEN }.site(1);
        TuningSet::of_site(&site, 2, LEAST_TUNING_TASKS, 1).expect("long enough")
    }

    #[test]
    fn tuned_rules_are_not_worse_than_untuned_ones_on_the_set() {
        let set = set();
        for rule in TunedRule::ALL {
            let tuned = set.tune(rule, 1);
            let default = rule.name().parse().expect("a name");
            assert_eq!(tuned.default_ratio, set.ratio_to_greedy(&default), "{rule:?}");
            assert!(tuned.ratio <= tuned.default_ratio, "{tuned:?}");
            assert_eq!(tuned.ratio, set.ratio_to_greedy(&tuned.kind));
            assert_eq!(tuned.kind.to_string().parse(), Ok(tuned.kind));
        }
    }

    #[test]
    fn tuning_does_not_depend_on_the_number_of_threads() {
        let tune = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| set().tune(TunedRule::OneStepFitted, 3))
        };
        assert_eq!(tune(1), tune(3));
    }

    #[test]
    fn greedy_is_its_own_measure_and_short_paths_are_refused() {
        let site = Setting::EVEN.site(1);
        assert_eq!(set().ratio_to_greedy(&"greedy".parse().expect("a name")), 1.0);
        assert_eq!(TuningSet::of_site(&site, 1, 300, 1).expect_err("short"), TuningError::Short(300));
        assert_eq!(TuningSet::of_site(&site, 0, 3_000, 1).expect_err("none"), TuningError::Empty);
        assert_eq!(TuningSet::new(Vec::new()).expect_err("none"), TuningError::Empty);
    }
}
