//! The relaxed problem of a node: its lower bound, and the decision and the gradient that go with it.

use super::dot;
use super::effort::Effort;
use super::incumbent::ROUNDING;
use super::node::Node;
use super::problem::{CoupledProblem, Device, Together};
use super::waits::Waits;
use crate::tasks::scheme::exact::divisible::{Divisible, Slot};

/// The most shared places for which nodes are bounded at all their corners.
const MOST_TANGENT_PLACES: usize = 4;
/// The work of one device whose tasks are divisible, as a number of inspected assignments.
const DIVISIBLE_WORK: u64 = 50;

/// The relaxed problem of one node; keeps its memory between nodes.
pub(super) struct Relaxation {
    /// The corners of the node, `[corners][shared]`.
    corners: Vec<f64>,
    /// ĝ of the assignments left of each device, `[N]` times `[corners][left]`.
    pub(super) tangents: Vec<Vec<f64>>,
    /// ν·b of the assignments left of one device.
    charges: Vec<f64>,
    /// Waits where the tangents touch.
    pub(super) waits: Waits,
    /// Waits with the least loads of the node.
    least_waits: Waits,
    /// Φ of each corner.
    pub(super) bounds: Vec<f64>,
    /// The part of Φ that each device adds, `[corners][N]`.
    pub(super) lowest: Vec<f64>,
    /// The position among `left` of each device's assignment in the corner with the lowest Φ.
    chosen: Vec<usize>,
}

impl Relaxation {
    pub(super) fn new(problem: &CoupledProblem<'_>) -> Self {
        let devices = problem.devices.len();
        Self {
            corners: Vec::new(),
            tangents: vec![Vec::new(); devices],
            charges: Vec::new(),
            waits: Waits::new(problem.model.places()),
            least_waits: Waits::new(problem.model.places()),
            bounds: Vec::new(),
            lowest: Vec::new(),
            chosen: vec![0; devices],
        }
    }

    /// Computes ĝ of every assignment that is left, at the corners of a node.
    pub(super) fn tabulate(&mut self, problem: &CoupledProblem<'_>, node: &Node, effort: &mut Effort) {
        let sides = node.low.len();
        let is_tangent = sides <= MOST_TANGENT_PLACES && problem.is_listed();
        let touching: Vec<f64> = if is_tangent {
            node.low.iter().zip(&node.high).map(|(low, high)| f64::midpoint(*low, *high)).collect()
        } else {
            node.low.clone()
        };
        let corners = if is_tangent { 1 << sides } else { 1 };
        self.corners.clear();
        for corner in 0..corners {
            let end = |side: usize| if corner >> side & 1 == 1 { node.high[side] } else { node.low[side] };
            self.corners.extend((0..sides).map(end));
        }
        let sent = self.waits.update(problem, &touching);
        if problem.price > 0.0 {
            self.least_waits.update(problem, &node.low);
        }
        let time_weight = problem.time_weight;
        let mut slopes = vec![0.0; sides];
        for (device, left) in node.left.iter().enumerate() {
            let Device::Listed(assignments) = &problem.devices[device] else { continue };
            let tangents = &mut self.tangents[device];
            tangents.clear();
            tangents.resize(corners * left.len(), 0.0);
            effort.evaluations += left.len() as u64;
            effort.inspected += (left.len() * (self.waits.shared_s.len() + corners)) as u64;
            for (index, assignment) in left.iter().enumerate() {
                let assignment = &assignments[*assignment as usize];
                let (mut cost, last) = self.waits.cost(assignment, time_weight);
                if problem.price > 0.0 {
                    cost += self.least_waits.missed_cost(assignment, problem.price);
                }
                if is_tangent {
                    self.waits.slopes(problem, assignment, last, (&touching, sent), &mut slopes);
                }
                for (corner, loads) in self.corners.chunks_exact(sides).enumerate() {
                    let mut away = 0.0;
                    if is_tangent {
                        for side in 0..sides {
                            away += slopes[side] * (loads[side] - touching[side]);
                        }
                    }
                    tangents[corner * left.len() + index] = cost + time_weight * away;
                }
            }
        }
    }

    /// Φ of a node for given multipliers, and its gradient.
    pub(super) fn bound(
        &mut self,
        problem: &CoupledProblem<'_>,
        node: &Node,
        multipliers: &[f64],
        gradient: &mut [f64],
        effort: &mut Effort,
    ) -> f64 {
        let (sides, devices) = (node.low.len(), node.left.len());
        let corners = self.corners.len() / sides;
        self.bounds.clear();
        self.bounds.resize(corners, 0.0);
        self.lowest.clear();
        self.lowest.resize(corners * devices, 0.0);
        let mut chosen = vec![0; corners * devices];
        let mut loads = vec![0.0; corners * sides];
        for device in 0..devices {
            match &problem.devices[device] {
                Device::Listed(assignments) => {
                    let left = &node.left[device];
                    effort.inspected += (left.len() * corners) as u64;
                    let charge = |number: &u32| dot(multipliers, &assignments[*number as usize].bytes);
                    self.charges.clear();
                    self.charges.extend(left.iter().map(charge));
                    for corner in 0..corners {
                        let (cost, index) = self.cheapest(device, corner, left.len());
                        if cost == f64::INFINITY {
                            gradient.fill(0.0);
                            return f64::INFINITY; // every assignment has been ruled out
                        }
                        self.bounds[corner] += cost;
                        self.lowest[corner * devices + device] = cost;
                        chosen[corner * devices + device] = index;
                        let bytes = &assignments[left[index] as usize].bytes;
                        let loads = &mut loads[corner * sides..][..sides];
                        loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load += bytes);
                    }
                }
                Device::Divisible(together) => {
                    effort.inspected += DIVISIBLE_WORK;
                    let mut divisible = self.divisible(problem, device, together, multipliers);
                    self.bounds[0] += divisible.least_cost(together.bytes, problem.time_weight);
                    for (load, side) in loads.iter_mut().zip(&problem.sides) {
                        *load += divisible.taken(side.place);
                    }
                }
            }
        }
        if corners == 1 {
            self.chosen.copy_from_slice(&chosen);
            return self.bound_without_tangents(node, multipliers, &loads, gradient);
        }
        let mut lowest = 0;
        for corner in 0..corners {
            self.bounds[corner] -= dot(multipliers, &self.corners[corner * sides..][..sides]);
            if self.bounds[corner] < self.bounds[lowest] {
                lowest = corner;
            }
        }
        for side in 0..sides {
            gradient[side] = loads[lowest * sides + side] - self.corners[lowest * sides + side];
        }
        self.chosen.copy_from_slice(&chosen[lowest * devices..][..devices]);
        self.bounds[lowest]
    }

    /// The cheapest of a device's assignments at a corner: cost and position among `left`.
    fn cheapest(&self, device: usize, corner: usize, left: usize) -> (f64, usize) {
        let mut best = (f64::INFINITY, 0);
        let tangents = &self.tangents[device][corner * left..][..left];
        for (index, (tangent, charge)) in tangents.iter().zip(&self.charges).enumerate() {
            if tangent + charge < best.0 {
                best = (tangent + charge, index);
            }
        }
        best
    }

    /// Φ where devices wait for the least loads of the node and the multipliers take the worse end of each side.
    fn bound_without_tangents(&mut self, node: &Node, multipliers: &[f64], loads: &[f64], gradient: &mut [f64]) -> f64 {
        for side in 0..node.low.len() {
            let end = if multipliers[side] > 0.0 { node.high[side] } else { node.low[side] };
            self.bounds[0] -= multipliers[side] * end;
            gradient[side] = loads[side] - end;
            let is_inside = multipliers[side] == 0.0 && (node.low[side]..=node.high[side]).contains(&loads[side]);
            if is_inside {
                gradient[side] = 0.0;
            }
        }
        self.bounds[0]
    }

    /// One device's places, as far as its bytes can be divided at will.
    fn divisible(
        &self,
        problem: &CoupledProblem<'_>,
        device: usize,
        Together { rates, units, .. }: &Together,
        multipliers: &[f64],
    ) -> Divisible {
        let slots = problem.allowed_places(device).iter().map(|&place| {
            let index = usize::from(place);
            let (mut cost_per_byte, s_per_byte) = rates[index];
            for ((side, [least, most]), &multiplier) in problem.sides.iter().zip(units).zip(multipliers) {
                if side.place == index {
                    cost_per_byte += multiplier * if multiplier > 0.0 { least } else { most };
                }
            }
            Slot {
                place: index,
                cost_per_byte,
                from_s: self.waits.shared_s[index],
                opens_s: self.waits.shared_s[index] + self.waits.links_s[index].max(0.0),
                s_per_byte,
            }
        });
        Divisible::new(slots.collect())
    }

    /// Rules out assignments with which no decision in the node costs less than the incumbent.
    pub(super) fn fix_by_reduced_cost(&self, problem: &CoupledProblem<'_>, node: &mut Node, incumbent_cost: f64) {
        let (devices, limit) = (node.left.len(), incumbent_cost * (1.0 + ROUNDING));
        for (device, left) in node.left.iter_mut().enumerate() {
            let Device::Listed(assignments) = &problem.devices[device] else { continue };
            let (count, mut index) = (left.len(), 0);
            left.retain(|number| {
                let charge = dot(&node.multipliers, &assignments[*number as usize].bytes);
                let can_be = |(corner, bound): (usize, &f64)| {
                    let cost = self.tangents[device][corner * count + index] + charge;
                    bound - self.lowest[corner * devices + device] + cost <= limit
                };
                let stays = self.bounds.iter().enumerate().any(can_be);
                index += 1;
                stays
            });
        }
    }

    /// The decision that the relaxed problem has chosen, if all devices have their assignments listed.
    pub(super) fn chosen_places(&self, problem: &CoupledProblem<'_>, node: &Node) -> Option<Vec<u8>> {
        let mut places = Vec::with_capacity(problem.sizes_bytes.len());
        for (device, chosen) in self.chosen.iter().enumerate() {
            let Device::Listed(assignments) = &problem.devices[device] else { return None };
            let number = node.left[device].get(*chosen)?;
            places.extend_from_slice(&assignments[*number as usize].places);
        }
        Some(places)
    }
}
