//! What the seeds found, together.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::adaptation::{Point, mean};
use crate::report;
use crate::statistics::Spread;

use super::arms::{Arm, Choices, Expense, Ground, STEPS, SeedResult};
use super::data::Data;

/// A window counts as followed from the step on at which Q2 reaches this and stays there.
pub(super) const FOLLOWED: f64 = 0.95;
/// Share of windows that must be followed.
const MOST: f64 = 0.9;

/// Which windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Windows {
    All,
    /// Those in which the last window's optimal decisions score below 0.9.
    Hard,
}

pub(super) struct Findings<'a> {
    pub(super) data: &'a Data,
    /// Of the test drives.
    pub(super) grounds: &'a [Vec<Ground>],
    pub(super) choices: &'a Choices,
    pub(super) results: &'a [SeedResult],
    /// Of adaptation, but for the step size and ε, which each arm chooses.
    pub(super) adaptation: &'a drl::Settings,
    /// Of 10 steps of adaptation on one thread.
    pub(super) seconds_of_10_steps: f64,
    pub(super) quick: bool,
    looks: Vec<Looks<'a>>,
}

/// What one seed saw, by arm, drive, window and step.
type Looks<'a> = BTreeMap<(Arm, usize, usize, usize), &'a Point>;

/// One scheme of the comparison.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) arm: String,
    pub(super) windows: usize,
    pub(super) hard_windows: usize,
    pub(super) q2_at_0: f64,
    pub(super) q2_at_0_low: f64,
    pub(super) q2_at_0_high: f64,
    pub(super) q2_p05_at_0: f64,
    pub(super) q2_at_1: f64,
    pub(super) q2_at_5: f64,
    pub(super) q2_at_10: f64,
    pub(super) q2_at_10_low: f64,
    pub(super) q2_at_10_high: f64,
    pub(super) q2_p05_at_10: f64,
    pub(super) q2_at_50: f64,
    pub(super) q2_at_200: f64,
    pub(super) hard_q2_at_0: Option<f64>,
    pub(super) hard_q2_at_10: Option<f64>,
    /// Share of windows followed within 10 steps.
    pub(super) followed_in_10: f64,
    /// Steps within which 9 windows of 10 are followed; `None`: more than were made.
    pub(super) steps_to_follow: Option<usize>,
    pub(super) evaluations_at_10: f64,
}

impl<'a> Findings<'a> {
    /// Puts together what the seeds found; `None` if one of them did not look everywhere.
    pub(super) fn new(
        data: &'a Data,
        grounds: &'a [Vec<Ground>],
        choices: &'a Choices,
        results: &'a [SeedResult],
        adaptation: &'a drl::Settings,
        seconds_of_10_steps: f64,
        quick: bool,
    ) -> Option<Self> {
        let looks = |seed: &'a SeedResult| -> Looks<'a> {
            seed.rows.iter().map(|row| ((row.arm, row.ride, row.window, row.point.step), &row.point)).collect()
        };
        let looks: Vec<Looks<'a>> = results.iter().map(looks).collect();
        let windows =
            grounds.iter().enumerate().flat_map(|(ride, all)| (0..all.len()).map(move |window| (ride, window)));
        let everywhere = windows.flat_map(|(ride, window)| {
            Arm::ALL.into_iter().flat_map(move |arm| STEPS.into_iter().map(move |step| (arm, ride, window, step)))
        });
        let all: Vec<_> = everywhere.collect();
        let complete = looks.iter().all(|looks| all.iter().all(|look| looks.contains_key(look)));
        let windows = || grounds.iter().flatten();
        let shares = results.iter().all(|seed| {
            let places = windows().map(|ground| ground.optimal_shares.len());
            seed.shares.iter().map(Vec::len).eq(places)
        });
        let has = |seed: &SeedResult, arm, step| seed.percentiles.iter().any(|row| (row.arm, row.step) == (arm, step));
        let percentiles =
            results.iter().all(|seed| Arm::ALL.iter().all(|&arm| STEPS.iter().all(|&step| has(seed, arm, step))));
        (complete && shares && percentiles).then_some(Self {
            data,
            grounds,
            choices,
            results,
            adaptation,
            seconds_of_10_steps,
            quick,
            looks,
        })
    }

    /// Whether there is more than one drive and one seed, without which nothing is known of chance.
    pub(super) fn knows_chance(&self) -> bool {
        self.grounds.len() > 1 && self.results.len() > 1
    }

    pub(super) fn window_count(&self, which: Windows) -> usize {
        self.grounds.iter().flatten().filter(|ground| which == Windows::All || ground.is_hard()).count()
    }

    /// A value of every window for every seed, `[drives][seeds][windows]`.
    fn each<T>(&self, which: Windows, value: impl Fn(&Looks<'_>, usize, usize) -> T) -> Vec<Vec<Vec<T>>> {
        let drive = |(ride, grounds): (usize, &Vec<Ground>)| {
            let windows = || grounds.iter().enumerate().filter(|(_, ground)| which == Windows::All || ground.is_hard());
            self.looks.iter().map(|seed| windows().map(|(window, _)| value(seed, ride, window)).collect()).collect()
        };
        self.grounds.iter().enumerate().map(drive).collect()
    }

    /// Q2 of an arm after some steps; `None` if there is no such window.
    pub(super) fn q2(&self, arm: Arm, step: usize, which: Windows) -> Option<Spread> {
        let looks = self.each(which, |seed, ride, window| seed[&(arm, ride, window, step)].q2);
        (self.window_count(which) > 0).then(|| Spread::of_clusters(&looks))
    }

    /// How far the first arm is ahead of the second in Q2 after some steps, window by window.
    pub(super) fn lead(&self, first: Arm, second: Arm, step: usize) -> Spread {
        Spread::of_clusters(&self.each(Windows::All, |seed, ride, window| {
            seed[&(first, ride, window, step)].q2 - seed[&(second, ride, window, step)].q2
        }))
    }

    /// Steps after which an arm follows each window of each seed; `None`: more than were made.
    pub(super) fn steps_to_follow(&self, arm: Arm) -> Vec<Option<usize>> {
        let steps = self.each(Windows::All, |seed, ride, window| {
            let bad = STEPS.iter().rposition(|&step| seed[&(arm, ride, window, step)].q2 < FOLLOWED);
            STEPS.get(bad.map_or(0, |bad| bad + 1)).copied()
        });
        steps.into_iter().flatten().flatten().collect()
    }

    /// Share of windows that an arm follows within so many steps.
    pub(super) fn followed_within(&self, arm: Arm, steps: usize) -> f64 {
        let all = self.steps_to_follow(arm);
        all.iter().flatten().filter(|&&needed| needed <= steps).count() as f64 / all.len() as f64
    }

    /// Steps within which an arm follows 9 windows of 10; `None`: more than were made.
    pub(super) fn steps_for_most(&self, arm: Arm) -> Option<usize> {
        STEPS.into_iter().find(|&steps| self.followed_within(arm, steps) >= MOST)
    }

    /// Mean steps to follow, those that are not known taken as the most that were made.
    pub(super) fn mean_steps(&self, arm: Arm) -> f64 {
        let all = self.steps_to_follow(arm);
        let most = STEPS[STEPS.len() - 1];
        all.iter().map(|steps| steps.unwrap_or(most) as f64).sum::<f64>() / all.len() as f64
    }

    /// 5th percentile of the single ratios after some steps, the mean over the seeds.
    pub(super) fn p05(&self, arm: Arm, step: usize) -> f64 {
        let rows = self.results.iter().flat_map(|seed| &seed.percentiles);
        let values: Vec<f64> = rows.filter(|row| row.arm == arm && row.step == step).map(|row| row.q2_p05).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Mean prices asked in 10 steps.
    fn evaluations(&self, arm: Arm) -> f64 {
        let rows = self.results.iter().flat_map(|seed| &seed.rows);
        let values: Vec<f64> =
            rows.filter(|row| row.arm == arm && row.point.step == 10).map(|row| row.point.evaluations as f64).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// What pre-training an arm took, the mean over the seeds; `None` for arms without.
    pub(super) fn expense(&self, arm: Arm) -> Option<Expense> {
        let all: Vec<Expense> = self.results.iter().filter_map(|seed| seed.expenses.get(&arm).copied()).collect();
        let first = all.first()?;
        let count = all.len() as f64;
        Some(Expense {
            seconds: all.iter().map(|expense| expense.seconds).sum::<f64>() / count,
            evaluations: (all.iter().map(|expense| expense.evaluations as f64).sum::<f64>() / count) as u64,
            ..*first
        })
    }

    /// Q2 of an arm after some steps in one window, the mean over the seeds.
    pub(super) fn in_window(&self, arm: Arm, step: usize, ride: usize, window: usize) -> f64 {
        mean(&self.looks.iter().map(|seed| seed[&(arm, ride, window, step)].q2).collect::<Vec<_>>())
    }

    /// Share of tasks at each place in one window as networks that read the environment decide, the mean over the seeds.
    pub(super) fn shares(&self, ride: usize, window: usize) -> Vec<f64> {
        let index = self.grounds[..ride].iter().map(Vec::len).sum::<usize>() + window;
        let places = self.results[0].shares[index].len();
        let share = |place: usize| mean(&self.results.iter().map(|seed| seed.shares[index][place]).collect::<Vec<_>>());
        (0..places).map(share).collect()
    }

    /// Names of the schemes that do not learn.
    pub(super) fn fixed_schemes(&self) -> Vec<&str> {
        let most = self.grounds.iter().flatten().max_by_key(|ground| ground.fixed.len());
        most.map(|ground| ground.fixed.iter().map(|(name, _)| name.as_str()).collect()).unwrap_or_default()
    }

    /// Q2 of a scheme that does not learn, and the 5th percentile of its single ratios.
    pub(super) fn fixed(&self, name: &str, which: Windows) -> Option<(Spread, f64)> {
        let counts = |ground: &&Ground| which == Windows::All || ground.is_hard();
        let ratios = |ride: &'a Vec<Ground>| ride.iter().filter(counts).filter_map(|ground| ground.of_scheme(name));
        let mut all: Vec<f64> = self.grounds.iter().flat_map(ratios).flatten().copied().collect();
        if all.is_empty() {
            return None;
        }
        all.sort_unstable_by(f64::total_cmp);
        let clusters: Vec<Vec<Vec<f64>>> =
            self.grounds.iter().map(|ride| vec![ratios(ride).map(mean).collect()]).collect();
        Some((Spread::of_clusters(&clusters), all[all.len() / 20]))
    }

    /// The comparison, those that learn first.
    pub(super) fn summary(&self) -> Vec<Summary> {
        let (windows, hard_windows) = (self.window_count(Windows::All), self.window_count(Windows::Hard));
        let learned = |arm: Arm| {
            let all = |step| self.q2(arm, step, Windows::All).expect("there are windows");
            let (start, ten) = (all(0), all(10));
            Summary {
                arm: arm.label().to_owned(),
                windows,
                hard_windows,
                q2_at_0: start.mean,
                q2_at_0_low: start.low,
                q2_at_0_high: start.high,
                q2_p05_at_0: self.p05(arm, 0),
                q2_at_1: all(1).mean,
                q2_at_5: all(5).mean,
                q2_at_10: ten.mean,
                q2_at_10_low: ten.low,
                q2_at_10_high: ten.high,
                q2_p05_at_10: self.p05(arm, 10),
                q2_at_50: all(50).mean,
                q2_at_200: all(200).mean,
                hard_q2_at_0: self.q2(arm, 0, Windows::Hard).map(|spread| spread.mean),
                hard_q2_at_10: self.q2(arm, 10, Windows::Hard).map(|spread| spread.mean),
                followed_in_10: self.followed_within(arm, 10),
                steps_to_follow: self.steps_for_most(arm),
                evaluations_at_10: self.evaluations(arm),
            }
        };
        let fixed = |name: &str, spread: Spread, p05: f64, hard: Option<f64>, followed: f64| {
            let q2 = spread.mean;
            // The optimum of the last window is none in a first one.
            let known = self.grounds.iter().flatten().filter(|ground| ground.of_scheme(name).is_some()).count();
            Summary {
                arm: name.to_owned(),
                windows: known,
                hard_windows,
                q2_at_0: q2,
                q2_at_0_low: spread.low,
                q2_at_0_high: spread.high,
                q2_p05_at_0: p05,
                q2_at_1: q2,
                q2_at_5: q2,
                q2_at_10: q2,
                q2_at_10_low: spread.low,
                q2_at_10_high: spread.high,
                q2_p05_at_10: p05,
                q2_at_50: q2,
                q2_at_200: q2,
                hard_q2_at_0: hard,
                hard_q2_at_10: hard,
                followed_in_10: followed,
                steps_to_follow: (followed >= MOST).then_some(0),
                evaluations_at_10: 0.0,
            }
        };
        let mut summary: Vec<Summary> = Arm::ALL.into_iter().map(learned).collect();
        for name in self.fixed_schemes() {
            let Some((spread, p05)) = self.fixed(name, Windows::All) else { continue };
            let hard = self.fixed(name, Windows::Hard).map(|(spread, _)| spread.mean);
            let means = self.grounds.iter().flatten().filter_map(|ground| ground.of_scheme(name).map(mean));
            let means: Vec<f64> = means.collect();
            let followed = means.iter().filter(|q2| **q2 >= FOLLOWED).count() as f64 / means.len() as f64;
            summary.push(fixed(name, spread, p05, hard, followed));
        }
        summary
    }

    /// The comparison as people read it.
    pub(super) fn table(&self) -> String {
        let rows = self.table_rows();
        let header: Vec<&str> = rows[0].iter().map(String::as_str).collect();
        report::table(&header, rows[1..].to_vec())
    }

    /// The same as rows of cells, the first of them the header.
    pub(super) fn table_rows(&self) -> Vec<Vec<String>> {
        let header = [
            "arm",
            "Q2 at 0 steps",
            "1",
            "5",
            "10",
            "50",
            "200",
            "p5 at 0",
            "p5 at 10",
            "hard, at 0",
            "hard, at 10",
            "followed in 10",
            "steps for 90 %",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for row in self.summary() {
            let ratio = |value: f64| format!("{value:.4}");
            let maybe = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), ratio);
            let most = STEPS[STEPS.len() - 1];
            let mut cells = vec![row.arm];
            let steps = [row.q2_at_0, row.q2_at_1, row.q2_at_5, row.q2_at_10, row.q2_at_50, row.q2_at_200];
            cells.extend(steps.map(ratio));
            cells.extend([row.q2_p05_at_0, row.q2_p05_at_10].map(ratio));
            cells.extend([row.hard_q2_at_0, row.hard_q2_at_10].map(maybe));
            cells.push(format!("{:.0} %", 100.0 * row.followed_in_10));
            cells.push(row.steps_to_follow.map_or_else(|| format!("> {most}"), |steps| steps.to_string()));
            rows.push(cells);
        }
        rows
    }

    /// The first line of the report: whether meta-learning pays.
    pub(super) fn verdict(&self) -> String {
        let lead = self.lead(Arm::Reptile, Arm::Joint, 10);
        let most = STEPS[STEPS.len() - 1];
        let steps = |arm| self.steps_for_most(arm).map_or_else(|| format!("more than {most}"), |n| n.to_string());
        let interval = format!("{:+.4} (95 % interval {:+.4} to {:+.4})", lead.mean, lead.low, lead.high);
        let first = if !self.knows_chance() {
            format!(
                "One drive or one seed tells nothing of chance; Reptile less joint pre-training is {:+.4} in Q2 after 10 steps.",
                lead.mean
            )
        } else if lead.low > 0.0 {
            format!("Reptile is ahead of joint pre-training without meta-learning: by {interval} in Q2 after 10 steps.")
        } else if lead.high < 0.0 {
            format!(
                "Joint pre-training without meta-learning does better than Reptile: {interval} in Q2 after 10 steps."
            )
        } else {
            format!(
                "As far as these drives tell, joint pre-training without meta-learning does as well as Reptile: {interval} in Q2 after 10 \
                 steps."
            )
        };
        let reading = self.q2(Arm::Reading, 0, Windows::All).map_or(f64::NAN, |spread| spread.mean);
        format!(
            "{first} Steps until 9 windows of 10 are followed (Q2 ≥ {FOLLOWED} from there on): {} with Reptile, {} with joint pre-training, \
             {} from a random start. Networks that read the environment have Q2 {reading:.4} without any step.",
            steps(Arm::Reptile),
            steps(Arm::Joint),
            steps(Arm::Random)
        )
    }
}
