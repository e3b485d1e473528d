//! The part of a decision at each place of each device, and how long devices wait there.

use super::sums::LANES;
use crate::tasks::cost::CostModel;
use crate::tasks::cost::contention::{OwnRate, SharedRate};

/// The time at which a device is done at a place where it has nothing.
pub(super) const NEVER: f64 = f64::NEG_INFINITY;

/// The part of a decision at each place of each device. The width is the number of places, rounded up to one of `WIDTHS`
/// by places without anything.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) width: usize,
    padded: usize,
    /// `[N][width]`.
    pub(super) all: Vec<Part>,
    /// The time at which each device would be done if nothing were shared, [`NEVER`] where it has nothing. Padded for
    /// vectors: `[width][N rounded up to blocks of LANES]`.
    pub(super) alone_s: Vec<f64>,
    /// The time for which each device's bytes are computed, in the same layout.
    pub(super) compute_s: Vec<f64>,
}

/// The part of a decision at one place of one device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) bytes: f64,
    /// The number of tasks with bytes.
    pub(super) tasks: u32,
    pub(super) energy_j_per_byte: f64,
    /// The time of a byte if nothing is shared, for sending and computing.
    pub(super) alone_s_per_byte: f64,
    /// The time for computing a byte alone.
    pub(super) compute_s_per_byte: f64,
}

impl Part {
    /// The bytes that are left without one task of a size.
    #[inline]
    pub(super) fn bytes_without(&self, bytes: f64) -> f64 {
        if self.tasks == 1 && bytes > 0.0 { 0.0 } else { self.bytes - bytes }
    }
}

/// What is shared, by place, `[width]`.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) rates: Vec<SharedRate>,
    pub(super) uplink_s_per_byte: f64,
    /// Whether any link is shared.
    pub(super) has_links: bool,
    /// Whether devices wait for each other at a place.
    pub(super) keeps_waiting: Vec<bool>,
    /// The places where devices wait for each other.
    pub(super) places: Vec<u8>,
}

/// How long devices wait at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// The time until which shared links are busy.
    pub(super) links_s: f64,
    /// The time for which a shared server computes.
    pub(super) shared_s: f64,
}

/// How long devices wait at each place, as [`Wait`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits<const WIDTH: usize> {
    pub(super) links_s: [f64; WIDTH],
    pub(super) shared_s: [f64; WIDTH],
}

/// The larger of two times. `f64::max` takes three times as long, because it must handle NaN.
#[inline]
pub(super) fn later(one_s: f64, other_s: f64) -> f64 {
    if one_s > other_s { one_s } else { other_s }
}

/// L: the bytes at all servers.
pub(super) fn sent(loads: &[f64]) -> f64 {
    loads[1..].iter().sum()
}

impl Shared {
    pub(super) fn new(model: &CostModel, width: usize) -> Self {
        let mut shared = Self {
            rates: vec![SharedRate::default(); width],
            uplink_s_per_byte: 0.0,
            has_links: false,
            keeps_waiting: vec![false; width],
            places: Vec::new(),
        };
        let Some(contention) = model.contention() else { return shared };
        shared.uplink_s_per_byte = contention.uplink_s_per_byte;
        for (place, rate) in contention.shared.iter().enumerate() {
            shared.rates[place] = *rate;
            shared.has_links |= contention.has_shared_link(place);
            if contention.is_shared(place) {
                shared.keeps_waiting[place] = true;
                shared.places.push(place as u8);
            }
        }
        shared
    }

    /// The waits with these loads and a number of bytes at all servers.
    #[inline]
    pub(super) fn waits<const WIDTH: usize, const LINKS: bool>(
        &self,
        loads: &[f64; WIDTH],
        sent_bytes: f64,
    ) -> Waits<WIDTH> {
        let mut waits = Waits::NONE;
        let rates: &[SharedRate; WIDTH] = self.rates[..].try_into().expect("as wide");
        for place in 0..WIDTH {
            let uplink_s = self.uplink_s(place, sent_bytes);
            Wait { links_s: waits.links_s[place], shared_s: waits.shared_s[place] } =
                Wait::new::<LINKS>(rates[place], loads[place], uplink_s);
        }
        waits
    }

    /// The time until which the shared uplink on the way to a place is busy.
    #[inline]
    pub(super) fn uplink_s(&self, place: usize, sent_bytes: f64) -> f64 {
        if place > 0 { self.uplink_s_per_byte * sent_bytes } else { NEVER }
    }
}

impl Wait {
    /// The wait with a load at the place and a given [`Shared::uplink_s`].
    #[inline]
    pub(super) fn new<const LINKS: bool>(rate: SharedRate, load_bytes: f64, uplink_s: f64) -> Self {
        let links_s = if LINKS { later(rate.link_s_per_byte * load_bytes, uplink_s) } else { NEVER };
        Self { links_s, shared_s: rate.compute_s_per_byte * load_bytes }
    }

    /// T_np of a device with a number of bytes there; [`NEVER`] with none.
    #[inline]
    pub(super) fn done_s(self, part: &Part, bytes: f64, has_links: bool) -> f64 {
        let mut done_s = bytes * part.alone_s_per_byte;
        if has_links {
            done_s = later(done_s, bytes * part.compute_s_per_byte + self.links_s);
        }
        if bytes > 0.0 { done_s + self.shared_s } else { NEVER }
    }
}

impl<const WIDTH: usize> Waits<WIDTH> {
    /// No device waits.
    pub(super) const NONE: Self = Self { links_s: [NEVER; WIDTH], shared_s: [0.0; WIDTH] };

    /// The wait at one place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Wait {
        Wait { links_s: self.links_s[place], shared_s: self.shared_s[place] }
    }

    /// T_n of a device with these bytes at each place.
    #[inline]
    pub(super) fn longest_s(&self, parts: &[Part; WIDTH], bytes: &[f64; WIDTH], has_links: bool) -> f64 {
        let mut longest_s = 0.0_f64;
        for place in 0..WIDTH {
            longest_s = later(longest_s, self.at(place).done_s(&parts[place], bytes[place], has_links));
        }
        longest_s
    }

    /// T_n of a device with the bytes that it has.
    #[inline]
    pub(super) fn longest_as_is_s(&self, parts: &[Part; WIDTH], has_links: bool) -> f64 {
        self.longest_s(parts, &parts.map(|part| part.bytes), has_links)
    }
}

impl Parts {
    pub(super) fn new(model: &CostModel, width: usize) -> Self {
        let nothing =
            Part { bytes: 0.0, tasks: 0, energy_j_per_byte: 0.0, alone_s_per_byte: 0.0, compute_s_per_byte: 0.0 };
        let mut parts = vec![nothing; model.devices() * width];
        for (device, parts) in parts.chunks_exact_mut(width).enumerate() {
            for (place, (rate, part)) in model.rates(device).iter().zip(parts).enumerate() {
                let own = match model.contention() {
                    None => OwnRate { send_s_per_byte: 0.0, compute_s_per_byte: rate.time_s_per_byte },
                    Some(contention) => contention.own[device * model.places() + place],
                };
                part.energy_j_per_byte = rate.energy_j_per_byte;
                part.alone_s_per_byte = own.send_s_per_byte + own.compute_s_per_byte;
                part.compute_s_per_byte = own.compute_s_per_byte;
            }
        }
        let padded = model.devices().next_multiple_of(LANES);
        let length = width * padded;
        Self { width, padded, all: parts, alone_s: vec![NEVER; length], compute_s: vec![NEVER; length] }
    }

    pub(super) fn clear(&mut self) {
        for part in &mut self.all {
            (part.bytes, part.tasks) = (0.0, 0);
        }
        self.alone_s.fill(NEVER);
        self.compute_s.fill(NEVER);
    }

    #[inline]
    pub(super) fn of_device<const WIDTH: usize>(&self, device: usize) -> &[Part; WIDTH] {
        self.all[device * WIDTH..][..WIDTH].try_into().expect("as long as it says")
    }

    /// Adds bytes and tasks of a device to a place, or takes them away. Returns the energy that this adds.
    pub(super) fn change(&mut self, place: usize, device: usize, bytes: f64, tasks: i32) -> f64 {
        let part = &mut self.all[device * self.width + place];
        part.tasks = part.tasks.wrapping_add_signed(tasks);
        part.bytes = if part.tasks == 0 { 0.0 } else { part.bytes + bytes };
        let times = (part.bytes * part.alone_s_per_byte, part.bytes * part.compute_s_per_byte);
        let index = place * self.padded + device;
        (self.alone_s[index], self.compute_s[index]) = if part.bytes > 0.0 { times } else { (NEVER, NEVER) };
        bytes * part.energy_j_per_byte
    }
}
