//! `hypostyle.Pipeline`: pipelines over files from Python.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hypostyle_pipeline::{Error, ErrorKind, Progress, Summary};
use pyo3::exceptions::{
    PyFileNotFoundError, PyKeyboardInterrupt, PyMemoryError, PyOSError, PyRuntimeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::catalog::catalog;
use crate::errors::{guarded, kind_exception};

/// How often signals are checked and progress is reported.
const EVERY: Duration = Duration::from_millis(50);

/// A pipeline; `_pipeline.py` is what users see of it.
#[pyclass(frozen)]
pub struct Pipeline(hypostyle_pipeline::Pipeline);

#[pymethods]
impl Pipeline {
    #[new]
    fn new(toml: &str) -> PyResult<Self> {
        guarded("Pipeline", || toml.parse().map(Self::with_kernels).map_err(exception))
    }

    #[staticmethod]
    fn from_file(path: PathBuf) -> PyResult<Self> {
        guarded("Pipeline", || hypostyle_pipeline::Pipeline::from_file(path).map(Self::with_kernels).map_err(exception))
    }

    /// Returns a copy with other files, threads and limits.
    #[pyo3(signature = (input, output, threads, memory_limit, limit, restart))]
    fn adjusted(
        &self,
        input: Option<PathBuf>,
        output: Option<PathBuf>,
        threads: Option<usize>,
        memory_limit: Option<u64>,
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
        if let Some(bytes) = memory_limit {
            pipeline = pipeline.with_memory_limit(bytes);
        }
        if let Some(rows) = limit {
            pipeline = pipeline.with_limit(rows);
        }
        if restart {
            pipeline = pipeline.with_restart();
        }
        Self(pipeline)
    }

    /// Returns the plan as text.
    fn check(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| guarded("Pipeline.check", || self.0.plan().map(|plan| plan.to_string()).map_err(exception)))
    }

    /// Runs the pipeline.  `progress` is called with the fields of [`Progress`].  Ctrl-C stops the run.
    fn run<'py>(&self, py: Python<'py>, progress: Option<Py<PyAny>>) -> PyResult<Bound<'py, PyDict>> {
        let summary = py.detach(|| guarded("Pipeline.run", || self.run_to_end(progress.as_ref())))?;
        of_summary(py, &summary)
    }
}

impl Pipeline {
    /// With the kernels of this library.
    fn with_kernels(pipeline: hypostyle_pipeline::Pipeline) -> Self {
        Self(pipeline.with_kernels(catalog().clone()))
    }

    fn run_to_end(&self, progress: Option<&Py<PyAny>>) -> PyResult<Summary> {
        let stop = AtomicBool::new(false);
        let mut raised = None;
        let mut reported = Instant::now();
        let outcome = self.0.plan().and_then(|plan| {
            plan.run_until(&stop, &mut |now| {
                let done = now.total_bytes > 0 && now.bytes_read >= now.total_bytes;
                if reported.elapsed() < EVERY && !done || raised.is_some() {
                    return;
                }
                reported = Instant::now();
                if let Err(error) = Python::attach(|py| report(py, progress, now)) {
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

fn report(py: Python<'_>, progress: Option<&Py<PyAny>>, now: Progress) -> PyResult<()> {
    py.check_signals()?;
    if let Some(progress) = progress {
        progress.call1(py, (now.rows_written, now.bytes_read, now.total_bytes))?;
    }
    Ok(())
}

fn of_summary<'py>(py: Python<'py>, summary: &Summary) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("rows_written", summary.rows_written)?;
    dict.set_item("rows_read", summary.rows_read)?;
    dict.set_item("filtered_rows", summary.filtered_rows)?;
    dict.set_item("skipped_row_groups", summary.skipped_row_groups)?;
    dict.set_item("skipped_files", summary.skipped_files)?;
    dict.set_item("filled_rows", summary.filled_rows)?;
    dict.set_item("cut_rows", summary.cut_rows)?;
    dict.set_item("bad_rows", summary.bad_rows)?;
    let counts = PyDict::new(py);
    for (reason, count) in &summary.bad_row_counts {
        counts.set_item(reason, count)?;
    }
    dict.set_item("bad_row_counts", counts)?;
    dict.set_item("rejects", summary.rejects.as_ref())?;
    dict.set_item("bytes_read", summary.bytes_read)?;
    dict.set_item("bytes_written", summary.bytes_written)?;
    dict.set_item("seconds", summary.elapsed.as_secs_f64())?;
    dict.set_item("peak_memory", summary.peak_memory)?;
    dict.set_item("output", &summary.output)?;
    Ok(dict)
}

/// Converts an error and its causes to an exception.
fn exception(error: Error) -> PyErr {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message.push_str(&format!("\ncaused by: {inner}"));
        cause = inner.source();
    }
    match error.kind() {
        _ if error.is_not_found() => PyFileNotFoundError::new_err(message),
        ErrorKind::Stage(kind) => kind_exception(*kind, message),
        ErrorKind::Source | ErrorKind::Sink => PyOSError::new_err(message),
        ErrorKind::Memory => PyMemoryError::new_err(message),
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(message),
        ErrorKind::Internal => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
