//! Moving keys between stages and forgetting them: merge, split, forget.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};

use crate::bound::Bound;
use crate::cell::{Cell, read_cell};
use crate::error::{Error, ErrorKind, Result, type_name};
use crate::stage::Stage;
use crate::state::difference;
use crate::window::Duration;

/// Which keys are forgotten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Idle {
    /// Those whose last row is earlier than this time, given as a row has it.
    Before(Cell<'static>),
    /// Those whose last row is earlier than the last row of all by more than this.
    For(Duration),
}

impl Stage {
    /// Takes the keys of another stage of the same kernels in, which must all be new.  Rows of each key can then go on here.
    ///
    /// ```
    /// use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    /// use hypostyle::{Stage, expanding_sum};
    /// use std::sync::Arc;
    ///
    /// let rows = |keys: Vec<i64>| {
    ///     let keys: ArrayRef = Arc::new(Int64Array::from(keys));
    ///     RecordBatch::try_from_iter([("key", keys.clone()), ("x", keys)])
    /// };
    /// let stage = || Stage::new(vec![expanding_sum("x").over(["key"])]);
    /// let (mut here, mut there) = (stage()?, stage()?);
    /// here.advance(&rows(vec![1, 2])?)?;
    /// there.advance(&rows(vec![3])?)?;
    /// here.merge(there)?;
    /// assert_eq!(here.keys(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Other kernels or types, a key that both have, or a stage without keys.  Nothing is changed then.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        let times = (self.time != other.time).then(|| "their time columns differ".to_string());
        if let Some(problem) = difference(&other.specs, &self.specs).or(times) {
            return Err(Error::new(
                ErrorKind::Stage,
                format!("only stages of the same kernels can be merged: {problem}"),
            ));
        }
        match (&mut self.bound, other.bound) {
            (_, None) => Ok(()),
            (own @ None, others) => {
                *own = others;
                Ok(())
            }
            (Some(own), Some(others)) => own.append(others, &self.specs[0].name),
        }
    }

    /// Shares the keys among stages by their order: the first gets those before the first of `borders`, the next those from
    /// there to before the second, and so on.  Nulls come before everything; strings are in the order of their bytes.
    /// [`Stage::rows`] stays with the first.
    ///
    /// # Errors
    /// Where `borders` are no beginnings of keys (the first key columns, or all, by their types) in increasing order, or the
    /// stage has no keys.
    pub fn split(&self, borders: &RecordBatch) -> Result<Vec<Self>> {
        let refuse = |problem: String| Error::new(ErrorKind::Stage, format!("split: {problem}"));
        let over = self.keys_to_split()?;
        if borders.num_columns() == 0 || borders.num_columns() > over.len() {
            return Err(refuse(format!("the borders need 1 to {} columns, not {}", over.len(), borders.num_columns())));
        }
        let Some(bound) = &self.bound else {
            return Ok(vec![self.clone(); borders.num_rows() + 1]);
        };
        let columns = key_columns(bound)?;
        let columns = &columns[..borders.num_columns()];
        let wanted = columns.iter().zip(borders.columns()).zip(over);
        let wanted = wanted.map(|((column, border), name)| {
            as_keys(border, column.data_type()).ok_or_else(|| {
                refuse(format!(
                    "the borders of key column '{name}' have type {}, which doesn't suit {}",
                    type_name(border.data_type()),
                    type_name(column.data_type())
                ))
            })
        });
        let wanted = wanted.collect::<Result<Vec<_>>>()?;
        let converter = comparable(columns)?;
        let (keys, borders) = (converter.convert_columns(columns)?, converter.convert_columns(&wanted)?);
        let increasing = |at: usize| borders.row(at - 1) < borders.row(at);
        if !(1..borders.num_rows()).all(increasing) {
            return Err(refuse("the borders must increase".to_string()));
        }
        let mut chosen: Vec<Vec<u32>> = vec![Vec::new(); borders.num_rows() + 1];
        let places: Vec<usize> = (0..borders.num_rows()).collect();
        for (number, key) in (0u32..).zip(keys.iter()) {
            let part = places.partition_point(|border| borders.row(*border).cmp(&key) != Ordering::Greater);
            chosen[part].push(number);
        }
        self.parts(bound, &chosen)
    }

    /// As [`Stage::split`], into `count` stages with about the same number of keys; keys that follow one another in order
    /// stay together.
    ///
    /// # Errors
    /// Where `count` is 0, or the stage has no keys.
    pub fn split_evenly(&self, count: usize) -> Result<Vec<Self>> {
        self.keys_to_split()?;
        if count == 0 {
            return Err(Error::new(ErrorKind::Stage, "split: a stage can't be split into no parts"));
        }
        let Some(bound) = &self.bound else {
            return Ok(vec![self.clone(); count]);
        };
        let columns = key_columns(bound)?;
        let keys = comparable(&columns)?.convert_columns(&columns)?;
        let mut order: Vec<u32> = (0u32..).take(keys.num_rows()).collect();
        order.sort_unstable_by(|one, other| keys.row(*one as usize).cmp(&keys.row(*other as usize)));
        let border = |part: usize| order.len() * part / count;
        let chosen: Vec<Vec<u32>> = (0..count)
            .map(|part| {
                let mut numbers = order[border(part)..border(part + 1)].to_vec();
                numbers.sort_unstable();
                numbers
            })
            .collect();
        self.parts(bound, &chosen)
    }

    /// The key columns of a stage that has any.
    fn keys_to_split(&self) -> Result<&[String]> {
        match self.specs[0].over.as_slice() {
            [] => {
                Err(Error::new(ErrorKind::Stage, "split: a stage without keys is one sequence of rows and stays whole"))
            }
            over => Ok(over),
        }
    }

    fn parts(&self, bound: &Bound, chosen: &[Vec<u32>]) -> Result<Vec<Self>> {
        let part = |(at, chosen): (usize, &Vec<u32>)| {
            let part = bound.part(chosen)?;
            let rows = if at == 0 { bound.rows } else { 0 };
            Ok(self.with_bound(Some(Bound { rows, ..part })))
        };
        chosen.iter().enumerate().map(part).collect()
    }

    /// Forgets the keys that had no row for long, so that memory stays bounded when keys come and go; gives how many.  A key
    /// that comes again later begins anew.  The time of a row is that of the column given to [`Stage::with_time`], or else of
    /// the kernels' own time column `by`; rows without a time don't count.
    ///
    /// # Errors
    /// Where there is no time column, or the duration doesn't suit its type.
    pub fn forget(&mut self, idle: Idle) -> Result<usize> {
        let refuse = |problem: &str| Err(Error::new(ErrorKind::Stage, format!("forget: {problem}")));
        if self.specs[0].over.is_empty() {
            return refuse("a stage without keys has nothing to forget");
        }
        let Some(bound) = &mut self.bound else { return Ok(0) };
        let Some(clock) = bound.clock(self.time.as_deref()) else {
            return refuse(
                "the stage has no time column to tell when a key was last seen; give it one (`time`, or `with_time` in Rust)",
            );
        };
        let field = &bound.fields[clock.order.column()];
        let least = match idle {
            Idle::Before(time) => read_cell(time, field.name(), field.data_type())?.integer,
            Idle::For(span) => {
                let span = span.reach("forget", field.name(), field.data_type(), true)?;
                let newest = clock.last.iter().max().copied().unwrap_or(i64::MIN);
                newest.saturating_sub_unsigned(span)
            }
        };
        let kept: Vec<u32> =
            (0u32..).zip(&clock.last).filter(|(_, last)| **last >= least).map(|(number, _)| number).collect();
        let forgotten = clock.last.len() - kept.len();
        if forgotten > 0 {
            bound.retain(&kept)?;
        }
        Ok(forgotten)
    }
}

/// Borders as keys of this type, if they are such without loss.
fn as_keys(borders: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    let kind = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 0,
        DataType::Boolean => 1,
        numeric if numeric.is_numeric() => 2,
        _ => 3,
    };
    if kind(borders.data_type()) != kind(data_type) || borders.null_count() > 0 {
        return None;
    }
    let keys = cast(borders, data_type).ok()?;
    let back = cast(&keys, borders.data_type()).ok()?;
    (back.to_data() == borders.to_data()).then_some(keys)
}

/// The keys as columns that can be compared.
fn key_columns(bound: &Bound) -> Result<Vec<ArrayRef>> {
    bound.keys.as_ref().map_or_else(|| Ok(Vec::new()), |keys| keys.columns())
}

/// Makes rows of such columns that compare byte by byte, nulls first.
fn comparable(columns: &[ArrayRef]) -> Result<RowConverter> {
    let types = columns.iter().map(|column| column.data_type().clone());
    Ok(RowConverter::new(types.map(SortField::new).collect())?)
}
