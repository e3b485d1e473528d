//! Decisions from Python: places of tasks, one decision or many.

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyString;
use sim::CostModel;
use sim::graph::GraphModel;

use crate::arrays::{Batch, refuse_masked, tuple};
use crate::errors::value;

/// What decisions are about: tasks along the last axes of an array, each with the same choice of places.
pub(crate) trait TaskAxes {
    /// The lengths of the last axes.
    fn axes(&self) -> impl AsRef<[usize]>;
    /// These axes in words.
    fn axes_in_words(&self) -> String;
    /// The number of places.
    fn place_count(&self) -> usize;
    /// The name of a place.
    fn place_name(&self, place: usize) -> &str;

    /// The shape in front of the last axes, and the number of decisions or workloads.
    ///
    /// # Errors
    /// If the last axes are not those of the tasks.
    fn leading(&self, argument: &str, shape: &[usize]) -> PyResult<(Vec<usize>, usize)> {
        let axes = self.axes();
        let axes = axes.as_ref();
        if let Some(lead) = shape.strip_suffix(axes) {
            return Ok((lead.to_vec(), lead.iter().product()));
        }
        let wanted: Vec<String> = axes.iter().map(ToString::to_string).collect();
        let (wanted, words) = (wanted.join(", "), self.axes_in_words());
        Err(value(format!("{argument} must have the shape (…, {wanted}): {words}; its shape is {}", tuple(shape))))
    }

    /// The index of a value as a person writes it.
    fn position(&self, position: usize, lead: &[usize]) -> String {
        let mut rest = position;
        let axes = self.axes();
        let axes: Vec<usize> = lead.iter().chain(axes.as_ref()).copied().collect();
        let mut indices = Vec::with_capacity(axes.len());
        for &length in axes.iter().rev() {
            indices.push((rest % length).to_string());
            rest /= length;
        }
        indices.reverse();
        indices.join(", ")
    }

    /// The names of all places, as errors list them.
    fn known_places(&self) -> String {
        let names: Vec<&str> = (0..self.place_count()).map(|place| self.place_name(place)).collect();
        names.join(", ")
    }
}

impl TaskAxes for CostModel {
    fn axes(&self) -> impl AsRef<[usize]> {
        [self.devices(), self.tasks()]
    }

    fn axes_in_words(&self) -> String {
        format!("{} devices with {} tasks each", self.devices(), self.tasks())
    }

    fn place_count(&self) -> usize {
        self.places()
    }

    fn place_name(&self, place: usize) -> &str {
        &self.place_names()[place]
    }
}

impl TaskAxes for GraphModel {
    fn axes(&self) -> impl AsRef<[usize]> {
        [self.tasks()]
    }

    fn axes_in_words(&self) -> String {
        format!("a place for each of the {}", data::counted(self.tasks(), "task"))
    }

    fn place_count(&self) -> usize {
        self.places()
    }

    fn place_name(&self, place: usize) -> &str {
        self.system().place_name(place)
    }
}

/// Places of tasks from an argument whose last axes are those of the tasks: indices of any integer type, or names such as `"local"`.
///
/// # Errors
/// If the argument is no array of places, its shape does not fit the model, or there is no such place.
pub(crate) fn places(argument: &str, given: &Bound<'_, PyAny>, model: &impl TaskAxes) -> PyResult<Batch<u8>> {
    refuse_masked(argument, given)?;
    if let Ok(array) = given.cast::<PyArrayDyn<u8>>() {
        let (shape, count) = model.leading(argument, array.shape())?;
        let values = array.readonly().as_array().iter().copied().collect();
        return checked_places(argument, Batch { shape, count, values }, model);
    }
    let array = given.py().import("numpy")?.call_method1("asarray", (given,));
    let array = array.map_err(|_| value(format!("{argument} must be an array with rows of equal length")))?;
    let mut kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let (lead, count) = model.leading(argument, &shape)?;
    let is_of_objects = kind == "O";
    let wrong = |position: usize, found: String| {
        let known = model.known_places();
        let last = model.place_count() - 1;
        let place = model.position(position, &lead);
        value(format!("{argument}[{place}] must be a place from 0 to {last} ({known}), is {found}"))
    };
    let whole = |(position, place): (usize, i128)| u8::try_from(place).map_err(|_| wrong(position, place.to_string()));
    let flat = || array.call_method0("ravel")?.call_method0("tolist");
    if kind == "O" {
        // Tables of pandas hold texts as objects.
        kind_of_objects(&flat()?)?.clone_into(&mut kind);
    }
    let values: Vec<u8> = match kind.as_str() {
        "b" | "i" if !is_of_objects => {
            let all = array.call_method1("astype", ("int64",))?.cast_into::<PyArrayDyn<i64>>()?;
            let all = all.readonly();
            all.as_array().iter().map(|place| i128::from(*place)).enumerate().map(whole).collect::<PyResult<_>>()?
        }
        "u" => {
            let all = array.call_method1("astype", ("uint64",))?.cast_into::<PyArrayDyn<u64>>()?;
            let all = all.readonly();
            all.as_array().iter().map(|place| i128::from(*place)).enumerate().map(whole).collect::<PyResult<_>>()?
        }
        "i" => {
            let all: Vec<i64> =
                flat()?.extract().map_err(|_| value(format!("{argument} holds a number that is no place")))?;
            all.into_iter().map(i128::from).enumerate().map(whole).collect::<PyResult<_>>()?
        }
        "U" | "T" => {
            let all: Vec<String> = flat()?.extract()?;
            let of = |(position, name): (usize, &String)| {
                let place = (0..model.place_count()).find(|place| model.place_name(*place) == name);
                place.map(|place| place as u8).ok_or_else(|| wrong(position, format!("{name:?}")))
            };
            all.iter().enumerate().map(of).collect::<PyResult<_>>()?
        }
        _ => {
            let found: String = array.getattr("dtype")?.str()?.extract()?;
            return Err(value(format!(
                "{argument} must hold places: whole numbers from 0 to {} or names; its dtype is {found}",
                model.place_count() - 1
            )));
        }
    };
    checked_places(argument, Batch { shape: lead, count, values }, model)
}

/// The kind of an array of objects, as NumPy names it, if all of them are of one kind.
fn kind_of_objects(objects: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    let (mut texts, mut numbers, mut all) = (0, 0, 0);
    for object in objects.try_iter()? {
        let object = object?;
        texts += usize::from(object.is_instance_of::<PyString>());
        numbers += usize::from(object.hasattr("__index__")?);
        all += 1;
    }
    Ok(if texts == all {
        "U"
    } else if numbers == all {
        "i"
    } else {
        "O"
    })
}

fn checked_places(argument: &str, batch: Batch<u8>, model: &impl TaskAxes) -> PyResult<Batch<u8>> {
    let Some(position) = batch.values.iter().position(|&place| usize::from(place) >= model.place_count()) else {
        return Ok(batch);
    };
    let place = model.position(position, &batch.shape);
    let (last, known) = (model.place_count() - 1, model.known_places());
    let found = batch.values[position];
    Err(value(format!("{argument}[{place}] must be a place from 0 to {last} ({known}), is {found}")))
}
