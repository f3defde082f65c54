//! The correlation of a column with its own values some rows earlier.

use std::marker::PhantomData;

use super::correlation::Correlation;
use super::relative::Relative;
use crate::error::Result;
use crate::run::parameters::COLUMN;
use crate::run::{BesideItself, Entry, Inputs, Plan, Shape, Window};
use crate::spec::{Arguments, Kind, Literal, Parameter};
use crate::values::Exact;

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let lag = arguments.count("lag")?;
    if lag == 0 {
        return Err(arguments.refuse("lag", "must be at least 1 row, got 0"));
    }
    Ok(window.plan(move |window, binding| {
        if inputs.has_long_integer(binding)? {
            let beside = BesideItself::<[Exact; 1]>(lag, PhantomData);
            return window.statistic(binding, inputs.bind_exactly(binding)?, Relative(Correlation), beside);
        }
        let beside = BesideItself::<f64>(lag, PhantomData);
        window.statistic(binding, inputs.bind::<f64, f64>(binding)?, Correlation, beside)
    }))
}

const LAG: Parameter = Parameter::optional("lag", Kind::Count, Literal::Count(1), "How many rows earlier, at least 1.");

const NOTES: &str = "From -1 to 1. A row counts if it and the row `lag` rows before it, of the same key, are valid. Rows with a \
    null count as rows. The earlier row may lie outside the window: the result is the correlation with the shifted column. Null if one \
    side is constant, and for a single pair. A window with a NaN or an infinity on either side gives NaN, and no other window does. \
    Computed from differences to a row of the same window, so a huge mean costs nothing.";

pub(crate) const AUTOCORR: Entry = Entry {
    names: &["rolling_autocorr", "expanding_autocorr"],
    shape: Shape::Windowed,
    summary: "Correlation of {the values in a moving window|all values so far} with the values some rows earlier.",
    formula: "r[i] = corr(x[j], x[j - lag]) over the j {in the window of row i|<= i} for which both are valid",
    notes: NOTES,
    source: "pandas `s.{rolling(w)|expanding()}.corr(s.shift(lag))`; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, LAG],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan,
    #[cfg(test)]
    reference: reference::autocorr,
};

/// The correlation of pairs, by its definition.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, corr, number, windowed};

    pub fn autocorr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, lag) = (column(spec, &table.exact()), number(spec, "lag").unwrap_or(1.0) as usize);
        let before = |i: usize| i.checked_sub(lag).and_then(|j| values[j]);
        let pairs: Vec<Option<(f64, f64)>> = (0..values.len()).map(|i| values[i].zip(before(i))).collect();
        windowed(spec, table, &pairs, corr)
    }
}
