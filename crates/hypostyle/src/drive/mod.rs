//! The drivers: how a kernel iterates over the rows of one key.
//!
//! A driver handles nulls, windows, `min_samples` and the state between batches; the statistic, the ordered window or the
//! recurrence inside it sees values only.  The result of a row may depend on the rows of the key and their number so far, never
//! on where a batch ended: the laws follow from that.
//!
//! | driver | runs | window |
//! |---|---|---|
//! | [`rolling_rows`] | a [`Statistic`](crate::Statistic) | the last n rows, by aligned blocks |
//! | [`rolling_time`] | a statistic or an ordered window | a duration |
//! | [`ordered_rows`] | an [`OrderedWindow`](crate::OrderedWindow) | the last n rows |
//! | [`expanding`] | a statistic | all rows so far |
//! | [`filter`] | a vector of weights | the last n rows |
//! | [`centered`], [`by_row`], [`lagged`] | one of these drivers | its window, centered, combined with the row, or paired with earlier rows |
//! | [`neighbor`], [`neighbor_time`] | a function of a row and another one | - |
//! | [`gaps`] | a function of the values before and after a row without one | - |
//! | [`scan`] | a [`Recurrence`](crate::Recurrence) | - |
//! | [`aggregate`] | a statistic | one result for all rows |
//!
//! `jobs` is how a driver uses several threads.

pub mod aggregate;
pub mod by_row;
pub mod centered;
pub mod expanding;
pub mod filter;
pub(crate) mod gaps;
pub(crate) mod jobs;
pub mod lagged;
pub(crate) mod neighbor;
pub(crate) mod neighbor_time;
pub mod ordered_rows;
mod rolling_blocks;
pub mod rolling_lanes;
pub mod rolling_rows;
pub mod rolling_time;
pub mod scan;

use std::marker::PhantomData;

use self::jobs::{Job, run_jobs};
use crate::error::Result;
use crate::spec::First;
use crate::values::{Input, Output, Values};
use crate::values::{StateReader, StateWriter};

/// Consecutive rows of one key.
#[derive(Debug)]
pub struct Rows<'a, I> {
    /// The rows; those that are not valid are arbitrary.
    pub values: &'a [I],
    /// Which rows are valid; `None` if all are.
    pub valid: Option<&'a [bool]>,
    /// The time of each row; empty if the kernel has no time column.
    pub times: &'a [i64],
    /// Where each row's window begins; empty if no column sets it.
    pub firsts: &'a [First],
}

impl<I> Clone for Rows<'_, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<I> Copy for Rows<'_, I> {}

impl<'a, I: Copy> Rows<'a, I> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        Self {
            values: &self.values[start..end],
            valid: self.valid.map(|valid| &valid[start..end]),
            times: part_of(self.times, start, end),
            firsts: part_of(self.firsts, start, end),
        }
    }

    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.valid.is_none_or(|valid| valid[row])
    }

    pub(crate) fn get(&self, row: usize) -> Option<I> {
        self.is_valid(row).then(|| self.values[row])
    }
}

/// Where a driver writes its results: one per row, valid unless it is set to null.
#[derive(Debug)]
pub struct Answers<'a, O> {
    /// The results.
    pub values: &'a mut [O],
    /// Which are valid; initially all are.
    pub valid: &'a mut [bool],
}

impl<O: Copy> Answers<'_, O> {
    #[inline(always)]
    pub(crate) fn set(&mut self, row: usize, answer: Option<O>) {
        match answer {
            Some(answer) => self.values[row] = answer,
            None => self.valid[row] = false,
        }
    }

    pub(crate) fn part(&mut self, start: usize, end: usize) -> Answers<'_, O> {
        Answers { values: &mut self.values[start..end], valid: &mut self.valid[start..end] }
    }

    pub(crate) fn split(self, at: usize) -> (Self, Self)
    where
        Self: Sized,
    {
        let (values, later_values) = self.values.split_at_mut(at);
        let (valid, later_valid) = self.valid.split_at_mut(at);
        (Answers { values, valid }, Answers { values: later_values, valid: later_valid })
    }
}

/// The rows of one key as columns, which are assembled portion by portion.
#[derive(Debug)]
pub struct Columns<'a, I> {
    columns: &'a [Values<'a>],
    valid: Option<&'a [bool]>,
    times: &'a [i64],
    firsts: &'a [First],
    len: usize,
    rows: PhantomData<I>,
}

/// Some of the rows of columns.  Apart, because it does not depend on what a row is.
#[inline(never)]
fn parts_of<'a>(columns: &'a [Values<'a>], start: usize, end: usize) -> Vec<Values<'a>> {
    columns.iter().map(|values| values.slice(start, end)).collect()
}

/// What some of the rows have, if they have it.
fn part_of<T>(all: &[T], start: usize, end: usize) -> &[T] {
    if all.is_empty() { all } else { &all[start..end] }
}

impl<'a, I: Input> Columns<'a, I> {
    pub(crate) fn new(columns: &'a [Values<'a>], valid: Option<&'a [bool]>, len: usize) -> Self {
        Self { columns, valid, times: &[], firsts: &[], len, rows: PhantomData }
    }

    /// The rows with their times, and where each one's window begins.
    pub(crate) fn at(self, times: &'a [i64], firsts: &'a [First]) -> Self {
        Self { times, firsts, ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Some of the rows.
    pub(crate) fn with_part<R>(&self, start: usize, end: usize, use_part: impl FnOnce(Columns<I>) -> R) -> R {
        let columns = parts_of(self.columns, start, end);
        use_part(Columns {
            columns: &columns,
            valid: self.valid.map(|valid| &valid[start..end]),
            times: part_of(self.times, start, end),
            firsts: part_of(self.firsts, start, end),
            len: end - start,
            rows: PhantomData,
        })
    }

    /// Assembles some of the rows.
    pub(crate) fn with_rows<R>(&self, start: usize, end: usize, use_rows: impl FnOnce(Rows<I>) -> R) -> R {
        self.with_part(start, end, |part| part.assembled(use_rows))
    }

    /// Assembles the rows.
    fn assembled<R>(&self, use_rows: impl FnOnce(Rows<I>) -> R) -> R {
        let Self { columns, valid, times, firsts, len, .. } = *self;
        use_rows(Rows { values: &I::assemble(columns, len), valid, times, firsts })
    }

    fn is_valid(&self, row: usize) -> bool {
        self.valid.is_none_or(|valid| valid[row])
    }

    /// The columns, to read row by row.
    fn lanes(&self) -> I::Lanes<'a> {
        I::lanes(self.columns)
    }

    /// Whether this holds of the numbers of a column, those of rows that are not valid included.
    pub(crate) fn any_float(&self, holds: impl Fn(&[f64]) -> bool) -> bool {
        self.columns.iter().any(|values| match values {
            Values::Float(numbers) => holds(numbers),
            Values::Constant(x) => holds(&[*x]),
            Values::Integer(_) | Values::Nothing => false,
        })
    }

    /// The first valid row for which `holds` is true.
    pub(crate) fn first_valid(&self, holds: impl Fn(I) -> bool) -> Option<I> {
        (0..self.len).step_by(PORTION).find_map(|start| {
            let find = |rows: Rows<I>| (0..rows.len()).filter_map(|row| rows.get(row)).find(|x| holds(*x));
            self.with_rows(start, self.len.min(start + PORTION), find)
        })
    }
}

/// How many rows stay in the first two levels of the cache, with their results.
pub(crate) const PORTION: usize = 1 << 13;

/// How one kernel iterates over the rows of one key.
pub trait Driver: Clone + Send + Sync + 'static {
    /// A row.
    type Input: Input;
    /// A result.
    type Output: Output;
    /// The state of one key between batches.
    type State: Clone + Send + Sync;

    /// Whether a state is so small that looking it up for each row is faster than grouping the rows by key first.
    const SMALL_STATE: bool = false;

    /// Whether several threads can share the rows of one key: whether there is a [`Driver::run_parallel`].
    const SPLITS: bool = false;

    /// The state before the first row.
    fn start(&self) -> Self::State;

    /// Reads the rows and writes a result for each.
    fn run(&self, state: &mut Self::State, rows: Rows<Self::Input>, answers: Answers<Self::Output>);

    /// As [`Driver::run`] from row `start` on, portion by portion, so that rows and results stay in cache.
    fn run_portions(
        &self,
        state: &mut Self::State,
        columns: &Columns<Self::Input>,
        start: usize,
        mut answers: Answers<Self::Output>,
    ) {
        let len = answers.values.len();
        let portion = self.portion().clamp(1, len.max(1));
        for at in (0..len).step_by(portion) {
            let end = len.min(at + portion);
            columns.with_part(start + at, start + end, |part| self.run_columns(state, &part, answers.part(at, end)));
        }
    }

    /// As [`Driver::run`], over rows that are not assembled yet.
    fn run_columns(&self, state: &mut Self::State, columns: &Columns<Self::Input>, answers: Answers<Self::Output>) {
        columns.assembled(|rows| run_rows(self, state, rows, answers));
    }

    /// As [`Driver::run`] over all rows, with bit-identical results, on several threads if the driver can split a sequence.
    fn run_parallel(
        &self,
        state: &mut Self::State,
        columns: &Columns<Self::Input>,
        answers: Answers<Self::Output>,
        _threads: usize,
    ) {
        self.run_portions(state, columns, 0, answers);
    }

    /// How many rows of a sequence one thread should process at once, so that they stay in cache.
    fn portion(&self) -> usize {
        // As many bytes of rows and results as of rows and results of one number.
        PORTION * 2 * size_of::<f64>()
            / (size_of::<Self::Input>() + size_of::<Self::Output>()).max(2 * size_of::<f64>())
    }

    /// The approximate size of a key's state in bytes, in the long run; 0 if it is small.
    fn state_size(&self) -> usize {
        size_of::<Self::State>()
    }

    /// About how many nanoseconds a row takes on one thread: several are used if there is enough to do.
    fn cost(&self) -> usize {
        2
    }

    /// Runs rows of many keys in row order: row `i` belongs to `states[keys[i]]`.
    fn run_interleaved(
        &self,
        states: &mut [Self::State],
        keys: &[u32],
        columns: &Columns<Self::Input>,
        mut answers: Answers<Self::Output>,
    ) {
        columns.assembled(|rows| {
            for (i, key) in keys.iter().enumerate() {
                run_rows(self, &mut states[*key as usize], rows.slice(i, i + 1), answers.part(i, i + 1));
            }
        });
    }

    /// Saves a state.
    fn write(&self, state: &Self::State, to: &mut StateWriter);

    /// Loads a state.
    ///
    /// # Errors
    /// If the columns are not those of this state.
    fn read(&self, from: &mut StateReader) -> Result<Self::State>;

    /// The heap bytes of a state.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// [`Driver::run`], compiled once for each driver: it is large, and called from several places.
#[inline(never)]
pub(crate) fn run_rows<D: Driver>(driver: &D, state: &mut D::State, rows: Rows<D::Input>, answers: Answers<D::Output>) {
    driver.run(state, rows, answers);
}

/// As [`Driver::run_parallel`] for a driver whose state follows from the last `reach` rows, so that a sequence can be split
/// anywhere: `after` returns the state after rows.
pub(crate) fn run_split<D: Driver>(
    driver: &D,
    state: &mut D::State,
    columns: &Columns<D::Input>,
    mut answers: Answers<D::Output>,
    parts: usize,
    reach: usize,
    after: impl Fn(Rows<D::Input>) -> D::State + Sync,
) {
    let len = columns.len();
    if parts < 2 || reach >= len / parts {
        return driver.run_portions(state, columns, 0, answers);
    }
    run_ranges(driver, state, columns, answers.part(0, len), &cut_at_multiples(len, 0, 1, parts), |start| {
        columns.with_rows(start - reach, start, &after)
    });
}

/// Runs ranges of rows, which lie one behind the other, at the same time: `before` returns the state before the row at which a
/// later range starts.
pub(crate) fn run_ranges<D: Driver>(
    driver: &D,
    state: &mut D::State,
    columns: &Columns<D::Input>,
    answers: Answers<D::Output>,
    ranges: &[(usize, usize)],
    before: impl Fn(usize) -> D::State + Sync,
) {
    let mut states: Vec<Option<D::State>> = vec![None; ranges.len()];
    let (mut rest, mut jobs) = (answers, Vec::<Job>::new());
    let (first, before) = (&*state, &before);
    for ((start, end), last) in ranges.iter().copied().zip(&mut states) {
        let (part, later) = rest.split(end - start);
        rest = later;
        jobs.push(Box::new(move || {
            let mut state = if start == 0 { first.clone() } else { before(start) };
            driver.run_portions(&mut state, columns, start, part);
            *last = Some(state);
        }));
    }
    run_jobs(jobs);
    if let Some(last) = states.pop().flatten() {
        *state = last;
    }
}

/// Cuts `0..len` into at most `parts` ranges of about equal length at `offset` plus multiples of `step`.
pub(crate) fn cut_at_multiples(len: usize, offset: usize, step: usize, parts: usize) -> Vec<(usize, usize)> {
    let mut cuts = vec![0];
    for part in 1..parts {
        let wanted = len / parts * part;
        let aligned = offset + wanted.saturating_sub(offset).div_ceil(step) * step;
        if aligned > *cuts.last().unwrap_or(&0) && aligned < len {
            cuts.push(aligned);
        }
    }
    cuts.push(len);
    cuts.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_aligned_and_cover_everything() {
        assert_eq!(cut_at_multiples(100, 3, 10, 2), [(0, 53), (53, 100)]);
        assert_eq!(cut_at_multiples(5, 0, 10, 4), [(0, 5)]);
        assert_eq!(cut_at_multiples(0, 0, 10, 4), [(0, 0)]);
    }
}
