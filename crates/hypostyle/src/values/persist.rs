//! States as rows of plain columns, so that a saved state is a table that any Arrow tool reads.
//!
//! A state writes its fields in a fixed order and reads them back in that order.  The names are for people, and to check that
//! the file is what the kernel expects.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Float64Builder, Int64Builder, LargeListArray,
    LargeListBuilder, PrimitiveArray,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Float64Type, Int64Type};

use super::input::Input;
use super::output::{NO_FIELD, Output};
use super::scalar::Scalar;
use super::types::Ordinal;
use crate::error::{Error, Result};

/// The name of one of several numbers.
struct Lane<N>(N, usize, usize);

impl<N: Display> Display for Lane<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(name, lane, lanes) = self;
        if *lanes == 1 { name.fmt(f) } else { write!(f, "{name}.{lane}") }
    }
}

/// The name of rows that are saved in other numbers than their columns.
struct Words<N>(N, bool);

impl<N: Display> Display for Words<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, if self.1 { " exact" } else { "" })
    }
}

enum Column {
    Float(Float64Builder),
    Integer(Int64Builder),
    Flag(BooleanBuilder),
    Floats(LargeListBuilder<Float64Builder>),
    Integers(LargeListBuilder<Int64Builder>),
}

/// One NaN for all NaNs that are results: which bits one has depends on the order of the operands, which the compiler may choose.
fn one_nan(x: f64) -> f64 {
    if x.is_nan() && x.to_bits() != NO_FIELD.to_bits() { f64::NAN } else { x }
}

/// Collects the states of many keys as columns.
#[derive(Default)]
pub struct StateWriter {
    columns: Vec<(String, Column)>,
    cursor: usize,
    /// What the names begin with.
    prefix: String,
    /// The first write that did not fit the column begun by an earlier key.
    misfit: Option<String>,
}

impl StateWriter {
    /// Begins the next key's row.
    pub(crate) fn begin_row(&mut self) {
        self.cursor = 0;
    }

    /// Writes the state of a part, whose names begin with this.
    pub(crate) fn part(&mut self, name: impl Display, write: impl FnOnce(&mut Self)) {
        let whole = std::mem::replace(&mut self.prefix, format!("{name}/"));
        write(self);
        self.prefix = whole;
    }

    /// Writes to the next column, which the first key begins; `write` returns whether the column has its type.
    fn next(&mut self, name: impl Display, make: impl FnOnce() -> Column, write: impl FnOnce(&mut Column) -> bool) {
        if self.cursor == self.columns.len() {
            self.columns.push((format!("{}{name}", self.prefix), make()));
        }
        let (known, column) = &mut self.columns[self.cursor];
        self.cursor += 1;
        if !write(column) && self.misfit.is_none() {
            self.misfit = Some(format!("a state writes '{name}' where another key of the kernel wrote '{known}'"));
        }
    }

    /// Writes a float.
    pub fn float(&mut self, name: impl Display, x: f64) {
        let x = one_nan(x);
        self.next(
            name,
            || Column::Float(Float64Builder::new()),
            |column| {
                let Column::Float(builder) = column else { return false };
                builder.append_value(x);
                true
            },
        );
    }

    /// Writes an integer.
    pub fn integer(&mut self, name: impl Display, x: i64) {
        self.next(
            name,
            || Column::Integer(Int64Builder::new()),
            |column| {
                let Column::Integer(builder) = column else { return false };
                builder.append_value(x);
                true
            },
        );
    }

    /// Writes a count.
    pub fn count(&mut self, name: impl Display, x: usize) {
        self.integer(name, i64::try_from(x).unwrap_or(i64::MAX));
    }

    /// Writes a flag.
    pub fn flag(&mut self, name: impl Display, x: bool) {
        self.next(
            name,
            || Column::Flag(BooleanBuilder::new()),
            |column| {
                let Column::Flag(builder) = column else { return false };
                builder.append_value(x);
                true
            },
        );
    }

    /// Writes a scalar.
    pub fn scalar(&mut self, name: impl Display, x: Scalar) {
        match x {
            Scalar::Float(x) => self.float(name, x),
            Scalar::Integer(x) => self.integer(name, x),
        }
    }

    /// Writes a result, if there is one.
    pub fn answer<O: Output>(&mut self, name: impl Display, answer: Option<O>) {
        self.flag(format_args!("{name}.some"), answer.is_some());
        let answer = answer.unwrap_or_default();
        (0..O::LANES).for_each(|lane| self.scalar(Lane(&name, lane, O::LANES), answer.lane(lane)));
    }

    /// Writes any number of integers.
    pub fn integers(&mut self, name: impl Display, values: impl Iterator<Item = i64>) {
        self.next(
            name,
            || Column::Integers(LargeListBuilder::new(Int64Builder::new())),
            |column| {
                let Column::Integers(list) = column else { return false };
                values.for_each(|x| list.values().append_value(x));
                list.append(true);
                true
            },
        );
    }

    /// Writes any number of rows, one list per column; a row that is `None` is null.
    pub fn rows<I: Input>(&mut self, name: impl Display, rows: impl Iterator<Item = Option<I>> + Clone) {
        let lanes = I::WORDS;
        let name = Words(&name, lanes != I::LANES);
        for lane in 0..lanes {
            let name = Lane(&name, lane, lanes);
            let scalars = rows.clone().map(|row| row.map(|row| row.word(lane)));
            match I::default().word(lane) {
                Scalar::Float(_) => {
                    let make = || Column::Floats(LargeListBuilder::new(Float64Builder::new()));
                    self.next(name, make, |column| {
                        let Column::Floats(list) = column else { return false };
                        scalars.for_each(|x| list.values().append_option(x.map(|x| one_nan(x.float()))));
                        list.append(true);
                        true
                    });
                }
                Scalar::Integer(_) => {
                    let make = || Column::Integers(LargeListBuilder::new(Int64Builder::new()));
                    self.next(name, make, |column| {
                        let Column::Integers(list) = column else { return false };
                        scalars.for_each(|x| list.values().append_option(x.map(|x| x.integer())));
                        list.append(true);
                        true
                    });
                }
            }
        }
    }

    /// The columns.
    ///
    /// # Errors
    /// An internal one if the states of two keys wrote different fields.
    pub(crate) fn finish(self) -> Result<Vec<(String, ArrayRef)>> {
        if let Some(misfit) = self.misfit {
            return Err(Error::internal(misfit));
        }
        let columns = self
            .columns
            .into_iter()
            .map(|(name, column)| {
                let array: ArrayRef = match column {
                    Column::Float(mut builder) => Arc::new(builder.finish()),
                    Column::Integer(mut builder) => Arc::new(builder.finish()),
                    Column::Flag(mut builder) => Arc::new(builder.finish()),
                    Column::Floats(mut builder) => Arc::new(builder.finish()),
                    Column::Integers(mut builder) => Arc::new(builder.finish()),
                };
                (name, array)
            })
            .collect();
        Ok(columns)
    }
}

/// The integers in some rows of a column of saved states.
pub(crate) fn saved_integers(column: &ArrayRef, rows: Range<usize>) -> &[i64] {
    match Saved::of(column) {
        Saved::Integer(values) => &values.values()[rows],
        Saved::Integers(list, values) => {
            let place = |row: usize| usize::try_from(list.value_offsets()[row]).unwrap_or(0);
            &values.values()[place(rows.start)..place(rows.end)]
        }
        _ => &[],
    }
}

/// A column of saved states.
enum Saved<'a> {
    Float(&'a PrimitiveArray<Float64Type>),
    Integer(&'a PrimitiveArray<Int64Type>),
    Flag(&'a BooleanArray),
    Floats(&'a LargeListArray, &'a PrimitiveArray<Float64Type>),
    Integers(&'a LargeListArray, &'a PrimitiveArray<Int64Type>),
    /// A column of a type that no state has, or with nulls.
    Foreign,
}

impl<'a> Saved<'a> {
    fn of(array: &'a ArrayRef) -> Self {
        if array.null_count() > 0 {
            return Self::Foreign;
        }
        match array.data_type() {
            DataType::Float64 => Self::Float(array.as_primitive()),
            DataType::Int64 => Self::Integer(array.as_primitive()),
            DataType::Boolean => Self::Flag(array.as_boolean()),
            DataType::LargeList(item) => {
                let list = array.as_list::<i64>();
                match item.data_type() {
                    DataType::Float64 => Self::Floats(list, list.values().as_primitive()),
                    DataType::Int64 => Self::Integers(list, list.values().as_primitive()),
                    _ => Self::Foreign,
                }
            }
            _ => Self::Foreign,
        }
    }
}

/// Some of a list's items.
struct Items<'a, T: ArrowPrimitiveType> {
    values: &'a PrimitiveArray<T>,
    start: usize,
    len: usize,
}

impl<'a, T: ArrowPrimitiveType> Items<'a, T> {
    fn of(list: &LargeListArray, values: &'a PrimitiveArray<T>, row: usize) -> Self {
        let start = usize::try_from(list.value_offsets()[row]).unwrap_or(0);
        Self { values, start, len: usize::try_from(list.value_length(row)).unwrap_or(0) }
    }

    fn get(&self, item: usize) -> Option<T::Native> {
        let at = self.start + item;
        self.values.is_valid(at).then(|| self.values.value(at))
    }
}

/// Reads the states of many keys back, in the order in which they were written.
pub struct StateReader<'a> {
    columns: Vec<(&'a Field, Saved<'a>)>,
    /// How many columns are known to match what the kernel reads.
    checked: usize,
    cursor: usize,
    row: usize,
    /// What the names begin with.
    prefix: String,
    /// The inputs that are columns of u64, read as integers.
    unsigned: Vec<usize>,
}

impl<'a> StateReader<'a> {
    pub(crate) fn new(columns: &'a [(Field, ArrayRef)]) -> Self {
        let columns = columns.iter().map(|(field, array)| (field, Saved::of(array))).collect();
        Self { columns, checked: 0, cursor: 0, row: 0, prefix: String::new(), unsigned: Vec::new() }
    }

    pub(crate) fn begin_row(&mut self, row: usize) {
        self.row = row;
        self.cursor = 0;
    }

    /// Reads the state of a part: see [`StateWriter::part`].
    pub(crate) fn part<T>(&mut self, name: impl Display, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let whole = std::mem::replace(&mut self.prefix, format!("{name}/"));
        let result = read(self);
        self.prefix = whole;
        result
    }

    /// Says which inputs are columns of u64, for what earlier versions wrote as floats.
    pub(crate) fn set_unsigned(&mut self, lanes: &[usize]) {
        self.unsigned = lanes.to_vec();
    }

    /// An integer that an earlier version wrote as a float.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the ends stand for what is beyond them"
    )]
    fn whole(&self, x: f64, lane: usize) -> i64 {
        if self.unsigned.contains(&lane) { Ordinal::widen(x as u64) } else { x as i64 }
    }

    /// Whether every column was read.
    pub(crate) fn exhausted(&self) -> bool {
        self.cursor == self.columns.len()
    }

    /// Whether the next column has this name.
    fn is_next(&self, name: impl Display) -> bool {
        self.columns.get(self.cursor).is_some_and(|(field, _)| {
            let given = field.name().rsplit(':').next().unwrap_or_default();
            given.strip_prefix(self.prefix.as_str()) == Some(name.to_string().as_str())
        })
    }

    /// The next column, which must have this name and the type that `read` expects.
    fn next<T>(&mut self, name: impl Display, read: impl FnOnce(&Saved<'a>, usize) -> Option<T>) -> Result<T> {
        let Some((field, column)) = self.columns.get(self.cursor) else {
            return Err(Error::state(format!("column '{name}' of a kernel's state is missing")));
        };
        // The columns come in the same order for every key, so that each name is compared once.
        let known = self.cursor < self.checked || self.is_next(&name);
        match read(column, self.row).filter(|_| known) {
            Some(read) => {
                self.cursor += 1;
                self.checked = self.checked.max(self.cursor);
                Ok(read)
            }
            None => Err(Error::state(format!(
                "expected column '{name}' of a kernel's state, got '{}' of type {}",
                field.name(),
                field.data_type()
            ))),
        }
    }

    /// Reads a float.
    ///
    /// # Errors
    /// As all of these: if the next column has another name or type.
    pub fn float(&mut self, name: impl Display) -> Result<f64> {
        self.next(name, |column, row| match column {
            Saved::Float(values) => Some(values.value(row)),
            _ => None,
        })
    }

    /// Reads an integer.
    pub fn integer(&mut self, name: impl Display) -> Result<i64> {
        let (integer, float) = self.next(name, |column, row| match column {
            Saved::Integer(values) => Some((values.value(row), None)),
            Saved::Float(values) => Some((0, Some(values.value(row)))),
            _ => None,
        })?;
        Ok(float.map_or(integer, |x| self.whole(x, 0)))
    }

    /// Reads a count.
    pub fn count(&mut self, name: impl Display) -> Result<usize> {
        let count = self.integer(&name)?;
        usize::try_from(count).map_err(|_| Error::state(format!("'{name}' must not be negative, got {count}")))
    }

    /// Reads a flag.
    pub fn flag(&mut self, name: impl Display) -> Result<bool> {
        self.next(name, |column, row| match column {
            Saved::Flag(values) => Some(values.value(row)),
            _ => None,
        })
    }

    /// Reads a scalar of the same kind as `like`.
    pub fn scalar(&mut self, name: impl Display, like: Scalar) -> Result<Scalar> {
        Ok(match like {
            Scalar::Float(_) => Scalar::Float(self.float(name)?),
            Scalar::Integer(_) => Scalar::Integer(self.integer(name)?),
        })
    }

    /// Reads a result, if there was one.
    pub fn answer<O: Output>(&mut self, name: impl Display) -> Result<Option<O>> {
        let some = self.flag(format_args!("{name}.some"))?;
        let kind = O::default();
        let scalars = (0..O::LANES)
            .map(|lane| self.scalar(Lane(&name, lane, O::LANES), kind.lane(lane)))
            .collect::<Result<Vec<Scalar>>>()?;
        Ok(some.then(|| O::from_lanes(|lane| scalars[lane])))
    }

    /// Reads integers.
    pub fn integers(&mut self, name: impl Display) -> Result<Vec<i64>> {
        self.next(name, |column, row| match column {
            Saved::Integers(list, values) => {
                let items = Items::of(list, values, row);
                Some(values.values()[items.start..items.start + items.len].to_vec())
            }
            _ => None,
        })
    }

    /// Reads rows; `None` is null.
    pub fn rows<I: Input>(&mut self, name: impl Display) -> Result<Vec<Option<I>>> {
        let (kind, begin) = (I::default(), self.cursor);
        let words = Words(&name, I::WORDS != I::LANES);
        // Earlier versions wrote integers of 64 bits as floats.
        let old = I::WORDS != I::LANES && !self.is_next(Lane(&words, 0, I::WORDS));
        let lanes = if old { I::LANES } else { I::WORDS };
        let like = |lane: usize| if old { kind.lane(lane) } else { kind.word(lane) };
        let name = Words(&name, !old && words.1);
        let mut len = 0;
        for lane in 0..lanes {
            let lane_len = self.next(Lane(&name, lane, lanes), |column, row| match (column, like(lane)) {
                (Saved::Floats(list, values), _) => Some(Items::of(list, values, row).len),
                (Saved::Integers(list, values), Scalar::Integer(_)) => Some(Items::of(list, values, row).len),
                _ => None,
            })?;
            if lane > 0 && lane_len != len {
                return Err(Error::state(format!("the columns of '{name}' have different lengths")));
            }
            len = lane_len;
        }
        let own = &self.columns[begin..self.cursor];
        let get = |lane: usize, item: usize| match &own[lane].1 {
            Saved::Floats(list, values) => Items::of(list, values, self.row).get(item).map(|x| match like(lane) {
                Scalar::Float(_) if !(old && self.unsigned.contains(&lane)) => Scalar::Float(x),
                _ => Scalar::Integer(self.whole(x, lane)),
            }),
            Saved::Integers(list, values) => Items::of(list, values, self.row).get(item).map(Scalar::Integer),
            _ => None,
        };
        let row = |item: usize| {
            let valid = (0..lanes).all(|lane| get(lane, item).is_some());
            let scalar = |lane: usize| get(lane, item).unwrap_or(like(lane));
            valid.then(|| if old { I::from_lanes(scalar) } else { I::from_words(scalar) })
        };
        Ok((0..len).map(row).collect())
    }
}

/// A state that can be saved.  Numbers, flags, and tuples, arrays and options of them implement it.
pub trait Persist: Sized {
    /// Writes the fields.
    fn write(&self, name: &dyn Display, to: &mut StateWriter);

    /// Reads the fields in the order in which they were written.
    ///
    /// # Errors
    /// If the columns are not those of this state.
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self>;
}

impl Persist for f64 {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.float(name, *self);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        from.float(name)
    }
}

impl Persist for i64 {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.integer(name, *self);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        from.integer(name)
    }
}

impl Persist for bool {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.flag(name, *self);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        from.flag(name)
    }
}

impl Persist for () {
    fn write(&self, _: &dyn Display, _: &mut StateWriter) {}
    fn read(_: &dyn Display, _: &mut StateReader) -> Result<Self> {
        Ok(())
    }
}

impl<A: Persist, B: Persist> Persist for (A, B) {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        self.0.write(&format_args!("{name}.0"), to);
        self.1.write(&format_args!("{name}.1"), to);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok((A::read(&format_args!("{name}.0"), from)?, B::read(&format_args!("{name}.1"), from)?))
    }
}

impl<T: Persist + Default + Copy, const N: usize> Persist for [T; N] {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        for (i, item) in self.iter().enumerate() {
            item.write(&format_args!("{name}.{i}"), to);
        }
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let mut items = [T::default(); N];
        for (i, item) in items.iter_mut().enumerate() {
            *item = T::read(&format_args!("{name}.{i}"), from)?;
        }
        Ok(items)
    }
}

impl<T: Persist + Default> Persist for Option<T> {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.flag(format_args!("{name}.some"), self.is_some());
        match self {
            Some(x) => x.write(name, to),
            None => T::default().write(name, to),
        }
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let some = from.flag(format_args!("{name}.some"))?;
        let value = T::read(name, from)?;
        Ok(some.then_some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_does_not_fit_is_an_error_and_not_dropped() {
        let mut writer = StateWriter::default();
        writer.begin_row();
        writer.float("sum", 1.0);
        writer.begin_row();
        writer.integer("count", 1);
        let error = writer.finish().map(drop).unwrap_err().to_string();
        assert!(error.contains("internal error") && error.contains("'count'") && error.contains("'sum'"), "{error}");
    }
}
