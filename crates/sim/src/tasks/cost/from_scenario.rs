//! From a scenario in human units to a cost model in SI units.

use super::CostModel;
use super::physics::{Physics, ServerPhysics};
use super::rates::Rate;
use crate::config::Mistakes;
use crate::tasks::scenario::{Scenario, Server, Sharing};
use crate::units::{hertz_from_mhz, joules_from_nj};

impl Scenario {
    /// Checks every value and converts to SI units.
    ///
    /// # Errors
    /// All values that make no sense, each named by its key.
    pub fn check(&self) -> Result<CostModel, Mistakes> {
        let list = self.mistakes();
        if !list.is_empty() {
            return Err(Mistakes { origin: format!("scenario `{}`", self.name), list });
        }
        let names = std::iter::once("local").chain(self.servers.iter().map(|server| server.name.as_str()));
        let names = names.map(str::to_owned).collect();
        Ok(CostModel::new(self.tasks.per_device, names, self.physics(), self.own_environment()))
    }

    fn physics(&self) -> Physics {
        let devices = 0..self.devices.count;
        Physics {
            instructions_per_byte: self.instructions_per_byte,
            local: devices.clone().map(|device| self.local_rate(device)).collect(),
            transmit_j_per_byte: devices.map(|n| joules_from_nj(self.transmit_energy_nj_per_byte.at(n))).collect(),
            shared_uplink_mbps: self.devices.shared_uplink_mbps,
            servers: self.servers.iter().map(|server| self.server_physics(server)).collect(),
        }
    }

    /// Eqs. (3) and (4), for one byte.
    fn local_rate(&self, device: usize) -> Rate {
        let instructions = self.instructions_per_byte;
        Rate {
            energy_j_per_byte: instructions * joules_from_nj(self.devices.energy_per_instruction_nj.at(device)),
            time_s_per_byte: instructions / hertz_from_mhz(self.devices.frequency_mhz.at(device)),
        }
    }

    fn server_physics(&self, server: &Server) -> ServerPhysics {
        ServerPhysics {
            compute_j_per_byte: self.instructions_per_byte * joules_from_nj(server.energy_per_instruction_nj),
            frequency_hz: hertz_from_mhz(server.frequency_mhz),
            is_shared: server.sharing == Sharing::Shared,
            shared_link_mbps: server.shared_link_mbps(),
            links: (0..self.devices.count).map(|device| self.link(server, device)).collect(),
        }
    }
}
