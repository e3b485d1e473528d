//! Networks for other programs: what `export` writes can be read there and is what the record holds.

use std::sync::Arc;

use acceptance::{Workshop, shared_run};
use model::{DeviceChoice, DnnNetworks, LayerData, Record};
use safetensors::{Dtype, SafeTensors};

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
