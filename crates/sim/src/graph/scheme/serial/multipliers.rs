//! Multipliers of limits: prices of energy, time and money under which the cheapest decision gives the highest bound.

use super::super::best::Best;
use super::labelling::Labelling;
use super::limits::Limit;
use super::relaxation::Relaxation;

/// The most limits, and one row more: that the shares of decisions add up to 1.
const MOST_LIMITS: usize = 3;
const ROWS: usize = MOST_LIMITS + 1;

/// What counts as 0 among shares and excesses, which are near 1.
const NOTHING: f64 = 1e-10;

/// The most exchanges of columns in each phase, against going round in circles where several columns are equal.
const MOST_EXCHANGES: usize = 2_000;

/// What a search for multipliers found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Multipliers {
    /// `[limit]`: the cost of an amount as large as the limit's scale.
    pub(super) values: Vec<f64>,
    /// No decision within the limits costs less. Infinite if no decision is within them.
    pub(super) bound: f64,
}

/// A search for multipliers: the dual problem of the cheapest decision within limits.
///
/// A mixture of decisions, with shares that add up to 1, is within the limits if its mean amounts are. The cheapest mixture
/// costs as much as the best multipliers say, no more than the cheapest decision, and needs at most one decision
/// more than there are limits. The search keeps such a mixture. Each step takes the multipliers under which all its
/// decisions cost the same, looks for the cheapest decision under them, and exchanges one for it (column generation, Dantzig
/// and Wolfe, 1960). With one limit that is LARAC: its two decisions are the cheapest one seen beyond the limit
/// and the cheapest one seen within it.
pub(super) struct DualSearch<'a, 'm> {
    pub(super) costs: &'a Labelling<'m>,
    pub(super) limits: &'a [Limit<'m>],
    pub(super) relaxation: &'a Relaxation,
    /// Takes every decision seen.
    pub(super) best: Best<'m>,
    /// The number of relaxations solved.
    pub(super) evaluations: u64,
}

/// A column of the mixture's linear program.
#[derive(Debug, Clone, Copy)]
struct Column {
    kind: Kind,
    cost: f64,
    /// `[limit]`: how far a decision exceeds each limit, as a share of its scale; then 1.
    rows: [f64; ROWS],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Decision,
    /// What is left of a limit.
    Slack,
    /// By how much a limit is exceeded, in the first phase.
    Excess,
}

impl DualSearch<'_, '_> {
    /// Solves at most `most` relaxations, at least one.
    pub(super) fn run(&mut self, most: u64) -> Multipliers {
        let count = self.limits.len();
        let none = vec![0.0; count];
        let cheapest = self.solve(&none, true);
        let mut found = Multipliers { values: none, bound: cheapest.cost };
        let mut basis = vec![cheapest];
        for limit in 0..count {
            let is_beyond = cheapest.rows[limit] > 0.0;
            basis.push(if is_beyond {
                Column::of_limit(Kind::Excess, limit)
            } else {
                Column::of_limit(Kind::Slack, limit)
            });
        }
        for is_second in [false, true] {
            // Exchanges of decisions take a relaxation each, those of slacks none.
            for _ in 0..MOST_EXCHANGES {
                if basis.iter().all(|column| column.kind != Kind::Excess) != is_second {
                    break;
                }
                let Some(dual) = prices(&basis, count, is_second) else { return found };
                let room = if is_second { 1e-12 * dual[count].abs() } else { NOTHING };
                let slack = (0..count).find(|limit| dual[*limit] > room);
                let multipliers: Vec<f64> = dual[..count].iter().map(|price| (-price).max(0.0)).collect();
                let entering = if let Some(limit) = slack {
                    Column::of_limit(Kind::Slack, limit)
                } else {
                    if self.evaluations >= most {
                        return found;
                    }
                    let next = self.solve(&multipliers, is_second);
                    let value = next.value(&multipliers, is_second);
                    if is_second && value > found.bound {
                        found = Multipliers { values: multipliers, bound: value };
                    } else if !is_second && value > NOTHING {
                        // Under these multipliers every decision exceeds the limits.
                        return Multipliers { bound: f64::INFINITY, ..found };
                    }
                    if value >= dual[count] - room {
                        if is_second {
                            return found;
                        }
                        break;
                    }
                    next
                };
                if !exchange(&mut basis, &entering, count) {
                    return found;
                }
            }
            // What is exceeded by nothing is within its limit.
            for column in basis.iter_mut().filter(|column| column.kind == Kind::Excess) {
                let limit = column.rows.iter().position(|value| *value != 0.0).unwrap_or(0);
                *column = Column::of_limit(Kind::Slack, limit);
            }
        }
        found
    }

    /// The cheapest decision under multipliers, or in the first phase the one that exceeds limits least under them.
    fn solve(&mut self, multipliers: &[f64], counts_cost: bool) -> Column {
        let costs = if counts_cost { self.costs.clone() } else { self.costs.without_amounts() };
        let relaxed = self.relaxation.solve(&weighted(&costs, self.limits, multipliers), &[]);
        self.evaluations += 1;
        let cost = self.costs.cost(&relaxed.decision);
        self.best.offer(cost, &relaxed.decision);
        let mut rows = [0.0; ROWS];
        for (row, limit) in rows.iter_mut().zip(self.limits) {
            *row = limit.excess(&relaxed.decision);
        }
        rows[self.limits.len()] = 1.0;
        Column { kind: Kind::Decision, cost, rows }
    }
}

/// Costs with all amounts that have limits, times their multipliers. Decisions within the limits cost at most [`offset`] more
/// under them than without.
pub(super) fn weighted<'m>(costs: &Labelling<'m>, limits: &[Limit<'_>], multipliers: &[f64]) -> Labelling<'m> {
    let pairs = limits.iter().zip(multipliers);
    pairs.fold(costs.clone(), |costs, (limit, multiplier)| costs.plus(&limit.amounts, multiplier / limit.scale))
}

/// What amounts as large as their limits cost under multipliers.
pub(super) fn offset(limits: &[Limit<'_>], multipliers: &[f64]) -> f64 {
    limits.iter().zip(multipliers).map(|(limit, multiplier)| multiplier / limit.scale * limit.loosened()).sum()
}

impl Column {
    fn of_limit(kind: Kind, limit: usize) -> Self {
        let mut rows = [0.0; ROWS];
        rows[limit] = if kind == Kind::Slack { 1.0 } else { -1.0 };
        Self { kind, cost: 0.0, rows }
    }

    /// The cost in a phase: the first one counts excesses alone.
    fn phase_cost(&self, is_second: bool) -> f64 {
        match self.kind {
            Kind::Decision if is_second => self.cost,
            Kind::Excess if !is_second => 1.0,
            _ => 0.0,
        }
    }

    /// The cost of a decision and of its excesses under multipliers.
    fn value(&self, multipliers: &[f64], is_second: bool) -> f64 {
        let excesses = self.rows.iter().zip(multipliers).map(|(excess, multiplier)| excess * multiplier);
        self.phase_cost(is_second) + excesses.sum::<f64>()
    }
}

/// The prices of all rows under which every column of a basis costs nothing more than its rows.
fn prices(basis: &[Column], limits: usize, is_second: bool) -> Option<[f64; ROWS]> {
    let mut system = [[0.0; ROWS + 1]; ROWS];
    for (equation, column) in system.iter_mut().zip(basis) {
        equation[..=limits].copy_from_slice(&column.rows[..=limits]);
        equation[ROWS] = column.phase_cost(is_second);
    }
    solve_linear(&mut system, limits + 1)
}

/// The shares of a basis's columns that make up a column.
fn shares(basis: &[Column], column: &[f64; ROWS], limits: usize) -> Option<[f64; ROWS]> {
    let mut system = [[0.0; ROWS + 1]; ROWS];
    for (row, equation) in system.iter_mut().enumerate().take(limits + 1) {
        for (value, column) in equation.iter_mut().zip(basis) {
            *value = column.rows[row];
        }
        equation[ROWS] = column[row];
    }
    solve_linear(&mut system, limits + 1)
}

/// Exchanges a column of a basis for another one, so that all shares stay at least 0. Returns whether that was possible.
fn exchange(basis: &mut [Column], entering: &Column, limits: usize) -> bool {
    let mut sums = [0.0; ROWS];
    sums[limits] = 1.0;
    let (Some(now), Some(taken)) = (shares(basis, &sums, limits), shares(basis, &entering.rows, limits)) else {
        return false;
    };
    let ratio = |index: usize| now[index].max(0.0) / taken[index];
    let leaving = (0..=limits).filter(|index| taken[*index] > NOTHING).min_by(|a, b| {
        // Of equal ratios, the one with the largest divisor, which rounds least.
        ratio(*a).total_cmp(&ratio(*b)).then(taken[*b].total_cmp(&taken[*a]))
    });
    leaving.map(|index| basis[index] = *entering).is_some()
}

/// Solves linear equations, each a row with its right-hand side last, by Gaussian elimination. `None` if they have no single
/// solution.
fn solve_linear(system: &mut [[f64; ROWS + 1]; ROWS], size: usize) -> Option<[f64; ROWS]> {
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()))?;
        system.swap(column, pivot);
        let row = system[column];
        if row[column].abs() < 1e-14 {
            return None;
        }
        for (index, other) in system.iter_mut().enumerate().take(size) {
            let factor = other[column] / row[column];
            if index != column && factor != 0.0 {
                other.iter_mut().zip(row).for_each(|(value, of_row)| *value -= factor * of_row);
            }
        }
    }
    let mut solution = [0.0; ROWS];
    for (index, value) in solution.iter_mut().enumerate().take(size) {
        *value = system[index][ROWS] / system[index][index];
    }
    Some(solution)
}
