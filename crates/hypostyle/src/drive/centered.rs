//! A window centred on its row: the same windows, answered some rows earlier.  That needs rows from the future, so it
//! works on whole columns in memory and never in a stage.

use super::{Answers, Columns, Driver, Rows};
use crate::error::Result;
use crate::values::{StateReader, StateWriter};

/// Runs a row-window driver and answers each row with the window that ends `lead` rows later.
#[derive(Debug, Clone)]
pub struct Centered<D> {
    pub(crate) driver: D,
    pub(crate) lead: usize,
}

impl<D: Driver> Centered<D> {
    /// Pushes `lead` nulls after the last row and moves all answers up.
    fn flush(&self, state: &mut D::State, mut answers: Answers<D::Output>) {
        let len = answers.values.len();
        let padding = vec![D::Input::default(); self.lead];
        let (mut values, mut valid) = (vec![D::Output::default(); self.lead], vec![true; self.lead]);
        let nulls = Rows { values: &padding, valid: Some(&vec![false; self.lead]), times: &[], firsts: &[] };
        self.driver.run(state, nulls, Answers { values: &mut values, valid: &mut valid });
        let kept = len.saturating_sub(self.lead);
        answers.values.copy_within(len - kept.., 0);
        answers.valid.copy_within(len - kept.., 0);
        for row in kept..len {
            let late = row + self.lead - len;
            answers.valid[row] = true;
            answers.set(row, valid[late].then(|| values[late]));
        }
    }
}

impl<D: Driver> Driver for Centered<D> {
    type Input = D::Input;
    type Output = D::Output;
    type State = D::State;

    const SPLITS: bool = D::SPLITS;

    fn start(&self) -> D::State {
        self.driver.start()
    }

    fn run(&self, state: &mut D::State, rows: Rows<D::Input>, mut answers: Answers<D::Output>) {
        self.driver.run(state, rows, answers.part(0, rows.len()));
        self.flush(state, answers);
    }

    fn portion(&self) -> usize {
        usize::MAX // the last rows of a portion would be answered as the last of all
    }

    fn state_size(&self) -> usize {
        self.driver.state_size()
    }

    fn run_parallel(
        &self,
        state: &mut D::State,
        columns: &Columns<D::Input>,
        mut answers: Answers<D::Output>,
        threads: usize,
    ) {
        self.driver.run_parallel(state, columns, answers.part(0, columns.len()), threads);
        self.flush(state, answers);
    }

    fn write(&self, state: &D::State, to: &mut StateWriter) {
        self.driver.write(state, to);
    }

    fn read(&self, from: &mut StateReader) -> Result<D::State> {
        self.driver.read(from)
    }
}
