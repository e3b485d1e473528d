//! Evolution strategies: networks trained on the cost of whole runs, with no sample and no gradient of a loss.

use model::stream::{Dispatcher, Parameters};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sim::random;
use sim::stream::dispatch::scheme::DispatchGreedy;
use sim::stream::dispatch::{Path, Site, Sites, simulate};

/// How [`Evolution`] goes.
#[derive(Debug, Clone, PartialEq)]
pub struct EvolutionSettings {
    /// Generations.
    pub generations: usize,
    /// Pairs of changed networks in a generation: one with a change, one with its opposite.
    pub pairs: usize,
    /// Sites of a generation, the same for all its networks.
    pub sites: usize,
    /// Tasks that arrive at each site.
    pub tasks: usize,
    /// The standard deviation of changes at the beginning; it falls to two fifths.
    pub deviation: f32,
    /// The step size of Adam at the beginning; it falls to 15 %.
    pub learning_rate: f32,
}

impl Default for EvolutionSettings {
    fn default() -> Self {
        Self { generations: 300, pairs: 16, sites: 16, tasks: 3_000, deviation: 0.1, learning_rate: 0.03 }
    }
}

/// Trains networks by evolution strategies (Salimans, Ho, Chen, Sidor and Sutskever, *Evolution strategies as a scalable
/// alternative to reinforcement learning*, 2017): each generation simulates changed networks in opposite pairs on common sites
/// and paths, ranks them by their mean cost over that of greedy, and takes a step of Adam along the changes, weighted by rank.
/// The mean of the networks over the second half is the result.
///
/// All networks of an ensemble are changed together.
#[derive(Debug, Clone)]
pub struct Evolution {
    settings: EvolutionSettings,
    sites: Sites,
    knows_rates: bool,
    seed: u64,
    width: usize,
    networks: usize,
    state: EvolutionState,
}

/// The part of [`Evolution`] that generations change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EvolutionState {
    values: Vec<f32>,
    mean: Vec<f32>,
    moments: [Vec<f32>; 2],
    generation: usize,
}

/// What is left of the mean after a generation.
const MEAN_DECAY: f32 = 0.97;

impl Evolution {
    /// Begins with these networks.
    ///
    /// # Panics
    /// If there is none.
    pub fn new(
        networks: &[Parameters],
        sites: Sites,
        knows_rates: bool,
        settings: EvolutionSettings,
        seed: u64,
    ) -> Self {
        let values: Vec<f32> = networks.iter().flat_map(|network| network.values.clone()).collect();
        let zeros = vec![0.0; values.len()];
        Self {
            settings,
            sites,
            knows_rates,
            seed,
            width: networks[0].width,
            networks: networks.len(),
            state: EvolutionState { mean: values.clone(), values, moments: [zeros.clone(), zeros], generation: 0 },
        }
    }

    /// Whether all generations are done.
    pub fn is_done(&self) -> bool {
        self.state.generation >= self.settings.generations
    }

    /// The networks as they are now.
    pub fn networks(&self) -> Vec<Parameters> {
        self.unstacked(&self.state.mean)
    }

    pub(crate) fn state(&self) -> &EvolutionState {
        &self.state
    }

    /// Continues from the state of another one with the same arguments; `false` if it does not fit.
    pub(crate) fn restore(&mut self, state: EvolutionState) -> bool {
        let count = self.state.values.len();
        let [first, second] = &state.moments;
        let fits = [&state.values, &state.mean, first, second].iter().all(|values| values.len() == count);
        if fits {
            self.state = state;
        }
        fits
    }

    fn unstacked(&self, values: &[f32]) -> Vec<Parameters> {
        let each = values.len() / self.networks;
        values.chunks_exact(each).map(|values| Parameters { width: self.width, values: values.to_vec() }).collect()
    }

    /// One generation; the mean over its networks and sites of the cost over that of greedy.
    pub fn advance(&mut self) -> f64 {
        let EvolutionSettings { generations, pairs, sites, tasks, deviation, learning_rate } = self.settings;
        let done = self.state.generation as f32 / generations as f32;
        let mut random = random::stream_of(self.seed, "evolution", &[self.state.generation as f64]);
        let drawn: Vec<(Site, u64)> = (0..sites)
            .map(|_| {
                let site = self.sites.draw(&mut random);
                (site, random::below(&mut random, usize::MAX) as u64)
            })
            .collect();
        let courses: Vec<(Site, Path, f64)> = drawn
            .into_par_iter()
            .map(|(site, seed)| {
                let path = Path::draw(&site, tasks, seed);
                let greedy = simulate(&site, &path, &mut DispatchGreedy::new(), 0).mean_cost;
                (site, path, greedy)
            })
            .collect();
        let changes: Vec<Vec<f32>> = (0..pairs)
            .map(|_| (0..self.state.values.len()).map(|_| random::normal(&mut random) as f32).collect())
            .collect();
        let deviation = deviation * (1.0 - 0.6 * done);
        let ratio = |index: usize| {
            let signed = if index.is_multiple_of(2) { deviation } else { -deviation };
            let changed: Vec<f32> = self
                .state
                .values
                .iter()
                .zip(&changes[index / 2])
                .map(|(value, change)| value + signed * change)
                .collect();
            let mut networks = Dispatcher::new("changed", &self.unstacked(&changed), self.knows_rates);
            let of_course =
                |(site, path, greedy): &(Site, Path, f64)| simulate(site, path, &mut networks, 0).mean_cost / greedy;
            courses.iter().map(of_course).sum::<f64>() / sites as f64
        };
        let ratios: Vec<f64> = (0..2 * pairs).into_par_iter().map(ratio).collect();
        let mut order: Vec<usize> = (0..ratios.len()).collect();
        order.sort_by(|one, other| ratios[*one].total_cmp(&ratios[*other]));
        let mut ranks = vec![0.0; ratios.len()];
        for (rank, index) in order.into_iter().enumerate() {
            ranks[index] = rank as f32 / (ratios.len() - 1) as f32 - 0.5;
        }
        let mut gradient = vec![0.0; self.state.values.len()];
        for (pair, change) in changes.iter().enumerate() {
            let weight = (ranks[2 * pair] - ranks[2 * pair + 1]) / pairs as f32;
            gradient.iter_mut().zip(change).for_each(|(sum, change)| *sum += weight * change);
        }
        self.state.step(&gradient, learning_rate * (1.0 - 0.85 * done));
        let EvolutionState { values, mean, generation, .. } = &mut self.state;
        if *generation * 2 < generations {
            mean.clone_from(values);
        } else {
            for (mean, value) in mean.iter_mut().zip(values) {
                *mean = MEAN_DECAY * *mean + (1.0 - MEAN_DECAY) * *value;
            }
        }
        ratios.iter().sum::<f64>() / ratios.len() as f64
    }
}

impl EvolutionState {
    /// A step of Adam.
    fn step(&mut self, gradient: &[f32], learning_rate: f32) {
        self.generation += 1;
        let generation = i32::try_from(self.generation).unwrap_or(i32::MAX);
        let corrections = [0.9_f32, 0.999].map(|decay| 1.0 / (1.0 - decay.powi(generation)));
        let [first, second] = &mut self.moments;
        let moments = first.iter_mut().zip(second);
        for ((value, gradient), (first, second)) in self.values.iter_mut().zip(gradient).zip(moments) {
            *first = 0.9 * *first + 0.1 * gradient;
            *second = 0.999 * *second + 0.001 * gradient * gradient;
            *value -= learning_rate * (*first * corrections[0]) / ((*second * corrections[1]).sqrt() + 1e-8);
        }
    }
}
