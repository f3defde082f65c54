//! Arrow columns in and out.  Types are dispatched here, once a column: a driver sees plain slices of rows.
//!
//! Everything computes in one of two domains: `f64` for arithmetic, `i64` for what keeps its type and order (integers,
//! booleans, dates, times).  `u64` enters the second by flipping its top bit, which keeps the order and loses nothing.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, PrimitiveArray,
    StructArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, FieldRef, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;

use crate::cell::Cell;
use crate::record::Scalar;

/// A value for messages; of a moment with a zone its time in UTC, which needs no table of the world's summer times.
pub(crate) fn shown(column: &ArrayRef, row: usize) -> String {
    let value = column.slice(row, 1);
    let value = match value.data_type() {
        DataType::Timestamp(unit, Some(_)) => cast(&value, &DataType::Timestamp(*unit, Some("+00:00".into()))),
        _ => Ok(value),
    };
    value.and_then(|value| array_value_to_string(&value, 0)).unwrap_or_default()
}

/// How a column's values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// As `f64`; integers and booleans are converted.
    Float,
    /// As `i64`, exactly; for integers, booleans, dates and times.
    Integer,
    /// Only whether there is a value.
    Presence,
}

/// A column's values in one of the domains, in row order or grouped by key.
#[derive(Debug, Clone)]
pub enum Values<'a> {
    /// Numbers.
    Float(Cow<'a, [f64]>),
    /// Exact integers.
    Integer(Cow<'a, [i64]>),
    /// The same number in every row.
    Constant(f64),
    /// Only the validity matters.
    Nothing,
}

impl Values<'_> {
    /// Some of the rows.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Values<'_> {
        match self {
            Self::Float(values) => Values::Float(Cow::Borrowed(&values[start..end])),
            Self::Integer(values) => Values::Integer(Cow::Borrowed(&values[start..end])),
            Self::Constant(x) => Values::Constant(*x),
            Self::Nothing => Values::Nothing,
        }
    }
}

impl Domain {
    /// Whether columns of this type can be read in this domain.
    pub fn reads(self, data_type: &DataType) -> bool {
        match self {
            Self::Float => data_type.is_numeric() && !data_type.is_decimal() || matches!(data_type, DataType::Boolean),
            Self::Integer => {
                data_type.is_integer()
                    || matches!(
                        data_type,
                        DataType::Boolean
                            | DataType::Date32
                            | DataType::Date64
                            | DataType::Time32(_)
                            | DataType::Time64(_)
                            | DataType::Timestamp(..)
                            | DataType::Duration(_)
                    )
            }
            Self::Presence => true,
        }
    }
}

/// Calls `$body` with `$t` bound to the Arrow type of an integer or temporal `DataType`.
macro_rules! with_integer_type {
    ($data_type:expr, $t:ident => $body:expr, _ => $other:expr) => {
        match $data_type {
            DataType::Int8 => {
                type $t = Int8Type;
                $body
            }
            DataType::Int16 => {
                type $t = Int16Type;
                $body
            }
            DataType::Int32 => {
                type $t = Int32Type;
                $body
            }
            DataType::Int64 => {
                type $t = Int64Type;
                $body
            }
            DataType::UInt8 => {
                type $t = UInt8Type;
                $body
            }
            DataType::UInt16 => {
                type $t = UInt16Type;
                $body
            }
            DataType::UInt32 => {
                type $t = UInt32Type;
                $body
            }
            DataType::UInt64 => {
                type $t = UInt64Type;
                $body
            }
            DataType::Date32 => {
                type $t = Date32Type;
                $body
            }
            DataType::Date64 => {
                type $t = Date64Type;
                $body
            }
            DataType::Time32(TimeUnit::Second) => {
                type $t = Time32SecondType;
                $body
            }
            DataType::Time32(TimeUnit::Millisecond) => {
                type $t = Time32MillisecondType;
                $body
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                type $t = Time64MicrosecondType;
                $body
            }
            DataType::Time64(TimeUnit::Nanosecond) => {
                type $t = Time64NanosecondType;
                $body
            }
            DataType::Timestamp(TimeUnit::Second, _) => {
                type $t = TimestampSecondType;
                $body
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                type $t = TimestampMillisecondType;
                $body
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                type $t = TimestampMicrosecondType;
                $body
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                type $t = TimestampNanosecondType;
                $body
            }
            DataType::Duration(TimeUnit::Second) => {
                type $t = DurationSecondType;
                $body
            }
            DataType::Duration(TimeUnit::Millisecond) => {
                type $t = DurationMillisecondType;
                $body
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                type $t = DurationMicrosecondType;
                $body
            }
            DataType::Duration(TimeUnit::Nanosecond) => {
                type $t = DurationNanosecondType;
                $body
            }
            _ => $other,
        }
    };
}

/// A native integer as `i64` and back, keeping order.
pub(crate) trait Ordinal: Copy {
    fn widen(self) -> i64;
    fn narrow(wide: i64) -> Self;
}

macro_rules! ordinal_by_cast {
    ($($native:ty),*) => { $(
        impl Ordinal for $native {
            fn widen(self) -> i64 {
                i64::from(self)
            }
            #[expect(clippy::allow_attributes, reason = "i64 is among the types")]
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only what `widen` gave comes back")]
            fn narrow(wide: i64) -> Self {
                wide as Self
            }
        }
    )* };
}
ordinal_by_cast!(i8, i16, i32, i64, u8, u16, u32);

impl Ordinal for u64 {
    fn widen(self) -> i64 {
        (self ^ (1 << 63)).cast_signed()
    }
    fn narrow(wide: i64) -> Self {
        wide.cast_unsigned() ^ (1 << 63)
    }
}

/// Whether a column of this type, which is not `u64`, can hold an integer.
pub(crate) fn holds_integer(data_type: &DataType, x: i64) -> bool {
    with_integer_type!(data_type, T => {
        type Native = <T as ArrowPrimitiveType>::Native;
        Ordinal::widen(Native::narrow(x)) == x
    }, _ => false)
}

fn map_values<T: ArrowPrimitiveType, O>(array: &dyn Array, f: impl Fn(T::Native) -> O) -> Vec<O> {
    array.as_primitive::<T>().values().iter().map(|x| f(*x)).collect()
}

/// The values of an array in a domain that reads its type; those under nulls are arbitrary.
pub(crate) fn read(array: &ArrayRef, domain: Domain) -> Values<'_> {
    match domain {
        Domain::Presence => Values::Nothing,
        Domain::Float => Values::Float(read_float(array)),
        Domain::Integer => Values::Integer(read_integer(array)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "kernels compute in f64")]
fn read_float(array: &ArrayRef) -> Cow<'_, [f64]> {
    let array = array.as_ref();
    match array.data_type() {
        DataType::Float64 => Cow::Borrowed(array.as_primitive::<Float64Type>().values()),
        DataType::Float32 => map_values::<Float32Type, _>(array, f64::from).into(),
        DataType::Float16 => map_values::<Float16Type, _>(array, f64::from).into(),
        DataType::UInt64 => map_values::<UInt64Type, _>(array, |x| x as f64).into(),
        DataType::Boolean => array.as_boolean().values().iter().map(|x| f64::from(u8::from(x))).collect(),
        other => {
            with_integer_type!(other, T => map_values::<T, _>(array, |x| Ordinal::widen(x) as f64).into(), _ => Cow::Borrowed(&[]))
        }
    }
}

/// The values of a time, integer or boolean column as `i64`.
pub(crate) fn read_integer(array: &ArrayRef) -> Cow<'_, [i64]> {
    let array = array.as_ref();
    match array.data_type() {
        DataType::Int64 => Cow::Borrowed(array.as_primitive::<Int64Type>().values()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampMicrosecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampNanosecondType>().values())
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cow::Borrowed(array.as_primitive::<TimestampMillisecondType>().values())
        }
        DataType::Boolean => array.as_boolean().values().iter().map(i64::from).collect(),
        other => {
            with_integer_type!(other, T => map_values::<T, _>(array, Ordinal::widen).into(), _ => Cow::Borrowed(&[]))
        }
    }
}

/// One row as a driver sees it, made of one or more columns.
pub trait Input: Copy + Send + Sync + Default + 'static {
    /// The domain of each column.
    const DOMAINS: &'static [Domain];

    /// Rows from columns of equal length; borrowed where nothing must be done.
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]>;

    /// One of the row's columns.
    fn lane(self, lane: usize) -> Scalar;

    /// A row of its columns.
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self;
}

impl Input for () {
    const DOMAINS: &'static [Domain] = &[Domain::Presence];
    fn assemble<'a>(_: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        vec![(); len].into()
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(0)
    }
    fn from_lanes(_: impl Fn(usize) -> Scalar) -> Self {}
}

impl Input for f64 {
    const DOMAINS: &'static [Domain] = &[Domain::Float];
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        match columns.first() {
            Some(Values::Float(values)) => Cow::Borrowed(values),
            Some(Values::Constant(x)) => vec![*x; len].into(),
            _ => vec![0.0; len].into(),
        }
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Float(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).float()
    }
}

impl Input for i64 {
    const DOMAINS: &'static [Domain] = &[Domain::Integer];
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        match columns.first() {
            Some(Values::Integer(values)) => Cow::Borrowed(values),
            _ => vec![0; len].into(),
        }
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).integer()
    }
}

impl<const K: usize> Input for [f64; K]
where
    [f64; K]: Default,
{
    const DOMAINS: &'static [Domain] = &[Domain::Float; K];
    fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
        // In one pass over all columns; numbers that are the same in every row are made columns first.
        let whole: [Cow<'a, [f64]>; K] = std::array::from_fn(|k| match columns.get(k) {
            Some(Values::Float(values)) if values.len() == len => Cow::Borrowed(values.as_ref()),
            Some(Values::Constant(x)) => vec![*x; len].into(),
            _ => vec![0.0; len].into(),
        });
        let columns: [&[f64]; K] = std::array::from_fn(|k| &whole[k][..len]);
        (0..len).map(|row| std::array::from_fn(|k| columns[k][row])).collect()
    }
    fn lane(self, lane: usize) -> Scalar {
        Scalar::Float(self[lane])
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        std::array::from_fn(|k| lane(k).float())
    }
}

/// A value and where it stands: the number of its row within the key, or its time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// The row's number, or its time.
    pub place: i64,
}

macro_rules! placed {
    ($($value:ty, $values:expr, $width:literal);*) => { $(
        impl Input for Placed<$value> {
            const DOMAINS: &'static [Domain] = &{
                let mut domains = [Domain::Integer; $width + 1];
                let mut k = 0;
                while k < $width {
                    domains[k] = $values;
                    k += 1;
                }
                domains
            };
            fn assemble<'a>(columns: &'a [Values<'a>], len: usize) -> Cow<'a, [Self]> {
                let (values, places) = columns.split_at(columns.len().min($width));
                let values = <$value>::assemble(values, len);
                let places = i64::assemble(places, len);
                values.iter().zip(places.iter()).map(|(value, place)| Self { value: *value, place: *place }).collect()
            }
            fn lane(self, lane: usize) -> Scalar {
                if lane < $width { Input::lane(self.value, lane) } else { Scalar::Integer(self.place) }
            }
            fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
                let place = lane($width).integer();
                Self { value: <$value as Input>::from_lanes(lane), place }
            }
        }
    )* };
}
placed!(f64, Domain::Float, 1; i64, Domain::Integer, 1; [f64; 2], Domain::Float, 2);

/// One answer of a kernel.
pub trait Output: Copy + Send + Sync + Default + 'static {
    /// The answers as an array of this type.
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef;

    /// How many numbers it is.
    const LANES: usize = 1;

    /// One of its numbers.
    fn lane(self, lane: usize) -> Scalar;

    /// An answer of its numbers.
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self;

    /// The answer as values of this type: one, or one for each field of a struct.
    fn push_cells(self, data_type: &DataType, cells: &mut Vec<Cell<'static>>);
}

/// A float as it is once a column of this type has held it.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
pub(crate) fn narrow_float(x: f64, data_type: &DataType) -> f64 {
    match data_type {
        DataType::Float32 => f64::from(x as f32),
        DataType::Float16 => f64::from(half_from_f64(x)),
        _ => x,
    }
}

impl Output for f64 {
    #[expect(clippy::cast_possible_truncation, reason = "f32 in gives f32 out")]
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef {
        match data_type {
            DataType::Float32 => {
                Arc::new(Float32Array::new(values.into_iter().map(|x| x as f32).collect::<Vec<_>>().into(), nulls))
            }
            DataType::Float16 => {
                let narrow = Float64Array::new(values.into(), nulls).unary::<_, Float16Type>(half_from_f64);
                Arc::new(narrow)
            }
            _ => Arc::new(Float64Array::new(values.into(), nulls)),
        }
    }
    fn push_cells(self, data_type: &DataType, cells: &mut Vec<Cell<'static>>) {
        cells.push(Cell::Float(narrow_float(self, data_type)));
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Float(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).float()
    }
}

fn half_from_f64(x: f64) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_f64(x)
}

impl Output for i64 {
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef {
        match data_type {
            DataType::Boolean => {
                Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(values.len(), |i| values[i] != 0), nulls))
            }
            DataType::Int64 => Arc::new(Int64Array::new(values.into(), nulls)),
            other => with_integer_type!(other, T => {
                let narrow: Vec<<T as ArrowPrimitiveType>::Native> = values.into_iter().map(Ordinal::narrow).collect();
                Arc::new(PrimitiveArray::<T>::new(narrow.into(), nulls).with_data_type(other.clone()))
            }, _ => Arc::new(Int64Array::new(values.into(), nulls))),
        }
    }
    fn push_cells(self, data_type: &DataType, cells: &mut Vec<Cell<'static>>) {
        cells.push(match data_type {
            DataType::Boolean => Cell::Boolean(self != 0),
            DataType::UInt64 => Cell::Unsigned(u64::narrow(self)),
            _ => Cell::Integer(self),
        });
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).integer()
    }
}

/// A field of a struct that has no answer.  Computed answers never have these bits: see [`field`].
pub(crate) const NO_FIELD: f64 = f64::from_bits(0x7FF8_0000_0000_0BAD);

/// A field of a struct, where NaN keeps no bits of its own.
pub(crate) fn field(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

/// A struct of at most `K` numbers: the first ones are its fields, and [`NO_FIELD`] is a field without an answer.
impl<const K: usize> Output for [f64; K]
where
    [f64; K]: Default,
{
    const LANES: usize = K;
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef {
        let DataType::Struct(fields) = data_type else {
            return f64::into_array(values.iter().map(|row| row[0]).collect(), nulls, data_type);
        };
        let width = fields.len().min(K);
        let mut columns: Vec<Vec<f64>> = (0..width).map(|_| Vec::with_capacity(values.len())).collect();
        // Some rows at a time, so that they stay in cache while the columns take their parts.
        for rows in values.chunks(1 << 10) {
            columns.iter_mut().enumerate().for_each(|(k, column)| column.extend(rows.iter().map(|row| row[k])));
        }
        let column = |(field, column): (&FieldRef, Vec<f64>)| {
            let lacks = |x: &f64| x.to_bits() == NO_FIELD.to_bits();
            let missing = column.iter().fold(false, |missing, x| missing | lacks(x));
            let given =
                missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(column.len(), |i| !lacks(&column[i]))));
            f64::into_array(column, NullBuffer::union(nulls.as_ref(), given.as_ref()), field.data_type())
        };
        let columns = fields.iter().zip(columns).map(column).collect();
        Arc::new(StructArray::new(fields.clone(), columns, nulls))
    }
    fn push_cells(self, data_type: &DataType, cells: &mut Vec<Cell<'static>>) {
        let DataType::Struct(fields) = data_type else {
            return self[0].push_cells(data_type, cells);
        };
        for (field, x) in fields.iter().zip(self) {
            if x.to_bits() == NO_FIELD.to_bits() {
                cells.push(Cell::Null);
            } else {
                x.push_cells(field.data_type(), cells);
            }
        }
    }
    fn lane(self, lane: usize) -> Scalar {
        Scalar::Float(self[lane])
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        std::array::from_fn(|k| lane(k).float())
    }
}

/// The type of a computed answer: f32 in gives f32 out, everything else f64.
pub(crate) fn computed_type(inputs: &[&DataType]) -> DataType {
    match inputs {
        [first, rest @ ..] if **first == DataType::Float32 && rest.iter().all(|t| **t == DataType::Float32) => {
            DataType::Float32
        }
        _ => DataType::Float64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{TimestampSecondArray, UInt64Array};

    #[test]
    fn integers_come_back_exactly() {
        let array: ArrayRef = Arc::new(UInt64Array::from(vec![0, 1, u64::MAX, 1 << 63]));
        let wide = read_integer(&array).into_owned();
        assert!(wide[0] < wide[1] && wide[3] < wide[2]);
        assert_eq!(&i64::into_array(wide, None, &DataType::UInt64), &array);

        let array: ArrayRef = Arc::new(TimestampSecondArray::from(vec![-5, 7]).with_timezone("UTC"));
        let wide = read_integer(&array).into_owned();
        assert_eq!(&i64::into_array(wide, None, array.data_type()), &array);
    }
}
