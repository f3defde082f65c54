//! The dot product of a row's columns with fixed weights.

use crate::error::Result;
use crate::model::RowFunction;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

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

/// Adds up the weighted columns from left to right, two at a time, so that each result is read and written half as often.
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

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (columns, weights) = (arguments.columns("columns")?, arguments.numbers("weights")?);
    if columns.len() != weights.len() {
        return Err(arguments.refuse(
            "weights",
            format!("must hold one number per column, got {} for {} columns", weights.len(), columns.len()),
        ));
    }
    Ok(Plan::row_function(Inputs::columns(columns), RowDot { weights }))
}

pub(crate) const ROW_DOT: Entry = Entry {
    names: &["row_dot"],
    shape: Shape::Single(Family::Row),
    summary: "Dot product of the columns of each row with fixed weights.",
    formula: "y[i] = sum over k of weights[k] * columns[k][i]",
    notes: "A row with a null in any column gives null. NaN and infinities follow IEEE. The products are added from left to right.",
    source: "The row-wise weighted sums of Python pipelines.",
    parameters: &[
        Parameter::required("columns", Kind::Columns, "The columns."),
        Parameter::required("weights", Kind::Numbers, "One number per column."),
    ],
    example: &[("columns", Literal::Texts(&["x", "z"])), ("weights", Literal::Numbers(&[0.5, 2.0]))],
    plan,
    #[cfg(test)]
    reference: reference::row_dot,
};

/// The terms of each row, summed in order.
#[cfg(test)]
pub(super) mod reference {
    use crate::reference::{EPS, Slow, Table, exact, list};
    use crate::{KernelSpec, Value};

    pub fn row_dot(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let columns: Vec<_> =
            list(spec, "columns").iter().map(|f| table.numbers(f.to_string().trim_matches('\''))).collect();
        let weights: Vec<_> = list(spec, "weights")
            .iter()
            .map(|w| vec![if let Value::Float(w) = w { Some(*w) } else { None }; table.batch.num_rows()])
            .collect();
        dot(&weights, &columns, &vec![Some(1.0); table.batch.num_rows()])
    }

    pub fn dot(weights: &[Vec<Option<f64>>], columns: &[Vec<Option<f64>>], divisor: &[Option<f64>]) -> Vec<Slow> {
        (0..divisor.len())
            .map(|i| {
                let terms: Option<Vec<f64>> = weights.iter().zip(columns).map(|(w, x)| Some(w[i]? * x[i]?)).collect();
                let (Some(terms), Some(divisor)) = (terms, divisor[i]) else { return exact(None) };
                let scale: f64 = terms.iter().map(|x| x.abs()).sum::<f64>() / divisor.abs();
                let answer = terms.iter().sum::<f64>() / divisor;
                Slow { answer: Some(answer), error: 8.0 * EPS * scale }
            })
            .collect()
    }
}
