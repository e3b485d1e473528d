//! Prices of decisions that differ in one or two tasks.

mod parts;
mod sums;

use self::parts::{NEVER, Parts, Shared, Waits, sent};
use self::sums::{RaisedTimes, Times};
use super::{CostModel, MAX_PLACES};

/// Stands for a task that has no place yet.
const NOWHERE: u8 = u8::MAX;

/// The cost of a decision that changes task by task. What a move would cost takes O(places) where nothing is shared;
/// where something is, devices are looked at besides, side by side in vectors.
///
/// ```
/// use sim::{IncrementalCost, Scenario, Workload};
/// let model = Scenario::load("shared-edge")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let mut priced = IncrementalCost::new(&model);
/// priced.set(workload.sizes_bytes(), &[1; 9]);
/// let mut costs = [0.0; 3];
/// priced.move_costs(4, &mut costs); // of task 4 at each place, the others staying where they are
/// priced.place(4, 2);
/// assert!((priced.cost() - costs[2]).abs() < 1e-9 * costs[2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IncrementalCost<'m> {
    model: &'m CostModel,
    arch: pulp::Arch,
    sizes_bytes: Vec<f64>,
    places: Vec<u8>,
    /// Bytes of all devices at each place, and how many tasks these are, `[width]`.
    loads: Vec<f64>,
    load_counts: Vec<u32>,
    energy_j: f64,
    parts: Parts,
    shared: Shared,
    /// Σ T_n.
    time_s: f64,
    /// Where each device waits longest, and for how many devices each place is that; found when it is asked for.
    critical: Vec<u8>,
    critical_counts: Vec<u32>,
    is_critical_known: bool,
}

/// Calls a method that knows the width when it is compiled.
macro_rules! of_width {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self.parts.width {
            2 => $self.$method::<2>($($argument),*),
            3 => $self.$method::<3>($($argument),*),
            4 => $self.$method::<4>($($argument),*),
            5 => $self.$method::<5>($($argument),*),
            8 => $self.$method::<8>($($argument),*),
            16 => $self.$method::<16>($($argument),*),
            _ => $self.$method::<MAX_PLACES>($($argument),*),
        }
    };
}

/// The widths that [`of_width`] knows.
const WIDTHS: [usize; 7] = [2, 3, 4, 5, 8, 16, MAX_PLACES];

impl<'m> IncrementalCost<'m> {
    /// Of decisions for one model; no task has a size or a place yet.
    pub fn new(model: &'m CostModel) -> Self {
        let places = model.places();
        let width = WIDTHS.into_iter().find(|width| *width >= places).unwrap_or(MAX_PLACES);
        let mut shared = Shared {
            link_s_per_byte: vec![0.0; width],
            compute_s_per_byte: vec![0.0; width],
            uplink_s_per_byte: 0.0,
            has_links: false,
        };
        if let Some(contention) = model.contention() {
            for (place, rate) in contention.shared.iter().enumerate() {
                shared.link_s_per_byte[place] = rate.link_s_per_byte;
                shared.compute_s_per_byte[place] = rate.compute_s_per_byte;
            }
            shared.uplink_s_per_byte = contention.uplink_s_per_byte;
            shared.has_links = (1..places).any(|place| contention.has_shared_link(place));
        }
        Self {
            model,
            arch: pulp::Arch::new(),
            sizes_bytes: vec![0.0; model.task_count()],
            places: vec![NOWHERE; model.task_count()],
            loads: vec![0.0; width],
            load_counts: vec![0; width],
            energy_j: 0.0,
            parts: Parts::new(model, width),
            shared,
            time_s: 0.0,
            critical: vec![0; model.devices()],
            critical_counts: vec![0; places],
            is_critical_known: false,
        }
    }

    /// Takes over sizes, no task having a place: the cost is that of the tasks which are placed from now on.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn start(&mut self, sizes_bytes: &[f64]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.fill(NOWHERE);
        self.clear();
    }

    /// What prices.
    pub fn model(&self) -> &'m CostModel {
        self.model
    }

    /// The sizes.
    pub fn sizes_bytes(&self) -> &[f64] {
        &self.sizes_bytes
    }

    /// Takes over sizes and a whole decision.
    ///
    /// # Panics
    /// If they are not `[N * M]`, or the decision names a place that is not there.
    pub fn set(&mut self, sizes_bytes: &[f64], places: &[u8]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.copy_from_slice(places);
        self.clear();
        for (task, &place) in places.iter().enumerate() {
            self.give(task, place);
        }
        of_width!(self.sum_up());
    }

    fn clear(&mut self) {
        self.loads.fill(0.0);
        self.load_counts.fill(0);
        (self.energy_j, self.time_s, self.is_critical_known) = (0.0, 0.0, false);
        self.parts.clear();
    }

    /// The cost of the decision as it is.
    pub fn cost(&self) -> f64 {
        self.model.weigh(self.energy_j, self.time_s)
    }

    /// The decision as it is; a task that has no place yet is at 255.
    pub fn places(&self) -> &[u8] {
        &self.places
    }

    /// The bytes of all devices at each place.
    pub fn loads_bytes(&self) -> &[f64] {
        &self.loads[..self.model.places()]
    }

    /// Moves one task, or gives it its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn place(&mut self, task: usize, place: u8) {
        assert!(usize::from(place) < self.model.places(), "place {place} of {}", self.model.places());
        let from = self.places[task];
        if from != place {
            let device = task / self.model.tasks();
            let before_s = self.own_time(device);
            self.take(task, from);
            self.give(task, place);
            self.places[task] = place;
            self.sum_up_after([(device, before_s), (device, before_s)]);
        }
    }

    /// Swaps the places of two tasks.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap(&mut self, task: usize, other: usize) {
        let (place, others_place) = (self.places[task], self.places[other]);
        if place != others_place {
            let devices = [task, other].map(|task| task / self.model.tasks());
            let before_s = devices.map(|device| (device, self.own_time(device)));
            self.take(task, place);
            self.take(other, others_place);
            self.give(task, others_place);
            self.give(other, place);
            (self.places[task], self.places[other]) = (others_place, place);
            self.sum_up_after(before_s);
        }
    }

    /// What the decision would cost with one task at each place, the others staying where they are.
    ///
    /// # Shapes
    /// `costs` is `[places]`.
    ///
    /// # Panics
    /// If there is no such task, or the shapes differ.
    pub fn move_costs(&self, task: usize, costs: &mut [f64]) {
        assert_eq!(costs.len(), self.model.places(), "one cost for each place");
        of_width!(self.find_move_costs(task, costs));
    }

    fn find_move_costs<const WIDTH: usize>(&self, task: usize, costs: &mut [f64]) {
        let (device, bytes, from) = (task / self.model.tasks(), self.sizes_bytes[task], self.places[task]);
        let has_links = self.shared.has_links;
        let parts = self.parts.of_device::<WIDTH>(device);
        let mut own = parts.map(|part| part.bytes);
        let mut loads = self.copied_loads::<WIDTH>();
        let mut energy_j = self.energy_j;
        // Without the task ...
        if from != NOWHERE {
            let from = usize::from(from);
            energy_j -= bytes * parts[from].energy_j_per_byte;
            own[from] = if parts[from].tasks == 1 { 0.0 } else { own[from] - bytes };
            loads[from] = if self.load_counts[from] == 1 { 0.0 } else { loads[from] - bytes };
        }
        let sent = sent(&loads);
        let mut waits = self.waits(&loads, sent);
        // ... and with it at each place. Vectors know the device only as it is.
        let mut raised = waits;
        let mut without_s = waits.longest_s(parts, &own, has_links);
        let mut counted_s = waits.longest_as_is_s(parts, has_links);
        let mut sums = [self.time_s; WIDTH];
        if !self.model.is_separable() {
            for (place, load) in loads.iter().enumerate().skip(1) {
                raised.set(&self.shared, place, load + bytes, sent + bytes);
            }
            sums = self.raised_times(&waits, &raised);
        }
        for (place, (cost, part)) in costs.iter_mut().zip(parts).enumerate() {
            if place == 1 && self.shared.uplink_s_per_byte > 0.0 {
                // Whatever server it is, all links are busy longer.
                for (place, load) in loads.iter().enumerate().skip(1) {
                    waits.set(&self.shared, place, *load, sent + bytes);
                }
                without_s = waits.longest_s(parts, &own, has_links);
                counted_s = waits.longest_as_is_s(parts, has_links);
                sums = self.raised_times(&waits, &raised);
            }
            let more_s = raised.done_s(place, part, own[place] + bytes, has_links).max(without_s);
            let counted_s = if self.model.is_separable() {
                counted_s
            } else {
                raised.done_s(place, part, part.bytes, has_links).max(counted_s)
            };
            *cost = self.model.weigh(energy_j + bytes * part.energy_j_per_byte, sums[place] + (more_s - counted_s));
        }
        if from != NOWHERE {
            costs[usize::from(from)] = self.cost();
        }
    }

    /// What the decision would cost with one task elsewhere, or at its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn move_cost(&self, task: usize, place: u8) -> f64 {
        of_width!(self.find_move_cost(task, place))
    }

    fn find_move_cost<const WIDTH: usize>(&self, task: usize, place: u8) -> f64 {
        assert!(usize::from(place) < self.model.places(), "place {place} of {}", self.model.places());
        let mut costs = [0.0; WIDTH];
        self.find_move_costs::<WIDTH>(task, &mut costs[..self.model.places()]);
        costs[usize::from(place)]
    }

    /// What the decision would cost with the places of two tasks swapped; `None` if O(places) steps show that it would
    /// not be less than `below`.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap_cost(&mut self, task: usize, other: usize, below: f64) -> Option<f64> {
        if self.places[task] == self.places[other] {
            return Some(self.cost());
        }
        if !self.is_critical_known && !self.model.is_separable() && !self.shared.has_links {
            of_width!(self.find_critical());
        }
        of_width!(self.find_swap_cost(task, other, below))
    }

    fn find_swap_cost<const WIDTH: usize>(&self, task: usize, other: usize, below: f64) -> Option<f64> {
        let tasks = self.model.tasks();
        let (device, others) = (task / tasks, other / tasks);
        let (bytes, others_bytes) = (self.sizes_bytes[task], self.sizes_bytes[other]);
        let (place, others_place) = (usize::from(self.places[task]), usize::from(self.places[other]));
        let (parts, others_parts) = (self.parts.of_device::<WIDTH>(device), self.parts.of_device::<WIDTH>(others));
        let energy_j = self.energy_j
            + bytes * (parts[others_place].energy_j_per_byte - parts[place].energy_j_per_byte)
            + others_bytes * (others_parts[place].energy_j_per_byte - others_parts[others_place].energy_j_per_byte);
        let mut loads = self.copied_loads::<WIDTH>();
        let waits = self.waits(&loads, sent(&loads));
        loads[place] += others_bytes - bytes;
        loads[others_place] += bytes - others_bytes;
        let trial = self.waits(&loads, sent(&loads));
        // What both have then, what they took, and what vectors, which know them as they are, count.
        let has_links = self.shared.has_links;
        let mut own = parts.map(|part| part.bytes);
        let (new_s, old_s, counted_s) = if device == others {
            own[place] += others_bytes - bytes;
            own[others_place] += bytes - others_bytes;
            let new_s = trial.longest_s(parts, &own, has_links);
            (new_s, waits.longest_as_is_s(parts, has_links), trial.longest_as_is_s(parts, has_links))
        } else {
            let mut theirs = others_parts.map(|part| part.bytes);
            own[place] = if parts[place].tasks == 1 { 0.0 } else { own[place] - bytes };
            own[others_place] += bytes;
            theirs[others_place] =
                if others_parts[others_place].tasks == 1 { 0.0 } else { theirs[others_place] - others_bytes };
            theirs[place] += others_bytes;
            let both = |waits: &Waits<WIDTH>| {
                waits.longest_as_is_s(parts, has_links) + waits.longest_as_is_s(others_parts, has_links)
            };
            let new_s = trial.longest_s(parts, &own, has_links) + trial.longest_s(others_parts, &theirs, has_links);
            (new_s, both(&waits), both(&trial))
        };
        let changed_s = self.time_s + (new_s - old_s);
        if self.model.is_separable() {
            return Some(self.model.weigh(energy_j, changed_s));
        }
        if !has_links {
            // Any other device takes at least as long as it would at the place where it took longest before.
            let mut least_s = changed_s;
            for place in [place, others_place] {
                let here = |device: usize| u32::from(usize::from(self.critical[device]) == place);
                let own = if others == device { here(device) } else { here(device) + here(others) };
                let waiting = f64::from(self.critical_counts[place] - own);
                least_s += waiting * (trial.shared_s[place] - waits.shared_s[place]);
            }
            // What rounding adds must not hide a gain.
            if self.model.weigh(energy_j, least_s) >= below * (1.0 + 1e-9) {
                return None;
            }
        }
        Some(self.model.weigh(energy_j, self.times(&trial) + (new_s - counted_s)))
    }

    fn give(&mut self, task: usize, place: u8) {
        let (device, bytes, place) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.loads[place] += bytes;
        self.load_counts[place] += 1;
        self.energy_j += self.parts.change(place, device, bytes, 1);
    }

    fn take(&mut self, task: usize, place: u8) {
        if place == NOWHERE {
            return;
        }
        let (device, bytes, place) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.load_counts[place] -= 1;
        self.loads[place] = if self.load_counts[place] == 0 { 0.0 } else { self.loads[place] - bytes };
        self.energy_j += self.parts.change(place, device, -bytes, -1);
    }

    /// T_n where nothing is shared; elsewhere it says nothing.
    fn own_time(&self, device: usize) -> f64 {
        if self.model.is_separable() { of_width!(self.alone_time(device)) } else { 0.0 }
    }

    fn alone_time<const WIDTH: usize>(&self, device: usize) -> f64 {
        let nothing = Waits { links_s: [NEVER; WIDTH], shared_s: [0.0; WIDTH] };
        nothing.longest_as_is_s(self.parts.of_device::<WIDTH>(device), false)
    }

    /// Finds Σ T_n.
    fn sum_up<const WIDTH: usize>(&mut self) {
        let loads = self.copied_loads::<WIDTH>();
        self.time_s = self.times(&self.waits(&loads, sent(&loads)));
        self.is_critical_known = false;
    }

    /// The same, only these devices having changed, whose own times are known from before.
    fn sum_up_after(&mut self, [(device, before_s), (other, others_before_s)]: [(usize, f64); 2]) {
        if !self.model.is_separable() {
            of_width!(self.sum_up());
            return;
        }
        self.time_s += self.own_time(device) - before_s;
        if other != device {
            self.time_s += self.own_time(other) - others_before_s;
        }
    }

    fn copied_loads<const WIDTH: usize>(&self) -> [f64; WIDTH] {
        let mut loads = [0.0; WIDTH];
        loads.copy_from_slice(&self.loads);
        loads
    }

    fn waits<const WIDTH: usize>(&self, loads: &[f64; WIDTH], sent: f64) -> Waits<WIDTH> {
        let mut waits = Waits { links_s: [NEVER; WIDTH], shared_s: [0.0; WIDTH] };
        for (place, load) in loads.iter().enumerate().skip(1) {
            waits.set(&self.shared, place, *load, sent);
        }
        waits
    }

    /// Σ T_n.
    fn times<const WIDTH: usize>(&self, waits: &Waits<WIDTH>) -> f64 {
        let Parts { alone_s, compute_s, .. } = &self.parts;
        if self.shared.has_links {
            self.arch.dispatch(Times::<WIDTH, true> { alone_s, compute_s, waits })
        } else {
            self.arch.dispatch(Times::<WIDTH, false> { alone_s, compute_s, waits })
        }
    }

    /// Σ T_n, one place after the other keeping everyone waiting for more; that of place 0, for which nobody waits, is
    /// Σ T_n as it is.
    fn raised_times<const WIDTH: usize>(&self, waits: &Waits<WIDTH>, raised: &Waits<WIDTH>) -> [f64; WIDTH] {
        let Parts { alone_s, compute_s, .. } = &self.parts;
        if self.shared.has_links {
            self.arch.dispatch(RaisedTimes::<WIDTH, true> { alone_s, compute_s, waits, raised })
        } else {
            self.arch.dispatch(RaisedTimes::<WIDTH, false> { alone_s, compute_s, waits, raised })
        }
    }

    fn find_critical<const WIDTH: usize>(&mut self) {
        let loads = self.copied_loads::<WIDTH>();
        let waits = self.waits(&loads, sent(&loads));
        self.critical_counts.fill(0);
        for device in 0..self.model.devices() {
            let parts = self.parts.of_device::<WIDTH>(device);
            let done_s = |place: usize| waits.done_s(place, &parts[place], parts[place].bytes, self.shared.has_links);
            let mut longest = (0, done_s(0));
            for place in 1..self.model.places() {
                let done_s = done_s(place);
                if done_s > longest.1 {
                    longest = (place, done_s);
                }
            }
            self.critical[device] = longest.0 as u8;
            self.critical_counts[longest.0] += 1;
        }
        self.is_critical_known = true;
    }
}
