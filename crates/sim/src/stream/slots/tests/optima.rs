//! Optima against enumeration.

use super::*;

/// The cheapest cost over all whole numbers of bytes sent in each slot over each link.
fn enumerated(path: &SlotPath) -> f64 {
    let prices = path.prices();
    let powers: Vec<f64> = path.problem().settings().links.iter().map(|link| link.power_w).collect();
    let mut costs = std::collections::BTreeMap::from([(0_usize, 0.0_f64)]);
    for slot in 0..path.slots() {
        let arrived: usize = path.files().iter().filter(|file| file.slot == slot).map(|file| file.bytes as usize).sum();
        let mut start: std::collections::BTreeMap<usize, (usize, f64)> =
            costs.iter().map(|(left, cost)| (left + arrived, (left + arrived, *cost))).collect();
        // One link after the other; the first number is what is left, the second what was there at the start.
        let mut open: Vec<(usize, usize, f64)> = start.values().map(|(at, cost)| (*at, *at, *cost)).collect();
        start.clear();
        for (link, power_w) in powers.iter().enumerate() {
            let rate = path.rates(slot)[link] as usize;
            let mut next = Vec::new();
            for (left, at_start, cost) in open {
                for sent in 0..=rate.min(left) {
                    let busy = if sent == 0 { 0.0 } else { sent as f64 / rate as f64 };
                    next.push((left - sent, at_start, cost + prices.per_joule * power_w * busy));
                }
            }
            open = next;
        }
        costs = std::collections::BTreeMap::new();
        for (left, at_start, cost) in open {
            let cost = cost + prices.per_byte_s * 0.5 * (left + at_start) as f64;
            let best = costs.entry(left).or_insert(f64::INFINITY);
            *best = best.min(cost);
        }
    }
    let charged = costs.iter().map(|(left, cost)| cost + prices.per_joule * prices.left_j_per_byte * *left as f64);
    charged.fold(f64::INFINITY, f64::min)
}

#[test]
fn hindsight_is_the_cheapest_of_all_ways_to_send() {
    let mut random = random::stream(1, "hindsight");
    for round in 0..300 {
        let problem = plain(1 + round % 2, 1, |settings| settings.alpha = 0.1 + 0.8 * random::unit(&mut random));
        let path = small(&problem, 6, &mut random);
        let plan = hindsight(&path);
        let best = enumerated(&path);
        assert!(plan.is_exact);
        assert!((plan.cost - best).abs() < 1e-9 * best.max(1.0), "{round}: {} {best}", plan.cost);
        let outcome = run(&path, "hindsight");
        assert!((outcome.cost - best).abs() < 1e-9 * best.max(1.0), "{round}: {} {best}", outcome.cost);
        assert!(
            (outcome.energy_j - plan.energy_j).abs() < 1e-9 && (outcome.mean_delay_s - plan.mean_delay_s).abs() < 1e-9
        );
    }
}

#[test]
fn no_scheme_undercuts_hindsight() {
    let problem = testing::problem();
    for index in 0..5 {
        for alpha in [0.2, 0.9, 0.99] {
            let path = problem.with_alpha(alpha).expect("valid").path(3, index);
            let bound = hindsight(&path).cost;
            let reached = run(&path, "hindsight").cost;
            assert!((reached / bound - 1.0).abs() < 1e-9, "{reached} {bound}");
            for kind in SlotSchemeKind::all(&problem).iter().filter(|kind| !kind.needs_model()) {
                let cost = run(&path, &kind.to_string()).cost;
                assert!(cost >= bound * (1.0 - 1e-9), "{kind}: {cost} {bound}");
            }
        }
    }
}

#[test]
fn bounds_hold_with_several_applications_deadlines_and_limits() {
    let mut random = random::stream(2, "bounds");
    for round in 0..200 {
        let problem = plain(2, 2, |settings| {
            settings.applications[0].deadline_s = Some(3.0);
            settings.fallback = (round % 2 == 0).then_some(Fallback { energy_j_per_byte: 0.7, bytes_per_s: 2.0 });
            settings.queue_limit_bytes = if round % 3 == 0 { 4.0 } else { f64::INFINITY };
            settings.late_price = 0.1;
            settings.alpha = 0.8;
        });
        let path = small(&problem, 12, &mut random);
        let files = path.files().iter().enumerate();
        let files = files.map(|(index, file)| FileArrival { application: index % 2, ..*file }).collect();
        let path = SlotPath::new(&problem, path.all_rates().to_vec(), files).expect("valid");
        let plan = hindsight(&path);
        assert!(!plan.is_exact);
        for kind in SlotSchemeKind::all(&problem) {
            let cost = run(&path, &kind.to_string()).cost;
            assert!(cost >= plan.cost * (1.0 - 1e-9), "{round} {kind}: {cost} {}", plan.cost);
        }
    }
}

/// Sends in the slots of a set of bits.
struct Bits(u32);

impl scheme::SlotScheme for Bits {
    fn name(&self) -> &'static str {
        "bits"
    }

    fn reset(&mut self, _: &SlotPath) -> Result<(), SlotSchemeError> {
        Ok(())
    }

    fn decide(&mut self, now: &scheme::Observation<'_>, orders: &mut [scheme::Order]) {
        if self.0 >> now.slot & 1 == 1 {
            orders[0] = scheme::Order::send(0);
        }
    }

    fn plans_the_end(&self) -> bool {
        true
    }
}

#[test]
fn with_a_tail_the_plan_and_the_bound_enclose_the_cheapest_set_of_slots() {
    let mut random = random::stream(3, "tail");
    let tail = Some(Tail { power_w: 0.6, length_s: 2.0 });
    let (mut above, mut below) = (0.0, 0.0);
    for round in 0..40 {
        let problem = plain(1, 1, |settings| {
            settings.links[0].tail = tail;
            settings.applications[0].load = Load::FilesPerSecond(1e-7);
            settings.alpha = 0.3 + 0.6 * random::unit(&mut random);
        });
        let path = small(&problem, 10, &mut random);
        let best = (0..1 << 10).map(|bits| simulate(&path, &mut Bits(bits), None).expect("it decides").cost);
        let best = best.fold(f64::INFINITY, f64::min);
        let (bound, reached) = (tail_bound(&path).expect("one link"), run(&path, "hindsight").cost);
        assert!(bound <= best * (1.0 + 1e-9) && reached >= best * (1.0 - 1e-9), "{round}: {bound} {best} {reached}");
        above += reached / best - 1.0;
        below += 1.0 - bound / best;
        assert!(hindsight(&path).cost <= best * (1.0 + 1e-9) && !hindsight(&path).is_exact);
    }
    assert!(above / 40.0 < 0.02 && below / 40.0 < 0.02, "{} {}", above / 40.0, below / 40.0);
}
