//! A statistic of all rows so far.
//!
//! The rows are cut into blocks of a fixed length, counted from the key's first row; whole blocks are merged into one
//! summary, and the current block has its own.  Errors then grow with the number of blocks rather than of rows, and a
//! long sequence can be split over threads at block borders with the same bits.
//!
//! After a huge or tiny value (see `model/scale.rs`) the summary is of values scaled by the largest one so far.

use super::jobs::{Job, run_jobs};
use super::rolling_rows::ROWS_PER_THREAD;
use super::{Answers, Columns, Driver, Rows, cut_at_multiples};
use crate::error::{Error, Result};
use crate::model::Statistic;
use crate::model::scale::{self, Exponents, UNSCALED, any_wild};
use crate::values::{Input, Persist, Scalar, StateReader, StateWriter};

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
    /// A bit for each column that had a number other than 0.
    nonzero: u32,
    /// The exponents of the scale of each column; `None` if all are 0.
    exponents: Option<Box<[i32]>>,
}

/// A bit for each column of the row whose number is not 0.
#[inline(always)]
fn nonzero<I: Input>(row: I) -> u32 {
    let bit = |lane| u32::from(!matches!(row.lane(lane), Scalar::Float(0.0))) << lane;
    (0..I::LANES).map(bit).fold(0, |bits, bit| bits | bit)
}

impl<S: Statistic> Totals<S> {
    /// The exponents of the scale so far, of columns with zeros only too.
    fn scale(&self) -> Exponents {
        let usual = |lane| if self.nonzero >> lane & 1 == 1 { 0 } else { UNSCALED };
        match &self.exponents {
            Some(exponents) => exponents.to_vec(),
            None => (0..S::Input::LANES).map(usual).collect(),
        }
    }

    fn set_scale(&mut self, exponents: Exponents) {
        let is_usual = exponents.iter().all(|exponent| matches!(*exponent, 0 | UNSCALED));
        self.nonzero = exponents.iter().zip(0..).fold(0, |bits, (e, lane)| bits | u32::from(*e != UNSCALED) << lane);
        self.exponents = (!is_usual).then(|| exponents.into_boxed_slice());
    }
}

impl<S: Statistic> Expanding<S> {
    fn end_block(&self, state: &mut Totals<S>) {
        state.whole = self.statistic.merge(&state.whole, &state.current);
        state.current = self.statistic.empty();
        state.offset = 0;
    }

    /// Rows within one block.
    fn run_within_block(&self, state: &mut Totals<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        // Once there are an anchor and enough rows, nothing is asked row by row where no row is null.
        let is_plain =
            |state: &Totals<S>| rows.valid.is_none() && state.anchor.is_some() && state.count >= self.min_samples;
        let mut row = 0;
        while row < rows.len() && !is_plain(state) {
            if rows.is_valid(row) {
                let x = rows.values[row];
                if state.anchor.is_none() && S::can_anchor(x) {
                    state.anchor = Some(x);
                }
                self.statistic.follow(&mut state.current, x, state.anchor.unwrap_or(x));
                state.count += 1;
                if S::DEGREE > 0 && S::can_anchor(x) {
                    state.nonzero |= nonzero(x);
                }
            }
            answers.set(row, self.answer(state));
            row += 1;
        }
        if let (Some(anchor), true) = (state.anchor, row < rows.len()) {
            self.run_plain(state, &rows.values[row..], anchor, answers.part(row, rows.len()));
        }
        state.offset += rows.len();
        if state.offset == BLOCK {
            self.end_block(state);
        }
    }

    /// Rows within one block that are all valid, with enough rows before them.
    fn run_plain(&self, state: &mut Totals<S>, rows: &[S::Input], anchor: S::Input, answers: Answers<S::Output>) {
        if S::DEGREE > 0 {
            state.nonzero |= rows.iter().filter(|x| S::can_anchor(**x)).fold(0, |bits, x| bits | nonzero(*x));
        }
        // In places of their own, where the compiler can keep them in registers.
        let (whole, mut current, before) = (state.whole, state.current, state.count);
        let results = answers.values.iter_mut().zip(answers.valid.iter_mut());
        for ((x, (value, valid)), more) in rows.iter().zip(results).zip(1..) {
            self.statistic.follow(&mut current, *x, anchor);
            let all = self.statistic.merge(&whole, &current);
            let answer = self.statistic.finish(&all, before + more, anchor);
            if !S::TOTAL {
                *valid = answer.is_some();
            }
            *value = answer.unwrap_or_default();
        }
        state.current = current;
        state.count += rows.len();
    }

    /// As [`Expanding::run_within_block`], from scaled values.
    #[cold]
    fn run_scaled(&self, state: &mut Totals<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        let mut exponents = state.scale();
        for i in 0..rows.len() {
            if let Some(x) = rows.get(i) {
                let before = scale::settled(&exponents);
                scale::join(&mut exponents, &scale::exponents::<S>(x));
                let now = scale::settled(&exponents);
                if now != before {
                    let change: Exponents = now.iter().zip(&before).map(|(now, before)| now - before).collect();
                    self.statistic.rescale(&mut state.whole, &change);
                    self.statistic.rescale(&mut state.current, &change);
                }
                if state.anchor.is_none() && S::can_anchor(x) {
                    state.anchor = Some(x);
                }
                let anchor = scale::scaled(state.anchor.unwrap_or(x), &now);
                self.statistic.push(&mut state.current, scale::scaled(x, &now), anchor);
                state.count += 1;
                state.set_scale(exponents.clone());
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
        let all = self.statistic.merge(&state.whole, &state.current);
        if S::DEGREE > 0 && state.exponents.is_some() {
            let exponents = scale::settled(&state.scale());
            let answer = self.statistic.finish(&all, state.count, scale::scaled(anchor, &exponents))?;
            return Some(self.statistic.unscale(answer, &exponents));
        }
        self.statistic.finish(&all, state.count, anchor)
    }
}

impl<S: Statistic> Driver for Expanding<S> {
    type Input = S::Input;
    type Output = S::Output;
    type State = Totals<S>;

    const SPLITS: bool = true;

    fn start(&self) -> Totals<S> {
        let empty = self.statistic.empty();
        Totals { whole: empty, current: empty, offset: 0, count: 0, anchor: None, nonzero: 0, exponents: None }
    }

    fn run(&self, state: &mut Totals<S>, rows: Rows<S::Input>, mut answers: Answers<S::Output>) {
        let mut done = 0;
        while done < rows.len() {
            let end = rows.len().min(done + BLOCK - state.offset);
            let (part, out) = (rows.slice(done, end), answers.part(done, end));
            if S::DEGREE > 0 && (state.exponents.is_some() || any_wild::<S>(part.values)) {
                self.run_scaled(state, part, out);
            } else {
                self.run_within_block(state, part, out);
            }
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
        let scaled = || state.exponents.is_some() || columns.any_float(|x| scale::any_wild_number::<S>(x));
        if parts < 2 || S::DEGREE > 0 && scaled() {
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
                state.nonzero = u32::MAX; // as far as it matters: no later part needs to be scaled
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
        let exponents = (S::DEGREE > 0).then(|| {
            let exponents = state.scale();
            Some(S::Input::from_lanes(|lane| match S::Input::default().lane(lane) {
                Scalar::Float(_) if exponents[lane] == UNSCALED => Scalar::Float(f64::NEG_INFINITY),
                Scalar::Float(_) => Scalar::Float(f64::from(exponents[lane])),
                integer => integer,
            }))
        });
        to.rows("anchor", std::iter::once(state.anchor).chain(exponents));
    }

    fn read(&self, from: &mut StateReader) -> Result<Totals<S>> {
        let mut state = Totals {
            whole: S::State::read(&"whole", from)?,
            current: S::State::read(&"current", from)?,
            offset: from.count("offset")?,
            count: from.count("count")?,
            anchor: None,
            nonzero: u32::MAX,
            exponents: None,
        };
        let rows: Vec<Option<S::Input>> = from.rows("anchor")?;
        state.anchor = rows.first().copied().flatten();
        // States of earlier versions have no exponents.
        if let Some(saved) = rows.get(1).copied().flatten() {
            let exponents = (0..S::Input::LANES).map(|lane| match saved.lane(lane) {
                Scalar::Float(x) if x == f64::NEG_INFINITY => UNSCALED,
                Scalar::Float(x) => x as i32,
                Scalar::Integer(_) => 0,
            });
            state.set_scale(exponents.collect());
        }
        if state.offset >= BLOCK || (state.anchor.is_some() && state.count == 0) {
            return Err(Error::state("the totals of an expanding window are inconsistent"));
        }
        Ok(state)
    }

    fn heap_bytes(&self, state: &Totals<S>) -> usize {
        state.exponents.as_ref().map_or(0, |exponents| size_of_val(&**exponents))
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
                self.statistic.follow(&mut summary, x, anchor.unwrap_or(x));
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
