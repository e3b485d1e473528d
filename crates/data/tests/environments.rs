//! Environments that change: how they are drawn, and the standard set in them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use data::trace::{Drive, Sample, Trace};
use data::{DataError, EnvironmentSampler, Part, StandardSet, evaluate, uplink_windows};
use sim::scenario::{EnvironmentDistribution, Range, UplinkDistribution};
use sim::scheme::{self, Exact, Fixed, Scheme};
use sim::{Environment, Instance, Placement, Scenario, random};

fn cost(scheme: &mut dyn Scheme, instance: &Instance) -> f64 {
    let solution = scheme.decide(&instance.model, &instance.workload).expect("small enough");
    instance.evaluate(&solution.decision).cost
}

fn mobile() -> Scenario {
    Scenario::load("mobile").expect("a preset")
}

fn draws(sampler: &EnvironmentSampler, part: Part, count: usize) -> Vec<Environment> {
    let mut random = random::stream(7, "draws");
    let mut environment = mobile().own_environment();
    let mut draw = || {
        sampler.draw(part, &mut random, &mut environment);
        environment.clone()
    };
    (0..count).map(|_| draw()).collect()
}

#[test]
fn draws_lie_in_their_ranges_with_the_moments_that_networks_scale_by() {
    let mut scenario = mobile();
    scenario.environment = Some(EnvironmentDistribution {
        uplink_mbps: Some(UplinkDistribution::LogUniform { min: 0.5, max: 32.0 }),
        capacity: Some(Range::LogUniform { min: 0.5, max: 2.0 }),
        alpha: Some(Range::Uniform { min: 0.2, max: 0.8 }),
    });
    let sampler = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    let all = draws(&sampler, Part::Training, 4000);
    assert!(all.iter().all(|one| (0.2..=0.8).contains(&one.alpha)));
    assert!(all.iter().flat_map(|one| &one.uplinks_mbps).all(|mbps| (0.5..=32.0).contains(mbps)));
    assert!(all.iter().flat_map(|one| &one.capacities).all(|share| (0.5..=2.0).contains(share)));
    let moments = sampler.moments();
    let uplink = moments.log_uplink.expect("it changes");
    assert!((uplink.mean - 4.0_f64.ln()).abs() < 0.02, "{uplink:?}");
    assert!((uplink.std_dev - 64.0_f64.ln() / 12.0_f64.sqrt()).abs() < 0.02, "{uplink:?}");
    assert!(moments.log_capacity.expect("it changes").mean.abs() < 0.02, "{moments:?}");
    assert!((moments.alpha.expect("it changes").mean - 0.5).abs() < 0.01, "{moments:?}");
    // What never changes has none.
    scenario.environment.as_mut().expect("just set").alpha = None;
    let sampler = EnvironmentSampler::new(&scenario).expect("no file").expect("it changes");
    assert_eq!(sampler.moments().alpha, None);
    assert!(draws(&sampler, Part::Training, 9).iter().all(|one| one.alpha == scenario.alpha));
    scenario.environment = None;
    assert!(EnvironmentSampler::new(&scenario).expect("no file").is_none());
}

/// A recording of `drives` drives, each of three devices for ten minutes. Each rate encodes drive, device and minute.
fn recording(drives: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for drive in 0..drives {
        let mut text = "t_s,device,mbps\n".to_owned();
        for device in 0..3 {
            for second in (0..600).step_by(10) {
                let rate = 100 * (drive + 1) + 20 * device + second / 60;
                let _ = writeln!(text, "{second},d{device},{rate}");
            }
        }
        std::fs::write(folder.path().join(format!("drive{drive}.csv")), text).expect("written");
    }
    folder
}

fn from_traces(folder: &tempfile::TempDir, held_out: f64) -> Scenario {
    let mut scenario = mobile();
    let path = folder.path().to_str().expect("a plain path").to_owned();
    let uplinks = UplinkDistribution::Traces { path, window_s: 60.0, held_out };
    let environment = scenario.environment.as_mut().expect("the preset has one");
    environment.uplink_mbps = Some(uplinks);
    scenario
}

fn uplinks(sampler: &EnvironmentSampler, part: Part) -> BTreeSet<Vec<u64>> {
    let whole = |one: Environment| one.uplinks_mbps.into_iter().map(|mbps| mbps as u64).collect();
    draws(sampler, part, 3000).into_iter().map(whole).collect()
}

#[test]
fn recorded_environments_are_windows_and_some_drives_are_held_out() {
    let folder = recording(5);
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.3)).expect("readable").expect("it changes");
    let [training, held_out] = [Part::Training, Part::HeldOut].map(|part| uplinks(&sampler, part));
    // Three of five drives, and two, of ten windows each.
    assert_eq!((training.len(), held_out.len()), (30, 20));
    let drives = |windows: &BTreeSet<Vec<u64>>| -> BTreeSet<u64> { windows.iter().map(|all| all[0] / 100).collect() };
    assert!(drives(&training).is_disjoint(&drives(&held_out)));
    for all in training.union(&held_out) {
        assert_eq!((all[1] - all[0], all[2] - all[0]), (20, 40), "devices of one window: {all:?}");
    }
    let again = EnvironmentSampler::new(&from_traces(&folder, 0.3)).expect("readable").expect("it changes");
    assert_eq!(uplinks(&again, Part::HeldOut), held_out);
}

#[test]
fn of_a_single_drive_the_end_is_held_out() {
    let folder = recording(1);
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.25)).expect("readable").expect("it changes");
    let minutes = |part| -> BTreeSet<u64> { uplinks(&sampler, part).iter().map(|all| all[0] - 100).collect() };
    assert_eq!(minutes(Part::Training), (0..7).collect());
    assert_eq!(minutes(Part::HeldOut), (7..10).collect());
}

/// Two recorded devices of one drive stand for five devices. A held-out rate must not be in the training windows of any
/// device.
#[test]
fn nothing_of_a_single_drive_is_on_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "t_s,device,mbps\n".to_owned();
    for minute in 0..20 {
        let _ = writeln!(text, "{0},a,{1}\n{0},b,{2}", 60 * minute, 100 + minute, 200 + minute);
    }
    std::fs::write(folder.path().join("one.csv"), text).expect("written");
    let mut scenario = from_traces(&folder, 0.3);
    scenario.devices.count = 5;
    let sampler = EnvironmentSampler::new(&scenario).expect("readable").expect("it changes");
    let rates = |part| -> BTreeSet<u64> { uplinks(&sampler, part).into_iter().flatten().collect() };
    let (training, held_out) = (rates(Part::Training), rates(Part::HeldOut));
    assert_eq!((training.len(), held_out.len()), (28, 12));
    assert!(training.is_disjoint(&held_out), "{held_out:?}");
}

#[test]
fn drives_without_a_window_are_passed_over() {
    let folder = recording(4);
    for name in ["apart0", "apart1", "apart2"] {
        std::fs::write(folder.path().join(format!("{name}.csv")), "t_s,device,mbps\n1,a,5\n70,b,6\n").expect("written");
    }
    let sampler = EnvironmentSampler::new(&from_traces(&folder, 0.5)).expect("four drives").expect("it changes");
    assert_eq!([Part::Training, Part::HeldOut].map(|part| uplinks(&sampler, part).len()), [20, 20]);
}

#[test]
fn recordings_without_a_window_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    // Two devices that were never recorded in the same minute.
    std::fs::write(folder.path().join("apart.csv"), "t_s,device,mbps\n1,a,5\n70,b,6\n").expect("written");
    let error = EnvironmentSampler::new(&from_traces(&folder, 0.1)).expect_err("no window");
    assert!(matches!(error, DataError::TooFewWindows { .. }), "{error}");
    let gone = from_traces(&folder, 0.1);
    drop(folder);
    let error = StandardSet::of(&gone, &gone.check().expect("valid")).expect_err("no folder");
    assert!(matches!(error, DataError::Trace(_)), "{error}");
}

#[test]
fn few_recorded_devices_stand_for_many_at_other_times() {
    let device = |name: &str, rates: &[f64]| Trace {
        device: name.to_owned(),
        samples: (0..)
            .map(|minute| 60.0 * f64::from(minute))
            .zip(rates)
            .map(|(t_s, &mbps)| Sample { t_s, mbps })
            .collect(),
        interval_s: None,
    };
    let drive = Drive {
        name: "one".to_owned(),
        environment: String::new(),
        devices: vec![device("a", &[1.0, 2.0, 3.0, 4.0]), device("b", &[10.0, 20.0, 30.0, 40.0])],
    };
    let rates = |devices: usize| -> Vec<Vec<f64>> {
        uplink_windows(&drive, devices, 60.0).into_iter().map(|window| window.mbps).collect()
    };
    assert_eq!(rates(1), [[1.0], [2.0], [3.0], [4.0]]);
    assert_eq!(rates(2)[3], [4.0, 40.0]);
    assert_eq!(
        rates(4),
        [[1.0, 10.0, 3.0, 30.0], [2.0, 20.0, 4.0, 40.0], [3.0, 30.0, 1.0, 10.0], [4.0, 40.0, 2.0, 20.0]]
    );
    let nothing = Drive { devices: Vec::new(), ..drive };
    assert!(uplink_windows(&nothing, 3, 60.0).is_empty());
}

#[test]
fn a_set_evaluates_each_workload_in_its_own_environment() {
    let scenario = mobile();
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let optimal = set.optimal().expect("3 tasks a device");
    let mut all_cloud = Fixed::new(&model, Placement::from_index(2));
    let costs = set.costs_of(&mut all_cloud).expect("always");
    for (index, instance) in set.instances().iter().enumerate() {
        let there = model.at(instance.model.environment()).expect("fits");
        assert!(there != model, "the environment changes");
        let there = Instance { model: there, workload: instance.workload.clone() };
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-12;
        assert!(near(cost(&mut Exact::new(), &there), optimal[index]));
        assert!(near(cost(&mut all_cloud, &there), costs[index]));
    }
    let evaluation = evaluate(&mut all_cloud, &set).expect("always");
    let q2 = [evaluation.q2, set.q2(&costs)].map(|q2| q2.expect("the optimum is known"));
    assert!((q2[0] - q2[1]).abs() < 1e-12, "{q2:?}");
    assert_eq!(set.q2_of(&mut Exact::new()).expect("small"), Some(1.0));
    // The same workloads in the scenario's own environment have another optimum.
    let instances = set.instances().iter();
    let still = instances.map(|instance| Instance { model: model.clone(), workload: instance.workload.clone() });
    assert!(StandardSet::new(still.collect()).optimal() != set.optimal());
}

/// Q2 over environments that change, as `trainer compare --scenario mobile` shows it.
#[test]
fn the_mobile_preset_gives_known_figures() {
    let scenario = mobile();
    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("no file");
    let known = [("local-only", 0.312), ("cloud-only", 0.615), ("greedy", 0.939), ("greedy-largest-first", 0.985)];
    for mut scheme in scheme::classic(&model, 1) {
        let Some((_, q2)) = known.iter().find(|(name, _)| *name == scheme.name()) else { continue };
        let found = set.q2_of(&mut *scheme).expect("small").expect("the optimum is known");
        assert!((found - q2).abs() < 1e-3, "{}: {found}, known {q2}", scheme.name());
    }
}
