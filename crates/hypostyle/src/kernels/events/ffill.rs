//! The last value, for rows that have none, as long as it is not too old.  It keeps the column's type: integers, booleans, dates
//! and times are read as `i64`, texts as codes.

use std::marker::PhantomData;

use crate::error::Result;
use crate::kernels::gaps::Reach;
use crate::kernels::value::Value;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Binding, Entry, Inputs, Plan, Running, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::Domain;

/// See the module.
#[derive(Debug, Clone)]
struct ForwardFill<T> {
    /// The largest number of rows that a value is carried.
    limit: i64,
    value: PhantomData<T>,
}

impl<T: Value> Recurrence for ForwardFill<T> {
    type Input = T;
    type Output = T;
    /// The last value, and how many rows ago it was.
    type State = (Option<T>, i64);

    fn start(&self) -> Self::State {
        (None, 0)
    }

    #[inline]
    fn step(&self, state: &mut Self::State, x: T) -> Option<T> {
        *state = (Some(x), 0);
        Some(x)
    }

    #[inline]
    fn skip(&self, (last, age): &mut Self::State) -> Option<T> {
        *age += 1;
        (*last).filter(|_| *age <= self.limit)
    }
}

/// The same within a time.
#[derive(Debug, Clone)]
struct WithinTime<T> {
    limit: i64,
    /// The longest time that a value is carried.
    within: u64,
    value: PhantomData<T>,
}

impl<T: Value> Recurrence for WithinTime<T> {
    /// The value, and the time.
    type Input = (Option<T>, i64);
    type Output = T;
    /// The last value, how many rows ago it was, and its time.
    type State = (Option<T>, (i64, i64));

    fn start(&self) -> Self::State {
        (None, (0, 0))
    }

    #[inline]
    fn step(&self, state: &mut Self::State, (x, time): Self::Input) -> Option<T> {
        if x.is_some() {
            *state = (x, (0, time));
            return x;
        }
        let (last, (age, then)) = state;
        *age += 1;
        // Times do not decrease, so the difference is exact as an unsigned number.
        let fresh = *age <= self.limit && time.wrapping_sub(*then).cast_unsigned() <= self.within;
        (*last).filter(|_| fresh)
    }

    fn skip(&self, _: &mut Self::State) -> Option<T> {
        None
    }
}

/// The kernel for a column of one domain; `within` is in steps of the time column `by`.
fn bound<T: Value>(
    binding: &Binding,
    inputs: Inputs,
    limit: i64,
    within: Option<(u64, &str)>,
) -> Result<Box<dyn Running>> {
    let value = PhantomData::<T>;
    match within {
        None => Plan::recurrence(inputs, ForwardFill { limit, value }).bind(binding),
        Some((within, by)) => {
            let inputs = inputs.optional().with_column(by).sorted_by(by);
            Plan::recurrence(inputs, WithinTime { limit, within, value }).bind(binding)
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, reach) = (arguments.column("column")?, Reach::of(arguments)?);
    let limit = reach.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    Ok(Plan::new(move |binding| {
        let inputs = Inputs::columns([&column]).with_decimals_and_texts().returning(binding.column(&column)?.1.clone());
        let domain = inputs.exact_domain(binding, &column)?;
        let within = reach.within(binding)?;
        match domain {
            Domain::Integer => bound::<i64>(binding, inputs, limit, within),
            _ => bound::<f64>(binding, inputs, limit, within),
        }
    }))
}

pub(crate) const FFILL: Entry = Entry {
    names: &["ffill"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Forward fill: the last value, as long as it is not older than some rows or some time.",
    formula: "y[i] = x[j], where j <= i is the last row with a value, if i - j <= limit and by[i] - by[j] <= within, else null",
    notes: "The column's type is kept: numbers, decimals, booleans, dates, times, durations and texts. Without `limit` and `within` a value is carried \
            without end. Both limits include their end, and both apply if both are given. A NaN is a value. Rows before the first \
            value are null. Exact.",
    source: "pandas `Series.ffill`, polars `Expr.forward_fill`, whose limits count rows; a limit in time was requested in \
             pandas#16069.",
    parameters: &[
        COLUMN,
        Parameter::usual(
            "limit",
            Kind::Count,
            Literal::Omitted,
            "The number of rows that a value is carried at most, at least 1.",
        ),
        Parameter::optional(
            "within",
            Kind::Duration,
            Literal::Omitted,
            "The time that a value is carried at most: a duration such as '5m' of the time column `by`, or an integer for an \
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
    reference: reference::ffill,
};

/// The last row with a value, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, length, number, text};

    pub fn ffill(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, limit) = (column(spec, table), number(spec, "limit").unwrap_or(f64::INFINITY));
        let age: Box<dyn Fn(usize, usize) -> bool> = match spec.parameters.get("within") {
            None => Box::new(|_, _| true),
            Some(_) => {
                let (times, within) = (table.times(&text(spec, "by")), length(spec, "within"));
                Box::new(move |i, j| times[i] - times[j] <= within)
            }
        };
        let at = |i: usize| {
            let j = (0..=i).rev().find(|j| values[*j].is_some())?;
            values[j].filter(|_| (i - j) as f64 <= limit && age(i, j))
        };
        (0..values.len()).map(|i| exact(at(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, frame, refused};

    fn spec(column: &str) -> KernelSpec {
        KernelSpec::new("ffill").with("column", column)
    }

    #[test]
    fn worked_values() {
        let columns: [(&str, &[f64]); 3] = [
            ("x", &[NULL, 1.0, NULL, NULL, 2.0, NULL, f64::NAN, NULL]),
            ("t", &[0.0, 0.0, 4.0, 5.0, 9.0, 15.0, 20.0, 20.0]),
            ("flag", &[1.0, NULL, NULL, 0.0, NULL, NULL, NULL, NULL]),
        ];
        let nan = f64::NAN;
        check(spec("x"), &columns, "", &[NULL, 1.0, 1.0, 1.0, 2.0, 2.0, nan, nan]);
        check(spec("x").with("limit", 1), &columns, "", &[NULL, 1.0, 1.0, NULL, 2.0, 2.0, nan, nan]);
        let within = spec("x").with("within", "5s").with("by", "t");
        check(within.clone(), &columns, "", &[NULL, 1.0, 1.0, 1.0, 2.0, NULL, nan, nan]);
        check(within.with("limit", 1), &columns, "", &[NULL, 1.0, 1.0, NULL, 2.0, NULL, nan, nan]);
        check(spec("flag").with("limit", 2), &columns, "", &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, NULL, NULL]);
        let filled = crate::evaluate(&frame(&columns), &[spec("flag"), spec("t").alias("time")], Some(1)).unwrap();
        assert_eq!(filled.column(0).data_type(), frame(&columns)["flag"].data_type());
        assert_eq!(filled.column(1), &frame(&columns)["t"]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec("x").with("limit", 0), "must be at least 1 row, got 0");
        refused(spec("x").with("limit", -1), "must not be negative");
        refused(spec("x").with("within", "5s"), "required, because 'within' is given");
        refused(spec("x").with("by", "t"), "requires `within`");
        refused(spec("x").with("within", 0).with("by", "t"), "must be positive");
    }
}
