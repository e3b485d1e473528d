//! Schemes against each other and against formulas.

use super::*;
use crate::stream::dispatch::testing::Setting;
use crate::stream::dispatch::{DispatchOutcome, Path, SiteParts, simulate};

fn run(name: &str, site: &Site, path: &Path, seed: u64) -> DispatchOutcome {
    simulate(site, path, &mut *by_name(name, site).expect("a scheme"), seed)
}

#[test]
fn one_step_is_greedy_where_only_energy_counts() {
    let parts = SiteParts { alpha: 1.0, ..Setting { is_mixed: true, ..Setting::EVEN }.parts(2) };
    let site = Site::with_load(parts, 0.7).expect("it carries that");
    let path = Path::draw(&site, 2_000, 3);
    assert_eq!(run("one-step", &site, &path, 1), run("greedy", &site, &path, 1));
    assert_eq!(run("one-step-fitted", &site, &path, 1), run("greedy", &site, &path, 1));
}

#[test]
fn all_schemes_agree_where_there_is_one_place() {
    let mut parts = Setting { devices: 1, ..Setting::EVEN }.parts(1);
    parts.servers.clear();
    let site = Site::with_load(parts, 0.8).expect("it carries that");
    let path = Path::draw(&site, 2_000, 3);
    let greedy = run("greedy", &site, &path, 1);
    for kind in DispatchSchemeKind::all(&site) {
        let outcome = run(&kind.to_string(), &site, &path, 1);
        assert_eq!(outcome.mean_cost, greedy.mean_cost, "{kind}");
    }
}

#[test]
fn equal_seeds_have_equal_outcomes_and_other_seeds_others() {
    let site = Setting { is_mixed: true, has_bursts: true, ..Setting::EVEN }.site(4);
    let path = Path::draw(&site, 2_000, 3);
    for name in ["random", "static-split"] {
        assert_eq!(run(name, &site, &path, 5), run(name, &site, &path, 5));
        assert_ne!(run(name, &site, &path, 5), run(name, &site, &path, 6));
    }
}

#[test]
fn a_device_that_cannot_use_the_place_takes_its_cheapest() {
    let mut parts = Setting::EVEN.parts(1);
    parts.devices[0].uplink = None;
    let site = Site::with_load(parts, 0.5).expect("it carries that");
    let path = Path::draw(&site, 2_000, 3);
    let edge = run("edge-only", &site, &path, 1);
    assert!(edge.place_shares[1] > 0.6 && edge.place_shares[2] > 0.2, "{:?}", edge.place_shares);
    assert!(run("random", &site, &path, 1).mean_cost.is_finite());
}

#[test]
fn rollouts_are_not_dearer_than_the_rule_that_they_follow() {
    let mut sums = [0.0; 2];
    for seed in 0..4 {
        let site =
            Setting { devices: 2, is_mixed: true, has_bursts: seed % 2 == 1, load: 0.7, ..Setting::EVEN }.site(seed);
        let path = Path::draw(&site, 1_000, seed);
        for (sum, name) in sums.iter_mut().zip(["one-step", "rollout@32"]) {
            *sum += run(name, &site, &path, 1).mean_cost / run("one-step", &site, &path, 1).mean_cost;
        }
    }
    assert!(sums[1] < sums[0], "{sums:?}");
}

#[test]
fn rollouts_are_repeatable_where_links_change() {
    let site = Setting { changes: true, has_bursts: true, ..Setting::EVEN }.site(4);
    let path = Path::draw(&site, 200, 3);
    assert_eq!(run("rollout@4", &site, &path, 5), run("rollout@4", &site, &path, 5));
}

#[test]
fn one_step_is_cheaper_than_greedy_and_both_than_the_static_split_under_load() {
    let site = Setting { load: 0.9, ..Setting::EVEN }.site(1);
    let path = Path::draw(&site, 30_000, 3);
    let [split, greedy, one_step] =
        ["static-split", "greedy", "one-step"].map(|name| run(name, &site, &path, 1).mean_cost);
    assert!(one_step < 0.9 * greedy && greedy < 0.9 * split, "{split} {greedy} {one_step}");
}

#[test]
fn schemes_that_draw_continue_where_they_were() {
    let site = Setting { is_mixed: true, ..Setting::EVEN }.site(4);
    let path = Path::draw(&site, 200, 3);
    for name in ["random", "static-split"] {
        let mut state = SiteState::empty(&site, 0);
        let mut choose = |scheme: &mut Box<dyn DispatchScheme>, index: usize| {
            let arrival = &path.arrivals()[index];
            scheme.choose(View { site: &site, path: &path, state: &mut state, arrival, index })
        };
        let (mut scheme, mut again) =
            (by_name(name, &site).expect("a scheme"), by_name(name, &site).expect("a scheme"));
        scheme.start(&site, 5);
        for index in 0..100 {
            choose(&mut scheme, index);
        }
        again.start(&site, 5);
        assert!(again.remember(&scheme.memory()));
        for index in 100..200 {
            assert_eq!(choose(&mut again, index), choose(&mut scheme, index));
        }
        for wrong in [&[][..], &[0.5], &[-1.0], &[f64::NAN], &[1.0, 2.0]] {
            assert!(!again.remember(wrong), "{name}: {wrong:?}");
        }
    }
    let mut greedy = DispatchGreedy::new();
    assert!(greedy.memory().is_empty() && greedy.remember(&[]) && !greedy.remember(&[1.0]));
}
