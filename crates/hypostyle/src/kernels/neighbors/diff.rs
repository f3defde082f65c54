//! The difference to another row.  Integers are subtracted exactly, times become durations.

use arrow::datatypes::{DataType, TimeUnit};

use super::PARAMETERS;
use crate::error::Result;
use crate::model::Neighbors;
use crate::run::{Away, Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};
use crate::values::{Domain, type_of_sum};

/// The difference of floats.
#[derive(Debug, Clone)]
struct Difference;

impl Neighbors for Difference {
    type Input = f64;
    type Output = f64;

    #[inline(always)]
    fn pair(&self, own: f64, other: f64) -> f64 {
        own - other
    }
}

/// The difference of integers, times a factor; none if it is outside 64 bits.
#[derive(Debug, Clone)]
struct ExactDifference {
    factor: i64,
}

impl Neighbors for ExactDifference {
    type Input = i64;
    type Output = i64;

    const TOTAL: bool = false;

    #[inline(always)]
    fn exists(&self, own: i64, other: i64) -> bool {
        let (difference, outside) = own.overflowing_sub(other);
        !outside & !difference.overflowing_mul(self.factor).1
    }

    #[inline(always)]
    fn pair(&self, own: i64, other: i64) -> i64 {
        own.wrapping_sub(other).wrapping_mul(self.factor)
    }
}

/// The type of a difference of integers or times, and the factor of its unit.
pub(crate) fn type_of_difference(data_type: &DataType) -> (DataType, i64) {
    match data_type {
        DataType::Date32 => (DataType::Duration(TimeUnit::Millisecond), 86_400_000),
        DataType::Date64 => (DataType::Duration(TimeUnit::Millisecond), 1),
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) | DataType::Duration(unit) => {
            (DataType::Duration(*unit), 1)
        }
        decimal if decimal.is_decimal() => (type_of_sum(decimal), 1),
        _ => (DataType::Int64, 1),
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (inputs, column) = (Inputs::of(arguments, &["column"])?.with_decimals(), arguments.column("column")?);
    Ok(Away::of(arguments)?.plan(inputs, move |away, inputs, binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => {
            let (output, factor) = type_of_difference(binding.column(&column)?.1);
            let wiring = inputs.clone().returning(output).bind::<i64, i64>(binding)?;
            away.kernel(binding, wiring, ExactDifference { factor })
        }
        _ => away.kernel(binding, inputs.bind::<f64, f64>(binding)?, Difference),
    }))
}

pub(crate) const DIFF: Entry = Entry {
    names: &["diff"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Difference to the value some rows or some time ago.",
    formula: "y[i] = x[i] - x[i - n]",
    notes: "Floats give floats, integers and booleans 64-bit integers, decimals a decimal, dates, times and durations a duration. A row is null if \
            either value is null or missing, or if a difference of integers leaves 64 bits. Exact for integers, decimals and times, one \
            rounding for floats.",
    source: "pandas `Series.diff`, polars `Expr.diff`; `n` as in `shift`.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::diff,
};

#[cfg(test)]
mod reference {
    use super::super::reference::others;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, text};

    pub fn diff(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let name = text(spec, "column");
        let others = others(spec, table);
        if let Some(values) = table.whole_numbers(&name) {
            let difference = |i: usize, j: usize| i64::try_from(values[i]? - values[j]?).ok();
            let results = others.into_iter().enumerate().map(|(i, j)| j.and_then(|j| difference(i, j)));
            return results.map(|y| exact(y.map(|y| y as f64))).collect();
        }
        let values = table.numbers(&name);
        let difference = |i: usize, j: usize| Some(values[i]? - values[j]?);
        others.into_iter().enumerate().map(|(i, j)| exact(j.and_then(|j| difference(i, j)))).collect()
    }
}
