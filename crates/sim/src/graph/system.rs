//! Systems: a device, the servers that it can send tasks to, and the links between them.

use std::ops::RangeInclusive;

use crate::limits::MAX_SERVERS;

/// The name of the device itself among the places, as in decisions.
pub const LOCAL: &str = "local";

/// The values that rates, powers and prices may have: products of several of them stay far from what an f64 holds.
const VALUES: RangeInclusive<f64> = 1e-30..=1e30;

/// A processor with its memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Instructions per second; for layers of networks, floating-point operations per second. A server with 0 is down.
    pub instructions_per_s: f64,
    /// Bytes per second that it reads from its memory; `None`: reading takes no time.
    pub memory_bytes_per_s: Option<f64>,
}

impl Machine {
    /// The time to run work that reads a number of bytes of weights, in seconds: whichever of computing and reading takes
    /// longer.
    pub fn run_s(&self, instructions: f64, weights_bytes: f64) -> f64 {
        let compute_s = instructions / self.instructions_per_s;
        self.memory_bytes_per_s.map_or(compute_s, |rate| compute_s.max(weights_bytes / rate))
    }
}

/// The link between the device and a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Bytes per second to the server. With 0 the device cannot use the server.
    pub up_bytes_per_s: f64,
    /// Bytes per second from the server. With 0 the device cannot use the server.
    pub down_bytes_per_s: f64,
    /// The power of the device while it sends, in W.
    pub send_w: f64,
    /// The power of the device while it receives, in W.
    pub receive_w: f64,
    /// The price of a byte, sent or received.
    pub price_per_byte: f64,
    /// Whether this server alone is at the other end. Data for all servers without a link of their own wait for each other.
    pub is_own: bool,
}

/// A server that tasks can be sent to.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphServer {
    /// The name in decisions.
    pub name: String,
    /// Its processor.
    pub machine: Machine,
    /// The energy of an instruction, in J, that counts as the decision's; 0 where only the device's energy counts.
    pub energy_per_instruction_j: f64,
    /// The link to it.
    pub link: Link,
}

/// A device, the servers that it can send tasks to, and the links between them, in SI units.
///
/// The *places* of a task are numbered: 0 is the device, j + 1 is server j.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// The device's processor.
    pub device: Machine,
    /// The power of the device while it computes, in W.
    pub compute_w: f64,
    /// The power of the device while it neither computes nor sends nor receives, in W.
    pub idle_w: f64,
    /// The servers, in the order in which placements name them.
    pub servers: Vec<GraphServer>,
}

impl System {
    /// The number of places: the device and every server.
    pub fn places(&self) -> usize {
        self.servers.len() + 1
    }

    /// The name of a place: `local` or that of a server.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn place_name(&self, place: usize) -> &str {
        if place == 0 { LOCAL } else { &self.servers[place - 1].name }
    }

    /// The place of this name.
    pub fn place(&self, name: &str) -> Option<usize> {
        (0..self.places()).find(|place| self.place_name(*place) == name)
    }

    /// Whether the server at a place works and the device has a link to it and back. The device itself always is usable.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn is_usable(&self, place: usize) -> bool {
        let Some(server) = place.checked_sub(1) else { return true };
        let GraphServer { machine, link, .. } = &self.servers[server];
        machine.instructions_per_s > 0.0
            && machine.memory_bytes_per_s.is_none_or(|rate| rate > 0.0)
            && link.up_bytes_per_s > 0.0
            && link.down_bytes_per_s > 0.0
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn check(&self) -> Result<(), SystemError> {
        if self.servers.len() > MAX_SERVERS {
            return Err(SystemError::TooManyServers { found: self.servers.len() });
        }
        let value = |owner: &str, what, found: f64, may_be_0| {
            if VALUES.contains(&found) || may_be_0 && found == 0.0 {
                return Ok(());
            }
            Err(SystemError::Value { owner: owner.to_owned(), what, may_be_0, found })
        };
        value("the device", "number of instructions per second", self.device.instructions_per_s, false)?;
        let memory = "number of bytes read from memory per second";
        value("the device", memory, self.device.memory_bytes_per_s.unwrap_or(1.0), false)?;
        value("the device", "power to compute", self.compute_w, true)?;
        value("the device", "power while idle", self.idle_w, true)?;
        for (index, GraphServer { name, machine, energy_per_instruction_j, link }) in self.servers.iter().enumerate() {
            if name == LOCAL || name.is_empty() || self.servers[..index].iter().any(|other| other.name == *name) {
                return Err(SystemError::Name { name: name.clone() });
            }
            let owner = format!("server {name}");
            value(&owner, "number of instructions per second", machine.instructions_per_s, true)?;
            value(&owner, memory, machine.memory_bytes_per_s.unwrap_or(1.0), true)?;
            value(&owner, "energy per instruction", *energy_per_instruction_j, true)?;
            value(&owner, "number of bytes per second up", link.up_bytes_per_s, true)?;
            value(&owner, "number of bytes per second down", link.down_bytes_per_s, true)?;
            value(&owner, "power to send", link.send_w, true)?;
            value(&owner, "power to receive", link.receive_w, true)?;
            value(&owner, "price per byte", link.price_per_byte, true)?;
        }
        Ok(())
    }
}

/// Why a system is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SystemError {
    /// A value is out of its range.
    #[error(
        "the {what} of {owner} must {}lie between {:e} and {:e}, is {found}",
        if *may_be_0 { "be 0 or " } else { "" }, VALUES.start(), VALUES.end()
    )]
    Value {
        /// The device or server.
        owner: String,
        /// The quantity.
        what: &'static str,
        /// Whether it may be 0.
        may_be_0: bool,
        /// The value.
        found: f64,
    },
    /// A server has no name, that of the device or that of another server.
    #[error("a server is called \"{name}\"; give each a name of its own that is not \"local\"")]
    Name {
        /// The name.
        name: String,
    },
    /// There are too many servers.
    #[error("there are {found} servers, and there may be at most {MAX_SERVERS}")]
    TooManyServers {
        /// The number that there is.
        found: usize,
    },
}
