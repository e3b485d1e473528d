//! `plot`: the learning curves of several runs in one picture.

use std::collections::BTreeMap;
use std::path::Path;

use mrdro::chart::{self, Curve};
use mrdro::{Error, Phase, metrics};

use crate::cli::PlotArgs;
use crate::error::CliError;
use crate::output::check_picture;

pub(crate) fn run(args: &PlotArgs) -> Result<(), CliError> {
    check_picture("--out", &args.out)?;
    let mut groups: Vec<(String, BTreeMap<usize, Vec<f64>>)> = Vec::new();
    for argument in &args.runs {
        let (label, path) = label_and_run(argument)?;
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

/// Splits `LABEL=DIR`. Both parts may hold `=`: the label ends at the last one behind which a run directory is named. Without a
/// label the directory is its own.
fn label_and_run(argument: &str) -> Result<(&str, &str), Error> {
    let is_run = |path: &str| metrics::path(Path::new(path)).exists();
    if is_run(argument) || !argument.contains('=') {
        return Ok((argument, argument));
    }
    let mut splits = argument.rmatch_indices('=').map(|(at, _)| (&argument[..at], &argument[at + 1..]));
    splits.find(|(_, path)| is_run(path)).ok_or_else(|| {
        let reason =
            "no run directory, which holds a metrics.csv, is named by the whole of it or by the part behind a `=`";
        Error::NoRun { path: argument.into(), reason: reason.to_owned() }
    })
}

fn curve(label: String, points: BTreeMap<usize, Vec<f64>>) -> Curve {
    let point = |(step, values): (usize, Vec<f64>)| {
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(0.0, f64::max);
        (step as f64, lowest, values.iter().sum::<f64>() / values.len() as f64, highest)
    };
    Curve { label, points: points.into_iter().map(point).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_ends_at_the_last_sign_before_a_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).expect("made");
            std::fs::write(path.join("metrics.csv"), "").expect("written");
            path.to_str().expect("plain").to_owned()
        };
        let (plain, signed) = (run("run"), run("dnns=8-seed1"));
        for (argument, label, path) in [
            (plain.clone(), &*plain, &plain),
            (signed.clone(), &signed, &signed),
            (format!("K=8={plain}"), "K=8", &plain),
            (format!("8 networks={plain}"), "8 networks", &plain),
            (format!("K=8={signed}"), "K=8", &signed),
            (format!("a=b=c={signed}"), "a=b=c", &signed),
            (format!("={plain}"), "", &plain),
        ] {
            assert_eq!(label_and_run(&argument).expect("a run"), (label, path.as_str()), "{argument}");
        }
        let error = label_and_run(&format!("K=8={plain}-2")).expect_err("no run").to_string();
        assert!(error.contains("K=8=") && error.contains("behind a `=`"), "{error}");
    }
}
