//! Scenario files of task graphs, and the errors for wrong ones.

use std::fs;

use sim::config::Mistakes;
use sim::graph::scenario::{Pinned, Source};
use sim::graph::{Generator, GraphScenario, OrderRule, Schedule, TaskCount, Timing, Transfer, Values};
use sim::scenario::Range;
use sim::{Scenario, ScenarioError, random};

/// The mistakes of a preset's text after some edits, each with its key and line.
fn mistakes(preset: &str, edits: &[(&str, &str)]) -> Mistakes {
    let mut text = GraphScenario::preset_text(preset).expect("a preset").to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "the preset has no `{from}`");
        text = text.replacen(from, to, 1);
    }
    GraphScenario::from_toml("edited", &text).expect_err("it was made wrong")
}

#[test]
fn every_preset_loads_names_itself_and_draws_applications() {
    let names: Vec<_> = GraphScenario::presets().collect();
    assert_eq!(names, ["graph", "graph-serial", "call-graph", "workflow", "layers"]);
    let mut random = random::stream(1, "presets");
    for name in names {
        let scenario = GraphScenario::load(name).expect("a preset");
        assert_eq!(scenario.name, name);
        for _ in 0..20 {
            let model = scenario.model(scenario.draw(&mut random).expect("no file")).expect("valid");
            assert_eq!(model.places(), scenario.servers.len() + 1);
            let local = model.evaluate(&vec![0; model.tasks()]);
            assert!(local.cost > 0.0 && local.cost.is_finite(), "{name}");
        }
    }
}

#[test]
fn the_preset_graph_is_the_problem_of_mrlco() {
    let scenario = GraphScenario::load("graph").expect("a preset");
    let application = &scenario.application;
    assert_eq!((application.timing, application.transfer), (Timing::Scheduled, Transfer::Task));
    assert_eq!((application.order, &application.pinned), (OrderRule::UpwardRank, &Pinned::None));
    let model = scenario.model(scenario.draw(&mut random::stream(1, "mrlco")).expect("no file")).expect("valid");
    for (task, work) in model.application().tasks().iter().enumerate() {
        let mib = work.send_bytes / f64::from(1 << 20);
        let result_mib = work.result_bytes.expect("given") / f64::from(1 << 20);
        for (found, expected) in [
            (model.run_s(task, 0), mib),
            (model.run_s(task, 1), mib / 10.0),
            (model.send_s(task, 1), mib * 8.0 / 7.0),
            (model.return_s(task, 1), result_mib * 8.0 / 7.0),
        ] {
            assert!((found - expected).abs() < 1e-9 * expected, "{found} is not {expected}");
        }
    }
}

#[test]
fn graphs_take_what_another_program_says() {
    // A program in C that has nothing in common with this one computes these means of the same 100 graphs: all tasks here,
    // all there, and each in its order where it ends first.
    let scenario = GraphScenario::load("graph").expect("a preset");
    let mut random = random::stream(5, "check");
    let mut sums = [0.0; 3];
    for _ in 0..100 {
        let model = scenario.model(scenario.draw(&mut random).expect("no file")).expect("valid");
        let mut schedule = Schedule::new(&model);
        for (position, &task) in model.order().iter().enumerate() {
            let ends = [0, 1].map(|place| {
                schedule.truncate(position);
                schedule.push(&model, place);
                schedule.result_s(task as usize)
            });
            schedule.truncate(position);
            schedule.push(&model, u8::from(ends[0] >= ends[1]));
        }
        let times = [model.evaluate(&[0; 20]).time_s, model.evaluate(&[1; 20]).time_s, schedule.time_s()];
        sums.iter_mut().zip(times).for_each(|(sum, time)| *sum += time);
    }
    for (sum, expected) in sums.into_iter().zip([1464.7478, 1690.7042, 848.0024]) {
        assert!((sum / 100.0 - expected).abs() < 1e-3, "{} is not {expected}", sum / 100.0);
    }
}

#[test]
fn scenarios_survive_being_written() {
    for name in GraphScenario::presets() {
        let scenario = GraphScenario::load(name).expect("a preset");
        let text = scenario.to_toml();
        assert_eq!(GraphScenario::from_toml("written", &text).expect(&text), scenario, "{text}");
    }
    let mut scenario = GraphScenario::load("layers").expect("a preset");
    let text =
        GraphScenario::preset_text("layers").expect("a preset").replace("layers = \"alexnet\"", "input_kb = 155");
    let rows = "[[application.graph.layer]]\nname = \"first\"\nmflop = 0.1\nweights_mb = 0.3\noutput_kb = 7.7\n\
                [[application.graph.layer]]\nname = \"last\"\nmflop = 5\noutput_kb = 4\n";
    let read = GraphScenario::from_toml("rows", &format!("{text}{rows}")).expect("valid");
    let Source::Generator(Generator::Layers(table)) = &read.application.source else { panic!("layers") };
    assert_eq!((table.layers.len(), table.layers[0].weights_mb), (2, 0.3));
    scenario.application.source = read.application.source.clone();
    scenario.application.pinned = Pinned::Names(vec!["input".to_owned(), "last".to_owned()]);
    scenario.application.deadline_s = Some(3.5);
    assert_eq!(GraphScenario::from_toml("written", &scenario.to_toml()).expect("valid"), scenario);
    let application = scenario.draw(&mut random::stream(1, "rows")).expect("no file");
    let pinned: Vec<_> = application.tasks().iter().map(|task| task.pinned.as_deref()).collect();
    assert_eq!(pinned, [Some("local"), None, Some("local"), None]);
}

#[test]
fn measured_layers_are_named_by_place_and_survive_being_written() {
    let text = GraphScenario::preset_text("layers").expect("a preset");
    let text = text.replace("uplink_mbps = 6", "layer_times = \"phone.csv\"\nuplink_mbps = 6");
    let text = format!("{text}layer_times = \"tables/cloud.csv\"\n");
    let scenario = GraphScenario::from_toml("measured", &text).expect("valid");
    assert_eq!(GraphScenario::from_toml("written", &scenario.to_toml()).expect("valid"), scenario);
    let named: Vec<_> = scenario.layer_times().map(|(place, times)| (place, times.path())).collect();
    assert_eq!(named, [("local", "phone.csv"), ("cloud", "tables/cloud.csv")]);
    // Times that nobody has read are not replaced by others in silence.
    let application = scenario.draw(&mut random::stream(1, "measured")).expect("no file");
    let error = scenario.model(application).expect_err("the file has not been read").to_string();
    assert!(error.ends_with("phone.csv have not been read; data::graphs::read_layer_times reads them"), "{error}");

    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("measured-layers");
    fs::create_dir_all(&directory).expect("Cargo's directory for tests can be written");
    let path = directory.join("measured.toml");
    fs::write(&path, text).expect("writable");
    let read = GraphScenario::load(path.to_str().expect("a plain path")).expect("valid");
    let paths: Vec<_> = read.layer_times().map(|(_, times)| std::path::PathBuf::from(times.path())).collect();
    assert_eq!(paths, [directory.join("phone.csv"), directory.join("tables/cloud.csv")]);
}

#[test]
fn measured_layers_need_layers_that_say_their_kinds() {
    let layer_times = ("uplink_mbps = 6", "layer_times = \"phone.csv\"\nuplink_mbps = 6");
    let rows = "input_kb = 155\n[[application.graph.layer]]\nname = \"a\"\nkind = \"pooling\"\nmflop = 1\noutput_kb = 7\n\
                [[application.graph.layer]]\nname = \"b\"\nmflop = 1\noutput_kb = 7\n[unused]\n#";
    let found = mistakes("layers", &[layer_times, ("layers = \"alexnet\"", rows)]).to_string();
    let expected =
        "application.graph.layer[1].kind: is missing; it must be \"convolution\" or \"pointwise-convolution\"";
    assert!(found.contains(expected) && found.contains("since devices.layer_times predicts times by kind"), "{found}");
    assert!(!found.contains("layer[0].kind"), "{found}");
    let found = mistakes("layers", &[layer_times, ("layers = \"alexnet\"", &rows.replace("pooling", "poling"))]);
    assert!(found.to_string().contains("application.graph.layer[0].kind: must be \"convolution\" or"), "{found}");
    let found = mistakes("graph", &[("frequency_mhz = 10000", "frequency_mhz = 10000\nlayer_times = \"edge.csv\"")]);
    let expected = "servers[0].layer_times: is of use for layers of networks alone: applications must come from `layers`, \
                    [[application.graph.layer]] tables or a `file`";
    assert!(found.to_string().ends_with(expected), "{found}");
    let found = mistakes("layers", &[("uplink_mbps = 6", "layer_times = \"\"\nuplink_mbps = 6")]).to_string();
    assert!(
        found.contains("devices.layer_times: must name a CSV file with one measured layer on each line"),
        "{found}"
    );
}

#[test]
fn values_are_numbers_ranges_or_lists() {
    let scenario = GraphScenario::load("workflow").expect("a preset");
    let Source::Generator(Generator::Layered(layered)) = scenario.application.source else { panic!("layered") };
    assert_eq!((layered.tasks, &layered.width), (TaskCount::Fixed(50), &Values::Fixed(0.6)));
    assert_eq!(layered.ratio, Values::Range(Range::Uniform { min: 0.2, max: 1.0 }));
    let scenario = GraphScenario::load("graph").expect("a preset");
    let Source::Generator(Generator::Layered(layered)) = scenario.application.source else { panic!("layered") };
    assert_eq!(layered.ratio, Values::OneOf { values: vec![0.3, 0.4, 0.5] });
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let edits = [
        ("alpha = 0 ", "alpha = 2 "),
        ("count = 1", "count = 3"),
        ("frequency_mhz = 1000", "frequency_mhz = 0"),
        ("compute = 0.9", "compute = -1"),
        ("timing = \"scheduled\"", "timing = \"parallel\""),
        ("# deadline_s = 100", "deadline = 100"),
        ("tasks = 20", "tasks = [30, 10]"),
        (
            "width = { distribution = \"uniform\", min = 0.4, max = 0.8 }",
            "width = { distribution = \"uniform\", min = 0.4, max = 8 }",
        ),
        ("values = [0.3, 0.4, 0.5]", "values = [0.3, 0]"),
        ("name = \"edge\"", "name = \"local\""),
    ];
    let expected = "edited has 10 mistakes:
  line 7, column 9: alpha: must lie between 0 (time alone) and 1 (energy alone), is 2
  line 12, column 9: devices.count: must be 1: an application runs on one device
  line 13, column 17: devices.frequency_mhz: must be a number greater than 0, is 0
  line 16, column 23: devices.power_w.compute: must be a number not below 0, is -1
  line 19, column 10: application.timing: must be \"scheduled\" or \"serial\", is \"parallel\"
  line 24, column 1: application.deadline: unknown key; did you mean `deadline_s`?
  line 28, column 9: application.graph.tasks: must be a number from 1 to 65536, or two, the first no larger than the \
         second, are 30 and 10
  line 29, column 54: application.graph.width.max: must lie between 0 and 1, is 8
  line 33, column 26: application.graph.ratio.values[1]: must lie between 1e-6 and 1000000, is 0
  line 37, column 8: servers[0].name: \"local\" is what the device itself is called; give the server another name";
    assert_eq!(mistakes("graph", &edits).to_string(), expected);
}

#[test]
fn applications_come_from_one_source() {
    let message = |edits: &[(&str, &str)]| mistakes("graph", edits).to_string();
    let expected = "edited has a mistake:\n  line 34, column 8: application.graph.file: cannot stand beside generator: \
                    applications come from one of both";
    assert_eq!(message(&[("# file = \"montage.json\"", "file = \"montage.json\"")]), expected);
    let found = message(&[("generator = \"layered\" ", "# ")]);
    assert!(found.contains("application.graph.generator: is missing; it must be \"layered\" or \"chain\""), "{found}");
    let found = message(&[("instructions_per_byte", "# instructions_per_byte")]);
    assert!(found.ends_with("the work of tasks follows from their bytes"), "{found}");
    let edits = [("count_energy = \"devices\"", "instructions_per_byte = 3\ncount_energy = \"devices\"")];
    let found = mistakes("call-graph", &edits).to_string();
    assert!(found.contains("instructions_per_byte: belongs to the generator \"layered\""), "{found}");
}

#[test]
fn graphs_that_are_too_large_are_refused() {
    let found = mistakes("graph", &[("tasks = 20", "tasks = 1000000")]).to_string();
    assert!(found.contains("application.graph.tasks: must be a number from 1 to 65536"), "{found}");
    let found = mistakes("call-graph", &[("tasks = [8, 16]", "tasks = 5000")]).to_string();
    assert!(found.contains("an application could have 12497500 edges, and may have 1000000"), "{found}");
    let found = mistakes("graph", &[("max = 52.4288", "max = 1e12")]).to_string();
    assert!(found.contains("application.graph.result_mb: divided by ratio makes tasks of"), "{found}");
}

#[test]
fn pinned_tasks_must_be_in_every_application() {
    let pinned = |name: &str| [("pinned = \"first\"", format!("pinned = [\"t1\", \"{name}\"]"))];
    let found = mistakes("call-graph", &pinned("t9").each_ref().map(|(from, to)| (*from, to.as_str()))).to_string();
    let expected = "edited has a mistake:\n  line 20, column 17: application.pinned[1]: must name a task that every \
                    application has, is \"t9\"; they have t1 to t8";
    assert_eq!(found, expected);
    let found = mistakes("layers", &[("pinned = \"ends\"", "pinned = [\"conv9\"]")]).to_string();
    assert!(found.contains("is \"conv9\"; they have input, conv1, pool1"), "{found}");
}

#[test]
fn each_kind_refuses_scenarios_of_the_other() {
    let error = Scenario::load("graph").expect_err("task graphs").to_string();
    let expected = "graph has a mistake:\n  line 6, column 8: kind: makes this a scenario of task graphs, where \
                    one of independent tasks is needed";
    assert_eq!(error, expected);
    let error = GraphScenario::load("paper").expect_err("independent tasks").to_string();
    let expected = "paper has a mistake:\n  kind: is missing: this is a scenario of independent tasks, where one of task \
                    graphs (kind = \"graph\") is needed";
    assert_eq!(error, expected);
    let tasks = format!("kind = \"tasks\"\n{}", Scenario::preset_text("paper").expect("a preset"));
    assert_eq!(Scenario::from_toml("tasks", &tasks).expect("valid"), Scenario::load("paper").expect("a preset"));
    let error =
        Scenario::from_toml("stream", &tasks.replace("\"tasks\"", "\"streams\"")).expect_err("unknown").to_string();
    assert_eq!(
        error,
        "stream has a mistake:\n  line 1, column 8: kind: must be \"tasks\" or \"graph\" or \"stream\", is \"streams\""
    );
    let error = |kind: &str| mistakes("graph", &[("kind = \"graph\"", kind)]).to_string();
    assert_eq!(error("kind = 3"), "edited has a mistake:\n  line 6, column 8: kind: must be \"graph\", is 3");
    assert_eq!(
        error("kind = \"tasks\""),
        "edited has a mistake:\n  line 6, column 8: kind: must be \"graph\", is \"tasks\""
    );
    assert!(matches!(GraphScenario::load("grahp"), Err(ScenarioError::Unknown { .. })));
}

#[test]
fn paths_in_files_are_relative_to_them() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("graphs");
    fs::create_dir_all(&directory).expect("Cargo's directory for tests can be written");
    let mut scenario = GraphScenario::load("workflow").expect("a preset");
    scenario.application.source = Source::File { path: "montage.json".to_owned() };
    let path = directory.join("montage.toml");
    fs::write(&path, scenario.to_toml()).expect("writable");
    let read = GraphScenario::load(path.to_str().expect("a plain path")).expect("valid");
    let Source::File { path } = &read.application.source else { panic!("a file") };
    assert_eq!(std::path::Path::new(path), directory.join("montage.json"));
    assert!(read.draw(&mut random::stream(1, "files")).is_none());
}

proptest::proptest! {
    #[test]
    fn no_text_does_harm(preset in 0..5_usize, cut in 0..1800_usize, length in 0..40_usize, text in "[a-z0-9 =\\[\\]{}\"\n.-]{0,12}") {
        let (_, name) = GraphScenario::presets().enumerate().find(|(index, _)| *index == preset).expect("a preset");
        let mut edited: Vec<char> = GraphScenario::preset_text(name).expect("a preset").chars().collect();
        let start = cut.min(edited.len());
        let end = (start + length).min(edited.len());
        edited.splice(start..end, text.chars());
        let edited: String = edited.into_iter().collect();
        if let Ok(scenario) = GraphScenario::from_toml("edited", &edited) {
            let written = GraphScenario::from_toml("written", &scenario.to_toml()).expect("valid");
            proptest::prop_assert_eq!(&written, &scenario);
            if let Some(application) = scenario.draw(&mut random::stream(1, "edited")) {
                let model = scenario.model(application).expect("valid");
                proptest::prop_assert!(!model.evaluate(&vec![0; model.tasks()]).cost.is_nan());
            }
        }
    }
}
