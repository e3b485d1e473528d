//! What decisions about one application on one system cost.

use std::sync::Arc;

use super::application::{Application, Neighbour};
use super::order;
use super::rules::{Downlinks, Limits, Rules, Timing, Transfer, Weights};
use super::run_times::PredictionError;
use super::schedule::Schedule;
use super::system::{System, SystemError};
use crate::random::{self, Stream};

/// What a decision takes and costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphOutcome {
    /// Energy, in J.
    pub energy_j: f64,
    /// Time until the last result, in seconds.
    pub time_s: f64,
    /// Money for what links carry.
    pub price: f64,
    /// The weighted sum of the three; with weights from α, S = α E + (1 − α) T.
    pub cost: f64,
    /// Whether energy, time or money exceeds its limit.
    pub exceeds_limits: bool,
}

/// The cost of decisions about one application on one system.
///
/// A decision has one place for each task, in the order in which the application gives its tasks: 0 is the device, j + 1
/// server j. A task at a place that [`GraphModel::is_allowed`] refuses makes the cost infinite.
///
/// # Serial
/// Times add up: those of all tasks at their places and those of all transfers. The device is idle while servers compute.
///
/// # Scheduled
/// Tasks are scheduled in the model's [order](GraphModel::order). A task on the device begins when the processor is free
/// and all it waits for is at the device. Where whole tasks are sent, a task for a server is sent when the uplink is free
/// and each task before it has its result at the device or was itself sent to that server; it begins when the server is free,
/// the task has arrived and those before it at that server are done; then its result comes back. Where edges are sent, the
/// data of each edge between different places queue for the uplink in the order of the tasks that wait for them. An
/// application ends with its last result, that of a task at the device or back from a server; where edges are sent, a
/// result stays where its task ran.
///
/// The device is idle while it neither computes nor sends nor receives.
///
/// ```
/// use std::sync::Arc;
/// use sim::graph::{Application, GraphModel, GraphServer, GraphTask, Link, Machine, Rules, System};
///
/// let machine = |instructions_per_s| Machine { instructions_per_s, memory_bytes_per_s: None };
/// let link = Link {
///     up_bytes_per_s: 1e6, down_bytes_per_s: 1e6, send_w: 1.3, receive_w: 1.0, price_per_byte: 0.0, is_own: false,
/// };
/// let server = GraphServer { name: "edge".to_owned(), machine: machine(1e10), energy_per_instruction_j: 0.0, link };
/// let system = System { device: machine(1e9), compute_w: 0.9, idle_w: 0.3, servers: vec![server] };
/// let task = |name: &str| GraphTask {
///     name: name.to_owned(), instructions: 1e10, send_bytes: 2e6, ..GraphTask::default()
/// };
/// let application = Application::new(vec![task("a"), task("b")], vec![])?;
/// let model = GraphModel::new(Arc::new(application), Arc::new(system), Rules::default())?;
/// assert_eq!(model.evaluate(&[0, 0]).time_s, 20.0);
/// assert_eq!(model.evaluate(&[0, 1]).time_s, 10.0); // the second takes 2 s up, 1 s there, 2 s back
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct GraphModel {
    pub(super) application: Arc<Application>,
    pub(super) system: Arc<System>,
    pub(super) rules: Rules,
    pub(super) places: usize,
    /// The tasks in the order in which they are scheduled, and the position of each task in it.
    pub(super) order: Box<[u32]>,
    pub(super) position: Box<[u32]>,
    /// Edges that end at each task, those from earlier tasks of the order first; `starts[v]..starts[v + 1]` for task v.
    pub(super) starts: Box<[u32]>,
    pub(super) before: Box<[Neighbour]>,
    /// The following are `[task][place]`. Times of places that are not usable are 0.
    pub(super) run_s: Box<[f64]>,
    /// Times to send a whole task, and to bring its result back; 0 where edges are sent.
    pub(super) send_s: Box<[f64]>,
    pub(super) return_s: Box<[f64]>,
    pub(super) is_allowed: Box<[bool]>,
    /// The cost of the energy and money of running a task, and of sending it where whole tasks are sent. With serial timing
    /// also of its time and of idling. Infinite at places that are not allowed.
    pub(super) task_cost: Box<[f64]>,
    /// Times per byte to and from each place; 0 for the device and places that are not usable.
    pub(super) up_s_per_byte: Box<[f64]>,
    pub(super) down_s_per_byte: Box<[f64]>,
    /// `[from][to]`: the cost of the energy and money of moving a byte between places where edges are sent, with serial
    /// timing also of its time; else 0.
    pub(super) byte_cost: Box<[f64]>,
    pub(super) queues: Queues,
}

/// Which queue of a schedule each place uses.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    /// Queue 0 is the processor of the device, j + 1 is server j; those of links follow.
    pub(super) uplink: Box<[u32]>,
    pub(super) downlink: Box<[u32]>,
    pub(super) count: usize,
}

impl Queues {
    fn new(system: &System, downlinks: Downlinks) -> Self {
        let mut count = system.places();
        let mut shared = None;
        let mut of_links =
            |count: &mut usize| -> Box<[u32]> {
                shared = None;
                let next = |count: &mut usize| {
                    *count += 1;
                    *count as u32 - 1
                };
                let servers = system.servers.iter();
                let queues = servers.map(|server| {
                    if server.link.is_own { next(count) } else { *shared.get_or_insert_with(|| next(count)) }
                });
                std::iter::once(0).chain(queues).collect()
            };
        let uplink = of_links(&mut count);
        let downlink = if downlinks == Downlinks::Queued { of_links(&mut count) } else { Box::default() };
        Self { uplink, downlink, count }
    }
}

/// Energy, time and money of a task or a byte, before they are weighted.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    energy_j: f64,
    time_s: f64,
    /// Time in which the device waits for a server.
    waiting_s: f64,
    price: f64,
}

impl Amounts {
    /// The part of the cost that does not depend on when things happen.
    fn cost(&self, rules: &Rules, idle_w: f64) -> f64 {
        let Weights { energy, time, price } = rules.weights;
        let fixed = energy * self.energy_j + price * self.price;
        match rules.timing {
            Timing::Serial => fixed + time * self.time_s + energy * idle_w * self.waiting_s,
            Timing::Scheduled => fixed,
        }
    }
}

impl GraphModel {
    /// A model of an application on a system.
    ///
    /// # Errors
    /// If the system or the rules have a value that makes no sense, or a task is pinned to a place that does not exist or
    /// cannot be used.
    pub fn new(application: Arc<Application>, system: Arc<System>, rules: Rules) -> Result<Self, GraphModelError> {
        system.check()?;
        rules.check()?;
        let places = system.places();
        let is_usable: Vec<bool> = (0..places).map(|place| system.is_usable(place)).collect();
        let is_allowed = allowed_places(&application, &system, &is_usable)?;
        let per_byte = |rate: fn(&super::system::Link) -> f64| -> Box<[f64]> {
            let of_server = |(index, server): (usize, &super::system::GraphServer)| {
                if is_usable[index + 1] { 1.0 / rate(&server.link) } else { 0.0 }
            };
            std::iter::once(0.0).chain(system.servers.iter().enumerate().map(of_server)).collect()
        };
        let up_s_per_byte = per_byte(|link| link.up_bytes_per_s);
        let down_s_per_byte = per_byte(|link| link.down_bytes_per_s);
        let mut model = Self {
            places,
            order: Box::default(),
            position: Box::default(),
            starts: Box::default(),
            before: Box::default(),
            run_s: Box::default(),
            send_s: Box::default(),
            return_s: Box::default(),
            is_allowed,
            task_cost: Box::default(),
            up_s_per_byte,
            down_s_per_byte,
            byte_cost: Box::default(),
            queues: Queues::new(&system, rules.downlinks),
            application,
            system,
            rules,
        };
        model.find_times(&is_usable);
        model.order = order::of(&model).into();
        model.sort_edges();
        model.find_costs();
        Ok(model)
    }

    /// The same model in which energy, time and money have other weights.
    ///
    /// # Errors
    /// If a weight is negative or no number.
    pub fn with_weights(&self, weights: Weights) -> Result<Self, GraphModelError> {
        let rules = Rules { weights, ..self.rules };
        rules.check()?;
        let mut model = Self { rules, ..self.clone() };
        model.find_costs();
        Ok(model)
    }

    /// The same model with other limits of energy, time and money.
    ///
    /// # Errors
    /// If a limit is negative or no number.
    pub fn with_limits(&self, limits: Limits) -> Result<Self, GraphModelError> {
        let rules = Rules { limits, ..self.rules };
        rules.check()?;
        Ok(Self { rules, ..self.clone() })
    }

    /// The same model with tasks scheduled in another order.
    ///
    /// # Errors
    /// If the order does not list every task once, or lists a task before one that it waits for.
    pub fn with_order(&self, order: &[u32]) -> Result<Self, GraphModelError> {
        let mut position = vec![usize::MAX; self.tasks()];
        for (index, &task) in order.iter().enumerate() {
            match position.get_mut(task as usize) {
                Some(position) if *position == usize::MAX => *position = index,
                _ => return Err(GraphModelError::Order { task }),
            }
        }
        let wrong = |task: &u32| {
            let is_late = |before: &Neighbour| position[before.task as usize] > position[*task as usize];
            position[*task as usize] == usize::MAX || self.before(*task as usize).iter().any(is_late)
        };
        if let Some(task) = (0..self.tasks() as u32).find(wrong) {
            return Err(GraphModelError::Order { task });
        }
        let mut model = self.clone();
        model.order = order.into();
        model.sort_edges();
        Ok(model)
    }

    fn find_times(&mut self, is_usable: &[bool]) {
        let application = Arc::clone(&self.application);
        let cells = application.len() * self.places;
        let [mut run_s, mut send_s, mut return_s] = [(); 3].map(|()| Vec::with_capacity(cells));
        let sends_tasks = self.rules.transfer == Transfer::Task;
        for task in application.tasks() {
            for (place, is_usable) in is_usable.iter().enumerate() {
                let machine = place.checked_sub(1).map_or(&self.system.device, |at| &self.system.servers[at].machine);
                let run = is_usable.then(|| machine.run_s(task.instructions, task.weights_bytes));
                run_s.push(run.unwrap_or(0.0));
                let (up, down) = (self.up_s_per_byte[place], self.down_s_per_byte[place]);
                send_s.push(if sends_tasks { task.send_bytes * up } else { 0.0 });
                return_s.push(if sends_tasks { result_bytes(task) * down } else { 0.0 });
            }
        }
        (self.run_s, self.send_s, self.return_s) = (run_s.into(), send_s.into(), return_s.into());
    }

    pub(super) fn sort_edges(&mut self) {
        let mut position = vec![0_u32; self.tasks()];
        self.order.iter().enumerate().for_each(|(index, task)| position[*task as usize] = index as u32);
        self.position = position.into();
        let position = &self.position;
        let (mut starts, mut before) = (Vec::with_capacity(self.tasks() + 1), Vec::new());
        for task in 0..self.tasks() {
            starts.push(before.len() as u32);
            let first = before.len();
            before.extend_from_slice(self.application.incoming(task));
            before[first..].sort_by_key(|edge: &Neighbour| position[edge.task as usize]);
        }
        starts.push(before.len() as u32);
        (self.starts, self.before) = (starts.into(), before.into());
    }

    pub(super) fn find_costs(&mut self) {
        let cells = (0..self.tasks()).flat_map(|task| (0..self.places).map(move |place| (task, place)));
        self.task_cost = cells
            .map(|(task, place)| {
                let amounts = self.task_amounts(task, place);
                if self.is_allowed(task, place) { amounts.cost(&self.rules, self.system.idle_w) } else { f64::INFINITY }
            })
            .collect();
        let pairs = (0..self.places).flat_map(|from| (0..self.places).map(move |to| (from, to)));
        self.byte_cost =
            pairs.map(|(from, to)| self.byte_amounts(from, to).cost(&self.rules, self.system.idle_w)).collect();
    }

    /// Energy, time and money of a task at a place: of running it, and of sending it where whole tasks are sent.
    fn task_amounts(&self, task: usize, place: usize) -> Amounts {
        let cell = task * self.places + place;
        let run_s = self.run_s[cell];
        let Some(server) = place.checked_sub(1).map(|server| &self.system.servers[server]) else {
            let energy_j = self.system.compute_w * run_s;
            return Amounts { energy_j, time_s: run_s, ..Amounts::default() };
        };
        let work = &self.application.tasks()[task];
        let (send_s, return_s) = (self.send_s[cell], self.return_s[cell]);
        let is_sent = self.rules.transfer == Transfer::Task && self.system.is_usable(place);
        let bytes = if is_sent { work.send_bytes + result_bytes(work) } else { 0.0 };
        Amounts {
            energy_j: server.energy_per_instruction_j * work.instructions
                + server.link.send_w * send_s
                + server.link.receive_w * return_s,
            time_s: send_s + run_s + return_s,
            waiting_s: run_s,
            price: server.link.price_per_byte * bytes,
        }
    }

    /// Energy, time and money of moving a byte where edges are sent.
    fn byte_amounts(&self, from: usize, to: usize) -> Amounts {
        if from == to || self.rules.transfer == Transfer::Task {
            return Amounts::default();
        }
        let mut amounts = Amounts::default();
        if from > 0 {
            let link = &self.system.servers[from - 1].link;
            amounts.energy_j += link.receive_w * self.down_s_per_byte[from];
            amounts.time_s += self.down_s_per_byte[from];
            amounts.price += link.price_per_byte;
        }
        if to > 0 {
            let link = &self.system.servers[to - 1].link;
            amounts.energy_j += link.send_w * self.up_s_per_byte[to];
            amounts.time_s += self.up_s_per_byte[to];
            amounts.price += link.price_per_byte;
        }
        amounts
    }

    /// The application.
    pub fn application(&self) -> &Arc<Application> {
        &self.application
    }

    /// The system.
    pub fn system(&self) -> &Arc<System> {
        &self.system
    }

    /// How the application runs and what counts.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether decisions may take only so much energy, time or money, so that the cheapest need not be the best.
    pub fn has_limits(&self) -> bool {
        let Limits { energy_j, time_s, price } = self.rules.limits;
        [energy_j, time_s, price].iter().any(|limit| limit.is_finite())
    }

    /// The random stream called `name` under `seed` that belongs to this application: equal applications have equal streams.
    pub(crate) fn stream(&self, seed: u64, name: &str) -> Stream {
        let tasks = self.application.tasks().iter().flat_map(|task| [task.instructions, task.send_bytes]);
        let edges = self.application.edges().iter();
        let edges = edges.flat_map(|edge| [f64::from(edge.from), f64::from(edge.to), edge.bytes]);
        random::stream_of(seed, name, &tasks.chain(edges).collect::<Vec<f64>>())
    }

    /// The number of tasks.
    pub fn tasks(&self) -> usize {
        self.application.len()
    }

    /// The number of places: the device and every server.
    pub fn places(&self) -> usize {
        self.places
    }

    /// The tasks in the order in which they are scheduled. Serial costs do not depend on it.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The position of a task in the order in which tasks are scheduled.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn position(&self, task: usize) -> usize {
        self.position[task] as usize
    }

    /// The edges that end at a task, those from tasks that are scheduled earlier first.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn before(&self, task: usize) -> &[Neighbour] {
        &self.before[self.starts[task] as usize..self.starts[task + 1] as usize]
    }

    /// Whether a task may run at a place: it is not pinned to another, and the device can use the server there.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn is_allowed(&self, task: usize, place: usize) -> bool {
        assert!(place < self.places, "place {place} of {}", self.places);
        self.is_allowed[task * self.places + place]
    }

    /// The places at which a task may run, at least one.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn allowed_places(&self, task: usize) -> impl DoubleEndedIterator<Item = u8> + '_ {
        let allowed = &self.is_allowed[task * self.places..][..self.places];
        (0..self.places as u8).filter(|place| allowed[*place as usize])
    }

    /// The time that a task runs at a place, in seconds; 0 at a place that the device cannot use.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn run_s(&self, task: usize, place: usize) -> f64 {
        self.run_s[task * self.places..][..self.places][place]
    }

    /// The time to send a whole task to a place, in seconds; 0 where edges are sent.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn send_s(&self, task: usize, place: usize) -> f64 {
        self.send_s[task * self.places..][..self.places][place]
    }

    /// The time that the result of a task takes from a place to the device, in seconds; 0 where edges are sent.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn return_s(&self, task: usize, place: usize) -> f64 {
        self.return_s[task * self.places..][..self.places][place]
    }

    /// The time to move a byte from one place to another where edges are sent, in seconds; 0 where whole tasks are sent.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn transfer_s_per_byte(&self, from: usize, to: usize) -> f64 {
        self.byte_amounts(from, to).time_s
    }

    /// The part of a task's cost that does not depend on when it runs: of its energy and money, with serial timing also of
    /// its time and of idling. Infinite at places that are not allowed.
    ///
    /// With serial timing the cost of a decision is the sum of this over all tasks and of [`GraphModel::byte_cost`] times
    /// the bytes over all edges.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn task_cost(&self, task: usize, place: usize) -> f64 {
        self.task_cost[task * self.places..][..self.places][place]
    }

    /// The part of the cost of moving a byte between two places that does not depend on when it moves, where edges are
    /// sent; 0 where whole tasks are sent.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn byte_cost(&self, from: usize, to: usize) -> f64 {
        self.byte_cost[from * self.places..][..self.places][to]
    }

    /// What a decision takes and costs.
    ///
    /// # Shapes
    /// `places` is `[tasks]`.
    ///
    /// # Panics
    /// If there is not one place for each task, or no such place.
    pub fn evaluate(&self, places: &[u8]) -> GraphOutcome {
        let mut schedule = Schedule::new(self);
        schedule.fill(self, places);
        schedule.outcome(self)
    }

    /// The energy of the decision without that of idling in a schedule, the sum of all times, and the money.
    pub(super) fn totals(&self, place_of: impl Fn(usize) -> usize) -> (f64, f64, f64) {
        let mut sum = Amounts::default();
        let mut add = |amounts: Amounts, times: f64| {
            sum.energy_j += times * amounts.energy_j;
            sum.time_s += times * amounts.time_s;
            sum.waiting_s += times * amounts.waiting_s;
            sum.price += times * amounts.price;
        };
        for task in 0..self.tasks() {
            add(self.task_amounts(task, place_of(task)), 1.0);
        }
        for edge in self.application.edges() {
            add(self.byte_amounts(place_of(edge.from as usize), place_of(edge.to as usize)), edge.bytes);
        }
        if self.rules.timing == Timing::Serial {
            sum.energy_j += self.system.idle_w * sum.waiting_s;
        }
        (sum.energy_j, sum.time_s, sum.price)
    }
}

/// What comes back from a server that ran a task, in bytes.
fn result_bytes(task: &super::application::GraphTask) -> f64 {
    task.result_bytes.unwrap_or(task.send_bytes)
}

/// `[task][place]`: whether each task may run at each place.
fn allowed_places(
    application: &Application,
    system: &System,
    is_usable: &[bool],
) -> Result<Box<[bool]>, GraphModelError> {
    let mut allowed = Vec::with_capacity(application.len() * is_usable.len());
    for task in application.tasks() {
        let Some(pinned) = &task.pinned else {
            allowed.extend_from_slice(is_usable);
            continue;
        };
        let Some(place) = system.place(pinned) else {
            let names: Vec<&str> = (0..system.places()).map(|place| system.place_name(place)).collect();
            let (task, place, places) = (task.name.clone(), pinned.clone(), names.join(", "));
            return Err(GraphModelError::UnknownPlace { task, place, places });
        };
        if !is_usable[place] {
            return Err(GraphModelError::Unusable { task: task.name.clone(), place: pinned.clone() });
        }
        allowed.extend((0..system.places()).map(|other| other == place));
    }
    Ok(allowed.into())
}

/// Why there is no model of an application on a system.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphModelError {
    /// The system has a value that makes no sense.
    #[error(transparent)]
    System(#[from] SystemError),
    /// A weight or a limit makes no sense.
    #[error("the {what} must be a number from 0, is {found}")]
    Rule {
        /// The weight or limit.
        what: &'static str,
        /// Its value.
        found: f64,
    },
    /// A task is pinned to a place that does not exist.
    #[error("the task {task} is pinned to \"{place}\", which does not exist; the places are {places}")]
    UnknownPlace {
        /// The task.
        task: String,
        /// The place.
        place: String,
        /// The places that there are.
        places: String,
    },
    /// A task is pinned to a place that cannot be used.
    #[error(
        "the task {task} is pinned to \"{place}\", which the device cannot use: its frequency or a rate of its link is 0"
    )]
    Unusable {
        /// The task.
        task: String,
        /// The place.
        place: String,
    },
    /// A time given for a task makes no sense.
    #[error("the time of the task {task} at {place} must be a number of seconds from 0 to 1e30, is {found}")]
    RunTime {
        /// The task.
        task: String,
        /// The place.
        place: String,
        /// The time, in seconds.
        found: f64,
    },
    /// The time of a task cannot be predicted from measured layers.
    #[error("the time of the task {task} at {place} cannot be predicted: {reason}")]
    Prediction {
        /// The task.
        task: String,
        /// The place.
        place: String,
        /// Why.
        reason: PredictionError,
    },
    /// An order does not list every task once and after those it waits for.
    #[error("the order must list each task once and after those it waits for; it does not for task {task}")]
    Order {
        /// The number of the task.
        task: u32,
    },
}
