//! `serve`: decisions over HTTP, and a live page.

use std::path::Path;

use data::trace::Recording;
use model::{AnyRecord, Selection};
use serve::{DriveView, Event, Limits, Options, Server};

use crate::cli::ServeArgs;
use crate::error::AppError;
use crate::report;
use crate::setup::{self, Problem};

pub(crate) fn run(args: &ServeArgs) -> Result<(), AppError> {
    let token = Some(setup::token(args.token_file.as_deref())?).filter(|token| !token.is_empty());
    let backend = setup::open(&args.compute)?;
    // The service reads the record by itself, as it does again whenever it is told to.
    let problem = problem(args, &AnyRecord::load(&args.record, &backend.device)?)?;
    let drive = args.drive.as_ref().map(|path| drive(path, args, problem.model.devices())).transpose()?;
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let options = Options {
        record: args.record.clone(),
        scenario: args.scenario.is_some().then_some(problem.scenario),
        selection: args.explore.map(Selection::explored),
        effort: args.effort.effort(),
        device: backend.device,
        listen: args.listen,
        token,
        open: args.open,
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        cors: args.cors.clone(),
        drive,
        limits: Limits { waiting: args.max_waiting as usize, ..Limits::default() },
        sample: args.sample,
    };
    let needs_token = if options.token.is_some() { ", for those with the token" } else { "" };
    let server = Server::prepare(options, tell)?;
    let address = server.address().map_err(|source| serve::ServeError::Start { source })?;
    let record = args.record.display();
    report::note(&format!("serving {record} at {scheme}://{address}{needs_token}; Ctrl-C ends, SIGHUP reads it again"));
    Ok(server.run()?)
}

fn tell(event: &Event<'_>) {
    match event {
        Event::Reloaded => report::note("the record was read again"),
        Event::ReloadRefused(error) => report::note(&format!("the record stays as it was: {error}")),
        Event::Ending => report::note("ending: what was accepted is answered"),
        Event::CutOff(count) => report::note(&format!("{count} connections took too long and were cut off")),
    }
}

/// What is decided about: DNNs have a scenario of their own, networks for any fleet are told.
fn problem(args: &ServeArgs, record: &AnyRecord) -> Result<Problem, AppError> {
    setup::check_options(record, args.explore, &args.effort)?;
    match (record, &args.scenario) {
        (AnyRecord::Dnns(record), None) => Problem::new(record.scenario.clone()),
        (AnyRecord::Fleet(_), Some(name)) => Problem::load(name),
        (AnyRecord::Dnns(_), Some(_)) => {
            Err(AppError::OtherRecord { option: "--scenario", wanted: "networks for any fleet" })
        }
        (AnyRecord::Fleet(_), None) => Err(AppError::NoScenario { path: args.record.clone() }),
    }
}

/// The first drive of a recording in which all devices have data.
fn drive(path: &Path, args: &ServeArgs, devices: usize) -> Result<DriveView, AppError> {
    let recording = Recording::open(path)?;
    let mut drives = recording.drives.iter().map(|drive| DriveView::new(drive, devices, args.window));
    let no_window = || AppError::NoWindow {
        path: path.to_owned(),
        reason: format!("no drive with a window of {} s in which {devices} devices have data", args.window),
    };
    drives.find(|drive| drive.windows() > 0).ok_or_else(no_window)
}
