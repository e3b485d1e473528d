//! The coupled problem of one workload, compiled for the search.

use super::all_tasks::AllTasks;
use crate::tasks::cost::CostModel;

/// The most assignments of one device that are listed one by one.
const MAX_ASSIGNMENTS: u64 = 4_096;
/// The most assignments of all devices, times places.
const MAX_LISTED: u64 = 2_000_000;

/// The problem of one workload whose devices share something.
pub(super) struct CoupledProblem<'m> {
    pub(super) model: &'m CostModel,
    pub(super) sizes_bytes: &'m [f64],
    /// The places that each device may use.
    allowed: Vec<Vec<u8>>,
    /// The loads that devices wait for. A node of the search bounds each.
    pub(super) sides: Vec<Side>,
    /// Time for each byte at any server; 0 if the uplinks are not shared.
    pub(super) uplink_s_per_byte: f64,
    /// 1 − α.
    pub(super) time_weight: f64,
    /// What a missed deadline adds to the cost.
    pub(super) price: f64,
    pub(super) devices: Vec<Device>,
}

/// A load of a shared place that devices wait for: the bytes of all devices there, or their instructions where these are not
/// proportional to the bytes. Instructions are counted in bytes of the mean number of instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) place: usize,
    /// Whether the load is one of bytes, which links carry.
    pub(super) is_bytes: bool,
    pub(super) compute_s_per_byte: f64,
    pub(super) link_s_per_byte: f64,
}

/// The decisions that one device has.
pub(super) enum Device {
    /// Every way to place its tasks.
    Listed(Vec<Assignment>),
    /// Too many ways to list: its tasks taken together as if they could be divided at will.
    Divisible(Together),
}

/// One device's tasks taken together.
pub(super) struct Together {
    pub(super) bytes: f64,
    /// By place: the cost of a byte without the cost of its time, and its time where nobody else waits.
    pub(super) rates: Vec<(f64, f64)>,
    /// The least and the most of each side's load that a byte can be.
    pub(super) units: Vec<[f64; 2]>,
}

/// One way to place a device's tasks.
pub(super) struct Assignment {
    pub(super) places: Vec<u8>,
    /// α E_n.
    pub(super) energy_cost: f64,
    /// By place: the time at which the device is done there if nothing is shared; −∞ where it has nothing.
    pub(super) alone_s: Vec<f64>,
    /// By place: the time for computing alone; −∞ where it has nothing.
    pub(super) compute_s: Vec<f64>,
    /// The part of each side's load.
    pub(super) bytes: Vec<f64>,
    /// Place and deadline of each task that has one, where missed deadlines cost something.
    pub(super) deadlines: Vec<(u8, f64)>,
}

impl<'m> CoupledProblem<'m> {
    /// The problem over decisions that use only the places `among`; all if it is empty.
    pub(super) fn new(model: &'m CostModel, sizes_bytes: &'m [f64], among: &[u8]) -> Self {
        let contention = model.contention().expect("searched together only where something is shared");
        let allowed: Vec<Vec<u8>> = (0..model.devices()).map(|device| model.allowed_places(device, among)).collect();
        let is_used = |place: &u8| allowed.iter().any(|allowed| allowed.contains(place));
        let among: Vec<u8> = (0..model.places() as u8).filter(is_used).collect();
        let shared = among.iter().map(|place| usize::from(*place)).filter(|place| contention.is_shared(*place));
        let sizes = AllTasks::new(model, sizes_bytes);
        let sides: Vec<Side> = shared.flat_map(|place| sizes.sides(contention, place)).collect();
        let count = (among.len() as u64).checked_pow(model.tasks() as u32).unwrap_or(u64::MAX);
        let is_listed = count <= MAX_ASSIGNMENTS && count * (model.devices() * model.places()) as u64 <= MAX_LISTED;
        let devices = (0..model.devices()).map(|device| {
            let tasks = sizes.of_device(device);
            if !is_listed {
                return Device::Divisible(tasks.together(&sides));
            }
            let allowed = &allowed[device];
            let is_allowed = |assignment: &Assignment| {
                allowed.len() == among.len() || assignment.places.iter().all(|place| allowed.contains(place))
            };
            Device::Listed(
                (0..count).map(|number| tasks.assignment(&among, &sides, number)).filter(is_allowed).collect(),
            )
        });
        let devices = devices.collect();
        let (uplink_s_per_byte, time_weight) = (contention.uplink_s_per_byte, sizes.weights[1]);
        let price = model.lateness_price(0, sizes_bytes);
        Self { model, sizes_bytes, allowed, sides, uplink_s_per_byte, time_weight, price, devices }
    }

    /// The places that a device may use.
    pub(super) fn allowed_places(&self, device: usize) -> &[u8] {
        &self.allowed[device]
    }

    /// The assignments of a device; none if its tasks are divisible.
    pub(super) fn assignments(&self, device: usize) -> &[Assignment] {
        match &self.devices[device] {
            Device::Listed(assignments) => assignments,
            Device::Divisible(_) => &[],
        }
    }

    /// Whether all devices have their assignments listed.
    pub(super) fn is_listed(&self) -> bool {
        self.devices.iter().all(|device| matches!(device, Device::Listed(_)))
    }

    /// The time until which the shared links of a side of bytes are busy.
    pub(super) fn links_s(&self, side: &Side, load_bytes: f64, sent_bytes: f64) -> f64 {
        let uplink_s = if side.place > 0 { self.uplink_s_per_byte * sent_bytes } else { 0.0 };
        uplink_s.max(side.link_s_per_byte * load_bytes)
    }

    /// Whether the way to a side's place goes through something shared.
    pub(super) fn has_shared_link(&self, side: &Side) -> bool {
        side.is_bytes && (side.link_s_per_byte > 0.0 || (side.place > 0 && self.uplink_s_per_byte > 0.0))
    }
}
