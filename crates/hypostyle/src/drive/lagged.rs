//! A column paired with itself some rows earlier: a driver over pairs reads each value and the one `lag` rows before.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::marker::PhantomData;

use super::{Answers, Columns, Driver, Rows};
use crate::error::{Error, Result};
use crate::values::{Exact, Input, Values};
use crate::values::{StateReader, StateWriter};

/// A value that can be paired with an earlier one.
pub trait Pairs: Input {
    /// Both.
    type Pair: Input;

    /// This value and the earlier one.
    fn beside(self, earlier: Self) -> Self::Pair;

    /// Values as a column.
    fn column(values: &[Self]) -> Values<'_>;
}

impl Pairs for f64 {
    type Pair = [f64; 2];

    fn beside(self, earlier: f64) -> [f64; 2] {
        [self, earlier]
    }

    fn column(values: &[f64]) -> Values<'_> {
        Values::Float(Cow::Borrowed(values))
    }
}

/// An integer.
impl Pairs for [Exact; 1] {
    type Pair = [Exact; 2];

    fn beside(self, earlier: Self) -> [Exact; 2] {
        [self[0], earlier[0]]
    }

    fn column(values: &[Self]) -> Values<'_> {
        Values::Integer(values.iter().map(|x| x[0].integer()).collect())
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Lagged<D, T> {
    pub(crate) driver: D,
    /// At least 1.
    pub(crate) lag: usize,
    pub(crate) values: PhantomData<T>,
}

/// The last `lag` rows, oldest first, and the state of the driver over pairs.
#[derive(Debug, Clone)]
pub struct Earlier<T, S> {
    rows: VecDeque<Option<T>>,
    inner: S,
}

impl<T: Pairs, D: Driver<Input = T::Pair>> Lagged<D, T> {
    /// The values `lag` rows earlier, and which of the pairs are valid.
    fn pair(&self, earlier: &mut VecDeque<Option<T>>, rows: Rows<T>) -> (Vec<T>, Vec<bool>) {
        (0..rows.len())
            .map(|i| {
                let before = if earlier.len() < self.lag { None } else { earlier.pop_front().flatten() };
                earlier.push_back(rows.get(i));
                (before.unwrap_or_default(), before.is_some() && rows.is_valid(i))
            })
            .unzip()
    }
}

impl<T: Pairs, D: Driver<Input = T::Pair>> Driver for Lagged<D, T> {
    type Input = T;
    type Output = D::Output;
    type State = Earlier<T, D::State>;

    const SPLITS: bool = D::SPLITS;

    fn start(&self) -> Self::State {
        Earlier { rows: VecDeque::new(), inner: self.driver.start() }
    }

    fn run(&self, state: &mut Self::State, rows: Rows<T>, answers: Answers<D::Output>) {
        let (before, valid) = self.pair(&mut state.rows, rows);
        let pairs: Vec<T::Pair> = rows.values.iter().zip(&before).map(|(x, before)| x.beside(*before)).collect();
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
        self.driver.state_size().saturating_add(self.lag.saturating_mul(size_of::<Option<T>>()))
    }

    fn run_parallel(&self, state: &mut Self::State, columns: &Columns<T>, answers: Answers<D::Output>, threads: usize) {
        let Earlier { rows: earlier, inner } = state;
        columns.with_rows(0, columns.len(), |rows| {
            let (before, valid) = self.pair(earlier, rows);
            let values = [T::column(rows.values), T::column(&before)];
            let pairs = Columns::<T::Pair>::new(&values, Some(&valid), rows.len()).at(rows.times, rows.firsts);
            self.driver.run_parallel(inner, &pairs, answers, threads);
        });
    }

    fn write(&self, state: &Self::State, to: &mut StateWriter) {
        to.rows("earlier", state.rows.iter().copied());
        self.driver.write(&state.inner, to);
    }

    fn read(&self, from: &mut StateReader) -> Result<Self::State> {
        let rows: VecDeque<Option<T>> = from.rows::<T>("earlier")?.into();
        if rows.len() > self.lag {
            return Err(Error::state(format!("a lag needs at most {} rows, got {}", self.lag, rows.len())));
        }
        Ok(Earlier { rows, inner: self.driver.read(from)? })
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.rows.capacity() * size_of::<Option<T>>() + self.driver.heap_bytes(&state.inner)
    }
}
