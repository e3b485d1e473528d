//! Branch and bound where devices share servers or links.
//!
//! # The bound
//! The devices are coupled through few numbers, the loads L of shared places. Let these lie in a box. What a device costs
//! if it places its tasks in the way o is convex in L, so that the tangent at the middle of the box, ĝ_n(o; L), is never
//! above it. That the loads are those which all devices together make, L = Σ_n b_n, is taken into the objective by a
//! multiplier ν for each shared place. For any ν
//!
//! Φ(ν) = min_L Σ_n min_o (ĝ_n(o; L) + ν·b_n(o)) − ν·L
//!
//! is a lower bound for all decisions with loads in the box, and since it is linear in L for each decision, only the
//! corners of the box must be looked at. Where ν is what a byte makes all others wait, moving L changes Φ little: what
//! devices wait less, ν·L makes up for. Φ is concave and its gradient, the loads less the corner, is known, so that a few
//! subgradient steps find a good ν. Boxes are halved, the one with the lowest bound first. What an option costs more than
//! its device's cheapest is what a decision with it costs more than the bound, so that options fall away until the few
//! that are left are tried out. The gap that no halving closes is that of one device's options against all devices
//! together, so that a large fleet of small devices is not much harder than a small one.
//!
//! Where a device has too many options to list, its tasks are taken as divisible, which bounds but does not decide; then,
//! and where so many places are shared that boxes have too many corners, devices wait for the least loads of the box
//! instead of a tangent.

mod choices;
mod trial;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use self::choices::{Choice, Device, Problem};
use super::divisible::{Divisible, Slot};
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

/// The search ends after so many looks at one choice, a second or two; a device whose tasks are divisible takes as many as
/// so many choices.
const MAX_LOOKS: u64 = 300_000_000;
const DIVISIBLE_LOOKS: u64 = 50;
/// Choices tried out in all boxes together, after which the search ends.
const MAX_TRIALS: u64 = 10_000_000;
/// Subgradient steps for the first box, whose multipliers all others start from, and for each other.
const FIRST_STEPS: u32 = 100;
const STEPS: u32 = 12;
/// Multipliers are at most so many times what a byte costs on average.
const FARTHEST: f64 = 1e3;
/// Shared places beyond which boxes have too many corners.
const MOST_SIDES: usize = 4;
/// Bounds this close to the best cost, relatively, are equal to it but for rounding.
const ROUNDING: f64 = 1e-12;

/// Boxes that are looked into before the search gives up.
const MAX_BOXES: u64 = 2_000;

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// No decision costs less.
    pub(super) lower: f64,
    /// Of the best decision known.
    pub(super) cost: f64,
    pub(super) places: Vec<u8>,
    /// Whether the two are the same but for rounding.
    pub(super) is_optimal: bool,
    /// Prices asked, of whole decisions or of one device's part.
    pub(super) evaluations: u64,
}

/// Loads between two corners, and what can still be in there.
#[derive(Clone)]
struct LoadBox {
    low: Vec<f64>,
    high: Vec<f64>,
    multipliers: Vec<f64>,
    bound: f64,
    /// Listed choices of each device that a decision in the box can have without costing more than the best.
    left: Vec<Vec<u32>>,
}

impl PartialEq for LoadBox {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for LoadBox {}

impl PartialOrd for LoadBox {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest bound is the greatest.
impl Ord for LoadBox {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound)
    }
}

/// Searches from a decision that is known until the optimum is proved, or that has taken too long.
pub(super) fn search(model: &CostModel, sizes_bytes: &[f64], among: &[u8], known: Vec<u8>) -> Found {
    let problem = Problem::new(model, sizes_bytes, among);
    Search::new(&problem, known).run()
}

struct Search<'p, 'm> {
    problem: &'p Problem<'m>,
    cost: f64,
    places: Vec<u8>,
    evaluations: u64,
    /// Boxes looked into, choices tried out, and choices looked at.
    boxes: u64,
    trials: u64,
    looks: u64,
    total_bytes: f64,
    /// Scratch, all of the box that is looked into: its corners, one after the other; ĝ of the choices left of each
    /// device, `[corners][left]`; ν·b of these; what each place keeps everyone waiting for where the tangent touches;
    /// Φ of each corner, what each device adds to it, `[corners][N]`, and its choice in the corner with the lowest.
    corners: Vec<f64>,
    tangents: Vec<Vec<f64>>,
    charges: Vec<f64>,
    links_s: Vec<f64>,
    shared_s: Vec<f64>,
    bounds: Vec<f64>,
    lowest: Vec<f64>,
    chosen: Vec<usize>,
}

impl<'p, 'm> Search<'p, 'm> {
    fn new(problem: &'p Problem<'m>, known: Vec<u8>) -> Self {
        let (devices, places) = (problem.devices.len(), problem.model.places());
        Self {
            problem,
            cost: problem.model.cost(problem.sizes_bytes, &known),
            places: known,
            evaluations: 1,
            boxes: 1,
            trials: 0,
            looks: 0,
            total_bytes: problem.sizes_bytes.iter().sum(),
            corners: Vec::new(),
            tangents: vec![Vec::new(); devices],
            charges: Vec::new(),
            links_s: vec![f64::NEG_INFINITY; places],
            shared_s: vec![0.0; places],
            bounds: Vec::new(),
            lowest: Vec::new(),
            chosen: vec![0; devices],
        }
    }

    fn run(&mut self) -> Found {
        let sides = self.problem.shared.len();
        let listed = |device: &Device| match device {
            Device::Listed(choices) => (0..choices.len() as u32).collect(),
            Device::Divisible(_) => Vec::new(),
        };
        let mut root = LoadBox {
            low: vec![0.0; sides],
            high: vec![self.total_bytes; sides],
            multipliers: vec![0.0; sides],
            bound: 0.0, // nothing costs less
            left: self.problem.devices.iter().map(listed).collect(),
        };
        root.multipliers = self.first_multipliers();
        self.look_into(&mut root, FIRST_STEPS);
        let mut open = BinaryHeap::from([root]);
        let mut lower = f64::INFINITY;
        while let Some(next) = open.pop() {
            if self.is_beaten(next.bound) {
                // So are all others.
                open.clear();
                break;
            }
            if self.boxes >= MAX_BOXES || self.trials >= MAX_TRIALS || self.looks >= MAX_LOOKS {
                lower = next.bound;
                break;
            }
            if self.try_out(&next) {
                continue;
            }
            for mut half in self.halves(&next) {
                self.boxes += 1;
                self.look_into(&mut half, STEPS);
                if !self.is_beaten(half.bound) {
                    open.push(half);
                }
            }
        }
        let is_optimal = lower >= self.cost;
        Found {
            lower: lower.min(self.cost),
            cost: self.cost,
            places: self.places.clone(),
            is_optimal,
            evaluations: self.evaluations,
        }
    }

    fn is_beaten(&self, bound: f64) -> bool {
        bound >= self.cost * (1.0 - ROUNDING)
    }

    /// Both halves of a box across the side that matters most.
    fn halves(&self, one: &LoadBox) -> [LoadBox; 2] {
        let contention = self.problem.model.contention().expect("shared");
        let matters = |side: usize| {
            let place = self.problem.shared[side];
            let rate = contention.shared[place];
            let slope = rate.compute_s_per_byte + rate.link_s_per_byte + contention.uplink_s_per_byte;
            (one.high[side] - one.low[side]) * slope
        };
        let side = (0..one.low.len()).max_by(|a, b| matters(*a).total_cmp(&matters(*b))).expect("something is shared");
        let middle = f64::midpoint(one.low[side], one.high[side]);
        let (mut lower, mut upper) = (one.clone(), one.clone());
        lower.high[side] = middle;
        upper.low[side] = middle;
        [lower, upper]
    }

    /// What a byte at each shared place makes all those wait for whom it is the last to be done, in the decision known.
    fn first_multipliers(&self) -> Vec<f64> {
        let model = self.problem.model;
        let workload = Workload::from_bytes(model.tasks(), self.problem.sizes_bytes);
        let times_s = model.place_times(&workload, &Decision::from_places(model.tasks(), self.places.clone()));
        let contention = model.contention().expect("shared");
        let waiting = |place: usize| {
            let is_last = |times: &&[f64]| times[place] > 0.0 && times.iter().all(|time| *time <= times[place]);
            times_s.chunks_exact(model.places()).filter(is_last).count() as f64
        };
        let delay =
            |&place: &usize| (1.0 - model.alpha()) * waiting(place) * contention.shared[place].compute_s_per_byte;
        let farthest = self.farthest_multiplier();
        self.problem.shared.iter().map(delay).map(|delay| delay.min(farthest)).collect()
    }

    /// Any multiplier gives a bound, but rounding would spoil that of one far beyond what a byte can cost.
    fn farthest_multiplier(&self) -> f64 {
        FARTHEST * self.cost / self.total_bytes.max(f64::MIN_POSITIVE)
    }

    /// Finds good multipliers and with them the bound, prices the decision that they lead to, and strikes out choices that
    /// cost too much.
    fn look_into(&mut self, one: &mut LoadBox, steps: u32) {
        self.price_choices(one);
        let mut trial = one.multipliers.clone();
        let mut best = f64::NEG_INFINITY;
        let (mut relaxation, mut failures) = (1.0, 0);
        let farthest = self.farthest_multiplier();
        let mut gradient = vec![0.0; trial.len()];
        for _ in 0..steps {
            let bound = self.relaxed(one, &trial, &mut gradient);
            if bound > best {
                best = bound;
                one.multipliers.copy_from_slice(&trial);
                failures = 0;
            } else {
                failures += 1;
                if failures == 3 {
                    (relaxation, failures) = (0.5 * relaxation, 0);
                    trial.copy_from_slice(&one.multipliers);
                    self.relaxed(one, &trial, &mut gradient);
                }
            }
            let steepness = dot(&gradient, &gradient);
            if self.is_beaten(best) || steepness <= 0.0 {
                break;
            }
            // Polyak's step, as if the best known were the optimum.
            let step = relaxation * (self.cost - bound).max(0.0) / steepness;
            for (multiplier, gradient) in trial.iter_mut().zip(&gradient) {
                *multiplier = (*multiplier + step * gradient).clamp(-farthest, farthest);
            }
        }
        let bound = self.relaxed(one, &one.multipliers, &mut gradient);
        one.bound = one.bound.max(bound);
        self.price_chosen(one);
        self.strike_out(one);
    }

    /// Strikes out choices with which no decision in the box costs less than the best known.
    fn strike_out(&self, one: &mut LoadBox) {
        let (devices, limit) = (one.left.len(), self.cost * (1.0 + ROUNDING));
        for (device, left) in one.left.iter_mut().enumerate() {
            let Device::Listed(choices) = &self.problem.devices[device] else { continue };
            let (count, mut index) = (left.len(), 0);
            left.retain(|choice| {
                let charge = dot(&one.multipliers, &choices[*choice as usize].bytes);
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

    /// ĝ of every choice that is left, at the corners.
    fn price_choices(&mut self, one: &LoadBox) {
        let model = self.problem.model;
        let contention = model.contention().expect("shared");
        let sides = one.low.len();
        let is_tangent = sides <= MOST_SIDES && self.problem.devices.iter().all(Device::is_listed);
        let touching: Vec<f64> = if is_tangent {
            one.low.iter().zip(&one.high).map(|(low, high)| f64::midpoint(*low, *high)).collect()
        } else {
            one.low.clone()
        };
        let corners = if is_tangent { 1 << sides } else { 1 };
        self.corners.clear();
        for corner in 0..corners {
            let end = |side: usize| if corner >> side & 1 == 1 { one.high[side] } else { one.low[side] };
            self.corners.extend((0..sides).map(end));
        }
        let sent = self.wait_for(&touching);
        let time_weight = 1.0 - model.alpha();
        let mut slopes = vec![0.0; sides];
        for (device, left) in one.left.iter().enumerate() {
            let Device::Listed(choices) = &self.problem.devices[device] else { continue };
            let mut tangents = std::mem::take(&mut self.tangents[device]);
            tangents.clear();
            tangents.resize(corners * left.len(), 0.0);
            self.evaluations += left.len() as u64;
            self.looks += (left.len() * (self.shared_s.len() + corners)) as u64;
            for (index, choice) in left.iter().enumerate() {
                let choice = &choices[*choice as usize];
                let Choice { alone_s, compute_s, .. } = choice;
                let (cost, last) = self.cost_of(choice, time_weight);
                if is_tangent {
                    // Which loads the place that is done last waits for, and how much for a byte of each.
                    let rate = contention.shared[last];
                    let waits_for_links = compute_s[last] + self.links_s[last] > alone_s[last];
                    let load =
                        self.problem.shared.iter().position(|place| *place == last).map_or(0.0, |side| touching[side]);
                    let waits_for_uplink = contention.uplink_s_per_byte * sent > rate.link_s_per_byte * load;
                    for (slope, &place) in slopes.iter_mut().zip(&self.problem.shared) {
                        *slope = if place == last { rate.compute_s_per_byte } else { 0.0 };
                        if last > 0 && waits_for_links {
                            *slope += if waits_for_uplink {
                                contention.uplink_s_per_byte
                            } else if place == last {
                                rate.link_s_per_byte
                            } else {
                                0.0
                            };
                        }
                    }
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
            self.tangents[device] = tangents;
        }
    }

    /// What places keep everyone waiting for with these loads of the shared ones; returns what is sent.
    fn wait_for(&mut self, loads: &[f64]) -> f64 {
        let contention = self.problem.model.contention().expect("shared");
        let sent = loads.iter().zip(&self.problem.shared).filter(|(_, place)| **place > 0).map(|(load, _)| load).sum();
        for (load, &place) in loads.iter().zip(&self.problem.shared) {
            if contention.has_shared_link(place) {
                self.links_s[place] = contention.links_s(place, *load, sent);
            }
            self.shared_s[place] = contention.shared[place].compute_s_per_byte * load;
        }
        sent
    }

    /// What a choice costs as long as everyone waits, and the place where its device is done last.
    fn cost_of(&self, choice: &Choice, time_weight: f64) -> (f64, usize) {
        let Choice { energy_cost, alone_s, compute_s, .. } = choice;
        let (mut longest_s, mut last) = (0.0_f64, 0);
        for place in 0..alone_s.len() {
            let done_s = alone_s[place].max(compute_s[place] + self.links_s[place]) + self.shared_s[place];
            if done_s > longest_s {
                (longest_s, last) = (done_s, place);
            }
        }
        (energy_cost + time_weight * longest_s, last)
    }

    /// Φ and its gradient.
    fn relaxed(&mut self, one: &LoadBox, multipliers: &[f64], gradient: &mut [f64]) -> f64 {
        let (sides, devices) = (one.low.len(), one.left.len());
        let corners = self.corners.len() / sides;
        self.bounds.clear();
        self.bounds.resize(corners, 0.0);
        self.lowest.clear();
        self.lowest.resize(corners * devices, 0.0);
        let mut chosen = vec![0; corners * devices];
        let mut loads = vec![0.0; corners * sides];
        for device in 0..devices {
            match &self.problem.devices[device] {
                Device::Listed(choices) => {
                    let left = &one.left[device];
                    self.looks += (left.len() * corners) as u64;
                    self.charges.clear();
                    self.charges.extend(left.iter().map(|choice| dot(multipliers, &choices[*choice as usize].bytes)));
                    for corner in 0..corners {
                        let mut best = (f64::INFINITY, 0);
                        let tangents = &self.tangents[device][corner * left.len()..][..left.len()];
                        for (index, (tangent, charge)) in tangents.iter().zip(&self.charges).enumerate() {
                            if tangent + charge < best.0 {
                                best = (tangent + charge, index);
                            }
                        }
                        if best.0 == f64::INFINITY {
                            gradient.fill(0.0);
                            return f64::INFINITY; // every choice has been struck out
                        }
                        self.bounds[corner] += best.0;
                        self.lowest[corner * devices + device] = best.0;
                        chosen[corner * devices + device] = best.1;
                        let bytes = &choices[left[best.1] as usize].bytes;
                        let loads = &mut loads[corner * sides..][..sides];
                        loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load += bytes);
                    }
                }
                Device::Divisible(bytes) => {
                    self.looks += DIVISIBLE_LOOKS;
                    let mut divisible = self.divisible(device, multipliers);
                    self.bounds[0] += divisible.least_cost(*bytes, 1.0 - self.problem.model.alpha());
                    for (load, place) in loads.iter_mut().zip(&self.problem.shared) {
                        *load += divisible.taken(*place);
                    }
                }
            }
        }
        if corners == 1 {
            // No tangents: devices wait for the least loads, and the multipliers take the worse end of each side.
            for side in 0..sides {
                let end = if multipliers[side] > 0.0 { one.high[side] } else { one.low[side] };
                self.bounds[0] -= multipliers[side] * end;
                gradient[side] = loads[side] - end;
                let is_inside = multipliers[side] == 0.0 && (one.low[side]..=one.high[side]).contains(&loads[side]);
                if is_inside {
                    gradient[side] = 0.0;
                }
            }
            self.chosen.copy_from_slice(&chosen);
            return self.bounds[0];
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

    /// One device's places, as far as bytes of it can be divided at will.
    fn divisible(&self, device: usize, multipliers: &[f64]) -> Divisible {
        let model = self.problem.model;
        let own = &model.contention().expect("shared").own[device * model.places()..][..model.places()];
        let slots = self.problem.among.iter().map(|&place| {
            let index = usize::from(place);
            let side = self.problem.shared.iter().position(|shared| *shared == index);
            Slot {
                place: index,
                cost_per_byte: model.alpha() * model.rates(device)[index].energy_j_per_byte
                    + side.map_or(0.0, |side| multipliers[side]),
                from_s: self.shared_s[index],
                opens_s: self.shared_s[index] + self.links_s[index].max(0.0),
                s_per_byte: own[index].send_s_per_byte + own[index].compute_s_per_byte,
            }
        });
        Divisible::new(slots.collect())
    }

    /// Prices the decision that the relaxed problem has chosen.
    fn price_chosen(&mut self, one: &LoadBox) {
        let mut places = Vec::with_capacity(self.places.len());
        for (device, chosen) in self.chosen.iter().enumerate() {
            let Device::Listed(choices) = &self.problem.devices[device] else { return };
            let Some(choice) = one.left[device].get(*chosen) else { return };
            places.extend_from_slice(&choices[*choice as usize].places);
        }
        self.keep(&places);
    }

    fn keep(&mut self, places: &[u8]) {
        let cost = self.problem.model.cost(self.problem.sizes_bytes, places);
        self.evaluations += 1;
        if cost < self.cost {
            self.cost = cost;
            self.places.copy_from_slice(places);
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
