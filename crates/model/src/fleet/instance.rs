//! One fleet with its tasks, as a [`Network`](super::Network) reads it.

use serde::{Deserialize, Serialize};
use sim::{CostModel, Rate, TimeTerms};

use super::lanes::InstanceLanes;

/// Rates, sizes and shared resources of a fleet in units of its own: a size of 1 is the mean size of its tasks, and a cost of
/// 1 is the mean over devices of the cost of a task of that size at the device's cheapest place with nobody else there.
/// Energies are weighted by α and times by 1 − α, so that the cost of a decision is Σ energy · size + Σ T_n.
///
/// Networks read bytes and rates alone. Where more than bytes tells the cost, the rates are those of
/// [`CostModel::mean_rates`]: latencies and instructions per byte of single tasks are read as means, and deadlines are not
/// read. Tasks without bytes, which are absent, and devices without tasks count in no mean.
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
    /// Time for each unit of size that is sent to any server, where the uplinks are shared; else 0.
    pub(super) uplink: f32,
    /// `[N][places]`; empty if every device reaches every place.
    pub(super) reachable: Vec<bool>,
    /// The same values in the layout of the kernels.
    #[serde(skip)]
    pub(super) lanes: InstanceLanes,
}

/// Energy and times of one device at one place for each unit of size, where the device shares nothing.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Own {
    pub(super) energy: f32,
    pub(super) send: f32,
    pub(super) compute: f32,
    /// Cost of a task of the mean size with nobody else at the place.
    pub(super) alone: f32,
}

/// Times at a place for each unit of size of any device, which all devices there wait for.
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

    /// Changes to another model and other sizes; allocates only if there are more devices, tasks or places.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn set(&mut self, model: &CostModel, sizes_bytes: &[f64]) {
        let (devices, tasks, places) = (model.devices(), model.tasks(), model.places());
        assert_eq!(sizes_bytes.len(), model.task_count(), "sizes are not [{devices} * {tasks}]");
        (self.devices, self.tasks, self.places) = (devices, tasks, places);
        let total: f64 = sizes_bytes.iter().sum();
        let present = sizes_bytes.iter().filter(|bytes| **bytes > 0.0).count();
        let mean_bytes = if total > 0.0 { total / present as f64 } else { 1.0 };
        self.sizes.clear();
        self.sizes.extend(sizes_bytes.iter().map(|bytes| (bytes / mean_bytes) as f32));
        self.sort();
        let means = model.mean_rates(sizes_bytes);
        self.set_rates(model, mean_bytes, |device, place| match &means {
            Some(means) => means[device * places + place],
            None => (model.rates(device)[place], model.time_terms(device, place)),
        });
        self.spread();
    }

    /// Orders the tasks of each device, and all tasks, by their sizes.
    fn sort(&mut self) {
        let Self { devices, tasks, sizes, order, order_of_all, .. } = self;
        let largest_first = |a: &u32, b: &u32| sizes[*b as usize].total_cmp(&sizes[*a as usize]);
        order.clear();
        order.extend(0..(*devices * *tasks) as u32);
        order.chunks_mut(*tasks).for_each(|own| own.sort_by(largest_first));
        order_of_all.clear();
        order_of_all.extend(0..(*devices * *tasks) as u32);
        order_of_all.sort_by(largest_first);
    }

    /// Rates of devices and of shared resources in units of the instance. `rates_of` gives the rates per byte of a device at a
    /// place.
    fn set_rates(&mut self, model: &CostModel, mean_bytes: f64, rates_of: impl Fn(usize, usize) -> (Rate, TimeTerms)) {
        let (devices, places) = (self.devices, self.places);
        let alpha = model.alpha();
        let (energy, time) = (alpha * mean_bytes, (1.0 - alpha) * mean_bytes);
        let alone = |device: usize, place: usize| {
            let (rate, _) = rates_of(device, place);
            energy * rate.energy_j_per_byte + time * rate.time_s_per_byte
        };
        let cheapest = |device| (0..places).map(|place| alone(device, place)).fold(f64::INFINITY, f64::min);
        let has_tasks = |device: &usize| self.sizes[device * self.tasks..][..self.tasks].iter().any(|size| *size > 0.0);
        let with_tasks = || (0..devices).filter(has_tasks);
        let unit = with_tasks().map(cheapest).sum::<f64>() / with_tasks().count() as f64;
        let unit = if unit > 0.0 { unit } else { 1.0 };
        let pairs = || (0..devices).flat_map(|device| (0..places).map(move |place| (device, place)));
        self.own.clear();
        self.own.extend(pairs().map(|(device, place)| {
            let (rate, terms) = rates_of(device, place);
            Own {
                energy: (energy * rate.energy_j_per_byte / unit) as f32,
                send: (time * terms.send / unit) as f32,
                compute: (time * terms.compute / unit) as f32,
                alone: (alone(device, place) / unit) as f32,
            }
        }));
        self.reachable.clear();
        if !model.is_all_reachable() {
            self.reachable.extend(pairs().map(|(device, place)| model.is_reachable(device, place as u8)));
        }
        self.shared.clear();
        self.uplink = 0.0;
        for place in 0..places {
            let (_, terms) = rates_of(0, place);
            self.shared.push(Shared {
                link: (time * terms.shared_link / unit) as f32,
                compute: (time * terms.shared_compute / unit) as f32,
            });
            self.uplink = self.uplink.max((time * terms.shared_uplink / unit) as f32);
        }
    }

    /// Copies all values into the layout of the kernels.
    fn spread(&mut self) {
        let mut lanes = std::mem::take(&mut self.lanes);
        lanes.set(self);
        self.lanes = lanes;
    }

    /// Number of tasks, N × M.
    pub fn task_count(&self) -> usize {
        self.devices * self.tasks
    }

    /// Number of places of a task.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Whether a task's device can use a place.
    pub(super) fn can_reach(&self, task: usize, place: usize) -> bool {
        self.reachable.is_empty() || self.reachable[task / self.tasks * self.places + place]
    }

    /// Whether another instance has the same numbers of devices, tasks and places.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.devices, self.tasks, self.places) == (other.devices, other.tasks, other.places)
    }

    /// Makes a deserialised instance ready for use; false if its parts do not have the lengths that its numbers of devices,
    /// tasks and places require.
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
