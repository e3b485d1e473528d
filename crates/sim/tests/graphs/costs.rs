//! What decisions cost: against plain definitions, hand calculations and published examples.

use std::sync::Arc;

use proptest::prelude::*;
use sim::graph::{
    Application, Downlinks, GraphModel, GraphModelError, GraphTask, Limits, Machine, OrderRule, Rules, Schedule,
    Timing, Transfer, Weights,
};
use sim::random;

use crate::{
    assert_close, edge, link, machine, model, random_model, random_places, reference, server, shapes, system, task,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn costs_are_those_of_the_definitions(shape in shapes(12)) {
        let model = random_model(shape);
        let mut random = random::stream(shape.seed, "decisions of tests");
        let mut schedule = Schedule::new(&model);
        for _ in 0..4 {
            let places = random_places(&model, &mut random);
            let expected = reference::evaluate(&model, &places);
            let found = model.evaluate(&places);
            assert_close(found.energy_j, expected.energy_j);
            assert_close(found.time_s, expected.time_s);
            assert_close(found.price, expected.price);
            let Weights { energy, time, price } = model.rules().weights;
            assert_close(found.cost, energy * expected.energy_j + time * expected.time_s + price * expected.price);
            prop_assert_eq!(schedule.cost_of(&model, &places), found.cost);
        }
    }

    #[test]
    fn a_schedule_built_with_detours_is_that_of_its_decision(shape in shapes(12), lengths in prop::collection::vec(0..12_usize, 8)) {
        let model = random_model(shape);
        let mut random = random::stream(shape.seed, "decisions of tests");
        let mut schedule = Schedule::new(&model);
        for length in lengths {
            schedule.truncate(length.min(schedule.len()));
            let mut costs = vec![schedule.cost(&model)];
            while schedule.len() < model.tasks() {
                schedule.push(&model, random::below(&mut random, model.places()) as u8);
                costs.push(schedule.cost(&model));
            }
            prop_assert!(costs.is_sorted(), "a task more costs less: {:?}", costs);
            prop_assert_eq!(schedule.cost(&model), Schedule::new(&model).cost_of(&model, &schedule.places()));
            assert_close(schedule.time_s(), model.evaluate(&schedule.places()).time_s);
        }
    }

    #[test]
    fn serial_costs_are_sums_over_tasks_and_edges(shape in shapes(12)) {
        let model = random_model(crate::Shape { timing: Timing::Serial, ..shape });
        let places = random_places(&model, &mut random::stream(shape.seed, "decisions of tests"));
        let at = |task: u32| places[task as usize] as usize;
        let tasks: f64 = (0..model.tasks()).map(|task| model.task_cost(task, places[task] as usize)).sum();
        let edges = model.application().edges().iter();
        let edges: f64 = edges.map(|edge| edge.bytes * model.byte_cost(at(edge.from), at(edge.to))).sum();
        assert_close(tasks + edges, model.evaluate(&places).cost);
    }

    #[test]
    fn chains_take_the_same_serial_and_scheduled(shape in shapes(12)) {
        let mut random = random::stream(shape.seed, "chains of tests");
        let tasks = crate::random_application(shape, &mut random).tasks().to_vec();
        let edges = (1..shape.tasks as u32).map(|to| edge(to - 1, to, 1e6)).collect();
        let application = Arc::new(Application::new(tasks, edges).expect("valid"));
        let system = Arc::new(crate::random_system(shape, &mut random));
        let [serial, scheduled] = [Timing::Serial, Timing::Scheduled].map(|timing| {
            let rules = Rules { timing, transfer: Transfer::Edge, ..crate::rules(shape) };
            GraphModel::new(Arc::clone(&application), Arc::clone(&system), rules).expect("valid")
        });
        let places = random_places(&serial, &mut random);
        let (serial, scheduled) = (serial.evaluate(&places), scheduled.evaluate(&places));
        assert_close(serial.time_s, scheduled.time_s);
        assert_close(serial.energy_j, scheduled.energy_j);
        assert_close(serial.cost, scheduled.cost);
    }

    #[test]
    fn weights_change_costs_and_nothing_else(shape in shapes(12)) {
        let model = random_model(shape);
        let places = random_places(&model, &mut random::stream(shape.seed, "decisions of tests"));
        let before = model.evaluate(&places);
        let weights = Weights { energy: 0.25, time: 3.0, price: 0.5 };
        let after = model.with_weights(weights).expect("valid").evaluate(&places);
        prop_assert_eq!((before.energy_j, before.time_s, before.price), (after.energy_j, after.time_s, after.price));
        assert_close(after.cost, 0.25 * after.energy_j + 3.0 * after.time_s + 0.5 * after.price);
    }
}

/// The example of MCOP's paper: seconds of six tasks here and there, and of the edges between them.
fn mcop(weights: Weights) -> GraphModel {
    let seconds = [("a", 0.0), ("b", 3.0), ("c", 3.0), ("d", 6.0), ("e", 6.0), ("f", 9.0)];
    let mut tasks = seconds.map(|(name, seconds)| task(name, seconds * 1e9)).to_vec();
    tasks[0].pinned = Some("local".to_owned());
    let edges =
        [(0, 1, 10.0), (1, 2, 1.0), (1, 3, 2.0), (2, 3, 1.0), (2, 4, 1.0), (3, 4, 2.0), (3, 5, 1.0), (4, 5, 1.0)];
    let edges = edges.map(|(from, to, seconds)| edge(from, to, seconds * 1e6)).to_vec();
    let mut link = link(1e6, 1e6);
    link.receive_w = 1.3;
    let rules = Rules { timing: Timing::Serial, transfer: Transfer::Edge, weights, ..Rules::default() };
    model(Application::new(tasks, edges).expect("valid"), system(1e9, vec![server("cloud", 3e9, link)]), rules)
}

#[test]
fn the_example_of_mcop_takes_what_its_paper_says() {
    let model = mcop(Weights::from_alpha(0.0));
    let local = model.evaluate(&[0; 6]);
    assert_close(local.time_s, 27.0);
    assert_close(local.energy_j, 24.3);
    let cut = model.evaluate(&[0, 0, 1, 1, 1, 1]);
    assert_close(cut.time_s, 14.0);
    assert_close(cut.energy_j, 9.0 + 0.3 * 0.0);
    let saved = |after: f64, before: f64| (1000.0 * (1.0 - after / before)).floor() / 10.0;
    assert_eq!((saved(cut.time_s, local.time_s), saved(cut.energy_j, local.energy_j)), (48.1, 62.9));
    // Half of the time and half of the energy, each as a share of what all tasks take at the device.
    let weighted = self::mcop(Weights { energy: 0.5 / 24.3, time: 0.5 / 27.0, price: 0.0 });
    assert_eq!(saved(weighted.evaluate(&[0, 0, 1, 1, 1, 1]).cost, weighted.evaluate(&[0; 6]).cost), 55.5);
}

/// Two tasks, each 10 s here or 1 s there, 2 s to send and 3 s back.
fn two_tasks(edges: Vec<sim::graph::GraphEdge>, rules: Rules) -> GraphModel {
    let work = |name: &str| GraphTask { send_bytes: 2e6, result_bytes: Some(3e6), ..task(name, 1e10) };
    let application = Application::new(vec![work("a"), work("b")], edges).expect("valid");
    model(application, system(1e9, vec![server("edge", 1e10, link(1e6, 1e6))]), rules)
}

#[test]
fn whole_tasks_queue_for_the_uplink_and_the_server() {
    let free = two_tasks(vec![], Rules::default());
    assert_eq!(free.evaluate(&[0, 0]).time_s, 20.0);
    assert_eq!(free.evaluate(&[1, 0]).time_s, 10.0);
    // Sent from 0 to 2 and from 2 to 4 s; run until 3 and 5 s; back at 6 and 8 s.
    assert_eq!(free.evaluate(&[1, 1]).time_s, 8.0);
    let queued = two_tasks(vec![], Rules { downlinks: Downlinks::Queued, ..Rules::default() });
    assert_eq!(queued.evaluate(&[1, 1]).time_s, 9.0);
}

#[test]
fn a_task_waits_for_results_where_it_runs() {
    let model = two_tasks(vec![edge(0, 1, 1.0)], Rules::default());
    assert_eq!(model.order(), [0, 1]);
    // The first is back at 6 s, the second ends 10 s later.
    assert_eq!(model.evaluate(&[1, 0]).time_s, 16.0);
    // Both there: the second is sent right after the first, and its input need not come back.
    assert_eq!(model.evaluate(&[1, 1]).time_s, 8.0);
    assert_eq!(model.evaluate(&[0, 1]).time_s, 16.0);
}

#[test]
fn a_task_at_another_server_waits_for_the_result_at_the_device() {
    let work = |name: &str| GraphTask { send_bytes: 2e6, result_bytes: Some(3e6), ..task(name, 1e10) };
    let application = Application::new(vec![work("a"), work("b")], vec![edge(0, 1, 1e6)]).expect("valid");
    let servers = vec![server("edge", 1e10, link(1e6, 1e6)), server("cloud", 1e10, link(1e6, 1e6))];
    let whole = model(application.clone(), system(1e9, servers.clone()), Rules::default());
    assert_eq!(whole.evaluate(&[1, 2]).time_s, 12.0);
    let rules = Rules { transfer: Transfer::Edge, ..Rules::default() };
    // One second for each task, one down from the edge and one up to the cloud.
    assert_eq!(model(application, system(1e9, servers), rules).evaluate(&[1, 2]).time_s, 4.0);
}

#[test]
fn servers_with_links_of_their_own_do_not_wait_for_each_other() {
    let work = |name: &str| GraphTask { send_bytes: 2e6, result_bytes: Some(0.0), ..task(name, 1e10) };
    let application = Application::new(vec![work("a"), work("b")], vec![]).expect("valid");
    let time_s = |is_own| {
        let cloud = server("cloud", 1e10, sim::graph::Link { is_own, ..link(1e6, 1e6) });
        let servers = vec![server("edge", 1e10, link(1e6, 1e6)), cloud];
        model(application.clone(), system(1e9, servers), Rules::default()).evaluate(&[1, 2]).time_s
    };
    assert_eq!((time_s(false), time_s(true)), (5.0, 3.0));
}

#[test]
fn a_layer_takes_the_longer_of_computing_and_reading_weights() {
    let layer = GraphTask { weights_bytes: 8e9, ..task("fc6", 1e9) };
    let application = Application::new(vec![layer], vec![]).expect("valid");
    let mut system = system(1e9, vec![]);
    system.device = Machine { memory_bytes_per_s: Some(2e9), ..machine(1e9) };
    assert_eq!(model(application, system, Rules::default()).evaluate(&[0]).time_s, 4.0);
}

#[test]
fn pinned_tasks_and_servers_without_a_link_cost_infinitely_much_elsewhere() {
    let tasks = vec![GraphTask { pinned: Some("local".to_owned()), ..task("a", 1e9) }, task("b", 1e9)];
    let application = Application::new(tasks, vec![edge(0, 1, 1e6)]).expect("valid");
    let servers = vec![server("edge", 1e10, link(1e6, 1e6)), server("far", 1e10, link(0.0, 1e6))];
    for transfer in [Transfer::Task, Transfer::Edge] {
        for timing in [Timing::Serial, Timing::Scheduled] {
            for alpha in [0.0, 0.5, 1.0] {
                let rules = Rules { transfer, timing, weights: Weights::from_alpha(alpha), ..Rules::default() };
                let model = model(application.clone(), system(1e9, servers.clone()), rules);
                let allowed = |task| model.allowed_places(task).collect::<Vec<_>>();
                assert_eq!((allowed(0), allowed(1)), (vec![0], vec![0, 1]));
                for places in [[1, 0], [0, 2], [1, 2]] {
                    let outcome = model.evaluate(&places);
                    assert_eq!((outcome.cost, outcome.exceeds_limits), (f64::INFINITY, true));
                    assert_eq!(Schedule::new(&model).cost_of(&model, &places), f64::INFINITY);
                }
                assert!(model.evaluate(&[0, 1]).cost.is_finite());
            }
        }
    }
}

#[test]
fn pinned_places_must_exist_and_work() {
    let application = |place: &str| {
        let pinned = GraphTask { pinned: Some(place.to_owned()), ..task("a", 1e9) };
        Arc::new(Application::new(vec![pinned], vec![]).expect("valid"))
    };
    let system = Arc::new(system(1e9, vec![server("edge", 1e10, link(1e6, 0.0))]));
    let error =
        |place| GraphModel::new(application(place), Arc::clone(&system), Rules::default()).expect_err("refused");
    let message = "the task a is pinned to \"cloud\", which does not exist; the places are local, edge";
    assert_eq!(error("cloud").to_string(), message);
    assert!(matches!(error("edge"), GraphModelError::Unusable { .. }));
}

#[test]
fn limits_are_told_of_each_amount() {
    let exceeds = |limits| two_tasks(vec![], Rules { limits, ..Rules::default() }).evaluate(&[0, 0]).exceeds_limits;
    assert!(!exceeds(Limits { time_s: 20.0, energy_j: 18.0, price: 0.0 }));
    assert!(exceeds(Limits { time_s: 19.9, ..Limits::default() }));
    assert!(exceeds(Limits { energy_j: 17.9, ..Limits::default() }));
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let application = Arc::new(Application::new(vec![task("a", 1e9)], vec![]).expect("valid"));
    let refused = |system, rules| {
        GraphModel::new(Arc::clone(&application), Arc::new(system), rules).expect_err("refused").to_string()
    };
    let of_system = |system| refused(system, Rules::default());
    let expected = "the number of instructions per second of the device must lie between 1e-30 and 1e30, is 0";
    assert_eq!(of_system(system(0.0, vec![])), expected);
    let expected = "the number of bytes per second up of server edge must be 0 or lie between 1e-30 and 1e30, is NaN";
    assert_eq!(of_system(system(1e9, vec![server("edge", 1e9, link(f64::NAN, 1.0))])), expected);
    let twice = vec![server("edge", 1e9, link(1.0, 1.0)), server("edge", 1e9, link(1.0, 1.0))];
    assert!(of_system(system(1e9, twice)).starts_with("a server is called \"edge\""));
    let weights = Weights { energy: -1.0, ..Weights::from_alpha(0.0) };
    let rules = Rules { weights, ..Rules::default() };
    assert_eq!(refused(system(1e9, vec![]), rules), "the weight of energy must be a number from 0, is -1");
}

#[test]
fn tasks_are_scheduled_by_upward_rank_unless_told_otherwise() {
    // The longest path is c → d; a and b have equal ranks.
    let tasks = || vec![task("a", 1e9), task("b", 1e9), task("c", 2e9), task("d", 5e9)];
    let edges = vec![edge(2, 3, 1e6), edge(2, 1, 1e6)];
    let application = Application::new(tasks(), edges).expect("valid");
    let order = |application: Application, order| {
        model(application, system(1e9, vec![]), Rules { order, ..Rules::default() }).order().to_vec()
    };
    assert_eq!(order(application.clone(), OrderRule::UpwardRank), [2, 3, 0, 1]);
    assert_eq!(order(application.clone(), OrderRule::Given), [0, 2, 1, 3]);
    let own = application.with_order(&["c", "d", "b", "a"]).expect("valid");
    assert_eq!(order(own, OrderRule::UpwardRank), [2, 3, 1, 0]);
}

#[test]
fn another_order_is_checked() {
    let model = two_tasks(vec![edge(0, 1, 1.0)], Rules::default());
    assert_eq!(model.with_order(&[0, 1]).expect("valid").order(), [0, 1]);
    for order in [&[1_u32, 0][..], &[0, 0], &[0], &[0, 1, 2], &[0, 2]] {
        assert!(matches!(model.with_order(order), Err(GraphModelError::Order { .. })), "{order:?}");
    }
}
