//! Valid scenario files, and the errors for wrong ones.

use std::fs;

use sim::config::Mistakes;
use sim::limits::{MAX_SERVERS, MAX_TASKS};
use sim::scenario::{PerDevice, Server, Sharing, SizeDistribution, Tier};
use sim::{Scenario, ScenarioError};

use crate::{directory, preset};

/// The mistakes of a preset's text after one edit.
fn mistakes(from: &str, to: &str) -> Mistakes {
    let text = Scenario::preset_text("paper").expect("a preset");
    assert!(text.contains(from), "the preset has no `{from}`");
    Scenario::from_toml("edited", &text.replacen(from, to, 1)).expect_err("it was made wrong")
}

/// Keys of mistakes with the lines they are on.
fn places(mistakes: &Mistakes) -> Vec<(&str, Option<usize>)> {
    mistakes.list.iter().map(|mistake| (mistake.key.as_str(), mistake.place.map(|(line, _)| line))).collect()
}

#[test]
fn every_preset_loads_and_names_itself() {
    let names: Vec<_> = Scenario::presets().collect();
    assert_eq!(
        names,
        ["paper", "paper-wan", "paper-fitted", "ddlo", "mobile", "shared-edge", "shared-edges", "deadlines"]
    );
    for name in names {
        let scenario = Scenario::load(name).expect("a preset");
        assert_eq!(scenario.name, name);
        let model = scenario.check().expect("valid");
        assert_eq!((model.devices(), model.tasks()), (3, 3));
        assert_eq!(model.places(), scenario.servers.len() + 1);
        assert_eq!(model.is_separable(), !name.starts_with("shared"));
        assert_eq!(model.place_names()[0], "local");
    }
}

#[test]
fn a_preset_is_read_as_it_is_written_in_the_paper() {
    let scenario = preset();
    assert_eq!(scenario.tasks.size_mb, SizeDistribution::Uniform { min: 10.0, max: 30.0 });
    assert_eq!(scenario.devices.frequency_mhz, PerDevice::One(100.0));
    let servers: Vec<_> = scenario.servers.iter().map(|server| (server.name.as_str(), server.tier)).collect();
    assert_eq!(servers, [("edge", Tier::Edge), ("cloud", Tier::Cloud)]);
    assert!(scenario.servers.iter().all(|server| server.sharing == Sharing::Dedicated && server.link_mbps.is_none()));
}

#[test]
fn what_is_no_preset_must_be_a_file() {
    assert!(matches!(Scenario::load("papre"), Err(ScenarioError::Unknown { name, .. }) if name == "papre"));
    assert!(matches!(Scenario::load("no/such.toml"), Err(ScenarioError::Unreadable { .. })));
    let path = directory("a_file").join("mine.toml");
    fs::write(&path, preset().to_toml()).expect("writable");
    assert_eq!(Scenario::load(path.to_str().expect("a plain path")).expect("valid"), preset());
}

#[test]
fn all_mistakes_are_reported_with_their_places_in_the_files_order() {
    let text = "\
name = \"\"
alpha = 2
instructions_per_byte = 0
transmit_energy_nj_per_byte = -1
colour = \"red\"
[devices]
count = 2
frequency_mhz = [1, 2, 3]
energy_per_instruction_nj = [1, nan]
uplink_mbps = -1
[tasks]
per_device = 0
size_mb = { distribution = \"uniform\", min = -1, max = \"x\" }
[[servers]]
name = \"local\"
tier = \"fog\"
frequency_mhz = 1
energy_per_instruction_nj = 1
";
    let mistakes = Scenario::from_toml("wrong", text).expect_err("everything is wrong");
    let expected = [
        ("name", 1),
        ("alpha", 2),
        ("instructions_per_byte", 3),
        ("transmit_energy_nj_per_byte", 4),
        ("colour", 5),
        ("devices.frequency_mhz", 8),
        ("devices.energy_per_instruction_nj[1]", 9),
        ("devices.uplink_mbps", 10),
        ("tasks.per_device", 12),
        ("tasks.size_mb.min", 13),
        ("tasks.size_mb.max", 13),
        ("servers[0].name", 15),
        ("servers[0].tier", 16),
    ];
    assert_eq!(places(&mistakes), expected.map(|(key, line)| (key, Some(line))));
    assert!(mistakes.to_string().starts_with("wrong has 13 mistakes:\n  line 1, column 8: name: "), "{mistakes}");
}

#[test]
fn missing_keys_are_all_named() {
    let mistakes = Scenario::from_toml("empty", "").expect_err("nothing is there");
    let keys: Vec<_> = mistakes.list.iter().map(|mistake| mistake.key.as_str()).collect();
    for key in ["name", "alpha", "instructions_per_byte", "transmit_energy_nj_per_byte", "devices", "tasks", "servers"]
    {
        assert!(keys.contains(&key), "{key} is not in {keys:?}");
    }
}

#[test]
fn an_array_must_have_one_value_for_each_device() {
    for (key, from) in [
        ("devices.frequency_mhz", "frequency_mhz = 100"),
        ("devices.energy_per_instruction_nj", "energy_per_instruction_nj = 3.0"),
        ("devices.uplink_mbps", "uplink_mbps = 500"),
        ("transmit_energy_nj_per_byte", "transmit_energy_nj_per_byte = 0.1"),
    ] {
        for values in ["[]", "[1, 2]", "[1, 2, 3, 4]"] {
            let name = from.split(' ').next().expect("a key");
            let mistakes = mistakes(from, &format!("{name} = {values}"));
            assert_eq!(mistakes.list.len(), 1, "{mistakes}");
            assert_eq!(mistakes.list[0].key, key);
            assert!(mistakes.list[0].message.contains("each of the 3 devices"), "{mistakes}");
        }
    }
    let mistakes = mistakes("frequency_mhz = 600", "frequency_mhz = 600\nlink_mbps = [1, 2]");
    assert_eq!(mistakes.list[0].key, "servers[0].link_mbps");
}

#[test]
fn servers_need_names_that_tell_them_apart() {
    for name in ["local", "", "a b", "käse", "a/b"] {
        let mistakes = mistakes("name = \"edge\"", &format!("name = \"{name}\""));
        assert_eq!(places(&mistakes)[0].0, "servers[0].name", "{mistakes}");
    }
    let mistakes = mistakes("name = \"cloud\"", "name = \"edge\"");
    assert_eq!(mistakes.list[0].key, "servers[1].name");
    assert!(mistakes.list[0].message.contains("earlier server"), "{mistakes}");
}

#[test]
fn sharing_is_read_and_misspelt_sharing_is_refused_clearly() {
    let text = Scenario::preset_text("shared-edge").expect("a preset");
    let text = text
        .replace("link_mbps = 6 ", "link_mbps = 6\nlink_sharing = \"shared\" ")
        .replace("[tasks]", "shared_uplink_mbps = 40\n[tasks]");
    let scenario = Scenario::from_toml("test", &text).expect("valid");
    assert_eq!(scenario.devices.shared_uplink_mbps, Some(40.0));
    let sharing = |index: usize| (scenario.servers[index].sharing, scenario.servers[index].link_sharing);
    assert_eq!(sharing(0), (Sharing::Shared, Sharing::Dedicated));
    assert_eq!(sharing(1), (Sharing::Dedicated, Sharing::Shared));
    assert_eq!(Scenario::from_toml("again", &scenario.to_toml()).expect("valid"), scenario);

    let mistakes = mistakes("frequency_mhz = 600", "frequency_mhz = 600\nsharing = \"common\"");
    let [mistake] = &mistakes.list[..] else { panic!("{mistakes}") };
    assert_eq!(mistake.key, "servers[0].sharing");
    assert!(mistake.message.contains("\"dedicated\" or \"shared\""), "{mistakes}");
    assert!(mistake.place.is_some());
}

#[test]
fn fleets_and_servers_have_limits_that_cost_nothing_to_check() {
    let mut scenario = preset();
    for (devices, tasks) in [(MAX_TASKS, 1), (1, MAX_TASKS)] {
        (scenario.devices.count, scenario.tasks.per_device) = (devices, tasks);
        assert_eq!(scenario.check().expect("just within").task_count(), MAX_TASKS);
    }
    for (devices, tasks) in [(MAX_TASKS + 1, 1), (1, MAX_TASKS + 1), (1_000_000_000, 1), (usize::MAX, usize::MAX)] {
        (scenario.devices.count, scenario.tasks.per_device) = (devices, tasks);
        let mistakes = scenario.check().expect_err("too many");
        assert!(mistakes.to_string().contains(&MAX_TASKS.to_string()), "{mistakes}");
    }
    let mut scenario = preset();
    let server = |index| Server { name: format!("server-{index}"), ..preset().servers[0].clone() };
    scenario.servers = (0..MAX_SERVERS).map(server).collect();
    assert_eq!(scenario.check().expect("just within").places(), MAX_SERVERS + 1);
    scenario.servers.push(server(MAX_SERVERS));
    assert_eq!(scenario.check().expect_err("one too many").list[0].key, "servers");
}

#[test]
fn a_name_may_have_a_hundred_characters_of_any_script() {
    let mut scenario = preset();
    scenario.name = "é".repeat(100);
    assert!(scenario.check().is_ok());
    scenario.name = "é".repeat(101);
    assert_eq!(scenario.check().expect_err("too long").list[0].key, "name");
}

#[test]
fn per_device_values_reach_the_cost_model() {
    let mut scenario = preset();
    scenario.devices.frequency_mhz = PerDevice::Each(vec![100.0, 200.0, 400.0]);
    scenario.servers[1].link_mbps = Some(PerDevice::Each(vec![8.0, 80.0, 800.0]));
    let model = scenario.check().expect("valid");
    for (device, (local_s, cloud_s)) in
        [(1e-5, 1e-6 + 1e-6), (5e-6, 1e-6 + 1e-7), (2.5e-6, 1e-6 + 1e-8)].iter().enumerate()
    {
        let rates = model.rates(device);
        assert!((rates[0].time_s_per_byte / local_s - 1.0).abs() < 1e-12, "device {device}");
        assert!((rates[2].time_s_per_byte / cloud_s - 1.0).abs() < 1e-12, "device {device}");
    }
}
