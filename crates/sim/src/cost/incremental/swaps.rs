//! What swaps of two tasks' places would cost.

use std::array::from_fn;

use super::parts::{NEVER, Part, Parts, Waits, later, sent};
use super::sums::LongestTimes;
use super::{IncrementalCost, MAX_PLACES};

/// What rounding adds must not hide a gain.
const ROUNDING: f64 = 1.0 + 1e-9;

/// The answer of [`IncrementalCost::first_swap`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstSwap {
    /// How many swaps were priced.
    pub evaluations: u64,
    /// Where in the list the other task stands, if there is one, and what the decision would cost.
    pub found: Option<(usize, f64)>,
}

/// Where devices wait longest.
#[derive(Debug, Clone)]
pub(super) struct Critical {
    pub(super) is_known: bool,
    /// When each device is done at each place, `[N][width]`.
    done_s: Vec<f64>,
    /// The place of each device, and for how many each place is that.
    places: Vec<u8>,
    counts: Vec<f64>,
}

impl Critical {
    pub(super) fn new(devices: usize, width: usize) -> Self {
        Self {
            is_known: false,
            done_s: vec![NEVER; devices * width],
            places: vec![0; devices],
            counts: vec![0.0; width],
        }
    }

    #[inline]
    fn done_s_of<const WIDTH: usize>(&self, device: usize) -> &[f64; WIDTH] {
        self.done_s[device * WIDTH..][..WIDTH].try_into().expect("as long as it says")
    }

    fn find<const WIDTH: usize>(&mut self, parts: &Parts, waits: &Waits<WIDTH>) {
        self.counts.fill(0.0);
        let rows = self.done_s.chunks_exact_mut(WIDTH).zip(&mut self.places);
        for (device, (done_s, longest)) in rows.enumerate() {
            let parts = parts.of_device::<WIDTH>(device);
            *longest = 0;
            for (place, part) in parts.iter().enumerate() {
                done_s[place] = waits.done_s(place, part, part.bytes, false);
                if done_s[place] > done_s[usize::from(*longest)] {
                    *longest = place as u8;
                }
            }
            self.counts[usize::from(*longest)] += 1.0;
        }
        self.is_known = true;
    }
}

/// What all swaps of one task have in common, where no link is shared: enough to see in a few steps that most of them
/// gain nothing.
#[derive(Debug, Clone, Copy)]
struct SwapsOf<const WIDTH: usize> {
    device: usize,
    place: usize,
    bytes: f64,
    rates_s: [f64; WIDTH],
    waits_s: [f64; WIDTH],
    /// The energy of all but the other task's change, by the place that it leaves.
    energy_j: [f64; WIDTH],
    /// When the task's device would be done, by the other's place: there and here, but for the time of the other's bytes,
    /// and elsewhere.
    there_s: [f64; WIDTH],
    here_s: f64,
    elsewhere_s: [f64; WIDTH],
    /// T_n of all other devices.
    others_s: f64,
    /// How many others wait longest at each place.
    waiting: [f64; WIDTH],
}

impl<const WIDTH: usize> SwapsOf<WIDTH> {
    fn new(priced: &IncrementalCost<'_>, task: usize) -> Self {
        let (device, place) = (priced.devices[task] as usize, usize::from(priced.places[task]));
        let bytes = priced.sizes_bytes[task];
        let parts = priced.parts.of_device::<WIDTH>(device);
        let mut rates_s = [0.0; WIDTH];
        rates_s.copy_from_slice(&priced.shared.compute_s_per_byte);
        let loads = priced.copied_loads::<WIDTH>();
        let mut waiting = [0.0; WIDTH];
        waiting.copy_from_slice(&priced.critical.counts);
        waiting[usize::from(priced.critical.places[device])] -= 1.0;
        let done_s = priced.critical.done_s_of::<WIDTH>(device);
        let left_bytes = if parts[place].tasks == 1 { 0.0 } else { parts[place].bytes - bytes };
        let here_s = left_bytes * parts[place].alone_s_per_byte + rates_s[place] * (loads[place] - bytes);
        Self {
            device,
            place,
            bytes,
            rates_s,
            waits_s: from_fn(|place| rates_s[place] * loads[place]),
            energy_j: parts
                .map(|part| priced.energy_j + bytes * (part.energy_j_per_byte - parts[place].energy_j_per_byte)),
            there_s: from_fn(|there| {
                let Part { bytes: own, alone_s_per_byte, .. } = parts[there];
                (own + bytes) * alone_s_per_byte + rates_s[there] * (loads[there] + bytes)
            }),
            here_s: if left_bytes > 0.0 { here_s } else { NEVER },
            elsewhere_s: from_fn(|there| longest_but(done_s, place, there)),
            others_s: priced.time_s - priced.longest_s[device],
            waiting,
        }
    }

    /// What the decision would cost at least if another task changed places with this one: both devices are looked at, and
    /// any other takes at least as long as it would at the place where it took longest before.
    #[inline]
    fn least_cost(&self, priced: &IncrementalCost<'_>, other: usize) -> f64 {
        let (device, bytes) = (priced.devices[other] as usize, priced.sizes_bytes[other]);
        let (here, there) = (self.place, usize::from(priced.places[other]));
        // Devices wait nowhere for tasks without bytes.
        if device == self.device || bytes.min(self.bytes) <= 0.0 {
            return NEVER;
        }
        let parts = priced.parts.of_device::<WIDTH>(device);
        let energy_j = self.energy_j[there] + bytes * (parts[here].energy_j_per_byte - parts[there].energy_j_per_byte);
        let (here_rate_s, there_rate_s) = (self.rates_s[here], self.rates_s[there]);
        let own_s = later(
            self.elsewhere_s[there],
            later(self.there_s[there] - there_rate_s * bytes, self.here_s + here_rate_s * bytes),
        );
        let more_bytes = self.bytes - bytes;
        let left_bytes = if parts[there].tasks == 1 { 0.0 } else { parts[there].bytes - bytes };
        let there_s = left_bytes * parts[there].alone_s_per_byte + self.waits_s[there] + there_rate_s * more_bytes;
        let here_s =
            (parts[here].bytes + bytes) * parts[here].alone_s_per_byte + self.waits_s[here] - here_rate_s * more_bytes;
        let there_s = if left_bytes > 0.0 { there_s } else { NEVER };
        let elsewhere_s = longest_but(priced.critical.done_s_of::<WIDTH>(device), here, there);
        let others_s = later(elsewhere_s, later(here_s, there_s));
        let critical = usize::from(priced.critical.places[device]);
        let waiting = |place: usize| self.waiting[place] - f64::from(u8::from(critical == place));
        let raised_s = more_bytes * (there_rate_s * waiting(there) - here_rate_s * waiting(here));
        let time_s = self.others_s - priced.longest_s[device] + own_s + others_s + raised_s;
        priced.model.weigh(energy_j, time_s)
    }
}

/// When a device is done at all places but two.
#[inline]
fn longest_but<const WIDTH: usize>(done_s: &[f64; WIDTH], here: usize, there: usize) -> f64 {
    let mut longest_s = 0.0_f64;
    for place in 0..WIDTH {
        longest_s = later(longest_s, if place == here || place == there { NEVER } else { done_s[place] });
    }
    longest_s
}

impl IncrementalCost<'_> {
    /// What the decision would cost with the places of two tasks swapped; `None` if O(places) steps show that it would
    /// not be less than `below`.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap_cost(&mut self, task: usize, other: usize, below: f64) -> Option<f64> {
        if self.places[task] == self.places[other] {
            return Some(self.cost());
        }
        of_width!(self.find_swap_cost(task, other, below))
    }

    /// The first of some other tasks, with which a task would change places so that the decision would cost less than
    /// `below`. Each is priced, in turn, but those at the task's own place, and at most so many.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn first_swap(&mut self, task: usize, others: &[usize], below: f64, most: u64) -> FirstSwap {
        of_width!(self.find_first_swap(task, others, below, most))
    }

    fn find_swap_cost<const WIDTH: usize, const LINKS: bool>(
        &mut self,
        task: usize,
        other: usize,
        below: f64,
    ) -> Option<f64> {
        let swaps = self.swaps_of::<WIDTH>(task);
        if swaps.is_some_and(|swaps| swaps.least_cost(self, other) >= below * ROUNDING) {
            return None;
        }
        Some(self.price_swap::<WIDTH, LINKS>(task, other))
    }

    fn find_first_swap<const WIDTH: usize, const LINKS: bool>(
        &mut self,
        task: usize,
        others: &[usize],
        below: f64,
        most: u64,
    ) -> FirstSwap {
        let swaps = self.swaps_of::<WIDTH>(task);
        let place = self.places[task];
        let mut evaluations = 0;
        for (index, &other) in others.iter().enumerate() {
            if self.places[other] == place {
                continue;
            }
            if evaluations == most {
                break;
            }
            evaluations += 1;
            if swaps.is_some_and(|swaps| swaps.least_cost(self, other) >= below * ROUNDING) {
                continue;
            }
            let cost = self.price_swap::<WIDTH, LINKS>(task, other);
            if cost < below {
                return FirstSwap { evaluations, found: Some((index, cost)) };
            }
        }
        FirstSwap { evaluations, found: None }
    }

    /// `None` where there is no such bound, or none is needed.
    fn swaps_of<const WIDTH: usize>(&mut self, task: usize) -> Option<SwapsOf<WIDTH>> {
        if self.model.is_separable() || self.shared.has_links {
            return None;
        }
        if !self.critical.is_known {
            let loads = self.copied_loads::<WIDTH>();
            self.critical.find(&self.parts, &self.shared.waits(&loads, sent(&loads)));
        }
        Some(SwapsOf::new(self, task))
    }

    fn price_swap<const WIDTH: usize, const LINKS: bool>(&mut self, task: usize, other: usize) -> f64 {
        let (device, others) = (self.devices[task] as usize, self.devices[other] as usize);
        let (bytes, others_bytes) = (self.sizes_bytes[task], self.sizes_bytes[other]);
        let (place, others_place) = (usize::from(self.places[task]), usize::from(self.places[other]));
        let Parts { alone_s, compute_s, .. } = &self.parts;
        let (parts, others_parts) = (self.parts.of_device::<WIDTH>(device), self.parts.of_device::<WIDTH>(others));
        let energy_j = self.energy_j
            + bytes * (parts[others_place].energy_j_per_byte - parts[place].energy_j_per_byte)
            + others_bytes * (others_parts[place].energy_j_per_byte - others_parts[others_place].energy_j_per_byte);
        let mut loads = self.copied_loads::<WIDTH>();
        loads[place] += others_bytes - bytes;
        loads[others_place] += bytes - others_bytes;
        let waits = &self.shared.waits(&loads, sent(&loads));
        // What both have then.
        let mut own = parts.map(|part| part.bytes);
        let new_s = if device == others {
            own[place] += others_bytes - bytes;
            own[others_place] += bytes - others_bytes;
            waits.longest_s(parts, &own, LINKS)
        } else {
            let mut theirs = others_parts.map(|part| part.bytes);
            own[place] = if parts[place].tasks == 1 { 0.0 } else { own[place] - bytes };
            own[others_place] += bytes;
            theirs[others_place] =
                if others_parts[others_place].tasks == 1 { 0.0 } else { theirs[others_place] - others_bytes };
            theirs[place] += others_bytes;
            waits.longest_s(parts, &own, LINKS) + waits.longest_s(others_parts, &theirs, LINKS)
        };
        // Of both, as they are.
        let both =
            |time: &dyn Fn(usize) -> f64| if device == others { time(device) } else { time(device) + time(others) };
        if self.model.is_separable() {
            let old_s = both(&|device| waits.longest_as_is_s(self.parts.of_device::<WIDTH>(device), LINKS));
            return self.model.weigh(energy_j, self.time_s + (new_s - old_s));
        }
        let longest_s = &mut self.lowered_s;
        let sum_s = self.arch.dispatch(LongestTimes::<WIDTH, LINKS> { alone_s, compute_s, waits, longest_s });
        let counted_s = both(&|device| self.lowered_s[device]);
        self.model.weigh(energy_j, sum_s + (new_s - counted_s))
    }
}
