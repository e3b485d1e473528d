use proptest::prelude::*;
use sim::Scenario;
use sim::limits::SLOWEST_TOLD_APART_MBPS;

use super::*;

const SCALING: Scaling = Scaling { mean_bytes: 20e6, std_dev_bytes: 5e6 };

fn codec(code: Code, servers: usize) -> Codec {
    let mut scenario = Scenario::load("paper").expect("a preset");
    let template = scenario.servers[0].clone();
    scenario.servers =
        (0..servers).map(|index| sim::scenario::Server { name: format!("s{index}"), ..template.clone() }).collect();
    Codec::new(code, &scenario.check().expect("valid"), SCALING).expect("fits")
}

proptest! {
    #[test]
    fn logits_that_match_the_targets_decode_to_the_decision(
        indicators in any::<bool>(), servers in 1..6_usize, seed in prop::collection::vec(any::<u8>(), 9),
    ) {
        let code = if indicators && servers <= 2 { Code::Indicators } else { Code::Categorical };
        let codec = codec(code, servers);
        let places: Vec<u8> = seed.iter().map(|byte| byte % (servers as u8 + 1)).collect();
        let mut targets = vec![0.5; codec.outputs()];
        codec.targets(&[1e6; 9], &places, &mut targets);
        let logits: Vec<f32> = targets.iter().map(|target| if *target == DONT_CARE { 0.3 } else { target - 0.5 }).collect();
        let mut decoded = vec![9; 9];
        codec.decode(&logits, &mut decoded);
        prop_assert_eq!(&decoded, &places);

        // Nothing is learned of tasks without bytes, and the others are learned as before.
        let sizes: Vec<f64> = (0..9).map(|task| f64::from(u8::from(seed[task] > 99))).collect();
        let mut of_present = vec![0.5; codec.outputs()];
        codec.targets(&sizes, &places, &mut of_present);
        let width = codec.outputs() / 9;
        for (task, of_task) in of_present.chunks(width).enumerate() {
            let wanted = if sizes[task] > 0.0 { &targets[task * width..][..width] } else { &vec![DONT_CARE; width][..] };
            prop_assert_eq!(of_task, wanted, "task {}", task);
        }
    }

    #[test]
    fn alternatives_are_what_flipped_logits_decode_to(logits in prop::collection::vec(-2.0..2.0_f32, 18)) {
        let codec = codec(Code::Indicators, 2);
        let mut places = vec![0; 9];
        codec.decode(&logits, &mut places);
        let mut alternatives = Vec::new();
        codec.alternatives(&logits, &mut alternatives);
        for (position, logit) in logits.iter().enumerate() {
            let mut flipped = logits.clone();
            flipped[position] = -logit;
            let mut decoded = vec![0; 9];
            codec.decode(&flipped, &mut decoded);
            let task = position / 2;
            let found = alternatives.iter().any(|other| {
                other.task == task && other.place == decoded[task] && other.certainty == logit.abs()
            });
            prop_assert_eq!(found, decoded != places, "logit {}", position);
        }
    }
}

#[test]
fn two_indicators_do_not_tell_four_places_apart() {
    let mut scenario = Scenario::load("paper").expect("a preset");
    let mut third = scenario.servers[0].clone();
    third.name = "third".to_owned();
    scenario.servers.push(third);
    let model = scenario.check().expect("valid");
    assert_eq!(Codec::new(Code::Indicators, &model, SCALING), Err(CodeError { places: 4 }));
    assert_eq!(Codec::default_code(&model), Code::Categorical);
}

#[test]
fn sizes_are_scaled_to_mean_zero() {
    let model = Scenario::load("paper").expect("a preset").check().expect("valid");
    let mut inputs = [9.0; 2];
    codec(Code::Indicators, 2).encode(&model, &[20e6, 30e6], &mut inputs);
    assert_eq!(inputs, [0.0, 2.0]);
}

#[test]
fn networks_read_what_changes() {
    let scenario = Scenario::load("paper").expect("a preset");
    let mut environment = scenario.own_environment();
    environment.uplinks_mbps = vec![0.8, 0.0, 1e9];
    environment.capacities = vec![1.0, 0.5];
    environment.alpha = 0.75;
    let model = scenario.check().expect("valid").at(&environment).expect("fits");
    let scale = |mean, std_dev| Some(Standard { mean, std_dev });
    let reads = EnvironmentInputs {
        log_uplink: scale(0.8_f64.ln(), 2.0),
        log_capacity: scale(0.0, 0.5_f64.ln().abs()),
        alpha: scale(0.5, 0.25),
    };
    let codec = codec(Code::Indicators, 2).with_environment(reads);
    assert_eq!(codec.inputs(), 9 + 6 + 2 + 1);
    let mut inputs = vec![9.0; codec.inputs()];
    codec.encode(&model, &[20e6; 9], &mut inputs);
    assert_eq!(inputs[..9], [0.0; 9]);
    // 10 s/MB to send at 0.8 Mbit/s, as long as to compute: a half.
    let slowest = ((SLOWEST_TOLD_APART_MBPS / 0.8).ln() / 2.0) as f32;
    assert!((inputs[9], inputs[11]) == (0.0, slowest) && inputs[10].abs() < 1e-6, "{inputs:?}");
    assert!(inputs[12] == 1.0 && inputs[13] == 4.0 && inputs[14] < -0.999, "{inputs:?}");
    assert_eq!(inputs[15..], [0.0, -1.0, 1.0]);
}
