//! `hypostyle._native.Stage`: a stage that Python threads may share.
//!
//! A mutex makes concurrent calls run one after another.  Batches take it with the GIL released, so that a thread that
//! holds one of the two never waits for the other.  A single row takes less time than releasing the GIL: it keeps the GIL,
//! unless another thread is using the stage.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use hypostyle::{Evict, KernelSpec, ScalarValue};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

use crate::catalog::catalog;
use crate::errors::{INTERNAL, exception, guarded};
use crate::python::frames::{Batch, Frame};
use crate::python::rows::Row;

/// Milliseconds after which a mutex that no thread of this process took is known to be lost.
const PATIENCE: usize = 1000;

/// The specifications of several kernels, each as JSON.
fn parse(specs: &[String]) -> PyResult<Vec<KernelSpec>> {
    specs.iter().map(|spec| KernelSpec::from_json(spec).map_err(exception)).collect()
}

#[pyclass(frozen, module = "hypostyle._native")]
pub struct Stage {
    stage: Mutex<hypostyle::Stage>,
    /// The process that last took the mutex for a batch: in a process forked meanwhile it stays taken forever.
    process: AtomicU32,
    /// How single rows are read and returned, once the types are known; they never change after that.
    row: PyOnceLock<Row>,
}

impl From<hypostyle::Stage> for Stage {
    fn from(stage: hypostyle::Stage) -> Self {
        Self { stage: Mutex::new(stage), process: AtomicU32::new(0), row: PyOnceLock::new() }
    }
}

fn broken() -> PyErr {
    PyRuntimeError::new_err(format!("stage: {INTERNAL}: a batch was interrupted and the state is lost; load it again"))
}

impl Stage {
    /// Waits until no other thread uses the stage; without the GIL.
    fn lock(&self) -> PyResult<MutexGuard<'_, hypostyle::Stage>> {
        // A thread of this process that took it sets `process` at once.
        for _ in 0..PATIENCE {
            let stage = match self.stage.try_lock() {
                Ok(stage) => stage,
                Err(TryLockError::Poisoned(_)) => return Err(broken()),
                Err(TryLockError::WouldBlock) if self.process.load(Relaxed) == std::process::id() => {
                    self.stage.lock().map_err(|_| broken())?
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
            };
            self.process.store(std::process::id(), Relaxed);
            return Ok(stage);
        }
        Err(PyRuntimeError::new_err(
            "this process was forked while another thread was running this stage, so its copy here is incomplete; load the \
             stage again",
        ))
    }

    /// Runs `action` on the stage without the GIL.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        action: impl FnOnce(&mut hypostyle::Stage) -> hypostyle::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| guarded("stage", || action(&mut *self.lock()?).map_err(exception)))
    }

    /// Runs `action` on a row, with the GIL.  No code of Python's runs while the mutex is taken, as that could be a signal
    /// handler which wants the stage too.
    fn with_row<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        action: impl Fn(&mut hypostyle::Stage, &[ScalarValue], &mut Vec<ScalarValue<'static>>) -> hypostyle::Result<()>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = row.py();
        let known = match self.row.get(py) {
            Some(known) => known,
            None => {
                let (given, outputs) =
                    self.with(py, |stage| Ok((stage.row_fields().to_vec(), stage.output_fields())))?;
                if given.is_empty() {
                    // The stage itself raises the error that it knows no types.
                    self.with(py, |stage| stage.peek_row(&[], &mut Vec::new()))?;
                }
                self.row.get_or_init(py, || Row::of(py, &given, &outputs))
            }
        };
        let mut outputs = Vec::with_capacity(known.width());
        let mut texts = Vec::new();
        known.with_cells(row, |cells| {
            loop {
                match self.stage.try_lock() {
                    Ok(mut stage) => {
                        let done = guarded("stage", || action(&mut stage, cells, &mut outputs).map_err(exception));
                        texts.extend(outputs.iter().filter_map(|output| match output {
                            ScalarValue::Code(code) => stage.text(*code),
                            _ => None,
                        }));
                        break done;
                    }
                    // Another thread is using it: the GIL is released until that thread is done.
                    Err(_) => py.detach(|| self.lock().map(drop))?,
                }
            }
        })?;
        known.to_dict(py, &outputs, &texts)
    }
}

#[pymethods]
impl Stage {
    #[new]
    #[pyo3(signature = (specs, threads = None, time_column = None, order_by = None))]
    fn new(
        specs: Vec<String>,
        threads: Option<usize>,
        time_column: Option<String>,
        order_by: Option<String>,
    ) -> PyResult<Self> {
        let stage = guarded("stage", || catalog().stage(&parse(&specs)?).map_err(exception))?;
        let stage = match time_column {
            Some(column) => stage.with_time_column(column).map_err(exception)?,
            None => stage,
        };
        let stage = match order_by {
            Some(column) => stage.with_order_by(column).map_err(exception)?,
            None => stage,
        };
        Ok(with_threads(stage, threads)?.into())
    }

    /// With `specs` the file must be of exactly these kernels.
    #[staticmethod]
    #[pyo3(signature = (path, specs = None, threads = None))]
    fn load(py: Python<'_>, path: PathBuf, specs: Option<Vec<String>>, threads: Option<usize>) -> PyResult<Self> {
        let specs = specs.as_deref().map(parse).transpose()?;
        let load = || match &specs {
            Some(specs) => catalog().load_stage_for(&path, specs),
            None => catalog().load_stage(&path),
        };
        let stage = py.detach(|| guarded("stage", || load().map_err(exception)))?;
        Ok(with_threads(stage, threads)?.into())
    }

    #[staticmethod]
    #[pyo3(signature = (bytes, threads = None))]
    fn from_bytes(py: Python<'_>, bytes: &[u8], threads: Option<usize>) -> PyResult<Self> {
        let stage = py.detach(|| guarded("stage", || catalog().stage_from_bytes(bytes).map_err(exception)))?;
        Ok(with_threads(stage, threads)?.into())
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.with(py, |stage| stage.to_bytes())?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Returns the kernels' columns for the rows of `frame` and keeps the rows in the state.
    fn advance(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let frame = Frame::open(frame)?;
        let batch = py.detach(|| frame.read())?;
        Ok(Batch::new(self.with(py, |stage| stage.advance_columns(&batch))?))
    }

    /// Returns the kernels' columns for the rows of `frame`; the state does not change.
    fn peek(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let frame = Frame::open(frame)?;
        let batch = py.detach(|| frame.read())?;
        Ok(Batch::new(self.with(py, |stage| stage.peek_columns(&batch))?))
    }

    /// Which rows of `frame` are late, as a frame of one column.
    fn late(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Batch> {
        let frame = Frame::open(frame)?;
        let batch = py.detach(|| frame.read())?;
        let late = self.with(py, |stage| stage.late(&batch))?;
        RecordBatch::try_from_iter([("late", Arc::new(late) as ArrayRef)])
            .map(Batch::new)
            .map_err(|error| PyRuntimeError::new_err(format!("stage: {INTERNAL}: {error}")))
    }

    /// Sets the types of the columns to those of a frame.
    fn set_schema(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<()> {
        let schema = Frame::open(frame)?.schema();
        self.with(py, |stage| stage.set_schema(&schema))
    }

    /// Returns the kernels' results for one row, by name, and keeps the row.
    fn advance_row<'py>(&self, row: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        self.with_row(row, |stage, row, outputs| stage.advance_row(row, outputs))
    }

    /// Returns the same without keeping the row.
    fn peek_row<'py>(&self, row: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
        self.with_row(row, |stage, row, outputs| stage.peek_row(row, outputs))
    }

    /// Adds the keys of another stage, which does not change.
    fn merge(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<()> {
        let other = other.get().with(py, |stage| Ok(stage.clone()))?;
        self.with(py, |stage| stage.merge(other))
    }

    /// Shares the keys by ranges that begin at the rows of `breaks`.
    fn split(&self, py: Python<'_>, breaks: &Bound<'_, PyAny>) -> PyResult<Vec<Self>> {
        let breaks = Frame::open(breaks)?;
        let breaks = py.detach(|| breaks.read())?;
        let parts = self.with(py, |stage| stage.split(&breaks))?;
        Ok(parts.into_iter().map(Into::into).collect())
    }

    /// Shares the keys by `count` ranges of about the same size.
    fn split_evenly(&self, py: Python<'_>, count: usize) -> PyResult<Vec<Self>> {
        let parts = self.with(py, |stage| stage.split_evenly(count))?;
        Ok(parts.into_iter().map(Into::into).collect())
    }

    /// Shares the keys among `count` stages by a number for each key, in the order of the state's rows.
    fn split_by(&self, py: Python<'_>, numbers: Vec<u32>, count: usize) -> PyResult<Vec<Self>> {
        let parts = self.with(py, |stage| stage.split_by(&numbers, count))?;
        Ok(parts.into_iter().map(Into::into).collect())
    }

    /// Evicts idle keys; `before` is a time as rows hold it, `idle_for` a duration string.
    #[pyo3(signature = (before = None, idle_for = None))]
    fn evict(&self, py: Python<'_>, before: Option<Bound<'_, PyAny>>, idle_for: Option<String>) -> PyResult<usize> {
        let idle = match (before, idle_for) {
            (Some(time), None) => {
                let field = self.with(py, |stage| Ok(stage.time_field().cloned()))?;
                let Some(field) = field else {
                    return self.with(py, |stage| stage.evict(Evict::Before(ScalarValue::Null)));
                };
                Evict::Before(crate::python::rows::time(&time, &field)?)
            }
            (None, Some(span)) => Evict::For(hypostyle::Duration::parse(&span).map_err(|problem| {
                let help = problem.help();
                PyValueError::new_err(format!("Stage.evict, parameter 'idle_for': {problem}\nhelp: {help}"))
            })?),
            _ => return Err(PyTypeError::new_err("Stage.evict takes either 'before' or 'idle_for'")),
        };
        self.with(py, |stage| stage.evict(idle))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with(py, |stage| stage.save(&path))
    }

    /// The state as a table, one row per key.
    fn state(&self, py: Python<'_>) -> PyResult<Batch> {
        Ok(Batch::new(self.with(py, |stage| stage.state())?))
    }

    fn state_bytes(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |stage| Ok(stage.state_bytes()))
    }

    /// The seconds that each kernel ran, and those that finding keys took.
    fn times(&self, py: Python<'_>) -> PyResult<(Vec<f64>, f64)> {
        let (kernels, keys) = self.with(py, |stage| Ok(stage.times()))?;
        Ok((kernels.iter().map(Duration::as_secs_f64).collect(), keys.as_secs_f64()))
    }

    fn n_rows(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |stage| Ok(stage.n_rows()))
    }

    fn n_keys(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |stage| Ok(stage.n_keys()))
    }

    fn time_column(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.with(py, |stage| Ok(stage.time_column().map(str::to_string)))
    }

    fn order_by(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.with(py, |stage| Ok(stage.order_by().map(str::to_string)))
    }

    /// An empty frame with the columns that the stage reads; no columns until their types are known.
    fn input_schema(&self, py: Python<'_>) -> PyResult<Batch> {
        Ok(empty(self.with(py, |stage| Ok(stage.row_fields().to_vec()))?))
    }

    /// An empty frame with the kernels' columns, for input with the types of `frame` or else those known; no columns where
    /// none are known.
    #[pyo3(signature = (frame = None))]
    fn output_schema(&self, py: Python<'_>, frame: Option<Bound<'_, PyAny>>) -> PyResult<Batch> {
        let Some(frame) = frame else { return Ok(empty(self.with(py, |stage| Ok(stage.output_fields()))?)) };
        let schema = Frame::open(&frame)?.schema();
        Ok(empty(self.with(py, |stage| catalog().output_fields(&schema, stage.kernels()))?))
    }

    /// The kernels' specifications, each as JSON.
    fn specs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |stage| Ok(stage.kernels().iter().map(KernelSpec::to_json).collect()))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(self.with(py, |stage| Ok(stage.clone()))?.into())
    }
}

fn empty(fields: Vec<Field>) -> Batch {
    Batch::new(RecordBatch::new_empty(Arc::new(Schema::new(fields))))
}

fn with_threads(stage: hypostyle::Stage, threads: Option<usize>) -> PyResult<hypostyle::Stage> {
    match threads {
        Some(count) => stage.with_threads(count).map_err(exception),
        None => Ok(stage),
    }
}
