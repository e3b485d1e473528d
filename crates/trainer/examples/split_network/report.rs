//! The table, the CSV file and the picture of a comparison of predicted and measured latencies.

use std::path::Path;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use mrdro::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use mrdro::files;
use serde::Serialize;

use crate::Failure;
use crate::measurement::{MeasuredCut, Overhead};
use crate::network::Network;
use crate::prediction::{Prediction, Predictions};

/// A cut with what was predicted and measured. Latencies are in ms.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CutRow {
    /// The number of layers on the device.
    pub(crate) layers_on_device: usize,
    /// The last layer on the device; `input`: there is none.
    pub(crate) cut_after: String,
    /// The size of the tensor that is sent; 0 if nothing is sent.
    pub(crate) tensor_bytes: f64,
    /// What went over the link.
    pub(crate) link_bytes_up: u64,
    pub(crate) link_bytes_down: u64,
    pub(crate) from_layers_ms: f64,
    pub(crate) from_regression_ms: f64,
    pub(crate) from_rates_ms: f64,
    pub(crate) measured_ms: f64,
    pub(crate) least_ms: f64,
    pub(crate) greatest_ms: f64,
}

/// All cuts of a network, predicted and measured.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) rows: Vec<CutRow>,
    pub(crate) predictions: Predictions,
    pub(crate) overhead: Overhead,
}

impl Comparison {
    pub(crate) fn new(network: &Network, predictions: Predictions, overhead: Overhead, cuts: &[MeasuredCut]) -> Self {
        let ms = |prediction: &Prediction, on_device: usize| 1e3 * prediction.latencies_s[on_device];
        let row = |(on_device, cut): (usize, &MeasuredCut)| CutRow {
            layers_on_device: on_device,
            cut_after: if on_device == 0 { "input".to_owned() } else { network.layers[on_device - 1].name.clone() },
            tensor_bytes: network.layers.get(on_device).map_or(0.0, |named| named.work.input_bytes),
            link_bytes_up: cut.bytes.up,
            link_bytes_down: cut.bytes.down,
            from_layers_ms: ms(&predictions.from_layers, on_device),
            from_regression_ms: ms(&predictions.from_regression, on_device),
            from_rates_ms: ms(&predictions.from_rates, on_device),
            measured_ms: 1e3 * cut.timing.median_s,
            least_ms: 1e3 * cut.timing.least_s,
            greatest_ms: 1e3 * cut.timing.greatest_s,
        };
        Self { rows: cuts.iter().enumerate().map(row).collect(), predictions, overhead }
    }

    /// The number of layers on the device in the cut that was fastest.
    pub(crate) fn fastest(&self) -> usize {
        let rows = self.rows.iter().enumerate();
        rows.min_by(|(_, a), (_, b)| a.measured_ms.total_cmp(&b.measured_ms)).map_or(0, |(on_device, _)| on_device)
    }

    /// Writes `split.csv` and `split.svg` into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        files::write_file(&folder.join("split.csv"), files::csv(&self.rows).as_bytes())?;
        for name in ["split.svg", "split.png"] {
            chart::write_picture(&[self.panel()], Palette::Distinct, &folder.join(name))?;
        }
        Ok(())
    }

    fn panel(&self) -> Panel {
        let series = |label: &str, style, point: &dyn Fn(&CutRow) -> Point| Series {
            label: label.to_owned(),
            style,
            points: self.rows.iter().map(point).collect(),
        };
        let exact =
            |value: fn(&CutRow) -> f64| move |row: &CutRow| Point::exact(row.layers_on_device as f64, value(row));
        let measured = |row: &CutRow| Point {
            x: row.layers_on_device as f64,
            low: row.least_ms,
            mean: row.measured_ms,
            high: row.greatest_ms,
        };
        Panel {
            title: "a network cut between a device and a worker".to_owned(),
            x: Axis::Linear { label: "layers on the device" },
            y: Axis::Linear { label: "latency in ms" },
            series: vec![
                series("measured", Style::Points, &measured),
                series("from these layers", Style::Curve, &exact(|row| row.from_layers_ms)),
                series("from the regression", Style::Curve, &exact(|row| row.from_regression_ms)),
                series("from rates", Style::Reference, &exact(|row| row.from_rates_ms)),
            ],
        }
    }

    /// The table and the findings, for people.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header([
            "here",
            "cut after",
            "sent KB",
            "from layers ms",
            "error",
            "regression ms",
            "error",
            "measured ms",
            "range ms",
        ]);
        for row in &self.rows {
            let error = |predicted: f64| format!("{:+.1} %", 100.0 * (predicted / row.measured_ms - 1.0));
            table.add_row([
                row.layers_on_device.to_string(),
                row.cut_after.clone(),
                format!("{:.1}", row.tensor_bytes / 1e3),
                format!("{:.1}", row.from_layers_ms),
                error(row.from_layers_ms),
                format!("{:.1}", row.from_regression_ms),
                error(row.from_regression_ms),
                format!("{:.1}", row.measured_ms),
                format!("{:.1}–{:.1}", row.least_ms, row.greatest_ms),
            ]);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_cell_alignment(if index == 1 { CellAlignment::Left } else { CellAlignment::Right });
        }
        format!("{table}\n{}", self.findings())
    }

    fn findings(&self) -> String {
        let Predictions { from_layers, from_regression, from_rates, regressions } = &self.predictions;
        let fastest = self.fastest();
        let name = |on_device: usize| format!("{on_device} here (after {})", self.rows[on_device].cut_after);
        let slower =
            |on_device: usize| 100.0 * (self.rows[on_device].measured_ms / self.rows[fastest].measured_ms - 1.0);
        let mut lines =
            vec![format!("fastest as measured: {}, {:.1} ms", name(fastest), self.rows[fastest].measured_ms)];
        for (origin, prediction) in [
            ("the times of these layers", from_layers),
            ("the regression, fitted to networks of other sizes", from_regression),
            ("operations and one rate for each side", from_rates),
        ] {
            let error =
                |row: &CutRow| (1e3 * prediction.latencies_s[row.layers_on_device] / row.measured_ms - 1.0).abs();
            let mean = self.rows.iter().map(error).sum::<f64>() / self.rows.len() as f64;
            lines.push(format!(
                "Neurosurgeon by {origin}: {}, {:.1} % slower than the fastest; mean error over all cuts {:.1} %",
                name(prediction.chosen),
                slower(prediction.chosen),
                100.0 * mean
            ));
        }
        let last = self.rows.len() - 1;
        let side = |what: &str, on_device: usize| {
            format!("{what}: {:.1} ms, {:.1} % slower", self.rows[on_device].measured_ms, slower(on_device))
        };
        lines.push(side("everything here", last));
        lines.push(side("everything there", 0));
        let Overhead { round_trip_s, round_trip_bytes, up_s_per_byte, down_s_per_byte, layer_bytes } = &self.overhead;
        lines.push(format!(
            "one number there and back: {:.2} ms, {} bytes up and {} down; protocol {:.1} ns a byte up and {:.1} down; {:.0} bytes \
             describe a layer on average",
            1e3 * round_trip_s,
            round_trip_bytes.up,
            round_trip_bytes.down,
            1e9 * up_s_per_byte,
            1e9 * down_s_per_byte,
            layer_bytes.iter().sum::<f64>() / layer_bytes.len() as f64
        ));
        lines.extend(regressions.iter().map(|regression| format!("regression of {regression}")));
        lines.join("\n")
    }
}
