//! The Lagrangian of a site and its maximum.

use super::flow::{FluidNetwork, FluidWay};
use super::sizes::{SizeRange, ranges};
use crate::stream::RateProcess;
use crate::stream::dispatch::site::{NO_QUEUE, Route, Site};

/// The work of one maximisation, in evaluations of a place for a range.
const EFFORT: usize = 40_000_000;
/// The least and the greatest number of steps.
const STEPS: (usize, usize) = (150, 4_000);
/// The most devices for which the cheapest flow is found.
const FLOW_DEVICES: usize = 300;
/// The multiples of the multipliers of waiting that are tried first.
const FIRST_SCALES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// Between evaluations of the mean of the multipliers so far.
const STEPS_BETWEEN: usize = 25;
/// Sizes below these quantiles of the ranges have the multiplier of the quantile's size.
const FLOORS: [f64; 4] = [0.0, 0.5, 0.75, 1.0];

/// A usable place of a device.
struct Way {
    /// The price-free cost per byte, A.
    cost_per_byte: f64,
    /// The part of it that the link makes, without its energy per byte.
    link_cost_per_byte: f64,
    /// The cost of the latency, B.
    cost: f64,
    /// h, in seconds per byte.
    h: f64,
    /// The queues on the way, once or twice the same one.
    queues: [usize; 2],
    slower: usize,
}

/// The Lagrangian of a site.
pub(super) struct Dual {
    time_weight: f64,
    arrivals_per_s: f64,
    /// Tasks per second of each device.
    rates: Vec<f64>,
    ways: Vec<Vec<Way>>,
    ranges: Vec<SizeRange>,
    /// C_q, in bytes per second; the last one is no queue.
    capacities: Vec<f64>,
    /// Whether all latencies are 0.
    is_linear: bool,
}

/// What is known of the waiting of a set of devices.
struct Waiting {
    is_member: Vec<bool>,
    /// Θ(s) s / (1 − α) at the top of each range.
    shape: Vec<f64>,
    /// Σ_x θ_x u_x / λ.
    gain: f64,
}

/// A point of the dual and the ascent there.
struct Point {
    value: f64,
    flows: Vec<f64>,
    slope: f64,
}

/// The highest rate and the mean rate of a link, of what was recorded that of the best drive.
fn rates_of(rates: &RateProcess) -> (f64, f64) {
    let highest = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    match rates {
        RateProcess::Constant(rate) => (*rate, *rate),
        RateProcess::Markov(chain) => (highest(chain.bytes_per_s()), rates.mean_bytes_per_s()),
        RateProcess::Recorded(recorded) => {
            let means = recorded.drives().iter().map(|drive| drive.iter().sum::<f64>() / drive.len() as f64);
            let windows = recorded.drives().iter().map(|drive| highest(drive)).fold(0.0, f64::max);
            (windows.max(highest(recorded.levels().bytes_per_s())), means.fold(0.0, f64::max))
        }
    }
}

impl Way {
    fn of(site: &Site, route: &Route, capacities: &[f64]) -> Self {
        let parts = site.parts();
        let no_queue = site.queues.len();
        let queue_of = |queue: u32| if queue == NO_QUEUE { no_queue } else { queue as usize };
        let (link, machine) = (queue_of(route.link), queue_of(route.machine));
        let (mut link_s, mut changes) = (0.0, false);
        if let Some(details) = site.queues.get(link).and_then(|queue| queue.link.as_ref()) {
            link_s = 1.0 / rates_of(&details.link.rates).0;
            changes = details.times.is_some();
        }
        let machine_s = route.machine_s_per_byte;
        let energy = route.j_per_byte + route.send_w * link_s;
        let is_machine_slower = machine != no_queue && (link == no_queue || capacities[machine] <= capacities[link]);
        let h = match (is_machine_slower, changes) {
            (true, _) => link_s + 0.5 * machine_s,
            (false, true) => link_s,
            (false, false) => 0.5 * link_s,
        };
        Self {
            cost_per_byte: parts.alpha * energy + (1.0 - parts.alpha) * (link_s + machine_s),
            link_cost_per_byte: (parts.alpha * route.send_w + 1.0 - parts.alpha) * link_s,
            cost: (1.0 - parts.alpha) * route.latency_s,
            h,
            queues: [link, machine],
            slower: if is_machine_slower { machine } else { link },
        }
    }
}

impl Dual {
    pub(super) fn new(site: &Site) -> Self {
        let mut capacities: Vec<f64> = site
            .queues
            .iter()
            .map(|queue| queue.link.as_ref().map_or(1.0 / queue.s_per_byte, |link| rates_of(&link.link.rates).1))
            .collect();
        capacities.push(0.0);
        let ways: Vec<Vec<Way>> = (0..site.devices())
            .map(|device| {
                let usable = site.routes_of(device).iter().filter(|route| route.is_usable);
                usable.map(|route| Way::of(site, route, &capacities)).collect()
            })
            .collect();
        Self {
            time_weight: 1.0 - site.parts().alpha,
            arrivals_per_s: site.arrivals_per_s(),
            rates: site.parts().devices.iter().map(|device| device.arrivals_per_s).collect(),
            is_linear: ways.iter().flatten().all(|way| way.cost == 0.0),
            ways,
            ranges: ranges(&site.parts().sizes),
            capacities,
        }
    }

    /// The bound without waiting, and its prices.
    pub(super) fn fluid(&self) -> (f64, Vec<f64>) {
        let first =
            if self.rates.len() <= FLOW_DEVICES { self.flow_prices() } else { vec![0.0; self.capacities.len()] };
        let (value, prices) = self.maximise(None, &first);
        (value, prices)
    }

    /// The prices of the cheapest flow, without latencies.
    fn flow_prices(&self) -> Vec<f64> {
        let no_queue = self.capacities.len() - 1;
        let mut ways = Vec::new();
        for (device, way) in
            self.ways.iter().enumerate().flat_map(|(device, ways)| ways.iter().map(move |way| (device, way)))
        {
            let [link, machine] = way.queues;
            let behind = way.cost_per_byte - way.link_cost_per_byte;
            let (queues, costs) = if link == no_queue {
                ((machine, None), (way.cost_per_byte, 0.0))
            } else {
                ((link, (machine != no_queue).then_some(machine)), (way.link_cost_per_byte, behind))
            };
            ways.push(FluidWay { device, queues, costs });
        }
        let bytes: f64 = self.ranges.iter().map(|range| range.bytes).sum();
        let demands: Vec<f64> = self.rates.iter().map(|rate| rate * bytes).collect();
        let mut prices = FluidNetwork::new(self.rates.len(), &self.capacities[..no_queue], &ways).prices(&demands);
        prices.push(0.0);
        prices
    }

    /// The bound with waiting, from the prices without it on.
    pub(super) fn with_waiting(&self, prices: &[f64]) -> f64 {
        if self.time_weight == 0.0 {
            return f64::NEG_INFINITY;
        }
        let all = vec![true; self.rates.len()];
        let mut sets = vec![all.clone()];
        let pressed = self.most_loaded();
        if pressed != all {
            sets.push(pressed);
        }
        let mut best = f64::NEG_INFINITY;
        for is_member in sets {
            let mut before = f64::NAN;
            for floor in FLOORS {
                let waiting = self.waiting(&is_member, floor);
                // With few ranges several floors are the same.
                if waiting.gain != before {
                    best = best.max(self.maximise(Some(&waiting), prices).0);
                }
                before = waiting.gain;
            }
        }
        best
    }

    /// The sum of the rates of the slower queues of some devices.
    fn pooled_rate(&self, is_member: &[bool]) -> f64 {
        let mut is_used = vec![false; self.capacities.len()];
        for (ways, _) in self.ways.iter().zip(is_member).filter(|(_, is_member)| **is_member) {
            for way in ways {
                is_used[way.slower] = true;
            }
        }
        self.capacities.iter().zip(is_used).filter(|(_, is_used)| *is_used).map(|(capacity, _)| capacity).sum()
    }

    /// Of the sets that consist of the devices with the most bytes for the capacity that they need not share, the one with the
    /// highest load.
    fn most_loaded(&self) -> Vec<bool> {
        let devices = self.rates.len();
        let mut users = vec![0_usize; self.capacities.len()];
        let slower_of = |device: usize| {
            let mut queues: Vec<usize> = self.ways[device].iter().map(|way| way.slower).collect();
            queues.sort_unstable();
            queues.dedup();
            queues
        };
        for device in 0..devices {
            for queue in slower_of(device) {
                users[queue] += 1;
            }
        }
        let pressure: Vec<f64> = (0..devices)
            .map(|device| {
                let own = slower_of(device).into_iter().filter(|queue| users[*queue] == 1);
                self.rates[device] / own.map(|queue| self.capacities[queue]).sum::<f64>()
            })
            .collect();
        let mut order: Vec<usize> = (0..devices).collect();
        order.sort_by(|a, b| pressure[*b].total_cmp(&pressure[*a]).then(a.cmp(b)));
        let mut is_used = vec![false; self.capacities.len()];
        let (mut rate, mut capacity, mut best) = (0.0, 0.0, (0.0, 0));
        for (count, device) in order.iter().enumerate() {
            rate += self.rates[*device];
            for queue in slower_of(*device) {
                if !std::mem::replace(&mut is_used[queue], true) {
                    capacity += self.capacities[queue];
                }
            }
            if rate / capacity > best.0 {
                best = (rate / capacity, count + 1);
            }
        }
        let mut is_member = vec![false; devices];
        for device in &order[..best.1] {
            is_member[*device] = true;
        }
        is_member
    }

    /// What a set of devices must wait, with multipliers 1 / max(s, the size at a quantile of the ranges).
    fn waiting(&self, is_member: &[bool], floor: f64) -> Waiting {
        let finite = self.ranges.iter().filter(|range| range.top.is_finite()).count();
        let floor = self.ranges[(floor * (finite - 1) as f64).round() as usize].top;
        let multiplier = |range: &SizeRange| if range.top.is_finite() { 1.0 / range.top.max(floor) } else { 0.0 };
        let rate: f64 =
            self.rates.iter().zip(is_member).filter(|(_, is_member)| **is_member).map(|(rate, _)| rate).sum();
        let capacity = self.pooled_rate(is_member);
        let mut gain = 0.0;
        for (index, range) in self.ranges.iter().enumerate() {
            let above = self.ranges.get(index + 1).map_or(0.0, multiplier);
            let work = rate * range.squares_below / (2.0 * (capacity - rate * range.bytes_below));
            gain += (multiplier(range) - above) * work;
        }
        let shape =
            self.ranges.iter().map(|range| if range.top.is_finite() { multiplier(range) * range.top } else { 0.0 });
        Waiting {
            is_member: is_member.to_vec(),
            shape: shape.collect(),
            gain: self.time_weight * gain / self.arrivals_per_s,
        }
    }

    /// The Lagrangian for prices and a multiple of the multipliers of waiting.
    fn evaluate(&self, prices: &[f64], waiting: Option<(&Waiting, f64)>) -> Point {
        let mut flows = vec![0.0; self.capacities.len()];
        let (mut value, mut slope) = (0.0, 0.0);
        for (device, (ways, rate)) in self.ways.iter().zip(&self.rates).enumerate() {
            let priced = |way: &Way| way.cost_per_byte + prices[way.queues[0]] + prices[way.queues[1]];
            let weighted = waiting.filter(|(waiting, _)| waiting.is_member[device]);
            let mut take = |index: Option<usize>, bytes: f64| {
                let cost = |way: &Way| {
                    let Some(index) = index else { return priced(way) };
                    let shape =
                        weighted.map_or(0.0, |(waiting, scale)| scale * self.time_weight * waiting.shape[index]);
                    priced(way) + way.cost / self.ranges[index].top - shape * way.h
                };
                let mut best: Option<(f64, &Way)> = None;
                for way in ways {
                    let cost = cost(way);
                    if best.is_none_or(|best| cost < best.0) {
                        best = Some((cost, way));
                    }
                }
                if let Some((cost, way)) = best {
                    let bytes = rate * bytes;
                    value += bytes * cost;
                    for queue in way.queues {
                        flows[queue] += bytes;
                    }
                    if let (Some(index), Some((waiting, _))) = (index, weighted) {
                        slope -= bytes * self.time_weight * waiting.shape[index] * way.h;
                    }
                }
            };
            if self.is_linear && weighted.is_none() {
                take(None, self.ranges.iter().map(|range| range.bytes).sum());
            } else {
                for (index, range) in self.ranges.iter().enumerate() {
                    take(Some(index), range.bytes);
                }
            }
        }
        value -= prices.iter().zip(&self.capacities).map(|(price, capacity)| price * capacity).sum::<f64>();
        let (mut value, mut slope) = (value / self.arrivals_per_s, slope / self.arrivals_per_s);
        if let Some((waiting, scale)) = waiting {
            value += scale * waiting.gain;
            slope += waiting.gain;
        }
        Point { value, flows, slope }
    }

    /// The greatest value that is found from some prices on, and its prices, by subgradients.
    fn maximise(&self, waiting: Option<&Waiting>, prices: &[f64]) -> (f64, Vec<f64>) {
        let places: usize = self.ways.iter().map(Vec::len).sum();
        let per_range = if self.is_linear && waiting.is_none() { 1 } else { self.ranges.len() };
        let steps = (EFFORT / (places * per_range)).clamp(STEPS.0, STEPS.1);
        let cheapest = |ways: &Vec<Way>| ways.iter().map(|way| way.cost_per_byte).fold(f64::INFINITY, f64::min);
        let unit = self.ways.iter().map(cheapest).sum::<f64>() / self.ways.len() as f64;
        // The last one is no queue.
        let queues = &self.capacities[..self.capacities.len() - 1];
        let (mut point, mut scale) = (prices.to_vec(), 0.0);
        let (mut mean, mut mean_scale, mut weights) = (vec![0.0; point.len()], 0.0, 0.0);
        let mut best = (f64::NEG_INFINITY, point.clone());
        for first in FIRST_SCALES.into_iter().filter(|_| waiting.is_some()) {
            let value = self.evaluate(&point, waiting.map(|waiting| (waiting, first))).value;
            if value > best.0 {
                (best.0, scale) = (value, first);
            }
        }
        for step in 0..steps {
            let there = self.evaluate(&point, waiting.map(|waiting| (waiting, scale)));
            if there.value > best.0 {
                best = (there.value, point.clone());
            }
            let length = 0.3 / (1.0 + step as f64).sqrt();
            for ((price, flow), capacity) in point.iter_mut().zip(&there.flows).zip(queues) {
                let excess = (flow / capacity - 1.0).clamp(-1.0, 1.0);
                *price = (*price + length * unit * excess).max(0.0);
            }
            if let Some(waiting) = waiting {
                scale = (scale + length * (there.slope / waiting.gain).clamp(-1.0, 1.0)).clamp(0.0, 1.0);
            }
            // Later points count more in the mean.
            let weight = (step + 1) as f64;
            weights += weight;
            for (mean, price) in mean.iter_mut().zip(&point) {
                *mean += (price - *mean) * weight / weights;
            }
            mean_scale += (scale - mean_scale) * weight / weights;
            if step % STEPS_BETWEEN == STEPS_BETWEEN - 1 || step + 1 == steps {
                let there = self.evaluate(&mean, waiting.map(|waiting| (waiting, mean_scale)));
                if there.value > best.0 {
                    best = (there.value, mean.clone());
                }
            }
        }
        best
    }
}
