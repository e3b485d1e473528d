//! The command line: commands, options and their help texts.

mod deadlines;
mod dispatch;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use data::trace::{Columns, Format as RecordingFormat, ReadOptions, UnknownFormatName};
use data::{TaskFormat, UnknownTaskFormat};
use model::fleet::Inference;
use model::{DecisionOptions, Record, Selection};
use mrdro::share_out::TotalBandwidth;
use mrdro::{CheckpointInterval, Error, Problem, RunPlan};
use sim::graph::scheme::GraphSchemeKind;
use sim::limits::WINDOW_S;
use sim::scheme::SchemeKind;
use sim::stream::dispatch::scheme::DispatchSchemeKind;
use sim::stream::dispatch::tuning::TunedRule;
use sim::stream::slots::scheme::SlotSchemeKind;

pub(crate) use self::deadlines::DeadlineArgs;
pub(crate) use self::dispatch::{DispatchArgs, SimulateArgs};

/// MR-DRO: train networks that decide where the tasks of mobile devices run (on the device, on an edge server or in the
/// cloud), decide with them, and compare them with greedy rules and the exact optimum.
///
/// Without a command, `trainer` does what `trainer train` does.
#[derive(Debug, Parser)]
#[command(name = "trainer", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train networks for one scenario, evaluate them, and write a run directory with their record
    Train(TrainArgs),
    /// Run meta-learning (Algorithm 1) alone, and write a record with the first parameters of the networks
    Meta(TrainArgs),
    /// Train networks for any fleet, which decide for any number of devices, tasks and servers
    Fleet(FleetArgs),
    /// Train networks for any site, which dispatch tasks as they arrive
    Site(SiteArgs),
    /// Evaluate a record, and compare it with greedy rules and the exact optimum
    Evaluate(EvaluateArgs),
    /// Compare all classic schemes, and any records, on one scenario
    Compare(CompareArgs),
    /// Decide workloads with a record; reads JSON or CSV, writes JSON lines
    Decide(DecideArgs),
    /// Decide workloads with a classic scheme or the exact search; reads JSON or CSV, writes JSON lines
    Solve(SolveArgs),
    /// Tune the numbers of a scheme for a scenario over time by simulation, and compare it with its untuned form
    Tune(TuneArgs),
    /// Serve decisions of a record over HTTP, or dispatch tasks as they arrive, with a live page that shows them
    Serve(ServeArgs),
    /// Drive a dispatching service with a drawn or recorded day, and compare what came of its placements with all schemes
    Simulate(SimulateArgs),
    /// Adapt a record to a new environment by a few training steps, and show how good it is after each of them
    Adapt(AdaptArgs),
    /// Compare methods of adapting to a changing network on recorded uplinks, such as Reptile, joint pre-training and networks
    /// that read the environment; writes a report with pictures and data
    AdaptationStudy(AdaptationStudyArgs),
    /// Show what recordings of networks and of task sizes contain
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Export the networks of a record to safetensors or Burn files
    Export(ExportArgs),
    /// List, show or check scenarios
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Train once for every combination of seeds and settings, and summarise how the results vary
    Sweep(SweepArgs),
    /// Reproduce the evaluation of the paper (section V) and answer questions that it leaves open; writes a report with
    /// pictures and data
    Reproduce(ReproduceArgs),
    /// Draw the learning curves of training runs into one picture
    Plot(PlotArgs),
    /// List the devices on which this program can compute on this machine
    Devices(DevicesArgs),
    /// Serve the devices of this machine to training on other machines (`--device remote:HOST`)
    Worker(WorkerArgs),
    /// Print the completion script for a shell
    Completions {
        /// The shell to complete commands in
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArg,
    /// Settings of training: a preset (`recommended`, `paper`, `environments` or `adaptable`), or a TOML file with changes to
    /// `recommended`
    #[arg(long, value_name = "NAME|FILE", default_value = "recommended")]
    pub(crate) training: String,
    /// Change one setting of training, such as `drl.steps=5000`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Start training from the networks of this record; their number, widths and input scaling replace the values in
    /// the settings, and `train` leaves meta-learning out
    #[arg(long, value_name = "DIR")]
    pub(crate) start: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Run directory to write; must be new or empty [default: a new directory under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue a run that did not finish, from its last checkpoint; the results are the same as without the interruption
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["scenario", "training", "settings", "start", "seed", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(crate) tensorboard: TensorboardArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl TrainArgs {
    /// The plan that these arguments describe. `make` makes it from the names of scenario and training and from the settings.
    pub(crate) fn plan(&self, make: fn(&str, &str, &[String]) -> Result<RunPlan, Error>) -> Result<RunPlan, Error> {
        let mut plan = make(&self.scenario.scenario, &self.training, &self.settings)?.with_seed(self.seed.seed);
        plan.device.clone_from(&self.compute.device);
        plan.start.clone_from(&self.start);
        Ok(plan)
    }
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    /// Write a checkpoint to RUN_DIR/checkpoints after this time; a checkpoint holds the state to resume from and a record
    /// of the networks, and the last two are kept until the run finishes [default: 10; with --resume as before]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) checkpoint_every: Option<u64>,
    /// Write a checkpoint also after this number of training steps [default: no number; with --resume as before]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) checkpoint_steps: Option<u64>,
}

impl CheckpointArgs {
    /// The interval that these arguments ask for. Parts that are not given stay as in `before`.
    pub(crate) fn over(&self, before: CheckpointInterval) -> CheckpointInterval {
        CheckpointInterval {
            time: self.checkpoint_every.map_or(before.time, Duration::from_secs),
            steps: self.checkpoint_steps.map_or(before.steps, |steps| Some(steps as usize)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TensorboardArg {
    /// Write the progress also as an event file for TensorBoard into the run directory; `tensorboard --logdir RUN_DIR` shows
    /// it while training goes on [default with --resume: as before]
    #[arg(long)]
    pub(crate) tensorboard: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// Settings of training: the preset `fleet`, or a TOML file with changes to it
    #[arg(long, value_name = "NAME|FILE", default_value = "fleet")]
    pub(crate) training: String,
    /// Change one setting of training, such as `drl.steps=2000`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Number of fleets of each size to evaluate the trained networks on; training sees none of them [default: 96; with
    /// --resume as before]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(crate) fleets: Option<u16>,
    /// Run directory to write; must be new or empty [default: a new directory under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue a run that did not finish, from its last checkpoint; the results are the same as without the interruption
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["training", "settings", "seed", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(crate) tensorboard: TensorboardArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl FleetArgs {
    /// The plan that these arguments describe.
    pub(crate) fn plan(&self) -> Result<RunPlan, Error> {
        let mut plan = RunPlan::any_fleet(&self.training, &self.settings)?.with_seed(self.seed.seed);
        plan.device.clone_from(&self.compute.device);
        if let Some(count) = self.fleets {
            plan.evaluate_fleets(usize::from(count));
        }
        Ok(plan)
    }
}

#[derive(Debug, Args)]
pub(crate) struct SiteArgs {
    /// Settings of training: the preset `site`, or a TOML file with changes to it
    #[arg(long, value_name = "NAME|FILE", default_value = "site")]
    pub(crate) training: String,
    /// Change one setting of training, such as `drl.steps=100`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Run directory to write; must be new or empty [default: a new directory under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Continue a run that did not finish, from its last checkpoint; the results are the same as without the interruption
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["training", "settings", "seed", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(crate) tensorboard: TensorboardArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl SiteArgs {
    /// The plan that these arguments describe.
    pub(crate) fn plan(&self) -> Result<RunPlan, Error> {
        let mut plan = RunPlan::any_site(&self.training, &self.settings)?.with_seed(self.seed.seed);
        plan.device.clone_from(&self.compute.device);
        Ok(plan)
    }
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    /// Evaluate on the workloads of this file (JSON or CSV; `-` is standard input) instead of the standard set
    #[arg(long, value_name = "FILE|-")]
    pub(crate) workloads: Option<String>,
    /// Number of fleets of each size to evaluate on, if the record is for any fleet and no scenario is given
    #[arg(long, value_name = "N", default_value_t = 96, conflicts_with = "scenario",
        value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(crate) fleets: u16,
    /// Draw Q2 over fleet sizes, cost evaluations and time into this file, as SVG or PNG by its extension, if the record is for
    /// any fleet and no scenario is given; `-` prints the SVG in place of the table
    #[arg(long, value_name = "FILE|-", conflicts_with = "scenario")]
    pub(crate) picture: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArg,
    /// Record to compare with the classic schemes; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Vec<PathBuf>,
    /// Accept records that were trained for the same fleet with other rates or another α
    #[arg(long)]
    pub(crate) any_rates: bool,
    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
    /// Number of runs of each scheme in a scenario over time, each with its own course of arrivals and rates; where rates in
    /// slots are recorded there is one run for each recording [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) runs: Option<u16>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    /// Evaluate also this many candidates with flipped places for each network, and choose among all candidates for each
    /// device separately; for a record for one scenario
    #[arg(long, value_name = "FLIPS")]
    pub(crate) explore: Option<usize>,
    #[command(flatten)]
    pub(crate) inference: InferenceArgs,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
    #[command(flatten)]
    pub(crate) keep_going: KeepGoingArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// File of workloads as JSON or CSV; `-` is standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub(crate) workloads: String,
}

#[derive(Debug, Args)]
pub(crate) struct InferenceArgs {
    /// Let a local search improve the networks' decision, with at most this many cost evaluations per task in all; for a
    /// record for any fleet
    #[arg(long, value_name = "EVALUATIONS", conflicts_with_all = ["search_free", "explore"],
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) budget: Option<u64>,
    /// Decide with four passes of each network alone, without greedy and without a search; for a record for any fleet
    #[arg(long, conflicts_with = "explore")]
    pub(crate) search_free: bool,
}

impl InferenceArgs {
    /// The options of deciding, with the number of flipped candidates of `--explore`.
    pub(crate) fn options(&self, explore: Option<usize>) -> DecisionOptions {
        let search = self.budget.map(|evaluations_per_task| Inference::Search { evaluations_per_task });
        DecisionOptions {
            selection: explore.map(Selection::explored),
            inference: search.or(self.search_free.then_some(Inference::SearchFree)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Directory of the record to decide with
    #[arg(long, value_name = "DIR", required_unless_present = "scenario")]
    pub(crate) record: Option<PathBuf>,
    /// Scenario to decide for; needed for a record for any fleet; a scenario of dispatching needs no record
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    #[command(flatten)]
    pub(crate) dispatch: DispatchArgs,
    /// Address or name and port to listen on, or `:PORT` for every address of this machine; an address that other machines
    /// can reach needs a token or --open
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: serve::ListenAddress,
    /// URL under which a reverse proxy publishes the service, such as `https://edge.example/mr-dro/`: requests may name its
    /// host and come from its pages, with or without its path; may be repeated
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Vec<serve::PublicUrl>,
    /// Serve only clients that send the token in this file [default: the token in the environment variable TRAINER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve every client that reaches the address, without a token
    #[arg(long)]
    pub(crate) open: bool,
    /// Serve over HTTPS with this PEM file of the certificate chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file of the private key that belongs to --tls-cert
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Allow web pages of this origin, such as `https://platform.example`, to use the service
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) cors: Option<String>,
    /// Recording whose first drive the page can replay
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) drive: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Length of the windows of --drive over which recorded rates are averaged
    #[arg(long, value_name = "SECONDS", default_value_t = WINDOW_S)]
    pub(crate) window: f64,
    /// Evaluate also this many candidates with flipped places for each network, and choose among all candidates for each
    /// device separately; for a record for one scenario
    #[arg(long, value_name = "FLIPS")]
    pub(crate) explore: Option<usize>,
    #[command(flatten)]
    pub(crate) inference: InferenceArgs,
    /// Most workloads that may wait to be decided; further requests are refused with status 503
    #[arg(long, value_name = "WORKLOADS", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_waiting: u32,
    /// Compare every N-th decision of the networks with the optimum, for /metrics; 0 compares none
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) sample: u64,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// The help text of `--scheme`.
fn scheme_help() -> String {
    let (names, limited) = (SchemeKind::forms().join(", "), SchemeKind::with_budget().collect::<Vec<_>>().join(", "));
    format!(
        "Scheme to decide with: {names}. A budget of cost evaluations per task may follow {limited}, as in local-search@16. For \
         task graphs: {}; there a budget counts evaluations of whole decisions, of larac-m the multipliers tried, of larac-k the \
         decisions ranked. For dispatching over time: {}; for slots: {}",
        GraphSchemeKind::forms().join(", "),
        DispatchSchemeKind::forms().join(", "),
        SlotSchemeKind::names().join(", ")
    )
}

#[derive(Debug, Args)]
pub(crate) struct SolveArgs {
    #[arg(long, value_name = "NAME", help = scheme_help())]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) scenario: ScenarioArg,
    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) keep_going: KeepGoingArg,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    /// Draw the first decision about a task graph, or a part of a run over time, into this picture, SVG or PNG
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Write what happens in a run over time to this file, a row for each task or slot: JSON lines if its name ends in .json or
    /// .jsonl, else CSV; `-` is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) trace: Option<PathBuf>,
    /// Write a page that replays a run over time to this file, whose name ends in .html: open it in a browser, also offline
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
    /// File of workloads as JSON or CSV, or of task graphs as JSON, WfFormat or DOT; `-` is standard input. Scenarios over time
    /// draw their tasks themselves, or name a file of them
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub(crate) workloads: String,
}

/// The help text of `--scheme` of `tune`.
fn tunable_help() -> String {
    let rules = TunedRule::ALL.map(TunedRule::name).join(", ");
    format!("Scheme whose numbers are tuned: {rules} for dispatching, any scheme with numbers for slots")
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    #[arg(long, value_name = "NAME", help = tunable_help())]
    pub(crate) scheme: String,
    /// Scenario over time: a shipped name or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "dispatch")]
    pub(crate) scenario: String,
    /// Number of runs on which the tuned scheme is compared; none of them is among those that it is tuned on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) runs: u16,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Options for reading recordings whose content does not tell how.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReadArgs {
    /// Format of the recordings: dds-uplink, throughput-log, mahimahi, csv, gnettrack, pensieve, hsdpa, iperf3 or iperf3-json
    /// [default: told by their content]
    #[arg(long = "as", value_name = "FORMAT")]
    read_as: Option<RecordingFormat>,
    /// Columns of recordings that are tables, such as `time=Timestamp:iso,rate=UL_bitrate:kbps,device=phone`. Units of time
    /// are iso, s and ms; units of rates bps, kbps, mbps, gbps, Bps, kBps, MBps, KiBps and MiBps [default: told by their header]
    #[arg(long, value_name = "COLUMNS", conflicts_with = "read_as")]
    columns: Option<Columns>,
}

impl ReadArgs {
    /// The options as the library takes them.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions { format: self.read_as, columns: self.columns.clone() }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AdaptArgs {
    /// Directory of the record to adapt
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Adapt to the environment of this scenario: a shipped name or a TOML file
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "traces", conflicts_with = "traces")]
    pub(crate) scenario: Option<String>,
    /// Adapt to the uplinks of this recording, or of a folder of recordings, in the record's own scenario
    #[arg(long, value_name = "PATH")]
    pub(crate) traces: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Drive of the recordings to adapt to: its name, the last part of its name, or any part that no other drive has
    /// [default: the last drive]
    #[arg(long, value_name = "NAME", requires = "traces", conflicts_with = "scenario")]
    pub(crate) drive: Option<String>,
    /// Moment of the drive to adapt to, in seconds from the beginning of the drive [default: its last window]
    #[arg(long, value_name = "SECONDS", requires = "traces", conflicts_with = "scenario", value_parser = nonnegative_seconds)]
    pub(crate) at: Option<f64>,
    /// Length of the windows over which recorded rates are averaged [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "traces", conflicts_with = "scenario", value_parser = positive_seconds)]
    pub(crate) window: Option<f64>,
    /// Numbers of adaptation steps after which the networks are evaluated
    #[arg(long, value_name = "STEPS,...", value_delimiter = ',', default_value = "0,1,5,10,50,200")]
    pub(crate) steps: Vec<usize>,
    /// Settings of training (only the section `adaptation` is used): a preset, or a TOML file with changes to
    /// `recommended`
    #[arg(long, value_name = "NAME|FILE", default_value = "adaptable")]
    pub(crate) training: String,
    /// Change one setting of adaptation, such as `adaptation.learning_rate=0.01`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Directory to write the adapted record and the results to; must be new or empty [default: a new directory under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct WindowArg {
    /// Length of the windows over which recorded rates are averaged
    #[arg(long = "window", value_name = "SECONDS", default_value_t = WINDOW_S, value_parser = positive_seconds)]
    pub(crate) seconds: f64,
}

fn nonnegative_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (0.0..=1e9).contains(&seconds) { Ok(seconds) } else { Err("must lie between 0 and 1e9 seconds".to_owned()) }
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (1e-3..=1e9).contains(&seconds) { Ok(seconds) } else { Err("must lie between 0.001 and 1e9 seconds".to_owned()) }
}

#[derive(Debug, Args)]
pub(crate) struct AdaptationStudyArgs {
    /// Folder of recordings to train on and to choose settings with; each folder in it is one environment
    #[arg(long, value_name = "DIR")]
    pub(crate) traces: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// CSV file that assigns recordings to training or validation, with the columns `file` (relative to the CSV file) and
    /// `role` (`train` or `validation`) [default: the last drive of each folder is for validation]
    #[arg(long, value_name = "FILE")]
    pub(crate) split: Option<PathBuf>,
    /// Leave this folder out of training, and test on it
    #[arg(long, value_name = "FOLDER", conflicts_with = "test")]
    pub(crate) leave_out: Option<String>,
    /// Recordings to test on: a folder or a file [default: the drives for validation]
    #[arg(long, value_name = "PATH")]
    pub(crate) test: Option<PathBuf>,
    /// Scenario whose uplinks are replaced by recorded ones: a shipped name or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "mobile")]
    pub(crate) scenario: String,
    #[command(flatten)]
    pub(crate) window: WindowArg,
    /// Seeds to train with, such as `1-10` or `1,2,5` [default: 1-10, with --quick 1-2]
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<String>,
    /// Use a shorter pre-training and fewer windows, for a first impression within two minutes
    #[arg(long)]
    pub(crate) quick: bool,
    /// Directory to write the report to; the results of seeds that it already holds are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// Show the devices, durations, rates, gaps and bad lines of a recording, or the task sizes of a file
    Inspect(InspectArgs),
    /// Write a drive of a recording as CSV with the columns time_s, device and mbps
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// File of a recording or of task sizes, or a folder of such files
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Format of the files: dds-uplink, throughput-log, mahimahi, csv, gnettrack, pensieve, hsdpa, iperf3 or iperf3-json for
    /// recordings; sizes, sizes-csv or wfformat for task sizes [default: told by their content]
    #[arg(long = "as", value_name = "FORMAT")]
    pub(crate) format_of_files: Option<InspectFormat>,
    /// Columns of recordings that are tables, such as `time=Timestamp:iso,rate=UL_bitrate:kbps,device=phone`. Units of time
    /// are iso, s and ms; units of rates bps, kbps, mbps, gbps, Bps, kBps, MBps, KiBps and MiBps [default: told by their header]
    #[arg(long, value_name = "COLUMNS", conflicts_with = "format_of_files")]
    pub(crate) columns: Option<Columns>,
    /// Draw the rates over time into this file, as SVG or PNG by its extension; `-` prints the SVG in place of the table
    #[arg(long, value_name = "FILE|-")]
    pub(crate) picture: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// File of a recording, or a folder of recordings
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Drive to write: its name, the last part of its name, or any part that no other drive has; needed if there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) drive: Option<String>,
    /// CSV file to write; a file of this name is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// A format of recordings or of task sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InspectFormat {
    Recording(RecordingFormat),
    TaskSizes(TaskFormat),
}

impl FromStr for InspectFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let recording = name.parse().map(Self::Recording);
        recording.or_else(|recording: UnknownFormatName| {
            let sizes = name.parse().map(Self::TaskSizes);
            sizes.map_err(|sizes: UnknownTaskFormat| format!("{recording}; {sizes}"))
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Directory of the record to export
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Directory to write; must be new or empty; `-` writes a single file to standard output
    #[arg(long, value_name = "DIR|-")]
    pub(crate) out: PathBuf,
    /// File format to write
    #[arg(long = "as", value_enum, default_value = "safetensors")]
    pub(crate) kind: ExportKind,
    /// Write one file for each network instead of one file for all
    #[arg(long)]
    pub(crate) per_dnn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportKind {
    /// The format safetensors, for other frameworks
    Safetensors,
    /// The format of Burn, for other programs that use Burn
    Bpk,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// List the shipped scenarios
    List {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Print a scenario as TOML
    Show {
        /// Name of a shipped scenario, or a file
        #[arg(value_name = "NAME|FILE")]
        scenario: String,
    },
    /// Check a scenario, and print the energy and time that one MB takes at each place; of a scenario over time the load of each
    /// queue, or what each link takes
    Check {
        /// Name of a shipped scenario, or a file
        #[arg(value_name = "NAME|FILE")]
        scenario: String,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReproduceArgs {
    /// Parts to reproduce, such as `fig8,table4` [default: all parts]
    #[arg(long, value_name = "PART,...", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Use fewer values and seeds and shorter training, which takes minutes instead of most of an hour
    #[arg(long)]
    pub(crate) quick: bool,
    /// Scenario to reproduce in: a shipped name or a TOML file; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_values = ["paper", "paper-wan"])]
    pub(crate) scenario: Vec<String>,
    /// Settings of training: a preset or a TOML file; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_values = ["paper", "recommended"])]
    pub(crate) training: Vec<String>,
    /// Seeds to train with, such as `1-10` or `1,2,5` [default: 1-5, with --quick 1-2]
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<String>,
    /// Directory to write the report to; runs that it already holds are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Run directories to draw; runs with one LABEL are drawn as one curve, their mean, with their range; a LABEL may itself
    /// hold `=`
    #[arg(value_name = "[LABEL=]DIR", required = true)]
    pub(crate) runs: Vec<String>,
    /// Title of the picture
    #[arg(long, default_value = "")]
    pub(crate) title: String,
    /// File to write, as SVG or PNG by its extension (`.svg`, `.png`); `-` is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Measure the time of a training step and of a decision on each device, for ensembles of several sizes
    #[arg(long)]
    pub(crate) measure: bool,
    /// Device to measure; may be repeated [default: all devices that are listed]
    #[arg(long, value_name = "DEVICE", requires = "measure")]
    pub(crate) device: Vec<String>,
    /// Scenario to measure with, which sets the number of tasks; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_value = "paper", requires = "measure")]
    pub(crate) scenario: Vec<String>,
    /// Numbers of networks (K) to measure
    #[arg(long, value_name = "K", value_delimiter = ',', default_value = "1,8,64", requires = "measure",
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) dnns: Vec<u16>,
    /// Samples in the training batch of each network
    #[arg(long, value_name = "N", default_value_t = 128, requires = "measure",
        value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Address or name and port to listen on, or `:PORT` for every address of this machine; an address that other machines
    /// can reach needs a token or --open, since clients can compute on this machine
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub(crate) listen: serve::ListenAddress,
    /// Device to serve; may be repeated, and clients count the devices in this order
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: Vec<String>,
    /// Serve only clients that send the token in this file [default: the token in the environment variable TRAINER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve every client that reaches the address, without a token
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SweepArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SweepCommand>,
    #[command(flatten)]
    pub(crate) runs: SweepRunsArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// Merge the shards of a sweep that several machines have made
    Merge(SweepMergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SweepRunsArgs {
    /// Scenario to train for: a shipped name or a TOML file; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_value = "paper")]
    pub(crate) scenario: Vec<String>,
    /// Settings of training: a preset or a TOML file, as for `train`; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_value = "recommended")]
    pub(crate) training: Vec<String>,
    /// Change one setting of training in every run; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Train with each of these values of a setting, such as `network.dnns=1,2,4,8`; may be repeated, which gives all
    /// combinations
    #[arg(long = "vary", value_name = "KEY=VALUE,...")]
    pub(crate) varied: Vec<String>,
    /// Seeds to train with, such as `1-10` or `1,2,5`
    #[arg(long, value_name = "SEEDS", default_value = "1-5")]
    pub(crate) seeds: String,
    /// Make only the I-th of every N runs, so that N machines share the sweep; they may write to one --out on a shared disk
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) shard: String,
    /// Directory to write the sweep to; runs that it already holds are kept
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct SweepMergeArgs {
    /// Directories of the shards to merge
    #[arg(value_name = "DIR", required = true)]
    pub(crate) shards: Vec<PathBuf>,
    /// Directory to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Directory of the record to decide with
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Scenario to decide for: a shipped name or a TOML file [default: the record's own; a record for any fleet has none]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// Accept a scenario of the record's fleet with other rates or another α than the record was trained for
    #[arg(long)]
    pub(crate) any_rates: bool,
    #[command(flatten)]
    pub(crate) deadlines: DeadlineArgs,
}

impl RecordArgs {
    /// Loads the record, and the scenario that it decides for. `reads_workloads` is whether it decides workloads that are
    /// read, which may bring deadlines of their own.
    pub(crate) fn load(
        &self,
        reads_workloads: bool,
        device: &burn::tensor::Device,
    ) -> Result<(Record, Problem), Error> {
        let (record, problem) = mrdro::load_record(&self.record, self.scenario.as_deref(), self.any_rates, device)?;
        let deadlines = &self.deadlines;
        let applied =
            if reads_workloads { deadlines.applied_for_workloads(problem)? } else { deadlines.applied_to(problem)? };
        Ok((record, applied))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScenarioArg {
    /// Scenario to use: the name of a shipped scenario (see `trainer scenario list`), or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "paper")]
    pub(crate) scenario: String,
}

#[derive(Debug, Args)]
pub(crate) struct ShareOutArg {
    /// Share this total bandwidth out among the uplinks, in alternation with deciding: a number of Mbit/s, or `sum` for the
    /// sum of the uplinks in the scenario or in a workload's own environment
    #[arg(long = "share-out", value_name = "MBPS|sum", allow_negative_numbers = true)]
    pub(crate) total: Option<TotalBandwidth>,
}

#[derive(Debug, Args)]
pub(crate) struct KeepGoingArg {
    /// Answer a workload that is refused with {"line": ..., "error": ...} and go on; the exit code is 1 at the end
    #[arg(long)]
    pub(crate) keep_going: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArg {
    /// Seed of all random numbers; the standard set does not depend on it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ComputeArgs {
    /// Device to compute on: `auto`, `flex`, `ndarray`, `wgpu[:INDEX]` or `remote:HOST[:PORT][/INDEX]`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ThreadsArg {
    /// Threads to use [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct FormatArg {
    /// Format in which results are printed
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// JSON for programs, with stable names that contain units
    Json,
    /// CSV for spreadsheets, with the names of JSON as columns
    Csv,
}
