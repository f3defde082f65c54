//! The dot product of a row's columns with fixed weights.

use super::{RowFunction, RowKernel};
use crate::catalogue::{Family, Kernel, Kind, Parameter};

/// sum of weight * column
#[derive(Debug, Clone)]
pub struct RowDot {
    /// A weight for each column.
    pub weights: Vec<f64>,
}

impl RowFunction for RowDot {
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]) {
        weighted_sum(columns, &self.weights, answers);
    }
}

/// Adds the weighted columns up, from left to right, two columns at a time so that the answers are touched half as often.
fn weighted_sum(columns: &[&[f64]], weights: &[f64], answers: &mut [f64]) {
    let mut terms = columns.iter().zip(weights);
    match terms.next() {
        Some((x, w)) => answers.iter_mut().zip(x.iter()).for_each(|(y, x)| *y = w * x),
        None => answers.fill(0.0),
    }
    loop {
        match (terms.next(), terms.next()) {
            (Some((a, v)), Some((b, w))) => {
                for ((y, a), b) in answers.iter_mut().zip(a.iter()).zip(b.iter()) {
                    *y = (*y + v * a) + w * b;
                }
            }
            (Some((x, w)), None) => answers.iter_mut().zip(x.iter()).for_each(|(y, x)| *y += w * x),
            _ => return,
        }
    }
}

pub(crate) const ROW_DOT: Kernel = Kernel {
    name: "row_dot",
    family: Family::Row,
    summary: "Dot product of each row's columns with fixed weights.",
    formula: "y[i] = sum over k of weights[k] * columns[k][i]",
    notes: "A row with a null in any column gives null; NaN and infinities follow IEEE. The products are added from left to \
            right.",
    source: "The row-wise weighted sums of Python pipelines.",
    parameters: &[
        Parameter::required("columns", Kind::Columns, "The columns."),
        Parameter::required("weights", Kind::Numbers, "A number for each column."),
    ],
    example: r#"["x", "z"], [0.5, 2.0]"#,
    build: |arguments, schema| {
        let (columns, weights) = (arguments.column_list("columns")?, arguments.numbers("weights")?);
        if columns.len() != weights.len() {
            return Err(arguments.refuse(
                "weights",
                format!("must hold a number for each of the {} columns, not {}", columns.len(), weights.len()),
            ));
        }
        RowKernel::boxed(RowDot { weights }, arguments, schema, &columns)
    },
};

/// Dot product of each row's columns with fixed weights.
pub fn row_dot<S: Into<String>>(columns: impl IntoIterator<Item = S>, weights: Vec<f64>) -> crate::KernelSpec {
    let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
    crate::KernelSpec::new("row_dot").with("columns", columns).with("weights", weights)
}
