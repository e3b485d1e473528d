//! The choice of each method's settings, on validation windows, with a seed that no result comes from.

use super::method::{ChosenSettings, Method, SettingsOfMethods, Source};
use super::setup::{Setup, Trial};
use super::windows::EvaluationWindow;
use crate::error::Error;

/// The seed that settings are chosen with.
pub(super) const CHOICE_SEED: u64 = 0;
/// Steps of adaptation whose mean Q2 settings are chosen by. Networks before any step count as well.
const CHOICE_STEPS: [usize; 6] = [0, 1, 5, 10, 20, 50];
/// Windows of the validation drives that settings are chosen with.
const CHOICE_WINDOWS: usize = 24;
/// Step sizes and ε of Adam in adaptation to choose from: from plain Adam, whose first steps move every parameter alike, to
/// nearly stochastic gradient descent.
const GRID: [(f64, f64); 5] = [(0.003, 1e-8), (0.01, 1e-8), (0.03, 1e-8), (0.03, 0.01), (0.1, 0.1)];
/// Step sizes of Adam in joint pre-training to choose from.
const JOINT_RATES: [f64; 3] = [0.001, 0.003, 0.01];

/// A method with one way of training it beforehand, whose settings of adaptation are still to be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) method: Method,
    settings: ChosenSettings,
}

impl Candidate {
    /// Every candidate, the slowest to train first.
    pub(super) fn all(setup: &Setup) -> Vec<Self> {
        let rates = |method| if method == Method::Joint { &JOINT_RATES[..] } else { &JOINT_RATES[..1] };
        let mut candidates = Vec::new();
        for method in [Method::EnvironmentInputs, Method::Reptile, Method::Joint, Method::Random] {
            for source in sources(setup, method) {
                for &joint_rate in rates(method) {
                    let (learning_rate, epsilon) = GRID[0];
                    let settings = ChosenSettings { source, joint_rate, learning_rate, epsilon, score: 0.0 };
                    candidates.push(Self { method, settings });
                }
            }
        }
        candidates
    }

    /// Tries all settings of adaptation and returns the best.
    pub(super) fn best(&self, setup: &Setup, validation: &[Vec<EvaluationWindow>]) -> Result<ChosenSettings, Error> {
        let all: Vec<&EvaluationWindow> = validation.iter().flatten().collect();
        let every = all.len().div_ceil(CHOICE_WINDOWS).max(1);
        let start = setup.start(self.method, &self.settings, CHOICE_SEED)?;
        let mut best = self.settings;
        for (index, (learning_rate, epsilon)) in GRID.into_iter().enumerate() {
            let mut settings = ChosenSettings { learning_rate, epsilon, ..self.settings };
            let mut scores = Vec::new();
            for (window_index, window) in all.iter().enumerate().step_by(every) {
                let stream = format!("study choice/{window_index}");
                let trial = Trial { window, stream: &stream, steps: &CHOICE_STEPS, seed: CHOICE_SEED };
                let (_, points) = setup.adapt((self.method, &settings), &start, &trial)?;
                scores.extend(points.iter().map(|point| point.q2));
            }
            settings.score = mrdro::mean(&scores);
            if index == 0 || settings.score > best.score {
                best = settings;
            }
        }
        Ok(best)
    }
}

/// The distributions that a method's pre-training can draw from; for methods without, a single one that is not used.
fn sources(setup: &Setup, method: Method) -> Vec<Source> {
    let count = if Method::PRETRAINED.contains(&method) { setup.environments.len() } else { 1 };
    setup.environments.keys().copied().take(count).collect()
}

/// The best settings of each method, from the best of each candidate.
pub(super) fn best_of_each(found: impl IntoIterator<Item = (Method, ChosenSettings)>) -> SettingsOfMethods {
    let mut chosen = SettingsOfMethods::new();
    for (method, settings) in found {
        let best = chosen.entry(method).or_insert(settings);
        if settings.score > best.score {
            *best = settings;
        }
    }
    // It starts from the networks of joint pre-training and adapts as they do.
    if let Some(&joint) = chosen.get(&Method::Joint) {
        chosen.insert(Method::LastWindow, joint);
    }
    chosen
}

/// Whether the settings of an earlier call cover every method, with sources that this study has.
pub(super) fn is_complete(chosen: &SettingsOfMethods, setup: &Setup) -> bool {
    let is_known = |settings: &ChosenSettings| setup.environments.contains_key(&settings.source);
    Method::ALL.iter().all(|method| chosen.get(method).is_some_and(is_known))
}
