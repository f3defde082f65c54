//! Whole frames in and out by the Arrow PyCapsule interface (`__arrow_c_stream__`), which Polars, pandas, pyarrow and
//! DuckDB all support; none of them is imported for it.

use arrow::array::{RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow::pyarrow::FromPyArrow;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// Opens any object with `__arrow_c_stream__`.
pub fn open(frame: &Bound<'_, PyAny>) -> PyResult<RecordBatchStreamReader> {
    if !frame.hasattr("__arrow_c_stream__")? {
        let kind = frame.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!("got a {kind}, expected a frame with __arrow_c_stream__")));
    }
    RecordBatchStreamReader::from_pyarrow_bound(frame)
}

/// Reads a stream as one batch, so that what follows is done for all of its chunks or for none.
pub fn read(reader: RecordBatchStreamReader) -> PyResult<RecordBatch> {
    let schema = reader.schema();
    let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    match batches.len() {
        1 => Ok(batches.remove(0)),
        _ => concat_batches(&schema, &batches).map_err(refused),
    }
}

fn refused(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("Arrow: {error}"))
}

/// Columns for Python: Polars, pyarrow and pandas read them by `__arrow_c_stream__`, without a copy.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct Batch(pub RecordBatch);

#[pymethods]
impl Batch {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // the interface lets a producer ignore it
        let schema: SchemaRef = self.0.schema();
        let reader = RecordBatchIterator::new(std::iter::once(Ok(self.0.clone())), schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader) as Box<dyn RecordBatchReader + Send>);
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}
