//! TOML tables as Python dictionaries, and back.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use toml::{Table, Value};

/// A table from a dictionary. NumPy's arrays and numbers are taken for lists and numbers, `None` for a key that is not
/// there.
///
/// # Errors
/// If a key is no text, or a value is nothing that TOML has.
pub(crate) fn table_of(argument: &str, dictionary: &Bound<'_, PyDict>) -> PyResult<Table> {
    let mut table = Table::new();
    for (key, value) in dictionary {
        let Ok(key) = key.extract::<String>() else {
            return Err(PyTypeError::new_err(format!("{argument} must have texts as keys, has {}", key.repr()?)));
        };
        if !value.is_none() {
            let path = if argument.is_empty() { key.clone() } else { format!("{argument}.{key}") };
            table.insert(key, value_of(&path, &value)?);
        }
    }
    Ok(table)
}

fn value_of(path: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(dictionary) = value.cast::<PyDict>() {
        return Ok(Value::Table(table_of(path, dictionary)?));
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Value::String(value.extract()?));
    }
    if value.is_instance_of::<PyInt>() {
        return value.extract().map(Value::Integer).map_err(|_| wrong(path, value));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(value.extract()?));
    }
    if let Ok(plain) = value.call_method0("tolist") {
        return value_of(path, &plain); // an array or a number of NumPy
    }
    if let Ok(path) = value.call_method0("__fspath__") {
        return Ok(Value::String(path.extract()?));
    }
    let items = value.try_iter().map_err(|_| wrong(path, value))?;
    let values = items.enumerate().map(|(index, item)| value_of(&format!("{path}[{index}]"), &item?));
    Ok(Value::Array(values.collect::<PyResult<_>>()?))
}

fn wrong(path: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let found = value.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{path} must be a number, a text, a list or a dict, is of type {found}"))
}

/// A dictionary from a table.
pub(crate) fn dictionary_of<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    for (key, value) in table {
        dictionary.set_item(key, object_of(py, value)?)?;
    }
    Ok(dictionary)
}

fn object_of<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Integer(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => PyFloat::new(py, *number).into_any(),
        Value::Boolean(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Datetime(time) => PyString::new(py, &time.to_string()).into_any(),
        Value::Array(values) => {
            let items = values.iter().map(|value| object_of(py, value)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Table(table) => dictionary_of(py, table)?.into_any(),
    })
}

/// Sets a value at a path of keys, such as `devices.count` or `servers[0].frequency_mhz`.
///
/// # Errors
/// If the path leads into a value that is no table, or beyond the end of a list.
pub(crate) fn set(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let (name, index) = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        None => (key, None),
        Some((name, index)) => {
            (name, Some(index.parse::<usize>().map_err(|_| format!("`{key}` is no element of a list"))?))
        }
    };
    let slot = match index {
        None if rest.is_none() => {
            table.insert(name.to_owned(), value);
            return Ok(());
        }
        None => table.entry(name).or_insert_with(|| Value::Table(Table::new())),
        Some(index) => {
            let list =
                table.get_mut(name).and_then(Value::as_array_mut).ok_or_else(|| format!("`{name}` is no list"))?;
            let length = list.len();
            list.get_mut(index).ok_or_else(|| format!("`{name}` has {length} elements, so that there is no `{key}`"))?
        }
    };
    match rest {
        None => *slot = value,
        Some(rest) => {
            let table =
                slot.as_table_mut().ok_or_else(|| format!("`{key}` is no table, so that it has no `{rest}`"))?;
            return set(table, rest, value);
        }
    }
    Ok(())
}

/// Changes of a table, from a dictionary of paths and values. A dictionary as a value changes the keys that it names and leaves
/// the others.
///
/// # Errors
/// As [`table_of`] and [`set`].
pub(crate) fn change(table: &mut Table, changes: &Bound<'_, PyDict>) -> PyResult<()> {
    for (path, value) in table_of("", changes)? {
        change_at(table, &path, value).map_err(crate::errors::value)?;
    }
    Ok(())
}

fn change_at(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    match value {
        Value::Table(changes) if !changes.is_empty() => {
            changes.into_iter().try_for_each(|(key, value)| change_at(table, &format!("{path}.{key}"), value))
        }
        Value::Table(_) => Ok(()),
        value => set(table, path, value),
    }
}
