//! Single rows: the dicts of Python to the cells of the library, and back.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use hypostyle::ScalarValue;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::errors::ColumnNotFoundError;

/// The columns of the rows that a stage reads, and of its outputs.
pub struct Row {
    given: Vec<Column>,
    outputs: Vec<Output>,
}

struct Column {
    name: Py<PyString>,
    data_type: DataType,
}

/// The name and type of an output, and those of its fields if it is a struct.
struct Output {
    column: Column,
    fields: Vec<Column>,
}

impl Column {
    fn of(py: Python<'_>, field: &Field) -> Self {
        Self { name: PyString::intern(py, field.name()).unbind(), data_type: field.data_type().clone() }
    }
}

/// Most rows have fewer columns.
const USUAL: usize = 16;

impl Row {
    /// Describes the columns that a stage reads, and those that it returns.
    pub fn of(py: Python<'_>, given: &[Field], outputs: &[Field]) -> Self {
        let output = |field: &Field| Output {
            column: Column::of(py, field),
            fields: match field.data_type() {
                DataType::Struct(fields) => fields.iter().map(|field| Column::of(py, field)).collect(),
                _ => Vec::new(),
            },
        };
        let given = given.iter().map(|field| Column::of(py, field)).collect();
        Self { given, outputs: outputs.iter().map(output).collect() }
    }

    /// The number of cells of the outputs.
    pub fn width(&self) -> usize {
        self.outputs.iter().map(|output| output.fields.len().max(1)).sum()
    }

    /// Reads a dict and passes its values on.
    pub fn with_cells<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        use_cells: impl FnOnce(&[ScalarValue]) -> PyResult<()>,
    ) -> PyResult<()> {
        let py = row.py();
        let mut values: Vec<Bound<'py, PyAny>> = Vec::with_capacity(USUAL);
        for column in &self.given {
            let Some(value) = row.get_item(column.name.bind(py))? else {
                return Err(ColumnNotFoundError::new_err(format!("the row has no column '{}'", column.name)));
            };
            values.push(value);
        }
        let mut cells: Vec<ScalarValue> = Vec::with_capacity(USUAL);
        for (column, value) in self.given.iter().zip(&values) {
            let cell = cell(value, &column.data_type)?;
            cells.push(cell.ok_or_else(|| cannot_hold(value, column.name.bind(py), &column.data_type))?);
        }
        use_cells(&cells)
    }

    /// Returns the outputs as a dict; `texts` are those of the codes among them, in order.
    pub fn to_dict<'py>(
        &self,
        py: Python<'py>,
        cells: &[ScalarValue],
        texts: &[Arc<str>],
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut texts = texts.iter();
        let cells: Vec<ScalarValue> = cells
            .iter()
            .map(|cell| match cell {
                ScalarValue::Code(_) => texts.next().map_or(ScalarValue::Null, |text| ScalarValue::Text(text)),
                other => *other,
            })
            .collect();
        let outputs = PyDict::new(py);
        let mut cells = cells.iter();
        let mut next = || cells.next().unwrap_or(&ScalarValue::Null);
        for Output { column, fields } in &self.outputs {
            if fields.is_empty() {
                outputs.set_item(column.name.bind(py), value(py, next(), &column.data_type)?)?;
                continue;
            }
            let parts: Vec<&ScalarValue> = fields.iter().map(|_| next()).collect();
            if parts.iter().all(|cell| **cell == ScalarValue::Null) {
                outputs.set_item(column.name.bind(py), py.None())?;
                continue;
            }
            let struct_of = PyDict::new(py);
            for (field, part) in fields.iter().zip(parts) {
                struct_of.set_item(field.name.bind(py), value(py, part, &field.data_type)?)?;
            }
            outputs.set_item(column.name.bind(py), struct_of)?;
        }
        Ok(outputs)
    }
}

/// Converts a time to a cell of this column.
pub fn time(value: &Bound<'_, PyAny>, field: &Field) -> PyResult<ScalarValue<'static>> {
    match cell(value, field.data_type())? {
        Some(ScalarValue::Integer(time)) => Ok(ScalarValue::Integer(time)),
        Some(ScalarValue::Unsigned(time)) => Ok(ScalarValue::Unsigned(time)),
        _ => Err(cannot_hold(value, &PyString::new(value.py(), field.name()), field.data_type())),
    }
}

fn cannot_hold(value: &Bound<'_, PyAny>, name: &Bound<'_, PyString>, data_type: &DataType) -> PyErr {
    let shown = value.repr().map_or_else(|_| "?".to_string(), |shown| shown.to_string());
    PyTypeError::new_err(format!("column '{name}' has type {data_type}, which cannot hold the value {shown}"))
}

/// Converts a value to a cell of this type; `None` if it does not match.
fn cell<'v>(value: &'v Bound<'_, PyAny>, data_type: &DataType) -> PyResult<Option<ScalarValue<'v>>> {
    if value.is_none() {
        return Ok(Some(ScalarValue::Null));
    }
    Ok(match data_type {
        // A boolean of Python is an int; in a column of another type it is a mistake.
        other if *other != DataType::Boolean && value.is_instance_of::<PyBool>() => None,
        DataType::Float64 | DataType::Float32 | DataType::Float16 => value.extract().ok().map(ScalarValue::Float),
        DataType::Boolean => value.extract().ok().map(ScalarValue::Boolean),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            value.cast::<PyString>().ok().and_then(|text| text.to_str().ok()).map(ScalarValue::Text)
        }
        decimal if decimal.is_decimal() => {
            let steps = DECIMALS.get(value.py(), "to_steps")?.call1((value, scale(decimal)))?;
            steps.extract().ok().map(ScalarValue::Decimal)
        }
        other if !other.is_integer() && !other.is_temporal() => {
            return Err(PyTypeError::new_err(format!(
                "advance_row does not support type {other}; pass a frame to `advance` or `peek`"
            )));
        }
        _ if value.is_instance_of::<PyFloat>() => None,
        integer if integer.is_integer() || value.is_instance_of::<PyInt>() => {
            let signed = value.extract().ok().map(ScalarValue::Integer);
            signed.or_else(|| value.extract().ok().map(ScalarValue::Unsigned))
        }
        temporal => {
            let (unit, zoned) = temporal_unit(temporal);
            let physical = TIMES.get(value.py(), "to_physical")?.call1((value, unit, zoned))?;
            // A string stands for NaT of numpy.
            if physical.is_instance_of::<PyString>() {
                Some(ScalarValue::Null)
            } else {
                physical.extract().ok().map(ScalarValue::Integer)
            }
        }
    })
}

/// Converts a cell to a Python object.
fn value<'py>(py: Python<'py>, cell: &ScalarValue, data_type: &DataType) -> PyResult<Bound<'py, PyAny>> {
    Ok(match cell {
        ScalarValue::Null => py.None().into_bound(py),
        ScalarValue::Boolean(x) => PyBool::new(py, *x).to_owned().into_any(),
        ScalarValue::Float(x) => PyFloat::new(py, *x).into_any(),
        ScalarValue::Unsigned(x) => x.into_pyobject(py)?.into_any(),
        ScalarValue::Text(x) => PyString::new(py, x).into_any(),
        ScalarValue::Decimal(steps) => DECIMALS.get(py, "from_steps")?.call1((*steps, scale(data_type)))?,
        ScalarValue::Code(_) => return Err(PyTypeError::new_err("a result is the code of no text")),
        ScalarValue::Integer(x) if data_type.is_integer() => x.into_pyobject(py)?.into_any(),
        ScalarValue::Integer(x) => {
            let (unit, zoned) = temporal_unit(data_type);
            TIMES.get(py, "from_physical")?.call1((*x, unit, zoned))?
        }
    })
}

/// The unit and time zone of a temporal type, for the helpers in Python.
fn temporal_unit(data_type: &DataType) -> (&'static str, Option<&str>) {
    let unit = |unit: &TimeUnit, names: [&'static str; 4]| match unit {
        TimeUnit::Second => names[0],
        TimeUnit::Millisecond => names[1],
        TimeUnit::Microsecond => names[2],
        TimeUnit::Nanosecond => names[3],
    };
    match data_type {
        DataType::Date32 => ("date", None),
        DataType::Date64 => ("datetime ms", None),
        DataType::Timestamp(of, zone) => {
            (unit(of, ["datetime s", "datetime ms", "datetime us", "datetime ns"]), zone.as_deref())
        }
        DataType::Time32(of) | DataType::Time64(of) => (unit(of, ["time s", "time ms", "time us", "time ns"]), None),
        DataType::Duration(of) => (unit(of, ["duration s", "duration ms", "duration us", "duration ns"]), None),
        _ => ("", None),
    }
}

/// The number of a decimal's digits behind its point.
fn scale(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// A module of the package, once it is imported.
struct Helpers(&'static str, PyOnceLock<Py<PyModule>>);

static TIMES: Helpers = Helpers("hypostyle._times", PyOnceLock::new());
static DECIMALS: Helpers = Helpers("hypostyle._decimals", PyOnceLock::new());

impl Helpers {
    /// One of its functions.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let module = self.1.get_or_try_init(py, || py.import(self.0).map(Bound::unbind))?;
        module.bind(py).getattr(name)
    }
}
