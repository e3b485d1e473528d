//! Nodes of the search: boxes of loads.

use std::cmp::Ordering;

use super::problem::{CoupledProblem, Device, Side};

/// A node of the search: all decisions whose loads of shared places lie between two corners.
#[derive(Clone)]
pub(super) struct Node {
    /// The least load of each side, in bytes.
    pub(super) low: Vec<f64>,
    /// The greatest load of each side, in bytes.
    pub(super) high: Vec<f64>,
    /// ν of each side.
    pub(super) multipliers: Vec<f64>,
    /// No decision in the node costs less.
    pub(super) bound: f64,
    /// For each device, the numbers of the assignments that a decision in the node can have and still cost less than the
    /// incumbent. Empty for a device whose tasks are divisible.
    pub(super) left: Vec<Vec<u32>>,
}

impl Node {
    /// The node of all decisions.
    pub(super) fn root(problem: &CoupledProblem<'_>, multipliers: Vec<f64>) -> Self {
        let sides = problem.sides.len();
        let all = |device: &Device| match device {
            Device::Listed(assignments) => (0..assignments.len() as u32).collect(),
            Device::Divisible(_) => Vec::new(),
        };
        Self {
            low: vec![0.0; sides],
            high: vec![problem.sizes_bytes.iter().sum(); sides],
            multipliers,
            bound: 0.0, // nothing costs less
            left: problem.devices.iter().map(all).collect(),
        }
    }

    /// Both halves of the node across the load that matters most.
    pub(super) fn children(&self, problem: &CoupledProblem<'_>) -> [Self; 2] {
        let matters = |side: usize| {
            let Side { is_bytes, compute_s_per_byte, link_s_per_byte, .. } = problem.sides[side];
            let uplink_s_per_byte = if is_bytes { problem.uplink_s_per_byte } else { 0.0 };
            let slope = compute_s_per_byte + link_s_per_byte + uplink_s_per_byte;
            (self.high[side] - self.low[side]) * slope
        };
        let side = (0..self.low.len()).max_by(|a, b| matters(*a).total_cmp(&matters(*b))).expect("something is shared");
        let middle = f64::midpoint(self.low[side], self.high[side]);
        let (mut lower, mut upper) = (self.clone(), self.clone());
        lower.high[side] = middle;
        upper.low[side] = middle;
        [lower, upper]
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The node with the lowest bound is the greatest, so that a heap yields it first.
impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound)
    }
}
