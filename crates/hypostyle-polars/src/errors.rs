//! Which Python exception each kind of error becomes.  The message is always the library's own, unchanged.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hypostyle::{Error, ErrorKind};
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::{PyErr, PyResult};

pyo3::import_exception!(hypostyle._errors, ColumnNotFoundError);

/// The exception for an error of the library.
pub fn exception(error: Error) -> PyErr {
    if is_not_found(&error) {
        return PyFileNotFoundError::new_err(error.to_string());
    }
    kind_exception(error.kind(), error.to_string())
}

/// Whether the system says that a file does not exist.
fn is_not_found(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::NotFound)
}

/// The exception for this kind of error of the library.
pub fn kind_exception(kind: ErrorKind, message: String) -> PyErr {
    match kind {
        ErrorKind::MissingColumn => ColumnNotFoundError::new_err(message),
        ErrorKind::ParameterType | ErrorKind::ColumnType => PyTypeError::new_err(message),
        ErrorKind::Io => PyOSError::new_err(message),
        ErrorKind::Arrow | ErrorKind::Internal => PyRuntimeError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}

/// Every message that reports a bug of ours has these words; the tests look for them, and no input may bring them out.
pub const INTERNAL: &str = "internal error in hypostyle";

/// Runs `action`; a panic becomes a RuntimeError that names the caller, never a `PanicException`.
pub fn guarded<T>(what: &str, action: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|panic| Err(PyRuntimeError::new_err(of_panic(what, &*panic))))
}

/// The message for a caught panic.
pub fn of_panic(what: &str, panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("{what}: {INTERNAL}: {said}")
}
