//! Costs of moves: those of the moved decisions.

use proptest::prelude::*;
use sim::graph::{IncrementalSchedule, Move};
use sim::random;

use crate::{random_model, random_places, shapes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn moves_cost_what_the_moved_decision_costs(shape in shapes(12)) {
        let model = random_model(shape);
        let mut random = random::stream(shape.seed, "moves of tests");
        let mut schedule = IncrementalSchedule::new(&model, &random_places(&model, &mut random));
        for round in 0..40 {
            let moves: Vec<Move> = (0..random::below(&mut random, 4))
                .map(|_| {
                    let task = random::below(&mut random, model.tasks()) as u32;
                    (task, random::below(&mut random, model.places()) as u8)
                })
                .collect();
            let mut moved = schedule.places().to_vec();
            for &(task, place) in &moves {
                moved[task as usize] = place;
            }
            let expected = model.evaluate(&moved).cost;
            // With serial timing the change of the cost is rounded, which shows where little is left of it.
            let rounding = 1e-11 * (expected + schedule.cost());
            let found = schedule.cost_of_moves(&moves, f64::INFINITY);
            prop_assert!((found - expected).abs() <= rounding, "{} is not {}", found, expected);
            // With a limit, the answer is the cost, or lies between the limit and the cost.
            let limit = expected * (0.5 + random::unit(&mut random));
            let limited = schedule.cost_of_moves(&moves, limit);
            if limited < limit - rounding {
                prop_assert!((limited - expected).abs() <= rounding, "{} is not {}", limited, expected);
            } else {
                prop_assert!(limited <= expected + rounding && expected >= limit - rounding);
            }
            match round % 3 {
                0 => {
                    schedule.apply(&moves);
                    prop_assert_eq!((schedule.places(), schedule.cost()), (&moved[..], expected));
                }
                1 if round % 5 == 0 => {
                    let places = random_places(&model, &mut random);
                    schedule.replace(&places);
                    prop_assert_eq!(schedule.cost(), model.evaluate(&places).cost);
                }
                _ => {}
            }
        }
    }
}
