//! Tables of measured layers, and kinds of layers in files of task graphs.

use std::fs;
use std::path::{Path, PathBuf};

use data::graphs::{GraphRequest, application_from_dot, measured_layers, read_layer_times};
use sim::graph::scenario::LayerTimes;
use sim::graph::{GraphScenario, LayerKind};
use sim::random;

fn scenario(name: &str) -> GraphScenario {
    GraphScenario::load(name).expect("a preset")
}

/// A file of measured layers in a folder of its own.
fn table(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("measured-layers");
    fs::create_dir_all(&directory).expect("Cargo's directory for tests can be written");
    let path = directory.join(name);
    fs::write(&path, text).expect("writable");
    path
}

#[test]
fn tables_of_measured_layers_are_read_however_they_are_written() {
    let plain = "# measured on a phone\nlayer,kind,mflop,weights_mb,input_kb,output_kb,seconds\n\
                 conv1,convolution,211,0.14,155,1162,0.031\n\npool1,pooling,0,,1162,280,0.004\n";
    let german = "Kind;MFLOP;Seconds;Input KB;Output KB;weights-mb;layer;note\n\
                  Convolution;211;0,031;155;1162;0,14;conv1;x\nPOOLING;0;0,004;1162;280;;pool1;y\n";
    let [plain, german] = [("plain.csv", plain), ("german.csv", german)]
        .map(|(name, text)| measured_layers(&table(name, text)).expect("valid"));
    assert_eq!(plain, german);
    assert_eq!((plain[0].name.as_str(), plain[0].kind, plain[0].seconds), ("conv1", LayerKind::Convolution, 0.031));
    let work = plain[0].work;
    assert_eq!(
        [work.operations, work.weights_bytes, work.input_bytes, work.output_bytes],
        [211e6, 0.14e6, 155e3, 1162e3]
    );
    assert_eq!((plain[1].kind, plain[1].work.weights_bytes), (LayerKind::Pooling, 0.0));
}

#[test]
fn measured_layers_that_make_no_sense_are_refused_with_their_line() {
    let header = "kind,mflop,weights_mb,input_kb,output_kb,seconds\n";
    for (index, (row, expected)) in [
        (
            "convolutional,1,1,1,1,1",
            "there is no kind of layer called \"convolutional\" (did you mean \"convolution\"?); the",
        ),
        ("convolution,1,1,1,1,-0.5", "`seconds` must be a time above 0, is -0.5"),
        ("convolution,1,1,1,1,0", "`seconds` must be a time above 0, is 0"),
        ("convolution,1,1,1,1,inf", "`seconds` must be a time above 0, is inf"),
        ("convolution,1,1,1,1,NaN", "`seconds` must be a number, is `NaN`"),
        ("convolution,1,1,1,1,", "`seconds` must be a number, is ``"),
        ("convolution,many,1,1,1,1", "`mflop` must be a number, is `many`"),
        ("convolution,1,1,-7,1,1", "`input_kb` must be a number from 0, is -7"),
        ("convolution,1,1", "3 columns instead of 6"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = table(&format!("wrong{index}.csv"), &format!("{header}pooling,0,0,1,1,1\n{row}\n"));
        let error = measured_layers(&path).expect_err(row).to_string();
        let start = format!("{}, line 3: {expected}", path.display());
        assert!(error.starts_with(&start), "{error}");
    }
    let path = table("empty.csv", "# nothing\n");
    let error = measured_layers(&path).expect_err("empty").to_string();
    assert!(
        error.contains("is empty: a table of measured layers begins with the names of its columns, kind, "),
        "{error}"
    );
    let path = table("header.csv", "kind,mflop,input_kb,seconds\n");
    let error = measured_layers(&path).expect_err("a column is missing").to_string();
    assert!(error.contains("the column `output_kb` is missing"), "{error}");
    assert!(measured_layers(Path::new("nowhere.csv")).is_err());
}

#[test]
fn a_scenario_reads_the_measured_layers_that_it_names() {
    let rows: String = (1..6)
        .flat_map(|size| {
            ["convolution", "pooling", "fully-connected"].map(|kind| {
                let (mflop, seconds) = (100 * size, 0.01 + 0.1 * f64::from(size));
                format!("{kind},{mflop},{},{},{},{seconds}\n", (size * 3) % 5, (size * 2) % 5, size % 4)
            })
        })
        .collect();
    let path = table("scenario.csv", &format!("kind,mflop,weights_mb,input_kb,output_kb,seconds\n{rows}"));
    let mut measured = scenario("layers");
    measured.device.layer_times = Some(LayerTimes::file(path.to_str().expect("a plain path")));
    read_layer_times(&mut measured).expect("three of each kind");
    let draw = |scenario: &GraphScenario| {
        let application = scenario.draw(&mut random::stream(1, "measured")).expect("no file");
        scenario.model(application).expect("valid")
    };
    let (model, by_rates) = (draw(&measured), draw(&scenario("layers")));
    for (task, layer) in model.application().tasks().iter().enumerate() {
        let expected = if layer.kind.is_some() { 0.01 + 1e-9 * layer.instructions } else { 0.0 };
        assert!((model.run_s(task, 0) - expected).abs() < 1e-9, "{} {}", layer.name, model.run_s(task, 0));
        assert_eq!(model.run_s(task, 1), by_rates.run_s(task, 1), "the server has no measured layers");
    }
    let few = table("few.csv", "kind,mflop,input_kb,output_kb,seconds\npooling,0,1,1,1\n");
    measured.device.layer_times = Some(LayerTimes::file(few.to_str().expect("a plain path")));
    let error = read_layer_times(&mut measured).expect_err("too few").to_string();
    assert!(
        error.ends_with(
            "1 layer of the kind pooling is not enough to predict times from; measure at least 3 of each kind, of \
                             different sizes"
        ),
        "{error}"
    );
}

#[test]
fn tasks_of_files_may_say_what_kind_of_layer_they_are() {
    let json = |kind: &str| {
        format!("{{\"graph\": {{\"tasks\": [{{\"name\": \"a\", \"megacycles\": 5, \"kind\": \"{kind}\"}}]}}}}")
    };
    let read = GraphRequest::from_json(json("fully-connected").as_bytes(), &scenario("layers")).expect("valid");
    assert_eq!(read.application.tasks()[0].kind, Some(LayerKind::FullyConnected));
    let error = GraphRequest::from_json(json("dense").as_bytes(), &scenario("layers")).expect_err("unknown").reason;
    let expected =
        "graph.tasks[0].kind of the task a: there is no kind of layer called \"dense\"; the kinds are convolution, ";
    assert!(error.starts_with(expected), "{error}");
    let dot = "digraph { a [megacycles=5, kind=\"pooling\"]; b [megacycles=5]; a -> b [mb=1] }";
    let read = application_from_dot(dot, None).expect("valid");
    assert_eq!(read.tasks().iter().map(|task| task.kind).collect::<Vec<_>>(), [Some(LayerKind::Pooling), None]);
    let error = application_from_dot(&dot.replace("pooling", "pool"), None).expect_err("unknown").to_string();
    assert!(error.starts_with("kind of the node a: there is no kind of layer called \"pool\""), "{error}");
}
