//! Links: how one device reaches one server, and which links devices share.

use super::{PerDevice, Scenario, Server, Sharing};

/// How one device reaches one server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// Through its uplink alone.
    Uplink,
    /// Through its uplink and a link behind it, in Mbit/s. The slower of the two counts.
    Behind(f64),
    /// Past its uplink, through a link of its own, in Mbit/s.
    Beside(f64),
}

impl Link {
    /// The rate in Mbit/s, given the rate of the uplink.
    pub(crate) fn mbps(self, uplink_mbps: f64) -> f64 {
        match self {
            Self::Uplink => uplink_mbps,
            Self::Behind(mbps) => mbps.min(uplink_mbps),
            Self::Beside(mbps) => mbps,
        }
    }
}

impl Server {
    /// The rate of the link that all devices share, in Mbit/s; `None` if each has a link of its own.
    pub(crate) fn shared_link_mbps(&self) -> Option<f64> {
        match &self.link_mbps {
            Some(PerDevice::One(mbps)) if self.link_sharing == Sharing::Shared => Some(*mbps),
            _ => None,
        }
    }
}

impl Scenario {
    /// How one device reaches a server while no other device sends. A link that is no faster than the uplink lies
    /// behind it, a faster link bypasses it; a shared link always lies behind the uplinks.
    pub(crate) fn link(&self, server: &Server, device: usize) -> Link {
        match server.link_mbps.as_ref().map(|mbps| mbps.at(device)) {
            _ if server.link_sharing == Sharing::Shared => Link::Uplink,
            None => Link::Uplink,
            Some(mbps) if mbps <= self.devices.uplink_mbps.at(device) => Link::Behind(mbps),
            Some(mbps) => Link::Beside(mbps),
        }
    }

    /// Whether devices share a server, a link to one, or their uplinks.
    pub(crate) fn shares_something(&self) -> bool {
        let shares = |server: &Server| server.sharing == Sharing::Shared || server.link_sharing == Sharing::Shared;
        self.devices.shared_uplink_mbps.is_some() || self.servers.iter().any(shares)
    }
}
