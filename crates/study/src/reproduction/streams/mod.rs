//! Decisions over time: the systems of Table I that make them, and what they claim.
//!
//! Every group of measurements is kept as soon as it is done, so that a report that was interrupted goes on where it was. No
//! time is measured: equal seeds give equal files.

mod findings;
mod games;
mod links;
mod offloading;
mod pictures;
mod policies;
mod sites;

use self::findings::Finding;
use self::games::{Game, GameRuns};
use self::links::LinkRuns;
use self::offloading::OffloadingRuns;
use self::sites::SettingRuns;
use super::evaluations::KeptEvaluations;
use super::scope::Scope;
use crate::error::Error;
use crate::page::{Figure, Table};

/// How much is measured.
#[derive(Debug, Clone)]
struct Extent {
    quick: bool,
    seeds: Vec<u64>,
}

impl Extent {
    fn of(scope: &Scope) -> Self {
        Self { quick: scope.quick, seeds: scope.seeds.clone() }
    }

    fn first_seed(&self) -> u64 {
        self.seeds.first().copied().unwrap_or(1)
    }
}

/// Measures a group of findings.
type Measure = fn(&Extent) -> Result<Vec<Finding>, Error>;

/// The claims about decisions over time with verdicts, and the costs of rules for dispatching, each with the name of its file.
pub(super) fn tables(scope: &Scope, kept: &KeptEvaluations) -> Result<Vec<(String, Table)>, Error> {
    let extent = &Extent::of(scope);
    let links = link_runs(scope, kept)?;
    let offloading: Vec<OffloadingRuns> =
        kept.read_or_measure_values("stream-offloading", || offloading::measure(extent))?;
    let mut findings = [links::findings(&links), offloading::findings(&offloading)].concat();
    let groups: [(&str, Measure); 4] = [
        ("stream-mdp", policies::mdp),
        ("stream-places", games::single_places),
        ("stream-emop", policies::emop),
        ("stream-deadlines", policies::wu),
    ];
    for (name, measure) in groups {
        findings.extend(kept.read_or_measure_values::<Vec<Finding>>(name, || measure(extent))?);
    }
    let mut settings: Vec<SettingRuns> = Vec::new();
    for index in 0..sites::settings() {
        let name = format!("stream-setting-{}", index + 1);
        settings.push(kept.read_or_measure_values(&name, || sites::measure(index, extent))?);
    }
    let rollouts: Vec<SettingRuns> =
        kept.read_or_measure_values("stream-rollouts", || sites::measure_rollouts(extent))?;
    let mut games: Vec<GameRuns> = Vec::new();
    for (index, game) in Game::all(scope.quick).iter().enumerate() {
        let name = format!("stream-game-{}", index + 1);
        games.push(kept.read_or_measure_values(&name, || games::measure(game, extent))?);
    }
    findings.extend(games::findings(&games));
    findings.extend(sites::findings(&settings, &rollouts));
    let claims = Table {
        title: "Decisions over time: the claims of the systems of Table I".to_owned(),
        rows: std::iter::once(Finding::header()).chain(findings.iter().map(Finding::row)).collect(),
    };
    Ok(vec![("stream-claims".to_owned(), claims), ("stream-settings".to_owned(), sites::table(&settings))])
}

/// Energy against delay, and cost against load. Queues over time are written as files of their own.
pub(super) fn figures(scope: &Scope, kept: &KeptEvaluations) -> Result<Vec<Figure>, Error> {
    let extent = &Extent::of(scope);
    let links = link_runs(scope, kept)?;
    let loads: Vec<SettingRuns> = kept.read_or_measure_values("stream-loads", || sites::measure_loads(extent))?;
    pictures::write_queues(&scope.out, extent)?;
    Ok(vec![pictures::links(&links), pictures::loads(&loads)])
}

fn link_runs(scope: &Scope, kept: &KeptEvaluations) -> Result<Vec<LinkRuns>, Error> {
    kept.read_or_measure_values("stream-links", || links::measure(&Extent::of(scope)))
}
