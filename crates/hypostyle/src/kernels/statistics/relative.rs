//! Statistics that do not change when the same number is added to all values of a column, over integers that a float cannot
//! hold: they see the exact differences to the anchor, a row of the same window.

use crate::error::Result;
use crate::model::Statistic;
use crate::run::{Bare, Inputs, Plan, Window};
use crate::spec::Arguments;
use crate::values::Difference;

/// The statistic of the differences to the anchor.
#[derive(Debug, Clone)]
pub struct Relative<S>(pub S);

impl<S: Statistic> Statistic for Relative<S>
where
    S::Input: Difference,
{
    type Input = <S::Input as Difference>::Exact;
    type Output = S::Output;
    type State = S::State;

    const ANCHORED: bool = true;
    const TOTAL: bool = S::TOTAL;
    const SLOW_PUSH: bool = S::SLOW_PUSH;
    const DEGREE: u32 = S::DEGREE;

    fn unscale(&self, answer: S::Output, exponents: &[i32]) -> S::Output {
        self.0.unscale(answer, exponents)
    }

    fn rescale(&self, state: &mut S::State, exponents: &[i32]) {
        self.0.rescale(state, exponents);
    }

    fn empty(&self) -> S::State {
        self.0.empty()
    }

    #[inline(always)]
    fn push(&self, state: &mut S::State, x: Self::Input, anchor: Self::Input) {
        let (x, anchor) = S::Input::relative(x, anchor);
        self.0.push(state, x, anchor);
    }

    #[inline(always)]
    fn push_front(&self, state: &mut S::State, x: Self::Input, anchor: Self::Input) {
        let (x, anchor) = S::Input::relative(x, anchor);
        self.0.push_front(state, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &S::State, later: &S::State) -> S::State {
        self.0.merge(earlier, later)
    }

    #[inline(always)]
    fn finish(&self, state: &S::State, count: usize, _anchor: Self::Input) -> Option<S::Output> {
        self.0.finish(state, count, S::Input::default())
    }
}

/// The plan of a statistic of the columns that these parameters name, which adding a number to all values of a column does not
/// change.
///
/// # Errors
/// As [`Plan::statistic`].
pub fn plan_of_differences<S>(arguments: &Arguments, parameters: &[&str], statistic: S) -> Result<Plan>
where
    S: Statistic,
    S::Input: Difference,
{
    let inputs = Inputs::of(arguments, parameters)?;
    Ok(Window::of(arguments)?.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            let wiring = inputs.bind_exactly(binding)?;
            window.statistic(binding, wiring, Relative(statistic.clone()), Bare)
        } else {
            let wiring = inputs.bind::<S::Input, S::Output>(binding)?;
            window.statistic(binding, wiring, statistic.clone(), Bare)
        }
    }))
}
