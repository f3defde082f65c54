//! How many different values a window holds: a count for each of them.

use arrow::datatypes::DataType;
use hashbrown::HashMap;

use super::OrderedWindow;
use crate::catalogue::{Family, Kernel};
use crate::windowed::{
    EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding_ordered, expanding_spec, rolling_ordered, rolling_spec,
};

/// The number of different values.
#[derive(Debug, Clone)]
pub struct Distinct;

/// All NaNs are one value, and -0 is 0.
pub(super) fn name(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

impl OrderedWindow for Distinct {
    type Input = f64;
    type Output = i64;
    /// How often each value is there.
    type State = HashMap<u64, u32>;

    fn answer_type(_: DataType) -> DataType {
        DataType::Int64
    }

    fn empty(&self) -> Self::State {
        HashMap::new()
    }

    fn insert(&self, state: &mut Self::State, x: f64) {
        *state.entry(name(x)).or_insert(0) += 1;
    }

    fn remove(&self, state: &mut Self::State, x: f64) {
        if let Some(count) = state.get_mut(&name(x)) {
            *count -= 1;
            if *count == 0 {
                state.remove(&name(x));
            }
        }
    }

    fn answer(&self, state: &Self::State, _: Option<f64>) -> Option<i64> {
        i64::try_from(state.len()).ok()
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.allocation_size()
    }
}

const NOTES: &str = "Gives a 64-bit integer. Nulls are skipped and do not count for `min_samples`; NaN is a value, and all NaNs \
    are the same. Exact, but that integers beyond 2^53 are rounded to floats first.";

pub(crate) const ROLLING_NUNIQUE: Kernel = Kernel {
    name: "rolling_nunique",
    family: Family::Rolling,
    summary: "Number of different values in a moving window.",
    formula: "y[i] = number of different x[j] for j in the window of row i",
    notes: NOTES,
    source: "pandas `Series.rolling().nunique()`; a hash table of counts.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 3"#,
    build: |arguments, schema| rolling_ordered(arguments, schema, &["column"], Distinct),
};

pub(crate) const EXPANDING_NUNIQUE: Kernel = Kernel {
    name: "expanding_nunique",
    family: Family::Expanding,
    summary: "Number of different values so far.",
    formula: "y[i] = number of different x[j] for j <= i",
    notes: NOTES,
    source: "pandas `Series.expanding().nunique()`; a hash table of counts.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding_ordered(arguments, schema, &["column"], Distinct),
};

/// Number of different values in a moving window.
pub fn rolling_nunique(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_nunique", column, window)
}

/// Number of different values so far.
pub fn expanding_nunique(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_nunique", column)
}
