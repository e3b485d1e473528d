//! The tasks of one workload, as the coupled problem sees them.

use super::problem::{Assignment, Side, Together};
use crate::tasks::cost::{Amount, Contention, CostModel, Detailed, OwnRate};

/// The tasks of all devices.
pub(super) struct AllTasks<'m> {
    model: &'m CostModel,
    sizes_bytes: &'m [f64],
    /// Whether every byte takes the same number of instructions.
    is_even: bool,
    /// Instructions of a byte, the mean of all.
    mean_instructions: f64,
    /// Whether missed deadlines cost something.
    has_price: bool,
    /// The weights of energy and time in the cost.
    pub(super) weights: [f64; 2],
}

/// The tasks of one device.
pub(super) struct DeviceTasks<'s, 'm> {
    all: &'s AllTasks<'m>,
    device: usize,
    sizes_bytes: &'m [f64],
}

impl<'m> AllTasks<'m> {
    pub(super) fn new(model: &'m CostModel, sizes_bytes: &'m [f64]) -> Self {
        let mut sum = Amount::default();
        for (task, bytes) in sizes_bytes.iter().enumerate() {
            sum.add(model.amount(task, *bytes));
        }
        let first = model.instructions_per_byte(0);
        let is_even = (0..model.task_count()).all(|task| model.instructions_per_byte(task) == first);
        let mean_instructions = if is_even || sum.bytes <= 0.0 { first } else { sum.instructions / sum.bytes };
        let weights = if model.is_detailed() { model.detailed_weights() } else { [model.alpha(), 1.0 - model.alpha()] };
        let has_price = model.lateness_price(0, sizes_bytes) > 0.0;
        Self { model, sizes_bytes, is_even, mean_instructions, has_price, weights }
    }

    /// The loads of a shared place that devices wait for.
    pub(super) fn sides(&self, contention: &Contention, place: usize) -> Vec<Side> {
        let shared = contention.shared[place];
        let both = Side {
            place,
            is_bytes: true,
            compute_s_per_byte: shared.compute_s_per_byte,
            link_s_per_byte: shared.link_s_per_byte,
        };
        let Some(detailed) = self.model.detailed() else { return vec![both] };
        let compute_s_per_byte = detailed.places[place].compute_s_per_instruction * self.mean_instructions;
        if self.is_even {
            return vec![Side { compute_s_per_byte, ..both }];
        }
        let bytes = Side { compute_s_per_byte: 0.0, ..both };
        let instructions = Side { is_bytes: false, compute_s_per_byte, link_s_per_byte: 0.0, ..both };
        let has_link = contention.has_shared_link(place);
        let sides = [(has_link, bytes), (compute_s_per_byte > 0.0, instructions)];
        sides.into_iter().filter(|(is_there, _)| *is_there).map(|(_, side)| side).collect()
    }

    pub(super) fn of_device(&self, device: usize) -> DeviceTasks<'_, 'm> {
        let tasks = self.model.tasks();
        DeviceTasks { all: self, device, sizes_bytes: &self.sizes_bytes[device * tasks..][..tasks] }
    }

    /// The load of a side that an amount is.
    fn load(&self, side: &Side, amount: &Amount) -> f64 {
        if side.is_bytes { amount.bytes } else { amount.instructions / self.mean_instructions }
    }
}

impl DeviceTasks<'_, '_> {
    /// The assignment whose number has the places as its digits.
    pub(super) fn assignment(&self, among: &[u8], sides: &[Side], mut number: u64) -> Assignment {
        let count = among.len() as u64;
        let digit = |_| {
            let place = among[(number % count) as usize];
            number /= count;
            place
        };
        let places: Vec<u8> = (0..self.sizes_bytes.len()).map(digit).collect();
        match self.all.model.detailed() {
            None => self.plain_assignment(sides, places),
            Some(detailed) => self.detailed_assignment(detailed, sides, places),
        }
    }

    fn plain_assignment(&self, sides: &[Side], places: Vec<u8>) -> Assignment {
        let AllTasks { model, weights, .. } = self.all;
        let mut bytes = vec![0.0; model.places()];
        let mut energy_j = 0.0;
        for (&place, &size) in places.iter().zip(self.sizes_bytes) {
            bytes[usize::from(place)] += size;
            energy_j += size * model.rates(self.device)[usize::from(place)].energy_j_per_byte;
        }
        let contention = model.contention().expect("devices share something");
        let own = &contention.own[self.device * model.places()..][..model.places()];
        let times = |rate: fn(&OwnRate) -> f64| {
            let time =
                |(own, &bytes): (&OwnRate, &f64)| if bytes > 0.0 { bytes * rate(own) } else { f64::NEG_INFINITY };
            own.iter().zip(&bytes).map(time).collect()
        };
        Assignment {
            places,
            energy_cost: weights[0] * energy_j,
            alone_s: times(|own| own.send_s_per_byte + own.compute_s_per_byte),
            compute_s: times(|own| own.compute_s_per_byte),
            bytes: sides.iter().map(|side| bytes[side.place]).collect(),
            deadlines: Vec::new(),
        }
    }

    fn detailed_assignment(&self, detailed: &Detailed, sides: &[Side], places: Vec<u8>) -> Assignment {
        let AllTasks { model, weights, has_price, .. } = self.all;
        let own = detailed.of_device(self.device);
        let mut amounts = vec![Amount::default(); model.places()];
        let (mut energy_j, mut deadlines) = (0.0, Vec::new());
        for ((task, &place), &size) in self.first_task().zip(&places).zip(self.sizes_bytes) {
            let amount = model.amount(task, size);
            energy_j += own[usize::from(place)].energy_j(&amount);
            amounts[usize::from(place)].add(amount);
            let deadline_s = model.deadline_s(task);
            if *has_price && size > 0.0 && deadline_s.is_finite() {
                deadlines.push((place, deadline_s));
            }
        }
        let never = Amount::default();
        let after_link_s = |place: usize| detailed.after_link_s(&own[place], place, &amounts[place], &never);
        let (mut alone_s, mut compute_s) = (Vec::with_capacity(own.len()), Vec::with_capacity(own.len()));
        for (place, amount) in amounts.iter().enumerate() {
            let is_there = amount.tasks > 0;
            compute_s.push(if is_there { after_link_s(place) } else { f64::NEG_INFINITY });
            alone_s.push(compute_s[place] + amount.bytes * own[place].send_s_per_byte);
        }
        let bytes = sides.iter().map(|side| self.all.load(side, &amounts[side.place])).collect();
        Assignment { places, energy_cost: weights[0] * energy_j, alone_s, compute_s, bytes, deadlines }
    }

    /// All tasks as if they could be divided at will. Where a byte of one task takes more instructions than a byte of another,
    /// it counts as taking the fewest; latencies and deadlines do not count.
    pub(super) fn together(&self, sides: &[Side]) -> Together {
        let AllTasks { model, weights, mean_instructions, .. } = self.all;
        let bytes = self.sizes_bytes.iter().sum();
        let Some(detailed) = model.detailed() else {
            let contention = model.contention().expect("devices share something");
            let own = &contention.own[self.device * model.places()..][..model.places()];
            let rate = |(rate, own): (&crate::tasks::cost::Rate, &OwnRate)| {
                (weights[0] * rate.energy_j_per_byte, own.send_s_per_byte + own.compute_s_per_byte)
            };
            let rates = model.rates(self.device).iter().zip(own).map(rate).collect();
            return Together { bytes, rates, units: vec![[1.0; 2]; sides.len()] };
        };
        let present = self.first_task().zip(self.sizes_bytes).filter(|(_, size)| **size > 0.0);
        let instructions = present.map(|(task, _)| model.instructions_per_byte(task));
        let [least, most] =
            instructions.fold([f64::INFINITY, 0.0], |[least, most], one: f64| [least.min(one), most.max(one)]);
        let least = if least.is_finite() { least } else { 0.0 };
        let rates = detailed.of_device(self.device).iter().map(|own| {
            let energy_j = own.send_j_per_byte + least * own.compute_j_per_instruction;
            (weights[0] * energy_j, own.send_s_per_byte + least * own.compute_s_per_instruction)
        });
        let unit = |side: &Side| {
            if side.is_bytes { [1.0; 2] } else { [least / mean_instructions, most / mean_instructions] }
        };
        Together { bytes, rates: rates.collect(), units: sides.iter().map(unit).collect() }
    }

    fn first_task(&self) -> std::ops::RangeFrom<usize> {
        self.device * self.all.model.tasks()..
    }
}
