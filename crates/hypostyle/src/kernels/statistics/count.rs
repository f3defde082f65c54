//! The number of values.

use crate::model::Statistic;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Kind, Literal, Parameter};

/// The number of values.
#[derive(Debug, Clone)]
pub struct Count;

impl Statistic for Count {
    type Input = ();
    type Output = i64;
    /// Nothing: every driver counts.
    type State = [i64; 0];

    const TOTAL: bool = true;

    fn empty(&self) -> [i64; 0] {
        []
    }

    #[inline(always)]
    fn push(&self, _: &mut [i64; 0], (): (), (): ()) {}

    #[inline(always)]
    fn merge(&self, _: &[i64; 0], _: &[i64; 0]) -> [i64; 0] {
        []
    }

    #[inline(always)]
    fn finish(&self, _: &[i64; 0], count: usize, (): ()) -> Option<i64> {
        i64::try_from(count).ok()
    }

    fn finish_empty(&self) -> Option<i64> {
        Some(0)
    }
}

/// In place of the shared parameter: without values the count is 0, not null.
const FROM_ZERO: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Count(0),
    "The minimum number of values; with fewer the result is null.",
);

pub(crate) const COUNT: Entry = Entry {
    names: &["rolling_count", "expanding_count"],
    shape: Shape::Windowed,
    summary: "Number of values (not null) {in a moving window|so far}.",
    formula: "y[i] = number of j {in the window of row i|<= i} where x[j] is not null",
    notes: "Takes columns of every type and returns a 64-bit integer. `min_samples` is 0 by default{, as a count is known from the \
            first row on|}. NaN is a value and counts. Exact.",
    source: "pandas `Series.{rolling|expanding}().count()`.",
    parameters: &[COLUMN, FROM_ZERO],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(2))],
    plan: |arguments| Plan::statistic(arguments, &["column"], Count),
    #[cfg(test)]
    reference: reference::count,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, of_column};

    pub fn count(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| exact(Some(window.len() as f64)))
    }
}
