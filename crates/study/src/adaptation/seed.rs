//! The results of one seed: every method, measured in every window of the test.

use std::collections::BTreeMap;

use model::{Ensemble, Policy, Selection};
use mrdro::Point;
use serde::{Deserialize, Serialize};

use super::choice::CHOICE_SEED;
use super::method::{Method, SettingsOfMethods};
use super::recordings::EnvironmentSequence;
use super::setup::{PretrainingCost, Setup, Trial};
use super::windows::{EvaluationWindow, shares};
use crate::error::Error;

/// Steps of adaptation after which every method is measured.
pub(super) const STEPS: [usize; 16] = [0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 140, 200];
/// How often 10 steps are timed.
const TIMED: usize = 41;

/// The results of one seed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SeedResult {
    pub(super) seed: u64,
    #[serde(rename = "expenses")]
    pub(super) pretraining: BTreeMap<Method, PretrainingCost>,
    pub(super) percentiles: Vec<Percentile>,
    /// Share of tasks that the networks which read the environment run at each place, for each window of each sequence.
    pub(super) shares: Vec<Vec<f64>>,
    #[serde(rename = "rows")]
    pub(super) measurements: Vec<Measurement>,
}

/// The 5th percentile of the ratios of single workloads over all windows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Percentile {
    #[serde(rename = "arm")]
    pub(super) method: Method,
    pub(super) step: usize,
    pub(super) q2_p05: f64,
}

/// The quality of a method in one window after some steps.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measurement {
    #[serde(rename = "arm")]
    pub(super) method: Method,
    #[serde(rename = "ride")]
    pub(super) sequence: usize,
    pub(super) window: usize,
    pub(super) point: Point,
}

impl SeedResult {
    /// Trains all methods with one seed and adapts them in every window.
    pub(super) fn find(
        setup: &Setup,
        seed: u64,
        chosen: &SettingsOfMethods,
        test: (&[EnvironmentSequence], &[Vec<EvaluationWindow>]),
    ) -> Result<Self, Error> {
        let mut starts = BTreeMap::from([(Method::Random, setup.random_start(seed))]);
        let mut pretraining = BTreeMap::new();
        for method in Method::PRETRAINED {
            let (ensemble, cost) = setup.pretrain(method, &chosen[&method], seed)?;
            starts.insert(method, ensemble);
            pretraining.insert(method, cost);
        }
        starts.insert(Method::LastWindow, starts[&Method::Joint].clone());
        let mut result =
            Self { seed, pretraining, percentiles: Vec::new(), shares: Vec::new(), measurements: Vec::new() };
        result.adapt(setup, &starts, chosen, test)?;
        result.percentiles = percentiles(&mut result.measurements);
        let method = Method::EnvironmentInputs;
        let codec = setup.codec(method, chosen[&method].source);
        let mut policy = Policy::new("reading", &starts[&method], codec, Selection::PAPER, &setup.device);
        for window in test.1.iter().flatten() {
            result.shares.push(shares(&mut policy, &window.set)?);
        }
        Ok(result)
    }

    /// Adapts the networks of every method in every window and measures them.
    fn adapt(
        &mut self,
        setup: &Setup,
        starts: &BTreeMap<Method, Ensemble>,
        chosen: &SettingsOfMethods,
        (sequences, windows): (&[EnvironmentSequence], &[Vec<EvaluationWindow>]),
    ) -> Result<(), Error> {
        for (sequence, (EnvironmentSequence { name, .. }, windows)) in sequences.iter().zip(windows).enumerate() {
            let mut last_window = starts[&Method::LastWindow].clone();
            for (index, window) in windows.iter().enumerate() {
                let stream = format!("study adaptation/{name}/{index}");
                let trial = Trial { window, stream: &stream, steps: &STEPS, seed: self.seed };
                for method in Method::ALL {
                    let start = if method == Method::LastWindow { &last_window } else { &starts[&method] };
                    let (end, points) = setup.adapt((method, &chosen[&method]), start, &trial)?;
                    if method == Method::LastWindow {
                        last_window = end;
                    }
                    let measured = |point| Measurement { method, sequence, window: index, point };
                    self.measurements.extend(points.into_iter().map(measured));
                }
            }
        }
        Ok(())
    }

    /// The text of the seed's file.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts can be written")
    }
}

/// The 5th percentile for each method and step. Takes the ratios of single workloads out of the measurements.
fn percentiles(measurements: &mut [Measurement]) -> Vec<Percentile> {
    let mut ratios: BTreeMap<(Method, usize), Vec<f64>> = BTreeMap::new();
    for Measurement { method, point, .. } in measurements {
        ratios.entry((*method, point.step)).or_default().append(&mut point.ratios);
    }
    let percentile = |((method, step), mut ratios): ((Method, usize), Vec<f64>)| {
        ratios.sort_unstable_by(f64::total_cmp);
        Percentile { method, step, q2_p05: ratios[ratios.len() / 20] }
    };
    ratios.into_iter().map(percentile).collect()
}

/// The median of the seconds that 10 steps of adaptation take on one thread, from networks to networks, while nothing else
/// is done.
pub(super) fn seconds_of_10_steps(
    setup: &Setup,
    chosen: &SettingsOfMethods,
    window: &EvaluationWindow,
) -> Result<f64, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|source| mrdro::Error::Threads { threads: 1, source })?;
    let start = setup.random_start(CHOICE_SEED);
    pool.install(|| {
        let trial = Trial { window, stream: "study time", steps: &[10], seed: CHOICE_SEED };
        let mut seconds = Vec::with_capacity(TIMED);
        for _ in 0..TIMED {
            let (_, points) = setup.adapt((Method::Random, &chosen[&Method::Random]), &start, &trial)?;
            seconds.extend(points.iter().map(|point| point.seconds));
        }
        seconds.sort_unstable_by(f64::total_cmp);
        Ok(seconds[TIMED / 2])
    })
}
