//! Greedy walks where whole tasks are sent, several side by side in vector registers: several times as fast as one after the
//! other.

use pulp::{Simd, WithSimd};
use rand::Rng;

use super::best::Best;
use super::scheduled::Tables;
use crate::graph::model::GraphModel;
use crate::graph::rules::Weights;
use crate::graph::schedule::Schedule;
use crate::random::Stream;
use crate::search::{GUMBEL, LEVELS, LOGISTIC};

/// The number of walks side by side.
const LANES: usize = 8;

type Lane = [f64; LANES];

/// Walks of one model.
pub(super) struct Lanes<'m> {
    tables: Tables<'m>,
    /// What noise a task's place has; between two places only the second has noise.
    levels: &'static [f64],
    scale: f64,
    uplink: Vec<usize>,
    downlink: Vec<usize>,
    /// Whether the energy of idling makes costs differ from what a walk adds up.
    idling_costs: bool,
    state: State,
}

/// When things happen in each lane.
struct State {
    free_s: Vec<Lane>,
    /// `[position]`: when the result is at the device.
    here_s: Vec<Lane>,
    /// `[position][place]`: from when a task after this one can be sent to the place, and can begin there.
    sendable_s: Vec<Lane>,
    ready_s: Vec<Lane>,
    /// `[place]`: of the task that is being placed.
    sent_s: Vec<Lane>,
    done_s: Vec<Lane>,
    result_s: Vec<Lane>,
    /// `[position]`.
    chosen: Vec<Lane>,
    /// `[position][place]`.
    noise: Vec<Lane>,
    cost: Lane,
}

impl<'m> Lanes<'m> {
    /// Walks with noise of a scale.
    pub(super) fn new(model: &'m GraphModel, scale: f64) -> Self {
        let tables = Tables::new(model, false);
        let levels = if tables.places == 2 { &LOGISTIC } else { &GUMBEL };
        let queues = |queues: &[u32]| queues.iter().map(|queue| *queue as usize).collect();
        let (tasks, cells) = (tables.tasks, tables.tasks * tables.places);
        let lanes = |count| vec![[0.0; LANES]; count];
        let Weights { energy, .. } = model.rules().weights;
        Self {
            levels,
            scale,
            uplink: queues(&model.queues.uplink),
            downlink: queues(&model.queues.downlink),
            idling_costs: energy * model.system().idle_w > 0.0,
            state: State {
                free_s: lanes(model.queues.count),
                here_s: lanes(tasks),
                sendable_s: lanes(cells),
                ready_s: lanes(cells),
                sent_s: lanes(tables.places),
                done_s: lanes(tables.places),
                result_s: lanes(tables.places),
                chosen: lanes(tasks),
                noise: lanes(cells),
                cost: [0.0; LANES],
            },
            tables,
        }
    }

    /// Makes one greedy walk and then noisy ones, `runs` together, and offers them all.
    pub(super) fn run(&mut self, runs: u64, random: &mut Stream, best: &mut Best<'_>) {
        let model = self.tables.model;
        let arch = pulp::Arch::new();
        let mut schedule = Schedule::new(model);
        let mut places = vec![0_u8; self.tables.tasks];
        let mut left = runs;
        while left > 0 {
            self.draw(left == runs, random);
            let Self { tables, uplink, downlink, state, .. } = self;
            arch.dispatch(Walk { tables, uplink, downlink, state });
            for lane in 0..LANES.min(usize::try_from(left).unwrap_or(LANES)) {
                let cost = self.state.cost[lane];
                if !self.idling_costs && !best.has_limits() && cost >= best.cost {
                    continue;
                }
                for (position, &task) in model.order().iter().enumerate() {
                    places[task as usize] = self.state.chosen[position][lane] as u8;
                }
                best.offer(schedule.cost_of(model, &places), &places);
            }
            left = left.saturating_sub(LANES as u64);
        }
    }

    /// Draws the noise of all lanes; the first lane of all walks has none.
    fn draw(&mut self, is_first: bool, random: &mut Stream) {
        let places = self.tables.places;
        for (cell, noise) in self.state.noise.iter_mut().enumerate() {
            if places == 2 && cell % 2 == 0 {
                continue;
            }
            for half in noise.chunks_exact_mut(4) {
                let bits = random.next_u64();
                for (index, noise) in half.iter_mut().enumerate() {
                    *noise = self.scale * self.levels[(bits >> (16 * index)) as usize % LEVELS];
                }
            }
            if is_first {
                noise[0] = 0.0;
            }
        }
    }
}

/// One walk in each lane.
struct Walk<'a, 'm> {
    tables: &'a Tables<'m>,
    uplink: &'a [usize],
    downlink: &'a [usize],
    state: &'a mut State,
}

impl WithSimd for Walk<'_, '_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "inside of functions with vector instructions")]
    fn with_simd<S: Simd>(self, simd: S) {
        // Constants let the compiler unroll the loops over places.
        match self.tables.places {
            2 => self.walk(simd, 2),
            3 => self.walk(simd, 3),
            places => self.walk(simd, places),
        }
    }
}

impl Walk<'_, '_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called with constants, inside of functions with vector instructions")]
    #[expect(clippy::needless_range_loop, reason = "places index several tables")]
    fn walk<S: Simd>(self, simd: S, places: usize) {
        let Self { tables, uplink, downlink, state } = self;
        state.free_s.fill([0.0; LANES]);
        let (mut end_s, mut fixed) = ([0.0; LANES], [0.0; LANES]);
        for position in 0..tables.tasks {
            let cells = position * places;
            let (mut least, mut chosen, mut chosen_fixed) = ([f64::INFINITY; LANES], [0.0; LANES], [0.0; LANES]);
            for place in 0..places {
                let cell = cells + place;
                let own_fixed = tables.fixed[cell];
                if own_fixed == f64::INFINITY {
                    continue;
                }
                let (mut sent_s, mut done_s, mut result_s);
                if place == 0 {
                    done_s = state.free_s[0];
                    for edge in tables.incoming(position) {
                        raise(simd, &mut done_s, &state.here_s[edge.position as usize]);
                    }
                    add(simd, &mut done_s, tables.run_s[cell]);
                    (sent_s, result_s) = (done_s, done_s);
                } else {
                    (sent_s, done_s) = (state.free_s[uplink[place]], state.free_s[place]);
                    for edge in tables.incoming(position) {
                        let before = edge.position as usize * places + place;
                        raise(simd, &mut sent_s, &state.sendable_s[before]);
                        raise(simd, &mut done_s, &state.ready_s[before]);
                    }
                    add(simd, &mut sent_s, tables.send_s[cell]);
                    raise(simd, &mut done_s, &sent_s);
                    add(simd, &mut done_s, tables.run_s[cell]);
                    result_s = done_s;
                    if let Some(&downlink) = downlink.get(place) {
                        raise(simd, &mut result_s, &state.free_s[downlink]);
                    }
                    add(simd, &mut result_s, tables.return_s[cell]);
                }
                let mut score = result_s;
                multiply(simd, &mut score, tables.second);
                add(simd, &mut score, own_fixed);
                add_lanes(simd, &mut score, &state.noise[cell]);
                let before = least;
                let is_less = (&score, &before);
                take_where_less(simd, &mut chosen, is_less, place as f64);
                take_where_less(simd, &mut chosen_fixed, is_less, own_fixed);
                lower(simd, &mut least, &score);
                (state.sent_s[place], state.done_s[place], state.result_s[place]) = (sent_s, done_s, result_s);
            }
            let mut here_s = state.result_s[0];
            for place in 1..places {
                choose(simd, &mut here_s, &chosen, place, &state.result_s[place]);
            }
            for place in 0..places {
                choose(simd, &mut state.free_s[place], &chosen, place, &state.done_s[place]);
                if place > 0 {
                    choose(simd, &mut state.free_s[uplink[place]], &chosen, place, &state.sent_s[place]);
                    if let Some(&downlink) = downlink.get(place) {
                        choose(simd, &mut state.free_s[downlink], &chosen, place, &state.result_s[place]);
                    }
                    let (mut sendable_s, mut ready_s) = (here_s, [0.0; LANES]);
                    choose(simd, &mut sendable_s, &chosen, place, &state.sent_s[place]);
                    choose(simd, &mut ready_s, &chosen, place, &state.done_s[place]);
                    (state.sendable_s[cells + place], state.ready_s[cells + place]) = (sendable_s, ready_s);
                }
            }
            raise(simd, &mut end_s, &here_s);
            add_lanes(simd, &mut fixed, &chosen_fixed);
            (state.here_s[position], state.chosen[position]) = (here_s, chosen);
        }
        multiply(simd, &mut end_s, tables.second);
        add_lanes(simd, &mut end_s, &fixed);
        state.cost = end_s;
    }
}

/// Changes each vector of lanes by the vector of others.
macro_rules! vectors {
    ($lanes:ident, $others:ident, $change:expr) => {
        for (lanes, others) in S::as_mut_simd_f64s($lanes).0.iter_mut().zip(S::as_simd_f64s($others).0) {
            *lanes = $change(*lanes, *others);
        }
    };
}

/// Raises lanes to others that are greater.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn raise<S: Simd>(simd: S, lanes: &mut Lane, others: &Lane) {
    vectors!(lanes, others, |lanes, others| simd.max_f64s(lanes, others));
}

/// Lowers lanes to others that are less.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn lower<S: Simd>(simd: S, lanes: &mut Lane, others: &Lane) {
    vectors!(lanes, others, |lanes, others| simd.min_f64s(lanes, others));
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn add_lanes<S: Simd>(simd: S, lanes: &mut Lane, others: &Lane) {
    vectors!(lanes, others, |lanes, others| simd.add_f64s(lanes, others));
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn add<S: Simd>(simd: S, lanes: &mut Lane, value: f64) {
    let value = simd.splat_f64s(value);
    for lanes in S::as_mut_simd_f64s(lanes).0 {
        *lanes = simd.add_f64s(*lanes, value);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn multiply<S: Simd>(simd: S, lanes: &mut Lane, value: f64) {
    let value = simd.splat_f64s(value);
    for lanes in S::as_mut_simd_f64s(lanes).0 {
        *lanes = simd.mul_f64s(*lanes, value);
    }
}

/// Takes a value in lanes where the first of two others is less than the second.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn take_where_less<S: Simd>(simd: S, lanes: &mut Lane, (one, other): (&Lane, &Lane), value: f64) {
    let value = simd.splat_f64s(value);
    let others = S::as_simd_f64s(one).0.iter().zip(S::as_simd_f64s(other).0);
    for (lanes, (one, other)) in S::as_mut_simd_f64s(lanes).0.iter_mut().zip(others) {
        *lanes = simd.select_f64s(simd.less_than_f64s(*one, *other), value, *lanes);
    }
}

/// Takes other values in lanes where a place was chosen.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn choose<S: Simd>(simd: S, lanes: &mut Lane, chosen: &Lane, place: usize, values: &Lane) {
    let place = simd.splat_f64s(place as f64);
    let others = S::as_simd_f64s(chosen).0.iter().zip(S::as_simd_f64s(values).0);
    for (lanes, (chosen, values)) in S::as_mut_simd_f64s(lanes).0.iter_mut().zip(others) {
        *lanes = simd.select_f64s(simd.equal_f64s(*chosen, place), *values, *lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::walks;
    use super::*;
    use crate::graph::GraphScenario;
    use crate::random;
    use crate::search::place_with_noise;

    #[test]
    fn walks_side_by_side_go_where_single_walks_with_the_same_noise_go() {
        let scenario = GraphScenario::load("graph").expect("a preset");
        let mut random = random::stream(1, "lanes");
        for _ in 0..30 {
            let model = scenario.model(scenario.draw(&mut random).expect("drawn")).expect("valid");
            let mut lanes = Lanes::new(&model, 3.0);
            lanes.draw(false, &mut random);
            let Lanes { tables, uplink, downlink, state, .. } = &mut lanes;
            pulp::Arch::new().dispatch(Walk { tables, uplink, downlink, state });
            for lane in 0..LANES {
                let mut schedule = Schedule::new(&model);
                place_with_noise(&mut walks::Walk::new(&model, &mut schedule), |task, place| {
                    lanes.state.noise[model.position(task) * model.places() + place as usize][lane]
                });
                for (position, &task) in model.order().iter().enumerate() {
                    let chosen = lanes.state.chosen[position][lane] as u8;
                    assert_eq!(chosen, schedule.place(task as usize), "position {position} of lane {lane}");
                }
            }
        }
    }
}
