//! A driver bound to its columns, with a state per key: how typed drivers become [`Running`] kernels.

use std::any::Any;

use arrow::array::{ArrayRef, BooleanBufferBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use super::batch::Batch;
use super::live_row::LiveRow;
use super::running::{KeyedStates, Running};
use super::validity::append_flags;
use super::wiring::Wiring;
use crate::drive::jobs::{Job, run_jobs};
use crate::drive::rolling_rows::ROWS_PER_THREAD;
use crate::drive::{Answers, Columns, Driver, Rows, centered, run_rows};
use crate::error::{Error, Result};
use crate::keys::groups::{Groups, Run};
use crate::spec::First;
use crate::values::{Gathered, Input, Output, ScalarValue, StateReader, StateWriter};

/// A driver, the columns that it reads and a state for each key.
pub(crate) struct Keyed<D: Driver> {
    driver: D,
    wiring: Wiring,
    /// How many later rows the window of a row includes, if it is centered on it.
    lead: Option<usize>,
    states: Vec<D::State>,
    answers: Gathered<D::Output>,
    /// Which results are valid; empty as long as all are.
    answered: BooleanBufferBuilder,
}

impl<D: Driver> Keyed<D> {
    /// `wiring` as far as it does not follow from the driver.
    pub(crate) fn boxed(driver: D, wiring: Wiring) -> Box<dyn Running> {
        Self::centered(driver, wiring, None)
    }

    /// As [`Keyed::boxed`], with windows centered on their row if there is a lead.
    pub(crate) fn centered(driver: D, wiring: Wiring, lead: Option<usize>) -> Box<dyn Running> {
        let (state_size, cost) = (driver.state_size(), driver.cost());
        let wiring = Wiring { interleaved: D::SMALL_STATE, state_size, cost, splits: D::SPLITS, ..wiring };
        Box::new(Self::with(driver, wiring, lead, Vec::new()))
    }

    fn with(driver: D, wiring: Wiring, lead: Option<usize>, states: Vec<D::State>) -> Self {
        let answers = Gathered::of(&wiring.output);
        Self { driver, wiring, lead, states, answers, answered: BooleanBufferBuilder::new(0) }
    }

    fn with_states(&self, states: Vec<D::State>) -> Box<dyn Running> {
        Box::new(Self::with(self.driver.clone(), self.wiring.clone(), self.lead, states))
    }

    /// Runs the rows `start..end` of the batch: all of them, or a portion of rows that one thread processes in turn.
    fn run_groups(
        &mut self,
        batch: &Batch,
        columns: &Columns<D::Input>,
        start: usize,
        end: usize,
        answers: Answers<D::Output>,
    ) {
        let Self { driver, lead, states, .. } = self;
        match batch.groups {
            Groups::One if batch.threads > 1 && !D::SMALL_STATE => columns.with_part(start, end, |part| {
                centered::run_parallel(driver, *lead, &mut states[0], &part, answers, batch.threads);
            }),
            Groups::One => columns.with_part(start, end, |part| {
                centered::run_columns(driver, *lead, &mut states[0], &part, answers);
            }),
            Groups::Interleaved { keys } => {
                if D::SMALL_STATE {
                    columns.with_part(start, end, |part| {
                        driver.run_interleaved(states, &keys[start..end], &part, answers);
                    });
                }
            }
            Groups::Runs { runs, .. } if batch.threads > 1 => self.share_runs(runs, columns, answers, batch.threads),
            Groups::Runs { runs, .. } => {
                columns.with_rows(start, end, |rows| run_in_turn(driver, *lead, states, (0, 0), runs, rows, answers));
            }
        }
    }

    /// Keys with more rows than a thread's share are split among all threads, if the driver supports it; others are not split.
    fn share_runs(
        &mut self,
        runs: &[Run],
        columns: &Columns<D::Input>,
        mut answers: Answers<D::Output>,
        threads: usize,
    ) {
        let Self { driver, lead, states, .. } = self;
        let long = (columns.len() / threads).max(ROWS_PER_THREAD);
        let (long, short): (Vec<Run>, Vec<Run>) = runs.iter().partition(|run| D::SPLITS && run.len() > long);
        for run in long {
            let answers = answers.part(run.start, run.end);
            columns.with_part(run.start, run.end, |rows| {
                centered::run_parallel(driver, *lead, &mut states[run.key as usize], &rows, answers, threads);
            });
        }
        if !short.is_empty() {
            columns.with_rows(0, columns.len(), |rows| self.run_on_threads(&short, rows, answers, threads));
        }
    }

    /// A kernel of the same specification over the same types, which has the same Rust type.
    fn of(kernel: Box<dyn Running>) -> Box<Self> {
        kernel.into_any().downcast().unwrap_or_else(|_| unreachable!("kernels of one specification have one type"))
    }

    /// Returns the result of a single row.
    #[inline(never)]
    fn answer_row(&self, state: &mut D::State, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        let Wiring { sources, time, bounds, step, output, .. } = &self.wiring;
        let input = [D::Input::from_lanes(|lane| row.scalar(&sources[lane]))];
        let valid = [row.is_valid(sources)];
        let time_in = |column: usize| row.operands[column].integer;
        let (times, firsts) = match (bounds, *time) {
            (Some(bounds), _) => {
                let (place, bound) = (bounds.time.map_or(row.position, time_in), &row.operands[bounds.column]);
                let first = if bound.valid { bounds.first(place, bound.integer) } else { First::Missing };
                (Some([place]), Some([first]))
            }
            (None, column) => (column.map(|column| [time_in(column)]), None),
        };
        let rows = Rows {
            values: &input,
            valid: (!valid[0]).then_some(&valid[..]),
            times: times.as_ref().map_or(&[], |times| &times[..]),
            firsts: firsts.as_ref().map_or(&[], |firsts| &firsts[..]),
        };
        let (mut value, mut answered) = ([D::Output::default()], [true]);
        run_rows(&self.driver, state, rows, Answers { values: &mut value, valid: &mut answered });
        let kept = *step == 1 || row.position.cast_unsigned().is_multiple_of(*step as u64);
        push_answer((answered[0] && kept).then_some(value[0]), output, answers);
    }

    /// Gives each thread its own keys, with about the same number of rows.
    fn run_on_threads(&mut self, runs: &[Run], rows: Rows<D::Input>, answers: Answers<D::Output>, threads: usize) {
        let mut jobs = Vec::<Job>::new();
        let (driver, lead) = (&self.driver, self.lead);
        let (mut states, mut first_key) = (self.states.as_mut_slice(), 0);
        let (mut answers, mut first_row) = (answers, 0);
        for part in Groups::share(runs, threads * 4) {
            let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
            let (_, later) = states.split_at_mut(first.key as usize - first_key);
            let (own_states, later) = later.split_at_mut((last.key - first.key + 1) as usize);
            states = later;
            first_key = last.key as usize + 1;
            let (_, later) = answers.split(first.start - first_row);
            let (own_answers, later) = later.split(last.end - first.start);
            answers = later;
            first_row = last.end;
            let (begin, rows) = ((first.key, first.start), rows.slice(first.start, last.end));
            jobs.push(Box::new(move || run_in_turn(driver, lead, own_states, begin, part, rows, own_answers)));
        }
        run_jobs(jobs);
    }
}

/// Appends a result to `answers`, as a value or as one per field of a struct.
pub(crate) fn push_answer<O: Output>(answer: Option<O>, data_type: &DataType, answers: &mut Vec<ScalarValue<'static>>) {
    match (answer, data_type) {
        (Some(answer), _) => answer.push_values(data_type, answers),
        (None, DataType::Struct(fields)) => answers.extend(fields.iter().map(|_| ScalarValue::Null)),
        (None, _) => answers.push(ScalarValue::Null),
    }
}

/// Appends the validity of results to that of the `kept` ones, in row order.
fn keep_validity(known: &mut BooleanBufferBuilder, batch: &Batch, kept: usize, answered: &[bool], threads: usize) {
    // A fold is vectorized; a search is not.
    let fold = |flags: &[bool]| flags.iter().fold(true, |all, valid| all & valid);
    let all = if threads > 1 { answered.par_chunks(1 << 16).all(fold) } else { fold(answered) };
    if all && known.is_empty() {
        return;
    }
    known.append_n(kept - known.len(), true);
    if all {
        known.append_n(answered.len(), true);
    } else if batch.groups.keep_order() {
        append_flags(known, answered, threads);
    } else {
        let mut in_order = Vec::with_capacity(answered.len());
        batch.groups.append_in_row_order(answered, &mut in_order, threads);
        append_flags(known, &in_order, threads);
    }
}

/// Appends `rows` copies, on several threads if the next steps use them.
fn grow<T: Copy + Send + Sync>(items: &mut Vec<T>, item: T, rows: usize, threads: usize) {
    if threads > 1 {
        items.par_extend(rayon::iter::repeat_n(item, rows).with_min_len(1 << 13));
    } else {
        items.resize(items.len() + rows, item);
    }
}

/// How many rows of a sequence threads share at once: rows of many numbers would be fetched from memory again to be made columns.
fn shared_portion<D: Driver>(threads: usize) -> usize {
    const WIDE: usize = 64;
    const NEAR: usize = 1 << 23;
    let size = size_of::<D::Input>() + size_of::<D::Output>();
    if size < WIDE { usize::MAX } else { (NEAR / size).max(threads * ROWS_PER_THREAD) }
}

/// Runs one key after the other; `states`, `rows` and `answers` begin at the first key and row.
fn run_in_turn<D: Driver>(
    driver: &D,
    lead: Option<usize>,
    states: &mut [D::State],
    (first_key, first_row): (u32, usize),
    runs: &[Run],
    rows: Rows<D::Input>,
    mut answers: Answers<D::Output>,
) {
    for run in runs {
        let (start, end) = (run.start - first_row, run.end - first_row);
        let state = &mut states[(run.key - first_key) as usize];
        centered::run(driver, lead, state, rows.slice(start, end), answers.part(start, end));
    }
}

/// Above this many keys the memory of their states grows by a quarter at a time.
const MANY_KEYS: usize = 1 << 16;

impl<D: Driver> Running for Keyed<D> {
    fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    fn expect_rows(&mut self, rows: usize) {
        self.answers.reserve(rows);
    }

    fn run(&mut self, batch: &Batch) -> Result<()> {
        let len = batch.record.num_rows();
        let Wiring { sources, time, bounds, step, .. } = &self.wiring;
        let step = *step;
        let columns = batch.columns(sources);
        let valid = batch.valid(sources);
        let (times, firsts) = match (bounds, *time) {
            (Some(bounds), _) => batch.firsts(bounds),
            (None, Some(time)) => (batch.times(time), Vec::new()),
            (None, None) => (&[] as &[i64], Vec::new()),
        };
        if !D::Input::fits(&columns, len) {
            return Err(Error::internal("a kernel got other columns than those it is bound to"));
        }
        let columns = Columns::new(&columns, valid.as_deref(), len).at(times, &firsts);
        // If one thread processes the rows in turn, it does so portion by portion, to stay in cache.
        let in_turn = match batch.groups {
            Groups::Interleaved { .. } => true,
            Groups::One => batch.threads == 1 || D::SMALL_STATE,
            Groups::Runs { .. } => false,
        };
        let threads = if in_turn { 1 } else { batch.threads };
        let portion = match batch.groups {
            // The last rows of a portion would get the results of the last rows of all.
            _ if self.lead.is_some() => len,
            _ if in_turn => self.driver.portion(),
            Groups::One => shared_portion::<D>(threads),
            _ => len,
        };
        let portion = portion.min(len).max(1);
        let mut answers = std::mem::replace(&mut self.answers, Gathered::of(&self.wiring.output));
        let (mut answered, mut apart, mut in_order) = (Vec::new(), Vec::new(), Vec::new());
        for start in (0..len).step_by(portion) {
            let end = len.min(start + portion);
            answered.clear();
            grow(&mut answered, true, end - start, threads);
            let kept = answers.len();
            if let (true, Some(rows)) = (batch.groups.keep_order(), answers.rows()) {
                // Directly to the output.
                grow(rows, D::Output::default(), end - start, threads);
                let new = Answers { values: &mut rows[kept..], valid: &mut answered };
                self.run_groups(batch, &columns, start, end, new);
            } else {
                apart.clear();
                grow(&mut apart, D::Output::default(), end - start, threads);
                self.run_groups(batch, &columns, start, end, Answers { values: &mut apart, valid: &mut answered });
                if batch.groups.keep_order() {
                    answers.append(&apart);
                } else if let Some(rows) = answers.rows() {
                    batch.groups.append_in_row_order(&apart, rows, batch.threads);
                } else {
                    in_order.clear();
                    batch.groups.append_in_row_order(&apart, &mut in_order, batch.threads);
                    answers.append(&in_order);
                }
            }
            if step > 1 {
                for (valid, row) in answered.iter_mut().zip(&batch.positions[start..end]) {
                    *valid &= row.cast_unsigned().is_multiple_of(step as u64);
                }
            }
            keep_validity(&mut self.answered, batch, kept, &answered, threads);
        }
        self.answers = answers;
        Ok(())
    }

    fn run_row(&mut self, key: usize, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        // The state is taken out and put back, because the rest of the kernel is borrowed meanwhile.
        let mut states = std::mem::take(&mut self.states);
        self.answer_row(&mut states[key], row, answers);
        self.states = states;
    }

    fn peek_row(&self, key: Option<usize>, row: LiveRow, answers: &mut Vec<ScalarValue<'static>>) {
        let mut state = key.map_or_else(|| self.driver.start(), |key| self.states[key].clone());
        self.answer_row(&mut state, row, answers);
    }

    fn take_results(&mut self) -> ArrayRef {
        let nulls = (!self.answered.is_empty()).then(|| NullBuffer::new(self.answered.finish()));
        self.answers.take(nulls, &self.wiring.output)
    }
}

impl<D: Driver> KeyedStates for Keyed<D> {
    fn resize(&mut self, keys: usize) {
        let driver = &self.driver;
        if keys > self.states.capacity() && keys > MANY_KEYS {
            // By a quarter: doubling would leave half of a large allocation empty.
            self.states.reserve_exact((keys + keys / 4) - self.states.len());
        }
        self.states.resize_with(keys, || driver.start());
        if self.states.capacity() > 2 * keys + MANY_KEYS {
            self.states.shrink_to_fit();
        }
    }

    fn clone_boxed(&self) -> Box<dyn Running> {
        self.with_states(self.states.clone())
    }

    fn select(&self, keys: &[u32]) -> Box<dyn Running> {
        self.with_states(keys.iter().map(|key| self.states[*key as usize].clone()).collect())
    }

    fn put_back(&mut self, keys: &[u32], states: Box<dyn Running>) {
        let copies = Self::of(states);
        keys.iter().zip(copies.states).for_each(|(key, state)| self.states[*key as usize] = state);
    }

    fn retain(&mut self, kept: &[u32]) {
        let (mut number, mut kept) = (0, kept.iter().peekable());
        self.states.retain(|_| {
            number += 1;
            kept.next_if(|key| **key == number - 1).is_some()
        });
        self.states.shrink_to_fit();
    }

    fn append(&mut self, other: Box<dyn Running>) {
        self.states.extend(Self::of(other).states);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, to: &mut StateWriter, key: usize) {
        self.driver.write(&self.states[key], to);
    }

    fn read(&mut self, from: &mut StateReader) -> Result<()> {
        from.set_unsigned(&self.wiring.unsigned);
        self.states.push(self.driver.read(from)?);
        from.set_unsigned(&[]);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<D::State>()
            + self.states.iter().map(|state| self.driver.heap_bytes(state)).sum::<usize>()
    }
}
