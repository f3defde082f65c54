//! A position's risk: its weighted factors over its notional.

use super::{RowFunction, RowKernel};
use crate::catalogue::{Family, Kernel, Kind, Parameter};

/// sum over the factors of weight * factor, divided by the notional
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
                    *y = w * a / n;
                }
            }
            [a, b] => {
                for (((y, (w, n)), a), b) in answers.iter_mut().zip(inputs).zip(a.iter()).zip(b.iter()) {
                    *y = (w * a + w * b) / n;
                }
            }
            [a, b, c] => {
                let factors = a.iter().zip(b.iter()).zip(c.iter());
                for ((y, (w, n)), ((a, b), c)) in answers.iter_mut().zip(inputs).zip(factors) {
                    *y = (w * a + w * b + w * c) / n;
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

pub(crate) const RISK_SCORE: Kernel = Kernel {
    name: "risk_score",
    family: Family::Row,
    summary: "Weighted sum of risk factors over the notional, for each row.",
    formula: "y[i] = sum over k of weight[i] * factors[k][i] / notional[i]",
    notes: "A row with a null in any column gives null; NaN and infinities follow IEEE, and so does a notional of 0. The \
            products are added from left to right and divided once.",
    source: "The row-wise scoring loops of Python pipelines.",
    parameters: &[
        Parameter::required("weight", Kind::Column, "The weight of the row."),
        Parameter::required("notional", Kind::Column, "What the weighted sum is divided by."),
        Parameter::required("factors", Kind::Columns, "The factors."),
    ],
    example: r#""x", "z", ["x", "z"]"#,
    build: |arguments, schema| {
        let mut columns = vec![arguments.column("weight")?, arguments.column("notional")?];
        columns.extend(arguments.column_list("factors")?);
        RowKernel::boxed(RiskScore, arguments, schema, &columns)
    },
};

/// Weighted sum of risk factors over the notional, for each row.
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
pub fn risk_score<S: Into<String>>(
    weight: impl Into<String>,
    notional: impl Into<String>,
    factors: impl IntoIterator<Item = S>,
) -> crate::KernelSpec {
    let factors: Vec<String> = factors.into_iter().map(Into::into).collect();
    crate::KernelSpec::new("risk_score")
        .with("weight", weight.into())
        .with("notional", notional.into())
        .with("factors", factors)
}
