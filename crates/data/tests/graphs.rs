//! Task graphs from files and other programs.

use std::fs;
use std::path::PathBuf;

use data::graphs::{
    GraphAnswer, GraphDescription, GraphFormat, GraphRequest, GraphRequests, GraphSampler, application_from_dot,
    application_from_wfformat, applications,
};
use proptest::prelude::*;
use sim::graph::scenario::{Pinned, Source};
use sim::graph::{Application, GraphScenario, Transfer};
use sim::random;

fn scenario(name: &str) -> GraphScenario {
    GraphScenario::load(name).expect("a preset")
}

/// The example of the format's description.
const JSON: &str = r#"{"id": 1, "graph": {"tasks": [
    {"name": "a", "send_mb": 12.5, "megacycles": 4200, "pinned": "local"},
    {"name": "b", "send_mb": 8, "megacycles": 900, "result_mb": 1}], "edges": [{"from": "a", "to": "b", "mb": 3.5}]}}"#;

fn refusal(json: &str, scenario: &GraphScenario) -> String {
    GraphRequest::from_json(json.as_bytes(), scenario).expect_err("refused").reason
}

fn edited(from: &str, to: &str) -> String {
    assert!(JSON.contains(from), "{from}");
    JSON.replacen(from, to, 1)
}

#[test]
fn an_application_is_read_and_answered_in_its_order() {
    let scenario = scenario("graph");
    let request = GraphRequest::from_json(JSON.as_bytes(), &scenario).expect("valid");
    let tasks = request.application.tasks();
    assert_eq!((tasks[0].instructions, tasks[0].send_bytes, tasks[0].result_bytes), (4.2e9, 12.5e6, None));
    assert_eq!((tasks[0].pinned.as_deref(), tasks[1].result_bytes), (Some("local"), Some(1e6)));
    assert_eq!(request.application.edges()[0].bytes, 3.5e6);
    let model = scenario.model(request.application).expect("valid");
    let time_s = model.evaluate(&[0, 1]).time_s;
    let answer = GraphAnswer::new(request.id, &model, &[0, 1], 17);
    let expected = format!(
        "{{\"id\":1,\"placements\":{{\"a\":\"local\",\"b\":\"edge\"}},\"energy_j\":{},\"time_s\":{time_s},\"cost\":{time_s},\
         \"evaluations\":17",
        model.evaluate(&[0, 1]).energy_j
    );
    assert_eq!(serde_json::to_string(&answer).expect("JSON"), format!("{expected}}}"));
    let answer = answer.with_bound(time_s);
    let proved = format!("{expected},\"bound\":{time_s},\"optimal\":true}}");
    assert_eq!(serde_json::to_string(&answer).expect("JSON"), proved);
    assert!(serde_json::to_string(&answer.with_bound(0.9 * time_s)).expect("JSON").ends_with("\"optimal\":false}"));
}

#[test]
fn prices_stand_in_answers_where_there_are_some() {
    let scenario = scenario("call-graph");
    let request = GraphRequest::from_json(JSON.as_bytes(), &scenario).expect("valid");
    let model = scenario.model(request.application).expect("valid");
    let answer = serde_json::to_value(GraphAnswer::new(None, &model, &[0, 2], 1)).expect("JSON");
    assert_eq!((answer["price"].as_f64(), answer["placements"]["b"].as_str()), (Some(0.035), Some("cellular")));
    assert!(answer.get("id").is_none());
}

#[test]
fn the_order_may_be_given() {
    let json = edited("\"edges\": [{\"from\": \"a\", \"to\": \"b\", \"mb\": 3.5}]", "\"order\": [\"b\", \"a\"]");
    let scenario = scenario("graph");
    let request = GraphRequest::from_json(json.as_bytes(), &scenario).expect("valid");
    assert_eq!(scenario.model(request.application).expect("valid").order(), [1, 0]);
    let json = edited("\"edges\"", "\"order\": [\"b\", \"a\"], \"edges\"");
    assert_eq!(refusal(&json, &scenario), "order: the order has b before a, but b waits for a");
    let json = edited("\"graph\"", "\"order\": [\"a\"], \"graph\"");
    assert_eq!(refusal(&json, &scenario), "order: the order leaves out the task b; name each task once");
    let json = json.replacen("\"edges\"", "\"order\": [], \"edges\"", 1);
    assert_eq!(refusal(&json, &scenario), "order stands twice, inside graph and beside it; leave one out");
}

#[test]
fn requests_are_refused_with_the_field_and_the_reason() {
    let scenario = scenario("graph");
    let message = |from: &str, to: &str| refusal(&edited(from, to), &scenario);
    let expected = "graph.tasks[0].send_mb of the task a must lie between 0 and 1e12 MB, is -12.5";
    assert_eq!(message("12.5", "-12.5"), expected);
    let expected = "graph.tasks[1].send_mb is missing: the scenario sends whole tasks, so the task b needs it";
    assert_eq!(message("\"send_mb\": 8, ", ""), expected);
    let expected = "graph.tasks[0].megacycles of the task a must lie between 0 and 1e18, is -1";
    assert_eq!(message("4200", "-1"), expected);
    let expected = "graph: the edge a → c names the task c, which does not exist; did you mean a?";
    assert_eq!(message("\"to\": \"b\"", "\"to\": \"c\""), expected);
    let expected = "graph: two tasks are called a; give each task a name of its own";
    assert_eq!(message("\"name\": \"b\"", "\"name\": \"a\""), expected);
    let found = message("\"from\": \"a\", \"to\": \"b\", \"mb\": 3.5", "\"from\": \"a\", \"to\": \"a\"");
    assert_eq!(found, "graph: the task a waits for itself; remove the edge a → a");
    assert!(
        message("megacycles", "megacyles").starts_with("unknown field `megacyles`"),
        "{}",
        message("megacycles", "megacyles")
    );
    assert!(message("4200", "NaN").contains("JSON has no NaN"));
    let edges = GraphScenario::load("graph-serial").expect("a preset");
    let expected = "graph.edges[0].mb is missing: the scenario sends what edges carry, so the edge a → b needs it";
    assert_eq!(refusal(&edited(", \"mb\": 3.5", ""), &edges), expected);
}

#[test]
fn texts_hold_many_applications_each_with_its_line() {
    let scenario = scenario("graph");
    let line = JSON.replace('\n', " ");
    let wrong = line.replace("4200", "-1");
    for text in [format!("{line}\n\n{JSON}\n{wrong}\n{line}\n"), format!("[{line},\n\n{JSON},\n{wrong},\n{line}]")] {
        let mut requests = GraphRequests::new(&text).expect("JSON");
        let mut lines = Vec::new();
        loop {
            match requests.next(&scenario) {
                Ok(Some((_, line))) => lines.push(line),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.line, 6);
                    assert!(error.to_string().starts_with("line 6: graph.tasks[0].megacycles of"), "{error}");
                }
            }
        }
        assert_eq!(lines, [1, 3, 7]);
    }
    assert_eq!(GraphRequests::new("{\"id\": 1}\n{\"id\": }").expect_err("no JSON").line, 2);
}

/// A workflow of three tasks: two read the device's files, the third reads what they write.
const WORKFLOW: &str = r#"{"name": "w", "schemaVersion": "1.5", "workflow": {
  "specification": {
    "tasks": [
      {"name": "x", "id": "a", "parents": [], "children": ["c"], "inputFiles": ["in", "shared"], "outputFiles": ["a.out"]},
      {"name": "x", "id": "b", "parents": [], "children": [], "inputFiles": ["shared"], "outputFiles": ["b.out", "log"]},
      {"name": "y", "id": "c", "parents": ["a", "b"], "children": [], "inputFiles": ["a.out", "b.out"], "outputFiles": ["c.out"]}],
    "files": [{"id": "in", "sizeInBytes": 1000}, {"id": "shared", "sizeInBytes": 20}, {"id": "a.out", "sizeInBytes": 3},
      {"id": "b.out", "sizeInBytes": 4}, {"id": "c.out", "sizeInBytes": 5}, {"id": "log", "sizeInBytes": 600}]},
  "execution": {"tasks": [{"id": "a", "runtimeInSeconds": 1.5}, {"id": "b", "runtimeInSeconds": 2},
    {"id": "c", "runtimeInSeconds": 0.25}]}}}"#;

fn named_edges(application: &Application) -> Vec<(&str, &str, f64)> {
    let name = |task: u32| application.tasks()[task as usize].name.as_str();
    application.edges().iter().map(|edge| (name(edge.from), name(edge.to), edge.bytes)).collect()
}

#[test]
fn workflows_have_the_files_and_run_times_that_were_recorded() {
    let whole = application_from_wfformat(WORKFLOW.as_bytes(), Transfer::Task).expect("valid");
    let tasks: Vec<_> = whole
        .tasks()
        .iter()
        .map(|task| (task.name.as_str(), task.instructions, task.send_bytes, task.result_bytes.expect("known")))
        .collect();
    assert_eq!(tasks, [("a", 1.5e9, 1020.0, 3.0), ("b", 2e9, 20.0, 604.0), ("c", 0.25e9, 7.0, 5.0)]);
    assert_eq!(named_edges(&whole), [("a", "c", 3.0), ("b", "c", 4.0)]);
    let edges = application_from_wfformat(WORKFLOW.as_bytes(), Transfer::Edge).expect("valid");
    let ends: Vec<_> = edges.tasks()[3..].iter().map(|task| (task.name.as_str(), task.pinned.as_deref())).collect();
    assert_eq!(ends, [("workflow-input", Some("local")), ("workflow-output", Some("local"))]);
    let mut found = named_edges(&edges);
    found.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
    let expected = [
        ("a", "c", 3.0),
        ("b", "c", 4.0),
        ("b", "workflow-output", 600.0),
        ("c", "workflow-output", 5.0),
        ("workflow-input", "a", 1020.0),
        ("workflow-input", "b", 20.0),
    ];
    assert_eq!(found, expected);
}

#[test]
fn workflows_that_lack_something_say_what() {
    let message = |from: &str, to: &str| {
        assert!(WORKFLOW.contains(from), "{from}");
        application_from_wfformat(WORKFLOW.replacen(from, to, 1).as_bytes(), Transfer::Task)
            .expect_err("refused")
            .to_string()
    };
    let expected = "the task b has no runtimeInSeconds among workflow.execution.tasks";
    assert_eq!(message("{\"id\": \"b\", \"runtimeInSeconds\": 2},", ""), expected);
    let expected = "the file shared of the task a has no sizeInBytes among workflow.specification.files";
    assert_eq!(message("{\"id\": \"shared\", \"sizeInBytes\": 20}, ", ""), expected);
    let expected = "the task a has z among its parents or children, and there is no such task";
    assert_eq!(message("\"children\": [\"c\"]", "\"children\": [\"z\"]"), expected);
    let found = message("\"parents\": [], \"children\": [\"c\"]", "\"parents\": [\"c\"], \"children\": [\"c\"]");
    assert!(found.starts_with("the tasks wait for each other: "), "{found}");
    assert!(message("\"workflow\"", "\"work\"").starts_with("the text is no workflow in WfFormat 1.5: missing field"));
}

#[test]
fn graphviz_files_of_mrlco_are_read() {
    let text = "digraph G {\n  1 [size=\"20971520\", alpha=\"0.1\", expect_size=\"10485760\"]\n  1 -> 2 [size=\"10485760\"]\n  \
                2 [size=\"100\", expect_size=\"50\"]\n}\n";
    let application = application_from_dot(text, Some(2.0)).expect("valid");
    let first = &application.tasks()[0];
    assert_eq!((first.name.as_str(), first.instructions, first.send_bytes), ("1", 41_943_040.0, 20_971_520.0));
    assert_eq!((first.result_bytes, named_edges(&application)), (Some(10_485_760.0), vec![("1", "2", 10_485_760.0)]));
    let error = application_from_dot(text, None).expect_err("no work").to_string();
    assert_eq!(error, "the node 1 needs the attribute megacycles, its work in 10^6 instructions");
}

#[test]
fn the_language_dot_is_understood() {
    let text = r#"
# a comment of the preprocessor
strict digraph "my graph" { // and others
  rankdir = LR; graph [label=<a <b>bold</b> one>]
  node [megacycles=100, shape=box]; edge [mb = 2]
  "the first" [megacycles = 7.5; pinned=local][weights_mb=3] /* over
  two lines */
  "the first":e -> b -> { c d:n } [style=dashed]
  subgraph cluster_1 { node [megacycles=1e3] e; f }
  c -> e [mb=.5]; d -> f; "a\"b" -> é
}
"#;
    let application = application_from_dot(text, None).expect("valid");
    let tasks: Vec<_> = application.tasks().iter().map(|task| (task.name.as_str(), task.instructions)).collect();
    let expected =
        [("the first", 7.5e6), ("b", 1e8), ("c", 1e8), ("d", 1e8), ("e", 1e9), ("f", 1e9), ("a\"b", 1e8), ("é", 1e8)];
    assert_eq!(tasks, expected);
    let expected = [
        ("the first", "b", 2e6),
        ("b", "c", 2e6),
        ("b", "d", 2e6),
        ("c", "e", 0.5e6),
        ("d", "f", 2e6),
        ("a\"b", "é", 2e6),
    ];
    assert_eq!(named_edges(&application), expected);
    let first = &application.tasks()[0];
    assert_eq!((first.pinned.as_deref(), first.weights_bytes), (Some("local"), 3e6));
}

#[test]
fn graphviz_files_that_make_no_sense_say_where() {
    let error = |text: &str| application_from_dot(text, Some(1.0)).expect_err("refused").to_string();
    assert_eq!(error("graph { a -- b }"), "line 1: edges must have a direction: begin with digraph, and write a -> b");
    assert_eq!(
        error("digraph {\n a -- b }"),
        "line 2: edges must have a direction: begin with digraph, and write a -> b"
    );
    assert_eq!(error("digraph {\n a -> ;\n}"), "line 2: a node must stand here, not `;`");
    assert_eq!(
        error("digraph { a [size=1"),
        "line 1: the name of an attribute or `]` must stand here, not the end of the text"
    );
    assert_eq!(error("digraph {\n\n a [label=\"x }"), "line 3: a text in quotes begins here and does not end");
    assert_eq!(error("digraph { a [size=big] }"), "size of the node a must be a number, is `big`");
    assert_eq!(error("digraph { a [size=1] } b"), "line 1: the end of the text must stand here, not `b`");
    assert_eq!(error("digraph { a ! }"), "line 1: `!` has no meaning here; put names with such signs into quotes");
    assert!(error("digraph { node [size=1] a -> b -> a }").starts_with("the tasks wait for each other: "));
    assert!(error(&format!("digraph {}", "{".repeat(100))).ends_with("more than 64 deep"));
    assert_eq!(error("digraph { }"), "there is no task: an application has at least one");
}

fn directory() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("graphs");
    fs::create_dir_all(&path).expect("Cargo's directory for tests can be written");
    path
}

#[test]
fn the_content_of_a_file_tells_its_format() {
    let dot = "digraph { a [megacycles=5, send_mb=1]; a -> b; b [megacycles=5, send_mb=1] }";
    let files = [
        ("graphs.jsonl", JSON.to_owned(), GraphFormat::Json),
        ("workflow.json", WORKFLOW.to_owned(), GraphFormat::WfFormat),
        ("graph.gv", dot.to_owned(), GraphFormat::Dot),
    ];
    let mut scenario = scenario("graph");
    for (name, text, format) in files {
        let path = directory().join(name);
        fs::write(&path, text).expect("writable");
        let (found, read) = applications(&path, &scenario).expect("valid");
        assert_eq!((found, read.len()), (format, 1), "{name}");
        scenario.application.source = Source::File { path: path.to_str().expect("a plain path").to_owned() };
        let sampler = GraphSampler::new(&scenario).expect("valid");
        assert_eq!(sampler.draw(&mut random::stream(1, "files")), read[0]);
    }
    let path = directory().join("other.txt");
    fs::write(&path, "12\n15\n").expect("writable");
    let error = applications(&path, &scenario).expect_err("refused").to_string();
    assert!(error.ends_with("a workflow in WfFormat, or a digraph of Graphviz"), "{error}");
    scenario.application.pinned = Pinned::Names(vec!["z".to_owned()]);
    let error = applications(&directory().join("graph.gv"), &scenario).expect_err("refused").to_string();
    assert!(error.contains("the list of pinned tasks names the task z, which does not exist"), "{error}");
}

#[test]
fn a_generator_needs_no_file() {
    let scenario = scenario("graph");
    let sampler = GraphSampler::new(&scenario).expect("valid");
    let drawn = sampler.draw(&mut random::stream(1, "drawn"));
    assert_eq!(Some(drawn), scenario.draw(&mut random::stream(1, "drawn")));
    assert!(sampler.applications().is_empty());
}

proptest! {
    #[test]
    fn no_text_does_harm(text in "(digraph|graph|strict)? ?[\\{\\}\\[\\]a-c=;,:<>\"\\\\/*#\n -]{0,60}") {
        let _ = application_from_dot(&text, Some(1.0));
    }

    #[test]
    fn no_edited_json_does_harm(cut in 0..700_usize, length in 0..30_usize, text in "[a-z0-9\"{}\\[\\],:. -]{0,8}") {
        let scenario = scenario("graph");
        for original in [JSON, WORKFLOW] {
            let mut edited: Vec<char> = original.chars().collect();
            let start = cut.min(edited.len());
            edited.splice(start..(start + length).min(original.chars().count()), text.chars());
            let edited: String = edited.into_iter().collect();
            let _ = application_from_wfformat(edited.as_bytes(), Transfer::Edge);
            if let Ok(mut requests) = GraphRequests::new(&edited) {
                while let Ok(Some((request, _))) = requests.next(&scenario) {
                    if let Ok(model) = scenario.model(request.application) {
                        prop_assert!(!model.evaluate(&vec![0; model.tasks()]).cost.is_nan());
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_description_leaves_out_is_missed_as_in_a_request() {
    let [sends_tasks, sends_edges] = ["graph", "graph-serial"].map(|name| GraphScenario::load(name).expect("a preset"));
    for (json, lacks_send, lacks_size) in [
        (
            r#"{"graph": {"tasks": [{"name": "a", "megacycles": 1}, {"name": "b", "megacycles": 1, "send_mb": 1}],
             "edges": [{"from": "a", "to": "b", "mb": 0}]}}"#,
            true,
            false,
        ),
        (
            r#"{"graph": {"tasks": [{"name": "a", "megacycles": 1, "send_mb": 1}, {"name": "b", "megacycles": 1, "send_mb": 0}],
             "edges": [{"from": "a", "to": "b"}]}}"#,
            false,
            true,
        ),
        (r#"{"graph": {"tasks": [{"name": "a", "megacycles": 1, "send_mb": 1}]}}"#, false, false),
    ] {
        let description = GraphDescription::from_json(json.as_bytes()).expect("a description");
        let left_out = description.left_out();
        let application = description.application(None).expect("an application");
        for (scenario, lacks) in [(&sends_tasks, lacks_send), (&sends_edges, lacks_size)] {
            let checked = left_out.check(&application, scenario.application.transfer);
            let request = GraphRequest::from_json(json.as_bytes(), scenario);
            assert_eq!((checked.is_err(), request.is_err()), (lacks, lacks), "{json}");
            assert_eq!(checked.err(), request.err(), "{json}");
        }
    }
}
