//! `hypostyle._native.Stage`: a stage that Python threads may share.
//!
//! A mutex makes concurrent calls follow one another.  It is only ever taken with the GIL released, so a thread that
//! holds the one never waits for the other.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use hypostyle::KernelSpec;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{exception, guarded};
use crate::frames::{Batch, open, read};

/// The specifications of several kernels, each as JSON.
pub fn parse(specs: &[String]) -> PyResult<Vec<KernelSpec>> {
    specs.iter().map(|spec| KernelSpec::from_json(spec).map_err(exception)).collect()
}

#[pyclass(frozen, module = "hypostyle._native")]
pub struct Stage(Mutex<hypostyle::Stage>);

impl Stage {
    fn lock(&self) -> PyResult<MutexGuard<'_, hypostyle::Stage>> {
        self.0.lock().map_err(|_| {
            PyRuntimeError::new_err(
                "a fault inside hypostyle stopped this stage in mid-batch, so its state can't be trusted; load it anew",
            )
        })
    }

    /// Runs `action` on the stage without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        action: impl FnOnce(&mut hypostyle::Stage) -> hypostyle::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| guarded("stage", || action(&mut *self.lock()?).map_err(exception)))
    }
}

#[pymethods]
impl Stage {
    #[new]
    #[pyo3(signature = (specs, threads = None))]
    fn new(specs: Vec<String>, threads: Option<usize>) -> PyResult<Self> {
        let stage = guarded("stage", || hypostyle::Stage::new(parse(&specs)?).map_err(exception))?;
        Ok(Self(Mutex::new(with_threads(stage, threads)?)))
    }

    /// With `specs` the file must be of just these kernels.
    #[staticmethod]
    #[pyo3(signature = (path, specs = None, threads = None))]
    fn load(py: Python<'_>, path: PathBuf, specs: Option<Vec<String>>, threads: Option<usize>) -> PyResult<Self> {
        let specs = specs.as_deref().map(parse).transpose()?;
        let load = || match &specs {
            Some(specs) => hypostyle::Stage::load_for(&path, specs),
            None => hypostyle::Stage::load(&path),
        };
        let stage = py.detach(|| guarded("stage", || load().map_err(exception)))?;
        Ok(Self(Mutex::new(with_threads(stage, threads)?)))
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let stage = py.detach(|| guarded("stage", || hypostyle::Stage::from_bytes(bytes).map_err(exception)))?;
        Ok(Self(Mutex::new(stage)))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |stage| stage.to_bytes())?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The kernels' columns for the rows of `frame`, which are kept in the state.
    fn advance(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let reader = open(frame)?;
        let batch = py.detach(|| read(reader))?;
        Ok(Batch(self.with(py, |stage| stage.advance_columns(&batch))?))
    }

    /// The kernels' columns for the rows of `frame`; the state stays as it is.
    fn peek(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let reader = open(frame)?;
        let batch = py.detach(|| read(reader))?;
        Ok(Batch(self.with(py, |stage| stage.peek_columns(&batch))?))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with(py, |stage| stage.save(&path))
    }

    /// The state as a table, one row a key.
    fn state(&self, py: Python<'_>) -> PyResult<Batch> {
        Ok(Batch(self.with(py, |stage| stage.state())?))
    }

    fn state_bytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |stage| Ok(stage.state_bytes()))
    }

    /// The kernels' specifications, each as JSON.
    fn specs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |stage| Ok(stage.specs().iter().map(KernelSpec::to_json).collect()))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self(Mutex::new(self.with(py, |stage| Ok(stage.clone()))?)))
    }
}

fn with_threads(stage: hypostyle::Stage, threads: Option<usize>) -> PyResult<hypostyle::Stage> {
    match threads {
        Some(count) => stage.with_threads(count).map_err(exception),
        None => Ok(stage),
    }
}
