//! The report of a study: tables, pictures, and one drive over time.

mod figures;
mod replay;
mod tables;

use std::path::{Path, PathBuf};

use mrdro::files::write_file;

use super::findings::{Findings, Windows};
use super::recordings::EnvironmentSequence;
use super::summary::{MethodSummary, table_rows, verdict};
use crate::error::Error;
use crate::hard_deadlines;
use crate::page::{Page, Table};

/// Writes the data, then the pictures, then the page, and returns the path of the page.
pub(super) fn write(findings: &Findings<'_>, summary: &[MethodSummary], out: &Path) -> Result<PathBuf, Error> {
    let claims = tables::claims(findings);
    claims.write(out, "claims")?;
    let comparison = Table { title: "The methods after steps of adaptation".to_owned(), rows: table_rows(summary) };
    let tables = [
        ("comparison".to_owned(), comparison),
        ("costs".to_owned(), tables::costs(findings)),
        ("choices".to_owned(), tables::chosen_settings(findings)),
    ];
    for (id, table) in &tables {
        table.write(out, id)?;
    }
    tables::windows(findings).write(out, "windows")?;
    let mut figures = Vec::new();
    for figure in [figures::adaptation(findings), figures::followed(findings), replay::figure(findings)] {
        let svg = figure.write(out)?;
        figures.push((figure, svg));
    }
    let page = Page {
        title: "Following a changing network",
        introduction: &introduction(findings),
        claims: Some(&claims),
        tables: &tables,
        figures: &figures,
    };
    let path = out.join("report.html");
    write_file(&path, page.html().as_bytes())?;
    Ok(path)
}

fn introduction(findings: &Findings<'_>) -> Vec<String> {
    let study = findings.runs.study;
    let recordings = &study.recordings;
    let adaptation = &study.setup.adaptable.adaptation;
    let seeds: Vec<String> = findings.results.iter().map(|seed| seed.seed.to_string()).collect();
    let count = |sequences: &[EnvironmentSequence]| {
        let windows = sequences.iter().map(|sequence| sequence.windows.len()).sum::<usize>();
        format!("{} drives, {windows} windows", sequences.len())
    };
    let quick = study.request.quick;
    let extent = if quick { "A quick look: shorter pre-training, fewer drives and windows. " } else { "" };
    let hard = hard_deadlines::clause(&study.setup.problem.scenario);
    vec![
        verdict(findings),
        format!(
            "{extent}Trained on {}; settings chosen with {}; tested on {}: {}, {} of them hard (the last window's optimal decisions score \
             below 0.9 there). Seeds {}.",
            count(&recordings.training),
            count(&recordings.validation),
            recordings.test_description,
            count(&recordings.test),
            findings.window_count(Windows::Hard),
            seeds.join(", ")
        ),
        format!(
            "Q2 is the mean ratio of the optimal cost to that of the cheapest of the K proposals, over workloads that training never draws{hard}. A \
             step of adaptation draws {} workloads, lets the networks decide them, improves their decisions by local search, and makes one step \
             of Adam on {} remembered ones for each network. Every method has the same number of networks, steps and workloads; methods with \
             pre-training have learned from about the same number of samples (see costs). Intervals are 95 % bootstrap intervals over drives and seeds, since \
             the windows of one drive are not independent{}. The optimum of the last window is known from each drive's second window on.",
            adaptation.workloads_per_step,
            adaptation.batch,
            if findings.test().len() < 5 { ", and fewer than five drives make rough intervals" } else { "" }
        ),
        format!("Made with: {}", study.request.command()),
    ]
}
