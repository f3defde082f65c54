//! How many distinct values a window holds: a count for each of them.

use hashbrown::HashMap;

use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Plan, Shape};
use crate::spec::Literal;

/// The number of distinct values.
#[derive(Debug, Clone)]
pub struct NUnique;

/// The bits that identify a value: all NaNs are one value, and -0 is 0.
pub(super) fn value_bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

impl OrderedWindow for NUnique {
    type Input = f64;
    type Output = i64;
    /// How often each value occurs.
    type State = HashMap<u64, u32>;

    fn empty(&self) -> Self::State {
        HashMap::new()
    }

    fn insert(&self, state: &mut Self::State, x: f64) {
        *state.entry(value_bits(x)).or_insert(0) += 1;
    }

    fn remove(&self, state: &mut Self::State, x: f64) {
        if let Some(count) = state.get_mut(&value_bits(x)) {
            *count -= 1;
            if *count == 0 {
                state.remove(&value_bits(x));
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

pub(crate) const NUNIQUE: Entry = Entry {
    names: &["rolling_nunique", "expanding_nunique"],
    shape: Shape::Windowed,
    summary: "Number of distinct values {in a moving window|so far}.",
    formula: "y[i] = number of distinct x[j] for {j in the window of row i|j <= i}",
    notes: "Returns a 64-bit integer. Nulls are skipped and do not count for `min_samples`. NaN is a value, and all NaNs are \
            equal. Exact, except that integers beyond 2^53 are rounded to floats first.",
    source: "pandas `Series.{rolling|expanding}().nunique()`; a hash table of counts.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(3)), ("min_samples", Literal::Count(1))],
    plan: |arguments| Plan::ordered(arguments, &["column"], NUnique),
    #[cfg(test)]
    reference: reference::nunique,
};

/// The size of a set.
#[cfg(test)]
mod reference {
    use std::collections::HashSet;

    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, of_column};

    pub fn nunique(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| {
            let bits = |x: &f64| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() };
            let distinct: HashSet<u64> = window.iter().map(bits).collect();
            exact((!window.is_empty()).then_some(distinct.len() as f64))
        })
    }
}
