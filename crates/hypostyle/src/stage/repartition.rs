//! Moving keys between stages and evicting them: merge, split, evict.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};

use super::advance::Stage;
use super::bound_kernels::BoundKernels;
use super::state_file::difference;
use crate::error::{Error, ErrorKind, Result, type_name};
use crate::spec::Duration;
use crate::values::{ScalarValue, read_value};

/// Which keys are evicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evict {
    /// Those whose last row is earlier than this time, given in the unit of the column.
    Before(ScalarValue<'static>),
    /// Those whose last row is earlier than the last row of all by more than this.
    For(Duration),
}

impl Stage {
    /// Merges the keys of another stage of the same kernels into this one.
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
    /// assert_eq!(here.n_keys(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Other kernels or types, a key that both have, or a stage without keys.  Nothing is changed then.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        let times = (self.time_column != other.time_column).then(|| "the time columns differ".to_string());
        let orders = (self.order_by != other.order_by).then(|| "the columns that order their rows differ".to_string());
        if let Some(problem) = difference(other.kernels(), self.kernels()).or(times).or(orders) {
            return Err(Error::new(ErrorKind::Stage, format!("the other stage cannot be merged: {problem}"))
                .with_help("merge stages of the same kernels only"));
        }
        match (&mut self.bound, other.bound) {
            (_, None) => Ok(()),
            (own @ None, others) => {
                *own = others;
                Ok(())
            }
            (Some(own), Some(others)) => own.append(others),
        }
    }

    /// Splits the keys among stages by their order: the first stage gets the keys before the first break, the next those from
    /// there to before the second, and so on.  Nulls come before everything; strings are in the order of their bytes.  The
    /// first stage keeps the count of [`Stage::n_rows`].
    ///
    /// # Errors
    /// If `breaks` are not values of the first key column (or more of them) in increasing order, or the stage has no keys.
    pub fn split(&self, breaks: &RecordBatch) -> Result<Vec<Self>> {
        let refuse = |problem: String| Error::new(ErrorKind::Stage, format!("split: {problem}"));
        let over = self.keys_to_split()?;
        if breaks.num_columns() == 0 || breaks.num_columns() > over.len() {
            return Err(refuse(format!(
                "got breaks of {} columns, expected 1 to {}",
                breaks.num_columns(),
                over.len()
            )));
        }
        let Some(bound) = &self.bound else {
            return Ok(vec![self.clone(); breaks.num_rows() + 1]);
        };
        let columns = key_columns(bound)?;
        let columns = &columns[..breaks.num_columns()];
        let wanted = columns.iter().zip(breaks.columns()).zip(over);
        let wanted = wanted.map(|((column, one), name)| {
            as_keys(one, column.data_type()).ok_or_else(|| {
                let (found, expected) = (type_name(one.data_type()), type_name(column.data_type()));
                refuse(format!("expected breaks of type {expected}, got {found}")).at_column(name)
            })
        });
        let wanted = wanted.collect::<Result<Vec<_>>>()?;
        let converter = comparable(columns)?;
        let (keys, breaks) = (converter.convert_columns(columns)?, converter.convert_columns(&wanted)?);
        let increasing = |at: usize| breaks.row(at - 1) < breaks.row(at);
        if !(1..breaks.num_rows()).all(increasing) {
            return Err(refuse("the breaks must increase".to_string()));
        }
        let mut chosen: Vec<Vec<u32>> = vec![Vec::new(); breaks.num_rows() + 1];
        let places: Vec<usize> = (0..breaks.num_rows()).collect();
        for (number, key) in (0u32..).zip(keys.iter()) {
            let part = places.partition_point(|one| breaks.row(*one).cmp(&key) != Ordering::Greater);
            chosen[part].push(number);
        }
        self.parts(bound, &chosen)
    }

    /// As [`Stage::split`], into `count` stages with about the same number of keys; neighbors in the order stay together.
    ///
    /// # Errors
    /// If `count` is 0, or the stage has no keys.
    pub fn split_evenly(&self, count: usize) -> Result<Vec<Self>> {
        self.keys_to_split()?;
        if count == 0 {
            return Err(Error::new(ErrorKind::Stage, "split: the number of parts must be at least 1, got 0"));
        }
        let Some(bound) = &self.bound else {
            return Ok(vec![self.clone(); count]);
        };
        let columns = key_columns(bound)?;
        let keys = comparable(&columns)?.convert_columns(&columns)?;
        let mut order: Vec<u32> = (0u32..).take(keys.num_rows()).collect();
        order.sort_unstable_by(|one, other| keys.row(*one as usize).cmp(&keys.row(*other as usize)));
        let start = |part: usize| order.len() * part / count;
        let chosen: Vec<Vec<u32>> = (0..count)
            .map(|part| {
                let mut numbers = order[start(part)..start(part + 1)].to_vec();
                numbers.sort_unstable();
                numbers
            })
            .collect();
        self.parts(bound, &chosen)
    }

    /// Splits the keys among `count` stages by a number for each key, in the order of the rows of [`Stage::state`]: the number
    /// of the stage that it goes to.  The first stage keeps the count of [`Stage::n_rows`].
    ///
    /// # Errors
    /// If there is not one number below `count` for each key, or the stage has no keys.
    pub fn split_by(&self, numbers: &[u32], count: usize) -> Result<Vec<Self>> {
        self.keys_to_split()?;
        let refuse = |problem: String| Err(Error::new(ErrorKind::Stage, format!("split: {problem}")));
        if count == 0 {
            return refuse("the number of parts must be at least 1, got 0".to_string());
        }
        let keys = self.n_keys();
        if numbers.len() != keys {
            return refuse(format!("got {} numbers, expected one for each of the {keys} keys", numbers.len()));
        }
        if let Some(number) = numbers.iter().find(|number| **number as usize >= count) {
            return refuse(format!("got the number {number}, expected numbers below {count}"));
        }
        let Some(bound) = &self.bound else {
            return Ok(vec![self.clone(); count]);
        };
        let mut chosen: Vec<Vec<u32>> = vec![Vec::new(); count];
        (0u32..).zip(numbers).for_each(|(key, number)| chosen[*number as usize].push(key));
        self.parts(bound, &chosen)
    }

    /// The key columns of a stage that has any.
    fn keys_to_split(&self) -> Result<&[String]> {
        match self.over() {
            [] => Err(Error::new(
                ErrorKind::Stage,
                "split: a stage without keys cannot be split: it is one sequence of rows",
            )),
            over => Ok(over),
        }
    }

    fn parts(&self, bound: &BoundKernels, chosen: &[Vec<u32>]) -> Result<Vec<Self>> {
        let part = |(at, chosen): (usize, &Vec<u32>)| {
            let part = bound.part(chosen)?;
            let rows = if at == 0 { bound.rows } else { 0 };
            Ok(self.with_bound(Some(BoundKernels { rows, ..part })))
        };
        chosen.iter().enumerate().map(part).collect()
    }

    /// Evicts the keys that had no row for long, so that memory stays bounded when keys come and go, and returns how many.  A
    /// key that comes again later starts over.  The time of a row is that of the column given to
    /// [`Stage::with_time_column`], else of the kernels' own time column `by`; rows without a time are ignored.
    ///
    /// # Errors
    /// If there is no time column, or the duration does not suit its type.
    pub fn evict(&mut self, idle: Evict) -> Result<usize> {
        let refuse = |problem: &str| Error::new(ErrorKind::Stage, format!("evict: {problem}"));
        if self.over().is_empty() {
            return Err(refuse("a stage without keys has nothing to evict"));
        }
        let Some(bound) = &mut self.bound else { return Ok(0) };
        let Some(clock) = bound.clock(self.time_column.as_deref()) else {
            return Err(refuse("the stage has no time column, so it is not known when a key was last seen")
                .with_help("set `time_column` (`with_time_column` in Rust)"));
        };
        let field = &bound.fields[clock.order.column()];
        let first_kept = match idle {
            Evict::Before(time) => read_value(time, field.name(), field.data_type())?.integer,
            Evict::For(span) => {
                let span = span.reach("evict", field.name(), field.data_type(), true)?;
                let newest = clock.last.iter().max().copied().unwrap_or(i64::MIN);
                newest.saturating_sub_unsigned(span)
            }
        };
        let kept: Vec<u32> =
            (0u32..).zip(&clock.last).filter(|(_, last)| **last >= first_kept).map(|(number, _)| number).collect();
        let evicted = clock.last.len() - kept.len();
        if evicted > 0 {
            bound.retain(&kept)?;
        }
        Ok(evicted)
    }
}

/// Breaks as keys of this type, if nothing is lost.
fn as_keys(breaks: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    let kind = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 0,
        DataType::Boolean => 1,
        numeric if numeric.is_numeric() => 2,
        _ => 3,
    };
    if kind(breaks.data_type()) != kind(data_type) || breaks.null_count() > 0 {
        return None;
    }
    let keys = cast(breaks, data_type).ok()?;
    let back = cast(&keys, breaks.data_type()).ok()?;
    (back.to_data() == breaks.to_data()).then_some(keys)
}

/// The keys as columns that can be compared.
fn key_columns(bound: &BoundKernels) -> Result<Vec<ArrayRef>> {
    bound.keys.as_ref().map_or_else(|| Ok(Vec::new()), |keys| keys.columns())
}

/// Makes rows of such columns that compare byte by byte, nulls first.
fn comparable(columns: &[ArrayRef]) -> Result<RowConverter> {
    let types = columns.iter().map(|column| column.data_type().clone());
    Ok(RowConverter::new(types.map(SortField::new).collect())?)
}
