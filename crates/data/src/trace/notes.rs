//! Notes for users on a recording whose rates are about to be used.

use super::device_windows::unused_devices;
use super::drive::Drive;
use crate::bad_lines::counted;

/// The most names that a note lists.
const LISTED: usize = 20;

/// Notes on drives whose rates are averaged in windows of `window_s` seconds, each a sentence: which recorded devices are left
/// out if these are more than the scenario's `devices`, and which devices have samples at very uneven times. There is at
/// most one note of each kind.
pub fn notes(drives: &[Drive], devices: Option<usize>, window_s: f64) -> Vec<String> {
    let left_out = devices.and_then(|devices| left_out(drives, devices));
    left_out.into_iter().chain(uneven_spacing(drives, window_s)).collect()
}

fn left_out(drives: &[Drive], devices: usize) -> Option<String> {
    let mut larger = drives.iter().filter(|drive| drive.devices.len() > devices);
    let drive = larger.next()?;
    let unused = unused_devices(drive, devices);
    let names: Vec<&str> = unused.iter().take(LISTED).map(|device| device.device.as_str()).collect();
    let more = match unused.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = match larger.count() {
        0 => String::new(),
        others => format!("; {} also more than {devices}", has_or_have(others)),
    };
    Some(format!(
        "{} has {}, the scenario {devices}: left out are {}{more}{others}",
        drive.name,
        counted(drive.devices.len() as u64, "device"),
        names.join(", ")
    ))
}

fn has_or_have(others: usize) -> String {
    let verb = if others == 1 { "has" } else { "have" };
    format!("{} {verb}", counted(others as u64, "other drive"))
}

fn uneven_spacing(drives: &[Drive], window_s: f64) -> Option<String> {
    let devices = drives.iter().flat_map(|drive| drive.devices.iter().map(move |device| (drive, device)));
    let mut uneven = devices.filter_map(|(drive, device)| Some((drive, device, device.uneven_spacing_s(window_s)?)));
    let (drive, device, (shortest_s, longest_s)) = uneven.next()?;
    let others = match uneven.count() {
        0 => String::new(),
        others => format!(" (and of {})", counted(others as u64, "other device")),
    };
    Some(format!(
        "the times between samples of device {} in {}{others} differ tenfold or more, from {} s to {} s: each rate is \
         weighted by the time that it holds",
        device.device,
        drive.name,
        rounded(shortest_s),
        rounded(longest_s)
    ))
}

/// A number of seconds with three significant digits.
fn rounded(seconds: f64) -> f64 {
    format!("{seconds:.2e}").parse().unwrap_or(seconds)
}
