//! Runs of equal values: how long the run of each row is so far.

use std::marker::PhantomData;

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::value::Value;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Literal};
use crate::values::Domain;

/// See the module.
#[derive(Debug, Clone)]
struct Streak<T>(PhantomData<T>);

impl<T: Value> Recurrence for Streak<T> {
    type Input = T;
    type Output = i64;
    /// The last value, and how many of it there are in a row; 0 before the first.
    type State = (T, i64);

    fn start(&self) -> (T, i64) {
        (T::default(), 0)
    }

    #[inline]
    fn step(&self, (last, count): &mut (T, i64), x: T) -> Option<i64> {
        *count = if x == *last { *count + 1 } else { 1 };
        *last = x;
        Some(*count)
    }

    #[inline]
    fn skip(&self, (_, count): &mut (T, i64)) -> Option<i64> {
        (*count > 0).then_some(*count)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let column = arguments.column("column")?;
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals_and_texts().returning(DataType::Int64);
    Ok(Plan::new(move |binding| match inputs.exact_domain(binding, &column)? {
        Domain::Integer => Plan::recurrence(inputs.clone(), Streak::<i64>(PhantomData)).bind(binding),
        _ => Plan::recurrence(inputs.clone(), Streak::<f64>(PhantomData)).bind(binding),
    }))
}

pub(crate) const STREAK: Entry = Entry {
    names: &["streak"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Number of consecutive equal values that end with this row.",
    formula: "y[i] = y[i-1] + 1 if x[i] = x[i-1] else 1",
    notes: "A 64-bit integer. Numbers, decimals, booleans, dates, times, durations and texts, compared exactly; -0 equals 0, and a NaN equals \
            nothing, so its run has length 1. A null row does not end a run: it returns the last result and does not count. Rows \
            before the first value are null.",
    source: "pandas `x.groupby((x != x.shift()).cumsum()).cumcount() + 1`, polars `Expr.rle_id`; there a null ends a run. \
             polars#9328.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("z"))],
    plan,
    #[cfg(test)]
    reference: reference::streak,
};

/// The values so far, backward from each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, text};

    fn runs<T: PartialEq + Copy>(values: &[Option<T>]) -> Vec<Slow> {
        let at = |i: usize| {
            let so_far: Vec<T> = values[..=i].iter().rev().flatten().copied().collect();
            so_far.first()?;
            Some((1 + so_far.windows(2).take_while(|pair| pair[0] == pair[1]).count()) as f64)
        };
        (0..values.len()).map(|i| exact(at(i))).collect()
    }

    pub fn streak(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        match table.whole_numbers(&text(spec, "column")) {
            Some(values) => runs(&values),
            None => runs(&column(spec, table)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("streak").with("column", "x");
        let x: &[f64] = &[NULL, 0.0, -0.0, NULL, 0.0, 5.0, f64::NAN, f64::NAN, 5.0, 5.0];
        check(spec, &[("x", x)], "", &[NULL, 1.0, 2.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
        let spec = |name: &str| KernelSpec::new("streak").with("column", name);
        let columns: [(&str, &[f64]); 2] = [("flag", &[0.0, 0.0, 1.0, 1.0]), ("t", &[7.0, 7.0, 7.0, 8.0])];
        check(spec("flag"), &columns, "", &[1.0, 2.0, 1.0, 2.0]);
        check(spec("t"), &columns, "", &[1.0, 2.0, 3.0, 1.0]);
    }
}
