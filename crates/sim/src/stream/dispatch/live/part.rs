//! Parts of a site: some of its devices, for one of several dispatchers.

use super::super::site::{Access, Machines, Site, SiteError};
use crate::stream::RateProcess;

/// What a part of a site has of the machines and links that all devices share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedMachines {
    /// The share that its devices have in all arrivals: a slower machine for them alone.
    Share,
    /// All of them. Their backlogs, to which others add, have to be told.
    Whole,
}

impl Site {
    /// The site with some of its devices alone, in the order in which they are named; they have their processors and links to
    /// themselves. Queues keep their names.
    ///
    /// # Errors
    /// If the part cannot carry the tasks of its devices.
    ///
    /// # Panics
    /// If there is no device of a number.
    pub fn part(&self, devices: &[usize], shared: SharedMachines) -> Result<Self, SiteError> {
        let mut parts = self.parts.clone();
        parts.devices = devices.iter().map(|device| self.parts.devices[*device].clone()).collect();
        let arrivals = |devices: &[super::super::SiteDevice]| devices.iter().map(|one| one.arrivals_per_s).sum::<f64>();
        let share = match shared {
            SharedMachines::Share => arrivals(&parts.devices) / arrivals(&self.parts.devices),
            SharedMachines::Whole => 1.0,
        };
        for server in &mut parts.servers {
            if server.machines == Machines::Shared {
                server.s_per_byte /= share;
            }
            match &mut server.access {
                Access::Uplink => {}
                Access::Shared(link) => {
                    if share < 1.0 {
                        link.rates = RateProcess::Constant(share * link.rates.mean_bytes_per_s());
                    }
                }
                Access::Own(links) if links.len() == 1 => {}
                Access::Own(links) => *links = devices.iter().map(|device| links[*device].clone()).collect(),
            }
        }
        let mut part = Self::new(parts)?;
        for (own, device) in devices.iter().enumerate() {
            for place in 0..self.places() {
                for (queue, before) in part.queues_of(own, place).into_iter().zip(self.queues_of(*device, place)) {
                    if let (Some(queue), Some(before)) = (queue, before) {
                        part.queues[queue].name.clone_from(&self.queues[before].name);
                    }
                }
            }
        }
        Ok(part)
    }
}
