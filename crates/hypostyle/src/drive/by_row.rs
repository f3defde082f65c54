//! Results that combine a window's result with the current row (a z-score, an offset, a prediction): the window's driver runs
//! first, then one step per row.  The window may exclude the row, or be centered on it: the step is the same.

use super::jobs::{Job, run_jobs};
use super::{Answers, Columns, Driver, PORTION, Rows, centered};
use crate::error::Result;
use crate::model::ByRow;
use crate::values::{StateReader, StateWriter};

/// Runs a driver, then the step with the row.
#[derive(Debug, Clone)]
pub struct WithRow<D, F> {
    pub(crate) driver: D,
    pub(crate) step: F,
    /// How many later rows the window of a row includes, if it is centered on it.
    pub(crate) lead: Option<usize>,
}

impl<D: Driver, F: ByRow<Input = D::Input, Inner = D::Output>> WithRow<D, F> {
    fn finish(&self, inner: &[D::Output], valid: &[bool], rows: Rows<D::Input>, mut answers: Answers<F::Output>) {
        for i in 0..rows.len() {
            let answer = if valid[i] { self.step.with_row(inner[i], rows.values[i], rows.is_valid(i)) } else { None };
            answers.set(i, answer);
        }
    }
}

impl<D: Driver, F: ByRow<Input = D::Input, Inner = D::Output>> Driver for WithRow<D, F> {
    type Input = D::Input;
    type Output = F::Output;
    type State = D::State;

    const SPLITS: bool = D::SPLITS;

    fn start(&self) -> D::State {
        self.driver.start()
    }

    fn run(&self, state: &mut D::State, rows: Rows<D::Input>, answers: Answers<F::Output>) {
        let (mut inner, mut valid) = (vec![D::Output::default(); rows.len()], vec![true; rows.len()]);
        let window = Answers { values: &mut inner, valid: &mut valid };
        centered::run(&self.driver, self.lead, state, rows, window);
        self.finish(&inner, &valid, rows, answers);
    }

    fn portion(&self) -> usize {
        if self.lead.is_some() { usize::MAX } else { self.driver.portion() }
    }

    fn cost(&self) -> usize {
        self.driver.cost() + 1
    }

    fn state_size(&self) -> usize {
        self.driver.state_size()
    }

    fn run_parallel(
        &self,
        state: &mut D::State,
        columns: &Columns<D::Input>,
        answers: Answers<F::Output>,
        threads: usize,
    ) {
        let len = columns.len();
        let (mut inner, mut valid) = (vec![D::Output::default(); len], vec![true; len]);
        let window = Answers { values: &mut inner, valid: &mut valid };
        centered::run_parallel(&self.driver, self.lead, state, columns, window, threads);
        let (inner, valid) = (&inner, &valid);
        let parts = answers.values.chunks_mut(PORTION).zip(answers.valid.chunks_mut(PORTION));
        let job = |(i, (values, answered))| -> Job<'_> {
            Box::new(move || {
                let (start, end) = (i * PORTION, len.min((i + 1) * PORTION));
                columns.with_rows(start, end, |rows| {
                    let answers = Answers { values, valid: answered };
                    self.finish(&inner[start..end], &valid[start..end], rows, answers);
                });
            })
        };
        run_jobs(parts.enumerate().map(job).collect());
    }

    fn write(&self, state: &D::State, to: &mut StateWriter) {
        self.driver.write(state, to);
    }

    fn read(&self, from: &mut StateReader) -> Result<D::State> {
        self.driver.read(from)
    }

    fn heap_bytes(&self, state: &D::State) -> usize {
        self.driver.heap_bytes(state)
    }
}
