//! A column paired with itself some rows earlier: a driver over pairs reads each value and the one `lag` rows before.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::{Answers, Columns, Driver, Rows};
use crate::error::{Error, Result};
use crate::values::Values;
use crate::values::{StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct Lagged<D> {
    pub(crate) driver: D,
    /// At least 1.
    pub(crate) lag: usize,
}

/// The last `lag` rows, oldest first, and the state of the driver over pairs.
#[derive(Debug, Clone)]
pub struct Earlier<S> {
    rows: VecDeque<Option<f64>>,
    inner: S,
}

impl<D: Driver<Input = [f64; 2]>> Lagged<D> {
    /// The values `lag` rows earlier, and which of the pairs are valid.
    fn pair(&self, earlier: &mut VecDeque<Option<f64>>, rows: Rows<f64>) -> (Vec<f64>, Vec<bool>) {
        (0..rows.len())
            .map(|i| {
                let before = if earlier.len() < self.lag { None } else { earlier.pop_front().flatten() };
                earlier.push_back(rows.get(i));
                (before.unwrap_or_default(), before.is_some() && rows.is_valid(i))
            })
            .unzip()
    }
}

impl<D: Driver<Input = [f64; 2]>> Driver for Lagged<D> {
    type Input = f64;
    type Output = D::Output;
    type State = Earlier<D::State>;

    const SPLITS: bool = D::SPLITS;

    fn start(&self) -> Self::State {
        Earlier { rows: VecDeque::new(), inner: self.driver.start() }
    }

    fn run(&self, state: &mut Self::State, rows: Rows<f64>, answers: Answers<D::Output>) {
        let (before, valid) = self.pair(&mut state.rows, rows);
        let pairs: Vec<[f64; 2]> = rows.values.iter().zip(&before).map(|(x, before)| [*x, *before]).collect();
        let pairs = Rows { values: &pairs, valid: Some(&valid), times: rows.times, firsts: rows.firsts };
        self.driver.run(&mut state.inner, pairs, answers);
    }

    fn portion(&self) -> usize {
        self.driver.portion()
    }

    fn cost(&self) -> usize {
        self.driver.cost() + 1
    }

    fn state_size(&self) -> usize {
        self.driver.state_size().saturating_add(self.lag.saturating_mul(size_of::<Option<f64>>()))
    }

    fn run_parallel(
        &self,
        state: &mut Self::State,
        columns: &Columns<f64>,
        answers: Answers<D::Output>,
        threads: usize,
    ) {
        let Earlier { rows: earlier, inner } = state;
        columns.with_rows(0, columns.len(), |rows| {
            let (before, valid) = self.pair(earlier, rows);
            let values = [Values::Float(Cow::Borrowed(rows.values)), Values::Float(Cow::Owned(before))];
            let pairs = Columns::<[f64; 2]>::new(&values, Some(&valid), rows.len()).at(rows.times, rows.firsts);
            self.driver.run_parallel(inner, &pairs, answers, threads);
        });
    }

    fn write(&self, state: &Self::State, to: &mut StateWriter) {
        to.rows("earlier", state.rows.iter().copied());
        self.driver.write(&state.inner, to);
    }

    fn read(&self, from: &mut StateReader) -> Result<Self::State> {
        let rows: VecDeque<Option<f64>> = from.rows::<f64>("earlier")?.into();
        if rows.len() > self.lag {
            return Err(Error::state(format!("a lag needs at most {} rows, got {}", self.lag, rows.len())));
        }
        Ok(Earlier { rows, inner: self.driver.read(from)? })
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.rows.capacity() * size_of::<Option<f64>>() + self.driver.heap_bytes(&state.inner)
    }
}
