//! The next value, for rows that have none.  It keeps the column's type, as the forward fill does.

use std::marker::PhantomData;

use super::Reach;
use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::{Beside, GapFill, RowPlace};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::Domain;

/// See the module.
#[derive(Debug, Clone)]
struct BackwardFill<T> {
    /// The largest number of rows that a value is carried.
    limit: usize,
    /// The longest time that a value is carried.
    within: u64,
    value: PhantomData<T>,
}

impl<T: Value> GapFill for BackwardFill<T> {
    type Value = T;

    #[inline]
    fn fill(&self, _: Option<Beside<T>>, place: RowPlace, after: Option<Beside<T>>) -> Option<T> {
        let near =
            |after: &Beside<T>| place.rows_to(after.place) <= self.limit && place.time_to(after.place) <= self.within;
        after.filter(near).map(|after| after.value)
    }

    fn carries_back(&self) -> bool {
        self.limit == usize::MAX && self.within == u64::MAX
    }

    #[inline(always)]
    fn either(&self, is_first: bool, first: T, second: T) -> T {
        T::either(is_first, first, second)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, reach) = (arguments.column("column")?, Reach::of(arguments)?);
    Ok(Plan::of_all_rows(move |binding| {
        let inputs = Inputs::columns([&column]).with_decimals_and_texts().returning(binding.column(&column)?.1.clone());
        let domain = inputs.exact_domain(binding, &column)?;
        let limit = reach.limit.unwrap_or(usize::MAX);
        let (inputs, within) = match reach.within(binding)? {
            Some((within, by)) => (inputs.sorted_by(by), within),
            None => (inputs, u64::MAX),
        };
        match domain {
            Domain::Integer => Plan::gaps(&inputs, binding, BackwardFill::<i64> { limit, within, value: PhantomData }),
            _ => Plan::gaps(&inputs, binding, BackwardFill::<f64> { limit, within, value: PhantomData }),
        }
    }))
}

pub(crate) const BFILL: Entry = Entry {
    names: &["bfill"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Backward fill: the next value, as long as it is not more than some rows or some time away.",
    formula: "y[i] = x[k], where k >= i is the next row with a value, if k - i <= limit and by[k] - by[i] <= within, else null",
    notes: "The column's type is kept: numbers, decimals, booleans, dates, times, durations and texts. Without `limit` and `within` a value is carried \
            without end. Both limits include their end, and both apply if both are given. A NaN is a value. Rows after the last \
            value are null. It needs later rows, so it works over whole columns in memory only, not in a stage or a pipeline. Exact.",
    source: "pandas `Series.bfill`, polars `Expr.backward_fill`, whose limits count rows.",
    parameters: &[
        COLUMN,
        Parameter::usual(
            "limit",
            Kind::Count,
            Literal::Omitted,
            "The number of rows that a value is carried back at most, at least 1.",
        ),
        Parameter::optional(
            "within",
            Kind::Duration,
            Literal::Omitted,
            "The time that a value is carried back at most: a duration such as '5m' of the time column `by`, or an integer for an \
             integer time column.",
        ),
        Parameter::optional(
            "by",
            Kind::Time("within"),
            Literal::Omitted,
            "The time column, required if `within` is given. It must be sorted within each key and have no nulls.",
        ),
    ],
    example: &[("column", Literal::Text("x")), ("limit", Literal::Count(1))],
    plan,
    #[cfg(test)]
    reference: reference::bfill,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, length, number, text};

    pub fn bfill(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, limit) = (column(spec, table), number(spec, "limit").unwrap_or(f64::INFINITY));
        let near = |i: usize, k: usize| match spec.parameters.get("within") {
            None => true,
            Some(_) => {
                let times = table.times(&text(spec, "by"));
                times[k] - times[i] <= length(spec, "within")
            }
        };
        let at = |i: usize| {
            let k = (i..values.len()).find(|k| values[*k].is_some())?;
            values[k].filter(|_| (k - i) as f64 <= limit && near(i, k))
        };
        (0..values.len()).map(|i| exact(at(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, frame, refused};

    fn spec(column: &str) -> KernelSpec {
        KernelSpec::new("bfill").with("column", column)
    }

    #[test]
    fn worked_values() {
        let columns: [(&str, &[f64]); 2] = [
            ("x", &[NULL, 1.0, NULL, NULL, 2.0, NULL, f64::NAN, NULL]),
            ("t", &[0.0, 0.0, 4.0, 5.0, 9.0, 15.0, 20.0, 20.0]),
        ];
        let nan = f64::NAN;
        check(spec("x"), &columns, "", &[1.0, 1.0, 2.0, 2.0, 2.0, nan, nan, NULL]);
        check(spec("x").with("limit", 1), &columns, "", &[1.0, 1.0, NULL, 2.0, 2.0, nan, nan, NULL]);
        let within = spec("x").with("within", "4s").with("by", "t");
        check(within.clone(), &columns, "", &[1.0, 1.0, NULL, 2.0, 2.0, NULL, nan, NULL]);
        check(within.with("within", "5s").with("limit", 1), &columns, "", &[1.0, 1.0, NULL, 2.0, 2.0, nan, nan, NULL]);
        let filled = crate::evaluate(&frame(&columns), &[spec("t").alias("time")], Some(1)).unwrap();
        assert_eq!(filled.column(0), &frame(&columns)["t"]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec("x").with("limit", 0), "must be at least 1 row, got 0");
        refused(spec("x").with("within", "5s"), "required, because 'within' is given");
        refused(spec("x").with("by", "t"), "requires `within`");
        let error = crate::Stage::new(vec![spec("x")]).err().unwrap().to_string();
        assert_eq!(
            error,
            "bfill: it needs later rows, so it cannot run in a stage\nhelp: run it over a whole frame in memory"
        );
    }
}
