//! The results of all seeds, taken together.

use std::collections::BTreeMap;

use mrdro::statistics::Spread;
use mrdro::{Point, mean};

use super::SeedRuns;
use super::method::Method;
use super::seed::{STEPS, SeedResult};
use super::setup::PretrainingCost;
use super::windows::EvaluationWindow;

/// A window counts as followed from the step on from which Q2 stays at this value or above.
pub(super) const FOLLOWED: f64 = 0.95;
/// The share of windows that stands for most of them.
pub(super) const MOST: f64 = 0.9;

/// The most steps that were made.
pub(super) const MOST_STEPS: usize = STEPS[STEPS.len() - 1];

/// A choice of test windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Windows {
    /// Every window.
    All,
    /// The windows in which the last window's optimal decisions score below 0.9.
    Hard,
}

impl Windows {
    fn includes(self, window: &EvaluationWindow) -> bool {
        self == Self::All || window.is_hard()
    }
}

/// The results of all seeds.
pub(super) struct Findings<'f> {
    /// The study with its settings and windows.
    pub(super) runs: &'f SeedRuns<'f>,
    /// The results, seed by seed.
    pub(super) results: &'f [SeedResult],
    /// Seconds of 10 steps of adaptation on one thread.
    pub(super) seconds_of_10_steps: f64,
    by_seed: Vec<Measurements<'f>>,
}

/// The measurements of one seed, by method, sequence, window and step.
type Measurements<'f> = BTreeMap<(Method, usize, usize, usize), &'f Point>;

impl<'f> Findings<'f> {
    /// Takes the results of the seeds together; `None` if one of them is not complete.
    pub(super) fn new(runs: &'f SeedRuns<'f>, results: &'f [SeedResult], seconds_of_10_steps: f64) -> Option<Self> {
        let measurements = |seed: &'f SeedResult| -> Measurements<'f> {
            let key = |row: &super::seed::Measurement| (row.method, row.sequence, row.window, row.point.step);
            seed.measurements.iter().map(|row| (key(row), &row.point)).collect()
        };
        let by_seed = results.iter().map(measurements).collect();
        let findings = Self { runs, results, seconds_of_10_steps, by_seed };
        findings.is_complete().then_some(findings)
    }

    /// Whether every seed measured every method in every window after all steps.
    fn is_complete(&self) -> bool {
        let windows = || self.test().iter().enumerate().flat_map(|(s, all)| (0..all.len()).map(move |w| (s, w)));
        let has_points = |seed: &Measurements<'_>, method| {
            windows().all(|(s, w)| STEPS.iter().all(|&step| seed.contains_key(&(method, s, w, step))))
        };
        let has_percentiles = |seed: &SeedResult, method| {
            let has = |step| seed.percentiles.iter().any(|row| (row.method, row.step) == (method, step));
            STEPS.into_iter().all(has)
        };
        let has_shares = |seed: &SeedResult| {
            let places = self.test().iter().flatten().map(|window| window.optimal_shares.len());
            seed.shares.iter().map(Vec::len).eq(places)
        };
        let methods = Method::ALL;
        self.by_seed.iter().all(|seed| methods.iter().all(|&method| has_points(seed, method)))
            && self.results.iter().all(has_shares)
            && self.results.iter().all(|seed| methods.iter().all(|&method| has_percentiles(seed, method)))
    }

    /// The windows of the test, sequence by sequence.
    pub(super) fn test(&self) -> &'f [Vec<EvaluationWindow>] {
        &self.runs.windows
    }

    /// Whether there are several drives and several seeds. Without, nothing is known of chance.
    pub(super) fn knows_chance(&self) -> bool {
        self.test().len() > 1 && self.results.len() > 1
    }

    /// The number of windows.
    pub(super) fn window_count(&self, which: Windows) -> usize {
        self.test().iter().flatten().filter(|window| which.includes(window)).count()
    }

    /// A value of every window for every seed, `[sequences][seeds][windows]`.
    fn each<T>(&self, which: Windows, value: impl Fn(&Measurements<'_>, usize, usize) -> T) -> Vec<Vec<Vec<T>>> {
        let of_sequence = |(sequence, all): (usize, &Vec<EvaluationWindow>)| {
            let windows = || all.iter().enumerate().filter(|(_, window)| which.includes(window));
            let of_seed = |seed| windows().map(|(window, _)| value(seed, sequence, window)).collect();
            self.by_seed.iter().map(of_seed).collect()
        };
        self.test().iter().enumerate().map(of_sequence).collect()
    }

    /// Q2 of a method after some steps; `None` if there is no such window.
    pub(super) fn q2(&self, method: Method, step: usize, which: Windows) -> Option<Spread> {
        let q2 = self.each(which, |seed, sequence, window| seed[&(method, sequence, window, step)].q2);
        (self.window_count(which) > 0).then(|| Spread::of_clusters(&q2))
    }

    /// How far the first method is ahead of the second in Q2 after some steps, window by window.
    pub(super) fn lead(&self, first: Method, second: Method, step: usize) -> Spread {
        Spread::of_clusters(&self.each(Windows::All, |seed, sequence, window| {
            seed[&(first, sequence, window, step)].q2 - seed[&(second, sequence, window, step)].q2
        }))
    }

    /// Steps after which a method follows each window, for each seed; `None`: more than were made.
    fn steps_to_follow(&self, method: Method) -> Vec<Option<usize>> {
        let steps = self.each(Windows::All, |seed, sequence, window| {
            let bad = STEPS.iter().rposition(|&step| seed[&(method, sequence, window, step)].q2 < FOLLOWED);
            STEPS.get(bad.map_or(0, |bad| bad + 1)).copied()
        });
        steps.into_iter().flatten().flatten().collect()
    }

    /// The share of windows that a method follows within this number of steps.
    pub(super) fn followed_within(&self, method: Method, steps: usize) -> f64 {
        let all = self.steps_to_follow(method);
        all.iter().flatten().filter(|&&needed| needed <= steps).count() as f64 / all.len() as f64
    }

    /// Steps within which a method follows 9 windows of 10; `None`: more than were made.
    pub(super) fn steps_for_most(&self, method: Method) -> Option<usize> {
        STEPS.into_iter().find(|&steps| self.followed_within(method, steps) >= MOST)
    }

    /// Mean steps to follow a window; where they are not known, the most that were made stand for them.
    pub(super) fn mean_steps(&self, method: Method) -> f64 {
        let all = self.steps_to_follow(method);
        all.iter().map(|steps| steps.unwrap_or(MOST_STEPS) as f64).sum::<f64>() / all.len() as f64
    }

    /// The 5th percentile of the ratios of single workloads after some steps, the mean over the seeds.
    pub(super) fn p05(&self, method: Method, step: usize) -> f64 {
        let rows = self.results.iter().flat_map(|seed| &seed.percentiles);
        let rows = rows.filter(|row| row.method == method && row.step == step);
        mean(&rows.map(|row| row.q2_p05).collect::<Vec<_>>())
    }

    /// Mean cost evaluations of 10 steps.
    pub(super) fn evaluations_of_10_steps(&self, method: Method) -> f64 {
        let rows = self.results.iter().flat_map(|seed| &seed.measurements);
        let rows = rows.filter(|row| row.method == method && row.point.step == 10);
        mean(&rows.map(|row| row.point.evaluations as f64).collect::<Vec<_>>())
    }

    /// The cost of a method's pre-training, the mean over the seeds; `None` for methods without.
    pub(super) fn pretraining(&self, method: Method) -> Option<PretrainingCost> {
        let of_seed = |seed: &SeedResult| seed.pretraining.get(&method).copied();
        let all: Vec<PretrainingCost> = self.results.iter().filter_map(of_seed).collect();
        let first = all.first()?;
        let mean = |value: fn(&PretrainingCost) -> f64| all.iter().map(value).sum::<f64>() / all.len() as f64;
        Some(PretrainingCost {
            seconds: mean(|cost| cost.seconds),
            evaluations: mean(|cost| cost.evaluations as f64) as u64,
            ..*first
        })
    }

    /// Q2 of a method after some steps in one window, the mean over the seeds.
    pub(super) fn in_window(&self, method: Method, step: usize, (sequence, window): (usize, usize)) -> f64 {
        let of_seed = |seed: &Measurements<'_>| seed[&(method, sequence, window, step)].q2;
        mean(&self.by_seed.iter().map(of_seed).collect::<Vec<_>>())
    }

    /// The share of tasks that networks which read the environment run at each place in one window, the mean over the
    /// seeds.
    pub(super) fn shares(&self, (sequence, window): (usize, usize)) -> Vec<f64> {
        let index = self.test()[..sequence].iter().map(Vec::len).sum::<usize>() + window;
        let places = self.test()[sequence][window].optimal_shares.len();
        let share = |place: usize| mean(&self.results.iter().map(|seed| seed.shares[index][place]).collect::<Vec<_>>());
        (0..places).map(share).collect()
    }

    /// The names of the schemes that do not learn.
    pub(super) fn fixed_schemes(&self) -> Vec<&'f str> {
        let most = self.test().iter().flatten().max_by_key(|window| window.fixed.len());
        most.map(|window| window.fixed.iter().map(|scheme| scheme.name.as_str()).collect()).unwrap_or_default()
    }

    /// The ratios of a scheme that does not learn, `[sequences][windows][workloads]`, of the windows where it is known.
    fn ratios_of(&self, scheme: &str, which: Windows) -> Vec<Vec<&'f [f64]>> {
        let of_sequence = |all: &'f Vec<EvaluationWindow>| {
            all.iter().filter(|window| which.includes(window)).filter_map(|window| window.of_scheme(scheme)).collect()
        };
        self.test().iter().map(of_sequence).collect()
    }

    /// Q2 of a scheme that does not learn, and the 5th percentile of its ratios of single workloads.
    pub(super) fn fixed(&self, scheme: &str, which: Windows) -> Option<(Spread, f64)> {
        let ratios = self.ratios_of(scheme, which);
        let mut all: Vec<f64> = ratios.iter().flatten().copied().flatten().copied().collect();
        if all.is_empty() {
            return None;
        }
        all.sort_unstable_by(f64::total_cmp);
        let clusters: Vec<Vec<Vec<f64>>> =
            ratios.iter().map(|windows| vec![windows.iter().map(|ratios| mean(ratios)).collect()]).collect();
        Some((Spread::of_clusters(&clusters), all[all.len() / 20]))
    }

    /// The share of missed deadlines of a method after some steps, the mean over windows and seeds; `None` if no task has a
    /// deadline.
    pub(super) fn missed(&self, method: Method, step: usize) -> Option<f64> {
        let rows = self.results.iter().flat_map(|seed| &seed.measurements);
        let rows = rows.filter(|row| row.method == method && row.point.step == step);
        let shares: Option<Vec<f64>> = rows.map(|row| row.point.share_of_missed_deadlines).collect();
        shares.filter(|shares| !shares.is_empty()).map(|shares| mean(&shares))
    }

    /// The same of a scheme that does not learn.
    pub(super) fn fixed_missed(&self, scheme: &str) -> Option<f64> {
        let windows = self.test().iter().flatten().filter_map(|window| window.fixed(scheme));
        let shares: Option<Vec<f64>> = windows.map(|known| known.share_of_missed_deadlines).collect();
        shares.filter(|shares| !shares.is_empty()).map(|shares| mean(&shares))
    }

    /// Q2 of a scheme that does not learn, window by window where it is known.
    pub(super) fn fixed_by_window(&self, scheme: &str) -> Vec<f64> {
        self.ratios_of(scheme, Windows::All).into_iter().flatten().map(mean).collect()
    }
}
