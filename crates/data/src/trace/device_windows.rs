//! Turns the windows of recorded devices into windows of a scenario's devices.

use super::drive::{Drive, Window};

/// The uplinks that a number of devices would have measured on a drive: the mean rates in windows of `window_s` seconds in
/// which all recorded devices have data.
///
/// If more devices were recorded, the first of them are taken, in the order of their names. If fewer were, each stands for
/// several, which see the drive at other times: the later ones run ahead by equal shares of it and go on at its beginning.
pub fn uplink_windows(drive: &Drive, devices: usize, window_s: f64) -> Vec<Window> {
    spread(&drive.windows(window_s), devices)
}

/// Computes the result of [`uplink_windows`] from the windows of the recorded devices.
pub(crate) fn spread(recorded: &[Window], devices: usize) -> Vec<Window> {
    let Some(width) = recorded.first().map(|window| window.mbps.len()) else { return Vec::new() };
    let ahead = recorded.len().div_ceil(devices.div_ceil(width));
    let mbps =
        |index: usize, device: usize| recorded[(index + device / width * ahead) % recorded.len()].mbps[device % width];
    let window = |(index, window): (usize, &Window)| Window {
        start_s: window.start_s,
        mbps: (0..devices).map(|device| mbps(index, device)).collect(),
    };
    recorded.iter().enumerate().map(window).collect()
}
