//! What all schemes have in common, and how good they are on the preset `graph`.

use proptest::prelude::*;

use super::testing::{Kind, cheapest_cost, models};
use super::*;
use crate::graph::GraphScenario;
use crate::graph::rules::Timing;
use crate::random;

fn schemes(model: &GraphModel, seed: u64) -> Vec<Box<dyn GraphScheme>> {
    let mut schemes: Vec<Box<dyn GraphScheme>> = vec![
        Box::new(GraphRandom::new(seed)),
        Box::new(GraphGreedy),
        Box::new(RandomisedGreedy::new(seed)),
        Box::new(RandomisedGreedy::within(seed, 3)),
        Box::new(GraphLocalSearch::default()),
        Box::new(GraphLocalSearch::within(40)),
        Box::new(GraphAnnealing::new(seed)),
        Box::new(GraphAnnealing::within(seed, 1)),
        Box::new(GraphGenetic::within(seed, 120)),
        Box::new(Heft),
        Box::new(Peft),
        Box::new(GraphBruteForce),
        Box::new(GraphExact),
    ];
    for place in 0..model.places() {
        schemes.push(Box::new(GraphFixed::new(place as u8, model.system().place_name(place))));
    }
    if model.rules().timing == Timing::Serial && model.places() <= 3 {
        schemes.push(Box::new(MinCut));
    }
    if model.rules().timing == Timing::Serial && model.places() <= 2 {
        schemes.push(Box::new(Mcop));
    }
    schemes
}

fn check(model: &GraphModel) -> Result<(), TestCaseError> {
    let best = cheapest_cost(model);
    let greedy = GraphGreedy.decide(model).expect("greedy decides").places;
    prop_assert_eq!(&RandomisedGreedy::within(7, 1).decide(model).expect("it decides").places, &greedy);
    for (scheme, again) in schemes(model, 5).iter_mut().zip(&mut schemes(model, 5)) {
        let found = scheme.decide(model).expect("the scheme decides");
        let name = scheme.name();
        let allowed = found.places.iter().enumerate().all(|(task, place)| model.is_allowed(task, *place as usize));
        prop_assert!(allowed && found.places.len() == model.tasks(), "{name}: {found:?}");
        let cost = model.evaluate(&found.places).cost;
        prop_assert!(cost >= best - 1e-9 * best, "{name}: {cost} is below {best}");
        if found.optimality.is_optimal() {
            prop_assert!(cost <= best + 1e-8 * best.max(1.0), "{name}: {cost} is above {best}");
        }
        prop_assert!(found.optimality.bound(cost).is_none_or(|bound| bound <= best + 1e-8 * best.max(1.0)));
        prop_assert_eq!(found, again.decide(model).expect("the scheme decides"), "{} differs", name);
    }
    Ok(())
}

const KIND: Kind = Kind { timing: Timing::Scheduled, tasks: 7, servers: 2, is_chain: false };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn decisions_about_schedules_are_possible_and_repeatable_and_the_optimum_is_one(model in models(KIND)) {
        check(&model)?;
    }

    #[test]
    fn serial_decisions_are_possible_and_repeatable_and_the_optimum_is_one(
        model in models(Kind { timing: Timing::Serial, ..KIND }),
    ) {
        check(&model)?;
    }
}

#[test]
fn budgets_are_kept() {
    let model = &preset_models("graph", 1)[0];
    for budget in [1, 2, 9, 100, 1000] {
        let mut schemes: [Box<dyn GraphScheme>; 4] = [
            Box::new(RandomisedGreedy::within(1, budget)),
            Box::new(GraphLocalSearch::within(budget)),
            Box::new(GraphAnnealing::within(1, budget)),
            Box::new(GraphGenetic::within(1, budget)),
        ];
        for scheme in &mut schemes {
            let spent = scheme.decide(model).expect("the scheme decides").evaluations;
            assert!((1..=budget).contains(&spent), "{} spends {spent}", scheme.name());
        }
    }
}

fn preset_models(name: &str, count: usize) -> Vec<GraphModel> {
    let scenario = GraphScenario::load(name).expect("a preset");
    let mut random = random::stream(11, "tests of schemes");
    let application = |_| scenario.draw(&mut random).expect("applications are drawn");
    let applications: Vec<_> = (0..count).map(application).collect();
    applications.into_iter().map(|application| scenario.model(application).expect("a model")).collect()
}

#[test]
fn the_optimum_of_20_tasks_is_proved_and_randomised_greedy_comes_near() {
    let models = preset_models("graph", 40);
    let share = |scheme: &mut dyn GraphScheme| {
        let shares = models.iter().map(|model| {
            let exact = GraphExact.decide(model).expect("exact decides");
            assert_eq!(exact.optimality, Optimality::InThisOrder);
            let found = scheme.decide(model).expect("the scheme decides");
            model.evaluate(&exact.places).cost / model.evaluate(&found.places).cost
        });
        shares.sum::<f64>() / models.len() as f64
    };
    let greedy = share(&mut GraphGreedy);
    let eight = share(&mut RandomisedGreedy::within(1, 8));
    let many = share(&mut RandomisedGreedy::within(1, 512));
    assert!(greedy < eight && eight < many, "{greedy} {eight} {many}");
    assert!(many > 0.994, "{many}");
    let annealing = share(&mut GraphAnnealing::new(1));
    assert!(annealing > 0.985, "{annealing}");
}
