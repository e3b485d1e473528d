//! All methods on drawn problems.

use rayon::prelude::*;

use super::{OffloadingCost, OffloadingError, OffloadingPlace, OffloadingProblem, OffloadingWeights};
use crate::random::{self, Stream};

/// Draws problems with a device, an edge server and a cloud behind one channel with a good and a bad state.
///
/// The device does 0.5 to 2 tasks per second, edge and cloud 1 to 4 in the good state and 0.1 to 0.5 times that in the bad one;
/// powers lie between 0.2 and 2 W, stays between 2 and 50 s, every order of magnitude equally likely. A joule and a second
/// cost the same. The rate of arrivals is a share of what the slowest place can do on average, so that each place alone could serve all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffloadingGenerator {
    /// That share, drawn evenly between the two.
    pub load: (f64, f64),
    /// The greatest length of a queue for value iteration and greedy.
    pub longest: usize,
}

impl Default for OffloadingGenerator {
    /// Loads of 0.3 to 0.9 and queues of up to 15 tasks.
    fn default() -> Self {
        Self { load: (0.3, 0.9), longest: 15 }
    }
}

impl OffloadingGenerator {
    /// Problem `index` under a seed.
    ///
    /// # Errors
    /// If the numbers of the generator make no sense.
    pub fn draw(&self, seed: u64, index: u64) -> Result<OffloadingProblem, OffloadingError> {
        let mut random = random::stream(seed, &format!("mdp/{index}"));
        let between = |least: f64, most: f64, random: &mut Stream| least * (most / least).powf(random::unit(random));
        let rate = between(0.5, 2.0, &mut random);
        let mut places =
            vec![OffloadingPlace { tasks_per_s: vec![rate; 2], power_w: vec![between(0.2, 2.0, &mut random); 2] }];
        for _ in 0..2 {
            let good = between(1.0, 4.0, &mut random);
            let bad = good * between(0.1, 0.5, &mut random);
            places.push(OffloadingPlace {
                tasks_per_s: vec![good, bad],
                power_w: vec![between(0.2, 2.0, &mut random); 2],
            });
        }
        let stays = vec![between(2.0, 50.0, &mut random), between(2.0, 50.0, &mut random)];
        let weights = OffloadingWeights { per_joule: 0.5, per_second: 0.5 };
        let load = self.load.0 + (self.load.1 - self.load.0) * random::unit(&mut random);
        let draft = OffloadingProblem::new(1.0, places, stays, weights, self.longest)?;
        let slowest = (0..3).map(|place| draft.mean_tasks_per_s(place)).fold(f64::INFINITY, f64::min);
        let (places, stays) = (draft.places().to_vec(), draft.mean_stay_s().to_vec());
        OffloadingProblem::new(load * slowest, places, stays, weights, self.longest)
    }
}

/// Means of all methods on one problem; `None` where a queue grows without end.
#[derive(Debug, Clone, PartialEq)]
pub struct OffloadingFigures {
    /// Value iteration.
    pub optimum: OffloadingCost,
    /// The bound that value iteration proves for truncated queues.
    pub bound: f64,
    /// Greedy by the rates of the moment.
    pub greedy: OffloadingCost,
    /// Greedy by mean rates.
    pub greedy_mean: OffloadingCost,
    /// Device, edge and cloud alone.
    pub only: Vec<Option<OffloadingCost>>,
    /// Every place equally likely.
    pub random: Option<OffloadingCost>,
}

impl OffloadingFigures {
    /// The share of the cost that value iteration saves over each place alone and over the random choice, in this order;
    /// `None` where a queue grows without end.
    pub fn saved(&self) -> Vec<Option<f64>> {
        let others = self.only.iter().chain([&self.random]);
        others.map(|other| other.map(|other| 1.0 - self.optimum.cost / other.cost)).collect()
    }
}

/// Draws problems 0 to `problems` − 1 under a seed and decides each by all methods, in parallel; the result has the order of
/// the problems.
///
/// # Errors
/// If the numbers of the generator make no sense, or value iteration does not come to its end.
pub fn compare(
    generator: &OffloadingGenerator,
    seed: u64,
    problems: u64,
) -> Result<Vec<OffloadingFigures>, OffloadingError> {
    (0..problems).into_par_iter().map(|index| figures(&generator.draw(seed, index)?)).collect()
}

fn figures(problem: &OffloadingProblem) -> Result<OffloadingFigures, OffloadingError> {
    let optimum = problem.optimum()?;
    let only = (0..problem.places().len()).map(|place| problem.only(place)).collect::<Result<_, _>>()?;
    Ok(OffloadingFigures {
        optimum: optimum.means,
        bound: optimum.bound,
        greedy: problem.evaluate(&problem.greedy(true))?,
        greedy_mean: problem.evaluate(&problem.greedy(false))?,
        only,
        random: problem.random()?,
    })
}
