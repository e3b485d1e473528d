//! Between a scenario and its environments.

use super::link::Link;
use super::{PerDevice, Scenario, Sharing};
use crate::limits::SLOWEST_LINK_MBPS;
use crate::tasks::environment::{Environment, EnvironmentError};

impl Scenario {
    /// The environment that the scenario itself describes, before anything changes.
    pub fn own_environment(&self) -> Environment {
        Environment {
            alpha: self.alpha,
            uplinks_mbps: (0..self.devices.count).map(|device| self.devices.uplink_mbps.at(device)).collect(),
            capacities: vec![1.0; self.servers.len()],
        }
    }

    /// A scenario that describes this one in a given environment and never changes. Since a scenario has no uplink of
    /// 0, such an uplink becomes one that is too slow to count as a link.
    ///
    /// # Errors
    /// If the environment is for another number of devices or servers, or holds a value that makes no sense.
    pub fn in_environment(&self, environment: &Environment) -> Result<Self, EnvironmentError> {
        let devices = self.devices.count;
        environment.check(devices, self.servers.len())?;
        let mut scenario = self.clone();
        scenario.environment = None;
        scenario.alpha = environment.alpha;
        let uplinks: Vec<f64> =
            environment.uplinks_mbps.iter().map(|mbps| mbps.max(SLOWEST_LINK_MBPS / 10.0)).collect();
        for (server, capacity) in scenario.servers.iter_mut().zip(&environment.capacities) {
            server.frequency_mhz *= capacity;
            if server.link_sharing == Sharing::Shared {
                continue;
            }
            // A link behind an uplink must stay behind it if the uplink is slower now: it gets the lower of both rates.
            let link = |device: usize| match self.link(server, device) {
                Link::Uplink => uplinks[device],
                link => link.mbps(uplinks[device]),
            };
            let links = server.link_mbps.is_some().then(|| PerDevice::Each((0..devices).map(link).collect()));
            server.link_mbps = links;
        }
        scenario.devices.uplink_mbps = PerDevice::Each(uplinks);
        Ok(scenario)
    }
}
