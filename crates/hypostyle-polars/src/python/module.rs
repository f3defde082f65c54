//! The functions of `hypostyle._native`.

use std::ffi::OsString;
use std::num::NonZero;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use hypostyle::Catalog;
use pyo3::prelude::*;
use pyo3::types::PyFrozenSet;

use crate::catalog::{catalog, set};
use crate::errors::{INTERNAL, exception, guarded};
use crate::planned::{planned, planned_together};
use crate::plugin::NAMES;
use crate::python::frames::{Batch, Frame};
use crate::python::numpy::Nan;
use crate::python::pipeline::Pipeline;
use crate::python::stage::Stage;

/// The catalog of kernels as JSON.
#[pyfunction]
fn kernels_json() -> String {
    catalog().to_json()
}

/// Checks a specification without data and returns the columns that it reads.
#[pyfunction]
fn check(spec: &str) -> PyResult<Vec<String>> {
    guarded("check", || Ok(planned(spec).map_err(exception)?.input_columns().to_vec()))
}

/// Returns the normal form of a specification: equal for two specifications of one meaning.
#[pyfunction]
fn normal(spec: &str) -> PyResult<String> {
    guarded("normal", || planned(spec).map(|kernel| kernel.spec().to_json()).map_err(exception))
}

/// Returns the output name of a specification.
#[pyfunction]
fn output_name(spec: &str) -> PyResult<String> {
    guarded("check", || planned(spec).and_then(|kernel| kernel.output_name()).map_err(exception))
}

/// Evaluates the kernels over a whole frame.  `nan_is_missing` is about arrays of NumPy.
#[pyfunction]
#[pyo3(signature = (frame, specs, threads = None, nan_is_missing = true))]
fn evaluate(
    py: Python<'_>,
    frame: &Bound<'_, PyAny>,
    specs: Vec<String>,
    threads: Option<usize>,
    nan_is_missing: bool,
) -> PyResult<Batch> {
    let kernels = guarded("evaluate", || planned_together(&specs).map_err(exception))?;
    let frame = Frame::open_with(frame, if nan_is_missing { Nan::Missing } else { Nan::Number })?;
    py.detach(|| {
        guarded("evaluate", || {
            let batch = frame.read()?;
            kernels.evaluate(&batch, threads).map(Batch::new).map_err(exception)
        })
    })
}

/// Returns an empty frame with the output columns of the kernels for this schema.
#[pyfunction]
fn output_fields(frame: &Bound<'_, PyAny>, specs: Vec<String>) -> PyResult<Batch> {
    let schema = Frame::open(frame)?.schema();
    guarded("output_fields", || {
        let kernels = planned_together(&specs).map_err(exception)?;
        let fields = kernels.output_fields(&schema).map_err(exception)?;
        Ok(Batch::new(RecordBatch::new_empty(Arc::new(Schema::new(fields)))))
    })
}

/// The operations of a program for columns of these types, as text.
#[pyfunction]
fn program_shown(program: &str, types: Vec<String>) -> PyResult<String> {
    guarded("program", || hypostyle_jit::shown(program, &types).map_err(exception))
}

/// Runs the `hypostyle` command and returns its exit code.
#[pyfunction]
fn run_cli(py: Python<'_>, argv: Vec<OsString>) -> PyResult<i32> {
    py.detach(|| guarded("hypostyle", || Ok(hypostyle_pipeline::main_with_kernels(argv, catalog()))))
}

/// The number of threads that Polars uses: POLARS_MAX_THREADS, or one per core.
fn threads_of_polars() -> usize {
    let given = std::env::var("POLARS_MAX_THREADS").ok().and_then(|threads| threads.parse().ok());
    given.filter(|threads| *threads > 0).unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    init(module, Catalog::default())
}

/// Makes an extension module what `hypostyle._native` is, with the kernels of this catalog; for modules with custom kernels,
/// which `hypostyle.functions` of Python turns into functions.  A module of another crate needs another name than `_native`.
///
/// ```ignore
/// #[pymodule]
/// fn own_kernels_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
///     let catalog = own_kernels::catalog().map_err(|error| PyValueError::new_err(error.to_string()))?;
///     hypostyle_polars::init(module, catalog)
/// }
/// ```
///
/// # Errors
/// If Python refuses.
pub fn init(module: &Bound<'_, PyModule>, catalog: Catalog) -> PyResult<()> {
    set(catalog).map_err(exception)?;
    hypostyle::set_default_threads(threads_of_polars());
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("INTERNAL_ERROR", INTERNAL)?;
    module.add_class::<Batch>()?;
    module.add_class::<Stage>()?;
    module.add_class::<Pipeline>()?;
    module.add("PLUGIN_NAMES", PyFrozenSet::new(module.py(), NAMES)?)?;
    module.add_function(wrap_pyfunction!(kernels_json, module)?)?;
    module.add_function(wrap_pyfunction!(check, module)?)?;
    module.add_function(wrap_pyfunction!(normal, module)?)?;
    module.add_function(wrap_pyfunction!(output_name, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(output_fields, module)?)?;
    module.add_function(wrap_pyfunction!(program_shown, module)?)?;
    module.add_function(wrap_pyfunction!(run_cli, module)?)?;
    Ok(())
}
