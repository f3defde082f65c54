//! Results gathered portion by portion.  Those that differ from the column that they become (structs, booleans, f32) are
//! converted while they are in cache, so that no second copy of all of them passes through memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, Float32Array, Float64Array, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;

use super::output::{NO_FIELD, Output};
use super::scalar::Scalar;

/// See the module.
#[derive(Debug)]
pub(crate) struct Gathered<O> {
    /// The results as they are, if that is how the column holds them.
    rows: Vec<O>,
    /// Else the column, or its fields.
    columns: Vec<Column>,
    len: usize,
}

#[derive(Debug)]
enum Cells {
    Float(Vec<f64>),
    Short(Vec<f32>),
    Integer(Vec<i64>),
    Flag(BooleanBufferBuilder),
}

#[derive(Debug)]
struct Column {
    cells: Cells,
    /// Which cells are given; empty as long as all are.
    given: BooleanBufferBuilder,
}

impl Column {
    fn of(data_type: &DataType) -> Option<Self> {
        let cells = match data_type {
            DataType::Float64 => Cells::Float(Vec::new()),
            DataType::Float32 => Cells::Short(Vec::new()),
            DataType::Int64 => Cells::Integer(Vec::new()),
            DataType::Boolean => Cells::Flag(BooleanBufferBuilder::new(0)),
            _ => return None,
        };
        Some(Self { cells, given: BooleanBufferBuilder::new(0) })
    }

    fn reserve(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Float(cells) => cells.reserve(rows),
            Cells::Short(cells) => cells.reserve(rows),
            Cells::Integer(cells) => cells.reserve(rows),
            Cells::Flag(cells) => cells.reserve(rows),
        }
    }

    /// Appends numbers to the `known` ones.
    #[expect(clippy::cast_possible_truncation, reason = "f32 in gives f32 out, and counts are integers")]
    fn extend(&mut self, numbers: &[f64], known: usize) {
        match &mut self.cells {
            Cells::Float(cells) => cells.extend_from_slice(numbers),
            Cells::Short(cells) => cells.extend(numbers.iter().map(|x| *x as f32)),
            Cells::Integer(cells) if numbers.iter().fold(true, |all, x| all & (x.abs() < SMALL)) => {
                // The lowest bits of the sum are those of the integer; a conversion is not vectorized.
                let bits = |x: &f64| (x + SHIFT).to_bits().cast_signed() - SHIFT.to_bits().cast_signed();
                cells.extend(numbers.iter().map(bits));
            }
            Cells::Integer(cells) => cells.extend(numbers.iter().map(|x| *x as i64)),
            Cells::Flag(cells) => append_bits(cells, numbers, |x| x != 0.0),
        }
        let lacks = |x: f64| x.to_bits() == NO_FIELD.to_bits();
        // A fold is vectorized; a search is not.
        let missing = numbers.iter().fold(false, |missing, x| missing | lacks(*x));
        if missing || !self.given.is_empty() {
            self.given.append_n(known - self.given.len(), true);
            append_bits(&mut self.given, numbers, |x| !lacks(x));
        }
    }

    fn finish(self, nulls: Option<&NullBuffer>) -> ArrayRef {
        let Self { cells, mut given } = self;
        let given = (!given.is_empty()).then(|| NullBuffer::new(given.finish()));
        let nulls = NullBuffer::union(nulls, given.as_ref());
        match cells {
            Cells::Float(cells) => Arc::new(Float64Array::new(cells.into(), nulls)),
            Cells::Short(cells) => Arc::new(Float32Array::new(cells.into(), nulls)),
            Cells::Integer(cells) => Arc::new(Int64Array::new(cells.into(), nulls)),
            Cells::Flag(mut cells) => Arc::new(BooleanArray::new(cells.finish(), nulls)),
        }
    }
}

/// 1.5 * 2^52, whose sum with a smaller integer than this has it in its bits.
const SHIFT: f64 = 6_755_399_441_055_744.0;
const SMALL: f64 = 2_251_799_813_685_248.0;

/// How many rows are turned into columns at once.
const AT_ONCE: usize = 512;

/// Appends a bit per number, 64 at a time.
fn append_bits(bits: &mut BooleanBufferBuilder, numbers: &[f64], is_set: impl Fn(f64) -> bool) {
    for numbers in numbers.chunks(64) {
        let mut flags = [0_u8; 64];
        flags.iter_mut().zip(numbers).for_each(|(flag, x)| *flag = u8::from(is_set(*x)));
        bits.append_packed_range(0..numbers.len(), &packed(&flags));
    }
}

/// A bit for each flag, which is 0 or 1.
fn packed(flags: &[u8; 64]) -> [u8; 8] {
    let (bytes, _) = flags.as_chunks::<8>();
    let mut packed = [0; 8];
    for (byte, flags) in packed.iter_mut().zip(bytes) {
        // Each of the eight is moved to its place in the highest byte.
        [.., *byte] = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080).to_le_bytes();
    }
    packed
}

/// A number as a float: those of rows are floats or flags here.
#[inline(always)]
fn as_float(scalar: Scalar) -> f64 {
    match scalar {
        Scalar::Float(x) => x,
        Scalar::Integer(x) => f64::from(u8::from(x != 0)),
    }
}

impl<O: Output> Gathered<O> {
    /// No results yet, for a column of this type.
    pub(crate) fn of(data_type: &DataType) -> Self {
        let columns = match data_type {
            DataType::Struct(fields) if O::LANES > 1 => {
                fields.iter().take(O::LANES).map(|field| Column::of(field.data_type())).collect()
            }
            DataType::Boolean => Column::of(data_type).map(|column| vec![column]),
            DataType::Float32 if !O::EXACT => Column::of(data_type).map(|column| vec![column]),
            _ => None,
        };
        Self { rows: Vec::new(), columns: columns.unwrap_or_default(), len: 0 }
    }

    /// The results as they are, to write to, if that is how the column holds them.
    pub(crate) fn rows(&mut self) -> Option<&mut Vec<O>> {
        self.columns.is_empty().then_some(&mut self.rows)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        if self.columns.is_empty() { self.rows.len() } else { self.len }
    }

    /// Reserves memory for so many more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        if self.columns.is_empty() {
            self.rows.reserve(rows);
        }
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }

    /// Appends results.
    pub(crate) fn append(&mut self, rows: &[O]) {
        if self.columns.is_empty() {
            self.rows.extend_from_slice(rows);
        }
        if self.columns.is_empty() {
            return;
        }
        // Some rows at a time, so that they are in the nearest cache when their numbers are brought together by column.
        let mut numbers = [0.0; AT_ONCE];
        for rows in rows.chunks(AT_ONCE) {
            let numbers = &mut numbers[..rows.len()];
            for (lane, column) in self.columns.iter_mut().enumerate() {
                numbers.iter_mut().zip(rows).for_each(|(number, row)| *number = as_float(row.lane(lane)));
                column.extend(numbers, self.len);
            }
            self.len += rows.len();
        }
    }

    /// The results as a column of the type that they were gathered for; none are left.
    pub(crate) fn take(&mut self, nulls: Option<NullBuffer>, data_type: &DataType) -> ArrayRef {
        let Self { rows, columns, .. } = std::mem::replace(self, Self::of(data_type));
        if columns.is_empty() {
            return O::into_array(rows, nulls, data_type);
        }
        let mut columns: Vec<ArrayRef> = columns.into_iter().map(|column| column.finish(nulls.as_ref())).collect();
        match data_type {
            DataType::Struct(fields) => Arc::new(StructArray::new(fields.clone(), columns, nulls)),
            _ => columns.remove(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    #[test]
    fn flags_become_bits() {
        let numbers: Vec<f64> = (0..150u32).map(|row| f64::from(row * row % 7 % 2)).collect();
        for len in [0, 1, 63, 64, 65, 150] {
            let mut bits = BooleanBufferBuilder::new(0);
            append_bits(&mut bits, &numbers[..len], |x| x != 0.0);
            assert!((0..len).all(|row| bits.get_bit(row) == (numbers[row] != 0.0)) && bits.len() == len);
        }
    }

    #[test]
    fn integers_of_all_sizes_come_back() {
        let numbers =
            [0.0, -0.0, 1.0, -1.0, 12345.0, -(2f64.powi(51)), 2f64.powi(51) - 1.0, 2f64.powi(53), -(2f64.powi(53))];
        for len in 1..=numbers.len() {
            let mut column = Column::of(&DataType::Int64).unwrap();
            column.extend(&numbers[..len], 0);
            let wanted: Vec<i64> = numbers[..len].iter().map(|x| *x as i64).collect();
            assert_eq!(column.finish(None).as_primitive::<Int64Type>().values(), &wanted[..]);
        }
        let mut column = Column::of(&DataType::Int64).unwrap();
        column.extend(&[3.0, NO_FIELD], 0);
        let array = column.finish(None);
        assert!(array.is_valid(0) && array.is_null(1));
        assert_eq!(array.as_primitive::<Int64Type>().value(0), 3);
    }
}
