//! From a scenario in human units to a cost model in SI units.

use super::CostModel;
use super::demands::TaskDemands;
use super::physics::{Physics, Processor, ServerPhysics};
use super::rates::Rate;
use crate::config::Mistakes;
use crate::tasks::scenario::{PerDevice, Scenario, Server, Sharing};
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
        let (tasks, physics) = (self.tasks.per_device, self.physics());
        let counts = self.tasks.counts.clone();
        Ok(CostModel::new((tasks, counts), names, physics, self.task_demands(), self.own_environment()))
    }

    fn physics(&self) -> Physics {
        let devices = 0..self.devices.count;
        Physics {
            instructions_per_byte: devices.clone().map(|device| self.instructions_per_byte.at(device)).collect(),
            local_processors: devices.clone().map(|device| self.local_processor(device)).collect(),
            local: devices.clone().map(|device| self.local_rate(device)).collect(),
            transmit_j_per_byte: devices.map(|n| joules_from_nj(self.transmit_energy_nj_per_byte.at(n))).collect(),
            shared_uplink_mbps: self.devices.shared_uplink_mbps,
            servers: self.servers.iter().map(|server| self.server_physics(server)).collect(),
        }
    }

    /// Eqs. (3) and (4), for one byte.
    fn local_rate(&self, device: usize) -> Rate {
        let instructions = self.instructions_per_byte.at(device);
        Rate {
            energy_j_per_byte: instructions * joules_from_nj(self.devices.energy_per_instruction_nj.at(device)),
            time_s_per_byte: instructions / hertz_from_mhz(self.devices.frequency_mhz.at(device)),
        }
    }

    /// The device's own processor: seconds and joules of one instruction.
    fn local_processor(&self, device: usize) -> Processor {
        Processor {
            s_per_instruction: 1.0 / hertz_from_mhz(self.devices.frequency_mhz.at(device)),
            j_per_instruction: joules_from_nj(self.devices.energy_per_instruction_nj.at(device)),
        }
    }

    /// What every task asks for; `None` if nothing but its size matters.
    fn task_demands(&self) -> Option<TaskDemands> {
        let devices = self.devices.count;
        let is_even =
            (1..devices).all(|device| self.instructions_per_byte.at(device) == self.instructions_per_byte.at(0));
        if is_even && self.tasks.deadline_s.is_none() {
            return None;
        }
        let of_tasks = |values: &PerDevice| -> Vec<f64> {
            (0..devices).flat_map(|device| std::iter::repeat_n(values.at(device), self.tasks.per_device)).collect()
        };
        Some(TaskDemands {
            instructions_per_byte: of_tasks(&self.instructions_per_byte),
            deadlines_s: self.tasks.deadline_s.as_ref().map_or_else(Vec::new, of_tasks),
            rule: self.tasks.deadline_rule,
        })
    }

    fn server_physics(&self, server: &Server) -> ServerPhysics {
        ServerPhysics {
            energy_j_per_instruction: joules_from_nj(server.energy_per_instruction_nj),
            latency_s: server.latency_ms * 1e-3,
            frequency_hz: hertz_from_mhz(server.frequency_mhz),
            is_shared: server.sharing == Sharing::Shared,
            shared_link_mbps: server.shared_link_mbps(),
            links: (0..self.devices.count).map(|device| self.link(server, device)).collect(),
        }
    }
}
