//! An instance in the layout of the kernels: its tasks side by side, and its devices.

use super::instance::{Instance, Shared};
use crate::kernels::kernel::VECTOR;
use crate::kernels::panel::{Lanes, PANEL};

/// Number of inputs that are the same for a task at all places.
pub(super) const TASK_COUNT: usize = 3;

/// Tasks in panels of sixteen in the order of the instance, and devices likewise. Lanes after the last task hold a task of
/// size 0 of an additional device, whose number is N.
#[derive(Debug, Clone, Default)]
pub(super) struct InstanceLanes {
    pub(super) panels: usize,
    pub(super) device_panels: usize,
    /// `[panels * PANEL]`: the device of each task.
    pub(super) device_of: Vec<u32>,
    /// `[panels]`.
    pub(super) tasks: Vec<TaskLanes>,
    /// `[places][panels]`.
    pub(super) own: Vec<OwnLanes>,
    /// `[places][device_panels]`.
    pub(super) devices: Vec<DeviceLanes>,
    /// `[places][panels]`: 1 where the task's device reaches the place, else 0; empty if every device reaches every place.
    pub(super) reachable: Vec<Lanes>,
    /// Size of all tasks.
    pub(super) total: f32,
    /// Whether devices wait for each other at any place.
    pub(super) is_any_shared: bool,
}

/// Values of tasks that do not depend on the decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct TaskLanes {
    pub(super) size: Lanes,
    /// Size of this and of smaller tasks of its device.
    pub(super) left: Lanes,
    /// Size of larger tasks of all devices.
    pub(super) larger: Lanes,
    /// The inputs that are the same at all places.
    pub(super) inputs: [Lanes; TASK_COUNT],
}

/// [`Own`](super::instance::Own) of each task's device.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnLanes {
    pub(super) energy: Lanes,
    pub(super) send: Lanes,
    pub(super) compute: Lanes,
    /// Softsign of the cost alone, as networks read it.
    pub(super) alone: Lanes,
}

/// [`Own`](super::instance::Own) of each device.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeviceLanes {
    pub(super) send: Lanes,
    pub(super) compute: Lanes,
}

/// `value / (1 + |value|)`, between −1 and 1.
fn softsign(value: f32) -> f32 {
    value / (1.0 + value.abs())
}

impl InstanceLanes {
    /// Copies the values of an instance.
    pub(super) fn set(&mut self, instance: &Instance) {
        let (devices, tasks, places) = (instance.devices, instance.tasks, instance.places);
        let count = instance.task_count();
        (self.panels, self.device_panels) = (count.div_ceil(PANEL), devices.div_ceil(PANEL));
        self.total = instance.sizes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        self.is_any_shared = instance.shared.iter().any(|&shared: &Shared| shared.is_any());
        self.device_of.clear();
        self.device_of.extend((0..devices).flat_map(|device| std::iter::repeat_n(device as u32, tasks)));
        self.device_of.resize(self.panels * PANEL, devices as u32);
        self.set_tasks(instance);
        let zero = OwnLanes { energy: Lanes::ZERO, send: Lanes::ZERO, compute: Lanes::ZERO, alone: Lanes::ZERO };
        self.own.clear();
        self.own.resize(places * self.panels, zero);
        self.devices.clear();
        self.devices.resize(places * self.device_panels, DeviceLanes { send: Lanes::ZERO, compute: Lanes::ZERO });
        for place in 0..places {
            let lanes = &mut self.own[place * self.panels..][..self.panels];
            for (task, (&device, &size)) in self.device_of.iter().zip(&instance.sizes).enumerate() {
                let own = &instance.own[device as usize * places + place];
                let (lanes, lane) = (&mut lanes[task / PANEL], task % PANEL);
                lanes.energy.values_mut()[lane] = own.energy;
                lanes.send.values_mut()[lane] = own.send;
                lanes.compute.values_mut()[lane] = own.compute;
                lanes.alone.values_mut()[lane] = softsign(own.alone * size);
            }
            let lanes = &mut self.devices[place * self.device_panels..][..self.device_panels];
            for device in 0..devices {
                let own = &instance.own[device * places + place];
                lanes[device / PANEL].send.values_mut()[device % PANEL] = own.send;
                lanes[device / PANEL].compute.values_mut()[device % PANEL] = own.compute;
            }
        }
        self.reachable.clear();
        if !instance.reachable.is_empty() {
            self.reachable.resize(places * self.panels, Lanes([[1.0; VECTOR]; 2]));
            for place in 0..places {
                for task in (0..count).filter(|&task| !instance.can_reach(task, place)) {
                    self.reachable[place * self.panels + task / PANEL].values_mut()[task % PANEL] = 0.0;
                }
            }
        }
    }

    /// Sizes, ranks and inputs of tasks.
    fn set_tasks(&mut self, instance: &Instance) {
        let empty = TaskLanes { size: Lanes::ZERO, left: Lanes::ZERO, larger: Lanes::ZERO, inputs: [Lanes::ZERO; 3] };
        self.tasks.clear();
        self.tasks.resize(self.panels, empty);
        for (task, &size) in instance.sizes.iter().enumerate() {
            let (lanes, lane) = (&mut self.tasks[task / PANEL], task % PANEL);
            lanes.size.values_mut()[lane] = size;
            lanes.inputs[0].values_mut()[lane] = softsign(size - 1.0);
        }
        let rows = instance.order.chunks_exact(instance.tasks).zip(instance.sizes.chunks_exact(instance.tasks));
        for (order, sizes) in rows {
            let all = sizes.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            let mut larger = 0.0;
            for &task in order {
                let task = task as usize;
                let (lanes, lane) = (&mut self.tasks[task / PANEL], task % PANEL);
                lanes.left.values_mut()[lane] = all - larger;
                lanes.inputs[1].values_mut()[lane] = larger / all;
                larger += instance.sizes[task];
            }
        }
        let mut larger = 0.0;
        for &task in &instance.order_of_all {
            let task = task as usize;
            let (lanes, lane) = (&mut self.tasks[task / PANEL], task % PANEL);
            lanes.larger.values_mut()[lane] = larger;
            lanes.inputs[2].values_mut()[lane] = larger / self.total;
            larger += instance.sizes[task];
        }
    }
}

/// Puts values `[places][count]` side by side, `[places][panels]`, with 0 after the last.
pub(super) fn to_lanes(values: &[f32], count: usize, lanes: &mut Vec<Lanes>) {
    let panels = count.div_ceil(PANEL);
    lanes.clear();
    lanes.resize(values.len() / count * panels, Lanes::ZERO);
    for (values, lanes) in values.chunks_exact(count).zip(lanes.chunks_exact_mut(panels)) {
        for (values, lanes) in values.chunks(PANEL).zip(lanes) {
            lanes.values_mut()[..values.len()].copy_from_slice(values);
        }
    }
}

/// The inverse of [`to_lanes`].
pub(super) fn from_lanes(lanes: &[Lanes], count: usize, values: &mut [f32]) {
    let panels = count.div_ceil(PANEL);
    for (values, lanes) in values.chunks_exact_mut(count).zip(lanes.chunks_exact(panels)) {
        for (values, lanes) in values.chunks_mut(PANEL).zip(lanes) {
            values.copy_from_slice(&lanes.values()[..values.len()]);
        }
    }
}
