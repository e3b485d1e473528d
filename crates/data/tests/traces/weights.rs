//! How rates are averaged over time.

use data::trace::{Drive, Hold, Sample, Trace, notes};

use crate::{read, transfer};

/// The mean rates of the only device in windows of 60 s.
fn means(text: &str) -> Vec<f64> {
    let recording = read("a.csv", format!("t_s,device,mbps\n{text}")).expect("good");
    recording.drives[0].windows(60.0).iter().map(|window| window.mbps[0]).collect()
}

fn rows(samples: impl IntoIterator<Item = (f64, f64)>) -> String {
    samples.into_iter().fold(String::new(), |rows, (t_s, mbps)| rows + &format!("{t_s},a,{mbps}\n"))
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9), "{found:?}");
}

/// Ten rows of 100 Mbit/s in the first second, then one of 1 Mbit/s each second.
fn burst() -> String {
    let first = (0..10).map(|tenth| (f64::from(tenth) / 10.0, 100.0));
    rows(first.chain((1..60).map(|second| (f64::from(second), 1.0))))
}

#[test]
fn a_burst_of_rows_weighs_the_time_that_it_lasts() {
    assert_near(&means(&burst()), &[159.0 / 60.0]);
    let recording = read("a.csv", format!("t_s,device,mbps\n{}", burst())).expect("good");
    assert!((recording.drives[0].devices[0].summary().mean_mbps - 2.65).abs() < 1e-9);
    let notes = notes(&recording.drives, Some(1), 60.0);
    assert!(notes.len() == 1 && notes[0].contains("device a") && notes[0].contains("from 0.1 s to 1 s"), "{notes:?}");
}

#[test]
fn more_rows_in_bursts_than_outside_change_nothing() {
    let first = (0..500).map(|k| (f64::from(k) / 500.0, 100.0));
    let text = rows(first.chain((1..60).map(|second| (f64::from(second), 1.0))));
    assert_near(&means(&text), &[159.0 / 60.0]);
    // The same with several rows at one time, as loggers write them whose clock has whole seconds.
    let same = (0..10).map(|_| (0.0, 100.0)).chain((1..60).map(|second| (f64::from(second), 1.0)));
    assert_near(&means(&rows(same)), &[159.0 / 60.0]);
}

#[test]
fn a_rate_holds_across_the_border_of_windows() {
    // 2 holds from 50 s to 80 s, so that it counts for 10 s of the first window and 20 s of the second.
    let text = rows([(0.0, 1.0), (50.0, 2.0), (80.0, 5.0), (110.0, 7.0), (140.0, 9.0)]);
    let [first, second] = [50.0 + 2.0 * 10.0, 2.0 * 20.0 + 5.0 * 30.0 + 7.0 * 10.0].map(|sum| sum / 60.0);
    // The last rate holds for the usual 30 s.
    assert_near(&means(&text), &[first, second, (7.0 * 20.0 + 9.0 * 30.0) / 50.0]);
}

#[test]
fn a_rate_does_not_hold_over_a_gap() {
    // Half-second rows in the first second, then a row each second up to 19 s; nothing until 300 s.
    let dense = (0..4).map(|k| (f64::from(k) / 4.0, 8.0));
    let steady = (1..20).map(|second| (f64::from(second), 2.0));
    let after = (300..310).map(|second| (f64::from(second), 4.0));
    let text = rows(dense.chain(steady).chain(after));
    assert_near(&means(&text), &[(8.0 + 19.0 * 2.0) / 20.0, 4.0]);
}

#[test]
fn samples_at_equal_distances_all_weigh_the_same() {
    // Bit for bit, also where the windows cut the distances and where some samples are missing.
    for (step_s, phase_s) in [(1.0, 0.0), (7.0, 0.0), (7.0, 3.5), (0.1, 0.05), (25.0, 1.0)] {
        let kept = |k: &u32| !(40..60).contains(k);
        let samples: Vec<Sample> = (0..200)
            .filter(kept)
            .map(|k| Sample { t_s: phase_s + step_s * f64::from(k), mbps: f64::from(k * 7919 % 31) / 3.0 })
            .collect();
        let drive = |hold| Drive {
            name: "d".to_owned(),
            environment: String::new(),
            devices: vec![Trace { device: "a".to_owned(), samples: samples.clone(), hold }],
        };
        let held = drive(Hold::UntilNext { last_s: None });
        for length_s in [10.0, 60.0, 61.3] {
            assert_eq!(
                held.windows(length_s),
                drive(Hold::Single).windows(length_s),
                "{step_s} s, windows of {length_s} s"
            );
        }
        assert_eq!(held.devices[0].uneven_spacing_s(60.0), None);
    }
}

#[test]
fn small_differences_between_times_do_not_matter() {
    let jitter = |k: u32| f64::from(k) + f64::from(k * 31 % 7) / 100.0;
    let text = rows((0..60).map(|k| (jitter(k), f64::from(k % 5))));
    assert_near(&means(&text), &[2.0]);
}

#[test]
fn transfers_all_weigh_the_same() {
    let text = transfer(0.0, 100, 2.0, 1.0) + &transfer(1.0, 101, 2.0, 1.0) + &transfer(50.0, 150, 2.0, 4.0);
    let recording = read("100_o2_ul.txt", text).expect("good");
    let mean = recording.drives[0].windows(60.0)[0].mbps[0];
    assert!((mean - 2.0 * 1.048_576).abs() < 1e-9, "{mean}");
    assert!(notes(&recording.drives, Some(1), 60.0).is_empty());
}

#[test]
fn one_time_alone_has_the_mean_of_its_rates() {
    assert_near(&means("5,a,1\n5,a,3\n"), &[2.0]);
    assert_near(&means("5,a,1\n"), &[1.0]);
}
