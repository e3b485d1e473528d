//! `mahimahi`: the milliseconds at which packets of 1500 bytes may leave, in order.
//!
//! Packets are counted by the second and never kept. Seconds without a packet are samples of 0. The last second is not
//! over when the file ends; its packets are left out.

use std::io::Read;

use super::drive::Sample;
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop};

const BITS_PER_PACKET: f64 = 1500.0 * 8.0;

/// The most packets of one second.
const MAX_PACKETS: u64 = (MAX_RATE_MBPS * 1e6 / BITS_PER_PACKET) as u64;

/// The longest time without a packet. Anything longer is a slip, and would be a sample of 0 for each of its seconds.
const MAX_SILENCE_MS: u64 = 24 * 60 * 60 * 1000;

/// The samples of a file, one for each full second from 0.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<Vec<Sample>, Stop> {
    let mut samples = Vec::new();
    let mut before_ms = 0;
    let mut packets = 0_u64;
    counts.each_line(lines, |_, line| {
        let ms = milliseconds(line)?;
        follows(before_ms, ms)?;
        before_ms = ms;
        // The seconds that ended before this packet.
        let finished = (ms / 1000) as usize - samples.len();
        for _ in 0..finished {
            samples.push(Sample { t_s: samples.len() as f64, mbps: packets as f64 * BITS_PER_PACKET / 1e6 });
            packets = 0;
        }
        if packets == MAX_PACKETS {
            return Err(Reason::TooLarge(Quantity::Rate));
        }
        packets += 1;
        Ok(LineContent::Samples(finished))
    })?;
    counts.left_out += packets;
    Ok(samples)
}

/// The time of a packet.
pub(super) fn milliseconds(line: &str) -> Result<u64, Reason> {
    line.parse().map_err(|_| Reason::NotMilliseconds)
}

/// Whether a packet may leave at `ms` after one at `before_ms`.
pub(super) fn follows(before_ms: u64, ms: u64) -> Result<(), Reason> {
    match ms.checked_sub(before_ms) {
        None => Err(Reason::Backwards),
        Some(silence_ms) if silence_ms > MAX_SILENCE_MS => Err(Reason::Jump),
        Some(_) => Ok(()),
    }
}
