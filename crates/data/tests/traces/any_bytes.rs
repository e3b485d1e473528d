//! Whatever the bytes are: no panic, and only samples that make sense.

use data::trace::{MAX_RATE_MBPS, Recording};
use data::{natural_order, task_sizes};
use proptest::prelude::*;

use crate::{Folder, transfer};

/// Pieces that lead deep into the readers.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        any::<f64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        (0..5000_u32).prop_map(|value| value.to_string()),
        Just("nan".to_owned()),
        Just("-0".to_owned()),
        Just("1e999".to_owned()),
    ];
    let line = prop_oneof![
        (number.clone(), prop::sample::select(vec!["bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "x"]))
            .prop_map(|(value, unit)| format!("{value},{unit}\n")),
        (0..200_000_u64).prop_map(|ms| format!("{ms}\n")),
        (number.clone(), prop::sample::select(vec!["a", "b", "\"c\"\"", ""]), number.clone())
            .prop_map(|(time, device, rate)| format!("{time},{device},{rate}\n")),
        (0.0..1e4_f64, 0..20_000_u64, 0.0..3.0_f64, -1.0..1e7_f64)
            .prop_map(|(t, unix, payload, rate)| transfer(t, unix, payload, rate)),
        (number.clone(), number.clone()).prop_map(|(a, b)| transfer(1.0, 2, 3.0, 4.0).replacen(
            "1.00,2,",
            &format!("{a},{b},"),
            1
        )),
        (number.clone(), number.clone()).prop_map(|(time, rate)| format!("{time}\t{rate}\n")),
        (number.clone(), number.clone()).prop_map(|(bytes, ms)| format!("1300000000 {ms} 59.9 10.7 {bytes} {ms}\n")),
        (number.clone(), number.clone(), number.clone())
            .prop_map(|(start, end, rate)| format!("[  5] {start}-{end}   sec  1.25 MBytes  {rate} Mbits/sec\n")),
        (number.clone(), number.clone()).prop_map(|(end, rate)| format!(
            "{{\"intervals\": [{{\"sum\": {{\"start\": 0, \"end\": {end}, \"bits_per_second\": {rate}}}}}]}}\n"
        )),
        (0..100_u8, number.clone()).prop_map(|(second, rate)| format!("2024.01.01_10.00.{second:02},B,{rate}\n")),
        Just("Timestamp,Operatorname,UL_bitrate\n".to_owned()),
        Just("t_s,device,mbps\n".to_owned()),
        Just("workload,device,task,mb\n".to_owned()),
        Just("{\"workflow\": {\"specification\": {\"tasks\": [\n".to_owned()),
        prop::sample::select(vec!["\u{feff}", "\n", "\r\n", "\"", ",", "\0", "9"]).prop_map(str::to_owned),
    ];
    prop_oneof![
        8 => line.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// A header or none, then mostly lines of all kinds.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![
        "",
        "",
        "t_s,device,mbps\n",
        "mbps,t_s,device\r\n",
        "time;mbps\n",
        "Timestamp,Operatorname,UL_bitrate\n",
        "\u{feff}",
    ]);
    (start, prop::collection::vec(piece(), 0..30))
        .prop_map(|(start, pieces)| [start.as_bytes().to_vec(), pieces.concat()].concat())
}

fn check(recording: &Recording) {
    let used: usize = recording.drives.iter().flat_map(|drive| &drive.devices).map(|device| device.samples.len()).sum();
    assert_eq!(used, recording.sources.iter().map(|source| source.samples).sum::<usize>());
    for drive in &recording.drives {
        let firsts = drive.devices.iter().map(|device| device.samples[0].t_s);
        assert_eq!(firsts.reduce(f64::min), Some(0.0));
        assert!(drive.devices.is_sorted_by(|a, b| natural_order(&a.device, &b.device).is_lt()));
        for device in &drive.devices {
            assert!(device.samples.iter().all(|sample| (0.0..=MAX_RATE_MBPS).contains(&sample.mbps)));
            assert!(device.samples.iter().all(|sample| sample.t_s.is_finite() && sample.t_s >= 0.0));
            assert!(device.samples.is_sorted_by(|a, b| a.t_s <= b.t_s));
            let summary = device.summary();
            assert!(summary.mean_mbps.is_finite() && summary.longest_gap_s <= summary.duration_s);
        }
        for length_s in [0.7, 60.0, 1e9] {
            let windows = drive.windows(length_s);
            assert!(windows.is_sorted_by(|a, b| a.start_s < b.start_s));
            assert!(windows.iter().flat_map(|window| &window.mbps).all(|rate| (0.0..=MAX_RATE_MBPS).contains(rate)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(
        files in prop::collection::vec(prop_oneof![8 => file(), 1 => prop::collection::vec(any::<u8>(), 0..300)], 1..4)
    ) {
        let folder = Folder::new();
        for (index, bytes) in files.iter().enumerate() {
            let path = folder.write(&format!("{index}_o{}_ul.txt", index % 2), bytes);
            if let Ok(recording) = Recording::open(&path) {
                check(&recording);
            }
            if let Ok(sizes) = task_sizes(&path) {
                assert!(sizes.sizes_mb.iter().all(|size| *size > 0.0 && size.is_finite()));
            }
        }
        if let Ok(recording) = Recording::open(folder.path()) {
            check(&recording);
        }
    }
}
