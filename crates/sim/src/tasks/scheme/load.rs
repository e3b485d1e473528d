//! The load of one device: its tasks placed so far, with their cost.

use std::borrow::Cow;

use crate::tasks::cost::{CostModel, Rate};

/// The places that one device can use. A [`Load`] counts them from 0, leaving out the others.
pub(super) struct UsablePlaces<'m> {
    rates: Cow<'m, [Rate]>,
    /// The place of each position in `rates`; empty if the device can use all places.
    places: Vec<u8>,
}

impl<'m> UsablePlaces<'m> {
    pub(super) fn of(model: &'m CostModel, device: usize) -> Self {
        let rates = model.rates(device);
        if model.is_all_reachable() {
            return Self { rates: Cow::Borrowed(rates), places: Vec::new() };
        }
        let places: Vec<u8> = model.reachable_places(device).collect();
        Self { rates: places.iter().map(|place| rates[usize::from(*place)]).collect(), places }
    }

    /// Their rates.
    pub(super) fn rates(&self) -> &[Rate] {
        &self.rates
    }

    /// Replaces positions among these places by the places.
    pub(super) fn name(&self, positions: &mut [u8]) {
        if !self.places.is_empty() {
            for position in positions {
                *position = self.places[usize::from(*position)];
            }
        }
    }

    /// Replaces places by their positions. A place that the device cannot use becomes the first.
    pub(super) fn number(&self, places: &mut [u8]) {
        if !self.places.is_empty() {
            let position = |place: u8| self.places.iter().position(|usable| *usable == place).unwrap_or(0);
            for place in places {
                *place = position(*place) as u8;
            }
        }
    }
}

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

    /// Whether only time counts.
    pub(super) fn counts_time_alone(&self) -> bool {
        self.alpha == 0.0
    }

    /// Energy of a byte at a place.
    pub(super) fn energy_j_per_byte(&self, place: u8) -> f64 {
        self.rates[usize::from(place)].energy_j_per_byte
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
