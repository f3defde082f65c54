//! Keys as dense numbers.  Each distinct key of a stage gets the next number, which is the index of its states.
//!
//! Each key column numbers its own values, in one of three ways chosen from its type: [`Integers`] for integers, dates and
//! booleans, [`Strings`] for strings, and for everything else Arrow's row format, whose bytes are strings again.  A key of
//! several columns is the pair of the first column's number and the second's, numbered in turn, and so on: [`Pairs`].

pub(crate) mod groups;
mod integers;
mod interner;
mod pairs;
mod spare;
mod strings;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, make_array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};

use crate::error::{Error, ErrorKind, Result, type_name};
use crate::values::{Domain, Operand, read_integer, shown};
use integers::Integers;
use pairs::Pairs;
use strings::Strings;

/// The keys seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    types: Vec<DataType>,
    /// The distinct values of each column.
    columns: Vec<Names>,
    /// The distinct prefixes of keys: of two columns, of three, and so on to the whole keys.
    beginnings: Vec<Pairs>,
}

/// How many values of each column, and prefixes of keys, there were: what to reset to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mark(Vec<usize>);

/// The distinct values of a column in the order of their numbers.
#[derive(Debug, Clone)]
enum Names {
    Integers(Integers),
    Strings(Strings),
    Rows(Strings),
}

fn is_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_string(values),
        _ => false,
    }
}

fn converter(data_type: &DataType) -> Result<RowConverter> {
    Ok(RowConverter::new(vec![SortField::new(data_type.clone())])?)
}

/// A key for messages: `symbol="A", day="2024-01-02"`.
pub(crate) fn shown_key(names: &[String], columns: &[ArrayRef], row: usize) -> String {
    names
        .iter()
        .zip(columns)
        .map(|(name, column)| format!("{name}={:?}", shown(column, row)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Values in Arrow's row format, for types other than integers and strings.
fn rows_of(column: &ArrayRef, data_type: &DataType) -> Result<Rows> {
    Ok(converter(data_type)?.convert_columns(&[plain_floats(cast(column, data_type)?)?])?)
}

/// Floats with one zero and one NaN, inside of lists and structs too, so that equal keys are one; other types unchanged.
fn plain_floats(column: ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Float64 => Ok(Arc::new(
            column
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(|x| if x.is_nan() { f64::NAN } else { x + 0.0 }),
        )),
        DataType::Float32 => Ok(Arc::new(
            column
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(|x| if x.is_nan() { f32::NAN } else { x + 0.0 }),
        )),
        DataType::Float16 => {
            let wide = plain_floats(cast(&column, &DataType::Float32)?)?;
            Ok(cast(&wide, &DataType::Float16)?)
        }
        _ => {
            let data = column.to_data();
            if data.child_data().is_empty() {
                return Ok(column);
            }
            let children = data.child_data().iter().map(|child| Ok(plain_floats(make_array(child.clone()))?.to_data()));
            let children = children.collect::<Result<Vec<_>>>()?;
            Ok(make_array(data.into_builder().child_data(children).build()?))
        }
    }
}

impl Names {
    fn new(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            integer if Domain::Integer.reads(integer) => Self::Integers(Integers::default()),
            string if is_string(string) => Self::Strings(Strings::default()),
            other => {
                converter(other)?;
                Self::Rows(Strings::default())
            }
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(names) => names.len(),
            Self::Strings(names) | Self::Rows(names) => names.len(),
        }
    }

    fn truncate(&mut self, len: usize) {
        match self {
            Self::Integers(names) => names.truncate(len),
            Self::Strings(names) | Self::Rows(names) => names.truncate(len),
        }
    }

    fn number(&mut self, column: &ArrayRef, data_type: &DataType, threads: usize) -> Result<Vec<u32>> {
        match self {
            Self::Integers(names) => names.number(column, threads),
            Self::Strings(names) => names.number(column, threads),
            Self::Rows(names) => {
                let rows = rows_of(column, data_type)?;
                Ok(rows.iter().map(|row| names.number_text(Some(row.as_ref()))).collect())
            }
        }
    }

    /// The numbers of values; those of new values are unknown.
    fn find(&self, column: &ArrayRef, data_type: &DataType) -> Result<Vec<Option<u32>>> {
        let valid = column.logical_nulls();
        let valid = |row: usize| valid.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let rows = 0..column.len();
        Ok(match self {
            Self::Integers(names) => {
                let values = read_integer(column)?;
                rows.map(|row| names.find_integer(valid(row).then(|| values[row]))).collect()
            }
            Self::Strings(names) => {
                let texts = cast(column, &DataType::Utf8View)?;
                let texts = texts.as_string_view();
                rows.map(|row| names.find_text(valid(row).then(|| texts.value(row).as_bytes()))).collect()
            }
            Self::Rows(names) => {
                let rows = rows_of(column, data_type)?;
                rows.iter().map(|row| names.find_text(Some(row.as_ref()))).collect()
            }
        })
    }

    #[inline]
    fn find_value(&self, value: &Operand) -> Option<u32> {
        match self {
            Self::Integers(names) => names.find_integer(value.valid.then_some(value.integer)),
            Self::Strings(names) | Self::Rows(names) => names.find_text(value.valid.then_some(value.text.as_bytes())),
        }
    }

    fn number_value(&mut self, value: &Operand) -> u32 {
        match self {
            Self::Integers(names) => names.number_integer(value.valid.then_some(value.integer)),
            Self::Strings(names) | Self::Rows(names) => names.number_text(value.valid.then_some(value.text.as_bytes())),
        }
    }

    fn array(&self, data_type: &DataType) -> Result<ArrayRef> {
        match self {
            Self::Integers(names) => Ok(names.array(data_type)),
            Self::Strings(names) => Ok(Arc::new(names.array())),
            Self::Rows(names) => {
                let converter = converter(data_type)?;
                let parser = converter.parser();
                let rows = (0..names.len()).map(|number| parser.parse(names.text(number)));
                Ok(converter.convert_rows(rows)?.remove(0))
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Integers(names) => names.bytes(),
            Self::Strings(names) | Self::Rows(names) => names.bytes(),
        }
    }
}

impl Keys {
    pub(crate) fn new(types: Vec<DataType>) -> Result<Self> {
        let columns = types.iter().map(Names::new).collect::<Result<Vec<_>>>()?;
        let beginnings = vec![Pairs::default(); types.len().saturating_sub(1)];
        Ok(Self { types, columns, beginnings })
    }

    /// Whether columns of these types can hold the same keys: all string types can.
    pub(crate) fn compatible(one: &DataType, other: &DataType) -> bool {
        one == other || (is_string(one) && is_string(other))
    }

    pub(crate) fn len(&self) -> usize {
        match self.beginnings.last() {
            Some(keys) => keys.len(),
            None => self.columns.first().map_or(0, Names::len),
        }
    }

    /// A mark to [`reset`](Self::reset) to, which removes keys added later.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.columns.iter().map(Names::len).chain(self.beginnings.iter().map(Pairs::len)).collect())
    }

    /// Removes the keys added since the mark.
    pub(crate) fn reset(&mut self, mark: &Mark) {
        let (columns, beginnings) = mark.0.split_at(self.columns.len());
        self.columns.iter_mut().zip(columns).for_each(|(names, len)| names.truncate(*len));
        self.beginnings.iter_mut().zip(beginnings).for_each(|(names, len)| names.truncate(*len));
    }

    /// The number of each row's key; unknown keys get new numbers.
    pub(crate) fn number(&mut self, columns: &[ArrayRef], threads: usize) -> Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for (at, (names, column)) in self.columns.iter_mut().zip(columns).enumerate() {
            let own = names.number(column, &self.types[at], threads)?;
            numbers = if at == 0 { own } else { self.beginnings[at - 1].number(&numbers, &own, threads) };
        }
        Ok(numbers)
    }

    /// The numbers of the rows' keys; those of new keys are unknown.
    pub(crate) fn find(&self, columns: &[ArrayRef]) -> Result<Vec<Option<u32>>> {
        let mut numbers: Vec<Option<u32>> = Vec::new();
        for (at, (names, column)) in self.columns.iter().zip(columns).enumerate() {
            let own = names.find(column, &self.types[at])?;
            numbers = match at.checked_sub(1) {
                None => own,
                Some(before) => {
                    let pair = |(first, second): (&Option<u32>, Option<u32>)| {
                        self.beginnings[before].find_pair((*first)?, second?)
                    };
                    numbers.iter().zip(own).map(pair).collect()
                }
            };
        }
        Ok(numbers)
    }

    /// Whether keys can be given as single values.
    ///
    /// # Errors
    /// If a column's type has no such values.
    pub(crate) fn check_rows(&self) -> Result<()> {
        for (names, data_type) in self.columns.iter().zip(&self.types) {
            if matches!(names, Names::Rows(_)) {
                let problem = format!("a key of type {} cannot be given as a single value", type_name(data_type));
                return Err(Error::new(ErrorKind::ColumnType, problem).with_help("pass the rows as a batch"));
            }
        }
        Ok(())
    }

    /// The number of a known key; `value` returns its value in a column.
    #[inline]
    pub(crate) fn find_row<'v, 'g: 'v>(&self, value: impl Fn(usize) -> &'v Operand<'g>) -> Option<usize> {
        let mut number = self.columns[0].find_value(value(0))?;
        for (at, pairs) in self.beginnings.iter().enumerate() {
            number = pairs.find_pair(number, self.columns[at + 1].find_value(value(at + 1))?)?;
        }
        Some(number as usize)
    }

    /// The number of a key; an unknown key gets a new number.
    pub(crate) fn number_row<'v, 'g: 'v>(&mut self, value: impl Fn(usize) -> &'v Operand<'g>) -> usize {
        let mut number = self.columns[0].number_value(value(0));
        for (at, pairs) in self.beginnings.iter_mut().enumerate() {
            let own = self.columns[at + 1].number_value(value(at + 1));
            number = pairs.number_pair(number, own);
        }
        number as usize
    }

    /// The keys as columns, in the order of their numbers.
    pub(crate) fn columns(&self) -> Result<Vec<ArrayRef>> {
        let whole = |at: usize| self.columns[at].array(&self.types[at]);
        if self.beginnings.is_empty() {
            return Ok(vec![whole(0)?]);
        }
        // From the whole keys back to their prefixes, each time one column less.
        let mut places: Vec<u32> = (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        for at in (0..self.columns.len()).rev() {
            let own = match at.checked_sub(1) {
                Some(before) => {
                    let (earlier, own) = self.beginnings[before].split(&places);
                    places = earlier;
                    own
                }
                None => std::mem::take(&mut places),
            };
            columns.push(take(&whole(at)?, &UInt32Array::from(own), None)?);
        }
        columns.reverse();
        Ok(columns)
    }

    /// Only these keys, renumbered in this order.
    pub(crate) fn select(&self, chosen: &[u32]) -> Result<Self> {
        let chosen = UInt32Array::from(chosen.to_vec());
        let columns: Vec<ArrayRef> =
            self.columns()?.iter().map(|column| take(column, &chosen, None)).collect::<std::result::Result<_, _>>()?;
        let mut selected = Self::new(self.types.clone())?;
        selected.number(&columns, 1)?;
        Ok(selected)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.columns.iter().map(Names::bytes).sum::<usize>() + self.beginnings.iter().map(Pairs::bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        DictionaryArray, Float64Array, Int32Array, LargeStringArray, ListArray, StringArray, StringViewArray,
        StructArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{Field, Int8Type};

    const LONG: &str = "a name that is longer than twelve bytes";

    #[test]
    fn all_string_types_give_the_same_numbers() {
        let names =
            [Some("a"), None, Some(LONG), Some(LONG), Some(""), Some("a"), Some("twelve bytes"), None, Some("a")];
        let columns: [ArrayRef; 5] = [
            Arc::new(StringArray::from_iter(names)),
            Arc::new(StringArray::from_iter([Some("else")].into_iter().chain(names)).slice(1, names.len())),
            Arc::new(LargeStringArray::from_iter(names)),
            Arc::new(StringViewArray::from_iter(names)),
            Arc::new(names.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        let mut keys = Keys::new(vec![DataType::Utf8]).unwrap();
        let first: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        keys.number(&[first], 1).unwrap();
        let mark = keys.mark();
        for column in columns {
            assert_eq!(keys.number(&[column], 1).unwrap(), [0, 1, 2, 2, 3, 0, 4, 1, 0]);
        }
        keys.reset(&mark);
        let again: ArrayRef = Arc::new(StringArray::from(vec![Some("new"), None, Some("a")]));
        assert_eq!(keys.number(&[again], 2).unwrap(), [2, 1, 0]);
        let column = keys.columns().unwrap().remove(0);
        assert_eq!(column.as_string_view().iter().collect::<Vec<_>>(), [Some("a"), None, Some("new")]);
    }

    #[test]
    fn equal_floats_are_one_key_inside_of_structs_and_lists() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, -f64::NAN, 0.0, -0.0, 1.0]));
        let field = Arc::new(Field::new("x", DataType::Float64, true));
        let of_structs: ArrayRef = Arc::new(StructArray::new(vec![field].into(), vec![floats.clone()], None));
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        let of_lists: ArrayRef =
            Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1; 5]), floats.clone(), None));
        for column in [floats, of_structs, of_lists] {
            let mut keys = Keys::new(vec![column.data_type().clone()]).unwrap();
            assert_eq!(keys.number(&[column.slice(1, 4)], 1).unwrap(), [0, 1, 1, 2]);
            assert_eq!(keys.number(std::slice::from_ref(&column), 1).unwrap(), [0, 0, 1, 1, 2]);
            assert_eq!(keys.find(&[column]).unwrap(), [0, 0, 1, 1, 2].map(Some));
        }
    }

    #[test]
    fn several_columns_make_one_key() {
        let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(1), None, Some(1), Some(-7)]));
        let b: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("y"), Some("x"), Some("x"), None]));
        let c: ArrayRef = Arc::new(Int32Array::from(vec![5, 5, 5, 5, 6]));
        let mut keys = Keys::new(vec![DataType::Int32, DataType::Utf8, DataType::Int32]).unwrap();
        let mark = keys.mark();
        keys.number(&[c.clone(), b.clone(), a.clone()], 1).unwrap();
        keys.reset(&mark);
        assert_eq!(keys.len(), 0);
        assert_eq!(keys.number(&[a.clone(), b, c], 1).unwrap(), [0, 1, 2, 0, 3]);
        let columns = keys.columns().unwrap();
        assert_eq!(columns[0].as_ref(), &Int32Array::from(vec![Some(1), Some(1), None, Some(-7)]) as &dyn Array);
        assert_eq!(columns[1].as_string_view().iter().collect::<Vec<_>>(), [Some("x"), Some("y"), Some("x"), None]);
        assert_eq!(columns[2].as_ref(), &Int32Array::from(vec![5, 5, 5, 6]) as &dyn Array);
        let last = keys.select(&[3, 1]).unwrap().columns().unwrap();
        assert_eq!(last[0].as_ref(), &Int32Array::from(vec![-7, 1]) as &dyn Array);

        let mut integers = Keys::new(vec![DataType::Int32]).unwrap();
        assert_eq!(integers.number(&[a], 1).unwrap(), [0, 0, 1, 0, 2]);
    }

    #[test]
    fn threads_number_as_one_does() {
        let rows = 200_000_u64;
        let value = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 45;
        let integers: ArrayRef = Arc::new(
            (0..rows)
                .map(|row| (row % 97 != 0).then_some(value(row).cast_signed()))
                .collect::<arrow::array::Int64Array>(),
        );
        let strings: ArrayRef = Arc::new(
            (0..rows)
                .map(|row| (row % 89 != 0).then(|| format!("name of {}", value(row) % 5000)))
                .collect::<StringArray>(),
        );
        let number = |threads: usize, columns: &[ArrayRef]| {
            let mut keys = Keys::new(columns.iter().map(|column| column.data_type().clone()).collect()).unwrap();
            let numbers: Vec<u32> = keys.number(columns, threads).unwrap();
            (numbers, keys.columns().unwrap())
        };
        for columns in [vec![integers.clone()], vec![strings.clone()], vec![strings, integers]] {
            assert_eq!(number(1, &columns), number(4, &columns));
        }
    }
}
