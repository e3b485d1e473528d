//! Tests of the whole module.

mod accounting;
mod chains;
mod optima;
mod schemes;

use super::scheme::SlotSchemeKind;
use super::*;
use crate::random;

/// A problem with these links, whose data is set by the path.
fn plain(links: usize, applications: usize, change: impl FnOnce(&mut SlotSettings)) -> SlotProblem {
    let mut settings = testing::settings();
    settings.links = (0..links).map(|link| Link { power_w: 1.0 + link as f64, ..settings.links[0].clone() }).collect();
    settings.applications = vec![settings.applications[0].clone(); applications];
    settings.applications.iter_mut().for_each(|application| application.load = Load::FilesPerSecond(0.1));
    change(&mut settings);
    SlotProblem::new(settings).expect("valid")
}

fn file(slot: usize, bytes: f64) -> FileArrival {
    FileArrival { slot, application: 0, bytes }
}

fn run(path: &SlotPath, name: &str) -> SlotOutcome {
    let kind: SlotSchemeKind = name.parse().expect("a name");
    simulate(path, kind.build(None).expect("no model needed").as_mut(), None).expect("it decides")
}

/// A small path with whole numbers: `slots` slots, rates from 0 to 3, some files.
fn small(problem: &SlotProblem, slots: usize, random: &mut random::Stream) -> SlotPath {
    let rates = (0..slots * problem.links()).map(|_| random::below(random, 4) as f64).collect();
    let mut files: Vec<FileArrival> =
        (0..3).map(|_| file(random::below(random, slots), 1.0 + random::below(random, 3) as f64)).collect();
    files.sort_by_key(|file| file.slot);
    SlotPath::new(problem, rates, files).expect("valid")
}
