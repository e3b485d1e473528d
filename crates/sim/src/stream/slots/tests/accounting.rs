//! What runs take and cost, against numbers worked out by hand.

use super::*;

#[test]
fn a_run_is_charged_as_the_model_says() {
    let problem = plain(1, 1, |settings| settings.flush_s = 0.0);
    // 6 bytes in slot 0 and 1 in slot 2; sent 2, 0 (no rate), 4 + 1 at a rate of 10, which takes half of the slot.
    let path = SlotPath::new(&problem, vec![2.0, 0.0, 10.0, 1.0], vec![file(0, 6.0), file(2, 1.0)]).expect("valid");
    let outcome = run(&path, "at-once");
    assert_eq!(outcome.energy_j, 1.0 + 0.5);
    // Backlogs: 6 to 4, 4, 5 to 0.
    assert_eq!(outcome.mean_delay_s, (5.0 + 4.0 + 2.5) / 7.0);
    assert_eq!((outcome.mean_file_delay_s, outcome.largest_file_delay_s), (2.0, 3.0));
    assert_eq!((outcome.files, outcome.sending_slots, outcome.left_bytes), (2, 2, 0.0));
    assert!((outcome.cost - (0.5 * 1.5 / 2.0 + 0.5 * outcome.mean_delay_s)).abs() < 1e-12);
    assert_eq!(outcome.mean_power_w, 1.5 / 4.0);
}

#[test]
fn data_that_is_left_is_charged_and_forced_sending_empties_the_queue() {
    let problem = |flush_s| plain(1, 1, |settings| settings.flush_s = flush_s);
    let rates = vec![1.0; 8];
    let path = SlotPath::new(&problem(0.0), rates.clone(), vec![file(0, 4.0)]).expect("valid");
    let outcome = run(&path, "threshold@50");
    // 4 bytes at 1 byte a joule, one and a half times.
    assert_eq!((outcome.left_bytes, outcome.energy_j, outcome.mean_delay_s), (4.0, 6.0, 8.0));
    assert_eq!(outcome.largest_file_delay_s, 8.0);
    // A fourth of the path is forced, whatever the settings ask for.
    let forced = run(&SlotPath::new(&problem(100.0), rates, vec![file(0, 4.0)]).expect("valid"), "threshold@50");
    assert_eq!((forced.left_bytes, forced.sending_slots), (2.0, 2));
}

#[test]
fn a_radio_stays_on_for_its_tail() {
    let tail = Some(Tail { power_w: 0.5, length_s: 2.5 });
    let problem = plain(1, 1, |settings| settings.links[0].tail = tail);
    let mut rates = vec![2.0; 12];
    rates[2] = 1.0;
    let path = SlotPath::new(&problem, rates.clone(), vec![file(0, 3.0), file(2, 0.5)]).expect("valid");
    // Sends for 1, ½ and ½ slots; the rest of two slots, then 2.5 s in the tail.
    let outcome = run(&path, "at-once");
    assert!((outcome.energy_j - (2.0 + 0.5 * 1.0 + 0.5 * 2.5)).abs() < 1e-12, "{}", outcome.energy_j);
    // Between two transfers that are far apart it goes off.
    let path = SlotPath::new(&problem, rates, vec![file(0, 2.0), file(8, 2.0)]).expect("valid");
    assert!((run(&path, "at-once").energy_j - 2.0 * (1.0 + 0.5 * 2.5)).abs() < 1e-12);
}

#[test]
fn late_data_goes_over_the_fallback() {
    let problem = |fallback| {
        plain(1, 1, |settings| {
            settings.applications[0].deadline_s = Some(3.0);
            settings.fallback = fallback;
            settings.late_price = 7.0;
        })
    };
    let path = |fallback| {
        SlotPath::new(&problem(fallback), vec![1.0; 40], vec![file(0, 2.0), file(1, 5.0), file(30, 1.0)])
            .expect("valid")
    };
    let dear = Some(Fallback { energy_j_per_byte: 10.0, bytes_per_s: f64::INFINITY });
    let outcome = run(&path(dear), "at-once");
    // Sends 2 + 2 bytes until slot 4, when the second file is late with 3 bytes left.
    assert_eq!((outcome.missed_deadlines, outcome.fallback_bytes), (1, 3.0));
    assert_eq!(outcome.energy_j, 4.0 + 30.0 + 1.0);
    assert!(outcome.cost > 7.0 / 3.0);
    // A slow fallback carries one byte a slot, and the link another.
    let slow = run(&path(Some(Fallback::link(10.0, 1.0))), "at-once");
    assert_eq!((slow.missed_deadlines, slow.fallback_bytes, slow.energy_j), (1, 2.0, 4.0 + 20.0 + 1.0 + 1.0));
    let without = run(&path(None), "at-once");
    assert_eq!((without.missed_deadlines, without.fallback_bytes, without.largest_file_delay_s), (1, 0.0, 6.0));
}

#[test]
fn files_that_do_not_fit_are_dropped_and_charged() {
    let problem = plain(1, 1, |settings| settings.queue_limit_bytes = 4.0);
    let path = SlotPath::new(&problem, vec![1.0; 20], vec![file(0, 3.0), file(0, 2.0), file(2, 3.0)]).expect("valid");
    let outcome = run(&path, "at-once");
    assert_eq!((outcome.dropped_files, outcome.dropped_bytes, outcome.files), (1, 2.0, 3));
    assert_eq!(outcome.energy_j, 6.0 + 1.5 * 2.0);
}

#[test]
fn a_trace_adds_up_to_the_outcome() {
    let problem = testing::problem();
    let path = problem.path(4, 0);
    let kind: SlotSchemeKind = "threshold@4".parse().expect("a name");
    let (mut energy, mut sent, mut slots, mut sending) = (0.0, 0.0, 0, 0);
    let mut add = |record: &SlotRecord<'_>| {
        energy += record.energy_j;
        sent += record.sent_bytes[0];
        assert!(record.sent_bytes[0] <= record.bytes_per_s[0].min(record.backlog_bytes));
        slots += 1;
        sending += usize::from(record.sent_bytes[0] > 0.0);
    };
    let outcome = simulate(&path, kind.build(None).expect("plain").as_mut(), Some(&mut add)).expect("it decides");
    let charged = outcome.left_bytes * path.prices().left_j_per_byte;
    assert!((energy + charged - outcome.energy_j).abs() < 1e-6 && slots == 3600 && sending == outcome.sending_slots);
    assert!((sent + outcome.left_bytes - path.arrived_bytes()).abs() < 1.0);
    assert_eq!(outcome, run(&path, "threshold@4"));
}

/// `cargo test -p sim --lib slots_a_second -- --ignored --nocapture`
#[test]
#[ignore = "a measurement of speed"]
fn slots_a_second() {
    let mut settings = testing::settings();
    settings.slots = 1_000_000;
    let problem = SlotProblem::new(settings).expect("valid");
    let path = problem.path(1, 0);
    for name in ["at-once", "threshold@4", "lyapunov-scaled", "power-rule", "etime", "forecast@15"] {
        let kind: SlotSchemeKind = name.parse().expect("a name");
        let mut scheme = kind.build(None).expect("plain");
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = std::time::Instant::now();
            simulate(&path, scheme.as_mut(), None).expect("it decides");
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{name:16} {:6.1} million slots a second", 1.0 / best);
    }
}
