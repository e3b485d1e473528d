//! `plot`: the learning curves of several runs in one picture.

use std::collections::BTreeMap;
use std::path::Path;

use mrdro::chart::{self, Curve};
use mrdro::{Error, Phase, metrics};

use crate::cli::PlotArgs;
use crate::error::CliError;

pub(crate) fn run(args: &PlotArgs) -> Result<(), CliError> {
    let mut groups: Vec<(String, BTreeMap<usize, Vec<f64>>)> = Vec::new();
    for run in &args.runs {
        let labelled = run.split_once('=').filter(|_| !Path::new(run).exists());
        let (label, path) = labelled.unwrap_or((run, run));
        let group = match groups.iter().position(|(known, _)| known == label) {
            Some(position) => &mut groups[position].1,
            None => &mut groups.push_mut((label.to_owned(), BTreeMap::new())).1,
        };
        let mut any = false;
        for row in metrics::read(Path::new(path))?.into_iter().filter(|row| row.phase != Phase::Meta) {
            if let Some(q2) = row.q2 {
                group.entry(row.step).or_default().push((1.0 - q2).max(chart::SMALLEST_GAP));
                any = true;
            }
        }
        if !any {
            let reason = "it has no steps of reinforcement learning with a known Q2".to_owned();
            return Err(Error::NoRun { path: path.into(), reason }.into());
        }
    }
    let curves: Vec<Curve> = groups.into_iter().map(|(label, points)| curve(label, points)).collect();
    Ok(chart::gap_curves(&args.title, &curves, &args.out)?)
}

fn curve(label: String, points: BTreeMap<usize, Vec<f64>>) -> Curve {
    let point = |(step, values): (usize, Vec<f64>)| {
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(0.0, f64::max);
        (step as f64, lowest, values.iter().sum::<f64>() / values.len() as f64, highest)
    };
    Curve { label, points: points.into_iter().map(point).collect() }
}
