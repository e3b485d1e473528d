//! The load of one device: its tasks placed so far, with their cost.

use crate::tasks::cost::Rate;

/// Energy and times of a partial decision for one device. Adding, moving and evaluating a task takes O(places).
#[derive(Debug, Clone)]
pub(super) struct Load<'m> {
    rates: &'m [Rate],
    alpha: f64,
    energy_j: f64,
    times_s: Vec<f64>,
}

impl<'m> Load<'m> {
    pub(super) fn new(rates: &'m [Rate], alpha: f64) -> Self {
        Self { rates, alpha, energy_j: 0.0, times_s: vec![0.0; rates.len()] }
    }

    /// Number of places.
    pub(super) fn places(&self) -> u8 {
        self.rates.len() as u8
    }

    pub(super) fn clear(&mut self) {
        self.energy_j = 0.0;
        self.times_s.fill(0.0);
    }

    pub(super) fn add(&mut self, bytes: f64, place: u8) {
        let rate = self.rates[usize::from(place)];
        self.energy_j += bytes * rate.energy_j_per_byte;
        self.times_s[usize::from(place)] += bytes * rate.time_s_per_byte;
    }

    pub(super) fn remove(&mut self, bytes: f64, place: u8) {
        self.add(-bytes, place);
    }

    pub(super) fn cost(&self) -> f64 {
        let time_s = self.times_s.iter().copied().fold(0.0, f64::max);
        self.alpha * self.energy_j + (1.0 - self.alpha) * time_s
    }

    /// The cost with one more task, which is not added.
    pub(super) fn cost_with(&mut self, bytes: f64, place: u8) -> f64 {
        let (energy_j, time_s) = (self.energy_j, self.times_s[usize::from(place)]);
        self.add(bytes, place);
        let cost = self.cost();
        (self.energy_j, self.times_s[usize::from(place)]) = (energy_j, time_s);
        cost
    }
}
