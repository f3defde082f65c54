//! The two C functions that Polars calls: `_polars_plugin_kernel` for the values, `_polars_plugin_field_kernel` for the type.
//!
//! pyo3-polars' own entry points (of `kernel_unguarded`) turn the inputs into Polars series before any code of ours runs,
//! and panic there on types that this build of the Polars crates leaves out (unsigned integers of 128 bits).  They catch the
//! panic, and all that the user would read is "the plugin panicked".  These two call them and name the cause instead.
//! `unsafe` because C calls them; they pass the pointers on and do no more.

use std::ffi::CStr;

use polars::prelude::PolarsError;
use polars_arrow::ffi::ArrowSchema;
use pyo3_polars::derive::{_parse_kwargs, _polars_plugin_get_last_error_message, _update_last_error, CallerContext};
use pyo3_polars::export::polars_ffi::version_0::SeriesExport;

use crate::plugin::expression::{
    _polars_plugin_field_kernel_unguarded, _polars_plugin_kernel_unguarded, KernelArguments,
};

/// # Safety
/// As Polars' plugin interface 0.1 has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _polars_plugin_kernel(
    inputs: *mut SeriesExport,
    count: usize,
    kwargs: *const u8,
    kwargs_len: usize,
    output: *mut SeriesExport,
    context: *mut CallerContext,
) {
    // SAFETY: the caller's promise about each pointer is passed on; `kwargs` is only read, before and after.
    unsafe {
        _polars_plugin_kernel_unguarded(inputs, count, kwargs, kwargs_len, output, context);
        explain_panic(std::slice::from_raw_parts(kwargs, kwargs_len));
    }
}

/// # Safety
/// As Polars' plugin interface 0.1 has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _polars_plugin_field_kernel(
    fields: *mut ArrowSchema,
    count: usize,
    output: *mut ArrowSchema,
    kwargs: *const u8,
    kwargs_len: usize,
) {
    // SAFETY: as above.
    unsafe {
        _polars_plugin_field_kernel_unguarded(fields, count, output, kwargs, kwargs_len);
        explain_panic(std::slice::from_raw_parts(kwargs, kwargs_len));
    }
}

/// Names the cause if the last error is just the word PANIC.
fn explain_panic(kwargs: &[u8]) {
    // SAFETY: the pointer is to this thread's last error, a C string that lives until the next error of this thread.
    let last = unsafe { CStr::from_ptr(_polars_plugin_get_last_error_message()) };
    if last != c"PANIC" {
        return;
    }
    let Ok(arguments) = _parse_kwargs::<KernelArguments>(kwargs) else { return };
    let kernel = arguments.kernels();
    let columns = arguments.columns.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    _update_last_error(PolarsError::ComputeError(
        format!("{kernel}: one of the columns {columns} has a type that is not supported (u128); cast it first").into(),
    ));
}
