//! One device's tasks as if they could be divided at will: what no way to place them can undercut.

/// One place of the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) place: usize,
    /// What a byte costs here beside its time.
    pub(super) cost_per_byte: f64,
    /// b bytes are done at `from_s` + b `s_per_byte`, and not before `opens_s`.
    pub(super) from_s: f64,
    pub(super) opens_s: f64,
    pub(super) s_per_byte: f64,
}

impl Slot {
    /// Bytes that are done by a deadline.
    fn capacity(&self, deadline_s: f64) -> f64 {
        if deadline_s >= self.opens_s { (deadline_s - self.from_s).max(0.0) / self.s_per_byte } else { 0.0 }
    }
}

/// Finds the deadline by which all bytes are done at the least cost, the time to it included.
#[derive(Debug, Clone)]
pub(super) struct Divisible {
    /// Cheapest first.
    slots: Vec<Slot>,
    /// Bytes that each took in the best way found.
    taken: Vec<f64>,
}

impl Divisible {
    pub(super) fn new(mut slots: Vec<Slot>) -> Self {
        slots.sort_by(|a, b| a.cost_per_byte.total_cmp(&b.cost_per_byte));
        let taken = vec![0.0; slots.len()];
        Self { slots, taken }
    }

    /// min over deadlines τ of the cost of `bytes` bytes done by τ, the cheapest places first, + `time_weight` τ.
    ///
    /// Between the moments at which places open and those at which the k cheapest can just take everything the cost is
    /// linear in τ, and it never jumps up, so that one of these moments is the best.
    pub(super) fn least_cost(&mut self, bytes: f64, time_weight: f64) -> f64 {
        if bytes <= 0.0 {
            self.taken.fill(0.0);
            return 0.0;
        }
        let mut best = (f64::INFINITY, 0.0);
        let opening = (0..self.slots.len()).map(|index| self.slots[index].opens_s);
        let full = (1..=self.slots.len()).map(|count| self.time_to_take(bytes, count));
        for deadline_s in opening.chain(full) {
            let cost = self.cost_by(deadline_s, bytes) + time_weight * deadline_s;
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

    /// Bytes at a place in the best way that was found last.
    pub(super) fn taken(&self, place: usize) -> f64 {
        self.slots.iter().position(|slot| slot.place == place).map_or(0.0, |index| self.taken[index])
    }

    /// The first moment by which the `count` cheapest places can take everything.
    fn time_to_take(&self, bytes: f64, count: usize) -> f64 {
        let slots = &self.slots[..count];
        let mut earliest = f64::INFINITY;
        // Those open until some moment, and no others: the answer is one of these, if it lies beyond that moment.
        for last in slots {
            let (mut speed, mut done) = (0.0, 0.0);
            for slot in slots.iter().filter(|slot| slot.opens_s <= last.opens_s) {
                speed += 1.0 / slot.s_per_byte;
                done += slot.from_s / slot.s_per_byte;
            }
            let moment = ((bytes + done) / speed).max(last.opens_s);
            earliest = earliest.min(moment);
        }
        earliest
    }

    /// ∞ if not everything can be done by then.
    fn cost_by(&self, deadline_s: f64, bytes: f64) -> f64 {
        let (mut cost, mut rest) = (0.0, bytes);
        for slot in &self.slots {
            let taken = slot.capacity(deadline_s).min(rest);
            cost += taken * slot.cost_per_byte;
            rest -= taken;
        }
        // What rounding leaves over costs as much as the dearest.
        if rest > 1e-9 * bytes { f64::INFINITY } else { cost }
    }
}
