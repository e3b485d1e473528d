//! The bound against a linear program, value iteration, closed forms and simulated schemes.

use super::*;
use crate::random;
use crate::stream::dispatch::optimum::{DispatchOptimum, OptimumSettings};
use crate::stream::dispatch::scheme::DispatchGreedy;
use crate::stream::dispatch::testing::Setting;
use crate::stream::dispatch::{Access, BATCHES, Path, SiteLink, SiteParts, simulate};
use crate::stream::{ArrivalProcess, RateProcess, Sizes};

/// The least cost of a fluid, by a linear program: bytes per second of each device through each place. For sites for tests with
/// links that keep their rates.
fn fluid_by_linear_program(site: &Site) -> f64 {
    use microlp::{ComparisonOp, OptimizationDirection, Problem};
    let parts = site.parts();
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let mut users = vec![Vec::new(); site.queues().len()];
    for (device, of_device) in parts.devices.iter().enumerate() {
        let mut all = Vec::new();
        for place in 0..site.places() {
            let queues = site.queues_of(device, place);
            let (j_per_byte, alone_s) = match place {
                0 => (of_device.j_per_byte, 0.0),
                _ => (parts.servers[place - 1].j_per_byte, parts.servers[place - 1].s_per_byte),
            };
            let is_queue_counted = place == 0 || queues[1].is_none();
            let link_s = if place == 0 { 0.0 } else { queues[0].map_or(0.0, |queue| site.queues()[queue].s_per_byte) };
            let machine_s = if is_queue_counted && place > 0 {
                alone_s
            } else {
                queues[1].map_or(0.0, |queue| site.queues()[queue].s_per_byte)
            };
            let cost = parts.alpha * j_per_byte + (1.0 - parts.alpha) * (link_s + machine_s);
            let variable = problem.add_var(1e6 * cost, (0.0, f64::INFINITY));
            all.push((variable, 1.0));
            for queue in queues.into_iter().flatten() {
                users[queue].push((variable, 1.0));
            }
        }
        // In MB per second.
        problem.add_constraint(&all, ComparisonOp::Eq, 1e-6 * of_device.arrivals_per_s * parts.sizes.mean());
    }
    for (queue, users) in site.queues().iter().zip(&users) {
        problem.add_constraint(users, ComparisonOp::Le, 1e-6 / queue.s_per_byte);
    }
    let solved = problem.solve().expect("the site carries its tasks");
    solved.solution().expect("a solution").objective() / site.arrivals_per_s()
}

#[test]
fn the_fluid_bound_is_the_value_of_the_linear_program_but_for_a_thousandth() {
    for (seed, load) in [(1, 0.5), (2, 0.8), (3, 0.95)] {
        for devices in [1, 3, 6] {
            let setting = Setting { devices, load, is_mixed: seed % 2 == 0, ..Setting::EVEN };
            let site = setting.site(seed);
            let (bound, exact) = (lower_bound(&site).fluid_cost, fluid_by_linear_program(&site));
            assert!(bound <= exact * (1.0 + 1e-9) && bound >= (1.0 - 1e-3) * exact, "{setting:?}: {bound} {exact}");
        }
    }
}

/// A site of a device with a shared edge and a link to the cloud, or of two devices with the edge alone; all service times are
/// whole seconds.
fn random_site(seed: u64) -> Site {
    let mut random = random::stream(seed, "bound");
    let mut whole = |from: usize, to: usize| (from + random::below(&mut random, to - from + 1)) as f64;
    let devices = whole(1, 2) as usize;
    let mut parts = Setting { devices, ..Setting::EVEN }.parts(seed);
    parts.alpha = 0.1 * whole(0, 9);
    parts.sizes = Sizes::OneOf([1.0, whole(1, 3)].into());
    for device in &mut parts.devices {
        (device.s_per_byte, device.j_per_byte) = (whole(2, 6), whole(0, 20));
        device.arrivals_per_s = whole(1, 3);
        device.uplink = Some(SiteLink::free(RateProcess::Constant(100.0)));
    }
    (parts.servers[0].s_per_byte, parts.servers[0].j_per_byte) = (whole(1, 3), whole(0, 20));
    (parts.servers[1].s_per_byte, parts.servers[1].j_per_byte) = (whole(0, 5) + 0.5, whole(0, 20));
    parts.servers[1].latency_s = whole(0, 2);
    parts.servers[1].access = Access::Own(vec![SiteLink::free(RateProcess::Constant(1.0 / whole(1, 4)))]);
    if devices == 2 {
        parts.servers.truncate(1);
    }
    Site::with_load(parts, 0.1 * whole(4, 8)).expect("it carries that")
}

#[test]
fn no_bound_is_above_the_optimum() {
    let mut closest = f64::INFINITY;
    for seed in 0..10 {
        let site = random_site(seed);
        let settings = OptimumSettings {
            unit_s: Some(1.0),
            limits_s: Some(vec![60.0; 3]),
            tolerance: 3e-3,
            ..OptimumSettings::default()
        };
        let optimum = DispatchOptimum::solve(&site, &settings).expect("a chain");
        let bound = lower_bound(&site);
        // The error of the unit of time.
        assert!(bound.cost <= 1.003 * optimum.bounds().1, "{seed}: {bound:?} {:?}", optimum.bounds());
        assert!(bound.fluid_cost <= bound.cost);
        closest = closest.min(1.0 - bound.cost / optimum.mean_cost());
    }
    println!("closest {closest:.4}");
    assert!(closest < 0.2, "a bound is good for something: {closest}");
}

#[test]
fn no_bound_is_above_a_simulated_scheme() {
    let plain = Setting::EVEN;
    for setting in [
        plain,
        Setting { devices: 10, is_mixed: true, ..plain },
        Setting { is_mixed: true, has_bursts: true, ..plain },
        Setting { changes: true, ..plain },
    ] {
        for load in [0.5, 0.8, 0.9, 0.95] {
            let load = if setting.has_bursts { 0.7 * load } else { load };
            let site = Setting { load, ..setting }.site(1);
            let bound = lower_bound(&site);
            let greedy = simulate(&site, &Path::draw(&site, 30_000, 2), &mut DispatchGreedy::new(), 1);
            println!(
                "{} devices, mixed {}, bursts {}, changing links {}, load {load:.3}: bound {:.2}, fluid {:.2}, greedy {:.2}: {:.1} % below",
                setting.devices,
                setting.is_mixed,
                setting.has_bursts,
                setting.changes,
                bound.cost,
                bound.fluid_cost,
                greedy.mean_cost,
                100.0 * (1.0 - bound.cost / greedy.mean_cost)
            );
            let costs = &greedy.batch_costs;
            let variance =
                costs.iter().map(|cost| (cost - greedy.mean_cost).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
            let error = (variance / BATCHES as f64).sqrt();
            // 3.88 standard errors of Student's t with 19 degrees of freedom: one false alarm in 1,000 seeds.
            assert!(
                bound.cost <= greedy.mean_cost + 3.88 * error,
                "{setting:?} {load}: {bound:?} {}",
                greedy.mean_cost
            );
        }
    }
}

/// Devices without servers, all tasks of one size.
fn alone(services_s: &[f64], loads: &[f64], alpha: f64) -> Site {
    let mut parts: SiteParts = Setting { devices: services_s.len(), ..Setting::EVEN }.parts(1);
    parts.servers.clear();
    parts.process = ArrivalProcess::Poisson;
    parts.alpha = alpha;
    parts.sizes = Sizes::OneOf([1.0].into());
    for ((device, service_s), load) in parts.devices.iter_mut().zip(services_s).zip(loads) {
        (device.s_per_byte, device.j_per_byte) = (*service_s, 7.0);
        device.arrivals_per_s = load / service_s;
    }
    Site::new(parts).expect("it carries that")
}

#[test]
fn a_single_queue_with_one_size_is_met_exactly() {
    for load in [0.2, 0.7, 0.95] {
        let site = alone(&[3.0], &[load], 0.4);
        let exact = 0.4 * 7.0 + 0.6 * (3.0 + load * 3.0 / (2.0 * (1.0 - load)));
        let bound = lower_bound(&site).cost;
        assert!(bound <= exact && bound > (1.0 - 1e-3) * exact, "{load}: {bound} {exact}");
    }
}

#[test]
fn the_devices_with_the_highest_load_are_found() {
    let (services_s, loads) = ([2.0, 2.0, 8.0], [0.95, 0.1, 0.1]);
    let site = alone(&services_s, &loads, 0.0);
    let waits_s = |device: usize| loads[device] * services_s[device] / (2.0 * (1.0 - loads[device]));
    let share = |device: usize| loads[device] / services_s[device] / site.arrivals_per_s();
    let fluid: f64 = (0..3).map(|device| share(device) * services_s[device]).sum();
    let bound = lower_bound(&site);
    assert!((bound.fluid_cost / fluid - 1.0).abs() < 1e-6);
    let expected = fluid + share(0) * waits_s(0);
    assert!(
        bound.cost > 0.99 * expected && bound.cost < expected + share(1) * waits_s(1) + share(2) * waits_s(2),
        "{bound:?} {expected}"
    );
}

#[test]
fn where_time_does_not_count_only_energy_does() {
    let site = alone(&[3.0], &[0.9], 1.0);
    assert!((lower_bound(&site).cost - 7.0).abs() < 1e-6);
}
