//! The few assignments that are left in a node, combined one by one.

use super::node::Node;
use super::problem::Assignment;
use super::{Search, dot};

/// The most devices whose assignments are combined, one level of recursion each.
const MAX_DEPTH: usize = 1_000;
/// Combinations, parts of combinations included, after which a node is halved instead.
const MOST_COMBINATIONS: u64 = 2_000;
/// Where many nodes have been bounded, this number of combinations for each of them, if that is more.
const COMBINATIONS_PER_NODE: u64 = 100;
/// Loads outside a node by no more than this share of all bytes are inside but for rounding.
const ROUNDING: f64 = super::incumbent::ROUNDING;

/// A combination of assignments that is put together device by device.
struct Combination<'t> {
    node: &'t Node,
    /// The assignments so far.
    assignments: Vec<&'t Assignment>,
    /// The amount that each assignment left adds to the bounds of the corners, `[N]` times `[left][corners]`.
    added: Vec<Vec<f64>>,
    /// Devices in the order in which they are decided.
    order: Vec<usize>,
    /// Φ of the corners with the assignments so far, `[N + 1][corners]`.
    bounds: Vec<f64>,
    /// The least cost of the devices after each depth.
    after: Vec<f64>,
    /// Loads of shared places with the assignments so far.
    loads: Vec<f64>,
    /// Places of all tasks, meaningful for the devices decided so far.
    places: Vec<u8>,
    /// The number of combinations that may still be tried.
    budget: u64,
}

impl<'p> Search<'p, '_> {
    /// Evaluates every combination of the assignments left in a node that can cost less than the incumbent. Returns
    /// `false` if they are too many, or a device's assignments are not listed.
    pub(super) fn enumerate(&mut self, node: &Node) -> bool {
        if self.problem.devices.len() > MAX_DEPTH || !self.problem.is_listed() {
            return false;
        }
        let mut combination = self.first_combination(node);
        let budget = combination.budget;
        let is_done = self.descend(&mut combination, 0);
        self.effort.enumerated += budget - combination.budget;
        is_done
    }

    /// The empty combination.
    fn first_combination<'n>(&mut self, node: &'n Node) -> Combination<'n> {
        let Self { problem, relaxation, effort, .. } = self;
        relaxation.tabulate(problem, node, effort);
        relaxation.bound(problem, node, &node.multipliers, &mut vec![0.0; node.low.len()], effort);
        let (devices, corners) = (node.left.len(), relaxation.bounds.len());
        let mut added = Vec::with_capacity(devices);
        for (device, left) in node.left.iter().enumerate() {
            let assignments = problem.assignments(device);
            let mut of_device = Vec::with_capacity(left.len() * corners);
            for (index, number) in left.iter().enumerate() {
                let charge = dot(&node.multipliers, &assignments[*number as usize].bytes);
                let cost = |corner: usize| relaxation.tangents[device][corner * left.len() + index] + charge;
                of_device
                    .extend((0..corners).map(|corner| cost(corner) - relaxation.lowest[corner * devices + device]));
            }
            added.push(of_device);
        }
        // Devices with few assignments first: to rule their assignments out early saves most.
        let mut order: Vec<usize> = (0..devices).collect();
        order.sort_by_key(|device| node.left[*device].len());
        let mut bounds = vec![0.0; (devices + 1) * corners];
        bounds[..corners].copy_from_slice(&relaxation.bounds);
        // The devices after each depth wait for no less than the least loads of the node.
        relaxation.waits.update(problem, &node.low);
        let least_cost = |assignment: &Assignment| {
            relaxation.waits.cost(assignment, problem.time_weight).0
                + relaxation.waits.missed_cost(assignment, problem.price)
        };
        let mut after = vec![0.0; devices];
        for depth in (1..devices).rev() {
            let assignments = problem.assignments(order[depth]);
            let costs = node.left[order[depth]].iter().map(|number| least_cost(&assignments[*number as usize]));
            after[depth - 1] = after[depth] + costs.fold(f64::INFINITY, f64::min);
        }
        Combination {
            node,
            added,
            order,
            bounds,
            after,
            loads: vec![0.0; node.low.len()],
            assignments: Vec::with_capacity(devices),
            places: self.incumbent.places.clone(),
            budget: MOST_COMBINATIONS.max(COMBINATIONS_PER_NODE * effort.nodes),
        }
    }

    /// Tries the assignments of the device at `depth` and of all after it. Returns `false` if the budget is spent.
    fn descend<'t>(&mut self, combination: &mut Combination<'t>, depth: usize) -> bool
    where
        'p: 't,
    {
        let tolerance = ROUNDING * self.total_bytes;
        let Some(&device) = combination.order.get(depth) else {
            // A decision that lies in another node is evaluated there.
            if combination.loads.iter().zip(&combination.node.low).all(|(load, low)| *load >= low - tolerance) {
                self.incumbent.offer(self.problem, &combination.places);
                self.effort.evaluations += 1;
            }
            return true;
        };
        let problem = self.problem;
        let (tasks, corners) = (problem.model.tasks(), self.relaxation.bounds.len());
        self.effort.inspected += (combination.node.left[device].len() * corners) as u64;
        for (index, number) in combination.node.left[device].iter().enumerate() {
            if self.incumbent.beats(combination.extend_bounds(device, depth, index, corners)) {
                continue;
            }
            if combination.budget == 0 {
                return false;
            }
            combination.budget -= 1;
            let assignment = &problem.assignments(device)[*number as usize];
            let Assignment { places, bytes, .. } = assignment;
            combination.loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load += bytes);
            let fits =
                combination.loads.iter().zip(&combination.node.high).all(|(load, high)| *load <= high + tolerance);
            combination.places[device * tasks..][..tasks].copy_from_slice(places);
            combination.assignments.push(assignment);
            let least = if fits { self.least_cost(combination) } else { f64::INFINITY };
            let is_done = self.incumbent.beats(least) || self.descend(combination, depth + 1);
            combination.assignments.pop();
            combination.loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load -= bytes);
            if !is_done {
                return false;
            }
        }
        true
    }

    /// The cost of the devices decided so far, waiting for each other, and the least cost of the others.
    fn least_cost(&mut self, combination: &Combination<'_>) -> f64 {
        let Self { problem, relaxation, effort, .. } = self;
        relaxation.waits.update(problem, &combination.loads);
        effort.evaluations += 1;
        effort.inspected += (combination.assignments.len() * relaxation.waits.shared_s.len()) as u64;
        let mut cost = combination.after[combination.assignments.len() - 1];
        for assignment in &combination.assignments {
            cost += relaxation.waits.cost(assignment, problem.time_weight).0;
            if problem.price > 0.0 {
                cost += relaxation.waits.missed_cost(assignment, problem.price);
            }
        }
        cost
    }
}

impl Combination<'_> {
    /// Writes Φ at the corners with one more assignment after the assignments so far. Returns the lowest Φ.
    fn extend_bounds(&mut self, device: usize, depth: usize, index: usize, corners: usize) -> f64 {
        let added = &self.added[device][index * corners..][..corners];
        let (bounds, next) = self.bounds[depth * corners..].split_at_mut(corners);
        let mut lowest = f64::INFINITY;
        for corner in 0..corners {
            next[corner] = bounds[corner] + added[corner];
            lowest = lowest.min(next[corner]);
        }
        lowest
    }
}
