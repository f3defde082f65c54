//! First and last value.  Exact, so the input's type is kept: integers, booleans, dates and times are read as
//! `i64`, texts as codes.

use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::Statistic;
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Entry, Example, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Literal};
use crate::values::Domain;

/// The first value, or the last.
#[derive(Debug, Clone)]
pub struct FirstLast<T, const LAST: bool>(std::marker::PhantomData<T>);

impl<T, const LAST: bool> FirstLast<T, LAST> {
    /// The statistic.
    pub fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T, const LAST: bool> Default for FirstLast<T, LAST> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Value + From<i8>, const LAST: bool> Statistic for FirstLast<T, LAST> {
    type Input = T;
    type Output = T;
    /// The value, and 1 if there is one, else 0.
    type State = [T; 2];

    const TOTAL: bool = true;

    fn empty(&self) -> [T; 2] {
        [T::from(0); 2]
    }

    #[inline(always)]
    fn push(&self, state: &mut [T; 2], x: T, _anchor: T) {
        *state = self.merge(state, &[x, T::from(1)]);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[T; 2], later: &[T; 2]) -> [T; 2] {
        let (wanted, other) = if LAST { (later, earlier) } else { (earlier, later) };
        if wanted[1] > T::from(0) { *wanted } else { *other }
    }

    #[inline(always)]
    fn finish(&self, state: &[T; 2], _count: usize, _anchor: T) -> Option<T> {
        Some(state[0])
    }
}

fn plan<const LAST: bool>(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?.with_decimals_and_texts());
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => {
            let wiring = inputs.bind::<i64, i64>(binding)?;
            window.statistic(binding, wiring, FirstLast::<i64, LAST>::new(), Bare)
        }
        _ => {
            let wiring = inputs.bind::<f64, f64>(binding)?;
            window.statistic(binding, wiring, FirstLast::<f64, LAST>::new(), Bare)
        }
    }))
}

const EXAMPLE: Example = &[("column", Literal::Text("x")), ("window", Literal::Count(2))];

const NOTES: &str = "Keeps the input's type, including integers, decimals, booleans, dates, times and texts. Nulls are skipped and do not count for \
    `min_samples`. Exact.";

pub(crate) const FIRST: Entry = Entry {
    names: &["rolling_first", "expanding_first"],
    shape: Shape::Windowed,
    summary: "First value {in a moving window|so far}.",
    formula: "y[i] = x[j] for the smallest j {in the window of row i|<= i} where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.{rolling|expanding}().first()`.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<false>,
    #[cfg(test)]
    reference: reference::first,
};

pub(crate) const LAST: Entry = Entry {
    names: &["rolling_last", "expanding_last"],
    shape: Shape::Windowed,
    summary: "Last value {in a moving window|so far}.",
    formula: "y[i] = x[j] for the largest j {in the window of row i|<= i} where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.{rolling|expanding}().last()`{|, `Series.ffill()`}.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<true>,
    #[cfg(test)]
    reference: reference::last,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, of_column};

    pub fn first(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| exact(window.first().copied()))
    }

    pub fn last(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| exact(window.last().copied()))
    }
}
