//! What devices share in one environment, and how long they wait for each other.

use crate::limits::MAX_PLACES;

use super::rates::Rate;

/// What devices share in one environment. Device n, with b_np bytes at place p, is done there after
///
/// T_np = max(send_np b_np, link_p L_p, uplink L) + compute_np b_np + shared_p L_p,
///
/// with L_p the bytes of all devices at p, and L the bytes of all devices at all servers. A device without a byte at p
/// does not wait there. A shared link is split among its users in proportion to the bytes that they send, so that all
/// users finish at the same time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Contention {
    /// `[device][place]`.
    pub(crate) own: Vec<OwnRate>,
    /// `[place]`.
    pub(crate) shared: Vec<SharedRate>,
    /// Time for each byte of L; 0 if the uplinks are not shared.
    pub(crate) uplink_s_per_byte: f64,
}

/// The time of a byte of one device at one place that no other device changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OwnRate {
    pub(crate) send_s_per_byte: f64,
    pub(crate) compute_s_per_byte: f64,
}

/// The time that a byte of any device at one place costs every device with a byte there; 0 where nothing is shared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct SharedRate {
    pub(crate) compute_s_per_byte: f64,
    pub(crate) link_s_per_byte: f64,
}

impl Contention {
    /// Whether devices wait for each other at a place, or on the way to it.
    pub(crate) fn is_shared(&self, place: usize) -> bool {
        self.shared[place].compute_s_per_byte > 0.0 || self.has_shared_link(place)
    }

    /// Whether the way to a place goes through something shared.
    pub(crate) fn has_shared_link(&self, place: usize) -> bool {
        self.shared[place].link_s_per_byte > 0.0 || (place > 0 && self.uplink_s_per_byte > 0.0)
    }

    /// The time until which the shared links to a place are busy.
    pub(crate) fn links_s(&self, place: usize, load_bytes: f64, sent_bytes: f64) -> f64 {
        let uplink_s = if place > 0 { self.uplink_s_per_byte * sent_bytes } else { 0.0 };
        uplink_s.max(self.shared[place].link_s_per_byte * load_bytes)
    }

    /// Energy and response time of one device. `bytes_to_times` holds the device's bytes at each place and receives the
    /// time at which it is done there. `loads` are L_p of every place.
    pub(super) fn outcome(
        &self,
        device: usize,
        rates: &[Rate],
        loads: &[f64; MAX_PLACES],
        bytes_to_times: &mut [f64],
    ) -> (f64, f64) {
        let places = bytes_to_times.len();
        let sent = loads[1..places].iter().sum::<f64>();
        let (mut energy_j, mut longest_s) = (0.0, 0.0_f64);
        for (place, value) in bytes_to_times.iter_mut().enumerate() {
            let bytes = *value;
            energy_j += bytes * rates[place].energy_j_per_byte;
            if bytes > 0.0 {
                let OwnRate { send_s_per_byte, compute_s_per_byte } = self.own[device * places + place];
                *value = (bytes * send_s_per_byte).max(self.links_s(place, loads[place], sent))
                    + bytes * compute_s_per_byte
                    + self.shared[place].compute_s_per_byte * loads[place];
                longest_s = longest_s.max(*value);
            }
        }
        (energy_j, longest_s)
    }
}
