//! The names of what a site consists of, as requests say them.

use std::collections::HashMap;

use sim::stream::dispatch::{Access, Site};

use super::request::TaskId;

/// A site with the names and numbers that its devices have outside.
pub(crate) struct SiteNames {
    pub(super) site: Site,
    /// The numbers of the devices that are served.
    numbers: Vec<usize>,
    devices: HashMap<usize, u32>,
    queues: HashMap<String, usize>,
}

impl SiteNames {
    /// `numbers` are the numbers by which clients know the devices of the site.
    pub(super) fn new(site: Site, numbers: Vec<usize>) -> Self {
        let devices = numbers.iter().copied().zip(0..).collect();
        let queues = site.queues().iter().enumerate().map(|(index, queue)| (queue.name.clone(), index)).collect();
        Self { site, numbers, devices, queues }
    }

    /// The device of a number or a name, such as `device 3`.
    pub(super) fn device(&self, key: &TaskId) -> Result<u32, String> {
        let number = match key {
            TaskId::Number(number) => usize::try_from(*number).ok(),
            TaskId::Text(text) => text.strip_prefix("device ").and_then(|number| number.parse().ok()),
        };
        number
            .and_then(|number| self.devices.get(&number).copied())
            .ok_or_else(|| format!("there is no device {} here; devices are {}", key.json(), self.range()))
    }

    /// The number that a device has outside.
    pub(super) fn number(&self, device: u32) -> usize {
        self.numbers[device as usize]
    }

    /// The numbers of all devices.
    pub(super) fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The numbers in words, such as `0 to 9`.
    fn range(&self) -> String {
        let (first, last) = (self.numbers[0], self.numbers[self.numbers.len() - 1]);
        if last - first + 1 == self.numbers.len() {
            return format!("{first} to {last}, or by their names \"device {first}\" to \"device {last}\"");
        }
        let shown: Vec<String> = self.numbers.iter().take(20).map(usize::to_string).collect();
        format!("{}{}", shown.join(", "), if self.numbers.len() > 20 { " and more" } else { "" })
    }

    /// The queue of a name.
    pub(super) fn queue(&self, name: &str) -> Result<usize, String> {
        self.queues.get(name).copied().ok_or_else(|| {
            let first: Vec<&str> = self.site.queues().iter().take(3).map(|queue| queue.name.as_str()).collect();
            format!("there is no queue of this name; GET /v1/queues lists all, such as {}", first.join(", "))
        })
    }

    /// The servers that have links of their own.
    pub(super) fn own_link_servers(&self) -> Vec<&str> {
        let servers = self.site.parts().servers.iter().filter(|server| server.access != Access::Uplink);
        servers.map(|server| server.name.as_str()).collect()
    }

    /// Whether some server is reached over the uplinks.
    pub(super) fn has_uplinks(&self) -> bool {
        self.site.parts().servers.iter().any(|server| server.access == Access::Uplink)
    }

    /// The servers that have links of their own, in words.
    pub(super) fn own_links(&self) -> String {
        let names = self.own_link_servers();
        if names.is_empty() { "none; uplink_mbps tells the rate of the uplink".to_owned() } else { names.join(", ") }
    }
}
