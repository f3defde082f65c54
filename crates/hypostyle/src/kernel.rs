//! A kernel bound to its columns' types, with the states of all keys: the dynamic door between a stage and the drivers.

use std::any::Any;

use arrow::array::{ArrayRef, BooleanBufferBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use crate::batch::Batch;
use crate::cell::{Cell, LiveRow};
use crate::column::{Domain, Input, Output, Values};
use crate::drive::rolling_rows::ROWS_PER_THREAD;
use crate::drive::{Answers, Columns, Driver, Rows, run_rows};
use crate::error::Result;
use crate::groups::{Groups, Run};
use crate::record::{Reader, Writer};
use crate::window::Bounds;

/// Where a kernel takes one number of its row from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// A column of the input.
    Column {
        /// Its place in the input's schema.
        index: usize,
        /// How it is read.
        domain: Domain,
    },
    /// The same number for every row.
    Constant(f64),
    /// The row's number within its key, from 0.
    Position,
}

/// A kernel bound to its columns.
pub trait Running: Send + Sync {
    /// The type of the answers.
    fn answer_type(&self) -> &DataType;

    /// The columns that it reads grouped by key.
    fn sources(&self) -> &[Source] {
        &[]
    }

    /// Its time column.
    fn time(&self) -> Option<usize> {
        None
    }

    /// Whether it can run in a stage.
    fn streams(&self) -> bool {
        true
    }

    /// The column that says where each row's window begins.
    fn bounds(&self) -> Option<&Bounds> {
        None
    }

    /// Lets a column say where each row's window begins.
    fn bound_by(&mut self, _bounds: Bounds) {}

    /// Prepares for all rows at once, in memory, where a window may go back to earlier rows.
    fn keep_all(&mut self) {}

    /// Keeps the answers to every `step`-th row of a key only; the others are null.
    fn keep_every(&mut self, _step: usize) {}

    /// Whether it asks for each row's number within its key.
    fn numbers_rows(&self) -> bool {
        false
    }

    /// Whether rows of many keys are best taken as they come.
    fn takes_interleaved(&self) -> bool {
        true
    }

    /// About how many bytes a key's state takes in the long run.
    fn state_size(&self) -> usize {
        0
    }

    /// Makes room for this many keys, or forgets those beyond.
    fn resize(&mut self, _keys: usize) {}

    /// Makes room for the answers to this many rows.
    fn expect_rows(&mut self, _rows: usize) {}

    /// Reads a batch and answers each row; the answers are kept until they are taken.
    fn run(&mut self, batch: &Batch);

    /// Reads a row that comes alone and puts its answer, a value or one for each field of a struct, behind `answers`.
    fn run_row(&mut self, key: usize, row: LiveRow, answers: &mut Vec<Cell<'static>>);

    /// As [`Running::run_row`], with a copy of the key's state; `None` is a key not seen yet.
    fn peek_row(&self, key: Option<usize>, row: LiveRow, answers: &mut Vec<Cell<'static>>);

    /// The answers to all rows since they were last taken.
    fn take_answers(&mut self) -> ArrayRef;

    /// A copy.
    fn clone_boxed(&self) -> Box<dyn Running>;

    /// A copy with the states of these keys only.
    fn select(&self, keys: &[u32]) -> Box<dyn Running>;

    /// Puts states that [`select`](Running::select) gave for these keys back.
    fn put_back(&mut self, _keys: &[u32], _states: Box<dyn Running>) {}

    /// Keeps the states of these keys, which are in increasing order.
    fn retain(&mut self, _kept: &[u32]) {}

    /// Puts the states of a kernel of the same kind behind its own.
    fn append(&mut self, _other: Box<dyn Running>) {}

    /// Itself, to be told what it is.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Saves a key's state.
    fn write(&self, to: &mut Writer, key: usize);

    /// Loads one more key's state.
    ///
    /// # Errors
    /// Where the columns are not those of this kernel's state.
    fn read(&mut self, from: &mut Reader) -> Result<()>;

    /// The bytes of all states.
    fn state_bytes(&self) -> usize {
        0
    }
}

/// A driver, the columns that it reads and a state for each key.
pub(crate) struct Keyed<D: Driver> {
    driver: D,
    sources: Vec<Source>,
    time: Option<usize>,
    answer: DataType,
    bounds: Option<Bounds>,
    /// Every so many rows of a key there is an answer.
    step: usize,
    states: Vec<D::State>,
    answers: Vec<D::Output>,
    /// Which answers are valid; empty as long as all are.
    answered: BooleanBufferBuilder,
}

impl<D: Driver> Keyed<D> {
    pub(crate) fn boxed(driver: D, sources: Vec<Source>, time: Option<usize>, answer: DataType) -> Box<dyn Running> {
        Box::new(Self {
            driver,
            sources,
            time,
            answer,
            bounds: None,
            step: 1,
            states: Vec::new(),
            answers: Vec::new(),
            answered: BooleanBufferBuilder::new(0),
        })
    }

    fn with_states(&self, states: Vec<D::State>) -> Box<dyn Running> {
        Box::new(Self {
            driver: self.driver.clone(),
            sources: self.sources.clone(),
            time: self.time,
            answer: self.answer.clone(),
            bounds: self.bounds.clone(),
            step: self.step,
            states,
            answers: Vec::new(),
            answered: BooleanBufferBuilder::new(0),
        })
    }

    /// Runs the rows `start..end` of the batch; a cut in between is for rows that are taken in turn.
    fn run_groups(
        &mut self,
        batch: &Batch,
        columns: &Columns<D::Input>,
        start: usize,
        end: usize,
        answers: Answers<D::Output>,
    ) {
        let Self { driver, states, .. } = self;
        match batch.groups {
            Groups::One if end - start == columns.len() && batch.threads > 1 => {
                driver.run_parallel(&mut states[0], columns, answers, batch.threads);
            }
            Groups::One => columns.with_rows(start, end, |rows| run_rows(driver, &mut states[0], rows, answers)),
            Groups::Interleaved { keys } => {
                if D::SMALL_STATE {
                    columns.with_rows(start, end, |rows| {
                        driver.run_interleaved(states, &keys[start..end], rows, answers);
                    });
                }
            }
            Groups::Runs { runs, .. } if batch.threads > 1 => self.share_runs(runs, columns, answers, batch.threads),
            Groups::Runs { runs, .. } => {
                columns.with_rows(start, end, |rows| run_in_turn(driver, states, 0, runs, 0, rows, answers));
            }
        }
    }

    /// Keys with more rows than a thread's share are shared among all threads, if the driver can; the others as they are.
    fn share_runs(
        &mut self,
        runs: &[Run],
        columns: &Columns<D::Input>,
        mut answers: Answers<D::Output>,
        threads: usize,
    ) {
        let Self { driver, states, .. } = self;
        let long = (columns.len() / threads).max(ROWS_PER_THREAD);
        let (long, short): (Vec<Run>, Vec<Run>) = runs.iter().partition(|run| D::SPLITS && run.len() > long);
        for run in long {
            let answers = answers.part(run.start, run.end);
            columns.with_part(run.start, run.end, |rows| {
                driver.run_parallel(&mut states[run.key as usize], &rows, answers, threads);
            });
        }
        if !short.is_empty() {
            columns.with_rows(0, columns.len(), |rows| self.run_on_threads(&short, rows, answers, threads));
        }
    }

    /// A kernel of the same specification over the same types, which is of the same kind.
    fn of(kernel: Box<dyn Running>) -> Box<Self> {
        kernel.into_any().downcast().unwrap_or_else(|_| unreachable!("kernels of one specification are of one kind"))
    }

    /// Answers a row that comes alone.
    #[inline(never)]
    fn answer_row(&self, state: &mut D::State, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        let input = [D::Input::from_lanes(|lane| match self.sources.get(lane) {
            Some(source) => row.scalar(source),
            None => D::Input::default().lane(lane),
        })];
        let valid = [row.is_valid(&self.sources)];
        let time = |column: usize| row.given[column].integer;
        let (times, firsts) = match (&self.bounds, self.time) {
            (Some(bounds), _) => {
                let (place, bound) = (bounds.time.map_or(row.position, time), &row.given[bounds.column]);
                let first = if bound.valid { bounds.first(place, bound.integer) } else { Bounds::NO_WINDOW };
                (Some([place]), Some([first]))
            }
            (None, column) => (column.map(|column| [time(column)]), None),
        };
        let rows = Rows {
            values: &input,
            valid: (!valid[0]).then_some(&valid[..]),
            times: times.as_ref().map_or(&[], |times| &times[..]),
            firsts: firsts.as_ref().map_or(&[], |firsts| &firsts[..]),
        };
        let (mut value, mut answered) = ([D::Output::default()], [true]);
        run_rows(&self.driver, state, rows, Answers { values: &mut value, valid: &mut answered });
        let kept = self.step == 1 || row.position.cast_unsigned().is_multiple_of(self.step as u64);
        push_answer((answered[0] && kept).then_some(value[0]), &self.answer, answers);
    }

    /// Puts the validity of answers behind that of the `kept` ones, in the rows' order.
    fn keep_validity(&mut self, batch: &Batch, kept: usize, answered: &[bool], threads: usize) {
        // A fold, as it is vectorised; a search is not.
        let fold = |flags: &[bool]| flags.iter().fold(true, |all, valid| all & valid);
        let all = if threads > 1 { answered.par_chunks(1 << 16).all(fold) } else { fold(answered) };
        if all && self.answered.is_empty() {
            return;
        }
        self.answered.append_n(kept - self.answered.len(), true);
        if all {
            self.answered.append_n(answered.len(), true);
        } else if batch.groups.keep_order() {
            append_flags(&mut self.answered, answered, threads);
        } else {
            let mut in_order = Vec::with_capacity(answered.len());
            batch.groups.append_in_row_order(answered, &mut in_order, threads);
            append_flags(&mut self.answered, &in_order, threads);
        }
    }

    /// Gives each thread keys of its own, with about the same number of rows.
    fn run_on_threads(&mut self, runs: &[Run], rows: Rows<D::Input>, answers: Answers<D::Output>, threads: usize) {
        let mut jobs = Vec::new();
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
            jobs.push((part, own_states, first.key, first.start, rows.slice(first.start, last.end), own_answers));
        }
        let driver = &self.driver;
        jobs.into_par_iter().for_each(|(part, states, key, row, rows, answers)| {
            run_in_turn(driver, states, key, part, row, rows, answers);
        });
    }
}

/// Puts an answer behind `answers`, as a value or as one for each field of a struct.
pub(crate) fn push_answer<O: Output>(answer: Option<O>, data_type: &DataType, answers: &mut Vec<Cell<'static>>) {
    match (answer, data_type) {
        (Some(answer), _) => answer.push_cells(data_type, answers),
        (None, DataType::Struct(fields)) => answers.extend(fields.iter().map(|_| Cell::Null)),
        (None, _) => answers.push(Cell::Null),
    }
}

/// Appends flags as bits, eight at a time.
fn append_flags(bits: &mut BooleanBufferBuilder, flags: &[bool], threads: usize) {
    let (chunks, rest) = flags.as_chunks::<8>();
    let pack = |chunk: &[bool; 8]| {
        // Each byte is 0 or 1; the product moves byte i's bit to bit 56 + i.
        let bytes = u64::from_le_bytes(chunk.map(u8::from));
        (bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56).to_le_bytes()[0]
    };
    let packed: Vec<u8> = if threads > 1 {
        chunks.par_iter().with_min_len(1 << 13).map(pack).collect()
    } else {
        chunks.iter().map(pack).collect()
    };
    bits.append_packed_range(0..chunks.len() * 8, &packed);
    bits.append_slice(rest);
}

/// Appends `rows` copies, on all threads where they take part in what follows.
fn grow<T: Copy + Send + Sync>(items: &mut Vec<T>, item: T, rows: usize, threads: usize) {
    if threads > 1 {
        items.par_extend(rayon::iter::repeat_n(item, rows).with_min_len(1 << 13));
    } else {
        items.resize(items.len() + rows, item);
    }
}

/// Runs one key after the other; `states`, `rows` and `answers` begin at `first_key` and `first_row`.
fn run_in_turn<D: Driver>(
    driver: &D,
    states: &mut [D::State],
    first_key: u32,
    runs: &[Run],
    first_row: usize,
    rows: Rows<D::Input>,
    mut answers: Answers<D::Output>,
) {
    for run in runs {
        let (start, end) = (run.start - first_row, run.end - first_row);
        let state = &mut states[(run.key - first_key) as usize];
        run_rows(driver, state, rows.slice(start, end), answers.part(start, end));
    }
}

/// Above so many keys their states' memory grows by less than twice at a time.
const MANY_KEYS: usize = 1 << 16;

impl<D: Driver> Running for Keyed<D> {
    fn answer_type(&self) -> &DataType {
        &self.answer
    }

    fn sources(&self) -> &[Source] {
        &self.sources
    }

    fn time(&self) -> Option<usize> {
        self.time
    }

    fn streams(&self) -> bool {
        self.driver.streams()
    }

    fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    fn bound_by(&mut self, bounds: Bounds) {
        self.bounds = Some(bounds);
    }

    fn keep_all(&mut self) {
        self.driver.keep_all();
    }

    fn keep_every(&mut self, step: usize) {
        self.step = step;
    }

    fn numbers_rows(&self) -> bool {
        self.step > 1
            || self.sources.contains(&Source::Position)
            || self.bounds.as_ref().is_some_and(|bounds| bounds.time.is_none())
    }

    fn takes_interleaved(&self) -> bool {
        D::SMALL_STATE
    }

    fn state_size(&self) -> usize {
        self.driver.state_size()
    }

    fn resize(&mut self, keys: usize) {
        let driver = &self.driver;
        if keys > self.states.capacity() && keys > MANY_KEYS {
            // By a quarter: twice as many would leave half of a large memory empty.
            self.states.reserve_exact((keys + keys / 4) - self.states.len());
        }
        self.states.resize_with(keys, || driver.start());
        if self.states.capacity() > 2 * keys + MANY_KEYS {
            self.states.shrink_to_fit();
        }
    }

    fn expect_rows(&mut self, rows: usize) {
        self.answers.reserve(rows);
    }

    fn run(&mut self, batch: &Batch) {
        let len = batch.record.num_rows();
        let columns: Vec<Values> = self.sources.iter().map(|source| batch.values(source)).collect();
        let valid = batch.valid(&self.sources);
        let (times, firsts) = match (&self.bounds, self.time) {
            (Some(bounds), _) => batch.firsts(bounds),
            (None, Some(time)) => (batch.times(time), Vec::new()),
            (None, None) => (&[] as &[i64], Vec::new()),
        };
        let columns = Columns::new(&columns, valid.as_deref(), len).at(times, &firsts);
        // Where one thread takes the rows in turn, it does so portion by portion, to stay in cache.
        let in_turn = match batch.groups {
            Groups::Interleaved { .. } => true,
            Groups::One => batch.threads == 1 || D::SMALL_STATE,
            Groups::Runs { .. } => false,
        };
        let portion = if in_turn { self.driver.portion().min(len) } else { len }.max(1);
        let threads = if in_turn { 1 } else { batch.threads };
        let (mut answers, mut answered) = (std::mem::take(&mut self.answers), Vec::new());
        let mut grouped = Vec::new();
        for start in (0..len).step_by(portion) {
            let end = len.min(start + portion);
            answered.clear();
            grow(&mut answered, true, end - start, threads);
            let kept = answers.len();
            if batch.groups.keep_order() {
                // Straight to where they stay.
                grow(&mut answers, D::Output::default(), end - start, threads);
                let new = Answers { values: &mut answers[kept..], valid: &mut answered };
                self.run_groups(batch, &columns, start, end, new);
            } else {
                grow(&mut grouped, D::Output::default(), end - start, threads);
                self.run_groups(batch, &columns, start, end, Answers { values: &mut grouped, valid: &mut answered });
                batch.groups.append_in_row_order(&grouped, &mut answers, batch.threads);
            }
            if self.step > 1 {
                for (valid, row) in answered.iter_mut().zip(&batch.positions[start..end]) {
                    *valid &= row.cast_unsigned().is_multiple_of(self.step as u64);
                }
            }
            self.keep_validity(batch, kept, &answered, threads);
        }
        self.answers = answers;
    }

    fn run_row(&mut self, key: usize, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        // The state is lent out and put back, as the rest of the kernel is read meanwhile.
        let mut states = std::mem::take(&mut self.states);
        self.answer_row(&mut states[key], row, answers);
        self.states = states;
    }

    fn peek_row(&self, key: Option<usize>, row: LiveRow, answers: &mut Vec<Cell<'static>>) {
        let mut state = key.map_or_else(|| self.driver.start(), |key| self.states[key].clone());
        self.answer_row(&mut state, row, answers);
    }

    fn take_answers(&mut self) -> ArrayRef {
        let nulls = (!self.answered.is_empty()).then(|| NullBuffer::new(self.answered.finish()));
        D::Output::into_array(std::mem::take(&mut self.answers), nulls, &self.answer)
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

    fn write(&self, to: &mut Writer, key: usize) {
        self.driver.write(&self.states[key], to);
    }

    fn read(&mut self, from: &mut Reader) -> Result<()> {
        self.states.push(self.driver.read(from)?);
        Ok(())
    }

    fn state_bytes(&self) -> usize {
        self.states.capacity() * size_of::<D::State>()
            + self.states.iter().map(|state| self.driver.heap_bytes(state)).sum::<usize>()
    }
}
