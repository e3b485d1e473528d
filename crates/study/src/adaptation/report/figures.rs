//! Quality over steps of adaptation, and how fast windows are followed.

use mrdro::chart::{Axis, Palette, Panel, Point, Series, Style};

use crate::adaptation::findings::{FOLLOWED, Findings, Windows};
use crate::adaptation::method::Method;
use crate::adaptation::seed::STEPS;
use crate::page::{Figure, cells};

/// The axis of Q2.
pub(super) const Q2: Axis = Axis::Ratio { label: "Q2, by the logarithm of the gap to 1" };

fn step_axis() -> Axis {
    Axis::Named { label: "steps of adaptation", names: cells(STEPS) }
}

/// A level line to compare with.
fn level(label: &str, value: f64) -> Series {
    let ends = [0.0, (STEPS.len() - 1) as f64];
    Series { label: label.to_owned(), style: Style::Reference, points: ends.map(|x| Point::exact(x, value)).to_vec() }
}

/// Q2 over steps of adaptation.
pub(super) fn adaptation(findings: &Findings<'_>) -> Figure {
    let mut rows = vec![cells(["windows", "arm", "step", "q2", "low", "high", "count"])];
    let mut panels = Vec::new();
    for (which, name) in [(Windows::All, "all"), (Windows::Hard, "hard")] {
        let count = findings.window_count(which);
        if count == 0 {
            continue;
        }
        let mut series = Vec::new();
        for method in Method::ALL {
            let mut points = Vec::new();
            for (x, step) in STEPS.into_iter().enumerate() {
                let Some(spread) = findings.q2(method, step, which) else { continue };
                points.push(Point::new(x as f64, &spread));
                let mut row = cells([name, method.label(), &step.to_string()]);
                row.extend([spread.mean, spread.low, spread.high].map(|value| format!("{value:.6}")));
                row.push(spread.count.to_string());
                rows.push(row);
            }
            series.push(Series { label: method.label().to_owned(), style: Style::Curve, points });
        }
        if let Some((greedy, _)) = findings.fixed("greedy-largest-first", which) {
            series.push(level("greedy (largest first)", greedy.mean));
        }
        panels.push(Panel { title: format!("{name} windows ({count})"), x: step_axis(), y: Q2, series });
    }
    Figure {
        id: "adaptation",
        title: "Q2 over steps of adaptation".to_owned(),
        text: "Mean over windows and seeds; bands are 95 % intervals by drawing drives and seeds anew. Hard windows are those in which the \
               last window's optimal decisions score below 0.9."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: String::new(),
    }
}

/// The share of windows that are followed, over steps of adaptation.
pub(super) fn followed(findings: &Findings<'_>) -> Figure {
    let mut rows = vec![cells(["arm", "step", "share_followed"])];
    let mut series = Vec::new();
    for method in Method::ALL {
        let mut points = Vec::new();
        for (x, step) in STEPS.into_iter().enumerate() {
            let share = findings.followed_within(method, step);
            points.push(Point::exact(x as f64, share));
            rows.push(vec![method.label().to_owned(), step.to_string(), format!("{share:.4}")]);
        }
        series.push(Series { label: method.label().to_owned(), style: Style::Markers, points });
    }
    series.push(level("90 % of the windows", 0.9));
    let y = Axis::Linear { label: "share of windows" };
    let title = format!("windows with Q2 ≥ {FOLLOWED} from that step on");
    Figure {
        id: "followed",
        title: "How fast each method follows".to_owned(),
        text: format!(
            "Share of windows, over all seeds, in which Q2 is at least {FOLLOWED} at that step and at every later one looked at."
        ),
        palette: Palette::Distinct,
        panels: vec![Panel { title, x: step_axis(), y, series }],
        rows,
        command: String::new(),
    }
}
