//! The paper's two measures of quality, as functions of costs: Q1 (24) and Q2 (25).

/// Q1, eq. (24): the mean ratio of the lower to the higher of the recorded and the newly obtained cost. It measures
/// convergence, not quality.
///
/// ```
/// assert_eq!(sim::metrics::q1(&[10.0, 20.0], &[10.0, 40.0]), 0.75);
/// ```
pub fn q1(recorded: &[f64], obtained: &[f64]) -> f64 {
    let ratios = recorded.iter().zip(obtained).map(|(a, b)| cost_ratio(a.min(*b), a.max(*b)));
    ratios.sum::<f64>() / recorded.len() as f64
}

/// Q2, eq. (25): the mean ratio of the optimal to the obtained cost.
///
/// ```
/// assert_eq!(sim::metrics::q2(&[10.0, 30.0], &[20.0, 30.0]), 0.75);
/// ```
pub fn q2(optimal: &[f64], obtained: &[f64]) -> f64 {
    let ratios = optimal.iter().zip(obtained).map(|(optimal, obtained)| cost_ratio(*optimal, *obtained));
    ratios.sum::<f64>() / optimal.len() as f64
}

/// The ratio of a lower to a higher cost; 1 if they are equal, even where both are 0.
pub fn cost_ratio(lower: f64, higher: f64) -> f64 {
    if lower == higher { 1.0 } else { lower / higher }
}
