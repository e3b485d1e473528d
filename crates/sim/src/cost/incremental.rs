//! Prices of decisions that differ in one or two tasks.

use pulp::{Simd, WithSimd};

use super::{CostModel, MAX_PLACES, OwnRate};

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
    /// Bytes of all devices at each place, and how many tasks these are, `[width]`.
    loads: Vec<f64>,
    load_counts: Vec<u32>,
    energy_j: f64,
    parts: Parts,
    shared: Shared,
    /// Σ T_n.
    time_s: f64,
    /// Where each device waits longest, and for how many devices each place is that; found when it is asked for.
    critical: Vec<u8>,
    critical_counts: Vec<u32>,
    is_critical_known: bool,
}

/// What each device has at each place, width being the places and as many more without anything as make one of
/// [`WIDTHS`].
#[derive(Debug, Clone)]
struct Parts {
    width: usize,
    /// `[N][width]`.
    all: Vec<Part>,
    /// When each device would be done if nothing were shared, and how long it computes; [`NEVER`] where it has nothing.
    /// For vectors: in blocks of devices, `[blocks][width][LANES]`.
    alone_s: Vec<f64>,
    compute_s: Vec<f64>,
}

/// One device at one place.
#[derive(Debug, Clone, Copy)]
struct Part {
    bytes: f64,
    tasks: u32,
    energy_j_per_byte: f64,
    /// What a byte takes if nothing is shared, and how long it is computed of that.
    alone_s_per_byte: f64,
    compute_s_per_byte: f64,
}

/// What places share, `[width]`.
#[derive(Debug, Clone)]
struct Shared {
    link_s_per_byte: Vec<f64>,
    compute_s_per_byte: Vec<f64>,
    uplink_s_per_byte: f64,
    /// Whether any link is shared.
    has_links: bool,
}

/// What places keep everyone waiting for.
#[derive(Debug, Clone, Copy)]
struct Waits<const WIDTH: usize> {
    /// Until when links are busy.
    links_s: [f64; WIDTH],
    /// How long shared servers compute.
    shared_s: [f64; WIDTH],
}

/// Calls a method that knows the width when it is compiled.
macro_rules! of_width {
    ($self:ident.$method:ident($($argument:expr),*)) => {
        match $self.parts.width {
            2 => $self.$method::<2>($($argument),*),
            3 => $self.$method::<3>($($argument),*),
            4 => $self.$method::<4>($($argument),*),
            5 => $self.$method::<5>($($argument),*),
            8 => $self.$method::<8>($($argument),*),
            16 => $self.$method::<16>($($argument),*),
            _ => $self.$method::<MAX_PLACES>($($argument),*),
        }
    };
}

/// The widths that [`of_width`] knows.
const WIDTHS: [usize; 7] = [2, 3, 4, 5, 8, 16, MAX_PLACES];

impl<'m> IncrementalCost<'m> {
    /// Of decisions for one model; no task has a size or a place yet.
    pub fn new(model: &'m CostModel) -> Self {
        let places = model.places();
        let width = WIDTHS.into_iter().find(|width| *width >= places).unwrap_or(MAX_PLACES);
        let mut shared = Shared {
            link_s_per_byte: vec![0.0; width],
            compute_s_per_byte: vec![0.0; width],
            uplink_s_per_byte: 0.0,
            has_links: false,
        };
        if let Some(contention) = model.contention() {
            for (place, rate) in contention.shared.iter().enumerate() {
                shared.link_s_per_byte[place] = rate.link_s_per_byte;
                shared.compute_s_per_byte[place] = rate.compute_s_per_byte;
            }
            shared.uplink_s_per_byte = contention.uplink_s_per_byte;
            shared.has_links = (1..places).any(|place| contention.has_shared_link(place));
        }
        Self {
            model,
            arch: pulp::Arch::new(),
            sizes_bytes: vec![0.0; model.task_count()],
            places: vec![NOWHERE; model.task_count()],
            loads: vec![0.0; width],
            load_counts: vec![0; width],
            energy_j: 0.0,
            parts: Parts::new(model, width),
            shared,
            time_s: 0.0,
            critical: vec![0; model.devices()],
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
        of_width!(self.sum_up());
    }

    fn clear(&mut self) {
        self.loads.fill(0.0);
        self.load_counts.fill(0);
        (self.energy_j, self.time_s, self.is_critical_known) = (0.0, 0.0, false);
        self.parts.clear();
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
        &self.loads[..self.model.places()]
    }

    /// Moves one task, or gives it its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn place(&mut self, task: usize, place: u8) {
        assert!(usize::from(place) < self.model.places(), "place {place} of {}", self.model.places());
        let from = self.places[task];
        if from != place {
            let device = task / self.model.tasks();
            let before_s = self.own_time(device);
            self.take(task, from);
            self.give(task, place);
            self.places[task] = place;
            self.sum_up_after([(device, before_s), (device, before_s)]);
        }
    }

    /// Swaps the places of two tasks.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap(&mut self, task: usize, other: usize) {
        let (place, others_place) = (self.places[task], self.places[other]);
        if place != others_place {
            let devices = [task, other].map(|task| task / self.model.tasks());
            let before_s = devices.map(|device| (device, self.own_time(device)));
            self.take(task, place);
            self.take(other, others_place);
            self.give(task, others_place);
            self.give(other, place);
            (self.places[task], self.places[other]) = (others_place, place);
            self.sum_up_after(before_s);
        }
    }

    /// What the decision would cost with one task at each place, the others staying where they are.
    ///
    /// # Shapes
    /// `costs` is `[places]`.
    ///
    /// # Panics
    /// If there is no such task, or the shapes differ.
    pub fn move_costs(&self, task: usize, costs: &mut [f64]) {
        assert_eq!(costs.len(), self.model.places(), "one cost for each place");
        of_width!(self.find_move_costs(task, costs));
    }

    fn find_move_costs<const WIDTH: usize>(&self, task: usize, costs: &mut [f64]) {
        let (device, bytes, from) = (task / self.model.tasks(), self.sizes_bytes[task], self.places[task]);
        let has_links = self.shared.has_links;
        let parts = self.parts.of_device::<WIDTH>(device);
        let mut own = parts.map(|part| part.bytes);
        let mut loads = self.copied_loads::<WIDTH>();
        let mut energy_j = self.energy_j;
        // Without the task ...
        if from != NOWHERE {
            let from = usize::from(from);
            energy_j -= bytes * parts[from].energy_j_per_byte;
            own[from] = if parts[from].tasks == 1 { 0.0 } else { own[from] - bytes };
            loads[from] = if self.load_counts[from] == 1 { 0.0 } else { loads[from] - bytes };
        }
        let sent = sent(&loads);
        let mut waits = self.waits(&loads, sent);
        // ... and with it at each place. Vectors know the device only as it is.
        let mut raised = waits;
        let mut without_s = waits.longest_s(parts, &own, has_links);
        let mut counted_s = waits.longest_as_is_s(parts, has_links);
        let mut sums = [self.time_s; WIDTH];
        if !self.model.is_separable() {
            for (place, load) in loads.iter().enumerate().skip(1) {
                raised.set(&self.shared, place, load + bytes, sent + bytes);
            }
            sums = self.raised_times(&waits, &raised);
        }
        for (place, (cost, part)) in costs.iter_mut().zip(parts).enumerate() {
            if place == 1 && self.shared.uplink_s_per_byte > 0.0 {
                // Whatever server it is, all links are busy longer.
                for (place, load) in loads.iter().enumerate().skip(1) {
                    waits.set(&self.shared, place, *load, sent + bytes);
                }
                without_s = waits.longest_s(parts, &own, has_links);
                counted_s = waits.longest_as_is_s(parts, has_links);
                sums = self.raised_times(&waits, &raised);
            }
            let more_s = raised.done_s(place, part, own[place] + bytes, has_links).max(without_s);
            let counted_s = if self.model.is_separable() {
                counted_s
            } else {
                raised.done_s(place, part, part.bytes, has_links).max(counted_s)
            };
            *cost = self.model.weigh(energy_j + bytes * part.energy_j_per_byte, sums[place] + (more_s - counted_s));
        }
        if from != NOWHERE {
            costs[usize::from(from)] = self.cost();
        }
    }

    /// What the decision would cost with one task elsewhere, or at its first place.
    ///
    /// # Panics
    /// If there is no such task or place.
    pub fn move_cost(&self, task: usize, place: u8) -> f64 {
        of_width!(self.find_move_cost(task, place))
    }

    fn find_move_cost<const WIDTH: usize>(&self, task: usize, place: u8) -> f64 {
        assert!(usize::from(place) < self.model.places(), "place {place} of {}", self.model.places());
        let mut costs = [0.0; WIDTH];
        self.find_move_costs::<WIDTH>(task, &mut costs[..self.model.places()]);
        costs[usize::from(place)]
    }

    /// What the decision would cost with the places of two tasks swapped; `None` if O(places) steps show that it would
    /// not be less than `below`.
    ///
    /// # Panics
    /// If there is no such task, or one has no place yet.
    pub fn swap_cost(&mut self, task: usize, other: usize, below: f64) -> Option<f64> {
        if self.places[task] == self.places[other] {
            return Some(self.cost());
        }
        if !self.is_critical_known && !self.model.is_separable() && !self.shared.has_links {
            of_width!(self.find_critical());
        }
        of_width!(self.find_swap_cost(task, other, below))
    }

    fn find_swap_cost<const WIDTH: usize>(&self, task: usize, other: usize, below: f64) -> Option<f64> {
        let tasks = self.model.tasks();
        let (device, others) = (task / tasks, other / tasks);
        let (bytes, others_bytes) = (self.sizes_bytes[task], self.sizes_bytes[other]);
        let (place, others_place) = (usize::from(self.places[task]), usize::from(self.places[other]));
        let (parts, others_parts) = (self.parts.of_device::<WIDTH>(device), self.parts.of_device::<WIDTH>(others));
        let energy_j = self.energy_j
            + bytes * (parts[others_place].energy_j_per_byte - parts[place].energy_j_per_byte)
            + others_bytes * (others_parts[place].energy_j_per_byte - others_parts[others_place].energy_j_per_byte);
        let mut loads = self.copied_loads::<WIDTH>();
        let waits = self.waits(&loads, sent(&loads));
        loads[place] += others_bytes - bytes;
        loads[others_place] += bytes - others_bytes;
        let trial = self.waits(&loads, sent(&loads));
        // What both have then, what they took, and what vectors, which know them as they are, count.
        let has_links = self.shared.has_links;
        let mut own = parts.map(|part| part.bytes);
        let (new_s, old_s, counted_s) = if device == others {
            own[place] += others_bytes - bytes;
            own[others_place] += bytes - others_bytes;
            let new_s = trial.longest_s(parts, &own, has_links);
            (new_s, waits.longest_as_is_s(parts, has_links), trial.longest_as_is_s(parts, has_links))
        } else {
            let mut theirs = others_parts.map(|part| part.bytes);
            own[place] = if parts[place].tasks == 1 { 0.0 } else { own[place] - bytes };
            own[others_place] += bytes;
            theirs[others_place] =
                if others_parts[others_place].tasks == 1 { 0.0 } else { theirs[others_place] - others_bytes };
            theirs[place] += others_bytes;
            let both = |waits: &Waits<WIDTH>| {
                waits.longest_as_is_s(parts, has_links) + waits.longest_as_is_s(others_parts, has_links)
            };
            let new_s = trial.longest_s(parts, &own, has_links) + trial.longest_s(others_parts, &theirs, has_links);
            (new_s, both(&waits), both(&trial))
        };
        let changed_s = self.time_s + (new_s - old_s);
        if self.model.is_separable() {
            return Some(self.model.weigh(energy_j, changed_s));
        }
        if !has_links {
            // Any other device takes at least as long as it would at the place where it took longest before.
            let mut least_s = changed_s;
            for place in [place, others_place] {
                let here = |device: usize| u32::from(usize::from(self.critical[device]) == place);
                let own = if others == device { here(device) } else { here(device) + here(others) };
                let waiting = f64::from(self.critical_counts[place] - own);
                least_s += waiting * (trial.shared_s[place] - waits.shared_s[place]);
            }
            // What rounding adds must not hide a gain.
            if self.model.weigh(energy_j, least_s) >= below * (1.0 + 1e-9) {
                return None;
            }
        }
        Some(self.model.weigh(energy_j, self.times(&trial) + (new_s - counted_s)))
    }

    fn give(&mut self, task: usize, place: u8) {
        let (device, bytes, place) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.loads[place] += bytes;
        self.load_counts[place] += 1;
        self.energy_j += self.parts.change(place, device, bytes, 1);
    }

    fn take(&mut self, task: usize, place: u8) {
        if place == NOWHERE {
            return;
        }
        let (device, bytes, place) = (task / self.model.tasks(), self.sizes_bytes[task], usize::from(place));
        self.load_counts[place] -= 1;
        self.loads[place] = if self.load_counts[place] == 0 { 0.0 } else { self.loads[place] - bytes };
        self.energy_j += self.parts.change(place, device, -bytes, -1);
    }

    /// T_n where nothing is shared; elsewhere it says nothing.
    fn own_time(&self, device: usize) -> f64 {
        if self.model.is_separable() { of_width!(self.alone_time(device)) } else { 0.0 }
    }

    fn alone_time<const WIDTH: usize>(&self, device: usize) -> f64 {
        let nothing = Waits { links_s: [NEVER; WIDTH], shared_s: [0.0; WIDTH] };
        nothing.longest_as_is_s(self.parts.of_device::<WIDTH>(device), false)
    }

    /// Finds Σ T_n.
    fn sum_up<const WIDTH: usize>(&mut self) {
        let loads = self.copied_loads::<WIDTH>();
        self.time_s = self.times(&self.waits(&loads, sent(&loads)));
        self.is_critical_known = false;
    }

    /// The same, only these devices having changed, whose own times are known from before.
    fn sum_up_after(&mut self, [(device, before_s), (other, others_before_s)]: [(usize, f64); 2]) {
        if !self.model.is_separable() {
            of_width!(self.sum_up());
            return;
        }
        self.time_s += self.own_time(device) - before_s;
        if other != device {
            self.time_s += self.own_time(other) - others_before_s;
        }
    }

    fn copied_loads<const WIDTH: usize>(&self) -> [f64; WIDTH] {
        let mut loads = [0.0; WIDTH];
        loads.copy_from_slice(&self.loads);
        loads
    }

    fn waits<const WIDTH: usize>(&self, loads: &[f64; WIDTH], sent: f64) -> Waits<WIDTH> {
        let mut waits = Waits { links_s: [NEVER; WIDTH], shared_s: [0.0; WIDTH] };
        for (place, load) in loads.iter().enumerate().skip(1) {
            waits.set(&self.shared, place, *load, sent);
        }
        waits
    }

    /// Σ T_n.
    fn times<const WIDTH: usize>(&self, waits: &Waits<WIDTH>) -> f64 {
        let Parts { alone_s, compute_s, .. } = &self.parts;
        if self.shared.has_links {
            self.arch.dispatch(Times::<WIDTH, true> { alone_s, compute_s, waits })
        } else {
            self.arch.dispatch(Times::<WIDTH, false> { alone_s, compute_s, waits })
        }
    }

    /// Σ T_n, one place after the other keeping everyone waiting for more; that of place 0, for which nobody waits, is
    /// Σ T_n as it is.
    fn raised_times<const WIDTH: usize>(&self, waits: &Waits<WIDTH>, raised: &Waits<WIDTH>) -> [f64; WIDTH] {
        let Parts { alone_s, compute_s, .. } = &self.parts;
        if self.shared.has_links {
            self.arch.dispatch(RaisedTimes::<WIDTH, true> { alone_s, compute_s, waits, raised })
        } else {
            self.arch.dispatch(RaisedTimes::<WIDTH, false> { alone_s, compute_s, waits, raised })
        }
    }

    fn find_critical<const WIDTH: usize>(&mut self) {
        let loads = self.copied_loads::<WIDTH>();
        let waits = self.waits(&loads, sent(&loads));
        self.critical_counts.fill(0);
        for device in 0..self.model.devices() {
            let parts = self.parts.of_device::<WIDTH>(device);
            let done_s = |place: usize| waits.done_s(place, &parts[place], parts[place].bytes, self.shared.has_links);
            let mut longest = (0, done_s(0));
            for place in 1..self.model.places() {
                let done_s = done_s(place);
                if done_s > longest.1 {
                    longest = (place, done_s);
                }
            }
            self.critical[device] = longest.0 as u8;
            self.critical_counts[longest.0] += 1;
        }
        self.is_critical_known = true;
    }
}

/// L: what goes to any server.
fn sent(loads: &[f64]) -> f64 {
    loads[1..].iter().sum()
}

impl<const WIDTH: usize> Waits<WIDTH> {
    /// With so many bytes at a server, and so many at all of them.
    #[inline]
    fn set(&mut self, shared: &Shared, place: usize, load_bytes: f64, sent_bytes: f64) {
        self.shared_s[place] = shared.compute_s_per_byte[place] * load_bytes;
        if shared.has_links {
            let link_s = shared.link_s_per_byte[place] * load_bytes;
            self.links_s[place] = link_s.max(shared.uplink_s_per_byte * sent_bytes);
        }
    }

    /// T_np of a device with so many bytes there; [`NEVER`] with none.
    #[inline]
    fn done_s(&self, place: usize, part: &Part, bytes: f64, has_links: bool) -> f64 {
        let mut done_s = bytes * part.alone_s_per_byte;
        if has_links {
            done_s = done_s.max(bytes * part.compute_s_per_byte + self.links_s[place]);
        }
        if bytes > 0.0 { done_s + self.shared_s[place] } else { NEVER }
    }

    /// T_n of a device with so many bytes at each place.
    #[inline]
    fn longest_s(&self, parts: &[Part; WIDTH], bytes: &[f64; WIDTH], has_links: bool) -> f64 {
        let mut longest_s = 0.0_f64;
        for (place, (part, bytes)) in parts.iter().zip(bytes).enumerate() {
            longest_s = longest_s.max(self.done_s(place, part, *bytes, has_links));
        }
        longest_s
    }

    /// T_n of a device with the bytes that it has.
    #[inline]
    fn longest_as_is_s(&self, parts: &[Part; WIDTH], has_links: bool) -> f64 {
        self.longest_s(parts, &parts.map(|part| part.bytes), has_links)
    }
}

impl Parts {
    fn new(model: &CostModel, width: usize) -> Self {
        let nothing =
            Part { bytes: 0.0, tasks: 0, energy_j_per_byte: 0.0, alone_s_per_byte: 0.0, compute_s_per_byte: 0.0 };
        let mut parts = vec![nothing; model.devices() * width];
        for (device, parts) in parts.chunks_exact_mut(width).enumerate() {
            for (place, (rate, part)) in model.rates(device).iter().zip(parts).enumerate() {
                let own = match model.contention() {
                    None => OwnRate { send_s_per_byte: 0.0, compute_s_per_byte: rate.time_s_per_byte },
                    Some(contention) => contention.own[device * model.places() + place],
                };
                part.energy_j_per_byte = rate.energy_j_per_byte;
                part.alone_s_per_byte = own.send_s_per_byte + own.compute_s_per_byte;
                part.compute_s_per_byte = own.compute_s_per_byte;
            }
        }
        let length = model.devices().div_ceil(LANES) * width * LANES;
        Self { width, all: parts, alone_s: vec![NEVER; length], compute_s: vec![NEVER; length] }
    }

    fn clear(&mut self) {
        for part in &mut self.all {
            (part.bytes, part.tasks) = (0.0, 0);
        }
        self.alone_s.fill(NEVER);
        self.compute_s.fill(NEVER);
    }

    #[inline]
    fn of_device<const WIDTH: usize>(&self, device: usize) -> &[Part; WIDTH] {
        self.all[device * WIDTH..][..WIDTH].try_into().expect("as long as it says")
    }

    /// Gives a device more bytes at a place, or fewer; returns the energy that takes.
    fn change(&mut self, place: usize, device: usize, bytes: f64, tasks: i32) -> f64 {
        let part = &mut self.all[device * self.width + place];
        part.tasks = part.tasks.wrapping_add_signed(tasks);
        part.bytes = if part.tasks == 0 { 0.0 } else { part.bytes + bytes };
        let times = (part.bytes * part.alone_s_per_byte, part.bytes * part.compute_s_per_byte);
        let index = (device / LANES * self.width + place) * LANES + device % LANES;
        (self.alone_s[index], self.compute_s[index]) = if part.bytes > 0.0 { times } else { (NEVER, NEVER) };
        bytes * part.energy_j_per_byte
    }
}

/// Sums up T_n, block by block of devices.
struct Times<'a, const WIDTH: usize, const LINKS: bool> {
    alone_s: &'a [f64],
    compute_s: &'a [f64],
    waits: &'a Waits<WIDTH>,
}

/// Sums up T_n and, for each server, what T_n would be if it kept everyone waiting for more.
struct RaisedTimes<'a, const WIDTH: usize, const LINKS: bool> {
    alone_s: &'a [f64],
    compute_s: &'a [f64],
    waits: &'a Waits<WIDTH>,
    raised: &'a Waits<WIDTH>,
}

/// When the devices of one vector are done at a place.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn done<S: Simd, const LINKS: bool>(
    simd: S,
    alone: S::f64s,
    compute: S::f64s,
    links: S::f64s,
    shared: S::f64s,
) -> S::f64s {
    let done = if LINKS { simd.max_f64s(alone, simd.add_f64s(compute, links)) } else { alone };
    simd.add_f64s(done, shared)
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for Times<'_, WIDTH, LINKS> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let columns = LANES / S::F64_LANES;
        let links = self.waits.links_s.map(|time| simd.splat_f64s(time));
        let shared = self.waits.shared_s.map(|time| simd.splat_f64s(time));
        let mut sums = [simd.splat_f64s(0.0); LANES];
        let blocks = S::as_simd_f64s(self.alone_s).0.chunks_exact(WIDTH * columns);
        for (alone, compute) in blocks.zip(S::as_simd_f64s(self.compute_s).0.chunks_exact(WIDTH * columns)) {
            for (column, sum) in sums.iter_mut().enumerate().take(columns) {
                let mut longest = simd.splat_f64s(0.0);
                for place in 0..WIDTH {
                    let index = place * columns + column;
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links[place], shared[place]);
                    longest = simd.max_f64s(longest, done);
                }
                *sum = simd.add_f64s(*sum, longest);
            }
        }
        add_up::<S>(sums)
    }
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for RaisedTimes<'_, WIDTH, LINKS> {
    type Output = [f64; WIDTH];

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "several arrays have that index")]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; WIDTH] {
        let columns = LANES / S::F64_LANES;
        let links = self.waits.links_s.map(|time| simd.splat_f64s(time));
        let shared = self.waits.shared_s.map(|time| simd.splat_f64s(time));
        let raised_links = self.raised.links_s.map(|time| simd.splat_f64s(time));
        let raised_shared = self.raised.shared_s.map(|time| simd.splat_f64s(time));
        let mut sums = [[simd.splat_f64s(0.0); LANES]; WIDTH];
        let blocks = S::as_simd_f64s(self.alone_s).0.chunks_exact(WIDTH * columns);
        for (alone, compute) in blocks.zip(S::as_simd_f64s(self.compute_s).0.chunks_exact(WIDTH * columns)) {
            for column in 0..columns {
                let mut longest = simd.splat_f64s(0.0);
                for place in 0..WIDTH {
                    let index = place * columns + column;
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links[place], shared[place]);
                    longest = simd.max_f64s(longest, done);
                }
                sums[0][column] = simd.add_f64s(sums[0][column], longest);
                for place in 1..WIDTH {
                    let index = place * columns + column;
                    let (links, shared) = (raised_links[place], raised_shared[place]);
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links, shared);
                    sums[place][column] = simd.add_f64s(sums[place][column], simd.max_f64s(longest, done));
                }
            }
        }
        sums.map(|sums| add_up::<S>(sums))
    }
}

/// The sum of [`LANES`] columns, in the same order whatever the vectors.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn add_up<S: Simd>(sums: [S::f64s; LANES]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (lanes, sum) in S::as_mut_simd_f64s(&mut lanes).0.iter_mut().zip(sums) {
        *lanes = sum;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
