//! `hypostyle.Pipeline`: pipelines over files from Python.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hypostyle_pipeline::{Error, ErrorKind, Status, Summary};
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{guarded, kind_exception};

/// How often Python is asked whether it wants to stop, and told how far the run is.
const EVERY: Duration = Duration::from_millis(50);

/// A pipeline; `_pipeline.py` is what users see of it.
#[pyclass(frozen)]
pub struct Pipeline(hypostyle_pipeline::Pipeline);

#[pymethods]
impl Pipeline {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        guarded("Pipeline", || text.parse().map(Self).map_err(exception))
    }

    #[staticmethod]
    fn from_file(path: PathBuf) -> PyResult<Self> {
        guarded("Pipeline", || hypostyle_pipeline::Pipeline::from_file(path).map(Self).map_err(exception))
    }

    /// The same with other files, threads and bounds.
    #[pyo3(signature = (input, output, threads, memory, limit, restart))]
    fn adjusted(
        &self,
        input: Option<PathBuf>,
        output: Option<PathBuf>,
        threads: Option<usize>,
        memory: Option<u64>,
        limit: Option<u64>,
        restart: bool,
    ) -> Self {
        let mut pipeline = self.0.clone();
        if let Some(path) = input {
            pipeline = pipeline.with_input(path);
        }
        if let Some(path) = output {
            pipeline = pipeline.with_output(path);
        }
        if let Some(threads) = threads {
            pipeline = pipeline.with_threads(threads);
        }
        if let Some(bytes) = memory {
            pipeline = pipeline.with_memory(bytes);
        }
        if let Some(rows) = limit {
            pipeline = pipeline.with_limit(rows);
        }
        if restart {
            pipeline = pipeline.with_restart();
        }
        Self(pipeline)
    }

    /// The plan in words.
    fn check(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| guarded("Pipeline.check", || self.0.plan().map(|plan| plan.to_string()).map_err(exception)))
    }

    /// Runs; `progress` is called with rows, bytes and the bytes in all.  Ctrl-C stops the run.
    fn run<'py>(&self, py: Python<'py>, progress: Option<Py<PyAny>>) -> PyResult<Bound<'py, PyDict>> {
        let summary = py.detach(|| guarded("Pipeline.run", || self.run_to_end(progress.as_ref())))?;
        of_summary(py, &summary)
    }
}

impl Pipeline {
    fn run_to_end(&self, progress: Option<&Py<PyAny>>) -> PyResult<Summary> {
        let stop = AtomicBool::new(false);
        let mut raised = None;
        let mut asked = Instant::now();
        let outcome = self.0.plan().and_then(|plan| {
            plan.run_until(&stop, &mut |status| {
                let done = status.total_bytes > 0 && status.bytes >= status.total_bytes;
                if asked.elapsed() < EVERY && !done || raised.is_some() {
                    return;
                }
                asked = Instant::now();
                if let Err(error) = Python::attach(|py| tell(py, progress, status)) {
                    raised = Some(error);
                    stop.store(true, Ordering::Relaxed);
                }
            })
        });
        match (raised, outcome) {
            (Some(error), _) => Err(error),
            (None, outcome) => outcome.map_err(exception),
        }
    }
}

fn tell(py: Python<'_>, progress: Option<&Py<PyAny>>, status: Status) -> PyResult<()> {
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(py, (status.rows, status.bytes, status.total_bytes))?;
    }
    Ok(())
}

fn of_summary<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rows", summary.rows)?;
    dict.set_item("rows_read", summary.rows_read)?;
    dict.set_item("filtered_rows", summary.filtered_rows)?;
    dict.set_item("skipped_groups", summary.skipped_groups)?;
    dict.set_item("skipped_files", summary.skipped_files)?;
    dict.set_item("bad_rows", summary.bad_rows)?;
    let reasons = PyDict::new(py);
    for (reason, count) in &summary.reasons {
        reasons.set_item(reason, count)?;
    }
    dict.set_item("reasons", reasons)?;
    dict.set_item("rejects", summary.rejects.as_ref())?;
    dict.set_item("bytes_read", summary.bytes_read)?;
    dict.set_item("bytes_written", summary.bytes_written)?;
    dict.set_item("seconds", summary.elapsed.as_secs_f64())?;
    dict.set_item("peak_memory", summary.peak_memory)?;
    dict.set_item("output", &summary.output)?;
    Ok(dict)
}

/// The exception for an error of a pipeline, with its causes.
fn exception(error: Error) -> PyErr {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message.push_str(&format!("\ncaused by: {inner}"));
        cause = inner.source();
    }
    match error.kind() {
        ErrorKind::Stage(kind) => kind_exception(*kind, message),
        ErrorKind::Source | ErrorKind::Sink => PyOSError::new_err(message),
        ErrorKind::Memory => PyMemoryError::new_err(message),
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(message),
        ErrorKind::Internal => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
