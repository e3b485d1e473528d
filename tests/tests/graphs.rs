//! Task graphs: scenarios, comparisons, decisions of files in three formats, pictures, and what is refused.

use acceptance::Workshop;
use serde_json::Value;
use sim::graph::GraphScenario;

const TWO_TASKS: &str = r#"{"id": 1, "graph": {"tasks": [
    {"name": "a", "send_mb": 12.5, "megacycles": 4200, "pinned": "local"},
    {"name": "b", "send_mb": 8, "megacycles": 90000, "result_mb": 1}], "edges": [{"from": "a", "to": "b", "mb": 3.5}]}}"#;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn scenarios_of_task_graphs_are_listed_shown_and_checked() {
    let workshop = Workshop::new();
    let listed = parsed(&workshop.trainer(&["scenario", "list", "--format", "json"]).succeeded().stdout);
    for preset in GraphScenario::presets() {
        let row = listed.as_array().expect("rows").iter().find(|row| row["scenario"] == preset);
        assert_eq!(row.expect("it is listed")["kind"], "graph");
        workshop.write("shown.toml", &workshop.trainer(&["scenario", "show", preset]).succeeded().stdout);
        let [own, copy] = [preset, "shown.toml"]
            .map(|name| workshop.trainer(&["scenario", "check", name, "--format", "json"]).succeeded().stdout);
        assert_eq!(own, copy, "{preset}");
        assert_eq!(parsed(&own)[0]["place"], "local");
    }
    let text = GraphScenario::preset_text("graph").expect("a preset").replace("alpha = 0 ", "alpha = 2 ");
    workshop.write("wrong.toml", text.replace("\"scheduled\"", "\"sometimes\""));
    let said = workshop.trainer(&["scenario", "check", "wrong.toml"]).failed(1);
    for part in ["alpha", "application.timing", "\"serial\"", "line "] {
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
}

#[test]
fn a_comparison_ends_with_the_optimum() {
    let workshop = Workshop::new();
    for preset in ["graph", "graph-serial"] {
        let compare = ["compare", "--scenario", preset, "--format", "json"];
        let rows = parsed(&workshop.trainer(&compare).succeeded().stdout);
        let rows = rows.as_array().expect("rows");
        let last = rows.last().expect("a scheme");
        assert_eq!((&last["scheme"], &last["q2"]), (&"exact".into(), &1.0.into()), "{preset}");
        let greedy = rows.iter().find(|row| row["scheme"] == "greedy").expect("a scheme");
        let q2 = greedy["q2"].as_f64().expect("a number");
        assert!((0.9..1.0).contains(&q2), "{preset}: {q2}");
    }
    let table = workshop.trainer(&["compare", "--scenario", "graph"]).succeeded().stdout;
    assert!(table.contains("100 applications") && table.contains("for 100"), "{table}");
}

#[test]
fn solving_answers_in_the_order_of_the_input() {
    let workshop = Workshop::new();
    let one_line = TWO_TASKS.replace('\n', " ");
    workshop.write("two.jsonl", format!("{one_line}\n{}\n", one_line.replace("\"id\": 1", "\"id\": \"second\"")));
    let solve = ["solve", "--scenario", "graph", "--scheme", "exact", "two.jsonl"];
    let said = workshop.trainer(&solve).succeeded();
    let answers: Vec<Value> = said.stdout.lines().map(parsed).collect();
    assert_eq!(answers.iter().map(|answer| &answer["id"]).collect::<Vec<_>>(), [&Value::from(1), &"second".into()]);
    for answer in &answers {
        assert_eq!(answer["placements"], parsed(r#"{"a": "local", "b": "edge"}"#));
        assert_eq!((&answer["optimal"], &answer["bound"]), (&true.into(), &answer["cost"]));
        // a runs 4.2 s at 1 GHz; b takes 8 MB up, 90,000 megacycles at 10 GHz, 1 MB down at 7.34 Mbit/s.
        let time_s = 4.2 + 8.0 * 8.0 / 7.340_032 + 9.0 + 8.0 / 7.340_032;
        let found = answer["time_s"].as_f64().expect("a number");
        assert!((found - time_s).abs() < 1e-6, "{found} {time_s}");
    }
    let read = std::fs::read_to_string(workshop.path("two.jsonl")).expect("it was written");
    let piped = workshop.trainer_reading(read, &["solve", "--scenario", "graph", "--scheme", "exact"]);
    assert_eq!(piped.succeeded().stdout, said.stdout);
}

/// The uplink is free for the task with much work once that with much data is sent, or the other way round.
#[test]
fn the_order_of_tasks_is_decided_where_that_is_asked_for() {
    let workshop = Workshop::new();
    let task = |name: &str, send_mb: f64, megacycles: u32| {
        format!(
            r#"{{"name": "{name}", "send_mb": {send_mb}, "megacycles": {megacycles}, "result_mb": 0, "pinned": "edge"}}"#
        )
    };
    let tasks = [task("data", 9.17504, 1000), task("work", 0.917_504, 100_000)].join(", ");
    workshop.write("two.jsonl", format!(r#"{{"graph": {{"tasks": [{tasks}]}}, "order": ["data", "work"]}}"#));
    let solve = |scheme: &str| {
        let solve = ["solve", "--scenario", "graph", "--scheme", scheme, "--picture", "order.svg", "two.jsonl"];
        parsed(&workshop.trainer(&solve).succeeded().stdout)
    };
    let (in_order, in_any_order) = (solve("exact"), solve("any-order"));
    let time_s = |answer: &Value| answer["time_s"].as_f64().expect("a number");
    assert!((time_s(&in_order) - 21.0).abs() < 1e-6 && in_order.get("order").is_none(), "{in_order}");
    assert!((time_s(&in_any_order) - 11.1).abs() < 1e-6, "{in_any_order}");
    assert_eq!(in_any_order["order"], serde_json::json!(["work", "data"]));
    assert_eq!(in_any_order["optimal"], true);
}

#[test]
fn workflows_and_graphviz_files_are_decided_and_drawn() {
    let workshop = Workshop::new();
    workshop.write(
        "graph.dot",
        "digraph { a [megacycles=4200, send_mb=2]; b [megacycles=90000, send_mb=1]; a -> b [mb=3] }",
    );
    for (file, picture) in [("graph.dot", "decision.svg"), ("graph.dot", "decision.png")] {
        let solve = ["solve", "--scenario", "graph", "--scheme", "local-search", "--picture", picture, file];
        let answer = parsed(&workshop.trainer(&solve).succeeded().stdout);
        assert_eq!(answer["placements"]["b"], "edge", "{answer}");
        assert!(workshop.read(picture).len() > 1000);
    }
    let svg = workshop.text("decision.svg");
    for part in ["to edge", "from edge", "seconds", "local-search"] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn measured_layers_decide_where_a_network_is_cut() {
    let workshop = Workshop::new();
    let preset = GraphScenario::preset_text("layers").expect("a preset");
    workshop.write("phone.toml", preset.replace("uplink_mbps = 6", "layer_times = \"phone.csv\"\nuplink_mbps = 6"));
    let table = |factor: f64| -> String {
        let rows = (1..5_u32).flat_map(|size| {
            ["convolution", "pooling", "fully-connected"].map(|kind| {
                let (kb, seconds) = (100 * size, factor * f64::from(size));
                format!("{kind},{},{},{kb},{},{seconds}\n", 50 * size, (size * 3) % 4, (size * 2) % 3)
            })
        });
        format!("kind,mflop,weights_mb,input_kb,output_kb,seconds\n{}", rows.collect::<String>())
    };
    let placements = |factor: f64| {
        workshop.write("phone.csv", table(factor));
        let compare = ["compare", "--scenario", "phone.toml", "--format", "json"];
        let rows = parsed(&workshop.trainer(&compare).succeeded().stdout);
        let row = |scheme: &str| {
            let rows = rows.as_array().expect("rows");
            rows.iter().find(|row| row["scheme"] == scheme).expect("a scheme")["mean_cost"].as_f64().expect("a number")
        };
        [row("neurosurgeon"), row("local-only"), row("cloud-only")]
    };
    let [cut, local, cloud] = placements(1e-6);
    assert!(cut == local && cut < cloud, "a phone that is fast keeps everything: {cut} {local} {cloud}");
    let [cut, local, cloud] = placements(10.0);
    assert!(cut == cloud && cut < local, "a phone that is slow keeps nothing: {cut} {local} {cloud}");

    for command in ["check", "show"] {
        let said = workshop.trainer(&["scenario", command, "phone.toml"]).succeeded();
        let note = "convolution from 4 layers (R² 1.000, mean error 0.0 %), pooling from 4 layers";
        assert!(said.stderr.contains("note: times of layers at local are predicted from"), "{}", said.stderr);
        assert!(said.stderr.contains(note), "{}", said.stderr);
    }
    for (text, part) in [
        (table(1.0).replace("pooling", "pool"), "line 3: there is no kind of layer called \"pool\""),
        (table(-1.0), "line 2: `seconds` must be a time above 0, is -1"),
        (table(1.0).replace(",seconds", ",minutes"), "the column `seconds` is missing"),
        (
            "kind,mflop,input_kb,output_kb,seconds\npooling,0,1,1,1\n".to_owned(),
            "1 layer of the kind pooling is not enough",
        ),
        (table(1.0).replace("pooling", "other"), "no layer of its kind, pooling, is among the measured ones"),
    ] {
        workshop.write("phone.csv", text);
        let said = workshop.trainer(&["scenario", "check", "phone.toml"]).failed(1);
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
    workshop.write("nowhere.toml", workshop.text("phone.toml").replace("phone.csv", "nowhere.csv"));
    let said = workshop.trainer(&["scenario", "check", "nowhere.toml"]).failed(1);
    assert!(
        said.stderr.contains("nowhere.csv") && said.stderr.contains("layer_times of the scenario"),
        "{}",
        said.stderr
    );
}

#[test]
fn mistakes_are_named_with_their_places() {
    let workshop = Workshop::new();
    let one_line = TWO_TASKS.replace('\n', " ");
    let cyclic = one_line
        .replace(r#"{"from": "a", "to": "b", "mb": 3.5}"#, r#"{"from": "a", "to": "b"}, {"from": "b", "to": "a"}"#);
    let cases = [
        (one_line.replace("\"to\": \"b\"", "\"to\": \"c\""), "the task c, which does not exist"),
        (cyclic, "a → b → a"),
        (one_line.replace("\"megacycles\": 90000", "\"megacycles\": -1"), "megacycles of the task b"),
        (one_line.replace("\"pinned\": \"local\"", "\"pinned\": \"moon\""), "moon"),
        (one_line.replace("\"megacycles\": 4200, ", ""), "megacycles"),
        (one_line.replace("\"name\": \"b\"", "\"name\": \"a\""), "a"),
    ];
    for (text, part) in cases {
        workshop.write("wrong.jsonl", format!("{one_line}\n{text}\n{one_line}\n"));
        let solve = ["solve", "--scenario", "graph", "--scheme", "greedy", "wrong.jsonl"];
        let said = workshop.trainer(&solve).failed(1);
        assert!(said.stderr.contains("line 2") && said.stderr.contains(part), "{part}: {}", said.stderr);
        assert_eq!(said.stdout.lines().count(), 1, "{part}");
        let said = workshop.trainer(&[&solve[..], &["--keep-going"]].concat()).failed(1);
        let lines: Vec<Value> = said.stdout.lines().map(parsed).collect();
        assert_eq!((lines.len(), &lines[1]["line"], &lines[1]["id"]), (3, &2.into(), &1.into()), "{part}");
    }
    workshop.write("one.jsonl", &one_line);
    for (code, arguments, part) in [
        (1, &["solve", "--scenario", "graph", "--scheme", "gredy", "one.jsonl"][..], "did you mean `greedy`?"),
        (1, &["solve", "--scenario", "graph", "--scheme", "min-cut", "one.jsonl"], "serial"),
        (2, &["solve", "--scenario", "graph", "--scheme", "greedy", "--picture", "x.pdf", "one.jsonl"], ".svg"),
        (2, &["solve", "--scenario", "paper", "--scheme", "greedy", "--picture", "x.svg", "one.jsonl"], "task graphs"),
        (
            2,
            &["solve", "--scenario", "graph", "--scheme", "greedy", "--share-out", "3", "one.jsonl"],
            "--share-out is for scenarios of independent tasks",
        ),
        (
            2,
            &["compare", "--scenario", "graph", "--deadline-s", "3"],
            "--deadline-s is for scenarios of independent tasks",
        ),
        (1, &["train", "--scenario", "graph", "--out", "run"], "independent tasks"),
        (1, &["solve", "--scenario", "graph", "--scheme", "greedy", "nowhere.json"], "nowhere.json"),
    ] {
        let said = workshop.trainer(arguments).failed(code);
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
    assert!(!workshop.path("run").exists() && !workshop.path("x.pdf").exists() && !workshop.path("x.svg").exists());
}
