//! Fixed probabilities for places.

use super::{OffloadingCost, OffloadingError, OffloadingProblem};

/// Levels of a queue; beyond them its distribution is that of the last levels.
const LEVELS: usize = 20_000;

type Matrix = Vec<Vec<f64>>;

impl OffloadingProblem {
    /// The means if each task goes to a place with a fixed probability, whatever the queues are: each place is an M/M/1 queue
    /// whose rate of service follows the channel, solved by its matrix-geometric distribution, without limit on its length.
    /// `None` if a queue grows without end.
    ///
    /// # Errors
    /// If the probabilities are no distribution.
    pub fn split(&self, shares: &[f64]) -> Result<Option<OffloadingCost>, OffloadingError> {
        let fits = shares.iter().all(|share| *share >= 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9;
        if shares.len() != self.places().len() || !fits {
            return Err(OffloadingError::Shares { places: self.places().len() });
        }
        let (mut power_w, mut tasks) = (0.0, 0.0);
        for (place, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let Some((power, length)) = self.place_alone(place, share * self.arrivals_per_s()) else {
                return Ok(None);
            };
            power_w += power;
            tasks += length;
        }
        let (energy_j, response_s) = (power_w / self.arrivals_per_s(), tasks / self.arrivals_per_s());
        Ok(Some(OffloadingCost { cost: self.cost_of(energy_j, response_s), energy_j, response_s, dropped_share: 0.0 }))
    }

    /// All tasks at one place.
    ///
    /// # Errors
    /// If there is no such place.
    pub fn only(&self, place: usize) -> Result<Option<OffloadingCost>, OffloadingError> {
        let share = |other: usize| f64::from(u8::from(place == other));
        self.split(&(0..self.places().len()).map(share).collect::<Vec<_>>())
    }

    /// Every place equally likely.
    ///
    /// # Errors
    /// None: equal probabilities are a distribution.
    pub fn random(&self) -> Result<Option<OffloadingCost>, OffloadingError> {
        let places = self.places().len();
        self.split(&vec![1.0 / places as f64; places])
    }

    /// Mean power in watts and mean number of tasks.
    fn place_alone(&self, place: usize, arrivals_per_s: f64) -> Option<(f64, f64)> {
        if arrivals_per_s >= self.mean_tasks_per_s(place) {
            return None;
        }
        let at = &self.places()[place];
        let ratio = self.level_ratio(place, arrivals_per_s)?;
        // The channel does not depend on the queue: π₀ (I − R)⁻¹, the sum of all levels, is its shares.
        let states = at.power_w.len();
        let rest: Matrix = (0..states)
            .map(|row| (0..states).map(|column| f64::from(u8::from(row == column)) - ratio[row][column]).collect())
            .collect();
        let shares = self.channel_shares();
        let empty = times(&shares, &rest);
        let inverse = inverse(rest)?;
        // Σ n π₀ Rⁿ = π₀ R (I − R)⁻² = shares R (I − R)⁻¹.
        let tasks: f64 = times(&times(&shares, &ratio), &inverse).iter().sum();
        let busy = shares.iter().zip(&empty).map(|(share, empty)| share - empty);
        let power_w: f64 = busy.zip(&at.power_w).map(|(busy, power_w)| busy * power_w).sum();
        (tasks.is_finite() && tasks > 0.0).then_some((power_w, tasks))
    }

    /// R: the expected time with one task more, over the time with a number of tasks.
    fn level_ratio(&self, place: usize, arrivals_per_s: f64) -> Option<Matrix> {
        let at = &self.places()[place];
        let (states, stays) = (at.power_w.len(), self.mean_stay_s());
        let mut ratio: Matrix = vec![vec![0.0; states]; states];
        for _ in 0..LEVELS {
            // R ← λ (−A₁ − R A₂)⁻¹.
            let mut matrix: Matrix = vec![vec![0.0; states]; states];
            for (row, entries) in matrix.iter_mut().enumerate() {
                for (column, entry) in entries.iter_mut().enumerate() {
                    let leaves = if row == column {
                        let switches = if states > 1 { 1.0 / stays[row] } else { 0.0 };
                        arrivals_per_s + at.tasks_per_s[row] + switches
                    } else {
                        -1.0 / (stays[row] * (states - 1) as f64)
                    };
                    *entry = leaves - ratio[row][column] * at.tasks_per_s[column];
                }
            }
            let mut next = inverse(matrix)?;
            next.iter_mut().flatten().for_each(|entry| *entry *= arrivals_per_s);
            let change: f64 = next.iter().flatten().zip(ratio.iter().flatten()).map(|(a, b)| (a - b).abs()).sum();
            ratio = next;
            if change < 1e-15 {
                break;
            }
        }
        Some(ratio)
    }
}

fn times(row: &[f64], matrix: &Matrix) -> Vec<f64> {
    let mut result = vec![0.0; row.len()];
    for (factor, entries) in row.iter().zip(matrix) {
        result.iter_mut().zip(entries).for_each(|(sum, entry)| *sum += factor * entry);
    }
    result
}

/// The inverse, by elimination with the largest entry of a column first; `None` if there is none.
fn inverse(mut matrix: Matrix) -> Option<Matrix> {
    let size = matrix.len();
    for (index, row) in matrix.iter_mut().enumerate() {
        row.extend((0..size).map(|column| f64::from(u8::from(index == column))));
    }
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        matrix.swap(column, pivot);
        let head = matrix[column][column];
        if head == 0.0 {
            return None;
        }
        matrix[column].iter_mut().for_each(|entry| *entry /= head);
        let row = matrix[column].clone();
        for (_, other) in matrix.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = other[column];
            other.iter_mut().zip(&row).for_each(|(entry, of_pivot)| *entry -= factor * of_pivot);
        }
    }
    Some(matrix.into_iter().map(|mut row| row.split_off(size)).collect())
}
