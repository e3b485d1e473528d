//! The tables of a report.

use mrdro::mean;
use mrdro::statistics::Spread;

use crate::adaptation::findings::{Findings, MOST_STEPS, Windows};
use crate::adaptation::method::{Method, Source};
use crate::adaptation::setup::PretrainingCost;
use crate::page::{Table, cells};

/// Steps of adaptation that `windows.csv` has columns for.
const SHOWN_STEPS: [usize; 6] = [0, 1, 5, 10, 50, 200];

fn ratio(value: f64) -> String {
    format!("{value:.4}")
}

fn interval(spread: &Spread) -> String {
    format!("{:.4} ({:.4}–{:.4})", spread.mean, spread.low, spread.high)
}

/// A row of the table of claims.
fn claim(text: &str, found: String, holds: bool) -> Vec<String> {
    vec![text.to_owned(), found, if holds { "holds" } else { "does not hold" }.to_owned()]
}

/// The claims about adaptation, and whether they hold here.
pub(super) fn claims(findings: &Findings<'_>) -> Table {
    let mut rows = vec![cells(["claim", "found", "verdict"])];
    rows.extend(claims_without_adaptation(findings));
    rows.extend(claims_about_reptile(findings));
    let seconds = findings.seconds_of_10_steps;
    let found = format!("{:.1} ms", seconds * 1e3);
    rows.push(claim("10 steps take at most 20 ms on one thread", found, seconds <= 0.020));
    Table { title: "What is claimed, and whether it holds here".to_owned(), rows }
}

/// The claims about networks that read the environment.
fn claims_without_adaptation(findings: &Findings<'_>) -> Vec<Vec<String>> {
    let method = Method::EnvironmentInputs;
    let Some(q2) = findings.q2(method, 0, Windows::All) else { return Vec::new() };
    let p05 = findings.p05(method, 0);
    let text = "networks that read the environment have mean Q2 ≥ 0.995 without adaptation";
    let mut rows = vec![
        claim(text, interval(&q2), q2.mean >= 0.995),
        claim("and a 5th percentile of single ratios ≥ 0.97", ratio(p05), p05 >= 0.97),
    ];
    if let Some((greedy, greedy_p05)) = findings.fixed("greedy-largest-first", Windows::All) {
        let found = format!("greedy {}, 5th percentile {greedy_p05:.4}", interval(&greedy));
        let holds = q2.mean > greedy.mean && p05 > greedy_p05;
        rows.push(claim("both better than greedy (largest first)", found, holds));
    }
    rows
}

/// The claims about adaptation from what Reptile prepared.
fn claims_about_reptile(findings: &Findings<'_>) -> [Vec<String>; 3] {
    let followed = findings.followed_within(Method::Reptile, 10);
    let steps = |method| findings.steps_for_most(method);
    let text = |method| steps(method).map_or_else(|| format!("more than {MOST_STEPS}"), |steps| steps.to_string());
    let random = steps(Method::Random).unwrap_or(MOST_STEPS);
    let fewer = steps(Method::Reptile).is_some_and(|reptile| reptile < random && 10 * reptile <= random);
    let lead = findings.lead(Method::Reptile, Method::Joint, 10);
    [
        claim(
            "from Reptile, at most 10 steps lead to Q2 ≥ 0.95 for good in 90 % of the windows",
            format!("{:.1} %", 100.0 * followed),
            followed >= 0.9,
        ),
        claim(
            "at least 10 times fewer than from a random start",
            format!("{} against {} for 90 % of the windows", text(Method::Reptile), text(Method::Random)),
            fewer,
        ),
        claim(
            "Reptile is ahead of joint pre-training after 10 steps",
            format!("{:+.4} ({:+.4} to {:+.4})", lead.mean, lead.low, lead.high),
            findings.knows_chance() && lead.low > 0.0,
        ),
    ]
}

/// The cost of pre-training, and the number of windows after which it is paid back.
pub(super) fn costs(findings: &Findings<'_>) -> Table {
    let header = [
        "method",
        "gradient steps before",
        "samples before",
        "cost evaluations before",
        "seconds before",
        "mean steps to follow a window",
        "cost evaluations in 10 steps",
        "windows until paid back against a random start",
    ];
    let mut rows = vec![cells(header)];
    for method in Method::ALL {
        let pretrained = if method == Method::LastWindow { Method::Joint } else { method };
        let cost = findings.pretraining(pretrained);
        let mut row = vec![method.label().to_owned()];
        match &cost {
            Some(cost) => row.extend([
                cost.gradient_steps.to_string(),
                samples(cost).to_string(),
                cost.evaluations.to_string(),
                format!("{:.1}", cost.seconds),
            ]),
            None => row.extend(cells(["0", "0", "0", "0"])),
        }
        let steps = findings.mean_steps(method);
        row.extend([format!("{steps:.1}"), format!("{:.0}", findings.evaluations_of_10_steps(method))]);
        row.push(windows_until_paid_back(findings, steps, cost.as_ref()));
        rows.push(row);
    }
    let title = "What pre-training takes, in samples learned from, and when it is paid back".to_owned();
    Table { title, rows }
}

/// Samples that pre-training learns from.
fn samples(cost: &PretrainingCost) -> usize {
    cost.gradient_steps * cost.samples_per_step
}

/// The number of windows after which the steps that are saved in each outweigh pre-training.
fn windows_until_paid_back(findings: &Findings<'_>, steps: f64, cost: Option<&PretrainingCost>) -> String {
    let batch = findings.runs.study.setup.adaptable.adaptation.batch as f64;
    let saved = (findings.mean_steps(Method::Random) - steps) * batch;
    match cost {
        Some(cost) if saved > 0.0 => format!("{:.0}", samples(cost) as f64 / saved),
        Some(_) => "never".to_owned(),
        None => "–".to_owned(),
    }
}

/// The settings that were chosen for each method.
pub(super) fn chosen_settings(findings: &Findings<'_>) -> Table {
    let header =
        ["method", "environments of pre-training", "step size of pre-training", "step size", "ε of Adam", "score"];
    let mut rows = vec![cells(header)];
    for (method, settings) in &findings.runs.settings {
        let source = match settings.source {
            _ if *method == Method::Random => "–",
            Source::Scenario => "as the scenario draws them",
            Source::Windows => "windows of the training drives",
        };
        let is_joint = matches!(method, Method::Joint | Method::LastWindow);
        let rate = if is_joint { settings.joint_rate.to_string() } else { "–".to_owned() };
        let mut row = vec![method.label().to_owned(), source.to_owned(), rate];
        row.extend([settings.learning_rate.to_string(), settings.epsilon.to_string(), ratio(settings.score)]);
        rows.push(row);
    }
    let title = "Settings, chosen by mean Q2 over 0 to 50 steps in validation windows".to_owned();
    Table { title, rows }
}

/// Every window, with the quality of all methods and schemes in it.
pub(super) fn windows(findings: &Findings<'_>) -> Table {
    let schemes = findings.fixed_schemes();
    let mut header = cells(["drive", "start_s", "hard"]);
    let devices = findings.test().iter().flatten().next().map_or(0, |window| window.uplinks_mbps.len());
    header.extend((0..devices).map(|device| format!("uplink_mbps_{device}")));
    for method in Method::ALL {
        header.extend(SHOWN_STEPS.map(|step| format!("q2_{}_{step}", method.column())));
    }
    header.extend(schemes.iter().map(|scheme| format!("q2_{scheme}")));
    let mut rows = vec![header];
    for (sequence, windows) in findings.test().iter().enumerate() {
        for (index, window) in windows.iter().enumerate() {
            let drive = findings.runs.study.recordings.test[sequence].name.clone();
            let mut row = vec![drive, window.start_s.to_string(), window.is_hard().to_string()];
            row.extend(window.uplinks_mbps.iter().map(|mbps| format!("{mbps:.3}")));
            for method in Method::ALL {
                let q2 = |step| format!("{:.5}", findings.in_window(method, step, (sequence, index)));
                row.extend(SHOWN_STEPS.map(q2));
            }
            let q2 = |scheme: &&str| window.of_scheme(scheme).map(|ratios| format!("{:.5}", mean(ratios)));
            row.extend(schemes.iter().map(|scheme| q2(scheme).unwrap_or_default()));
            rows.push(row);
        }
    }
    Table { title: "Windows".to_owned(), rows }
}
