//! Which tasks and edges make an application, and the errors for others.

use proptest::prelude::*;
use sim::graph::{Application, ApplicationError, GraphTask, NamedEdge};
use sim::limits::MAX_TASKS;

use crate::{edge, task};

fn error(tasks: Vec<GraphTask>, edges: Vec<sim::graph::GraphEdge>) -> String {
    Application::new(tasks, edges).expect_err("refused").to_string()
}

fn abc() -> Vec<GraphTask> {
    ["a", "b", "c"].map(|name| task(name, 1e9)).to_vec()
}

fn named(from: &str, to: &str) -> NamedEdge {
    NamedEdge { from: from.to_owned(), to: to.to_owned(), bytes: 1.0 }
}

#[test]
fn neighbours_come_with_their_edges() {
    let application = Application::new(abc(), vec![edge(0, 2, 5.0), edge(1, 2, 7.0), edge(0, 1, 9.0)]).expect("valid");
    let ends = |list: &[sim::graph::Neighbour]| -> Vec<_> {
        list.iter().map(|end| (end.task, end.edge, end.bytes as u32)).collect()
    };
    assert_eq!(ends(application.incoming(2)), [(0, 0, 5), (1, 1, 7)]);
    assert_eq!(ends(application.outgoing(0)), [(2, 0, 5), (1, 2, 9)]);
    assert_eq!(application.topological(), [0, 1, 2]);
    let named = Application::with_named_edges(abc(), &[named("b", "a")]).expect("valid");
    assert_eq!((named.topological(), named.position("b")), (&[1, 0, 2][..], Some(1)));
}

#[test]
fn cycles_are_named_by_their_tasks() {
    let cycle = vec![edge(0, 1, 1.0), edge(1, 2, 1.0), edge(2, 1, 1.0)];
    assert_eq!(error(abc(), cycle), "the tasks wait for each other: b → c → b; remove one of these edges");
    let tasks = (0..20).map(|index| task(&format!("t{index}"), 1.0)).collect();
    let edges = (0..20).map(|from| edge(from, (from + 1) % 20, 1.0)).collect();
    let message = error(tasks, edges);
    assert!(message.contains("(13 more)") && message.len() < 150, "{message}");
}

#[test]
fn names_must_be_known_and_different() {
    assert_eq!(
        error(vec![task("a", 1.0), task("a", 1.0)], vec![]),
        "two tasks are called a; give each task a name of its own"
    );
    assert!(error(vec![task("a", 1.0), task(" ", 1.0)], vec![]).starts_with("task 2 has an empty name"));
    let tasks = ["reduce", "map"].map(|name| task(name, 1.0)).to_vec();
    let unknown = |edge| Application::with_named_edges(tasks.clone(), &[edge]).expect_err("refused").to_string();
    let expected = "the edge map → reduse names the task reduse, which does not exist; did you mean reduce?";
    assert_eq!(unknown(named("map", "reduse")), expected);
    let expected = "the edge elsewhere → map names the task elsewhere, which does not exist";
    assert_eq!(unknown(named("elsewhere", "map")), expected);
}

#[test]
fn sizes_must_be_numbers_from_0() {
    let expected = "the work, in instructions, of the task a must lie between 0 and 1e24, is -1";
    assert_eq!(error(vec![task("a", -1.0)], vec![]), expected);
    let sent = GraphTask { send_bytes: f64::NAN, ..task("a", 1.0) };
    assert!(error(vec![sent], vec![]).ends_with("bytes to send of the task a must lie between 0 and 1e18, is NaN"));
    let result = GraphTask { result_bytes: Some(-2.0), ..task("a", 1.0) };
    assert!(error(vec![result], vec![]).contains("of its result of the task a"));
    let expected = "the number of bytes of the edge a → b must lie between 0 and 1e18, is inf";
    assert_eq!(error(abc(), vec![edge(0, 1, f64::INFINITY)]), expected);
}

#[test]
fn edges_join_two_different_tasks_once() {
    assert!(error(abc(), vec![edge(1, 1, 1.0)]).starts_with("the task b waits for itself"));
    assert!(error(abc(), vec![edge(0, 1, 1.0), edge(0, 1, 2.0)]).starts_with("the edge a → b is given twice"));
    assert_eq!(error(abc(), vec![edge(0, 3, 1.0)]), "edge 0 has task 3 at one end, and tasks are numbered from 0 to 2");
}

#[test]
fn applications_have_some_tasks_and_not_too_many() {
    assert!(error(vec![], vec![]).starts_with("there is no task"));
    let many: Vec<GraphTask> = (0..=MAX_TASKS).map(|index| task(&index.to_string(), 1.0)).collect();
    assert_eq!(error(many.clone(), vec![]), "there are 65537 tasks, and an application has at most 65536");
    assert_eq!(Application::new(many[1..].to_vec(), vec![]).expect("just few enough").len(), MAX_TASKS);
}

#[test]
fn orders_list_every_task_once_and_after_those_it_waits_for() {
    let application = Application::new(abc(), vec![edge(0, 1, 1.0)]).expect("valid");
    let order = |names: &[&str]| application.clone().with_order(names);
    assert_eq!(order(&["c", "a", "b"]).expect("valid").order(), Some(&[2, 0, 1][..]));
    let error = |names: &[&str]| order(names).expect_err("refused").to_string();
    assert_eq!(error(&["b", "a", "c"]), "the order has b before a, but b waits for a");
    assert_eq!(error(&["a", "b"]), "the order leaves out the task c; name each task once");
    assert_eq!(error(&["a", "a", "b", "c"]), "the order names the task a twice; name each task once");
    assert_eq!(error(&["a", "b", "x"]), "the order names the task x, which does not exist; did you mean a?");
}

proptest! {
    #[test]
    fn any_edges_give_an_order_or_a_true_cycle(edges in prop::collection::vec((0..9_u32, 0..9_u32), 0..14)) {
        let tasks: Vec<_> = (0..9).map(|index| task(&format!("t{index}"), 1.0)).collect();
        let edges: Vec<_> = edges.into_iter().map(|(from, to)| edge(from, to, 1.0)).collect();
        match Application::new(tasks, edges.clone()) {
            Ok(application) => {
                let position = |task| application.topological().iter().position(|other| *other == task);
                prop_assert_eq!(application.topological().len(), 9);
                prop_assert!(edges.iter().all(|edge| position(edge.from) < position(edge.to)));
            }
            Err(ApplicationError::Cycle { tasks }) => {
                prop_assert!(tasks.len() > 1 && tasks.first() == tasks.last());
                for pair in tasks.windows(2) {
                    let is_edge = |edge: &sim::graph::GraphEdge| {
                        (format!("t{}", edge.from), format!("t{}", edge.to)) == (pair[0].clone(), pair[1].clone())
                    };
                    prop_assert!(edges.iter().any(is_edge), "{} → {} is no edge", pair[0], pair[1]);
                }
            }
            Err(ApplicationError::SelfEdge { .. } | ApplicationError::SameEdge { .. }) => {}
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
