//! Rows without a value between the values before and after them.
//!
//! All rows of a key come at once, as the value after a gap may be any number of rows later; so there is no state.

use super::jobs::{Job, run_jobs};
use super::{Answers, Columns, Driver, Rows, cut_at_multiples};
use crate::error::Result;
use crate::model::{Beside, GapFill, RowPlace};
use crate::values::{StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct Gaps<F> {
    pub(crate) function: F,
}

/// The values before and after some rows.
type Around<I> = (Option<Beside<I>>, Option<Beside<I>>);

impl<F: GapFill> Gaps<F> {
    /// Fills rows of which the first is row `first` of its key.
    fn fill(
        &self,
        rows: Rows<F::Value>,
        first: usize,
        (mut before, after_all): Around<F::Value>,
        mut answers: Answers<F::Value>,
    ) {
        let len = rows.len();
        if let (true, Some(valid)) = (self.function.carries_back(), rows.valid) {
            self.carry_back(&rows.values[..len], &valid[..len], after_all.map(|after| after.value), answers);
            return;
        }
        let place = |row: usize| RowPlace { row: first + row, time: rows.times.get(row).copied().unwrap_or(0) };
        let beside = |row: usize| Beside { value: rows.values[row], place: place(row) };
        let mut row = 0;
        while row < len {
            let start = rows.next_valid(row);
            if start > row {
                let after = if start < len { Some(beside(start)) } else { after_all };
                for row in row..start {
                    answers.set(row, self.function.fill(before, place(row), after));
                }
            }
            let end = rows.next_null(start);
            answers.values[start..end].copy_from_slice(&rows.values[start..end]);
            if end > start {
                before = Some(beside(end - 1));
            }
            row = end;
        }
    }

    /// Gives each row without a value the one after it.
    fn carry_back(&self, values: &[F::Value], valid: &[bool], after: Option<F::Value>, answers: Answers<F::Value>) {
        let (mut next, mut is_known) = (after.unwrap_or_default(), after.is_some());
        let results = answers.values.iter_mut().zip(answers.valid.iter_mut());
        for ((x, is_valid), (value, answered)) in values.iter().zip(valid).zip(results).rev() {
            next = self.function.either(*is_valid, *x, next);
            is_known |= *is_valid;
            (*value, *answered) = (next, is_known);
        }
    }
}

impl<I: Copy> Rows<'_, I> {
    /// The first row from `start` on with a value; if there is none, the number of rows.
    fn next_valid(&self, start: usize) -> usize {
        let next = |valid: &[bool]| valid[start..].iter().position(|valid| *valid);
        self.valid.map_or(start, |valid| next(valid).map_or(self.len(), |rows| start + rows))
    }

    /// The first row from `start` on without a value; if there is none, the number of rows.
    fn next_null(&self, start: usize) -> usize {
        let next = |valid: &[bool]| valid[start..].iter().position(|valid| !*valid);
        self.valid.and_then(next).map_or(self.len(), |rows| start + rows)
    }
}

impl<F: GapFill> Driver for Gaps<F> {
    type Input = F::Value;
    type Output = F::Value;
    type State = ();

    const SPLITS: bool = true;

    fn start(&self) -> Self::State {}

    fn run(&self, (): &mut Self::State, rows: Rows<F::Value>, answers: Answers<F::Value>) {
        self.fill(rows, 0, (None, None), answers);
    }

    fn run_parallel(
        &self,
        (): &mut Self::State,
        columns: &Columns<F::Value>,
        answers: Answers<F::Value>,
        threads: usize,
    ) {
        let time = |row: usize| columns.times.get(row).copied().unwrap_or(0);
        let beside = |row: usize| {
            let value = columns.with_rows(row, row + 1, |rows| rows.values[0]);
            Beside { value, place: RowPlace { row, time: time(row) } }
        };
        let before = |row: usize| columns.valid.and_then(|valid| valid[..row].iter().rposition(|valid| *valid));
        let after = |row: usize| {
            columns.valid.and_then(|valid| valid[row..].iter().position(|valid| *valid)).map(|rows| row + rows)
        };
        let (mut rest, mut jobs) = (answers, Vec::<Job>::new());
        for (start, end) in cut_at_multiples(columns.len(), 0, 1, threads) {
            let (part, later) = rest.split(end - start);
            rest = later;
            let around = (before(start).map(beside), after(end).map(beside));
            jobs.push(Box::new(move || columns.with_rows(start, end, |rows| self.fill(rows, start, around, part))));
        }
        run_jobs(jobs);
    }

    /// All of them.
    fn portion(&self) -> usize {
        usize::MAX
    }

    fn write(&self, (): &Self::State, _: &mut StateWriter) {}

    fn read(&self, _: &mut StateReader) -> Result<Self::State> {
        Ok(())
    }
}
