//! How many values a window holds.

use super::Statistic;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::windowed::{BY, CENTER, CLOSED, COLUMN, STEP, WINDOW, expanding, expanding_spec, rolling, rolling_spec};

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

pub(crate) const ROLLING_COUNT: Kernel = Kernel {
    name: "rolling_count",
    family: Family::Rolling,
    summary: "Number of values (not null) in a moving window.",
    formula: "y[i] = number of j in the window of row i where x[j] is not null",
    notes: "Takes columns of every type and gives a 64-bit integer. `min_samples` is 0 unless given: a count is known from \
            the first row on. NaN is a value and counts. Exact.",
    source: "pandas `Series.rolling().count()`.",
    parameters: &[
        COLUMN,
        WINDOW,
        BY,
        Parameter::optional(
            "min_samples",
            Kind::Count,
            Literal::Count(0),
            "The least number of values for an answer; below it the answer is null.",
        ),
        CLOSED,
        CENTER,
        STEP,
    ],
    example: r#""x", 2"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Count),
};

pub(crate) const EXPANDING_COUNT: Kernel = Kernel {
    name: "expanding_count",
    family: Family::Expanding,
    summary: "Number of values (not null) so far.",
    formula: "y[i] = number of j <= i where x[j] is not null",
    notes: "Takes columns of every type and gives a 64-bit integer. `min_samples` is 0 unless given. NaN is a value and counts. \
            Exact.",
    source: "pandas `Series.expanding().count()`.",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "min_samples",
            Kind::Count,
            Literal::Count(0),
            "The least number of values for an answer; below it the answer is null.",
        ),
    ],
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Count),
};

/// Number of values (not null) in a moving window.
pub fn rolling_count(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_count", column, window)
}

/// Number of values (not null) so far.
pub fn expanding_count(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_count", column)
}
