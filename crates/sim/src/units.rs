//! Conversions between the units people write and SI units. Each is used once, where a value enters or leaves.

/// 1 MB = 10^6 bytes.
pub const BYTES_PER_MB: f64 = 1e6;

/// Sizes in MB (10^6 bytes) to bytes.
pub fn bytes_from_mb(mb: f64) -> f64 {
    mb * BYTES_PER_MB
}

/// Rates in Mbit/s to bytes per second.
pub fn bytes_per_second_from_mbps(mbps: f64) -> f64 {
    mbps * 1e6 / 8.0
}

/// Frequencies in MHz to Hz (instructions per second: the paper runs one a cycle).
pub fn hertz_from_mhz(mhz: f64) -> f64 {
    mhz * 1e6
}

/// Energies in nJ to J.
pub fn joules_from_nj(nj: f64) -> f64 {
    nj * 1e-9
}
