//! The coupled problem of one workload, compiled for the search.

use crate::tasks::cost::{Contention, CostModel, OwnRate};

/// The most assignments of one device that are listed one by one.
const MAX_ASSIGNMENTS: u64 = 4_096;
/// The most assignments of all devices, times places.
const MAX_LISTED: u64 = 2_000_000;

/// The problem of one workload whose devices share something.
pub(super) struct CoupledProblem<'m> {
    pub(super) model: &'m CostModel,
    /// What devices share.
    pub(super) contention: &'m Contention,
    pub(super) sizes_bytes: &'m [f64],
    /// The places that may be used.
    pub(super) among: Vec<u8>,
    /// The shared places. A node of the search bounds the load of each.
    pub(super) shared: Vec<usize>,
    pub(super) devices: Vec<Device>,
}

/// The decisions that one device has.
pub(super) enum Device {
    /// Every way to place its tasks.
    Listed(Vec<Assignment>),
    /// Too many ways to list: its tasks taken together, in bytes, as if they could be divided at will.
    Divisible(f64),
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
    /// Bytes at each shared place.
    pub(super) bytes: Vec<f64>,
}

impl<'m> CoupledProblem<'m> {
    /// The problem over decisions that use only the places `among`; all if it is empty.
    pub(super) fn new(model: &'m CostModel, sizes_bytes: &'m [f64], among: &[u8]) -> Self {
        let contention = model.contention().expect("searched together only where something is shared");
        let all = (0..model.places() as u8).filter(|place| among.is_empty() || among.contains(place));
        let among: Vec<u8> = all.collect();
        let shared: Vec<usize> =
            among.iter().map(|place| usize::from(*place)).filter(|place| contention.is_shared(*place)).collect();
        let rows = sizes_bytes.chunks_exact(model.tasks()).enumerate();
        let count = (among.len() as u64).checked_pow(model.tasks() as u32).unwrap_or(u64::MAX);
        let is_listed = count <= MAX_ASSIGNMENTS && count * (model.devices() * model.places()) as u64 <= MAX_LISTED;
        let devices = rows.map(|(device, sizes)| {
            if !is_listed {
                return Device::Divisible(sizes.iter().sum());
            }
            let assignment = |number| Assignment::new(model, contention, (&among, &shared), device, sizes, number);
            Device::Listed((0..count).map(assignment).collect())
        });
        let devices = devices.collect();
        Self { model, contention, sizes_bytes, among, shared, devices }
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
}

impl Assignment {
    /// The assignment whose number has the places as its digits.
    fn new(
        model: &CostModel,
        contention: &Contention,
        (among, shared): (&[u8], &[usize]),
        device: usize,
        sizes: &[f64],
        mut number: u64,
    ) -> Self {
        let count = among.len() as u64;
        let digit = |_| {
            let place = among[(number % count) as usize];
            number /= count;
            place
        };
        let places: Vec<u8> = (0..sizes.len()).map(digit).collect();
        let mut bytes = vec![0.0; model.places()];
        let mut energy_j = 0.0;
        for (&place, &size) in places.iter().zip(sizes) {
            bytes[usize::from(place)] += size;
            energy_j += size * model.rates(device)[usize::from(place)].energy_j_per_byte;
        }
        let own = &contention.own[device * model.places()..][..model.places()];
        let times = |rate: fn(&OwnRate) -> f64| {
            let time =
                |(own, &bytes): (&OwnRate, &f64)| if bytes > 0.0 { bytes * rate(own) } else { f64::NEG_INFINITY };
            own.iter().zip(&bytes).map(time).collect()
        };
        Self {
            places,
            energy_cost: model.alpha() * energy_j,
            alone_s: times(|own| own.send_s_per_byte + own.compute_s_per_byte),
            compute_s: times(|own| own.compute_s_per_byte),
            bytes: shared.iter().map(|place| bytes[*place]).collect(),
        }
    }
}
