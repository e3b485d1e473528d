//! `reproduce`: the paper's section V, and what it leaves open, by one command.
//!
//! Every part says which trainings it needs; all of them are done once, those that are there are kept, and then the
//! parts are made of what the runs wrote. A command that is stopped goes on where it was.

mod beyond;
mod figures;
mod scope;
mod table;

use std::fs;
use std::path::Path;

use crate::cli::ReproduceArgs;
use crate::commands::sweep;
use crate::error::AppError;
use crate::report;
use crate::report::page::{Figure, Page, Table};
use crate::run_dir::write_file;
use crate::runs::{self, RUNS};
use crate::setup;

use scope::{Experiment, Scope};

/// Everything there is to make, in the order of the report.
const PARTS: [&str; 14] = [
    "table4",
    "fig5",
    "fig6",
    "fig7",
    "fig8",
    "fig9",
    "fig10",
    "fig11",
    "fig12",
    "fig13",
    "fig14",
    "candidates",
    "tradeoff",
    "fleets",
];

pub(crate) fn run(args: &ReproduceArgs) -> Result<(), AppError> {
    let parts = parts(&args.only)?;
    let mut scope = Scope::from(args);
    scope.seeds = sweep::parse_seeds(args.seeds.as_deref().unwrap_or(if args.quick { "1-2" } else { "1-5" }))?;
    let backend = setup::open(&args.compute)?;
    let is_ours = ["runs", "scenarios"].iter().any(|folder| scope.out.join(folder).is_dir());
    if !is_ours && fs::read_dir(&scope.out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(AppError::RunExists { path: scope.out });
    }
    // The largest fleets first: nobody should wait for one long run at the end.
    let mut experiments = Vec::new();
    for part in parts.iter().rev() {
        experiments.extend(needed(part, &scope)?);
    }
    let planned = scope.plan(&experiments, &backend.name, args.compute.threads.threads)?;
    let count = planned.len();
    let folder = scope.out.join(RUNS);
    fs::create_dir_all(&folder).map_err(|source| AppError::Unwritable { path: folder, source })?;
    let open = runs::not_done(planned, &scope.out)?;
    report::note(&format!("{count} runs, {} to do", open.len()));
    runs::train_each(&open, &scope.out, &backend)?;
    write(&scope, &parts)?;
    report::note(&format!("written: {}", scope::shown(&scope.out.join("report.html"))));
    Ok(())
}

fn parts(only: &[String]) -> Result<Vec<&'static str>, AppError> {
    if let Some(unknown) = only.iter().find(|part| !PARTS.contains(&part.as_str())) {
        let known = "one of table4, fig5 to fig14, candidates, tradeoff, fleets";
        return Err(AppError::BadOption { option: "--only", text: unknown.clone(), wanted: known });
    }
    Ok(PARTS.into_iter().filter(|part| only.is_empty() || only.iter().any(|asked| asked == part)).collect())
}

fn needed(part: &str, scope: &Scope) -> Result<Vec<Experiment>, AppError> {
    let mut all = figures::experiments(part, scope)?;
    all.extend(beyond::experiments(part, scope)?);
    if part == "table4" {
        for scenario in &scope.scenarios {
            all.extend(scope.trainings.iter().map(|training| scope.default(scenario, training)));
            if scope.trainings.iter().any(|training| training == "paper") {
                all.extend([figures::from_random(scope, scenario, "paper"), beyond::ddlo_experiment(scope, scenario)?]);
            }
        }
    }
    // The claim about meta-RL's first steps looks at the presets as they are.
    if part == "fig12" {
        all.extend(scope.pairs().map(|(scenario, training)| scope.default(scenario, training)));
    }
    Ok(all)
}

/// The picture of a part, unless it is a table.
fn figure(part: &str, scope: &Scope) -> Result<Option<Figure>, AppError> {
    Ok(match part {
        "candidates" => Some(beyond::candidates(scope)?),
        "tradeoff" => Some(beyond::tradeoff(scope)?),
        "fleets" => Some(beyond::fleets_figure(scope)?),
        other => figures::figure(other, scope)?,
    })
}

/// Data before pictures, pictures before the page.
fn write(scope: &Scope, parts: &[&'static str]) -> Result<(), AppError> {
    let mut tables: Vec<(String, Table)> = Vec::new();
    if parts.contains(&"table4") {
        for scenario in &scope.scenarios {
            let table = table::table4(scope, scenario)?;
            let name = Path::new(scenario).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            tables.push((format!("table4-{name}"), table));
        }
    }
    let claims = table::claims(scope, parts)?;
    let claims = (claims.rows.len() > 1).then_some(claims);
    for (id, table) in
        tables.iter().map(|(id, table)| (id.as_str(), table)).chain(claims.iter().map(|table| ("claims", table)))
    {
        table.write(&scope.out, id)?;
    }
    let mut pictures = Vec::new();
    for part in parts {
        let Some(figure) = figure(part, scope)? else { continue };
        let svg = figure.write(&scope.out)?;
        pictures.push((figure, svg));
    }
    let page = Page {
        title: "MR-DRO: the paper's evaluation, reproduced",
        introduction: &introduction(scope),
        claims: claims.as_ref(),
        tables: &tables,
        figures: &pictures,
    };
    write_file(&scope.out.join("report.html"), page.html().as_bytes())
}

fn introduction(scope: &Scope) -> Vec<String> {
    let Scope { scenarios, trainings, seeds, quick, .. } = scope;
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let extent = if *quick { "A quick look: fewer values, trainings of 3,000 steps. " } else { "" };
    vec![
        format!(
            "{extent}Scenarios {}, training {}, seeds {}. Q2 is the mean ratio of the optimal cost to the obtained one over the 512 workloads \
             of the standard set, which training never draws. Means over the seeds; bands, bars and intervals are 95 % (percentile bootstrap over \
             the seeds, 10,000 resamples, 1,000 for each point of a curve).",
            scenarios.join(", "),
            trainings.join(", "),
            seeds.join(", ")
        ),
        format!(
            "Made with: cargo run -p trainer -- reproduce{}{} --out {}. Its runs, each as `trainer train` writes them, are in runs/.",
            if *quick { " --quick" } else { "" },
            scenarios.iter().flat_map(|scenario| [" --scenario ", scenario]).collect::<String>(),
            scope::shown(&scope.out)
        ),
    ]
}
