//! What a dispatcher remembers of the tasks so far.

use sim::stream::dispatch::{Arrival, Choice};

use super::features::ln;
use super::tables::{NO_QUEUE, SiteTables};

/// The short time over which loads are averaged, in units of time of the site.
const SHORT_UNITS: f64 = 10.0;
/// How many short times make a long one, and very short times a short one. They are whole, since weights are powers of each other.
const SHORTS_IN_LONG: i32 = 10;
const VERY_SHORTS_IN_SHORT: i32 = 5;
/// The load that is assumed before anything was seen.
const ASSUMED_LOAD: f32 = 0.6;
/// It weighs as much as this share of the time that is averaged over.
const ASSUMED_SHARE: f32 = 0.03;

/// Sums in which older terms weigh less, for three times of averaging: long, short and very short.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// When the sums were brought up to date, in seconds.
    time_s: f64,
    sums: [f32; 3],
}

/// The weights of what lies a time back, for the three times of averaging.
#[derive(Debug, Clone, Copy)]
struct Weights([f32; 3]);

/// What turns sums into rates: for each time of averaging what the sums are divided by, and what is added for the assumed load.
#[derive(Debug, Clone, Copy)]
struct Scale {
    per_weight: [f32; 3],
    assumed: [f32; 3],
}

/// The times of averaging of a site.
#[derive(Debug, Clone, Copy)]
struct Times {
    per_long_s: f64,
    /// In seconds.
    lengths_s: [f32; 3],
}

impl Times {
    fn of(tables: &SiteTables) -> Self {
        let short_s = SHORT_UNITS * tables.time_unit_s;
        let long_s = short_s * f64::from(SHORTS_IN_LONG);
        let lengths_s = [long_s, short_s, short_s / f64::from(VERY_SHORTS_IN_SHORT)].map(|length_s| length_s as f32);
        Self { per_long_s: 1.0 / long_s, lengths_s }
    }

    fn weights(&self, since_s: f64) -> Weights {
        let long = (-(since_s * self.per_long_s) as f32).exp();
        let short = long.powi(SHORTS_IN_LONG);
        Weights([long, short, short.powi(VERY_SHORTS_IN_SHORT)])
    }

    /// Early on, when little was seen, rates are those of the time that has passed, and of the assumed load.
    fn scale(&self, now_s: f64) -> Scale {
        let Weights(since_start) = self.weights(now_s);
        let mut scale = Scale { per_weight: [0.0; 3], assumed: [0.0; 3] };
        for (index, (length_s, weight)) in self.lengths_s.into_iter().zip(since_start).enumerate() {
            let assumed_s = ASSUMED_SHARE * length_s * weight;
            scale.per_weight[index] = 1.0 / (length_s * (1.0 - weight) + assumed_s);
            scale.assumed[index] = assumed_s * ASSUMED_LOAD;
        }
        scale
    }
}

impl Sums {
    fn add(&mut self, now_s: f64, amount: f32, times: &Times) {
        self.bring_to(now_s, times);
        self.sums.iter_mut().for_each(|sum| *sum += amount);
    }

    fn bring_to(&mut self, now_s: f64, times: &Times) {
        let Weights(weights) = times.weights(now_s - self.time_s);
        for (sum, weight) in self.sums.iter_mut().zip(weights) {
            *sum *= weight;
        }
        self.time_s = now_s;
    }

    /// The loads: amounts per second over a capacity per second.
    fn loads(mut self, now_s: f64, capacity: f32, times: &Times, scale: &Scale) -> [f32; 3] {
        self.bring_to(now_s, times);
        let per_capacity = 1.0 / capacity;
        let load = |index: usize| (self.sums[index] * per_capacity + scale.assumed[index]) * scale.per_weight[index];
        std::array::from_fn(load)
    }
}

/// What a dispatcher has seen of the tasks so far: when its queues will be empty, and running averages of loads. No rate of
/// arrivals is known.
#[derive(Debug)]
pub struct Memory {
    times: Times,
    now_s: f64,
    /// Bytes that arrived, at all devices.
    arrived: Sums,
    /// How much the load of a short time differs from that of a long time: the sum of squares, and of their weights.
    swings: [f32; 2],
    /// Bytes that arrived, by device.
    arrived_at: Vec<Sums>,
    /// Seconds of service that joined, by queue.
    joined: Vec<Sums>,
    /// When the processor of each device, and its own link, are expected to be free, in seconds.
    processor_free_s: Vec<f64>,
    link_free_s: Vec<f64>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self {
            arrived_at: self.arrived_at.clone(),
            joined: self.joined.clone(),
            processor_free_s: self.processor_free_s.clone(),
            link_free_s: self.link_free_s.clone(),
            ..*self
        }
    }

    /// Futures copy a memory for each place: this takes no memory of its own.
    fn clone_from(&mut self, other: &Self) {
        (self.times, self.now_s, self.arrived, self.swings) = (other.times, other.now_s, other.arrived, other.swings);
        self.arrived_at.clone_from(&other.arrived_at);
        self.joined.clone_from(&other.joined);
        self.processor_free_s.clone_from(&other.processor_free_s);
        self.link_free_s.clone_from(&other.link_free_s);
    }
}

/// Loads as an arriving task finds them, each for a long, a short and a very short time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loads {
    /// Of the site.
    pub(super) site: [f32; 3],
    /// Of the device at which the task arrives.
    pub(super) device: [f32; 3],
    /// How much the load of a short time differs from that of a long time: the root mean square of their ratio minus 1.
    pub(super) swing: f32,
    scale: Scale,
}

impl Memory {
    /// Nothing was seen yet.
    pub fn new(tables: &SiteTables) -> Self {
        let devices = tables.devices.len();
        Self {
            times: Times::of(tables),
            now_s: 0.0,
            arrived: Sums::default(),
            swings: [0.0; 2],
            arrived_at: vec![Sums::default(); devices],
            joined: vec![Sums::default(); tables.queues],
            processor_free_s: vec![0.0; devices],
            link_free_s: vec![0.0; devices],
        }
    }

    /// A task arrives; the loads with it.
    pub(super) fn arrive(&mut self, tables: &SiteTables, arrival: &Arrival) -> Loads {
        let Self { times, .. } = *self;
        let since_s = arrival.time_s - self.now_s;
        let before =
            self.arrived.loads(self.now_s, tables.capacity_bytes_per_s as f32, &times, &times.scale(self.now_s));
        let Weights([weight, ..]) = times.weights(since_s);
        let ratio = before[1] / before[0] - 1.0;
        self.swings[0] = self.swings[0] * weight + (1.0 - weight) * ratio * ratio;
        self.swings[1] = self.swings[1] * weight + (1.0 - weight);
        self.now_s = arrival.time_s;
        let bytes = arrival.bytes as f32;
        self.arrived.add(self.now_s, bytes, &times);
        let at_device = &mut self.arrived_at[arrival.device as usize];
        at_device.add(self.now_s, bytes, &times);
        let scale = times.scale(self.now_s);
        let device = &tables.devices[arrival.device as usize];
        Loads {
            site: self.arrived.loads(self.now_s, tables.capacity_bytes_per_s as f32, &times, &scale),
            device: at_device.loads(self.now_s, device.capacity_bytes_per_s as f32, &times, &scale),
            swing: (self.swings[0] / (self.swings[1] + 1e-3)).sqrt(),
            scale,
        }
    }

    /// The loads of a queue; 0 where there is none.
    pub(super) fn loads_of(&self, queue: u32, loads: &Loads) -> [f32; 3] {
        match self.joined.get(queue as usize) {
            Some(joined) => joined.loads(self.now_s, 1.0, &self.times, &loads.scale),
            None => [0.0; 3],
        }
    }

    /// Means over devices of the times until processors and links are free, and the share of the devices whose link is free
    /// before a time.
    pub(super) fn fleet(&self, tables: &SiteTables, shared_wait_s: Option<f64>) -> [f32; 3] {
        let now_s = self.now_s;
        let per_device = 1.0 / self.processor_free_s.len() as f64;
        let mean = |free_s: &[f64]| {
            let sum: f64 = free_s.iter().map(|free_s| (free_s - now_s).max(0.0)).sum();
            ln(1.0 + (sum * per_device / tables.time_unit_s) as f32)
        };
        let share = shared_wait_s.map_or(0.0, |wait_s| {
            let until_s = now_s + wait_s;
            let count: u32 = self.link_free_s.iter().map(|free_s| u32::from(free_s.max(now_s) < until_s)).sum();
            (f64::from(count) * per_device) as f32 - 0.5
        });
        [mean(&self.processor_free_s), mean(&self.link_free_s), share]
    }

    /// The task that arrived last goes to a place.
    pub(super) fn place(&mut self, tables: &SiteTables, device: usize, place: usize, choice: &Choice) {
        let way = &tables.ways_of(device)[place];
        for (queue, view) in [(way.link, &choice.link), (way.machine, &choice.machine)] {
            if queue != NO_QUEUE {
                self.joined[queue as usize].add(self.now_s, view.service_s as f32, &self.times);
            }
        }
        let sent_s = self.now_s + choice.link.wait_s + choice.link.service_s;
        if way.link != NO_QUEUE && way.link == tables.devices[device].own_link {
            self.link_free_s[device] = sent_s;
        }
        if place == 0 {
            self.processor_free_s[device] = sent_s + choice.machine.wait_s + choice.machine.service_s;
        }
    }

    /// Everything as numbers, to be kept.
    pub fn to_numbers(&self) -> Vec<f64> {
        let sums = |sums: &Sums| [sums.time_s].into_iter().chain(sums.sums.map(f64::from)).collect::<Vec<_>>();
        let mut numbers = vec![self.now_s, f64::from(self.swings[0]), f64::from(self.swings[1])];
        let all = std::iter::once(&self.arrived).chain(&self.arrived_at).chain(&self.joined);
        numbers.extend(all.flat_map(sums));
        numbers.extend(self.processor_free_s.iter().chain(&self.link_free_s));
        numbers
    }

    /// Continues from what [`Memory::to_numbers`] gave; `false`, and nothing changes, if it is of another site.
    pub fn set_numbers(&mut self, numbers: &[f64]) -> bool {
        let (devices, queues) = (self.arrived_at.len(), self.joined.len());
        if numbers.len() != 3 + 4 * (1 + devices + queues) + 2 * devices
            || numbers.iter().any(|number| !number.is_finite())
        {
            return false;
        }
        let (head, rest) = numbers.split_at(3);
        let (sums, free) = rest.split_at(4 * (1 + devices + queues));
        self.now_s = head[0];
        self.swings = [head[1] as f32, head[2] as f32];
        let all = std::iter::once(&mut self.arrived).chain(&mut self.arrived_at).chain(&mut self.joined);
        for (into, from) in all.zip(sums.chunks_exact(4)) {
            *into = Sums { time_s: from[0], sums: [from[1] as f32, from[2] as f32, from[3] as f32] };
        }
        self.processor_free_s.copy_from_slice(&free[..devices]);
        self.link_free_s.copy_from_slice(&free[devices..]);
        true
    }
}
