//! Live queues against the simulator, and what corrections do to them.

use super::super::path::Arrival;
use super::super::scheme::by_name;
use super::super::testing::Setting;
use super::super::{Access, DoneTask, Path, SiteParts, simulate_traced};
use super::*;

const BURSTS: Setting = Setting { devices: 6, is_mixed: true, has_bursts: true, load: 0.6, changes: false };

/// Even and mixed sites with constant links; with a deadline and radios that stay on.
fn sites() -> Vec<Site> {
    let with_tails = |mut parts: SiteParts| {
        (parts.deadline_s, parts.late_cost) = (200.0, 7.0);
        if let Access::Own(links) = &mut parts.servers[1].access {
            for link in links {
                (link.send_w, link.tail_w, link.tail_s) = (0.5, 0.2, 10.0);
            }
        }
        Site::with_load(parts, 0.7).expect("a site that carries its tasks")
    };
    vec![Setting::EVEN.site(1), BURSTS.site(2), with_tails(BURSTS.parts(3))]
}

fn live(site: &Site, scheme: &str, seed: u64) -> LiveSite {
    LiveSite::new(site, by_name(scheme, site).expect("a scheme"), seed)
}

fn task(arrival: &Arrival) -> LiveTask {
    let Arrival { time_s, bytes, device } = *arrival;
    LiveTask { time_s, device, bytes, deadline_s: None, rates: Vec::new(), id: None }
}

/// What the simulator does with a path, in the order of arrivals.
fn simulated(site: &Site, path: &Path, scheme: &str, seed: u64) -> Vec<DoneTask> {
    let mut done = Vec::new();
    let mut scheme = by_name(scheme, site).expect("a scheme");
    simulate_traced(site, path, scheme.as_mut(), seed, |task| done.push(*task));
    done.sort_by_key(|task| task.index);
    done
}

#[test]
fn places_and_times_are_the_simulators_exactly() {
    for site in sites() {
        let path = Path::draw(&site, 3_000, 5);
        for scheme in ["greedy", "one-step", "one-step-fitted", "priced", "static-split", "random", "edge-only"] {
            let wanted = simulated(&site, &path, scheme, 7);
            let mut live = live(&site, scheme, 7);
            let mut placed = Vec::new();
            let mut done_s = vec![f64::NAN; wanted.len()];
            for chunk in path.arrivals().chunks(7) {
                placed.extend(live.dispatch(chunk.iter().map(task).collect()).expect("valid tasks"));
                for (number, done_s) in (0..).zip(&mut done_s) {
                    // It is forgotten some time after it was done.
                    *done_s = live.open.get(number).map_or(*done_s, |task| task.done_s);
                }
            }
            live.advance(1e9).expect("later");
            for (wanted, placed) in wanted.iter().zip(&placed) {
                let known = live.open.get(placed.number).map_or(done_s[wanted.index], |task| task.done_s);
                assert_eq!((placed.place, placed.energy_j), (usize::from(wanted.place), wanted.energy_j), "{scheme}");
                assert_eq!(known, wanted.done_s, "{scheme}, task {}", wanted.index);
            }
            let greedy: f64 = simulated(&site, &path, "greedy", 7).iter().map(|task| task.cost).sum();
            if site.parts().late_cost == 0.0 && scheme == "greedy" {
                assert_eq!(live.counts().cost, live.counts().greedy_cost);
                // What is expected at a machine that others join before is a little less than what comes of it.
                assert!((live.counts().cost / greedy - 1.0).abs() < 0.02);
            }
            assert_eq!(live.counts().placed(), 3_000);
        }
    }
}

#[test]
fn reports_of_what_was_expected_change_nothing() {
    for site in sites() {
        let path = Path::draw(&site, 2_000, 3);
        let wanted = simulated(&site, &path, "one-step", 1);
        let mut live = live(&site, "one-step", 1);
        let mut open: Vec<&DoneTask> = Vec::new();
        for (arrival, wanted) in path.arrivals().iter().zip(&wanted) {
            open.sort_by(|a, b| b.done_s.total_cmp(&a.done_s));
            while let Some(done) = open.pop_if(|task| task.done_s <= arrival.time_s) {
                let id = done.index.to_string().into();
                let told = live.complete(&[Completion { id, done_s: done.done_s }]).expect("it is open");
                assert_eq!((told[0].expected_s, told[0].cost), (done.done_s, done.cost));
            }
            let placed = live.dispatch(vec![task(arrival)]).expect("a valid task");
            assert_eq!(placed[0].place, usize::from(wanted.place));
            open.push(wanted);
        }
        assert_eq!(live.counts().delay_s, 0.0);
    }
}

#[test]
fn a_kept_site_continues_as_if_nothing_had_been() {
    for scheme in ["random", "static-split", "priced"] {
        let site = BURSTS.site(4);
        let path = Path::draw(&site, 2_000, 9);
        let mut whole = live(&site, scheme, 3);
        let tasks = |part: &[Arrival]| part.iter().map(task).collect::<Vec<_>>();
        let (first, second) = path.arrivals().split_at(1_100);
        let mut first = tasks(first);
        first[500].rates = vec![(site.own_link_of(0, "cloud").expect("a link"), 2e5)];
        whole.dispatch(first).expect("valid tasks");
        let kept = whole.kept();
        let mut again = live(&site, scheme, 3);
        assert_eq!(again.continued(kept.clone()), Ok(true));
        assert_eq!(again.kept(), kept);
        assert_eq!(again.dispatch(tasks(second)), whole.dispatch(tasks(second)));
        assert_eq!(again.kept(), whole.kept());
        let mut other = live(&BURSTS.site(5), scheme, 3);
        assert!(matches!(other.continued(kept.clone()), Err(ContinueError::OtherSite { .. })));
        let mut greedy = live(&site, "greedy", 3);
        assert_eq!(greedy.continued(kept), Ok(false));
        assert_eq!(greedy.counts().placed(), 1_100);
    }
}

/// Three tasks of 10 MB, one after the other, at the device 0 of a site where everything stays there: 100 s each.
fn three_in_a_row() -> LiveSite {
    let mut live = live(&Setting::EVEN.site(1), "local-only", 1);
    let one = |time_s| task(&Arrival { time_s, bytes: 10e6, device: 0 });
    live.dispatch(vec![one(0.0), one(1.0), one(2.0)]).expect("valid tasks");
    live
}

fn report(live: &mut LiveSite, id: &str, done_s: f64) -> CompletedTask {
    live.complete(&[Completion { id: id.into(), done_s }]).expect("it is open")[0]
}

fn backlog_s(live: &LiveSite) -> f64 {
    // Times per byte are no round numbers.
    (1e6 * live.backlogs_s().next().expect("the processor of the first device")).round() / 1e6
}

#[test]
fn a_task_that_is_done_early_or_late_moves_those_behind_it() {
    let mut live = three_in_a_row();
    assert_eq!((live.time_s(), backlog_s(&live)), (2.0, 298.0));
    assert_eq!(report(&mut live, "0", 60.0).expected_s.round(), 100.0);
    assert_eq!(backlog_s(&live), 200.0, "the second is served from 60 s on");
    assert_eq!(report(&mut live, "1", 190.0).expected_s.round(), 160.0);
    assert_eq!(backlog_s(&live), 100.0, "the third is still to be served");
    assert_eq!(report(&mut live, "2", 290.0).expected_s.round(), 290.0);
    assert_eq!((backlog_s(&live), live.open()), (0.0, 0));
    let mut live = three_in_a_row();
    report(&mut live, "2", 20.0);
    assert_eq!(backlog_s(&live), 0.0, "what was before it is done, too");
    assert_eq!(report(&mut live, "0", 25.0).expected_s.round(), 100.0);
    assert_eq!(backlog_s(&live), 0.0);
}

#[test]
fn backlogs_can_be_told() {
    let mut live = three_in_a_row();
    live.set_backlogs(&[(0, 7.5)]).expect("a queue");
    assert_eq!(backlog_s(&live), 7.5);
    let next = task(&Arrival { time_s: 4.5, bytes: 1e6, device: 0 });
    assert_eq!(live.dispatch(vec![next]).expect("valid")[0].wait_s, 5.0);
    for (backlogs, index) in [(vec![(0, 1.0), (99, 1.0)], 1), (vec![(0, -1.0)], 0), (vec![(0, f64::NAN)], 0)] {
        assert_eq!(live.set_backlogs(&backlogs).expect_err("no backlog").0, index);
    }
}

#[test]
fn a_slower_link_takes_longer_also_for_what_is_on_it() {
    let site = Setting::EVEN.site(1);
    let mut live = live(&site, "cloud-only", 1);
    let link = site.own_link_of(1, "cloud").expect("a link of its own");
    assert_eq!(site.own_link_of(1, "edge"), None);
    let one = |time_s, rates: &[(usize, f64)]| LiveTask {
        rates: rates.to_vec(),
        ..task(&Arrival { time_s, bytes: 7.5e6, device: 1 })
    };
    let first = live.dispatch(vec![one(0.0, &[])]).expect("valid")[0];
    // 10 s on the link, 7.5 s there.
    assert_eq!((first.place, first.done_s), (2, 17.5));
    let second = live.dispatch(vec![one(4.0, &[(link, 375e3)])]).expect("valid")[0];
    assert_eq!((second.wait_s, second.done_s), (12.0, 4.0 + 12.0 + 20.0 + 7.5));
    assert_eq!(report(&mut live, "0", 23.5).expected_s, 23.5);
    assert_eq!(live.counts().delay_s, 0.0);
    let third = live.dispatch(vec![one(24.0, &[(link, 0.0)])]).expect("valid")[0];
    assert_ne!(third.place, 2, "nothing can be sent there");
    let fourth = live.dispatch(vec![one(25.0, &[(link, 750e3)])]).expect("valid")[0];
    assert_eq!(fourth.place, 2);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut live = three_in_a_row();
    let before = live.kept();
    let good = task(&Arrival { time_s: 3.0, bytes: 1e6, device: 0 });
    let wrong = [
        (LiveTask { time_s: 1.0, ..good.clone() }, "must not run backwards: it is 3 s already"),
        (LiveTask { time_s: f64::NAN, ..good.clone() }, "the time must be"),
        (LiveTask { device: 3, ..good.clone() }, "devices are 0 to 2"),
        (LiveTask { bytes: 0.0, ..good.clone() }, "the size must be"),
        (LiveTask { deadline_s: Some(0.0), ..good.clone() }, "the deadline must be"),
        (LiveTask { rates: vec![(0, 1.0)], ..good.clone() }, "there is no queue 0"),
        (LiveTask { rates: vec![(4, -1.0)], ..good.clone() }, "the rate of a link must be"),
        (LiveTask { id: Some("1".into()), ..good.clone() }, "open already"),
    ];
    for (task, part) in wrong {
        let (index, error) = live.dispatch(vec![good.clone(), task]).expect_err(part);
        assert!(index == 1 && error.to_string().contains(part), "{part}: {error}");
    }
    let twice = LiveTask { id: Some("\"a\"".into()), ..good };
    assert!(matches!(live.dispatch(vec![twice.clone(), twice]), Err((1, LiveError::Duplicate { .. }))));
    let done = |id: &str, done_s| Completion { id: id.into(), done_s };
    for (completions, part) in [
        (vec![done("0", 9.0), done("7", 9.0)], "no open task has the id 7"),
        (vec![done("0", 9.0), done("0", 9.0)], "no open task has the id 0"),
        (vec![done("0", 9.0), done("2", 1.0)], "came at 2 s, and cannot have been done at 1 s"),
        (vec![done("0", 9.0), done("1", f64::INFINITY)], "must be a number"),
    ] {
        let (index, error) = live.complete(&completions).expect_err(part);
        assert!(index == 1 && error.to_string().contains(part), "{part}: {error}");
    }
    assert_eq!(live.kept(), before);
}

#[test]
fn the_oldest_tasks_are_forgotten() {
    let mut live = live(&Setting::EVEN.site(1), "greedy", 1).with_most_open(10);
    // More than the site can do: queues grow, what is remembered does not.
    for second in 0..1_000 {
        live.dispatch(vec![task(&Arrival { time_s: f64::from(second), bytes: 1e8, device: 0 })]).expect("valid");
    }
    assert_eq!(live.open(), 10);
    assert!(live.complete(&[Completion { id: "5".into(), done_s: 999.0 }]).is_err());
    assert!(live.logs.iter().map(QueueLog::len).sum::<usize>() < 30);
}

#[test]
fn a_part_of_a_site_has_its_own_devices_and_a_share_of_what_is_shared() {
    let site = BURSTS.site(2);
    let part = site.part(&[4, 1], SharedMachines::Share).expect("it carries its tasks");
    let whole = site.part(&[4, 1], SharedMachines::Whole).expect("it carries its tasks");
    assert_eq!(part.devices(), 2);
    for (own, all) in [(0, 4), (1, 1)] {
        for place in 0..site.places() {
            let queue =
                |site: &Site, device| site.queues_of(device, place).map(|queue| Some(site.queues()[queue?].clone()));
            for (own, all) in queue(&part, own).into_iter().zip(queue(&site, all)) {
                let (Some(own), Some(all)) = (own, all) else { continue };
                assert_eq!(own.name, all.name);
                let share = if own.name == "edge" { all.s_per_byte / own.s_per_byte } else { 1.0 };
                assert!((share < 1.0) == (own.name == "edge") && own.s_per_byte * share == all.s_per_byte);
            }
        }
    }
    let edge = |site: &Site| site.queues().iter().find(|queue| queue.name == "edge").expect("a machine").s_per_byte;
    assert_eq!(edge(&whole), edge(&site));
    let arrivals = |site: &Site| site.arrivals_per_s();
    let share = arrivals(&part) / arrivals(&site);
    assert!((edge(&site) / edge(&part) / share - 1.0).abs() < 1e-12);
}

/// Whatever is reported, told and changed: queues stay numbers from 0, tasks that are done leave them, and a kept site is the same.
#[test]
fn queues_stay_queues_under_any_reports() {
    for seed in 1..=5 {
        let site = Setting { changes: true, ..BURSTS }.site(seed);
        let mut random = crate::random::stream(seed, "live reports");
        let mut live = live(&site, "one-step", seed);
        let mut open: Vec<(u64, f64)> = Vec::new();
        let mut now_s = 0.0;
        for step in 0..2_000 {
            now_s += crate::random::exponential(&mut random);
            let device = crate::random::below(&mut random, site.devices()) as u32;
            match crate::random::below(&mut random, 10) {
                0..=4 => {
                    let bytes = 1e6 + 3e7 * crate::random::unit(&mut random);
                    let mut task = task(&Arrival { time_s: now_s, bytes, device });
                    if crate::random::below(&mut random, 5) == 0 {
                        let link = site.own_link_of(device as usize, "cloud").expect("a link");
                        task.rates = vec![(link, 2e6 * crate::random::unit(&mut random))];
                    }
                    let placed = live.dispatch(vec![task]).expect("valid")[0];
                    assert!(placed.done_s > placed.arrived_s && placed.cost.is_finite(), "{placed:?}");
                    open.push((placed.number, placed.done_s));
                }
                5..=8 if !open.is_empty() => {
                    let (number, done_s) = open.swap_remove(crate::random::below(&mut random, open.len()));
                    let arrived_s = live.open.get(number).expect("open").arrived_s;
                    let at_s = arrived_s + 2.0 * crate::random::unit(&mut random) * (done_s - arrived_s);
                    report(&mut live, &number.to_string(), at_s.min(now_s).max(arrived_s));
                    now_s = live.time_s().max(now_s);
                }
                _ => {
                    let queue = crate::random::below(&mut random, site.queues().len());
                    live.set_backlogs(&[(queue, 100.0 * crate::random::unit(&mut random))]).expect("a queue");
                }
            }
            assert!(live.backlogs_s().all(|backlog_s| backlog_s >= 0.0 && backlog_s.is_finite()), "step {step}");
            assert_eq!(live.open(), open.len());
        }
        let mut again = LiveSite::new(&site, by_name("one-step", &site).expect("a scheme"), seed);
        assert_eq!(again.continued(live.kept()), Ok(true));
        assert_eq!(again.kept(), live.kept());
        let all: Vec<Completion> =
            open.iter().map(|(number, _)| Completion { id: number.to_string().into(), done_s: now_s + 1e7 }).collect();
        live.complete(&all).expect("all are open");
        // Sums and differences of services leave rounding errors.
        let left: Vec<f64> = live.backlogs_s().filter(|backlog_s| *backlog_s > 1e-6).collect();
        assert_eq!((left, live.open()), (Vec::new(), 0));
    }
}
