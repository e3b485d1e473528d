//! Workloads: the task sizes of one moment.

use crate::limits::MAX_SIZE_MB;
use crate::units::{BYTES_PER_MB, bytes_from_mb};

/// Whether a number of bytes can be the size of a task: from 0 to [`MAX_SIZE_MB`], with a margin for the rounding of sizes
/// that are drawn up to there. Schemes need not end on others.
pub fn is_size(bytes: f64) -> bool {
    (0.0..=MAX_SIZE_MB * BYTES_PER_MB * (1.0 + 1e-9)).contains(&bytes)
}

/// Places tasks without bytes, which are absent, at their devices.
///
/// # Shapes
/// `sizes_bytes` and `places` are `[N * M]`.
pub fn keep_absent(sizes_bytes: &[f64], places: &mut [u8]) {
    let tasks = sizes_bytes.iter().zip(places);
    tasks.filter(|(bytes, _)| **bytes == 0.0).for_each(|(_, place)| *place = 0);
}

/// The number of tasks with bytes; the others are absent. Budgets and cost evaluations count these alone.
pub fn present_tasks(sizes_bytes: &[f64]) -> u64 {
    sizes_bytes.iter().filter(|bytes| **bytes > 0.0).count() as u64
}

/// **W**: the sizes of N × M tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    tasks: usize,
    sizes_bytes: Box<[f64]>,
}

impl Workload {
    /// A workload from sizes in bytes, device by device.
    ///
    /// # Panics
    /// If their number is not a multiple of `tasks`, the number of tasks per device, or one of them is not
    /// [`is_size`].
    pub fn from_bytes(tasks: usize, sizes_bytes: impl Into<Box<[f64]>>) -> Self {
        let sizes_bytes = sizes_bytes.into();
        assert!(
            tasks > 0 && sizes_bytes.len().is_multiple_of(tasks),
            "{} sizes are no rows of {tasks}",
            sizes_bytes.len()
        );
        assert!(sizes_bytes.iter().copied().all(is_size), "a size is negative, too large or no number");
        Self { tasks, sizes_bytes }
    }

    /// A workload from sizes in MB, device by device.
    ///
    /// # Panics
    /// If their number is not a multiple of `tasks`, the number of tasks per device, or one of them is negative, above
    /// [`MAX_SIZE_MB`] or no number.
    pub fn from_mb(tasks: usize, sizes_mb: &[f64]) -> Self {
        Self::from_bytes(tasks, sizes_mb.iter().copied().map(bytes_from_mb).collect::<Vec<_>>())
    }

    /// N, the number of devices.
    pub fn devices(&self) -> usize {
        self.sizes_bytes.len() / self.tasks
    }

    /// M, the number of tasks per device.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// All sizes, device by device: entry `n * M + m` is w_nm.
    pub fn sizes_bytes(&self) -> &[f64] {
        &self.sizes_bytes
    }

    /// Replaces every size, in order, without allocating.
    ///
    /// # Panics
    /// If a new size is not [`is_size`].
    pub fn refill(&mut self, mut next_bytes: impl FnMut() -> f64) {
        for size in &mut self.sizes_bytes {
            *size = next_bytes();
            assert!(is_size(*size), "a size is negative, too large or no number");
        }
    }
}
