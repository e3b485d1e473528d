//! Learning curves, as SVG.

use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::{COLOURS, SMALLEST_GAP, number};
use crate::error::Error;
use crate::files::write_file;
use crate::metrics::{Phase, Row};

/// A learning curve: over the steps of training, the mean of several runs with their range.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name in the legend.
    pub label: String,
    /// Step, lowest, mean and highest value of each point.
    pub points: Vec<(f64, f64, f64, f64)>,
}

/// Writes an SVG file with the gap to the optimum, 1 - Q2, over the steps of Algorithm 2. The range of the runs is a band
/// around each curve.
///
/// # Errors
/// If the picture cannot be drawn or written.
pub fn gap_curves(title: &str, curves: &[Curve], path: &Path) -> Result<(), Error> {
    let mut svg = String::new();
    draw(&mut svg, (1040, 480), |area| gap_chart(&area, title, curves))
        .map_err(|reason| picture_error(path, reason))?;
    write_file(path, svg.as_bytes())
}

/// Writes an SVG file with the gap to the optimum and the loss of one run, side by side.
///
/// # Errors
/// If the picture cannot be drawn or written.
pub fn learning_curve(title: &str, rows: &[Row], path: &Path) -> Result<(), Error> {
    let curve = |is_meta: bool, label: &str, value: fn(&Row) -> Option<f64>| {
        let of_phase = rows.iter().filter(move |row| (row.phase == Phase::Meta) == is_meta);
        let points = of_phase.filter_map(|row| value(row).map(|value| (row.step as f64, value, value, value)));
        Curve { label: label.to_owned(), points: points.collect() }
    };
    let gap = |row: &Row| row.q2.map(|q2| (1.0 - q2).max(SMALLEST_GAP));
    let gaps = [curve(true, "meta (outer steps)", gap), curve(false, "DRL (steps)", gap)];
    let losses = [curve(true, "meta", |row| row.loss), curve(false, "DRL", |row| row.loss)];
    let mut svg = String::new();
    draw(&mut svg, (1280, 420), |area| {
        let (left, right) = area.split_horizontally(660);
        gap_chart(&left, title, &gaps)?;
        loss_chart(&right, &losses)
    })
    .map_err(|reason| picture_error(path, reason))?;
    write_file(path, svg.as_bytes())
}

fn picture_error(path: &Path, reason: String) -> Error {
    Error::Picture { path: path.to_owned(), reason }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(svg: &mut String, size: (u32, u32), paint: impl FnOnce(Area<'_>) -> Result<(), String>) -> Result<(), String> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    area.fill(&WHITE).map_err(text)?;
    paint(area.clone())?;
    area.present().map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn gap_chart(area: &Area<'_>, title: &str, curves: &[Curve]) -> Result<(), String> {
    let values = || curves.iter().flat_map(|curve| curve.points.iter().flat_map(|point| [point.1, point.3]));
    let lowest = values().fold(0.1, f64::min).max(SMALLEST_GAP);
    let highest = values().fold(2.0 * lowest, f64::max);
    // Whole decades, so that the axis has labels to read by.
    let (low, high) = (10_f64.powf(lowest.log10().floor()), 10_f64.powf(highest.log10().ceil()).min(1.0));
    chart(area, title, "gap to the optimum, 1 − Q2", curves, (low..high).log_scale(), |value| {
        if *value < 1e-3 { format!("{value:.0e}") } else { format!("{value}") }
    })
}

fn loss_chart(area: &Area<'_>, curves: &[Curve]) -> Result<(), String> {
    let highest = curves.iter().flat_map(|curve| &curve.points).map(|point| point.3).fold(0.01, f64::max);
    chart(area, "", "cross-entropy", curves, 0.0..1.05 * highest, |value| format!("{value:.2}"))
}

/// Draws curves over steps with any vertical axis, and the legend to their right.
fn chart<Y>(
    area: &Area<'_>,
    title: &str,
    description: &str,
    curves: &[Curve],
    vertical: Y,
    label: fn(&f64) -> String,
) -> Result<(), String>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let shown = || curves.iter().filter(|curve| !curve.points.is_empty()).zip(COLOURS.iter().cycle());
    // The legend stands to the right of the curves, where it covers none of them.
    let longest = shown().map(|(curve, _)| curve.label.chars().count()).max().unwrap_or(0) as u32;
    let (width, _) = area.dim_in_pixel();
    let (plot, legend) = area.split_horizontally(width.saturating_sub(52 + 7 * longest).max(width / 2));
    let last = curves.iter().filter_map(|curve| curve.points.last()).map(|point| point.0).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&plot)
        .margin(14)
        .margin_right(24)
        .caption(title, ("sans-serif", 17))
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last, vertical)
        .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc("steps").y_desc(description).light_line_style(WHITE).bold_line_style(BLACK.mix(0.12));
    mesh.x_label_formatter(&|steps| number(*steps)).y_label_formatter(&label).label_style(("sans-serif", 13));
    mesh.draw().map_err(text)?;
    for (row, (curve, colour)) in (0..).zip(shown()) {
        let band = curve.points.iter().map(|point| (point.0, point.3));
        let band: Vec<_> = band.chain(curve.points.iter().rev().map(|point| (point.0, point.1))).collect();
        chart.draw_series([Polygon::new(band, colour.mix(0.18))]).map_err(text)?;
        let line = LineSeries::new(curve.points.iter().map(|point| (point.0, point.2)), colour.stroke_width(2));
        chart.draw_series(line).map_err(text)?;
        let y = 48 + 22 * row;
        legend.draw(&PathElement::new([(0, y), (20, y)], colour.stroke_width(3))).map_err(text)?;
        legend.draw(&Text::new(curve.label.clone(), (28, y - 7), ("sans-serif", 13))).map_err(text)?;
    }
    Ok(())
}
