//! Value iteration and backward induction against oracles.

use super::*;
use crate::stream::dispatch::scheme::{DispatchGreedy, DispatchScheme, ValueIteration};
use crate::stream::dispatch::testing::small_site;
use crate::stream::dispatch::{BATCHES, Path, Site, SiteParts, simulate};
use crate::stream::{ArrivalProcess, Sizes};

/// P(T = k), as the module gives it.
fn probability(mean: f64, units: usize) -> f64 {
    let twice = 2.0 * mean;
    let stay = (twice - 1.0) / (twice + 1.0);
    match units {
        0 => 1.0 / (twice + 1.0),
        _ => 2.0 * twice / (twice + 1.0).powi(2) * stay.powf(f64::from(units as u32) - 1.0),
    }
}

#[test]
fn the_time_between_arrivals_has_the_moments_of_an_exponential_one() {
    for mean in [0.5, 1.0, 5.3] {
        let moment =
            |power: i32| -> f64 { (0..2_000).map(|units| probability(mean, units) * (units as f64).powi(power)).sum() };
        assert!((moment(0) - 1.0).abs() < 1e-12);
        assert!((moment(1) - mean).abs() < 1e-9 && (moment(2) - 2.0 * mean * mean).abs() < 1e-9, "{mean}");
        assert!((moment(3) - (6.0 * mean.powi(3) - mean / 2.0)).abs() < 1e-6, "{mean}");
    }
}

/// The chain of a device with a processor, 3 s and 6 s for its two sizes, and a link to the cloud, 2 s and 4 s, written out state by
/// state. Another 0.5 s a byte pass in the cloud; α is 0.4, and energies are 1 and 2 J a byte.
struct WrittenOut {
    lengths: [usize; 2],
    mean: f64,
    load: f64,
}

impl WrittenOut {
    const STEPS: [[usize; 2]; 2] = [[3, 6], [2, 4]];

    fn site(load: f64) -> Site {
        let mut parts = small_site(1, load).parts().clone();
        parts.alpha = 0.4;
        parts.sizes = Sizes::OneOf([1.0, 2.0].into());
        parts.devices[0].s_per_byte = 3.0;
        parts.devices[0].j_per_byte = 1.0;
        let mut cloud = parts.servers.remove(1);
        cloud.access = crate::stream::dispatch::Access::Own(vec![crate::stream::dispatch::SiteLink::free(
            crate::stream::RateProcess::Constant(0.5),
        )]);
        cloud.j_per_byte = 2.0;
        cloud.s_per_byte = 0.5;
        parts.servers = vec![cloud];
        Site::with_load(parts, load).expect("it carries that")
    }

    fn cost(&self, place: usize, size: usize, work: usize) -> f64 {
        let bytes = size as f64 + 1.0;
        let (energy_j, alone_s) = [(bytes, 0.0), (2.0 * bytes, 0.5 * bytes)][place];
        let limit = self.lengths[place] - 1;
        // A unit beyond the limit: the derivative of (1 − α) ρ / (2 (1 − ρ) E[x]) w² at the limit.
        let price = 0.6 * self.load / (1.0 - self.load) * limit as f64 / [4.5, 3.0][place];
        let excess = (work + Self::STEPS[place][size]).saturating_sub(limit);
        0.4 * energy_j + 0.6 * (work as f64 + Self::STEPS[place][size] as f64 + alone_s) + price * excess as f64
    }

    /// The state before the next task with its probability, for a place.
    fn next(&self, state: [usize; 2], place: usize, size: usize) -> Vec<([usize; 2], f64)> {
        let mut there = state;
        there[place] = (there[place] + Self::STEPS[place][size]).min(self.lengths[place] - 1);
        let longest = there[0].max(there[1]);
        let mut next = Vec::new();
        let mut rest = 1.0;
        for units in 0..longest {
            let probability = probability(self.mean, units);
            rest -= probability;
            next.push((there.map(|work| work.saturating_sub(units)), probability));
        }
        next.push(([0; 2], rest));
        next
    }

    fn places(&self, state: [usize; 2], size: usize) -> Vec<usize> {
        let with_room: Vec<usize> =
            (0..2).filter(|place| state[*place] + Self::STEPS[*place][size] < self.lengths[*place]).collect();
        if with_room.is_empty() { vec![0, 1] } else { with_room }
    }

    fn index(&self, state: [usize; 2]) -> usize {
        state[0] * self.lengths[1] + state[1]
    }

    /// The gain by policy iteration, with a system of linear equations for each policy.
    fn gain(&self) -> f64 {
        let states: Vec<[usize; 2]> =
            (0..self.lengths[0]).flat_map(|a| (0..self.lengths[1]).map(move |b| [a, b])).collect();
        let mut policy: Vec<[usize; 2]> =
            states.iter().map(|state| [0, 1].map(|size| self.places(*state, size)[0])).collect();
        loop {
            // Unknowns: the values of all states but the first, which is 0, and the gain in its place.
            let mut rows = Vec::with_capacity(states.len());
            for (index, state) in states.iter().enumerate() {
                let mut row = vec![0.0; states.len() + 1];
                row[index] += 1.0;
                for (size, &place) in policy[index].iter().enumerate() {
                    row[states.len()] += 0.5 * self.cost(place, size, state[place]);
                    for (next, probability) in self.next(*state, place, size) {
                        row[self.index(next)] -= 0.5 * probability;
                    }
                }
                row[0] = 1.0;
                rows.push(row);
            }
            let mut values = solve(rows);
            let gain = std::mem::replace(&mut values[0], 0.0);
            let mut is_better = false;
            for (index, state) in states.iter().enumerate() {
                for (size, chosen) in policy[index].iter_mut().enumerate() {
                    let value = |place: usize| {
                        let next = self.next(*state, place, size);
                        let future: f64 = next.iter().map(|(next, share)| share * values[self.index(*next)]).sum();
                        self.cost(place, size, state[place]) + future
                    };
                    for place in self.places(*state, size) {
                        if value(place) < value(*chosen) - 1e-9 {
                            *chosen = place;
                            is_better = true;
                        }
                    }
                }
            }
            if !is_better {
                return gain;
            }
        }
    }

    /// The least cost of the next tasks by the tree of all that may happen.
    fn least(&self, state: [usize; 2], tasks: usize) -> f64 {
        if tasks == 0 {
            return 0.0;
        }
        let of_size = |size: usize| {
            let values = self.places(state, size).into_iter().map(|place| {
                let next = self.next(state, place, size);
                let future: f64 = next.iter().map(|(next, share)| share * self.least(*next, tasks - 1)).sum();
                self.cost(place, size, state[place]) + future
            });
            values.fold(f64::INFINITY, f64::min)
        };
        0.5 * (of_size(0) + of_size(1))
    }
}

/// Solves linear equations, each with its right side behind its coefficients, by Gauss' elimination with pivots.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let count = rows.len();
    for column in 0..count {
        let pivot =
            (column..count).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs())).expect("a row");
        rows.swap(column, pivot);
        let pivot = rows[column].clone();
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = row[column] / pivot[column];
            if index != column && factor != 0.0 {
                for (cell, above) in row.iter_mut().zip(&pivot) {
                    *cell -= factor * above;
                }
            }
        }
    }
    rows.iter().enumerate().map(|(index, row)| row[count] / row[index]).collect()
}

fn written_out(load: f64, limits: [usize; 2]) -> (Site, WrittenOut, OptimumSettings) {
    let site = WrittenOut::site(load);
    let oracle =
        WrittenOut { lengths: limits.map(|limit| limit + 1), mean: 1.0 / site.arrivals_per_s(), load: site.load() };
    let settings = OptimumSettings {
        unit_s: Some(1.0),
        limits_s: Some(limits.map(|limit| limit as f64).to_vec()),
        tolerance: 1e-9,
        ..OptimumSettings::default()
    };
    (site, oracle, settings)
}

#[test]
fn value_iteration_finds_the_gain_of_policy_iteration() {
    for (load, limits) in [(0.4, [9, 8]), (0.8, [13, 9]), (0.95, [6, 10])] {
        let (site, oracle, settings) = written_out(load, limits);
        let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
        let (lower, upper) = optimum.bounds();
        let gain = oracle.gain();
        assert!(
            lower <= gain + 1e-9 && gain <= upper + 1e-9 && upper - lower < 1e-8 * gain,
            "{load}: {lower} {gain} {upper}"
        );
    }
}

#[test]
fn bounds_hold_the_gain_after_every_number_of_iterations() {
    let (site, oracle, settings) = written_out(0.8, [13, 9]);
    let gain = oracle.gain();
    let mut width = f64::INFINITY;
    for iterations in [1, 3, 10, 30] {
        let optimum =
            DispatchOptimum::solve(&site, &OptimumSettings { iterations, ..settings.clone() }).expect("a chain");
        let (lower, upper) = optimum.bounds();
        assert!(lower <= gain && gain <= upper && upper - lower < width, "{iterations}: {lower} {gain} {upper}");
        width = upper - lower;
    }
}

#[test]
fn backward_induction_is_the_tree_of_all_that_may_happen_and_tends_to_the_gain() {
    let (site, oracle, settings) = written_out(0.8, [13, 9]);
    let costs = backward_induction(&site, &settings, 400).expect("a chain");
    for tasks in 1..=3 {
        let expected = oracle.least([0; 2], tasks);
        assert!((costs[tasks - 1] - expected).abs() < 1e-9 * expected, "{tasks}: {} {expected}", costs[tasks - 1]);
    }
    let gain = oracle.gain();
    assert!((costs[399] - costs[398] - gain).abs() < 1e-9 * gain);
    // It begins at the empty site, which is cheaper than the mean.
    assert!((1..400).all(|tasks| costs[tasks] - costs[tasks - 1] < gain + 1e-9));
}

/// A device without servers: M/G/1. Service takes 1, 2 or 3 s.
fn single_queue(load: f64) -> (Site, f64) {
    let mut parts = small_site(1, 0.5).parts().clone();
    parts.servers.clear();
    parts.alpha = 0.0;
    parts.devices[0].s_per_byte = 1.0;
    parts.sizes = Sizes::OneOf([1.0, 2.0, 3.0].into());
    let site = Site::with_load(parts, load).expect("it carries that");
    let expected = 2.0 + site.arrivals_per_s() * (14.0 / 3.0) / (2.0 * (1.0 - load));
    (site, expected)
}

#[test]
fn a_single_queue_is_that_of_pollaczek_and_khinchine_with_every_unit() {
    for load in [0.5, 0.9] {
        let (site, expected) = single_queue(load);
        for unit_s in [1.0, 0.5] {
            let settings = OptimumSettings {
                unit_s: Some(unit_s),
                limits_s: Some(vec![400.0]),
                tolerance: 1e-7,
                ..OptimumSettings::default()
            };
            let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
            let error = optimum.mean_cost() / expected - 1.0;
            assert!(error.abs() < 1e-6, "{load} {unit_s}: {error}");
            assert!(optimum.rounding_error() < 1e-12 && optimum.no_room_share() == 0.0);
        }
    }
}

#[test]
fn a_smaller_unit_hardly_changes_the_gain() {
    for load in [0.5, 0.8] {
        let (site, _, settings) = written_out(load, [60, 40]);
        let gain = |unit_s: f64| {
            let settings = OptimumSettings { unit_s: Some(unit_s), tolerance: 1e-6, ..settings.clone() };
            DispatchOptimum::solve(&site, &settings).expect("a chain").mean_cost()
        };
        let gains = [1.0, 0.5, 0.25].map(gain);
        println!("load {load}: {gains:?}");
        assert!((gains[0] / gains[1] - 1.0).abs() < 0.01 && (gains[1] / gains[2] - 1.0).abs() < 0.003, "{gains:?}");
    }
}

/// The mean difference of batches and its standard error.
fn difference(a: &[f64], b: &[f64]) -> (f64, f64) {
    let count = BATCHES as f64;
    let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<f64>() / count;
    let variance = a.iter().zip(b).map(|(a, b)| (a - b - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

#[test]
fn its_policy_costs_in_the_simulator_what_the_chain_says_and_less_than_greedy() {
    let site = small_site(1, 0.8);
    let limits_s = Some(vec![400.0, 250.0, 200.0]);
    let settings = OptimumSettings { limits_s, tolerance: 5e-3, ..OptimumSettings::default() };
    let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
    let gain = optimum.mean_cost();
    let path = Path::draw(&site, 100_000, 3);
    let run = |scheme: &mut dyn DispatchScheme| simulate(&site, &path, scheme, 1);
    let best = run(&mut ValueIteration::new(optimum));
    let greedy = run(&mut DispatchGreedy::new());
    let (saved, error) = difference(&greedy.batch_costs, &best.batch_costs);
    // 3.88 standard errors of Student's t with 19 degrees of freedom: one false alarm in 1,000 seeds.
    assert!(saved > 3.88 * error && saved > 0.03 * gain, "{saved} {error}");
    let (above, error) = difference(&best.batch_costs, &[gain; BATCHES]);
    assert!(above.abs() < 3.88 * error + 0.01 * gain, "{above} {error} {gain}");
}

#[test]
fn places_that_are_not_chosen_are_not_used_and_equal_settings_give_equal_bytes_on_any_number_of_threads() {
    let site = small_site(2, 0.5);
    let settings = OptimumSettings {
        places: Some(vec![1, 2]),
        limits_s: Some(vec![150.0, 120.0, 120.0]),
        tolerance: 1e-2,
        ..OptimumSettings::default()
    };
    let solve_with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| DispatchOptimum::solve(&site, &settings).expect("a chain"))
    };
    let (one, three) = (solve_with(1), solve_with(3));
    assert_eq!(one.bounds(), three.bounds());
    assert_eq!(one.future_cost(&[30.0, 41.7, 13.0]).to_bits(), three.future_cost(&[30.0, 41.7, 13.0]).to_bits());
    assert_eq!(one.queues().len(), 3);
    let shares = simulate(&site, &Path::draw(&site, 5_000, 1), &mut ValueIteration::new(one), 1).place_shares;
    assert!(shares[0] == 0.0 && shares[1] > 0.1 && shares[2] > 0.1, "{shares:?}");
}

#[test]
fn between_states_the_future_is_interpolated() {
    let (site, _, settings) = written_out(0.8, [13, 9]);
    let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
    let at = |a: f64, b: f64| optimum.future_cost(&[a, b]);
    let expected = 0.25 * (3.0 * at(4.0, 3.0) + at(4.0, 4.0));
    assert!((at(4.0, 3.25) - expected).abs() < 1e-9);
    assert_eq!(at(15.0, 3.0), at(13.0, 3.0));
    assert!(optimum.has_room(0, 13.0) && !optimum.has_room(0, 13.1) && optimum.has_room(1, 9.0));
    assert!(at(0.0, 0.0) == 0.0 && at(2.0, 3.0) > 0.0);
}

#[test]
fn single_places_and_chance_are_dearer_than_value_iteration() {
    let site = small_site(1, 0.06);
    let path = Path::draw(&site, 20_000, 1);
    let costs = compare_with_single_places(&site, &OptimumSettings::default(), &path, 1).expect("a chain");
    let names: Vec<&str> = costs.iter().map(|cost| cost.policy.as_str()).collect();
    assert_eq!(names, ["value-iteration", "local", "edge", "cloud", "random"]);
    assert!(costs[1..].iter().all(|cost| cost.mean_cost > costs[0].mean_cost), "{costs:?}");
}

#[test]
fn sites_without_a_chain_are_refused_with_the_reason() {
    let changed = |change: &dyn Fn(&mut SiteParts)| {
        let mut parts = small_site(1, 0.5).parts().clone();
        change(&mut parts);
        Site::new(parts).expect("a site")
    };
    let error = |site: &Site, settings: &OptimumSettings| {
        DispatchOptimum::solve(site, settings).map(|_| ()).expect_err("no chain").to_string()
    };
    let plain = OptimumSettings::default();
    let bursts = changed(&|parts| parts.process = ArrivalProcess::bursts(&[0.5, 2.0], &[2.0, 1.0]));
    assert!(error(&bursts, &plain).contains("this site has bursts"));
    let range = changed(&|parts| parts.sizes = Sizes::Uniform { min: 10e6, max: 30e6 });
    assert!(error(&range, &plain).contains("from a range"));
    let slow = changed(&|parts| {
        parts.devices[0].uplink.as_mut().expect("an uplink").rates = crate::stream::RateProcess::Constant(2e6);
    });
    assert!(error(&slow, &plain).contains("at the place `edge` tasks of device 0 may wait"));
    let tail = changed(&|parts| {
        let uplink = parts.devices[0].uplink.as_mut().expect("an uplink");
        (uplink.tail_w, uplink.tail_s) = (1.0, 1.0);
    });
    assert!(error(&tail, &plain).contains("stays on"));
    let odd = changed(&|parts| parts.sizes = Sizes::OneOf([10e6, 10e6 * std::f64::consts::SQRT_2].into()));
    assert!(error(&odd, &plain).contains("no common divisor"));
    let changing = super::super::testing::Setting { devices: 1, changes: true, ..super::super::testing::Setting::EVEN };
    let mut parts = changing.parts(1);
    parts.sizes = Sizes::OneOf([10e6].into());
    assert!(error(&Site::with_load(parts, 0.5).expect("a site"), &plain).contains("keep their rates"));

    let site = small_site(1, 0.5);
    let with = |change: &dyn Fn(&mut OptimumSettings)| {
        let mut settings = plain.clone();
        change(&mut settings);
        error(&site, &settings)
    };
    assert!(with(&|settings| settings.unit_s = Some(1e4)).contains("twice the mean time"));
    assert!(with(&|settings| settings.unit_s = Some(f64::NAN)).contains("it is NaN"));
    assert!(
        with(&|settings| settings.limits_s = Some(vec![1e3]))
            .contains("there must be 3 limits, for the queues device 0")
    );
    assert!(with(&|settings| settings.limits_s = Some(vec![1e3, 10.0, 1e3])).contains("of at least"));
    assert!(with(&|settings| settings.limits_s = Some(vec![1e3, f64::NAN, 1e3])).contains("it is NaN"));
    assert!(with(&|settings| settings.limits_s = Some(vec![1e4; 3])).contains("the chain would have 27"));
    assert!(with(&|settings| settings.limits_s = Some(vec![1e18; 3])).contains("states, at most 16000000"));
    assert!(with(&|settings| settings.places = Some(vec![7])).contains("no place 7"));
    assert!(with(&|settings| settings.places = Some(Vec::new())).contains("device 0 can use none"));
}
