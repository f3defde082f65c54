//! The extension module `own_kernels_native`: everything that `hypostyle._native` has, with more kernels.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

#[pymodule]
fn own_kernels_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let catalog = own_kernels::catalog().map_err(|error| PyValueError::new_err(error.to_string()))?;
    hypostyle_polars::init(module, catalog)
}
