//! Costs of whole decisions, one or many at a time.

use super::columns::Columns;
use super::rates::{Outcome, Rate};
use super::{Contention, CostModel};
use crate::limits::MAX_PLACES;
use crate::tasks::decision::Decision;
use crate::tasks::workload::Workload;

impl CostModel {
    /// Energy, time and cost of a decision, S(W, X).
    ///
    /// # Panics
    /// If workload, decision and model are of different shapes, or the decision names a place that is not there.
    pub fn evaluate(&self, workload: &Workload, decision: &Decision) -> Outcome {
        assert!(self.fits(workload) && decision.places().len() == self.task_count(), "shapes differ");
        self.outcome(workload.sizes_bytes(), decision.places())
    }

    /// Energy, time and cost of a decision from place indices. Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Panics
    /// If `places` names a place that is not there.
    pub fn outcome(&self, sizes_bytes: &[f64], places: &[u8]) -> Outcome {
        if let Some(detailed) = self.detailed() {
            return self.reported(&self.detailed_totals(detailed, sizes_bytes, places));
        }
        let (energy_j, time_s) = self.totals(sizes_bytes, places);
        let missed_deadlines = if self.has_deadlines() { self.missed_deadlines(sizes_bytes, places) } else { 0 };
        Outcome { energy_j, time_s, cost: self.weigh(energy_j, time_s), missed_deadlines }
    }

    /// The number of tasks that miss their deadlines, of a model that is not detailed.
    fn missed_deadlines(&self, sizes_bytes: &[f64], places: &[u8]) -> usize {
        let times_s = self.times_of(sizes_bytes, places);
        let rows = sizes_bytes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        let devices = rows.zip(times_s.chunks_exact(self.places())).enumerate();
        devices.map(|(device, (row, times_s))| self.missed_deadlines_of(device, row, times_s)).sum()
    }

    /// Energy, time and cost of one device's part of a decision, as [`CostModel::device_cost`].
    ///
    /// # Panics
    /// As [`CostModel::device_cost`].
    pub fn device_outcome(&self, device: usize, sizes_bytes: &[f64], places: &[u8]) -> Outcome {
        assert!(self.is_separable(), "what a device costs depends on the others");
        if let Some(detailed) = self.detailed() {
            return self.reported(&self.detailed_device_alone(detailed, device, (sizes_bytes, places)));
        }
        let mut times_s = [0.0; MAX_PLACES];
        let times_s = &mut times_s[..self.places()];
        let (energy_j, time_s) = device_outcome(self.rates(device), sizes_bytes, places, times_s);
        let missed_deadlines = self.missed_deadlines_of(device, (sizes_bytes, places), times_s);
        Outcome { energy_j, time_s, cost: self.weigh(energy_j, time_s), missed_deadlines }
    }

    /// The weighted cost α E + (1 − α) T, eq. (18).
    pub fn weigh(&self, energy_j: f64, time_s: f64) -> f64 {
        let alpha = self.alpha();
        alpha * energy_j + (1.0 - alpha) * time_s
    }

    /// E_total, eq. (17), and T_total, eq. (16): sums of the devices' energies and response times.
    fn totals(&self, sizes_bytes: &[f64], places: &[u8]) -> (f64, f64) {
        match (self.contention(), self.places()) {
            (None, ..=4) => self.separable_totals::<4>(sizes_bytes, places),
            (None, 5..=16) => self.separable_totals::<16>(sizes_bytes, places),
            (None, _) => self.separable_totals::<MAX_PLACES>(sizes_bytes, places),
            (Some(contention), _) => self.coupled_totals(contention, sizes_bytes, places),
        }
    }

    /// [`CostModel::totals`] where nothing is shared, of a model with at most `PLACES` places.
    fn separable_totals<const PLACES: usize>(&self, sizes_bytes: &[f64], places: &[u8]) -> (f64, f64) {
        let (mut energy_j, mut time_s) = (0.0, 0.0);
        let mut times_s = [0.0; PLACES];
        let rows = sizes_bytes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        for (device, (sizes, places)) in rows.enumerate() {
            let (energy, time) = device_outcome(self.rates(device), sizes, places, &mut times_s);
            energy_j += energy;
            time_s += time;
        }
        (energy_j, time_s)
    }

    /// [`CostModel::totals`] where something is shared.
    fn coupled_totals(&self, contention: &Contention, sizes_bytes: &[f64], places: &[u8]) -> (f64, f64) {
        let (mut energy_j, mut time_s) = (0.0, 0.0);
        let mut times_s = [0.0; MAX_PLACES];
        let times_s = &mut times_s[..self.places()];
        let loads = self.loads(sizes_bytes, places);
        let rows = sizes_bytes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        for (device, row) in rows.enumerate() {
            let (energy, time) = self.coupled_outcome(contention, &loads, device, row, times_s);
            energy_j += energy;
            time_s += time;
        }
        (energy_j, time_s)
    }

    /// The times at which each device is done at each place, in seconds, `[N][places]`; 0 where it has nothing.
    ///
    /// # Panics
    /// As [`CostModel::evaluate`].
    pub fn place_times(&self, workload: &Workload, decision: &Decision) -> Vec<f64> {
        assert!(self.fits(workload) && decision.places().len() == self.task_count(), "shapes differ");
        self.times_of(workload.sizes_bytes(), decision.places())
    }

    /// [`CostModel::place_times`] from sizes and place indices.
    fn times_of(&self, sizes: &[f64], places: &[u8]) -> Vec<f64> {
        let amounts = self.detailed().map(|detailed| (detailed, self.amounts(sizes, places)));
        let contention = self.contention().map(|contention| (contention, self.loads(sizes, places)));
        let mut times_s = vec![0.0; self.devices() * self.places()];
        let rows = sizes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        for (device, ((sizes, places), times_s)) in rows.zip(times_s.chunks_exact_mut(self.places())).enumerate() {
            if let Some((detailed, loads)) = &amounts {
                self.detailed_device(detailed, loads, device, (sizes, places), times_s);
                continue;
            }
            match &contention {
                None => {
                    device_outcome(self.rates(device), sizes, places, times_s);
                }
                Some((contention, loads)) => {
                    self.coupled_outcome(contention, loads, device, (sizes, places), times_s);
                }
            }
        }
        times_s
    }

    /// L_p, the bytes of all devices, of every place.
    pub(crate) fn loads(&self, sizes_bytes: &[f64], places: &[u8]) -> [f64; MAX_PLACES] {
        let mut loads = [0.0; MAX_PLACES];
        for (&bytes, &place) in sizes_bytes.iter().zip(places) {
            assert!(usize::from(place) < self.places(), "place {place} of {}", self.places());
            loads[usize::from(place)] += bytes;
        }
        loads
    }

    /// Energy and response time of one device with tasks of these sizes at these places, given all loads. Writes the time
    /// at which it is done at each place into `times_s`.
    #[inline]
    fn coupled_outcome(
        &self,
        contention: &Contention,
        loads: &[f64; MAX_PLACES],
        device: usize,
        (sizes_bytes, places): (&[f64], &[u8]),
        times_s: &mut [f64],
    ) -> (f64, f64) {
        times_s.fill(0.0);
        for (&bytes, &place) in sizes_bytes.iter().zip(places) {
            times_s[usize::from(place)] += bytes;
        }
        contention.outcome(device, self.rates(device), loads, times_s)
    }

    /// The cost of one device's part of a decision: α E_n + (1 − α) max(T_n), with the terms of [`CostModel::cost`] for missed
    /// deadlines and for ties. Allocates nothing.
    ///
    /// # Panics
    /// If the cost is not [separable](CostModel::is_separable), there is no such device, or `places` names a place that is
    /// not there.
    pub fn device_cost(&self, device: usize, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        assert!(self.is_separable(), "what a device costs depends on the others");
        self.separable_cost(device, sizes_bytes, places)
    }

    fn separable_cost(&self, device: usize, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        if let Some(detailed) = self.detailed() {
            let outcome = self.detailed_device_alone(detailed, device, (sizes_bytes, places));
            return self.detailed_objective(&outcome, self.lateness_price(device * self.tasks(), sizes_bytes));
        }
        // The accumulators live on the stack; only one for each place is cleared.
        let (energy_j, time_s) = match self.places() {
            1..=4 => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 4]),
            5..=16 => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 16]),
            count => device_outcome(self.rates(device), sizes_bytes, places, &mut [0.0; 256][..count]),
        };
        self.weigh(energy_j, time_s)
    }

    /// The cost of a whole decision from place indices, as schemes minimise it. Allocates nothing.
    ///
    /// It is the cost of [`CostModel::outcome`], except in a [detailed](CostModel::is_detailed) model. There, each missed
    /// deadline adds more than decisions can differ in otherwise if deadlines are hard, and where only energy or only time
    /// counts, a billionth of the other quantity is added, so that ties go to the better decision.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Panics
    /// If `places` names a place that is not there.
    pub fn cost(&self, sizes_bytes: &[f64], places: &[u8]) -> f64 {
        if let Some(detailed) = self.detailed() {
            let outcome = self.detailed_totals(detailed, sizes_bytes, places);
            return self.detailed_objective(&outcome, self.lateness_price(0, sizes_bytes));
        }
        if !self.is_separable() {
            let (energy_j, time_s) = self.totals(sizes_bytes, places);
            return self.weigh(energy_j, time_s);
        }
        let rows = sizes_bytes.chunks_exact(self.tasks()).zip(places.chunks_exact(self.tasks()));
        rows.enumerate().map(|(device, (sizes, places))| self.separable_cost(device, sizes, places)).sum()
    }

    /// The costs of one decision for each of many workloads, side by side: the same numbers as [`CostModel::cost`] at
    /// several times its speed. Allocates nothing. A [detailed](CostModel::is_detailed) model has no faster way than one
    /// workload after the other, and allocates.
    ///
    /// # Shapes
    /// `sizes_bytes` and `decisions` are `[N * M, costs.len()]`: one row for each task, one column for each workload.
    ///
    /// # Panics
    /// If the shapes differ, or a decision names a place that is not there.
    pub fn batch_costs(&self, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
        let row = self.tasks() * costs.len();
        assert_eq!((sizes_bytes.len(), decisions.len()), (self.devices() * row, self.devices() * row), "shapes differ");
        self.check_places(decisions);
        if self.is_detailed() {
            for_each_column((sizes_bytes, decisions), costs, |sizes, places| self.cost(sizes, places));
            return;
        }
        if let Some(contention) = self.contention() {
            let columns = Columns { sizes_bytes, places: decisions };
            columns.coupled_costs(self.tasks(), &self.state.rates, contention, self.alpha(), costs);
            return;
        }
        costs.fill(0.0);
        for device in 0..self.devices() {
            let part = device * row..(device + 1) * row;
            let columns = Columns { sizes_bytes: &sizes_bytes[part.clone()], places: &decisions[part] };
            self.add_columns(device, columns, costs);
        }
    }

    /// The costs of one device's part of many decisions, side by side: the same numbers as [`CostModel::device_cost`].
    /// Allocates nothing.
    ///
    /// # Shapes
    /// `sizes_bytes` and `decisions` are `[M, costs.len()]`: one row for each task, one column for each workload.
    ///
    /// # Panics
    /// If the cost is not [separable](CostModel::is_separable), there is no such device, the shapes differ, or a decision
    /// names a place that is not there.
    pub fn device_batch_costs(&self, device: usize, sizes_bytes: &[f64], decisions: &[u8], costs: &mut [f64]) {
        assert!(self.is_separable(), "what a device costs depends on the others");
        let count = self.tasks() * costs.len();
        assert_eq!((sizes_bytes.len(), decisions.len()), (count, count), "shapes differ");
        self.check_places(decisions);
        if self.is_detailed() {
            for_each_column((sizes_bytes, decisions), costs, |sizes, places| self.device_cost(device, sizes, places));
            return;
        }
        costs.fill(0.0);
        self.add_columns(device, Columns { sizes_bytes, places: decisions }, costs);
    }

    fn check_places(&self, decisions: &[u8]) {
        let highest = decisions.iter().copied().max().unwrap_or(0);
        assert!(usize::from(highest) < self.places(), "place {highest} of {}", self.places());
    }

    /// Adds one device's cost in each column to `costs`.
    fn add_columns(&self, device: usize, columns: Columns<'_>, costs: &mut [f64]) {
        let (rates, alpha) = (self.rates(device), self.alpha());
        match rates.len() {
            ..=2 => columns.add_costs::<2>(rates, alpha, costs),
            3 => columns.add_costs::<3>(rates, alpha, costs),
            4 => columns.add_costs::<4>(rates, alpha, costs),
            5..=8 => columns.add_costs::<8>(rates, alpha, costs),
            _ => columns.add_costs_one_by_one(rates, alpha, 0, costs),
        }
    }
}

/// Computes the cost of each column.
fn for_each_column(
    (sizes_bytes, decisions): (&[f64], &[u8]),
    costs: &mut [f64],
    mut cost_of: impl FnMut(&[f64], &[u8]) -> f64,
) {
    let count = costs.len();
    for (column, cost) in costs.iter_mut().enumerate() {
        let sizes: Vec<f64> = sizes_bytes[column..].iter().step_by(count).copied().collect();
        let places: Vec<u8> = decisions[column..].iter().step_by(count).copied().collect();
        *cost = cost_of(&sizes, &places);
    }
}

/// Energy and response time of one device: the sums of eqs. (5), (6), (10), (11), (14), (15), and the maximum of (16).
#[inline]
fn device_outcome(rates: &[Rate], sizes_bytes: &[f64], places: &[u8], times: &mut [f64]) -> (f64, f64) {
    outcome_of(rates, sizes_bytes.iter().copied().zip(places.iter().copied()), times)
}

/// Energy and response time of one device's tasks, given as size and place. `times` is scratch for one time per place.
#[inline]
pub(super) fn outcome_of(rates: &[Rate], tasks: impl Iterator<Item = (f64, u8)>, times: &mut [f64]) -> (f64, f64) {
    times.fill(0.0);
    let mut energy_j = 0.0;
    for (bytes, place) in tasks {
        let rate = &rates[usize::from(place)];
        energy_j += bytes * rate.energy_j_per_byte;
        times[usize::from(place)] += bytes * rate.time_s_per_byte;
    }
    (energy_j, times.iter().copied().fold(0.0, f64::max))
}
