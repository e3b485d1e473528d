//! `serve`: decisions over HTTP, with a live page.

use std::path::Path;
use std::time::Duration;

use data::counted;
use data::trace::{Recording, notes};
use model::{Backend, Record};
use mrdro::streams::StreamProblem;
use mrdro::{Error, Problem};
use serve::{DispatchOptions, DriveView, Event, Limits, Options, SchemeSource, Server};
use sim::AnyScenario;
use sim::stream::StreamScenario;
use sim::stream::scenario::DispatchScenario;

use crate::cli::ServeArgs;
use crate::device;
use crate::error::CliError;
use crate::output::{note, note_implausible_scenario};

/// The scheme that dispatches where none is named.
const DISPATCH_SCHEME: &str = "one-step-fitted";

pub(crate) fn run(args: &ServeArgs) -> Result<(), CliError> {
    let Some(record) = &args.record else { return run_dispatch(args, None) };
    let backend = device::open(&args.compute)?;
    if Record::load(record, &backend.device)?.networks.dispatch_scheme("").is_some() {
        run_dispatch(args, Some(&backend))
    } else {
        run_record(args, record)
    }
}

fn run_record(args: &ServeArgs, record_path: &Path) -> Result<(), CliError> {
    if let Some((option, _)) = args.dispatch.given().into_iter().find(|(_, is_given)| *is_given) {
        return Err(Error::WrongKind { option, of: "of dispatching", is: "of a record" }.into());
    }
    let token = Some(device::token(args.token_file.as_deref())?).filter(|token| !token.is_empty());
    let backend = device::open(&args.compute)?;
    // This check finds mistakes before the service starts; the service itself loads the record again.
    let problem = problem(args, record_path, &Record::load(record_path, &backend.device)?)?;
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
        ..Options::new(record_path, args.listen.clone(), backend.device)
    };
    let needs_token = if options.token.is_some() { ", for clients that send the token" } else { "" };
    let server = Server::prepare(options, log)?;
    let address = server.address().map_err(|source| serve::ServeError::Start { source })?;
    let record = record_path.display();
    note(&format!(
        "serving {record} at {scheme}://{address}{needs_token}; Ctrl-C ends the service, SIGHUP reloads the record"
    ));
    Ok(server.run()?)
}

/// `serve` for scenarios of dispatching: with a scheme by its name, or with the networks of a record.
fn run_dispatch(args: &ServeArgs, backend: Option<&Backend>) -> Result<(), CliError> {
    let Some(name) = args.scenario.as_deref() else {
        return Err(Error::NoScenario { path: args.record.clone().unwrap_or_default() }.into());
    };
    let scenario = dispatch_scenario(name)?;
    for (option, is_given) in [
        ("--drive", args.drive.is_some()),
        ("--explore", args.explore.is_some()),
        ("--budget", args.inference.budget.is_some()),
        ("--search-free", args.inference.search_free),
    ] {
        if is_given {
            return Err(Error::WrongKind { option, of: "of a record", is: "of dispatching" }.into());
        }
    }
    device::start_threads(&args.compute.threads)?;
    let token = Some(device::token(args.token_file.as_deref())?).filter(|token| !token.is_empty());
    let scheme = args.tls_cert.as_ref().map_or("http", |_| "https");
    let given = &args.dispatch;
    let sync_every = match given.sync_every {
        None => Duration::from_secs(1),
        Some(seconds) => {
            Duration::try_from_secs_f64(seconds).ok().filter(|every| !every.is_zero()).ok_or_else(|| {
                let wanted = "a number of seconds above 0";
                Error::BadOption { option: "--sync-every", text: seconds.to_string(), wanted }
            })?
        }
    };
    let machines = given.machines.map_or(sim::stream::dispatch::live::SharedMachines::Share, Into::into);
    let options = DispatchOptions {
        seed: given.seed.unwrap_or(1),
        scheme: scheme_source(args, backend)?,
        devices: given.devices.as_ref().map(|devices| (devices.0.clone(), machines)),
        state: given.state.clone(),
        sync_every,
        token,
        open: args.open,
        public_urls: args.public_url.clone(),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        cors: args.cors.clone(),
        ..DispatchOptions::new(scenario, args.listen.clone())
    };
    let needs_token = if options.token.is_some() { ", for clients that send the token" } else { "" };
    let server = Server::prepare_dispatch(options, log_dispatch)?;
    let address = server.address().map_err(|source| serve::ServeError::Start { source })?;
    note(&format!(
        "serving {name} at {scheme}://{address}{needs_token}; Ctrl-C ends the service, SIGHUP opens the scheme again"
    ));
    Ok(server.run()?)
}

/// Where the scheme that dispatches comes from.
fn scheme_source(args: &ServeArgs, backend: Option<&Backend>) -> Result<SchemeSource, Error> {
    match (&args.record, &args.dispatch.scheme, backend) {
        (Some(_), Some(scheme), _) => {
            let wanted = "possible together with --record, whose networks dispatch";
            Err(Error::BadOption { option: "--scheme", text: scheme.clone(), wanted })
        }
        (Some(path), None, Some(backend)) => {
            Ok(SchemeSource::Record { path: path.clone(), device: backend.device.clone() })
        }
        (_, scheme, _) => Ok(SchemeSource::Name(scheme.clone().unwrap_or_else(|| DISPATCH_SCHEME.to_owned()))),
    }
}

/// A scenario of dispatching, with the recordings that it names.
pub(super) fn dispatch_scenario(name: &str) -> Result<DispatchScenario, CliError> {
    if let AnyScenario::Stream(scenario) = AnyScenario::load(name).map_err(Error::from)?
        && let StreamScenario::Dispatch(scenario) = StreamProblem::new(scenario)?.scenario
    {
        return Ok(scenario);
    }
    let wanted = "a scenario of dispatching, such as dispatch; for others --record names a record";
    Err(Error::BadOption { option: "--scenario", text: name.to_owned(), wanted }.into())
}

fn log_dispatch(event: &Event<'_>) {
    match event {
        Event::Reloaded => note("the scheme was opened again"),
        Event::ReloadRefused(error) => note(&format!("the scheme was not opened again: {error}")),
        event => log(event),
    }
}

fn log(event: &Event<'_>) {
    match event {
        Event::Reloaded => note("the record was reloaded"),
        Event::ReloadRefused(error) => note(&format!("the record was not reloaded: {error}")),
        Event::Continued { tasks, away, scheme_continues } => {
            let scheme = if *scheme_continues { "" } else { "; the scheme is another, or remembers nothing of them" };
            let away = away.as_secs_f64();
            note(&format!(
                "continuing after {}, {away:.1} s after the state was written{scheme}",
                counted(*tasks as usize, "task")
            ));
        }
        Event::StateNotWritten(error) => note(&format!("the state {error}")),
        Event::Ending => note("ending: requests under way are still answered"),
        Event::CutOff(count) => note(&format!("{count} connections took too long and were closed")),
    }
}

/// The scenario to decide for: the record's own, or the named one if the record is for any fleet.
fn problem(args: &ServeArgs, path: &Path, record: &Record) -> Result<Problem, CliError> {
    record.networks.check_options(&args.inference.options(args.explore))?;
    match (record.networks.scenario(), &args.scenario) {
        (Some(own), None) => Ok(Problem::new(own.clone())?),
        (None, Some(name)) => {
            let problem = Problem::load(name)?;
            note_implausible_scenario(&problem.scenario);
            Ok(problem)
        }
        (Some(_), Some(_)) => Err(Error::OwnScenario { path: path.to_owned() }.into()),
        (None, None) => Err(Error::NoScenario { path: path.to_owned() }.into()),
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
