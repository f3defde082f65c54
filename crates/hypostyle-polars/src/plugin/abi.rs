//! The C functions that Polars calls: `_polars_plugin_kernel` for the values, `_polars_plugin_field_kernel` for the type, and
//! the two that every plugin has.  They follow version 0.1 of Polars' plugin interface (the crate polars-ffi 0.55).
//!
//! A series is a name and a type (`ArrowSchema`) and one `ArrowArray` for each of its chunks.  Whoever gets a struct owns
//! it: it is moved out of the memory that it was passed in and released once, by its `Drop`.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{read, write};
use std::slice::from_raw_parts;

use arrow::array::{ArrayRef, make_array, new_empty_array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};

use super::expression::{evaluate, guarded, output_field};

/// The version of the interface: major, then minor.
const VERSION: u32 = 1;

/// A series, as Polars passes and expects it.
#[repr(C)]
pub struct SeriesExport {
    field: *mut FFI_ArrowSchema,
    arrays: *mut *mut FFI_ArrowArray,
    len: usize,
    release: Option<unsafe extern "C" fn(*mut SeriesExport)>,
    private_data: *mut c_void,
}

impl Drop for SeriesExport {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: whoever filled the struct promises that its callback may be called once, by the owner.
            unsafe { release(self) }
        }
    }
}

/// What Polars says of the call.
#[repr(C)]
pub struct CallerContext {
    flags: u64,
}

impl CallerContext {
    /// Whether Polars runs the expression on several threads itself.
    fn parallel(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// What a series that was made here owns.
struct Exported {
    _field: Box<FFI_ArrowSchema>,
    array: *mut FFI_ArrowArray,
    _arrays: Box<[*mut FFI_ArrowArray; 1]>,
}

/// Releases a series that was made here; Polars has moved its array out.
unsafe extern "C" fn release(series: *mut SeriesExport) {
    // SAFETY: `export` put a box there, and the callback runs once.
    let exported = unsafe { Box::from_raw((*series).private_data.cast::<Exported>()) };
    // SAFETY: the box came from `export`; its contents are Polars' by now, so only the memory is freed.
    drop(unsafe { Box::from_raw(exported.array.cast::<std::mem::ManuallyDrop<FFI_ArrowArray>>()) });
    // SAFETY: as above.
    unsafe { (*series).release = None }
}

/// A column for Polars.
fn export(name: &str, column: &ArrayRef) -> Result<SeriesExport, ArrowError> {
    let mut field = Box::new(FFI_ArrowSchema::try_from(Field::new(name, column.data_type().clone(), true))?);
    let array = Box::into_raw(Box::new(FFI_ArrowArray::new(&column.to_data())));
    let mut arrays = Box::new([array]);
    Ok(SeriesExport {
        field: &raw mut *field,
        arrays: arrays.as_mut_ptr(),
        len: 1,
        release: Some(release),
        private_data: Box::into_raw(Box::new(Exported { _field: field, array, _arrays: arrays })).cast(),
    })
}

/// A column's name and values.
pub struct Column {
    pub name: String,
    pub values: ArrayRef,
}

/// A series from Polars, its chunks combined.
///
/// # Safety
/// `series` was filled by Polars and moved here.
unsafe fn import(series: SeriesExport) -> Result<Column, String> {
    // SAFETY: the field lives until the series is dropped; each array is moved out of its memory, once.
    let (schema, arrays) = unsafe {
        let arrays = if series.len == 0 { &[] } else { from_raw_parts(series.arrays, series.len) };
        (&*series.field, arrays.iter().map(|array| read(*array)).collect::<Vec<FFI_ArrowArray>>())
    };
    let field = field_of(schema)?;
    let data_type = field.data_type();
    let chunk = |array: FFI_ArrowArray| {
        // Polars passes such an array with a buffer, which the interface does not allow.
        if *data_type == DataType::Null {
            return Ok::<ArrayRef, String>(new_null_array(data_type, array.len()));
        }
        // SAFETY: Polars made the array of just this type.
        unsafe { from_ffi_and_data_type(array, data_type.clone()) }.map(make_array).map_err(|e| arrow_failed(&e))
    };
    let mut chunks = arrays.into_iter().map(chunk).collect::<Result<Vec<_>, _>>()?;
    let values = match chunks.len() {
        0 => new_empty_array(data_type),
        1 => chunks.remove(0),
        _ => {
            let parts: Vec<_> = chunks.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(|e| arrow_failed(&e))?
        }
    };
    Ok(Column { name: field.name().clone(), values })
}

/// The field that a schema describes.
pub fn field_of(schema: &FFI_ArrowSchema) -> Result<Field, String> {
    Field::try_from(schema).map_err(|_| {
        // Polars has types that Arrow lacks, and calls them so.
        let shown = schema.format().strip_prefix("_pl").unwrap_or(schema.format());
        format!(
            "column '{}' has type {shown}, which is not supported; cast it first",
            schema.name().unwrap_or_default()
        )
    })
}

fn arrow_failed(error: &ArrowError) -> String {
    format!("Arrow: {error}")
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Keeps a message for `_polars_plugin_get_last_error_message`.
fn keep_error(message: &str) {
    let message = CString::new(message.replace('\0', "\\0")).unwrap_or_default();
    LAST_ERROR.with(|last| *last.borrow_mut() = message);
}

/// The version of the plugin interface.
#[unsafe(no_mangle)]
pub extern "C" fn _polars_plugin_get_version() -> u32 {
    VERSION
}

/// The message of this thread's last error, valid until its next one.
#[unsafe(no_mangle)]
pub extern "C" fn _polars_plugin_get_last_error_message() -> *const c_char {
    LAST_ERROR.with(|last| last.borrow().as_ptr())
}

/// Computes the values of an expression.
///
/// # Safety
/// As the plugin interface has it: `count` series at `inputs`, which become ours; `kwargs_len` bytes at `kwargs`; `output`
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _polars_plugin_kernel(
    inputs: *mut SeriesExport,
    count: usize,
    kwargs: *const u8,
    kwargs_len: usize,
    output: *mut SeriesExport,
    context: *const CallerContext,
) {
    // SAFETY: the caller's promise.  All series are moved out before anything can fail, so that all are released.
    let (inputs, kwargs, context) = unsafe {
        let inputs: Vec<SeriesExport> = (0..count).map(|at| read(inputs.add(at))).collect();
        (inputs, from_raw_parts(kwargs, kwargs_len), &*context)
    };
    let result = guarded(kwargs, || {
        // SAFETY: Polars filled them.
        let columns = inputs.into_iter().map(|series| unsafe { import(series) }).collect::<Result<Vec<_>, _>>()?;
        let result = evaluate(columns, kwargs, context.parallel())?;
        export(&result.name, &result.values).map_err(|e| arrow_failed(&e))
    });
    match result {
        // SAFETY: the caller's promise; what was there is empty and needs no drop.
        Ok(series) => unsafe { write(output, series) },
        Err(message) => keep_error(&message),
    }
}

/// Computes the type of an expression.
///
/// # Safety
/// As the plugin interface has it: `count` fields at `fields`, which become ours; `kwargs_len` bytes at `kwargs`; `output`
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _polars_plugin_field_kernel(
    fields: *mut FFI_ArrowSchema,
    count: usize,
    output: *mut FFI_ArrowSchema,
    kwargs: *const u8,
    kwargs_len: usize,
) {
    // SAFETY: the caller's promise.  Polars keeps the structs: they are only read.
    let (fields, kwargs) = unsafe { (from_raw_parts(fields, count), from_raw_parts(kwargs, kwargs_len)) };
    let result = guarded(kwargs, || {
        let field = output_field(fields, kwargs)?;
        FFI_ArrowSchema::try_from(field).map_err(|e| arrow_failed(&e))
    });
    match result {
        // SAFETY: the caller's promise; what was there is empty and needs no drop.
        Ok(field) => unsafe { write(output, field) },
        Err(message) => keep_error(&message),
    }
}

/// The functions under more names, which Polars looks up and shows in its plans.
macro_rules! named {
    ($($name:literal)*) => {
        /// The names of kernels that expressions may call the plugin by.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        $(const _: () = {
            #[unsafe(export_name = concat!("_polars_plugin_", $name))]
            unsafe extern "C" fn values(
                inputs: *mut $crate::plugin::abi::SeriesExport,
                count: usize,
                kwargs: *const u8,
                kwargs_len: usize,
                output: *mut $crate::plugin::abi::SeriesExport,
                context: *const $crate::plugin::abi::CallerContext,
            ) {
                // SAFETY: the caller's promise.
                unsafe { $crate::plugin::abi::_polars_plugin_kernel(inputs, count, kwargs, kwargs_len, output, context) }
            }

            #[unsafe(export_name = concat!("_polars_plugin_field_", $name))]
            unsafe extern "C" fn field(
                fields: *mut arrow::ffi::FFI_ArrowSchema,
                count: usize,
                output: *mut arrow::ffi::FFI_ArrowSchema,
                kwargs: *const u8,
                kwargs_len: usize,
            ) {
                // SAFETY: the caller's promise.
                unsafe { $crate::plugin::abi::_polars_plugin_field_kernel(fields, count, output, kwargs, kwargs_len) }
            }
        };)*
    };
}
pub(super) use named;
