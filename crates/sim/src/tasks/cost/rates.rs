//! The units in which costs are given: per byte, and per decision.

/// The cost of one byte at one place, for one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Energy to send and to compute it: eqs. (4), (9), (13).
    pub energy_j_per_byte: f64,
    /// Time to send and to compute it: eqs. (3), (8), (12).
    pub time_s_per_byte: f64,
}

/// The time of one byte of a device at a place, split into sending, computing and shared resources. All fields are in
/// seconds per byte. Terms of shared resources are 0 where the resource is not shared. See
/// [`CostModel::is_separable`](super::CostModel::is_separable) for the formula that contains these terms.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimeTerms {
    /// s: sending a byte of the device's own.
    pub send: f64,
    /// c: computing a byte of the device's own, where the place is not shared. Where nothing at all is shared, sending is
    /// included.
    pub compute: f64,
    /// l: every byte of any device on the shared link to the place.
    pub shared_link: f64,
    /// u: every byte of any device on the shared uplink.
    pub shared_uplink: f64,
    /// C: every byte of any device at the shared place.
    pub shared_compute: f64,
}

/// Energy, time and weighted cost of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// E_total, eq. (17).
    pub energy_j: f64,
    /// T_total, eq. (16).
    pub time_s: f64,
    /// S(W, X), eq. (18), and the penalties of missed deadlines where they have penalties.
    pub cost: f64,
    /// The number of tasks that miss their deadlines.
    pub missed_deadlines: usize,
}

impl Outcome {
    /// Worse than the outcome of any decision.
    pub const WORST: Self =
        Self { energy_j: f64::INFINITY, time_s: f64::INFINITY, cost: f64::INFINITY, missed_deadlines: usize::MAX };
}
