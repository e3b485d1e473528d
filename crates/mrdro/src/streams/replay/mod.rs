//! Runs as pages that replay them: one HTML file for each run, with everything in it. A page loads nothing, so that it works
//! without a network, and text of the scenario reaches its document as text alone.

mod slots;
mod tasks;

use std::path::Path;

use serde::Serialize;

use self::slots::SlotReplay;
use self::tasks::TaskReplay;
use super::run::{Events, StreamRun, StreamSummary};
use crate::error::Error;
use crate::files::write_file;

const PAGE: &str = include_str!("page/replay.html");
const STYLE: &str = include_str!("page/replay.css");
/// One module, in the order in which its parts need each other's constants.
const SCRIPTS: [&str; 4] = [
    include_str!("page/elements.js"),
    include_str!("page/tasks.js"),
    include_str!("page/slots.js"),
    include_str!("page/player.js"),
];

/// The number of points of the overview of a whole run.
const OVERVIEW_POINTS: usize = 400;

/// Everything that a page shows.
#[derive(Debug, Serialize)]
struct Replay<'r> {
    summary: &'r StreamSummary,
    run: RunReplay<'r>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum RunReplay<'r> {
    Dispatch(Box<TaskReplay<'r>>),
    Slots(Box<SlotReplay<'r>>),
}

/// A figure over a whole run at equal steps of time.
#[derive(Debug, Serialize)]
struct Overview {
    from_s: f64,
    step_s: f64,
    values: Vec<f64>,
}

/// The page that replays a run, as HTML. A run of dispatching shows each queue, each decision with what the places promised, and
/// the cost so far; one in slots shows rates, what waits and what is sent, energy and delay so far. Of a long run a part is
/// shown, which begins in the middle, and the page says so.
///
/// # Errors
/// If the text cannot be written to memory.
pub fn replay_page(run: &StreamRun) -> Result<String, Error> {
    let shown = match &run.events {
        Events::Tasks { tasks, places, site, path, .. } => {
            RunReplay::Dispatch(Box::new(TaskReplay::of(tasks, places, site, path)))
        }
        Events::Slots { slots, links, slot_s } => RunReplay::Slots(Box::new(SlotReplay::of(slots, links, *slot_s))),
    };
    let replay = Replay { summary: &run.summary, run: shown };
    let data = serde_json::to_string(&replay).map_err(|source| Error::Output { source: source.into() })?;
    // Nothing in the data may end the element that it stands in.
    let data = data.replace('<', "\\u003c");
    let page = PAGE.replace("/* STYLE */", STYLE).replace("/* SCRIPT */", &SCRIPTS.concat());
    // Last, since a scenario may be called like one of the marks.
    Ok(page.replacen("/* DATA */", &data, 1))
}

/// Writes the page that replays a run.
///
/// # Errors
/// If the file cannot be written.
pub fn write_replay(run: &StreamRun, path: &Path) -> Result<(), Error> {
    write_file(path, replay_page(run)?.as_bytes())
}

/// A number with at most `digits` digits behind the point: pages hold tens of thousands of numbers.
fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// A number with five significant digits.
fn short(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    rounded(value, 4 - value.abs().log10().floor() as i32)
}

#[cfg(test)]
mod tests {
    use super::super::{StreamProblem, run};
    use super::*;

    fn data_of(page: &str) -> serde_json::Value {
        let (_, rest) = page.split_once("id=\"data\">").expect("data");
        let (data, _) = rest.split_once("</script>").expect("an end");
        serde_json::from_str(data).expect("JSON")
    }

    fn page(name: &str, scheme: &str, change: impl FnOnce(&mut StreamProblem)) -> (StreamRun, String) {
        let mut problem = StreamProblem::load(name).expect("a preset");
        change(&mut problem);
        let run = run(&problem, scheme, 3).expect("a run");
        let page = replay_page(&run).expect("a page");
        (run, page)
    }

    fn numbers(value: &serde_json::Value) -> Vec<f64> {
        value.as_array().expect("an array").iter().map(|value| value.as_f64().expect("a number")).collect()
    }

    #[test]
    fn a_page_needs_nothing_but_itself() {
        for (name, scheme) in [("dispatch", "greedy"), ("commute", "threshold")] {
            let (_, page) = page(name, scheme, |problem| problem.shorten(500));
            assert!(page.ends_with("</html>\n"));
            for outside in ["http://", "https://", "src=", "@import", "url(", "/* STYLE", "/* SCRIPT", "/* DATA"] {
                let inside = page.replace("http://www.w3.org/2000/svg", "");
                assert!(!inside.contains(outside), "{outside}");
            }
            assert!(page.contains("default-src 'none'"));
        }
    }

    #[test]
    fn the_look_is_that_of_the_services_page() {
        let service = std::fs::read_to_string("../serve/page/page.css").expect("the service's page");
        let look = |text: &str| text.split_once("\n}").expect("variables").0.to_owned();
        assert_eq!(
            look(STYLE).split_once(":root").expect("variables").1,
            look(&service).split_once(":root").expect("variables").1
        );
    }

    #[test]
    fn names_of_a_scenario_cannot_become_a_part_of_the_page() {
        let name = "</script><script>alert(1)</script>/* DATA *//* SCRIPT */";
        let (mut run, _) = page("dispatch", "greedy", |problem| problem.shorten(50));
        name.clone_into(&mut run.summary.scenario);
        let page = replay_page(&run).expect("a page");
        assert!(!page.contains("<script>alert"));
        assert_eq!(data_of(&page)["summary"]["scenario"], name);
    }

    #[test]
    fn the_sums_of_a_page_are_those_of_the_run() {
        for tasks in [2_000, 25_000] {
            let (run, page) = page("dispatch", "one-step", |problem| problem.shorten(tasks));
            let data = &data_of(&page)["run"];
            let (from, warm_up) =
                (data["first"].as_u64().expect("a number"), data["warm_up"].as_u64().expect("a number"));
            assert_eq!(from > 0, tasks == 25_000);
            let first_shown = numbers(&data["earlier"]).len();
            let costs = numbers(&data["cost"]);
            assert_eq!(costs.len() - first_shown, tasks.min(tasks::MOST_TASKS));
            let base = &data["done_before"];
            let (mut count, mut cost) =
                (base["tasks"].as_f64().expect("a number"), base["cost"].as_f64().expect("a number"));
            let number_of = |at: usize| match numbers(&data["earlier"]).get(at) {
                Some(number) => *number as u64,
                None => from + (at - first_shown) as u64,
            };
            let rest: Vec<f64> = (0..costs.len()).filter(|at| number_of(*at) >= warm_up).map(|at| costs[at]).collect();
            count += rest.len() as f64;
            cost += rest.iter().sum::<f64>();
            if tasks == 2_000 {
                assert_eq!(count as usize, run.summary.tasks);
                assert!((cost / count / run.summary.cost - 1.0).abs() < 1e-4, "{} {}", cost / count, run.summary.cost);
            }
            // What greedy would have chosen is the least of what the places promised.
            assert_eq!(numbers(&data["offers"][0]["cost"]).len(), costs.len() - first_shown);
        }
    }

    #[test]
    fn slots_add_up_to_the_run() {
        let (run, page) = page("commute", "threshold@4", |_| {});
        let data = &data_of(&page)["run"];
        let energy: f64 = numbers(&data["energy_j"]).iter().sum();
        let (arrived, sent) = (numbers(&data["arrived_mb"]), numbers(&data["links"][0]["sent_mb"]));
        let files = run.summary.tasks as f64;
        assert!((energy / files / run.summary.mean_energy_j - 1.0).abs() < 1e-3);
        assert!((arrived.iter().sum::<f64>() - sent.iter().sum::<f64>()).abs() < 0.5);
        let backlog = numbers(&data["backlog_mb"]);
        let waits: f64 = backlog.iter().zip(&sent).map(|(backlog, sent)| backlog - 0.5 * sent).sum();
        assert!((waits / arrived.iter().sum::<f64>() / run.summary.mean_delay_s - 1.0).abs() < 1e-3);
    }

    #[test]
    fn numbers_keep_five_digits() {
        assert_eq!([0.0, 1.234_567, -98_765.4, 1e-7, f64::INFINITY].map(short), [0.0, 1.2346, -98_765.0, 1e-7, 0.0]);
    }
}
