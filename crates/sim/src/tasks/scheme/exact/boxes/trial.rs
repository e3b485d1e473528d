//! The few choices that are left in a box, put together one by one.

use super::choices::{Choice, Device};
use super::{LoadBox, ROUNDING, Search, dot};

/// Most devices whose choices are put together, one within the other.
const MAX_DEPTH: usize = 1_000;
/// Combinations of options that are tried out, parts of combinations included, before a box is halved instead.
const MOST_TRIALS: u64 = 2_000;
/// Where many boxes have been looked into, more are tried out: so many for each.
const TRIALS_A_BOX: u64 = 100;

/// Choices put together device by device.
struct Trial<'t> {
    one: &'t LoadBox,
    /// What each choice left adds to the bounds of the corners, `[N][left][corners]`.
    more: Vec<Vec<f64>>,
    /// Devices in the order in which they are decided.
    order: Vec<usize>,
    /// Φ of the corners with the choices so far, `[N + 1][corners]`.
    bounds: Vec<f64>,
    /// What the devices after each depth cost at least.
    after: Vec<f64>,
    /// Loads, numbers and places of the choices so far.
    loads: Vec<f64>,
    chosen: Vec<u32>,
    places: Vec<u8>,
    /// How many more may be tried.
    left: u64,
}

impl Search<'_, '_> {
    /// Prices every combination of the choices that are left which can cost less than the best; `false` if these are too
    /// many, or there is no list of them.
    pub(super) fn try_out(&mut self, one: &LoadBox) -> bool {
        if self.problem.devices.len() > MAX_DEPTH || !self.problem.devices.iter().all(Device::is_listed) {
            return false;
        }
        self.price_choices(one);
        self.relaxed(one, &one.multipliers, &mut vec![0.0; one.low.len()]);
        let (devices, corners) = (one.left.len(), self.bounds.len());
        let mut more = Vec::with_capacity(devices);
        for (device, left) in one.left.iter().enumerate() {
            let Device::Listed(choices) = &self.problem.devices[device] else { unreachable!("looked for above") };
            let mut of_device = Vec::with_capacity(left.len() * corners);
            for (index, choice) in left.iter().enumerate() {
                let charge = dot(&one.multipliers, &choices[*choice as usize].bytes);
                let cost = |corner: usize| self.tangents[device][corner * left.len() + index] + charge;
                of_device.extend((0..corners).map(|corner| cost(corner) - self.lowest[corner * devices + device]));
            }
            more.push(of_device);
        }
        // Devices with few choices first: what is struck out early saves most.
        let mut order: Vec<usize> = (0..devices).collect();
        order.sort_by_key(|device| one.left[*device].len());
        let mut bounds = vec![0.0; (devices + 1) * corners];
        bounds[..corners].copy_from_slice(&self.bounds);
        // What the devices after each depth cost at least, waiting for no more than the box says.
        self.wait_for(&one.low);
        let time_weight = 1.0 - self.problem.model.alpha();
        let mut after = vec![0.0; devices];
        for depth in (1..devices).rev() {
            let Device::Listed(choices) = &self.problem.devices[order[depth]] else { unreachable!("looked for above") };
            let costs =
                one.left[order[depth]].iter().map(|choice| self.cost_of(&choices[*choice as usize], time_weight).0);
            after[depth - 1] = after[depth] + costs.fold(f64::INFINITY, f64::min);
        }
        let left = MOST_TRIALS.max(TRIALS_A_BOX * self.boxes);
        let (loads, places) = (vec![0.0; one.low.len()], self.places.clone());
        let chosen = Vec::with_capacity(devices);
        let mut trial = Trial { one, more, order, bounds, after, loads, chosen, places, left };
        let is_done = self.descend(&mut trial, 0);
        self.trials += left - trial.left;
        is_done
    }

    /// Tries the choices of the device at `depth` and of all after it.
    fn descend(&mut self, trial: &mut Trial<'_>, depth: usize) -> bool {
        let tolerance = ROUNDING * self.total_bytes;
        let Some(&device) = trial.order.get(depth) else {
            // What lies in another box is priced there.
            if trial.loads.iter().zip(&trial.one.low).all(|(load, low)| *load >= low - tolerance) {
                self.keep(&trial.places);
            }
            return true;
        };
        let Device::Listed(choices) = &self.problem.devices[device] else { unreachable!("looked for before") };
        let (tasks, corners) = (self.problem.model.tasks(), self.bounds.len());
        self.looks += (trial.one.left[device].len() * corners) as u64;
        for (index, choice) in trial.one.left[device].iter().enumerate() {
            let more = &trial.more[device][index * corners..][..corners];
            let (bounds, next) = trial.bounds[depth * corners..].split_at_mut(corners);
            let mut lowest = f64::INFINITY;
            for corner in 0..corners {
                next[corner] = bounds[corner] + more[corner];
                lowest = lowest.min(next[corner]);
            }
            if self.is_beaten(lowest) {
                continue;
            }
            if trial.left == 0 {
                return false;
            }
            trial.left -= 1;
            let Choice { places, bytes, .. } = &choices[*choice as usize];
            trial.loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load += bytes);
            let fits = trial.loads.iter().zip(&trial.one.high).all(|(load, high)| *load <= high + tolerance);
            trial.places[device * tasks..][..tasks].copy_from_slice(places);
            trial.chosen.push(*choice);
            let least = if fits { self.cost_so_far(trial) } else { f64::INFINITY };
            let is_done = self.is_beaten(least) || self.descend(trial, depth + 1);
            trial.chosen.pop();
            trial.loads.iter_mut().zip(bytes).for_each(|(load, bytes)| *load -= bytes);
            if !is_done {
                return false;
            }
        }
        true
    }

    /// What the devices decided so far cost, waiting for each other, and the others at least.
    fn cost_so_far(&mut self, trial: &Trial<'_>) -> f64 {
        self.wait_for(&trial.loads);
        self.evaluations += 1;
        self.looks += (trial.chosen.len() * self.shared_s.len()) as u64;
        let time_weight = 1.0 - self.problem.model.alpha();
        let mut cost = trial.after[trial.chosen.len() - 1];
        for (device, choice) in trial.order.iter().zip(&trial.chosen) {
            let Device::Listed(choices) = &self.problem.devices[*device] else { unreachable!("looked for before") };
            cost += self.cost_of(&choices[*choice as usize], time_weight).0;
        }
        cost
    }
}
