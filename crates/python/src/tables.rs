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

/// Changes a table as a dictionary of paths and values says. `None` removes a key. A dictionary as a value changes the keys that it
/// names and leaves the others; if it has another value for one of `kind_keys`, which say of which kind a table is, it replaces
/// the whole table. Returns the paths that were to be removed and that the table does not have.
///
/// # Errors
/// As [`table_of`] and [`set`].
pub(crate) fn change(table: &mut Table, changes: &Bound<'_, PyDict>, kind_keys: &[&str]) -> PyResult<Vec<String>> {
    let mut absent = Vec::new();
    for (path, value) in changes {
        let Ok(path) = path.extract::<String>() else {
            return Err(PyTypeError::new_err(format!("changes must have texts as keys, has {}", path.repr()?)));
        };
        change_at(table, (&path, &value), kind_keys, &mut absent)?;
    }
    Ok(absent)
}

fn change_at(
    table: &mut Table,
    (path, value): (&str, &Bound<'_, PyAny>),
    kind_keys: &[&str],
    absent: &mut Vec<String>,
) -> PyResult<()> {
    if value.is_none() {
        if !remove(table, path) {
            absent.push(path.to_owned());
        }
        return Ok(());
    }
    let Ok(changes) = value.cast::<PyDict>() else {
        return set(table, path, value_of(path, value)?).map_err(crate::errors::value);
    };
    let new = table_of(path, changes)?;
    let old = get(table, path).and_then(Value::as_table);
    let is_of_another_kind =
        |key: &&str| new.contains_key(*key) && old.is_none_or(|old| old.get(*key) != new.get(*key));
    if kind_keys.iter().any(is_of_another_kind) {
        return set(table, path, Value::Table(new)).map_err(crate::errors::value);
    }
    for (key, value) in changes {
        change_at(table, (&format!("{path}.{key}"), &value), kind_keys, absent)?;
    }
    Ok(())
}

/// The first key of a path, the index behind it, and the rest of the path.
fn split(path: &str) -> (&str, Option<usize>, Option<&str>) {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let indexed = key.strip_suffix(']').and_then(|key| key.split_once('['));
    match indexed.and_then(|(name, index)| Some((name, index.parse().ok()?))) {
        Some((name, index)) => (name, Some(index), rest),
        None => (key, None, rest),
    }
}

/// The value at a path, if there is one.
fn get<'t>(table: &'t Table, path: &str) -> Option<&'t Value> {
    let (name, index, rest) = split(path);
    let value = table.get(name)?;
    let value = index.map_or(Some(value), |index| value.as_array()?.get(index))?;
    rest.map_or(Some(value), |rest| get(value.as_table()?, rest))
}

/// Removes the value at a path. Returns whether there was one.
fn remove(table: &mut Table, path: &str) -> bool {
    let (name, index, rest) = split(path);
    if rest.is_none() && index.is_none() {
        return table.remove(name).is_some();
    }
    let list_or_value = table.get_mut(name);
    match (list_or_value, index, rest) {
        (Some(Value::Table(inner)), None, Some(rest)) => remove(inner, rest),
        (Some(Value::Array(list)), Some(index), Some(rest)) => {
            list.get_mut(index).and_then(Value::as_table_mut).is_some_and(|inner| remove(inner, rest))
        }
        (Some(Value::Array(list)), Some(index), None) if index < list.len() => {
            list.remove(index);
            true
        }
        _ => false,
    }
}
