//! The cheapest flow of a fluid through the queues, by successive shortest paths.

use std::collections::{BTreeSet, VecDeque};

/// The part of all bytes that is nothing.
const NOTHING: f64 = 1e-12;

/// An arc with what can still flow; the arc behind it with an odd number is its other direction.
struct Arc {
    from: usize,
    to: usize,
    room: f64,
    cost: f64,
}

/// A way of a fluid from a device through one or two queues.
pub(super) struct FluidWay {
    pub(super) device: usize,
    /// The queues that it passes; the second one is missing where nobody waits behind the first.
    pub(super) queues: (usize, Option<usize>),
    /// The cost per byte up to the end of the first queue, and behind it.
    pub(super) costs: (f64, f64),
}

/// The network of devices, queues and the sink behind them.
pub(super) struct FluidNetwork {
    devices: usize,
    queues: usize,
    arcs: Vec<Arc>,
    leaving: Vec<Vec<usize>>,
}

impl FluidNetwork {
    pub(super) fn new(devices: usize, capacities: &[f64], ways: &[FluidWay]) -> Self {
        let queues = capacities.len();
        let mut network =
            Self { devices, queues, arcs: Vec::new(), leaving: vec![Vec::new(); devices + 2 * queues + 1] };
        for (queue, capacity) in capacities.iter().enumerate() {
            network.add(network.enters(queue), network.leaves(queue), *capacity, 0.0);
        }
        let mut known = BTreeSet::new();
        for way in ways {
            let (first, second) = way.queues;
            network.add(way.device, network.enters(first), f64::INFINITY, way.costs.0);
            // Ways over a shared link have this part in common.
            if known.insert((first, second, way.costs.1.to_bits())) {
                let to = second.map_or(network.sink(), |second| network.enters(second));
                network.add(network.leaves(first), to, f64::INFINITY, way.costs.1);
            }
            if let Some(second) = second
                && known.insert((second, None, 0))
            {
                network.add(network.leaves(second), network.sink(), f64::INFINITY, 0.0);
            }
        }
        network
    }

    fn enters(&self, queue: usize) -> usize {
        self.devices + 2 * queue
    }

    fn leaves(&self, queue: usize) -> usize {
        self.enters(queue) + 1
    }

    fn sink(&self) -> usize {
        self.devices + 2 * self.queues
    }

    fn add(&mut self, from: usize, to: usize, room: f64, cost: f64) {
        self.leaving[from].push(self.arcs.len());
        self.leaving[to].push(self.arcs.len() + 1);
        self.arcs.push(Arc { from, to, room, cost });
        self.arcs.push(Arc { from: to, to: from, room: 0.0, cost: -cost });
    }

    /// Sends the bytes per second of each device on the cheapest ways; returns the price per byte of each queue.
    pub(super) fn prices(&mut self, demands: &[f64]) -> Vec<f64> {
        let nothing = NOTHING * demands.iter().sum::<f64>();
        for (device, demand) in demands.iter().enumerate() {
            let mut rest = *demand;
            // Every path fills an arc or serves the device.
            for _ in 0..self.arcs.len() {
                let Some(path) = self.cheapest_path(device, nothing) else { break };
                let sent = path.iter().map(|arc| self.arcs[*arc].room).fold(rest, f64::min);
                for arc in path {
                    self.arcs[arc].room -= sent;
                    self.arcs[arc ^ 1].room += sent;
                }
                rest -= sent;
                if rest <= nothing {
                    break;
                }
            }
        }
        let to_sink = self.costs_to_sink(nothing);
        let price = |queue: usize| to_sink[self.enters(queue)] - to_sink[self.leaves(queue)];
        (0..self.queues).map(|queue| if price(queue).is_finite() { price(queue).max(0.0) } else { 0.0 }).collect()
    }

    fn cheapest_path(&self, device: usize, nothing: f64) -> Option<Vec<usize>> {
        let mut cost = vec![f64::INFINITY; self.leaving.len()];
        let mut by = vec![usize::MAX; self.leaving.len()];
        let mut waits = vec![false; self.leaving.len()];
        cost[device] = 0.0;
        let mut waiting = VecDeque::from([device]);
        let mut left = self.leaving.len() * self.arcs.len();
        while let Some(vertex) = waiting.pop_front() {
            waits[vertex] = false;
            for &index in &self.leaving[vertex] {
                let arc = &self.arcs[index];
                let there = cost[vertex] + arc.cost;
                // The allowance keeps rounding from going round in circles.
                if arc.room > nothing && there < cost[arc.to] - 1e-12 * there.abs() {
                    cost[arc.to] = there;
                    by[arc.to] = index;
                    if !std::mem::replace(&mut waits[arc.to], true) {
                        waiting.push_back(arc.to);
                    }
                }
            }
            left = left.checked_sub(1)?;
        }
        let mut path = Vec::new();
        let mut vertex = self.sink();
        while vertex != device {
            let arc = *by.get(vertex).filter(|arc| **arc != usize::MAX)?;
            path.push(arc);
            vertex = self.arcs[arc].from;
            if path.len() > self.leaving.len() {
                return None;
            }
        }
        Some(path)
    }

    /// The least cost per byte from each vertex to the sink in what is left of the network.
    fn costs_to_sink(&self, nothing: f64) -> Vec<f64> {
        let mut cost = vec![f64::INFINITY; self.leaving.len()];
        cost[self.sink()] = 0.0;
        for _ in 0..self.leaving.len() {
            let mut is_changed = false;
            for arc in self.arcs.iter().filter(|arc| arc.room > nothing) {
                let there = arc.cost + cost[arc.to];
                if there < cost[arc.from] - 1e-12 * there.abs() {
                    cost[arc.from] = there;
                    is_changed = true;
                }
            }
            if !is_changed {
                break;
            }
        }
        cost
    }
}
