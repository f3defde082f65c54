//! A statistic of all rows so far.
//!
//! The rows are cut into blocks of a fixed length, counted from the key's first row; whole blocks are merged into one
//! summary, and the current block has its own.  Errors then grow with the number of blocks rather than of rows, and a
//! long sequence can be split over threads at block borders with the same bits.

use super::jobs::{Job, run_jobs};
use super::rolling_rows::ROWS_PER_THREAD;
use super::{Answers, Columns, Driver, Rows, cut_at_multiples};
use crate::error::{Error, Result};
use crate::model::Statistic;
use crate::values::{Persist, StateReader, StateWriter};

/// The rows of a block.
pub(crate) const BLOCK: usize = 1 << 10;

/// See the module.
#[derive(Debug, Clone)]
pub struct Expanding<S> {
    pub(crate) statistic: S,
    pub(crate) min_samples: usize,
}

/// The summary of all rows so far.
#[derive(Debug, Clone)]
pub struct Totals<S: Statistic> {
    whole: S::State,
    current: S::State,
    /// How many rows of the current block were read.
    offset: usize,
    count: usize,
    /// The first valid row.
    anchor: Option<S::Input>,
}

impl<S: Statistic> Expanding<S> {
    fn end_block(&self, state: &mut Totals<S>) {
        state.whole = self.statistic.merge(&state.whole, &state.current);
        state.current = self.statistic.empty();
        state.offset = 0;
    }

    /// Rows within one block.
    fn run_within_block(&self, state: &mut Totals<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        for i in 0..rows.len() {
            if rows.is_valid(i) {
                let x = rows.values[i];
                if state.anchor.is_none() && S::can_anchor(x) {
                    state.anchor = Some(x);
                }
                self.statistic.push(&mut state.current, x, state.anchor.unwrap_or(x));
                state.count += 1;
            }
            answers.set(i, self.answer(state));
        }
        state.offset += rows.len();
        if state.offset == BLOCK {
            self.end_block(state);
        }
    }

    fn answer(&self, state: &Totals<S>) -> Option<S::Output> {
        if state.count < self.min_samples {
            return None;
        }
        // A parallel run knows the anchor before the first value is reached.
        if state.count == 0 {
            return self.statistic.finish_empty();
        }
        // Rows that cannot be anchors do not depend on the anchor.
        let anchor = state.anchor.unwrap_or_default();
        self.statistic.finish(&self.statistic.merge(&state.whole, &state.current), state.count, anchor)
    }
}

impl<S: Statistic> Driver for Expanding<S> {
    type Input = S::Input;
    type Output = S::Output;
    type State = Totals<S>;

    const SPLITS: bool = true;

    fn start(&self) -> Totals<S> {
        let empty = self.statistic.empty();
        Totals { whole: empty, current: empty, offset: 0, count: 0, anchor: None }
    }

    fn run(&self, state: &mut Totals<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        let mut done = 0;
        while done < rows.len() {
            let end = rows.len().min(done + BLOCK - state.offset);
            self.run_within_block(state, rows.slice(done, end), answers.part(done, end));
            done = end;
        }
    }

    fn run_parallel(
        &self,
        state: &mut Totals<S>,
        columns: &Columns<S::Input>,
        mut answers: Answers<S::Output>,
        threads: usize,
    ) {
        let len = columns.len();
        let parts = threads.min(len / ROWS_PER_THREAD);
        if parts < 2 {
            return self.run_portions(state, columns, 0, answers);
        }
        // The state at the start of a part depends on the parts before it, so their blocks are summarized first.
        if state.anchor.is_none() {
            state.anchor = columns.first_valid(S::can_anchor);
        }
        let ranges = cut_at_multiples(len, BLOCK - state.offset, BLOCK, parts);
        let Some((&(_, first_end), others)) = ranges.split_first() else {
            return;
        };
        let anchor = state.anchor;
        let (first, mut rest) = answers.part(0, len).split(first_end);
        let mut totals: Vec<Vec<(S::State, usize)>> = vec![Vec::new(); others.len()];
        let first_state = &mut *state;
        let mut jobs: Vec<Job> = vec![Box::new(move || self.run_portions(first_state, columns, 0, first))];
        for ((start, end), blocks) in others.iter().copied().zip(&mut totals) {
            jobs.push(Box::new(move || *blocks = self.summarise_blocks(columns, start, end, anchor)));
        }
        run_jobs(jobs);
        let mut states = Vec::with_capacity(others.len());
        for blocks in totals {
            states.push(state.clone());
            for (block, count) in blocks {
                state.current = block;
                state.count += count;
                self.end_block(state);
            }
        }
        let mut jobs = Vec::<Job>::new();
        for ((start, end), state) in others.iter().copied().zip(&mut states) {
            let (part, later) = rest.split(end - start);
            rest = later;
            jobs.push(Box::new(move || self.run_portions(state, columns, start, part)));
        }
        run_jobs(jobs);
        if let Some(last) = states.pop() {
            *state = last;
        }
    }

    fn write(&self, state: &Totals<S>, to: &mut StateWriter) {
        state.whole.write(&"whole", to);
        state.current.write(&"current", to);
        to.count("offset", state.offset);
        to.count("count", state.count);
        to.rows("anchor", std::iter::once(state.anchor));
    }

    fn read(&self, from: &mut StateReader) -> Result<Totals<S>> {
        let state = Totals {
            whole: S::State::read(&"whole", from)?,
            current: S::State::read(&"current", from)?,
            offset: from.count("offset")?,
            count: from.count("count")?,
            anchor: from.rows::<S::Input>("anchor")?.first().copied().flatten(),
        };
        if state.offset >= BLOCK || (state.anchor.is_some() && state.count == 0) {
            return Err(Error::state("the totals of an expanding window are inconsistent"));
        }
        Ok(state)
    }
}

impl<S: Statistic> Expanding<S> {
    /// The summary and the count of each whole block.
    fn summarise_blocks(
        &self,
        columns: &Columns<S::Input>,
        start: usize,
        end: usize,
        anchor: Option<S::Input>,
    ) -> Vec<(S::State, usize)> {
        let summarise = |rows: Rows<S::Input>| {
            let (mut summary, mut count) = (self.statistic.empty(), 0);
            for x in (0..rows.len()).filter_map(|row| rows.get(row)) {
                self.statistic.push(&mut summary, x, anchor.unwrap_or(x));
                count += 1;
            }
            (summary, count)
        };
        (0..(end - start) / BLOCK)
            .map(|block| start + block * BLOCK)
            .map(|start| columns.with_rows(start, start + BLOCK, summarise))
            .collect()
    }
}
