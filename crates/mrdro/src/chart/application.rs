//! A decision about an application as a picture: its graph with a colour for each place, and above a time axis what the device,
//! the links and the servers do when.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use sim::graph::{Activity, ActivityKind, GraphModel, Schedule};

use super::COLOURS;
use super::axis::number;
use super::canvas::{self, Area, text};
use crate::error::Error;

const WIDTH: i32 = super::WIDTH.cast_signed();
/// The space at the left of the time axis, for the names of rows.
const LEFT: i32 = 150;
const MARGIN: i32 = 24;
const ROW_HEIGHT: i32 = 26;
const CHARACTER_WIDTH: f64 = 6.5;
const MOST_GRAPH_HEIGHT: i32 = 640;
/// Edges of larger graphs are only a surface of ink.
const MOST_EDGES: usize = 20_000;
const MOST_LAYER_PASSES: usize = 4;

/// Writes a decision about an application as a picture, SVG or PNG by the name of its file.
///
/// The upper part is the graph: each task is right of all that it waits for, in the colour of its place. The lower part shows
/// what runs, is sent and is received when.
///
/// # Shapes
/// `places` is `[tasks]`, in the order in which the application gives its tasks.
///
/// # Errors
/// If the picture cannot be drawn or written.
///
/// # Panics
/// If there is not one place for each task, or no such place.
pub fn write_application(model: &GraphModel, places: &[u8], title: &str, path: &Path) -> Result<(), Error> {
    let picture = Picture::of(model, places, title);
    canvas::write(path, picture.size(), |area| picture.draw(area))
}

fn pixels(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The colour of a place.
fn colour(place: u8) -> RGBColor {
    COLOURS[usize::from(place) % COLOURS.len()]
}

struct Picture<'m> {
    model: &'m GraphModel,
    places: &'m [u8],
    title: String,
    /// The position of each task in the graph, from 0 to 1 in both directions.
    positions: Vec<(f64, f64)>,
    graph_height: i32,
    layers: usize,
    /// The number of tasks of the largest layer.
    widest: i32,
    rows: Vec<Row>,
    end_s: f64,
}

/// What one part of the system does.
struct Row {
    name: String,
    /// Each with the lane that it is drawn in: activities of one lane never overlap.
    activities: Vec<(Activity, usize)>,
    lanes: usize,
}

impl<'m> Picture<'m> {
    fn of(model: &'m GraphModel, places: &'m [u8], title: &str) -> Self {
        let layers = layers(model);
        let widest = layers.iter().map(Vec::len).max().map_or(1, pixels);
        let mut schedule = Schedule::new(model);
        schedule.fill(model, places);
        let outcome = schedule.outcome(model);
        let title = format!(
            "{title}: {} s, {} J, cost {}",
            number(rounded(outcome.time_s)),
            number(rounded(outcome.energy_j)),
            number(rounded(outcome.cost))
        );
        Self {
            model,
            places,
            title,
            positions: positions(model.tasks(), &layers),
            graph_height: (widest * 28).clamp(110, MOST_GRAPH_HEIGHT),
            layers: layers.len(),
            widest,
            rows: rows(model, &schedule.activities(model)),
            end_s: outcome.time_s,
        }
    }

    fn size(&self) -> (u32, u32) {
        let below = if self.rows.is_empty() { 0 } else { pixels(self.rows.len()) * ROW_HEIGHT + 56 };
        (WIDTH.cast_unsigned(), (self.graph_height + below + 3 * MARGIN + 30).cast_unsigned())
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), String> {
        let middle = Pos::new(HPos::Center, VPos::Center);
        let title = ("sans-serif", 16).into_text_style(area).pos(middle);
        area.draw(&Text::new(self.title.clone(), (WIDTH / 2, MARGIN - 4), title)).map_err(text)?;
        self.draw_legend(area, MARGIN + 20)?;
        self.draw_graph(area, 2 * MARGIN + 20)?;
        if self.rows.is_empty() { Ok(()) } else { self.draw_rows(area, 3 * MARGIN + 20 + self.graph_height) }
    }

    fn draw_legend(&self, area: &Area<'_>, y: i32) -> Result<(), String> {
        let system = self.model.system();
        let mut x = MARGIN;
        for place in 0..system.places() {
            let name = system.place_name(place);
            let width = 26 + (name.chars().count() as f64 * 7.0) as i32;
            if x + width > WIDTH - MARGIN {
                return Ok(());
            }
            area.draw(&Circle::new((x + 6, y), 6, colour(place as u8).filled())).map_err(text)?;
            area.draw(&Text::new(name.to_owned(), (x + 17, y - 7), ("sans-serif", 13))).map_err(text)?;
            x += width + 10;
        }
        Ok(())
    }

    fn draw_graph(&self, area: &Area<'_>, top: i32) -> Result<(), String> {
        let (left, width) = (MARGIN + 16, WIDTH - 2 * (MARGIN + 16));
        let at = |task: usize| {
            let (x, y) = self.positions[task];
            (left + (x * f64::from(width)) as i32, top + (y * f64::from(self.graph_height)) as i32)
        };
        let application = self.model.application();
        let thin = BLACK.mix(if application.edges().len() > 200 { 0.12 } else { 0.35 }).stroke_width(1);
        for edge in application.edges().iter().take(MOST_EDGES) {
            area.draw(&PathElement::new([at(edge.from as usize), at(edge.to as usize)], thin)).map_err(text)?;
        }
        let spacing = f64::from(width) / self.layers as f64;
        let radius = if application.len() > 400 { 3 } else { (spacing / 3.0).clamp(3.0, 9.0) as i32 };
        let characters = (spacing / CHARACTER_WIDTH) as usize;
        let below = Pos::new(HPos::Center, VPos::Top);
        let style = ("sans-serif", 11).into_text_style(area).pos(below);
        let has_names = characters >= 2 && self.graph_height / self.widest >= 24;
        for (task, place) in self.places.iter().enumerate() {
            let (x, y) = at(task);
            area.draw(&Circle::new((x, y), radius, colour(*place).filled())).map_err(text)?;
            if has_names {
                let name = shortened(&application.tasks()[task].name, characters);
                area.draw(&Text::new(name, (x, y + radius + 1), style.clone())).map_err(text)?;
            }
        }
        Ok(())
    }

    fn draw_rows(&self, area: &Area<'_>, top: i32) -> Result<(), String> {
        let right = WIDTH - MARGIN;
        let scale = f64::from(right - LEFT) / self.end_s.max(f64::MIN_POSITIVE);
        let at = |time_s: f64| LEFT + (time_s * scale).round() as i32;
        let bottom = top + pixels(self.rows.len()) * ROW_HEIGHT;
        let under = ("sans-serif", 12).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Top));
        for time_s in ticks(self.end_s) {
            let line = [(at(time_s), top), (at(time_s), bottom + 4)];
            area.draw(&PathElement::new(line, BLACK.mix(0.15).stroke_width(1))).map_err(text)?;
            area.draw(&Text::new(number(rounded(time_s)), (at(time_s), bottom + 7), under.clone())).map_err(text)?;
        }
        area.draw(&Text::new("seconds", (i32::midpoint(LEFT, right), bottom + 24), under)).map_err(text)?;
        let beside = ("sans-serif", 12).into_text_style(area).pos(Pos::new(HPos::Right, VPos::Center));
        let inside = ("sans-serif", 11).into_text_style(area).pos(Pos::new(HPos::Center, VPos::Center)).color(&WHITE);
        for (row, y) in self.rows.iter().zip((0..).map(|row| top + row * ROW_HEIGHT)) {
            let name = Text::new(shortened(&row.name, 20), (LEFT - 8, y + ROW_HEIGHT / 2), beside.clone());
            area.draw(&name).map_err(text)?;
            let height = f64::from(ROW_HEIGHT - 4) / row.lanes as f64;
            for (activity, lane) in &row.activities {
                let (from, to) = (at(activity.start_s), at(activity.end_s).max(at(activity.start_s) + 1));
                let upper = y + 2 + (*lane as f64 * height) as i32;
                let lower = (y + 2 + ((lane + 1) as f64 * height) as i32 - 1).max(upper + 1);
                let place = activity.place;
                let fill = match activity.kind {
                    ActivityKind::Run => colour(place).filled(),
                    ActivityKind::Send | ActivityKind::Receive => colour(place).mix(0.65).filled(),
                };
                area.draw(&Rectangle::new([(from, upper), (to, lower)], fill)).map_err(text)?;
                let characters = (f64::from(to - from) / CHARACTER_WIDTH) as usize;
                if row.lanes == 1 && characters >= 2 {
                    let name = shortened(&self.model.application().tasks()[activity.task as usize].name, characters);
                    area.draw(&Text::new(name, (i32::midpoint(from, to), y + ROW_HEIGHT / 2), inside.clone()))
                        .map_err(text)?;
                }
            }
        }
        Ok(())
    }
}

/// The tasks by the length of the longest way to them, neighbours near each other.
fn layers(model: &GraphModel) -> Vec<Vec<u32>> {
    let application = model.application();
    let mut depth = vec![0_usize; application.len()];
    for &task in application.topological() {
        let before = application.incoming(task as usize).iter().map(|edge| depth[edge.task as usize] + 1);
        depth[task as usize] = before.max().unwrap_or(0);
    }
    let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
    for task in 0..application.len() {
        layers[depth[task]].push(task as u32);
    }
    let mut height = vec![0.0; application.len()];
    let set_heights = |layer: &[u32], height: &mut [f64]| {
        for (index, task) in layer.iter().enumerate() {
            height[*task as usize] = (index as f64 + 0.5) / layer.len() as f64;
        }
    };
    for layer in &layers {
        set_heights(layer, &mut height);
    }
    for pass in 0..MOST_LAYER_PASSES {
        let order: Vec<usize> =
            if pass % 2 == 0 { (0..layers.len()).collect() } else { (0..layers.len()).rev().collect() };
        for layer in order {
            let layer = &mut layers[layer];
            let mean = |task: u32| {
                let task = task as usize;
                let ends = if pass % 2 == 0 { application.incoming(task) } else { application.outgoing(task) };
                let sum: f64 = ends.iter().map(|end| height[end.task as usize]).sum();
                if ends.is_empty() { height[task] } else { sum / ends.len() as f64 }
            };
            let mut sorted: Vec<(f64, u32)> = layer.iter().map(|task| (mean(*task), *task)).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            *layer = sorted.into_iter().map(|(_, task)| task).collect();
            set_heights(layer, &mut height);
        }
    }
    layers
}

fn positions(tasks: usize, layers: &[Vec<u32>]) -> Vec<(f64, f64)> {
    let mut positions = vec![(0.0, 0.0); tasks];
    for (column, layer) in layers.iter().enumerate() {
        for (row, task) in layer.iter().enumerate() {
            positions[*task as usize] =
                ((column as f64 + 0.5) / layers.len() as f64, (row as f64 + 0.5) / layer.len() as f64);
        }
    }
    positions
}

/// The rows of the lower part: the device, then for each server what is sent to it, what it runs and what is received from it,
/// where there is something.
fn rows(model: &GraphModel, activities: &[Activity]) -> Vec<Row> {
    let system = model.system();
    let mut rows = Vec::new();
    for place in 0..system.places() {
        let name = system.place_name(place);
        for (kind, name) in [
            (ActivityKind::Send, format!("to {name}")),
            (ActivityKind::Run, name.to_owned()),
            (ActivityKind::Receive, format!("from {name}")),
        ] {
            let is_here = |activity: &&Activity| activity.kind == kind && usize::from(activity.place) == place;
            let mut found: Vec<Activity> = activities
                .iter()
                .filter(is_here)
                .filter(|activity| activity.end_s > activity.start_s)
                .copied()
                .collect();
            found.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
            if !found.is_empty() {
                rows.push(in_lanes(name, found));
            }
        }
    }
    rows
}

/// A row whose activities are in as few lanes as possible.
fn in_lanes(name: String, activities: Vec<Activity>) -> Row {
    let mut free_s: Vec<f64> = Vec::new();
    let mut lane_of = |activity: Activity| {
        let slack = 1e-9 * activity.end_s;
        let lane = free_s.iter().position(|free| *free <= activity.start_s + slack).unwrap_or(free_s.len());
        if lane == free_s.len() {
            free_s.push(activity.end_s);
        } else {
            free_s[lane] = activity.end_s;
        }
        (activity, lane)
    };
    let activities: Vec<_> = activities.into_iter().map(&mut lane_of).collect();
    Row { name, activities, lanes: free_s.len().max(1) }
}

/// Round numbers from 0 up to `end`, about eight.
fn ticks(end: f64) -> Vec<f64> {
    if end <= 0.0 || !end.is_finite() {
        return vec![0.0];
    }
    let power = 10_f64.powf((end / 8.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| end / step <= 9.0);
    let step = step.unwrap_or(10.0 * power);
    (0..=(end / step) as u32).map(|index| f64::from(index) * step).collect()
}

/// A number with four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn shortened(name: &str, characters: usize) -> String {
    if name.chars().count() <= characters {
        return name.to_owned();
    }
    let kept: String = name.chars().take(characters.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sim::graph::{Application, GraphEdge, GraphServer, GraphTask, Link, Machine, Rules, System};

    use super::*;

    fn model(edges: &[(u32, u32)], tasks: usize) -> GraphModel {
        let task = |index: usize| GraphTask {
            name: format!("task {index}"),
            instructions: 1e9 * (index + 1) as f64,
            send_bytes: 1e6,
            ..GraphTask::default()
        };
        let edges = edges.iter().map(|&(from, to)| GraphEdge { from, to, bytes: 1e6 }).collect();
        let application = Application::new((0..tasks).map(task).collect(), edges).expect("no cycle");
        let machine = |instructions_per_s| Machine { instructions_per_s, memory_bytes_per_s: None };
        let link = Link {
            up_bytes_per_s: 1e6,
            down_bytes_per_s: 1e6,
            send_w: 1.3,
            receive_w: 1.0,
            price_per_byte: 0.0,
            is_own: false,
        };
        let server = GraphServer { name: "edge".into(), machine: machine(1e10), energy_per_instruction_j: 0.0, link };
        let system = System { device: machine(1e9), compute_w: 0.9, idle_w: 0.3, servers: vec![server] };
        GraphModel::new(Arc::new(application), Arc::new(system), Rules::default()).expect("valid")
    }

    #[test]
    fn a_picture_shows_tasks_places_and_times() {
        let model = model(&[(0, 1), (0, 2), (1, 3), (2, 3)], 4);
        for format in [canvas::PictureFormat::Svg, canvas::PictureFormat::Png] {
            let picture = Picture::of(&model, &[0, 1, 1, 0], "an example");
            let bytes = canvas::draw(format, picture.size(), |area| picture.draw(area)).expect("drawn");
            if format == canvas::PictureFormat::Svg {
                let svg = String::from_utf8(bytes).expect("text");
                for text in ["an example", "local", "edge", "to edge", "from edge", "task 2", "seconds"] {
                    assert!(svg.contains(text), "{text}");
                }
                assert!(!svg.contains("NaN"));
            }
        }
    }

    #[test]
    fn tasks_are_right_of_those_they_wait_for() {
        let model = model(&[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)], 5);
        let found = layers(&model);
        assert_eq!(found.len(), 4);
        let positions = positions(5, &found);
        for edge in model.application().edges() {
            assert!(positions[edge.from as usize].0 < positions[edge.to as usize].0);
        }
    }

    #[test]
    fn activities_of_one_lane_do_not_overlap() {
        let activity = |start_s, end_s| Activity { kind: ActivityKind::Receive, task: 0, place: 1, start_s, end_s };
        let row = in_lanes("from edge".into(), vec![activity(0.0, 2.0), activity(1.0, 3.0), activity(2.0, 4.0)]);
        assert_eq!(row.lanes, 2);
        assert_eq!(row.activities.iter().map(|(_, lane)| *lane).collect::<Vec<_>>(), [0, 1, 0]);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(10.0), (0..=5).map(|index| f64::from(index) * 2.0).collect::<Vec<_>>());
        assert_eq!(ticks(0.0), [0.0]);
        assert!(ticks(723.0).len() <= 10 && ticks(1e-6).len() >= 4);
    }
}
