//! The best static split: which share of a device's tasks goes to which place, whatever the queues are.

use super::site::{NO_QUEUE, Site};

/// The relative gap to which the split is optimised: the Frank–Wolfe gap over the cost.
const RELATIVE_GAP: f64 = 1e-6;
/// The gap at which a limit is raised that some load is beyond.
const GAP_BEYOND_LIMIT: f64 = 1e-2;
/// The most passes over all devices for one limit of loads; what is reached then has a gap that is stated.
const MOST_PASSES: usize = 2_000;
/// The most limits of loads that are tried.
const MOST_LIMITS: usize = 60;
/// The most steps of a line search.
const MOST_STEPS: usize = 40;
/// The least weight of waiting. At α = 1 waiting costs nothing; with this weight queues still stay below load 1.
const LEAST_WEIGHT: f64 = 1e-6;

/// The best static split of a site: each device sends fixed shares of its tasks to the places, at random.
///
/// Arrivals at every queue are taken for Poisson, so that a task waits λ E\[x²\] / (2 (1 − ρ)) on average there (Pollaczek and
/// Khinchine), with the rate λ of tasks, the time x for which one is served and the load ρ = λ E\[x\]. The split minimises the
/// mean of α times the energy plus 1 − α times the response time of a task. This is exact for a queue that tasks reach straight
/// from a Poisson process, and an approximation behind a link and under bursts. Links whose rate changes count with their mean
/// rate; deadlines and the energy of radios that stay on do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticSplit {
    places: usize,
    /// `[devices, places]`.
    shares: Vec<f64>,
    queues: Vec<QueueLoad>,
    mean_cost: f64,
    gap: f64,
}

/// What a static split brings to a queue.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QueueLoad {
    /// The mean number of tasks that join it in a second, λ.
    pub tasks_per_s: f64,
    /// The mean time for which a task is served, E\[x\].
    pub mean_service_s: f64,
    /// The mean of the squares of these times, E\[x²\], in s².
    pub mean_square_service_s2: f64,
}

impl QueueLoad {
    /// The utilisation ρ = λ E\[x\].
    pub fn load(&self) -> f64 {
        self.tasks_per_s * self.mean_service_s
    }

    /// The mean time that a task waits, λ E\[x²\] / (2 (1 − ρ)), in seconds.
    pub fn mean_wait_s(&self) -> f64 {
        self.tasks_per_s * self.mean_square_service_s2 / (2.0 * (1.0 - self.load()))
    }

    /// λ / (2 (1 − ρ)), in tasks per second: times the square of the work in the queue, in s², it is how long later tasks wait
    /// in all because of that work.
    pub fn workload_value_per_s(&self) -> f64 {
        self.tasks_per_s / (2.0 * (1.0 - self.load()))
    }

    /// The total time that tasks wait in a second, λ times the mean wait, at a rate of tasks.
    fn waiting(&self, rate: f64) -> f64 {
        0.5 * self.mean_square_service_s2 * rate * rate / (1.0 - rate * self.mean_service_s)
    }

    /// The derivative of [`QueueLoad::waiting`].
    fn slope(&self, rate: f64) -> f64 {
        let load = rate * self.mean_service_s;
        0.5 * self.mean_square_service_s2 * rate * (2.0 - load) / (1.0 - load).powi(2)
    }

    /// The second derivative.
    fn curvature(&self, rate: f64) -> f64 {
        self.mean_square_service_s2 / (1.0 - rate * self.mean_service_s).powi(3)
    }
}

impl StaticSplit {
    /// Computes the best split of a site. [`Site::static_split`] keeps it.
    pub(super) fn of(site: &Site) -> Self {
        Optimiser::new(site).run(site.load())
    }

    /// The share of a device's tasks that goes to each place.
    pub fn shares_of(&self, device: usize) -> &[f64] {
        &self.shares[device * self.places..][..self.places]
    }

    /// What the split brings to each queue of the site.
    pub fn queues(&self) -> &[QueueLoad] {
        &self.queues
    }

    /// The mean cost of a task by the formula.
    pub fn mean_cost(&self) -> f64 {
        self.mean_cost
    }

    /// The Frank–Wolfe gap: by the formula no split costs less than the mean cost minus this gap.
    pub fn gap(&self) -> f64 {
        self.gap
    }
}

/// A place for the tasks of one device.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// α times the mean energy plus 1 − α times the mean time without waiting; infinite where the place cannot be used.
    cost: f64,
    /// The queues of the link and of the machine, or [`NO_QUEUE`].
    queues: [u32; 2],
}

/// Moves shares between the places of one device at a time, by exact line searches.
///
/// Beyond a limit of its load, the waiting of a queue is continued by a parabola that lies below it, so that no split is
/// infinitely expensive. If in the end all loads are below the limit, the split is the best one; else the limit is raised.
struct Optimiser {
    places: usize,
    weight: f64,
    /// `[devices, places]`.
    ways: Vec<Way>,
    /// Tasks per second of each device to each place, `[devices, places]`.
    flows: Vec<f64>,
    /// The rates of tasks are kept up to date.
    queues: Vec<QueueLoad>,
    limit: f64,
}

impl Optimiser {
    fn new(site: &Site) -> Self {
        let parts = site.parts();
        let (bytes, square) = (parts.sizes.mean(), parts.sizes.mean_square());
        let queues: Vec<QueueLoad> = site
            .queues()
            .iter()
            .map(|queue| QueueLoad {
                tasks_per_s: 0.0,
                mean_service_s: bytes * queue.s_per_byte,
                mean_square_service_s2: square * queue.s_per_byte.powi(2),
            })
            .collect();
        let (mut ways, mut flows) = (Vec::with_capacity(site.routes.len()), Vec::with_capacity(site.routes.len()));
        for (device, part) in parts.devices.iter().enumerate() {
            let routes = site.routes_of(device);
            let usable = routes.iter().filter(|route| route.is_usable).count() as f64;
            for route in routes {
                let time_s = bytes * (route.link_s_per_byte + route.machine_s_per_byte) + route.latency_s;
                let energy_j = bytes * (route.j_per_byte + route.send_w * route.link_s_per_byte);
                let cost = parts.alpha * energy_j + (1.0 - parts.alpha) * time_s;
                let way = Way {
                    cost: if route.is_usable { cost } else { f64::INFINITY },
                    queues: if route.is_usable { [route.link, route.machine] } else { [NO_QUEUE; 2] },
                };
                let flow = if route.is_usable { part.arrivals_per_s / usable } else { 0.0 };
                ways.push(way);
                flows.push(flow);
            }
        }
        let weight = (1.0 - parts.alpha).max(LEAST_WEIGHT);
        let mut optimiser = Self { places: site.places(), weight, ways, flows, queues, limit: 0.0 };
        optimiser.sum_rates();
        optimiser
    }

    fn run(mut self, load: f64) -> StaticSplit {
        let mut room = 0.5 * (1.0 - load);
        let mut gap = f64::INFINITY;
        for _ in 0..MOST_LIMITS {
            self.limit = 1.0 - room;
            gap = self.minimise();
            if self.is_below_limit() {
                break;
            }
            room *= 0.5;
        }
        let total: f64 = self.flows.iter().sum();
        let mean_cost = self.cost_below_limit() / total;
        let mut shares = self.flows;
        for device in shares.chunks_mut(self.places) {
            let sum: f64 = device.iter().sum();
            for share in device {
                *share /= sum;
            }
        }
        StaticSplit { places: self.places, mean_cost, gap: gap / total, shares, queues: self.queues }
    }

    /// The derivative of what waiting at a queue costs, with the rate of its tasks changed, and its derivative.
    fn slope(&self, queue: u32, change: f64) -> (f64, f64) {
        let queue = &self.queues[queue as usize];
        let rate = queue.tasks_per_s + change;
        let most = self.limit / queue.mean_service_s;
        if rate <= most {
            return (self.weight * queue.slope(rate), self.weight * queue.curvature(rate));
        }
        let curvature = queue.curvature(most);
        (self.weight * (queue.slope(most) + curvature * (rate - most)), self.weight * curvature)
    }

    /// What one more task per second costs at a place.
    fn marginal_cost(&self, way: &Way) -> f64 {
        let queues = way.queues.into_iter().filter(|queue| *queue != NO_QUEUE);
        way.cost + queues.map(|queue| self.slope(queue, 0.0).0).sum::<f64>()
    }

    fn is_below_limit(&self) -> bool {
        self.queues.iter().all(|queue| queue.load() < self.limit)
    }

    /// What all tasks of a second cost, but for the waiting that is beyond the limit.
    fn cost_below_limit(&self) -> f64 {
        let used = self.ways.iter().zip(&self.flows).filter(|(_, flow)| **flow > 0.0);
        let alone: f64 = used.map(|(way, flow)| way.cost * flow).sum();
        let rate = |queue: &QueueLoad| queue.tasks_per_s.min(self.limit / queue.mean_service_s);
        alone + self.weight * self.queues.iter().map(|queue| queue.waiting(rate(queue))).sum::<f64>()
    }

    /// How much less the marginal costs let the cheapest split cost.
    fn gap(&self) -> f64 {
        let mut gap = 0.0;
        for (ways, flows) in self.ways.chunks(self.places).zip(self.flows.chunks(self.places)) {
            let least = ways.iter().map(|way| self.marginal_cost(way)).fold(f64::INFINITY, f64::min);
            let used = ways.iter().zip(flows).filter(|(_, flow)| **flow > 0.0);
            gap += used.map(|(way, flow)| flow * (self.marginal_cost(way) - least)).sum::<f64>();
        }
        gap
    }

    /// Minimises until the gap is small; returns it.
    fn minimise(&mut self) -> f64 {
        let devices = self.flows.len() / self.places;
        let mut gap = f64::INFINITY;
        for _ in 0..MOST_PASSES {
            for device in 0..devices {
                for _ in 1..self.places {
                    if !self.improve(device) {
                        break;
                    }
                }
            }
            gap = self.gap();
            let cost = self.cost_below_limit();
            let is_beyond_limit = !self.is_below_limit();
            if gap <= cost * if is_beyond_limit { GAP_BEYOND_LIMIT } else { RELATIVE_GAP } {
                break;
            }
        }
        gap
    }

    fn sum_rates(&mut self) {
        for queue in &mut self.queues {
            queue.tasks_per_s = 0.0;
        }
        for (way, flow) in self.ways.iter().zip(&self.flows) {
            for queue in way.queues.into_iter().filter(|queue| *queue != NO_QUEUE) {
                self.queues[queue as usize].tasks_per_s += flow;
            }
        }
    }

    /// Moves tasks of a device from the place that is dearest at the margin to the cheapest, as many as is best. Returns whether
    /// there was anything to move.
    fn improve(&mut self, device: usize) -> bool {
        let (mut dearest, mut cheapest) = ((usize::MAX, f64::NEG_INFINITY), (usize::MAX, f64::INFINITY));
        for index in device * self.places..(device + 1) * self.places {
            let value = self.marginal_cost(&self.ways[index]);
            if value < cheapest.1 {
                cheapest = (index, value);
            }
            if self.flows[index] > 0.0 && value > dearest.1 {
                dearest = (index, value);
            }
        }
        if cheapest.0 == dearest.0 || cheapest.1 >= dearest.1 {
            return false;
        }
        let (from, to) = (self.ways[dearest.0], self.ways[cheapest.0]);
        // A queue that both use keeps its rate.
        let leaves = from.queues.map(|queue| if to.queues.contains(&queue) { NO_QUEUE } else { queue });
        let joins = to.queues.map(|queue| if from.queues.contains(&queue) { NO_QUEUE } else { queue });
        let changes = |moved: f64| {
            let signed = leaves.into_iter().zip([-1.0; 2]).chain(joins.into_iter().zip([1.0; 2]));
            signed.filter(|(queue, _)| *queue != NO_QUEUE).map(move |(queue, sign)| (queue, sign * moved, sign))
        };
        let derivative = |moved: f64| {
            changes(moved).fold((to.cost - from.cost, 0.0), |(value, curvature), (queue, change, sign)| {
                let (slope, bend) = self.slope(queue, change);
                (value + sign * slope, curvature + bend)
            })
        };
        let all = self.flows[dearest.0];
        let moved = if derivative(all).0 <= 0.0 { all } else { root(derivative, all) };
        for (queue, change, _) in changes(moved) {
            let rate = &mut self.queues[queue as usize].tasks_per_s;
            *rate = (*rate + change).max(0.0);
        }
        self.flows[dearest.0] = all - moved;
        self.flows[cheapest.0] += moved;
        moved > 0.0
    }
}

/// Where an increasing function, given with its derivative, is 0 between 0, where it is negative, and `high`, where it is
/// positive: Newton's method, and bisection where that leaves the interval.
fn root(function: impl Fn(f64) -> (f64, f64), mut high: f64) -> f64 {
    let (mut low, mut at) = (0.0, 0.0);
    for _ in 0..MOST_STEPS {
        let (value, derivative) = function(at);
        if value > 0.0 {
            high = at;
        } else {
            low = at;
        }
        let newton = at - value / derivative;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - at).abs() <= 1e-15 * high {
            return next;
        }
        at = next;
    }
    at
}

#[cfg(test)]
mod tests;
