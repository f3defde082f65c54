//! How many distinct values a window holds: a count for each of them.

use std::marker::PhantomData;

use arrow::datatypes::DataType;
use hashbrown::HashMap;

use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::OrderedWindow;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Literal};

/// The number of distinct values.
#[derive(Debug, Clone)]
pub struct NUnique<T>(PhantomData<T>);

impl<T: Value> OrderedWindow for NUnique<T> {
    type Input = T;
    type Output = i64;
    /// How often each value occurs.
    type State = HashMap<u64, u32>;

    fn empty(&self) -> Self::State {
        HashMap::new()
    }

    fn insert(&self, state: &mut Self::State, x: T) {
        *state.entry(x.sortable()).or_insert(0) += 1;
    }

    fn remove(&self, state: &mut Self::State, x: T) {
        if let Some(count) = state.get_mut(&x.sortable()) {
            *count -= 1;
            if *count == 0 {
                state.remove(&x.sortable());
            }
        }
    }

    fn answer(&self, state: &Self::State, _: Option<T>) -> Option<i64> {
        i64::try_from(state.len()).ok()
    }

    fn answer_empty(&self) -> Option<i64> {
        Some(0)
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.allocation_size()
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals_and_texts().returning(DataType::Int64);
    Plan::ordered_exactly(arguments, inputs, NUnique::<f64>(PhantomData), NUnique::<i64>(PhantomData))
}

pub(crate) const NUNIQUE: Entry = Entry {
    names: &["rolling_nunique", "expanding_nunique"],
    shape: Shape::Windowed,
    summary: "Number of distinct values {in a moving window|so far}.",
    formula: "y[i] = number of distinct x[j] for {j in the window of row i|j <= i}",
    notes: "Returns a 64-bit integer. Nulls are skipped and do not count for `min_samples`; a window without values has 0. NaN is a value, and all NaNs are \
            equal. Exact, for integers, decimals, booleans, dates, times and texts too.",
    source: "pandas `Series.{rolling|expanding}().nunique()`; a hash table of counts.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(3)), ("min_samples", Literal::Count(1))],
    plan,
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
        of_column(spec, &table.exact(), |window| {
            let bits = |x: &f64| if x.is_nan() { u64::MAX } else { (x + 0.0).to_bits() };
            let distinct: HashSet<u64> = window.iter().map(bits).collect();
            exact(Some(distinct.len() as f64))
        })
    }
}
