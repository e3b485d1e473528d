//! What moving each task would change, and what placing it would cost after larger ones.

use super::{Longest, PRESENT, PairRow, PlaceTerms, Reading, input, squash};
use crate::fleet::instance::Instance;
use crate::fused::kernel::{Simd, VECTOR};
use crate::fused::panel::{Lanes, PANEL};
use crate::fused::wide::Wide;

/// What is known of eight tasks at one place while others are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work<T> {
    /// When the device is done there.
    now: T,
    /// Without the task, and how much less others would wait.
    without: T,
    leaving: T,
    energy: T,
    own_time: T,
    others_time: T,
    gain: T,
    in_turn: T,
    /// Whether the device would be done there last of all places; see [`turns`](super::turns).
    pub(super) is_last: T,
    pub(super) in_all: T,
}

impl Reading {
    /// Inputs of eight tasks at all places, but for what depends on waits for larger tasks.
    #[inline(always)]
    pub(super) fn read_moves<S: Simd>(
        &mut self,
        simd: S,
        instance: &Instance,
        shares: &[Lanes],
        rows: &mut [Lanes],
        block: usize,
        (panel, half): (usize, usize),
    ) {
        let (places, panels) = (instance.places, instance.lanes.panels);
        let load = |lanes: &Lanes| Wide::load(simd, &lanes.0[half]);
        let load_work = |values: &[f32; VECTOR]| Wide::load(simd, values);
        let splat = |value: f32| Wide::splat(simd, value);
        let (zero, one, smallest, present) = (splat(0.0), splat(1.0), splat(f32::MIN_POSITIVE), splat(PRESENT));
        let task = &instance.lanes.tasks[panel];
        let size = load(&task.size);
        let sent = splat(self.loads[1..].iter().sum());
        // All but this task; all but this and smaller tasks of its device; larger tasks.
        let sent_without = sent - size * (one - load(&shares[panel]));
        let sent_in_turn = sent - (load(&task.left) - (load(&self.bytes[panel]) - load(&self.larger[panel])));
        let sent_in_all = load(&task.larger) - load(&self.larger_of_all[panel]);
        let terms = |place: usize| {
            let own = &instance.lanes.own[place * panels + panel];
            PlaceTerms::new(simd, instance, place, &own.send.0[half], &own.compute.0[half])
        };

        let mut longest = Longest::none(simd);
        let (mut before_in_turn, mut before_in_all) = (zero, zero);
        for place in 0..places {
            let (index, terms) = (place * panels + panel, terms(place));
            let (bytes, larger) = (load(&self.bytes[index]), load(&self.larger[index]));
            let all = splat(self.loads[place]);
            let now = present.where_less(bytes, terms.time(bytes, all, sent), zero);
            now.store(&mut self.work[place].now);
            longest = longest.and(now);
            let in_turn = terms.time(larger, all - bytes + larger, sent_in_turn);
            before_in_turn = before_in_turn.max(present.where_less(larger, in_turn, zero));
            let in_all = terms.time(larger, load(&self.larger_of_all[index]), sent_in_all);
            before_in_all = before_in_all.max(present.where_less(larger, in_all, zero));
        }

        let mut apart = Longest::none(simd);
        let mut leaving = zero;
        for place in 0..places {
            let (index, terms) = (place * panels + panel, terms(place));
            let (bytes, all) = (load(&self.bytes[index]), splat(self.loads[place]));
            let gone = size * load(&shares[index]);
            let rest = bytes - gone;
            let without = present.where_less(rest, terms.time(rest, all - gone, sent_without), zero);
            apart = apart.and(without);
            let work = &mut self.work[place];
            without.store(&mut work.without);
            if place > 0 && instance.shared[place].is_any() {
                let waits = self.waits.curves[place].less.at(simd, gone);
                let then = terms.time(bytes, (all - gone).max(zero), sent);
                let own = then.max(longest.without(load_work(&work.now))) - longest.0;
                let others = present.where_less(bytes, waits - own, waits);
                others.store(&mut work.leaving);
                leaving = leaving + others;
            } else {
                work.leaving = [0.0; VECTOR];
            }
        }

        let (mut energy_here, mut own_here, mut others_here) = (zero, zero, zero);
        let (mut best, mut best_place) = (splat(f32::INFINITY), zero);
        for place in 0..places {
            let (index, terms) = (place * panels + panel, terms(place));
            let (bytes, all) = (load(&self.bytes[index]), splat(self.loads[place]));
            let share = load(&shares[index]);
            let coming = size * (one - share);
            let work = &mut self.work[place];
            let sent_then = if place == 0 { sent_without } else { sent_without + size };
            let there = terms.time(bytes + coming, all + coming, sent_then);
            let then = there.max(apart.without(load_work(&work.without)));
            let mut others = leaving;
            if place > 0 && instance.shared[place].is_any() {
                let waits = self.waits.curves[place].more.at(simd, coming);
                let own = terms.time(bytes, all + coming, sent).max(longest.without(load_work(&work.now))) - longest.0;
                others = others - load_work(&work.leaving) + present.where_less(bytes, waits - own, waits);
            }
            if instance.uplink > 0.0 {
                others = others + self.waits.uplink.at(simd, sent_then - sent);
            }
            let energy = load(&instance.lanes.own[index].energy) * size;
            let own_time = then - longest.0;
            let total = energy + own_time + others;
            best_place = total.where_less(best, splat(place as f32), best_place);
            best = best.min(total);
            energy_here = share.mul_add(energy, energy_here);
            own_here = share.mul_add(own_time, own_here);
            others_here = share.mul_add(others, others_here);
            energy.store(&mut work.energy);
            own_time.store(&mut work.own_time);
            others.store(&mut work.others_time);
            let mut row = PairRow::new(rows, block, index, half);
            row.put(input::SHARE, share);
            row.put(input::ALONE, load(&instance.lanes.own[index].alone));
            row.put(input::TIME, load_work(&work.now) / longest.0.max(smallest));
            row.put(input::TIME_THEN, there / then.max(smallest));
            row.put(input::BYTES, bytes / (bytes + size).max(smallest));
        }

        let (mut least, mut least_in_turn) = (splat(f32::INFINITY), splat(f32::INFINITY));
        let mut latest = zero;
        for place in 0..places {
            let (index, terms) = (place * panels + panel, terms(place));
            let share = load(&shares[index]);
            let gone = size * share;
            let (bytes, larger) = (load(&self.bytes[index]), load(&self.larger[index]));
            let work = &mut self.work[place];
            let cost = load_work(&work.energy);
            let energy = cost - energy_here;
            let own_time = load_work(&work.own_time) - own_here;
            let others_time = load_work(&work.others_time) - others_here;
            let gain = energy + own_time + others_time;
            gain.store(&mut work.gain);
            least = least.min(gain);
            let with = larger + size;
            let sent_then = if place == 0 { sent_in_turn } else { sent_in_turn + size };
            let there = terms.time(with, splat(self.loads[place]) - bytes + larger + size, sent_then);
            let then = there.max(before_in_turn);
            let in_turn = cost + (then - before_in_turn) + others_time;
            in_turn.store(&mut work.in_turn);
            least_in_turn = least_in_turn.min(in_turn);
            let before = load(&self.larger_of_all[index]);
            let sent_then = if place == 0 { sent_in_all } else { sent_in_all + size };
            let there_in_all = terms.time(with, before + size, sent_then);
            let then_in_all = there_in_all.max(before_in_all);
            (cost + (then_in_all - before_in_all)).store(&mut work.in_all);
            if instance.lanes.is_any_shared {
                let sent_after = sent_in_all + size * (one - load(&shares[panel]));
                let after = terms.time(larger + gone, before + gone, sent_after);
                let after = present.where_less(larger + gone, after, zero);
                latest = latest.max(after);
                after.store(&mut work.is_last);
            }
            let here = splat(place as f32);
            let is_best = (best_place - here).abs().where_less(splat(0.5), one, zero);
            let coming = (is_best * (size - gone)) + load_work(&self.coming[place]);
            coming.store(&mut self.coming[place]);
            let going = (one - is_best).mul_add(gone, load_work(&self.going[place]));
            going.store(&mut self.going[place]);
            let mut row = PairRow::new(rows, block, index, half);
            let four = splat(4.0);
            row.put(input::ENERGY, squash(one, four * energy));
            row.put(input::OWN_TIME, squash(one, four * own_time));
            row.put(input::OTHERS_TIME, squash(one, four * others_time));
            row.put(input::IN_TURN_TIME, there / then.max(smallest));
            row.put(input::IN_ALL, load_work(&work.in_all));
            row.put(input::IN_ALL_TIME, there_in_all / then_in_all.max(smallest));
        }

        for place in 0..places {
            let work = &self.work[place];
            let mut row = PairRow::new(rows, block, place * panels + panel, half);
            let gain = load_work(&work.gain);
            row.put(input::GAIN, squash(one, gain));
            row.put(input::GAIN + 1, squash(one, splat(8.0) * gain));
            let regret = gain - least;
            row.put(input::REGRET, squash(one, regret));
            row.put(input::REGRET + 1, squash(one, splat(8.0) * regret));
            row.put(input::IS_BEST, least.where_less(gain, zero, one));
            let regret = load_work(&work.in_turn) - least_in_turn;
            row.put(input::IN_TURN, squash(one, splat(2.0) * regret));
            row.put(input::IN_TURN + 1, squash(one, splat(16.0) * regret));
            row.put(input::IN_TURN + 2, zero.where_less(regret, zero, one));
        }
        if instance.lanes.is_any_shared {
            self.keep_last(simd, places, panels, panel * PANEL + half * VECTOR, latest);
        }
    }
}
