//! Cumulative statistics under the names that users know.  They are the expanding kernels; the sum of integers is an integer.

use arrow::datatypes::DataType;

use super::whole::{halves, number};
use super::{count, extremum, mean, product, sum::Sum};
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::{COLUMN, FROM_ONE};
use crate::run::{Bare, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Family, Literal};
use crate::values::type_of_sum;

/// The sum of integers, in 128 bits; null in rows where it does not fit into the type of the result.
#[derive(Debug, Clone)]
struct ExactSum {
    /// Whether the values are of u64: then their top bit is flipped.
    of_u64: bool,
    /// Whether the result is one.
    to_u64: bool,
    min_samples: i64,
}

impl ExactSum {
    fn result(&self, [low, high, count]: [i64; 3]) -> Option<i64> {
        let sum = number([low, high]);
        if count < self.min_samples {
            None
        } else if self.to_u64 {
            u64::try_from(sum).ok().map(|sum| sum.cast_signed() ^ i64::MIN)
        } else {
            i64::try_from(sum).ok()
        }
    }
}

impl Recurrence for ExactSum {
    type Input = i64;
    type Output = i64;
    /// The sum, its lower half first, and the number of values.
    type State = [i64; 3];

    fn start(&self) -> [i64; 3] {
        [0; 3]
    }

    #[inline]
    fn step(&self, state: &mut [i64; 3], x: i64) -> Option<i64> {
        let x = if self.of_u64 { i128::from((x ^ i64::MIN).cast_unsigned()) } else { i128::from(x) };
        let [low, high, count] = *state;
        let [low, high] = halves(number([low, high]) + x);
        *state = [low, high, count + 1];
        self.result(*state)
    }

    #[inline]
    fn skip(&self, state: &mut [i64; 3]) -> Option<i64> {
        self.result(*state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?.with_decimals());
    let column = arguments.column("column")?;
    let min_samples = i64::try_from(arguments.count("min_samples")?).unwrap_or(i64::MAX);
    Ok(window.plan(move |window, binding| {
        let (_, data_type) = binding.column(&column)?;
        let output = match data_type {
            DataType::Boolean => DataType::Int64,
            other if other.is_unsigned_integer() => DataType::UInt64,
            other if other.is_integer() => DataType::Int64,
            DataType::Duration(_) => data_type.clone(),
            decimal if decimal.is_decimal() => type_of_sum(decimal),
            _ => {
                let wiring = inputs.bind::<f64, f64>(binding)?;
                return window.statistic(binding, wiring, Sum, Bare);
            }
        };
        let (of_u64, to_u64) = (*data_type == DataType::UInt64, output == DataType::UInt64);
        let inputs = inputs.clone().returning(output);
        Plan::recurrence(inputs, ExactSum { of_u64, to_u64, min_samples }).bind(binding)
    }))
}

const EXAMPLE: &[(&str, Literal)] = &[("column", Literal::Text("x"))];

pub(crate) const CUM_SUM: Entry = Entry {
    names: &["cum_sum"],
    shape: Shape::Single(Family::Expanding),
    summary: "Running sum.",
    formula: "y[i] = sum of x[j] for j <= i",
    notes: "Integers and booleans give 64-bit integers, exactly, durations a duration and decimals a decimal; a row where the sum is outside 64 bits is \
            null. Floats are summed as by `expanding_sum`. A null row returns the sum so far (pandas and Polars: null); a NaN stays.",
    source: "pandas `Series.cumsum`, polars `Expr.cum_sum`.",
    parameters: &[COLUMN, FROM_ONE],
    example: EXAMPLE,
    plan,
    #[cfg(test)]
    reference: reference::cum_sum,
};

pub(crate) const CUM_PROD: Entry = Entry {
    names: &["cum_prod"],
    summary: "Running product.",
    formula: "y[i] = product of x[j] for j <= i",
    notes: "A float, also of integers. A null row returns the product so far (pandas and Polars: null); a NaN stays. Relative error \
            n eps for n values.",
    source: "pandas `Series.cumprod`, polars `Expr.cum_prod`; as `expanding_product`.",
    plan: product::PRODUCT.plan,
    #[cfg(test)]
    reference: product::PRODUCT.reference,
    ..CUM_SUM
};

pub(crate) const CUM_MIN: Entry = Entry {
    names: &["cum_min"],
    summary: "Smallest value so far.",
    formula: "y[i] = min of x[j] for j <= i",
    notes: "The column's type is kept: numbers, decimals, booleans, dates, times and durations. A null row returns the value so far (pandas and \
            Polars: null); a NaN stays (Polars skips it). Exact.",
    source: "pandas `Series.cummin`, polars `Expr.cum_min`; as `expanding_min`.",
    plan: extremum::MIN.plan,
    #[cfg(test)]
    reference: extremum::MIN.reference,
    ..CUM_SUM
};

pub(crate) const CUM_MAX: Entry = Entry {
    names: &["cum_max"],
    summary: "Largest value so far: the high-water mark.",
    formula: "y[i] = max of x[j] for j <= i",
    source: "pandas `Series.cummax`, polars `Expr.cum_max`; as `expanding_max`.",
    plan: extremum::MAX.plan,
    #[cfg(test)]
    reference: extremum::MAX.reference,
    ..CUM_MIN
};

pub(crate) const CUM_COUNT: Entry = Entry {
    names: &["cum_count"],
    summary: "Number of values (not null) so far.",
    formula: "y[i] = number of j <= i where x[j] is not null",
    notes: "Takes columns of every type and returns a 64-bit integer. NaN is a value and counts. Exact.",
    source: "polars `Expr.cum_count`; as `expanding_count`.",
    parameters: count::COUNT.parameters,
    plan: count::COUNT.plan,
    #[cfg(test)]
    reference: count::COUNT.reference,
    ..CUM_SUM
};

pub(crate) const CUM_MEAN: Entry = Entry {
    names: &["cum_mean"],
    summary: "Mean of all values so far.",
    formula: "y[i] = mean of x[j] for j <= i",
    notes: "A null row returns the mean so far; a NaN stays. Relative error as for `expanding_mean`.",
    source: "pandas `Series.expanding().mean()`; as `expanding_mean`.",
    plan: mean::MEAN.plan,
    #[cfg(test)]
    reference: mean::MEAN.reference,
    ..CUM_SUM
};

#[cfg(test)]
mod reference {
    use super::super::sum::SUM;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, min_samples, text};

    pub fn cum_sum(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let name = text(spec, "column");
        let Some(values) = table.whole_numbers(&name) else { return (SUM.reference)(spec, table, field) };
        let within =
            |sum: i128| if name == "unsigned" { u64::try_from(sum).is_ok() } else { i64::try_from(sum).is_ok() };
        (0..values.len())
            .map(|row| {
                let so_far: Vec<i128> = values[..=row].iter().flatten().copied().collect();
                let sum: i128 = so_far.iter().sum();
                exact((so_far.len() >= min_samples(spec) && within(sum)).then_some(sum as f64))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DurationSecondArray, Int8Array, Int64Array, RecordBatch, UInt8Array, UInt64Array};

    use crate::{KernelSpec, evaluate};

    fn cum_sum(x: ArrayRef) -> ArrayRef {
        let table = RecordBatch::try_from_iter_with_nullable([("x", x, true)]).unwrap();
        evaluate(&table, &[KernelSpec::new("cum_sum").with("column", "x")], Some(1)).unwrap().column(0).clone()
    }

    #[test]
    fn integers_are_summed_exactly() {
        let max = i64::MAX;
        let x: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(max), Some(1), Some(-2), None]));
        let right: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(max), None, Some(max - 1), Some(max - 1)]));
        assert_eq!(&cum_sum(x), &right);
        let x: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX - 1, 1, 1]));
        let right: ArrayRef = Arc::new(UInt64Array::from(vec![Some(u64::MAX - 1), Some(u64::MAX), None]));
        assert_eq!(&cum_sum(x), &right);
        let x: ArrayRef = Arc::new(UInt8Array::from(vec![200, 100]));
        let right: ArrayRef = Arc::new(UInt64Array::from(vec![200, 300]));
        assert_eq!(&cum_sum(x), &right);
        let x: ArrayRef = Arc::new(Int8Array::from(vec![100, 100]));
        let right: ArrayRef = Arc::new(Int64Array::from(vec![100, 200]));
        assert_eq!(&cum_sum(x), &right);
        let x: ArrayRef = Arc::new(DurationSecondArray::from(vec![90, -30]));
        let right: ArrayRef = Arc::new(DurationSecondArray::from(vec![90, 60]));
        assert_eq!(&cum_sum(x), &right);
    }
}
