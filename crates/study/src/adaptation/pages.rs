//! The report of a study: tables, pictures, and the drives over time.

use std::path::Path;

use crate::adaptation::mean;
use crate::error::AppError;
use crate::report::chart::{Axis, Palette, Panel, Point, Series, Style};
use crate::report::page::{Figure, Page, Table};
use crate::run_dir::write_file;
use crate::statistics::Spread;

use super::arms::{Arm, STEPS, Source};
use super::findings::{FOLLOWED, Findings, Windows};

const Q2: Axis = Axis::Ratio { label: "Q2, by the logarithm of the gap to 1" };

/// Data before pictures, pictures before the page.
pub(super) fn write(findings: &Findings<'_>, command: &str, out: &Path) -> Result<(), AppError> {
    let claims = claims(findings);
    claims.write(out, "claims")?;
    let tables = [
        ("comparison", Table { title: "The arms after steps of adaptation".to_owned(), rows: findings.table_rows() }),
        ("costs", costs(findings)),
        ("choices", choices(findings)),
    ];
    let mut named = Vec::new();
    for (id, table) in tables {
        table.write(out, id)?;
        named.push((id.to_owned(), table));
    }
    windows(findings).write(out, "windows")?;
    let mut pictures = Vec::new();
    for figure in [adaptation(findings), followed(findings), replay(findings)] {
        let svg = figure.write(out)?;
        pictures.push((figure, svg));
    }
    let page = Page {
        title: "Following a changing network",
        introduction: &introduction(findings, command),
        claims: Some(&claims),
        tables: &named,
        figures: &pictures,
    };
    write_file(&out.join("report.html"), page.html().as_bytes())
}

fn introduction(findings: &Findings<'_>, command: &str) -> Vec<String> {
    let data = findings.data;
    let seeds: Vec<String> = findings.results.iter().map(|seed| seed.seed.to_string()).collect();
    let count = |rides: &[super::data::Ride]| {
        format!("{} drives, {} windows", rides.len(), rides.iter().map(|ride| ride.windows.len()).sum::<usize>())
    };
    let quick = if findings.quick { "A quick look: shorter pre-training, fewer drives and windows. " } else { "" };
    vec![
        findings.verdict(),
        format!(
            "{quick}Trained on {}; settings chosen with {}; tested on {}: {}, {} of them hard (the last window's optimal decisions score \
             below 0.9 there). Seeds {}.",
            count(&data.training),
            count(&data.validation),
            data.test_is,
            count(&data.test),
            findings.window_count(Windows::Hard),
            seeds.join(", ")
        ),
        format!(
            "Q2 is the mean ratio of the optimal cost to that of the cheapest of the K proposals, over workloads that training never draws. A \
             step of adaptation draws {} workloads, lets the networks decide them, improves what they decide by local search, and makes one step \
             of Adam on {} remembered ones for each network. Every arm has the same number of networks, steps and workloads; those trained \
             beforehand have learned from about the same number of samples (see costs). Intervals are 95 %, by drawing drives and seeds anew: \
             windows of one drive are no independent witnesses{}. The optimum of the last window is known from each drive's second window on.",
            findings.adaptation.workloads_per_step,
            findings.adaptation.batch,
            if findings.grounds.len() < 5 { ", and fewer than five drives make rough intervals" } else { "" }
        ),
        format!("Made with: {command}"),
    ]
}

fn ratio(value: f64) -> String {
    format!("{value:.4}")
}

fn spread(spread: &Spread) -> String {
    format!("{:.4} ({:.4}–{:.4})", spread.mean, spread.low, spread.high)
}

/// What is claimed of adaptation, and whether it holds here.
fn claims(findings: &Findings<'_>) -> Table {
    let header = ["claim", "found", "verdict"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    let mut claim = |text: &str, found: String, holds: bool| {
        rows.push(vec![text.to_owned(), found, if holds { "holds" } else { "does not hold" }.to_owned()]);
    };
    let most = STEPS[STEPS.len() - 1];
    let q2 = |arm, step| findings.q2(arm, step, Windows::All).expect("there are windows");
    let (reading, reading_p05) = (q2(Arm::Reading, 0), findings.p05(Arm::Reading, 0));
    claim(
        "networks that read the environment have mean Q2 ≥ 0.995 without adaptation",
        spread(&reading),
        reading.mean >= 0.995,
    );
    claim("and a 5th percentile of single ratios ≥ 0.97", ratio(reading_p05), reading_p05 >= 0.97);
    if let Some((greedy, greedy_p05)) = findings.fixed("greedy-largest-first", Windows::All) {
        claim(
            "both better than greedy (largest first)",
            format!("greedy {}, 5th percentile {greedy_p05:.4}", spread(&greedy)),
            reading.mean > greedy.mean && reading_p05 > greedy_p05,
        );
    }
    let followed = findings.followed_within(Arm::Reptile, 10);
    claim(
        "from Reptile, at most 10 steps lead to Q2 ≥ 0.95 for good in 90 % of the windows",
        format!("{:.1} %", 100.0 * followed),
        followed >= 0.9,
    );
    let steps = |arm| findings.steps_for_most(arm);
    let text = |arm| steps(arm).map_or_else(|| format!("more than {most}"), |steps| steps.to_string());
    let random = steps(Arm::Random).unwrap_or(most);
    let fewer = steps(Arm::Reptile).is_some_and(|reptile| reptile < random && 10 * reptile <= random);
    claim(
        "at least 10 times fewer than from a random start",
        format!("{} against {} for 90 % of the windows", text(Arm::Reptile), text(Arm::Random)),
        fewer,
    );
    let lead = findings.lead(Arm::Reptile, Arm::Joint, 10);
    claim(
        "Reptile is ahead of joint pre-training after 10 steps",
        format!("{:+.4} ({:+.4} to {:+.4})", lead.mean, lead.low, lead.high),
        findings.knows_chance() && lead.low > 0.0,
    );
    let seconds = findings.seconds_of_10_steps;
    claim("10 steps take at most 20 ms on one thread", format!("{:.1} ms", seconds * 1e3), seconds <= 0.020);
    Table { title: "What is claimed, and whether it holds here".to_owned(), rows }
}

/// What pre-training takes, and after how many windows it is paid back.
fn costs(findings: &Findings<'_>) -> Table {
    let header = [
        "arm",
        "gradient steps before",
        "samples before",
        "prices before",
        "seconds before",
        "mean steps to follow a window",
        "prices in 10 steps",
        "windows until paid back against a random start",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let random = findings.mean_steps(Arm::Random);
    let summary = findings.summary();
    for arm in Arm::ALL {
        let steps = findings.mean_steps(arm);
        let spent = findings.expense(if arm == Arm::LastWindow { Arm::Joint } else { arm });
        let prices = summary.iter().find(|row| row.arm == arm.label()).map_or(0.0, |row| row.evaluations_at_10);
        let mut cells = vec![arm.label().to_owned()];
        match &spent {
            Some(spent) => cells.extend([
                spent.gradient_steps.to_string(),
                (spent.gradient_steps * spent.samples_per_step).to_string(),
                spent.evaluations.to_string(),
                format!("{:.1}", spent.seconds),
            ]),
            None => cells.extend(["0", "0", "0", "0"].map(str::to_owned)),
        }
        cells.extend([format!("{steps:.1}"), format!("{prices:.0}")]);
        let saved = (random - steps) * findings.adaptation.batch as f64;
        cells.push(match spent {
            Some(spent) if saved > 0.0 => {
                format!("{:.0}", (spent.gradient_steps * spent.samples_per_step) as f64 / saved)
            }
            Some(_) => "never".to_owned(),
            None => "–".to_owned(),
        });
        rows.push(cells);
    }
    let title = "What pre-training takes, in samples learned from, and when it is paid back".to_owned();
    Table { title, rows }
}

fn choices(findings: &Findings<'_>) -> Table {
    let header = ["arm", "environments of pre-training", "step size of it", "step size", "ε of Adam", "score"];
    let header = header.map(str::to_owned).to_vec();
    let mut rows = vec![header];
    for (arm, choice) in findings.choices {
        let source = match choice.source {
            Source::Scenario => "as the scenario draws them",
            Source::Windows => "windows of the training drives",
        };
        let source = if *arm == Arm::Random { "–" } else { source };
        let joint = matches!(arm, Arm::Joint | Arm::LastWindow);
        let rate = if joint { choice.joint_rate.to_string() } else { "–".to_owned() };
        let settings = [choice.learning_rate, choice.epsilon].map(|value| value.to_string());
        rows.push([&[arm.label().to_owned(), source.to_owned(), rate][..], &settings, &[ratio(choice.score)]].concat());
    }
    let title = "Settings, chosen by mean Q2 over 0 to 50 steps in validation windows".to_owned();
    Table { title, rows }
}

/// Every window with what everybody made of it.
fn windows(findings: &Findings<'_>) -> Table {
    let mut header: Vec<String> = ["drive", "start_s", "hard"].map(str::to_owned).to_vec();
    let devices = findings.grounds.iter().flatten().next().map_or(0, |ground| ground.uplinks_mbps.len());
    header.extend((0..devices).map(|device| format!("uplink_mbps_{device}")));
    for arm in Arm::ALL {
        let name = format!("{arm:?}").to_lowercase();
        header.extend([0, 1, 5, 10, 50, 200].map(|step| format!("q2_{name}_{step}")));
    }
    header.extend(findings.fixed_schemes().iter().map(|name| format!("q2_{name}")));
    let mut rows = vec![header];
    for (ride, grounds) in findings.grounds.iter().enumerate() {
        for (window, ground) in grounds.iter().enumerate() {
            let mut cells = vec![findings.data.test[ride].name.clone(), ground.start_s.to_string()];
            cells.push(ground.is_hard().to_string());
            cells.extend(ground.uplinks_mbps.iter().map(|mbps| format!("{mbps:.3}")));
            for arm in Arm::ALL {
                let at = |step| format!("{:.5}", findings.in_window(arm, step, ride, window));
                cells.extend([0, 1, 5, 10, 50, 200].map(at));
            }
            let q2 =
                |name: &&str| ground.of_scheme(name).map_or_else(String::new, |ratios| format!("{:.5}", mean(ratios)));
            cells.extend(findings.fixed_schemes().iter().map(q2));
            rows.push(cells);
        }
    }
    Table { title: "Windows".to_owned(), rows }
}

fn step_axis() -> Axis {
    Axis::Named { label: "steps of adaptation", names: STEPS.map(|step| step.to_string()).to_vec() }
}

fn level(label: &str, value: f64) -> Series {
    let ends = [0.0, (STEPS.len() - 1) as f64];
    Series { label: label.to_owned(), style: Style::Reference, points: ends.map(|x| Point::exact(x, value)).to_vec() }
}

fn adaptation(findings: &Findings<'_>) -> Figure {
    let header = ["windows", "arm", "step", "q2", "low", "high", "count"].map(str::to_owned).to_vec();
    let (mut rows, mut panels) = (vec![header], Vec::new());
    for (which, name) in [(Windows::All, "all"), (Windows::Hard, "hard")] {
        let count = findings.window_count(which);
        if count == 0 {
            continue;
        }
        let mut series = Vec::new();
        for arm in Arm::ALL {
            let mut points = Vec::new();
            for (x, step) in STEPS.into_iter().enumerate() {
                let Some(spread) = findings.q2(arm, step, which) else { continue };
                points.push(Point::new(x as f64, &spread));
                let values = [spread.mean, spread.low, spread.high].map(|value| format!("{value:.6}"));
                let place = [name.to_owned(), arm.label().to_owned(), step.to_string()];
                rows.push([&place[..], &values, &[spread.count.to_string()]].concat());
            }
            series.push(Series { label: arm.label().to_owned(), style: Style::Curve, points });
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

fn followed(findings: &Findings<'_>) -> Figure {
    let header = ["arm", "step", "share_followed"].map(str::to_owned).to_vec();
    let (mut rows, mut series) = (vec![header], Vec::new());
    for arm in Arm::ALL {
        let mut points = Vec::new();
        for (x, step) in STEPS.into_iter().enumerate() {
            let share = findings.followed_within(arm, step);
            points.push(Point::exact(x as f64, share));
            rows.push(vec![arm.label().to_owned(), step.to_string(), format!("{share:.4}")]);
        }
        series.push(Series { label: arm.label().to_owned(), style: Style::Markers, points });
    }
    series.push(level("90 % of the windows", 0.9));
    let y = Axis::Linear { label: "share of windows" };
    let title = format!("windows with Q2 ≥ {FOLLOWED} from that step on");
    Figure {
        id: "followed",
        title: "How fast each arm follows".to_owned(),
        text: format!(
            "Share of windows, over all seeds, in which Q2 is at least {FOLLOWED} at that step and at every later one looked at."
        ),
        palette: Palette::Distinct,
        panels: vec![Panel { title, x: step_axis(), y, series }],
        rows,
        command: String::new(),
    }
}

/// The longest drive over time.
fn replay(findings: &Findings<'_>) -> Figure {
    let longest = (0..findings.grounds.len()).rev().max_by_key(|&ride| findings.grounds[ride].len()).unwrap_or(0);
    let grounds = &findings.grounds[longest];
    let names = grounds.first().map(|ground| ground.model.place_names().to_vec()).unwrap_or_default();
    let time = || Axis::Linear { label: "seconds into the drive" };
    let over_time = |label: &str, style, value: &dyn Fn(usize) -> f64| Series {
        label: label.to_owned(),
        style,
        points: grounds.iter().enumerate().map(|(w, ground)| Point::exact(ground.start_s, value(w))).collect(),
    };
    let devices = grounds.first().map_or(0, |ground| ground.uplinks_mbps.len());
    let uplinks = (0..devices).map(|device| {
        // A logarithm has no place for an outage; it is drawn at the bottom.
        let mbps = |window: usize| grounds[window].uplinks_mbps[device].max(0.01);
        over_time(&format!("uplink {}", device + 1), Style::Markers, &mbps)
    });
    let fixed = |name: &str, window: usize| grounds[window].of_scheme(name).map_or(f64::NAN, mean);
    let looked = |arm, step| move |window: usize| findings.in_window(arm, step, longest, window);
    let arms = [(Arm::Reptile, 10), (Arm::Joint, 10), (Arm::Random, 10), (Arm::LastWindow, 0), (Arm::Reading, 0)];
    let label = |arm: Arm, step: usize| match step {
        0 => format!("{}, no step", arm.label()),
        _ => format!("{}, {step} steps", arm.label()),
    };
    let mut quality: Vec<Series> =
        arms.iter().map(|&(arm, step)| over_time(&label(arm, step), Style::Markers, &looked(arm, step))).collect();
    quality.push(over_time("greedy, largest first", Style::Markers, &|w| fixed("greedy-largest-first", w)));
    let shares: Vec<Vec<f64>> = (0..grounds.len()).map(|window| findings.shares(longest, window)).collect();
    let decided = |shares: &dyn Fn(usize, usize) -> f64| -> Vec<Series> {
        let one = |(place, name): (usize, &String)| {
            over_time(&format!("tasks at {name}"), Style::Markers, &|window| shares(window, place))
        };
        names.iter().enumerate().map(one).collect()
    };
    let share = || Axis::Linear { label: "share of tasks" };
    let panels = vec![
        Panel {
            title: format!("uplinks, {}", findings.data.test[longest].name),
            x: time(),
            y: Axis::Log { label: "Mbit/s" },
            series: uplinks.collect(),
        },
        Panel { title: "cost of the optimum / cost".to_owned(), x: time(), y: Q2, series: quality },
        Panel {
            title: "where networks that read the environment run tasks".to_owned(),
            x: time(),
            y: share(),
            series: decided(&|window, place| shares[window][place]),
        },
        Panel {
            title: "where the optimum runs them".to_owned(),
            x: time(),
            y: share(),
            series: decided(&|window, place| grounds[window].optimal_shares[place]),
        },
    ];
    let mut rows = vec![vec!["start_s".to_owned(), "optimal_cost".to_owned()]];
    for panel in &panels[..3] {
        rows[0].extend(panel.series.iter().map(|series| series.label.clone()));
    }
    rows[0].extend(panels[3].series.iter().map(|series| format!("{} (optimum)", series.label)));
    for (window, ground) in grounds.iter().enumerate() {
        let values = panels.iter().flat_map(|panel| &panel.series).map(|series| series.points[window].mean.to_string());
        rows.push([ground.start_s.to_string(), ground.optimal_cost.to_string()].into_iter().chain(values).collect());
    }
    Figure {
        id: "replay",
        title: "One drive over time".to_owned(),
        text: "The longest test drive, window by window: the uplinks, how near to the optimum each arm is, and where tasks run. Means over \
               the seeds."
            .to_owned(),
        palette: Palette::Distinct,
        panels,
        rows,
        command: String::new(),
    }
}
