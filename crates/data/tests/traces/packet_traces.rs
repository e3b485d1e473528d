//! Packet traces, which repeat after their last time.

use std::fmt::Write as _;

use data::trace::{Format, Recording, TraceError};

use crate::{read, samples};

fn packets(times_ms: impl IntoIterator<Item = u64>) -> Recording {
    let lines = times_ms.into_iter().fold(String::new(), |mut lines, ms| {
        let _ = writeln!(lines, "{ms}");
        lines
    });
    read("a.up", lines).expect("a packet trace")
}

fn assert_near(found: &[(f64, f64)], expected: &[(f64, f64)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-9, "{found:?} instead of {expected:?}");
    }
}

#[test]
fn a_trace_of_less_than_a_second_is_repeated() {
    // One packet of 12 kbit each millisecond, in any length.
    for length_ms in [1, 2, 7, 500, 999] {
        let recording = packets(1..=length_ms);
        assert_eq!(recording.sources[0].format, Format::Mahimahi);
        assert_near(&samples(&recording), &[(0.0, 12.0)]);
        assert_eq!(recording.drives[0].duration_s(), 1.0);
    }
    assert_near(&samples(&packets([0, 100, 200, 300, 400])), &[(0.0, 5.0 * 0.012 / 0.4)]);
}

#[test]
fn a_last_second_that_is_not_full_counts_in_proportion() {
    for length_ms in [1000, 1001, 1500, 1999, 2000, 2500, 61_250] {
        let recording = packets(1..=length_ms);
        assert_eq!(recording.drives[0].duration_s(), length_ms as f64 / 1000.0);
        // Every packet counts once: a window over all of it has the rate of one packet each millisecond.
        let mean = recording.drives[0].windows(1000.0)[0].mbps[0];
        assert!((mean - 12.0).abs() < 1e-9, "{length_ms} ms: {mean}");
        assert_eq!(recording.sources[0].left_out, 0);
        let summary = recording.drives[0].devices[0].summary();
        assert!((summary.mean_mbps - 12.0).abs() < 1e-9, "{summary:?}");
    }
}

#[test]
fn a_trace_without_a_period_has_no_rate() {
    let error = read("a.up", "0\n0\n0\n").expect_err("no time passes");
    assert!(matches!(&error, TraceError::NoSamples { found } if found.left_out == 3), "{error}");
}
