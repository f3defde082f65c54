//! How old the last value is: in rows, or in time.

use arrow::datatypes::DataType;

use super::time::exact_elapsed;
use crate::error::Result;
use crate::kernels::neighbors::diff::type_of_difference;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// Rows since the last value.
#[derive(Debug, Clone)]
struct Rows;

impl Recurrence for Rows {
    type Input = ();
    type Output = i64;
    /// The result; -1 before the first value.
    type State = i64;

    fn start(&self) -> i64 {
        -1
    }

    #[inline]
    fn step(&self, rows: &mut i64, (): ()) -> Option<i64> {
        *rows = 0;
        Some(0)
    }

    #[inline]
    fn skip(&self, rows: &mut i64) -> Option<i64> {
        if *rows < 0 {
            return None;
        }
        *rows += 1;
        Some(*rows)
    }
}

/// Time since the last value.
#[derive(Debug, Clone)]
struct Time {
    factor: i64,
}

impl Recurrence for Time {
    /// Whether there is a value, and the time.
    type Input = (Option<()>, i64);
    type Output = i64;
    /// The time of the last value.
    type State = Option<i64>;

    fn start(&self) -> Option<i64> {
        None
    }

    #[inline]
    fn step(&self, last: &mut Option<i64>, (value, time): (Option<()>, i64)) -> Option<i64> {
        if value.is_some() {
            *last = Some(time);
        }
        exact_elapsed((*last)?, time, self.factor)
    }

    fn skip(&self, _: &mut Option<i64>) -> Option<i64> {
        None
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, by) = (arguments.column("column")?, arguments.optional_column("by")?);
    let inputs = Inputs::columns([column]);
    let Some(by) = by else {
        return Ok(Plan::recurrence(inputs.returning(DataType::Int64), Rows));
    };
    let inputs = inputs.optional().with_column(&by).sorted_by(&by);
    Ok(Plan::new(move |binding| {
        let (output, factor) = type_of_difference(binding.time_column(&by)?.1);
        Plan::recurrence(inputs.clone().returning(output), Time { factor }).bind(binding)
    }))
}

pub(crate) const AGE: Entry = Entry {
    names: &["age"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Rows since the last value that is not null, or time since it.",
    formula: "y[i] = i - j, or by[i] - by[j], where j <= i is the last row with a value",
    notes: "0 in a row with a value, null before the first. For columns of any type, strings too; a NaN is a value. Rows are a 64-bit \
            integer. Time is a duration; for an integer time column it is an integer. Exact; a time outside 64 bits is null.",
    source: "The staleness of a forward-filled value: see `ffill`.",
    parameters: &[
        Parameter::required("column", Kind::Column, "The column of values."),
        Parameter::optional(
            "by",
            Kind::Time("column"),
            Literal::Omitted,
            "A time column: the result is the time since the last value. It must be sorted within each key and have no nulls.",
        ),
    ],
    example: &[("column", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::age,
};

/// The last row with a value, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, text};

    pub fn age(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
        let places: Vec<i64> = match spec.parameters.get("by") {
            Some(_) => table.times(&text(spec, "by")),
            None => (0..values.len() as i64).collect(),
        };
        let last = |i: usize| values[..=i].iter().rposition(Option::is_some);
        (0..values.len()).map(|i| exact(last(i).map(|j| (places[i] - places[j]) as f64))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("age").with("column", "x");
        let times: &[f64] = &[0.0, 1.0, 1.0, 5.0, 6.0, 60.0];
        let columns: [(&str, &[f64]); 3] =
            [("x", &[NULL, 1.0, NULL, NULL, f64::NAN, NULL]), ("t", times), ("n", times)];
        check(spec.clone(), &columns, "", &[NULL, 0.0, 1.0, 2.0, 0.0, 1.0]);
        check(spec.clone().with("by", "n"), &columns, "", &[NULL, 0.0, 0.0, 4.0, 0.0, 54.0]);
        check(spec.with("by", "t"), &columns, "", &[NULL, 0.0, 0.0, 4000.0, 0.0, 54000.0]);
    }

    #[test]
    fn strings_have_an_age_too() {
        let words: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a"), None]));
        let rows = RecordBatch::try_from_iter([("word", words)]).unwrap();
        let age = crate::evaluate(&rows, &[KernelSpec::new("age").with("column", "word")], Some(1)).unwrap();
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(0), Some(1)]));
        assert_eq!(age.column(0), &expected);
    }
}
