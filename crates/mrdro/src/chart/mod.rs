//! Charts of means with intervals, several side by side, as SVG.

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

mod curves;

pub use self::curves::{Curve, gap_curves, learning_curve};
use crate::statistics::Spread;

/// Colours that the colour-blind can tell apart (Okabe and Ito), for things without an order.
pub const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(60, 60, 60),
    RGBColor(150, 120, 60),
];

/// Dark to light for things that have one: readable in grey, too.
const ORDERED: [RGBColor; 5] =
    [RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(94, 201, 98), RGBColor(215, 190, 20)];

/// A gap smaller than this is drawn as this.
pub const SMALLEST_GAP: f64 = 1e-5;

/// How one axis shows values.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Values as they are.
    Linear {
        /// What the axis is called.
        label: &'static str,
    },
    /// The logarithm of values.
    Log {
        /// What the axis is called.
        label: &'static str,
    },
    /// Ratios by the logarithm of their distance from 1, so that 0.9, 0.99 and 0.999 are equally far apart.
    Ratio {
        /// What the axis is called.
        label: &'static str,
    },
    /// Names at 0, 1, 2, ...
    Named {
        /// What the axis is called.
        label: &'static str,
        /// The names.
        names: Vec<String>,
    },
}

impl Axis {
    /// Where a value is drawn.
    fn place(&self, value: f64) -> f64 {
        match self {
            Self::Linear { .. } | Self::Named { .. } => value,
            Self::Log { .. } => value.max(f64::MIN_POSITIVE).log10(),
            Self::Ratio { .. } => -(1.0 - value).max(SMALLEST_GAP).log10(),
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::Linear { label } | Self::Log { label } | Self::Ratio { label } | Self::Named { label, .. } => label,
        }
    }

    fn text_at(&self, place: f64) -> String {
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
}

/// One point of a series: where it is, and its mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Mean.
    pub mean: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Point {
    /// The mean of a spread with its 95 % interval.
    pub fn new(x: f64, spread: &Spread) -> Self {
        Self { x, low: spread.low, mean: spread.mean, high: spread.high }
    }

    /// A value without an interval.
    pub fn exact(x: f64, value: f64) -> Self {
        Self { x, low: value, mean: value, high: value }
    }
}

/// What a series looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line in a band.
    Curve,
    /// Points with bars, joined by a line.
    Markers,
    /// Points with bars.
    Points,
    /// A dashed line, for a value to compare with.
    Reference,
}

/// One curve or set of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub label: String,
    /// What it looks like.
    pub style: Style,
    /// The points, in the order in which a line joins them.
    pub points: Vec<Point>,
}

/// One chart of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The title above it.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// The colour and marker of a series. When all colours are used, they are used again with another marker.
#[derive(Debug, Clone, Copy)]
struct Look {
    colour: RGBColor,
    triangles: bool,
}

/// How the colours of series are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// The series have no order.
    Distinct,
    /// They have one.
    Ordered,
}

impl Palette {
    fn colour(self, index: usize, count: usize) -> RGBColor {
        match self {
            Self::Distinct => COLOURS[index % COLOURS.len()],
            Self::Ordered => {
                let place = index as f64 / (count - 1).max(1) as f64 * (ORDERED.len() - 1) as f64;
                let (from, share) = ((place as usize).min(ORDERED.len() - 2), place.fract());
                let share = if place as usize > from { 1.0 } else { share };
                let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
                let (a, b) = (ORDERED[from], ORDERED[from + 1]);
                RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
            }
        }
    }
}

const PANEL_HEIGHT: u32 = 320;
const WIDTH: u32 = 1080;

/// Charts in two columns with one legend for all, as SVG. Series of one label have one colour in every chart.
pub fn picture(panels: &[Panel], palette: Palette) -> Result<String, String> {
    let mut labels: Vec<(&str, Style)> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if labels.iter().all(|(label, _)| *label != series.label) {
            labels.push((&series.label, series.style));
        }
    }
    let coloured = labels.iter().filter(|(_, style)| *style != Style::Reference).count();
    let columns = panels.len().min(2);
    let rows = panels.len().div_ceil(columns.max(1));
    let longest = labels.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0) as u32;
    let legend_width = 48 + 7 * longest;
    let height = (PANEL_HEIGHT * rows as u32).max(40 + 20 * labels.len() as u32);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE).map_err(text)?;
        let (charts, legend) = area.split_horizontally(WIDTH - legend_width);
        let look = |label: &str| {
            let before = labels.iter().take_while(|(other, _)| *other != label);
            let index = before.filter(|(_, style)| *style != Style::Reference).count();
            let triangles = palette == Palette::Distinct && index >= COLOURS.len();
            Look { colour: palette.colour(index, coloured), triangles }
        };
        for (panel, area) in panels.iter().zip(charts.split_evenly((rows, columns))) {
            draw(&area, panel, &look)?;
        }
        for (row, (label, style)) in (0..).zip(&labels) {
            let y = 34 + 20 * row;
            let line: Vec<(i32, i32)> = vec![(4, y), (24, y)];
            if *style == Style::Reference {
                legend.draw(&DashedPathElement::new(line, 4, 3, BLACK.mix(0.6).stroke_width(2))).map_err(text)?;
            } else {
                let Look { colour, triangles } = look(label);
                legend.draw(&PathElement::new(line, colour.stroke_width(3))).map_err(text)?;
                if triangles {
                    legend.draw(&TriangleMarker::new((14, y), 6, colour.filled())).map_err(text)?;
                }
            }
            legend.draw(&Text::new((*label).to_owned(), (31, y - 7), ("sans-serif", 13))).map_err(text)?;
        }
        area.present().map_err(text)?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(area: &Area<'_>, panel: &Panel, look: &dyn Fn(&str) -> Look) -> Result<(), String> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let range = |axis: &Axis, values: Vec<f64>| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match axis {
            _ if least > most => 0.0..1.0,
            Axis::Named { names, .. } => -0.5..names.len() as f64 - 0.5,
            Axis::Linear { .. } if least == most => least - 0.5..most + 0.5,
            Axis::Linear { .. } => least - 0.04 * (most - least)..most + 0.04 * (most - least),
            // Room beside the values, and always two powers of ten to read by.
            Axis::Log { .. } => (least - 0.1).floor()..(most + 0.1).ceil(),
            Axis::Ratio { .. } => (least - 0.1).floor().max(-0.1)..(most + 0.1).ceil().min(0.25 - SMALLEST_GAP.log10()),
        }
    };
    let x = range(&panel.x, points().map(|point| panel.x.place(point.x)).collect());
    let y = range(&panel.y, points().flat_map(|point| [point.low, point.high]).map(|v| panel.y.place(v)).collect());
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(18)
        .caption(&panel.title, ("sans-serif", 15))
        .x_label_area_size(38)
        .y_label_area_size(72)
        .build_cartesian_2d(x.clone(), y.clone())
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(panel.x.label()).y_desc(panel.y.label()).light_line_style(WHITE).bold_line_style(BLACK.mix(0.12));
    let (x_text, y_text) = (|place: &f64| panel.x.text_at(*place), |place: &f64| panel.y.text_at(*place));
    mesh.x_label_formatter(&x_text).y_label_formatter(&y_text).label_style(("sans-serif", 12));
    let ticks = |axis: &Axis, range: &std::ops::Range<f64>| match axis {
        Axis::Linear { .. } => 6,
        Axis::Named { names, .. } => names.len().max(2) * 2,
        Axis::Log { .. } | Axis::Ratio { .. } => (range.end - range.start).round() as usize + 1,
    };
    mesh.x_labels(ticks(&panel.x, &x)).y_labels(ticks(&panel.y, &y));
    mesh.draw().map_err(text)?;
    let at = |x: f64, value: f64| (panel.x.place(x), panel.y.place(value));
    for series in &panel.series {
        let Look { colour, triangles } = look(&series.label);
        let line = || series.points.iter().map(|point| at(point.x, point.mean));
        match series.style {
            Style::Reference => {
                let style = BLACK.mix(0.6).stroke_width(2);
                chart.draw_series([DashedPathElement::new(line(), 4, 3, style)]).map_err(text)?;
                continue;
            }
            Style::Curve => {
                let there = series.points.iter().map(|point| at(point.x, point.high));
                let back = series.points.iter().rev().map(|point| at(point.x, point.low));
                chart
                    .draw_series([Polygon::new(there.chain(back).collect::<Vec<_>>(), colour.mix(0.18))])
                    .map_err(text)?;
            }
            Style::Markers | Style::Points => {
                let bars = series.points.iter().map(|point| {
                    PathElement::new([at(point.x, point.low), at(point.x, point.high)], colour.stroke_width(2))
                });
                chart.draw_series(bars).map_err(text)?;
                if triangles {
                    let markers = line().map(|place| TriangleMarker::new(place, 5, colour.filled()));
                    chart.draw_series(markers).map_err(text)?;
                } else {
                    chart.draw_series(line().map(|place| Circle::new(place, 3, colour.filled()))).map_err(text)?;
                }
            }
        }
        if series.style != Style::Points {
            chart.draw_series(LineSeries::new(line(), colour.stroke_width(2))).map_err(text)?;
        }
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// 20000 as 20,000; 0.001 and 1e-6 as they are.
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

    #[test]
    fn a_picture_shows_every_series_and_survives_few_values() {
        let series = |label: &str, style, points: Vec<Point>| Series { label: label.into(), style, points };
        let many = (1..20).map(|x| Point { x: f64::from(x), low: 0.5, mean: 0.9, high: 0.999 }).collect();
        let panels = [
            Panel {
                title: "left".into(),
                x: Axis::Linear { label: "steps" },
                y: Axis::Ratio { label: "Q2" },
                series: vec![series("some", Style::Curve, many), series("none", Style::Markers, Vec::new())],
            },
            Panel {
                title: "right".into(),
                x: Axis::Log { label: "seconds" },
                y: Axis::Linear { label: "joules" },
                series: vec![
                    series("one", Style::Points, vec![Point::exact(1e-6, 3.0)]),
                    series("level", Style::Reference, vec![Point::exact(1e-6, 3.0), Point::exact(1.0, 3.0)]),
                ],
            },
        ];
        for palette in [Palette::Distinct, Palette::Ordered] {
            let svg = picture(&panels, palette).expect("a picture");
            for text in ["left", "right", "some", "none", "one", "level", "joules", "</svg>"] {
                assert!(svg.contains(text), "{text}");
            }
            assert!(!svg.contains("NaN"), "{svg}");
        }
    }

    #[test]
    fn ordered_colours_go_from_dark_to_light() {
        let light = |colour: RGBColor| u32::from(colour.0) + u32::from(colour.1) + u32::from(colour.2);
        let shades: Vec<u32> = (0..10).map(|index| light(Palette::Ordered.colour(index, 10))).collect();
        assert!(shades.is_sorted(), "{shades:?}");
        assert_eq!(Palette::Ordered.colour(9, 10), ORDERED[4]);
        assert_eq!(Palette::Ordered.colour(0, 1), ORDERED[0]);
    }
}
