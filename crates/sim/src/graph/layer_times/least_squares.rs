//! Least squares with coefficients that are not negative.

/// The number of coefficients.
pub(super) const COEFFICIENTS: usize = 5;

/// A direction that the columns before it explain up to this share of its length is taken for a copy of them.
const DEPENDENT: f64 = 1e-8;

/// A fit with more columns must leave less than the one with fewer, by this share of all squares; less is rounding.
const ROUNDING: f64 = 1e-18;

/// The coefficients, none below 0, for which the sum of squared differences between `rows · coefficients` and `values` is
/// least. Where several fit equally well, it is one with the fewest coefficients above 0.
///
/// Every such optimum is the ordinary least-squares fit to those columns whose coefficients are above 0 (Lawson and Hanson,
/// 1974). There are so few columns that each choice of them is tried.
///
/// # Shapes
/// `rows` and `values` are `[rows]`.
pub(super) fn fit(rows: &[[f64; COEFFICIENTS]], values: &[f64]) -> [f64; COEFFICIENTS] {
    let columns: [Vec<f64>; COEFFICIENTS] = std::array::from_fn(|column| rows.iter().map(|row| row[column]).collect());
    let lengths = columns.each_ref().map(|column| dot(column, column).sqrt());
    let all = dot(values, values);
    let (mut best, mut least) = ([0.0; COEFFICIENTS], all);
    let mut choices: Vec<u32> = (1..1 << COEFFICIENTS).collect();
    choices.sort_by_key(|choice| (choice.count_ones(), *choice));
    for choice in choices {
        let chosen: Vec<usize> = (0..COEFFICIENTS).filter(|column| choice >> column & 1 == 1).collect();
        if chosen.iter().any(|column| lengths[*column] == 0.0) {
            continue;
        }
        let scaled: Vec<Vec<f64>> = chosen
            .iter()
            .map(|column| columns[*column].iter().map(|value| value / lengths[*column]).collect())
            .collect();
        let Some((solution, rest)) = ordinary(scaled, values) else { continue };
        if solution.iter().all(|coefficient| *coefficient >= 0.0) && rest < least - ROUNDING * all {
            least = rest;
            best = [0.0; COEFFICIENTS];
            for (column, coefficient) in chosen.into_iter().zip(solution) {
                best[column] = coefficient / lengths[column];
            }
        }
    }
    best
}

/// The ordinary least-squares fit to columns of length 1, and the sum of squares that it leaves; `None` if the columns depend
/// on one another.
fn ordinary(columns: Vec<Vec<f64>>, values: &[f64]) -> Option<(Vec<f64>, f64)> {
    let count = columns.len();
    // Columns become directions at right angles: column j = Σ over i ≤ j of triangle[i][j] · direction i.
    let mut triangle = vec![vec![0.0; count]; count];
    let mut directions: Vec<Vec<f64>> = Vec::with_capacity(count);
    for (column, mut own) in columns.into_iter().enumerate() {
        // Twice, since rounding leaves a part of the earlier directions after the first time.
        for _ in 0..2 {
            for (index, direction) in directions.iter().enumerate() {
                let share = dot(direction, &own);
                triangle[index][column] += share;
                subtract(&mut own, share, direction);
            }
        }
        let length = dot(&own, &own).sqrt();
        if length < DEPENDENT {
            return None;
        }
        triangle[column][column] = length;
        directions.push(own.iter().map(|value| value / length).collect());
    }
    let mut rest = values.to_vec();
    let mut solution = vec![0.0; count];
    for (index, direction) in directions.iter().enumerate() {
        solution[index] = dot(direction, &rest);
        subtract(&mut rest, solution[index], direction);
    }
    for index in (0..count).rev() {
        let known: f64 = (index + 1..count).map(|later| triangle[index][later] * solution[later]).sum();
        solution[index] = (solution[index] - known) / triangle[index][index];
    }
    Some((solution, dot(&rest, &rest)))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn subtract(from: &mut [f64], share: f64, direction: &[f64]) {
    for (value, other) in from.iter_mut().zip(direction) {
        *value -= share * other;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_through_points_is_found() {
        // The textbook's example: y = 3.5 + 1.4 x for (1, 6), (2, 5), (3, 7), (4, 10).
        let rows: Vec<_> = [1.0, 2.0, 3.0, 4.0].iter().map(|x| [1.0, *x, 0.0, 0.0, 0.0]).collect();
        let found = fit(&rows, &[6.0, 5.0, 7.0, 10.0]);
        assert!((found[0] - 3.5).abs() < 1e-12 && (found[1] - 1.4).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_coefficient_that_would_be_negative_is_0() {
        // The line through these points falls; without a slope the mean fits best.
        let rows: Vec<_> = [1.0, 2.0, 3.0].iter().map(|x| [1.0, *x, 0.0, 0.0, 0.0]).collect();
        let found = fit(&rows, &[3.0, 2.0, 1.0]);
        assert!((found[0] - 2.0).abs() < 1e-12 && found[1..] == [0.0; 4], "{found:?}");
    }

    #[test]
    fn columns_that_are_copies_count_once() {
        let rows: Vec<_> = [1.0, 2.0, 5.0].iter().map(|x| [1.0, *x, 2.0 * x, 3.0 * x, 0.0]).collect();
        let found = fit(&rows, &[3.0, 5.0, 11.0]);
        assert!((found[0] - 1.0).abs() < 1e-12 && (found[1] - 2.0).abs() < 1e-12, "{found:?}");
        assert_eq!(found[2..], [0.0; 3]);
    }

    proptest! {
        /// The conditions of Karush, Kuhn and Tucker, which hold at the optimum alone: no coefficient is negative, none
        /// could be raised with gain, and those above 0 could not be changed with gain.
        #[test]
        fn no_other_coefficients_fit_better(
            rows in prop::collection::vec([0.0..10.0_f64, 0.0..10.0, 0.0..10.0, 0.0..10.0, 0.0..10.0], 5..20),
            noise in prop::collection::vec(-3.0..30.0_f64, 20),
        ) {
            let found = fit(&rows, &noise[..rows.len()]);
            let of_row = |row: &[f64; 5]| row.iter().zip(&found).map(|(value, coefficient)| value * coefficient).sum::<f64>();
            for column in 0..COEFFICIENTS {
                let gain: f64 = rows.iter().zip(&noise).map(|(row, value)| row[column] * (value - of_row(row))).sum();
                prop_assert!(found[column] >= 0.0);
                prop_assert!(gain <= 1e-6, "{column}: {gain}");
                prop_assert!(found[column] == 0.0 || gain >= -1e-6, "{column}: {gain}");
            }
        }
    }
}
