//! Times of layers predicted from measured layers, in the manner of Neurosurgeon (Kang et al., 2017).

mod least_squares;

use std::fmt;

use self::least_squares::COEFFICIENTS;
use super::layers::LayerKind;
use crate::limits::{MAX_INSTRUCTIONS, MAX_SIZE_MB};
use crate::units::BYTES_PER_MB;

/// The fewest measured layers of a kind from which times are predicted.
pub const FEWEST_MEASURED: usize = 3;

/// The longest time of a measured layer, in seconds: 30 years.
const MAX_SECONDS: f64 = 1e9;
/// The shortest time of a measured layer, in seconds.
const MIN_SECONDS: f64 = 1e-15;

/// What the time of a layer is predicted from.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LayerWork {
    /// Floating-point operations.
    pub operations: f64,
    /// The size of weights and biases, in bytes.
    pub weights_bytes: f64,
    /// The size of the input, in bytes.
    pub input_bytes: f64,
    /// The size of the output, in bytes.
    pub output_bytes: f64,
}

impl LayerWork {
    fn row(&self) -> [f64; COEFFICIENTS] {
        [1.0, self.operations, self.weights_bytes, self.input_bytes, self.output_bytes]
    }
}

/// A layer whose time was measured at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredLayer {
    /// The name, for messages.
    pub name: String,
    /// The kind.
    pub kind: LayerKind,
    /// The work.
    pub work: LayerWork,
    /// The time that it took, in seconds.
    pub seconds: f64,
}

/// How the time of layers of one kind follows from their work at one place:
///
/// seconds = fixed + per operation · operations + per byte of weights · bytes of weights + …
///
/// The coefficients are those of the least sum of squared differences to the measured times of which none is negative.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerFit {
    /// The kind.
    pub kind: LayerKind,
    /// The number of measured layers.
    pub measured: usize,
    /// The time that every layer takes, in seconds.
    pub fixed_s: f64,
    /// The time for a floating-point operation, in seconds.
    pub s_per_operation: f64,
    /// The time for a byte of weights, in seconds.
    pub s_per_weights_byte: f64,
    /// The time for a byte of the input, in seconds.
    pub s_per_input_byte: f64,
    /// The time for a byte of the output, in seconds.
    pub s_per_output_byte: f64,
    /// The share of the variance of the measured times that the fit explains (R²), 1 at best; `None` where all measured
    /// times are equal.
    pub r_squared: Option<f64>,
    /// The mean of |predicted − measured| / measured over the measured layers.
    pub mean_relative_error: f64,
}

impl LayerFit {
    fn new(kind: LayerKind, layers: &[&MeasuredLayer]) -> Self {
        let rows: Vec<_> = layers.iter().map(|layer| layer.work.row()).collect();
        let seconds: Vec<f64> = layers.iter().map(|layer| layer.seconds).collect();
        let [fixed_s, s_per_operation, s_per_weights_byte, s_per_input_byte, s_per_output_byte] =
            least_squares::fit(&rows, &seconds);
        let mut fit = Self {
            kind,
            measured: layers.len(),
            fixed_s,
            s_per_operation,
            s_per_weights_byte,
            s_per_input_byte,
            s_per_output_byte,
            r_squared: None,
            mean_relative_error: 0.0,
        };
        let count = layers.len() as f64;
        let mean_s = seconds.iter().sum::<f64>() / count;
        let variance: f64 = seconds.iter().map(|value| (value - mean_s).powi(2)).sum();
        let error = |layer: &&MeasuredLayer| fit.predict_s(&layer.work) - layer.seconds;
        let rest: f64 = layers.iter().map(|layer| error(layer).powi(2)).sum();
        let relative = layers.iter().map(|layer| error(layer).abs() / layer.seconds).sum::<f64>() / count;
        fit.r_squared = (variance > 0.0).then(|| 1.0 - rest / variance);
        fit.mean_relative_error = relative;
        fit
    }

    /// The predicted time of a layer of this kind, in seconds.
    pub fn predict_s(&self, work: &LayerWork) -> f64 {
        let Self { fixed_s, s_per_operation, s_per_weights_byte, s_per_input_byte, s_per_output_byte, .. } = self;
        let coefficients = [fixed_s, s_per_operation, s_per_weights_byte, s_per_input_byte, s_per_output_byte];
        work.row().iter().zip(coefficients).map(|(value, coefficient)| value * coefficient).sum()
    }
}

impl fmt::Display for LayerFit {
    /// Kind, number of measured layers, R² and mean error, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, measured, r_squared, mean_relative_error, .. } = self;
        write!(f, "{kind} from {measured} layers (")?;
        if let Some(r_squared) = r_squared {
            write!(f, "R² {r_squared:.3}, ")?;
        }
        write!(f, "mean error {:.1} %)", 100.0 * mean_relative_error)
    }
}

/// The times of layers at one place, predicted from layers that were measured there: one fit for each kind of layer.
///
/// Neurosurgeon, too, predicts by a regression for each kind of layer. Its variables are other functions of a layer's
/// configuration, and it picks a logarithmic or a linear function for each kind; here all are linear.
///
/// ```
/// use sim::graph::{LayerKind, LayerRegression, LayerWork, MeasuredLayer};
///
/// let measured = |megabytes: f64| MeasuredLayer {
///     name: format!("fc{megabytes}"),
///     kind: LayerKind::FullyConnected,
///     work: LayerWork { weights_bytes: 1e6 * megabytes, ..LayerWork::default() },
///     seconds: 0.001 + 0.002 * megabytes,
/// };
/// let regression = LayerRegression::fit(&[measured(1.0), measured(4.0), measured(9.0)])?;
/// let work = LayerWork { weights_bytes: 2e6, ..LayerWork::default() };
/// let seconds = regression.predict_s(LayerKind::FullyConnected, &work).expect("this kind was measured");
/// assert!((seconds - 0.005).abs() < 1e-9);
/// assert_eq!(regression.predict_s(LayerKind::Pooling, &work), None);
/// # Ok::<(), sim::graph::LayerTimesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LayerRegression {
    fits: Vec<LayerFit>,
}

impl LayerRegression {
    /// Fits the times of measured layers, each kind for itself.
    ///
    /// # Errors
    /// If there is no layer, a kind has fewer than [`FEWEST_MEASURED`] layers, a time is not above 0, or a size is negative or
    /// no number.
    pub fn fit(layers: &[MeasuredLayer]) -> Result<Self, LayerTimesError> {
        layers.iter().try_for_each(check)?;
        if layers.is_empty() {
            return Err(LayerTimesError::Empty);
        }
        let mut fits = Vec::new();
        for (_, kind) in LayerKind::NAMES {
            let of_kind: Vec<&MeasuredLayer> = layers.iter().filter(|layer| layer.kind == kind).collect();
            if (1..FEWEST_MEASURED).contains(&of_kind.len()) {
                return Err(LayerTimesError::TooFew { kind, found: of_kind.len() });
            }
            if !of_kind.is_empty() {
                fits.push(LayerFit::new(kind, &of_kind));
            }
        }
        Ok(Self { fits })
    }

    /// The fit of each kind that was measured.
    pub fn fits(&self) -> &[LayerFit] {
        &self.fits
    }

    /// The predicted time of a layer, in seconds; `None` if no layer of this kind was measured.
    pub fn predict_s(&self, kind: LayerKind, work: &LayerWork) -> Option<f64> {
        self.fits.iter().find(|fit| fit.kind == kind).map(|fit| fit.predict_s(work))
    }
}

impl fmt::Display for LayerRegression {
    /// All fits, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fit) in self.fits.iter().enumerate() {
            write!(f, "{}{fit}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn check(layer: &MeasuredLayer) -> Result<(), LayerTimesError> {
    let LayerWork { operations, weights_bytes, input_bytes, output_bytes } = layer.work;
    let most_bytes = MAX_SIZE_MB * BYTES_PER_MB;
    for (what, found, most) in [
        ("number of operations", operations, MAX_INSTRUCTIONS),
        ("size of the weights", weights_bytes, most_bytes),
        ("size of the input", input_bytes, most_bytes),
        ("size of the output", output_bytes, most_bytes),
    ] {
        if !(0.0..=most).contains(&found) {
            return Err(LayerTimesError::Value { name: layer.name.clone(), what, most, found });
        }
    }
    // Times far below a nanosecond are no measurement, and their squares would be lost.
    if !(MIN_SECONDS..=MAX_SECONDS).contains(&layer.seconds) {
        return Err(LayerTimesError::Seconds { name: layer.name.clone(), found: layer.seconds });
    }
    Ok(())
}

/// Why measured layers predict no times.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayerTimesError {
    /// There is no measured layer.
    #[error("there is no measured layer")]
    Empty,
    /// A kind has too few measured layers.
    #[error(
        "{found} {} of the kind {kind} {} not enough to predict times from; measure at least {FEWEST_MEASURED} of each kind, \
         of different sizes",
        if *found == 1 { "layer" } else { "layers" }, if *found == 1 { "is" } else { "are" }
    )]
    TooFew {
        /// The kind.
        kind: LayerKind,
        /// The number of its measured layers.
        found: usize,
    },
    /// A size or a number of operations makes no sense.
    #[error("the {what} of the measured layer {name} must be a number from 0 to {most:e}, is {found:?}")]
    Value {
        /// The layer.
        name: String,
        /// The quantity.
        what: &'static str,
        /// Its greatest value.
        most: f64,
        /// Its value.
        found: f64,
    },
    /// A time makes no sense.
    #[error(
        "the time of the measured layer {name} must be a number of seconds from {MIN_SECONDS:e} to {MAX_SECONDS:e}, is {found:?}"
    )]
    Seconds {
        /// The layer.
        name: String,
        /// The time, in seconds.
        found: f64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layer(kind: LayerKind, sizes: [f64; 4], seconds: f64) -> MeasuredLayer {
        let [operations, weights_bytes, input_bytes, output_bytes] = sizes;
        let work = LayerWork { operations, weights_bytes, input_bytes, output_bytes };
        MeasuredLayer { name: "a".to_owned(), kind, work, seconds }
    }

    proptest! {
        #[test]
        fn the_coefficients_of_a_made_up_machine_are_recovered(
            coefficients in [1e-5..1e-2_f64, 1e-11..1e-9, 1e-10..1e-8, 1e-10..1e-8, 1e-10..1e-8],
            sizes in prop::collection::vec([1e6..1e9_f64, 1e3..1e7, 1e4..1e7, 1e4..1e7], 12..30),
        ) {
            let [fixed, per_operation, per_weight, per_input, per_output] = coefficients;
            let seconds = |[operations, weights, input, output]: [f64; 4]| {
                fixed + per_operation * operations + per_weight * weights + per_input * input + per_output * output
            };
            let kinds = [LayerKind::Convolution, LayerKind::Pooling];
            // The second machine is twice as slow, so that kinds cannot be mixed up.
            let layers: Vec<_> = (1..).zip(kinds).flat_map(|(times, kind)| {
                sizes.iter().map(move |sizes| layer(kind, *sizes, f64::from(times) * seconds(*sizes)))
            }).collect();
            let regression = LayerRegression::fit(&layers).expect("valid");
            prop_assert_eq!(regression.fits().len(), 2);
            for (times, fit) in (1..).zip(regression.fits()) {
                let LayerFit { fixed_s, s_per_operation, s_per_weights_byte, s_per_input_byte, s_per_output_byte, .. } = fit;
                let found = [fixed_s, s_per_operation, s_per_weights_byte, s_per_input_byte, s_per_output_byte];
                for (found, expected) in found.into_iter().zip(coefficients) {
                    prop_assert!((found / expected / f64::from(times) - 1.0).abs() < 1e-5, "{fit:?} {coefficients:?}");
                }
                prop_assert!(fit.r_squared.is_some_and(|share| share > 1.0 - 1e-9) && fit.mean_relative_error < 1e-9);
            }
        }
    }

    #[test]
    fn the_goodness_of_a_fit_is_that_of_the_textbook() {
        // y = 3.5 + 1.4 x: differences −1.1, 1.3, 0.7, −0.9; Σ of squares 4.2 of 14.
        let points = [(1.0, 6.0), (2.0, 5.0), (3.0, 7.0), (4.0, 10.0)];
        let layers = points.map(|(x, y)| layer(LayerKind::Other, [x, 0.0, 0.0, 0.0], y));
        let regression = LayerRegression::fit(&layers).expect("valid");
        let fit = &regression.fits()[0];
        assert!((fit.r_squared.expect("times differ") - 0.7).abs() < 1e-12);
        let expected = (1.1 / 6.0 + 1.3 / 5.0 + 0.7 / 7.0 + 0.9 / 10.0) / 4.0;
        assert!((fit.mean_relative_error - expected).abs() < 1e-12);
        assert_eq!(fit.to_string(), "other from 4 layers (R² 0.700, mean error 15.8 %)");
        let equal = [layer(LayerKind::Other, [0.0; 4], 2.0), layer(LayerKind::Other, [0.0; 4], 2.0)];
        let equal = [&equal[..], &equal[..1]].concat();
        let regression = LayerRegression::fit(&equal).expect("valid");
        let fit = &regression.fits()[0];
        assert!(fit.r_squared.is_none() && (fit.fixed_s - 2.0).abs() < 1e-12, "{fit:?}");
    }

    #[test]
    fn layers_that_predict_nothing_are_refused() {
        let good = layer(LayerKind::Pooling, [0.0, 0.0, 5.0, 5.0], 1.0);
        let error = |layers: &[MeasuredLayer]| LayerRegression::fit(layers).expect_err("wrong").to_string();
        assert_eq!(error(&[]), "there is no measured layer");
        let few = "2 layers of the kind pooling are not enough to predict times from; measure at least 3 of each kind, of \
                   different sizes";
        assert_eq!(error(&[good.clone(), good.clone()]), few);
        for (wrong, expected) in [
            (
                layer(LayerKind::Pooling, [f64::NAN, 0.0, 0.0, 0.0], 1.0),
                "the number of operations of the measured layer a \
                must be a number from 0 to 1e24, is NaN",
            ),
            (
                layer(LayerKind::Pooling, [0.0, 0.0, -3.0, 0.0], 1.0),
                "the size of the input of the measured layer a must be a \
                number from 0 to 1e18, is -3.0",
            ),
            (
                layer(LayerKind::Pooling, [0.0; 4], -1.0),
                "the time of the measured layer a must be a number of seconds from 1e-15 \
                to 1e9, is -1.0",
            ),
            (
                layer(LayerKind::Pooling, [0.0; 4], f64::NAN),
                "the time of the measured layer a must be a number of seconds \
                from 1e-15 to 1e9, is NaN",
            ),
        ] {
            assert_eq!(error(&[good.clone(), good.clone(), wrong]), expected);
        }
    }
}
