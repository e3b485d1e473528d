//! `serve`: decisions over HTTP, with a live page.

use std::path::Path;

use data::counted;
use data::trace::{Recording, notes};
use model::Record;
use mrdro::{Error, Problem};
use serve::{DriveView, Event, Limits, Options, Server};

use crate::cli::ServeArgs;
use crate::device;
use crate::error::CliError;
use crate::output::{note, note_implausible_scenario};

pub(crate) fn run(args: &ServeArgs) -> Result<(), CliError> {
    let token = Some(device::token(args.token_file.as_deref())?).filter(|token| !token.is_empty());
    let backend = device::open(&args.compute)?;
    // This check finds mistakes before the service starts; the service itself loads the record again.
    let problem = problem(args, &Record::load(&args.record, &backend.device)?)?;
    let drive = args.drive.as_ref().map(|path| drive(path, args, problem.model.devices())).transpose()?;
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let options = Options {
        scenario: args.scenario.is_some().then_some(problem.scenario),
        decisions: args.inference.options(args.explore),
        token,
        open: args.open,
        public_urls: args.public_url.clone(),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        cors: args.cors.clone(),
        drive,
        limits: Limits { waiting: args.max_waiting as usize, ..Limits::default() },
        sample: args.sample,
        ..Options::new(&args.record, args.listen.clone(), backend.device)
    };
    let needs_token = if options.token.is_some() { ", for clients that send the token" } else { "" };
    let server = Server::prepare(options, log)?;
    let address = server.address().map_err(|source| serve::ServeError::Start { source })?;
    let record = args.record.display();
    note(&format!(
        "serving {record} at {scheme}://{address}{needs_token}; Ctrl-C ends the service, SIGHUP reloads the record"
    ));
    Ok(server.run()?)
}

fn log(event: &Event<'_>) {
    match event {
        Event::Reloaded => note("the record was reloaded"),
        Event::ReloadRefused(error) => note(&format!("the record was not reloaded: {error}")),
        Event::Ending => note("ending: requests under way are still answered"),
        Event::CutOff(count) => note(&format!("{count} connections took too long and were closed")),
    }
}

/// The scenario to decide for: the record's own, or the named one if the record is for any fleet.
fn problem(args: &ServeArgs, record: &Record) -> Result<Problem, CliError> {
    record.networks.check_options(&args.inference.options(args.explore))?;
    match (record.networks.scenario(), &args.scenario) {
        (Some(own), None) => Ok(Problem::new(own.clone())?),
        (None, Some(name)) => {
            let problem = Problem::load(name)?;
            note_implausible_scenario(&problem.scenario);
            Ok(problem)
        }
        (Some(_), Some(_)) => Err(Error::OwnScenario { path: args.record.clone() }.into()),
        (None, None) => Err(Error::NoScenario { path: args.record.clone() }.into()),
    }
}

/// The first drive of a recording, in the natural order of names, with a window in which all devices have data.
fn drive(path: &Path, args: &ServeArgs, devices: usize) -> Result<DriveView, CliError> {
    let recording = Recording::read(path, &args.read.options())?;
    let mut drives = recording.drives.iter().map(|drive| (drive, DriveView::new(drive, devices, args.window)));
    let no_window = || Error::NoWindow {
        path: path.to_owned(),
        reason: format!(
            "no drive with a window of {} s in which {} have data",
            args.window,
            counted(devices, "device")
        ),
    };
    let (drive, view) = drives.find(|(_, view)| view.windows() > 0).ok_or_else(no_window)?;
    for text in notes(std::slice::from_ref(drive), Some(devices), args.window) {
        note(&format!("note: {text}"));
    }
    Ok(view)
}
