//! Networks for other programs: what `export` writes can be read there and is what the record holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use acceptance::{Workshop, shared_run};
use model::{DeviceChoice, DnnNetworks, LayerData, Record};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use sim::Scenario;

/// Exports the shared record into `out` of a folder of the test's own.
fn export(arguments: &[&str]) -> (Arc<Workshop>, Workshop) {
    let run = shared_run();
    let workshop = Workshop::new();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    workshop.trainer(&[&["export", "--record", record, "--out", "out"], arguments].concat()).succeeded().silent();
    (run, workshop)
}

fn names(workshop: &Workshop) -> Vec<String> {
    workshop.files().into_keys().collect()
}

fn one_each(extension: &str) -> Vec<String> {
    (0..8).map(|dnn| format!("out/dnn-{dnn}.{extension}")).collect()
}

/// The record's parameters, layer by layer.
fn parameters(run: &Workshop) -> Vec<LayerData> {
    let device = DeviceChoice::Auto.open().expect("the CPU is always there").device;
    let (path, record) = (run.path("run/record"), Record::load(&run.path("run/record"), &device));
    let record = record.expect("the program wrote it");
    record.networks_of::<DnnNetworks>("DNNs", &path).expect("of DNNs").ensemble.to_host()
}

/// Values and shape of a tensor.
fn tensor(file: &SafeTensors<'_>, name: &str) -> (Vec<f32>, Vec<usize>) {
    let view = file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(view.dtype(), Dtype::F32, "{name}");
    let values = view.data().chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
    (values.collect(), view.shape().to_vec())
}

fn sorted_names(file: &SafeTensors<'_>) -> Vec<String> {
    let mut names: Vec<_> = file.names().into_iter().map(ToString::to_string).collect();
    names.sort();
    names
}

/// What every file calls its tensors.
const TENSORS: [&str; 4] = ["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"];

#[test]
fn safetensors_hold_all_networks_stacked() {
    let (run, workshop) = export(&[]);
    assert_eq!(names(&workshop), ["out/ensemble.safetensors"]);
    let bytes = workshop.read("out/ensemble.safetensors");
    let file = SafeTensors::deserialize(&bytes).expect("a valid file");
    assert_eq!(sorted_names(&file), TENSORS);
    let layers = parameters(&run);
    for (layer, (inputs, outputs)) in [(9, 8), (8, 18)].into_iter().enumerate() {
        let weight = tensor(&file, &format!("layers.{layer}.weight"));
        assert_eq!(weight, (layers[layer].weight.clone(), vec![8, inputs, outputs]));
        let bias = tensor(&file, &format!("layers.{layer}.bias"));
        assert_eq!(bias, (layers[layer].bias.clone(), vec![8, 1, outputs]));
    }
}

#[test]
fn one_safetensors_file_each_holds_that_networks_slice() {
    let (run, workshop) = export(&["--as", "safetensors", "--per-dnn"]);
    assert_eq!(names(&workshop), one_each("safetensors"));
    let layers = parameters(&run);
    for dnn in [0, 3, 7] {
        let bytes = workshop.read(&format!("out/dnn-{dnn}.safetensors"));
        let file = SafeTensors::deserialize(&bytes).expect("a valid file");
        assert_eq!(sorted_names(&file), TENSORS);
        for (layer, (inputs, outputs)) in [(9, 8), (8, 18)].into_iter().enumerate() {
            let slice = |values: &[f32], length: usize| values[dnn * length..][..length].to_vec();
            let (weight, shape) = tensor(&file, &format!("layers.{layer}.weight"));
            assert_eq!(shape, [inputs, outputs], "which is [in, out]");
            assert_eq!(weight, slice(&layers[layer].weight, inputs * outputs), "network {dnn}, layer {layer}");
            let (bias, shape) = tensor(&file, &format!("layers.{layer}.bias"));
            assert_eq!(shape, [outputs]);
            assert_eq!(bias, slice(&layers[layer].bias, outputs), "network {dnn}, layer {layer}");
        }
    }
}

#[test]
fn the_burn_file_is_the_records_own() {
    let (run, workshop) = export(&["--as", "bpk"]);
    assert_eq!(names(&workshop), ["out/ensemble.bpk"]);
    assert_eq!(workshop.read("out/ensemble.bpk"), run.read("run/record/weights.bpk"));
}

#[test]
fn there_is_one_burn_file_for_each_network() {
    let (_run, workshop) = export(&["--as", "bpk", "--per-dnn"]);
    assert_eq!(names(&workshop), one_each("bpk"));
    assert_ne!(workshop.read("out/dnn-0.bpk"), workshop.read("out/dnn-1.bpk"));
}

/// The description in a safetensors file: texts in JSON as what they mean.
fn description(bytes: &[u8]) -> BTreeMap<String, Value> {
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a valid file");
    let texts = header.metadata().clone().expect("a description");
    let meaning = |text: String| serde_json::from_str(&text).unwrap_or(Value::from(text));
    texts.into_iter().map(|(name, text)| (name, meaning(text))).collect()
}

#[test]
fn safetensors_describe_themselves() {
    let (run, workshop) = export(&[]);
    let about = description(&workshop.read("out/ensemble.safetensors"));
    let manifest: toml::Table = toml::from_str(&run.text("run/record/manifest.toml")).expect("TOML");
    assert_eq!(about["format_version"], 1);
    assert_eq!(about["kind"], "dnn");
    assert_eq!((&about["networks"], &about["networks_in_record"]), (&json!(8), &json!(8)));
    assert_eq!(about["layers"], json!([9, 8, 18]));
    assert_eq!(about["places"], json!(["local", "edge", "cloud"]));
    for (name, wanted) in [("mean_bytes", 2e7), ("deviation_bytes", 5_773_502.691_896_258)] {
        assert_eq!(about["inputs"][name], wanted, "{name}");
        assert_eq!(about["inputs"][name].as_f64(), manifest["codec"][name].as_float(), "{name}");
    }
    assert_eq!((&about["code"]["name"], &about["selection"]["flips"]), (&json!("indicators"), &json!(0)));
    assert!(!about.contains_key("details"), "the scenario has none");
    for name in ["activation", "orientation", "tensors", "program"] {
        assert!(about[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let scenario = Scenario::from_toml("exported", about["scenario"].as_str().expect("TOML")).expect("a scenario");
    assert_eq!(scenario, Scenario::load("paper").expect("a preset"));
}

/// The formula of the description, with its coefficients, gives the costs of the cost model.
#[test]
fn exported_costs_are_those_of_decisions() {
    for name in ["paper", "paper-wan", "shared-edges"] {
        let workshop = Workshop::new();
        workshop.train("run", &["--scenario", name]).succeeded();
        workshop.trainer(&["export", "--record", "run/record", "--out", "out"]).succeeded();
        let about = description(&workshop.read("out/ensemble.safetensors"));
        let model = Scenario::load(name).expect("a preset").check().expect("a preset");
        let (devices, tasks, places) = (model.devices(), model.tasks(), model.places());
        let sizes: Vec<f64> = (0..devices * tasks).map(|task| 1e6 * (5 + 7 * task % 31) as f64).collect();
        for shift in 0..places {
            let decision: Vec<u8> = (0..devices * tasks).map(|task| ((task * task + shift) % places) as u8).collect();
            let wanted = model.cost(&sizes, &decision);
            let found = described_cost(&about["cost"], (devices, tasks, places), &sizes, &decision);
            assert!((found - wanted).abs() <= 1e-9 * wanted, "{name}: {found}, {wanted}");
        }
    }
}

/// The cost of a decision by the formula in an exported file.
fn described_cost(
    cost: &Value,
    (devices, tasks, places): (usize, usize, usize),
    sizes: &[f64],
    decision: &[u8],
) -> f64 {
    let number = |value: &Value| value.as_f64().expect("a number");
    let mut bytes = vec![vec![0.0; places]; devices];
    for (task, (size, place)) in sizes.iter().zip(decision).enumerate() {
        bytes[task / tasks][usize::from(*place)] += size;
    }
    let load = |place: usize| bytes.iter().map(|own| own[place]).sum::<f64>();
    let sent: f64 = (1..places).map(load).sum();
    let alpha = number(&cost["alpha"]);
    let cost_of = |device: usize| {
        let (mut energy, mut longest) = (0.0, 0.0_f64);
        for place in (0..places).filter(|place| bytes[device][*place] > 0.0) {
            let own = bytes[device][place];
            let each = |name: &str| number(&cost[name][device][place]);
            let shared = |name: &str| number(&cost[name][place]);
            let uplink = if place > 0 { number(&cost["shared_uplink_s_per_byte"]) * sent } else { 0.0 };
            let link = (each("send_s_per_byte") * own).max(shared("shared_link_s_per_byte") * load(place)).max(uplink);
            let compute = each("compute_s_per_byte") * own + shared("shared_compute_s_per_byte") * load(place);
            energy += each("energy_j_per_byte") * own;
            longest = longest.max(link + compute);
        }
        alpha * energy + (1.0 - alpha) * longest
    };
    (0..devices).map(cost_of).sum()
}

#[test]
fn networks_for_any_fleet_describe_themselves() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/any-fleet");
    for (more, file, networks, prefix) in [(&[][..], "ensemble", 2, "nets.1."), (&["--per-dnn"], "network-1", 1, "")] {
        let workshop = Workshop::new();
        workshop.trainer(&[&["export", "--record", models, "--out", "out"], more].concat()).succeeded();
        let bytes = workshop.read(&format!("out/{file}.safetensors"));
        let about = description(&bytes);
        assert_eq!((&about["kind"], &about["networks"]), (&json!("fleet"), &json!(networks)));
        assert_eq!(about["layers"], json!({ "inputs": 30, "width": 24, "rounds": 4 }));
        assert_eq!(about["trained_on"]["devices"], json!([1, 20]));
        let inputs = about["inputs"].as_str().expect("a table");
        assert!((0..30).all(|input| inputs.contains(&format!("\n| {input} | "))), "{inputs}");
        let file = SafeTensors::deserialize(&bytes).expect("a valid file");
        assert_eq!(tensor(&file, &format!("{prefix}rounds.3.known.by_task")).1, [24, 24]);
    }
}

#[test]
fn a_single_file_can_go_to_standard_output() {
    let (run, workshop) = export(&[]);
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    workshop.shell(&format!("\"$TRAINER\" export --record '{record}' --out - > piped")).succeeded();
    assert!(workshop.read("piped") == workshop.read("out/ensemble.safetensors"));
    let several = workshop.trainer(&["export", "--record", record, "--per-dnn", "--out", "-"]);
    several.failed(2).silent().naming(&["--out -", "folder"]);
}

#[test]
fn exporting_twice_writes_the_same_bytes() {
    for arguments in [&["--as", "bpk"][..], &[], &["--as", "bpk", "--per-dnn"], &["--per-dnn"]] {
        let (_first_run, first) = export(arguments);
        let (_second_run, second) = export(arguments);
        assert!(first.files() == second.files(), "{arguments:?} writes other bytes each time");
    }
}

#[test]
fn nothing_is_exported_over_what_is_there() {
    let (run, workshop) = export(&[]);
    let before = workshop.files();
    let record = run.path("run/record");
    let record = record.to_str().expect("a plain path");
    workshop.trainer(&["export", "--record", record, "--out", "out"]).failed(1).silent().naming(&["out", "help:"]);
    assert_eq!(workshop.files(), before);
}
