//! Costs of decisions that differ in one or two tasks.

/// Calls a method that is compiled for the number of places and for whether links are shared.
macro_rules! of_width {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        if $self.shared.has_links {
            of_width!($self.$method($($argument),*), true)
        } else {
            of_width!($self.$method($($argument),*), false)
        }
    };
    ($self:ident.$method:ident($($argument:expr),*), $links:literal) => {
        match $self.parts.width {
            2 => $self.$method::<2, $links>($($argument),*),
            3 => $self.$method::<3, $links>($($argument),*),
            4 => $self.$method::<4, $links>($($argument),*),
            5 => $self.$method::<5, $links>($($argument),*),
            8 => $self.$method::<8, $links>($($argument),*),
            16 => $self.$method::<16, $links>($($argument),*),
            _ => $self.$method::<MAX_PLACES, $links>($($argument),*),
        }
    };
}

mod detailed;
mod moves;
mod parts;
mod sums;
mod swaps;

use self::detailed::DetailedCost;
use self::parts::{Parts, Shared, Waits, sent};
use self::sums::{LANES, LongestTimes};
use self::swaps::Critical;
use super::CostModel;
use crate::limits::MAX_PLACES;
pub use crate::search::FirstSwap;

/// The place of a task that has none yet.
const NOWHERE: u8 = u8::MAX;

/// The cost of a decision that changes task by task. The cost of a move takes O(places) where nothing is shared. Where
/// something is shared, it takes O(devices × places), computed for many devices side by side in vectors.
///
/// ```
/// use sim::{IncrementalCost, Scenario, Workload};
/// let model = Scenario::load("shared-edge")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let mut incremental = IncrementalCost::new(&model);
/// incremental.set(workload.sizes_bytes(), &[1; 9]);
/// let mut costs = [0.0; 3];
/// incremental.move_costs(4, &mut costs); // of task 4 at each place, the others staying where they are
/// incremental.place(4, 2);
/// assert!((incremental.cost() - costs[2]).abs() < 1e-9 * costs[2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IncrementalCost<'m> {
    model: &'m CostModel,
    /// Whether moves and swaps to places that devices cannot use are ruled out. Only if there are such places.
    rules_out: bool,
    /// Whether moves are ruled out, or the model is detailed.
    is_special: bool,
    arch: pulp::Arch,
    sizes_bytes: Vec<f64>,
    /// The device of each task.
    devices: Vec<u32>,
    places: Vec<u8>,
    /// Bytes of all devices at each place, `[width]`.
    loads: Vec<f64>,
    /// Tasks with bytes of all devices at each place, `[width]`.
    load_counts: Vec<u32>,
    energy_j: f64,
    parts: Parts,
    shared: Shared,
    /// Σ T_n.
    time_s: f64,
    /// T_n, `[blocks * LANES]`, where something is shared.
    longest_s: Vec<f64>,
    /// T_n without the task whose move is evaluated.
    lowered_s: Vec<f64>,
    critical: Critical,
    /// Everything above but sizes, places and loads, in a detailed model.
    detailed: Option<Box<DetailedCost<'m>>>,
}

/// The numbers of places that [`of_width`] compiles for.
const WIDTHS: [usize; 7] = [2, 3, 4, 5, 8, 16, MAX_PLACES];

impl<'m> IncrementalCost<'m> {
    /// The same for searches: a move to a place that the task's device cannot use costs an infinite amount, and such a swap
    /// is never found. [`IncrementalCost::new`] evaluates them as [`CostModel::cost`] does.
    pub fn for_search(model: &'m CostModel) -> Self {
        let rules_out = !model.is_all_reachable();
        Self { rules_out, is_special: rules_out || model.is_detailed(), ..Self::new(model) }
    }

    /// The cost of decisions for one model. No task has a size or a place yet.
    pub fn new(model: &'m CostModel) -> Self {
        let places = model.places();
        let width = WIDTHS.into_iter().find(|width| *width >= places).unwrap_or(MAX_PLACES);
        let padded = model.devices().next_multiple_of(LANES);
        Self {
            model,
            rules_out: false,
            is_special: model.is_detailed(),
            arch: pulp::Arch::new(),
            sizes_bytes: vec![0.0; model.task_count()],
            devices: (0..model.task_count()).map(|task| (task / model.tasks()) as u32).collect(),
            places: vec![NOWHERE; model.task_count()],
            loads: vec![0.0; width],
            load_counts: vec![0; width],
            energy_j: 0.0,
            parts: Parts::new(model, width),
            shared: Shared::new(model, width),
            time_s: 0.0,
            longest_s: vec![0.0; padded],
            lowered_s: vec![0.0; padded],
            critical: Critical::new(model.devices(), width),
            detailed: DetailedCost::new(model).map(Box::new),
        }
    }

    /// Sets the sizes and removes all tasks from their places. The cost counts only tasks that are placed from now on.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn start(&mut self, sizes_bytes: &[f64]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.fill(NOWHERE);
        self.clear();
        if let Some(detailed) = &mut self.detailed {
            detailed.set(&self.sizes_bytes, &self.places);
        }
    }

    /// The model.
    pub fn model(&self) -> &'m CostModel {
        self.model
    }

    /// The sizes.
    pub fn sizes_bytes(&self) -> &[f64] {
        &self.sizes_bytes
    }

    /// Sets the sizes and a whole decision.
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
        if let Some(detailed) = &mut self.detailed {
            detailed.set(sizes_bytes, places);
            return;
        }
        of_width!(self.sum_up());
    }

    fn clear(&mut self) {
        self.loads.fill(0.0);
        self.load_counts.fill(0);
        (self.energy_j, self.time_s, self.critical.is_known) = (0.0, 0.0, false);
        self.longest_s.fill(0.0);
        self.parts.clear();
    }

    /// The cost of the decision as it is.
    pub fn cost(&self) -> f64 {
        if let Some(detailed) = &self.detailed {
            return detailed.cost();
        }
        self.plain_cost()
    }

    /// The cost in a model that is not detailed.
    #[inline]
    fn plain_cost(&self) -> f64 {
        self.model.weigh(self.energy_j, self.time_s)
    }

    /// The decision as it is. A task without a place is at 255.
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
            let device = self.devices[task] as usize;
            let before_s = self.own_time(device);
            self.take(task, from);
            self.give(task, place);
            self.places[task] = place;
            if let Some(detailed) = &mut self.detailed {
                detailed.place(&[(task, place)]);
                return;
            }
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
            let devices = [task, other].map(|task| self.devices[task] as usize);
            let before_s = devices.map(|device| (device, self.own_time(device)));
            self.take(task, place);
            self.take(other, others_place);
            self.give(task, others_place);
            self.give(other, place);
            (self.places[task], self.places[other]) = (others_place, place);
            if let Some(detailed) = &mut self.detailed {
                detailed.place(&[(task, others_place), (other, place)]);
                return;
            }
            self.sum_up_after(before_s);
        }
    }

    fn give(&mut self, task: usize, place: u8) {
        let (device, bytes, place) = (self.devices[task] as usize, self.sizes_bytes[task], usize::from(place));
        self.loads[place] += bytes;
        self.load_counts[place] += u32::from(bytes > 0.0);
        self.energy_j += self.parts.change(place, device, bytes, i32::from(bytes > 0.0));
    }

    fn take(&mut self, task: usize, place: u8) {
        if place == NOWHERE {
            return;
        }
        let (device, bytes, place) = (self.devices[task] as usize, self.sizes_bytes[task], usize::from(place));
        self.load_counts[place] -= u32::from(bytes > 0.0);
        self.loads[place] = if self.load_counts[place] == 0 { 0.0 } else { self.loads[place] - bytes };
        self.energy_j += self.parts.change(place, device, -bytes, -i32::from(bytes > 0.0));
    }

    /// T_n where nothing is shared, else 0.
    fn own_time(&self, device: usize) -> f64 {
        if self.model.is_separable() { of_width!(self.alone_time(device)) } else { 0.0 }
    }

    fn alone_time<const WIDTH: usize, const LINKS: bool>(&self, device: usize) -> f64 {
        Waits::<WIDTH>::NONE.longest_as_is_s(self.parts.of_device(device), LINKS)
    }

    /// Finds T_n of all devices and their sum.
    fn sum_up<const WIDTH: usize, const LINKS: bool>(&mut self) {
        let loads = self.copied_loads::<WIDTH>();
        let waits = &self.shared.waits::<WIDTH, LINKS>(&loads, sent(&loads));
        let Parts { alone_s, compute_s, .. } = &self.parts;
        let longest_s = &mut self.longest_s;
        self.time_s = self.arch.dispatch(LongestTimes::<WIDTH, LINKS> { alone_s, compute_s, waits, longest_s });
        self.critical.is_known = false;
    }

    /// Finds T_n of all devices and their sum after a change of two devices, given their own times before.
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
}
