//! Each row beside the row `n` rows before, or after: shifts, differences, returns.
//!
//! Within a batch both are slices of the same column, so that the loop is one pass without a ring buffer; only the last `n` rows
//! of a batch are kept for the next.  As a state follows from the last `n` rows, threads can share the rows of a key.
//!
//! A later row is read by the windows that are centered on their row: the driver runs `n` rows ahead, where the later row is the
//! current one.

use std::collections::VecDeque;

use super::{Answers, Columns, Driver, Rows, run_split};
use crate::error::{Error, Result};
use crate::model::Neighbors;
use crate::values::{StateReader, StateWriter};

/// See the module.  `AHEAD` says that a row's result is wanted where its later neighbor is.
#[derive(Debug, Clone)]
pub struct Neighbor<F, const AHEAD: bool> {
    pub(crate) function: F,
    /// How many rows lie between the two.
    pub(crate) n: usize,
}

/// The last rows, oldest first; at most `n`.
type Last<I> = VecDeque<Option<I>>;

impl<F: Neighbors, const AHEAD: bool> Neighbor<F, AHEAD> {
    /// Keeps what the rows after these need.
    fn keep(&self, last: &mut Last<F::Input>, rows: Rows<F::Input>) {
        let len = rows.len();
        let new = len.min(self.n);
        let outdated = (last.len() + new).saturating_sub(self.n);
        last.drain(..outdated);
        last.extend((len - new..len).map(|row| rows.get(row)));
    }

    /// The result for a row and the one `n` rows before it.
    #[inline(always)]
    fn result(&self, late: F::Input, early: F::Input) -> F::Output {
        let (own, other) = if AHEAD { (early, late) } else { (late, early) };
        self.function.pair(own, other)
    }

    /// Whether it exists, if these of the two have a value.
    #[inline(always)]
    fn exists(&self, (late, late_valid): (F::Input, bool), (early, early_valid): (F::Input, bool)) -> bool {
        let (own, other) = if AHEAD { (early_valid, late_valid) } else { (late_valid, early_valid) };
        let both = if AHEAD { (early, late) } else { (late, early) };
        other & (own | !F::NEEDS_OWN) & (F::TOTAL || self.function.exists(both.0, both.1))
    }
}

impl<F: Neighbors, const AHEAD: bool> Driver for Neighbor<F, AHEAD> {
    type Input = F::Input;
    type Output = F::Output;
    type State = Last<F::Input>;

    const SPLITS: bool = true;

    fn start(&self) -> Self::State {
        VecDeque::new()
    }

    fn run(&self, last: &mut Self::State, rows: Rows<F::Input>, answers: Answers<F::Output>) {
        let len = rows.len();
        // The first rows have their neighbor in an earlier batch, if anywhere.
        let near = self.n.min(len);
        for row in 0..near {
            let place = (last.len() + row).checked_sub(self.n);
            let early = place.and_then(|place| last.get(place).copied().flatten());
            let (late, late_valid) = (rows.values[row], rows.is_valid(row));
            let reached = place.is_some();
            let (early, early_valid) = (early.unwrap_or_default(), early.is_some());
            answers.valid[row] = reached && self.exists((late, late_valid), (early, early_valid));
            answers.values[row] = self.result(late, early);
        }
        let (early, late) = (&rows.values[..len - near], &rows.values[near..]);
        for ((result, late), early) in answers.values[near..len].iter_mut().zip(late).zip(early) {
            *result = self.result(*late, *early);
        }
        let flags = &mut answers.valid[near..len];
        match rows.valid {
            Some(valid) => {
                let pairs = late.iter().zip(&valid[near..]).zip(early.iter().zip(&valid[..len - near]));
                for (flag, ((late, late_valid), (early, early_valid))) in flags.iter_mut().zip(pairs) {
                    *flag = self.exists((*late, *late_valid), (*early, *early_valid));
                }
            }
            None if !F::TOTAL => {
                for (flag, (late, early)) in flags.iter_mut().zip(late.iter().zip(early)) {
                    *flag = self.exists((*late, true), (*early, true));
                }
            }
            None => {}
        }
        self.keep(last, rows);
    }

    fn run_parallel(
        &self,
        last: &mut Self::State,
        columns: &Columns<F::Input>,
        answers: Answers<F::Output>,
        threads: usize,
    ) {
        run_split(self, last, columns, answers, threads, self.n, |rows| {
            let mut last = VecDeque::new();
            self.keep(&mut last, rows);
            last
        });
    }

    fn cost(&self) -> usize {
        1
    }

    fn state_size(&self) -> usize {
        self.n.saturating_mul(size_of::<Option<F::Input>>())
    }

    fn write(&self, last: &Self::State, to: &mut StateWriter) {
        to.rows("last", last.iter().copied());
    }

    fn read(&self, from: &mut StateReader) -> Result<Self::State> {
        let last: Last<F::Input> = from.rows::<F::Input>("last")?.into();
        if last.len() > self.n {
            return Err(Error::state(format!("a shift needs at most {} rows, got {}", self.n, last.len())));
        }
        Ok(last)
    }

    fn heap_bytes(&self, last: &Self::State) -> usize {
        last.capacity() * size_of::<Option<F::Input>>()
    }
}
