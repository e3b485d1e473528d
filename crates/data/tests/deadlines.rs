//! Missed deadlines on the standard set: counted over all tasks, and in Q2 where they are hard.

use data::{Deadlines, DecidedSet, StandardSet, evaluate};
use sim::scenario::{DeadlineRule, PerDevice};
use sim::scheme::{Exact, Fixed, Greedy, Order};
use sim::{CostModel, Instance, Placement, Scenario, Workload};

fn model(deadline_s: f64, rule: DeadlineRule) -> CostModel {
    let mut scenario = Scenario::load("paper-wan").expect("a preset");
    scenario.tasks.deadline_s = Some(PerDevice::One(deadline_s));
    scenario.tasks.deadline_rule = rule;
    scenario.check().expect("valid")
}

/// Two workloads: nine tasks of 20 MB, and one task of 1 MB with eight absent ones.
fn set(model: &CostModel) -> StandardSet {
    let mut lonely = [0.0; 9];
    lonely[0] = 1.0;
    let instance = |sizes: &[f64]| Instance { model: model.clone(), workload: Workload::from_mb(3, sizes) };
    StandardSet::new(vec![instance(&[20.0; 9]), instance(&lonely)])
}

#[test]
fn the_share_is_of_all_tasks_together_and_absent_tasks_have_no_deadline() {
    let model = model(60.0, DeadlineRule::Report);
    let mut local = Fixed::new(&model, Placement::Local);
    let evaluation = evaluate(&mut local, &set(&model)).expect("decides");
    assert_eq!((evaluation.missed_deadlines, evaluation.tasks_with_deadline), (Some(9), Some(10)));
    assert_eq!(evaluation.share_of_missed_deadlines, Some(0.9));
    let decided = set(&model).decide(&mut local).expect("decides");
    assert_eq!(decided.deadlines, Some(Deadlines { missed: 9, tasks: 10 }));
    let plain = Scenario::load("paper-wan").expect("a preset").check().expect("valid");
    let evaluation = evaluate(&mut local, &set(&plain)).expect("decides");
    assert_eq!((evaluation.missed_deadlines, evaluation.share_of_missed_deadlines), (None, None));
}

#[test]
fn without_a_rule_deadlines_change_no_cost() {
    let (counted, plain) = (model(60.0, DeadlineRule::Report), Scenario::load("paper-wan").expect("a preset"));
    let (counted, plain) = (set(&counted), set(&plain.check().expect("valid")));
    let mut greedy = Greedy::new(Order::Given);
    let ratios = |set: &StandardSet, costs: &DecidedSet| set.ratios(&costs.costs).expect("the optimum is known");
    let [first, second] = [&counted, &plain].map(|set| set.decide(&mut greedy).expect("decides"));
    for (a, b) in ratios(&counted, &first).iter().zip(ratios(&plain, &second)) {
        assert!((a - b).abs() < 1e-12, "{a} and {b}");
    }
}

#[test]
fn a_decision_that_misses_a_hard_deadline_too_many_counts_as_0() {
    // All in the cloud, a device's three tasks of 20 MB take 140 s; two at the edge and one in the cloud take 67 s.
    let model = model(70.0, DeadlineRule::Hard);
    let set = set(&model);
    let mut cloud = Fixed::new(&model, Placement::from_index(2));
    let DecidedSet { costs, deadlines } = set.decide(&mut cloud).expect("decides");
    assert_eq!(deadlines, Some(Deadlines { missed: 9, tasks: 10 }));
    let ratios = set.ratios(&costs).expect("the optimum is known");
    assert_eq!(ratios[0], 0.0);
    assert!(ratios[1] > 0.0 && ratios[1] <= 1.0, "{ratios:?}");
    let evaluation = evaluate(&mut cloud, &set).expect("decides");
    assert_eq!(evaluation.q2, Some(ratios[1] / 2.0));
    assert!(evaluation.mean_cost.is_finite());
    let optimum = evaluate(&mut Exact::new(), &set).expect("decides");
    assert_eq!((optimum.missed_deadlines, optimum.q2), (Some(0), Some(1.0)));
    assert_eq!(set.q2_of(&mut Exact::new()).expect("decides"), Some(1.0));
}
