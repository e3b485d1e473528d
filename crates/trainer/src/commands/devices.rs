//! `devices`: what this build can compute on.

use serde::Serialize;

use crate::cli::DevicesArgs;
use crate::error::AppError;
use crate::report;

#[derive(Serialize)]
struct Row {
    device: String,
    description: String,
}

pub(crate) fn run(args: &DevicesArgs) -> Result<(), AppError> {
    let row = |backend: model::Backend| Row { device: backend.name, description: backend.description };
    let rows: Vec<Row> = model::available().into_iter().map(row).collect();
    report::print(args.format.format, &rows, || {
        let cells = rows.iter().map(|row| vec![row.device.clone(), row.description.clone()]).collect();
        report::table(&["--device", "what it is"], cells)
    })
}
