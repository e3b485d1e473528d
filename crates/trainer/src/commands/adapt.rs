//! `adapt`: adapts a record to a new environment.

use mrdro::training::Training;
use mrdro::{AdaptRequest, Adapted, Destination, Error, MissedDeadlines, Point};
use sim::limits::WINDOW_S;

use crate::cli::{AdaptArgs, Format};
use crate::device;
use crate::error::CliError;
use crate::output::{MISSED, missed, note, print, table, write_out};

pub(crate) fn run(args: &AdaptArgs) -> Result<(), CliError> {
    let request = request(args)?;
    let adapted = device::on_device(&args.compute, |backend| Ok(mrdro::adapt_record(&request, backend)?))?;
    if let Some(text) = &adapted.note {
        note(text);
    }
    show(args.format.format, &adapted)
}

fn request(args: &AdaptArgs) -> Result<AdaptRequest, CliError> {
    if let Some(setting) = args.settings.iter().find(|setting| !setting.starts_with("adaptation.")) {
        let wanted = "a setting of section [adaptation], the only one that `adapt` uses";
        return Err(Error::BadOption { option: "--set", text: setting.clone(), wanted }.into());
    }
    let destination = match &args.traces {
        None => Destination::Scenario(args.scenario.clone().unwrap_or_default()),
        Some(path) => Destination::Recording {
            path: path.clone(),
            options: args.read.options(),
            drive: args.drive.clone(),
            at_s: args.at,
            window_s: args.window.unwrap_or(WINDOW_S),
        },
    };
    Ok(AdaptRequest {
        record: args.record.clone(),
        destination,
        training: Training::load(&args.training, &args.settings)?,
        steps: args.steps.clone(),
        seed: args.seed.seed,
        out: args.out.clone(),
    })
}

fn show(format: Format, adapted: &Adapted) -> Result<(), CliError> {
    if format == Format::Json {
        write_out(&mrdro::files::json(adapted))?;
    } else {
        print(format, &adapted.points, || {
            let has_deadlines = adapted.missed_deadlines.is_some();
            let mut header = vec!["steps", "Q2", "Q2 p5", "Q2 explored"];
            header.extend(if has_deadlines { &[MISSED, "missed explored"][..] } else { &[] });
            header.extend(["evaluations", "ms"]);
            let row = |point: &Point| {
                let mut cells = vec![point.step.to_string()];
                cells.extend([point.q2, point.q2_p05, point.q2_explored].map(|ratio| format!("{ratio:.5}")));
                if has_deadlines {
                    let shares = [point.share_of_missed_deadlines, point.share_of_missed_deadlines_explored];
                    cells.extend(shares.map(missed));
                }
                cells.extend([point.evaluations.to_string(), format!("{:.1}", point.seconds * 1e3)]);
                cells
            };
            table(&header, adapted.points.iter().map(row).collect())
        })?;
    }
    note(&format!(
        "\nin this environment greedy has Q2 {:.5} and greedy (largest first) {:.5}\n\
         {missed}written to {directory}: results.json record/",
        adapted.q2_greedy,
        adapted.q2_greedy_largest_first,
        missed = adapted.missed_deadlines.as_ref().map_or_else(String::new, missed_by_others),
        directory = adapted.directory.display()
    ));
    Ok(())
}

/// The line that says how many deadlines schemes miss that do not learn.
fn missed_by_others(shares: &MissedDeadlines) -> String {
    let [greedy, largest_first, exact] =
        [shares.greedy, shares.greedy_largest_first, shares.exact].map(|share| missed(Some(share)));
    format!("greedy misses {greedy} of the deadlines, greedy (largest first) {largest_first}, the optimum {exact}\n")
}
