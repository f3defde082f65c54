//! Whole frames in and out by the Arrow PyCapsule interface (`__arrow_c_stream__`), which Polars, pandas, pyarrow and
//! DuckDB all support; none of them is imported for it.  Frames of pandas are dicts of NumPy arrays here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow::pyarrow::FromPyArrow;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use super::numpy::{self, Nan, NumpyColumn};

/// A frame from Python.
pub enum Frame {
    /// Any object with `__arrow_c_stream__`.
    Stream(RecordBatchStreamReader),
    /// A dict of columns, each an array of NumPy or a frame with this column only.
    Columns(RecordBatch),
}

impl Frame {
    /// Opens a frame; NaN is a missing value in arrays of NumPy.
    ///
    /// # Errors
    /// Another object, or an array that cannot be read.
    pub fn open(frame: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::open_with(frame, Nan::Missing)
    }

    /// As [`Frame::open`], with what NaN is in arrays of NumPy.
    ///
    /// # Errors
    /// As [`Frame::open`].
    pub fn open_with(frame: &Bound<'_, PyAny>, nan: Nan) -> PyResult<Self> {
        if let Ok(columns) = frame.cast::<PyDict>() {
            return columns_of(columns, nan).map(Self::Columns);
        }
        if !frame.hasattr("__arrow_c_stream__")? {
            let kind = frame.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!("got a {kind}, expected a frame with __arrow_c_stream__")));
        }
        RecordBatchStreamReader::from_pyarrow_bound(frame).map(Self::Stream)
    }

    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Stream(reader) => reader.schema(),
            Self::Columns(batch) => batch.schema(),
        }
    }

    /// Reads the frame as one batch, so that what follows is done for all of its chunks or for none.
    ///
    /// # Errors
    /// A stream that fails.
    pub fn read(self) -> PyResult<RecordBatch> {
        let reader = match self {
            Self::Stream(reader) => reader,
            Self::Columns(batch) => return Ok(batch),
        };
        let schema = reader.schema();
        let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        match batches.len() {
            1 => Ok(batches.remove(0)),
            _ => concat_batches(&schema, &batches).map_err(refused),
        }
    }
}

fn columns_of(columns: &Bound<'_, PyDict>, nan: Nan) -> PyResult<RecordBatch> {
    let (mut fields, mut arrays) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
    for (name, values) in columns {
        let name: String = name.extract()?;
        let array = if values.hasattr("__arrow_c_stream__")? {
            Frame::open(&values)?.read()?.column(0).clone()
        } else {
            numpy::column(&name, &values, nan)?
        };
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(refused)
}

fn refused(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("Arrow: {error}"))
}

/// Columns for Python: Polars, pyarrow and pandas read them by `__arrow_c_stream__`, without a copy.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Batch(Mutex<RecordBatch>);

impl Batch {
    pub fn new(batch: RecordBatch) -> Self {
        Self(Mutex::new(batch))
    }

    fn lock(&self) -> MutexGuard<'_, RecordBatch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Batch {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // the interface lets a producer ignore it
        let batch = self.lock().clone();
        let schema = batch.schema();
        let reader = RecordBatchIterator::new(std::iter::once(Ok(batch)), schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader) as Box<dyn RecordBatchReader + Send>);
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __len__(&self) -> usize {
        self.lock().num_rows()
    }

    /// Takes the columns out, each as a name and something that `numpy.asarray` takes: the batch is empty then.  `None`, and the
    /// batch stays as it is, if a column is neither a number nor a boolean.
    fn take_numpy(&self) -> Option<Vec<(String, NumpyColumn)>> {
        let mut batch = self.lock();
        let plain = |data_type: &DataType| {
            matches!(data_type, DataType::Boolean | DataType::Float32 | DataType::Float64) || data_type.is_integer()
        };
        if !batch.schema_ref().fields().iter().all(|field| plain(field.data_type())) {
            return None;
        }
        let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let (schema, columns, _) = std::mem::replace(&mut *batch, empty).into_parts();
        let columns = schema.fields().iter().zip(columns);
        columns.map(|(field, column)| Some((field.name().clone(), NumpyColumn::of(column)?))).collect()
    }
}
