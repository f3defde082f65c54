//! The value of another row.  It keeps the column's type: integers, booleans, dates and times are read as
//! `i64`, texts as codes.

use std::marker::PhantomData;

use super::PARAMETERS;
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::Neighbors;
use crate::run::{Away, Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};
use crate::values::Domain;

/// The value of the other row.
#[derive(Debug, Clone)]
struct Shift<T>(PhantomData<T>);

impl<T: Value> Neighbors for Shift<T> {
    type Input = T;
    type Output = T;

    const NEEDS_OWN: bool = false;

    #[inline(always)]
    fn pair(&self, _: T, other: T) -> T {
        other
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (inputs, column) = (Inputs::of(arguments, &["column"])?.with_decimals_and_texts(), arguments.column("column")?);
    Ok(Away::of(arguments)?.plan(inputs, move |away, inputs, binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => away.kernel(binding, inputs.bind::<i64, i64>(binding)?, Shift::<i64>(PhantomData)),
        _ => away.kernel(binding, inputs.bind::<f64, f64>(binding)?, Shift::<f64>(PhantomData)),
    }))
}

pub(crate) const SHIFT: Entry = Entry {
    names: &["shift"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Value some rows or some time ago: lag, or lead.",
    formula: "y[i] = x[i - n]; with a duration: x of the last row j with time[j] <= time[i] - n",
    notes: "The column's type is kept: numbers, decimals, booleans, dates, times, durations and texts. Rows without such an earlier row are null, \
            and so are rows whose other row is null; the row's own value does not matter. Exact.",
    source: "pandas `Series.shift`, polars `Expr.shift`; by time: an `ASOF` join of a table with itself.",
    parameters: PARAMETERS,
    example: &[("column", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::shift,
};

#[cfg(test)]
mod reference {
    use super::super::reference::others;
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact};

    pub fn shift(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
        others(spec, table).into_iter().map(|other| exact(other.and_then(|other| values[other]))).collect()
    }
}
