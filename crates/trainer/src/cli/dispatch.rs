//! Options of dispatching tasks as they arrive.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use sim::stream::dispatch::MAX_SITE_DEVICES;
use sim::stream::dispatch::live::SharedMachines;

use super::{FormatArg, SeedArg, ThreadsArg};

/// Options of `serve` for scenarios of dispatching.
#[derive(Debug, Args)]
#[command(next_help_heading = "Dispatching")]
pub(crate) struct DispatchArgs {
    /// Scheme that dispatches, as `compare --scenario dispatch` names them [default: one-step-fitted]
    #[arg(long, value_name = "NAME")]
    pub(crate) scheme: Option<String>,
    /// Seed of the site, where the scenario leaves something to chance, and of schemes that draw [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Serve these devices alone, such as `0-9` or `0,3,7-9`, beside services for the others
    #[arg(long, value_name = "DEVICES")]
    pub(crate) devices: Option<DeviceList>,
    /// What a service of some devices has of machines that all share
    #[arg(long, value_name = "SHARE|WHOLE", requires = "devices")]
    pub(crate) machines: Option<MachinesOf>,
    /// File in which queues, open tasks and counts survive a restart
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// How often the state is written to it
    #[arg(long, value_name = "SECONDS", requires = "state")]
    pub(crate) sync_every: Option<f64>,
}

impl DispatchArgs {
    /// Whether each option is given, by its name.
    pub(crate) fn given(&self) -> [(&'static str, bool); 6] {
        [
            ("--scheme", self.scheme.is_some()),
            ("--seed", self.seed.is_some()),
            ("--devices", self.devices.is_some()),
            ("--machines", self.machines.is_some()),
            ("--state", self.state.is_some()),
            ("--sync-every", self.sync_every.is_some()),
        ]
    }
}

/// What a service of some devices has of machines that all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MachinesOf {
    /// The share that its devices have in all arrivals: slower machines, for them alone
    Share,
    /// All of them: requests tell their backlogs (queues_s)
    Whole,
}

impl From<MachinesOf> for SharedMachines {
    fn from(machines: MachinesOf) -> Self {
        match machines {
            MachinesOf::Share => Self::Share,
            MachinesOf::Whole => Self::Whole,
        }
    }
}

/// Devices by their numbers: `0-9`, `0,3,7-9`, or with their names, `device 3,device 5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceList(pub(crate) Vec<usize>);

/// A text that is no list of devices.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no list of devices; such a list is `0-9` or `0,3,7-9`")]
pub(crate) struct NoDeviceList(String);

impl FromStr for DeviceList {
    type Err = NoDeviceList;

    fn from_str(text: &str) -> Result<Self, NoDeviceList> {
        let wrong = || NoDeviceList(text.to_owned());
        let number = |text: &str| text.trim().trim_start_matches("device ").parse::<usize>().map_err(|_| wrong());
        let mut devices = Vec::new();
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last || last >= MAX_SITE_DEVICES {
                return Err(wrong());
            }
            devices.extend(first..=last);
        }
        devices.sort_unstable();
        devices.dedup();
        Ok(Self(devices))
    }
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// URL of the service, such as `http://127.0.0.1:8080`
    #[arg(long, value_name = "URL")]
    pub(crate) against: String,
    /// Scenario of the service: a preset or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "dispatch")]
    pub(crate) scenario: String,
    /// Number of runs, each with its own course of arrivals and rates at the same site
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) runs: u16,
    /// Tasks of a run [default: as the scenario says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000_000))]
    pub(crate) tasks: Option<u32>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    /// Run this many times faster than real time [default: as fast as possible]
    #[arg(long, value_name = "FACTOR")]
    pub(crate) speed: Option<f64>,
    /// Tell the service the rates that links have at the moment, where they change
    #[arg(long)]
    pub(crate) tell_rates: bool,
    /// Begin although the service has placed tasks before: it forgets them
    #[arg(long)]
    pub(crate) reset: bool,
    /// Send the token in this file [default: the token in the environment variable TRAINER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_listed_by_numbers_and_ranges() {
        for (text, wanted) in [
            ("3", vec![3]),
            ("0-4", vec![0, 1, 2, 3, 4]),
            ("7-8, 2,8", vec![2, 7, 8]),
            ("device 3,device 1", vec![1, 3]),
        ] {
            assert_eq!(text.parse::<DeviceList>().expect(text).0, wanted);
        }
        for wrong in ["", "a", "4-2", "1,", "-3", "0-99999999", "1.5"] {
            assert!(wrong.parse::<DeviceList>().is_err(), "{wrong}");
        }
    }
}
