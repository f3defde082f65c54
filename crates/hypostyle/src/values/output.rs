//! Results out: what a kernel returns per row, as an Arrow column or as plain values.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, Float32Array, Float64Array, Int64Array, PrimitiveArray, StructArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, FieldRef, Float16Type};

use super::scalar::Scalar;
use super::scalar_value::ScalarValue;
use super::texts::is_text;
use super::types::{Ordinal, half_from_f64, narrow_float, with_integer_type};

/// One result of a kernel.
pub trait Output: Copy + Send + Sync + Default + 'static {
    /// The results as an array of this type.
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef;

    /// Whether it is an exact integer, which may represent a value of another type, rather than a computed float.
    const EXACT: bool = false;

    /// How many numbers make up a result.
    const LANES: usize = 1;

    /// One of its numbers.
    fn lane(self, lane: usize) -> Scalar;

    /// A result from its numbers.
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self;

    /// The result as values of this type: one, or one per field of a struct.
    fn push_values(self, data_type: &DataType, cells: &mut Vec<ScalarValue<'static>>);
}

impl Output for f64 {
    #[expect(clippy::cast_possible_truncation, reason = "f32 in gives f32 out, and counts are integers")]
    fn into_array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef {
        match data_type {
            DataType::Float32 => {
                Arc::new(Float32Array::new(values.into_iter().map(|x| x as f32).collect::<Vec<_>>().into(), nulls))
            }
            DataType::Float16 => {
                let narrow = Float64Array::new(values.into(), nulls).unary::<_, Float16Type>(half_from_f64);
                Arc::new(narrow)
            }
            // Fields of a struct that count or judge.
            DataType::Int64 => Arc::new(Int64Array::new(values.into_iter().map(|x| x as i64).collect(), nulls)),
            DataType::Boolean => {
                Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(values.len(), |i| values[i] != 0.0), nulls))
            }
            _ => Arc::new(Float64Array::new(values.into(), nulls)),
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "counts are integers")]
    fn push_values(self, data_type: &DataType, cells: &mut Vec<ScalarValue<'static>>) {
        cells.push(match data_type {
            DataType::Int64 => ScalarValue::Integer(self as i64),
            DataType::Boolean => ScalarValue::Boolean(self != 0.0),
            _ => ScalarValue::Float(narrow_float(self, data_type)),
        });
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Float(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).float()
    }
}

impl Output for i64 {
    const EXACT: bool = true;
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
    fn push_values(self, data_type: &DataType, cells: &mut Vec<ScalarValue<'static>>) {
        cells.push(match data_type {
            DataType::Boolean => ScalarValue::Boolean(self != 0),
            DataType::UInt64 => ScalarValue::Unsigned(u64::narrow(self)),
            decimal if decimal.is_decimal() => ScalarValue::Decimal(i128::from(self)),
            text if is_text(text) => ScalarValue::Code(self),
            _ => ScalarValue::Integer(self),
        });
    }
    fn lane(self, _: usize) -> Scalar {
        Scalar::Integer(self)
    }
    fn from_lanes(lane: impl Fn(usize) -> Scalar) -> Self {
        lane(0).integer()
    }
}

/// A null field of a struct.  Computed results never have these bits: see [`field`].
pub(crate) const NO_FIELD: f64 = f64::from_bits(0x7FF8_0000_0000_0BAD);

/// A field of a struct, with one NaN for all NaNs.
pub(crate) fn field(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}

/// A struct of at most `K` numbers: the first ones are its fields, and `NO_FIELD` is a null field.  A field may be an integer or a
/// boolean.
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
        // Some rows at a time, so that they stay in cache while their fields are copied to the columns.
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
    fn push_values(self, data_type: &DataType, cells: &mut Vec<ScalarValue<'static>>) {
        let DataType::Struct(fields) = data_type else {
            return self[0].push_values(data_type, cells);
        };
        for (field, x) in fields.iter().zip(self) {
            if x.to_bits() == NO_FIELD.to_bits() {
                cells.push(ScalarValue::Null);
            } else {
                x.push_values(field.data_type(), cells);
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

#[cfg(test)]
mod tests {
    use super::super::domain::read_integer;
    use super::*;
    use arrow::array::{TimestampSecondArray, UInt64Array};

    #[test]
    fn integers_come_back_exactly() {
        let array: ArrayRef = Arc::new(UInt64Array::from(vec![0, 1, u64::MAX, 1 << 63]));
        let wide = read_integer(&array).unwrap().into_owned();
        assert!(wide[0] < wide[1] && wide[3] < wide[2]);
        assert_eq!(&i64::into_array(wide, None, &DataType::UInt64), &array);

        let array: ArrayRef = Arc::new(TimestampSecondArray::from(vec![-5, 7]).with_timezone("UTC"));
        let wide = read_integer(&array).unwrap().into_owned();
        assert_eq!(&i64::into_array(wide, None, array.data_type()), &array);
    }
}
