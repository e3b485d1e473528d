//! Response times as functions of the uplinks, and the uplinks with the least sum of them.

use std::ops::Range;

use super::AllocationError;
use crate::limits::SLOWEST_LINK_MBPS;
use crate::tasks::cost::CostModel;
use crate::tasks::decision::Decision;
use crate::tasks::scenario::Link;
use crate::tasks::workload::Workload;
use crate::units::bytes_per_second_from_mbps;

/// Whether a device gets a part of the bandwidth: its uplink in the model's environment is not 0.
pub(super) fn is_online(model: &CostModel, device: usize) -> bool {
    model.environment().uplinks_mbps[device] > 0.0
}

/// a: the time that a number of bytes takes at 1 Mbit/s.
pub(super) fn seconds_mbps(bytes: f64) -> f64 {
    bytes / bytes_per_second_from_mbps(1.0)
}

/// One place's part of a response time, a / b + c.
#[derive(Debug, Clone, Copy)]
struct Hyperbola {
    a: f64,
    c: f64,
}

/// A piece of a response time: up to `end_mbps` it is a / b + c for some a and c.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// √a.
    root: f64,
    end_mbps: f64,
}

/// T_n of all devices that send something through their uplinks, as functions of their capacities.
pub(super) struct ResponseTimes {
    /// The pieces of all senders, one device after the other, by rising end, from [`SLOWEST_LINK_MBPS`] on. Behind the
    /// last piece a response time is flat.
    pieces: Vec<Piece>,
    /// Devices that send, each with the range of its pieces.
    senders: Vec<(usize, Range<usize>)>,
}

impl ResponseTimes {
    pub(super) fn new(model: &CostModel, workload: &Workload, decision: &Decision) -> Self {
        let (tasks, places) = (model.tasks(), model.places());
        // Times that do not depend on the uplink are the same in any environment.
        let times_s = model.place_times(workload, decision);
        let loads = model.loads(workload.sizes_bytes(), decision.places());
        let sent_bytes = loads[1..places].iter().sum::<f64>();
        let in_detail =
            model.detailed().map(|detailed| (detailed, model.amounts(workload.sizes_bytes(), decision.places())));
        let devices = model.devices();
        let mut all = Self { pieces: Vec::with_capacity(2 * devices), senders: Vec::with_capacity(devices) };
        let is_up: Vec<bool> = (0..places).map(|place| place > 0 && model.is_up(place)).collect();
        let (mut bytes, mut hyperbolas) = (vec![0.0; places], Vec::with_capacity(places));
        let rows = workload.sizes_bytes().chunks_exact(tasks).zip(decision.places().chunks_exact(tasks));
        for (device, (sizes, row)) in rows.enumerate() {
            bytes.fill(0.0);
            sizes.iter().zip(row).for_each(|(size, place)| bytes[usize::from(*place)] += size);
            hyperbolas.clear();
            let is_online = is_online(model, device);
            let mut flat_s = times_s[device * places];
            for place in (1..places).filter(|place| bytes[*place] > 0.0) {
                let server = model.server(place);
                // No uplink helps a device that is offline, or a server that is down.
                let can_gain = is_online && is_up[place];
                let behind_s = match server.links[device] {
                    Link::Uplink if can_gain => 0.0,
                    Link::Behind(mbps) if can_gain && mbps >= SLOWEST_LINK_MBPS => seconds_mbps(bytes[place]) / mbps,
                    Link::Uplink | Link::Behind(_) | Link::Beside(_) => {
                        flat_s = flat_s.max(times_s[device * places + place]);
                        continue;
                    }
                };
                let shared_s = model.contention().map_or(0.0, |all| all.links_s(place, loads[place], sent_bytes));
                let c = if let Some((detailed, loads)) = &in_detail {
                    let own = &detailed.of_device(device)[place];
                    detailed.after_link_s(own, place, &model.amount_at(device, place, sizes, row), &loads[place])
                } else {
                    let computed = if server.is_shared { loads[place] } else { bytes[place] };
                    computed * model.compute_s_per_byte(place)
                };
                flat_s = flat_s.max(behind_s.max(shared_s) + c);
                hyperbolas.push(Hyperbola { a: seconds_mbps(bytes[place]), c });
            }
            if !hyperbolas.is_empty() {
                hyperbolas.push(Hyperbola { a: 0.0, c: flat_s });
                let start = all.pieces.len();
                append_envelope(&hyperbolas, &mut all.pieces);
                all.senders.push((device, start..all.pieces.len()));
            }
        }
        all
    }

    /// The uplinks of all devices with the least sum of response times, and ν.
    pub(super) fn minimise(&self, model: &CostModel, total_mbps: f64) -> Result<(Vec<f64>, f64), AllocationError> {
        let senders = self.senders.len();
        if senders as f64 * SLOWEST_LINK_MBPS > total_mbps {
            return Err(AllocationError::TooLittle { total_mbps, senders });
        }
        let mut uplinks_mbps = vec![0.0; model.devices()];
        let needed_mbps = self.sum_mbps(f64::INFINITY);
        let scale = if needed_mbps <= total_mbps {
            let online = (0..model.devices()).filter(|device| is_online(model, *device));
            let share_mbps = (total_mbps - needed_mbps) / online.clone().count().max(1) as f64;
            online.for_each(|device| uplinks_mbps[device] = share_mbps);
            f64::INFINITY
        } else {
            self.scale(total_mbps)
        };
        for (device, pieces) in &self.senders {
            let mbps = uplink(&self.pieces[pieces.clone()], scale).mbps(scale);
            uplinks_mbps[*device] = (uplinks_mbps[*device] + mbps).min(total_mbps);
        }
        Ok((uplinks_mbps, scale.powi(-2)))
    }

    /// The r = 1/√ν at which the uplinks add up to the total, which must be less than the sum of what devices need.
    fn scale(&self, total_mbps: f64) -> f64 {
        let mut ends = Vec::with_capacity(2 * self.pieces.len());
        for (_, pieces) in &self.senders {
            let mut begin_mbps = SLOWEST_LINK_MBPS;
            for piece in &self.pieces[pieces.clone()] {
                ends.extend([begin_mbps / piece.root, piece.end_mbps / piece.root]);
                begin_mbps = piece.end_mbps;
            }
        }
        ends.retain(|end| end.is_finite());
        ends.sort_unstable_by(f64::total_cmp);
        let above = ends.partition_point(|&scale| self.sum_mbps(scale) < total_mbps);
        let Some(below) = above.checked_sub(1) else { return ends[0] };
        let (low, high) = (ends[below], ends.get(above).copied().unwrap_or(f64::INFINITY));
        let inside = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * low };
        let Line { slope, fixed_mbps } = self.sum(inside);
        if slope > 0.0 { ((total_mbps - fixed_mbps) / slope).clamp(low, high) } else { low }
    }

    /// Σ b_n as a function of r, around r.
    fn sum(&self, scale: f64) -> Line {
        self.senders.iter().fold(Line::default(), |sum, (_, pieces)| {
            let Line { slope, fixed_mbps } = uplink(&self.pieces[pieces.clone()], scale);
            Line { slope: sum.slope + slope, fixed_mbps: sum.fixed_mbps + fixed_mbps }
        })
    }

    fn sum_mbps(&self, scale: f64) -> f64 {
        self.sum(scale).mbps(scale)
    }
}

/// Uplinks as a linear function of r = 1/√ν.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    slope: f64,
    fixed_mbps: f64,
}

impl Line {
    fn mbps(self, scale: f64) -> f64 {
        // r may be infinite.
        if self.slope > 0.0 { self.slope * scale + self.fixed_mbps } else { self.fixed_mbps }
    }
}

/// b_n of one device as a function of r, around r: either proportional to it, or fixed.
fn uplink(pieces: &[Piece], scale: f64) -> Line {
    let mut begin_mbps = SLOWEST_LINK_MBPS;
    for piece in pieces {
        let mbps = piece.root * scale;
        if mbps <= begin_mbps {
            break;
        }
        if mbps < piece.end_mbps || piece.end_mbps == f64::INFINITY {
            return Line { slope: piece.root, fixed_mbps: 0.0 };
        }
        begin_mbps = piece.end_mbps;
    }
    Line { slope: 0.0, fixed_mbps: begin_mbps }
}

/// Appends the pieces of the maximum of hyperbolas, from [`SLOWEST_LINK_MBPS`] on and without the flat one.
fn append_envelope(hyperbolas: &[Hyperbola], pieces: &mut Vec<Piece>) {
    let by_rise = |x: &&Hyperbola, y: &&Hyperbola| x.a.total_cmp(&y.a).then(x.c.total_cmp(&y.c));
    let mut largest = hyperbolas.iter().max_by(by_rise);
    let mut begin_mbps = SLOWEST_LINK_MBPS;
    while let Some(now) = largest.filter(|now| now.a > 0.0) {
        let later = hyperbolas.iter().filter(|next| next.a < now.a && next.c > now.c);
        let crossings = later.map(|next| ((now.a - next.a) / (next.c - now.c), next));
        let next = crossings.min_by(|x, y| x.0.total_cmp(&y.0).then(x.1.a.total_cmp(&y.1.a)));
        let end_mbps = next.map_or(f64::INFINITY, |(mbps, _)| mbps);
        if end_mbps > begin_mbps {
            pieces.push(Piece { root: now.a.sqrt(), end_mbps });
            begin_mbps = end_mbps;
        }
        largest = next.map(|(_, next)| next);
    }
}
