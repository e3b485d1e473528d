//! The load of a site's bottleneck.

use super::site::{NO_QUEUE, QueueKind, Site};
use crate::max_flow::{CutEdge, minimum_cut};

/// The queues of a site as a network through which bytes flow from the devices to where they are processed.
struct Flow {
    /// The bytes that arrive in a second at each device.
    demands: Vec<f64>,
    /// The most bytes in a second of each queue.
    capacities: Vec<f64>,
    /// Of each queue, its vertex, and the vertex behind it if tasks go on to a machine from there.
    vertices: Vec<(u32, Option<u32>)>,
    at_source: Vec<f64>,
    at_sink: Vec<f64>,
    edges: Vec<CutEdge>,
}

/// The devices and the queues that limit each other: the devices' demand is as large a part of the queues' capacity as nowhere
/// else.
struct Bottleneck {
    load: f64,
    queues: Vec<usize>,
}

impl Flow {
    fn of(site: &Site) -> Self {
        let devices = site.devices();
        let mean = site.parts().sizes.mean();
        let demands: Vec<f64> = site.parts().devices.iter().map(|device| device.arrivals_per_s * mean).collect();
        let unlimited: f64 = 4.0 * demands.iter().sum::<f64>();
        let queues = site.queues();
        let leads_on = |queue: usize| {
            site.routes.iter().any(|route| route.is_usable && route.link as usize == queue && route.machine != NO_QUEUE)
        };
        let (mut vertices, mut count) = (Vec::with_capacity(queues.len()), devices as u32);
        for (index, queue) in queues.iter().enumerate() {
            let is_link = matches!(queue.kind, QueueKind::EdgeLink | QueueKind::CloudLink);
            let behind = (is_link && leads_on(index)).then_some(count + 1);
            vertices.push((count, behind));
            count += 1 + u32::from(behind.is_some());
        }
        let (mut at_source, mut at_sink) = (vec![0.0; count as usize], vec![0.0; count as usize]);
        at_sink[..devices].copy_from_slice(&demands);
        let mut edges = Vec::new();
        let mut edge = |from: u32, to: u32| edges.push(CutEdge { from, to, forward: unlimited, backward: 0.0 });
        for device in 0..devices {
            for route in site.routes_of(device).iter().filter(|route| route.is_usable) {
                let machine = (route.machine != NO_QUEUE).then(|| vertices[route.machine as usize].0);
                if route.link == NO_QUEUE {
                    edge(device as u32, machine.expect("a device has a processor"));
                    continue;
                }
                let (link, behind) = vertices[route.link as usize];
                edge(device as u32, link);
                match (machine, behind) {
                    (Some(machine), Some(behind)) => edge(behind, machine),
                    // Behind the link nothing waits.
                    (_, Some(behind)) => at_source[behind as usize] = f64::INFINITY,
                    (_, None) => {}
                }
            }
        }
        let capacities = queues.iter().map(|queue| 1.0 / queue.s_per_byte).collect();
        Self { demands, capacities, vertices, at_source, at_sink, edges }
    }

    /// The cut that limits the site, by Newton's method on the load: each cut that is too small at a load gives a larger one,
    /// and there are finitely many cuts.
    fn bottleneck(&mut self) -> Bottleneck {
        let total: f64 = self.demands.iter().sum();
        let mut found = Bottleneck { load: total / self.capacities.iter().sum::<f64>(), queues: Vec::new() };
        let fixed = self.edges.len();
        loop {
            self.edges.truncate(fixed);
            for (capacity, (vertex, behind)) in self.capacities.iter().zip(&self.vertices) {
                let capacity = found.load * capacity;
                match behind {
                    Some(behind) => {
                        self.edges.push(CutEdge { from: *vertex, to: *behind, forward: capacity, backward: 0.0 });
                    }
                    None => self.at_source[*vertex as usize] = capacity,
                }
            }
            let is_at_sink = minimum_cut(&self.at_source, &self.at_sink, &self.edges);
            let is_kept = |vertex: u32| !is_at_sink[vertex as usize];
            let demand: f64 =
                (0..).zip(&self.demands).filter(|(device, _)| is_kept(*device)).map(|(_, bytes)| bytes).sum();
            let is_cut =
                |(vertex, behind): &(u32, Option<u32>)| is_kept(*vertex) && behind.is_none_or(|next| !is_kept(next));
            let cut: Vec<usize> = (0..self.vertices.len()).filter(|queue| is_cut(&self.vertices[*queue])).collect();
            let load = demand / cut.iter().map(|queue| self.capacities[*queue]).sum::<f64>();
            // False where nothing is cut: the load is NaN then.
            let is_larger = load > found.load * (1.0 + 1e-12);
            if !is_larger {
                return found;
            }
            found = Bottleneck { load, queues: cut };
        }
    }
}

/// The smallest load that the busiest queue of a site can have, as [`Site::load`].
pub(super) fn bottleneck_load(site: &Site) -> f64 {
    Flow::of(site).bottleneck().load
}

/// The names of the queues that limit a site, at most five.
pub(super) fn bottlenecks(site: &Site) -> Vec<String> {
    let queues = Flow::of(site).bottleneck().queues;
    let mut all = if queues.is_empty() { (0..site.queues().len()).collect() } else { queues };
    // What devices share comes first; of their own queues there may be many.
    all.sort_by_key(|queue| match site.queues()[*queue].kind {
        QueueKind::Edge | QueueKind::Cloud => 0,
        QueueKind::EdgeLink | QueueKind::CloudLink => 1,
        QueueKind::Device => 2,
    });
    let mut names: Vec<String> = all.iter().take(4).map(|queue| site.queues()[*queue].name.clone()).collect();
    if all.len() > 4 {
        names.push(format!("{} more", all.len() - 4));
    }
    names
}
