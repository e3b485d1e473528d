//! Scenarios drawn at random.

use std::ops::Range;

use proptest::prelude::*;
use sim::scenario::{PerDevice, Sharing};
use sim::{CostModel, Scenario, Workload};

/// A scenario of any small shape, with rates over several orders of magnitude and different for each device; nothing is
/// shared.
pub(crate) fn scenarios(devices: Range<usize>, tasks: Range<usize>) -> impl Strategy<Value = (CostModel, Workload)> {
    scenarios_with(devices, tasks, 1..4)
}

/// As [`scenarios`], with a choice of the number of servers.
pub(crate) fn scenarios_with(
    devices: Range<usize>,
    tasks: Range<usize>,
    servers: Range<usize>,
) -> impl Strategy<Value = (CostModel, Workload)> {
    any_scenarios(devices, tasks, servers, Just(Shared::default())).prop_map(|(_, model, workload)| (model, workload))
}

/// The shared parts of a scenario.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shared {
    pub(crate) uplink: bool,
    /// By server, the lowest bit being the first.
    pub(crate) servers: u8,
    pub(crate) links: u8,
}

/// Any sharing, often of servers alone.
pub(crate) fn any_sharing() -> impl Strategy<Value = Shared> {
    let all = any::<(bool, u8, u8)>().prop_map(|(uplink, servers, links)| Shared { uplink, servers, links });
    let servers = any::<u8>().prop_map(|servers| Shared { uplink: false, servers: servers | 1, links: 0 });
    prop_oneof![all, servers]
}

/// Now and then nothing is shared.
pub(crate) fn any_or_nothing_shared() -> impl Strategy<Value = Shared> {
    prop_oneof![4 => any_sharing(), 1 => Just(Shared::default())]
}

/// As [`scenarios_with`], with a choice of what is shared; gives the scenario, too.
pub(crate) fn any_scenarios(
    devices: Range<usize>,
    tasks: Range<usize>,
    servers: Range<usize>,
    shared: impl Strategy<Value = Shared>,
) -> impl Strategy<Value = (Scenario, CostModel, Workload)> {
    let rates = prop::collection::vec(0.05..20.0_f64, 64);
    let all = (devices, tasks, servers, 0.0..=1.0_f64, rates, shared);
    all.prop_flat_map(|(devices, tasks, servers, alpha, rates, shared)| {
        let mut next = rates.into_iter().cycle();
        let mut each =
            |scale: f64| PerDevice::Each((0..devices).map(|_| scale * next.next().expect("endless")).collect());
        let mut scenario = Scenario::load("paper").expect("a preset");
        scenario.alpha = alpha;
        scenario.devices.count = devices;
        scenario.tasks.per_device = tasks;
        scenario.transmit_energy_nj_per_byte = each(1.0);
        scenario.devices.frequency_mhz = each(100.0);
        scenario.devices.energy_per_instruction_nj = each(1.0);
        scenario.devices.uplink_mbps = each(20.0);
        let template = scenario.servers[0].clone();
        let sharing = |set: u8, index: usize| {
            if index < 8 && set >> index & 1 == 1 { Sharing::Shared } else { Sharing::Dedicated }
        };
        scenario.servers = (0..servers)
            .map(|index| {
                let mut server = template.clone();
                server.name = format!("server{index}");
                server.sharing = sharing(shared.servers, index);
                server.link_sharing = sharing(shared.links, index);
                let PerDevice::Each(values) = each(20.0) else { unreachable!("made above") };
                server.link_mbps = if server.link_sharing == Sharing::Shared {
                    Some(PerDevice::One(values[0]))
                } else if shared.uplink {
                    None
                } else {
                    Some(PerDevice::Each(values))
                };
                let PerDevice::Each(values) = each(1.0) else { unreachable!("made above") };
                server.frequency_mhz = 300.0 * values[0];
                server.energy_per_instruction_nj = values[values.len() - 1];
                server
            })
            .collect();
        if shared.uplink {
            let PerDevice::Each(values) = each(40.0) else { unreachable!("made above") };
            scenario.devices.shared_uplink_mbps = Some(values[0]);
        }
        let model = scenario.check().expect("valid");
        let sizes = prop::collection::vec(0.1..50.0_f64, devices * tasks);
        sizes.prop_map(move |sizes| (scenario.clone(), model.clone(), Workload::from_mb(tasks, &sizes)))
    })
}
