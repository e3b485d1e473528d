use super::cellular::cellular_stage;
use super::deadline::{Rates, wifi_stage};
use super::*;
use crate::stream::formulas::simulation::contains;
use crate::stream::formulas::{ServiceTime, exponential_queue, on_off_queue};

const SEEDS: [u64; 20] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
const FILES: usize = 20_000;

fn model(per_minute: f64) -> DelayedModel {
    DelayedModel {
        files_per_s: per_minute / 60.0,
        sizes: Sizes::Exponential { mean: 10e6 },
        wifi: OnOff { mean_on_s: 60.0, mean_off_s: 120.0 },
        wifi_link: DelayedLink { bytes_per_s: 1e6, power_w: 0.7 },
        cellular_link: DelayedLink { bytes_per_s: 0.4e6, power_w: 1.2 },
    }
}

fn simulated(model: &DelayedModel, policy: DelayedPolicy) -> Vec<DelayedMeans> {
    simulate_seeds(model, &policy, &SEEDS, FILES).expect("valid")
}

fn of(runs: &[DelayedMeans], value: impl Fn(&DelayedMeans) -> f64) -> Vec<f64> {
    runs.iter().map(value).collect()
}

fn rates(mean_on_s: f64, mean_off_s: f64, arrive: f64, deadline_s: f64) -> Rates {
    Rates { arrive, send: 0.1, switch_off: 1.0 / mean_on_s, switch_on: 1.0 / mean_off_s, deadline_s }
}

#[test]
fn long_deadlines_are_the_queue_at_a_server_that_is_on_and_off() {
    let service = ServiceTime::exponential(10.0);
    let wifi = OnOff { mean_on_s: 60.0, mean_off_s: 120.0 };
    let patient = on_off_queue(0.01, &service, &wifi).expect("stable");
    let stage = wifi_stage(&rates(60.0, 120.0, 0.01, 5e3)).expect("in range");
    assert!(stage.late_per_s[0] + stage.late_per_s[1] < 1e-11, "{stage:?}");
    assert!((stage.mean_time_s / patient.mean_response_s - 1.0).abs() < 1e-6, "{stage:?} {patient:?}");
}

#[test]
fn wifi_that_is_hardly_ever_off_is_a_queue_with_a_deadline_to_the_end_of_service() {
    // Always on: the age has the density λ p exp(−(μ − λ) a), with p the probability of an empty queue.
    let (arrive, send, deadline_s) = (0.06, 0.1, 25.0_f64);
    let stage = wifi_stage(&rates(1e5, 1e-2, arrive, deadline_s)).expect("in range");
    let passes = (-(send - arrive) * deadline_s).exp();
    let empty = 1.0 / (1.0 + arrive * (1.0 - passes) / (send - arrive));
    assert!((stage.late_per_s[0] / arrive - empty * passes).abs() < 1e-6, "{stage:?} {}", empty * passes);
}

/// Two ways to the same shares: by the age of the first file, and by the Markov renewal process of late files.
#[test]
fn late_files_leave_while_wifi_is_on_as_often_by_both_methods() {
    for (arrive, deadline_s) in [(0.01, 5.0), (0.03, 60.0), (0.08, 400.0), (0.03, 3e3)] {
        let rates = rates(60.0, 120.0, arrive, deadline_s);
        let [on, off] = wifi_stage(&rates).expect("in range").late_per_s;
        let (_, shares) = cellular_stage(&rates, 1.0).expect("in range");
        assert!((shares[0] - on / (on + off)).abs() < 1e-6, "{shares:?} {on} {off}");
    }
}

#[test]
fn files_that_never_wait_for_wifi_reach_the_cellular_link_as_a_poisson_process() {
    let (time_s, _) = cellular_stage(&rates(60.0, 120.0, 0.03, 1e-9), 0.04).expect("in range");
    assert!((time_s - 100.0).abs() < 1e-3, "{time_s}");
    assert!(matches!(wifi_stage(&rates(60.0, 1e-9, 0.03, 1e3)), Err(DelayedError::OutOfRange { .. })));
}

#[test]
fn deadlines_between_lie_between() {
    let model = model(1.5);
    let means = |deadline_s| means(&model, &DelayedPolicy::Deadline { deadline_s }).expect("stable");
    let all = [0.0, 1e-3, 1.0, 10.0, 100.0, 1e3, 1e4, f64::INFINITY].map(means);
    for pair in all.windows(2) {
        assert!(pair[0].energy_j > pair[1].energy_j, "{pair:?}");
        assert!(pair[0].cellular_share > pair[1].cellular_share, "{pair:?}");
    }
    assert!((all[1].response_s / all[0].response_s - 1.0).abs() < 1e-2, "{all:?}");
    assert!((all[6].response_s / all[7].response_s - 1.0).abs() < 1e-2, "{all:?}");
    let cellular = exponential_queue(1.5 / 60.0, 25.0).expect("stable");
    assert!((all[0].response_s - cellular.mean_response_s).abs() < 1e-9);
    assert!((all[0].energy_j - 25.0 * 1.2).abs() < 1e-9 && (all[7].energy_j - 10.0 * 0.7).abs() < 1e-9);
}

/// 20 replications each, t intervals at 99.9 %: one false alarm in 1,000 for each of the 10 comparisons.
#[test]
fn simulated_splits_agree_with_the_formula() {
    for sizes in [Sizes::Exponential { mean: 10e6 }, Sizes::LogUniform { min: 1e6, max: 40e6 }] {
        let model = DelayedModel { sizes, ..model(1.2) };
        for wifi_share in [0.0, 0.4, 1.0] {
            let policy = DelayedPolicy::Split { wifi_share };
            let (exact, runs) = (means(&model, &policy).expect("stable"), simulated(&model, policy));
            contains(&of(&runs, |run| run.response_s), exact.response_s);
            contains(&of(&runs, |run| run.energy_j), exact.energy_j);
            if wifi_share == 0.4 {
                contains(&of(&runs, |run| run.cellular_share), 0.6);
            }
        }
    }
}

/// As above: 12 comparisons.
#[test]
fn simulated_deadlines_agree_with_the_formula() {
    for (per_minute, deadline_s) in [(1.0, 30.0), (1.5, 100.0), (2.0, 60.0), (3.0, 300.0)] {
        let model = model(per_minute);
        let policy = DelayedPolicy::Deadline { deadline_s };
        let (formula, runs) = (means(&model, &policy).expect("stable"), simulated(&model, policy));
        contains(&of(&runs, |run| run.cellular_share), formula.cellular_share);
        contains(&of(&runs, |run| run.energy_j), formula.energy_j);
        contains(&of(&runs, |run| run.response_s), formula.response_s);
    }
}

fn deadlines() -> Vec<DelayedPolicy> {
    let all = [0.0, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 240.0, 480.0, f64::INFINITY];
    all.map(|deadline_s| DelayedPolicy::Deadline { deadline_s }).to_vec()
}

fn splits() -> Vec<DelayedPolicy> {
    (0..=10).map(|tenths| DelayedPolicy::Split { wifi_share: f64::from(tenths) / 10.0 }).collect()
}

#[test]
fn the_best_policy_by_formula_is_the_best_by_simulation() {
    for (per_minute, deadline_s, product_j_s) in [(1.0, 20.0, 994.3), (1.5, 20.0, 1220.7), (2.0, 40.0, 1555.2)] {
        let model = model(per_minute);
        let comparison = compare(&model, &deadlines(), &SEEDS, 5_000).expect("valid");
        assert_eq!(comparison.best_by_formula, comparison.best_by_simulation);
        assert!(comparison.loss_per_seed.iter().all(|loss| *loss == 0.0) && comparison.loss_per_seed.len() == 20);
        let best = &comparison.policies[comparison.best_by_formula];
        assert_eq!(best.policy, DelayedPolicy::Deadline { deadline_s });
        assert!((best.formula.expect("a formula").product_j_s() - product_j_s).abs() < 0.1, "{best:?}");
        assert!((best.product_j_s() / product_j_s - 1.0).abs() < 0.03, "{}", best.product_j_s());
        // No split by chance comes near.
        let (_, split) = best_by_formula(&model, &splits()).expect("stable");
        assert!(best.formula.expect("a formula").product_j_s() < 0.8 * split.product_j_s());
    }
    // WiFi alone cannot carry two files a minute.
    let comparison = compare(&model(2.0), &deadlines(), &SEEDS[..2], 100).expect("valid");
    let last = comparison.policies.last().expect("some");
    assert!(last.formula.is_none() && last.per_seed.is_empty() && last.product_j_s().is_infinite());
}

#[test]
fn equal_seeds_have_equal_means() {
    let policy = DelayedPolicy::Deadline { deadline_s: 60.0 };
    let both = simulate_seeds(&model(1.5), &policy, &[7, 8], 1_000).expect("valid");
    assert_eq!(both, simulate_seeds(&model(1.5), &policy, &[7, 8], 1_000).expect("valid"));
    assert_eq!(both[1], simulate(&model(1.5), &policy, 8, 1_000).expect("valid"));
    assert_ne!(both[0], both[1]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let error = |model: &DelayedModel, policy| means(model, &policy).expect_err("no sense").to_string();
    let deadline = |deadline_s| DelayedPolicy::Deadline { deadline_s };
    assert_eq!(error(&model(1.0), deadline(-1.0)), "the deadline must be a number of seconds not below 0, is -1");
    let split = DelayedPolicy::Split { wifi_share: 1.5 };
    assert_eq!(error(&model(1.0), split), "the share of WiFi must lie between 0 and 1, is 1.5");
    assert!(error(&model(3.0), deadline(f64::INFINITY)).starts_with("the queue for WiFi: the queue grows without end"));
    assert!(error(&model(3.0), deadline(0.0)).contains("cellular link"));
    assert!(error(&model(9.0), deadline(60.0)).contains("cellular link"));
    let uniform = DelayedModel { sizes: Sizes::Uniform { min: 1.0, max: 2.0 }, ..model(1.0) };
    assert_eq!(means(&uniform, &deadline(1.0)), Err(DelayedError::SizesNotExponential));
    let wrong = DelayedModel { files_per_s: 0.0, ..model(1.0) };
    assert_eq!(error(&wrong, deadline(1.0)), "the rate of files must be a number above 0, is 0");
    assert!(simulate(&model(3.0), &deadline(f64::INFINITY), 1, 100).is_err());
    assert!(simulate(&model(9.0), &deadline(60.0), 1, 100).is_err());
    let overloaded = DelayedModel { sizes: Sizes::Uniform { min: 5e6, max: 15e6 }, ..model(9.0) };
    let error_of_simulation = simulate(&overloaded, &deadline(60.0), 1, 2_000).expect_err("too many").to_string();
    assert!(
        error_of_simulation.starts_with("the queue for the cellular link: the queue grows"),
        "{error_of_simulation}"
    );
    assert_eq!(simulate(&model(1.0), &deadline(1.0), 1, 0), Err(DelayedError::Nothing("file")));
    assert_eq!(compare(&model(1.0), &deadlines(), &[], 10), Err(DelayedError::Nothing("seed")));
    assert_eq!(best_by_formula(&model(1.0), &[]), Err(DelayedError::NoStablePolicy));
}
