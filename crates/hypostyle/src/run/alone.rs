//! A recurrence over a column and numbers: a row is the value alone, and nothing is copied to make it.

use crate::model::Recurrence;

/// A recurrence of which all inputs but one are numbers.
#[derive(Debug, Clone)]
pub(super) struct Alone<R, const K: usize> {
    pub(super) rule: R,
    /// Which of the inputs is the column.
    pub(super) place: usize,
    /// The numbers; the one at the column's place does not matter.
    pub(super) numbers: [f64; K],
}

impl<R, const K: usize> Alone<R, K> {
    #[inline(always)]
    fn row(&self, x: f64) -> [f64; K] {
        std::array::from_fn(|k| if k == self.place { x } else { self.numbers[k] })
    }
}

impl<R: Recurrence<Input = [f64; K]>, const K: usize> Recurrence for Alone<R, K> {
    type Input = f64;
    type Output = R::Output;
    type State = R::State;

    fn start(&self) -> R::State {
        self.rule.start()
    }

    #[inline(always)]
    fn step(&self, state: &mut R::State, x: f64) -> Option<R::Output> {
        self.rule.step(state, self.row(x))
    }

    #[inline(always)]
    fn steps(&self, state: &mut R::State, rows: impl Iterator<Item = f64>, answer: impl FnMut(Option<R::Output>)) {
        self.rule.steps(state, rows.map(|x| self.row(x)), answer);
    }

    #[inline(always)]
    fn skip(&self, state: &mut R::State) -> Option<R::Output> {
        self.rule.skip(state)
    }
}
