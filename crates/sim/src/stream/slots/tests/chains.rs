//! Value iteration against policy iteration and against simulation.

use std::sync::Arc;

use super::scheme::ValueIterationModel;
use super::*;
use crate::stream::{MarkovRates, Sizes};

/// The cheapest mean cost of a chain by Howard's policy iteration, on transitions that are written down state by state.
fn policy_iteration(problem: &ChainProblem) -> f64 {
    let (states, points) = (problem.chain.states(), problem.points);
    let idle = problem.tail.0 as usize + 1;
    let size = idle * states * points;
    let index = |idle: usize, state: usize, point: usize| (idle * states + state) * points + point;
    let top = (points - 1) as f64 * problem.step;
    let land = |backlog: f64| {
        let at = backlog.min(top) / problem.step;
        let below = (at.floor() as usize).min(points - 2);
        [(below, 1.0 - (at - below as f64)), (below + 1, at - below as f64)]
    };
    // Cost and transitions of each action.
    let action = |from: usize, is_sending: bool| {
        let (k, state, point) = (from / (states * points), from / points % states, from % points);
        let backlog = point as f64 * problem.step;
        let rate = problem.chain.rates()[state] / problem.load;
        let rest = if is_sending { (backlog - rate).max(0.0) } else { backlog };
        let busy = (backlog - rest) / rate;
        let mut cost = problem.delay_price * 0.5 * (backlog + rest);
        cost += match is_sending {
            true => busy + problem.tail.1 * (1.0 - busy),
            false if k < idle - 1 => problem.tail.1,
            false => 0.0,
        };
        let later = if is_sending { 0 } else { (k + 1).min(idle - 1) };
        let mut next = vec![0.0; size];
        for (left, weight) in land(rest) {
            let grown = left as f64 * problem.step + problem.file;
            cost += weight / problem.file * problem.overflow_price * (grown - top).max(0.0);
            for (to, share) in problem.chain.transitions(state).iter().enumerate() {
                next[index(later, to, left)] += weight * share * (1.0 - 1.0 / problem.file);
                for (point, part) in land(grown) {
                    next[index(later, to, point)] += weight * share / problem.file * part;
                }
            }
        }
        (cost, next)
    };
    let mut policy = vec![false; size];
    loop {
        // value[0] = 0, and the last unknown is the mean cost.
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for from in 0..size {
            let (cost, next) = action(from, policy[from]);
            let mut row: Vec<f64> = next.iter().map(|share| -share).collect();
            row[from] += 1.0;
            row[0] = 1.0;
            row.push(cost);
            rows.push(row);
        }
        let values = solved(rows);
        let value = |index: usize| if index == 0 { 0.0 } else { values[index] };
        let worth = |from: usize, is_sending: bool| {
            let (cost, next) = action(from, is_sending);
            cost + next.iter().enumerate().map(|(index, share)| share * value(index)).sum::<f64>()
        };
        let better: Vec<bool> =
            (0..size).map(|from| from % points > 0 && worth(from, true) < worth(from, false) - 1e-12).collect();
        if better == policy {
            return values[0];
        }
        policy = better;
    }
}

/// The solution of linear equations; each row ends with its right side.
fn solved(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let size = rows.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, pivot.expect("rows"));
        let base = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = row[column] / base[column];
            row.iter_mut().zip(&base).for_each(|(value, base)| *value -= factor * base);
        }
    }
    (0..size).map(|row| rows[row][size] / rows[row][row]).collect()
}

fn tiny(tail: (f64, f64)) -> ChainProblem {
    let markov = MarkovRates::new(&[1.0, 6.0], &[12.0, 4.0], None).expect("valid");
    ChainProblem {
        chain: RateChain::of_markov(&markov, 1.0),
        load: 0.4,
        file: 2.5,
        delay_price: 0.02,
        tail,
        points: 12,
        step: 1.5,
        overflow_price: 0.6,
    }
}

#[test]
fn value_iteration_finds_the_mean_cost_of_policy_iteration() {
    for tail in [(0.0, 0.0), (2.0, 0.6)] {
        let problem = tiny(tail);
        let policy = problem.solve(1e-9, 100_000);
        let exact = policy_iteration(&problem);
        let (low, high) = policy.mean_cost;
        assert!(low <= exact + 1e-9 && exact <= high + 1e-9 && high - low < 1e-8, "{low} {exact} {high}");
    }
}

#[test]
fn a_finer_and_larger_grid_changes_the_mean_cost_little() {
    let base = ChainProblem { points: 250, step: 1.0, ..tiny((0.0, 0.0)) };
    let coarse = base.solve(1e-6, 100_000).mean_cost.0;
    let finer = ChainProblem { points: 499, step: 0.5, ..base.clone() }.solve(1e-6, 100_000).mean_cost.0;
    let larger = ChainProblem { points: 500, ..base }.solve(1e-6, 100_000).mean_cost.0;
    assert!((finer / coarse - 1.0).abs() < 0.01, "{coarse} {finer}");
    assert!((larger / coarse - 1.0).abs() < 1e-4, "{coarse} {larger}");
}

#[test]
fn the_mean_cost_of_a_chain_is_that_of_a_long_run_and_no_rule_is_below() {
    let mut settings = testing::settings();
    settings.slots = 400_000;
    settings.alpha = 0.99;
    settings.energy_unit = EnergyUnit::FileAtMeanRate;
    settings.applications[0].sizes = Sizes::OneOf([5e6].into());
    let problem = SlotProblem::new(settings).expect("valid");
    let model = Arc::new(ValueIterationModel::of_problem(&problem).expect("one link"));
    let path = problem.path(7, 0);
    let kind: SlotSchemeKind = "value-iteration".parse().expect("a name");
    let outcome = simulate(&path, kind.build(Some(&model)).expect("a model").as_mut(), None).expect("it decides");
    // From units of energy per slot to the cost of a run.
    let price = path.delay_price_j_per_byte_s() * path.load() / 1.2;
    let expected = model.policy(price).mean_cost.0 * 1.2 * 400_000.0 * path.prices().per_joule;
    // The price of the table is up to 19 % off, which changes the cost less; files arrive at a random rate.
    assert!((outcome.cost / expected - 1.0).abs() < 0.1, "{} {expected}", outcome.cost);
    for rule in ["threshold", "lyapunov-scaled", "power-rule"] {
        let training: Vec<SlotPath> = (1..3).map(|index| problem.path(8, index)).collect();
        let tuned = tune(&rule.parse().expect("a name"), &training[..1], None).expect("a rule");
        let cost = run(&path, &tuned.kind.to_string()).cost;
        // 1 %: the table's price, Bernoulli for Poisson arrivals, rates that change within a slot.
        assert!(outcome.cost < 1.01 * cost, "{rule}: {} {cost}", outcome.cost);
    }
}
