//! Prices of decisions that differ in one or two tasks.

use pulp::{Simd, WithSimd};

use super::CostModel;
use super::physics::{Contention, OwnRate};

/// Stands for a task that has no place yet.
const NOWHERE: u8 = u8::MAX;

/// Sums over devices have so many terms side by side, whatever the processor's vectors, so that all give the same.
const LANES: usize = 8;

/// When a device is done at a place where it has nothing.
const NEVER: f64 = f64::NEG_INFINITY;

/// The cost of a decision that changes task by task. What a move would cost takes O(places) where nothing is shared;
/// where something is, devices are looked at besides, side by side in vectors.
///
/// ```
/// use sim::{IncrementalCost, Scenario, Workload};
/// let model = Scenario::load("shared-edge")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let mut priced = IncrementalCost::new(&model);
/// priced.set(workload.sizes_bytes(), &[1; 9]);
/// let mut costs = [0.0; 3];
/// priced.move_costs(4, &mut costs); // of task 4 at each place, the others staying where they are
/// priced.place(4, 2);
/// assert!((priced.cost() - costs[2]).abs() < 1e-9 * costs[2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct IncrementalCost<'m> {
    model: &'m CostModel,
    arch: pulp::Arch,
    sizes_bytes: Vec<f64>,
    places: Vec<u8>,
    /// Bytes of all devices at each place, and how many tasks these are.
    loads: Vec<f64>,
    load_counts: Vec<u32>,
    energy_j: f64,
    times: Times,
    waits: Vec<Wait>,
    /// Σ T_n.
    time_s: f64,
    /// Scratch of what is only tried: T_n without the task that is asked about, `[stride]`, loads and waits.
    others_s: Vec<f64>,
    trial_loads: Vec<f64>,
    trial_waits: Vec<Wait>,
    /// Where each device waits longest, and for how many devices each place is that; found when it is asked for.
    critical: Vec<u8>,
    critical_counts: Vec<u32>,
    is_critical_known: bool,
}

/// What each device has at each place, `[places][stride]`, stride being N up to whole [`LANES`].
#[derive(Debug, Clone)]
struct Times {
    stride: usize,
    bytes: Vec<f64>,
    counts: Vec<u32>,
    /// When the device would be done if nothing were shared; [`NEVER`] if it has nothing there.
    alone_s: Vec<f64>,
    /// How long it computes of that.
    compute_s: Vec<f64>,
    /// T_n, `[stride]`.
    longest_s: Vec<f64>,
}

/// What a place keeps everyone waiting for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wait {
    /// Until when its links are busy; [`NEVER`] if none is shared.
    links_s: f64,
    /// How long the shared server computes.
    compute_s: f64,
}

/// A device's part of a place before a change that is only tried.
#[derive(Debug, Clone, Copy)]
struct Part {
    index: usize,
    alone_s: f64,
    compute_s: f64,
}

impl<'m> IncrementalCost<'m> {
    /// Of decisions for one model; no task has a size or a place yet.
    pub fn new(model: &'m CostModel) -> Self {
        let (stride, places) = (model.devices().next_multiple_of(LANES), model.places());
        let times = Times {
            stride,
            bytes: vec![0.0; places * stride],
            counts: vec![0; places * stride],
            alone_s: vec![NEVER; places * stride],
            compute_s: vec![NEVER; places * stride],
            longest_s: vec![0.0; stride],
        };
        Self {
            model,
            arch: pulp::Arch::new(),
            sizes_bytes: vec![0.0; model.task_count()],
            places: vec![NOWHERE; model.task_count()],
            loads: vec![0.0; places],
            load_counts: vec![0; places],
            energy_j: 0.0,
            times,
            waits: vec![Wait { links_s: NEVER, compute_s: 0.0 }; places],
            time_s: 0.0,
            others_s: vec![0.0; stride],
            trial_loads: vec![0.0; places],
            trial_waits: vec![Wait { links_s: NEVER, compute_s: 0.0 }; places],
            critical: vec![0; stride],
            critical_counts: vec![0; places],
            is_critical_known: false,
        }
    }

    /// Takes over sizes, no task having a place: the cost is that of the tasks which are placed from now on.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn start(&mut self, sizes_bytes: &[f64]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.fill(NOWHERE);
        self.clear();
        self.sum_up();
    }

    /// Takes over sizes and a whole decision.
    ///
    /// # Panics
    /// If they are not `[N * M]`, or the decision names a place that is not there.
    pub fn set(&mut self, sizes_bytes: &[f64], places: &[u8]) {
        self.sizes_bytes.copy_from_slice(sizes_bytes);
        self.places.copy_from_slice(places);
        self.clear();
        for (task, &place) in places.iter().enumerate() {
            self.give(task, place);
        }
        self.sum_up();
    }

    fn clear(&mut self) {
        self.loads.fill(0.0);
        self.load_counts.fill(0);
        self.energy_j = 0.0;
        self.times.bytes.fill(0.0);
        self.times.counts.fill(0);
        self.times.alone_s.fill(NEVER);
        self.times.compute_s.fill(NEVER);
    }

    /// The cost of the decision as it is.
    pub fn cost(&self) -> f64 {
        self.model.weigh(self.energy_j, self.time_s)
    }

    /// The decision as it is; a task that has no place yet is at 255.
    pub fn places(&self) -> &[u8] {
        &self.places
    }

    /// The bytes of all devices at each place.
    pub fn loads_bytes(&self) -> &[f64] {
        &self.loads
    }

    /// T_n of each device.
    pub fn times_s(&self) -> &[f64] {
        &self.times.longest_s[..self.model.devices()]
    }

    /// Moves one task, or gives it its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn place(&mut self, task: usize, place: u8) {
        let from = self.places[task];
        if from != place {
            self.take(task, from);
            self.give(task, place);
            self.places[task] = place;
            self.sum_up_after(&[task]);
        }
    }

    /// Swaps the places of two tasks.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap(&mut self, task: usize, other: usize) {
        let (place, others) = (self.places[task], self.places[other]);
        if place != others {
            self.take(task, place);
            self.take(other, others);
            self.give(task, others);
            self.give(other, place);
            (self.places[task], self.places[other]) = (others, place);
            self.sum_up_after(&[task, other]);
        }
    }

    /// What the decision would cost with one task at each place, the others staying where they are.
    ///
    /// # Shapes
    /// `costs` is `[places]`.
    ///
    /// # Panics
    /// If there is no such task, or the shapes differ.
    pub fn move_costs(&mut self, task: usize, costs: &mut [f64]) {
        assert_eq!(costs.len(), self.loads.len(), "one cost for each place");
        let from = self.places[task];
        let lifted = self.lift(task);
        for (place, cost) in (0_u8..).zip(costs.iter_mut()) {
            *cost = if place == from { self.cost() } else { self.cost_at(task, place, &lifted) };
        }
        self.put_back(&lifted);
    }

    /// What the decision would cost with one task elsewhere, or at its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn move_cost(&mut self, task: usize, place: u8) -> f64 {
        if self.places[task] == place {
            return self.cost();
        }
        let lifted = self.lift(task);
        let cost = self.cost_at(task, place, &lifted);
        self.put_back(&lifted);
        cost
    }

    /// What the decision would cost with the places of two tasks swapped; `None` if O(places) steps show that it would
    /// not be less than `below`.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap_cost(&mut self, task: usize, other: usize, below: f64) -> Option<f64> {
        let (place, others_place) = (self.places[task], self.places[other]);
        if place == others_place {
            return Some(self.cost());
        }
        let (device, others) = (task / self.model.tasks(), other / self.model.tasks());
        let (bytes, others_bytes) = (self.sizes_bytes[task], self.sizes_bytes[other]);
        let mut try_change =
            |place, device, bytes, tasks| self.times.try_change(self.model, place, device, bytes, tasks);
        let parts = if device == others {
            let parts = [
                try_change(place, device, others_bytes - bytes, 0),
                try_change(others_place, device, bytes - others_bytes, 0),
            ];
            [parts[0], parts[1], parts[0], parts[1]]
        } else {
            [
                try_change(place, device, -bytes, -1),
                try_change(others_place, device, bytes, 1),
                try_change(others_place, others, -others_bytes, -1),
                try_change(place, others, others_bytes, 1),
            ]
        };
        let joules = |device: usize, place: u8| self.model.rates(device)[usize::from(place)].energy_j_per_byte;
        let energy_j = self.energy_j
            + bytes * (joules(device, others_place) - joules(device, place))
            + others_bytes * (joules(others, place) - joules(others, others_place));
        self.trial_loads.copy_from_slice(&self.loads);
        self.trial_loads[usize::from(place)] += others_bytes - bytes;
        self.trial_loads[usize::from(others_place)] += bytes - others_bytes;
        let time_s = self.swapped_time([device, others], [place, others_place], energy_j, below);
        parts.iter().rev().for_each(|part| self.times.undo(part));
        time_s.map(|time_s| self.model.weigh(energy_j, time_s))
    }

    /// Σ T_n with changed parts and trial loads.
    fn swapped_time(&mut self, [device, other]: [usize; 2], places: [u8; 2], energy_j: f64, below: f64) -> Option<f64> {
        let contention = self.model.contention();
        if let Some(contention) = contention {
            find_waits(contention, &self.trial_loads, &mut self.trial_waits);
        }
        let mut least_s = self.time_s + self.times.longest_of(device, &self.trial_waits) - self.times.longest_s[device];
        if other != device {
            least_s += self.times.longest_of(other, &self.trial_waits) - self.times.longest_s[other];
        }
        let Some(contention) = contention else { return Some(least_s) };
        if !(1..self.loads.len()).any(|place| contention.has_shared_link(place)) {
            // Any other device takes at least as long as it would at the place where it took longest before.
            if !self.is_critical_known {
                self.find_critical();
            }
            for place in places {
                let here = |device: usize| u32::from(self.critical[device] == place);
                let own = if other == device { here(device) } else { here(device) + here(other) };
                let waiting = self.critical_counts[usize::from(place)] - own;
                let place = usize::from(place);
                least_s += f64::from(waiting) * (self.trial_waits[place].compute_s - self.waits[place].compute_s);
            }
            // What rounding adds must not hide a gain.
            if self.model.weigh(energy_j, least_s) >= below * (1.0 + 1e-9) {
                return None;
            }
        }
        Some(self.arch.dispatch(Longest {
            times: &self.times,
            waits: &self.trial_waits,
            longest_s: &mut self.others_s,
        }))
    }

    /// Takes a task off its place for a while: the sum of T_n without it.
    fn lift(&mut self, task: usize) -> Lifted {
        let (device, bytes, from) = (task / self.model.tasks(), self.sizes_bytes[task], self.places[task]);
        let part = (from != NOWHERE).then(|| self.times.try_change(self.model, from, device, -bytes, -1));
        self.trial_loads.copy_from_slice(&self.loads);
        let mut energy_j = self.energy_j;
        if from != NOWHERE {
            self.trial_loads[usize::from(from)] -= bytes;
            energy_j -= bytes * self.model.rates(device)[usize::from(from)].energy_j_per_byte;
        }
        let time_s = if let Some(contention) = self.model.contention() {
            find_waits(contention, &self.trial_loads, &mut self.trial_waits);
            let longest_s = &mut self.others_s;
            self.arch.dispatch(Longest { times: &self.times, waits: &self.trial_waits, longest_s })
        } else {
            self.others_s[device] = self.times.longest_of(device, &self.trial_waits);
            self.time_s - self.times.longest_s[device] + self.others_s[device]
        };
        Lifted { part, energy_j, time_s }
    }

    fn put_back(&mut self, lifted: &Lifted) {
        if let Some(part) = &lifted.part {
            self.times.undo(part);
        }
    }

    /// The cost with a lifted task at a place.
    fn cost_at(&mut self, task: usize, place: u8, lifted: &Lifted) -> f64 {
        let (device, bytes, index) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        let energy_j = lifted.energy_j + bytes * self.model.rates(device)[index].energy_j_per_byte;
        let without_s = self.others_s[device];
        let Some(contention) = self.model.contention().filter(|contention| contention.is_shared(index)) else {
            let part = self.times.try_change(self.model, place, device, bytes, 1);
            let there_s = self.times.done_s(index, device, &self.trial_waits[index]);
            self.times.undo(&part);
            return self.model.weigh(energy_j, lifted.time_s + (there_s.max(without_s) - without_s));
        };
        if contention.uplink_s_per_byte > 0.0 {
            // All who send anything anywhere wait longer.
            self.trial_loads[index] += bytes;
            let part = self.times.try_change(self.model, place, device, bytes, 1);
            find_waits(contention, &self.trial_loads, &mut self.trial_waits);
            let time_s = self.arch.dispatch(Sum { times: &self.times, waits: &self.trial_waits });
            self.times.undo(&part);
            self.trial_loads[index] -= bytes;
            find_waits(contention, &self.trial_loads, &mut self.trial_waits);
            return self.model.weigh(energy_j, time_s);
        }
        let wait = wait_at(contention, index, self.trial_loads[index] + bytes, 0.0);
        let others = MoreAt { times: &self.times, place: index, wait, longest_s: &self.others_s };
        let time_s = self.arch.dispatch(others);
        let counted_s = without_s.max(self.times.done_s(index, device, &wait));
        let part = self.times.try_change(self.model, place, device, bytes, 1);
        let there_s = self.times.done_s(index, device, &wait);
        self.times.undo(&part);
        self.model.weigh(energy_j, time_s + (there_s.max(without_s) - counted_s))
    }

    fn give(&mut self, task: usize, place: u8) {
        let (device, bytes, index) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.energy_j += bytes * self.model.rates(device)[index].energy_j_per_byte;
        self.loads[index] += bytes;
        self.load_counts[index] += 1;
        self.times.change(self.model, place, device, bytes, 1);
    }

    fn take(&mut self, task: usize, place: u8) {
        if place == NOWHERE {
            return;
        }
        let (device, bytes, index) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.energy_j -= bytes * self.model.rates(device)[index].energy_j_per_byte;
        self.load_counts[index] -= 1;
        self.loads[index] = if self.load_counts[index] == 0 { 0.0 } else { self.loads[index] - bytes };
        self.times.change(self.model, place, device, -bytes, -1);
    }

    /// Finds T_n of every device.
    fn sum_up(&mut self) {
        if let Some(contention) = self.model.contention() {
            find_waits(contention, &self.loads, &mut self.waits);
            self.trial_waits.copy_from_slice(&self.waits);
        }
        let mut longest_s = std::mem::take(&mut self.times.longest_s);
        self.time_s = self.arch.dispatch(Longest { times: &self.times, waits: &self.waits, longest_s: &mut longest_s });
        self.times.longest_s = longest_s;
        self.is_critical_known = false;
    }

    /// Finds T_n of the devices that can have changed with these tasks.
    fn sum_up_after(&mut self, tasks: &[usize]) {
        if !self.model.is_separable() {
            self.sum_up();
            return;
        }
        for task in tasks {
            let device = task / self.model.tasks();
            let longest_s = self.times.longest_of(device, &self.waits);
            self.time_s += longest_s - self.times.longest_s[device];
            self.times.longest_s[device] = longest_s;
        }
    }

    fn find_critical(&mut self) {
        self.critical_counts.fill(0);
        for device in 0..self.model.devices() {
            let done_s = |place: usize| self.times.done_s(place, device, &self.waits[place]);
            let critical =
                (1..self.waits.len()).fold(0, |best, place| if done_s(place) > done_s(best) { place } else { best });
            self.critical[device] = critical as u8;
            self.critical_counts[critical] += 1;
        }
        self.is_critical_known = true;
    }
}

/// A task taken off its place, what is left, and how to put it back.
#[derive(Debug, Clone, Copy)]
struct Lifted {
    part: Option<Part>,
    energy_j: f64,
    time_s: f64,
}

fn wait_at(contention: &Contention, place: usize, load_bytes: f64, sent_bytes: f64) -> Wait {
    let links_s = contention.has_shared_link(place).then(|| contention.links_s(place, load_bytes, sent_bytes));
    let compute_s = contention.shared[place].compute_s_per_byte * load_bytes;
    Wait { links_s: links_s.unwrap_or(NEVER), compute_s }
}

fn find_waits(contention: &Contention, loads: &[f64], waits: &mut [Wait]) {
    let sent_bytes = loads[1..].iter().sum();
    for (place, (wait, &load)) in waits.iter_mut().zip(loads).enumerate() {
        *wait = wait_at(contention, place, load, sent_bytes);
    }
}

impl Times {
    /// Gives a device more bytes at a place, or fewer.
    fn change(&mut self, model: &CostModel, place: u8, device: usize, bytes: f64, tasks: i32) {
        let index = usize::from(place) * self.stride + device;
        self.counts[index] = self.counts[index].wrapping_add_signed(tasks);
        self.bytes[index] = if self.counts[index] == 0 { 0.0 } else { self.bytes[index] + bytes };
        (self.alone_s[index], self.compute_s[index]) = alone(model, place, device, self.bytes[index]);
    }

    /// The same, but only when it is done there; what was is returned.
    fn try_change(&mut self, model: &CostModel, place: u8, device: usize, bytes: f64, tasks: i32) -> Part {
        let index = usize::from(place) * self.stride + device;
        let part = Part { index, alone_s: self.alone_s[index], compute_s: self.compute_s[index] };
        let is_empty = self.counts[index].wrapping_add_signed(tasks) == 0;
        let bytes = if is_empty { 0.0 } else { self.bytes[index] + bytes };
        (self.alone_s[index], self.compute_s[index]) = alone(model, place, device, bytes);
        part
    }

    fn undo(&mut self, part: &Part) {
        (self.alone_s[part.index], self.compute_s[part.index]) = (part.alone_s, part.compute_s);
    }

    /// T_np.
    #[inline]
    fn done_s(&self, place: usize, device: usize, wait: &Wait) -> f64 {
        let index = place * self.stride + device;
        self.alone_s[index].max(self.compute_s[index] + wait.links_s) + wait.compute_s
    }

    /// T_n.
    #[inline]
    fn longest_of(&self, device: usize, waits: &[Wait]) -> f64 {
        let all = waits.iter().enumerate().map(|(place, wait)| self.done_s(place, device, wait));
        all.fold(0.0, f64::max)
    }
}

/// When a device would be done with its bytes at a place if nothing were shared, and how long it computes of that.
#[inline]
fn alone(model: &CostModel, place: u8, device: usize, bytes: f64) -> (f64, f64) {
    if bytes <= 0.0 {
        return (NEVER, NEVER);
    }
    let index = usize::from(place);
    let own = match model.contention() {
        None => OwnRate { send_s_per_byte: 0.0, compute_s_per_byte: model.rates(device)[index].time_s_per_byte },
        Some(contention) => contention.own[device * model.places() + index],
    };
    let compute_s = bytes * own.compute_s_per_byte;
    (bytes * own.send_s_per_byte + compute_s, compute_s)
}

/// Writes T_n of all devices and sums them up.
struct Longest<'a> {
    times: &'a Times,
    waits: &'a [Wait],
    longest_s: &'a mut [f64],
}

/// Sums up T_n.
struct Sum<'a> {
    times: &'a Times,
    waits: &'a [Wait],
}

/// Sums up T_n where one place keeps everyone waiting as given and `longest_s` is T_n of the other places.
struct MoreAt<'a> {
    times: &'a Times,
    place: usize,
    wait: Wait,
    longest_s: &'a [f64],
}

/// When devices are done at a place, one vector of them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn done<S: Simd>(simd: S, times: &Times, place: usize, wait: &Wait, vector: usize) -> S::f64s {
    let row = place * times.stride..(place + 1) * times.stride;
    let mut done = S::as_simd_f64s(&times.alone_s[row.clone()]).0[vector];
    if wait.links_s > NEVER {
        let compute = S::as_simd_f64s(&times.compute_s[row]).0[vector];
        done = simd.max_f64s(done, simd.add_f64s(compute, simd.splat_f64s(wait.links_s)));
    }
    simd.add_f64s(done, simd.splat_f64s(wait.compute_s))
}

/// Sums [`LANES`] columns of vectors from the first device to the last, then the columns: the same on every processor.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn sum_of<S: Simd>(simd: S, stride: usize, mut vector: impl FnMut(usize) -> S::f64s) -> f64 {
    let columns = LANES / S::F64_LANES;
    let mut sums = [simd.splat_f64s(0.0); LANES];
    for row in 0..stride / LANES {
        for column in 0..columns {
            sums[column] = simd.add_f64s(sums[column], vector(row * columns + column));
        }
    }
    let mut lanes = [0.0; LANES];
    let (vectors, _) = S::as_mut_simd_f64s(&mut lanes);
    vectors.iter_mut().zip(sums).for_each(|(lanes, sum)| *lanes = sum);
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

impl WithSimd for Longest<'_> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { times, waits, longest_s } = self;
        let longest_s = S::as_mut_simd_f64s(longest_s).0;
        sum_of(simd, times.stride, |vector| {
            let mut longest = simd.splat_f64s(0.0);
            for (place, wait) in waits.iter().enumerate() {
                longest = simd.max_f64s(longest, done(simd, times, place, wait, vector));
            }
            longest_s[vector] = longest;
            longest
        })
    }
}

impl WithSimd for Sum<'_> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { times, waits } = self;
        sum_of(simd, times.stride, |vector| {
            let all = waits.iter().enumerate().map(|(place, wait)| done(simd, times, place, wait, vector));
            all.fold(simd.splat_f64s(0.0), |longest, time| simd.max_f64s(longest, time))
        })
    }
}

impl WithSimd for MoreAt<'_> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { times, place, wait, longest_s } = self;
        let longest_s = S::as_simd_f64s(longest_s).0;
        sum_of(simd, times.stride, |vector| simd.max_f64s(longest_s[vector], done(simd, times, place, &wait, vector)))
    }
}
