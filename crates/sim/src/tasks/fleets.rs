//! Scenarios drawn at random, for networks that decide for any fleet.

use serde::{Deserialize, Serialize};

use crate::config::{Checks, RangeUpTo};
use crate::limits::MAX_COUPLED_TASKS;
use crate::random::{self, Stream};
use crate::tasks::scenario::{Devices, PerDevice, Scenario, Server, Sharing, SizeDistribution, Tasks, Tier};

/// The most devices in a fleet of the settings.
const MAX_DEVICES: usize = 1000;

crate::settings! {
    /// A distribution of fleets: random scenarios within ranges of devices, tasks and edge servers.
    ///
    /// Fleets differ in everything, and the devices of a fleet in their frequency, energy and uplink. Most edge servers
    /// are shared, with capacity for a number of devices between three and all. Every fleet also has a cloud, which
    /// mostly lies behind a wide-area network; no device waits for another there.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Fleets {
        /// Fewest and most devices, N.
        pub devices: (usize, usize) = (1, 20), in RangeUpTo(MAX_DEVICES);
        /// Fewest and most tasks per device, M.
        pub tasks: (usize, usize) = (1, 10), in RangeUpTo(100);
        /// Fewest and most edge servers.
        pub edges: (usize, usize) = (1, 3), in RangeUpTo(16);
    }
    check together with largest_fleet_is_possible;
}

fn largest_fleet_is_possible(fleets: &Fleets, checks: &mut Checks) {
    let tasks = fleets.devices.1.saturating_mul(fleets.tasks.1);
    if tasks > MAX_COUPLED_TASKS {
        checks.add_to_table(format!(
            "up to {tasks} tasks are too many: devices that share servers have at most {MAX_COUPLED_TASKS}"
        ));
    }
}

impl Fleets {
    /// Whether every range begins above 0 and does not end before it begins.
    pub fn is_valid(&self) -> bool {
        [self.devices, self.tasks, self.edges].iter().all(|&(smallest, largest)| 1 <= smallest && smallest <= largest)
    }

    /// Draws a fleet.
    ///
    /// # Panics
    /// If a smallest number is 0 or above the largest.
    pub fn draw(&self, random: &mut Stream) -> Scenario {
        let devices = log_between(random, self.devices);
        let tasks = between(random, self.tasks);
        self.draw_shaped(devices, tasks, between(random, self.edges), random)
    }

    /// Draws a fleet of a given number of devices, tasks per device and edge servers, which may lie outside the ranges.
    ///
    /// # Panics
    /// If there is no device or no task.
    pub fn draw_shaped(&self, devices: usize, tasks: usize, edges: usize, random: &mut Stream) -> Scenario {
        assert!(devices > 0 && tasks > 0, "a fleet has devices and tasks");
        let provisioned = (devices as f64 / 3.0).max(1.0).powf(random::unit(random));
        let shared = |random: &mut Stream, chance| {
            if random::unit(random) < chance { Sharing::Shared } else { Sharing::Dedicated }
        };
        let mut servers: Vec<Server> = (0..edges)
            .map(|index| {
                let sharing = shared(random, 0.8);
                let scale = if sharing == Sharing::Shared { provisioned } else { 1.0 };
                let link_sharing = shared(random, 0.25);
                let link_mbps = (link_sharing == Sharing::Shared)
                    .then(|| PerDevice::One(log_uniform(random, 50.0, 500.0) * provisioned));
                Server {
                    name: format!("edge-{}", index + 1),
                    tier: Tier::Edge,
                    frequency_mhz: log_uniform(random, 200.0, 1000.0) * scale,
                    energy_per_instruction_nj: log_uniform(random, 1.0, 2.5),
                    link_mbps,
                    link_sharing,
                    latency_ms: 0.0,
                    sharing,
                }
            })
            .collect();
        let is_wide_area = random::unit(random) < 0.8;
        servers.push(Server {
            name: "cloud".to_owned(),
            tier: Tier::Cloud,
            frequency_mhz: log_uniform(random, 500.0, 2000.0),
            energy_per_instruction_nj: log_uniform(random, 0.7, 1.5),
            link_mbps: is_wide_area.then(|| PerDevice::One(log_uniform(random, 1.0, 12.0))),
            link_sharing: Sharing::Dedicated,
            latency_ms: 0.0,
            sharing: Sharing::Dedicated,
        });
        let is_even = random::unit(random) < 0.3;
        let mut each = |smallest, largest| {
            if is_even {
                PerDevice::One(log_uniform(random, smallest, largest))
            } else {
                PerDevice::Each((0..devices).map(|_| log_uniform(random, smallest, largest)).collect())
            }
        };
        let frequency_mhz = each(50.0, 400.0);
        let energy_per_instruction_nj = each(1.5, 6.0);
        let uplink_mbps = each(5.0, 500.0);
        let shared_uplink_mbps = (random::unit(random) < 0.2).then(|| log_uniform(random, 50.0, 500.0) * provisioned);
        if shared_uplink_mbps.is_some() {
            // A link that is faster than an uplink would bypass the shared uplink.
            let slowest = (0..devices).map(|device| uplink_mbps.at(device)).fold(f64::INFINITY, f64::min);
            let cloud = servers.last_mut().expect("the cloud is there");
            if let Some(PerDevice::One(mbps)) = &mut cloud.link_mbps {
                *mbps = mbps.min(slowest);
            }
        }
        let largest = log_uniform(random, 3.0, 60.0);
        let size_mb = if random::unit(random) < 0.7 {
            SizeDistribution::Uniform { min: largest * (0.1 + 0.5 * random::unit(random)), max: largest }
        } else {
            SizeDistribution::LogUniform { min: largest * 0.03, max: largest }
        };
        Scenario {
            name: format!("fleet {devices} x {tasks}, {edges} edges"),
            alpha: 0.2 + 0.6 * random::unit(random),
            instructions_per_byte: PerDevice::One(1000.0),
            transmit_energy_nj_per_byte: PerDevice::One(0.1),
            devices: Devices {
                count: devices,
                frequency_mhz,
                energy_per_instruction_nj,
                uplink_mbps,
                shared_uplink_mbps,
            },
            tasks: Tasks { per_device: tasks, size_mb, ..Tasks::default() },
            environment: None,
            servers,
        }
    }
}

/// Draws a number of a range, all equally likely.
fn between(random: &mut Stream, (smallest, largest): (usize, usize)) -> usize {
    assert!(1 <= smallest && smallest <= largest, "{smallest} to {largest} is no range");
    smallest + random::below(random, largest - smallest + 1)
}

/// Draws a number of a range, all orders of magnitude equally likely.
fn log_between(random: &mut Stream, (smallest, largest): (usize, usize)) -> usize {
    assert!(1 <= smallest && smallest <= largest, "{smallest} to {largest} is no range");
    (log_uniform(random, smallest as f64, largest as f64 + 1.0) as usize).min(largest)
}

fn log_uniform(random: &mut Stream, smallest: f64, largest: f64) -> f64 {
    smallest * (largest / smallest).powf(random::unit(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fleets_are_valid_scenarios_within_their_limits() {
        let fleets = Fleets { devices: (2, 9), tasks: (3, 4), edges: (1, 2) };
        let mut random = random::stream(1, "fleets of tests");
        let (mut largest, mut shared, mut separable) = (0, 0, 0);
        for _ in 0..400 {
            let scenario = fleets.draw(&mut random);
            let model = scenario.check().expect("every fleet is valid");
            assert!((2..=9).contains(&model.devices()) && (3..=4).contains(&model.tasks()), "{}", scenario.name);
            assert!((3..=4).contains(&model.places()), "{}", scenario.name);
            largest = largest.max(model.devices());
            shared += usize::from(scenario.devices.shared_uplink_mbps.is_some());
            separable += usize::from(model.is_separable());
        }
        assert!(largest == 9 && shared > 40 && separable > 10, "{largest}, {shared}, {separable}");
    }

    #[test]
    fn the_same_stream_draws_the_same_fleet() {
        let draw = || Fleets::default().draw(&mut random::stream(3, "again"));
        assert_eq!(draw(), draw());
    }

    #[test]
    fn ranges_begin_above_0_and_end_no_sooner() {
        assert!(Fleets::default().is_valid());
        assert!(!Fleets { devices: (0, 3), ..Fleets::default() }.is_valid());
        assert!(!Fleets { tasks: (3, 2), ..Fleets::default() }.is_valid());
    }
}
