//! From a scenario's physics to the rates of one environment.

use super::{MAX_PLACES, Rate};
use crate::environment::Environment;
use crate::units::bytes_per_second_from_mbps;

/// What a place that cannot be reached costs, in time and energy, as a multiple of the device itself: finite, so that
/// sums and differences stay numbers, and more than any decision for it could be worth.
const UNREACHABLE: f64 = 1e6;

/// A link slower than this, in Mbit/s, is none: a byte would take a quarter of an hour.
pub(crate) const SLOWEST_MBPS: f64 = 1e-8;

/// What of a scenario's rates no environment changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Physics {
    /// σ.
    pub(crate) instructions_per_byte: f64,
    /// Of each device itself.
    pub(crate) local: Vec<Rate>,
    /// To send a byte from each device.
    pub(crate) transmit_j_per_byte: Vec<f64>,
    /// What lies between all uplinks and all servers, in Mbit/s.
    pub(crate) shared_uplink_mbps: Option<f64>,
    pub(crate) servers: Vec<ServerPhysics>,
}

/// One server as devices see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerPhysics {
    pub(crate) compute_j_per_byte: f64,
    pub(crate) frequency_hz: f64,
    /// Whether it works for all devices together.
    pub(crate) is_shared: bool,
    /// The link that all devices share behind those of their own, in Mbit/s.
    pub(crate) shared_link_mbps: Option<f64>,
    /// Each device's own.
    pub(crate) links: Vec<Link>,
}

/// How a device reaches a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// Through its uplink alone.
    Uplink,
    /// Through its uplink and a link behind it, in Mbit/s: the slower of both counts.
    Behind(f64),
    /// Past its uplink, in Mbit/s.
    Beside(f64),
}

impl ServerPhysics {
    /// Time to compute a byte with a share of its frequency.
    pub(crate) fn compute_s_per_byte(&self, instructions_per_byte: f64, capacity: f64) -> f64 {
        instructions_per_byte / (self.frequency_hz * capacity)
    }
}

impl Link {
    pub(crate) fn mbps(self, uplink_mbps: f64) -> f64 {
        match self {
            Self::Uplink => uplink_mbps,
            Self::Behind(mbps) => mbps.min(uplink_mbps),
            Self::Beside(mbps) => mbps,
        }
    }
}

/// What devices share, in one environment. Device n is done at place p, where it has b_np bytes, after
///
/// T_np = max(send_np b_np, link_p L_p, uplink L) + compute_np b_np + shared_p L_p,
///
/// L_p being the bytes of all devices at p and L those at all servers; without a byte there it does not wait. A shared
/// link is split among those who use it as what they send is, so that all are through when the last is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Contention {
    /// `[device][place]`.
    pub(crate) own: Vec<OwnRate>,
    /// `[place]`.
    pub(crate) shared: Vec<SharedRate>,
    /// Time for each byte of L; 0 if the uplinks are apart.
    pub(crate) uplink_s_per_byte: f64,
}

/// The time of a byte of one device at one place that no other device changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OwnRate {
    pub(crate) send_s_per_byte: f64,
    pub(crate) compute_s_per_byte: f64,
}

/// The time of a byte of any device at one place, for all who have one there; 0 where nothing is shared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct SharedRate {
    pub(crate) compute_s_per_byte: f64,
    pub(crate) link_s_per_byte: f64,
}

impl Contention {
    /// Whether a place keeps one device waiting for others at all.
    pub(crate) fn is_shared(&self, place: usize) -> bool {
        self.shared[place].compute_s_per_byte > 0.0 || self.has_shared_link(place)
    }

    /// Whether what is sent to a place goes through something shared.
    pub(crate) fn has_shared_link(&self, place: usize) -> bool {
        self.shared[place].link_s_per_byte > 0.0 || (place > 0 && self.uplink_s_per_byte > 0.0)
    }

    /// Until when the shared links to a place are busy.
    pub(crate) fn links_s(&self, place: usize, load_bytes: f64, sent_bytes: f64) -> f64 {
        let uplink_s = if place > 0 { self.uplink_s_per_byte * sent_bytes } else { 0.0 };
        uplink_s.max(self.shared[place].link_s_per_byte * load_bytes)
    }

    /// Energy and response time of one device, whose bytes at each place turn into when it is done there. Loads are L_p
    /// of every place.
    pub(super) fn outcome(
        &self,
        device: usize,
        rates: &[Rate],
        loads: &[f64; MAX_PLACES],
        bytes_to_times: &mut [f64],
    ) -> (f64, f64) {
        let places = bytes_to_times.len();
        let sent = loads[1..places].iter().sum::<f64>();
        let (mut energy_j, mut longest_s) = (0.0, 0.0_f64);
        for (place, value) in bytes_to_times.iter_mut().enumerate() {
            let bytes = *value;
            energy_j += bytes * rates[place].energy_j_per_byte;
            if bytes > 0.0 {
                let OwnRate { send_s_per_byte, compute_s_per_byte } = self.own[device * places + place];
                *value = (bytes * send_s_per_byte).max(self.links_s(place, loads[place], sent))
                    + bytes * compute_s_per_byte
                    + self.shared[place].compute_s_per_byte * loads[place];
                longest_s = longest_s.max(*value);
            }
        }
        (energy_j, longest_s)
    }
}

impl Physics {
    /// Whether one device's decision changes another's time.
    pub(crate) fn is_coupled(&self) -> bool {
        self.shared_uplink_mbps.is_some()
            || self.servers.iter().any(|server| server.is_shared || server.shared_link_mbps.is_some())
    }

    /// Writes the rates of an environment and which places can be reached in it, both `[device][place]`.
    pub(super) fn rates(&self, environment: &Environment, rates: &mut Vec<Rate>, reachable: &mut Vec<bool>) {
        rates.clear();
        reachable.clear();
        for (device, local) in self.local.iter().enumerate() {
            rates.push(*local);
            reachable.push(true);
            for (server, capacity) in self.servers.iter().zip(&environment.capacities) {
                let mbps = server.links[device].mbps(environment.uplinks_mbps[device]);
                // Eqs. (9) and (13).
                let energy_j_per_byte = server.compute_j_per_byte + self.transmit_j_per_byte[device];
                reachable.push(mbps >= SLOWEST_MBPS);
                rates.push(if mbps >= SLOWEST_MBPS {
                    // Eqs. (7), (8) and (12); a shared link is one device's alone here.
                    let narrowest = server.shared_link_mbps.into_iter().chain(self.shared_uplink_mbps);
                    let mbps = narrowest.fold(mbps, f64::min);
                    let time_s_per_byte = server.compute_s_per_byte(self.instructions_per_byte, *capacity)
                        + 1.0 / bytes_per_second_from_mbps(mbps);
                    Rate { energy_j_per_byte, time_s_per_byte }
                } else {
                    Rate {
                        energy_j_per_byte: UNREACHABLE * local.energy_j_per_byte.max(energy_j_per_byte),
                        time_s_per_byte: UNREACHABLE * local.time_s_per_byte,
                    }
                });
            }
        }
        if reachable.iter().all(|&reachable| reachable) {
            reachable.clear();
        }
    }

    /// Writes what devices share in an environment.
    pub(super) fn contention(&self, environment: &Environment, contention: &mut Contention) {
        let Contention { own, shared, uplink_s_per_byte } = contention;
        own.clear();
        shared.clear();
        let link_s_per_byte = |mbps: Option<f64>| mbps.map_or(0.0, |mbps| 1.0 / bytes_per_second_from_mbps(mbps));
        *uplink_s_per_byte = link_s_per_byte(self.shared_uplink_mbps);
        let compute_s_per_byte = |(server, capacity): (&ServerPhysics, &f64)| {
            server.compute_s_per_byte(self.instructions_per_byte, *capacity)
        };
        shared.push(SharedRate::default());
        for server in self.servers.iter().zip(&environment.capacities) {
            shared.push(SharedRate {
                compute_s_per_byte: if server.0.is_shared { compute_s_per_byte(server) } else { 0.0 },
                link_s_per_byte: link_s_per_byte(server.0.shared_link_mbps),
            });
        }
        for (device, local) in self.local.iter().enumerate() {
            own.push(OwnRate { send_s_per_byte: 0.0, compute_s_per_byte: local.time_s_per_byte });
            for server in self.servers.iter().zip(&environment.capacities) {
                let mbps = server.0.links[device].mbps(environment.uplinks_mbps[device]);
                own.push(if mbps >= SLOWEST_MBPS {
                    OwnRate {
                        send_s_per_byte: 1.0 / bytes_per_second_from_mbps(mbps),
                        compute_s_per_byte: if server.0.is_shared { 0.0 } else { compute_s_per_byte(server) },
                    }
                } else {
                    OwnRate { send_s_per_byte: UNREACHABLE * local.time_s_per_byte, compute_s_per_byte: 0.0 }
                });
            }
        }
    }
}
