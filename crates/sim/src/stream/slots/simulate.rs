//! The simulator: one scheme on one path.

use super::assign::Assigner;
use super::error::SlotSchemeError;
use super::path::SlotPath;
use super::queue::Queue;
use super::scheme::{Observation, Order, SlotScheme};

/// What a run took and what it cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SlotOutcome {
    /// α · energy per arrived file + (1 − α) · mean delay of a byte + price of late files · their share.
    pub cost: f64,
    /// The energy of all slots, and what is charged for data left at the end or dropped, in J.
    pub energy_j: f64,
    /// The energy over the number of arrived files, in J.
    pub energy_per_file_j: f64,
    /// The energy over the length of the path, in W.
    pub mean_power_w: f64,
    /// The mean delay of a byte by Little's law, ∫ backlog dt over arrived bytes, in seconds.
    pub mean_delay_s: f64,
    /// The number of arrived files, dropped ones included.
    pub files: usize,
    /// The mean time from the arrival of a file to the end of the slot in which its last byte is sent, in seconds.
    /// Files that are not sent count with their time until the end of the path; dropped ones do not count.
    pub mean_file_delay_s: f64,
    /// The largest of these times.
    pub largest_file_delay_s: f64,
    /// Files whose deadline came before their last byte was sent.
    pub missed_deadlines: usize,
    /// Bytes that left over the fallback.
    pub fallback_bytes: f64,
    /// Files that did not fit into the queue.
    pub dropped_files: usize,
    /// Their bytes.
    pub dropped_bytes: f64,
    /// Bytes in the queue at the end.
    pub left_bytes: f64,
    /// Slots in which a link sent something.
    pub sending_slots: usize,
}

/// What happened in a slot, for a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotRecord<'p> {
    /// The slot.
    pub slot: usize,
    /// The rate of each link, in bytes per second.
    pub bytes_per_s: &'p [f64],
    /// Bytes of the files that arrive in the slot and fit into the queue.
    pub arrived_bytes: f64,
    /// Bytes in the queue before anything is sent.
    pub backlog_bytes: f64,
    /// Bytes sent over each link.
    pub sent_bytes: &'p [f64],
    /// Bytes that left over the fallback.
    pub fallback_bytes: f64,
    /// The energy of the slot, in J.
    pub energy_j: f64,
}

/// Called once a slot.
pub type SlotTrace<'t> = &'t mut dyn FnMut(&SlotRecord<'_>);

/// Runs a scheme along a path.
///
/// In each slot files arrive first, then data whose deadline has come goes over the fallback, then the scheme decides
/// and links send, each at most its rate times the slot. A link that sends x of what it could send takes x of the slot
/// and as much energy; while the rate is 0 nothing is sent and no energy is taken. The backlog falls evenly over a
/// slot.
///
/// # Errors
/// If the scheme cannot decide this path.
pub fn simulate<S: SlotScheme + ?Sized>(
    path: &SlotPath,
    scheme: &mut S,
    mut trace: Option<SlotTrace<'_>>,
) -> Result<SlotOutcome, SlotSchemeError> {
    scheme.reset(path)?;
    let flush_from = if scheme.plans_the_end() { path.slots() } else { path.flush_from() };
    let mut run = Run::new(path);
    for slot in 0..path.slots() {
        let arrived_bytes = run.receive(slot);
        let backlog_bytes = run.backlog;
        let (energy_before, fallback_before) = (run.energy_j, run.outcome.fallback_bytes);
        if run.has_deadlines {
            run.send_late(slot);
        }
        if run.backlog > 0.0 {
            run.decide(slot, scheme, slot >= flush_from);
            run.send(slot);
        } else {
            run.stay_idle();
        }
        run.backlog_s += 0.5 * (backlog_bytes + run.backlog) * run.slot_s;
        if let Some(trace) = trace.as_deref_mut() {
            trace(&SlotRecord {
                slot,
                bytes_per_s: path.rates(slot),
                arrived_bytes,
                backlog_bytes,
                sent_bytes: &run.sent,
                fallback_bytes: run.outcome.fallback_bytes - fallback_before,
                energy_j: run.energy_j - energy_before,
            });
        }
    }
    Ok(run.finish())
}

/// Power and tail of a link.
struct Radio {
    power_w: f64,
    tail_w: f64,
    tail_s: f64,
}

/// The state of a run. All memory is taken before the first slot.
struct Run<'p> {
    path: &'p SlotPath,
    slot_s: f64,
    queue_limit: f64,
    has_deadlines: bool,
    next_file: usize,
    queues: Vec<Queue>,
    radios: Vec<Radio>,
    /// Of each application; what schemes see.
    backlogs: Vec<f64>,
    ages_s: Vec<f64>,
    idle_s: Vec<f64>,
    orders: Vec<Order>,
    sent: Vec<f64>,
    assigner: Assigner,
    backlog: f64,
    backlog_s: f64,
    energy_j: f64,
    outcome: SlotOutcome,
}

impl<'p> Run<'p> {
    fn new(path: &'p SlotPath) -> Self {
        let settings = path.problem().settings();
        let mut counts = vec![0; path.problem().applications()];
        path.files().iter().for_each(|file| counts[file.application] += 1);
        let deadline =
            |index: usize| settings.applications[index].deadline_s.map(|s| (s / settings.slot_s - 1e-9).ceil());
        let queues = counts.iter().enumerate().map(|(index, count)| Queue::new(*count, deadline(index))).collect();
        let radios = settings.links.iter().map(|link| Radio {
            power_w: link.power_w,
            tail_w: link.tail.map_or(0.0, |tail| tail.power_w),
            tail_s: link.tail.map_or(0.0, |tail| tail.length_s),
        });
        Self {
            path,
            slot_s: settings.slot_s,
            queue_limit: settings.queue_limit_bytes,
            has_deadlines: settings.applications.iter().any(|application| application.deadline_s.is_some()),
            next_file: 0,
            queues,
            radios: radios.collect(),
            backlogs: vec![0.0; counts.len()],
            ages_s: vec![0.0; counts.len()],
            idle_s: vec![f64::INFINITY; settings.links.len()],
            orders: vec![Order::WAIT; settings.links.len()],
            sent: vec![0.0; settings.links.len()],
            assigner: Assigner::new(path),
            backlog: 0.0,
            backlog_s: 0.0,
            energy_j: 0.0,
            outcome: SlotOutcome::default(),
        }
    }

    /// Takes in the files that arrive in a slot, and returns the bytes of those that fit.
    fn receive(&mut self, slot: usize) -> f64 {
        let mut arrived_bytes = 0.0;
        while let Some(file) = self.path.files().get(self.next_file).filter(|file| file.slot == slot) {
            self.next_file += 1;
            if self.backlog + file.bytes > self.queue_limit {
                self.outcome.dropped_files += 1;
                self.outcome.dropped_bytes += file.bytes;
            } else {
                self.queues[file.application].push(slot, file.bytes);
                self.backlog += file.bytes;
                arrived_bytes += file.bytes;
            }
        }
        arrived_bytes
    }

    /// Counts files whose deadline has come, and sends them over the fallback.
    fn send_late(&mut self, slot: usize) {
        let fallback = self.path.problem().settings().fallback;
        let mut capacity = fallback.map_or(0.0, |fallback| fallback.bytes_per_s * self.slot_s);
        for queue in &mut self.queues {
            let Some(late) = queue.late_bytes(slot) else { continue };
            let bytes = late.min(capacity);
            if let Some(fallback) = fallback
                && bytes > 0.0
            {
                capacity -= bytes;
                queue.send(bytes, slot);
                self.energy_j += fallback.energy_j_per_byte * bytes;
                self.outcome.fallback_bytes += bytes;
            }
        }
        if self.outcome.fallback_bytes > 0.0 {
            self.backlog = self.queues.iter().map(|queue| queue.backlog).sum();
        }
    }

    fn decide<S: SlotScheme + ?Sized>(&mut self, slot: usize, scheme: &mut S, is_flush: bool) {
        for ((queue, backlog), age_s) in self.queues.iter().zip(&mut self.backlogs).zip(&mut self.ages_s) {
            *backlog = queue.backlog;
            *age_s = queue.oldest().map_or(0.0, |oldest| (slot - oldest) as f64 * self.slot_s);
        }
        let now = Observation {
            slot,
            backlog_bytes: &self.backlogs,
            oldest_age_s: &self.ages_s,
            bytes_per_s: self.path.rates(slot),
            recent_bytes_per_s: self.path.recent_rates(slot),
            idle_s: &self.idle_s,
            queues: &self.queues,
            slot_s: self.slot_s,
        };
        if is_flush {
            self.assigner.assign(&now, &mut self.orders, |_| true);
        } else {
            scheme.decide(&now, &mut self.orders);
        }
    }

    /// Sends what the orders say, and charges the energy of the slot.
    fn send(&mut self, slot: usize) {
        let (rates, slot_s) = (self.path.rates(slot), self.slot_s);
        let mut has_sent = false;
        for (link, radio) in self.radios.iter().enumerate() {
            let order = &mut self.orders[link];
            let mut bytes = 0.0;
            if let Some(queue) = self.queues.get_mut(order.application) {
                let capacity = rates[link] * slot_s;
                bytes = capacity.min(queue.backlog).min(order.most_bytes);
                if bytes > 0.0 {
                    let busy_s = if bytes == capacity { slot_s } else { slot_s * (bytes / capacity) };
                    self.energy_j += radio.power_w * busy_s + radio.tail_w * (slot_s - busy_s).min(radio.tail_s);
                    self.backlog -= queue.send(bytes, slot);
                    has_sent = true;
                }
            }
            *order = Order::WAIT;
            self.sent[link] = bytes;
            if bytes > 0.0 {
                self.idle_s[link] = 0.0;
            } else {
                self.energy_j += radio.tail_w * (radio.tail_s - self.idle_s[link]).clamp(0.0, slot_s);
                self.idle_s[link] += slot_s;
            }
        }
        if has_sent {
            self.outcome.sending_slots += 1;
            if self.queues.iter().all(|queue| queue.backlog == 0.0) {
                self.backlog = 0.0;
            }
        }
    }

    /// A slot without data: only radios in their tail take energy.
    fn stay_idle(&mut self) {
        for ((radio, idle_s), sent) in self.radios.iter().zip(&mut self.idle_s).zip(&mut self.sent) {
            self.energy_j += radio.tail_w * (radio.tail_s - *idle_s).clamp(0.0, self.slot_s);
            *idle_s += self.slot_s;
            *sent = 0.0;
        }
    }

    fn finish(mut self) -> SlotOutcome {
        let (files, slots) = (self.path.files().len(), self.path.slots());
        let mut outcome = self.outcome;
        let (mut delays, mut count) = (0.0, 0);
        for queue in &mut self.queues {
            outcome.left_bytes += queue.backlog;
            queue.end(slots);
            delays += queue.delay_slots * self.slot_s;
            count += queue.files();
            outcome.largest_file_delay_s = outcome.largest_file_delay_s.max(queue.largest_delay_slots * self.slot_s);
            outcome.missed_deadlines += queue.missed;
        }
        let prices = self.path.prices();
        outcome.files = files;
        outcome.energy_j = self.energy_j + prices.left_j_per_byte * (outcome.left_bytes + outcome.dropped_bytes);
        outcome.energy_per_file_j = outcome.energy_j / files.max(1) as f64;
        outcome.mean_power_w = outcome.energy_j / (slots as f64 * self.slot_s);
        let arrived = self.path.arrived_bytes();
        outcome.mean_delay_s = if arrived > 0.0 { self.backlog_s / arrived } else { 0.0 };
        outcome.mean_file_delay_s = delays / count.max(1) as f64;
        outcome.cost = prices.per_joule * outcome.energy_j
            + prices.per_byte_s * self.backlog_s
            + prices.per_late_file * outcome.missed_deadlines as f64;
        outcome
    }
}
