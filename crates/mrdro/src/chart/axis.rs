//! The axes of charts.

use std::fmt::Write as _;
use std::ops::Range;

/// The smallest distance from 1 that a logarithmic axis of ratios shows; smaller ones are drawn as this one.
pub const SMALLEST_GAP: f64 = 1e-5;

/// An axis: its title, and how it places values.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// A linear axis.
    Linear {
        /// The title.
        label: &'static str,
    },
    /// A logarithmic axis.
    Log {
        /// The title.
        label: &'static str,
    },
    /// An axis of ratios up to 1 by the logarithm of their distance from 1, so that 0.9, 0.99 and 0.999 are equally far apart.
    Ratio {
        /// The title.
        label: &'static str,
    },
    /// An axis with names at 0, 1, 2, ...
    Named {
        /// The title.
        label: &'static str,
        /// The names.
        names: Vec<String>,
    },
}

impl Axis {
    /// The position of a value along the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self {
            Self::Linear { .. } | Self::Named { .. } => value,
            Self::Log { .. } => value.max(f64::MIN_POSITIVE).log10(),
            Self::Ratio { .. } => -(1.0 - value).max(SMALLEST_GAP).log10(),
        }
    }

    pub(super) fn label(&self) -> &str {
        match self {
            Self::Linear { label } | Self::Log { label } | Self::Ratio { label } | Self::Named { label, .. } => label,
        }
    }

    /// The label at a position along the axis; empty if there is none.
    pub(super) fn text_at(&self, place: f64) -> String {
        let whole = (place - place.round()).abs() < 1e-6;
        match self {
            Self::Linear { .. } => number(place),
            Self::Log { .. } if whole => number(10_f64.powf(place.round())),
            Self::Ratio { .. } if whole && place < 0.5 => "0".to_owned(),
            Self::Ratio { .. } if whole => format!("{:.*}", place.round() as usize, 1.0 - 10_f64.powf(-place.round())),
            Self::Named { names, .. } if whole && place > -0.5 => {
                names.get(place.round() as usize).cloned().unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    /// The range that shows all values, in positions along the axis.
    pub(super) fn range(&self, values: impl Iterator<Item = f64>) -> Range<f64> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for place in values.map(|value| self.place(value)) {
            (least, most) = (least.min(place), most.max(place));
        }
        match self {
            _ if least > most => 0.0..1.0,
            Self::Named { names, .. } => -0.5..names.len() as f64 - 0.5,
            Self::Linear { .. } if least == most => least - 0.5..most + 0.5,
            Self::Linear { .. } => least - 0.04 * (most - least)..most + 0.04 * (most - least),
            // Room at both ends of the values, and always two powers of ten as labels.
            Self::Log { .. } => (least - 0.1).floor()..(most + 0.1).ceil(),
            Self::Ratio { .. } => (least - 0.1).floor().max(-0.1)..(most + 0.1).ceil().min(0.25 - SMALLEST_GAP.log10()),
        }
    }

    /// The number of labels along a range.
    pub(super) fn ticks(&self, range: &Range<f64>) -> usize {
        match self {
            Self::Linear { .. } => 6,
            Self::Named { names, .. } => names.len().max(2) * 2,
            Self::Log { .. } | Self::Ratio { .. } => (range.end - range.start).round() as usize + 1,
        }
    }
}

/// A number as axes show it: 20000 as `20,000`, 0.25 as `0.25`, a millionth as `1e-6`.
pub fn number(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e7) {
        return format!("{value:e}");
    }
    if value.abs() < 1000.0 || value.fract().abs() > 1e-9 {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        let _ = write!(text, "{digit}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_write_what_people_read() {
        let texts = |axis: &Axis, places: &[f64]| places.iter().map(|place| axis.text_at(*place)).collect::<Vec<_>>();
        assert_eq!(texts(&Axis::Ratio { label: "" }, &[0.0, 1.0, 2.5, 3.0]), ["0", "0.9", "", "0.999"]);
        assert_eq!(texts(&Axis::Log { label: "" }, &[-6.0, -3.0, 0.0, 3.0, 3.5]), ["1e-6", "0.001", "1", "1,000", ""]);
        assert_eq!(
            texts(&Axis::Linear { label: "" }, &[0.0, 0.25, 20000.0, -1500.0]),
            ["0", "0.25", "20,000", "-1,500"]
        );
        let named = Axis::Named { label: "", names: vec!["a".into(), "b".into()] };
        assert_eq!(texts(&named, &[-0.5, 0.0, 0.5, 1.0, 2.0]), ["", "a", "", "b", ""]);
    }
}
