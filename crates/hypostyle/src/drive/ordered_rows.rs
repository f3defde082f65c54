//! An ordered window over the last `n` rows: insert the new value, remove the old one, compute the result.
//!
//! The results are exact functions of the window's values, so they do not depend on the order of insertions.  The state is the
//! last `n` rows, from which the sorted window is rebuilt.

use super::rolling_rows::ROWS_PER_THREAD;
use super::{Answers, Columns, Driver, PORTION, Rows, run_split};
use crate::error::{Error, Result};
use crate::model::OrderedWindow;
use crate::values::{StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct OrderedRows<W> {
    pub(crate) window: W,
    /// How many rows the window holds; 0 for `closed="neither"` with one row, `usize::MAX` for all rows so far.
    pub(crate) rows: usize,
    /// Whether the window ends before the current row.
    pub(crate) lagged: bool,
    pub(crate) min_samples: usize,
}

/// The last rows of a key, in a ring and sorted.
#[derive(Debug, Clone)]
pub struct Recent<W: OrderedWindow> {
    ring: Vec<Option<W::Input>>,
    /// The slot of the oldest row once the ring is full.
    oldest: usize,
    count: usize,
    sorted: W::State,
}

impl<W: OrderedWindow> OrderedRows<W> {
    fn answer(&self, state: &Recent<W>, current: Option<W::Input>) -> Option<W::Output> {
        match state.count {
            count if count < self.min_samples => None,
            0 => self.window.answer_empty(),
            _ => self.window.answer(&state.sorted, current),
        }
    }

    fn take(&self, state: &mut Recent<W>, row: Option<W::Input>) {
        let gone = if state.ring.len() < self.rows {
            state.ring.push(row);
            None
        } else {
            let gone = std::mem::replace(&mut state.ring[state.oldest], row);
            state.oldest = (state.oldest + 1) % self.rows;
            gone
        };
        state.count = state.count + usize::from(row.is_some()) - usize::from(gone.is_some());
        match (gone, row) {
            (Some(old), Some(new)) => self.window.replace(&mut state.sorted, old, new),
            (Some(old), None) => self.window.remove(&mut state.sorted, old),
            (None, Some(new)) => self.window.insert(&mut state.sorted, new),
            (None, None) => {}
        }
    }

    /// All rows at once, if the window is full and the ordered window supports it.
    fn take_all(&self, state: &mut Recent<W>, rows: Rows<W::Input>, answers: &mut Answers<W::Output>) -> bool {
        if rows.len() < self.rows || self.lagged {
            return false;
        }
        let (later, earlier) = state.ring.split_at(state.oldest);
        let before = || earlier.iter().chain(later);
        let mut values: Vec<W::Input> = before().map(|row| row.unwrap_or_default()).collect();
        values.extend_from_slice(rows.values);
        let mut valid = Vec::new();
        if before().any(Option::is_none) || rows.valid.is_some_and(|valid| valid.contains(&false)) {
            valid.extend(before().map(Option::is_some));
            valid.extend((0..rows.len()).map(|row| rows.is_valid(row)));
        }
        let flags = (!valid.is_empty()).then_some(valid.as_slice());
        let done = self.window.answer_all(&values, flags, self.rows, |row, count, answer| {
            let answer = if count == 0 { self.window.answer_empty() } else { answer };
            answers.set(row, answer.filter(|_| count >= self.min_samples));
        });
        if done {
            *state = self.after((rows.len() - self.rows..rows.len()).map(|row| rows.get(row)));
        }
        done
    }

    fn after(&self, rows: impl Iterator<Item = Option<W::Input>>) -> Recent<W> {
        let mut state = self.start();
        rows.for_each(|row| self.take(&mut state, row));
        state
    }
}

impl<W: OrderedWindow> Driver for OrderedRows<W> {
    type Input = W::Input;
    type Output = W::Output;
    type State = Recent<W>;

    const SPLITS: bool = true;

    fn start(&self) -> Recent<W> {
        Recent { ring: Vec::new(), oldest: 0, count: 0, sorted: self.window.empty() }
    }

    fn run(&self, state: &mut Recent<W>, rows: Rows<W::Input>, mut answers: Answers<W::Output>) {
        // The window fills row by row; a full one may have a faster algorithm.
        let filling = (self.rows - state.ring.len()).min(rows.len());
        for i in 0..rows.len() {
            if i == filling && self.take_all(state, rows.slice(i, rows.len()), &mut answers.part(i, rows.len())) {
                return;
            }
            if self.lagged {
                answers.set(i, self.answer(state, rows.get(i)));
            }
            if self.rows > 0 {
                self.take(state, rows.get(i));
            }
            if !self.lagged {
                answers.set(i, self.answer(state, rows.get(i)));
            }
        }
    }

    fn portion(&self) -> usize {
        // Every portion sorts a window again.
        PORTION.max(self.rows.saturating_mul(64))
    }

    fn cost(&self) -> usize {
        40
    }

    fn state_size(&self) -> usize {
        self.rows.saturating_mul(2 * size_of::<Option<W::Input>>())
    }

    fn run_parallel(
        &self,
        state: &mut Recent<W>,
        columns: &Columns<W::Input>,
        answers: Answers<W::Output>,
        threads: usize,
    ) {
        let parts = threads.min(columns.len() / ROWS_PER_THREAD);
        let after = |rows: Rows<W::Input>| self.after((0..rows.len()).map(|row| rows.get(row)));
        run_split(self, state, columns, answers, parts, self.rows, after);
    }

    fn write(&self, state: &Recent<W>, to: &mut StateWriter) {
        let (later, earlier) = state.ring.split_at(state.oldest);
        to.rows("rows", earlier.iter().chain(later).copied());
    }

    fn read(&self, from: &mut StateReader) -> Result<Recent<W>> {
        let rows: Vec<Option<W::Input>> = from.rows("rows")?;
        if rows.len() > self.rows {
            return Err(Error::state(format!("a window needs at most {} rows, got {}", self.rows, rows.len())));
        }
        Ok(self.after(rows.into_iter()))
    }

    fn heap_bytes(&self, state: &Recent<W>) -> usize {
        state.ring.capacity() * size_of::<Option<W::Input>>() + self.window.heap_bytes(&state.sorted)
    }
}
