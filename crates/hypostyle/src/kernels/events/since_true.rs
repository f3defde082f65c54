//! How long ago something was true: in rows, or in time.

use arrow::datatypes::DataType;

use super::time::exact_elapsed;
use crate::error::Result;
use crate::kernels::fields::check_boolean;
use crate::kernels::neighbors::diff::type_of_difference;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// Rows since the last true one.
#[derive(Debug, Clone)]
struct Rows;

impl Recurrence for Rows {
    type Input = i64;
    type Output = i64;
    /// The result; -1 before the first true row.
    type State = i64;

    fn start(&self) -> i64 {
        -1
    }

    #[inline]
    fn step(&self, rows: &mut i64, flag: i64) -> Option<i64> {
        if flag == 0 {
            return self.skip(rows);
        }
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

/// Time since the last true row.
#[derive(Debug, Clone)]
struct Time {
    factor: i64,
}

impl Recurrence for Time {
    /// The flag, and the time.
    type Input = (Option<i64>, i64);
    type Output = i64;
    /// The time of the last true row.
    type State = Option<i64>;

    fn start(&self) -> Option<i64> {
        None
    }

    #[inline]
    fn step(&self, last: &mut Option<i64>, (flag, time): (Option<i64>, i64)) -> Option<i64> {
        if flag.is_some_and(|flag| flag != 0) {
            *last = Some(time);
        }
        exact_elapsed((*last)?, time, self.factor)
    }

    fn skip(&self, _: &mut Option<i64>) -> Option<i64> {
        None
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (flag, by) = (arguments.column("flag")?, arguments.optional_column("by")?);
    let inputs = Inputs::columns([&flag]);
    Ok(Plan::new(move |binding| {
        check_boolean(binding, &flag)?;
        let Some(by) = &by else {
            return Plan::recurrence(inputs.clone().returning(DataType::Int64), Rows).bind(binding);
        };
        let (output, factor) = type_of_difference(binding.time_column(by)?.1);
        let inputs = inputs.clone().optional().with_column(by).sorted_by(by).returning(output);
        Plan::recurrence(inputs, Time { factor }).bind(binding)
    }))
}

pub(crate) const SINCE_TRUE: Entry = Entry {
    names: &["since_true"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Rows since the last true row, or time since it.",
    formula: "y[i] = i - j, or by[i] - by[j], where j <= i is the last row with flag[j] = true",
    notes: "0 in a true row, null before the first. Rows are a 64-bit integer. Time is a duration; for an integer time column it is \
            an integer. A row whose flag is null is a row that is not true, so it counts. Exact; a time outside 64 bits is null.",
    source: "TA functions called BARSSINCE; Flux `stateCount` and `stateDuration`.",
    parameters: &[
        Parameter::required("flag", Kind::Flags, "The column of booleans."),
        Parameter::optional(
            "by",
            Kind::Time("flag"),
            Literal::Omitted,
            "A time column: the result is the time since the last true row. It must be sorted within each key and have no nulls.",
        ),
    ],
    example: &[("flag", Literal::Text("z"))],
    plan,
    #[cfg(test)]
    reference: reference::since_true,
};

/// The last true row, for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, text};

    pub fn since_true(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let flags = table.numbers(&text(spec, "flag"));
        let places: Vec<i64> = match spec.parameters.get("by") {
            Some(_) => table.times(&text(spec, "by")),
            None => (0..flags.len() as i64).collect(),
        };
        let last = |i: usize| flags[..=i].iter().rposition(|flag| *flag == Some(1.0));
        (0..flags.len()).map(|i| exact(last(i).map(|j| (places[i] - places[j]) as f64))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("since_true").with("flag", "flag");
        let flag: &[f64] = &[0.0, 1.0, 0.0, NULL, 0.0, 1.0, 1.0];
        let times: &[f64] = &[0.0, 1.0, 1.0, 5.0, 6.0, 60.0, 61.0];
        let columns = [("flag", flag), ("t", times), ("n", times)];
        check(spec.clone(), &columns, "", &[NULL, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
        check(spec.clone().with("by", "n"), &columns, "", &[NULL, 0.0, 0.0, 4.0, 5.0, 0.0, 0.0]);
        check(spec.with("by", "t"), &columns, "", &[NULL, 0.0, 0.0, 4000.0, 5000.0, 0.0, 0.0]);
    }

    #[test]
    fn numbers_are_no_flags() {
        use crate::kernels::fields::worked::frame;
        let spec = KernelSpec::new("since_true").with("flag", "x");
        let error = crate::evaluate(&frame(&[("x", &[1.0])]), &[spec], Some(1)).unwrap_err().to_string();
        assert!(error.contains("a boolean such as the result of x > 0"), "{error}");
    }
}
