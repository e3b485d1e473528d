//! The cost where bytes alone do not tell it: servers have latencies, tasks differ in instructions per byte, or missed
//! deadlines cost something.
//!
//! Device n is done at place p after
//!
//! T_np = max(s_np b_np, l_p L_p, u L) + c_np v_np + C_p V_p + d_p m_np,
//!
//! with b_np the bytes, v_np the instructions and m_np the number of its tasks at p, L_p and V_p the bytes and instructions of
//! all devices there, L the bytes at all servers, and d_p the latency of p. Without latencies and with the same instructions
//! for each byte that is the time of [`CostModel::is_separable`].

use super::physics::{Physics, UNREACHABLE, link_s_per_byte};
use super::ties::ROUNDING;
use super::{CostModel, Outcome};
use crate::limits::MAX_PLACES;
use crate::tasks::environment::Environment;
use crate::tasks::scenario::DeadlineRule;
use crate::units::bytes_per_second_from_mbps;

/// The weight of the quantity that does not count, where α is 1 or 0: of decisions that cost the same, the one with less of it
/// is better.
const TIE_WEIGHT: f64 = 1e-9;

/// Rates of one device at one place, in seconds and joules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OwnTerms {
    pub(crate) send_s_per_byte: f64,
    pub(crate) compute_s_per_instruction: f64,
    pub(crate) send_j_per_byte: f64,
    pub(crate) compute_j_per_instruction: f64,
}

impl OwnTerms {
    /// The energy of sending and computing tasks.
    pub(crate) fn energy_j(&self, amount: &Amount) -> f64 {
        amount.bytes * self.send_j_per_byte + amount.instructions * self.compute_j_per_instruction
    }
}

/// What every task at a place waits for; 0 where nothing is shared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PlaceTerms {
    pub(crate) link_s_per_byte: f64,
    pub(crate) compute_s_per_instruction: f64,
    /// For each task of the device.
    pub(crate) latency_s: f64,
}

/// All rates of one environment, without those of bytes and of instructions being added up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Detailed {
    /// `[device][place]`.
    pub(crate) own: Vec<OwnTerms>,
    /// `[place]`.
    pub(crate) places: Vec<PlaceTerms>,
    /// Time for each byte at any server; 0 if the uplinks are not shared.
    pub(crate) uplink_s_per_byte: f64,
}

/// Tasks taken together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Amount {
    pub(crate) bytes: f64,
    pub(crate) instructions: f64,
    /// Tasks with bytes.
    pub(crate) tasks: u32,
}

impl Amount {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.instructions += other.instructions;
        self.tasks += other.tasks;
    }
}

/// Energy, response time and missed deadlines of one device.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct DeviceOutcome {
    pub(crate) energy_j: f64,
    pub(crate) time_s: f64,
    pub(crate) missed_deadlines: usize,
}

impl Detailed {
    pub(super) fn new(physics: &Physics, environment: &Environment) -> Self {
        let s_per_byte = |mbps: f64| 1.0 / bytes_per_second_from_mbps(mbps);
        let servers = || physics.servers.iter().zip(&environment.capacities);
        let mut places = vec![PlaceTerms::default()];
        places.extend(servers().map(|(server, capacity)| {
            if !physics.is_up(server, *capacity) {
                return PlaceTerms::default();
            }
            PlaceTerms {
                link_s_per_byte: link_s_per_byte(server.shared_link_mbps),
                compute_s_per_instruction: if server.is_shared {
                    server.compute_s_per_byte(1.0, *capacity)
                } else {
                    0.0
                },
                latency_s: server.latency_s,
            }
        }));
        let mut own = Vec::with_capacity(physics.local.len() * places.len());
        for (device, processor) in physics.local_processors.iter().enumerate() {
            own.push(OwnTerms {
                send_s_per_byte: 0.0,
                compute_s_per_instruction: processor.s_per_instruction,
                send_j_per_byte: 0.0,
                compute_j_per_instruction: processor.j_per_instruction,
            });
            let local = physics.local[device];
            own.extend(servers().map(|(server, capacity)| {
                let uplink_mbps = environment.uplinks_mbps[device];
                let transmit_j = physics.transmit_j_per_byte[device];
                match physics.own_link_mbps(server, *capacity, device, uplink_mbps) {
                    Some(mbps) => OwnTerms {
                        send_s_per_byte: s_per_byte(mbps),
                        compute_s_per_instruction: if server.is_shared {
                            0.0
                        } else {
                            server.compute_s_per_byte(1.0, *capacity)
                        },
                        send_j_per_byte: transmit_j,
                        compute_j_per_instruction: server.energy_j_per_instruction,
                    },
                    None => OwnTerms {
                        send_s_per_byte: UNREACHABLE * local.time_s_per_byte,
                        compute_s_per_instruction: 0.0,
                        send_j_per_byte: UNREACHABLE * local.energy_j_per_byte.max(transmit_j),
                        compute_j_per_instruction: UNREACHABLE * server.energy_j_per_instruction,
                    },
                }
            }));
        }
        let uplink_s_per_byte = link_s_per_byte(physics.shared_uplink_mbps);
        Self { own, places, uplink_s_per_byte }
    }

    /// The rates of one device, by place.
    pub(crate) fn of_device(&self, device: usize) -> &[OwnTerms] {
        &self.own[device * self.places.len()..][..self.places.len()]
    }

    /// The time until which the shared links to a place are busy.
    pub(crate) fn links_s(&self, place: usize, load_bytes: f64, sent_bytes: f64) -> f64 {
        let uplink_s = if place > 0 { self.uplink_s_per_byte * sent_bytes } else { 0.0 };
        uplink_s.max(self.places[place].link_s_per_byte * load_bytes)
    }

    /// The time at which a device with `amount` at a place is done there, with `load` of all devices there and `sent_bytes` at
    /// all servers; 0 if it has nothing there.
    pub(crate) fn done_s(&self, own: &OwnTerms, place: usize, amount: &Amount, load: &Amount, sent_bytes: f64) -> f64 {
        if amount.tasks == 0 {
            return 0.0;
        }
        (amount.bytes * own.send_s_per_byte).max(self.links_s(place, load.bytes, sent_bytes))
            + self.after_link_s(own, place, amount, load)
    }

    /// The part of [`Detailed::done_s`] that no link changes: computing, and latencies.
    pub(crate) fn after_link_s(&self, own: &OwnTerms, place: usize, amount: &Amount, load: &Amount) -> f64 {
        let terms = &self.places[place];
        amount.instructions * own.compute_s_per_instruction
            + load.instructions * terms.compute_s_per_instruction
            + f64::from(amount.tasks) * terms.latency_s
    }
}

impl CostModel {
    /// The rates of a model whose costs bytes alone do not tell: a server has a latency, tasks differ in instructions per byte,
    /// or missed deadlines cost something. `None` for all others.
    pub(crate) fn detailed(&self) -> Option<&Detailed> {
        self.state.detailed.as_deref()
    }

    /// Whether more than the bytes at each place tells the cost: a server has a latency, tasks differ in instructions per byte,
    /// or missed deadlines cost something. [`CostModel::rates`] and [`CostModel::time_terms`] then tell only a part of it.
    pub fn is_detailed(&self) -> bool {
        self.state.detailed.is_some()
    }

    /// The cost of a whole decision as it is reported, from place indices: that of [`CostModel::outcome`] in a
    /// [detailed](CostModel::is_detailed) model, else that of [`CostModel::cost`], which is the same but for rounding.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Panics
    /// If `places` names a place that is not there.
    pub fn reported_cost(&self, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        if self.is_detailed() { self.outcome(sizes_bytes, places).cost } else { self.cost(sizes_bytes, places) }
    }

    /// The weights of energy and time in what schemes minimise, in a detailed model.
    pub(crate) fn detailed_weights(&self) -> [f64; 2] {
        let alpha = self.alpha();
        [alpha.max(TIE_WEIGHT), (1.0 - alpha).max(TIE_WEIGHT)]
    }

    /// One task taken by itself.
    pub(crate) fn amount(&self, task: usize, bytes: f64) -> Amount {
        Amount { bytes, instructions: bytes * self.instructions_per_byte(task), tasks: u32::from(bytes > 0.0) }
    }

    /// What a missed deadline adds to the cost that schemes minimise. Where deadlines are hard, that is more than any two
    /// decisions that use only places within reach can differ in.
    ///
    /// # Shapes
    /// `sizes_bytes` is of the tasks from `first` on, of whole devices.
    pub(crate) fn lateness_price(&self, first: usize, sizes_bytes: &[f64]) -> f64 {
        let rule = self.deadline_rule();
        if rule != DeadlineRule::Hard || !self.has_deadlines() {
            return rule.penalty().unwrap_or(0.0);
        }
        let Some(detailed) = self.detailed() else { return 0.0 };
        let [energy_weight, time_weight] = self.detailed_weights();
        let mut all = Amount::default();
        for (task, bytes) in (first..).zip(sizes_bytes) {
            all.add(self.amount(task, *bytes));
        }
        let (mut most_j, mut longest_s) = (0.0_f64, 0.0_f64);
        let devices = first / self.tasks()..(first + sizes_bytes.len()) / self.tasks();
        for device in devices.clone() {
            for (place, own) in detailed.of_device(device).iter().enumerate() {
                if self.is_reachable(device, place as u8) {
                    most_j = most_j.max(own.energy_j(&all));
                    longest_s = longest_s.max(detailed.done_s(own, place, &all, &all, all.bytes));
                }
            }
        }
        let most = energy_weight * most_j + time_weight * longest_s * devices.len() as f64;
        2.0 * most.max(f64::MIN_POSITIVE)
    }

    /// A device's tasks at one place, given the sizes and places of its tasks.
    pub(crate) fn amount_at(&self, device: usize, place: usize, sizes_bytes: &[f64], places: &[u8]) -> Amount {
        let mut sum = Amount::default();
        for (task, (bytes, _)) in
            sizes_bytes.iter().zip(places).enumerate().filter(|(_, (_, at))| usize::from(**at) == place)
        {
            sum.add(self.amount(device * self.tasks() + task, *bytes));
        }
        sum
    }

    /// The bytes and instructions of all devices at each place, of a detailed model.
    pub(crate) fn amounts(&self, sizes_bytes: &[f64], places: &[u8]) -> [Amount; MAX_PLACES] {
        let mut loads = [Amount::default(); MAX_PLACES];
        for (task, (&bytes, &place)) in sizes_bytes.iter().zip(places).enumerate() {
            assert!(usize::from(place) < self.places(), "place {place} of {}", self.places());
            loads[usize::from(place)].add(self.amount(task, bytes));
        }
        loads
    }

    /// One device of a detailed model with tasks of these sizes at these places, given the loads of all devices. Writes the
    /// time at which it is done at each place into `times_s`.
    pub(super) fn detailed_device(
        &self,
        detailed: &Detailed,
        loads: &[Amount],
        device: usize,
        (sizes_bytes, places): (&[f64], &[u8]),
        times_s: &mut [f64],
    ) -> DeviceOutcome {
        let (own, first) = (detailed.of_device(device), device * self.tasks());
        let mut amounts = [Amount::default(); MAX_PLACES];
        let mut outcome = DeviceOutcome::default();
        for (task, (&bytes, &place)) in sizes_bytes.iter().zip(places).enumerate() {
            let (place, amount) = (usize::from(place), self.amount(first + task, bytes));
            outcome.energy_j += own[place].energy_j(&amount);
            amounts[place].add(amount);
        }
        let sent_bytes = loads[1..own.len()].iter().map(|load| load.bytes).sum();
        for (place, time_s) in times_s.iter_mut().enumerate() {
            *time_s = detailed.done_s(&own[place], place, &amounts[place], &loads[place], sent_bytes);
            outcome.time_s = outcome.time_s.max(*time_s);
        }
        outcome.missed_deadlines = self.missed_deadlines_of(device, (sizes_bytes, places), times_s);
        outcome
    }

    /// One device of a detailed model by itself: nothing is shared.
    pub(super) fn detailed_device_alone(
        &self,
        detailed: &Detailed,
        device: usize,
        (sizes_bytes, places): (&[f64], &[u8]),
    ) -> DeviceOutcome {
        let mut times_s = [0.0; MAX_PLACES];
        let loads = [Amount::default(); MAX_PLACES];
        self.detailed_device(detailed, &loads, device, (sizes_bytes, places), &mut times_s[..self.places()])
    }

    /// The number of tasks of one device that miss their deadlines, given the times at which the device is done at each place.
    pub(super) fn missed_deadlines_of(
        &self,
        device: usize,
        (sizes_bytes, places): (&[f64], &[u8]),
        times_s: &[f64],
    ) -> usize {
        let Some(demands) = &self.state.demands else { return 0 };
        let Some(deadlines_s) = demands.deadlines_s.get(device * self.tasks()..) else { return 0 };
        let tasks = sizes_bytes.iter().zip(places).zip(deadlines_s);
        let is_late = |((bytes, place), deadline_s): &((&f64, &u8), &f64)| {
            **bytes > 0.0 && is_late(times_s[usize::from(**place)], **deadline_s)
        };
        tasks.filter(is_late).count()
    }

    /// Sums of all devices of a detailed model.
    pub(super) fn detailed_totals(&self, detailed: &Detailed, sizes_bytes: &[f64], places: &[u8]) -> DeviceOutcome {
        let loads = self.amounts(sizes_bytes, places);
        let mut times_s = [0.0; MAX_PLACES];
        let mut sum = DeviceOutcome::default();
        let rows = sizes_bytes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        for (device, row) in rows.enumerate() {
            let one = self.detailed_device(detailed, &loads, device, row, &mut times_s[..self.places()]);
            sum.energy_j += one.energy_j;
            sum.time_s += one.time_s;
            sum.missed_deadlines += one.missed_deadlines;
        }
        sum
    }

    /// What schemes minimise in a detailed model. `price` is the [`CostModel::lateness_price`].
    pub(crate) fn detailed_objective(&self, outcome: &DeviceOutcome, price: f64) -> f64 {
        let [energy_weight, time_weight] = self.detailed_weights();
        energy_weight * outcome.energy_j + time_weight * outcome.time_s + price * outcome.missed_deadlines as f64
    }

    /// The outcome that is reported: α E + (1 − α) T, and the penalties where deadlines have penalties.
    pub(super) fn reported(&self, outcome: &DeviceOutcome) -> Outcome {
        let DeviceOutcome { energy_j, time_s, missed_deadlines } = *outcome;
        let penalties = self.deadline_rule().penalty().map_or(0.0, |penalty| penalty * missed_deadlines as f64);
        Outcome { energy_j, time_s, cost: self.weigh(energy_j, time_s) + penalties, missed_deadlines }
    }
}

/// Whether a task misses its deadline, by more than rounding.
pub(crate) fn is_late(done_s: f64, deadline_s: f64) -> bool {
    done_s > deadline_s * (1.0 + ROUNDING)
}
