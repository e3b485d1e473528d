//! One fleet with its tasks, as a [`Network`](super::Network) reads it.

use serde::{Deserialize, Serialize};
use sim::CostModel;

use super::lanes::InstanceLanes;

/// Rates, sizes and what is shared, in units of the instance itself: a size of 1 is the mean size, a cost of 1 what a task
/// of that size costs on average where it is cheapest alone. Energies are weighted by α, times by 1 − α, so that the cost
/// of a decision is Σ energy · size + Σ T_n.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Instance {
    pub(super) devices: usize,
    pub(super) tasks: usize,
    pub(super) places: usize,
    /// `[N * M]`.
    pub(super) sizes: Vec<f32>,
    /// `[N][M]`: each device's tasks, largest first.
    pub(super) order: Vec<u32>,
    /// `[N * M]`: all tasks, largest first.
    pub(super) order_of_all: Vec<u32>,
    /// `[N][places]`.
    pub(super) own: Vec<Own>,
    /// `[places]`.
    pub(super) shared: Vec<Shared>,
    pub(super) uplink: f32,
    /// `[N][places]`; empty if everything can be reached.
    pub(super) reachable: Vec<bool>,
    /// All of it once more, as vectors read it.
    #[serde(skip)]
    pub(super) lanes: InstanceLanes,
}

/// What a mean task costs one device at one place, but for what others have there.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Own {
    pub(super) energy: f32,
    pub(super) send: f32,
    pub(super) compute: f32,
    /// All of it, with nobody else there.
    pub(super) alone: f32,
}

/// What each mean task of anyone at a place keeps everyone there.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Shared {
    pub(super) link: f32,
    pub(super) compute: f32,
}

impl Shared {
    pub(super) fn is_any(self) -> bool {
        self.link > 0.0 || self.compute > 0.0
    }
}

impl Instance {
    /// The instance of these sizes.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn new(model: &CostModel, sizes_bytes: &[f64]) -> Self {
        let mut instance = Self::default();
        instance.set(model, sizes_bytes);
        instance
    }

    /// Takes over another model and other sizes; allocates only if they are more.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn set(&mut self, model: &CostModel, sizes_bytes: &[f64]) {
        let (devices, tasks, places) = (model.devices(), model.tasks(), model.places());
        assert_eq!(sizes_bytes.len(), model.task_count(), "sizes are not [{devices} * {tasks}]");
        (self.devices, self.tasks, self.places) = (devices, tasks, places);
        let total: f64 = sizes_bytes.iter().sum();
        let mean = if total > 0.0 { total / sizes_bytes.len() as f64 } else { 1.0 };
        self.sizes.clear();
        self.sizes.extend(sizes_bytes.iter().map(|bytes| (bytes / mean) as f32));
        self.order.clear();
        for device in 0..devices {
            self.order.extend((0..tasks).map(|task| (device * tasks + task) as u32));
            let sizes = &self.sizes;
            self.order[device * tasks..].sort_by(|&a, &b| sizes[b as usize].total_cmp(&sizes[a as usize]));
        }
        self.order_of_all.clear();
        self.order_of_all.extend(0..(devices * tasks) as u32);
        let sizes = &self.sizes;
        self.order_of_all.sort_by(|&a, &b| sizes[b as usize].total_cmp(&sizes[a as usize]));
        let alpha = model.alpha();
        let (energy, time) = (alpha * mean, (1.0 - alpha) * mean);
        let alone = |device: usize, place: usize| {
            let rate = model.rates(device)[place];
            energy * rate.energy_j_per_byte + time * rate.time_s_per_byte
        };
        let cheapest = |device| (0..places).map(|place| alone(device, place)).fold(f64::INFINITY, f64::min);
        let unit = (0..devices).map(cheapest).sum::<f64>() / devices as f64;
        let unit = if unit > 0.0 { unit } else { 1.0 };
        self.own.clear();
        self.reachable.clear();
        for device in 0..devices {
            for place in 0..places {
                let terms = model.time_terms(device, place);
                self.own.push(Own {
                    energy: (energy * model.rates(device)[place].energy_j_per_byte / unit) as f32,
                    send: (time * terms.send / unit) as f32,
                    compute: (time * terms.compute / unit) as f32,
                    alone: (alone(device, place) / unit) as f32,
                });
            }
        }
        if !model.is_all_reachable() {
            let each = (0..devices).flat_map(|device| (0..places).map(move |place| (device, place)));
            self.reachable.extend(each.map(|(device, place)| model.is_reachable(device, place as u8)));
        }
        self.shared.clear();
        self.uplink = 0.0;
        for place in 0..places {
            let terms = model.time_terms(0, place);
            self.shared.push(Shared {
                link: (time * terms.shared_link / unit) as f32,
                compute: (time * terms.shared_compute / unit) as f32,
            });
            self.uplink = self.uplink.max((time * terms.shared_uplink / unit) as f32);
        }
        self.spread();
    }

    /// Copies everything into lanes.
    fn spread(&mut self) {
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.set(self);
        self.lanes = lanes;
    }

    /// N × M.
    pub fn task_count(&self) -> usize {
        self.devices * self.tasks
    }

    /// Places of a task.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Whether a task's device can use a place.
    pub(super) fn can_reach(&self, task: usize, place: usize) -> bool {
        self.reachable.is_empty() || self.reachable[task / self.tasks * self.places + place]
    }

    /// Whether another instance has as many devices, tasks and places.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.devices, self.tasks, self.places) == (other.devices, other.tasks, other.places)
    }

    /// Makes an instance that was written and read again ready for use; false if it cannot be one, its parts being of other
    /// lengths than its numbers of devices, tasks and places ask for.
    pub fn complete(&mut self) -> bool {
        let Self { devices, tasks, places, .. } = *self;
        let count = devices.saturating_mul(tasks);
        let is_order = |order: &[u32]| {
            let mut sorted = order.to_vec();
            sorted.sort_unstable();
            sorted.len() == count && sorted.iter().enumerate().all(|(index, task)| index == *task as usize)
        };
        let is_consistent = count > 0
            && (1..=256).contains(&places)
            && self.sizes.len() == count
            && is_order(&self.order)
            && is_order(&self.order_of_all)
            && self.own.len() == devices.saturating_mul(places)
            && self.shared.len() == places
            && (self.reachable.is_empty() || self.reachable.len() == self.own.len());
        if is_consistent {
            self.spread();
        }
        is_consistent
    }
}
