//! What each device may do.

use crate::tasks::cost::{CostModel, OwnRate};

/// Most ways to place one device's tasks that are listed one by one, and those of all devices times places.
const MAX_OPTIONS: u64 = 4_096;
const MAX_LISTED: u64 = 2_000_000;

/// The problem of one workload, compiled for the search.
pub(super) struct Problem<'m> {
    pub(super) model: &'m CostModel,
    pub(super) sizes_bytes: &'m [f64],
    /// Places that may be used.
    pub(super) among: Vec<u8>,
    /// Places whose loads matter; a box has one side for each.
    pub(super) shared: Vec<usize>,
    pub(super) devices: Vec<Device>,
}

/// What one device may do.
pub(super) enum Device {
    /// Every way to place its tasks.
    Listed(Vec<Choice>),
    /// Its tasks taken together, in bytes.
    Divisible(f64),
}

/// One way to place a device's tasks.
pub(super) struct Choice {
    pub(super) places: Vec<u8>,
    /// α E_n.
    pub(super) energy_cost: f64,
    /// By place: when it is done if nothing were shared, and computing of that; −∞ where it has nothing.
    pub(super) alone_s: Vec<f64>,
    pub(super) compute_s: Vec<f64>,
    /// Bytes at each shared place.
    pub(super) bytes: Vec<f64>,
}

impl<'m> Problem<'m> {
    pub(super) fn new(model: &'m CostModel, sizes_bytes: &'m [f64], among: &[u8]) -> Self {
        let contention = model.contention().expect("searched in boxes only where something is shared");
        let all = (0..model.places() as u8).filter(|place| among.is_empty() || among.contains(place));
        let among: Vec<u8> = all.collect();
        let shared: Vec<usize> =
            among.iter().map(|place| usize::from(*place)).filter(|place| contention.is_shared(*place)).collect();
        let rows = sizes_bytes.chunks_exact(model.tasks()).enumerate();
        let options = (among.len() as u64).checked_pow(model.tasks() as u32).unwrap_or(u64::MAX);
        let is_listed = options <= MAX_OPTIONS && options * (model.devices() * model.places()) as u64 <= MAX_LISTED;
        let devices = rows.map(|(device, sizes)| {
            if !is_listed {
                return Device::Divisible(sizes.iter().sum());
            }
            Device::Listed((0..options).map(|option| choice(model, &among, &shared, device, sizes, option)).collect())
        });
        let devices = devices.collect();
        Self { model, sizes_bytes, among, shared, devices }
    }
}

/// The choice whose number has the places as its digits.
fn choice(model: &CostModel, among: &[u8], shared: &[usize], device: usize, sizes: &[f64], mut number: u64) -> Choice {
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
    let own = &model.contention().expect("shared").own[device * model.places()..][..model.places()];
    let times = |rate: fn(&OwnRate) -> f64| {
        let time = |(own, &bytes): (&OwnRate, &f64)| if bytes > 0.0 { bytes * rate(own) } else { f64::NEG_INFINITY };
        own.iter().zip(&bytes).map(time).collect()
    };
    Choice {
        places,
        energy_cost: model.alpha() * energy_j,
        alone_s: times(|own| own.send_s_per_byte + own.compute_s_per_byte),
        compute_s: times(|own| own.compute_s_per_byte),
        bytes: shared.iter().map(|place| bytes[*place]).collect(),
    }
}

impl Device {
    pub(super) fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}
