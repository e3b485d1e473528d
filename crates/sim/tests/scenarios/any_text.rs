//! Properties: scenarios survive being written, and no text does harm.

use proptest::prelude::*;
use sim::Scenario;
use sim::scenario::{
    DeadlineRule, Devices, EnvironmentDistribution, PerDevice, Range, Server, Sharing, SizeDistribution, Tasks, Tier,
    UplinkDistribution,
};

/// A number as people write it, within what a scenario accepts.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![1e-12..1e12_f64, 0.001..1000.0_f64, (1..1000_u32).prop_map(f64::from), Just(1e-12), Just(1e12)]
}

fn numbers(devices: usize) -> impl Strategy<Value = PerDevice> {
    prop_oneof![number().prop_map(PerDevice::One), prop::collection::vec(number(), devices).prop_map(PerDevice::Each)]
}

fn distribution() -> impl Strategy<Value = SizeDistribution> {
    let range = || (number(), number()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        range().prop_map(|(min, max)| SizeDistribution::Uniform { min, max }),
        range().prop_map(|(min, max)| SizeDistribution::LogUniform { min, max }),
        ("[^\u{0}]{1,20}", 0.0..1.0_f64).prop_map(|(path, held_out)| SizeDistribution::File { path, held_out }),
    ]
}

fn environment() -> impl Strategy<Value = EnvironmentDistribution> {
    let range = || (number(), number()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let uplinks = prop_oneof![
        range().prop_map(|(min, max)| UplinkDistribution::Uniform { min, max }),
        range().prop_map(|(min, max)| UplinkDistribution::LogUniform { min, max }),
        (
            "[^\u{0}]{1,20}",
            1e-3..1e9_f64,
            0.0..1.0_f64,
            prop::option::of("[^\u{0}]{1,20}"),
            prop::option::of("[^\u{0}]{1,20}")
        )
            .prop_map(|(path, window_s, held_out, columns, format)| UplinkDistribution::Traces {
                path,
                window_s,
                held_out,
                columns,
                format
            }),
    ];
    let share = (1e-6..1e6_f64, 1e-6..1e6_f64).prop_map(|(a, b)| Range::LogUniform { min: a.min(b), max: a.max(b) });
    let alpha = (0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(|(a, b)| Range::Uniform { min: a.min(b), max: a.max(b) });
    (uplinks, prop::option::of(share), prop::option::of(alpha))
        .prop_map(|(uplinks, capacity, alpha)| EnvironmentDistribution { uplink_mbps: Some(uplinks), capacity, alpha })
}

fn server(devices: usize) -> impl Strategy<Value = Server> {
    let tier = prop_oneof![Just(Tier::Edge), Just(Tier::Cloud)];
    let sharing = || prop_oneof![Just(Sharing::Dedicated), Just(Sharing::Shared)];
    (tier, number(), number(), prop::option::of(numbers(devices)), sharing(), sharing()).prop_map(
        |(tier, frequency_mhz, energy, link_mbps, link_sharing, sharing)| {
            let is_one = matches!(link_mbps, Some(PerDevice::One(_)));
            let link_sharing = if is_one { link_sharing } else { Sharing::Dedicated };
            let name = String::new();
            Server {
                name,
                tier,
                frequency_mhz,
                energy_per_instruction_nj: energy,
                link_mbps,
                link_sharing,
                latency_ms: if is_one { 0.0 } else { 12.5 },
                sharing,
            }
        },
    )
}

/// Any tasks of a number of devices, up to `per_device` each.
fn tasks(count: usize, per_device: usize) -> impl Strategy<Value = Tasks> {
    let counts = prop::option::of(prop::collection::vec(0..=per_device, count));
    let rule =
        prop_oneof![Just(DeadlineRule::Report), number().prop_map(DeadlineRule::Penalty), Just(DeadlineRule::Hard)];
    let deadlines = prop::option::of((numbers(count), rule));
    (distribution(), counts, deadlines).prop_map(move |(size_mb, counts, deadlines)| {
        let counts = counts.filter(|counts| counts.iter().any(|count| *count > 0)).unwrap_or_default();
        let per_device = counts.iter().copied().max().unwrap_or(per_device);
        let (deadline_s, deadline_rule) = deadlines.unzip();
        Tasks { per_device, counts, size_mb, deadline_s, deadline_rule: deadline_rule.unwrap_or_default() }
    })
}

/// Any valid scenario.
fn scenario() -> impl Strategy<Value = Scenario> {
    let shape = (1..5_usize, 1..5_usize);
    shape.prop_flat_map(|(count, per_device)| {
        let devices = (numbers(count), numbers(count), numbers(count), prop::option::of(number()));
        let servers = prop::collection::vec(server(count), 1..5);
        let root = ("[^\\p{C}\\s./\\\\][^\\p{C}/\\\\]{0,20}", 0.0..=1.0_f64, numbers(count), numbers(count));
        let drawn = (tasks(count, per_device), prop::option::of(environment()));
        (root, devices, drawn, servers).prop_map(move |(root, devices, (tasks, environment), mut servers)| {
            for (index, server) in servers.iter_mut().enumerate() {
                server.name = format!("server_{index}");
            }
            let (name, alpha, instructions_per_byte, transmit_energy_nj_per_byte) = root;
            let (frequency_mhz, energy_per_instruction_nj, uplink_mbps, mut shared_uplink_mbps) = devices;
            if servers.iter().any(|server| server.link_mbps.is_some() && server.link_sharing == Sharing::Dedicated) {
                shared_uplink_mbps = None; // some of these links could be faster than an uplink
            }
            Scenario {
                name,
                alpha,
                instructions_per_byte,
                transmit_energy_nj_per_byte,
                devices: Devices { count, frequency_mhz, energy_per_instruction_nj, uplink_mbps, shared_uplink_mbps },
                tasks,
                environment,
                servers,
            }
        })
    })
}

/// A preset's text after a few edits by someone who knows TOML, but not scenarios.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = "0|-1|1e999|nan|inf|\"x\"|true|[]|[1, 2]|[[1]]|{}|{ a = 1 }|=|[|]]|\n|\n[devices]\n|\n[[servers]]\n\
        |\n[servers]\n|count = 3\n|name|.|'|\"|\\u0000|#|9999999999999999999999|0x7fffffffffffffff|1979-05-27\
        |1_000_000_000|\u{feff}|é|\r";
    let piece = prop::sample::select(pieces.split('|').collect::<Vec<_>>());
    let edit = (any::<prop::sample::Index>(), 0..12_usize, prop::option::of(piece));
    let preset = prop::sample::select(Scenario::presets().collect::<Vec<_>>());
    (preset, prop::collection::vec(edit, 1..6)).prop_map(|(preset, edits)| {
        let mut text: Vec<char> = Scenario::preset_text(preset).expect("a preset").chars().collect();
        for (position, removed, piece) in edits {
            let start = position.index(text.len());
            let end = (start + removed).min(text.len());
            text.splice(start..end, piece.unwrap_or_default().chars());
        }
        text.into_iter().collect()
    })
}

/// Reads any text. An accepted text must give a valid scenario; a refusal must give reasons, and the places that it names
/// must lie within the text.
fn read_anything(text: &str) -> Result<(), TestCaseError> {
    match Scenario::from_toml("anything", text) {
        Ok(scenario) => {
            prop_assert!(scenario.check().is_ok());
            let again = Scenario::from_toml("again", &scenario.to_toml());
            prop_assert_eq!(again.as_ref(), Ok(&scenario));
        }
        Err(problems) => {
            prop_assert!(!problems.list.is_empty());
            let lines = text.split('\n').count();
            for problem in &problems.list {
                prop_assert!(!problem.message.is_empty(), "{}", problems);
                let inside = problem.place.is_none_or(|(line, column)| (1..=lines).contains(&line) && column >= 1);
                prop_assert!(inside, "{} of {} lines", problems, lines);
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_scenario_survives_writing_and_reading(scenario in scenario()) {
        let text = scenario.to_toml();
        let again = Scenario::from_toml("again", &text);
        prop_assert_eq!(again.as_ref(), Ok(&scenario), "{}", text);
        prop_assert_eq!(again.map(|again| again.to_toml()), Ok(text));
    }

    #[test]
    fn a_valid_scenario_has_rates_that_can_be_added_up(scenario in scenario()) {
        let model = scenario.check().expect("valid by construction");
        for device in 0..model.devices() {
            for rate in model.rates(device) {
                prop_assert!(rate.energy_j_per_byte.is_finite() && rate.energy_j_per_byte >= 0.0);
                prop_assert!(rate.time_s_per_byte.is_finite() && rate.time_s_per_byte > 0.0);
            }
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,200}") {
        read_anything(&text)?;
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_anything(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn an_edited_preset_is_read_without_panic(text in mutated()) {
        read_anything(&text)?;
    }
}
