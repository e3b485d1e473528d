//! The rates of links at a live site: their means, until something else is known.

use super::super::site::{Access, NO_QUEUE, Site, SiteLink, SiteServer};
use crate::stream::RateProcess;

impl Site {
    /// The same site with links that keep their mean rates.
    pub(super) fn at_mean_rates(&self) -> Self {
        let mut parts = self.parts.clone();
        let is_constant = |link: &SiteLink| matches!(link.rates, RateProcess::Constant(_));
        let mut changes = false;
        let mut set = |link: &mut SiteLink| {
            if !is_constant(link) {
                link.rates = RateProcess::Constant(link.rates.mean_bytes_per_s());
                changes = true;
            }
        };
        parts.devices.iter_mut().filter_map(|device| device.uplink.as_mut()).for_each(&mut set);
        for server in &mut parts.servers {
            match &mut server.access {
                Access::Uplink => {}
                Access::Shared(link) => set(link),
                Access::Own(links) => links.iter_mut().for_each(&mut set),
            }
        }
        if !changes {
            return self.clone();
        }
        // What was checked with the processes is right with their means, too.
        let mut site = Self::unloaded(parts).unwrap_or_else(|_| self.clone());
        for (queue, before) in site.queues.iter_mut().zip(&self.queues) {
            queue.name.clone_from(&before.name);
        }
        site
    }

    /// The rate of a link, in bytes per second; 0: it cannot be used now.
    pub(super) fn rate(&self, device: usize, queue: usize) -> f64 {
        let route = self.routes_of(device).iter().find(|route| route.link as usize == queue);
        route.map_or(0.0, |route| if route.is_usable { 1.0 / route.link_s_per_byte } else { 0.0 })
    }

    /// Sets the rate of a link that a device has, in bytes per second; with 0 nothing can be sent over it from now on. The time
    /// per byte stays that of the last rate above 0 then.
    pub(super) fn set_rate(&mut self, device: usize, queue: usize, bytes_per_s: f64) {
        let places = self.places();
        let is_shared = |server: &SiteServer| matches!(server.access, Access::Shared(_));
        // A link of its own leads from this device alone.
        let range = if self.parts.servers.iter().any(is_shared) {
            0..self.routes.len()
        } else {
            device * places..(device + 1) * places
        };
        for index in range {
            let route = &mut self.routes[index];
            if route.link as usize != queue {
                continue;
            }
            route.is_usable = bytes_per_s > 0.0 && self.parts.servers[index % places - 1].s_per_byte.is_finite();
            if bytes_per_s > 0.0 {
                route.link_s_per_byte = 1.0 / bytes_per_s;
            }
        }
        if bytes_per_s > 0.0 {
            self.queues[queue].s_per_byte = 1.0 / bytes_per_s;
        }
    }

    /// The link of a device to the servers that have none of their own; `None`: there is none.
    pub fn uplink_of(&self, device: usize) -> Option<usize> {
        let servers = self.parts.servers.iter().position(|server| server.access == Access::Uplink)?;
        self.queues_of(device, servers + 1)[0]
    }

    /// The link that a server has of its own for a device; `None`: it is reached over the uplink, or there is no such server.
    pub fn own_link_of(&self, device: usize, server: &str) -> Option<usize> {
        let index = self.parts.servers.iter().position(|known| known.name == server)?;
        if self.parts.servers[index].access == Access::Uplink {
            return None;
        }
        let route = self.route(device, index + 1);
        (route.link != NO_QUEUE).then_some(route.link as usize)
    }
}
