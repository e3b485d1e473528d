//! One device's tasks as if they could be divided at will: a lower bound for all ways to place them.

/// One place of the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) place: usize,
    /// The cost of a byte here without the cost of its time.
    pub(super) cost_per_byte: f64,
    /// The time from which the device's bytes count: b bytes are done at `from_s` + b `s_per_byte`.
    pub(super) from_s: f64,
    /// The time before which nothing is done here.
    pub(super) opens_s: f64,
    pub(super) s_per_byte: f64,
}

impl Slot {
    /// The bytes that are done by a deadline.
    fn capacity(&self, deadline_s: f64) -> f64 {
        if deadline_s >= self.opens_s { (deadline_s - self.from_s).max(0.0) / self.s_per_byte } else { 0.0 }
    }
}

/// Finds the cheapest deadline for all bytes. The cost includes the time until the deadline.
#[derive(Debug, Clone)]
pub(super) struct Divisible {
    /// The places, cheapest first.
    slots: Vec<Slot>,
    /// The bytes at each place in the best way found.
    taken: Vec<f64>,
}

impl Divisible {
    pub(super) fn new(mut slots: Vec<Slot>) -> Self {
        slots.sort_by(|a, b| a.cost_per_byte.total_cmp(&b.cost_per_byte));
        let taken = vec![0.0; slots.len()];
        Self { slots, taken }
    }

    /// The minimum over deadlines τ of `time_weight` τ plus the cost of `bytes` bytes done by τ, cheapest places first.
    ///
    /// Places open at some moments, and at others the k cheapest places can just take everything. Between these moments
    /// the cost is linear in τ, and it never jumps up, so that one of them is the best deadline.
    pub(super) fn least_cost(&mut self, bytes: f64, time_weight: f64) -> f64 {
        if bytes <= 0.0 {
            self.taken.fill(0.0);
            return 0.0;
        }
        let mut best = (f64::INFINITY, 0.0);
        for slot in &self.slots {
            let (cost, rest) = self.cost_by(slot.opens_s, bytes);
            if rest <= 0.0 && cost + time_weight * slot.opens_s < best.0 {
                best = (cost + time_weight * slot.opens_s, slot.opens_s);
            }
        }
        for count in 1..=self.slots.len() {
            let deadline_s = self.time_to_take(bytes, count);
            // Bytes that are left over by rounding cost no less than the cheapest.
            let (cost, rest) = self.cost_by(deadline_s, bytes);
            let cost = cost + rest * self.slots[0].cost_per_byte + time_weight * deadline_s;
            if cost < best.0 {
                best = (cost, deadline_s);
            }
        }
        let mut rest = bytes;
        for (slot, taken) in self.slots.iter().zip(&mut self.taken) {
            *taken = slot.capacity(best.1).min(rest);
            rest -= *taken;
        }
        best.0
    }

    /// The bytes at a place in the best way that was found last.
    pub(super) fn taken(&self, place: usize) -> f64 {
        self.slots.iter().position(|slot| slot.place == place).map_or(0.0, |index| self.taken[index])
    }

    /// The first moment by which the `count` cheapest places can take everything.
    fn time_to_take(&self, bytes: f64, count: usize) -> f64 {
        let slots = &self.slots[..count];
        let mut earliest = f64::INFINITY;
        // With only the places open until some moment: one of these moments is the answer.
        for last in slots {
            let (mut speed, mut done) = (0.0, 0.0);
            for slot in slots.iter().filter(|slot| slot.opens_s <= last.opens_s) {
                speed += 1.0 / slot.s_per_byte;
                done += (last.opens_s - slot.from_s) / slot.s_per_byte;
            }
            let moment = last.opens_s + (bytes - done).max(0.0) / speed;
            earliest = earliest.min(moment);
        }
        earliest
    }

    /// The cost of all bytes that can be done by a deadline, and the number of bytes left over.
    fn cost_by(&self, deadline_s: f64, bytes: f64) -> (f64, f64) {
        let (mut cost, mut rest) = (0.0, bytes);
        for slot in &self.slots {
            let taken = slot.capacity(deadline_s).min(rest);
            cost += taken * slot.cost_per_byte;
            rest -= taken;
        }
        (cost, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slots() -> impl Strategy<Value = Vec<Slot>> {
        let slot = (-1e-6..1e-5_f64, 0.0..1e4_f64, 0.0..1e3_f64, -18.0..-5.0_f64);
        prop::collection::vec(slot, 1..5).prop_map(|all| {
            let slot = |(place, (cost_per_byte, from_s, later_s, exponent)): (usize, (f64, f64, f64, f64))| {
                let opens_s = from_s + later_s;
                Slot { place, cost_per_byte, from_s, opens_s, s_per_byte: 10_f64.powf(exponent) }
            };
            all.into_iter().enumerate().map(slot).collect()
        })
    }

    proptest! {
        /// No way to divide the bytes costs less, even where a place is so quick that rounding hides the time for its
        /// bytes.
        #[test]
        fn nothing_undercuts_it(slots in slots(), bytes in 1.0..1e9_f64, weight in 0.0..=1.0_f64, shares in prop::array::uniform4(0.0..1.0_f64)) {
            let least = Divisible::new(slots.clone()).least_cost(bytes, weight);
            let used = &shares[..slots.len()];
            for only in 0..=slots.len() {
                // All at one place, or as the shares say.
                let part = |index: usize| match only {
                    0 => used[index] / used.iter().sum::<f64>(),
                    one => f64::from(u8::from(index + 1 == one)),
                };
                let (mut cost, mut longest_s, mut scale) = (0.0, 0.0_f64, 0.0);
                for (index, slot) in slots.iter().enumerate().filter(|(index, _)| part(*index) > 0.0) {
                    let here = bytes * part(index);
                    cost += here * slot.cost_per_byte;
                    scale += (here * slot.cost_per_byte).abs();
                    longest_s = longest_s.max((slot.from_s + here * slot.s_per_byte).max(slot.opens_s));
                }
                let cost = cost + weight * longest_s;
                scale += weight * longest_s;
                prop_assert!(least <= cost + 1e-12 * scale, "{least} above {cost}");
            }
        }
    }
}
