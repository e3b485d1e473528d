//! From a scenario's physics to the rates of one environment.

use super::contention::{Contention, OwnRate, SharedRate};
use super::rates::Rate;
use crate::limits::{CAPACITIES, SLOWEST_LINK_MBPS};
use crate::tasks::environment::Environment;
use crate::tasks::scenario::Link;
use crate::units::bytes_per_second_from_mbps;

/// The cost of a place that cannot be reached, in time and energy, as a multiple of the device's own cost: finite, so that
/// sums and differences stay numbers, and more than any decision for it could gain.
pub(super) const UNREACHABLE: f64 = 1e6;

/// The part of a scenario's rates that no environment changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Physics {
    /// σ of each device's tasks.
    pub(crate) instructions_per_byte: Vec<f64>,
    /// The processor of each device itself.
    pub(crate) local_processors: Vec<Processor>,
    /// The rate of each device itself.
    pub(crate) local: Vec<Rate>,
    /// Energy to send a byte, for each device.
    pub(crate) transmit_j_per_byte: Vec<f64>,
    /// The rate of the link between all uplinks and all servers, in Mbit/s, if there is one.
    pub(crate) shared_uplink_mbps: Option<f64>,
    pub(crate) servers: Vec<ServerPhysics>,
}

/// Time and energy of one instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Processor {
    pub(crate) s_per_instruction: f64,
    pub(crate) j_per_instruction: f64,
}

/// One server as devices see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerPhysics {
    pub(crate) energy_j_per_instruction: f64,
    /// The time that each task sent there takes in addition.
    pub(crate) latency_s: f64,
    pub(crate) frequency_hz: f64,
    /// Whether it works for all devices together.
    pub(crate) is_shared: bool,
    /// The link that all devices share behind their own, in Mbit/s.
    pub(crate) shared_link_mbps: Option<f64>,
    /// The link of each device.
    pub(crate) links: Vec<Link>,
}

impl ServerPhysics {
    /// Whether the server computes anything with a share of its frequency.
    fn computes(&self, capacity: f64) -> bool {
        self.frequency_hz > 0.0 && capacity >= *CAPACITIES.start()
    }

    /// Time to compute a byte with a share of its frequency.
    pub(crate) fn compute_s_per_byte(&self, instructions_per_byte: f64, capacity: f64) -> f64 {
        instructions_per_byte / (self.frequency_hz * capacity)
    }
}

/// The time of a byte on a shared link; 0 if there is none, and if it carries nothing, so that nobody sends over it.
pub(super) fn link_s_per_byte(mbps: Option<f64>) -> f64 {
    mbps.filter(|mbps| *mbps >= SLOWEST_LINK_MBPS).map_or(0.0, |mbps| 1.0 / bytes_per_second_from_mbps(mbps))
}

impl Physics {
    /// Whether one device's decision changes another's time.
    pub(crate) fn is_coupled(&self) -> bool {
        self.shared_uplink_mbps.is_some()
            || self.servers.iter().any(|server| server.is_shared || server.shared_link_mbps.is_some())
    }

    /// Whether a server computes, and the links to it that all devices share carry something.
    pub(super) fn is_up(&self, server: &ServerPhysics, capacity: f64) -> bool {
        let carries = |mbps: Option<f64>| mbps.is_none_or(|mbps| mbps >= SLOWEST_LINK_MBPS);
        server.computes(capacity) && carries(server.shared_link_mbps) && carries(self.shared_uplink_mbps)
    }

    /// The rate of a device's own link to a server, in Mbit/s; `None` if the device cannot use the server.
    pub(super) fn own_link_mbps(
        &self,
        server: &ServerPhysics,
        capacity: f64,
        device: usize,
        uplink_mbps: f64,
    ) -> Option<f64> {
        let mbps = server.links[device].mbps(uplink_mbps);
        (mbps >= SLOWEST_LINK_MBPS && self.is_up(server, capacity)).then_some(mbps)
    }

    /// Writes the rates of an environment and whether each place can be reached in it, both `[device][place]`. `reachable`
    /// is left empty if all places can be reached.
    pub(super) fn rates(&self, environment: &Environment, rates: &mut Vec<Rate>, reachable: &mut Vec<bool>) {
        let count = self.local.len() * (1 + self.servers.len());
        rates.clear();
        rates.reserve_exact(count);
        reachable.clear();
        reachable.reserve_exact(count);
        for (device, local) in self.local.iter().enumerate() {
            let instructions = self.instructions_per_byte[device];
            rates.push(*local);
            reachable.push(true);
            for (server, capacity) in self.servers.iter().zip(&environment.capacities) {
                let mbps = self.own_link_mbps(server, *capacity, device, environment.uplinks_mbps[device]);
                // Eqs. (9) and (13).
                let energy_j_per_byte =
                    instructions * server.energy_j_per_instruction + self.transmit_j_per_byte[device];
                reachable.push(mbps.is_some());
                rates.push(if let Some(mbps) = mbps {
                    // Eqs. (7), (8) and (12); a shared link counts as if this device alone used it.
                    let narrowest = server.shared_link_mbps.into_iter().chain(self.shared_uplink_mbps);
                    let mbps = narrowest.fold(mbps, f64::min);
                    let time_s_per_byte =
                        server.compute_s_per_byte(instructions, *capacity) + 1.0 / bytes_per_second_from_mbps(mbps);
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

    /// Writes what devices share in an environment in which places are `reachable`, see [`Physics::rates`].
    pub(super) fn contention(&self, environment: &Environment, reachable: &[bool], contention: &mut Contention) {
        contention.uplink_s_per_byte = link_s_per_byte(self.shared_uplink_mbps);
        let servers = || self.servers.iter().zip(&environment.capacities);
        // Where devices differ in it, the cost comes from a `Detailed`, and nobody reads these times.
        let instructions = self.instructions_per_byte[0];
        contention.shared.clear();
        contention.shared.reserve_exact(1 + self.servers.len());
        contention.shared.push(SharedRate::default());
        contention.shared.extend(servers().map(|(server, capacity)| {
            if !self.is_up(server, *capacity) {
                return SharedRate::default();
            }
            SharedRate {
                compute_s_per_byte: if server.is_shared {
                    server.compute_s_per_byte(instructions, *capacity)
                } else {
                    0.0
                },
                link_s_per_byte: link_s_per_byte(server.shared_link_mbps),
            }
        }));
        contention.own.clear();
        contention.own.reserve_exact(self.local.len() * (1 + self.servers.len()));
        for (device, local) in self.local.iter().enumerate() {
            contention.own.push(OwnRate { send_s_per_byte: 0.0, compute_s_per_byte: local.time_s_per_byte });
            let instructions = self.instructions_per_byte[device];
            contention.own.extend((1..).zip(servers()).map(|(place, (server, capacity))| {
                if reachable.is_empty() || reachable[device * (1 + self.servers.len()) + place] {
                    let mbps = server.links[device].mbps(environment.uplinks_mbps[device]);
                    OwnRate {
                        send_s_per_byte: 1.0 / bytes_per_second_from_mbps(mbps),
                        compute_s_per_byte: if server.is_shared {
                            0.0
                        } else {
                            server.compute_s_per_byte(instructions, *capacity)
                        },
                    }
                } else {
                    OwnRate { send_s_per_byte: UNREACHABLE * local.time_s_per_byte, compute_s_per_byte: 0.0 }
                }
            }));
        }
    }
}
