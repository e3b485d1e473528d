//! Runs against oracles.

use super::scheme::{DispatchGreedy, DispatchScheme, View};
use super::testing::Setting;
use super::*;
use crate::stream::{ArrivalProcess, RateCursor};

/// Sends every task to the next place that its device can use.
struct InTurns;

impl DispatchScheme for InTurns {
    fn name(&self) -> &'static str {
        "in-turns"
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, view: View<'_>) -> usize {
        view.index % view.site.places()
    }
}

/// When tasks are done by simulating each queue by itself: links first, in the order of arrivals, then machines, in the order in
/// which tasks come.
fn done_by_queues(site: &Site, path: &Path, places: &[usize]) -> Vec<f64> {
    let arrivals = path.arrivals();
    let mut there: Vec<f64> = arrivals.iter().map(|arrival| arrival.time_s).collect();
    for link in 0..site.queues().len() {
        let (mut free_s, mut cursor) = (0.0_f64, 0.0);
        for (index, arrival) in arrivals.iter().enumerate() {
            if site.queues_of(arrival.device as usize, places[index])[0] != Some(link) {
                continue;
            }
            let rates = path.rates(link);
            let starts_s = free_s.max(arrival.time_s);
            let sent = rates.bytes_until(&mut RateCursor::default(), starts_s);
            free_s = rates.time_of(&mut RateCursor::default(), sent + arrival.bytes);
            assert!(sent >= cursor);
            cursor = sent;
            there[index] = free_s;
        }
    }
    let mut done = there.clone();
    for machine in 0..site.queues().len() {
        let mut order: Vec<usize> = (0..arrivals.len())
            .filter(|index| site.queues_of(arrivals[*index].device as usize, places[*index])[1] == Some(machine))
            .collect();
        order.sort_by(|a, b| there[*a].total_cmp(&there[*b]).then(a.cmp(b)));
        let mut free_s = 0.0_f64;
        for index in order {
            free_s = free_s.max(there[index]) + arrivals[index].bytes * site.queues()[machine].s_per_byte;
            done[index] = free_s;
        }
    }
    for (index, arrival) in arrivals.iter().enumerate() {
        let device = arrival.device as usize;
        if places[index] > 0 && site.queues_of(device, places[index])[1].is_none() {
            done[index] += arrival.bytes * site.parts().servers[places[index] - 1].s_per_byte;
        }
    }
    done
}

#[test]
fn every_task_is_done_when_its_queues_say() {
    for setting in [
        Setting::EVEN,
        Setting { is_mixed: true, has_bursts: true, devices: 5, ..Setting::EVEN },
        Setting { changes: true, is_mixed: true, ..Setting::EVEN },
    ] {
        let site = setting.site(3);
        let path = Path::draw(&site, 3_000, 5);
        for scheme in [&mut InTurns as &mut dyn DispatchScheme, &mut DispatchGreedy::new()] {
            let mut tasks = Vec::new();
            simulate_traced(&site, &path, scheme, 1, |task| tasks.push(*task));
            tasks.sort_by_key(|task| task.index);
            let places: Vec<usize> = tasks.iter().map(|task| usize::from(task.place)).collect();
            let expected = done_by_queues(&site, &path, &places);
            assert_eq!(tasks.len(), expected.len());
            for (task, done_s) in tasks.iter().zip(expected) {
                assert!((task.done_s - done_s).abs() < 1e-6 * done_s, "{setting:?} {task:?} {done_s}");
            }
        }
    }
}

#[test]
fn the_number_in_the_system_obeys_littles_law_exactly() {
    let site = Setting { is_mixed: true, ..Setting::EVEN }.site(1);
    let path = Path::draw(&site, 2_000, 2);
    let mut events = Vec::new();
    let mut responses_s = 0.0;
    simulate_traced(&site, &path, &mut DispatchGreedy::new(), 1, |task| {
        events.extend([(task.arrived_s, 1.0), (task.done_s, -1.0)]);
        responses_s += task.done_s - task.arrived_s;
    });
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut in_system, mut area, mut last_s) = (0.0, 0.0, 0.0);
    for (time_s, change) in events {
        area += in_system * (time_s - last_s);
        in_system += change;
        last_s = time_s;
    }
    assert!(in_system == 0.0 && (area / responses_s - 1.0).abs() < 1e-9, "{area} {responses_s}");
}

#[test]
fn a_site_has_the_load_it_is_given_and_more_than_it_can_carry_is_refused() {
    let parts = Setting { is_mixed: true, devices: 6, ..Setting::EVEN }.parts(4);
    let site = Site::with_load(parts.clone(), 0.7).expect("it carries that");
    assert!((site.load() - 0.7).abs() < 1e-9);
    let error = Site::with_load(parts, 1.02).expect_err("too much").to_string();
    assert!(error.contains("asked for 1.020"), "{error}");
}

#[test]
fn the_load_of_a_site_without_bottlenecks_is_work_over_capacity() {
    // Three even devices share everything evenly, so that no part limits the site before the others.
    let parts = Setting::EVEN.parts(1);
    let site = Site::new(SiteParts {
        devices: parts.devices.iter().map(|device| SiteDevice { arrivals_per_s: 0.01, ..device.clone() }).collect(),
        ..parts
    })
    .expect("it carries that");
    let capacity = 3.0 * (0.1e6 + 0.75e6) + 0.6e6;
    assert!((site.load() - 0.03 * 20e6 / capacity).abs() < 1e-9, "{}", site.load());
}

#[test]
fn a_single_queue_is_that_of_pollaczek_and_khinchine() {
    // One device that runs everything itself: M/G/1.
    let mut parts = Setting { devices: 1, ..Setting::EVEN }.parts(1);
    parts.servers.clear();
    parts.process = ArrivalProcess::Poisson;
    let site = Site::with_load(parts, 0.7).expect("it carries that");
    let (rate, mean_s) = (site.arrivals_per_s(), 10e-6 * site.parts().sizes.mean());
    let square_s = 1e-10 * site.parts().sizes.mean_square();
    let expected = mean_s + rate * square_s / (2.0 * (1.0 - 0.7));
    let runs: Vec<f64> = (0..20)
        .map(|seed| simulate(&site, &Path::draw(&site, 20_000, seed), &mut DispatchGreedy::new(), 1).mean_response_s)
        .collect();
    let mean = runs.iter().sum::<f64>() / 20.0;
    let deviation = (runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
    // 3.88 standard errors of Student's t with 19 degrees of freedom: one false alarm in 1,000 seeds.
    assert!((mean - expected).abs() < 3.88 * deviation / 20.0_f64.sqrt(), "{mean} {expected} {deviation}");
}

#[test]
fn greedy_dispatches_millions_of_tasks_in_a_second() {
    let site = Setting { devices: 10, is_mixed: true, ..Setting::EVEN }.site(1);
    let path = Path::draw(&site, 30_000, 1);
    let start = std::time::Instant::now();
    let repeats = 20;
    for _ in 0..repeats {
        simulate(&site, &path, &mut DispatchGreedy::new(), 1);
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(repeats * 30_000);
    println!("{:.1} ns a task", 1e9 * seconds);
    assert!(seconds < 20e-6, "{seconds}");
}
