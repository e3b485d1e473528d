//! The cost of moving each task, and of placing it after larger tasks.

use super::{Features, Longest, PRESENT, PairRow, PlaceTerms, input, softsign};
use crate::fleet::instance::Instance;
use crate::kernels::kernel::{Simd, VECTOR};
use crate::kernels::panel::{Lanes, PANEL};
use crate::kernels::wide::Wide;

/// Intermediate values of eight tasks at one place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work<T> {
    /// Time when the device is done at the place.
    now: T,
    /// Time when the device would be done at the place without the task.
    without: T,
    /// Change of other devices' times when the task leaves the place.
    leaving: T,
    /// Energy of the task at the place.
    energy: T,
    /// Growth of the device's time when the whole task is at the place.
    own_time: T,
    /// Growth of other devices' times when the whole task is at the place.
    others_time: T,
    /// Change of the cost by the move.
    gain: T,
    /// Cost of placing the task after larger tasks of its device.
    sequential: T,
    /// Whether the device is done last at this place once the task is placed; later the number of devices that wait, see
    /// [`sequential`](super::sequential).
    pub(super) is_last: T,
    /// Cost of placing the task after larger tasks of all devices.
    pub(super) overall: T,
}

/// Eight tasks side by side, and the bytes that are sent to all servers together.
#[derive(Clone, Copy)]
struct Eight<'a, S: Simd> {
    simd: S,
    instance: &'a Instance,
    panel: usize,
    half: usize,
    size: Wide<S>,
    /// Bytes sent by all tasks.
    sent: Wide<S>,
    /// Bytes sent by all tasks but this one.
    sent_without: Wide<S>,
    /// Bytes sent by all tasks but this and smaller ones of its device.
    sent_sequential: Wide<S>,
    /// Bytes sent by larger tasks of all devices.
    sent_overall: Wide<S>,
}

impl<'a, S: Simd> Eight<'a, S> {
    #[inline(always)]
    fn new(
        simd: S,
        instance: &'a Instance,
        features: &Features,
        shares: &[Lanes],
        (panel, half): (usize, usize),
    ) -> Self {
        let load = |lanes: &Lanes| Wide::load(simd, &lanes.0[half]);
        let task = &instance.lanes.tasks[panel];
        let size = load(&task.size);
        let sent = Wide::splat(simd, features.loads[1..].iter().sum());
        Self {
            simd,
            instance,
            panel,
            half,
            size,
            sent,
            sent_without: sent - size * (Wide::splat(simd, 1.0) - load(&shares[panel])),
            sent_sequential: sent - (load(&task.left) - (load(&features.bytes[panel]) - load(&features.larger[panel]))),
            sent_overall: load(&task.larger) - load(&features.larger_of_all[panel]),
        }
    }

    #[inline(always)]
    fn index(&self, place: usize) -> usize {
        place * self.instance.lanes.panels + self.panel
    }

    #[inline(always)]
    fn load(&self, lanes: &Lanes) -> Wide<S> {
        Wide::load(self.simd, &lanes.0[self.half])
    }

    #[inline(always)]
    fn work(&self, values: &[f32; VECTOR]) -> Wide<S> {
        Wide::load(self.simd, values)
    }

    #[inline(always)]
    fn splat(&self, value: f32) -> Wide<S> {
        Wide::splat(self.simd, value)
    }

    #[inline(always)]
    fn terms(&self, place: usize) -> PlaceTerms<S> {
        let own = &self.instance.lanes.own[self.index(place)];
        PlaceTerms::new(self.simd, self.instance, place, &own.send.0[self.half], &own.compute.0[self.half])
    }

    /// Whether devices at the place wait for each other.
    #[inline(always)]
    fn is_shared(&self, place: usize) -> bool {
        place > 0 && self.instance.shared[place].is_any()
    }
}

/// Mean of the moves' values over the present shares of eight tasks, and the place with the cheapest move.
#[derive(Clone, Copy)]
struct Here<S: Simd> {
    energy: Wide<S>,
    own_time: Wide<S>,
    others_time: Wide<S>,
    best_place: Wide<S>,
}

impl Features {
    /// Inputs of eight tasks at all places, without the inputs that depend on devices waiting for larger tasks.
    #[inline(always)]
    pub(super) fn compute_moves<S: Simd>(
        &mut self,
        simd: S,
        instance: &Instance,
        shares: &[Lanes],
        rows: &mut [Lanes],
        block: usize,
        (panel, half): (usize, usize),
    ) {
        let eight = Eight::new(simd, instance, self, shares, (panel, half));
        let (longest, before_sequential, before_overall) = self.time_now(&eight);
        let (apart, leaving) = self.take_away(&eight, shares, longest);
        let here = self.move_anywhere(&eight, shares, (rows, block), (longest, apart), leaving);
        let (least, latest) =
            self.place_sequentially(&eight, shares, (rows, block), &here, (before_sequential, before_overall));
        self.compare(&eight, (rows, block), least);
        if instance.lanes.is_any_shared {
            self.keep_last(simd, instance.places, instance.lanes.panels, panel * PANEL + half * VECTOR, latest);
        }
    }

    /// Times of the devices of eight tasks: at present, without the task and smaller ones of its device, and without the task
    /// and smaller ones of all devices.
    #[inline(always)]
    fn time_now<S: Simd>(&mut self, eight: &Eight<'_, S>) -> (Longest<S>, Wide<S>, Wide<S>) {
        let (zero, present) = (eight.splat(0.0), eight.splat(PRESENT));
        let mut longest = Longest::none(eight.simd);
        let (mut before_sequential, mut before_overall) = (zero, zero);
        for place in 0..eight.instance.places {
            let (index, terms) = (eight.index(place), eight.terms(place));
            let (bytes, larger) = (eight.load(&self.bytes[index]), eight.load(&self.larger[index]));
            let all = eight.splat(self.loads[place]);
            let now = present.where_less(bytes, terms.time(bytes, all, eight.sent), zero);
            now.store(&mut self.work[place].now);
            longest = longest.and(now);
            let sequential = terms.time(larger, all - bytes + larger, eight.sent_sequential);
            before_sequential = before_sequential.max(present.where_less(larger, sequential, zero));
            let overall = terms.time(larger, eight.load(&self.larger_of_all[index]), eight.sent_overall);
            before_overall = before_overall.max(present.where_less(larger, overall, zero));
        }
        (longest, before_sequential, before_overall)
    }

    /// Times of the devices without the task, and the change of other devices' times when it leaves.
    #[inline(always)]
    fn take_away<S: Simd>(
        &mut self,
        eight: &Eight<'_, S>,
        shares: &[Lanes],
        longest: Longest<S>,
    ) -> (Longest<S>, Wide<S>) {
        let (zero, present) = (eight.splat(0.0), eight.splat(PRESENT));
        let mut apart = Longest::none(eight.simd);
        let mut leaving = zero;
        for place in 0..eight.instance.places {
            let (index, terms) = (eight.index(place), eight.terms(place));
            let (bytes, all) = (eight.load(&self.bytes[index]), eight.splat(self.loads[place]));
            let gone = eight.size * eight.load(&shares[index]);
            let rest = bytes - gone;
            let without = present.where_less(rest, terms.time(rest, all - gone, eight.sent_without), zero);
            apart = apart.and(without);
            let work = &mut self.work[place];
            without.store(&mut work.without);
            if eight.is_shared(place) {
                let waits = self.waits.curves[place].less.at(eight.simd, gone);
                let then = terms.time(bytes, (all - gone).max(zero), eight.sent);
                let own = then.max(longest.without(eight.work(&work.now))) - longest.0;
                let others = present.where_less(bytes, waits - own, waits);
                others.store(&mut work.leaving);
                leaving = leaving + others;
            } else {
                work.leaving = [0.0; VECTOR];
            }
        }
        (apart, leaving)
    }

    /// Energy and times with the whole task at each place, and their mean over its present shares.
    #[inline(always)]
    fn move_anywhere<S: Simd>(
        &mut self,
        eight: &Eight<'_, S>,
        shares: &[Lanes],
        (rows, block): (&mut [Lanes], usize),
        (longest, apart): (Longest<S>, Longest<S>),
        leaving: Wide<S>,
    ) -> Here<S> {
        let (zero, one, smallest, present) =
            (eight.splat(0.0), eight.splat(1.0), eight.splat(f32::MIN_POSITIVE), eight.splat(PRESENT));
        let (mut energy_here, mut own_here, mut others_here) = (zero, zero, zero);
        let (mut best, mut best_place) = (eight.splat(f32::INFINITY), zero);
        for place in 0..eight.instance.places {
            let (index, terms) = (eight.index(place), eight.terms(place));
            let (bytes, all) = (eight.load(&self.bytes[index]), eight.splat(self.loads[place]));
            let share = eight.load(&shares[index]);
            let coming = eight.size * (one - share);
            let work = &mut self.work[place];
            let sent_then = if place == 0 { eight.sent_without } else { eight.sent_without + eight.size };
            let there = terms.time(bytes + coming, all + coming, sent_then);
            let then = there.max(apart.without(eight.work(&work.without)));
            let mut others = leaving;
            if eight.is_shared(place) {
                let waits = self.waits.curves[place].more.at(eight.simd, coming);
                let own =
                    terms.time(bytes, all + coming, eight.sent).max(longest.without(eight.work(&work.now))) - longest.0;
                others = others - eight.work(&work.leaving) + present.where_less(bytes, waits - own, waits);
            }
            if eight.instance.uplink > 0.0 {
                others = others + self.waits.uplink.at(eight.simd, sent_then - eight.sent);
            }
            let energy = eight.load(&eight.instance.lanes.own[index].energy) * eight.size;
            let own_time = then - longest.0;
            let total = energy + own_time + others;
            best_place = total.where_less(best, eight.splat(place as f32), best_place);
            best = best.min(total);
            energy_here = share.mul_add(energy, energy_here);
            own_here = share.mul_add(own_time, own_here);
            others_here = share.mul_add(others, others_here);
            energy.store(&mut work.energy);
            own_time.store(&mut work.own_time);
            others.store(&mut work.others_time);
            let mut row = PairRow::new(rows, block, index, eight.half);
            row.put(input::SHARE, share);
            row.put(input::ALONE, eight.load(&eight.instance.lanes.own[index].alone));
            row.put(input::TIME, eight.work(&work.now) / longest.0.max(smallest));
            row.put(input::TIME_THEN, there / then.max(smallest));
            row.put(input::BYTES, bytes / (bytes + eight.size).max(smallest));
        }
        Here { energy: energy_here, own_time: own_here, others_time: others_here, best_place }
    }

    /// The cost of placing the task after larger tasks. Returns the least cost of a move and of this, and the times of the
    /// devices once the task is placed.
    #[inline(always)]
    fn place_sequentially<S: Simd>(
        &mut self,
        eight: &Eight<'_, S>,
        shares: &[Lanes],
        (rows, block): (&mut [Lanes], usize),
        here: &Here<S>,
        (before_sequential, before_overall): (Wide<S>, Wide<S>),
    ) -> ([Wide<S>; 2], Wide<S>) {
        let (zero, one, smallest, present) =
            (eight.splat(0.0), eight.splat(1.0), eight.splat(f32::MIN_POSITIVE), eight.splat(PRESENT));
        let (mut least, mut least_sequential) = (eight.splat(f32::INFINITY), eight.splat(f32::INFINITY));
        let mut latest = zero;
        for place in 0..eight.instance.places {
            let (index, terms) = (eight.index(place), eight.terms(place));
            let share = eight.load(&shares[index]);
            let gone = eight.size * share;
            let (bytes, larger) = (eight.load(&self.bytes[index]), eight.load(&self.larger[index]));
            let work = &mut self.work[place];
            let cost = eight.work(&work.energy);
            let energy = cost - here.energy;
            let own_time = eight.work(&work.own_time) - here.own_time;
            let others_time = eight.work(&work.others_time) - here.others_time;
            let gain = energy + own_time + others_time;
            gain.store(&mut work.gain);
            least = least.min(gain);
            let with = larger + eight.size;
            let sent_then = if place == 0 { eight.sent_sequential } else { eight.sent_sequential + eight.size };
            let there = terms.time(with, eight.splat(self.loads[place]) - bytes + larger + eight.size, sent_then);
            let then = there.max(before_sequential);
            let sequential = cost + (then - before_sequential) + others_time;
            sequential.store(&mut work.sequential);
            least_sequential = least_sequential.min(sequential);
            let before = eight.load(&self.larger_of_all[index]);
            let sent_then = if place == 0 { eight.sent_overall } else { eight.sent_overall + eight.size };
            let there_overall = terms.time(with, before + eight.size, sent_then);
            let then_overall = there_overall.max(before_overall);
            (cost + (then_overall - before_overall)).store(&mut work.overall);
            if eight.instance.lanes.is_any_shared {
                let sent_after = eight.sent_overall + eight.size * (one - eight.load(&shares[eight.panel]));
                let after = terms.time(larger + gone, before + gone, sent_after);
                let after = present.where_less(larger + gone, after, zero);
                latest = latest.max(after);
                after.store(&mut work.is_last);
            }
            self.count_best_moves(eight, place, gone, here);
            let work = &mut self.work[place];
            let mut row = PairRow::new(rows, block, index, eight.half);
            let four = eight.splat(4.0);
            row.put(input::ENERGY, softsign(one, four * energy));
            row.put(input::OWN_TIME, softsign(one, four * own_time));
            row.put(input::OTHERS_TIME, softsign(one, four * others_time));
            row.put(input::SEQUENTIAL_TIME, there / then.max(smallest));
            row.put(input::OVERALL, eight.work(&work.overall));
            row.put(input::OVERALL_TIME, there_overall / then_overall.max(smallest));
        }
        ([least, least_sequential], latest)
    }

    /// Adds the bytes at the place whose best move is elsewhere, and the bytes elsewhere whose best move is to the place.
    #[inline(always)]
    fn count_best_moves<S: Simd>(&mut self, eight: &Eight<'_, S>, place: usize, gone: Wide<S>, here: &Here<S>) {
        let (zero, one, this) = (eight.splat(0.0), eight.splat(1.0), eight.splat(place as f32));
        let is_best = (here.best_place - this).abs().where_less(eight.splat(0.5), one, zero);
        let coming = (is_best * (eight.size - gone)) + eight.work(&self.coming[place]);
        coming.store(&mut self.coming[place]);
        let going = (one - is_best).mul_add(gone, eight.work(&self.going[place]));
        going.store(&mut self.going[place]);
    }

    /// The cost at each place compared with the least.
    #[inline(always)]
    fn compare<S: Simd>(
        &mut self,
        eight: &Eight<'_, S>,
        (rows, block): (&mut [Lanes], usize),
        [least, least_sequential]: [Wide<S>; 2],
    ) {
        let (zero, one) = (eight.splat(0.0), eight.splat(1.0));
        for place in 0..eight.instance.places {
            let work = &self.work[place];
            let mut row = PairRow::new(rows, block, eight.index(place), eight.half);
            let gain = eight.work(&work.gain);
            row.put(input::GAIN, softsign(one, gain));
            row.put(input::GAIN + 1, softsign(one, eight.splat(8.0) * gain));
            let regret = gain - least;
            row.put(input::REGRET, softsign(one, regret));
            row.put(input::REGRET + 1, softsign(one, eight.splat(8.0) * regret));
            row.put(input::IS_BEST, least.where_less(gain, zero, one));
            let regret = eight.work(&work.sequential) - least_sequential;
            row.put(input::SEQUENTIAL, softsign(one, eight.splat(2.0) * regret));
            row.put(input::SEQUENTIAL + 1, softsign(one, eight.splat(16.0) * regret));
            row.put(input::SEQUENTIAL + 2, zero.where_less(regret, zero, one));
        }
    }
}
