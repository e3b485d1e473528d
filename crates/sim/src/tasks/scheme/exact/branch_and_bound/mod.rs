//! Branch and bound where devices share servers or links.
//!
//! # The bound
//! The devices are coupled through few numbers, the loads L of shared places. A node of the search is a box of loads. The
//! cost of a device with the assignment o of its tasks to places is convex in L, so that its tangent at the middle of the
//! box, ĝ_n(o; L), is never above it. The loads are sums over all devices, L = Σ_n b_n; a multiplier ν for each shared
//! place takes this constraint into the objective. For any ν
//!
//! Φ(ν) = min_L Σ_n min_o (ĝ_n(o; L) + ν·b_n(o)) − ν·L
//!
//! is a lower bound for all decisions with loads in the box. It is linear in L for each decision, so that only the corners
//! of the box must be evaluated. Where ν is the time by which a byte delays all other devices, moving L changes Φ
//! little, since the term ν·L makes up for shorter waits. Φ is concave and its gradient, the loads less the corner, is
//! known, so that a few subgradient steps find a good ν.
//!
//! # The search
//! The node with the lowest bound is halved first. An assignment that costs more than its device's cheapest by δ costs a
//! decision at least the bound + δ, which rules assignments out (fixing by reduced cost); the few that are left are
//! enumerated. The gap that no halving closes is about as large as the differences between the assignments of one
//! device. Compared with the cost of all devices it is small, so that a large fleet of small devices is not much harder
//! than a small fleet.
//!
//! Where a device has too many assignments to list, its tasks are treated as divisible, which gives a bound but no
//! decision. There, and where boxes would have too many corners, devices wait for the least loads of the box instead of
//! a tangent.
//!
//! # Details
//! Where tasks differ in instructions per byte, a shared place has two loads, bytes and instructions. A missed deadline has a
//! price. Waits only grow with the loads, so that deadlines missed with the least loads of a node are missed in all of it.

mod all_tasks;
mod effort;
mod enumerate;
mod incumbent;
mod node;
mod problem;
mod relaxation;
mod waits;

use std::collections::BinaryHeap;

use self::effort::Effort;
use self::incumbent::Incumbent;
use self::node::Node;
use self::problem::{CoupledProblem, Side};
use self::relaxation::Relaxation;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// Subgradient steps for the first node, whose multipliers all others start from.
const FIRST_STEPS: u32 = 100;
/// Subgradient steps for every other node.
const STEPS: u32 = 12;
/// The largest multiplier, as a multiple of what a byte costs on average.
const FARTHEST: f64 = 1e3;

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// No decision costs less.
    pub(super) lower: f64,
    /// The cost of the best decision known.
    pub(super) cost: f64,
    /// The best decision known.
    pub(super) places: Vec<u8>,
    /// Whether `lower` and `cost` are the same but for rounding.
    pub(super) is_optimal: bool,
    /// Cost evaluations, of whole decisions or of one device's part.
    pub(super) evaluations: u64,
}

/// Searches from a known decision until the optimum is proved or the effort is spent.
pub(super) fn search(model: &CostModel, sizes_bytes: &[f64], among: &[u8], known: Vec<u8>) -> Found {
    let problem = CoupledProblem::new(model, sizes_bytes, among);
    Search::new(&problem, known).run()
}

struct Search<'p, 'm> {
    problem: &'p CoupledProblem<'m>,
    incumbent: Incumbent,
    effort: Effort,
    relaxation: Relaxation,
    total_bytes: f64,
}

impl<'p, 'm> Search<'p, 'm> {
    fn new(problem: &'p CoupledProblem<'m>, known: Vec<u8>) -> Self {
        Self {
            problem,
            incumbent: Incumbent::new(problem, known),
            effort: Effort::FIRST,
            relaxation: Relaxation::new(problem),
            total_bytes: problem.sizes_bytes.iter().sum(),
        }
    }

    fn run(mut self) -> Found {
        let mut root = Node::root(self.problem, self.first_multipliers());
        self.bound(&mut root, FIRST_STEPS);
        let mut open = BinaryHeap::from([root]);
        let mut lower = f64::INFINITY;
        while let Some(node) = open.pop() {
            // A node that is beaten comes before others that are beaten, too.
            if self.incumbent.beats(node.bound) {
                break;
            }
            if self.effort.is_spent() {
                lower = node.bound;
                break;
            }
            if self.enumerate(&node) {
                continue;
            }
            for mut child in node.children(self.problem) {
                self.effort.nodes += 1;
                self.bound(&mut child, STEPS);
                if !self.incumbent.beats(child.bound) {
                    open.push(child);
                }
            }
        }
        let Incumbent { cost, places } = self.incumbent;
        let (is_optimal, lower) = (lower >= cost, lower.min(cost));
        Found { lower, cost, places, is_optimal, evaluations: self.effort.evaluations }
    }

    /// The time by which a byte at each shared place delays the devices that are done there last, in the incumbent.
    fn first_multipliers(&self) -> Vec<f64> {
        let model = self.problem.model;
        let workload = Workload::from_bytes(model.tasks(), self.problem.sizes_bytes);
        let decision = Decision::from_places(model.tasks(), self.incumbent.places.clone());
        let times_s = model.place_times(&workload, &decision);
        let waiting = |place: usize| {
            let is_last = |times: &&[f64]| times[place] > 0.0 && times.iter().all(|time| *time <= times[place]);
            times_s.chunks_exact(model.places()).filter(is_last).count() as f64
        };
        let delay = |side: &Side| self.problem.time_weight * waiting(side.place) * side.compute_s_per_byte;
        let farthest = self.farthest_multiplier();
        self.problem.sides.iter().map(delay).map(|delay| delay.min(farthest)).collect()
    }

    /// The largest multiplier. Any multiplier gives a bound, but rounding would spoil the bound of a multiplier far
    /// beyond the cost of a byte.
    fn farthest_multiplier(&self) -> f64 {
        FARTHEST * self.incumbent.cost / self.total_bytes.max(f64::MIN_POSITIVE)
    }

    /// Finds good multipliers and with them the bound of a node, offers the decision that they lead to as incumbent, and
    /// rules out assignments that cost too much.
    fn bound(&mut self, node: &mut Node, steps: u32) {
        let Self { problem, relaxation, effort, .. } = self;
        relaxation.tabulate(problem, node, effort);
        self.improve_multipliers(node, steps);
        let Self { problem, relaxation, effort, incumbent, .. } = self;
        let mut gradient = vec![0.0; node.low.len()];
        let bound = relaxation.bound(problem, node, &node.multipliers, &mut gradient, effort);
        node.bound = node.bound.max(bound);
        if let Some(places) = relaxation.chosen_places(problem, node) {
            incumbent.offer(problem, &places);
            effort.evaluations += 1;
        }
        relaxation.fix_by_reduced_cost(problem, node, incumbent.cost);
    }

    /// Takes subgradient steps from a node's multipliers and keeps the multipliers with the best bound.
    fn improve_multipliers(&mut self, node: &mut Node, steps: u32) {
        let farthest = self.farthest_multiplier();
        let Self { problem, relaxation, effort, incumbent, .. } = self;
        let mut trial = node.multipliers.clone();
        let mut best = f64::NEG_INFINITY;
        let (mut scale, mut failures) = (1.0, 0);
        let mut gradient = vec![0.0; trial.len()];
        for _ in 0..steps {
            let bound = relaxation.bound(problem, node, &trial, &mut gradient, effort);
            if bound > best {
                best = bound;
                node.multipliers.copy_from_slice(&trial);
                failures = 0;
            } else {
                failures += 1;
                if failures == 3 {
                    (scale, failures) = (0.5 * scale, 0);
                    trial.copy_from_slice(&node.multipliers);
                    relaxation.bound(problem, node, &trial, &mut gradient, effort);
                }
            }
            let steepness = dot(&gradient, &gradient);
            if incumbent.beats(best) || steepness <= 0.0 {
                break;
            }
            // Polyak's step, as if the incumbent were the optimum.
            let step = scale * (incumbent.cost - bound).max(0.0) / steepness;
            for (multiplier, gradient) in trial.iter_mut().zip(&gradient) {
                *multiplier = (*multiplier + step * gradient).clamp(-farthest, farthest);
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
