//! Charts as SVG or PNG: means with intervals, several charts in one picture.

use std::path::Path;

use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

mod application;
mod axis;
mod canvas;
mod curves;
mod png;
mod raster;

pub use self::application::write_application;
pub use self::axis::{Axis, SMALLEST_GAP, number};
pub use self::canvas::PictureFormat;
use self::canvas::{Area, Canvas, text};
pub use self::curves::{Curve, gap_curves, learning_curve};
use crate::error::Error;
use crate::statistics::Spread;

/// Colours for series without an order, which colour-blind people can distinguish (Okabe and Ito).
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

/// Colours for series with an order, from dark to light, so that they stay readable in grey.
const ORDERED: [RGBColor; 5] =
    [RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(94, 201, 98), RGBColor(215, 190, 20)];

/// One point of a series: a mean with its interval.
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

/// The way in which a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line, with the intervals as a band.
    Curve,
    /// Points with the intervals as bars, joined by a line.
    Markers,
    /// Points with the intervals as bars.
    Points,
    /// A dashed line, for a reference value.
    Reference,
}

/// One curve or set of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in the legend.
    pub label: String,
    /// The way in which it is drawn.
    pub style: Style,
    /// The points, in the order in which a line joins them.
    pub points: Vec<Point>,
}

/// One chart of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The title above the chart.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The curves and points.
    pub series: Vec<Series>,
}

/// The colour and marker of a series. When all colours are used, they are used again with another marker.
#[derive(Debug, Clone, Copy)]
struct Look {
    colour: RGBColor,
    triangles: bool,
}

/// The choice of colours for the series of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// For series without an order.
    Distinct,
    /// For series with an order.
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

/// Draws charts in two columns with a common legend, as the text of an SVG file. Series with one label have one colour in all
/// charts.
///
/// # Errors
/// A message of the drawing library, if it fails.
pub fn picture(panels: &[Panel], palette: Palette) -> Result<String, String> {
    let layout = Layout::of(panels, palette);
    let svg = canvas::draw(PictureFormat::Svg, layout.size(), |area| layout.draw(area))?;
    String::from_utf8(svg).map_err(text)
}

/// Writes a picture as [`picture`] draws it, SVG or PNG by the name of its file.
///
/// # Errors
/// If the picture cannot be drawn or written.
pub fn write_picture(panels: &[Panel], palette: Palette, path: &Path) -> Result<(), Error> {
    let layout = Layout::of(panels, palette);
    canvas::write(path, layout.size(), |area| layout.draw(area))
}

/// The parts of a picture and the space that they need.
struct Layout<'p> {
    panels: &'p [Panel],
    palette: Palette,
    /// Labels of all series, each once.
    labels: Vec<(&'p str, Style)>,
    rows: usize,
    columns: usize,
}

impl<'p> Layout<'p> {
    fn of(panels: &'p [Panel], palette: Palette) -> Self {
        let mut labels: Vec<(&str, Style)> = Vec::new();
        for series in panels.iter().flat_map(|panel| &panel.series) {
            if labels.iter().all(|(label, _)| *label != series.label) {
                labels.push((&series.label, series.style));
            }
        }
        let columns = panels.len().min(2);
        Self { panels, palette, labels, rows: panels.len().div_ceil(columns.max(1)), columns }
    }

    fn size(&self) -> (u32, u32) {
        (WIDTH, (PANEL_HEIGHT * self.rows as u32).max(40 + 20 * self.labels.len() as u32))
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), String> {
        let Self { panels, palette, labels, rows, columns } = self;
        let coloured = labels.iter().filter(|(_, style)| *style != Style::Reference).count();
        let longest = labels.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0) as u32;
        let legend_width = 48 + 7 * longest;
        let (charts, legend) = area.split_horizontally(WIDTH.saturating_sub(legend_width).max(WIDTH / 2));
        let look = |label: &str| {
            let before = labels.iter().take_while(|(other, _)| *other != label);
            let index = before.filter(|(_, style)| *style != Style::Reference).count();
            let triangles = *palette == Palette::Distinct && index >= COLOURS.len();
            Look { colour: palette.colour(index, coloured), triangles }
        };
        for (panel, area) in panels.iter().zip(charts.split_evenly((*rows, *columns))) {
            draw(&area, panel, &look)?;
        }
        draw_legend(&legend, labels, &look)
    }
}

/// Draws one line for each series of the picture.
fn draw_legend(legend: &Area<'_>, labels: &[(&str, Style)], look: &dyn Fn(&str) -> Look) -> Result<(), String> {
    for (row, (label, style)) in (0..).zip(labels) {
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
    Ok(())
}

fn draw(area: &Area<'_>, panel: &Panel, look: &dyn Fn(&str) -> Look) -> Result<(), String> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let x = panel.x.range(points().map(|point| point.x));
    let y = panel.y.range(points().flat_map(|point| [point.low, point.high]));
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
    mesh.x_labels(panel.x.ticks(&x)).y_labels(panel.y.ticks(&y));
    mesh.draw().map_err(text)?;
    panel.series.iter().try_for_each(|series| draw_series(&mut chart, panel, series, look(&series.label)))
}

type Chart<'a> = ChartContext<'a, Canvas<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn draw_series(chart: &mut Chart<'_>, panel: &Panel, series: &Series, look: Look) -> Result<(), String> {
    let Look { colour, triangles } = look;
    let at = |x: f64, value: f64| (panel.x.place(x), panel.y.place(value));
    let line = || series.points.iter().map(|point| at(point.x, point.mean));
    match series.style {
        Style::Reference => {
            let style = BLACK.mix(0.6).stroke_width(2);
            chart.draw_series([DashedPathElement::new(line(), 4, 3, style)]).map_err(text)?;
            return Ok(());
        }
        Style::Curve => {
            let there = series.points.iter().map(|point| at(point.x, point.high));
            let back = series.points.iter().rev().map(|point| at(point.x, point.low));
            let band = Polygon::new(there.chain(back).collect::<Vec<_>>(), colour.mix(0.18));
            chart.draw_series([band]).map_err(text)?;
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
