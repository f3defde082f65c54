//! Whether any value, or every value, is true: the largest and the smallest of booleans.

use arrow::datatypes::DataType;

use super::extremum::Extremum;
use crate::error::Result;
use crate::run::{Bare, Entry, Example, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};

fn plan<const ANY: bool>(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let column = arguments.column("column")?;
    Ok(window.plan(move |window, binding| match binding.column(&column)? {
        (_, DataType::Boolean) => {
            let wiring = inputs.bind::<i64, i64>(binding)?;
            window.statistic(binding, wiring, Extremum::<i64, ANY>::new(), Bare)
        }
        // For numbers there is `rolling_max`.
        (_, other) => Err(binding.column_type(&column, "a boolean such as the result of x > 0", other)),
    }))
}

const COLUMN: Parameter = Parameter::required("column", Kind::Flags, "The column of booleans.");

const EXAMPLE: Example = &[("column", Literal::Text("z")), ("window", Literal::Count(2))];

const NOTES: &str =
    "Takes and returns booleans. Nulls are skipped, as if they were absent, and do not count for `min_samples`. Exact.";

pub(crate) const ANY: Entry = Entry {
    names: &["rolling_any", "expanding_any"],
    shape: Shape::Windowed,
    summary: "Whether any value {in a moving window|so far} is true.",
    formula: "y[i] = x[j] for some j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{numpy `any` of every window; van Herk (1992), Gil and Werman (1993)|numpy `logical_or.accumulate`}.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<true>,
    #[cfg(test)]
    reference: reference::any,
};

pub(crate) const ALL: Entry = Entry {
    names: &["rolling_all", "expanding_all"],
    shape: Shape::Windowed,
    summary: "Whether every value {in a moving window|so far} is true.",
    formula: "y[i] = x[j] for all j {in the window of row i|<= i}",
    notes: NOTES,
    source: "{numpy `all` of every window; van Herk (1992), Gil and Werman (1993)|numpy `logical_and.accumulate`}.",
    parameters: &[COLUMN],
    example: EXAMPLE,
    plan: plan::<false>,
    #[cfg(test)]
    reference: reference::all,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, extreme, of_column};

    pub fn any(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| extreme(window, f64::max))
    }

    pub fn all(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        of_column(spec, table, |window| extreme(window, f64::min))
    }
}
