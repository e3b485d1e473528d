//! The optimum over a link whose radio stays on for a while, with knowledge of the whole path.

use super::error::SlotSchemeError;
use super::path::SlotPath;

/// Points of the backlog grid of a plan, and seconds of load between them.
const PLAN_POINTS: usize = 600;
const PLAN_STEP_S: f64 = 1.5;
/// Points of the backlog grid of a bound, and parts into which it divides a mean file.
const BOUND_POINTS: usize = 4000;
const BOUND_PARTS: f64 = 64.0;

/// When to send, by backward induction over the slots on a grid of backlogs and the slots since the radio was used.
///
/// Costs between grid points are interpolated, and the decision at the nearest point is taken: the plan is a scheme
/// that can be carried out, but not exactly the optimum. [`tail_bound`] is what no scheme undercuts.
#[derive(Debug, Clone)]
pub struct TailPlan {
    grid: Grid,
    slot_s: f64,
    /// Bits, `[slots, idle, points]`: whether to send.
    sends: Vec<u64>,
}

impl TailPlan {
    /// Plans a path.
    ///
    /// # Errors
    /// If the path has several links or applications.
    pub fn new(path: &SlotPath) -> Result<Self, SlotSchemeError> {
        let steps = Steps::new(path)?;
        let step = PLAN_STEP_S * path.load();
        let grid = Grid { points: PLAN_POINTS, idle: steps.idle, step_bytes: step };
        let mut sends = vec![0; (path.slots() * grid.size()).div_ceil(64)];
        steps.backward(path, &grid, at_interpolated, |slot, index, is_sending| {
            let bit = slot * grid.size() + index;
            sends[bit / 64] |= u64::from(is_sending) << (bit % 64);
        });
        Ok(Self { grid, slot_s: steps.slot_s, sends })
    }

    /// Whether to send in a slot with that many bytes waiting; `idle_s` is the time since the radio was used.
    pub fn sends(&self, slot: usize, backlog_bytes: f64, idle_s: f64) -> bool {
        let idle = ((idle_s / self.slot_s).round() as usize).min(self.grid.idle - 1);
        let point = ((backlog_bytes / self.grid.step_bytes).round() as usize).min(self.grid.points - 1);
        let bit = slot * self.grid.size() + idle * self.grid.points + point;
        self.sends[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// A cost that no scheme undercuts on a path with one link, with its tail.
///
/// Backward induction on a grid where backlogs are rounded down in each slot: as a smaller backlog never costs more, the
/// result is a lower bound. It is below the optimum by what the bytes cost that disappear in rounding: less than one 64th
/// of a mean file for each slot in which data is sent or arrives.
///
/// # Errors
/// If the path has several links or applications.
pub fn tail_bound(path: &SlotPath) -> Result<f64, SlotSchemeError> {
    let steps = Steps::new(path)?;
    let mean = path.arrived_bytes() / path.files().len().max(1) as f64;
    if mean == 0.0 {
        return Ok(0.0);
    }
    let grid = Grid { points: BOUND_POINTS, idle: steps.idle, step_bytes: mean / BOUND_PARTS };
    let first = steps.backward(path, &grid, at_rounded_down, |_, _, _| {});
    let off = &first[(grid.idle - 1) * grid.points..];
    Ok(at_rounded_down(off, steps.arrivals[0] / grid.step_bytes))
}

/// Backlogs times slots since the radio was used.
#[derive(Debug, Clone, Copy)]
struct Grid {
    points: usize,
    idle: usize,
    step_bytes: f64,
}

impl Grid {
    fn size(&self) -> usize {
        self.points * self.idle
    }
}

/// What the induction needs to know of a path.
struct Steps {
    slot_s: f64,
    power_w: f64,
    tail_w: f64,
    tail_s: f64,
    /// Slots since the radio was used, from 0 to the first number at which it is off.
    idle: usize,
    /// Bytes that arrive in each slot.
    arrivals: Vec<f64>,
}

impl Steps {
    fn new(path: &SlotPath) -> Result<Self, SlotSchemeError> {
        let settings = path.problem().settings();
        let (links, applications) = (settings.links.len(), settings.applications.len());
        if links != 1 || applications != 1 {
            let needs = "one link and one application";
            return Err(SlotSchemeError::Shape { scheme: "hindsight with a tail", needs, links, applications });
        }
        let (tail_w, tail_s) = settings.links[0].tail.map_or((0.0, 0.0), |tail| (tail.power_w, tail.length_s));
        let mut arrivals = vec![0.0; path.slots()];
        path.files().iter().for_each(|file| arrivals[file.slot] += file.bytes);
        Ok(Self {
            slot_s: settings.slot_s,
            power_w: settings.links[0].power_w,
            tail_w,
            tail_s,
            idle: (tail_s / settings.slot_s - 1e-9).ceil().max(0.0) as usize + 1,
            arrivals,
        })
    }

    /// The cost from each slot on, backwards: the one at the first slot, `[idle, points]`, with the first slot's
    /// arrivals in the backlog. `look` reads a cost between grid points.
    fn backward(
        &self,
        path: &SlotPath,
        grid: &Grid,
        look: impl Fn(&[f64], f64) -> f64,
        mut decided: impl FnMut(usize, usize, bool),
    ) -> Vec<f64> {
        let (prices, slot_s) = (path.prices(), self.slot_s);
        let left = |point: usize| prices.per_joule * prices.left_j_per_byte * point as f64 * grid.step_bytes;
        let mut later: Vec<f64> = (0..grid.size()).map(|index| left(index % grid.points)).collect();
        let mut now = later.clone();
        let wait_price = prices.per_byte_s * slot_s * grid.step_bytes;
        for slot in (0..path.slots()).rev() {
            let arrival = self.arrivals.get(slot + 1).map_or(0.0, |bytes| bytes / grid.step_bytes);
            let capacity = path.rates(slot)[0] * slot_s / grid.step_bytes;
            for idle in 0..grid.idle {
                let on_s = (self.tail_s - idle as f64 * slot_s).clamp(0.0, slot_s);
                let on_cost = prices.per_joule * self.tail_w * on_s;
                let waited = &later[(idle + 1).min(grid.idle - 1) * grid.points..][..grid.points];
                let sent = &later[..grid.points];
                for point in 0..grid.points {
                    let backlog = point as f64;
                    let wait = on_cost + wait_price * backlog + look(waited, backlog + arrival);
                    let mut best = wait;
                    if capacity > 0.0 && point > 0 {
                        let rest = (backlog - capacity).max(0.0);
                        let busy_s = slot_s * ((backlog - rest) / capacity);
                        let energy_j = self.power_w * busy_s + self.tail_w * (slot_s - busy_s).min(self.tail_s);
                        let delay = 0.5 * wait_price * (backlog + rest);
                        best = best.min(prices.per_joule * energy_j + delay + look(sent, rest + arrival));
                    }
                    let index = idle * grid.points + point;
                    now[index] = best;
                    decided(slot, index, best < wait);
                }
            }
            std::mem::swap(&mut now, &mut later);
        }
        later
    }
}

/// Linear between points, and beyond the last one.
fn at_interpolated(values: &[f64], at: f64) -> f64 {
    let below = (at as usize).min(values.len() - 2);
    let weight = at - below as f64;
    values[below] * (1.0 - weight) + values[below + 1] * weight
}

/// At the point below, up to rounding errors of sums.
fn at_rounded_down(values: &[f64], at: f64) -> f64 {
    values[((at + 1e-9) as usize).min(values.len() - 1)]
}
