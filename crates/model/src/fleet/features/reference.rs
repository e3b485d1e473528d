//! The features computed one number after the other and in double precision, for comparison in tests.

use super::{INPUTS, PRESENT};
use crate::fleet::instance::Instance as Rounded;

/// An instance in double precision.
#[derive(Debug)]
pub(super) struct Instance {
    devices: usize,
    tasks: usize,
    places: usize,
    sizes: Vec<f64>,
    order: Vec<u32>,
    order_of_all: Vec<u32>,
    own: Vec<Own>,
    shared: Vec<Shared>,
    uplink: f64,
}

/// [`Own`](crate::fleet::instance::Own) in double precision.
#[derive(Debug)]
struct Own {
    energy: f64,
    send: f64,
    compute: f64,
    alone: f64,
}

/// [`Shared`](crate::fleet::instance::Shared) in double precision.
#[derive(Debug, Clone, Copy)]
struct Shared {
    link: f64,
    compute: f64,
}

impl Shared {
    fn is_any(self) -> bool {
        self.link > 0.0 || self.compute > 0.0
    }
}

impl Instance {
    /// An instance in double precision.
    pub(super) fn of(instance: &Rounded) -> Self {
        let own = instance.own.iter().map(|own| Own {
            energy: own.energy.into(),
            send: own.send.into(),
            compute: own.compute.into(),
            alone: own.alone.into(),
        });
        let shared = instance.shared.iter();
        Self {
            devices: instance.devices,
            tasks: instance.tasks,
            places: instance.places,
            sizes: instance.sizes.iter().copied().map(f64::from).collect(),
            order: instance.order.clone(),
            order_of_all: instance.order_of_all.clone(),
            own: own.collect(),
            shared: shared.map(|shared| Shared { link: shared.link.into(), compute: shared.compute.into() }).collect(),
            uplink: instance.uplink.into(),
        }
    }

    fn task_count(&self) -> usize {
        self.devices * self.tasks
    }
}

/// Changes of a load, in mean tasks, at which the wait is computed; between them it is taken as linear.
const STEPS: [f64; 9] = [-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0];
const NOW: usize = 4;

/// Loads and marginal costs of one decision, or of shares of tasks at places.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    /// `[N][places]`: bytes in mean tasks, and the time when the device is done at the place.
    bytes: Vec<f64>,
    times: Vec<f64>,
    /// `[N]`.
    longest: Vec<Longest>,
    /// `[places]`.
    loads: Vec<f64>,
    critical: Vec<f64>,
    /// `[places]`: by how much all devices there would wait longer, at each of [`STEPS`].
    waits: Vec<[f64; STEPS.len()]>,
    /// By how much all devices would wait longer for a shared uplink, at each of [`STEPS`].
    uplink_waits: [f64; STEPS.len()],
    /// `[N * M][places]`.
    moves: Vec<Move>,
    /// `[N * M]`: share of the device's bytes in larger tasks.
    ranks: Vec<f64>,
    ranks_of_all: Vec<f64>,
    /// `[places]`: share of all bytes that would gain by coming or going.
    coming: Vec<f64>,
    going: Vec<f64>,
}

/// The change by moving a task to a place, in the instance's unit of cost.
#[derive(Debug, Clone, Copy, Default)]
struct Move {
    energy: f64,
    own_time: f64,
    others_time: f64,
    /// Time of its device at the place relative to its time over all places.
    share: f64,
    /// Cost of placing it after larger tasks of its device, and the same ratio of times then.
    sequential: f64,
    sequential_share: f64,
    /// Cost of placing it after larger tasks of all devices, and the same ratio of times then.
    overall: f64,
    overall_share: f64,
}

impl Move {
    fn total(&self) -> f64 {
        self.energy + self.own_time + self.others_time
    }
}

/// The two places where a device is done last.
#[derive(Debug, Clone, Copy, Default)]
struct Longest {
    places: [usize; 2],
    times: [f64; 2],
}

impl Longest {
    fn of(times: &[f64]) -> Self {
        let mut longest = Self { places: [usize::MAX; 2], times: [0.0; 2] };
        for (place, &time) in times.iter().enumerate() {
            if time > longest.times[0] {
                longest = Self { places: [place, longest.places[0]], times: [time, longest.times[0]] };
            } else if time > longest.times[1] {
                (longest.places[1], longest.times[1]) = (place, time);
            }
        }
        longest
    }

    /// The time of the device over all places but this one.
    #[inline]
    fn without(&self, place: usize) -> f64 {
        if self.places[0] == place { self.times[1] } else { self.times[0] }
    }
}

/// `value / (1 + |value|)`, between −1 and 1.
#[inline]
fn softsign(value: f64) -> f64 {
    value / (1.0 + value.abs())
}

fn interpolated(values: &[f64; STEPS.len()], change: f64) -> f64 {
    let inside = |index: usize| change < STEPS[index];
    let upper = (1..STEPS.len() - 1).find(|&index| inside(index)).unwrap_or(STEPS.len() - 1);
    let slope = (values[upper] - values[upper - 1]) / (STEPS[upper] - STEPS[upper - 1]);
    values[upper] + slope * (change - STEPS[upper])
}

impl Features {
    /// Computes the inputs of a decision and calls `put` with a place, a task and their inputs.
    ///
    /// # Shapes
    /// `shares` is `[places][N * M]`.
    ///
    /// # Panics
    /// If the shares are not of this shape.
    pub(super) fn read(
        &mut self,
        instance: &Instance,
        shares: &[f64],
        mut put: impl FnMut(usize, usize, [f64; INPUTS]),
    ) {
        let count = instance.task_count();
        assert_eq!(shares.len(), instance.places * count, "the shares are not [places][N * M]");
        self.load(instance, shares);
        self.estimate_waits(instance);
        self.estimate_moves(instance, shares);
        self.estimate_sequential(instance, shares);
        self.estimate_overall(instance, shares);
        let (tasks, places) = (instance.tasks, instance.places);
        let total: f64 = instance.sizes.iter().sum::<f64>().max(f64::from(f32::MIN_POSITIVE));
        for (task, moves) in self.moves.chunks_exact(places).enumerate() {
            let device = task / tasks;
            let size = instance.sizes[task];
            let own = &instance.own[device * places..][..places];
            let least = moves.iter().map(Move::total).fold(f64::INFINITY, f64::min);
            let longest = self.longest[device].times[0].max(f64::from(f32::MIN_POSITIVE));
            let least_sequential = moves.iter().map(|change| change.sequential).fold(f64::INFINITY, f64::min);
            let least_overall = moves.iter().map(|change| change.overall).fold(f64::INFINITY, f64::min);
            for place in 0..places {
                let at = device * places + place;
                let change = moves[place];
                let gain = change.total();
                let flag = |is: bool| f64::from(u8::from(is));
                put(
                    place,
                    task,
                    [
                        shares[place * count + task],
                        softsign(size - 1.0),
                        softsign(own[place].alone * size),
                        softsign(4.0 * change.energy),
                        softsign(4.0 * change.own_time),
                        softsign(4.0 * change.others_time),
                        softsign(gain),
                        softsign(8.0 * gain),
                        softsign(gain - least),
                        softsign(8.0 * (gain - least)),
                        flag(gain <= least),
                        self.times[at] / longest,
                        change.share,
                        self.loads[place] / total,
                        self.critical[place],
                        self.coming[place],
                        self.going[place],
                        flag(place == 0),
                        softsign(self.waits[place][NOW + 2]),
                        self.bytes[at] / (self.bytes[at] + size).max(f64::from(f32::MIN_POSITIVE)),
                        self.ranks[task],
                        softsign(2.0 * (change.sequential - least_sequential)),
                        softsign(16.0 * (change.sequential - least_sequential)),
                        flag(change.sequential <= least_sequential),
                        change.sequential_share,
                        self.ranks_of_all[task],
                        softsign(2.0 * (change.overall - least_overall)),
                        softsign(16.0 * (change.overall - least_overall)),
                        flag(change.overall <= least_overall),
                        change.overall_share,
                    ],
                );
            }
        }
    }

    /// Bytes, loads and times of the decision.
    fn load(&mut self, instance: &Instance, shares: &[f64]) {
        let (devices, tasks, places) = (instance.devices, instance.tasks, instance.places);
        let fill = |values: &mut Vec<f64>, count: usize| {
            values.clear();
            values.resize(count, 0.0);
        };
        fill(&mut self.bytes, devices * places);
        fill(&mut self.times, devices * places);
        fill(&mut self.loads, places);
        fill(&mut self.critical, places);
        for (place, shares) in shares.chunks_exact(devices * tasks).enumerate() {
            let rows = shares.chunks_exact(tasks).zip(instance.sizes.chunks_exact(tasks));
            for (device, (shares, sizes)) in rows.enumerate() {
                let bytes: f64 = shares.iter().zip(sizes).map(|(share, size)| share * size).sum();
                self.bytes[device * places + place] = bytes;
                self.loads[place] += bytes;
            }
        }
        let sent: f64 = self.loads[1..].iter().sum();
        self.longest.clear();
        for device in 0..devices {
            let row = device * places..(device + 1) * places;
            for place in 0..places {
                let at = device * places + place;
                if self.bytes[at] > f64::from(PRESENT) {
                    self.times[at] = time(instance, &instance.own[at], place, self.bytes[at], self.loads[place], sent);
                }
            }
            let longest = Longest::of(&self.times[row]);
            if let Some(critical) = self.critical.get_mut(longest.places[0]) {
                *critical += 1.0 / devices as f64;
            }
            self.longest.push(longest);
        }
    }

    /// The time that all devices would wait longer with more or less at each place.
    fn estimate_waits(&mut self, instance: &Instance) {
        let places = instance.places;
        self.waits.clear();
        self.waits.resize(places, [0.0; STEPS.len()]);
        self.uplink_waits = [0.0; STEPS.len()];
        let sent: f64 = self.loads[1..].iter().sum();
        for place in 1..places {
            if !instance.shared[place].is_any() {
                continue;
            }
            let loads = STEPS.map(|step| (self.loads[place] + step).max(0.0));
            for device in 0..instance.devices {
                let at = device * places + place;
                if self.bytes[at] <= f64::from(PRESENT) {
                    continue;
                }
                let longest = &self.longest[device];
                let (elsewhere, now) = (longest.without(place), longest.times[0]);
                for (wait, load) in self.waits[place].iter_mut().zip(loads) {
                    *wait += time(instance, &instance.own[at], place, self.bytes[at], load, sent).max(elsewhere) - now;
                }
            }
        }
        if instance.uplink > 0.0 {
            for device in 0..instance.devices {
                let row = device * places;
                for (wait, step) in self.uplink_waits.iter_mut().zip(STEPS) {
                    let sent = (sent + step).max(0.0);
                    let mut longest = self.times[row];
                    for place in 1..places {
                        let at = row + place;
                        if self.bytes[at] > f64::from(PRESENT) {
                            let own = &instance.own[at];
                            longest = longest.max(time(instance, own, place, self.bytes[at], self.loads[place], sent));
                        }
                    }
                    *wait += longest - self.longest[device].times[0];
                }
            }
        }
    }

    /// The change by each move.
    fn estimate_moves(&mut self, instance: &Instance, shares: &[f64]) {
        let (tasks, places, count) = (instance.tasks, instance.places, instance.task_count());
        let total: f64 = instance.sizes.iter().sum::<f64>().max(f64::from(f32::MIN_POSITIVE));
        let sent: f64 = self.loads[1..].iter().sum();
        self.moves.clear();
        self.coming.clear();
        self.coming.resize(places, 0.0);
        self.going.clear();
        self.going.resize(places, 0.0);
        let mut without = vec![0.0; places];
        let mut others = vec![0.0; places];
        for (task, &size) in instance.sizes.iter().enumerate() {
            let row = task / tasks * places;
            let own = &instance.own[row..][..places];
            let longest = self.longest[task / tasks];
            let now = longest.times[0];
            let share = |place: usize| shares[place * count + task];
            // All but this task.
            let sent_without = sent - size * (1.0 - share(0));
            let mut leaving = 0.0;
            for place in 0..places {
                let gone = size * share(place);
                let bytes = self.bytes[row + place] - gone;
                let load = self.loads[place] - gone;
                without[place] = if bytes > f64::from(PRESENT) {
                    time(instance, &own[place], place, bytes, load, sent_without)
                } else {
                    0.0
                };
                others[place] = self.others(instance, &own[place], place, row, &longest, -gone, sent);
                leaving += others[place];
            }
            let apart = Longest::of(&without);
            let (mut here, mut best) = (Move::default(), (0, f64::INFINITY));
            let first = self.moves.len();
            for place in 0..places {
                let rest = size * (1.0 - share(place));
                let sent_then = if place == 0 { sent_without } else { sent_without + size };
                let (bytes, load) = (self.bytes[row + place] + rest, self.loads[place] + rest);
                let there = time(instance, &own[place], place, bytes, load, sent_then);
                let then = there.max(apart.without(place));
                let coming = self.others(instance, &own[place], place, row, &longest, rest, sent);
                let mut others_time = leaving - others[place] + coming;
                if instance.uplink > 0.0 {
                    others_time += interpolated(&self.uplink_waits, sent_then - sent);
                }
                let change = Move {
                    energy: own[place].energy * size,
                    own_time: then - now,
                    others_time,
                    share: there / then.max(f64::from(f32::MIN_POSITIVE)),
                    ..Move::default()
                };
                here.energy += share(place) * change.energy;
                here.own_time += share(place) * change.own_time;
                here.others_time += share(place) * change.others_time;
                if change.total() < best.1 {
                    best = (place, change.total());
                }
                self.moves.push(change);
            }
            for change in &mut self.moves[first..] {
                change.energy -= here.energy;
                change.own_time -= here.own_time;
                change.others_time -= here.others_time;
            }
            for place in 0..places {
                self.going[place] += if place == best.0 { 0.0 } else { share(place) * size / total };
            }
            self.coming[best.0] += size * (1.0 - share(best.0)) / total;
        }
    }

    /// The cost of placing tasks sequentially, the largest of each device first, with other devices' tasks as in the decision.
    fn estimate_sequential(&mut self, instance: &Instance, shares: &[f64]) {
        let (tasks, places, count) = (instance.tasks, instance.places, instance.task_count());
        let sent: f64 = self.loads[1..].iter().sum();
        self.ranks.clear();
        self.ranks.resize(count, 0.0);
        let mut larger = vec![0.0; places];
        for (device, order) in instance.order.chunks_exact(tasks).enumerate() {
            let row = device * places;
            let own = &instance.own[row..][..places];
            let bytes = &self.bytes[row..][..places];
            let all: f64 = bytes.iter().sum::<f64>().max(f64::from(f32::MIN_POSITIVE));
            let sent_by_others = sent - (all - bytes[0]);
            larger.fill(0.0);
            let mut seen = 0.0;
            let mut before = 0.0;
            for &task in order {
                let task = task as usize;
                let size = instance.sizes[task];
                let sent_before = sent_by_others + seen - larger[0];
                self.ranks[task] = seen / all;
                let mut after = 0.0_f64;
                for place in 0..places {
                    let load = self.loads[place] - bytes[place] + larger[place];
                    let sent = if place == 0 { sent_before } else { sent_before + size };
                    let there = time(instance, &own[place], place, larger[place] + size, load + size, sent);
                    let change = &mut self.moves[task * places + place];
                    let then = there.max(before);
                    change.sequential = own[place].energy * size + (then - before) + change.others_time;
                    change.sequential_share = there / then.max(f64::from(f32::MIN_POSITIVE));
                    let share = shares[place * count + task] * size;
                    larger[place] += share;
                    if larger[place] > f64::from(PRESENT) {
                        let sent = sent_before + size * (1.0 - shares[task]);
                        after = after.max(time(instance, &own[place], place, larger[place], load + share, sent));
                    }
                }
                before = after;
                seen += size;
            }
        }
    }

    /// The cost of placing tasks sequentially, the largest of all devices first.
    fn estimate_overall(&mut self, instance: &Instance, shares: &[f64]) {
        let (tasks, places, count) = (instance.tasks, instance.places, instance.task_count());
        let total: f64 = instance.sizes.iter().sum::<f64>().max(f64::from(f32::MIN_POSITIVE));
        self.ranks_of_all.clear();
        self.ranks_of_all.resize(count, 0.0);
        let mut bytes = vec![0.0; instance.devices * places];
        let mut loads = vec![0.0; places];
        // Number of devices that are done last at each place.
        let mut critical = vec![0.0_f64; places];
        let mut last = vec![usize::MAX; instance.devices];
        let mut seen = 0.0;
        let mut times = vec![0.0_f64; places];
        for &task in &instance.order_of_all {
            let task = task as usize;
            let device = task / tasks;
            let size = instance.sizes[task];
            let row = device * places;
            let own = &instance.own[row..][..places];
            self.ranks_of_all[task] = seen / total;
            let sent = seen - loads[0];
            for place in 0..places {
                times[place] = if bytes[row + place] > f64::from(PRESENT) {
                    time(instance, &own[place], place, bytes[row + place], loads[place], sent)
                } else {
                    0.0
                };
            }
            let longest = Longest::of(&times);
            for place in 0..places {
                let sent = if place == 0 { sent } else { sent + size };
                let there = time(instance, &own[place], place, bytes[row + place] + size, loads[place] + size, sent);
                let then = there.max(longest.times[0]);
                let shared = instance.shared[place];
                let mut waiting = critical[place];
                if last[device] == place {
                    waiting -= 1.0;
                }
                let change = &mut self.moves[task * places + place];
                change.overall = own[place].energy * size
                    + (then - longest.times[0])
                    + waiting * (shared.compute + shared.link) * size;
                change.overall_share = there / then.max(f64::from(f32::MIN_POSITIVE));
            }
            for place in 0..places {
                let share = shares[place * count + task] * size;
                bytes[row + place] += share;
                loads[place] += share;
            }
            seen += size;
            let sent = seen - loads[0];
            let mut latest = (0.0, usize::MAX);
            for place in 0..places {
                if bytes[row + place] > f64::from(PRESENT) {
                    let time = time(instance, &own[place], place, bytes[row + place], loads[place], sent);
                    if time > latest.0 {
                        latest = (time, place);
                    }
                }
            }
            if last[device] != latest.1 {
                if let Some(critical) = critical.get_mut(last[device]) {
                    *critical -= 1.0;
                }
                if let Some(critical) = critical.get_mut(latest.1) {
                    *critical += 1.0;
                }
                last[device] = latest.1;
            }
        }
    }

    /// The time that the other devices at a place would take longer with `change` more there.
    #[expect(clippy::too_many_arguments, reason = "the device's row, taken apart by its caller")]
    #[inline]
    fn others(
        &self,
        instance: &Instance,
        own: &Own,
        place: usize,
        row: usize,
        longest: &Longest,
        change: f64,
        sent: f64,
    ) -> f64 {
        if change == 0.0 || !instance.shared[place].is_any() {
            return 0.0;
        }
        let all = interpolated(&self.waits[place], change);
        if self.bytes[row + place] <= f64::from(PRESENT) {
            return all;
        }
        let load = (self.loads[place] + change).max(0.0);
        let then = time(instance, own, place, self.bytes[row + place], load, sent);
        all - (then.max(longest.without(place)) - longest.times[0])
    }
}

/// The time when a device is done with `bytes` at a place, where all devices have `load` and send `sent` to all servers.
fn time(instance: &Instance, own: &Own, place: usize, bytes: f64, load: f64, sent: f64) -> f64 {
    let shared = instance.shared[place];
    let uplink = if place > 0 { instance.uplink * sent } else { 0.0 };
    (own.send * bytes).max(shared.link * load).max(uplink) + own.compute * bytes + shared.compute * load
}
