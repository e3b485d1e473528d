//! `mahimahi`: the milliseconds at which packets of 1500 bytes may leave, in order.
//!
//! Packets are counted by the second and never kept. Seconds without a packet are samples of 0. Such traces are meant to be
//! repeated, and the last time is their period. If the last second is not full, its rate is computed from the part of it that
//! the file holds. A trace of less than a second is repeated until the second is over. The packets at the last time count
//! in the second that ends with it.

use std::io::Read;

use super::data_lines::each_data_line;
use super::drive::{Hold, Sample};
use crate::bad_lines::{Quantity, Reason};
use crate::limits::MAX_RATE_MBPS;
use crate::lines::{LineContent, Lines, ReadCounts, Stop};

const BITS_PER_PACKET: f64 = 1500.0 * 8.0;

/// The most packets of one second.
const MAX_PACKETS: u64 = (MAX_RATE_MBPS * 1e6 / BITS_PER_PACKET) as u64;

/// The longest time without a packet. Anything longer is a slip, and would be a sample of 0 for each of its seconds.
const MAX_SILENCE_MS: u64 = 24 * 60 * 60 * 1000;

/// The samples of a file, one for each second from 0, and how long they hold.
pub(super) fn read<R: Read>(lines: &mut Lines<R>, counts: &mut ReadCounts) -> Result<(Vec<Sample>, Hold), Stop> {
    let mut samples = Vec::new();
    let mut before_ms = 0;
    let mut packets = 0_u64;
    each_data_line(lines, counts, |_, line| {
        let ms = milliseconds(line)?;
        follows(before_ms, ms)?;
        before_ms = ms;
        // The seconds that ended before this packet.
        let finished = (ms / 1000) as usize - samples.len();
        for _ in 0..finished {
            samples.push(Sample { t_s: samples.len() as f64, mbps: mbps(packets, 1.0) });
            packets = 0;
        }
        if packets == MAX_PACKETS {
            return Err(Reason::TooLarge(Quantity::Rate));
        }
        packets += 1;
        Ok(LineContent::Samples(finished))
    })?;
    let rest_s = (before_ms - 1000 * samples.len() as u64) as f64 / 1000.0;
    let hold = |last_s| Hold::Fixed { each_s: 1.0, last_s };
    match samples.last_mut() {
        // Without a period there is no rate.
        None if rest_s == 0.0 => {
            counts.left_out += packets;
            return Ok((samples, hold(1.0)));
        }
        Some(last) if rest_s == 0.0 => {
            last.mbps = (last.mbps + mbps(packets, 1.0)).min(MAX_RATE_MBPS);
            return Ok((samples, hold(1.0)));
        }
        _ => {}
    }
    counts.room = counts.room.checked_sub(1).ok_or(Stop::TooMany)?;
    let is_repeated = samples.is_empty();
    samples.push(Sample { t_s: samples.len() as f64, mbps: mbps(packets, rest_s) });
    Ok((samples, hold(if is_repeated { 1.0 } else { rest_s })))
}

/// The rate of packets that leave in some seconds.
fn mbps(packets: u64, seconds: f64) -> f64 {
    (packets as f64 * BITS_PER_PACKET / 1e6 / seconds).min(MAX_RATE_MBPS)
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
