//! Value iteration as a scheme.

use std::sync::{Arc, OnceLock};

use super::{Observation, Order, SlotScheme};
use crate::stream::RateProcess;
use crate::stream::slots::assign::largest;
use crate::stream::slots::chain::RateChain;
use crate::stream::slots::error::SlotSchemeError;
use crate::stream::slots::path::SlotPath;
use crate::stream::slots::problem::SlotProblem;
use crate::stream::slots::value_iteration::{ChainPolicy, ChainProblem};

/// States of a fitted chain: bins of the rate, and of the recent mean rate. With a tail, whose slots are states, too,
/// there are fewer.
const BINS: (usize, usize) = (12, 4);
const BINS_WITH_TAIL: (usize, usize) = (10, 3);
/// Points of the backlog grid, likewise.
const POINTS: usize = 250;
const POINTS_WITH_TAIL: usize = 150;
/// The ratio of neighbouring delay prices for which the chain is solved, the first price, and the number of prices.
const PRICE_RATIO: f64 = std::f64::consts::SQRT_2;
const FIRST_PRICE: f64 = 1e-6;
const PRICES: usize = 61;
/// The bounds of the mean cost are this close, relative to it, unless that takes too many iterations.
const TOLERANCE: f64 = 5e-4;
const MOST_ITERATIONS: usize = 10_000;

/// A chain of a link, and what is cheapest on it at each delay price. It is solved for a price when that is first
/// needed.
#[derive(Debug)]
pub struct ValueIterationModel {
    problem: ChainProblem,
    policies: Vec<OnceLock<ChainPolicy>>,
}

impl ValueIterationModel {
    /// The model of one link, fitted to training paths.
    ///
    /// # Errors
    /// If there are several links, or no path has two slots.
    pub fn fit(training: &[SlotPath]) -> Result<Self, SlotSchemeError> {
        let none = SlotSchemeError::NoTraining { scheme: "value-iteration" };
        let Some(first) = training.first() else { return Err(none) };
        check_links(first.problem())?;
        let (rate_bins, recent_bins) = if first.problem().has_tail() { BINS_WITH_TAIL } else { BINS };
        let chain = RateChain::fit(training, 0, rate_bins, recent_bins).ok_or(none)?;
        let mean = |of: &dyn Fn(&SlotPath) -> f64| training.iter().map(of).sum::<f64>() / training.len() as f64;
        let load = mean(&|path| path.load() / path.mean_rates()[0]);
        let file = mean(&|path| mean_file(path) / (path.load() * path.problem().settings().slot_s));
        Ok(Self::new(chain, load, file, first.problem()))
    }

    /// The model of the one link of a problem: its own chain, or one fitted to all its recordings.
    ///
    /// # Errors
    /// If there are several links.
    pub fn of_problem(problem: &SlotProblem) -> Result<Self, SlotSchemeError> {
        check_links(problem)?;
        let path = problem.path(0, 0);
        let none = SlotSchemeError::NoTraining { scheme: "value-iteration" };
        let chain = match &problem.settings().links[0].rates {
            RateProcess::Recorded(_) => return Self::fit(&problem.recorded_paths(0, 1).map_err(|_| none)?),
            RateProcess::Markov(chain) => RateChain::of_markov(chain, problem.settings().slot_s),
            RateProcess::Constant(_) => RateChain::constant(),
        };
        let load_bytes = path.load() * problem.settings().slot_s;
        Ok(Self::new(chain, path.load() / path.mean_rates()[0], mean_file(&path) / load_bytes, problem))
    }

    fn new(chain: RateChain, load: f64, file: f64, problem: &SlotProblem) -> Self {
        let settings = problem.settings();
        let link = &settings.links[0];
        let has_tail = problem.has_tail();
        let problem = ChainProblem {
            chain,
            load,
            file,
            delay_price: FIRST_PRICE,
            tail: link.tail.map_or((0.0, 0.0), |tail| (tail.length_s / settings.slot_s, tail.power_w / link.power_w)),
            points: if has_tail { POINTS_WITH_TAIL } else { POINTS },
            step: (file / 3.0).clamp(0.25, 4.0),
            overflow_price: settings.left_factor * load,
        };
        Self { problem, policies: (0..PRICES).map(|_| OnceLock::new()).collect() }
    }

    /// The chain and everything else but the delay price.
    pub fn problem(&self) -> &ChainProblem {
        &self.problem
    }

    /// What is cheapest at the nearest delay price that the chain is solved for.
    pub fn policy(&self, delay_price: f64) -> &ChainPolicy {
        let index = ((delay_price / FIRST_PRICE).ln() / PRICE_RATIO.ln()).round().clamp(0.0, (PRICES - 1) as f64);
        self.policies[index as usize].get_or_init(|| {
            let delay_price = FIRST_PRICE * PRICE_RATIO.powf(index);
            ChainProblem { delay_price, ..self.problem.clone() }.solve(TOLERANCE, MOST_ITERATIONS)
        })
    }
}

/// The expected size of a file of any application, in bytes.
fn mean_file(path: &SlotPath) -> f64 {
    let applications = &path.problem().settings().applications;
    let files_per_s = applications.iter().zip(path.loads()).map(|(application, load)| load / application.sizes.mean());
    path.load() / files_per_s.sum::<f64>()
}

fn check_links(problem: &SlotProblem) -> Result<(), SlotSchemeError> {
    let (links, applications) = (problem.links(), problem.applications());
    if links == 1 {
        return Ok(());
    }
    Err(SlotSchemeError::Shape { scheme: "value-iteration", needs: "one link", links, applications })
}

/// Sends where that is cheapest in the long run on a chain of the link, if every slot went on as the chain does.
#[derive(Debug, Clone)]
pub struct ValueIteration {
    name: String,
    model: Arc<ValueIterationModel>,
    scale: f64,
    delay_price: f64,
    load_bytes: f64,
    mean_rate: f64,
    slot_s: f64,
}

impl ValueIteration {
    /// The scheme of a model, at the delay price of the path times `scale`.
    pub fn new(name: &str, model: Arc<ValueIterationModel>, scale: f64) -> Self {
        Self { name: name.to_owned(), model, scale, delay_price: 0.0, load_bytes: 1.0, mean_rate: 1.0, slot_s: 1.0 }
    }
}

impl SlotScheme for ValueIteration {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, path: &SlotPath) -> Result<(), SlotSchemeError> {
        check_links(path.problem())?;
        let settings = path.problem().settings();
        self.slot_s = settings.slot_s;
        self.load_bytes = path.load() * settings.slot_s;
        self.mean_rate = path.mean_rates()[0];
        self.delay_price = self.scale * path.delay_price_j_per_byte_s() * self.load_bytes / settings.links[0].power_w;
        // Solved here, so that no decision waits for it.
        self.model.policy(self.delay_price);
        Ok(())
    }

    fn decide(&mut self, now: &Observation<'_>, orders: &mut [Order]) {
        let chain = &self.model.problem().chain;
        let state = chain.state(now.bytes_per_s[0] / self.mean_rate, now.recent_bytes_per_s[0] / self.mean_rate);
        let policy = self.model.policy(self.delay_price);
        if policy.sends(state, now.backlog() / self.load_bytes, now.idle_s[0] / self.slot_s) {
            orders[0] = Order::send(largest(now.backlog_bytes));
        }
    }
}
