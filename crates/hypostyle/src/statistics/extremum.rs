//! Least and greatest value.  Exact, so the input's type is kept: integers, booleans, dates and times go through `i64`.

use arrow::datatypes::Schema;

use super::{Part, Statistic};
use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel};
use crate::column::{Domain, Input, Output};
use crate::error::Result;
use crate::kernel::Running;
use crate::record::Record;
use crate::windowed::{
    EXPANDING_PARAMETERS, ROLLING_PARAMETERS, column_domain, expanding, expanding_spec, rolling, rolling_spec,
};

/// The least value, or the greatest.
#[derive(Debug, Clone)]
pub struct Extremum<T, const GREATEST: bool>(std::marker::PhantomData<T>);

impl<T, const GREATEST: bool> Extremum<T, GREATEST> {
    /// The statistic.
    pub fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T, const GREATEST: bool> Default for Extremum<T, GREATEST> {
    fn default() -> Self {
        Self::new()
    }
}

/// A type with a least and a greatest value, where NaN wins against everything.
pub trait Ranked: Input + Output + Record + Part + PartialOrd {
    /// Below everything.
    const LEAST: Self;
    /// Above everything.
    const GREATEST: Self;
}

impl Ranked for f64 {
    const LEAST: Self = Self::NEG_INFINITY;
    const GREATEST: Self = Self::INFINITY;
}

impl Ranked for i64 {
    const LEAST: Self = Self::MIN;
    const GREATEST: Self = Self::MAX;
}

impl<T: Ranked, const GREATEST: bool> Extremum<T, GREATEST> {
    /// The later one where it is more extreme or NaN; NaN stays once it is there.
    #[inline(always)]
    #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
    pub(super) fn pick(now: T, x: T) -> T {
        let beats = if GREATEST { x > now } else { x < now };
        if beats || x != x { x } else { now }
    }
}

impl<T: Ranked, const GREATEST: bool> Statistic for Extremum<T, GREATEST> {
    type Input = T;
    type Output = T;
    type State = T;

    const TOTAL: bool = true;

    fn empty(&self) -> T {
        if GREATEST { T::LEAST } else { T::GREATEST }
    }

    #[inline(always)]
    fn push(&self, extreme: &mut T, x: T, _anchor: T) {
        *extreme = Self::pick(*extreme, x);
    }

    #[inline(always)]
    fn merge(&self, earlier: &T, later: &T) -> T {
        Self::pick(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, extreme: &T, _count: usize, _anchor: T) -> Option<T> {
        Some(*extreme)
    }
}

fn rolling_extremum<const GREATEST: bool>(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    match column_domain(arguments, schema, "column")? {
        Domain::Integer => rolling(arguments, schema, &["column"], Extremum::<i64, GREATEST>::new()),
        _ => rolling(arguments, schema, &["column"], Extremum::<f64, GREATEST>::new()),
    }
}

const NOTES: &str = "Keeps the input's type: integers, booleans, dates and times too. Nulls are skipped and do not count for \
    `min_samples`; a window with a NaN gives NaN. Exact.";

pub(crate) const ROLLING_MIN: Kernel = Kernel {
    name: "rolling_min",
    family: Family::Rolling,
    summary: "Least value in a moving window.",
    formula: "y[i] = min of x[j] for j in the window of row i",
    notes: NOTES,
    source: "van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: rolling_extremum::<false>,
};

pub(crate) const ROLLING_MAX: Kernel = Kernel {
    name: "rolling_max",
    family: Family::Rolling,
    summary: "Greatest value in a moving window.",
    formula: "y[i] = max of x[j] for j in the window of row i",
    notes: NOTES,
    source: "van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: rolling_extremum::<true>,
};

pub(crate) const EXPANDING_MAX: Kernel = Kernel {
    name: "expanding_max",
    family: Family::Expanding,
    summary: "Greatest value so far.",
    formula: "y[i] = max of x[j] for j <= i",
    notes: NOTES,
    source: "pandas `Series.expanding().max()`.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| match column_domain(arguments, schema, "column")? {
        Domain::Integer => expanding(arguments, schema, &["column"], Extremum::<i64, true>::new()),
        _ => expanding(arguments, schema, &["column"], Extremum::<f64, true>::new()),
    },
};

pub(crate) const EXPANDING_MIN: Kernel = Kernel {
    name: "expanding_min",
    family: Family::Expanding,
    summary: "Least value so far.",
    formula: "y[i] = min of x[j] for j <= i",
    notes: NOTES,
    source: "pandas `Series.expanding().min()`.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| match column_domain(arguments, schema, "column")? {
        Domain::Integer => expanding(arguments, schema, &["column"], Extremum::<i64, false>::new()),
        _ => expanding(arguments, schema, &["column"], Extremum::<f64, false>::new()),
    },
};

/// Least value in a moving window.
pub fn rolling_min(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_min", column, window)
}

/// Greatest value in a moving window.
pub fn rolling_max(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_max", column, window)
}

/// Greatest value so far.
pub fn expanding_max(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_max", column)
}

/// Least value so far.
pub fn expanding_min(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_min", column)
}
