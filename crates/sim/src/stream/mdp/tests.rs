use super::*;
use crate::stream::formulas::exponential_queue;

fn place(rates: [f64; 2], power_w: f64) -> OffloadingPlace {
    OffloadingPlace { tasks_per_s: rates.to_vec(), power_w: vec![power_w, 1.5 * power_w] }
}

fn problem(arrivals_per_s: f64, longest: usize) -> OffloadingProblem {
    let places = vec![place([1.0, 1.0], 0.9), place([2.0, 0.4], 0.5)];
    let weights = OffloadingWeights { per_joule: 0.7, per_second: 0.3 };
    OffloadingProblem::new(arrivals_per_s, places, vec![5.0, 3.0], weights, longest).expect("valid")
}

#[test]
fn value_iteration_finds_the_best_of_all_policies() {
    for arrivals_per_s in [0.3, 0.9, 2.0] {
        let problem = problem(arrivals_per_s, 2);
        let optimum = problem.optimum().expect("converges");
        // Two places with up to two tasks: in 4 of 9 queue states both are open, in each of the 2 states of the channel.
        let open: Vec<usize> = (0..18).filter(|index| index % 9 % 3 < 2 && index % 9 / 3 < 2).collect();
        let mut policy = OffloadingPolicy { places: (0..18).map(|index| u8::from(index % 9 % 3 == 2)).collect() };
        let with_drops = |means: &OffloadingCost| {
            means.cost * (1.0 - means.dropped_share) + means.dropped_share * problem.dropped_cost()
        };
        let mut least = f64::INFINITY;
        for number in 0..1_u32 << open.len() {
            for (bit, index) in open.iter().enumerate() {
                policy.places[*index] = (number >> bit & 1) as u8;
            }
            least = least.min(with_drops(&problem.evaluate(&policy).expect("converges")));
        }
        let found = with_drops(&optimum.means);
        assert!((found / least - 1.0).abs() < 1e-6, "{found} {least}");
        assert!(optimum.bound <= least * (1.0 + 1e-9) && optimum.bound >= least * (1.0 - 1e-6), "{optimum:?} {least}");
    }
}

#[test]
fn a_place_with_constant_rate_is_the_plain_queue() {
    let means = problem(0.6, 5).only(0).expect("a place").expect("stable");
    let queue = exponential_queue(0.6, 1.0).expect("stable");
    assert!((means.response_s - queue.mean_response_s).abs() < 1e-9, "{means:?} {queue:?}");
    assert!((means.energy_j - (5.0 * 0.9 + 3.0 * 1.35) / 8.0).abs() < 1e-9, "{means:?}");
}

/// Two ways to the same means: matrix-geometric without limit, and the distribution on long queues.
#[test]
fn splits_agree_with_the_chain_of_long_queues() {
    let problem = problem(0.5, 120);
    let only = |place: u8| OffloadingPolicy { places: vec![place; 2 * 121 * 121] };
    for place in 0..2 {
        let exact = problem.only(usize::from(place)).expect("a place").expect("stable");
        let chain = problem.evaluate(&only(place)).expect("converges");
        assert!((exact.response_s / chain.response_s - 1.0).abs() < 1e-6, "{exact:?} {chain:?}");
        assert!((exact.energy_j / chain.energy_j - 1.0).abs() < 1e-6, "{exact:?} {chain:?}");
    }
}

#[test]
fn longer_queues_hardly_change_the_optimum() {
    let cost = |longest| problem(0.9, longest).optimum().expect("converges").means.cost;
    let (short, long) = (cost(15), cost(30));
    assert!((short / long - 1.0).abs() < 1e-4, "{short} {long}");
}

#[test]
fn no_method_is_better_than_value_iteration() {
    let generator = OffloadingGenerator { longest: 9, load: (0.3, 0.5) };
    let all = compare(&generator, 1, 8).expect("converges");
    assert_eq!(all, compare(&generator, 1, 8).expect("converges"));
    for figures in &all {
        assert!(figures.optimum.dropped_share < 1e-8, "{figures:?}");
        assert!((figures.bound / figures.optimum.cost - 1.0).abs() < 1e-6, "{figures:?}");
        let others =
            figures.only.iter().chain([&figures.random]).flatten().chain([&figures.greedy, &figures.greedy_mean]);
        for other in others {
            assert!(figures.bound <= other.cost * (1.0 + 1e-6), "{figures:?}");
        }
        assert_eq!(figures.saved().iter().flatten().count(), 4);
    }
    let mean = all.iter().filter_map(|figures| figures.saved()[3]).sum::<f64>() / 8.0;
    assert!((0.25..0.6).contains(&mean), "{mean}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let valid = problem(0.9, 3);
    assert_eq!(problem(1.2, 3).only(0), Ok(None));
    assert_eq!(valid.split(&[0.5, 0.6]), Err(OffloadingError::Shares { places: 2 }));
    assert!(valid.split(&[1.0]).is_err() && valid.only(2).is_err());
    assert_eq!(valid.evaluate(&OffloadingPolicy { places: vec![0; 3] }), Err(OffloadingError::Policy { states: 32 }));
    assert!(valid.evaluate(&OffloadingPolicy { places: vec![2; 32] }).is_err());
    let new = |arrivals_per_s, places, stays: &[f64], longest| {
        OffloadingProblem::new(arrivals_per_s, places, stays.to_vec(), valid.weights(), longest)
    };
    let places = || valid.places().to_vec();
    assert_eq!(new(1.0, Vec::new(), &[1.0], 3), Err(OffloadingError::Empty));
    assert_eq!(new(1.0, places(), &[1.0], 3), Err(OffloadingError::States { place: 0, states: 1 }));
    assert!(matches!(new(1.0, places(), &[1.0, 1.0], 0), Err(OffloadingError::Size { .. })));
    assert!(matches!(new(1.0, places(), &[1.0, 1.0], 5_000), Err(OffloadingError::Size { .. })));
    assert_eq!(
        new(0.0, places(), &[1.0, 1.0], 3).expect_err("no arrivals").to_string(),
        "the rate of arrivals must be a number above 0, is 0"
    );
    assert!(new(1.0, places(), &[1.0, f64::NAN], 3).is_err());
}
