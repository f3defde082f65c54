//! First and last value.  Exact, so the input's type is kept: integers, booleans, dates and times go through `i64`.

use arrow::datatypes::Schema;

use super::Statistic;
use super::extremum::Ranked;
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel};
use crate::column::Domain;
use crate::error::Result;
use crate::kernel::Running;
use crate::windowed::{
    EXPANDING_PARAMETERS, ROLLING_PARAMETERS, column_domain, expanding, expanding_spec, rolling, rolling_spec,
};

/// The first value, or the last.
#[derive(Debug, Clone)]
pub struct Edge<T, const LAST: bool>(std::marker::PhantomData<T>);

impl<T, const LAST: bool> Edge<T, LAST> {
    /// The statistic.
    pub fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T, const LAST: bool> Default for Edge<T, LAST> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ranked + From<i8>, const LAST: bool> Statistic for Edge<T, LAST> {
    type Input = T;
    type Output = T;
    /// The value, and 1 where there is one.
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

fn rolling_edge<const LAST: bool>(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    match column_domain(arguments, schema, "column")? {
        Domain::Integer => rolling(arguments, schema, &["column"], Edge::<i64, LAST>::new()),
        _ => rolling(arguments, schema, &["column"], Edge::<f64, LAST>::new()),
    }
}

fn expanding_edge<const LAST: bool>(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    match column_domain(arguments, schema, "column")? {
        Domain::Integer => expanding(arguments, schema, &["column"], Edge::<i64, LAST>::new()),
        _ => expanding(arguments, schema, &["column"], Edge::<f64, LAST>::new()),
    }
}

const NOTES: &str = "Keeps the input's type: integers, booleans, dates and times too. Nulls are skipped and do not count for \
    `min_samples`. Exact.";

pub(crate) const ROLLING_FIRST: Kernel = Kernel {
    name: "rolling_first",
    family: Family::Rolling,
    summary: "First value in a moving window.",
    formula: "y[i] = x[j] for the least j in the window of row i where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.rolling().first()`.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: rolling_edge::<false>,
};

pub(crate) const ROLLING_LAST: Kernel = Kernel {
    name: "rolling_last",
    family: Family::Rolling,
    summary: "Last value in a moving window.",
    formula: "y[i] = x[j] for the greatest j in the window of row i where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.rolling().last()`.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: rolling_edge::<true>,
};

pub(crate) const EXPANDING_FIRST: Kernel = Kernel {
    name: "expanding_first",
    family: Family::Expanding,
    summary: "First value so far.",
    formula: "y[i] = x[j] for the least j <= i where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.expanding().first()`.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: expanding_edge::<false>,
};

pub(crate) const EXPANDING_LAST: Kernel = Kernel {
    name: "expanding_last",
    family: Family::Expanding,
    summary: "Last value so far.",
    formula: "y[i] = x[j] for the greatest j <= i where x[j] is not null",
    notes: NOTES,
    source: "pandas `Series.expanding().last()`, `Series.ffill()`.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: expanding_edge::<true>,
};

/// First value in a moving window.
pub fn rolling_first(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_first", column, window)
}

/// Last value in a moving window.
pub fn rolling_last(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_last", column, window)
}

/// First value so far.
pub fn expanding_first(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_first", column)
}

/// Last value so far.
pub fn expanding_last(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_last", column)
}
