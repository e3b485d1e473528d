//! The arms: what is trained beforehand, and how each follows a drive.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use burn::tensor::Device;
use data::{EnvironmentSampler, Part, SizeSampler, StandardSet, Workloads};
use drl::Agent;
use meta::Tasks;
use model::{Code, Codec, Ensemble, EnvironmentInputs, NetworkShape, Policy, Selection};
use serde::{Deserialize, Serialize};
use sim::scheme::{self, Exact, Fixed, Greedy, Order, Scheme};
use sim::{CostModel, Environment, Placement, Workload, random};

use crate::adaptation::{self, Point, Task};
use crate::error::AppError;
use crate::setup::Problem;
use mrdro::Training;

use super::data::Ride;

/// Steps of adaptation after which every arm is looked at.
pub(super) const STEPS: [usize; 16] = [0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 140, 200];
/// Steps that settings are chosen by; what no step of adaptation has touched counts, too.
const CHOICE_STEPS: [usize; 6] = [0, 1, 5, 10, 20, 50];
/// Step sizes and ε of Adam to choose from for each arm: from fresh Adam, whose first steps move every parameter alike,
/// to nearly stochastic gradient descent.
const GRID: [(f64, f64); 5] = [(0.003, 1e-8), (0.01, 1e-8), (0.03, 1e-8), (0.03, 0.01), (0.1, 0.1)];
/// Step sizes of Adam to choose from for joint pre-training.
const JOINT_RATES: [f64; 3] = [0.001, 0.003, 0.01];
/// How often 10 steps are timed.
const TIMED: usize = 41;
/// The seed that settings are chosen with; no result comes from it.
pub(super) const CHOICE_SEED: u64 = 0;
/// Windows of the validation drives that settings are chosen with.
const CHOICE_WINDOWS: usize = 24;

/// What learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Arm {
    /// From parameters that Reptile over environments prepared.
    Reptile,
    /// From random parameters.
    Random,
    /// From parameters trained on all environments together.
    Joint,
    /// From what the last window left, at first from joint pre-training.
    LastWindow,
    /// Networks that read the uplinks.
    Reading,
}

impl Arm {
    pub(super) const ALL: [Self; 5] = [Self::Reptile, Self::Random, Self::Joint, Self::LastWindow, Self::Reading];
    /// What is trained beforehand.
    const PRETRAINED: [Self; 3] = [Self::Reptile, Self::Joint, Self::Reading];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Reptile => "Reptile",
            Self::Random => "random start",
            Self::Joint => "joint pre-training",
            Self::LastWindow => "last window's networks",
            Self::Reading => "reads the environment",
        }
    }
}

/// Where pre-training draws its environments from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Source {
    /// As the scenario says.
    Scenario,
    /// The windows of the training drives.
    Windows,
}

/// Settings of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// For what is trained beforehand.
    pub(super) source: Source,
    /// Step size of Adam in joint pre-training.
    pub(super) joint_rate: f64,
    /// Of adaptation.
    pub(super) learning_rate: f64,
    /// Of adaptation.
    pub(super) epsilon: f64,
    /// What it was chosen by: mean Q2 over some steps of adaptation on validation windows.
    pub(super) score: f64,
}

pub(super) type Choices = BTreeMap<Arm, Choice>;

/// What pre-training took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Expense {
    pub(super) seconds: f64,
    pub(super) gradient_steps: usize,
    pub(super) samples_per_step: usize,
    /// Prices asked of the cost model.
    pub(super) evaluations: u64,
}

/// One window of a drive, ready to be decided in.
pub(super) struct Ground {
    pub(super) start_s: f64,
    pub(super) uplinks_mbps: Vec<f64>,
    /// In its environment.
    pub(super) model: CostModel,
    pub(super) set: StandardSet,
    /// Single ratios of schemes that do not learn.
    pub(super) fixed: Vec<(String, Vec<f64>)>,
    /// Mean cost of the optimum.
    pub(super) optimal_cost: f64,
    /// Share of tasks at each place, as the optimum has it.
    pub(super) optimal_shares: Vec<f64>,
}

impl Ground {
    /// Whether the last window's decisions are bad here.
    pub(super) fn is_hard(&self) -> bool {
        self.of_scheme(LAST_OPTIMUM).is_some_and(|ratios| adaptation::mean(ratios) < 0.9)
    }

    /// Single ratios of a scheme that does not learn; `None` if there are none here.
    pub(super) fn of_scheme(&self, name: &str) -> Option<&[f64]> {
        self.fixed.iter().find(|(scheme, _)| scheme == name).map(|(_, ratios)| &**ratios)
    }
}

/// Everything that all seeds share.
pub(super) struct Study {
    pub(super) problem: Problem,
    pub(super) sampler: SizeSampler,
    pub(super) plain: Codec,
    /// By source.
    pub(super) environments: BTreeMap<Source, EnvironmentSampler>,
    pub(super) adaptable: Training,
    pub(super) environment_training: Training,
    /// Workloads that each window is measured on.
    pub(super) measured: usize,
    pub(super) device: Device,
}

impl Study {
    /// Prepares the windows of a drive.
    pub(super) fn grounds(&self, ride: &Ride) -> Result<Vec<Ground>, AppError> {
        let mut last: Option<CostModel> = None;
        let mut grounds = Vec::with_capacity(ride.windows.len());
        for (index, window) in ride.windows.iter().enumerate() {
            let environment =
                Environment { uplinks_mbps: window.mbps.clone(), ..self.problem.scenario.own_environment() };
            let model = self.problem.model.at(&environment)?;
            let stream = random::stream(0, &format!("study/{}/{index}", ride.name));
            let mut source = Workloads::new(&model, self.sampler.clone(), Part::HeldOut, stream);
            let set = StandardSet::new((0..self.measured).map(|_| source.draw()).collect());
            let no_optimum = || AppError::NoOptimum { scenario: self.problem.scenario.name.clone() };
            let optimal_cost = adaptation::mean(set.optimal().ok_or_else(no_optimum)?);
            let ratios = |scheme: &mut dyn Scheme| -> Result<Vec<f64>, AppError> {
                Ok(set.ratios(&set.costs_of(scheme)?).expect("the optimum is known"))
            };
            let servers = (1..model.places()).map(|place| Placement::from_index(place as u8));
            let mut schemes: Vec<Box<dyn Scheme>> =
                vec![Box::new(Greedy::new(Order::Given)), Box::new(Greedy::new(Order::LargestFirst))];
            schemes.extend(servers.map(|place| -> Box<dyn Scheme> { Box::new(Fixed::new(&model, place)) }));
            schemes.push(Box::new(Fixed::new(&model, Placement::Local)));
            let named = |mut scheme: Box<dyn Scheme>| Ok((scheme.name().to_owned(), ratios(&mut *scheme)?));
            let mut fixed = schemes.into_iter().map(named).collect::<Result<Vec<_>, AppError>>()?;
            if let Some(last) = &last {
                fixed.push((LAST_OPTIMUM.to_owned(), ratios(&mut LastOptimum { last, exact: Exact::new() })?));
            }
            fixed.push((Exact::new().name().to_owned(), vec![1.0; self.measured]));
            let optimal_shares = shares(&mut Exact::new(), &model, &set)?;
            last = Some(model.clone());
            let (start_s, uplinks_mbps) = (window.start_s, window.mbps.clone());
            grounds.push(Ground { start_s, uplinks_mbps, model, set, fixed, optimal_cost, optimal_shares });
        }
        Ok(grounds)
    }

    /// The codec of an arm's networks.
    pub(super) fn codec(&self, arm: Arm, source: Source) -> Codec {
        match arm {
            Arm::Reading => self.plain.reading(EnvironmentInputs {
                log_uplink: self.environments[&source].moments().log_uplink.map(Into::into),
                ..EnvironmentInputs::default()
            }),
            _ => self.plain,
        }
    }

    fn random_start(&self, codec: Codec, seed: u64) -> Ensemble {
        let network = &self.adaptable.network;
        let shape = NetworkShape { inputs: codec.inputs(), hidden: network.hidden.clone(), outputs: codec.outputs() };
        Ensemble::random(&shape, network.dnns, seed, &self.device)
    }

    fn training_workloads(&self, source: Source, seed: u64, stream: &str) -> Workloads {
        let sizes = random::stream(seed, stream);
        let environments = random::stream(seed, &format!("{stream}/environments"));
        Workloads::new(&self.problem.model, self.sampler.clone(), Part::Training, sizes)
            .with_environments(Some(self.environments[&source].clone()), environments)
    }

    /// Trains an arm's first parameters.
    fn pretrain(&self, arm: Arm, choice: &Choice, seed: u64) -> Result<(Ensemble, Expense), AppError> {
        let begin = Instant::now();
        let source = choice.source;
        let codec = self.codec(arm, source);
        let start = self.random_start(codec, seed);
        let model = &self.problem.model;
        if arm == Arm::Reading {
            let settings = self.environment_training.drl;
            let workloads = self.training_workloads(source, seed, "workloads");
            let mut agent = Agent::new(model.clone(), codec, &start, workloads, settings, seed, &self.device);
            agent.advance(settings.steps);
            let expense = Expense {
                seconds: begin.elapsed().as_secs_f64(),
                gradient_steps: settings.steps - settings.warm_up_steps(),
                samples_per_step: settings.batch,
                evaluations: agent.evaluations(),
            };
            return Ok((agent.ensemble(), expense));
        }
        let reptile = self.adaptable.meta;
        let gradient_steps = reptile.outer_steps * reptile.meta_batch * reptile.inner_steps;
        let settings = match arm {
            Arm::Joint => joint(&reptile, choice.joint_rate),
            _ => reptile,
        };
        let mut workloads = self.training_workloads(source, seed, "metadata");
        let (labels, count, together) = (settings.labels, settings.metadata, settings.workloads_per_environment);
        let metadata = meta::label(labels, count, together, &mut workloads, &codec)?;
        let mut proceed = |_: &meta::MetaReport| ControlFlow::Continue(());
        let head = codec.head();
        let ensemble = meta::reptile(&start, &metadata.samples, head, &settings, seed, &self.device, &mut proceed);
        let expense = Expense {
            seconds: begin.elapsed().as_secs_f64(),
            gradient_steps,
            samples_per_step: settings.batch,
            evaluations: metadata.evaluations,
        };
        Ok((ensemble, expense))
    }

    /// Adapts an arm's networks inside one window, on workloads from a stream of this name.
    fn adapt(
        &self,
        (arm, choice): (Arm, &Choice),
        start: &Ensemble,
        ground: &Ground,
        stream: &str,
        steps: &[usize],
        seed: u64,
    ) -> Result<(Ensemble, Vec<Point>), AppError> {
        let last = steps.last().copied().unwrap_or(0);
        let settings = drl::Settings {
            steps: last,
            learning_rate: choice.learning_rate,
            final_learning_rate: choice.learning_rate,
            epsilon: choice.epsilon,
            report_every: last.max(1),
            ..self.adaptable.adaptation
        };
        let stream = random::stream(seed, stream);
        let workloads = Workloads::new(&self.problem.model, self.sampler.clone(), Part::Training, stream);
        let task = Task { model: &ground.model, workloads, set: &ground.set };
        let codec = self.codec(arm, choice.source);
        Ok(adaptation::adapt(start, codec, task, settings, steps, seed, &self.device)?)
    }

    /// Median seconds of 10 steps of adaptation on one thread, from networks to networks, while nothing else is done.
    pub(super) fn seconds_of_10_steps(&self, choices: &Choices, ground: &Ground) -> Result<f64, AppError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.map_err(|source| AppError::Threads { threads: 1, source })?;
        let start = self.random_start(self.plain, CHOICE_SEED);
        pool.install(|| {
            let one = || {
                let (_, points) = self.adapt(
                    (Arm::Random, &choices[&Arm::Random]),
                    &start,
                    ground,
                    "study time",
                    &[10],
                    CHOICE_SEED,
                )?;
                Ok(points[0].seconds)
            };
            let mut seconds = (0..TIMED).map(|_| one()).collect::<Result<Vec<f64>, AppError>>()?;
            seconds.sort_unstable_by(f64::total_cmp);
            Ok(seconds[TIMED / 2])
        })
    }

    /// All ways to train an arm beforehand.
    fn sources(&self, arm: Arm) -> Vec<Source> {
        if Arm::PRETRAINED.contains(&arm) {
            self.environments.keys().copied().collect()
        } else {
            self.environments.keys().copied().take(1).collect()
        }
    }

    /// The work of choosing settings, in pieces that can be done at once: an arm and how it was trained.
    pub(super) fn candidates(&self) -> Vec<(Arm, Choice)> {
        let rates = |arm| if arm == Arm::Joint { &JOINT_RATES[..] } else { &JOINT_RATES[..1] };
        let mut candidates = Vec::new();
        for arm in [Arm::Reading, Arm::Reptile, Arm::Joint, Arm::Random] {
            for source in self.sources(arm) {
                for &joint_rate in rates(arm) {
                    let (learning_rate, epsilon) = GRID[0];
                    candidates.push((arm, Choice { source, joint_rate, learning_rate, epsilon, score: 0.0 }));
                }
            }
        }
        candidates
    }

    /// The best settings of adaptation for an arm that was trained so.
    pub(super) fn best(&self, arm: Arm, trained: Choice, rides: &[Vec<Ground>]) -> Result<Choice, AppError> {
        let seed = CHOICE_SEED;
        let all: Vec<&Ground> = rides.iter().flatten().collect();
        let every = all.len().div_ceil(CHOICE_WINDOWS);
        let start = self.start(arm, &trained, seed)?;
        let mut best: Option<Choice> = None;
        for (learning_rate, epsilon) in GRID {
            let mut choice = Choice { learning_rate, epsilon, ..trained };
            let mut scores = Vec::new();
            for (index, ground) in all.iter().enumerate().step_by(every) {
                let stream = format!("study choice/{index}");
                let (_, points) = self.adapt((arm, &choice), &start, ground, &stream, &CHOICE_STEPS, seed)?;
                scores.extend(points.iter().map(|point| point.q2));
            }
            choice.score = adaptation::mean(&scores);
            if best.is_none_or(|best| choice.score > best.score) {
                best = Some(choice);
            }
        }
        Ok(best.expect("the grid is not empty"))
    }

    fn start(&self, arm: Arm, choice: &Choice, seed: u64) -> Result<Ensemble, AppError> {
        if Arm::PRETRAINED.contains(&arm) {
            Ok(self.pretrain(arm, choice, seed)?.0)
        } else {
            Ok(self.random_start(self.plain, seed))
        }
    }

    /// Everything that one seed finds.
    pub(super) fn run_seed(
        &self,
        seed: u64,
        choices: &Choices,
        rides: &[Vec<Ground>],
        names: &[&str],
    ) -> Result<SeedResult, AppError> {
        let mut starts = BTreeMap::from([(Arm::Random, self.random_start(self.plain, seed))]);
        let mut expenses = BTreeMap::new();
        for arm in Arm::PRETRAINED {
            let (ensemble, expense) = self.pretrain(arm, &choices[&arm], seed)?;
            starts.insert(arm, ensemble);
            expenses.insert(arm, expense);
        }
        starts.insert(Arm::LastWindow, starts[&Arm::Joint].clone());
        let mut rows = Vec::new();
        let mut ratios: BTreeMap<(Arm, usize), Vec<f64>> = BTreeMap::new();
        let mut shares_over_time = Vec::new();
        let reading_codec = self.codec(Arm::Reading, choices[&Arm::Reading].source);
        for (ride, grounds) in rides.iter().enumerate() {
            let mut last_window = starts[&Arm::LastWindow].clone();
            for (window, ground) in grounds.iter().enumerate() {
                for arm in Arm::ALL {
                    let start = if arm == Arm::LastWindow { &last_window } else { &starts[&arm] };
                    let stream = format!("study adaptation/{}/{window}", names[ride]);
                    let (end, points) = self.adapt((arm, &choices[&arm]), start, ground, &stream, &STEPS, seed)?;
                    if arm == Arm::LastWindow {
                        last_window = end;
                    }
                    for mut point in points {
                        ratios.entry((arm, point.step)).or_default().append(&mut point.ratios);
                        rows.push(Row { arm, ride, window, point });
                    }
                }
                let reading = &starts[&Arm::Reading];
                let mut policy = Policy::new("reading", reading, reading_codec, Selection::PAPER, &self.device);
                shares_over_time.push(shares(&mut policy, &ground.model, &ground.set)?);
            }
        }
        let p05 = |((arm, step), mut ratios): ((Arm, usize), Vec<f64>)| {
            ratios.sort_unstable_by(f64::total_cmp);
            Percentile { arm, step, q2_p05: ratios[ratios.len() / 20] }
        };
        let percentiles = ratios.into_iter().map(p05).collect();
        Ok(SeedResult { seed, expenses, percentiles, shares: shares_over_time, rows })
    }
}

/// Joint pre-training with as many steps as Reptile makes: one run of Adam over all environments mixed, each workload
/// in one of its own, whose parameters are averaged more and more as Reptile's step size falls.
fn joint(reptile: &meta::Settings, learning_rate: f64) -> meta::Settings {
    meta::Settings {
        tasks: Tasks::Workloads,
        outer_steps: reptile.outer_steps * reptile.meta_batch,
        meta_batch: 1,
        workloads_per_environment: 1,
        inner_learning_rate: learning_rate,
        inner_momentum: 0.9,
        inner_epsilon: 1e-8,
        inner_restart: false,
        ..*reptile
    }
}

/// Mean share of tasks at each place.
fn shares(scheme: &mut dyn Scheme, model: &CostModel, set: &StandardSet) -> Result<Vec<f64>, AppError> {
    let mut counts = vec![0.0; model.places()];
    for solution in scheme::decide_instances(scheme, set.instances())? {
        for &place in solution.decision.places() {
            counts[usize::from(place)] += 1.0;
        }
    }
    let total: f64 = counts.iter().sum();
    Ok(counts.into_iter().map(|count| count / total).collect())
}

/// Name of [`LastOptimum`].
pub(super) const LAST_OPTIMUM: &str = "optimum-of-the-last-window";

/// Decides as was optimal in the last window.
struct LastOptimum<'l> {
    last: &'l CostModel,
    exact: Exact,
}

impl Scheme for LastOptimum<'_> {
    fn name(&self) -> &'static str {
        LAST_OPTIMUM
    }

    fn decide(&mut self, _: &CostModel, workload: &Workload) -> Result<sim::scheme::Solution, sim::SchemeError> {
        self.exact.decide(self.last, workload)
    }
}

/// Whether what was kept of an earlier call is what this study chooses from.
pub(super) fn is_complete(choices: &Choices, study: &Study) -> bool {
    Arm::ALL.iter().all(|arm| choices.get(arm).is_some_and(|choice| study.environments.contains_key(&choice.source)))
}

/// What one seed found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SeedResult {
    pub(super) seed: u64,
    pub(super) expenses: BTreeMap<Arm, Expense>,
    pub(super) percentiles: Vec<Percentile>,
    /// Share of tasks at each place as the networks that read the environment decide, for each window of each drive.
    pub(super) shares: Vec<Vec<f64>>,
    pub(super) rows: Vec<Row>,
}

/// 5th percentile of the single ratios over all windows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Percentile {
    pub(super) arm: Arm,
    pub(super) step: usize,
    pub(super) q2_p05: f64,
}

/// One look at an arm in a window.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) arm: Arm,
    pub(super) ride: usize,
    pub(super) window: usize,
    pub(super) point: Point,
}

/// The codec of networks that read sizes alone.
pub(super) fn plain_codec(problem: &Problem, sampler: &SizeSampler, code: Option<Code>) -> Result<Codec, AppError> {
    let code = code.unwrap_or_else(|| Codec::default_code(&problem.model));
    Ok(Codec::new(code, &problem.model, sampler.moments().into())?)
}
