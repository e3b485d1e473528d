//! What the networks read of a site that never changes.

use sim::stream::dispatch::{Site, SiteParts};

use super::features::{CONTEXT_INPUTS, PLACE_INPUTS};

/// The number of no queue.
pub(super) const NO_QUEUE: u32 = u32::MAX;
/// Keeps logarithms of times finite where there is no queue.
pub(super) const LEAST_TIME: f32 = 0.02;

/// Numbers of a site that never change, in units of the site's own.
///
/// The unit of rates is the site's capacity c: the bytes per second that all processors, links and machines can take, each way
/// counted by its slowest part. The unit of time is N times the mean size over c, where N is the number of devices; the unit of
/// cost is what a task of the mean size costs at its best place while nobody waits, as a mean over devices.
#[derive(Debug, Clone)]
pub struct SiteTables {
    pub(super) places: usize,
    pub(super) queues: usize,
    pub(super) alpha: f64,
    pub(super) time_unit_s: f64,
    pub(super) cost_unit: f64,
    pub(super) capacity_bytes_per_s: f64,
    pub(super) mean_bytes: f64,
    pub(super) arriving_bytes_per_s: f64,
    /// Inputs of the context that never change; the others are 0.
    pub(super) context: [f32; CONTEXT_INPUTS],
    pub(super) devices: Vec<DeviceTable>,
    /// `[devices, places]`.
    pub(super) ways: Vec<WayTable>,
}

/// Numbers of a device.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeviceTable {
    /// The capacity that is its own, and its share of what devices share.
    pub(super) capacity_bytes_per_s: f64,
    pub(super) arriving_bytes_per_s: f64,
    /// Its slowest link that no other device uses.
    pub(super) own_link: u32,
    /// The first place whose machine other devices use, too.
    pub(super) shared_place: Option<usize>,
    pub(super) ln_speed: f32,
    pub(super) ln_link: f32,
}

/// Numbers of a place as a device sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct WayTable {
    pub(super) link: u32,
    pub(super) machine: u32,
    /// Inputs that never change; the others are 0.
    pub(super) inputs: [f32; PLACE_INPUTS],
}

/// The queues that a site's devices share, and what they can take.
struct Sharing<'a> {
    site: &'a Site,
    /// How many devices use each queue.
    users: Vec<u32>,
}

impl<'a> Sharing<'a> {
    fn of(site: &'a Site) -> Self {
        let mut users = vec![0; site.queues().len()];
        for device in 0..site.devices() {
            let mut used: Vec<usize> =
                usable(site, device).flat_map(|place| site.queues_of(device, place)).flatten().collect();
            used.sort_unstable();
            used.dedup();
            for queue in used {
                users[queue] += 1;
            }
        }
        Self { site, users }
    }

    fn is_shared(&self, queue: Option<usize>) -> bool {
        queue.is_some_and(|queue| self.users[queue] > 1)
    }

    fn bytes_per_s(&self, queue: Option<usize>) -> f64 {
        queue.map_or(f64::INFINITY, |queue| 1.0 / self.site.queues()[queue].s_per_byte)
    }

    /// The slower queue on the way of a device through a place; `None` where there is none.
    fn slowest(&self, device: usize, place: usize) -> Option<usize> {
        let [link, machine] = self.site.queues_of(device, place);
        if self.bytes_per_s(link) < self.bytes_per_s(machine) { link } else { machine }
    }
}

fn usable(site: &Site, device: usize) -> impl Iterator<Item = usize> {
    (0..site.places()).filter(move |place| site.is_usable(device, *place))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 1.0 }
}

impl SiteTables {
    /// The numbers of a site.
    pub fn new(site: &Site) -> Self {
        let parts = site.parts();
        let sharing = Sharing::of(site);
        let (devices, shared_bytes_per_s) = device_tables(&sharing);
        let capacity = shared_bytes_per_s + devices.iter().map(|device| device.capacity_bytes_per_s).sum::<f64>();
        let count = devices.len() as f64;
        let mean_bytes = parts.sizes.mean();
        let time_unit_s = count * mean_bytes / capacity;
        let mut ways = Vec::with_capacity(devices.len() * site.places());
        for device in 0..devices.len() {
            ways.extend((0..site.places()).map(|place| way(&sharing, device, place, capacity, time_unit_s)));
        }
        let cheapest =
            |device| usable(site, device).map(|place| idle_cost(site, device, place)).fold(f64::INFINITY, f64::min);
        let mut context = [0.0; CONTEXT_INPUTS];
        context[7] = (0.5 * (count / 5.0).ln()) as f32;
        context[8] = (2.0 * shared_bytes_per_s / capacity - 0.5) as f32;
        context[9] = (2.0 * parts.alpha - 1.0) as f32;
        context[10] = (parts.sizes.mean_square() / (mean_bytes * mean_bytes)).ln() as f32;
        let with_share = |device: DeviceTable| DeviceTable {
            capacity_bytes_per_s: device.capacity_bytes_per_s + shared_bytes_per_s / count,
            ..device
        };
        Self {
            places: site.places(),
            queues: site.queues().len(),
            alpha: parts.alpha,
            time_unit_s,
            cost_unit: mean((0..devices.len()).map(cheapest)),
            capacity_bytes_per_s: capacity,
            mean_bytes,
            arriving_bytes_per_s: site.arrivals_per_s() * mean_bytes,
            context,
            devices: devices.into_iter().map(with_share).collect(),
            ways,
        }
    }

    /// The unit of time, in seconds.
    pub fn time_unit_s(&self) -> f64 {
        self.time_unit_s
    }

    /// The unit of cost.
    pub fn cost_unit(&self) -> f64 {
        self.cost_unit
    }

    pub(super) fn ways_of(&self, device: usize) -> &[WayTable] {
        &self.ways[device * self.places..][..self.places]
    }
}

/// The tables of devices with the capacity that is their own, and the capacity that they share, in bytes per second.
fn device_tables(sharing: &Sharing<'_>) -> (Vec<DeviceTable>, f64) {
    let site = sharing.site;
    let parts = site.parts();
    let mut is_counted = vec![false; site.queues().len()];
    let mut shared_bytes_per_s = 0.0;
    let own_link = |device: usize| {
        let links = usable(site, device).filter_map(|place| site.queues_of(device, place)[0]);
        links
            .filter(|link| !sharing.is_shared(Some(*link)))
            .min_by(|one, other| sharing.bytes_per_s(Some(*one)).total_cmp(&sharing.bytes_per_s(Some(*other))))
    };
    let own_links: Vec<Option<usize>> = (0..site.devices()).map(own_link).collect();
    let mean_speed = mean(parts.devices.iter().map(|device| 1.0 / device.s_per_byte));
    let mean_link = mean(own_links.iter().flatten().map(|link| sharing.bytes_per_s(Some(*link))));
    let mut tables = Vec::with_capacity(site.devices());
    for (device, part) in parts.devices.iter().enumerate() {
        let mut own = 0.0;
        for queue in usable(site, device).filter_map(|place| sharing.slowest(device, place)) {
            if std::mem::replace(&mut is_counted[queue], true) {
                continue;
            }
            let sum = if sharing.is_shared(Some(queue)) { &mut shared_bytes_per_s } else { &mut own };
            *sum += sharing.bytes_per_s(Some(queue));
        }
        let has_shared_machine = |place: &usize| sharing.is_shared(site.queues_of(device, *place)[1]);
        tables.push(DeviceTable {
            capacity_bytes_per_s: own,
            arriving_bytes_per_s: part.arrivals_per_s * parts.sizes.mean(),
            own_link: own_links[device].map_or(NO_QUEUE, |link| link as u32),
            shared_place: usable(site, device).find(has_shared_machine),
            ln_speed: (1.0 / part.s_per_byte / mean_speed).ln() as f32,
            ln_link: own_links[device].map_or(0.0, |link| (sharing.bytes_per_s(Some(link)) / mean_link).ln() as f32),
        });
    }
    (tables, shared_bytes_per_s)
}

fn way(sharing: &Sharing<'_>, device: usize, place: usize, capacity: f64, time_unit_s: f64) -> WayTable {
    let site = sharing.site;
    if !site.is_usable(device, place) {
        return WayTable { link: NO_QUEUE, machine: NO_QUEUE, inputs: [0.0; PLACE_INPUTS] };
    }
    let [link, machine] = site.queues_of(device, place);
    let number = |queue: Option<usize>| queue.map_or(NO_QUEUE, |queue| queue as u32);
    let flag = |is_so: bool| if is_so { 1.0 } else { 0.0 };
    let ln_mean_service = |queue: Option<usize>| {
        let units = queue.map_or(0.0, |_| site.parts().sizes.mean() / sharing.bytes_per_s(queue) / time_unit_s);
        0.5 * (units as f32 + LEAST_TIME).ln()
    };
    let mut inputs = [0.0; PLACE_INPUTS];
    inputs[5] = flag(place == 0);
    inputs[6] = flag(sharing.is_shared(machine));
    inputs[7] = flag(machine.is_none());
    if sharing.is_shared(machine) {
        inputs[12] = (2.0 * (sharing.bytes_per_s(machine) / capacity).min(1.0)) as f32;
    }
    inputs[14] = flag(sharing.is_shared(link));
    inputs[17] = ln_mean_service(link);
    inputs[18] = ln_mean_service(machine);
    WayTable { link: number(link), machine: number(machine), inputs }
}

/// What a task of the mean size costs while nobody waits, without the energy of sending.
fn idle_cost(site: &Site, device: usize, place: usize) -> f64 {
    let SiteParts { alpha, devices, servers, sizes, .. } = site.parts();
    let [link, machine] = site.queues_of(device, place);
    let s_per_byte = |queue: Option<usize>| queue.map_or(0.0, |queue| site.queues()[queue].s_per_byte);
    let (j_per_byte, alone_s_per_byte) = match place.checked_sub(1) {
        None => (devices[device].j_per_byte, 0.0),
        Some(server) => {
            let alone = if machine.is_none() { servers[server].s_per_byte } else { 0.0 };
            (servers[server].j_per_byte, alone)
        }
    };
    sizes.mean() * (alpha * j_per_byte + (1.0 - alpha) * (s_per_byte(link) + s_per_byte(machine) + alone_s_per_byte))
}
