//! Results for people and programs: tables, JSON, CSV, pictures.

pub(crate) mod chart;
pub(crate) mod page;
pub(crate) mod plot;
mod table;

pub(crate) use table::{
    csv_of, csv_text, duration, evaluations_csv, json_of, note, print, print_evaluations, table, write_out,
};
