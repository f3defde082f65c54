//! States as rows of plain columns, so that a saved state is a table that any Arrow tool reads.
//!
//! A state writes its fields in a fixed order and reads them back in that order; the names are for people and for the
//! check that the file is what the kernel expects.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, LargeListBuilder};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};

use crate::column::{Input, Output};
use crate::error::{Error, Result};

/// A number of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// A float, bits kept.
    Float(f64),
    /// An integer.
    Integer(i64),
}

impl Scalar {
    /// The float; 0 for an integer.
    pub fn float(&self) -> f64 {
        match self {
            Self::Float(x) => *x,
            Self::Integer(_) => 0.0,
        }
    }

    /// The integer; 0 for a float.
    pub fn integer(&self) -> i64 {
        match self {
            Self::Float(_) => 0,
            Self::Integer(x) => *x,
        }
    }
}

/// What one of several numbers is called.
fn lane_name(name: &str, lane: usize, lanes: usize) -> String {
    if lanes == 1 { name.to_string() } else { format!("{name}.{lane}") }
}

enum Column {
    Float(Float64Builder),
    Integer(Int64Builder),
    Flag(BooleanBuilder),
    Floats(LargeListBuilder<Float64Builder>),
    Integers(LargeListBuilder<Int64Builder>),
}

/// Collects the states of many keys as columns.
#[derive(Default)]
pub struct Writer {
    columns: Vec<(String, Column)>,
    cursor: usize,
}

impl Writer {
    /// Begins the next key's row.
    pub(crate) fn begin_row(&mut self) {
        self.cursor = 0;
    }

    fn next(&mut self, name: &str, make: impl FnOnce() -> Column) -> &mut Column {
        if self.cursor == self.columns.len() {
            self.columns.push((name.to_string(), make()));
        }
        self.cursor += 1;
        &mut self.columns[self.cursor - 1].1
    }

    /// Writes a float.
    pub fn float(&mut self, name: &str, x: f64) {
        if let Column::Float(builder) = self.next(name, || Column::Float(Float64Builder::new())) {
            builder.append_value(x);
        }
    }

    /// Writes an integer.
    pub fn integer(&mut self, name: &str, x: i64) {
        if let Column::Integer(builder) = self.next(name, || Column::Integer(Int64Builder::new())) {
            builder.append_value(x);
        }
    }

    /// Writes a count.
    pub fn count(&mut self, name: &str, x: usize) {
        self.integer(name, i64::try_from(x).unwrap_or(i64::MAX));
    }

    /// Writes a flag.
    pub fn flag(&mut self, name: &str, x: bool) {
        if let Column::Flag(builder) = self.next(name, || Column::Flag(BooleanBuilder::new())) {
            builder.append_value(x);
        }
    }

    /// Writes a scalar.
    pub fn scalar(&mut self, name: &str, x: Scalar) {
        match x {
            Scalar::Float(x) => self.float(name, x),
            Scalar::Integer(x) => self.integer(name, x),
        }
    }

    /// Writes an answer, where there is one.
    pub fn answer<O: Output>(&mut self, name: &str, answer: Option<O>) {
        self.flag(&format!("{name}.some"), answer.is_some());
        let scalars = answer.unwrap_or_default().scalars();
        for (lane, scalar) in scalars.iter().enumerate() {
            self.scalar(&lane_name(name, lane, scalars.len()), *scalar);
        }
    }

    /// Writes integers of any number.
    pub fn integers(&mut self, name: &str, values: impl Iterator<Item = i64>) {
        if let Column::Integers(list) = self.next(name, || Column::Integers(LargeListBuilder::new(Int64Builder::new())))
        {
            list.append_value(values.map(Some));
        }
    }

    /// Writes rows of any number, null where `valid` says so; a list for each of their columns.
    pub fn rows<I: Input>(&mut self, name: &str, rows: impl Iterator<Item = Option<I>> + Clone) {
        let kinds = I::default().scalars();
        for (lane, kind) in kinds.iter().enumerate() {
            let name = lane_name(name, lane, kinds.len());
            let lanes = rows.clone().map(|row| row.map(|row| row.scalars()[lane]));
            match kind {
                Scalar::Float(_) => {
                    let make = || Column::Floats(LargeListBuilder::new(Float64Builder::new()));
                    if let Column::Floats(list) = self.next(&name, make) {
                        list.append_value(lanes.map(|x| x.map(|x| x.float())));
                    }
                }
                Scalar::Integer(_) => {
                    let make = || Column::Integers(LargeListBuilder::new(Int64Builder::new()));
                    if let Column::Integers(list) = self.next(&name, make) {
                        list.append_value(lanes.map(|x| x.map(|x| x.integer())));
                    }
                }
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<(String, ArrayRef)> {
        self.columns
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
            .collect()
    }
}

/// Reads the states of many keys back, in the order in which they were written.
pub struct Reader<'a> {
    columns: &'a [(Field, ArrayRef)],
    cursor: usize,
    row: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(columns: &'a [(Field, ArrayRef)]) -> Self {
        Self { columns, cursor: 0, row: 0 }
    }

    pub(crate) fn begin_row(&mut self, row: usize) {
        self.row = row;
        self.cursor = 0;
    }

    /// Whether every column was read.
    pub(crate) fn exhausted(&self) -> bool {
        self.cursor == self.columns.len()
    }

    fn next(&mut self, name: &str, data_type: &DataType) -> Result<&'a ArrayRef> {
        let (field, array) = self
            .columns
            .get(self.cursor)
            .ok_or_else(|| Error::state(format!("the column '{name}' of a kernel's state is missing")))?;
        let given = field.name().rsplit(':').next().unwrap_or_default();
        if given != name || array.data_type() != data_type || array.is_null(self.row) {
            return Err(Error::state(format!(
                "a kernel's state has the column '{given}' ({}) where '{name}' ({data_type}) belongs",
                array.data_type()
            )));
        }
        self.cursor += 1;
        Ok(array)
    }

    /// Reads a float.
    pub fn float(&mut self, name: &str) -> Result<f64> {
        Ok(self.next(name, &DataType::Float64)?.as_primitive::<Float64Type>().value(self.row))
    }

    /// Reads an integer.
    pub fn integer(&mut self, name: &str) -> Result<i64> {
        Ok(self.next(name, &DataType::Int64)?.as_primitive::<Int64Type>().value(self.row))
    }

    /// Reads a count.
    pub fn count(&mut self, name: &str) -> Result<usize> {
        let count = self.integer(name)?;
        usize::try_from(count).map_err(|_| Error::state(format!("'{name}' is {count}, which is no count")))
    }

    /// Reads a flag.
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        Ok(self.next(name, &DataType::Boolean)?.as_boolean().value(self.row))
    }

    /// Reads a scalar of the same kind as `like`.
    pub fn scalar(&mut self, name: &str, like: Scalar) -> Result<Scalar> {
        Ok(match like {
            Scalar::Float(_) => Scalar::Float(self.float(name)?),
            Scalar::Integer(_) => Scalar::Integer(self.integer(name)?),
        })
    }

    /// Reads an answer, where there was one.
    pub fn answer<O: Output>(&mut self, name: &str) -> Result<Option<O>> {
        let some = self.flag(&format!("{name}.some"))?;
        let kinds = O::default().scalars();
        let scalars = (0..kinds.len())
            .map(|lane| self.scalar(&lane_name(name, lane, kinds.len()), kinds[lane]))
            .collect::<Result<Vec<Scalar>>>()?;
        Ok(some.then(|| O::from_scalars(&scalars)))
    }

    /// Reads integers.
    pub fn integers(&mut self, name: &str) -> Result<Vec<i64>> {
        let list_type = DataType::LargeList(Arc::new(Field::new_list_field(DataType::Int64, true)));
        let items = self.next(name, &list_type)?.as_list::<i64>().value(self.row);
        Ok(items.as_primitive::<Int64Type>().values().to_vec())
    }

    /// Reads rows, `None` where they were null.
    pub fn rows<I: Input>(&mut self, name: &str) -> Result<Vec<Option<I>>> {
        let kinds = I::default().scalars();
        let mut lanes: Vec<Vec<Option<Scalar>>> = Vec::new();
        for (lane, kind) in kinds.iter().enumerate() {
            let name = lane_name(name, lane, kinds.len());
            let item = match kind {
                Scalar::Float(_) => DataType::Float64,
                Scalar::Integer(_) => DataType::Int64,
            };
            let list_type = DataType::LargeList(Arc::new(Field::new_list_field(item, true)));
            let items = self.next(&name, &list_type)?.as_list::<i64>().value(self.row);
            lanes.push(match kind {
                Scalar::Float(_) => items.as_primitive::<Float64Type>().iter().map(|x| x.map(Scalar::Float)).collect(),
                Scalar::Integer(_) => {
                    items.as_primitive::<Int64Type>().iter().map(|x| x.map(Scalar::Integer)).collect()
                }
            });
        }
        let len = lanes.first().map_or(0, Vec::len);
        if lanes.iter().any(|lane| lane.len() != len) {
            return Err(Error::state(format!("the columns of '{name}' have different lengths")));
        }
        Ok((0..len)
            .map(|i| lanes.iter().map(|lane| lane[i]).collect::<Option<Vec<Scalar>>>().map(|row| I::from_scalars(&row)))
            .collect())
    }
}

/// A state that can be saved: numbers, flags, and tuples, arrays and options of them can already.
pub trait Record: Sized {
    /// Writes the fields.
    fn write(&self, name: &str, to: &mut Writer);

    /// Reads the fields in the order in which they were written.
    ///
    /// # Errors
    /// Where the columns are not those of this state.
    fn read(name: &str, from: &mut Reader) -> Result<Self>;
}

impl Record for f64 {
    fn write(&self, name: &str, to: &mut Writer) {
        to.float(name, *self);
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        from.float(name)
    }
}

impl Record for i64 {
    fn write(&self, name: &str, to: &mut Writer) {
        to.integer(name, *self);
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        from.integer(name)
    }
}

impl Record for bool {
    fn write(&self, name: &str, to: &mut Writer) {
        to.flag(name, *self);
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        from.flag(name)
    }
}

impl Record for () {
    fn write(&self, _: &str, _: &mut Writer) {}
    fn read(_: &str, _: &mut Reader) -> Result<Self> {
        Ok(())
    }
}

impl<A: Record, B: Record> Record for (A, B) {
    fn write(&self, name: &str, to: &mut Writer) {
        self.0.write(&format!("{name}.0"), to);
        self.1.write(&format!("{name}.1"), to);
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        Ok((A::read(&format!("{name}.0"), from)?, B::read(&format!("{name}.1"), from)?))
    }
}

impl<T: Record + Default + Copy, const N: usize> Record for [T; N] {
    fn write(&self, name: &str, to: &mut Writer) {
        for (i, item) in self.iter().enumerate() {
            item.write(&format!("{name}.{i}"), to);
        }
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        let mut items = [T::default(); N];
        for (i, item) in items.iter_mut().enumerate() {
            *item = T::read(&format!("{name}.{i}"), from)?;
        }
        Ok(items)
    }
}

impl<T: Record + Default> Record for Option<T> {
    fn write(&self, name: &str, to: &mut Writer) {
        to.flag(&format!("{name}.some"), self.is_some());
        match self {
            Some(x) => x.write(name, to),
            None => T::default().write(name, to),
        }
    }
    fn read(name: &str, from: &mut Reader) -> Result<Self> {
        let some = from.flag(&format!("{name}.some"))?;
        let value = T::read(name, from)?;
        Ok(some.then_some(value))
    }
}
