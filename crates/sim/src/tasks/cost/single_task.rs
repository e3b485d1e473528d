//! Single tasks: the energy of one, its time while no other task is there, and whether it misses its deadline.

use super::{CostModel, is_late};

impl CostModel {
    /// The energy of a task of this size at a place, in joules. The energy of a decision is the sum over its tasks.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn single_task_energy_j(&self, task: usize, bytes: f64, place: usize) -> f64 {
        let device = task / self.tasks();
        match self.detailed() {
            None => bytes * self.rates(device)[place].energy_j_per_byte,
            Some(detailed) => detailed.of_device(device)[place].energy_j(&self.amount(task, bytes)),
        }
    }

    /// The time of a task of this size at a place while no other task is anywhere, in seconds.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn single_task_time_s(&self, task: usize, bytes: f64, place: usize) -> f64 {
        let device = task / self.tasks();
        let Some(detailed) = self.detailed() else { return bytes * self.rates(device)[place].time_s_per_byte };
        let amount = self.amount(task, bytes);
        let sent_bytes = if place > 0 { bytes } else { 0.0 };
        detailed.done_s(&detailed.of_device(device)[place], place, &amount, &amount, sent_bytes)
    }

    /// Whether a task misses its deadline if its device is done at the task's place at this time, as
    /// [`CostModel::place_times`] tells it.
    ///
    /// # Panics
    /// If there is no such task.
    pub fn misses_deadline(&self, task: usize, done_s: f64) -> bool {
        is_late(done_s, self.deadline_s(task))
    }
}
