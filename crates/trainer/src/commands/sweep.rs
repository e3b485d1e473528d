//! `sweep`: training runs over seeds and settings, possibly split among machines, and a summary of their results.

use std::collections::BTreeSet;
use std::path::Path;

use mrdro::Target;
use mrdro::statistics::Spread;
use mrdro::sweep::{self, ShardRuns, SummaryLine, Sweep, SweepPlan, parse_seeds};

use crate::cli::{Format, SweepArgs, SweepCommand, SweepRunsArgs};
use crate::device;
use crate::error::CliError;
use crate::output::{note, note_implausible_scenario, table, write_out};
use crate::progress::Progress;

/// The schemes that the printed table shows: greedy and the trained networks.
const SHOWN: [&str; 3] = ["greedy", "mr-dro", "mr-dro-explored"];

pub(crate) fn run(args: &SweepArgs) -> Result<(), CliError> {
    match &args.command {
        Some(SweepCommand::Merge(merge)) => {
            let sweep = sweep::merge(&merge.shards, &merge.out)?;
            show(&sweep, &merge.out, merge.format.format)
        }
        None => train_all(&args.runs),
    }
}

fn train_all(args: &SweepRunsArgs) -> Result<(), CliError> {
    let shard = args.shard.parse()?;
    let plan = SweepPlan {
        scenarios: args.scenario.iter().cloned().map(Into::into).collect(),
        trainings: args.training.clone(),
        settings: args.settings.clone(),
        varied: args.varied.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        seeds: parse_seeds(&args.seeds)?,
        device: args.compute.device.clone(),
    };
    let out = args.out.as_deref().expect("the command line requires it");
    let backend = device::open(&args.compute)?;
    let ShardRuns { count, of_shard, runs } = sweep::open(&plan, shard, out, &backend)?;
    note(&format!("{count} runs, {of_shard} of them this shard's, {} to do", runs.len()));
    let mut noted = BTreeSet::new();
    for run in &runs {
        if let Target::Scenario { scenario, .. } = &run.plan.target
            && noted.insert(&scenario.name)
        {
            note_implausible_scenario(scenario);
        }
    }
    let progress = Progress::new("runs", runs.len());
    mrdro::train_each(&runs, out, &backend, &|done| progress.done(done))?;
    drop(progress);
    show(&Sweep::read(&[out.to_owned()])?, out, args.format.format)
}

/// Writes the tables of a sweep and prints the summary.
fn show(sweep: &Sweep, out: &Path, format: Format) -> Result<(), CliError> {
    sweep.write(out)?;
    let text = match format {
        Format::Csv => mrdro::files::csv_of_cells(&sweep.summary_cells()),
        Format::Json => json(&sweep.summary_cells()),
        Format::Table => summary_table(sweep) + "\n",
    };
    write_out(text.as_bytes())?;
    note(&format!("{} runs in {}: runs.csv summary.csv runs/", sweep.runs(), out.display()));
    Ok(())
}

/// The rows of the summary as JSON objects. Cells that hold a number become numbers.
fn json(rows: &[Vec<String>]) -> String {
    let object = |row: &Vec<String>| -> serde_json::Map<String, serde_json::Value> {
        let texts = ["scenario", "training", "scheme", "measure"];
        let value = |(name, text): (&String, &String)| -> (String, serde_json::Value) {
            let number = text.parse::<f64>().ok().filter(|_| !texts.contains(&name.as_str()));
            (name.clone(), number.map_or_else(|| text.clone().into(), Into::into))
        };
        rows[0].iter().zip(row).map(value).collect()
    };
    let objects: Vec<_> = rows[1..].iter().map(object).collect();
    String::from_utf8_lossy(&mrdro::files::json(&objects)).into_owned()
}

fn summary_table(sweep: &Sweep) -> String {
    let varied = sweep.varied.iter().map(String::as_str);
    let header: Vec<&str> = ["scenario", "training"]
        .into_iter()
        .chain(varied)
        .chain(["scheme", "runs", "measure", "mean", "95 % interval", "range"])
        .collect();
    let cells = |line: &SummaryLine<'_>| {
        let Spread { count, mean, low, high, least, greatest, .. } = line.spread;
        let mut row = vec![line.scenario.to_owned(), line.training.to_owned()];
        row.extend(line.values.iter().cloned());
        row.extend([
            line.scheme.to_owned(),
            count.to_string(),
            line.measure.to_owned(),
            format!("{mean:.5}"),
            format!("{low:.5}–{high:.5}"),
            format!("{least:.5}–{greatest:.5}"),
        ]);
        row
    };
    table(&header, sweep.summary().iter().filter(|line| SHOWN.contains(&line.scheme)).map(cells).collect())
}
