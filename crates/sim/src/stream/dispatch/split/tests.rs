//! Splits against brute force, conditions of optimality and simulation.

use super::*;
use crate::stream::dispatch::site::{Access, Machines, SiteLink};
use crate::stream::dispatch::testing::Setting;
use crate::stream::{ArrivalProcess, RateProcess, Sizes};

/// The mean cost of a task by the formula; infinite where a queue is overloaded.
fn cost(site: &Site, shares: &[f64]) -> f64 {
    let parts = site.parts();
    let (bytes, square) = (parts.sizes.mean(), parts.sizes.mean_square());
    let mut rates = vec![0.0; site.queues().len()];
    let mut total = 0.0;
    for (device, part) in parts.devices.iter().enumerate() {
        for (place, route) in site.routes_of(device).iter().enumerate() {
            let rate = part.arrivals_per_s * shares[device * site.places() + place];
            let time_s = bytes * (route.link_s_per_byte + route.machine_s_per_byte) + route.latency_s;
            let energy_j = bytes * (route.j_per_byte + route.send_w * route.link_s_per_byte);
            total += rate * (parts.alpha * energy_j + (1.0 - parts.alpha) * time_s);
            for queue in site.queues_of(device, place).into_iter().flatten() {
                rates[queue] += rate;
            }
        }
    }
    for (rate, queue) in rates.iter().zip(site.queues()) {
        let load = rate * bytes * queue.s_per_byte;
        if load >= 1.0 {
            return f64::INFINITY;
        }
        let wait_s = rate * square * queue.s_per_byte.powi(2) / (2.0 * (1.0 - load));
        total += (1.0 - parts.alpha) * rate * wait_s;
    }
    total / site.arrivals_per_s()
}

fn all_shares(site: &Site) -> Vec<f64> {
    (0..site.devices()).flat_map(|device| site.static_split().shares_of(device).to_vec()).collect()
}

/// The least cost over a grid of shares of one device with three places, around the best point of a coarser one.
fn grid_minimum(site: &Site) -> f64 {
    let (mut best, mut center, mut width) = (f64::INFINITY, [0.5, 0.5], 0.5);
    for _ in 0..12 {
        let (middle, mut next) = (center, center);
        for i in -20..=20 {
            for j in -20..=20 {
                let [a, b] = [middle[0] + width * f64::from(i) / 20.0, middle[1] + width * f64::from(j) / 20.0];
                if a < 0.0 || b < 0.0 || a + b > 1.0 {
                    continue;
                }
                let here = cost(site, &[a, b, 1.0 - a - b]);
                if here < best {
                    best = here;
                    next = [a, b];
                }
            }
        }
        center = next;
        width *= 0.3;
    }
    best
}

#[test]
fn it_is_the_best_of_a_fine_grid() {
    for (load, alpha) in [(0.3, 0.5), (0.8, 0.5), (0.95, 0.2), (0.9, 0.999)] {
        let mut parts = Setting { devices: 1, ..Setting::EVEN }.parts(1);
        parts.alpha = alpha;
        parts.servers[1].machines = Machines::Dedicated;
        let site = Site::with_load(parts, load).expect("it carries that");
        let (found, grid) = (site.static_split().mean_cost(), grid_minimum(&site));
        assert!((found / grid - 1.0).abs() < 1e-5 && found < grid * (1.0 + 1e-6), "{load}: {found} {grid}");
        assert!((cost(&site, &all_shares(&site)) / found - 1.0).abs() < 1e-9);
    }
}

#[test]
fn no_shift_of_a_share_makes_it_cheaper() {
    for (devices, load) in [(2, 0.5), (5, 0.9), (12, 0.99)] {
        let mut parts = Setting { devices, is_mixed: true, ..Setting::EVEN }.parts(devices as u64);
        let shared = SiteLink::free(RateProcess::Constant(3e6));
        parts.servers[1].access = if devices == 5 { Access::Shared(shared) } else { parts.servers[1].access.clone() };
        let site = Site::with_load(parts, load).expect("it carries that");
        let split = site.static_split();
        assert!(split.gap() <= 1e-5 * split.mean_cost(), "{} {}", split.gap(), split.mean_cost());
        assert!(split.queues().iter().all(|queue| queue.load() < 1.0));
        let shares = all_shares(&site);
        let best = cost(&site, &shares);
        for from in 0..shares.len() {
            for to in 0..shares.len() {
                if from / 3 != to / 3 || from == to {
                    continue;
                }
                let mut other = shares.clone();
                let moved = other[from].min(1e-3);
                other[from] -= moved;
                other[to] += moved;
                assert!(cost(&site, &other) >= best - split.gap() - 1e-12 * best, "{devices} {from} {to}");
            }
        }
    }
}

#[test]
fn even_devices_have_even_shares() {
    let site = Setting { devices: 4, load: 0.9, ..Setting::EVEN }.site(1);
    let split = site.static_split();
    for device in 1..4 {
        for (a, b) in split.shares_of(0).iter().zip(split.shares_of(device)) {
            assert!((a - b).abs() < 1e-3, "{split:?}");
        }
    }
}

#[test]
fn a_site_at_its_limit_and_one_that_counts_energy_alone_have_a_split_without_overload() {
    let mut parts = Setting { devices: 6, is_mixed: true, ..Setting::EVEN }.parts(3);
    for (load, alpha) in [(0.999_9, 0.5), (0.9, 1.0), (0.5, 0.0)] {
        parts.alpha = alpha;
        let site = Site::with_load(parts.clone(), load).expect("it carries that");
        let split = site.static_split();
        assert!(split.queues().iter().all(|queue| queue.load() < 1.0), "{load}");
        assert!(split.mean_cost().is_finite() && split.gap() < 1e-3 * split.mean_cost(), "{load}: {}", split.gap());
    }
}

#[test]
fn its_simulated_cost_is_that_of_the_formula_where_tasks_wait_once() {
    let mut parts = Setting { devices: 2, is_mixed: true, ..Setting::EVEN }.parts(2);
    parts.process = ArrivalProcess::Poisson;
    parts.sizes = Sizes::Exponential { mean: 20e6 };
    // The cloud alone: each way has one queue.
    parts.servers.remove(0);
    let site = Site::with_load(parts, 0.8).expect("it carries that");
    let runs: Vec<f64> = (0..20)
        .map(|seed| {
            let path = crate::stream::dispatch::Path::draw(&site, 20_000, seed);
            let mut scheme = crate::stream::dispatch::scheme::DispatchStatic::new();
            crate::stream::dispatch::simulate(&site, &path, &mut scheme, seed).mean_cost
        })
        .collect();
    let mean = runs.iter().sum::<f64>() / 20.0;
    let deviation = (runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
    let expected = site.static_split().mean_cost();
    // 3.88 standard errors of Student's t with 19 degrees of freedom: one false alarm in 1,000 seeds.
    assert!((mean - expected).abs() < 3.88 * deviation / 20.0_f64.sqrt(), "{mean} {expected} {deviation}");
}

#[test]
fn large_sites_are_split_in_a_moment() {
    for (devices, load) in [(30, 0.95), (1_000, 0.9)] {
        let site = Setting { devices, is_mixed: true, load, ..Setting::EVEN }.site(1);
        let start = std::time::Instant::now();
        let split = site.static_split();
        println!(
            "{devices} devices: {:.3} s, gap {:.1e}",
            start.elapsed().as_secs_f64(),
            split.gap() / split.mean_cost()
        );
        assert!(split.gap() <= 1e-6 * split.mean_cost());
    }
}
