//! Rules that say which tasks are served.

use super::{LayerServing, ServingDecision, Shares};
use crate::random;

/// A rule that serves tasks at an edge node.
///
/// All but [`ServingRule::FixedLayers`] with no layers serve tasks with at least one layer at the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServingRule {
    /// The first layers of every task at the edge, this number of them or all of a smaller network; tasks with the fewest bytes of
    /// input per second first. With 0,
    /// everything runs in the cloud, and inputs are sent as they are.
    FixedLayers(usize),
    /// Tasks in random order, each with a random number of layers, where that fits.
    Random {
        /// The seed.
        seed: u64,
    },
    /// Tasks as they were given, each with the number of layers after which the scarcer of capacity and bandwidth has most left.
    BestFit,
    /// Offline: tasks with the fewest bytes of input per second first, each with the number of layers that saves most data for its work; where that does not
    /// fit, with the next best number; where none fits, in exchange for a served task that takes more.
    LiOffline,
    /// Online: tasks as they were given, none of them taken back. Capacity and bandwidth have prices that rise with their
    /// use, and a task is served if it pays at most 1. How much tasks take at least and at most is known.
    LiOnline,
}

impl ServingRule {
    /// The name in tables.
    pub fn name(&self) -> String {
        match self {
            Self::FixedLayers(0) => "all-in-the-cloud".to_owned(),
            Self::FixedLayers(layers) => format!("fixed-layers-{layers}"),
            Self::Random { .. } => "random".to_owned(),
            Self::BestFit => "best-fit".to_owned(),
            Self::LiOffline => "li-layers".to_owned(),
            Self::LiOnline => "li-layers-online".to_owned(),
        }
    }

    /// Decides which tasks are served, and how.
    pub fn decide(&self, serving: &LayerServing) -> ServingDecision {
        let mut served = Served::new(serving);
        match *self {
            Self::FixedLayers(layers) => {
                for task in by_input(serving) {
                    let shares = &serving.shares[task];
                    served.add_if_it_fits(task, shares[layers.min(shares.len() - 1)]);
                }
            }
            Self::Random { seed } => {
                let mut random = random::stream(seed, "random serving");
                let mut order: Vec<usize> = (0..serving.tasks.len()).collect();
                random::shuffle(&mut random, &mut order);
                for task in order {
                    let shares = serving.edge_shares(task);
                    served.add_if_it_fits(task, shares[random::below(&mut random, shares.len())]);
                }
            }
            Self::BestFit => {
                for task in 0..serving.tasks.len() {
                    let fullest = |shares: &Shares| shares.after(served.used).into_iter().fold(0.0, f64::max);
                    served.add_first_that_fits(task, by(serving.edge_shares(task), fullest));
                }
            }
            Self::LiOffline => serve_offline(serving, &mut served),
            Self::LiOnline => serve_online(serving, &mut served),
        }
        served.decision()
    }
}

/// The tasks by the bytes of their inputs per second, least first.
fn by_input(serving: &LayerServing) -> Vec<usize> {
    let mut order: Vec<usize> = (0..serving.tasks.len()).collect();
    order.sort_by(|a, b| serving.tasks[*a].input_bytes_per_s().total_cmp(&serving.tasks[*b].input_bytes_per_s()));
    order
}

/// Ways to serve a task by a rising number.
fn by(shares: &[Shares], number: impl Fn(&Shares) -> f64) -> Vec<Shares> {
    let mut shares = shares.to_vec();
    shares.sort_by(|a, b| number(a).total_cmp(&number(b)));
    shares
}

/// [`ServingRule::LiOffline`].
fn serve_offline(serving: &LayerServing, served: &mut Served<'_>) {
    for task in by_input(serving) {
        let input = serving.shares[task][0].bandwidth;
        let saved = |shares: &Shares| (input - shares.bandwidth) / shares.capacity.max(f64::MIN_POSITIVE);
        let ways = by(serving.edge_shares(task), |shares| -saved(shares));
        if !served.add_first_that_fits(task, ways.iter().copied()) {
            served.exchange(task, &ways);
        }
    }
}

/// [`ServingRule::LiOnline`]. With L and U, the least and the most that tasks are worth per share of a resource, the price of
/// a resource of which z is used is (L / e) (U e / L)^z.
fn serve_online(serving: &LayerServing, served: &mut Served<'_>) {
    let tasks = 0..serving.tasks.len();
    let ways = tasks.clone().flat_map(|task| serving.edge_shares(task)).filter(|shares| shares.fits([0.0; 2]));
    let mut extremes = [(f64::INFINITY, 0.0_f64); 2];
    for shares in ways {
        for ((least, most), share) in extremes.iter_mut().zip([shares.capacity, shares.bandwidth]) {
            if share > 0.0 {
                (*least, *most) = (least.min(share), most.max(share));
            }
        }
    }
    let price = |(least, most): (f64, f64), used: f64| {
        // A resource that no task takes costs nothing.
        if most <= 0.0 {
            0.0
        } else {
            (1.0 / most / std::f64::consts::E) * (std::f64::consts::E * most / least).powf(used)
        }
    };
    for task in tasks {
        // A task takes of both resources, so that each may take half of what it is worth.
        let prices = [0, 1].map(|index| 0.5 * price(extremes[index], served.used[index]));
        let ways = by(serving.edge_shares(task), |shares| shares.price(prices));
        served.add_first_that_fits(task, ways.into_iter().filter(|shares| shares.price(prices) <= 1.0));
    }
}

/// Serves the tasks first that pay least under prices of capacity and bandwidth, each in its cheapest way that fits.
pub(super) fn serve_by_price(serving: &LayerServing, prices: [f64; 2]) -> ServingDecision {
    let mut served = Served::new(serving);
    let least =
        |task: usize| serving.edge_shares(task).iter().map(|shares| shares.price(prices)).fold(f64::INFINITY, f64::min);
    let mut order: Vec<usize> = (0..serving.tasks.len()).collect();
    order.sort_by(|a, b| least(*a).total_cmp(&least(*b)));
    for task in order {
        served.add_first_that_fits(task, by(serving.edge_shares(task), |shares| shares.price(prices)));
    }
    served.decision()
}

/// Tasks that are served so far.
struct Served<'a> {
    serving: &'a LayerServing,
    /// `[task]`.
    ways: Vec<Option<Shares>>,
    used: [f64; 2],
}

impl<'a> Served<'a> {
    fn new(serving: &'a LayerServing) -> Self {
        Self { serving, ways: vec![None; serving.tasks.len()], used: [0.0; 2] }
    }

    fn add_if_it_fits(&mut self, task: usize, shares: Shares) -> bool {
        self.add_first_that_fits(task, [shares])
    }

    /// Serves a task in the first way that fits. Returns whether one does.
    fn add_first_that_fits(&mut self, task: usize, ways: impl IntoIterator<Item = Shares>) -> bool {
        let way = ways.into_iter().find(|shares| shares.fits(self.used));
        if let Some(way) = way {
            self.ways[task] = Some(way);
            self.used = way.after(self.used);
        }
        way.is_some()
    }

    /// Serves a task instead of another one, where that leaves more of the scarcer resource: instead of the task that takes most of
    /// it, in the first way that fits and takes less.
    fn exchange(&mut self, task: usize, ways: &[Shares]) {
        let scarcer = usize::from(self.used[1] > self.used[0]);
        let share = |shares: &Shares| [shares.capacity, shares.bandwidth][scarcer];
        let served = self.ways.iter().enumerate().filter_map(|(other, way)| way.map(|way| (other, way)));
        let Some((other, largest)) = served.max_by(|a, b| share(&a.1).total_cmp(&share(&b.1))) else { return };
        self.ways[other] = None;
        let rest = self.sum();
        let way = ways.iter().find(|shares| shares.fits(rest) && share(shares) < share(&largest));
        match way {
            Some(way) => self.ways[task] = Some(*way),
            None => self.ways[other] = Some(largest),
        }
        self.used = self.sum();
    }

    /// What all served tasks take.
    fn sum(&self) -> [f64; 2] {
        self.ways.iter().flatten().fold([0.0; 2], |used, shares| shares.after(used))
    }

    fn decision(self) -> ServingDecision {
        debug_assert_eq!(self.ways.len(), self.serving.tasks.len());
        ServingDecision { layers: self.ways.iter().map(|way| way.map(|way| way.layers)).collect() }
    }
}
