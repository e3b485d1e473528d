//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use model::fleet::Inference;
use model::{DecisionOptions, Record, Selection};
use mrdro::share_out::Total;
use mrdro::{CheckpointInterval, Error, Problem, RunPlan};
use sim::limits::WINDOW_S;
use sim::scheme::SchemeKind;

/// MR-DRO: learn where the tasks of mobile devices should run (device, edge or cloud), decide, and compare with greedy
/// rules and the exact optimum.
///
/// Without a command it trains: meta-learning, reinforcement learning, evaluation on 512 workloads.
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
    /// Train, evaluate, and write a run directory with the record (what happens without a command)
    Train(TrainArgs),
    /// Only meta-learning (Algorithm 1): write a record of the first parameters
    Meta(TrainArgs),
    /// Train one record for any fleet: any number of devices, tasks and servers, shared or not
    Fleet(FleetArgs),
    /// Evaluate a record beside greedy and the exact optimum
    Evaluate(EvaluateArgs),
    /// Compare all classic schemes, and records if given, on one scenario
    Compare(CompareArgs),
    /// Decide workloads with a trained record: JSON lines or CSV in, JSON lines out
    Decide(DecideArgs),
    /// Decide workloads with a classic scheme, the exact optimum included
    Solve(SolveArgs),
    /// Serve a record over HTTP: decisions for platforms, and a page that shows them
    Serve(ServeArgs),
    /// Take a record into a new environment: a few steps of reinforcement, and how good it is after each of them
    Adapt(AdaptArgs),
    /// Compare ways to follow a changing network on recorded uplinks: Reptile, joint pre-training, networks that read the
    /// environment and others, as a report with pictures and data
    AdaptationStudy(AdaptationStudyArgs),
    /// Look into recordings of networks and of task sizes
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Write a record's networks as safetensors or Burn files, all together or one file each
    Export(ExportArgs),
    /// List, show or check scenarios
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Train many times, over seeds and settings, and tell how results vary
    Sweep(SweepArgs),
    /// Reproduce the paper's evaluation (section V), and what it leaves open, as a report with pictures and data
    Reproduce(ReproduceArgs),
    /// Draw the learning curves of runs into one picture
    Plot(PlotArgs),
    /// List the devices that this build and this machine offer
    Devices(DevicesArgs),
    /// Lend this machine's devices to trainings on other machines (`--device remote:HOST`)
    Worker(WorkerArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArg,
    /// Settings of training: `recommended`, `paper`, or a TOML file over `recommended`
    #[arg(long, value_name = "NAME|FILE", default_value = "recommended")]
    pub(crate) training: String,
    /// Change one setting of training, such as `drl.steps=5000`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Start from the networks of this record, whose number, widths and input scaling then hold: `train` leaves
    /// meta-learning out, `meta` goes on from them
    #[arg(long, value_name = "DIR")]
    pub(crate) start: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Run directory to write; must be new or empty [default: a new one under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with a run that did not end, from its last checkpoint, to the same bytes as if it never had stopped
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["scenario", "training", "settings", "start", "seed", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl TrainArgs {
    /// The plan that these arguments describe; `make` makes it of scenario, training and settings.
    pub(crate) fn plan(&self, make: fn(&str, &str, &[String]) -> Result<RunPlan, Error>) -> Result<RunPlan, Error> {
        let mut plan = make(&self.scenario.scenario, &self.training, &self.settings)?.with_seed(self.seed.seed);
        plan.device.clone_from(&self.compute.device);
        plan.start.clone_from(&self.start);
        Ok(plan)
    }
}

#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    /// Keep the whole state of training, and a record of its networks, in RUN_DIR/checkpoints this often; the last two
    /// stay until the end
    #[arg(long, value_name = "SECONDS", default_value_t = CheckpointInterval::SECONDS)]
    pub(crate) checkpoint_every: u64,
    /// The same after a number of steps of a phase, if that comes first
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) checkpoint_steps: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct FleetArgs {
    /// Settings of training: `fleet`, or a TOML file over it
    #[arg(long, value_name = "NAME|FILE", default_value = "fleet")]
    pub(crate) training: String,
    /// Change one setting, such as `drl.steps=2000`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Fleets of each size to evaluate the record on, none of which training sees
    #[arg(long, value_name = "N", default_value_t = 96, value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(crate) fleets: u16,
    /// Run directory to write; must be new or empty [default: a new one under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with a run that did not end, from its last checkpoint, to the same bytes as if it never had stopped
    #[arg(long, value_name = "RUN_DIR", conflicts_with_all = ["training", "settings", "seed", "out"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) checkpoints: CheckpointArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl FleetArgs {
    /// The plan that these arguments describe.
    pub(crate) fn plan(&self) -> Result<RunPlan, Error> {
        let mut plan = RunPlan::any_fleet(&self.training, &self.settings)?.with_seed(self.seed.seed);
        plan.device.clone_from(&self.compute.device);
        plan.evaluate_fleets(usize::from(self.fleets));
        Ok(plan)
    }
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    /// Evaluate on these workloads (JSON lines or CSV, `-` for standard input) instead of the standard set
    #[arg(long, value_name = "FILE|-")]
    pub(crate) workloads: Option<String>,
    /// For a record of networks for any fleet, without a scenario: fleets of each size to evaluate it on
    #[arg(long, value_name = "N", default_value_t = 96, conflicts_with = "scenario",
        value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(crate) fleets: u16,
    /// For the same: draw Q2 over fleet sizes, prices and time into this SVG file
    #[arg(long, value_name = "FILE", conflicts_with = "scenario")]
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
    /// Records to compare with, beside the classic schemes; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Vec<PathBuf>,
    /// Accept records that were trained for other rates or another α
    #[arg(long)]
    pub(crate) any_rates: bool,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
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
    /// Price this many flipped candidates for each network, too, and choose for each device by itself
    #[arg(long, value_name = "FLIPS")]
    pub(crate) explore: Option<usize>,
    #[command(flatten)]
    pub(crate) effort: EffortArgs,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Workloads as JSON lines or CSV; `-` is standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub(crate) workloads: String,
}

#[derive(Debug, Args)]
pub(crate) struct EffortArgs {
    /// For a record of networks for any fleet: after passes from greedy and from nothing search on, with so
    /// many prices a task in all
    #[arg(long, value_name = "PRICES", conflicts_with_all = ["search_free", "explore"],
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) budget: Option<u64>,
    /// For such a record: four passes of each network, and not even greedy
    #[arg(long, conflicts_with = "explore")]
    pub(crate) search_free: bool,
}

impl EffortArgs {
    /// These options together with the number of flips to explore.
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
    /// The record, a directory
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Scenario to decide about, for a record of networks for any fleet, which has none of its own
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// Address and port to listen on; any but this machine's own needs a token or --open
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Serve only clients that present this file's token [default: that of the environment variable TRAINER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve everybody who reaches the address
    #[arg(long)]
    pub(crate) open: bool,
    /// Serve under TLS with this chain of certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key that belongs to it (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Let pages of this origin use the service, too, such as `https://platform.example`
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) cors: Option<String>,
    /// A recording whose first drive the page can replay
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) drive: Option<PathBuf>,
    /// Length of its windows, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = WINDOW_S)]
    pub(crate) window: f64,
    /// Price this many flipped candidates for each network, too, and choose for each device by itself
    #[arg(long, value_name = "FLIPS")]
    pub(crate) explore: Option<usize>,
    #[command(flatten)]
    pub(crate) effort: EffortArgs,
    /// Workloads that may wait; requests beyond are refused at once
    #[arg(long, value_name = "WORKLOADS", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_waiting: u32,
    /// Compare one in so many decisions of the networks with the optimum, for /metrics; 0: none
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) sample: u64,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// The help text of `--scheme`.
fn scheme_help() -> String {
    let (names, limited) = (SchemeKind::forms().join(", "), SchemeKind::with_budget().collect::<Vec<_>>().join(", "));
    format!("The scheme: {names}; {limited} take a budget, as in local-search@16: at most 16 cost evaluations per task")
}

#[derive(Debug, Args)]
pub(crate) struct SolveArgs {
    #[arg(long, value_name = "NAME", help = scheme_help())]
    pub(crate) scheme: String,
    #[command(flatten)]
    pub(crate) scenario: ScenarioArg,
    #[command(flatten)]
    pub(crate) share_out: ShareOutArg,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    /// Workloads as JSON lines or CSV; `-` is standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    pub(crate) workloads: String,
}

#[derive(Debug, Args)]
pub(crate) struct AdaptArgs {
    /// The record to adapt
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Adapt to the environment of this scenario
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "traces", conflicts_with = "traces")]
    pub(crate) scenario: Option<String>,
    /// Adapt the record's own scenario to the uplinks of this recording, or folder of recordings
    #[arg(long, value_name = "PATH")]
    pub(crate) traces: Option<PathBuf>,
    /// Which drive of the recordings, by its name or a part of it [default: the last]
    #[arg(long, value_name = "NAME", requires = "traces", conflicts_with = "scenario")]
    pub(crate) drive: Option<String>,
    /// Which moment of the drive, in seconds from its beginning [default: its last window]
    #[arg(long, value_name = "SECONDS", requires = "traces", conflicts_with = "scenario", value_parser = seconds_from_0)]
    pub(crate) at: Option<f64>,
    /// Length of the windows over which recorded rates are averaged [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "traces", conflicts_with = "scenario", value_parser = some_seconds)]
    pub(crate) window: Option<f64>,
    /// Steps of adaptation after which to look
    #[arg(long, value_name = "STEPS,...", value_delimiter = ',', default_value = "0,1,5,10,50,200")]
    pub(crate) steps: Vec<usize>,
    /// Settings, of which section `adaptation` is used: a preset, or a TOML file over `recommended`
    #[arg(long, value_name = "NAME|FILE", default_value = "adaptable")]
    pub(crate) training: String,
    /// Change one setting, such as `adaptation.learning_rate=0.01`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    #[command(flatten)]
    pub(crate) seed: SeedArg,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    /// Directory to write the adapted record and the results to; must be new or empty [default: a new one under runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct WindowArg {
    /// Length of the windows over which recorded rates are averaged
    #[arg(long = "window", value_name = "SECONDS", default_value_t = WINDOW_S, value_parser = some_seconds)]
    pub(crate) seconds: f64,
}

fn seconds_from_0(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (0.0..=1e9).contains(&seconds) { Ok(seconds) } else { Err("must lie between 0 and 1e9 seconds".to_owned()) }
}

fn some_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    if (1e-3..=1e9).contains(&seconds) { Ok(seconds) } else { Err("must lie between 0.001 and 1e9 seconds".to_owned()) }
}

#[derive(Debug, Args)]
pub(crate) struct AdaptationStudyArgs {
    /// Recordings to train on and to choose settings with: a folder; folders in it are environments
    #[arg(long, value_name = "DIR")]
    pub(crate) traces: PathBuf,
    /// CSV with the columns `file` (relative to the CSV) and `role` (train or validation) [default: the last drive of each
    /// folder is for validation]
    #[arg(long, value_name = "FILE")]
    pub(crate) split: Option<PathBuf>,
    /// Train without this folder and test on it
    #[arg(long, value_name = "FOLDER", conflicts_with = "test")]
    pub(crate) leave_out: Option<String>,
    /// Recordings to test on: any folder or file [default: the validation drives]
    #[arg(long, value_name = "PATH")]
    pub(crate) test: Option<PathBuf>,
    /// Scenario; its uplinks are replaced by recorded ones
    #[arg(long, value_name = "NAME|FILE", default_value = "mobile")]
    pub(crate) scenario: String,
    #[command(flatten)]
    pub(crate) window: WindowArg,
    /// Seeds, such as `1-10` or `1,2,5` [default: 1-10, with --quick 1-2]
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<String>,
    /// Shorter pre-training and fewer windows: a look in a minute or two
    #[arg(long)]
    pub(crate) quick: bool,
    /// Directory of the report; seeds that it holds already are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) threads: ThreadsArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// Show what a recording holds: devices, duration, rates, gaps, bad lines; or task sizes
    Inspect {
        /// A file, or a folder of files
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Draw the rates over time into this SVG file
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The record to export
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Directory to write; must be new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Kind of file
    #[arg(long = "as", value_enum, default_value = "safetensors")]
    pub(crate) kind: ExportKind,
    /// One file for each network instead of one for all
    #[arg(long)]
    pub(crate) per_dnn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportKind {
    /// For other frameworks: tensors `layers.L.weight`, `layers.L.bias`
    Safetensors,
    /// For other programs on Burn
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
    /// Check a scenario and print what a MB costs at each place
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
    /// Only these parts, such as `fig8,table4` [default: all]
    #[arg(long, value_name = "PART,...", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Fewer values and seeds, shorter trainings: minutes instead of most of an hour
    #[arg(long)]
    pub(crate) quick: bool,
    /// Scenarios; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_values = ["paper", "paper-wan"])]
    pub(crate) scenario: Vec<String>,
    /// Settings of training; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_values = ["paper", "recommended"])]
    pub(crate) training: Vec<String>,
    /// Seeds, such as `1-10` or `1,2,5` [default: 1-5, with --quick 1-2]
    #[arg(long, value_name = "SEEDS")]
    pub(crate) seeds: Option<String>,
    /// Directory of the report; runs that it holds already are kept
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Run directories; those named LABEL=DIR with one label are drawn as one curve with its range
    #[arg(value_name = "[LABEL=]DIR", required = true)]
    pub(crate) runs: Vec<String>,
    /// Title of the picture
    #[arg(long, default_value = "")]
    pub(crate) title: String,
    /// The SVG file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Time a training step on each device, for ensembles of several sizes
    #[arg(long)]
    pub(crate) measure: bool,
    /// Devices to measure [default: all that are listed]
    #[arg(long, value_name = "DEVICE", requires = "measure")]
    pub(crate) device: Vec<String>,
    /// Scenarios to measure: what matters is how many tasks they have
    #[arg(long, value_name = "NAME|FILE", default_value = "paper", requires = "measure")]
    pub(crate) scenario: Vec<String>,
    /// Numbers of DNNs to measure
    #[arg(long, value_name = "K", value_delimiter = ',', default_value = "1,8,64", requires = "measure",
        value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) dnns: Vec<u16>,
    /// Samples in the batch of each DNN
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
    /// Address and port to listen on; whoever reaches it can compute here, so that any but this machine's own needs a
    /// token or --open
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Device to lend, in the order in which clients count them; may be repeated
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: Vec<String>,
    /// Serve only clients that present this file's token [default: that of the environment variable TRAINER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Serve everybody who reaches the address
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
    /// Put the shards of a sweep, done by several hosts, together
    Merge(SweepMergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SweepRunsArgs {
    /// Scenarios: shipped ones or TOML files; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_value = "paper")]
    pub(crate) scenario: Vec<String>,
    /// Settings of training, as for `train`; may be repeated
    #[arg(long, value_name = "NAME|FILE", default_value = "recommended")]
    pub(crate) training: Vec<String>,
    /// Change one setting of training in every run; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<String>,
    /// Try each of these values of a setting, such as `network.dnns=1,2,4,8`; several settings give all combinations
    #[arg(long = "vary", value_name = "KEY=VALUE,...")]
    pub(crate) varied: Vec<String>,
    /// Seeds, such as `1-10` or `1,2,5`
    #[arg(long, value_name = "SEEDS", default_value = "1-5")]
    pub(crate) seeds: String,
    /// Do every n-th run, from the i-th on: the others are other hosts' (they, too, may write to --out, if they share it)
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) shard: String,
    /// Directory of the sweep; runs that it holds already are kept
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct SweepMergeArgs {
    /// Directories of the shards
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
    /// The record to decide with
    #[arg(long, value_name = "DIR")]
    pub(crate) record: PathBuf,
    /// Scenario to price with [default: the record's own; one for any fleet has none]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// Accept a scenario with other rates or another α than the record was trained for
    #[arg(long)]
    pub(crate) any_rates: bool,
}

impl RecordArgs {
    /// The record, and the problem that it decides about.
    pub(crate) fn load(&self, device: &burn::tensor::Device) -> Result<(Record, Problem), Error> {
        mrdro::load_record(&self.record, self.scenario.as_deref(), self.any_rates, device)
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScenarioArg {
    /// Name of a shipped scenario, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "paper")]
    pub(crate) scenario: String,
}

#[derive(Debug, Args)]
pub(crate) struct ShareOutArg {
    /// Decide, and share this bandwidth out among the uplinks, in turn: Mbit/s, or `sum` for as much as the uplinks of the
    /// scenario (or of a workload's own environment) add up to
    #[arg(long = "share-out", value_name = "MBPS|sum", allow_negative_numbers = true)]
    pub(crate) total: Option<Total>,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArg {
    /// Seed of everything random; the standard set is the same for every seed
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
    /// How results are printed
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: stable names that carry units
    Json,
    /// For spreadsheets: the same names as columns
    Csv,
}
