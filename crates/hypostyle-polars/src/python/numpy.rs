//! Columns of NumPy, as pandas has them: in by `__array_struct__`, out by `__array_interface__`, without a copy.
//!
//! Both are NumPy's own interfaces for memory (<https://numpy.org/doc/stable/reference/arrays.interface.html>).  As pandas has
//! it, NaN and NaT are missing values: they come in as nulls, and nulls go out as NaN.  For plain arrays NaN may stay a number.

use std::any::Any;
use std::ffi::{c_char, c_int, c_void};
use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowNativeType, DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

/// `PyArrayInterface` of NumPy, as far as it is used here.
#[repr(C)]
struct ArrayInterface {
    two: c_int,
    dimensions: c_int,
    kind: c_char,
    item_size: c_int,
    flags: c_int,
    shape: *const isize,
    strides: *const isize,
    data: *mut c_void,
}

/// The flags of an array whose memory can be read as it is: contiguous, aligned, in the machine's byte order.
const PLAIN: c_int = 0x1 | 0x100 | 0x200;

/// What the NaN of an array of floats is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nan {
    /// A missing value, as in pandas.
    Missing,
    /// A number.
    Number,
}

/// An array's memory, kept alive by the array.
struct Memory<'py> {
    array: &'py Bound<'py, PyAny>,
    data: *mut c_void,
    rows: usize,
}

impl Memory<'_> {
    /// The values, which are of this type.
    fn values<T: ArrowNativeType>(&self) -> ScalarBuffer<T> {
        match NonNull::new(self.data.cast::<u8>()) {
            Some(data) if self.rows > 0 => {
                let owner = Arc::new(AssertUnwindSafe(self.array.clone().unbind()));
                // SAFETY: NumPy says that so many values of this type lie there, aligned, for as long as the array lives,
                // and the buffer keeps the array.
                let buffer = unsafe { Buffer::from_custom_allocation(data, self.rows * size_of::<T>(), owner) };
                ScalarBuffer::new(buffer, 0, self.rows)
            }
            _ => Vec::new().into(),
        }
    }

    fn plain<P: ArrowPrimitiveType>(&self) -> ArrayRef {
        Arc::new(PrimitiveArray::<P>::new(self.values(), None))
    }

    fn floats<P: ArrowPrimitiveType>(&self, nan: Nan, is_nan: impl Fn(P::Native) -> bool) -> ArrayRef {
        match nan {
            Nan::Missing => self.with_nulls::<P>(is_nan),
            Nan::Number => self.plain::<P>(),
        }
    }

    fn times<P: ArrowPrimitiveType<Native = i64>>(&self) -> ArrayRef {
        self.with_nulls::<P>(|time| time == i64::MIN)
    }

    /// The values, of which some stand for a missing one.
    fn with_nulls<P: ArrowPrimitiveType>(&self, is_missing: impl Fn(P::Native) -> bool) -> ArrayRef {
        let values: ScalarBuffer<P::Native> = self.values();
        // A fold is vectorized; a search is not.
        let missing = values.iter().fold(false, |any, x| any | is_missing(*x));
        let nulls =
            missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(self.rows, |row| !is_missing(values[row]))));
        Arc::new(PrimitiveArray::<P>::new(values, nulls))
    }

    fn booleans(&self) -> ArrayRef {
        let bytes: ScalarBuffer<u8> = self.values();
        Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(self.rows, |row| bytes[row] != 0), None))
    }
}

/// Reads an array of one dimension with contiguous numbers, booleans or times.
///
/// # Errors
/// Another array.
pub fn column(name: &str, array: &Bound<'_, PyAny>, nan: Nan) -> PyResult<ArrayRef> {
    let capsule = array.getattr("__array_struct__")?.cast_into::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(None)?.cast::<ArrayInterface>();
    // SAFETY: that is what the capsule of `__array_struct__` points to, for as long as the capsule lives.
    let interface = unsafe { pointer.as_ref() };
    let refused = || {
        PyTypeError::new_err(format!(
            "column '{name}': its NumPy array is not contiguous, or of a type without numbers"
        ))
    };
    if interface.two != 2 || interface.dimensions != 1 || interface.flags & PLAIN != PLAIN {
        return Err(refused());
    }
    // SAFETY: an array of one dimension has one length.
    let rows = unsafe { *interface.shape };
    let memory = Memory { array, data: interface.data, rows: rows.try_into().map_err(|_| refused())? };
    #[expect(clippy::cast_sign_loss, reason = "a character of ASCII")]
    let kind = char::from(interface.kind as u8);
    Ok(match (kind, interface.item_size) {
        ('f', 8) => memory.floats::<Float64Type>(nan, f64::is_nan),
        ('f', 4) => memory.floats::<Float32Type>(nan, f32::is_nan),
        ('f', 2) => memory.floats::<Float16Type>(nan, |x| x.is_nan()),
        ('i', 8) => memory.plain::<Int64Type>(),
        ('i', 4) => memory.plain::<Int32Type>(),
        ('i', 2) => memory.plain::<Int16Type>(),
        ('i', 1) => memory.plain::<Int8Type>(),
        ('u', 8) => memory.plain::<UInt64Type>(),
        ('u', 4) => memory.plain::<UInt32Type>(),
        ('u', 2) => memory.plain::<UInt16Type>(),
        ('u', 1) => memory.plain::<UInt8Type>(),
        ('b', 1) => memory.booleans(),
        ('M' | 'm', 8) => {
            let described: String = array.getattr("dtype")?.getattr("str")?.extract()?;
            match described.get(1..).unwrap_or_default() {
                "M8[ns]" => memory.times::<TimestampNanosecondType>(),
                "M8[us]" => memory.times::<TimestampMicrosecondType>(),
                "M8[ms]" => memory.times::<TimestampMillisecondType>(),
                "M8[s]" => memory.times::<TimestampSecondType>(),
                "m8[ns]" => memory.times::<DurationNanosecondType>(),
                "m8[us]" => memory.times::<DurationMicrosecondType>(),
                "m8[ms]" => memory.times::<DurationMillisecondType>(),
                "m8[s]" => memory.times::<DurationSecondType>(),
                _ => return Err(refused()),
            }
        }
        _ => return Err(refused()),
    })
}

/// A column for `numpy.asarray`, which makes an array of this memory.
#[pyclass(frozen, module = "hypostyle._native")]
pub struct NumpyColumn {
    /// NumPy's name of the type, without the byte order.
    type_name: &'static str,
    address: usize,
    rows: usize,
    /// The memory.  Nobody else has it, so that the array may be written to.
    _values: Box<dyn Any + Send + Sync>,
}

#[pymethods]
impl NumpyColumn {
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", (self.rows,))?;
        interface.set_item(
            "typestr",
            format!("{}{}", if cfg!(target_endian = "big") { '>' } else { '<' }, self.type_name),
        )?;
        interface.set_item("data", (self.address, false))?;
        Ok(interface)
    }
}

impl NumpyColumn {
    /// A column as NumPy has it: nulls are NaN, and integers and booleans with nulls are floats; `None` if it has another
    /// type than these.
    pub fn of(column: ArrayRef) -> Option<Self> {
        let column = match column.data_type() {
            DataType::Boolean => {
                if column.null_count() == 0 {
                    return Some(Self::new("b1", column.as_boolean().values().iter().map(u8::from).collect()));
                }
                cast(&column, &DataType::Float64).ok()?
            }
            integer if integer.is_integer() && column.null_count() > 0 => cast(&column, &DataType::Float64).ok()?,
            _ => column,
        };
        Some(match column.data_type() {
            DataType::Float64 => Self::new("f8", floats::<Float64Type>(column, f64::NAN)),
            DataType::Float32 => Self::new("f4", floats::<Float32Type>(column, f32::NAN)),
            DataType::Int64 => Self::new("i8", values_of::<Int64Type>(column).0),
            DataType::Int32 => Self::new("i4", values_of::<Int32Type>(column).0),
            DataType::Int16 => Self::new("i2", values_of::<Int16Type>(column).0),
            DataType::Int8 => Self::new("i1", values_of::<Int8Type>(column).0),
            DataType::UInt64 => Self::new("u8", values_of::<UInt64Type>(column).0),
            DataType::UInt32 => Self::new("u4", values_of::<UInt32Type>(column).0),
            DataType::UInt16 => Self::new("u2", values_of::<UInt16Type>(column).0),
            DataType::UInt8 => Self::new("u1", values_of::<UInt8Type>(column).0),
            _ => return None,
        })
    }

    fn new<T: Send + Sync + 'static>(type_name: &'static str, values: Vec<T>) -> Self {
        Self { type_name, address: values.as_ptr() as usize, rows: values.len(), _values: Box::new(values) }
    }
}

/// The values and the nulls, without a copy if nobody else has the column.
fn values_of<P: ArrowPrimitiveType>(column: ArrayRef) -> (Vec<P::Native>, Option<NullBuffer>) {
    let own: PrimitiveArray<P> = column.as_primitive::<P>().clone();
    drop(column);
    let (_, values, nulls) = own.into_parts();
    let rows = values.len();
    match values.into_inner().into_vec::<P::Native>() {
        Ok(values) if values.len() == rows => (values, nulls),
        Ok(values) => (values[..rows].to_vec(), nulls),
        Err(shared) => (shared.typed_data::<P::Native>().to_vec(), nulls),
    }
}

fn floats<P: ArrowPrimitiveType>(column: ArrayRef, nan: P::Native) -> Vec<P::Native> {
    let (mut values, nulls) = values_of::<P>(column);
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else { return values };
    for (chunk, valid) in values.chunks_mut(64).zip(nulls.inner().bit_chunks().iter_padded()) {
        if valid != u64::MAX {
            for (bit, value) in chunk.iter_mut().enumerate() {
                if valid >> bit & 1 == 0 {
                    *value = nan;
                }
            }
        }
    }
    values
}
