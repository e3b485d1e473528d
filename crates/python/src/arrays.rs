//! Arrays from Python: task sizes, one workload or many, and numbers of tasks.

use numpy::ndarray::IxDyn;
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyString;
use sim::{CostModel, is_size, units};

use crate::errors::value;
use crate::places::TaskAxes;

/// Values of the tasks of one workload or many, `[count, N * M]`.
pub(crate) struct Batch<T> {
    /// The shape in front of N and M: empty for one workload.
    pub(crate) shape: Vec<usize>,
    /// The number of workloads.
    pub(crate) count: usize,
    /// Row by row.
    pub(crate) values: Vec<T>,
}

impl<T: Copy> Batch<T> {
    /// The same values for a larger shape, as NumPy broadcasts.
    pub(crate) fn broadcast(self, shape: &[usize]) -> Self {
        if self.shape == shape {
            return self;
        }
        let row = self.values.len() / self.count.max(1);
        let count = shape.iter().product();
        let mut values = Vec::with_capacity(count * row);
        for index in 0..count {
            // The position in this batch of the workload at `index` in the larger shape.
            let (mut rest, mut position, mut stride) = (index, 0, 1);
            let own = self.shape.iter().rev().chain(std::iter::repeat(&1));
            for (&length, &own) in shape.iter().rev().zip(own) {
                let here = rest % length;
                rest /= length;
                if own > 1 {
                    position += here * stride;
                }
                stride *= own;
            }
            values.extend_from_slice(&self.values[position * row..][..row]);
        }
        Self { shape: shape.to_vec(), count, values }
    }
}

/// Sizes and places of the same shape.
///
/// # Errors
/// If the shapes cannot be broadcast against each other.
pub(crate) fn together<A: Copy, B: Copy>(first: Batch<A>, second: Batch<B>) -> PyResult<(Batch<A>, Batch<B>)> {
    if first.shape == second.shape {
        return Ok((first, second));
    }
    let length = first.shape.len().max(second.shape.len());
    let padded = |shape: &[usize]| {
        let mut padded = vec![1; length - shape.len()];
        padded.extend_from_slice(shape);
        padded
    };
    let (of_first, of_second) = (padded(&first.shape), padded(&second.shape));
    let pairs = of_first.iter().zip(&of_second);
    let shape: Option<Vec<usize>> = pairs
        .map(|(&a, &b)| match (a, b) {
            (1, other) | (other, 1) => Some(other),
            (a, b) if a == b => Some(a),
            _ => None,
        })
        .collect();
    let shape = shape.ok_or_else(|| {
        value(format!(
            "sizes_mb has {:?} workloads in front of its last two axes and decisions has {:?}: the shapes do not fit together",
            first.shape, second.shape
        ))
    })?;
    Ok((first.broadcast(&shape), second.broadcast(&shape)))
}

/// Task sizes in bytes from an argument in MB, of shape `(…, N, M)`. A size of 0 is an absent task.
///
/// # Errors
/// If the argument is no array of numbers, its shape does not fit the model, or a value is no size.
pub(crate) fn sizes_bytes(argument: &str, given: &Bound<'_, PyAny>, model: &CostModel) -> PyResult<Batch<f64>> {
    let array = numbers(argument, given)?;
    let (shape, count) = model.leading(argument, array.shape())?;
    let view = array.readonly();
    let (mut values, mut are_sizes) = (Vec::with_capacity(array.len()), true);
    let mut add = |&mb: &f64| {
        let bytes = bytes_of(mb);
        are_sizes &= is_size(bytes);
        values.push(bytes);
    };
    match view.as_array().to_slice() {
        Some(slice) => slice.iter().for_each(&mut add),
        None => view.as_array().iter().for_each(&mut add),
    }
    if !are_sizes {
        let position = values.iter().position(|&bytes| !is_size(bytes)).unwrap_or(0);
        let place = model.position(position, &shape);
        let found = values[position] / units::BYTES_PER_MB;
        return Err(value(format!("{argument}[{place}] must be a size in MB from 0 to 1e12, is {found}")));
    }
    check_absent(argument, &values, &shape, model)?;
    Ok(Batch { shape, count, values })
}

/// The bytes of a size in MB. A size of -0.0 becomes 0.0, which means an absent task.
pub(crate) fn bytes_of(mb: f64) -> f64 {
    units::bytes_from_mb(mb) + 0.0
}

/// Sizes of tasks that devices of the model do not have must be 0.
fn check_absent(argument: &str, values: &[f64], shape: &[usize], model: &CostModel) -> PyResult<()> {
    if !model.has_absent_tasks() {
        return Ok(());
    }
    let tasks = model.task_count();
    let wrong = values.iter().enumerate().find(|(position, bytes)| **bytes > 0.0 && !model.has_task(position % tasks));
    let Some((position, _)) = wrong else { return Ok(()) };
    let device = position % tasks / model.tasks();
    Err(value(format!(
        "{argument}[{}] must be 0: device {device} has only {} tasks in this scenario",
        model.position(position, shape),
        model.tasks_of(device)
    )))
}

/// An argument as an array of floating-point numbers, whatever NumPy can make one of.
pub(crate) fn numbers<'py>(argument: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    refuse_masked(argument, given)?;
    if let Ok(array) = given.cast::<PyArrayDyn<f64>>() {
        return Ok(array.clone());
    }
    let wanted = || {
        let found = match given.get_type().name() {
            Ok(name) if name == "Workloads" => ", is Workloads: give their sizes_mb".to_owned(),
            Ok(name) => format!(", is of type {name}"),
            Err(_) => String::new(),
        };
        value(format!("{argument} must be an array of numbers with rows of equal length{found}"))
    };
    if given.is_none() || given.is_instance_of::<PyString>() {
        return Err(wanted());
    }
    let array = given.py().import("numpy")?.call_method1("asarray", (given,)).map_err(|_| wanted())?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !["f", "i", "u", "b", "O"].contains(&kind.as_str()) {
        return Err(wanted());
    }
    let array = array.call_method1("astype", ("float64",)).map_err(|_| wanted())?;
    Ok(array.cast_into::<PyArrayDyn<f64>>()?)
}

/// Masked arrays are arrays whose hidden values would count.
pub(crate) fn refuse_masked(argument: &str, given: &Bound<'_, PyAny>) -> PyResult<()> {
    if given.is_exact_instance_of::<PyUntypedArray>() || !given.hasattr("mask")? || !given.hasattr("filled")? {
        return Ok(());
    }
    Err(value(format!(
        "{argument} must not be a masked array: use its method filled(…) with the value that should count"
    )))
}

/// A shape as Python shows it.
pub(crate) fn tuple(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        all => format!("({})", all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// Values of some shape as Python gets them: an array, or a single value where the shape is empty.
pub(crate) fn array<'py, T>(py: Python<'py>, values: Vec<T>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>>
where
    T: numpy::Element + IntoPyObject<'py> + Copy,
{
    match (shape, &values[..]) {
        ([], &[one]) => one.into_bound_py_any(py),
        _ => full_array(py, values, shape),
    }
}

/// Values of some shape as an array.
pub(crate) fn full_array<'py, T: numpy::Element>(
    py: Python<'py>,
    values: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let array = numpy::PyArray1::from_vec(py, values).reshape(IxDyn(shape))?;
    Ok(array.into_any())
}

/// A number for each task from an argument of a shape that broadcasts to `(N, M)`.
///
/// # Errors
/// If the argument is no array of numbers, or of another shape.
pub(crate) fn per_task(argument: &str, given: &Bound<'_, PyAny>, model: &CostModel) -> PyResult<Vec<f64>> {
    let array = numbers(argument, given)?;
    let view = array.readonly();
    let (devices, tasks) = (model.devices(), model.tasks());
    let all = view.as_array().broadcast(IxDyn(&[devices, tasks])).map(|all| all.iter().copied().collect());
    all.ok_or_else(|| {
        let found = tuple(array.shape());
        value(format!("{argument} must be one number or have the shape ({devices}, {tasks}); its shape is {found}"))
    })
}
