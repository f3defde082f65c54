//! A recurrence over the rows in order: one step per row, the simplest driver.

use super::{Answers, Columns, Driver, Rows, run_rows};
use crate::error::Result;
use crate::model::Recurrence;
use crate::values::{Input, Persist, StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct Scan<R>(pub R);

impl<R: Recurrence> Scan<R> {
    /// A step for each row, which `read` makes of its columns.
    #[inline(always)]
    fn walk(
        &self,
        state: &mut R::State,
        valid: Option<&[bool]>,
        read: impl Fn(usize) -> R::Input,
        answers: Answers<R::Output>,
    ) {
        // Moved to a place of its own, where the compiler can keep it in registers; without a copy of what it holds.
        let mut now = std::mem::replace(state, self.0.start());
        let rows = answers.values.len().min(answers.valid.len());
        let mut results = answers.values.iter_mut().zip(answers.valid.iter_mut());
        match valid {
            None => self.0.steps(&mut now, (0..rows).map(read), |answer| {
                if let Some((value, answered)) = results.next() {
                    match answer {
                        Some(answer) => *value = answer,
                        None => *answered = false,
                    }
                }
            }),
            Some(valid) => {
                for ((row, (value, answered)), valid) in results.enumerate().zip(valid) {
                    let answer = if *valid { self.0.step(&mut now, read(row)) } else { self.0.skip(&mut now) };
                    match answer {
                        Some(answer) => *value = answer,
                        None => *answered = false,
                    }
                }
            }
        }
        *state = now;
    }
}

impl<R: Recurrence> Driver for Scan<R> {
    type Input = R::Input;
    type Output = R::Output;
    type State = R::State;

    const SMALL_STATE: bool = true;

    fn start(&self) -> R::State {
        self.0.start()
    }

    fn run(&self, state: &mut R::State, rows: Rows<R::Input>, answers: Answers<R::Output>) {
        let values = &rows.values[..answers.values.len()];
        self.walk(state, rows.valid, |row| values[row], answers);
    }

    fn run_columns(&self, state: &mut R::State, columns: &Columns<R::Input>, answers: Answers<R::Output>) {
        if R::Input::IS_COLUMN {
            return columns.assembled(|rows| run_rows(self, state, rows, answers));
        }
        let lanes = columns.lanes();
        if R::Input::OPTIONAL && columns.valid.is_none() && R::Input::is_whole(&lanes) {
            return self.walk(state, None, |row| R::Input::read_whole(&lanes, row), answers);
        }
        self.walk(state, columns.valid, |row| R::Input::read(&lanes, row), answers);
    }

    fn run_interleaved(
        &self,
        states: &mut [R::State],
        keys: &[u32],
        columns: &Columns<R::Input>,
        mut answers: Answers<R::Output>,
    ) {
        let lanes = columns.lanes();
        for (i, key) in keys.iter().enumerate() {
            let state = &mut states[*key as usize];
            let answer = match columns.is_valid(i) {
                true => self.0.step(state, R::Input::read(&lanes, i)),
                false => self.0.skip(state),
            };
            answers.set(i, answer);
        }
    }

    fn write(&self, state: &R::State, to: &mut StateWriter) {
        state.write(&"state", to);
    }

    fn read(&self, from: &mut StateReader) -> Result<R::State> {
        R::State::read(&"state", from)
    }
}

/// Runs a recurrence over rows that are all valid.
///
/// ```
/// use hypostyle::{Recurrence, scan};
///
/// /// y = max(y' / 2, x)
/// #[derive(Clone)]
/// struct FadingPeak;
///
/// impl Recurrence for FadingPeak {
///     type Input = f64;
///     type Output = f64;
///     type State = f64;
///     fn start(&self) -> f64 {
///         0.0
///     }
///     fn step(&self, peak: &mut f64, x: f64) -> Option<f64> {
///         *peak = (*peak / 2.0).max(x);
///         Some(*peak)
///     }
///     fn skip(&self, peak: &mut f64) -> Option<f64> {
///         Some(*peak)
///     }
/// }
/// assert_eq!(scan(&FadingPeak, &[4.0, 1.0, 3.0]), [Some(4.0), Some(2.0), Some(3.0)]);
/// ```
pub fn scan<R: Recurrence>(recurrence: &R, rows: &[R::Input]) -> Vec<Option<R::Output>> {
    let mut state = recurrence.start();
    rows.iter().map(|x| recurrence.step(&mut state, *x)).collect()
}
