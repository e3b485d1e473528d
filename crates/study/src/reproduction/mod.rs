//! The reproduction of the paper's evaluation (section V), with parts that the paper leaves open.
//!
//! Every part says which trainings it needs. Each training runs once, or is kept if its results exist already, and then the parts
//! are made from the files of the runs.

mod candidates;
mod claims;
mod ddlo;
mod evaluations;
mod finished;
mod fleets;
mod graphs;
mod meta_learning;
mod part;
mod rows;
mod scope;
mod streams;
mod sweeps;
mod table4;
mod tradeoff;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use model::Backend;
use mrdro::files::{check_folder, create_folder, write_file};
use mrdro::sweep::parse_seeds;
use mrdro::{PlannedRun, RUNS, check_names, not_done};
use sim::{Scenario, SchemeError};

use self::evaluations::KeptEvaluations;
pub use self::part::Part;
use self::scope::{Experiment, SCENARIOS, Scope};
use self::sweeps::{BUFFERS, DNNS, LEARNING_RATES, convergence, quality};
use crate::error::Error;
use crate::hard_deadlines;
use crate::page::{Figure, Page, Table};

/// The seeds where none are named.
const SEEDS: &str = "1-5";
/// The seeds of a quick look where none are named.
const QUICK_SEEDS: &str = "1-2";

/// The extent of a reproduction, and the directory of its report.
#[derive(Debug, Clone)]
pub struct ReproductionRequest {
    /// The parts of the report; an empty list stands for all of them.
    pub parts: Vec<Part>,
    /// Whether to try fewer values and train for 3,000 steps: minutes instead of most of an hour.
    pub quick: bool,
    /// Shipped scenarios or files.
    pub scenarios: Vec<String>,
    /// Shipped settings of training or files.
    pub trainings: Vec<String>,
    /// Seeds, such as `1-10` or `1,2,5`; `None`: 1 to 5, or 1 and 2 for a quick look.
    pub seeds: Option<String>,
    /// The directory of the report. Runs that it holds already are kept.
    pub out: PathBuf,
}

/// A reproduction of the paper's evaluation.
#[derive(Debug)]
pub struct Reproduction {
    scope: Scope,
    /// In the order of the report.
    parts: Vec<Part>,
}

/// The runs of a reproduction.
#[derive(Debug)]
pub struct RunsToDo {
    /// The number of all runs.
    pub count: usize,
    /// The runs that are not in the directory yet, for [`mrdro::train_each`].
    pub open: Vec<PlannedRun>,
}

/// A report that was written.
#[derive(Debug)]
pub struct ReproductionReport {
    /// The page.
    pub path: PathBuf,
    /// The schemes that refused the size of a scenario when they were measured for the report, each with its reason.
    pub left_out: Vec<(String, SchemeError)>,
}

impl Reproduction {
    /// Checks the request. Reads and writes no files.
    ///
    /// # Errors
    /// If the text of the seeds makes no sense.
    pub fn new(request: ReproductionRequest) -> Result<Self, Error> {
        let ReproductionRequest { parts: asked, quick, scenarios, trainings, seeds, out } = request;
        let seeds = parse_seeds(seeds.as_deref().unwrap_or(if quick { QUICK_SEEDS } else { SEEDS }))?;
        let parts = Part::ALL.into_iter().filter(|part| asked.is_empty() || asked.contains(part)).collect();
        Ok(Self { scope: Scope { scenarios, trainings, seeds, quick, out }, parts })
    }

    /// The directory of the report.
    pub fn out(&self) -> &Path {
        &self.scope.out
    }

    /// Plans the runs that the parts need and opens the directory.
    ///
    /// # Errors
    /// If the directory holds something else, a scenario or settings cannot be used, or a run of the same name was made
    /// with another plan.
    pub fn runs(&self, backend: &Backend) -> Result<RunsToDo, Error> {
        let out = &self.scope.out;
        check_folder(out)?;
        let is_ours = [RUNS, SCENARIOS].iter().any(|folder| out.join(folder).is_dir());
        if !is_ours && fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(mrdro::Error::RunExists { path: out.clone() }.into());
        }
        // The largest fleets come first, so that no long run is left for the end.
        let mut experiments = Vec::new();
        for part in self.parts.iter().rev() {
            experiments.extend(experiments_of(*part, &self.scope)?);
        }
        let planned = self.scope.planned_runs(&experiments, &backend.name)?;
        let count = planned.len();
        let folder = out.join(RUNS);
        check_names(&planned, out)?;
        create_folder(&folder)?;
        Ok(RunsToDo { count, open: not_done(planned, out, &backend.name)? })
    }

    /// Writes the report from the finished runs: the data, then the pictures, then the page.
    ///
    /// # Errors
    /// If a run is not finished, a record cannot be measured, or a file cannot be written.
    pub fn write(&self) -> Result<ReproductionReport, Error> {
        let Self { scope, parts } = self;
        let mut kept = KeptEvaluations::of(&scope.out);
        let tables = self.tables(&mut kept)?;
        let claims = claims::table(scope, parts)?;
        let claims = (claims.rows.len() > 1).then_some(claims);
        for (id, table) in &tables {
            table.write(&scope.out, id)?;
        }
        if let Some(claims) = &claims {
            claims.write(&scope.out, "claims")?;
        }
        let mut figures = Vec::new();
        for part in parts {
            for figure in figures_of(*part, scope, &mut kept)? {
                let svg = figure.write(&scope.out)?;
                figures.push((figure, svg));
            }
        }
        let page = Page {
            title: "MR-DRO: the paper's evaluation, reproduced",
            introduction: &introduction(scope),
            claims: claims.as_ref(),
            tables: &tables,
            figures: &figures,
        };
        let path = scope.out.join("report.html");
        write_file(&path, page.html().as_bytes())?;
        Ok(ReproductionReport { path, left_out: kept.left_out })
    }

    /// Table IV for each scenario and the claims about task graphs and decisions over time, if they are asked for, with the names
    /// of the files.
    fn tables(&self, kept: &mut KeptEvaluations) -> Result<Vec<(String, Table)>, Error> {
        let mut tables = Vec::new();
        if self.parts.contains(&Part::Table4) {
            for scenario in &self.scope.scenarios {
                let name = Path::new(scenario).file_stem().unwrap_or_default().to_string_lossy();
                tables.push((format!("table4-{name}"), table4::table(&self.scope, scenario, kept)?));
            }
        }
        if self.parts.contains(&Part::Graphs) {
            tables.push(("graphs-claims".to_owned(), graphs::claims(&self.scope, kept)?));
        }
        if self.parts.contains(&Part::Stream) {
            tables.extend(streams::tables(&self.scope, kept)?);
        }
        Ok(tables)
    }
}

/// The experiments that a part needs.
fn experiments_of(part: Part, scope: &Scope) -> Result<Vec<Experiment>, Error> {
    let defaults = || scope.pairs().map(|(scenario, training)| scope.default(scenario, training));
    Ok(match part {
        Part::Table4 => table4::experiments(scope)?,
        Part::Fig5 | Part::Fig8 => DNNS.all_experiments(scope)?,
        Part::Fig6 | Part::Fig9 => LEARNING_RATES.all_experiments(scope)?,
        Part::Fig7 | Part::Fig10 => BUFFERS.all_experiments(scope)?,
        // The claim about the first steps of meta-RL needs the settings as they are.
        Part::Fig12 => meta_learning::experiments(part, scope).into_iter().chain(defaults()).collect(),
        Part::Fig11 | Part::Fig13 => meta_learning::experiments(part, scope),
        Part::Fig14 => weights::experiments(scope)?,
        Part::Candidates => candidates::experiments(scope),
        Part::TradeOff => defaults().collect(),
        Part::Fleets => fleets::experiments(scope)?,
        Part::Graphs | Part::Stream => Vec::new(),
    })
}

/// The figures of a part; none if it is a table.
fn figures_of(part: Part, scope: &Scope, kept: &mut KeptEvaluations) -> Result<Vec<Figure>, Error> {
    let figure = match part {
        Part::Table4 => return Ok(Vec::new()),
        Part::Stream => return streams::figures(scope, kept),
        Part::Fig5 => convergence(
            part,
            scope,
            &DNNS,
            "Q1 compares the recorded costs with what all K DNNs would answer now, on one batch; the picture shows means of reports that follow \
             one another, the data each report. The paper: with K = 1 it does not converge to 1.",
        )?,
        Part::Fig6 => convergence(part, scope, &LEARNING_RATES, "The paper: best at 0.01.")?,
        Part::Fig7 => convergence(part, scope, &BUFFERS, "The paper: best at 1,400.")?,
        Part::Fig8 => quality(part, scope, &DNNS, "The paper: rises with K and stays at about 0.94 from K = 8 on.")?,
        Part::Fig9 => quality(part, scope, &LEARNING_RATES, "The paper: best at 0.01, below 0.8 at 0.1.")?,
        Part::Fig10 => {
            quality(part, scope, &BUFFERS, "The paper: above 0.9 from 500 to 4,800, best at 1,000 to 1,400.")?
        }
        Part::Fig11 => meta_learning::fig11(scope)?,
        Part::Fig12 => meta_learning::fig12(scope)?,
        Part::Fig13 => meta_learning::fig13(scope)?,
        Part::Fig14 => weights::fig14(scope)?,
        Part::Candidates => candidates::figure(scope, kept)?,
        Part::TradeOff => tradeoff::figure(scope, kept)?,
        Part::Fleets => fleets::figure(scope, kept)?,
        Part::Graphs => graphs::figure(scope, kept)?,
    };
    Ok(vec![figure])
}

fn introduction(scope: &Scope) -> Vec<String> {
    let Scope { scenarios, trainings, seeds, quick, out } = scope;
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let extent = if *quick { "A quick look: fewer values, trainings of 3,000 steps. " } else { "" };
    let clauses =
        scenarios.iter().filter_map(|name| Scenario::load(name).ok()).map(|scenario| hard_deadlines::clause(&scenario));
    let hard = clauses.max().unwrap_or_default();
    vec![
        format!(
            "{extent}Scenarios {}, training {}, seeds {}. Q2 is the mean ratio of the optimal cost to the obtained one over the 512 workloads \
             of the standard set, which training never draws{hard}. Means over the seeds; bands, bars and intervals are 95 % (percentile bootstrap over \
             the seeds, 10,000 resamples, 1,000 for each point of a curve).",
            scenarios.join(", "),
            trainings.join(", "),
            seeds.join(", ")
        ),
        format!(
            "Made with: cargo run -p trainer -- reproduce{}{} --out {}. Its runs, each as `trainer train` writes them, are in runs/.",
            if *quick { " --quick" } else { "" },
            scenarios.iter().flat_map(|scenario| [" --scenario ", scenario]).collect::<String>(),
            out.display()
        ),
    ]
}
