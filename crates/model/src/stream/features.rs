//! What the networks read of a task that arrives.

use serde::{Deserialize, Serialize};
use sim::stream::dispatch::{Arrival, Choice, Offer};

use super::memory::{Loads, Memory};
use super::tables::{LEAST_TIME, NO_QUEUE, SiteTables, WayTable};

/// Inputs that are the same for all places.
pub const CONTEXT_INPUTS: usize = 15;
/// Inputs of each place.
pub const PLACE_INPUTS: usize = 20;
/// All inputs: those of the context, then those of a place.
pub const INPUTS: usize = CONTEXT_INPUTS + PLACE_INPUTS;

/// What the inputs of the context are. Waits are in units of time of the site, loads are shares of what can be done, less 0.6;
/// see [`SiteTables`].
pub const CONTEXT_NAMES: [&str; CONTEXT_INPUTS] = [
    "ln of the size over the mean size",
    "load of the site over a short time (10 units)",
    "load of the site over a long time (100 units)",
    "load of the device over a long time, of its own capacity and its share of what is shared",
    "ln (1 + mean wait for the processors of all devices)",
    "ln (1 + mean wait for the links of all devices)",
    "share of the devices whose link is free before the first shared machine, less 0.5",
    "half of ln (N / 5)",
    "twice the share of the capacity that is shared, less 0.5",
    "2 alpha - 1",
    "ln of the mean square of sizes over the square of their mean",
    "ln of the device's speed over the mean speed",
    "ln of the rate of the device's link over the mean rate",
    "load of the site over a very short time (2 units)",
    "twice the root mean square of (short load / long load - 1)",
];

/// What the inputs of a place are; those of queues are 0 where there is no queue.
pub const PLACE_NAMES: [&str; PLACE_INPUTS] = [
    "ln of the own cost, in units of cost",
    "ln (1 + wait for the link)",
    "ln (1 + wait for the machine)",
    "half of ln (time of the link + 0.02)",
    "half of ln (time of the machine + 0.02)",
    "1 for the device itself",
    "1 if devices share the machine",
    "1 if nobody waits for the machine",
    "load of the link over a short time",
    "load of the link over a long time",
    "load of the machine over a short time",
    "load of the machine over a long time",
    "twice the share of a shared machine in the capacity",
    "ln of the link's rate now over its mean rate",
    "1 if devices share the link",
    "ln of the least own cost of the other places over that of this one",
    "share of energy in the own cost",
    "half of ln (mean time of the link + 0.02)",
    "half of ln (mean time of the machine + 0.02)",
    "load of the machine over a very short time",
];

/// Loads are read as differences from this one.
const MIDDLE_LOAD: f32 = 0.6;

/// One place as the networks read it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlaceInputs {
    /// See [`PLACE_NAMES`].
    pub inputs: [f32; PLACE_INPUTS],
    /// The own cost in units of cost; infinite where the task cannot run.
    pub own_cost: f32,
    /// What the work adds to the square of the work in the link's queue and in the machine's, times 1 − α, in units of cost: the
    /// networks set its price.
    pub added: [f32; 2],
}

/// A task that arrives, as the networks read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// See [`CONTEXT_NAMES`].
    pub context: [f32; CONTEXT_INPUTS],
    /// One for each place.
    pub places: Vec<PlaceInputs>,
}

impl Default for Inputs {
    fn default() -> Self {
        Self { context: [0.0; CONTEXT_INPUTS], places: Vec::new() }
    }
}

impl Inputs {
    /// Reads a task that arrives, of which the memory takes note. With `knows_rates` the long loads of the site and of the device
    /// come from the rates that the site names, otherwise from what was seen.
    pub fn read(
        &mut self,
        tables: &SiteTables,
        memory: &mut Memory,
        arrival: &Arrival,
        offer: &Offer<'_>,
        knows_rates: bool,
    ) {
        let mut loads = memory.arrive(tables, arrival);
        let device = arrival.device as usize;
        if knows_rates {
            let of_device = &tables.devices[device];
            loads.site[0] = (tables.arriving_bytes_per_s / tables.capacity_bytes_per_s) as f32;
            loads.device[0] = (of_device.arriving_bytes_per_s / of_device.capacity_bytes_per_s) as f32;
        }
        self.read_context(tables, memory, arrival, offer, &loads);
        self.read_places(tables, memory, device, offer, &loads);
    }

    fn read_context(
        &mut self,
        tables: &SiteTables,
        memory: &Memory,
        arrival: &Arrival,
        offer: &Offer<'_>,
        loads: &Loads,
    ) {
        let device = &tables.devices[arrival.device as usize];
        let shared_wait_s = device.shared_place.map(|place| offer.choices[place].machine.wait_s);
        let [processors, links, share] = memory.fleet(tables, shared_wait_s);
        let context = &mut self.context;
        *context = tables.context;
        context[0] = ln((arrival.bytes / tables.mean_bytes) as f32);
        context[1] = loads.site[1] - MIDDLE_LOAD;
        context[2] = loads.site[0] - MIDDLE_LOAD;
        context[3] = loads.device[0] - MIDDLE_LOAD;
        context[4] = processors;
        context[5] = links;
        context[6] = share;
        context[11] = device.ln_speed;
        context[12] = device.ln_link;
        context[13] = loads.site[2] - MIDDLE_LOAD;
        context[14] = 2.0 * loads.swing;
    }

    fn read_places(&mut self, tables: &SiteTables, memory: &Memory, device: usize, offer: &Offer<'_>, loads: &Loads) {
        let (per_time, per_cost) = ((1.0 / tables.time_unit_s) as f32, (1.0 / tables.cost_unit) as f32);
        let weight = ((1.0 - tables.alpha) * tables.time_unit_s / tables.cost_unit) as f32;
        // The least own cost, and the next one.
        let mut least = [f32::INFINITY; 2];
        for choice in offer.choices.iter().filter(|choice| choice.is_usable) {
            let own = choice.own_cost as f32 * per_cost;
            if own < least[0] {
                least = [own, least[0]];
            } else {
                least[1] = least[1].min(own);
            }
        }
        let read = |(way, choice): (&WayTable, &Choice)| {
            if !choice.is_usable {
                return PlaceInputs { inputs: [0.0; PLACE_INPUTS], own_cost: f32::INFINITY, added: [0.0; 2] };
            }
            let own_cost = choice.own_cost as f32 * per_cost;
            let [link, machine] = [&choice.link, &choice.machine]
                .map(|queue| [queue.wait_s as f32 * per_time, queue.service_s as f32 * per_time]);
            let added = [link, machine].map(|[wait, service]| weight * (2.0 * wait + service) * service);
            let mut inputs = way.inputs;
            let positive_cost = own_cost.max(f32::MIN_POSITIVE);
            inputs[0] = ln(positive_cost);
            inputs[1] = ln(1.0 + link[0]);
            inputs[2] = ln(1.0 + machine[0]);
            inputs[3] = 0.5 * ln(link[1] + LEAST_TIME);
            inputs[4] = 0.5 * ln(machine[1] + LEAST_TIME);
            if way.link != NO_QUEUE {
                let [long, short, _] = memory.loads_of(way.link, loads);
                inputs[8] = short - MIDDLE_LOAD;
                inputs[9] = long - MIDDLE_LOAD;
            }
            if way.machine != NO_QUEUE {
                let [long, short, very_short] = memory.loads_of(way.machine, loads);
                inputs[10] = short - MIDDLE_LOAD;
                inputs[11] = long - MIDDLE_LOAD;
                inputs[19] = very_short - MIDDLE_LOAD;
            }
            if let Some(link) = choice.changing_link {
                inputs[13] = ln(((link.bytes_per_s_now / link.mean_bytes_per_s) as f32).clamp(0.1, 10.0));
            }
            let other = if own_cost == least[0] { least[1] } else { least[0] };
            inputs[15] = ln((other / positive_cost).clamp(0.02, 50.0));
            inputs[16] = (tables.alpha * choice.energy_j) as f32 * per_cost / positive_cost;
            PlaceInputs { inputs, own_cost, added }
        };
        self.places.clear();
        self.places.extend(tables.ways_of(device).iter().zip(offer.choices).map(read));
    }
}

/// ln(x) for a normal x > 0, to about 2e-5: without a call, so that reading inputs takes less time than networks do.
#[inline]
pub(super) fn ln(x: f32) -> f32 {
    const SQUARE_ROOT_OF_HALF: u32 = 0x3F35_04F3;
    let exponent = x.to_bits().wrapping_sub(SQUARE_ROOT_OF_HALF).cast_signed() >> 23;
    let mantissa = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23).cast_unsigned()));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // 2 artanh(s) by its Taylor series.
    let series = ((square * (2.0 / 7.0) + 2.0 / 5.0) * square + 2.0 / 3.0) * square + 2.0;
    exponent as f32 * std::f32::consts::LN_2 + s * series
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn logarithms_are_accurate() {
        for power in -120..120 {
            for step in 0..50 {
                let x = 2.0_f32.powi(power) * (1.0 + step as f32 / 50.0);
                assert!((ln(x) - x.ln()).abs() < 3e-5, "{x}: {} {}", ln(x), x.ln());
            }
        }
    }
}
