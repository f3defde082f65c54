//! Bars of equal volume: the number of the bar of each row, where a bar ends once its sum has reached a size.

use arrow::datatypes::DataType;

use super::remainder;
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// Numbers the bars of a key.
#[derive(Debug, Clone)]
struct BucketBySum {
    size: f64,
    carry: bool,
}

impl Recurrence for BucketBySum {
    type Input = f64;
    type Output = i64;
    /// The sum of the bar so far; the number of the next row's bar, and of the last row's, -1 before the first.
    type State = (f64, (i64, i64));

    fn start(&self) -> Self::State {
        (0.0, (0, -1))
    }

    #[inline]
    fn step(&self, (sum, (next, last)): &mut Self::State, x: f64) -> Option<i64> {
        *sum += x.abs();
        *last = *next;
        if *sum >= self.size {
            *next += 1;
            *sum = if self.carry { remainder(*sum, self.size) } else { 0.0 };
        }
        Some(*last)
    }

    #[inline]
    fn skip(&self, (_, (_, last)): &mut Self::State) -> Option<i64> {
        (*last >= 0).then_some(*last)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (size, carry) = (arguments.number("size")?, arguments.flag("carry")?);
    if !(size > 0.0 && size.is_finite()) {
        return Err(arguments.refuse("size", format!("must be positive and finite, got {size}")));
    }
    let inputs = Inputs::of(arguments, &["column"])?.returning(DataType::Int64);
    Ok(Plan::recurrence(inputs, BucketBySum { size, carry }))
}

pub(crate) const BUCKET_BY_SUM: Entry = Entry {
    names: &["bucket_by_sum"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Number of the bar of each row: a bar ends with the row that makes its sum reach `size`, as volume bars do.",
    formula: "y[i] = y[i-1] + 1 if s[i-1] + |x[i-1]| >= size else y[i-1]; s is the sum of |x| in the bar before the row",
    notes: "A 64-bit integer, from 0 for each key. The row that reaches `size` belongs to the bar that it completes. What is above \
            `size` is dropped; with `carry=True` the next bar starts with it, less than one `size`. So a row completes at most one \
            bar, and no number is left out. A null row returns the last number, and null before the first value. After a NaN no \
            bar ends. An infinity ends its bar and leaves nothing to carry.",
    source: "Volume bars of polars-trading; the bars by ticks, volume and dollars of Lopez de Prado (2018).",
    parameters: &[
        COLUMN,
        Parameter::required("size", Kind::Number, "The sum of absolute values that completes a bar, above 0."),
        Parameter::optional(
            "carry",
            Kind::Flag,
            Literal::Flag(false),
            "Whether the next bar starts with what the last one had above `size`.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("size", Literal::Count(5))],
    plan,
    #[cfg(test)]
    reference: reference::bucket_by_sum,
};

/// How many bars are complete before each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, flag, number};

    pub fn bucket_by_sum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (size, carry) = (number(spec, "size").unwrap(), flag(spec, "carry", false));
        let (mut bar, mut sum, mut last) = (0.0, 0.0, None);
        let row = |x: Option<f64>| {
            if let Some(x) = x {
                last = Some(bar);
                let total: f64 = sum + x.abs();
                let complete = total >= size;
                bar += f64::from(complete);
                sum = match (complete, carry && total.is_finite()) {
                    (false, _) => total,
                    (true, true) => total % size,
                    (true, false) => 0.0,
                };
            }
            exact(last)
        };
        column(spec, table).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec(size: f64) -> KernelSpec {
        KernelSpec::new("bucket_by_sum").with("column", "x").with("size", size)
    }

    #[test]
    fn worked_values() {
        let x: &[f64] = &[NULL, 3.0, -4.0, 5.0, NULL, 25.0, 4.0, 2.0];
        check(spec(10.0), &[("x", x)], "", &[NULL, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0]);
        // 12 carries 2; 27 completes one bar and carries 7, so that 4 completes the next.
        check(spec(10.0).with("carry", true), &[("x", x)], "", &[NULL, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        let wild: &[f64] = &[f64::INFINITY, 9.0, 1.0, f64::NAN, 99.0, 99.0];
        check(spec(10.0).with("carry", true), &[("x", wild)], "", &[0.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn what_is_refused() {
        for size in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(spec(size), "must be positive and finite, got");
        }
    }
}
