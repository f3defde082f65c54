//! A recurrence over the rows in order: one step per row, the simplest driver.

use super::{Answers, Driver, Rows};
use crate::error::Result;
use crate::model::Recurrence;
use crate::values::{Persist, StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct Scan<R>(pub R);

impl<R: Recurrence> Driver for Scan<R> {
    type Input = R::Input;
    type Output = R::Output;
    type State = R::State;

    const SMALL_STATE: bool = true;

    fn start(&self) -> R::State {
        self.0.start()
    }

    fn run(&self, state: &mut R::State, rows: Rows<R::Input>, mut answers: Answers<R::Output>) {
        // Moved to a place of its own, where the compiler can keep it in registers; without a copy of what it holds.
        let mut now = std::mem::replace(state, self.0.start());
        if rows.valid.is_none() {
            let results = answers.values.iter_mut().zip(answers.valid.iter_mut());
            for (x, (value, valid)) in rows.values.iter().zip(results) {
                match self.0.step(&mut now, *x) {
                    Some(answer) => *value = answer,
                    None => *valid = false,
                }
            }
        } else {
            for i in 0..rows.len() {
                let answer = match rows.get(i) {
                    Some(x) => self.0.step(&mut now, x),
                    None => self.0.skip(&mut now),
                };
                answers.set(i, answer);
            }
        }
        *state = now;
    }

    fn run_interleaved(
        &self,
        states: &mut [R::State],
        keys: &[u32],
        rows: Rows<R::Input>,
        mut answers: Answers<R::Output>,
    ) {
        for (i, key) in keys.iter().enumerate() {
            let state = &mut states[*key as usize];
            let answer = match rows.get(i) {
                Some(x) => self.0.step(state, x),
                None => self.0.skip(state),
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
