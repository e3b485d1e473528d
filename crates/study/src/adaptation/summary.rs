//! The comparison of all methods and schemes, as numbers, as a table for people, and in two sentences.

use mrdro::statistics::Spread;
use serde::Serialize;

use super::findings::{FOLLOWED, Findings, MOST, MOST_STEPS, Windows};
use super::method::Method;
use crate::page::cells;

/// One method or scheme of the comparison. A scheme that does not learn has the same quality after all steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodSummary {
    /// The label of a method, or the name of a scheme that does not learn.
    #[serde(rename = "arm")]
    pub method: String,
    /// The number of windows.
    pub windows: usize,
    /// The number of windows in which the last window's optimal decisions score below 0.9.
    pub hard_windows: usize,
    /// Q2 before any step of adaptation.
    pub q2_at_0: f64,
    /// Lower end of its 95 % interval.
    pub q2_at_0_low: f64,
    /// Upper end of its 95 % interval.
    pub q2_at_0_high: f64,
    /// 5th percentile of the ratios of single workloads before any step.
    pub q2_p05_at_0: f64,
    /// Q2 after 1 step.
    pub q2_at_1: f64,
    /// Q2 after 5 steps.
    pub q2_at_5: f64,
    /// Q2 after 10 steps.
    pub q2_at_10: f64,
    /// Lower end of its 95 % interval.
    pub q2_at_10_low: f64,
    /// Upper end of its 95 % interval.
    pub q2_at_10_high: f64,
    /// 5th percentile of the ratios of single workloads after 10 steps.
    pub q2_p05_at_10: f64,
    /// Q2 after 50 steps.
    pub q2_at_50: f64,
    /// Q2 after 200 steps.
    pub q2_at_200: f64,
    /// Q2 in the hard windows before any step; `None` if there are none.
    pub hard_q2_at_0: Option<f64>,
    /// Q2 in the hard windows after 10 steps; `None` if there are none.
    pub hard_q2_at_10: Option<f64>,
    /// The share of missed deadlines before any step; `None`: no task has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines_at_0: Option<f64>,
    /// The share of missed deadlines after 10 steps; `None`: no task has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_missed_deadlines_at_10: Option<f64>,
    /// Share of windows with Q2 of 0.95 or more from a step on that is among the first 10.
    pub followed_in_10: f64,
    /// Steps within which 9 windows of 10 are followed; `None`: more than were made.
    pub steps_to_follow: Option<usize>,
    /// Mean cost evaluations of 10 steps.
    pub evaluations_at_10: f64,
}

/// The comparison: the methods, then the schemes that do not learn.
pub(super) fn summary(findings: &Findings<'_>) -> Vec<MethodSummary> {
    let methods = Method::ALL.into_iter().filter_map(|method| of_method(findings, method));
    let schemes = findings.fixed_schemes().into_iter().filter_map(|scheme| of_scheme(findings, scheme));
    methods.chain(schemes).collect()
}

fn of_method(findings: &Findings<'_>, method: Method) -> Option<MethodSummary> {
    let all = |step| findings.q2(method, step, Windows::All);
    let hard = |step| findings.q2(method, step, Windows::Hard).map(|spread| spread.mean);
    let (start, ten) = (all(0)?, all(10)?);
    Some(MethodSummary {
        method: method.label().to_owned(),
        windows: findings.window_count(Windows::All),
        hard_windows: findings.window_count(Windows::Hard),
        q2_at_0: start.mean,
        q2_at_0_low: start.low,
        q2_at_0_high: start.high,
        q2_p05_at_0: findings.p05(method, 0),
        q2_at_1: all(1)?.mean,
        q2_at_5: all(5)?.mean,
        q2_at_10: ten.mean,
        q2_at_10_low: ten.low,
        q2_at_10_high: ten.high,
        q2_p05_at_10: findings.p05(method, 10),
        q2_at_50: all(50)?.mean,
        q2_at_200: all(200)?.mean,
        hard_q2_at_0: hard(0),
        hard_q2_at_10: hard(10),
        share_of_missed_deadlines_at_0: findings.missed(method, 0),
        share_of_missed_deadlines_at_10: findings.missed(method, 10),
        followed_in_10: findings.followed_within(method, 10),
        steps_to_follow: findings.steps_for_most(method),
        evaluations_at_10: findings.evaluations_of_10_steps(method),
    })
}

fn of_scheme(findings: &Findings<'_>, scheme: &str) -> Option<MethodSummary> {
    let (Spread { mean: q2, low, high, .. }, p05) = findings.fixed(scheme, Windows::All)?;
    let hard = findings.fixed(scheme, Windows::Hard).map(|(spread, _)| spread.mean);
    let missed = findings.fixed_missed(scheme);
    // The optimum of the last window is not known in the first window of a drive.
    let known = findings.fixed_by_window(scheme);
    let followed = known.iter().filter(|q2| **q2 >= FOLLOWED).count() as f64 / known.len() as f64;
    Some(MethodSummary {
        method: scheme.to_owned(),
        windows: known.len(),
        hard_windows: findings.window_count(Windows::Hard),
        q2_at_0: q2,
        q2_at_0_low: low,
        q2_at_0_high: high,
        q2_p05_at_0: p05,
        q2_at_1: q2,
        q2_at_5: q2,
        q2_at_10: q2,
        q2_at_10_low: low,
        q2_at_10_high: high,
        q2_p05_at_10: p05,
        q2_at_50: q2,
        q2_at_200: q2,
        hard_q2_at_0: hard,
        hard_q2_at_10: hard,
        share_of_missed_deadlines_at_0: missed,
        share_of_missed_deadlines_at_10: missed,
        followed_in_10: followed,
        steps_to_follow: (followed >= MOST).then_some(0),
        evaluations_at_10: 0.0,
    })
}

/// The comparison as rows of cells for people, the first of them the header.
pub(super) fn table_rows(summary: &[MethodSummary]) -> Vec<Vec<String>> {
    let has_deadlines = summary.iter().any(|row| row.share_of_missed_deadlines_at_0.is_some());
    let missed = ["missed at 0", "missed at 10"];
    let q2 =
        ["method", "Q2 at 0 steps", "1", "5", "10", "50", "200", "p5 at 0", "p5 at 10", "hard, at 0", "hard, at 10"];
    let header = [&q2[..], if has_deadlines { &missed } else { &[] }, &["followed in 10", "steps for 90 %"]].concat();
    let ratio = |value: f64| format!("{value:.4}");
    let optional = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), ratio);
    let row = |row: &MethodSummary| {
        let mut cells = vec![row.method.clone()];
        let steps = [row.q2_at_0, row.q2_at_1, row.q2_at_5, row.q2_at_10, row.q2_at_50, row.q2_at_200];
        cells.extend(steps.map(ratio));
        cells.extend([row.q2_p05_at_0, row.q2_p05_at_10].map(ratio));
        cells.extend([row.hard_q2_at_0, row.hard_q2_at_10].map(optional));
        if has_deadlines {
            let shares = [row.share_of_missed_deadlines_at_0, row.share_of_missed_deadlines_at_10];
            let percent = |share: f64| format!("{:.2} %", 100.0 * share);
            cells.extend(shares.map(|share| share.map_or_else(|| "–".to_owned(), percent)));
        }
        cells.push(format!("{:.0} %", 100.0 * row.followed_in_10));
        cells.push(row.steps_to_follow.map_or_else(|| format!("> {MOST_STEPS}"), |steps| steps.to_string()));
        cells
    };
    std::iter::once(cells(header)).chain(summary.iter().map(row)).collect()
}

/// Whether meta-learning pays, in two sentences.
pub(super) fn verdict(findings: &Findings<'_>) -> String {
    let lead = findings.lead(Method::Reptile, Method::Joint, 10);
    let interval = format!("{:+.4} (95 % interval {:+.4} to {:+.4})", lead.mean, lead.low, lead.high);
    let first = if !findings.knows_chance() {
        format!(
            "One drive or one seed tells nothing of chance; Reptile less joint pre-training is {:+.4} in Q2 after 10 steps.",
            lead.mean
        )
    } else if lead.low > 0.0 {
        format!("Reptile is ahead of joint pre-training without meta-learning: by {interval} in Q2 after 10 steps.")
    } else if lead.high < 0.0 {
        format!("Joint pre-training without meta-learning does better than Reptile: {interval} in Q2 after 10 steps.")
    } else {
        format!(
            "As far as these drives tell, joint pre-training without meta-learning does as well as Reptile: {interval} in Q2 after 10 \
             steps."
        )
    };
    let steps = |method| {
        findings.steps_for_most(method).map_or_else(|| format!("more than {MOST_STEPS}"), |steps| steps.to_string())
    };
    let reading = findings.q2(Method::EnvironmentInputs, 0, Windows::All).map_or(f64::NAN, |spread| spread.mean);
    format!(
        "{first} Steps until 9 windows of 10 are followed (Q2 ≥ {FOLLOWED} from there on): {} with Reptile, {} with joint pre-training, \
         {} from a random start. Networks that read the environment have Q2 {reading:.4} without any step.",
        steps(Method::Reptile),
        steps(Method::Joint),
        steps(Method::Random)
    )
}
