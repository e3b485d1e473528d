//! Deciding with an ensemble, and records of it.

use std::fs;
use std::path::Path;

use data::{EnvironmentSampler, SizeSampler, StandardSet};
use model::{
    Code, Codec, DeviceChoice, DnnNetworks, Ensemble, EnvironmentInputs, Exploration, NetworkShape, Policy, Record,
    RecordError, Selection, SelectionScope,
};
use sim::scheme::{Exact, Scheme};
use sim::{CostModel, Scenario, Workload};

fn networks(scenario: &str, code: Option<Code>) -> (DnnNetworks, CostModel) {
    let scenario = Scenario::load(scenario).expect("a preset");
    let model = scenario.check().expect("valid");
    let scaling = SizeSampler::new(&scenario).expect("no file").moments().into();
    let code = code.unwrap_or_else(|| Codec::default_code(&model));
    let codec = Codec::new(code, &model, scaling).expect("fits");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![6, 5], outputs: codec.outputs() };
    let ensemble = Ensemble::random(&shape, 4, 1, &DeviceChoice::Auto.open().expect("a device").device);
    let (reads, selection) = (EnvironmentInputs::default(), Selection::PAPER);
    (DnnNetworks { ensemble, scenario, code, scaling, reads, selection }, model)
}

/// A record of these networks.
fn record(networks: &DnnNetworks) -> Record {
    let mut record = Record::new(networks.clone());
    record.provenance.insert("seed".to_owned(), "1".to_owned());
    record.measures.insert("q2".to_owned(), 0.5);
    record
}

/// The networks of a record in a directory.
fn load(path: &Path) -> DnnNetworks {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let record = Record::load(path, &device).expect("a record");
    record.networks_of::<DnnNetworks>("DNNs", path).expect("of DNNs").clone()
}

fn policy(record: &DnnNetworks, model: &CostModel, selection: Selection) -> Policy {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    Policy::new("test", &record.ensemble, record.codec(model), selection, &device)
}

fn set(record: &DnnNetworks, model: &CostModel) -> StandardSet {
    StandardSet::of(&record.scenario, model).expect("no file")
}

fn workloads(set: &StandardSet) -> Vec<Workload> {
    set.workloads().cloned().collect()
}

const SELECTIONS: [Selection; 4] = [
    Selection::PAPER,
    Selection { exploration: Exploration::Threshold, scope: SelectionScope::PerDevice },
    Selection { exploration: Exploration::OrderPreserving { flips: 4 }, scope: SelectionScope::Workload },
    Selection { exploration: Exploration::OrderPreserving { flips: 4 }, scope: SelectionScope::PerDevice },
];

#[test]
fn one_by_one_and_all_at_once_give_the_same_decisions() {
    for code in [Code::Indicators, Code::Categorical] {
        let (networks, model) = networks("paper-wan", Some(code));
        let workloads = workloads(&set(&networks, &model));
        for selection in SELECTIONS {
            let mut policy = policy(&networks, &model, selection);
            let together = policy.decide_all(&model, &workloads).expect("fits");
            for (workload, solution) in workloads.iter().zip(&together) {
                assert_eq!(policy.decide(&model, workload).expect("fits"), *solution);
            }
        }
    }
}

#[test]
fn more_candidates_never_cost_more_and_none_undercuts_the_optimum() {
    for code in [Code::Indicators, Code::Categorical] {
        let (networks, model) = networks("paper-wan", Some(code));
        for workload in set(&networks, &model).workloads().take(100) {
            let mut cost = |selection| {
                let solution = policy(&networks, &model, selection).decide(&model, workload).expect("fits");
                model.cost(workload.sizes_bytes(), solution.decision.places())
            };
            let [paper, per_device, explored, both] = SELECTIONS.map(&mut cost);
            let solution = Exact::new().decide(&model, workload).expect("small");
            let optimum = model.cost(workload.sizes_bytes(), solution.decision.places());
            let slack = 1.0 + 1e-12;
            assert!(optimum <= both * slack && both <= per_device * slack && both <= explored * slack);
            assert!(per_device <= paper * slack && explored <= paper * slack);
        }
    }
}

#[test]
fn evaluations_are_counted() {
    let (networks, model) = networks("paper", None);
    let set = set(&networks, &model);
    let workload = &set.instances()[0].workload;
    let expected = [4, 4, 4 * 5, 4 * 5];
    for (selection, expected) in SELECTIONS.into_iter().zip(expected) {
        assert_eq!(policy(&networks, &model, selection).decide(&model, workload).expect("fits").evaluations, expected);
    }
}

#[test]
fn a_workload_of_another_shape_is_refused() {
    let (networks, model) = networks("paper", None);
    let workload = Workload::from_mb(2, &[20.0; 6]);
    let error =
        policy(&networks, &model, Selection::PAPER).decide(&model, &workload).expect_err("3 devices with 2 tasks");
    assert!(error.to_string().contains("3 devices with 2 tasks"), "{error}");
}

#[test]
fn a_saved_record_loads_as_it_was_and_decides_the_same() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let folder = tempfile::tempdir().expect("a folder");
    let (mut networks, model) = networks("ddlo", None);
    networks.selection = Selection::explored(3);
    let record = record(&networks);
    let path = folder.path().join("deep/record");
    record.save(&path).expect("a new directory");
    let read = Record::load(&path, &device).expect("just saved");
    assert_eq!((&read.provenance, &read.measures), (&record.provenance, &record.measures));
    assert_eq!((read.networks.kind().name, read.format_version()), ("dnn", 4));
    let loaded = load(&path);
    assert_eq!(loaded.ensemble.to_host(), networks.ensemble.to_host());
    assert_eq!(loaded.scenario, networks.scenario);
    assert_eq!((loaded.code, loaded.scaling, loaded.selection), (networks.code, networks.scaling, networks.selection));
    let workloads = workloads(&set(&networks, &model));
    let before = policy(&networks, &model, networks.selection).decide_all(&model, &workloads).expect("fits");
    let after = policy(&loaded, &model, loaded.selection).decide_all(&model, &workloads).expect("fits");
    assert_eq!(before, after);
    assert!(matches!(record.save(&path), Err(RecordError::Exists { .. })));
}

/// Networks that read the environment of `mobile`.
fn reading_networks() -> (DnnNetworks, CostModel) {
    let (mut networks, model) = networks("mobile", None);
    let moments = EnvironmentSampler::new(&networks.scenario).expect("no file").expect("it changes").moments();
    networks.reads = moments.into();
    let shape = NetworkShape { inputs: networks.codec(&model).inputs(), ..networks.ensemble.shape() };
    networks.ensemble = Ensemble::random(&shape, 4, 1, &DeviceChoice::Auto.open().expect("a device").device);
    (networks, model)
}

#[test]
fn a_record_keeps_what_its_networks_read_of_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let (networks, model) = reading_networks();
    assert!(networks.reads.log_uplink.is_some() && networks.codec(&model).inputs() == 9 + 2 * 3);
    let path = folder.path().join("record");
    record(&networks).save(&path).expect("a new directory");
    let loaded = load(&path);
    assert_eq!((loaded.reads, &loaded.scenario), (networks.reads, &networks.scenario));
    let set = StandardSet::of(&networks.scenario, &model).expect("no file");
    let costs = |networks: &DnnNetworks| set.costs_of(&mut policy(networks, &model, Selection::PAPER)).expect("fits");
    assert_eq!(costs(&networks), costs(&loaded));
    // What the networks read must be what their inputs are for.
    let text = fs::read_to_string(path.join("manifest.toml")).expect("just written");
    assert!(text.contains("[codec.environment.log_uplink]"), "{text}");
}

/// The same networks in another environment see other inputs.
#[test]
fn networks_that_read_the_environment_decide_by_it() {
    let (networks, model) = reading_networks();
    let codec = networks.codec(&model);
    let mut environment = model.environment().clone();
    environment.uplinks_mbps = vec![0.3, 3.0, 30.0];
    let there = model.at(&environment).expect("fits");
    let (mut here_inputs, mut there_inputs) = (vec![0.0; codec.inputs()], vec![0.0; codec.inputs()]);
    let sizes = [20e6; 9];
    codec.encode(&model, &sizes, &mut here_inputs);
    codec.encode(&there, &sizes, &mut there_inputs);
    assert_eq!(here_inputs[..9], there_inputs[..9]);
    assert!(here_inputs[9..].iter().zip(&there_inputs[9..]).all(|(here, there)| here != there || *here == 0.0));
    assert!(there_inputs.iter().all(|input| input.is_finite()));
}

/// The manifest as earlier versions of the format had it: without a kind.
fn of_version(text: &str, version: i64) -> String {
    let body: String = text.split_inclusive('\n').skip(2).filter(|line| !line.starts_with("kind = ")).collect();
    format!("format_version = {version}\nsha256 = \"{}\"\n{body}", model::checksum(body.as_bytes()))
}

#[test]
fn records_of_earlier_formats_are_still_read() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let folder = tempfile::tempdir().expect("a folder");
    let (networks, _) = networks("ddlo", None);
    let path = folder.path().join("record");
    record(&networks).save(&path).expect("a new directory");
    let manifest = path.join("manifest.toml");
    let text = fs::read_to_string(&manifest).expect("just written");
    assert!(text.starts_with("format_version = 4\n") && text.contains("\nkind = \"dnn\"\n"), "{text}");
    assert!(!text.contains("environment"), "{text}");
    for version in [1, 2] {
        fs::write(&manifest, of_version(&text, version)).expect("writable");
        let loaded = load(&path);
        assert_eq!(loaded.ensemble.to_host(), networks.ensemble.to_host());
        assert_eq!(loaded.reads, EnvironmentInputs::default());
    }
    let refused = |text: &str| {
        fs::write(&manifest, text).expect("writable");
        Record::load(&path, &device).expect_err("it is not such a record")
    };
    let later = refused(&text.replacen("format_version = 4", "format_version = 5", 1));
    assert!(matches!(later, RecordError::Version { found: 5, known: 4, .. }), "{later}");
    // Version 3 held networks for any fleet, and no version before the fourth named a kind.
    for (text, named) in [
        (of_version(&text, 3), "codec"),
        (of_version(&text, 4), "no kind"),
        (text.replacen("format_version = 4", "format_version = 2", 1), "format 2"),
        (text.replacen("kind = \"dnn\"", "kind = \"dnns\"", 1), "\"dnn\", \"fleet\", \"stream\""),
    ] {
        let error = refused(&text);
        assert!(matches!(error, RecordError::Manifest { .. }) && error.to_string().contains(named), "{error}");
    }
    // One record of each earlier format ships, and stays.
    for (name, version) in [("paper", 1), ("mobile", 2), ("any-fleet", 3)] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name);
        let text = fs::read_to_string(shipped.join("manifest.toml")).expect("it ships");
        assert!(text.starts_with(&format!("format_version = {version}\n")), "{name}");
        assert_eq!(Record::load(&shipped, &device).expect("it ships").format_version(), version);
    }
}

#[test]
fn a_record_of_what_is_no_number_is_not_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut networks, _) = networks("ddlo", None);
    let mut layers = networks.ensemble.to_host();
    layers[1].bias[0] = f32::NAN;
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let (shape, count) = (networks.ensemble.shape(), networks.ensemble.networks());
    networks.ensemble = Ensemble::from_host(&shape, count, layers, &device);
    let path = folder.path().join("record");
    assert!(matches!(record(&networks).save(&path), Err(RecordError::Diverged { .. })));
    assert!(fs::read_dir(folder.path()).expect("it is there").next().is_none());
}

#[test]
fn equal_records_are_equal_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a", "b"] {
        record(&networks("paper", None).0).save(&folder.path().join(name)).expect("a new directory");
    }
    for file in ["manifest.toml", "weights.bpk"] {
        let read = |name: &str| fs::read(folder.path().join(name).join(file)).expect("just written");
        assert!(read("a") == read("b"), "{file} differs");
    }
}

/// Changes one byte after the other, and cuts the file anywhere.
fn every_changed_byte_is_refused(file: &str) {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record");
    let (mut networks, _) = networks("ddlo", None);
    let shape = NetworkShape { hidden: vec![1], ..networks.ensemble.shape() };
    networks.ensemble = Ensemble::random(&shape, 1, 1, &device);
    record(&networks).save(&path).expect("a new directory");
    let original = fs::read(path.join(file)).expect("just written");
    for position in 0..original.len() {
        let mut bytes = original.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(path.join(file), &bytes).expect("writable");
        assert!(Record::load(&path, &device).is_err(), "byte {position} of {file} was changed unnoticed");
    }
    for length in 0..original.len() {
        fs::write(path.join(file), &original[..length]).expect("writable");
        assert!(Record::load(&path, &device).is_err(), "{file} cut to {length} bytes was accepted");
    }
}

#[test]
fn changed_or_cut_weights_are_refused() {
    every_changed_byte_is_refused("weights.bpk");
}

#[test]
fn a_changed_or_cut_manifest_is_refused() {
    every_changed_byte_is_refused("manifest.toml");
}

#[test]
fn records_of_other_fleets_or_rates_are_told_apart() {
    let (networks, _) = networks("paper", None);
    let (record, path) = (record(&networks), Path::new("models/paper"));
    let other = |name: &str| Scenario::load(name).expect("a preset");
    record.check_scenario(&other("paper"), false, path).expect("its own");
    let rates = record.check_scenario(&other("paper-wan"), false, path).expect_err("another link");
    assert!(rates.to_string().contains("other rates"), "{rates}");
    record.check_scenario(&other("paper-wan"), true, path).expect("the same fleet");
    let fleet = record.check_scenario(&other("ddlo"), true, path).expect_err("no cloud");
    assert!(fleet.to_string().contains("edge, cloud"), "{fleet}");
}
