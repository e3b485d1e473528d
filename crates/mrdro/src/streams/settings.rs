//! Networks that dispatch at any site, compared with rules on 16 settings.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Networks;
use rayon::prelude::*;
use serde::Serialize;
use sim::scheme::GoesOn;
use sim::stream::dispatch::scheme::{DispatchScheme, DispatchSchemeKind};
use sim::stream::dispatch::settings::DispatchSetting;
use sim::stream::dispatch::{Path, simulate};

use super::comparison::dispatch_scheme;
use crate::chart::{self, Axis, Palette, Panel, Point, Series, Style};
use crate::error::Error;
use crate::statistics::student_interval;

/// The rules that networks are compared with.
const RULES: [&str; 3] = ["greedy", "one-step", "one-step-fitted"];
/// Seeds of the sites of each setting.
const SEEDS: [u64; 5] = [41, 42, 43, 44, 45];
/// Tasks that arrive at a site.
const TASKS: usize = 30_000;

/// The number of sites on which [`evaluate_on_settings`] compares.
pub fn sites_of_settings() -> usize {
    DispatchSetting::all().len() * SEEDS.len()
}

/// How networks do in one setting against one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingRow {
    /// The setting.
    pub setting: String,
    /// The number of devices.
    pub devices: usize,
    /// The load of the bottleneck.
    pub load: f64,
    /// The rule.
    pub rule: String,
    /// The mean over sites of the networks' mean cost over that of the rule, less 1.
    pub change: f64,
    /// The lower end of its 95 % interval over sites, by Student's t.
    pub change_low: f64,
    /// The upper end.
    pub change_high: f64,
}

/// How networks do in all settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingFindings {
    /// A row for each setting and rule.
    pub rows: Vec<SettingRow>,
    /// The mean change over all settings against each rule.
    pub means: BTreeMap<String, f64>,
}

impl SettingFindings {
    /// The measures of a record.
    pub fn measures(&self) -> BTreeMap<String, f64> {
        self.means.iter().map(|(rule, mean)| (format!("cost_against_{}", rule.replace('-', "_")), *mean)).collect()
    }

    /// Draws the changes against greedy.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn draw(&self, path: &FilePath) -> Result<(), Error> {
        let series = RULES.map(|rule| {
            let rows = self.rows.iter().filter(|row| row.rule == rule).enumerate();
            let point = |(index, row): (usize, &SettingRow)| Point {
                x: index as f64,
                low: 100.0 * row.change_low,
                mean: 100.0 * row.change,
                high: 100.0 * row.change_high,
            };
            Series { label: format!("against {rule}"), style: Style::Points, points: rows.map(point).collect() }
        });
        let names = (1..=self.rows.len() / RULES.len()).map(|number| number.to_string()).collect();
        let panel = Panel {
            title: "Cost of the networks in 16 settings".to_owned(),
            x: Axis::Named { label: "setting, in the order of results.csv", names },
            y: Axis::Linear { label: "change in percent" },
            series: series.into(),
        };
        chart::write_picture(&[panel], Palette::Distinct, path)
    }
}

/// Compares networks with greedy and the closed forms on five sites of each of the 16 settings of [`DispatchSetting`], with
/// 30,000 tasks at each site. `progress` is told the number of sites done. The networks are called `name` in errors.
///
/// # Errors
/// If the networks are not for tasks that arrive over time, and if `goes_on` says no.
///
/// # Panics
/// Never: the settings make sense.
pub fn evaluate_on_settings(
    name: &str,
    networks: &dyn Networks,
    goes_on: &GoesOn<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<SettingFindings, Error> {
    dispatch_scheme(name, networks)?;
    let settings = DispatchSetting::all();
    let jobs: Vec<(usize, u64)> = (0..settings.len()).flat_map(|setting| SEEDS.map(|seed| (setting, seed))).collect();
    let done = AtomicUsize::new(0);
    // Of each site the networks' cost over that of each rule, less 1.
    let changes = |(setting, seed): &(usize, u64)| {
        if !goes_on() {
            return Err(Error::from(sim::SchemeError::Interrupted));
        }
        let site = settings[*setting].site(*seed).expect("settings make sense");
        let path = Path::draw(&site, TASKS, *seed);
        let cost = |scheme: &mut dyn DispatchScheme| simulate(&site, &path, scheme, *seed).mean_cost;
        let own = cost(&mut *dispatch_scheme(name, networks)?);
        let mut changes = Vec::with_capacity(RULES.len());
        for rule in RULES {
            let kind: DispatchSchemeKind = rule.parse()?;
            changes.push(own / cost(&mut *kind.build(&site)?) - 1.0);
        }
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(changes)
    };
    let all = jobs.par_iter().map(changes).collect::<Result<Vec<Vec<f64>>, Error>>()?;
    let mut rows = Vec::with_capacity(settings.len() * RULES.len());
    let mut means = BTreeMap::new();
    for (setting, of_sites) in settings.iter().zip(all.chunks_exact(SEEDS.len())) {
        for (index, rule) in RULES.iter().enumerate() {
            let changes: Vec<f64> = of_sites.iter().map(|changes| changes[index]).collect();
            let change = changes.iter().sum::<f64>() / changes.len() as f64;
            let (change_low, change_high) = student_interval(&changes).unwrap_or((change, change));
            *means.entry((*rule).to_owned()).or_insert(0.0) += change / settings.len() as f64;
            rows.push(SettingRow {
                setting: setting.name.clone(),
                devices: setting.devices,
                load: setting.load,
                rule: (*rule).to_owned(),
                change,
                change_low,
                change_high,
            });
        }
    }
    Ok(SettingFindings { rows, means })
}
