//! The risk of a position: its weighted factors divided by its notional.

use crate::error::Result;
use crate::model::RowFunction;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// sum over the factors of weight * factor, divided by the notional
///
/// ```
/// use arrow::{array::{ArrayRef, AsArray, Float64Array, RecordBatch}, datatypes::Float64Type};
/// use hypostyle::{evaluate, risk_score};
/// use std::sync::Arc;
///
/// let column = |x: f64| Arc::new(Float64Array::from(vec![x])) as ArrayRef;
/// let batch = RecordBatch::try_from_iter([
///     ("weight", column(0.5)), ("notional", column(4.0)), ("delta", column(2.0)), ("vega", column(6.0)),
/// ])?;
/// let scores = evaluate(&batch, &[risk_score("weight", "notional", ["delta", "vega"])], None)?;
/// assert_eq!(scores.column(0).as_primitive::<Float64Type>().value(0), (0.5 * 2.0 + 0.5 * 6.0) / 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RiskScore;

impl RowFunction for RiskScore {
    /// The columns are weight, notional, factors.
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]) {
        let [weight, notional, factors @ ..] = columns else {
            return;
        };
        let inputs = weight.iter().zip(notional.iter());
        match factors {
            [a] => {
                for ((y, (w, n)), a) in answers.iter_mut().zip(inputs).zip(a.iter()) {
                    *y = (0.0 + w * a) / n;
                }
            }
            [a, b] => {
                for (((y, (w, n)), a), b) in answers.iter_mut().zip(inputs).zip(a.iter()).zip(b.iter()) {
                    *y = (0.0 + w * a + w * b) / n;
                }
            }
            [a, b, c] => {
                let factors = a.iter().zip(b.iter()).zip(c.iter());
                for ((y, (w, n)), ((a, b), c)) in answers.iter_mut().zip(inputs).zip(factors) {
                    *y = (0.0 + w * a + w * b + w * c) / n;
                }
            }
            _ => {
                answers.fill(0.0);
                for factor in factors {
                    for ((y, w), a) in answers.iter_mut().zip(weight.iter()).zip(factor.iter()) {
                        *y += w * a;
                    }
                }
                answers.iter_mut().zip(notional.iter()).for_each(|(y, n)| *y /= n);
            }
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let mut values = vec![arguments.number_or_column("weight")?, arguments.number_or_column("notional")?];
    values.extend(arguments.numbers_or_columns("factors")?);
    if !values.iter().any(|value| matches!(value, NumberOrColumn::Column(_))) {
        return Err(arguments.refuse("factors", "names no column, and neither do weight and notional"));
    }
    Ok(Plan::row_function(Inputs::of_values(values), RiskScore))
}

pub(crate) const RISK_SCORE: Entry = Entry {
    names: &["risk_score"],
    shape: Shape::Single(Family::Row),
    summary: "Weighted sum of risk factors divided by the notional, per row.",
    formula: "y[i] = sum over k of weight[i] * factors[k][i] / notional[i]",
    notes: "Each input is a column or a number. A row with a null in any column gives null. NaN, infinities and a notional of 0 \
            follow IEEE. The products are added to 0 from left to right, and the sum is divided once: the bits of a loop over the \
            rows that adds up the products. `sum` of Python 3.12 and later adds floats with a correction, and may differ in the \
            last bits.",
    source: "The row-wise scoring loops of Python pipelines.",
    parameters: &[
        Parameter::required("weight", Kind::NumberOrColumn, "The weight of the row."),
        Parameter::required("notional", Kind::NumberOrColumn, "The divisor of the weighted sum."),
        Parameter::required("factors", Kind::NumbersOrColumns, "The factors: numbers, columns, or some of each."),
    ],
    example: &[
        ("weight", Literal::Text("x")),
        ("notional", Literal::Text("z")),
        ("factors", Literal::Texts(&["x", "z"])),
    ],
    plan,
    #[cfg(test)]
    reference: reference::risk_score,
};

/// The terms of each row, summed in order.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::kernels::rows::row_dot::reference::{dot, of_value, values};
    use crate::reference::{Slow, Table};

    pub fn risk_score(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let factors = values(spec, table, "factors");
        let weight = of_value(&spec.parameters["weight"], table);
        dot(&vec![weight; factors.len()], &factors, &of_value(&spec.parameters["notional"], table))
    }
}
